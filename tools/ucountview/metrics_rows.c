// SPDX-License-Identifier: GPL-2.0
/*
 * The counters, mount namespaces and refusing limits that metrics are written of: a monitoring
 * system stores each as a series of its own, so there are few unless all are asked for. The order
 * does not depend on how full they are.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "metrics_rows.h"
#include "procfs.h"
#include "ucountview.h"

/* Of rows sorted by fullness, how many are listed: all, or those that are full or among --top. */
static size_t nr_listed(const struct args *args, size_t nr, size_t full)
{
	size_t listed = args->top > full ? args->top : full;

	return args->all || listed > nr ? nr : listed;
}

/* Remove each row that has the labels of the one before it. */
static size_t drop_repeated(void *rows, size_t nr, size_t size,
			    int (*compare)(const void *a, const void *b))
{
	char *first = rows, *last = first;

	if (!nr)
		return 0;
	for (char *row = first + size; row < first + nr * size; row += size) {
		if (!compare(last, row))
			continue;
		last += size;
		memmove(last, row, size);
	}
	return (last - first) / size + 1;
}

/* Counters. */

static int compare_fullness(const void *a, const void *b)
{
	const struct counter_row *x = a, *y = b;

	return COMPARE(x->counter.kind, y->counter.kind) ?:
	       COMPARE(y->counter.ratio, x->counter.ratio) ?:
	       COMPARE(y->counter.used, x->counter.used) ?:
	       COMPARE(x->ns->level, y->ns->level) ?:
	       COMPARE(x->uid, y->uid) ?:
	       COMPARE(x->resource, y->resource) ?:
	       COMPARE(x->ns->inum, y->ns->inum);
}

static int compare_counters(const void *a, const void *b)
{
	const struct counter_row *x = a, *y = b;

	return COMPARE(x->ns->level, y->ns->level) ?:
	       COMPARE(x->ns->inum, y->ns->inum) ?:
	       COMPARE(x->uid, y->uid) ?:
	       COMPARE(x->resource, y->resource);
}

/* With equal labels, the counter in use comes first, and the other one is dropped. */
static int compare_counters_and_use(const void *a, const void *b)
{
	const struct counter_row *x = a, *y = b;

	return compare_counters(a, b) ?: COMPARE(y->counter.used, x->counter.used);
}

static void add_counter(struct metrics_rows *rows, const struct snapshot *snap,
			const struct ucv_userns *ns, __u32 uid, const struct ucv_ucounts *uc,
			size_t resource)
{
	rows->counters = xgrow(rows->counters, rows->nr_counters, sizeof(*rows->counters));
	rows->counters[rows->nr_counters++] = (struct counter_row){
		.ns = ns,
		.uid = uid,
		.resource = resource,
		.counter = counter_of(snap, ns, uc, resource),
	};
}

/*
 * New charges go past a shadowed record, so it cannot fill up, and its labels are those of another
 * one.
 */
static void add_used(struct metrics_rows *rows, const struct snapshot *snap)
{
	for (size_t i = 0; i < snap->nr_ucounts; i++) {
		const struct ucv_ucounts *uc = &snap->ucounts[i];

		if (uc->flags & UCV_UCOUNTS_SHADOWED)
			continue;
		for (size_t j = 0; j < snap->nr_resources; j++) {
			if (uc->used[j])
				add_counter(rows, snap, &snap->userns[uc->userns], uc->uid, uc, j);
		}
	}
	rows->found_counters = rows->nr_counters;
}

static size_t nr_full_counters(const struct args *args, const struct metrics_rows *rows)
{
	size_t nr = 0;

	while (nr < rows->nr_counters && wants_counter(args, &rows->counters[nr].counter))
		nr++;
	return nr;
}

static void keep_fullest(struct metrics_rows *rows, const struct args *args)
{
	if (rows->nr_counters)
		qsort(rows->counters, rows->nr_counters, sizeof(*rows->counters),
		      compare_fullness);
	rows->nr_counters = nr_listed(args, rows->nr_counters, nr_full_counters(args, rows));
}

/* The kernel has no IDs before 6.18, where another namespace may have the inode number by now. */
static bool is_of(const struct ucv_denial_count *count, const struct ucv_userns *ns)
{
	return ns && ns->id == count->ns_id && ns->level == count->level;
}

/* A limit that refuses is of interest however little is used: it may be 0. */
static void add_refusing(struct metrics_rows *rows, const struct snapshot *snap)
{
	for (size_t i = 0; i < rows->nr_denials; i++) {
		const struct ucv_denial_count *count = &rows->denials[i];
		const struct ucv_userns *ns = snapshot_find_userns(snap, count->ns);

		if (count->type == UCV_DENIAL_UCOUNT && is_of(count, ns))
			add_counter(rows, snap, ns, count->uid,
				    snapshot_find(snap, ns, count->uid), count->resource);
	}
}

static void find_counters(struct metrics_rows *rows, const struct args *args,
			  const struct snapshot *snap)
{
	add_used(rows, snap);
	keep_fullest(rows, args);
	add_refusing(rows, snap);
	if (rows->nr_counters)
		qsort(rows->counters, rows->nr_counters, sizeof(*rows->counters),
		      compare_counters_and_use);
	rows->nr_counters = drop_repeated(rows->counters, rows->nr_counters,
					  sizeof(*rows->counters), compare_counters);
	for (size_t i = 0; i < rows->nr_counters; i++)
		rows->listed_counters += rows->counters[i].counter.used != 0;
}

/* Mount namespaces. */

static int compare_mntns_fullness(const void *a, const void *b)
{
	const struct mntns_row *x = a, *y = b;

	return COMPARE(y->counter.ratio, x->counter.ratio) ?: COMPARE(x->ns->id, y->ns->id);
}

