// SPDX-License-Identifier: GPL-2.0
/*
 * ucountview mounts: list the mount namespaces, their number of mounts and the limit
 * (fs.mount-max), fullest first.
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
	COL_MNTNS,
	COL_NSID,
	COL_USERNS,
	COL_UID,
	COL_UIDNS,
	COL_USER,
	COL_MOUNTS,
	COL_PENDING,
	COL_LIMIT,
	COL_USE,
	COL_RATIO,
	COL_ROOM,
	COL_PID,
	COL_COMMAND,
	COL_FLAGS,
	COL_PEAK,
	COL_DELTA,
};

static const struct column columns[] = {
	[COL_MNTNS]   = NUMBER("MNTNS", "mount namespace: inode number, as in /proc/PID/ns/mnt"),
	[COL_NSID]    = NUMBER("NSID", "its identifier that is never used again"),
	[COL_USERNS]  = NUMBER("USERNS", "inode number of the user namespace that owns it"),
	[COL_UID]     = NUMBER("UID", "who made it, as the initial user namespace sees it"),
	[COL_UIDNS]   = NUMBER("UIDNS", "the same as USERNS sees it"),
	[COL_USER]    = NAME("USER", "name of UID"),
	[COL_MOUNTS]  = NUMBER("MOUNTS", "mounts in it, its hidden root included"),
	[COL_PENDING] = NUMBER("PENDING", "mounts that are being attached to it"),
	[COL_LIMIT]   = NUMBER("LIMIT", "fs.mount-max"),
	[COL_USE]     = NUMBER("USE%", "MOUNTS and PENDING in percent of LIMIT"),
	[COL_RATIO]   = NUMBER("RATIO", "MOUNTS and PENDING divided by LIMIT"),
	[COL_ROOM]    = NUMBER("ROOM", "how many more mounts it can take"),
	[COL_PID]     = NUMBER("PID", "example of a process in it"),
	[COL_COMMAND] = NAME("COMMAND", "command of PID"),
	[COL_FLAGS]   = TEXT("FLAGS", "uncharged: is not one of anybody's mnt_namespaces"),
	[COL_PEAK]    = NUMBER("PEAK", "with --watch: highest MOUNTS and PENDING since it started"),
	[COL_DELTA]   = NUMBER("DELTA", "with --watch: their change since the round before"),
};

static const size_t default_columns[] = {
	COL_MNTNS, COL_USERNS, COL_USER, COL_MOUNTS, COL_PENDING, COL_LIMIT, COL_USE, COL_PID,
	COL_COMMAND,
};

static const size_t watch_columns[] = {
	COL_MNTNS, COL_USERNS, COL_USER, COL_MOUNTS, COL_PENDING, COL_PEAK, COL_DELTA, COL_LIMIT,
	COL_USE, COL_PID, COL_COMMAND,
};

struct mounts_row {
	const struct ucv_mntns *ns;
	const struct ucv_userns *userns;
	struct counter counter;
	struct trend trend;
};

struct mounts {
	struct table table;
	struct filter filter;
	const char *mntns_arg;
	__u32 mntns;
	struct watch watch;
	struct trends trends;
	struct snapshot snap;
	struct mounts_row *rows;
	size_t nr_rows;
};

static void print_help(const struct table *tb)
{
	fputs("\nUsage:\n"
	      " ucountview mounts [options]\n"
	      "\nShow how many mounts each mount namespace has, and how many it may have.\n"
	      "\nOptions:\n"
	      " -M, --mntns <mntns>    only this mount namespace: inode number, path of its\n"
	      "                        file, or pid:<pid> for that of a process\n"
	      " -u, --user <user>      only what was made by this user (uid or name)\n"
	      FILTER_USERNS_HELP
	      FILTER_RATIO_HELP
	      WATCH_OPTIONS_HELP
	      TABLE_OPTIONS_HELP, stdout);
	table_help_columns(tb, stdout);
	fputs("\nExamples:\n"
	      " ucountview mounts --top 10\n"
	      " ucountview mounts -M pid:4711 -o +ROOM\n"
	      "\nFor more details see ucountview(8).\n", stdout);
}

static void parse_options(struct mounts *m, int argc, char **argv)
{
	static const struct option options[] = {
		{ "mntns", required_argument, NULL, 'M' },
		{ }
	};
	static const struct option * const groups[] = {
		options, filter_options, watch_options, NULL
	};
	int opt;

	while ((opt = table_getopt(&m->table, argc, argv, groups)) != -1) {
		switch (opt) {
		case 'M':
			m->mntns_arg = optarg;
			break;
		case 'h':
			print_help(&m->table);
			exit(EXIT_SUCCESS);
		default:
			filter_option(&m->filter, opt, optarg);
			watch_option(&m->watch, opt, optarg);
		}
	}
	args_end(argc, argv);
}

/* Called before the snapshot is taken, like filter_find(). */
static void find_mntns(struct mounts *m)
{
	if (m->mntns_arg)
		m->mntns = arg_namespace(NS_MNT, m->mntns_arg);
}

static void check_mntns(const struct mounts *m)
{
	if (m->mntns_arg && !snapshot_find_mntns(&m->snap, m->mntns))
		die("no such mount namespace: %s", m->mntns_arg);
}

