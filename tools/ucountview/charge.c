// SPDX-License-Identifier: GPL-2.0
/*
 * Counters and limits, and the levels of a charge.
 *
 * The kernel's inc_ucount() charges (user namespace, user), then (parent, owner of the
 * namespace), then (its parent, owner of the parent), up to the initial user namespace, and
 * refuses at the first level whose counter has reached that level's limit.
 */
#include <limits.h>
#include <stdlib.h>

#include "charge.h"
#include "ucountview.h"

/* A limit of 0 is always reached. Avoid dividing by it. */
static double ratio_of(long long used, long long limit)
{
	return limit > 0 ? (double)used / (double)limit : RATIO_FULL;
}

/**
 * counter_of() - a user's counter and its limit
 * @uc: the user's counters in @ns; NULL if nothing is charged
 */
struct counter counter_of(const struct snapshot *snap, const struct ucv_userns *ns,
			  const struct ucv_ucounts *uc, size_t resource)
{
	struct counter counter = {
		.used = uc ? uc->used[resource] : 0,
		.limit = ns->limit[resource],
	};

	if (snap->resources[resource].type != UCV_RESOURCE_UCOUNT)
		counter.kind = LIMIT_UNKNOWN;
	else if (counter.limit >= UCV_UNLIMITED)
		counter.kind = UNLIMITED;
	else
		counter.ratio = ratio_of(counter.used, counter.limit);
	return counter;
}

/**
 * counter_of_mounts() - a mount namespace's counter and its limit
 *
 * Return: what the kernel compares with the limit, which includes pending mounts.
 */
struct counter counter_of_mounts(const struct ucv_mntns *ns)
{
	struct counter counter = {
		.used = (long long)ns->mounts + ns->pending,
		.limit = ns->limit,
		.kind = LIMITED,
	};

	counter.ratio = ratio_of(counter.used, counter.limit);
	return counter;
}

/**
 * counter_with_limit() - a counter with a limit of another kind
 * @limit: LLONG_MAX if there is none
 */
struct counter counter_with_limit(long long used, long long limit)
{
	struct counter counter = { .used = used, .limit = limit };

	if (limit == LLONG_MAX || limit < 0)
		counter.kind = limit < 0 ? LIMIT_UNKNOWN : UNLIMITED;
	else
		counter.ratio = ratio_of(used, limit);
	return counter;
}

/**
 * counter_room() - how much more the kernel would charge here; LLONG_MAX if there is no limit
 */
long long counter_room(const struct counter *counter)
{
	if (counter->kind != LIMITED)
		return LLONG_MAX;
	if (counter->used >= counter->limit)
		return 0;
	return counter->limit - (counter->used > 0 ? counter->used : 0);
}

/* Levels of a charge. */

/**
 * charge_above() - the next level of a charge
 * @uid: in: the user charged at that level; out: the user charged at the next one
 *
 * Return: the user namespace of the next level, NULL after the initial one.
 */
const struct ucv_userns *charge_above(const struct snapshot *snap, const struct ucv_userns *ns,
				      __u32 *uid)
{
	*uid = ns->owner;
	return snapshot_parent(snap, ns);
}

/**
 * charge_counts_for() - whether a charge to (@ns, @uid) counts in a counter there or above
 * @ns: the user namespace charged first, or NULL
 */
bool charge_counts_for(const struct snapshot *snap, const struct ucv_userns *ns, __u32 uid,
		       const struct counter_key *key)
{
	for (; ns; ns = charge_above(snap, ns, &uid)) {
		if (ns->inum == key->inum && ns->level == key->level && uid == key->uid)
			return true;
	}
	return false;
}

/**
 * chain_follow() - find all levels of a charge to (@ns, @uid)
 * @chain: out; {} or filled before; free with chain_free()
 */
void chain_follow(struct chain *chain, const struct snapshot *snap,
		  const struct ucv_userns *ns, __u32 uid)
{
	chain->nr = 0;
	for (; ns; ns = charge_above(snap, ns, &uid)) {
		chain->charges = xgrow(chain->charges, chain->nr, sizeof(*chain->charges));
		chain->charges[chain->nr++] = (struct charge){
			.ns = ns,
			.uid = uid,
			.uc = snapshot_find(snap, ns, uid),
		};
	}
}

/**
 * chain_binding() - the level that binds: the one with the least room, or NULL if none has a limit
 *
 * Of several levels with the same room, the one charged first binds, because the kernel refuses
 * there.
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
 */
void chain_free(struct chain *chain)
{
	free(chain->charges);
	chain->charges = NULL;
	chain->nr = 0;
}
