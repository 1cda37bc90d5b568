// SPDX-License-Identifier: GPL-2.0
/*
 * Counters and limits, the levels of a charge, and the processes that hold it.
 *
 * The kernel's inc_ucount() charges (user namespace, user), then (parent, owner of the
 * namespace), then (its parent, owner of the parent), up to the initial user namespace, and
 * refuses at the first level whose counter has reached that level's limit.
 */
#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "charge.h"
#include "ucountview.h"

/* A limit of 0 is always reached. Avoid dividing by it. */
static double ratio_of(long long used, long long limit)
{
	return limit > 0 ? (double)used / (double)limit : RATIO_FULL;
}

/* The used part of the limit, in @parts. Rounded down: only a full counter shows as full. */
static long long parts_of(const struct counter *counter, int parts)
{
	long long used = counter->used > 0 ? counter->used : 0;

	if (counter->limit <= 0)
		return parts;
	return used < LLONG_MAX / parts ? used * parts / counter->limit : LLONG_MAX;
}

/**
 * counter_of() - get a counter and its limit from the records
 * @snap: the snapshot
 * @ns: the user namespace
 * @uc: the user's counters there; NULL if nothing is charged
 * @resource: which of the snapshot's resources
 *
 * Return: the counter.
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
 * counter_of_mounts() - get a mount namespace's counter and its limit from the record
 * @ns: the mount namespace
 *
 * Return: the counter that the kernel compares with the limit, which includes pending
 * mounts.
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
 * counter_room() - how much more the kernel would charge here
 * @counter: the counter
 *
 * Return: a number of objects, 0 if the limit is reached; LLONG_MAX if there is no
 * limit to reach.
 */
long long counter_room(const struct counter *counter)
{
	if (counter->kind != LIMITED)
		return LLONG_MAX;
	if (counter->used >= counter->limit)
		return 0;
	return counter->limit - (counter->used > 0 ? counter->used : 0);
}

/**
 * counter_colour() - the color of a counter's line
 * @counter: the counter
 *
 * Return: a color name of libsmartcols, or NULL for none.
 */
const char *counter_colour(const struct counter *counter)
{
	if (counter->kind != LIMITED || counter->ratio < RATIO_HIGH)
		return NULL;
	return counter->ratio < RATIO_FULL ? "yellow" : "red";
}

/**
 * counter_limit_text() - text for a LIMIT column
 * @counter: the counter
 * @json: omit "unlimited", as a number column in JSON holds only numbers
 *
 * Return: allocated text, or NULL for nothing.
 */
char *counter_limit_text(const struct counter *counter, bool json)
{
	if (counter->kind == LIMITED)
		return xasprintf("%lld", counter->limit);
	if (counter->kind == UNLIMITED && !json)
		return xstrdup("unlimited");
	return NULL;
}

/**
 * counter_use_text() - text for a USE% column
 * @counter: the counter
 * @json: omit the percent sign
 *
 * Return: allocated text, or NULL for nothing.
 */
char *counter_use_text(const struct counter *counter, bool json)
{
	if (counter->kind != LIMITED)
		return NULL;
	return xasprintf("%lld%s", parts_of(counter, 100), json ? "" : "%");
}

/**
 * counter_ratio_text() - text for a RATIO column
 * @counter: the counter
 *
 * Return: allocated text, or NULL for nothing.
 */
char *counter_ratio_text(const struct counter *counter)
{
	long long parts = parts_of(counter, 10000);

	if (counter->kind != LIMITED)
		return NULL;
	return xasprintf("%lld.%04lld", parts / 10000, parts % 10000);
}

/* Levels of a charge. */

/**
 * charge_above() - the next level of a charge
 * @snap: the snapshot
 * @ns: the user namespace of a level; a record in @snap
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
 * charge_counts_for() - whether a charge counts at a level
 * @snap: the snapshot
 * @ns: the user namespace charged first; a record in @snap, or NULL
 * @uid: the user charged first
 * @inum: inode number of the level's user namespace
 * @level: its level
 * @user: the user charged at that level
 *
 * Return: whether (@inum, @level, @user) is (@ns, @uid) or one of the levels above.
 */
bool charge_counts_for(const struct snapshot *snap, const struct ucv_userns *ns, __u32 uid,
		       __u32 inum, __u32 level, __u32 user)
{
	for (; ns; ns = charge_above(snap, ns, &uid)) {
		if (ns->inum == inum && ns->level == level && uid == user)
			return true;
	}
	return false;
}

/**
 * chain_follow() - find all levels of a charge
 * @chain: out; {} or filled before; free with chain_free()
 * @snap: the snapshot
 * @ns: the user namespace of the process that is charged
 * @uid: its effective uid, as the initial user namespace sees it
 */
