// SPDX-License-Identifier: GPL-2.0
/*
 * What no group that is held open explains of the counters. A counter is the sum of
 * what was charged to its user right there, and of the counters of the namespaces below
 * that the user owns. The latter are taken away first, so that what is left is shown
 * once, at the level where it was charged.
 */
#include <stdlib.h>
#include <string.h>

#include "remainders.h"
#include "ucountview.h"

enum {
	GROUPS,
	MARKS,
	NR_COUNTERS,
};

#define NR_TYPES	2

static const char * const names[NR_TYPES][NR_COUNTERS] = {
	[UCV_GROUP_INOTIFY]  = { "inotify_instances", "inotify_watches" },
	[UCV_GROUP_FANOTIFY] = { "fanotify_groups", "fanotify_marks" },
};

/* By the place of a record in @by_user: what is left of it. */
struct left {
	long long of[NR_TYPES][NR_COUNTERS];
};

/* Of a record that hides another one, the two count together. */
static struct left *left_of(struct left *left, const struct snapshot *snap, __u32 userns,
			    __u32 uid)
{
	const struct ucv_ucounts *uc = snapshot_find(snap, &snap->userns[userns], uid);

	return uc ? &left[uc - snap->ucounts] : NULL;
}

static void add_counters(struct left *left, const struct ucv_ucounts *uc,
			 const size_t resources[NR_TYPES][NR_COUNTERS], int sign)
{
	for (size_t i = 0; left && i < NR_TYPES; i++) {
		for (size_t j = 0; j < NR_COUNTERS; j++) {
			if (resources[i][j] < UCV_MAX_RESOURCES)
				left->of[i][j] += sign * uc->used[resources[i][j]];
		}
	}
}

static void add_records(struct left *left, const struct snapshot *snap,
			const size_t resources[NR_TYPES][NR_COUNTERS])
{
	for (size_t i = 0; i < snap->nr_ucounts; i++) {
		const struct ucv_ucounts *uc = &snap->ucounts[i];
		const struct ucv_userns *ns = snapshot_userns_of(snap, uc);

		add_counters(left_of(left, snap, uc->userns, uc->uid), uc, resources, 1);
		if (ns->parent != UCV_NO_INDEX)
			add_counters(left_of(left, snap, ns->parent, ns->owner), uc, resources, -1);
	}
}

static void take_groups(struct left *left, const struct snapshot *snap)
{
	for (size_t i = 0; i < snap->nr_groups; i++) {
		const struct ucv_group *group = &snap->groups[i];
		struct left *of = left_of(left, snap, group->userns, group->uid);

		if (!of || group->type >= NR_TYPES)
			continue;
		of->of[group->type][GROUPS]--;
		if (!(group->flags & UCV_GROUP_UNLIMITED_MARKS))
			of->of[group->type][MARKS] -= group->marks;
	}
}

/**
 * remainders_find() - take from the counters what the groups explain
 * @remainders: out; to be freed with remainders_free()
 * @snap: with counters, groups and holders
 */
void remainders_find(struct remainders *remainders, const struct snapshot *snap)
{
	struct left *left = xreallocarray(NULL, snap->nr_ucounts, sizeof(*left));
	size_t resources[NR_TYPES][NR_COUNTERS];

	memset(remainders, 0, sizeof(*remainders));
	memset(left, 0, snap->nr_ucounts * sizeof(*left));
	for (size_t i = 0; i < NR_TYPES * NR_COUNTERS; i++) {
		size_t resource = snapshot_resource(snap, names[i / NR_COUNTERS][i % NR_COUNTERS]);

		resources[i / NR_COUNTERS][i % NR_COUNTERS] =
			resource < snap->nr_resources ? resource : UCV_MAX_RESOURCES;
	}
	add_records(left, snap, resources);
	take_groups(left, snap);
	for (size_t i = 0; i < snap->nr_ucounts * NR_TYPES; i++) {
		const long long *of = left[i / NR_TYPES].of[i % NR_TYPES];

		if (!of[GROUPS] && !of[MARKS])
			continue;
		remainders->list = xgrow(remainders->list, remainders->nr,
					 sizeof(*remainders->list));
		remainders->list[remainders->nr++] = (struct remainder){
			.uc = &snap->ucounts[i / NR_TYPES],
			.type = i % NR_TYPES,
			.groups = of[GROUPS],
			.marks = of[MARKS],
		};
	}
	free(left);
}

/**
 * remainders_free() - free them
 * @remainders: from remainders_find(), or zeroes
 */
void remainders_free(struct remainders *remainders)
{
	free(remainders->list);
	memset(remainders, 0, sizeof(*remainders));
}
