// SPDX-License-Identifier: GPL-2.0
/*
 * ucountview audit: list counters that contradict the objects known to be charged to them.
 * accounting.c compares them.
 *
 * A counter that changes while it is sampled can look wrong once. So it is sampled in many
 * rounds, and only counters that are wrong in the same way in every round are listed.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "accounting.h"
#include "options.h"
#include "procfs.h"
#include "snapshot.h"
#include "table.h"
#include "ucountview.h"

#define EXIT_CONTRADICTION	4

/*
 * How many rounds in a row a counter has to be wrong. Of a counter that fluctuates at random,
 * two samples are both below a third one time out of three; 20 times in a row, one time out of
 * 3,000,000,000.
 */
#define ROUNDS		20
#define PAUSE_NS	20000000L

enum {
	COL_RESOURCE = KEY_RESOURCE,
	COL_NS = KEY_NS,
	COL_NSID = KEY_NSID,
	COL_LEVEL = KEY_LEVEL,
	COL_UID = KEY_UID,
	COL_USER = KEY_USER,
	COL_COUNTER,
	COL_EXPECTED,
	COL_REST,
	COL_WRONG,
};

static const struct column columns[] = {
	[COL_RESOURCE] = TEXT("RESOURCE", "what is counted"),
	[COL_NS]       = NUMBER("NS", "user namespace (mounts: mount namespace): inode number"),
	[COL_NSID]     = NUMBER("NSID", "its identifier that is never used again, if it has one"),
	[COL_LEVEL]    = NUMBER("LEVEL", "level of the user namespace: 0 for the initial one"),
	[COL_UID]      = NUMBER("UID", "who is charged; none: all users of NS together"),
	[COL_USER]     = NAME("USER", "name of UID"),
	[COL_COUNTER]  = NUMBER("COUNTER", "what the kernel has counted"),
	[COL_EXPECTED] = NUMBER("EXPECTED", "what it should be at the least, by what exists"),
	[COL_REST]     = NUMBER("REST", "COUNTER without EXPECTED: what exists and was not found"),
	[COL_WRONG]    = TEXT("WRONG", "what COUNTER contradicts, see ucountview(8)"),
};

static const size_t default_columns[] = {
	COL_RESOURCE, COL_NS, COL_UID, COL_USER, COL_COUNTER, COL_EXPECTED, COL_WRONG,
};

static const size_t all_columns[] = {
	COL_RESOURCE, COL_NS, COL_UID, COL_USER, COL_COUNTER, COL_EXPECTED, COL_REST, COL_WRONG,
};

struct audit {
	struct table table;
	bool all;
	bool wrong;			/* whether any account is */
	struct snapshot snap;		/* the second sample of the last round */
	struct countermap accounts;	/* of the last round */
};

static void print_help(const struct table *tb)
{
	fputs("\nUsage:\n"
	      " ucountview audit [options]\n"
	      "\nList counters that contradict what is known to be charged to them.\n"
	      "\nOptions:\n"
	      " -a, --all              list those that do not, too\n"
	      TABLE_OPTIONS_HELP, stdout);
	table_help_columns(tb, stdout);
	fputs("\nExit status: 0 nothing contradicts, 4 something does, 1 failure.\n"
	      "\nExamples:\n"
	      " ucountview audit\n"
	      " ucountview audit --all\n"
	      "\nFor more details see ucountview(8).\n", stdout);
}

static void parse_options(struct audit *a, int argc, char **argv)
{
	static const struct option options[] = {
		{ "all", no_argument, NULL, 'a' },
		{ }
	};
	static const struct option * const groups[] = { options, NULL };
	int opt;

	while ((opt = table_getopt(&a->table, argc, argv, groups)) != -1) {
		switch (opt) {
		case 'a':
			a->all = true;
			break;
		case 'h':
			print_help(&a->table);
			exit(EXIT_SUCCESS);
		}
	}
	args_end(argc, argv);
}