void chain_follow(struct chain *chain, const struct snapshot *snap,
		  const struct ucv_userns *ns, __u32 uid)
{
	chain->nr = 0;
	for (; ns; ns = charge_above(snap, ns, &uid)) {
		chain->charges = xreallocarray(chain->charges, chain->nr + 1,
					       sizeof(*chain->charges));
		chain->charges[chain->nr++] = (struct charge){
			.ns = ns,
			.uid = uid,
			.uc = snapshot_find(snap, ns, uid),
		};
	}
}

/**
 * chain_binding() - the level that binds: the one with the least room
 * @chain: the chain
 * @snap: the snapshot
 * @resource: which of the snapshot's resources
 *
 * Of several levels with the same room, the one charged first binds, because the kernel refuses
 * there.
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

/* Processes that hold a counter. */

#define MAX_NAMED	3

/* The part of a counter that a process holds; none if @holder is NULL. */
struct part {
	const struct ucv_holder *holder;
	unsigned long long nr;
};

static bool is_charged(const struct snapshot *snap, const struct ucv_group *group,
		       const struct charge *charge)
{
	return charge_counts_for(snap, &snap->userns[group->userns], group->uid,
				 charge->ns->inum, charge->ns->level, charge->uid);
}

static unsigned long long amount(const struct ucv_group *group, size_t resource)
{
	if (group->group_resource == resource)
		return 1;
	if (group->mark_resource == resource && !(group->flags & UCV_GROUP_UNLIMITED_MARKS))
		return group->marks;
	return 0;
}

static int compare_numbers(unsigned long long x, unsigned long long y)
{
	return x < y ? -1 : x > y;
}

static int by_process(const void *a, const void *b)
{
	const struct part *x = a, *y = b;

	return compare_numbers(x->holder->tgid, y->holder->tgid);
}

static int by_amount(const void *a, const void *b)
{
	const struct part *x = a, *y = b;
	int order = compare_numbers(y->nr, x->nr);

	return order ? order : by_process(a, b);
}

/* One part for each group, attributed to the holder with the lowest PID. */
static size_t collect(struct part *parts, const struct snapshot *snap,
		      const struct charge *charge, size_t resource)
{
	size_t nr = 0;

	memset(parts, 0, snap->nr_groups * sizeof(*parts));
	for (size_t i = 0; i < snap->nr_holders; i++) {
		const struct ucv_holder *holder = &snap->holders[i];
		struct part *part = &parts[holder->group];

		if (!part->holder || holder->tgid < part->holder->tgid)
			part->holder = holder;
	}
	for (size_t i = 0; i < snap->nr_groups; i++) {
		unsigned long long of = amount(&snap->groups[i], resource);

		if (of && parts[i].holder && is_charged(snap, &snap->groups[i], charge))
			parts[nr++] = (struct part){ parts[i].holder, of };
	}
	return nr;
}

/* One part for each process, the largest first. */
static size_t add_up(struct part *parts, size_t nr)
{
	size_t to = 0;

	if (!nr)
		return 0;
	qsort(parts, nr, sizeof(*parts), by_process);
	for (size_t i = 1; i < nr; i++) {
		if (by_process(&parts[i], &parts[to]))
			parts[++to] = parts[i];
		else
			parts[to].nr += parts[i].nr;
	}
	qsort(parts, to + 1, sizeof(*parts), by_amount);
	return to + 1;
}

/* A process can set its comm to anything: mask unprintable characters. */
static char *add_part(char *text, const struct part *part)
{
	char comm[UCV_COMM_LEN];
	char *more;

	memcpy(comm, part->holder->comm, sizeof(comm));
	for (char *c = comm; *c; c++) {
		if (!isprint((unsigned char)*c))
			*c = '?';
	}
	more = xasprintf("%s%s%llu by %s (%u)", text ? text : "", text ? ", " : "", part->nr, comm,
			 part->holder->tgid);
	free(text);
	return more;
}

/**
 * holders_known_of() - whether the holders of a resource can be known
 * @resource: its name
 *
 * Return: whether groups or their marks are charged to it.
 */
bool holders_known_of(const char *resource)
{
	return !strncmp(resource, "inotify_", strlen("inotify_")) ||
	       !strncmp(resource, "fanotify_", strlen("fanotify_"));
}

/**
 * held_by() - the processes that hold the most of a counter
 * @snap: a snapshot with groups and holders
 * @charge: whose counter
 * @resource: of which resource
 *
 * Return: allocated text, "200 by indexer (132), 4 by editor (131)"; NULL if no holder is known.
 */
char *held_by(const struct snapshot *snap, const struct charge *charge, size_t resource)
{
	struct part *parts = xreallocarray(NULL, snap->nr_groups, sizeof(*parts));
	size_t nr = add_up(parts, collect(parts, snap, charge, resource));
	char *text = NULL;

	for (size_t i = 0; i < nr && i < MAX_NAMED; i++)
		text = add_part(text, &parts[i]);
	if (nr > MAX_NAMED) {
		char *more = xasprintf("%s, and less by %zu more", text, nr - MAX_NAMED);

		free(text);
		text = more;
	}
	free(parts);
	return text;
}
