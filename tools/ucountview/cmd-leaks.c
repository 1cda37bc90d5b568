// SPDX-License-Identifier: GPL-2.0
/*
 * ucountview leaks: run a command and list the charges that remain after it has ended.
 *
 * Much is uncharged late, from work items and after grace periods. So the counters are sampled
 * until all of it is uncharged, or until nothing has been uncharged for the settle time. Other
 * processes run concurrently: what they hold is subtracted (foreign.c), and of the rest the
 * maximum before is compared with the minimum after (countermap.c).
 */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "charge.h"
#include "countermap.h"
#include "examples.h"
#include "exec.h"
#include "foreign.h"
#include "format.h"
#include "options.h"
#include "procfs.h"
#include "snapshot.h"
#include "table.h"
#include "ucountview.h"
#include "watch.h"

#define EXIT_LEAKED	3

/* Samples before the command: taken until two in a row have changed nothing. */
#define MIN_BEFORE	5
#define MAX_BEFORE	16

/* Seconds between two samples. */
#define PAUSE_BEFORE	0.02
#define PAUSE_MIN	0.02
#define PAUSE_MAX	0.25

#define SETTLE		5.0

/* Limit, in seconds, of the wait for counters that still fall. */
#define FALLING_MAX	600.0

#define COLUMNS		"RESOURCE,NS,UID,USER,BEFORE,AFTER,LEFT,PID,COMMAND"
#define JSON_COLUMNS	COLUMNS ",NSPID,NSCOMMAND"

static const struct column columns[] = {
	TEXT("RESOURCE", "what is counted; userns, mntns: a remaining namespace"),
	NUMBER("NS", "user namespace (mounts, mntns: mount namespace): inode number"),
	NUMBER("NSID", "its unique 64-bit ID, if it has one"),
	NUMBER("LEVEL", "level of the user namespace: 0 for the initial one"),
	NUMBER("UID", "charged user, as seen in the initial user namespace"),
	NAME("USER", "name of UID"),
	NUMBER("BEFORE", "counter when the command was started"),
	NUMBER("AFTER", "counter when the wait ended"),
	NUMBER("LEFT", "what is left and not held by another process"),
	NUMBER("PID", "running descendant of the command that holds it, or may"),
	NAME("COMMAND", "command of PID"),
	TEXT("STATE", "left, or falling: still being uncharged when the wait ended"),
	NSPID_COLUMN,
	NSCOMMAND_COLUMN,
	{ }
};

static const struct opt options[] = {
	{ 'a', "all", NULL, "include what other processes hold, for a command whose\n"
	  "work is done by a daemon" },
	{ 's', "settle", "seconds", "wait until nothing was uncharged for so long (5)" },
	{ }
};

struct leaks {
	const struct args *args;
	double settle;
	struct series series;
	double now;			/* when the last sample was taken */
	struct snapshot snap;		/* of the last sample */
	struct processes procs;		/* likewise */
	struct census census;
	size_t nr_rows;
	size_t nr_falling;
};

/* Without "--", ucountview would parse the command's options as its own. */
static char **find_command(const struct args *args)
{
	if (!args->operands[0])
		die("no command given");
	if (strcmp(args->operands[-1], "--"))
		die("the command must follow --");
	return args->operands;
}

/* Skip namespaces that foreign processes have created since the command was started. */
static void see(struct leaks *l, const struct foreign *foreign)
{
	for (size_t i = 0; i < l->snap.nr_ucounts; i++) {
		const struct ucv_ucounts *uc = &l->snap.ucounts[i];
		const struct ucv_userns *ns = &l->snap.userns[uc->userns];

		for (size_t j = 0; j < l->snap.nr_resources && !foreign->userns[uc->userns]; j++)
			series_see(&l->series, key_counter(ns, uc->uid, j),
				   uc->used[j] - foreign->held[i][j], uc->used[j]);
	}
	for (size_t i = 0; i < l->snap.nr_userns; i++) {
		if (!foreign->userns[i])
			series_see(&l->series, key_userns(&l->snap.userns[i]), 1, 1);
	}
	for (size_t i = 0; i < l->snap.nr_mntns; i++) {
		const struct ucv_mntns *ns = &l->snap.mntns[i];

		if (foreign->mntns[i])
			continue;
		series_see(&l->series, key_mntns(ns, KEY_MNTNS), 1, 1);
		series_see(&l->series, key_mntns(ns, KEY_MOUNTS), ns->mounts, ns->mounts);
	}
}

static void forget_look(struct leaks *l)
{
	snapshot_free(&l->snap);
	processes_free(&l->procs);
}

