// SPDX-License-Identifier: GPL-2.0
/*
 * Counters by key over several samples.
 *
 * Series compare samples before something with samples after it: the highest of all
 * before with the least of all after. What goes up and down all the time passes by the
 * value that it had; what has not been uncharged does not.
 *
 * Trends are how counters change from round to round of --watch. A counter that is 0 and
 * always was takes no memory, and the kernel frees it, too; so one that was not seen was 0.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "countermap.h"
#include "ucountview.h"

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
 * series_see() - see a counter; of one that is seen twice in a look, the sum counts
 * @series: the series
 * @key: which counter
 * @judged: how much of it is to be judged
 * @used: all of it
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

/* Whether the counter has changed since the look before. */
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

/* What is taken off the counter while there is more of it than before. */
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
 * series_look() - all has been seen: the look is complete
 * @series: the series
 * @phase: in which phase it was taken
 * @time: when, in seconds; above 0
 *
 * Return: whether it differs from the look before.
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
 * series_find() - what is known of a counter
 * @series: the series
 * @key: which counter
 *
 * Return: NULL if it has always been 0.
 */
const struct serie *series_find(const struct series *series, const struct series_key *key)
{
	const struct serie wanted = { .key = *key };

	if (!series->nr)
		return NULL;
	return bsearch(&wanted, series->list, series->nr, sizeof(wanted), compare_series);
}

/**
 * serie_left() - how much more there is after than before
 * @serie: the counter
 *
 * Return: 0 or less if all came back.
 */
long long serie_left(const struct serie *serie)
{
	return serie->least - serie->before;
}

/**
 * series_free() - free what was remembered
 * @series: the series
 */
void series_free(struct series *series)
{
	free(series->list);
	free(series->now);
	memset(series, 0, sizeof(*series));
}

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
 * trends_next() - begin a round: what was not seen in the one before is forgotten
 * @trends: the trends
 * @round: which round it is, from 1 on
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
 * trends_see() - see a counter
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
 * trends_free() - free what trends_see() remembers
 * @trends: the trends
 */
void trends_free(struct trends *trends)
{
	free(trends->before);
	free(trends->now);
	memset(trends, 0, sizeof(*trends));
}

/**
 * trend_peak_text() - for a PEAK column
 * @trend: the trend
 *
 * Return: allocated text, or NULL for nothing.
 */
char *trend_peak_text(const struct trend *trend)
{
	return trend->watched ? xasprintf("%lld", trend->peak) : NULL;
}

/**
 * trend_delta_text() - for a DELTA column
 * @trend: the trend
 * @json: in JSON there is no plus sign
 *
 * Return: allocated text, or NULL for nothing.
 */
char *trend_delta_text(const struct trend *trend, bool json)
{
	if (!trend->has_delta)
		return NULL;
	return xasprintf(json || !trend->delta ? "%lld" : "%+lld", trend->delta);
}