static int compare_mntns(const void *a, const void *b)
{
	const struct mntns_row *x = a, *y = b;

	return COMPARE(x->ns->inum, y->ns->inum);
}

static bool has_refused(const struct metrics_rows *rows, const struct ucv_mntns *ns)
{
	for (size_t i = 0; i < rows->nr_denials; i++) {
		if (rows->denials[i].type == UCV_DENIAL_MOUNT && rows->denials[i].ns == ns->inum)
			return true;
	}
	return false;
}

/* A hardened service has a mount namespace of its own, another one and another series each run. */
static bool is_only_ours(const struct ucv_mntns *ns, __u32 ours)
{
	return ns->inum == ours && ns->pid == (__u32)getpid();
}

static void find_mntns(struct metrics_rows *rows, const struct args *args,
		       const struct snapshot *snap)
{
	__u32 ours = process_mntns(getpid());
	size_t full = 0, listed, nr = 0;

	rows->mntns = xcalloc(snap->nr_mntns, sizeof(*rows->mntns));
	for (size_t i = 0; i < snap->nr_mntns; i++) {
		const struct ucv_mntns *ns = &snap->mntns[i];

		if (!is_only_ours(ns, ours))
			rows->mntns[nr++] = (struct mntns_row){ ns, counter_of_mounts(ns) };
	}
	rows->found_mntns = nr;
	if (nr)
		qsort(rows->mntns, nr, sizeof(*rows->mntns), compare_mntns_fullness);
	while (full < nr && wants_counter(args, &rows->mntns[full].counter))
		full++;
	listed = nr_listed(args, nr, full);
	for (size_t i = listed; i < nr; i++) {
		if (has_refused(rows, rows->mntns[i].ns))
			rows->mntns[listed++] = rows->mntns[i];
	}
	if (listed)
		qsort(rows->mntns, listed, sizeof(*rows->mntns), compare_mntns);
	rows->nr_mntns = drop_repeated(rows->mntns, listed, sizeof(*rows->mntns), compare_mntns);
}

/* Limits that have refused. */

static int compare_last(const void *a, const void *b)
{
	const struct ucv_denial_count *x = a, *y = b;

	return COMPARE(y->last_ns, x->last_ns);
}

/* By what the labels say: of a mount namespace only itself. The type tells nesting depths apart. */
static int compare_denials(const void *a, const void *b)
{
	const struct ucv_denial_count *x = a, *y = b;
	int order = COMPARE(x->type, y->type) ?: COMPARE(x->ns, y->ns);

	if (order || x->type == UCV_DENIAL_MOUNT)
		return order;
	return COMPARE(x->level, y->level) ?:
	       COMPARE(x->uid, y->uid) ?:
	       COMPARE(x->resource, y->resource);
}

/* Limits have the same labels if the inode number of a namespace has been reused: add them up. */
static size_t merge_repeated(struct ucv_denial_count *denials, size_t nr)
{
	size_t last = 0;

	for (size_t i = 1; i < nr; i++) {
		if (compare_denials(&denials[last], &denials[i])) {
			denials[++last] = denials[i];
			continue;
		}
		denials[last].denials += denials[i].denials;
		if (denials[i].last_ns > denials[last].last_ns)
			denials[last].last_ns = denials[i].last_ns;
	}
	return nr ? last + 1 : 0;
}

static bool is_refusal(const struct snapshot *snap, const struct ucv_denial_count *count)
{
	if (count->flags & UCV_DENIAL_COUNT_OTHERS)
		return false;
	switch (count->type) {
	case UCV_DENIAL_UCOUNT:
	case UCV_DENIAL_RLIMIT:
		return count->resource < snap->nr_resources;
	case UCV_DENIAL_MOUNT:
	case UCV_DENIAL_USERNS_DEPTH:
	case UCV_DENIAL_PIDNS_DEPTH:
		return true;
	default: /* of a later module: it has no name here */
		return false;
	}
}

static void find_denials(struct metrics_rows *rows, const struct args *args,
			 const struct snapshot *snap)
{
	size_t nr = 0;

	rows->denials = xcalloc(snap->nr_denials, sizeof(*rows->denials));
	for (size_t i = 0; i < snap->nr_denials; i++) {
		if (is_refusal(snap, &snap->denials[i]))
			rows->denials[nr++] = snap->denials[i];
	}
	if (nr)
		qsort(rows->denials, nr, sizeof(*rows->denials), compare_denials);
	nr = merge_repeated(rows->denials, nr);
	rows->found_denials = nr;
	if (nr)
		qsort(rows->denials, nr, sizeof(*rows->denials), compare_last);
	rows->nr_denials = nr_listed(args, nr, 0);
	if (nr)
		qsort(rows->denials, rows->nr_denials, sizeof(*rows->denials), compare_denials);
}

/**
 * metrics_rows_find() - choose what metrics are written of
 * @rows: out; {} before; free with metrics_rows_free(). Points into @snap.
 * @args: with --all, --top and --min-ratio, or their defaults
 * @snap: may lack mount namespaces and denials, which then have no rows
 */
void metrics_rows_find(struct metrics_rows *rows, const struct args *args,
		       const struct snapshot *snap)
{
	find_denials(rows, args, snap);
	find_counters(rows, args, snap);
	find_mntns(rows, args, snap);
}

/**
 * metrics_rows_free() - free what metrics_rows_find() allocated
 */
void metrics_rows_free(struct metrics_rows *rows)
{
	free(rows->counters);
	free(rows->mntns);
	free(rows->denials);
	memset(rows, 0, sizeof(*rows));
}
