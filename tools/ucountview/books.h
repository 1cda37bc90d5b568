/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counters beside what is known to be charged to them.
 */
#ifndef _UCV_BOOKS_H
#define _UCV_BOOKS_H

#include <stdbool.h>
#include <stddef.h>

#include "mounttree.h"
#include "nsfiles.h"
#include "series.h"
#include "snapshot.h"

/**
 * enum book_verdict - what a counter contradicts, if anything
 * @BOOK_AGREES: nothing
 * @BOOK_NEGATIVE: it is negative
 * @BOOK_BELOW: the user namespaces below have been charged more
 * @BOOK_OBJECTS: more objects exist
 * @BOOK_MOUNTS_MISSED: processes see more mounts
 * @BOOK_MOUNTS_MORE: processes see fewer mounts, and see all there are
 */
enum book_verdict {
	BOOK_AGREES,
	BOOK_NEGATIVE,
	BOOK_BELOW,
	BOOK_OBJECTS,
	BOOK_MOUNTS_MISSED,
	BOOK_MOUNTS_MORE,
};

/* The looks at the counters: before and after the objects were counted. */
enum book_look {
	LOOK_FIRST,
	LOOK_SECOND,
	NR_LOOKS,
};

/**
 * struct book - one counter
 * @key: which; with uid UCV_UID_UNMAPPED the counters of all users of the namespace
 * @counter: in either look
 * @below: what the user namespaces below were charged, in either look
 * @objects: what exists and is charged right there, in either look
 * @compared: something was found to compare with
 * @whole: @objects are all there can be
 */
struct book {
	struct series_key key;
	long long counter[NR_LOOKS];
	long long below[NR_LOOKS];
	long long objects[NR_LOOKS];
	bool compared;
	bool whole;
};

/**
 * struct books - all counters
 * @list: sorted by key once books_close() was called
 * @nr: how many
 */
struct books {
	struct book *list;
	size_t nr;
};

void books_add_snapshot(struct books *books, const struct snapshot *snap, enum book_look look);
void books_add_namespaces(struct books *books, const struct snapshot *snap,
			  const struct ns_files *files);
void books_add_mounts(struct books *books, const struct snapshot *snap,
		      const struct mount_trees *trees);
void books_close(struct books *books);
void books_free(struct books *books);
long long book_counter(const struct book *book);
long long book_expected(const struct book *book);
enum book_verdict book_judge(const struct book *book);

#endif /* _UCV_BOOKS_H */
