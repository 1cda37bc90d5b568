/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counters and limits, and the levels of a charge.
 */
#ifndef _UCV_CHARGE_H
#define _UCV_CHARGE_H

#include <stdbool.h>
#include <stddef.h>

#include "countermap.h"
#include "snapshot.h"

/* The ratio at which a counter is full. */
#define RATIO_FULL	1.0

/* Kinds of limits, in the sort order of the lines. */
enum limit_kind {
	LIMITED,
	UNLIMITED,
	LIMIT_UNKNOWN,	/* each process has its own RLIMIT_* */
};

/* A user's counter of a resource in a user namespace, or a mount namespace's of its mounts. */
struct counter {
	long long used;
	long long limit;	/* valid if @kind is LIMITED */
	enum limit_kind kind;
	double ratio;		/* @used divided by @limit; 0 if @kind is not LIMITED */
};

struct counter counter_of(const struct snapshot *snap, const struct ucv_userns *ns,
			  const struct ucv_ucounts *uc, size_t resource);
struct counter counter_of_mounts(const struct ucv_mntns *ns);
struct counter counter_with_limit(long long used, long long limit);
long long counter_room(const struct counter *counter);

/* One level of a charge. */
struct charge {
	const struct ucv_userns *ns;
	__u32 uid;			/* user charged there */
	const struct ucv_ucounts *uc;	/* NULL if nothing is charged yet */
};

/*
 * All levels of a charge in the order the kernel charges them: the user's own user namespace
 * first, the initial one last.
 */
struct chain {
	struct charge *charges;
	size_t nr;
};

const struct ucv_userns *charge_above(const struct snapshot *snap, const struct ucv_userns *ns,
				      __u32 *uid);
bool charge_counts_for(const struct snapshot *snap, const struct ucv_userns *ns, __u32 uid,
		       const struct counter_key *key);
void chain_follow(struct chain *chain, const struct snapshot *snap,
		  const struct ucv_userns *ns, __u32 uid);
const struct charge *chain_binding(const struct chain *chain, const struct snapshot *snap,
				   size_t resource);
void chain_free(struct chain *chain);

#endif /* _UCV_CHARGE_H */
