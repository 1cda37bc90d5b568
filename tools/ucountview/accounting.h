/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Compare counters with the objects known to be charged to them.
 */
#ifndef _UCV_ACCOUNTING_H
#define _UCV_ACCOUNTING_H

#include <stdbool.h>
#include <stddef.h>

#include "countermap.h"
#include "procfs.h"
#include "snapshot.h"

/**
 * enum book_verdict - what a counter contradicts, if anything
 * @BOOK_AGREES: nothing
 * @BOOK_NEGATIVE: it is negative
 * @BOOK_BELOW: child user namespaces have been charged more
 * @BOOK_OBJECTS: more objects exist
 * @BOOK_MOUNTS_MISSED: processes see more mounts
 * @BOOK_MOUNTS_MORE: processes see fewer mounts, although one sees the whole namespace
 */
enum book_verdict {
	BOOK_AGREES,
	BOOK_NEGATIVE,
	BOOK_BELOW,
	BOOK_OBJECTS,
	BOOK_MOUNTS_MISSED,
	BOOK_MOUNTS_MORE,
};

/* Samples of the counters: before and after /proc is read. */
enum book_look {
	LOOK_FIRST,
	LOOK_SECOND,
	NR_LOOKS,
};

/**
 * struct book - one counter
 * @key: which; uid UCV_UID_UNMAPPED stands for all users of the namespace
 * @counter: its value in each sample
 * @below: charges of the child user namespaces, in each sample
 * @objects: objects charged at this very level, in each sample
 * @compared: something was found to compare with
 * @whole: @objects is complete
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

/**
 * struct remainder - what is left of a user's counters of inotify or fanotify
 * @uc: the record that new charges go to
 * @type: an enum ucv_group_type
 * @groups: instances or groups without a known holder; can be negative, as they change while
 *	being sampled
 * @marks: watches or marks, likewise
 */
struct remainder {
	const struct ucv_ucounts *uc;
	__u32 type;
	long long groups;
	long long marks;
};

/**
 * struct remainders - those that are not 0
 * @list: in the order of snapshot.ucounts
 * @nr: how many
 */
struct remainders {
	struct remainder *list;
	size_t nr;
};

void remainders_find(struct remainders *remainders, const struct snapshot *snap);
void remainders_free(struct remainders *remainders);

#endif /* _UCV_ACCOUNTING_H */
