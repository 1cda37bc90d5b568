// SPDX-License-Identifier: GPL-2.0
/*
 * ucountview leaks: run a command and list the charges that remain after it has ended.
 *
 * Much is uncharged late, from work items and after grace periods. So the counters are sampled
 * until all of it is uncharged, or until nothing has been uncharged for the settle time. Other
 * processes run concurrently: what they hold is subtracted (foreign.c), and of the rest the
 * maximum before is compared with the minimum after (countermap.c).
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "charge.h"
#include "countermap.h"
#include "exec.h"
#include "foreign.h"
#include "format.h"
#include "options.h"
#include "procfs.h"
#include "snapshot.h"
#include "table.h"
#include "ucountview.h"

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

#define NSEC_PER_SEC	1000000000L

enum {
	COL_RESOURCE = KEY_RESOURCE,
	COL_NS = KEY_NS,
	COL_NSID = KEY_NSID,
	COL_LEVEL = KEY_LEVEL,
	COL_UID = KEY_UID,
	COL_USER = KEY_USER,
	COL_BEFORE,
	COL_AFTER,
	COL_LEFT,
	COL_PID,
	COL_COMMAND,
	COL_STATE,
};

static const struct column columns[] = {
	[COL_RESOURCE] = TEXT("RESOURCE",
			      "what is counted; userns, mntns: a namespace that is still there"),
	[COL_NS]      = NUMBER("NS",
			       "user namespace (mounts, mntns: mount namespace): inode number"),
	[COL_NSID]    = NUMBER("NSID", "its identifier that is never used again, if it has one"),
	[COL_LEVEL]   = NUMBER("LEVEL", "level of the user namespace: 0 for the initial one"),
	[COL_UID]     = NUMBER("UID", "who is charged, as the initial user namespace sees it"),
	[COL_USER]    = NAME("USER", "name of UID"),
	[COL_BEFORE]  = NUMBER("BEFORE", "the counter when the command was started"),
	[COL_AFTER]   = NUMBER("AFTER", "the counter at last"),
	[COL_LEFT]    = NUMBER("LEFT", "what did not come back and no other process holds"),
	[COL_PID]     = NUMBER("PID",
			       "process that the command left running, and that may hold it"),
	[COL_COMMAND] = NAME("COMMAND", "command of PID"),
	[COL_STATE]   = TEXT("STATE",
			     "left, or falling: was still being given back when the wait ended"),
};

static const size_t default_columns[] = {
	COL_RESOURCE, COL_NS, COL_UID, COL_USER, COL_BEFORE, COL_AFTER, COL_LEFT, COL_PID,
	COL_COMMAND,
};

struct leaks {
	struct table table;
	double settle;
	bool all;
	struct series series;
	double now;			/* when the last sample was taken */
	struct snapshot snap;		/* of the last sample */
	struct processes procs;		/* likewise */
	struct census census;
	size_t nr_rows;
};

static void print_help(const struct table *tb)
{
	fputs("\nUsage:\n"
	      " ucountview leaks [options] -- <command> [<argument>...]\n"
	      "\nRun a command and list the counters that it does not give back.\n"
	      "\nOptions:\n"
	      " -a, --all              also what processes hold that do not descend from the\n"
	      "                        command, as that of a daemon it asked\n"
	      " -s, --settle <seconds> wait until nothing has been given back for so long (5)\n"
	      TABLE_OPTIONS_HELP, stdout);
	table_help_columns(tb, stdout);
	fputs("\nExit status: 0 nothing is left, 3 something is; otherwise the command's.\n"
	      "\nExamples:\n"
	      " ucountview leaks -- make test\n"
	      " ucountview leaks --settle 30 -- unshare -Urnm true\n"
	      " ucountview leaks -J -- sh -c 'my-test >test.log 2>&1' >leaks.json\n"
	      "\nFor more details see ucountview(8).\n", stdout);
}

/* Without "--", ucountview would parse the command's options as its own. */
static char **find_command(int argc, char **argv)
{
	if (optind == argc)
		die("no command given");
	if (strcmp(argv[optind - 1], "--"))
		die("the command has to come after --");
	return argv + optind;
}

static char **parse_options(struct leaks *l, int argc, char **argv)
{
	static const struct option options[] = {
		{ "all",    no_argument,       NULL, 'a' },
		{ "settle", required_argument, NULL, 's' },
		{ }
	};
	static const struct option * const groups[] = { options, NULL };
	int opt;

	while ((opt = table_getopt(&l->table, argc, argv, groups)) != -1) {
		switch (opt) {
		case 'a':
			l->all = true;
			break;
		case 's':
			l->settle = arg_seconds(optarg);
			break;
		case 'h':
			print_help(&l->table);
			exit(EXIT_SUCCESS);
		}
	}
	return find_command(argc, argv);
}

