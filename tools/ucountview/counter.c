// SPDX-License-Identifier: GPL-2.0
/*
 * One counter and its limit: how full it is, and how that is written. How the
 * levels of a charge work together is in chain.c.
 */
#include <limits.h>

#include "counter.h"
#include "ucountview.h"

/* A limit of 0 is reached from the start; dividing by it tells nobody anything. */
static double ratio_of(long long used, long long limit)
{
	return limit > 0 ? (double)used / (double)limit : RATIO_FULL;
}

/* How many of the limit's @parts are used. Rounded down: only what is full shows as full. */
static long long parts_of(const struct counter *counter, int parts)
{
	long long used = counter->used > 0 ? counter->used : 0;

	if (counter->limit <= 0)
		return parts;
	return used < LLONG_MAX / parts ? used * parts / counter->limit : LLONG_MAX;
}

/**
 * counter_of() - read a counter and its limit off the records
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
 * counter_of_mounts() - read a mount namespace's counter and its limit off the record
 * @ns: the mount namespace
 *
 * Return: the counter: what the kernel compares with the limit, mounts that are not
 * attached yet included.
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
 * counter_colour() - how to paint a counter's line
 * @counter: the counter
 *
 * Return: a colour of libsmartcols, or NULL for none.
 */
const char *counter_colour(const struct counter *counter)
{
	if (counter->kind != LIMITED || counter->ratio < RATIO_HIGH)
		return NULL;
	return counter->ratio < RATIO_FULL ? "yellow" : "red";
}

/**
 * counter_limit_text() - for a LIMIT column
 * @counter: the counter
 * @json: in JSON a number column holds numbers, so "unlimited" is nothing there
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
 * counter_use_text() - for a USE% column
 * @counter: the counter
 * @json: in JSON there is no percent sign
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
 * counter_ratio_text() - for a RATIO column
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
