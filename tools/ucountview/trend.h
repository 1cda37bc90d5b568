/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How counters change from round to round of --watch.
 */
#ifndef _UCV_TREND_H
#define _UCV_TREND_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

/**
 * struct trend_key - which counter; what does not apply is 0
 * @id: the namespace's 64-bit identifier, 0 if it has none
 * @inum: its inode number
 * @level: its level, which may tell it from another that has the number later
 * @uid: whose counter
 * @resource: index of what is counted
 * @flags: what tells two records of the same user apart
 * @reserved: zero: there are no holes
 */
struct trend_key {
	__u64 id;
	__u32 inum;
	__u32 level;
	__u32 uid;
	__u32 resource;
	__u32 flags;
	__u32 reserved;
};

/**
 * struct trend - how one counter changed
 * @watched: whether anything is known
 * @peak: the highest value seen
 * @has_delta: whether there was a round before
 * @delta: the change since then
 */
struct trend {
	bool watched;
	bool has_delta;
	long long peak;
	long long delta;
};

/**
 * struct trends - what was seen of all counters; {} before the first round
 * @before: in the round before, sorted
 * @nr_before: how many
 * @now: in this round
 * @nr_now: how many
 * @round: which round it is, from 1 on
 */
struct trends {
	struct seen *before;
	size_t nr_before;
	struct seen *now;
	size_t nr_now;
	unsigned int round;
};

void trends_next(struct trends *trends, unsigned int round);
struct trend trends_see(struct trends *trends, const struct trend_key *key, long long used);
void trends_free(struct trends *trends);
char *trend_peak_text(const struct trend *trend);
char *trend_delta_text(const struct trend *trend, bool json);

#endif /* _UCV_TREND_H */
