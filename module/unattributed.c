// SPDX-License-Identifier: GPL-2.0
/*
 * The part of the counters that the groups of a snapshot do not explain.
 *
 * A counter holds the charges of its own namespace and user, and what its child
 * namespaces charge to that user as their owner. So the counters of those that the user
 * owns are subtracted from it, and then the groups that are charged to the counter
 * itself. The rest is shown at the level where it belongs, and only once.
 */
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "compat/fsnotify.h"
#include "index.h"
#include "snapshot.h"
#include "unattributed.h"

/**
 * struct ucv_rowmap - the ucounts records of a snapshot by namespace and user
 * @snap: the snapshot
 * @index: of the records that new charges go to
 */
struct ucv_rowmap {
	const struct ucv_snap *snap;
	struct ucv_index index;
};

static u64 ucv_rowmap_key(u32 userns, u32 uid)
{
	return (u64)userns << 32 | uid;
}

/* The record that new charges go to, or UCV_NO_INDEX. */
static u32 ucv_rowmap_find(const struct ucv_rowmap *map, u32 userns, u32 uid)
{
	u32 row;

	for (row = ucv_index_first(&map->index, ucv_rowmap_key(userns, uid)); row != UCV_NO_INDEX;
	     row = ucv_index_next(&map->index, row)) {
		const struct ucv_ucounts *record = ucv_snap_ucounts(map->snap, row);

		if (record->userns == userns && record->uid == uid)
			break;
	}
	return row;
}

static int ucv_rowmap_init(struct ucv_rowmap *map, struct ucv_snap *snap)
{
	u32 nr = snap->records[UCV_KIND_UCOUNTS].nr;
	int ret;
	u32 i;

	map->snap = snap;
	ucv_index_init(&map->index, NULL);
	ret = ucv_index_reserve(snap, &map->index, nr + 1);
	for (i = 0; i < nr && !ret; i++) {
		const struct ucv_ucounts *record = ucv_snap_ucounts(snap, i);

		ucv_index_add(&map->index, ucv_rowmap_key(record->userns, record->uid));
		if (record->flags & UCV_UCOUNTS_SHADOWED)
			ucv_index_remove(&map->index, i);
		cond_resched();
	}
	return ret;
}

/* Add to the cell of a counter, or to none if there is no such record. */
static void ucv_unattributed_add(s64 *left, u32 row, unsigned int nth, s64 nr)
{
	if (row != UCV_NO_INDEX)
		left[(u64)row * UCV_NR_GROUP_RESOURCES + nth] += nr;
}

/* A shadowed record counts with the one that shadows it: which is charged is unknown. */
static void ucv_unattributed_row(s64 *left, const struct ucv_rowmap *map, u32 row)
{
	const struct ucv_ucounts *record = ucv_snap_ucounts(map->snap, row);
	const struct ucv_userns *userns = ucv_snap_userns(map->snap, record->userns);
	u32 own, above = UCV_NO_INDEX, resource;
	unsigned int i;

	own = ucv_rowmap_find(map, record->userns, record->uid);
	if (userns->parent != UCV_NO_INDEX)
		above = ucv_rowmap_find(map, userns->parent, userns->owner);
	for (i = 0; i < UCV_NR_GROUP_RESOURCES; i++) {
		resource = ucv_group_resource(i);
		if (resource == UCV_NO_INDEX)
			continue;
		ucv_unattributed_add(left, own, i, record->used[resource]);
		ucv_unattributed_add(left, above, i, -record->used[resource]);
	}
}

static void ucv_unattributed_group(s64 *left, const struct ucv_rowmap *map,
				   const struct ucv_group *group)
{
	u32 row = ucv_rowmap_find(map, group->userns, group->uid);
	unsigned int i;

	for (i = 0; i < UCV_NR_GROUP_RESOURCES; i++) {
		if (ucv_group_resource(i) == group->group_resource)
			ucv_unattributed_add(left, row, i, -1);
		if (ucv_group_resource(i) == group->mark_resource &&
		    !(group->flags & UCV_GROUP_UNLIMITED_MARKS))
			ucv_unattributed_add(left, row, i, -(s64)group->marks);
	}
}

/**
 * ucv_unattributed() - subtract the groups of a snapshot from its counters
 * @snap: with counters and groups; its memory bound counts
 *
 * Context: process context, no locks held. Sleeps.
 * Return: UCV_NR_GROUP_RESOURCES values for each ucv_ucounts record, in the order of
 *	ucv_group_resource(), for kvfree(); or an error pointer: -EFBIG, -ENOMEM
 */
s64 *ucv_unattributed(struct ucv_snap *snap)
{
	u32 nr = snap->records[UCV_KIND_UCOUNTS].nr;
	size_t bytes = array_size((size_t)nr + 1, sizeof(s64) * UCV_NR_GROUP_RESOURCES);
	struct ucv_rowmap map;
	s64 *left;
	int ret;
	u32 i;

	left = ucv_snap_alloc(snap, bytes);
	if (IS_ERR(left))
		return left;
	memset(left, 0, bytes);
	ret = ucv_rowmap_init(&map, snap);
	for (i = 0; i < nr && !ret; i++) {
		ucv_unattributed_row(left, &map, i);
		cond_resched();
	}
	for (i = 0; i < snap->records[UCV_KIND_GROUP].nr && !ret; i++) {
		ucv_unattributed_group(left, &map, ucv_snap_group(snap, i));
		cond_resched();
	}
	ucv_index_free(snap, &map.index);
	if (!ret)
		return left;
	ucv_snap_release(snap, left, bytes);
	return ERR_PTR(ret);
}
