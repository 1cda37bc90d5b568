// SPDX-License-Identifier: GPL-2.0
/*
 * ucountview usage: list every counter in use with its limit, fullest first.
 */
#include <stdlib.h>

#include "charge.h"
#include "countermap.h"
#include "format.h"
#include "options.h"
#include "snapshot.h"
#include "table.h"
#include "ucountview.h"
#include "watch.h"

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
	COL_BIND_USERNS,
	COL_BIND_LEVEL,
	COL_BIND_UID,
	COL_ROOM,
	COL_PID,
	COL_COMMAND,
	COL_FLAGS,
	COL_PEAK,
	COL_DELTA,
};

static const struct column columns[] = {
	[COL_USERNS]   = NUMBER("USERNS", "user namespace: inode number, as in /proc/PID/ns/user"),
	[COL_NSID]     = NUMBER("NSID",
				"its identifier that is never used again (Linux 6.18 and later)"),
	[COL_LEVEL]    = NUMBER("LEVEL", "its level: 0 for the initial user namespace"),
	[COL_PARENT]   = NUMBER("PARENT", "inode number of its parent"),
	[COL_OWNER]    = NUMBER("OWNER", "uid of its creator, who is charged too, in the parent"),
	[COL_UID]      = NUMBER("UID", "who is charged, as the initial user namespace sees it"),
	[COL_UIDNS]    = NUMBER("UIDNS", "the same as the user namespace itself sees it"),
	[COL_USER]     = NAME("USER", "name of UID"),
	[COL_RESOURCE] = TEXT("RESOURCE", "what is counted"),
	[COL_TYPE]     = TEXT("TYPE",
			      "ucount (limit of the namespace) or rlimit (of each process)"),
	[COL_UNIT]     = TEXT("UNIT", "objects, bytes or pages"),
	[COL_USED]     = NUMBER("USED", "how much is charged, descendants included"),
	[COL_LIMIT]    = NUMBER("LIMIT",
				"limit of the namespace for each user (JSON: null if none)"),
	[COL_USE]      = NUMBER("USE%", "USED in percent of LIMIT; 100 if LIMIT is 0"),
	[COL_RATIO]    = NUMBER("RATIO", "USED divided by LIMIT; 1 if LIMIT is 0"),
	[COL_BIND_USERNS] = NUMBER("BIND-USERNS",
				   "this or the ancestor namespace with the least room"),
	[COL_BIND_LEVEL] = NUMBER("BIND-LEVEL", "its level"),
	[COL_BIND_UID] = NUMBER("BIND-UID", "who is charged there"),
	[COL_ROOM]     = NUMBER("ROOM", "how much more can be charged, all levels considered"),
	[COL_PID]      = NUMBER("PID", "example of a process in the user namespace"),
	[COL_COMMAND]  = NAME("COMMAND", "command of PID"),
	[COL_FLAGS]    = TEXT("FLAGS",
			      "shadowed: the kernel charges another row of the same user now"),
	[COL_PEAK]     = NUMBER("PEAK", "with --watch: highest USED since it started"),
	[COL_DELTA]    = NUMBER("DELTA", "with --watch: change of USED since the round before"),
};

static const size_t default_columns[] = {
	COL_USERNS, COL_LEVEL, COL_UID, COL_USER, COL_RESOURCE, COL_USED, COL_LIMIT, COL_USE,
};

static const size_t watch_columns[] = {
	COL_USERNS, COL_LEVEL, COL_UID, COL_USER, COL_RESOURCE, COL_USED, COL_PEAK, COL_DELTA,
	COL_LIMIT, COL_USE,
};

struct usage_row {
	const struct ucv_ucounts *uc;
	const struct ucv_userns *ns;
	const struct ucv_resource *res;
	struct counter counter;
	struct trend trend;
	struct charge binding;	/* ns is NULL if no level has a limit */
	long long room;
};

struct usage {
	struct table table;
	struct filter filter;
	struct resource_names names;
	bool wanted[UCV_MAX_RESOURCES];
	bool all;
	struct watch watch;
	struct trends trends;
	struct snapshot snap;
	struct usage_row *rows;
	size_t nr_rows;
};

