/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The counters, mount namespaces and refusing limits that metrics are written of.
 */
#ifndef _UCV_METRICS_ROWS_H
#define _UCV_METRICS_ROWS_H

#include <stddef.h>

#include "charge.h"
#include "options.h"
#include "snapshot.h"

/* A counter, with what identifies its series. */
struct counter_row {
	const struct ucv_userns *ns;
	__u32 uid;
	size_t resource;
	struct counter counter;
};

struct mntns_row {
	const struct ucv_mntns *ns;
	struct counter counter;
};

/**
 * struct metrics_rows - rows in the order in which they are written; none has the labels of another
 * @counters: the fullest that are in use, and those of @denials
 * @nr_counters: their number
 * @found_counters: how many are in use
 * @listed_counters: how many of those are in @counters
 * @mntns: the fullest mount namespaces, and those of @denials
 * @nr_mntns: their number
 * @found_mntns: how many there are, without one that only this program is in
 * @denials: the limits that have refused last
 * @nr_denials: their number
 * @found_denials: how many have refused
 */
struct metrics_rows {
	struct counter_row *counters;
	size_t nr_counters, found_counters, listed_counters;
	struct mntns_row *mntns;
	size_t nr_mntns, found_mntns;
	struct ucv_denial_count *denials;
	size_t nr_denials, found_denials;
};

void metrics_rows_find(struct metrics_rows *rows, const struct args *args,
		       const struct snapshot *snap);
void metrics_rows_free(struct metrics_rows *rows);

#endif /* _UCV_METRICS_ROWS_H */
