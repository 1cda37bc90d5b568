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
#include "format.h"
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

#define COLUMNS		"RESOURCE,NS,UID,USER,COUNTER,EXPECTED,WRONG"
#define ALL_COLUMNS	"RESOURCE,NS,UID,USER,COUNTER,EXPECTED,REST,WRONG"

static const struct column columns[] = {
	TEXT("RESOURCE", "what is counted"),
	NUMBER("NS", "user namespace (mounts: mount namespace): inode number"),
	NUMBER("NSID", "its unique 64-bit ID, if it has one"),
	NUMBER("LEVEL", "level of the user namespace: 0 for the initial one"),
	NUMBER("UID", "charged user; none: all users of NS together"),
	NAME("USER", "name of UID"),
	NUMBER("COUNTER", "the kernel's counter"),
	NUMBER("EXPECTED", "its lower bound, by what exists"),
	NUMBER("REST", "COUNTER less EXPECTED: what exists and was not found"),
	TEXT("WRONG", "what COUNTER contradicts, see ucountview(8)"),
	{ }
};

static const struct opt options[] = {
	{ 'a', "all", NULL, "include counters that agree" },
	{ }
};

struct audit {
	bool wrong;			/* whether any account is */
	struct snapshot snap;		/* the second sample of the last round */
	struct countermap accounts;	/* of the last round */
};

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

static void fill_row(const struct audit *a, struct table *tb, const struct account *account)
{
	long long counter = account_counter(account), expected = account_expected(account);

	table_line(tb, NULL);
	cells_key(tb, &a->snap, &account->key);
	cell_number(tb, "COUNTER", counter);
	if (account->compared) {
		cell_number(tb, "EXPECTED", expected);
		cell_number(tb, "REST", counter - expected);
	}
	if (account->wrong)
		cell_string(tb, "WRONG", account->wrong);
}

static int run(struct args *args, struct table *tb)
{
	struct audit a = { };

	table_open(tb, args->all ? ALL_COLUMNS : COLUMNS, NULL);
	processes_check_viewpoint();
	audit_rounds(&a);
	countermap_sort(&a.accounts);
	table_begin(tb);
	for (size_t i = 0; i < a.accounts.nr; i++) {
		const struct account *account = a.accounts.list[i];

		if (args->all || account->wrong)
			fill_row(&a, tb, account);
	}
	table_print(tb);
	process_fds_warn();
	countermap_free(&a.accounts);
	snapshot_free(&a.snap);
	return a.wrong ? EXIT_CONTRADICTION : EXIT_SUCCESS;
}

const struct command cmd_audit = {
	.name = "audit",
	.summary = "counters that contradict what exists",
	.synopsis = " ucountview audit [options]",
	.about = "List counters that contradict what is known to be charged to them.",
	.options = options,
	.columns = columns,
	.notes =
		"\nExit status: 0 no contradiction, 4 a contradiction, 1 failure.\n"
		"\nExamples:\n"
		" ucountview audit\n"
		" ucountview audit --all\n",
	.run = run,
};
