/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Maps of counters by key, over several samples: before and after a command, and with --watch.
 */
#ifndef _UCV_COUNTERMAP_H
#define _UCV_COUNTERMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "index.h"
#include "snapshot.h"

/* The name of mounts, which no record has as a resource: they are not charged to users. */
#define MOUNTS_NAME	"mounts"

/* Values of counter_key.resource beyond the snapshot's resources. */
enum {
	KEY_MOUNTS = UCV_MAX_RESOURCES,	/* the mounts of a mount namespace */
	KEY_MNTNS,			/* 1: the mount namespace exists */
	KEY_USERNS,			/* 1: the user namespace exists */
};

/**
 * struct counter_key - which counter; what does not apply is 0
 * @id: the namespace's unique 64-bit ID, 0 if it has none
 * @inum: its inode number
 * @level: level of a user namespace; may tell it from a later one with the same @inum
 * @uid: whose counter; for KEY_USERNS the owner
 * @resource: index of what is counted, or KEY_*
 * @flags: tells two records of the same user apart
 */
struct counter_key {
	__u64 id;
	__u32 inum;
	__u32 level;
	__u32 uid;
	__u32 resource;
	__u32 flags;
};

struct counter_key key_userns(const struct ucv_userns *ns);
struct counter_key key_counter(const struct ucv_userns *ns, __u32 uid, size_t resource);
struct counter_key key_mntns(const struct ucv_mntns *ns, __u32 resource);

/**
 * struct countermap - counters; {} at first, freed by countermap_free()
 * @index: where in @list a key's entry is
 * @list: the entries: structures of the caller's that begin with a struct counter_key
 * @nr: how many
 */
struct countermap {
	struct index index;
	void **list;
	size_t nr;
};

void *countermap_at(struct countermap *map, struct counter_key key, size_t size);
void *countermap_find(const struct countermap *map, struct counter_key key);
void countermap_sort(struct countermap *map);
void countermap_free(struct countermap *map);

/* When a sample is taken; counters that first appear in SERIES_AFTER are ignored. */
enum series_phase {
	SERIES_BEFORE,		/* before the command */
	SERIES_FIRST_AFTER,	/* right after it */
	SERIES_AFTER,
};

/**
 * struct serie - a counter before and after a command; it is 0 in samples that lack it
 * @before: maximum before the command of the part that is compared, at least 0
 * @least: minimum of that part after it
 * @fell: when @least last fell while above @before, or 0
 * @used_before: the whole counter, in the last sample before
 * @used_after: the same, in the last sample after
 * @judged: the part that is compared, in the current sample
 * @used: the whole counter, likewise
 * @last: @judged of the previous sample
 * @left: for the caller
 * @falling: for the caller
 */
struct serie {
	struct counter_key key;
	long long before;
	long long least;
	double fell;
	long long used_before;
	long long used_after;
	long long judged;
	long long used;
	long long last;
	long long left;
	bool falling;
};

/**
 * struct series - all counters before and after a command; {} at first
 * @phase: of the current sample
 * @map: of struct serie, sorted once the first sample after the command is taken
 * @fell: when one of them last fell, or 0
 */
struct series {
	enum series_phase phase;
	struct countermap map;
	double fell;
};

void series_see(struct series *series, struct counter_key key, long long judged, long long used);
bool series_look(struct series *series, double time);
long long serie_left(const struct serie *serie);

/* How a counter changed from round to round. */
struct trend {
	bool watched;		/* whether anything is known */
	bool has_delta;		/* whether there was a previous round */
	long long peak;		/* its maximum so far */
	long long delta;	/* the change since the previous round */
};

/* How all counters change from one round (numbered from 1) to the next; {} before the first. */
struct trends {
	struct countermap before;
	struct countermap now;
	unsigned int round;
};

void trends_next(struct trends *trends, unsigned int round);
struct trend trends_see(struct trends *trends, struct counter_key key, long long used);
void trends_free(struct trends *trends);

#endif /* _UCV_COUNTERMAP_H */
