// SPDX-License-Identifier: GPL-2.0
/*
 * ucountview mounts: list the mount namespaces, their number of mounts and the limit
 * (fs.mount-max), fullest first.
 */
#include <stdlib.h>

#include "charge.h"
#include "containers.h"
#include "countermap.h"
#include "format.h"
#include "options.h"
#include "snapshot.h"
#include "table.h"
#include "ucountview.h"
#include "watch.h"

#define COLUMNS		"MNTNS,USERNS,USER,MOUNTS,PENDING,LIMIT,USE%,PID,COMMAND"
#define WATCH_COLUMNS	"MNTNS,USERNS,USER,MOUNTS,PENDING,PEAK,DELTA,LIMIT,USE%,PID,COMMAND"

static const struct column columns[] = {
	NUMBER("MNTNS", "mount namespace: inode number, as in /proc/PID/ns/mnt"),
	NUMBER("NSID", "its unique 64-bit ID"),
	NUMBER("USERNS", "inode number of the user namespace that owns it"),
	NUMBER("UID", "its creator, as seen in the initial user namespace"),
	NUMBER("UIDNS", "the same as seen in USERNS"),
	NAME("USER", "name of UID"),
	NUMBER("MOUNTS", "number of mounts, including its hidden root"),
	NUMBER("PENDING", "mounts being attached"),
	NUMBER("LIMIT", "fs.mount-max"),
	NUMBER("USE%", "MOUNTS and PENDING in percent of LIMIT"),
	NUMBER("RATIO", "MOUNTS and PENDING divided by LIMIT"),
	NUMBER("ROOM", "mounts that can still be attached"),
	NUMBER("PID", "example of a process in it"),
	NAME("COMMAND", "command of PID"),
	TEXT("FLAGS", "uncharged: the namespace is charged to no user"),
	NUMBER("PEAK", "with --watch: highest MOUNTS and PENDING so far"),
	NUMBER("DELTA", "with --watch: their change since the previous round"),
	UNIT_COLUMN("PID"),
	SLICE_COLUMN,
	CONTAINER_COLUMN("PID"),
	POD_COLUMN,
	{ }
};

static const struct opt options[] = {
	{ 'M', "mntns", "mntns", "only this mount namespace: inode number, path of its\n"
	  "file, or pid:<pid> for that of a process" },
	{ 'u', "user", "user", "only namespaces created by this user (uid or name)" },
	USERNS_OPTION,
	RATIO_OPTION,
	TOP_OPTION,
	WATCH_OPTION,
	COUNT_OPTION,
	{ }
};

struct mounts_row {
	const struct ucv_mntns *ns;
	const struct ucv_userns *userns;
	struct counter counter;
	struct trend trend;
};

struct mounts {
	const struct args *args;
	struct table *tb;
	struct trends trends;
	struct snapshot snap;
	struct mounts_row *rows;
	size_t nr_rows;
};

static bool wants_row(const struct args *args, const struct mounts_row *row)
{
	if (args->mntns && row->ns->inum != args->mntns_inum)
		return false;
	return wants_user(args, row->ns->uid, row->userns) &&
	       wants_counter(args, &row->counter);
}

/* Fullest first, then oldest first. */
static int compare_rows(const void *a, const void *b)
{
	const struct mounts_row *x = a, *y = b;

	return COMPARE(y->counter.ratio, x->counter.ratio) ?: COMPARE(x->ns->id, y->ns->id);
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

		if (m->args->interval > 0)
			row.trend = see(m, &row);
		if (wants_row(m->args, &row))
			m->rows[m->nr_rows++] = row;
	}
	m->nr_rows = sort_rows(m->args, m->rows, m->nr_rows, sizeof(*m->rows), compare_rows);
}

static void forget(struct mounts *m)
{
	free(m->rows);
	m->rows = NULL;
	m->nr_rows = 0;
	snapshot_free(&m->snap);
	process_names_forget();
}

static void take(void *command, unsigned int round)
{
	struct mounts *m = command;

	forget(m);
	snapshot_take(&m->snap, UCV_MASK(UCV_KIND_MNTNS), 0);
	if (round == 1)
		args_check(m->args, &m->snap);
	trends_next(&m->trends, round);
	collect_rows(m);
}

static void fill_row(struct table *tb, const struct mounts_row *row)
{
	static const struct flag_name flags[] = { { UCV_MNTNS_UNCHARGED, "uncharged" }, { } };
	const struct ucv_mntns *ns = row->ns;

	table_line(tb, NULL);
	cell_number(tb, "MNTNS", ns->inum);
	cell_unsigned(tb, "NSID", ns->id);
	cell_number(tb, "USERNS", row->userns->inum);
	cell_uid(tb, "UID", ns->uid);
	cell_uid(tb, "UIDNS", ns->uid_in_ns);
	cell_user(tb, ns->uid);
	cell_number(tb, "MOUNTS", ns->mounts);
	cell_number(tb, "PENDING", ns->pending);
	cells_limit(tb, &row->counter);
	cell_number(tb, "ROOM", counter_room(&row->counter));
	cell_nonzero(tb, "PID", ns->pid);
	cell_command(tb, ns->comm);
	cell_flags(tb, ns->flags, flags);
	cells_trend(tb, &row->trend);
	if (ns->pid != INIT_PID)	/* in the initial namespace, with processes of all units */
		cells_unit(tb, &unit_columns, ns->pid);
}

static void fill(void *command)
{
	struct mounts *m = command;

	for (size_t i = 0; i < m->nr_rows; i++)
		fill_row(m->tb, &m->rows[i]);
}

static int run(struct args *args, struct table *tb)
{
	struct mounts m = { .args = args, .tb = tb };

	table_open(tb, args->interval > 0 ? WATCH_COLUMNS : COLUMNS,
		   tb->raw ? NULL : OPTIONAL_UNIT_COLUMNS);
	args_look_up(args);
	watch_run(args, tb, take, fill, &m);
	forget(&m);
	trends_free(&m.trends);
	return EXIT_SUCCESS;
}

const struct command cmd_mounts = {
	.name = "mounts",
	.summary = "mounts of each mount namespace, fullest first",
	.synopsis = " ucountview mounts [options]",
	.about = "Show the number of mounts of each mount namespace, and the limit.",
	.options = options,
	.columns = columns,
	.notes =
		"\nExamples:\n"
		" ucountview mounts --top 10\n"
		" ucountview mounts -M pid:4711 -o +ROOM\n",
	.run = run,
};
