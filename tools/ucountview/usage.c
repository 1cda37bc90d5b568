// SPDX-License-Identifier: GPL-2.0
/*
 * ucountview usage: every counter in use against its limit, the fullest first.
 */
#include <stdlib.h>

#include "snapshot.h"
#include "table.h"
#include "ucountview.h"
#include "users.h"

enum {
	COL_USERNS,
	COL_NSID,
	COL_LEVEL,
	COL_PARENT,
	COL_OWNER,
	COL_UID,
	COL_UIDNS,
	COL_USER,
	COL_RESOURCE,
	COL_TYPE,
	COL_UNIT,
	COL_USED,
	COL_LIMIT,
	COL_USE,
	COL_RATIO,
	COL_PID,
	COL_COMMAND,
	COL_FLAGS,
};

static const struct column columns[] = {
	[COL_USERNS]   = { "USERNS", "user namespace: inode number, as in /proc/PID/ns/user",
			   SCOLS_JSON_NUMBER, SCOLS_FL_RIGHT },
	[COL_NSID]     = { "NSID", "its identifier that is never used again (Linux 6.18 and later)",
			   SCOLS_JSON_NUMBER, SCOLS_FL_RIGHT },
	[COL_LEVEL]    = { "LEVEL", "its level: 0 for the initial user namespace",
			   SCOLS_JSON_NUMBER, SCOLS_FL_RIGHT },
	[COL_PARENT]   = { "PARENT", "inode number of its parent",
			   SCOLS_JSON_NUMBER, SCOLS_FL_RIGHT },
	[COL_OWNER]    = { "OWNER", "uid of its creator, who is charged too, in the parent",
			   SCOLS_JSON_NUMBER, SCOLS_FL_RIGHT },
	[COL_UID]      = { "UID", "who is charged, as the initial user namespace sees it",
			   SCOLS_JSON_NUMBER, SCOLS_FL_RIGHT },
	[COL_UIDNS]    = { "UIDNS", "the same as the user namespace itself sees it",
			   SCOLS_JSON_NUMBER, SCOLS_FL_RIGHT },
	[COL_USER]     = { "USER", "name of UID", SCOLS_JSON_STRING, SCOLS_FL_TRUNC },
	[COL_RESOURCE] = { "RESOURCE", "what is counted", SCOLS_JSON_STRING, 0 },
	[COL_TYPE]     = { "TYPE", "ucount (limit of the namespace) or rlimit (of each process)",
			   SCOLS_JSON_STRING, 0 },
	[COL_UNIT]     = { "UNIT", "objects, bytes or pages", SCOLS_JSON_STRING, 0 },
	[COL_USED]     = { "USED", "how much is charged, descendants included",
			   SCOLS_JSON_NUMBER, SCOLS_FL_RIGHT },
	[COL_LIMIT]    = { "LIMIT", "limit of the namespace for each user (JSON: null if none)",
			   SCOLS_JSON_NUMBER, SCOLS_FL_RIGHT },
	[COL_USE]      = { "USE%", "USED in percent of LIMIT",
			   SCOLS_JSON_NUMBER, SCOLS_FL_RIGHT },
	[COL_RATIO]    = { "RATIO", "USED divided by LIMIT; 1 if LIMIT is 0",
			   SCOLS_JSON_NUMBER, SCOLS_FL_RIGHT },
	[COL_PID]      = { "PID", "example of a process in the user namespace",
			   SCOLS_JSON_NUMBER, SCOLS_FL_RIGHT },
	[COL_COMMAND]  = { "COMMAND", "command of PID", SCOLS_JSON_STRING, SCOLS_FL_TRUNC },
	[COL_FLAGS]    = { "FLAGS", "shadowed: the kernel charges another row of the same user now",
			   SCOLS_JSON_STRING, 0 },
};

static const size_t default_columns[] = {
	COL_USERNS, COL_LEVEL, COL_UID, COL_RESOURCE, COL_USED, COL_LIMIT, COL_USE, COL_COMMAND,
};

/* How much there is to say about a limit; in the order of the lines. */
enum limit_kind {
	LIMITED,
	UNLIMITED,
	LIMIT_UNKNOWN,	/* each process has its own RLIMIT_* */
};

