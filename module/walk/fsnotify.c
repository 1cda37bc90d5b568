// SPDX-License-Identifier: GPL-2.0
/*
 * The walk over the files of all tasks: one record for each inotify and fanotify group,
 * and one for each of its holders, up to UCV_GROUP_MAX_HOLDERS. So the records of a group
 * are bounded, however many descriptors and processes share it.
 *
 * A group is identified by its address. To prevent reuse of the address, the walk pins
 * the group (see compat/fsnotify.h) from when it is found until its marks have been
 * counted, or until it is seen to be closed.
 */
#include <linux/minmax.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/string.h>

#include "compat/files.h"
#include "compat/fsnotify.h"
#include "compat/tasks.h"
#include "walk/walk.h"

/* Steps for a new holder and, in the worst case, its group, in addition to those of the file. */
#define UCV_HOLDER_STEPS	72U

/* Groups checked between two RCU read sections for having been closed. */
#define UCV_SWEEP_BATCH		64U

/* One walk at a time: another walk's references on a group would be counted as marks. */
static DEFINE_MUTEX(ucv_holders_lock);

static struct ucv_grpmap_slot *ucv_grpmap_slot(const struct ucv_grpmap *map, u32 index)
{
	return ucv_array_at(&map->slot, index);
}

static u32 ucv_grpmap_find(struct ucv_grpmap *map, const struct fsnotify_group *group)
{
	u32 index;

	for (index = ucv_index_first(&map->index, (uintptr_t)group); index != UCV_NO_INDEX;
	     index = ucv_index_next(&map->index, index))
		if (ucv_grpmap_slot(map, index)->key == group)
			break;
	return index;
}

/* Put a group. Its record stays, but lookups no longer find it. */
static void ucv_grpmap_put(struct ucv_grpmap *map, u32 index)
{
	ucv_index_remove(&map->index, index);
	ucv_group_put(&ucv_grpmap_slot(map, index)->ref);
}

static void ucv_grpmap_init(struct ucv_grpmap *map)
{
	ucv_array_init(&map->slot, sizeof(struct ucv_grpmap_slot));
	map->visit = 0;
	map->swept = 0;
	ucv_index_init(&map->index, &map->slot);
}

static void ucv_grpmap_destroy(struct ucv_walk *walk)
{
	struct ucv_grpmap *map = &walk->grpmap;
	u32 i;

	for (i = 0; i < map->slot.nr; i++) {
		ucv_group_put(&ucv_grpmap_slot(map, i)->ref);
		cond_resched();
	}
	ucv_array_free(walk->snap, &map->slot);
	ucv_index_free(walk->snap, &map->index);
}

static void ucv_grpmap_close(struct ucv_walk *walk, u32 index)
{
	ucv_snap_group(walk->snap, index)->flags |= UCV_GROUP_CLOSED;
	ucv_grpmap_put(&walk->grpmap, index);
}

/*
 * Put groups that have been closed, so that their own charge is delayed by no more than
 * one round of the sweep. Such a group is in no file table any more.
 */
static void ucv_grpmap_sweep(struct ucv_walk *walk)
{
	struct ucv_grpmap *map = &walk->grpmap;
	unsigned int n;

	for (n = min(map->slot.nr, UCV_SWEEP_BATCH); n; n--) {
		const struct ucv_group_ref *ref;

		if (map->swept >= map->slot.nr)
			map->swept = 0;
		ref = &ucv_grpmap_slot(map, map->swept)->ref;
		if (ref->group && ucv_group_closed(ref))
			ucv_grpmap_close(walk, map->swept);
		map->swept++;
	}
}

/* Record a group that is found for the first time. Returns its index, or an error. */
static int ucv_grpmap_add(struct ucv_walk *walk, const struct file *file,
			  struct fsnotify_group *group)
{
	struct ucv_array *records = &walk->snap->records[UCV_KIND_GROUP];
	struct ucv_grpmap *map = &walk->grpmap;
	struct ucv_grpmap_slot *slot;
	struct ucv_group_facts facts;
	struct ucv_group *record;
	int userns;

	if (!ucv_array_has_room(records, 1) || !ucv_index_has_room(&map->index, 1))
		return -ENOSPC;
	ucv_group_read(file, &facts);
	userns = ucv_nsmap_index(&walk->map, facts.user_ns);
	if (userns < 0)
		return userns;

	record = ucv_array_at(records, records->nr++);
	memset(record, 0, sizeof(*record));
	record->type = facts.type;
	record->flags = facts.flags;
	record->userns = userns;
	record->uid = facts.uid;
	record->uid_in_ns = facts.uid;
	record->group_resource = facts.group_resource;
	record->mark_resource = facts.mark_resource;

	slot = ucv_grpmap_slot(map, map->slot.nr);
	ucv_group_get(&slot->ref, group, facts.user_ns);
	slot->key = group;
	slot->visit = 0;
	return ucv_index_add(&map->index, (uintptr_t)group);
}

static int ucv_grpmap_index(struct ucv_walk *walk, const struct file *file,
			    struct fsnotify_group *group)
{
	u32 index = ucv_grpmap_find(&walk->grpmap, group);

	return index != UCV_NO_INDEX ? index : ucv_grpmap_add(walk, file, group);
}

/* A task whose files are being visited, and the task recorded as their owner. */
struct ucv_holders_visit {
	struct ucv_walk *walk;
	struct ucv_files_pos *pos;
	struct task_struct *task;
	struct task_struct *owner;
};

/*
 * The first descriptor of a group in this table: record the holder, unless the group has
 * too many. Each group has its own limit, of at least one, so no other process can hide
 * a sole holder.
 */
