// SPDX-License-Identifier: GPL-2.0
/*
 * How counters change from round to round of --watch. A counter that is 0 and always was
 * takes no memory, and the kernel forgets it, too; so one that was not seen was 0.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "trend.h"
#include "ucountview.h"

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