struct usage_row {
	const struct ucv_ucounts *uc;
	const struct ucv_userns *ns;
	const struct ucv_resource *res;
	long long used;
	long long limit;
	enum limit_kind kind;
	double ratio;
};

struct usage {
	struct table table;
	struct snapshot snap;
	struct usage_row *rows;
	size_t nr_rows;
};

static void help(const struct table *tb)
{
	fputs("\nUsage:\n"
	      " ucountview [usage] [options]\n"
	      " ucountview <command> [options]\n"
	      "\nShow what the kernel has charged to each user in each user namespace, and the limits.\n",
	      stdout);
	print_commands(stdout);
	fputs("\nOptions:\n" TABLE_OPTIONS_HELP, stdout);
	table_help_columns(tb, stdout);
	fputs("\nFor more details see ucountview(8).\n", stdout);
}

static void parse_options(struct usage *u, int argc, char **argv)
{
	static const struct option options[] = {
		{ }
	};
	int opt;

	while ((opt = table_getopt(&u->table, argc, argv, "", options)) != -1) {
		switch (opt) {
		case 'h':
			help(&u->table);
			exit(EXIT_SUCCESS);
		}
	}
	if (optind < argc)
		die("unexpected argument: %s", argv[optind]);
}

/* A limit of 0 is reached from the start; dividing by it tells nobody anything. */
static double ratio_of(long long used, long long limit)
{
	return limit > 0 ? (double)used / (double)limit : 1.0;
}

static struct usage_row make_row(const struct snapshot *snap, const struct ucv_ucounts *uc,
				 size_t resource)
{
	struct usage_row row = {
		.uc = uc,
		.ns = snapshot_userns_of(snap, uc),
		.res = &snap->resources[resource],
		.used = uc->used[resource],
	};

	row.limit = row.ns->limit[resource];
	if (row.res->type != UCV_RESOURCE_UCOUNT)
		row.kind = LIMIT_UNKNOWN;
	else if (row.limit >= UCV_UNLIMITED)
		row.kind = UNLIMITED;
	else
		row.ratio = ratio_of(row.used, row.limit);
	return row;
}

static void add_row(struct usage *u, const struct usage_row *row)
{
	/* Room doubles whenever the number of rows is a power of two. */
	if (!(u->nr_rows & (u->nr_rows - 1)))
		u->rows = xreallocarray(u->rows, u->nr_rows ? u->nr_rows * 2 : 1,
					sizeof(*u->rows));
	u->rows[u->nr_rows++] = *row;
}

static void collect_rows(struct usage *u)
{
	const struct snapshot *snap = &u->snap;

	for (size_t i = 0; i < snap->nr_ucounts; i++) {
		for (size_t r = 0; r < snap->nr_resources; r++) {
			struct usage_row row = make_row(snap, &snap->ucounts[i], r);

			if (row.used > 0)
				add_row(u, &row);
		}
	}
}

static int compare_numbers(double a, double b)
{
	return a < b ? -1 : a > b;
}

static int compare_rows(const void *a, const void *b)
{
	const struct usage_row *x = a, *y = b;
	int order;

	order = compare_numbers(x->kind, y->kind);
	if (!order)
		order = compare_numbers(y->ratio, x->ratio);
	if (!order)
		order = compare_numbers(x->ns->level, y->ns->level);
	if (!order)
		order = compare_numbers(x->uc->uid, y->uc->uid);
	if (!order)
		order = compare_numbers(x->res - y->res, 0);
	if (!order)
		order = compare_numbers(x->uc - y->uc, 0);
	return order;
}

static char *uid_text(__u32 uid)
{
	return uid == UCV_UID_UNMAPPED ? NULL : xasprintf("%u", uid);
}

static char *unit_text(__u32 unit)
{
	static const char * const units[] = {
		[UCV_UNIT_OBJECTS] = "objects",
		[UCV_UNIT_BYTES] = "bytes",
		[UCV_UNIT_PAGES] = "pages",
	};

	return unit < ARRAY_SIZE(units) ? xstrdup(units[unit]) : NULL;
}