static int ucv_holders_add(const struct ucv_holders_visit *visit, u32 index, unsigned int fd)
{
	struct ucv_walk *walk = visit->walk;
	struct ucv_array *records = &walk->snap->records[UCV_KIND_HOLDER];
	struct ucv_grpmap_slot *slot = ucv_grpmap_slot(&walk->grpmap, index);
	struct ucv_group *group = ucv_snap_group(walk->snap, index);
	struct ucv_holder *record;

	if (group->nr_holders < UCV_GROUP_MAX_HOLDERS) {
		if (!ucv_array_has_room(records, 1))
			return -ENOSPC;
		slot->holder = records->nr++;
		record = ucv_snap_holder(walk->snap, slot->holder);
		memset(record, 0, sizeof(*record));
		record->group = index;
		record->tgid = task_tgid_nr(visit->task);
		if (!ucv_task_is_leader(visit->owner))
			record->tid = ucv_task_pid(visit->owner);
		record->fd = fd;
	} else {
		slot->holder = UCV_NO_INDEX;
		group->flags |= UCV_GROUP_MORE_HOLDERS;
	}
	group->nr_holders++;
	slot->visit = walk->grpmap.visit;
	ucv_files_use_steps(visit->pos, UCV_HOLDER_STEPS);
	return 0;
}

/*
 * Count descriptors if they refer to a group: a ucv_file_visit. The lock of the file
 * table pins the file, which pins the group and the user namespace it is charged to.
 */
static int ucv_holders_visit_file(struct file *file, unsigned int fd, unsigned int nr, void *arg)
{
	const struct ucv_holders_visit *visit = arg;
	struct ucv_walk *walk = visit->walk;
	struct fsnotify_group *group = ucv_group_of(file);
	struct ucv_grpmap_slot *slot;
	int index, ret = 0;

	if (!group)
		return 0;
	index = ucv_grpmap_index(walk, file, group);
	if (index < 0)
		return index == -ENOSPC ? index : 0;
	slot = ucv_grpmap_slot(&walk->grpmap, index);
	if (slot->visit != walk->grpmap.visit)
		ret = ucv_holders_add(visit, index, fd);
	if (ret)
		return ret;
	ucv_snap_group(walk->snap, index)->nr_fds += nr;
	if (slot->holder != UCV_NO_INDEX)
		ucv_snap_holder(walk->snap, slot->holder)->nr_fds += nr;
	return 0;
}

/* Visit a task: the visit callback of a ucv_task_visitor. */
static int ucv_holders_visit_task(struct ucv_walk *walk, struct task_struct *task,
				  struct ucv_files_pos *pos)
{
	const struct ucv_array *records = &walk->snap->records[UCV_KIND_HOLDER];
	struct ucv_holders_visit visit = { .walk = walk, .pos = pos, .task = task };
	char comm[TASK_COMM_LEN];
	u32 i = records->nr;
	int ret;

	if (!ucv_task_files_due(walk, task, pos))
		return 0;
	if (!pos->visiting)
		walk->grpmap.visit++;
	visit.owner = ucv_task_files_owner(task);
	ret = ucv_files_visit(task, pos, ucv_holders_visit_file, &visit);
	if (i == records->nr)
		return ret;
	/* Not under task_lock(), which get_task_comm() itself takes on some kernels. */
	get_task_comm(comm, visit.owner);
	for (; i < records->nr; i++)
		memcpy(ucv_snap_holder(walk->snap, i)->comm, comm, sizeof(comm));
	return ret;
}

/* Between two batches of tasks: the prepare callback of a ucv_task_visitor. */
static int ucv_holders_prepare(struct ucv_walk *walk)
{
	ucv_grpmap_sweep(walk);
	return ucv_walk_reserve(walk, UCV_KIND_HOLDER, 1);
}

/* Count the marks of a group. Between two batches, put other groups that were closed. */
static int ucv_holders_count_one(struct ucv_walk *walk, u32 index)
{
	const struct ucv_group_ref *ref = &ucv_grpmap_slot(&walk->grpmap, index)->ref;
	struct ucv_group *record = ucv_snap_group(walk->snap, index);
	struct ucv_group_count count = {};
	bool more = true;

	while (more) {
		ucv_grpmap_sweep(walk);
		if (!ref->group)
			return 0; /* this group has been closed */
		more = ucv_group_count(ref, record->type, &count, &walk->snap->timer);
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	if (ucv_group_closed(ref)) {
		ucv_grpmap_close(walk, index);
		return 0;
	}
	record->marks = count.marks;
	record->flags |= count.lags ? UCV_GROUP_LAGGING : 0;
	ucv_grpmap_put(&walk->grpmap, index);
	return 0;
}

/* Count the marks of each group in turn, and put the group. */
static int ucv_holders_count(struct ucv_walk *walk)
{
	int ret = 0;
	u32 i;

	for (i = 0; i < walk->grpmap.slot.nr && !ret; i++)
		ret = ucv_holders_count_one(walk, i);
	return ret;
}

/**
 * ucv_walk_holders() - record the groups and their holders
 * @walk: the walk; the namespaces that the groups are charged to are added to its map
 *
 * Context: process context, no locks held. Sleeps.
 * Return: 0, -EFBIG, -ENOMEM or -EINTR
 */
int ucv_walk_holders(struct ucv_walk *walk)
{
	static const struct ucv_task_visitor visitor = {
		.files = true,
		.prepare = ucv_holders_prepare,
		.visit = ucv_holders_visit_task,
	};
	int ret;

	if (mutex_lock_killable(&ucv_holders_lock))
		return -EINTR;
	ucv_grpmap_init(&walk->grpmap);
	ret = ucv_visit_tasks(walk, &visitor);
	if (!ret)
		ret = ucv_holders_count(walk);
	ucv_grpmap_destroy(walk);
	mutex_unlock(&ucv_holders_lock);
	return ret;
}