static void print_help(const struct table *tb)
{
	fputs("\nUsage:\n"
	      " ucountview [usage] [options]\n"
	      " ucountview <command> [options]\n"
	      "\nShow what the kernel has charged to each user in each user namespace.\n",
	      stdout);
	print_commands(stdout);
	fputs("\nSomething failed with \"No space left on device\" or \"Too many open files\"?\n"
	      " ucountview why <pid>   which limit that process has reached, and what to change\n"
	      " ucountview mounts      if it was a mount: which mount namespace is full\n"
	      " ucountview denials -f  which process, and which limit, when it happens again\n"
	      "\nOptions:\n"
	      " -a, --all              counters that are 0, too\n"
	      " -R, --resource <name>  only this resource (may be given more than once)\n"
	      " -u, --user <user>      only what is charged to this user (uid or name)\n"
	      FILTER_USERNS_HELP
	      FILTER_RATIO_HELP
	      WATCH_OPTIONS_HELP
	      TABLE_OPTIONS_HELP, stdout);
	table_help_columns(tb, stdout);
	fputs("\nExamples:\n"
	      " ucountview --min-ratio 80%\n"
	      " ucountview -R inotify_watches -o +BIND-USERNS,ROOM\n"
	      " ucountview -U pid:4711 --all\n"
	      " ucountview -w 1 --top 10\n"
	      " ucountview <command> --help\n"
	      "\nFor more details see ucountview(8).\n", stdout);
}

static void parse_options(struct usage *u, int argc, char **argv)
{
	static const struct option options[] = {
		{ "all",       no_argument,       NULL, 'a' },
		{ "resource",  required_argument, NULL, 'R' },
		{ }
	};
	static const struct option * const groups[] = {
		options, filter_options, watch_options, NULL
	};
	int opt;

	while ((opt = table_getopt(&u->table, argc, argv, groups)) != -1) {
		switch (opt) {
		case 'a':
			u->all = true;
			break;
		case 'R':
			arg_resource(&u->names, optarg);
			break;
		case 'h':
			print_help(&u->table);
			exit(EXIT_SUCCESS);
		default:
			filter_option(&u->filter, opt, optarg);
			watch_option(&u->watch, opt, optarg);
		}
	}
	args_end(argc, argv);
}

static bool wants_counter(const struct usage *u, const struct counter *counter)
{
	if (!u->all && counter->used <= 0)
		return false;
	return filter_wants_counter(&u->filter, counter);
}

static void add_row(struct usage *u, const struct usage_row *row)
{
	u->rows = xgrow(u->rows, u->nr_rows, sizeof(*u->rows));
	u->rows[u->nr_rows++] = *row;
}

/* Rows that are not shown in this round are tracked, too: the next round may show them. */
static struct trend see(struct usage *u, const struct usage_row *row)
{
	struct counter_key key = key_counter(row->ns, row->uc->uid, row->res - u->snap.resources);

	key.flags = row->uc->flags & UCV_UCOUNTS_SHADOWED;
	return trends_see(&u->trends, key, row->counter.used);
}