static void open_table(struct audit *a)
{
	if (a->all)
		table_open(&a->table, all_columns, ARRAY_SIZE(all_columns));
	else
		table_open(&a->table, default_columns, ARRAY_SIZE(default_columns));
}

static void take_snapshot(struct audit *a, enum look look)
{
	snapshot_free(&a->snap);
	snapshot_take(&a->snap, UCV_MASK(UCV_KIND_RESOURCE) | UCV_MASK(UCV_KIND_UCOUNTS),
		      UCV_MASK(UCV_KIND_MNTNS) | UCV_MASK(UCV_KIND_GROUP));
	accounts_add_snapshot(&a->accounts, &a->snap, look, true);
}

static void take_round(struct audit *a)
{
	struct processes procs;
	struct mount_trees trees;
	struct ns_files files;

	take_snapshot(a, LOOK_FIRST);
	processes_read(&procs);
	mount_trees_read(&trees, &procs);
	ns_files_open(&files, &procs);
	take_snapshot(a, LOOK_SECOND);
	accounts_add_mounts(&a->accounts, &a->snap, &trees);
	accounts_add_namespaces(&a->accounts, &a->snap, &files);
	ns_files_close(&files);
	free(trees.list);
	processes_free(&procs);
}

/* What is wrong in this round and was wrong in the same way in every round @before. */
static void find_wrong(struct audit *a, const struct countermap *before)
{
	a->wrong = false;
	for (size_t i = 0; i < a->accounts.nr; i++) {
		struct account *account = a->accounts.list[i], *then = NULL;
		const char *wrong = account_wrong(account);

		if (before)
			then = countermap_find(before, account->key);
		if (!before || (then && then->wrong && wrong && !strcmp(then->wrong, wrong)))
			account->wrong = wrong;
		if (account->wrong)
			a->wrong = true;
	}
}

static void audit_rounds(struct audit *a)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };

	take_round(a);
	find_wrong(a, NULL);
	for (unsigned int round = 1; round < ROUNDS && a->wrong; round++) {
		struct countermap before = a->accounts;

		nanosleep(&pause, NULL);
		a->accounts = (struct countermap){ };
		take_round(a);
		find_wrong(a, &before);
		countermap_free(&before);
	}
}

static char *expected_cell(const struct account *account, size_t column)
{
	long long expected = account_expected(account);

	if (!account->compared)
		return NULL;
	return xasprintf("%lld", column == COL_EXPECTED ? expected :
							  account_counter(account) - expected);
}

static char *cell(const void *command, const void *line, size_t column)
{
	const struct audit *a = command;
	const struct account *account = line;

	switch (column) {
	case COL_COUNTER:
		return xasprintf("%lld", account_counter(account));
	case COL_EXPECTED:
	case COL_REST:
		return expected_cell(account, column);
	case COL_WRONG:
		return account->wrong ? xstrdup(account->wrong) : NULL;
	default:
		return key_cell(&account->key, &a->snap, column);
	}
}

static void print_rows(struct audit *a)
{
	countermap_sort(&a->accounts);
	table_begin(&a->table);
	for (size_t i = 0; i < a->accounts.nr; i++) {
		const struct account *account = a->accounts.list[i];

		if (a->all || account->wrong)
			table_line(&a->table, NULL, cell, a, account);
	}
	table_print(&a->table);
}

/**
 * cmd_audit() - ucountview audit
 * @argc: number of arguments
 * @argv: the arguments, the program's name first
 *
 * Return: the exit status.
 */
int cmd_audit(int argc, char **argv)
{
	struct audit a = {
		.table = {
			.name = "audit",
			.columns = columns,
			.nr_columns = ARRAY_SIZE(columns),
		},
	};

	parse_options(&a, argc, argv);
	open_table(&a);
	processes_check_viewpoint();
	audit_rounds(&a);
	print_rows(&a);
	process_fds_warn();
	countermap_free(&a.accounts);
	snapshot_free(&a.snap);
	table_close(&a.table);
	return a.wrong ? EXIT_CONTRADICTION : EXIT_SUCCESS;
}
