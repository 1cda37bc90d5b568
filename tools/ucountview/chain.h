/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who is charged along with a user: the owners of the user namespaces above.
 */
#ifndef _UCV_CHAIN_H
#define _UCV_CHAIN_H

#include <stddef.h>

#include "counter.h"
#include "snapshot.h"

/**
 * struct charge - one level of a charge
 * @ns: the user namespace
 * @uid: who is charged in it
 * @uc: the user's counters there; NULL if nothing is charged yet
 */
struct charge {
	const struct ucv_userns *ns;
	__u32 uid;
	const struct ucv_ucounts *uc;
};

/**
 * struct chain - all levels of a charge
 * @charges: the levels in the order the kernel charges them: the user's own user
 *	namespace first, the initial one last
 * @nr: how many
 */
struct chain {
	struct charge *charges;
	size_t nr;
};

void chain_follow(struct chain *chain, const struct snapshot *snap,
		  const struct ucv_userns *ns, __u32 uid);
const struct charge *chain_binding(const struct chain *chain, const struct snapshot *snap,
				   size_t resource);
void chain_free(struct chain *chain);

#endif /* _UCV_CHAIN_H */
