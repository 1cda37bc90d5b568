// SPDX-License-Identifier: GPL-2.0
/*
 * Maps of counters by key, over several samples.
 *
 * Series compare samples before a command with samples after it: the maximum before with the
 * minimum after. A counter that fluctuates returns to its old value; one that was not uncharged
 * does not.
 *
 * Trends tell how counters change from round to round of --watch. A counter that has always been
 * 0 is not stored, and the kernel frees it as well; so one without an entry was 0.
 */
#include <stdlib.h>
#include <string.h>

#include "countermap.h"
#include "ucountview.h"

/**
 * key_userns() - the key of a user namespace's existence
 */
struct counter_key key_userns(const struct ucv_userns *ns)
{
	return key_counter(ns, ns->owner, KEY_USERNS);
}

/**
 * key_counter() - the key of a user's counter in a user namespace
 */
struct counter_key key_counter(const struct ucv_userns *ns, __u32 uid, size_t resource)
{
	return (struct counter_key){
		.id = ns->id,
		.inum = ns->inum,
		.level = ns->level,
		.uid = uid,
		.resource = resource,
	};
}

/**
 * key_mntns() - the key of a mount namespace's mounts or existence: KEY_MOUNTS, KEY_MNTNS
 */
struct counter_key key_mntns(const struct ucv_mntns *ns, __u32 resource)
{
	return (struct counter_key){ .id = ns->id, .inum = ns->inum, .resource = resource };
}

/* The counters of users first, in the order in which they are listed; then each other kind. */
static __u32 kind(const struct counter_key *key)
{
	return key->resource < UCV_MAX_RESOURCES ? 0 : key->resource;
}

static int compare_keys(const void *a, const void *b)
{
	const struct counter_key *x = a, *y = b;

	return COMPARE(kind(x), kind(y)) ?: COMPARE(x->level, y->level) ?:
	       COMPARE(x->inum, y->inum) ?: COMPARE(x->uid, y->uid) ?:
	       COMPARE(x->resource, y->resource) ?: COMPARE(x->id, y->id) ?:
	       COMPARE(x->flags, y->flags);
}

static int compare_entries(const void *a, const void *b)
{
	return compare_keys(*(void *const *)a, *(void *const *)b);
}

static uint64_t hash_of(const struct counter_key *key)
{
	const uint64_t odd = 0xd6e8feb86659fd93ULL;
	uint64_t hash = key->id;

	hash = hash * odd + ((uint64_t)key->inum << 32 | key->uid);
	hash ^= hash >> 32;
	hash = hash * odd + ((uint64_t)key->level << 32 | key->resource);
	return hash + key->flags;
}

/*
 * Find the entry of a key. The index has it under its hash; of several keys with the same one,
 * under the next that was free. Sets @hash to the one that it has, or would get.
 */
static size_t find(const struct countermap *map, const struct counter_key *key, uint64_t *hash)
{
	size_t member;

	for (*hash = hash_of(key);; ++*hash) {
		member = index_find(&map->index, *hash);
		if (member == INDEX_NONE || !compare_keys(map->list[member], key))
			return member;
	}
}

/**
 * countermap_at() - the entry of a counter, zeroed if it is a new one
 * @size: bytes of an entry, the same for all of a map
 */
void *countermap_at(struct countermap *map, struct counter_key key, size_t size)
{
	uint64_t hash;
	size_t member = find(map, &key, &hash);
	void *entry;

	if (member != INDEX_NONE)
		return map->list[member];
	entry = xcalloc(1, size);
	memcpy(entry, &key, sizeof(key));
	index_add(&map->index, hash, map->nr);
	map->list = xgrow(map->list, map->nr, sizeof(*map->list));
	map->list[map->nr++] = entry;
	return entry;
}

/**
 * countermap_find() - the entry of a counter, or NULL
 */
void *countermap_find(const struct countermap *map, struct counter_key key)
{
	uint64_t hash;
	size_t member = find(map, &key, &hash);

	return member == INDEX_NONE ? NULL : map->list[member];
}

