// SPDX-License-Identifier: GPL-2.0
/*
 * The user namespaces of a walk: those that the counters lead to, those that processes
 * live in, and all their ancestors.
 *
 * Each is pinned, or copied on kernels before 6.0 (see compat/userns.h), from when it is
 * found until the end of the walk. So it is read without any lock, and no namespace can
 * take the place of another unnoticed.
 */
#include <linux/cred.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/string.h>

#include "walk/walk.h"

static_assert(sizeof(((struct task_struct *)NULL)->comm) <= UCV_COMM_LEN);

static struct ucv_nsmap_slot *ucv_nsmap_slot(const struct ucv_nsmap *map, u32 index)
{
	return ucv_array_at(&map->slot, index);
}

static u32 ucv_nsmap_find(struct ucv_nsmap *map, struct user_namespace *ns)
{
	u32 index;

	for (index = ucv_index_first(&map->index, (uintptr_t)ns); index != UCV_NO_INDEX;
	     index = ucv_index_next(&map->index, index))
		if (ucv_userns_is(&ucv_nsmap_slot(map, index)->ref, ns))
			break;
	return index;
}

/* Pin or copy a namespace that is not in the map yet. There must be capacity for it. */
static bool ucv_nsmap_add(struct ucv_nsmap *map, struct user_namespace *ns)
{
	struct ucv_nsmap_slot *slot = ucv_nsmap_slot(map, map->slot.nr);

	if (!ucv_userns_get(&slot->ref, ns))
		return false;
	slot->parent = UCV_NO_INDEX;
	slot->pid = 0;
	memset(slot->comm, 0, sizeof(slot->comm));
	ucv_index_add(&map->index, (uintptr_t)ns);
	return true;
}

/* Put the slots from first on. */
static void ucv_nsmap_shrink(struct ucv_nsmap *map, u32 first)
{
	map->last = NULL;
	while (map->slot.nr > first) {
		ucv_userns_put(&ucv_nsmap_slot(map, map->slot.nr - 1)->ref);
		ucv_index_remove_last(&map->index);
	}
}

/**
 * ucv_nsmap_look_up() - ucv_nsmap_index() for a namespace that may not be the last one
 * @map: of the walk
 * @ns: as there
 *
 * Context: as there.
 * Return: as there
 */
int ucv_nsmap_look_up(struct ucv_nsmap *map, struct user_namespace *ns)
{
	u32 index = ucv_nsmap_find(map, ns);
	u32 first = map->slot.nr, child = UCV_NO_INDEX;

	if (index != UCV_NO_INDEX) {
		map->last = ucv_nsmap_slot(map, index);
		map->last_index = index;
		return index;
	}
	if (!ucv_index_has_room(&map->index, UCV_USERNS_LEVELS))
		return -ENOSPC;

	/*
	 * Go up from the namespace to the first ancestor in the map. A pinned
	 * child pins its parent. A child that is only copied does so for as long
	 * as the object that pointed to it pins the child.
	 */
	while (index == UCV_NO_INDEX) {
		if (!ucv_index_has_room(&map->index, 1) || !ucv_nsmap_add(map, ns)) {
			ucv_nsmap_shrink(map, first);
			return -ESTALE;
		}
		if (child != UCV_NO_INDEX)
			ucv_nsmap_slot(map, child)->parent = map->slot.nr - 1;
		child = map->slot.nr - 1;
		ns = ucv_userns_read(&ucv_nsmap_slot(map, child)->ref)->parent;
		if (!ns)
			return first;
		index = ucv_nsmap_find(map, ns);
	}
	ucv_nsmap_slot(map, child)->parent = index;
	return first;
}

/**
 * ucv_nsmap_init() - initialize the map with the initial user namespace
 * @walk: whose map it is
 *
 * Context: process context, no locks held. Sleeps.
 * Return: 0, -EFBIG or -ENOMEM. The caller must call ucv_nsmap_destroy() in any case.
 */
int ucv_nsmap_init(struct ucv_walk *walk)
{
	struct ucv_nsmap *map = &walk->map;
	int ret;

	map->last = NULL;
	ucv_array_init(&map->slot, sizeof(struct ucv_nsmap_slot));
	ucv_index_init(&map->index, &map->slot);
	ret = ucv_walk_reserve(walk, UCV_KIND_USERNS, 1);
	if (ret)
		return ret;
	/* Part of the kernel image, never freed. */
	ret = ucv_nsmap_index(map, &init_user_ns);
	return ret < 0 ? ret : 0;
}

/**
 * ucv_nsmap_destroy() - put all namespaces and free the map
 * @walk: whose map it is
 *
 * Context: process context, no locks held. May sleep.
 */
