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
	NUMBER("NSID", "its identifier that is never used again, if it has one"),
	NUMBER("LEVEL", "level of the user namespace: 0 for the initial one"),
	NUMBER("UID", "who is charged; none: all users of NS together"),
	NAME("USER", "name of UID"),
	NUMBER("COUNTER", "what the kernel has counted"),
	NUMBER("EXPECTED", "what it should be at the least, by what exists"),
	NUMBER("REST", "COUNTER without EXPECTED: what exists and was not found"),
	TEXT("WRONG", "what COUNTER contradicts, see ucountview(8)"),
	{ }
};

static const struct opt options[] = {
	{ 'a', "all", NULL, "list those that do not, too" },
	{ }
};

struct audit_row {
	struct book book;
	enum book_verdict verdict;
};

struct audit {
	struct snapshot snap;	/* the second sample of the last round */
	struct books books;	/* of the last round */
	struct audit_row *rows;
	size_t nr_rows;
};

static void forget_round(struct audit *a)
{
	snapshot_free(&a->snap);
	books_free(&a->books);
}

static void take_snapshot(struct audit *a, enum book_look look)
{
	snapshot_free(&a->snap);
	snapshot_take(&a->snap, UCV_MASK(UCV_KIND_RESOURCE) | UCV_MASK(UCV_KIND_UCOUNTS),
		      UCV_MASK(UCV_KIND_MNTNS) | UCV_MASK(UCV_KIND_GROUP));
	books_add_snapshot(&a->books, &a->snap, look);
}

static void read_books(struct audit *a)
{
	struct processes procs;
	struct mount_trees trees;
	struct ns_files files;

	forget_round(a);
	take_snapshot(a, LOOK_FIRST);
	processes_read(&procs);
	mount_trees_read(&trees, &procs);
	ns_files_open(&files, &procs);
	take_snapshot(a, LOOK_SECOND);
	books_add_mounts(&a->books, &a->snap, &trees);
	books_add_namespaces(&a->books, &a->snap, &files);
	ns_files_close(&files);
	mount_trees_free(&trees);
	processes_free(&procs);
	books_close(&a->books);
}

static const struct audit_row *find_row(const struct audit *a, const struct book *book,
					enum book_verdict verdict)
{
	for (size_t i = 0; i < a->nr_rows; i++) {
		const struct audit_row *row = &a->rows[i];

		if (row->verdict == verdict &&
		    !memcmp(&row->book.key, &book->key, sizeof(book->key)))
			return row;
	}
	return NULL;
}

static void add_row(struct audit_row **rows, size_t *nr, const struct book *book,
		    enum book_verdict verdict)
{
	*rows = xgrow(*rows, *nr, sizeof(**rows));
	(*rows)[(*nr)++] = (struct audit_row){ .book = *book, .verdict = verdict };
}

/* Keep what is wrong in this round and was wrong in the same way in every round before. */
static void keep_wrong(struct audit *a, bool first)
{
	struct audit_row *rows = NULL;
	size_t nr = 0;

	for (size_t i = 0; i < a->books.nr; i++) {
		const struct book *book = &a->books.list[i];
		enum book_verdict verdict = book_judge(book);

		if (verdict != BOOK_AGREES && (first || find_row(a, book, verdict)))
			add_row(&rows, &nr, book, verdict);
	}
	free(a->rows);
	a->rows = rows;
	a->nr_rows = nr;
}

static void audit_rounds(struct audit *a)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };

	for (unsigned int round = 0; round < ROUNDS; round++) {
		if (round)
			nanosleep(&pause, NULL);
		read_books(a);
		keep_wrong(a, round == 0);
		if (!a->nr_rows)
			return;
	}
}

static int compare_rows(const void *a, const void *b)
{
	const struct series_key *x = &((const struct audit_row *)a)->book.key;
	const struct series_key *y = &((const struct audit_row *)b)->book.key;

	return COMPARE(x->resource == SERIES_MOUNTS, y->resource == SERIES_MOUNTS) ?:
	       COMPARE(x->level, y->level) ?: COMPARE(x->inum, y->inum) ?:
	       COMPARE(x->uid, y->uid) ?: COMPARE(x->resource, y->resource);
}

/* Add the counters that agree, including those that were wrong in the last round only. */
static void add_all(struct audit *a)
{
	size_t wrong = a->nr_rows;

	for (size_t i = 0; i < a->books.nr; i++) {
		const struct book *book = &a->books.list[i];
		enum book_verdict verdict = book_judge(book);

		if (!wrong || verdict == BOOK_AGREES || !find_row(a, book, verdict))
			add_row(&a->rows, &a->nr_rows, book, BOOK_AGREES);
	}
}

static const char *wrong_text(enum book_verdict verdict)
{
	static const char * const texts[] = {
		[BOOK_NEGATIVE]	     = "negative",
		[BOOK_BELOW]	     = "less than below",
		[BOOK_OBJECTS]	     = "less than exist",
		[BOOK_MOUNTS_MISSED] = "less than seen",
		[BOOK_MOUNTS_MORE]   = "more than seen",
	};

	return texts[verdict];
}

static void fill_row(const struct audit *a, struct table *tb, const struct audit_row *row)
{
	const struct series_key *key = &row->book.key;
	bool mounts = key->resource == SERIES_MOUNTS;
	long long counter = book_counter(&row->book), expected = book_expected(&row->book);

	table_line(tb, NULL);
	cell(tb, "RESOURCE", "%s", mounts ? MOUNTS_NAME : a->snap.resources[key->resource].name);
	cell(tb, "NS", "%u", key->inum);
	cell_nonzero(tb, "NSID", key->id);
	if (!mounts) {
		cell(tb, "LEVEL", "%u", key->level);
		cell_uid(tb, "UID", key->uid);
		cell_user(tb, key->uid);
	}
	cell(tb, "COUNTER", "%lld", counter);
	if (row->book.compared) {
		cell(tb, "EXPECTED", "%lld", expected);
		cell(tb, "REST", "%lld", counter - expected);
	}
	if (row->verdict)
		cell(tb, "WRONG", "%s", wrong_text(row->verdict));
}

static int run(struct args *args, struct table *tb)
{
	struct audit a = { };
	bool wrong;

	table_open(tb, args->all ? ALL_COLUMNS : COLUMNS, NULL);
	processes_check_viewpoint();
	audit_rounds(&a);
	wrong = a.nr_rows;
	if (args->all)
		add_all(&a);
	sort_rows(args, a.rows, a.nr_rows, sizeof(*a.rows), compare_rows);
	table_begin(tb);
	for (size_t i = 0; i < a.nr_rows; i++)
		fill_row(&a, tb, &a.rows[i]);
	table_print(tb);
	process_fds_warn();
	forget_round(&a);
	free(a.rows);
	return wrong ? EXIT_CONTRADICTION : EXIT_SUCCESS;
}

const struct command cmd_audit = {
	.name = "audit",
	.summary = "counters that contradict what is charged to them",
	.synopsis = " ucountview audit [options]",
	.about = "List counters that contradict what is known to be charged to them.",
	.options = options,
	.columns = columns,
	.notes =
		"\nExit status: 0 nothing contradicts, 4 something does, 1 failure.\n"
		"\nExamples:\n"
		" ucountview audit\n"
		" ucountview audit --all\n",
	.run = run,
};
