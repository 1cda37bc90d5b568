// SPDX-License-Identifier: GPL-2.0
/*
 * ucountview mounts: list the mount namespaces, their number of mounts and the limit
 * (fs.mount-max), fullest first.
 */
#include <stdlib.h>
#include <unistd.h>

#include "charge.h"
#include "containers.h"
#include "countermap.h"
#include "format.h"
#include "mntns_view.h"
#include "mounts.h"
#include "options.h"
#include "procfs.h"
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
	NUMBER("MOUNTS", "number of mounts, including its hidden root; with --by: of the line"),
	NUMBER("PENDING", "mounts being attached"),
	NUMBER("LIMIT", "fs.mount-max"),
	NUMBER("USE%", "MOUNTS and PENDING in percent of LIMIT"),
	NUMBER("RATIO", "MOUNTS and PENDING divided by LIMIT"),
	NUMBER("ROOM", "mounts that can still be attached"),
	NUMBER("PID", "example of a process in it"),
	NAME("COMMAND", "command of PID"),
	TEXT("FLAGS", "uncharged: the namespace is charged to no user; with --by, --at: unseen"),
	NUMBER("PEAK", "with --watch: highest MOUNTS and PENDING so far"),
	NUMBER("DELTA", "with --watch: their change since the previous round"),
	UNIT_COLUMN("PID"),
	SLICE_COLUMN,
	CONTAINER_COLUMN("PID"),
	POD_COLUMN,
	TEXT("TYPE", "with --by: type of the file system"),
	NAME("SOURCE", "with --by source: what is mounted, as source[directory]"),
	NAME("DIRECTORY", "with --by directory: what the mount points are in, or are"),
	NAME("MOUNTPOINT", "with --by: one of the mount points"),
	NUMBER("NEW", "with --at: mounts that a new one makes in MNTNS; at least, if unseen"),
	TEXT("FITS", "with --at: yes or no: whether LIMIT allows them"),
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
	{ OPT_BY, "by", "what", "one line for each file system type, source or directory\n"
	  "of the mounts of one namespace" },
	{ OPT_AT, "at", "path", "what a new mount at this path would make in each\n"
	  "namespace: itself and its copies" },
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

static void fill_row(struct table *tb, const struct snapshot *snap, const struct mounts_row *row)
{
	static const struct flag_name flags[] = { { UCV_MNTNS_UNCHARGED, "uncharged" }, { } };
	const struct ucv_mntns *ns = row->ns;

	table_line(tb, NULL);
	cells_mntns(tb, snap, ns);
	cell_number(tb, "MOUNTS", ns->mounts);
	cell_number(tb, "PENDING", ns->pending);
	cells_limit(tb, &row->counter);
	cell_number(tb, "ROOM", counter_room(&row->counter));
	cell_flags(tb, ns->flags, flags);
	cells_trend(tb, &row->trend);
	if (ns->pid != INIT_PID)	/* in the initial namespace, with processes of all units */
		cells_unit(tb, &unit_columns, ns->pid);
}

static void fill(void *command)
{
	struct mounts *m = command;

	for (size_t i = 0; i < m->nr_rows; i++)
		fill_row(m->tb, &m->snap, &m->rows[i]);
}

/**
 * mounts_target() - the mount namespace that --mntns names, or else that of this program
 * @args: after args_look_up()
 * @fd: out: the namespace, open
 *
 * Exits if it is not in the snapshot or cannot be opened.
 */
const struct ucv_mntns *mounts_target(const struct args *args, const struct snapshot *snap, int *fd)
{
	const struct ucv_mntns *ns;

	args_check(args, snap);
	*fd = args->mntns ? args->mntns_fd : process_open_namespace(getpid(), NS_MNT);
	ns = snapshot_find_mntns(snap, args->mntns ? args->mntns_inum : namespace_inum(*fd));
	if (!ns)
		die("the snapshot lacks the mount namespace of this program");
	if (*fd < 0)
		*fd = mntns_open(ns);
	if (*fd < 0)
		die("mount namespace %u has no process to read it through: %s", ns->inum,
		    "name it by a file instead (holders -R mnt_namespaces shows what holds it)");
	return ns;
}

/* The lines are not counters. */
static void check_options(const struct args *args)
{
	const char *other = args->by && args->at ? "--by" :
			    args->user ? "--user" : args->userns ? "--userns" :
			    args->by_ratio ? "--min-ratio" :
			    args->interval > 0 ? "--watch" : args->count ? "--count" : NULL;

	if (other)
		die("mutually exclusive arguments: %s %s", args->at ? "--at" : "--by", other);
}

static int run(struct args *args, struct table *tb)
{
	struct mounts m = { .args = args, .tb = tb };

	if (args->by || args->at) {
		check_options(args);
		return args->by ? mounts_by(args, tb) : mounts_at(args, tb);
	}
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
		" ucountview mounts -M pid:4711 -o +ROOM\n"
		" ucountview mounts -M pid:4711 --by source --top 5\n"
		" ucountview mounts --at /var/lib/containers\n",
	.run = run,
};