void ucv_nsmap_destroy(struct ucv_walk *walk)
{
	struct ucv_nsmap *map = &walk->map;
	u32 i;

	for (i = 0; i < map->slot.nr; i++) {
		ucv_userns_put(&ucv_nsmap_slot(map, i)->ref);
		cond_resched();
	}
	ucv_array_free(walk->snap, &map->slot);
	ucv_index_free(walk->snap, &map->index);
}

/**
 * ucv_nsmap_add_task() - record the namespace of a task, with its process as an example
 * @map: of the walk
 * @task: protected by the caller's RCU read section, as are its credentials: they are
 *	freed after a grace period, and put their namespace only then. Any thread will
 *	do: a process can outlive its first one.
 *
 * Context: in an RCU read section. Does not sleep.
 * Return: 0, or -ENOSPC if the map may lack capacity
 */
int ucv_nsmap_add_task(struct ucv_nsmap *map, struct task_struct *task)
{
	struct ucv_nsmap_slot *slot;
	int index;

	index = ucv_nsmap_index(map, __task_cred(task)->user_ns);
	if (index < 0)
		return index == -ENOSPC ? index : 0;
	slot = ucv_nsmap_slot(map, index);
	if (slot->pid)
		return 0;
	slot->pid = task_tgid_nr(task);
	get_task_comm(slot->comm, task);
	return 0;
}

/**
 * ucv_nsmap_uid() - translate a uid into a namespace
 * @map: of the walk
 * @index: index of the namespace's slot
 * @uid: as the initial namespace sees it
 *
 * Return: the uid; UCV_UID_UNMAPPED if the namespace has none for it, or its map is not
 *	known
 */
u32 ucv_nsmap_uid(struct ucv_nsmap *map, u32 index, u32 uid)
{
	struct ucv_userns_ref *ref = &ucv_nsmap_slot(map, index)->ref;

	if (!index)
		return uid;
	if (!ucv_userns_map_known(ref))
		return UCV_UID_UNMAPPED;
	return ucv_userns_map(ucv_userns_read(ref), KUIDT_INIT(uid));
}

/* Fill a record from a slot, which keeps everything readable that is read here. */
static void ucv_nsmap_fill(struct ucv_nsmap *map, u32 index, struct ucv_userns *record)
{
	struct ucv_nsmap_slot *slot = ucv_nsmap_slot(map, index);
	const struct user_namespace *ns = ucv_userns_read(&slot->ref);

	record->id = ucv_userns_id(ns);
	record->inum = ns->ns.inum;
	record->parent = slot->parent;
	record->level = ns->level;
	record->owner = __kuid_val(ns->owner);
	record->owner_in_parent = record->owner;
	if (slot->parent != UCV_NO_INDEX)
		record->owner_in_parent = ucv_nsmap_uid(map, slot->parent, record->owner);
	record->flags = ucv_userns_map_known(&slot->ref) ? 0 : UCV_USERNS_MAP_UNKNOWN;
	record->nr_ucounts = 0;
	record->pid = slot->pid;
	memcpy(record->comm, slot->comm, sizeof(record->comm));
	record->reserved[0] = 0;
	record->reserved[1] = 0;
	ucv_userns_limits(&slot->ref, record->limit);
}

/* Translate the uids of the other records into their namespaces. */
static void ucv_nsmap_finish_uids(struct ucv_walk *walk)
{
	struct ucv_snap *snap = walk->snap;
	u32 i;

	for (i = 0; i < snap->records[UCV_KIND_MNTNS].nr; i++) {
		struct ucv_mntns *record = ucv_snap_mntns(snap, i);

		if (!(record->flags & UCV_MNTNS_UNCHARGED))
			record->uid_in_ns = ucv_nsmap_uid(&walk->map, record->userns,
							  record->uid);
		cond_resched();
	}
	for (i = 0; i < snap->records[UCV_KIND_GROUP].nr; i++) {
		struct ucv_group *record = ucv_snap_group(snap, i);

		record->uid_in_ns = ucv_nsmap_uid(&walk->map, record->userns, record->uid);
		cond_resched();
	}
}

/**
 * ucv_nsmap_finish() - make the records of the namespaces found
 * @walk: the walk, with all tables walked
 *
 * Context: process context, no locks held. Sleeps.
 * Return: 0, -EFBIG or -ENOMEM
 */
int ucv_nsmap_finish(struct ucv_walk *walk)
{
	struct ucv_array *records = &walk->snap->records[UCV_KIND_USERNS];
	struct ucv_nsmap *map = &walk->map;
	int ret;
	u32 i;

	ret = ucv_array_reserve(walk->snap, records, map->slot.nr);
	if (ret)
		return ret;
	for (i = 0; i < map->slot.nr; i++) {
		ucv_nsmap_fill(map, i, ucv_array_at(records, i));
		cond_resched();
	}
	records->nr = map->slot.nr;
	ucv_finish_ucounts(walk);
	ucv_nsmap_finish_uids(walk);
	return 0;
}