static bool wants_row(const struct mounts *m, const struct mounts_row *row)
{
	if (m->mntns_arg && row->ns->inum != m->mntns)
		return false;
	return filter_wants_user(&m->filter, row->ns->uid, row->userns) &&
	       filter_wants_counter(&m->filter, &row->counter);
}

/* Fullest first, then oldest first. */
static int compare_rows(const void *a, const void *b)
{
	const struct mounts_row *x = a, *y = b;

	if (x->counter.ratio != y->counter.ratio)
		return x->counter.ratio > y->counter.ratio ? -1 : 1;
	return x->ns->id < y->ns->id ? -1 : x->ns->id > y->ns->id;
}

/* Rows that are not shown in this round are tracked, too: the next round may show them. */
static struct trend see(struct mounts *m, const struct mounts_row *row)
{
	return trends_see(&m->trends, key_mntns(row->ns, KEY_MOUNTS), row->counter.used);
}

static void collect_rows(struct mounts *m)
{
	m->rows = xreallocarray(NULL, m->snap.nr_mntns, sizeof(*m->rows));
	for (size_t i = 0; i < m->snap.nr_mntns; i++) {
		const struct ucv_mntns *ns = &m->snap.mntns[i];
		struct mounts_row row = {
			.ns = ns,
			.userns = &m->snap.userns[ns->userns],
			.counter = counter_of_mounts(ns),
		};

		if (m->watch.interval > 0)
			row.trend = see(m, &row);
		if (wants_row(m, &row))
			m->rows[m->nr_rows++] = row;
	}
	qsort(m->rows, m->nr_rows, sizeof(*m->rows), compare_rows);
	if (m->filter.top && m->filter.top < m->nr_rows)
		m->nr_rows = m->filter.top;
}

static char *cell(const void *command, const void *line, size_t column)
{
	const struct mounts *m = command;
	const struct mounts_row *row = line;
	const struct ucv_mntns *ns = row->ns;

	switch (column) {
	case COL_MNTNS:
		return xasprintf("%u", ns->inum);
	case COL_NSID:
		return xasprintf("%llu", ns->id);
	case COL_USERNS:
		return xasprintf("%u", row->userns->inum);
	case COL_UID:
		return uid_text(ns->uid);
	case COL_UIDNS:
		return uid_text(ns->uid_in_ns);
	case COL_USER:
		return user_text(ns->uid);
	case COL_MOUNTS:
		return xasprintf("%u", ns->mounts);
	case COL_PENDING:
		return xasprintf("%u", ns->pending);
	case COL_LIMIT:
		return counter_limit_text(&row->counter, m->table.json);
	case COL_USE:
		return counter_use_text(&row->counter, m->table.json);
	case COL_RATIO:
		return counter_ratio_text(&row->counter);
	case COL_ROOM:
		return xasprintf("%lld", counter_room(&row->counter));
	case COL_PEAK:
		return trend_peak_text(&row->trend);
	case COL_DELTA:
		return trend_delta_text(&row->trend, m->table.json);
	case COL_PID:
		return number_text(ns->pid);
	case COL_COMMAND:
		return name_text(ns->comm);
	case COL_FLAGS:
		return ns->flags & UCV_MNTNS_UNCHARGED ? xstrdup("uncharged") : NULL;
	}
	return NULL;
}

static void open_table(struct table *tb, bool watching)
{
	if (watching)
		table_open(tb, watch_columns, ARRAY_SIZE(watch_columns));
	else
		table_open(tb, default_columns, ARRAY_SIZE(default_columns));
}

static void forget(struct mounts *m)
{
	free(m->rows);
	m->rows = NULL;
	m->nr_rows = 0;
	snapshot_free(&m->snap);
}

static void take(void *command)
{
	struct mounts *m = command;

	forget(m);
	snapshot_take(&m->snap, UCV_MASK(UCV_KIND_MNTNS), 0);
	if (m->watch.round == 1) {
		filter_check(&m->filter, &m->snap);
		check_mntns(m);
	}
	trends_next(&m->trends, m->watch.round);
	collect_rows(m);
}

static void fill(void *command)
{
	struct mounts *m = command;

	table_begin(&m->table);
	for (size_t i = 0; i < m->nr_rows; i++) {
		const struct mounts_row *row = &m->rows[i];
		struct libscols_line *line = table_line(&m->table, NULL, cell, m, row);

		table_colour(&m->table, line, counter_colour(&row->counter));
	}
}

/**
 * cmd_mounts() - ucountview mounts
 * @argc: number of arguments
 * @argv: the arguments, the program's name first
 *
 * Return: the exit status.
 */
int cmd_mounts(int argc, char **argv)
{
	struct mounts m = {
		.table = {
			.name = "mounts",
			.columns = columns,
			.nr_columns = ARRAY_SIZE(columns),
		},
	};

	parse_options(&m, argc, argv);
	open_table(&m.table, m.watch.interval > 0);
	filter_find(&m.filter);
	find_mntns(&m);
	watch_run(&m.watch, &m.table, take, fill, &m);
	forget(&m);
	trends_free(&m.trends);
	table_close(&m.table);
	return EXIT_SUCCESS;
}