/* Take a sample. Returns whether it differs from the previous one. */
static bool look(struct leaks *l, enum series_phase phase)
{
	const struct series *before = phase == SERIES_BEFORE ? NULL : &l->series;
	struct foreign foreign;

	forget_look(l);
	l->now = monotonic();
	l->series.phase = phase;
	snapshot_take(&l->snap, UCV_MASK(UCV_KIND_RESOURCE) | UCV_MASK(UCV_KIND_UCOUNTS),
		      UCV_MASK(UCV_KIND_MNTNS) | UCV_MASK(UCV_KIND_GROUP));
	processes_read(&l->procs);
	foreign_find(&foreign, &l->snap, &l->procs, before, l->args->all);
	see(l, &foreign);
	foreign_free(&foreign);
	return series_look(&l->series, l->now);
}

/* Returns whether ^C ended the wait. */
static bool wait_some(double seconds)
{
	return wait_until(monotonic() + seconds, false) == WAKE_STOP;
}

static void look_before(struct leaks *l)
{
	unsigned int looks = 0, same = 0;

	while (looks < MIN_BEFORE || (same < 2 && looks < MAX_BEFORE)) {
		if (looks++)
			wait_some(PAUSE_BEFORE);
		same = look(l, SERIES_BEFORE) ? 0 : same + 1;
	}
	census_take(&l->census.before, &l->procs);
}

static long long left_of(struct leaks *l, const struct serie *serie)
{
	long long left = serie_left(serie);

	if (left > 0 && !l->args->all)
		left -= census_foreign(&l->census, &l->snap, &l->procs, &serie->key);
	return left;
}

static void find_rows(struct leaks *l)
{
	l->nr_rows = 0;
	l->census.taken = false;
	for (size_t i = 0; i < l->series.map.nr; i++) {
		struct serie *serie = l->series.map.list[i];

		serie->left = left_of(l, serie);
		l->nr_rows += serie->left > 0;
	}
}

/* When to stop waiting: the settle time after the last fall, or at FALLING_MAX. */
static double wait_end(const struct leaks *l, double began)
{
	double settled = (l->series.fell > began ? l->series.fell : began) + l->settle;
	double end = began + (l->settle > FALLING_MAX ? l->settle : FALLING_MAX);

	return settled < end ? settled : end;
}

static void look_after(struct leaks *l)
{
	enum series_phase phase = SERIES_FIRST_AFTER;
	double began = monotonic();
	double pause = PAUSE_MIN;
	bool told = false;

	block_signals();	/* ^C then ends wait_some(), and not the program. */
	for (;;) {
		run_reap();
		look(l, phase);
		find_rows(l);
		if (!l->nr_rows || l->now >= wait_end(l, began))
			return;
		if (!told && l->now >= began + l->settle) {
			note("counters still fall: waiting up to %.0f seconds, ^C ends",
			     FALLING_MAX);
			told = true;
		}
		if (wait_some(pause))
			return;
		phase = SERIES_AFTER;
		pause = pause < PAUSE_MAX ? pause * 1.5 : PAUSE_MAX;
	}
}

static bool process_counts(const struct leaks *l, const struct process *proc,
			   const struct counter_key *key)
{
	const struct ucv_userns *ns = snapshot_find_userns(&l->snap, proc->userns);

	switch (key->resource) {
	case KEY_MOUNTS:
	case KEY_MNTNS:
		return proc->mntns == key->inum;
	case KEY_USERNS:
		return proc->userns == key->inum;
	}
	return charge_counts_for(&l->snap, ns, proc->uid, key);
}

static const struct process *group_holder(const struct leaks *l, const struct counter_key *key)
{
	for (size_t i = 0; i < l->snap.nr_holders; i++) {
		const struct ucv_holder *holder = &l->snap.holders[i];
		const struct ucv_group *group = &l->snap.groups[holder->group];

		if (key->resource != group->group_resource && key->resource != group->mark_resource)
			continue;
		if (holder_is_ours(holder, &l->procs) &&
		    charge_counts_for(&l->snap, &l->snap.userns[group->userns], group->uid, key))
			return processes_find(&l->procs, holder->tgid);
	}
	return NULL;
}

/* A descendant that is known to hold it, or else one that is charged there, or NULL. */
static const struct process *find_process(const struct leaks *l, const struct counter_key *key)
{
	const struct process *proc = group_holder(l, key);

	for (size_t i = 0; i < l->procs.nr && !proc; i++) {
		if (l->procs.list[i].ours && process_counts(l, &l->procs.list[i], key))
			proc = &l->procs.list[i];
	}
	return proc;
}

static bool fell_lately(const struct leaks *l, const struct serie *serie)
{
	return serie->fell && l->now - serie->fell < l->settle;
}