/**
 * countermap_sort() - put @map->list into the order of the lines of output
 */
void countermap_sort(struct countermap *map)
{
	uint64_t hash;

	if (!map->nr)
		return;
	qsort(map->list, map->nr, sizeof(*map->list), compare_entries);
	index_free(&map->index);
	index_reserve(&map->index, map->nr);
	for (size_t i = 0; i < map->nr; i++) {
		find(map, map->list[i], &hash);
		index_add(&map->index, hash, i);
	}
}

/**
 * countermap_free() - free all entries
 */
void countermap_free(struct countermap *map)
{
	for (size_t i = 0; i < map->nr; i++)
		free(map->list[i]);
	free(map->list);
	index_free(&map->index);
	memset(map, 0, sizeof(*map));
}

/* Series: before and after a command. */

/**
 * series_see() - add to a counter in the current sample
 * @judged: the part that is compared
 * @used: the whole counter
 */
void series_see(struct series *series, struct counter_key key, long long judged, long long used)
{
	struct serie *serie;

	if (!judged && !used)
		return;
	if (series->phase == SERIES_AFTER)
		serie = countermap_find(&series->map, key);
	else
		serie = countermap_at(&series->map, key, sizeof(*serie));
	if (!serie)
		return;
	serie->judged += judged;
	serie->used += used;
}

static void look_before(struct serie *serie)
{
	serie->used_before = serie->used;
	if (serie->judged > serie->before)
		serie->before = serie->judged;
}

/* Note the time if the counter fell while it was above its maximum before. */
static void look_after(struct series *series, struct serie *serie, double time)
{
	bool first = series->phase == SERIES_FIRST_AFTER;

	serie->used_after = serie->used;
	if (!first && serie->judged >= serie->least)
		return;
	if (!first && serie_left(serie) > 0) {
		serie->fell = time;
		series->fell = time;
	}
	serie->least = serie->judged;
}

/**
 * series_look() - complete the current sample, once all counters are added
 * @time: when it was taken, in seconds; above 0
 *
 * Return: whether it differs from the previous sample.
 */
bool series_look(struct series *series, double time)
{
	bool changed = false;

	for (size_t i = 0; i < series->map.nr; i++) {
		struct serie *serie = series->map.list[i];

		if (series->phase == SERIES_BEFORE)
			look_before(serie);
		else
			look_after(series, serie, time);
		changed |= serie->judged != serie->last;
		serie->last = serie->judged;
		serie->judged = 0;
		serie->used = 0;
	}
	if (series->phase == SERIES_FIRST_AFTER)
		countermap_sort(&series->map);
	return changed;
}

/**
 * serie_left() - how much more is charged after than before; 0 or less if all was uncharged
 */
long long serie_left(const struct serie *serie)
{
	return serie->least - serie->before;
}

/* Trends: from round to round of --watch. */

struct seen {
	struct counter_key key;
	long long used;
	long long peak;
};

/**
 * trends_next() - begin a round (from 1), drop counters that the previous one did not have
 */
void trends_next(struct trends *trends, unsigned int round)
{
	countermap_free(&trends->before);
	trends->before = trends->now;
	trends->now = (struct countermap){ };
	trends->round = round;
}

/**
 * trends_see() - add a counter with its value to the current round
 *
 * Return: how it has changed.
 */
struct trend trends_see(struct trends *trends, struct counter_key key, long long used)
{
	const struct seen *before = countermap_find(&trends->before, key);
	struct trend trend = {
		.watched = true,
		.has_delta = trends->round > 1,
		.peak = before && before->peak > used ? before->peak : used,
		.delta = used - (before ? before->used : 0),
	};
	struct seen *now;

	if (used || before) {
		now = countermap_at(&trends->now, key, sizeof(*now));
		now->used = used;
		now->peak = trend.peak;
	}
	return trend;
}

/**
 * trends_free() - free all counters
 */
void trends_free(struct trends *trends)
{
	countermap_free(&trends->before);
	countermap_free(&trends->now);
}