static void add_rows(struct usage *u, const struct ucv_ucounts *uc)
{
	const struct snapshot *snap = &u->snap;
	struct usage_row row = { .uc = uc, .ns = &snap->userns[uc->userns] };

	if (!filter_wants_user(&u->filter, uc->uid, row.ns))
		return;
	for (size_t i = 0; i < snap->nr_resources; i++) {
		if (!u->wanted[i])
			continue;
		row.res = &snap->resources[i];
		row.counter = counter_of(snap, row.ns, uc, i);
		if (u->watch.interval > 0)
			row.trend = see(u, &row);
		if (wants_counter(u, &row.counter))
			add_row(u, &row);
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

	order = compare_numbers(x->counter.kind, y->counter.kind);
	if (!order)
		order = compare_numbers(y->counter.ratio, x->counter.ratio);
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

/* New charges go to another record than a shadowed one, so no level binds it. */
static void find_binding(struct usage *u, struct usage_row *row)
{
	size_t resource = row->res - u->snap.resources;
	const struct charge *binding;
	struct chain chain = { };
	struct counter counter;

	if (row->uc->flags & UCV_UCOUNTS_SHADOWED)
		return;
	chain_follow(&chain, &u->snap, row->ns, row->uc->uid);
	binding = chain_binding(&chain, &u->snap, resource);
	if (binding) {
		counter = counter_of(&u->snap, binding->ns, binding->uc, resource);
		row->binding = *binding;
		row->room = counter_room(&counter);
	}
	chain_free(&chain);
}

static void collect_rows(struct usage *u)
{
	for (size_t i = 0; i < u->snap.nr_ucounts; i++)
		add_rows(u, &u->snap.ucounts[i]);
	qsort(u->rows, u->nr_rows, sizeof(*u->rows), compare_rows);
	if (u->filter.top && u->filter.top < u->nr_rows)
		u->nr_rows = u->filter.top;
	for (size_t i = 0; i < u->nr_rows; i++)
		find_binding(u, &u->rows[i]);
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

static char *binding_cell(const struct usage_row *row, size_t column)
{
	if (!row->binding.ns)
		return NULL;

	switch (column) {
	case COL_BIND_USERNS:
		return xasprintf("%u", row->binding.ns->inum);
	case COL_BIND_LEVEL:
		return xasprintf("%u", row->binding.ns->level);
	case COL_BIND_UID:
		return uid_text(row->binding.uid);
	case COL_ROOM:
		return xasprintf("%lld", row->room);
	}
	return NULL;
}

static char *userns_cell(const struct snapshot *snap, const struct ucv_userns *ns, size_t column)
{
	const struct ucv_userns *parent = snapshot_parent(snap, ns);

	switch (column) {
	case COL_USERNS:
		return xasprintf("%u", ns->inum);
	case COL_NSID:
		return number_text(ns->id);
	case COL_LEVEL:
		return xasprintf("%u", ns->level);
	case COL_PARENT:
		return parent ? xasprintf("%u", parent->inum) : NULL;
	case COL_OWNER:
		return uid_text(ns->owner);
	case COL_PID:
		return number_text(ns->pid);
	case COL_COMMAND:
		return name_text(ns->comm);
	}
	return NULL;
}

static char *cell(const void *command, const void *line, size_t column)
{
	const struct usage *u = command;
	const struct usage_row *row = line;

	switch (column) {
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
		return xasprintf("%lld", row->counter.used);
	case COL_LIMIT:
		return counter_limit_text(&row->counter, u->table.json);
	case COL_USE:
		return counter_use_text(&row->counter, u->table.json);
	case COL_RATIO:
		return counter_ratio_text(&row->counter);
	case COL_FLAGS:
		return row->uc->flags & UCV_UCOUNTS_SHADOWED ? xstrdup("shadowed") : NULL;
	case COL_PEAK:
		return trend_peak_text(&row->trend);
	case COL_DELTA:
		return trend_delta_text(&row->trend, u->table.json);
	case COL_BIND_USERNS:
	case COL_BIND_LEVEL:
	case COL_BIND_UID:
	case COL_ROOM:
		return binding_cell(row, column);
	default:
		return userns_cell(&u->snap, row->ns, column);
	}
}

/*
 * FLAGS tells two rows of the same user apart. JSON and raw output always have the column; the
 * plain table only if it is not empty.
 */
static void open_table(struct table *tb, bool watching)
{
	if (watching)
		table_open(tb, watch_columns, ARRAY_SIZE(watch_columns));
	else
		table_open(tb, default_columns, ARRAY_SIZE(default_columns));
	if (tb->json || tb->raw)
		table_show_also(tb, COL_FLAGS);
}

static void show_flags(struct usage *u)
{
	for (size_t i = 0; i < u->nr_rows; i++) {
		if (u->rows[i].uc->flags & UCV_UCOUNTS_SHADOWED)
			table_show_also(&u->table, COL_FLAGS);
	}
}

static void forget(struct usage *u)
{
	free(u->rows);
	u->rows = NULL;
	u->nr_rows = 0;
	snapshot_free(&u->snap);
}

static void take(void *command)
{
	struct usage *u = command;

	forget(u);
	snapshot_take(&u->snap, UCV_MASK(UCV_KIND_RESOURCE) | UCV_MASK(UCV_KIND_UCOUNTS), 0);
	if (u->watch.round == 1) {
		filter_check(&u->filter, &u->snap);
		find_resources(&u->names, &u->snap, u->wanted);
	}
	trends_next(&u->trends, u->watch.round);
	collect_rows(u);
	show_flags(u);
}

static void fill(void *command)
{
	struct usage *u = command;

	table_begin(&u->table);
	for (size_t i = 0; i < u->nr_rows; i++) {
		const struct usage_row *row = &u->rows[i];
		struct libscols_line *line = table_line(&u->table, NULL, cell, u, row);

		table_colour(&u->table, line, counter_colour(&row->counter));
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
	open_table(&u.table, u.watch.interval > 0);
	filter_find(&u.filter);
	watch_run(&u.watch, &u.table, take, fill, &u);
	forget(&u);
	trends_free(&u.trends);
	table_close(&u.table);
	return EXIT_SUCCESS;
}