/* Whether a counter of @resource falls in which charges to (@ns, @uid) count. */
static bool namespaces_fall(const struct leaks *l, const struct ucv_userns *ns, __u32 uid,
			    const char *resource)
{
	for (size_t i = 0; i < l->series.map.nr; i++) {
		const struct serie *serie = l->series.map.list[i];

		if (fell_lately(l, serie) && serie->key.resource < l->snap.nr_resources &&
		    !strcmp(l->snap.resources[serie->key.resource].name, resource) &&
		    charge_counts_for(&l->snap, ns, uid, &serie->key))
			return true;
	}
	return false;
}

/*
 * Whether it is still being uncharged: the counter has fallen lately, or it is about a namespace
 * that no descendant pins, and the number of such namespaces falls.
 */
static bool is_falling(const struct leaks *l, const struct serie *serie)
{
	const struct counter_key *key = &serie->key;
	const struct ucv_userns *ns;
	const struct ucv_mntns *mntns;

	if (fell_lately(l, serie))
		return true;
	if (find_process(l, key))
		return false;
	if (key->resource == KEY_MOUNTS || key->resource == KEY_MNTNS) {
		mntns = snapshot_find_mntns(&l->snap, key->inum);
		return mntns && namespaces_fall(l, &l->snap.userns[mntns->userns], mntns->uid,
						"mnt_namespaces");
	}
	ns = snapshot_find_userns(&l->snap, key->inum);
	return ns && ns->level &&
	       namespaces_fall(l, snapshot_parent(&l->snap, ns), ns->owner, "user_namespaces");
}

static void fill_row(const struct leaks *l, struct table *tb, const struct serie *serie)
{
	const struct process *proc = find_process(l, &serie->key);

	table_line(tb, NULL);
	cells_key(tb, &l->snap, &serie->key);
	cells_example(tb, &l->snap, serie->key.inum, serie->key.id);
	cell_number(tb, "BEFORE", serie->used_before);
	cell_number(tb, "AFTER", serie->used_after);
	cell_number(tb, "LEFT", serie->left);
	if (proc) {
		cell_number(tb, "PID", proc->pid);
		cell_command(tb, proc->comm);
	}
	/* If nothing falls, STATE says nothing that the plain table does not. */
	if (l->nr_falling || !table_hides(tb, "STATE"))
		cell(tb, "STATE", serie->falling ? "falling" : "left");
}

static void find_falling(struct leaks *l)
{
	for (size_t i = 0; i < l->series.map.nr; i++) {
		struct serie *serie = l->series.map.list[i];

		serie->falling = serie->left > 0 && is_falling(l, serie);
		l->nr_falling += serie->falling;
	}
	if (l->nr_falling)
		note("%zu of %zu were still falling when the wait ended", l->nr_falling,
		     l->nr_rows);
}

static void print_rows(struct leaks *l, struct table *tb)
{
	find_falling(l);
	table_begin(tb);
	for (size_t i = 0; i < l->series.map.nr; i++) {
		const struct serie *serie = l->series.map.list[i];

		if (serie->left > 0)
			fill_row(l, tb, serie);
	}
	table_print(tb);
}

static void tell_status(int status)
{
	if (WIFSIGNALED(status))
		note("the command was killed by signal %d (%s)", WTERMSIG(status),
		     strsignal(WTERMSIG(status)));
	else if (WEXITSTATUS(status))
		note("the command exited with status %d", WEXITSTATUS(status));
}

static void tell_running(const struct leaks *l)
{
	unsigned int running = 0;

	for (size_t i = 0; i < l->procs.nr; i++)
		running += l->procs.list[i].ours;
	if (running)
		note("the command has left %u process%s running", running,
		     running > 1 ? "es" : "");
}

static int run(struct args *args, struct table *tb)
{
	struct leaks l = { .args = args, .settle = args->settle > 0 ? args->settle : SETTLE };
	char **command = find_command(args);
	int status;

	table_open(tb, tb->json ? JSON_COLUMNS : COLUMNS, "STATE");
	processes_check_viewpoint();
	look_before(&l);
	status = run_command(command);
	look_after(&l);
	tell_status(status);
	tell_running(&l);
	print_rows(&l, tb);
	process_fds_warn();
	forget_look(&l);
	census_free(&l.census);
	countermap_free(&l.series.map);
	return l.nr_rows ? EXIT_LEAKED : run_exit_status(status);
}

const struct command cmd_leaks = {
	.name = "leaks",
	.summary = "what a command leaves charged",
	.synopsis = " ucountview leaks [options] -- <command> [<argument>...]",
	.about = "Run a command and list what it leaves charged.",
	.options = options,
	.columns = columns,
	.notes =
		"\nExit status: 0 nothing is left, 3 something is; otherwise the command's.\n"
		"\nExamples:\n"
		" ucountview leaks -- make test\n"
		" ucountview leaks --settle 30 -- unshare -Urnm true\n"
		" ucountview leaks -J -- sh -c 'my-test >test.log 2>&1' >leaks.json\n",
	.operands = true,
	.failure = EXIT_OWN_FAILURE,
	.run = run,
};
