// SPDX-License-Identifier: GPL-2.0
/*
 * The walk over the mount namespaces: one record for each. compat/mntns.h describes how
 * they are found and what pins them. Here each is a set of facts with a unique 64-bit
 * ID, so none is recorded twice, however often it is found.
 */
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/string.h>

#include "compat/mntns.h"
#include "walk/walk.h"

static u32 ucv_mntmap_find(struct ucv_walk *walk, u64 id)
{
	u32 index;

	for (index = ucv_index_first(&walk->mntns, id); index != UCV_NO_INDEX;
	     index = ucv_index_next(&walk->mntns, index))
		if (ucv_snap_mntns(walk->snap, index)->id == id)
			break;
	return index;
}

/*
 * Record a namespace, unless that has been done: a ucv_mntns_visit. The lock that the
 * caller holds pins the user namespace in @facts.
 */
static int ucv_mntmap_add(const struct ucv_mntns_facts *facts, void *arg)
{
	struct ucv_walk *walk = arg;
	struct ucv_mntns *record;
	int userns;

	if (ucv_mntmap_find(walk, facts->id) != UCV_NO_INDEX)
		return 0;
	if (!ucv_index_has_room(&walk->mntns, 1))
		return -ENOSPC;
	userns = ucv_nsmap_index(&walk->map, facts->user_ns);
	if (userns < 0)
		return userns == -ENOSPC ? userns : 0;

	record = ucv_snap_mntns(walk->snap, ucv_index_add(&walk->mntns, facts->id));
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
	return 0;
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
		ret = ucv_walk_reserve(walk, UCV_KIND_MNTNS, 1);
		if (ret)
			return ret;
		if (fatal_signal_pending(current))
			return -EINTR;
		if (ucv_mntns_listed())
			ret = ucv_mntns_visit_listed(ucv_mntmap_last_id(walk->snap),
						     ucv_mntmap_add, walk, &walk->snap->timer);
		else
			ret = ucv_mntns_visit_binds(ucv_mntmap_add, walk, &walk->snap->timer);
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
static int ucv_mntmap_set_example(const struct ucv_mntns_facts *facts, void *arg)
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
 * ucv_mntmap_add_task() - record which mount namespace a task lives in and, if the
 *	kernel does not list them, which it has open
 * @walk: the walk
 * @task: protected by the caller's RCU read section
 * @pos: in and out: the first of its files not visited yet
 *
 * Context: in an RCU read section. Does not sleep.
 * Return: 0 when done with the task, -EAGAIN if it has more files, -ENOSPC if
 *	memory must be reserved
 */
int ucv_mntmap_add_task(struct ucv_walk *walk, struct task_struct *task,
			struct ucv_files_pos *pos)
{
	struct ucv_mntmap_example example = {
		.walk = walk, .task = task, .index = UCV_NO_INDEX,
	};
	int ret;

	ret = ucv_mntns_visit_task(task, ucv_mntmap_set_example, &example);
	/* Not under task_lock(), which get_task_comm() itself takes on some kernels. */
	if (example.index != UCV_NO_INDEX)
		get_task_comm(ucv_snap_mntns(walk->snap, example.index)->comm, task);
	if (ret || ucv_mntns_listed() || !ucv_task_files_due(walk, task, pos))
		return ret;
	return ucv_mntns_visit_files(task, pos, ucv_mntmap_add, walk);
}
