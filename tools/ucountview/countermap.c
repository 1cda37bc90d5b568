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
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "countermap.h"
#include "ucountview.h"

/* Series: before and after a command. */

static_assert(sizeof(struct series_key) == 24, "keys are compared as bytes");

/**
 * series_key_userns() - the key of a user namespace's existence
 * @ns: the namespace
 *
 * Return: the key.
 */
struct series_key series_key_userns(const struct ucv_userns *ns)
{
	return (struct series_key){
		.id = ns->id,
		.inum = ns->inum,
		.level = ns->level,
		.uid = ns->owner,
		.resource = SERIES_USERNS,
	};
}

/**
 * series_key_counter() - the key of a user's counter
 * @ns: the user namespace
 * @uid: the user
 * @resource: index of the resource
 *
 * Return: the key.
 */
struct series_key series_key_counter(const struct ucv_userns *ns, __u32 uid, size_t resource)
{
	return (struct series_key){
		.id = ns->id,
		.inum = ns->inum,
		.level = ns->level,
		.uid = uid,
		.resource = resource,
	};
}

/**
 * series_key_mntns() - a key of a mount namespace
 * @ns: the namespace
 * @resource: SERIES_MOUNTS or SERIES_MNTNS
 *
 * Return: the key.
 */
struct series_key series_key_mntns(const struct ucv_mntns *ns, __u32 resource)
{
	return (struct series_key){ .id = ns->id, .inum = ns->inum, .resource = resource };
}

static int compare_series(const void *a, const void *b)
{
	const struct serie *x = a, *y = b;

	return memcmp(&x->key, &y->key, sizeof(x->key));
}

/**
 * series_see() - add a counter to the current sample
 * @series: the series
 * @key: which counter; if it is added twice, the sum counts
 * @judged: the part that is compared
 * @used: the whole counter
 */
void series_see(struct series *series, const struct series_key *key, long long judged,
		long long used)
{
	if (!judged && !used)
		return;
	series->now = xgrow(series->now, series->nr_now, sizeof(*series->now));
	series->now[series->nr_now++] = (struct serie){
		.key = *key,
		.judged = judged,
		.used_after = used,
	};
}

static void add_up(struct series *series)
{
	size_t to = 0;

	if (!series->nr_now)
		return;
	qsort(series->now, series->nr_now, sizeof(*series->now), compare_series);
	for (size_t i = 1; i < series->nr_now; i++) {
		if (compare_series(&series->now[to], &series->now[i])) {
			series->now[++to] = series->now[i];
			continue;
		}
		series->now[to].judged += series->now[i].judged;
		series->now[to].used_after += series->now[i].used_after;
	}
	series->nr_now = to + 1;
}

/* Returns whether the counter has changed since the previous sample. */
static bool take_value(struct serie *serie, long long judged, long long used,
		       enum series_phase phase)
{
	bool changed = judged != serie->judged;

	serie->judged = judged;
	if (phase == SERIES_BEFORE) {
		serie->used_before = used;
		if (judged > serie->before)
			serie->before = judged;
		return changed;
	}
	serie->used_after = used;
	if (phase == SERIES_FIRST_AFTER || judged < serie->least)
		serie->least = judged;
	return changed;
}

/* Note the time if the counter fell while it was above its maximum before. */
static void take_fall(struct series *series, struct serie *serie, long long left, double time)
{
	if (left <= 0 || serie_left(serie) >= left)
		return;
	serie->fell = time;
	series->fell = time;
}

static bool take_known(struct series *series, enum series_phase phase, double time)
{
	bool changed = false;

	for (size_t i = 0; i < series->nr; i++) {
		struct serie *serie = &series->list[i];
		long long left = serie_left(serie);
		const struct serie *now = NULL;

		if (series->nr_now)
			now = bsearch(serie, series->now, series->nr_now, sizeof(*now),
				      compare_series);
		changed |= take_value(serie, now ? now->judged : 0, now ? now->used_after : 0,
				      phase);
		if (phase == SERIES_AFTER)
			take_fall(series, serie, left, time);
	}
	return changed;
}

static bool take_new(struct series *series, enum series_phase phase)
{
	size_t nr = series->nr;

	for (size_t i = 0; i < series->nr_now; i++) {
		const struct serie *now = &series->now[i];

		if (nr && bsearch(now, series->list, nr, sizeof(*now), compare_series))
			continue;
		series->list = xgrow(series->list, series->nr, sizeof(*series->list));
		series->list[series->nr] = (struct serie){ .key = now->key };
		take_value(&series->list[series->nr++], now->judged, now->used_after, phase);
	}
	if (series->nr > nr)
		qsort(series->list, series->nr, sizeof(*series->list), compare_series);
	return series->nr > nr;
}