static char *type_text(__u32 type)
{
	static const char * const types[] = {
		[UCV_RESOURCE_UCOUNT] = "ucount",
		[UCV_RESOURCE_RLIMIT] = "rlimit",
	};

	return type < ARRAY_SIZE(types) ? xstrdup(types[type]) : NULL;
}

static char *limit_text(const struct usage_row *row, bool json)
{
	if (row->kind == LIMITED)
		return xasprintf("%lld", row->limit);
	if (row->kind == UNLIMITED && !json)
		return xstrdup("unlimited");
	return NULL;
}

/* Rounded down: 100 % is full, and nothing less is. */
static char *use_text(const struct usage_row *row, bool json)
{
	if (row->kind != LIMITED)
		return NULL;
	return xasprintf(json ? "%.0f" : "%.0f%%", __builtin_floor(row->ratio * 100));
}

static char *cell(const struct usage *u, const struct usage_row *row, size_t column)
{
	const struct ucv_userns *parent = snapshot_parent(&u->snap, row->ns);

	switch (column) {
	case COL_USERNS:
		return xasprintf("%u", row->ns->inum);
	case COL_NSID:
		return row->ns->id ? xasprintf("%llu", row->ns->id) : NULL;
	case COL_LEVEL:
		return xasprintf("%u", row->ns->level);
	case COL_PARENT:
		return parent ? xasprintf("%u", parent->inum) : NULL;
	case COL_OWNER:
		return uid_text(row->ns->owner);
	case COL_UID:
		return uid_text(row->uc->uid);
	case COL_UIDNS:
		return uid_text(row->uc->uid_in_ns);
	case COL_USER:
		return xstrdup(user_name(row->uc->uid));
	case COL_RESOURCE:
		return xstrdup(row->res->name);
	case COL_TYPE:
		return type_text(row->res->type);
	case COL_UNIT:
		return unit_text(row->res->unit);
	case COL_USED:
		return xasprintf("%lld", row->used);
	case COL_LIMIT:
		return limit_text(row, u->table.json);
	case COL_USE:
		return use_text(row, u->table.json);
	case COL_RATIO:
		return row->kind == LIMITED ? xasprintf("%.4f", row->ratio) : NULL;
	case COL_PID:
		return row->ns->pid ? xasprintf("%u", row->ns->pid) : NULL;
	case COL_COMMAND:
		return row->ns->comm[0] ? xstrdup(row->ns->comm) : NULL;
	case COL_FLAGS:
		return row->uc->flags & UCV_UCOUNTS_SHADOWED ? xstrdup("shadowed") : NULL;
	}
	return NULL;
}

static const char *colour(const struct usage_row *row)
{
	if (row->kind != LIMITED || row->ratio < 0.8)
		return NULL;
	return row->ratio < 1 ? "yellow" : "red";
}

static void add_lines(struct usage *u)
{
	for (size_t i = 0; i < u->nr_rows; i++) {
		struct libscols_line *line = table_line(&u->table, NULL);

		for (size_t nth = 0; nth < u->table.nr_shown; nth++)
			table_cell(&u->table, line, nth,
				   cell(u, &u->rows[i], u->table.shown[nth]));
		table_colour(&u->table, line, colour(&u->rows[i]));
	}
}

/**
 * cmd_usage() - ucountview usage
 * @argc: number of arguments
 * @argv: the arguments, the program's name first
 *
 * Return: the exit status.
 */
int cmd_usage(int argc, char **argv)
{
	struct usage u = {
		.table = {
			.name = "usage",
			.columns = columns,
			.nr_columns = ARRAY_SIZE(columns),
		},
	};

	parse_options(&u, argc, argv);
	table_open(&u.table, default_columns, ARRAY_SIZE(default_columns));
	snapshot_take(&u.snap);
	collect_rows(&u);
	qsort(u.rows, u.nr_rows, sizeof(*u.rows), compare_rows);
	add_lines(&u);
	free(u.rows);
	snapshot_free(&u.snap);
	table_print(&u.table);
	return EXIT_SUCCESS;
}
