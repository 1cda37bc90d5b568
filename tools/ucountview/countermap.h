/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Maps of counters by key, over several samples: before and after a command, and with --watch.
 */
#ifndef _UCV_COUNTERMAP_H
#define _UCV_COUNTERMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "snapshot.h"

/* Values of series_key.resource beyond the snapshot's resources. */
enum {
	SERIES_MOUNTS = UCV_MAX_RESOURCES,	/* the mounts of a mount namespace */
	SERIES_MNTNS,				/* 1: the mount namespace exists */
	SERIES_USERNS,				/* 1: the user namespace exists */
};

/**
 * struct series_key - which counter; compared as bytes
 * @id: the namespace's unique 64-bit ID, 0 if it has none
 * @inum: its inode number
 * @level: level of a user namespace; may tell it from a later one with the same @inum
 * @uid: whose counter; for SERIES_USERNS the owner
 * @resource: index of what is counted, or SERIES_*
 */
struct series_key {
	__u64 id;
	__u32 inum;
	__u32 level;
	__u32 uid;
	__u32 resource;
};

/**
 * enum series_phase - when a sample was taken
 * @SERIES_BEFORE: before the command
 * @SERIES_FIRST_AFTER: right after it; counters that first appear later are ignored
 * @SERIES_AFTER: some time after it
 */
enum series_phase {
	SERIES_BEFORE,
	SERIES_FIRST_AFTER,
	SERIES_AFTER,
};

/**
 * struct serie - one counter; it is 0 in samples that lack it
 * @key: which
 * @before: maximum of @judged before the command, at least 0
 * @least: minimum of @judged after it
 * @fell: when @least last fell while above @before, or 0
 * @judged: the part that is compared, in the last sample
 * @used_before: the whole counter, in the last sample before
 * @used_after: the same, in the last sample after
 */
struct serie {
	struct series_key key;
	long long before;
	long long least;
	double fell;
	long long judged;
	long long used_before;
	long long used_after;
};

/**
 * struct series - all counters; {} at first
 * @list: sorted by key
 * @nr: how many
 * @fell: when one of them last fell, or 0
 * @now: those of the current sample
 * @nr_now: how many
 */
struct series {
	struct serie *list;
	size_t nr;
	double fell;
	struct serie *now;
	size_t nr_now;
};

struct series_key series_key_userns(const struct ucv_userns *ns);
struct series_key series_key_counter(const struct ucv_userns *ns, __u32 uid, size_t resource);
struct series_key series_key_mntns(const struct ucv_mntns *ns, __u32 resource);
void series_see(struct series *series, const struct series_key *key, long long judged,
		long long used);
bool series_look(struct series *series, enum series_phase phase, double time);
const struct serie *series_find(const struct series *series, const struct series_key *key);
long long serie_left(const struct serie *serie);
void series_free(struct series *series);

/**
 * struct trend_key - which counter; what does not apply is 0
 * @id: the namespace's unique 64-bit ID, 0 if it has none
 * @inum: its inode number
 * @level: its level; may tell it from a later one with the same @inum
 * @uid: whose counter
 * @resource: index of what is counted
 * @flags: tells two records of the same user apart
 * @reserved: zero, so that there are no holes
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
 * @peak: its maximum so far
 * @has_delta: whether there was a previous round
 * @delta: the change since then
 */
struct trend {
	bool watched;
	bool has_delta;
	long long peak;
	long long delta;
};

/**
 * struct trends - how all counters change; {} before the first round
 * @before: counters of the previous round, sorted
 * @nr_before: how many
 * @now: counters of the current round
 * @nr_now: how many
 * @round: its number, from 1
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

#endif /* _UCV_COUNTERMAP_H */
