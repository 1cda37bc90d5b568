// SPDX-License-Identifier: GPL-2.0
/*
 * The walk over the mount namespaces: one record for each. compat/mntns.h describes how
 * they are found and what pins them. Here each is a set of facts with a unique 64-bit
 * ID, so none is recorded twice, however often it is found.
 */
#include <linux/hash.h>
#include <linux/log2.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/string.h>

#include "compat/mntns.h"
#include "walk/walk.h"

static u32 *ucv_mntmap_head(struct ucv_mntmap *map, u64 id)
{
	return &map->head[hash_64(id, ilog2(UCV_MNTMAP_HEADS))];
}

static u32 *ucv_mntmap_next(const struct ucv_mntmap *map, u32 index)
{
	return ucv_array_at(&map->next, index);
}

static u32 ucv_mntmap_find(struct ucv_walk *walk, u64 id)
{
	u32 index = *ucv_mntmap_head(&walk->mntmap, id);

	while (index != UCV_NO_INDEX && ucv_snap_mntns(walk->snap, index)->id != id)
		index = *ucv_mntmap_next(&walk->mntmap, index);
	return index;
}

/*
 * Record a namespace, unless that has been done: a ucv_mntns_visit. The lock that the
 * caller holds pins the user namespace in @facts.
 */
static int ucv_mntmap_add(const struct ucv_mntns_facts *facts, void *arg)
{
	struct ucv_walk *walk = arg;
	struct ucv_array *records = &walk->snap->records[UCV_KIND_MNTNS];
	struct ucv_mntns *record;
	int userns;
	u32 *head;

	if (ucv_mntmap_find(walk, facts->id) != UCV_NO_INDEX)
		return 0;
	if (!ucv_array_has_room(records, 1) || !ucv_array_has_room(&walk->mntmap.next, 1))
		return -ENOSPC;
	userns = ucv_nsmap_index(&walk->map, facts->user_ns);
	if (userns < 0)
		return userns == -ENOSPC ? userns : 0;

	record = ucv_array_at(records, records->nr);
	memset(record, 0, sizeof(*record));
	record->id = facts->id;
	record->inum = facts->inum;
	record->userns = userns;
	record->uid = facts->uid;
	record->uid_in_ns = facts->uid;
	record->mounts = facts->mounts;
	record->pending = facts->pending;
	record->limit = ucv_mntns_limit();
	record->flags = facts->charged ? 0 : UCV_MNTNS_UNCHARGED;

	head = ucv_mntmap_head(&walk->mntmap, facts->id);
	*ucv_mntmap_next(&walk->mntmap, walk->mntmap.next.nr++) = *head;
	*head = records->nr++;
	return 0;
}

/**
 * ucv_mntmap_init() - initialize an empty map
 * @walk: whose map it is
 */
void ucv_mntmap_init(struct ucv_walk *walk)
{
	ucv_array_init(&walk->mntmap.next, sizeof(u32));
	memset32(walk->mntmap.head, UCV_NO_INDEX, ARRAY_SIZE(walk->mntmap.head));
}

/**
 * ucv_mntmap_destroy() - free the map; the records stay
 * @walk: whose map it is
 *
 * Context: process context. May sleep.
 */
void ucv_mntmap_destroy(struct ucv_walk *walk)
{
	ucv_array_free(walk->snap, &walk->mntmap.next);
}

/**
 * ucv_mntmap_reserve() - reserve memory for one more mount namespace
 * @walk: the walk
 *
 * Context: process context, no locks held. Sleeps.
 * Return: 0, -EFBIG or -ENOMEM
 */
int ucv_mntmap_reserve(struct ucv_walk *walk)
{
	struct ucv_snap *snap = walk->snap;
	int ret;

	ret = ucv_nsmap_reserve(walk);
	if (!ret)
		ret = ucv_array_reserve(snap, &snap->records[UCV_KIND_MNTNS], 1);
	if (!ret)
		ret = ucv_array_reserve(snap, &walk->mntmap.next, 1);
	return ret;
}

/* The ID of the newest record, from which a visit in the order of IDs resumes. */
static u64 ucv_mntmap_last_id(const struct ucv_snap *snap)
{
	u32 nr = snap->records[UCV_KIND_MNTNS].nr;

	return nr ? ucv_snap_mntns(snap, nr - 1)->id : 0;
}

/**
 * ucv_walk_mntns() - record the mount namespaces, except those found only through tasks
 * @walk: the walk
 *
 * Context: process context, no locks held. Sleeps.
 * Return: 0, -EFBIG, -ENOMEM or -EINTR
 */
int ucv_walk_mntns(struct ucv_walk *walk)
{
	int ret;

	do {
		ret = ucv_mntmap_reserve(walk);
		if (ret)
			return ret;
		if (fatal_signal_pending(current))
			return -EINTR;
		if (ucv_mntns_listed())
			ret = ucv_mntns_visit_listed(ucv_mntmap_last_id(walk->snap),
						     ucv_mntmap_add, walk, &walk->snap->hold);
		else
			ret = ucv_mntns_visit_binds(ucv_mntmap_add, walk, &walk->snap->hold);
	} while (ret == -ENOSPC);
	return ret;
}

/* A task, and the record that it has become the example of, or UCV_NO_INDEX. */
struct ucv_mntmap_example {
	struct ucv_walk *walk;
	struct task_struct *task;
	u32 index;
};

/* Make a task the example of a process in a namespace: a ucv_mntns_visit. */
static int ucv_mntmap_note(const struct ucv_mntns_facts *facts, void *arg)
{
	struct ucv_mntmap_example *example = arg;
	struct ucv_walk *walk = example->walk;
	struct ucv_mntns *record;
	u32 index;
	int ret;

	ret = ucv_mntns_listed() ? 0 : ucv_mntmap_add(facts, walk);
	if (ret)
		return ret;
	index = ucv_mntmap_find(walk, facts->id);
	if (index == UCV_NO_INDEX)
		return 0; /* created after the walk over the list */
	record = ucv_snap_mntns(walk->snap, index);
	if (record->pid)
		return 0;
	record->pid = task_tgid_nr(example->task);
	example->index = index;
	return 0;
}

/**
 * ucv_mntmap_meet_task() - record which mount namespace a task lives in and, if the
 *	kernel does not list them, which it has open
 * @walk: the walk
 * @task: protected by the caller's RCU read section
 * @place: in and out: the first of its files not visited yet
 *
 * Context: in an RCU read section. Does not sleep.
 * Return: 0 when done with the task, -EAGAIN if it has more files, -ENOSPC if
 *	memory must be reserved
 */
int ucv_mntmap_meet_task(struct ucv_walk *walk, struct task_struct *task,
			 struct ucv_files_place *place)
{
	struct ucv_mntmap_example example = {
		.walk = walk, .task = task, .index = UCV_NO_INDEX,
	};
	int ret;

	ret = ucv_mntns_visit_task(task, ucv_mntmap_note, &example);
	/* Not under task_lock(), which get_task_comm() itself takes on some kernels. */
	if (example.index != UCV_NO_INDEX)
		get_task_comm(ucv_snap_mntns(walk->snap, example.index)->comm, task);
	if (ret || ucv_mntns_listed() || !ucv_task_shows_files(walk, task, place))
		return ret;
	return ucv_mntns_visit_files(task, place, ucv_mntmap_add, walk);
}
