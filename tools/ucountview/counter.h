/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One counter and its limit: how full it is, and how that is written.
 */
#ifndef _UCV_COUNTER_H
#define _UCV_COUNTER_H

#include <stdbool.h>
#include <stddef.h>

#include "snapshot.h"

/* From these ratios on a counter is worth a look, or cannot be raised any more. */
#define RATIO_HIGH	0.8
#define RATIO_FULL	1.0

/* How much there is to say about a limit; in the order of the lines. */
enum limit_kind {
	LIMITED,
	UNLIMITED,
	LIMIT_UNKNOWN,	/* each process has its own RLIMIT_* */
};

/**
 * struct counter - a user's counter of one resource in one user namespace, or a mount
 *	namespace's of its mounts
 * @used: how much is charged
 * @limit: valid if @kind is LIMITED
 * @kind: what sort of limit there is
 * @ratio: @used divided by @limit; 0 if @kind is not LIMITED
 */
struct counter {
	long long used;
	long long limit;
	enum limit_kind kind;
	double ratio;
};

struct counter counter_of(const struct snapshot *snap, const struct ucv_userns *ns,
			  const struct ucv_ucounts *uc, size_t resource);
struct counter counter_of_mounts(const struct ucv_mntns *ns);
long long counter_room(const struct counter *counter);
const char *counter_colour(const struct counter *counter);
char *counter_limit_text(const struct counter *counter, bool json);
char *counter_use_text(const struct counter *counter, bool json);
char *counter_ratio_text(const struct counter *counter);

#endif /* _UCV_COUNTER_H */
