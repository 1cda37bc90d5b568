// SPDX-License-Identifier: GPL-2.0
/*
 * Who is charged along with a user. The kernel's inc_ucount() charges (user
 * namespace, user), then (parent, owner of the namespace), then (its parent, owner of
 * the parent), up to the initial user namespace, and refuses at the first level whose
 * counter has reached that level's limit.
 */
#include <limits.h>
#include <stdlib.h>

#include "chain.h"
#include "ucountview.h"

/**
 * chain_follow() - find all levels of a charge
 * @chain: where to; {} or filled before, to be freed with chain_free()
 * @snap: the snapshot
 * @ns: the user namespace of the process that is charged
 * @uid: its effective uid, as the initial user namespace sees it
 */
void chain_follow(struct chain *chain, const struct snapshot *snap,
		  const struct ucv_userns *ns, __u32 uid)
{
	chain->nr = 0;
	while (ns) {
		chain->charges = xreallocarray(chain->charges, chain->nr + 1,
					       sizeof(*chain->charges));
		chain->charges[chain->nr++] = (struct charge){
			.ns = ns,
			.uid = uid,
			.uc = snapshot_find(snap, ns, uid),
		};
		uid = ns->owner;
		ns = snapshot_parent(snap, ns);
	}
}

/**
 * chain_binding() - the level that binds: the one with the least room
 * @chain: the chain
 * @snap: the snapshot
 * @resource: which of the snapshot's resources
 *
 * Of several with the same room it is the one that the kernel charges first, because
 * that is where it refuses.
 *
 * Return: the level, or NULL if none of them has a limit.
 */
const struct charge *chain_binding(const struct chain *chain, const struct snapshot *snap,
				   size_t resource)
{
	const struct charge *binding = NULL;
	long long least = LLONG_MAX;

	for (size_t i = 0; i < chain->nr; i++) {
		const struct charge *charge = &chain->charges[i];
		struct counter counter = counter_of(snap, charge->ns, charge->uc, resource);
		long long room = counter_room(&counter);

		if (room < least) {
			least = room;
			binding = charge;
		}
	}
	return binding;
}

/**
 * chain_free() - free what chain_follow() filled
 * @chain: the chain
 */
void chain_free(struct chain *chain)
{
	free(chain->charges);
	chain->charges = NULL;
	chain->nr = 0;
}