/**
 * series_look() - complete the current sample, once all counters are added
 * @series: the series
 * @phase: its phase
 * @time: when it was taken, in seconds; above 0
 *
 * Return: whether it differs from the previous sample.
 */
bool series_look(struct series *series, enum series_phase phase, double time)
{
	bool changed;

	add_up(series);
	changed = take_known(series, phase, time);
	if (phase != SERIES_AFTER)
		changed |= take_new(series, phase);
	free(series->now);
	series->now = NULL;
	series->nr_now = 0;
	return changed;
}

/**
 * series_find() - find a counter
 * @series: the series
 * @key: which counter
 *
 * Return: the counter, or NULL if it has always been 0.
 */
const struct serie *series_find(const struct series *series, const struct series_key *key)
{
	const struct serie wanted = { .key = *key };

	if (!series->nr)
		return NULL;
	return bsearch(&wanted, series->list, series->nr, sizeof(wanted), compare_series);
}

/**
 * serie_left() - how much more is charged after than before
 * @serie: the counter
 *
 * Return: the amount; 0 or less if all was uncharged.
 */
long long serie_left(const struct serie *serie)
{
	return serie->least - serie->before;
}

/**
 * series_free() - free all counters
 * @series: the series
 */
void series_free(struct series *series)
{
	free(series->list);
	free(series->now);
	memset(series, 0, sizeof(*series));
}

/* Trends: from round to round of --watch. */

struct seen {
	struct trend_key key;
	long long used;
	long long peak;
};

static_assert(sizeof(struct trend_key) == 32, "keys are compared as bytes");

static int compare_seen(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;

	return memcmp(&x->key, &y->key, sizeof(x->key));
}

/**
 * trends_next() - begin a round, drop counters that the previous one did not have
 * @trends: the trends
 * @round: its number, from 1
 */
void trends_next(struct trends *trends, unsigned int round)
{
	free(trends->before);
	trends->before = trends->now;
	trends->nr_before = trends->nr_now;
	trends->now = NULL;
	trends->nr_now = 0;
	trends->round = round;
	if (trends->nr_before)
		qsort(trends->before, trends->nr_before, sizeof(*trends->before), compare_seen);
}

static const struct seen *find_before(const struct trends *trends, const struct seen *wanted)
{
	if (!trends->nr_before)
		return NULL;
	return bsearch(wanted, trends->before, trends->nr_before, sizeof(*trends->before),
		       compare_seen);
}

/**
 * trends_see() - add a counter to the current round
 * @trends: the trends
 * @key: which counter
 * @used: its value
 *
 * Return: how it has changed.
 */
struct trend trends_see(struct trends *trends, const struct trend_key *key, long long used)
{
	struct seen seen = { .key = *key, .used = used, .peak = used };
	const struct seen *before = find_before(trends, &seen);

	if (before && before->peak > used)
		seen.peak = before->peak;
	if (used || before) {
		trends->now = xgrow(trends->now, trends->nr_now, sizeof(*trends->now));
		trends->now[trends->nr_now++] = seen;
	}
	return (struct trend){
		.watched = true,
		.has_delta = trends->round > 1,
		.peak = seen.peak,
		.delta = used - (before ? before->used : 0),
	};
}

/**
 * trends_free() - free all counters
 * @trends: the trends
 */
void trends_free(struct trends *trends)
{
	free(trends->before);
	free(trends->now);
	memset(trends, 0, sizeof(*trends));
}

/**
 * trend_peak_text() - text for a PEAK column
 * @trend: the trend
 *
 * Return: allocated text, or NULL for nothing.
 */
char *trend_peak_text(const struct trend *trend)
{
	return trend->watched ? xasprintf("%lld", trend->peak) : NULL;
}

/**
 * trend_delta_text() - text for a DELTA column
 * @trend: the trend
 * @json: omit the plus sign
 *
 * Return: allocated text, or NULL for nothing.
 */
char *trend_delta_text(const struct trend *trend, bool json)
{
	if (!trend->has_delta)
		return NULL;
	return xasprintf(json || !trend->delta ? "%lld" : "%+lld", trend->delta);
}
