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

enum {
	COL_RESOURCE,
	COL_NS,
	COL_NSID,
	COL_LEVEL,
	COL_UID,
	COL_USER,
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

struct audit_row {
	struct book book;
	enum book_verdict verdict;
};

struct audit {
	struct table table;
	bool all;
	struct snapshot snap;	/* the second sample of the last round */
	struct books books;	/* of the last round */
	struct audit_row *rows;
	size_t nr_rows;
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
	free(trees.list);
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
	bool x_mounts = x->resource == SERIES_MOUNTS, y_mounts = y->resource == SERIES_MOUNTS;

	if (x_mounts != y_mounts)
		return x_mounts ? 1 : -1;
	if (x->level != y->level)
		return x->level < y->level ? -1 : 1;
	if (x->inum != y->inum)
		return x->inum < y->inum ? -1 : 1;
	if (x->uid != y->uid)
		return x->uid < y->uid ? -1 : 1;
	return x->resource < y->resource ? -1 : x->resource > y->resource;
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

static char *user_cell(const struct series_key *key, size_t column)
{
	if (key->resource == SERIES_MOUNTS || key->uid == UCV_UID_UNMAPPED)
		return NULL;
	return column == COL_UID ? xasprintf("%u", key->uid) : xstrdup(user_name(key->uid));
}

static const char *resource_name(const struct audit *a, const struct series_key *key)
{
	return key->resource == SERIES_MOUNTS ? MOUNTS_NAME :
						a->snap.resources[key->resource].name;
}

static char *expected_cell(const struct book *book, size_t column)
{
	if (!book->compared)
		return NULL;
	if (column == COL_EXPECTED)
		return xasprintf("%lld", book_expected(book));
	return xasprintf("%lld", book_counter(book) - book_expected(book));
}

static char *cell(const void *command, const void *line, size_t column)
{
	const struct audit *a = command;
	const struct audit_row *row = line;
	const struct series_key *key = &row->book.key;

	switch (column) {
	case COL_RESOURCE:
		return xstrdup(resource_name(a, key));
	case COL_NS:
		return xasprintf("%u", key->inum);
	case COL_NSID:
		return number_text(key->id);
	case COL_LEVEL:
		return key->resource == SERIES_MOUNTS ? NULL : xasprintf("%u", key->level);
	case COL_UID:
	case COL_USER:
		return user_cell(key, column);
	case COL_COUNTER:
		return xasprintf("%lld", book_counter(&row->book));
	case COL_EXPECTED:
	case COL_REST:
		return expected_cell(&row->book, column);
	case COL_WRONG:
		return row->verdict ? xstrdup(wrong_text(row->verdict)) : NULL;
	}
	return NULL;
}

static void print_rows(struct audit *a)
{
	if (a->nr_rows)
		qsort(a->rows, a->nr_rows, sizeof(*a->rows), compare_rows);
	table_begin(&a->table);
	for (size_t i = 0; i < a->nr_rows; i++)
		table_line(&a->table, NULL, cell, a, &a->rows[i]);
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
	bool wrong;

	parse_options(&a, argc, argv);
	open_table(&a);
	processes_check_viewpoint();
	audit_rounds(&a);
	wrong = a.nr_rows;
	if (a.all)
		add_all(&a);
	print_rows(&a);
	process_fds_warn();
	forget_round(&a);
	free(a.rows);
	table_close(&a.table);
	return wrong ? EXIT_CONTRADICTION : EXIT_SUCCESS;
}