static double monotonic(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + (double)now.tv_nsec / NSEC_PER_SEC;
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
	foreign_find(&foreign, &l->snap, &l->procs, before, l->all);
	see(l, &foreign);
	foreign_free(&foreign);
	return series_look(&l->series, l->now);
}

static sigset_t interrupt(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	return signals;
}

/* Returns whether ^C ended the wait. */
static bool wait_some(double seconds)
{
	struct timespec time = { .tv_sec = seconds };
	sigset_t signals = interrupt();

	time.tv_nsec = (seconds - time.tv_sec) * NSEC_PER_SEC;
	return sigtimedwait(&signals, NULL, &time) == SIGINT;
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

	if (left > 0 && !l->all)
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
static double wait_until(const struct leaks *l, double began)
{
	double settled = (l->series.fell > began ? l->series.fell : began) + l->settle;
	double end = began + (l->settle > FALLING_MAX ? l->settle : FALLING_MAX);

	return settled < end ? settled : end;
}

static void look_after(struct leaks *l)
{
	enum series_phase phase = SERIES_FIRST_AFTER;
	double began = monotonic();
	sigset_t signals = interrupt();
	double pause = PAUSE_MIN;
	bool told = false;

	/* ^C then ends wait_some(), and not the program. */
	sigprocmask(SIG_BLOCK, &signals, NULL);
	for (;;) {
		run_reap();
		look(l, phase);
		find_rows(l);
		if (!l->nr_rows || l->now >= wait_until(l, began))
			return;
		if (!told && l->now >= began + l->settle) {
			note("counters still fall: waiting %.0f seconds at the most, ^C ends",
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

static char *process_cell(const struct leaks *l, const struct counter_key *key, size_t column)
{
	const struct process *proc = find_process(l, key);

	if (!proc)
		return NULL;
	return column == COL_PID ? xasprintf("%u", proc->pid) : name_text(proc->comm);
}

static char *cell(const void *command, const void *line, size_t column)
{
	const struct leaks *l = command;
	const struct serie *serie = line;

	switch (column) {
	case COL_BEFORE:
		return xasprintf("%lld", serie->used_before);
	case COL_AFTER:
		return xasprintf("%lld", serie->used_after);
	case COL_LEFT:
		return xasprintf("%lld", serie->left);
	case COL_STATE:
		return xstrdup(serie->falling ? "falling" : "left");
	case COL_PID:
	case COL_COMMAND:
		return process_cell(l, &serie->key, column);
	default:
		return key_cell(&serie->key, &l->snap, column);
	}
}

static void find_falling(struct leaks *l)
{
	size_t falling = 0;

	for (size_t i = 0; i < l->series.map.nr; i++) {
		struct serie *serie = l->series.map.list[i];

		serie->falling = serie->left > 0 && is_falling(l, serie);
		falling += serie->falling;
	}
	if (falling)
		note("%zu of %zu were still falling when the wait ended", falling, l->nr_rows);
	if (falling || l->table.json || l->table.raw)
		table_show_also(&l->table, COL_STATE);
}

static void print_rows(struct leaks *l)
{
	find_falling(l);
	table_begin(&l->table);
	for (size_t i = 0; i < l->series.map.nr; i++) {
		const struct serie *serie = l->series.map.list[i];

		if (serie->left > 0)
			table_line(&l->table, NULL, cell, l, serie);
	}
	table_print(&l->table);
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

/**
 * cmd_leaks() - ucountview leaks
 * @argc: number of arguments
 * @argv: the arguments, the program's name first
 *
 * Return: the exit status.
 */
int cmd_leaks(int argc, char **argv)
{
	struct leaks l = {
		.table = {
			.name = "leaks",
			.columns = columns,
			.nr_columns = ARRAY_SIZE(columns),
		},
		.settle = SETTLE,
	};
	char **command;
	int status;

	exit_failure = EXIT_OWN_FAILURE;
	command = parse_options(&l, argc, argv);
	table_open(&l.table, default_columns, ARRAY_SIZE(default_columns));
	processes_check_viewpoint();
	look_before(&l);
	status = run_command(command);
	look_after(&l);
	tell_status(status);
	tell_running(&l);
	print_rows(&l);
	process_fds_warn();
	forget_look(&l);
	census_free(&l.census);
	countermap_free(&l.series.map);
	table_close(&l.table);
	return l.nr_rows ? EXIT_LEAKED : run_exit_status(status);
}
