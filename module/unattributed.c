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
#include <linux/hash.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/overflow.h>
#include <linux/string.h>

#include "compat/fsnotify.h"
#include "snapshot.h"
#include "unattributed.h"

/**
 * struct ucv_rowmap - the ucounts records of a snapshot by namespace and user
 * @snap: the snapshot
 * @next: by index of the record, index of the next record with the same hash
 * @head: by hash, index of the last record, or UCV_NO_INDEX
 * @bits: width of the hash
 */
struct ucv_rowmap {
	const struct ucv_snap *snap;
	u32 *next;
	u32 *head;
	unsigned int bits;
};

static u32 *ucv_rowmap_head(const struct ucv_rowmap *map, u32 userns, u32 uid)
{
	return &map->head[hash_64((u64)userns << 32 | uid, map->bits)];
}

/* The record that new charges go to, or UCV_NO_INDEX. */
static u32 ucv_rowmap_find(const struct ucv_rowmap *map, u32 userns, u32 uid)
{
	u32 index = *ucv_rowmap_head(map, userns, uid);

	while (index != UCV_NO_INDEX) {
		const struct ucv_ucounts *record = ucv_snap_ucounts(map->snap, index);

		if (record->userns == userns && record->uid == uid)
			break;
		index = map->next[index];
	}
	return index;
}

static size_t ucv_rowmap_bytes(const struct ucv_rowmap *map, u32 nr)
{
	return (nr + (1UL << map->bits)) * sizeof(*map->next);
}

static int ucv_rowmap_init(struct ucv_rowmap *map, struct ucv_snap *snap)
{
	u32 nr = snap->records[UCV_KIND_UCOUNTS].nr;
	u32 i;

	map->snap = snap;
	map->bits = max(ilog2(nr | 1), 4);
	map->next = ucv_snap_alloc(snap, ucv_rowmap_bytes(map, nr));
	if (IS_ERR(map->next))
		return PTR_ERR(map->next);
	map->head = map->next + nr;
	memset32(map->head, UCV_NO_INDEX, 1U << map->bits);
	for (i = 0; i < nr; i++) {
		const struct ucv_ucounts *record = ucv_snap_ucounts(snap, i);
		u32 *head = ucv_rowmap_head(map, record->userns, record->uid);

		if (record->flags & UCV_UCOUNTS_SHADOWED)
			continue;
		map->next[i] = *head;
		*head = i;
	}
	return 0;
}

/* Add to the cell of a counter, or to none if there is no such record. */
static void ucv_left_add(s64 *left, u32 row, unsigned int nth, s64 nr)
{
	if (row != UCV_NO_INDEX)
		left[(u64)row * UCV_NR_GROUP_RESOURCES + nth] += nr;
}

/* A shadowed record counts with the one that shadows it: which is charged is unknown. */
static void ucv_left_of_row(s64 *left, const struct ucv_rowmap *map, u32 row)
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
		ucv_left_add(left, own, i, record->used[resource]);
		ucv_left_add(left, above, i, -record->used[resource]);
	}
}

static void ucv_left_of_group(s64 *left, const struct ucv_rowmap *map,
			      const struct ucv_group *group)
{
	u32 row = ucv_rowmap_find(map, group->userns, group->uid);
	unsigned int i;

	for (i = 0; i < UCV_NR_GROUP_RESOURCES; i++) {
		if (ucv_group_resource(i) == group->group_resource)
			ucv_left_add(left, row, i, -1);
		if (ucv_group_resource(i) == group->mark_resource &&
		    !(group->flags & UCV_GROUP_UNLIMITED_MARKS))
			ucv_left_add(left, row, i, -(s64)group->marks);
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
	if (ret) {
		ucv_snap_release(snap, left, bytes);
		return ERR_PTR(ret);
	}
	for (i = 0; i < nr; i++)
		ucv_left_of_row(left, &map, i);
	for (i = 0; i < snap->records[UCV_KIND_GROUP].nr; i++)
		ucv_left_of_group(left, &map, ucv_snap_group(snap, i));
	ucv_snap_release(snap, map.next, ucv_rowmap_bytes(&map, nr));
	return left;
}
