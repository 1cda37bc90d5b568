// SPDX-License-Identifier: GPL-2.0
/*
 * The walk over the files of all tasks: one record for each inotify and fanotify
 * group, and one for each descriptor by which a process holds it.
 *
 * A group is known by its address. So that no other takes the place of one that
 * goes away, the walk holds it (kernel/groups.h says how) from the moment when it
 * is met until its marks have been counted, or until it is seen to be closed.
 */
#include <linux/err.h>
#include <linux/hash.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/string.h>

#include "kernel/files.h"
#include "kernel/groups.h"
#include "kernel/tasks.h"
#include "walk/walk.h"

/* Tasks whose files are visited in one RCU read section. */
#define UCV_HOLDERS_BATCH	16
/* Groups looked at between two batches of tasks, for those that have been closed. */
#define UCV_SWEEP_BATCH		64

/* One walk at a time: the references of another on a group would be taken for marks. */
static DEFINE_MUTEX(ucv_holders_lock);

static u32 *ucv_grpmap_head(struct ucv_grpmap *map, const struct fsnotify_group *group)
{
	return &map->head[hash_ptr(group, ilog2(UCV_GRPMAP_HEADS))];
}

static u32 ucv_grpmap_find(struct ucv_grpmap *map, const struct fsnotify_group *group)
{
	u32 index = *ucv_grpmap_head(map, group);

	while (index != UCV_NO_INDEX && map->slot[index].key != group)
		index = map->slot[index].next;
	return index;
}

/* Let go of a group; its record stays, but it is not found any more. */
static void ucv_grpmap_release(struct ucv_grpmap *map, u32 index)
{
	struct ucv_grpmap_slot *slot = &map->slot[index];
	u32 *link = ucv_grpmap_head(map, slot->key);

	while (*link != index)
		link = &map->slot[*link].next;
	*link = slot->next;
	ucv_group_release(&slot->ref);
}

static void ucv_grpmap_init(struct ucv_grpmap *map)
{
	map->slot = NULL;
	map->nr = 0;
	map->max = 0;
	map->swept = 0;
	memset32(map->head, UCV_NO_INDEX, ARRAY_SIZE(map->head));
}

static void ucv_grpmap_destroy(struct ucv_grpmap *map)
{
	u32 i;

	for (i = 0; i < map->nr; i++)
		ucv_group_release(&map->slot[i].ref);
	kvfree(map->slot);
}

static void ucv_grpmap_close(struct ucv_walk *walk, u32 index)
{
	ucv_snap_group(walk->snap, index)->flags |= UCV_GROUP_CLOSED;
	ucv_grpmap_release(&walk->grpmap, index);
}

/*
 * Let go of groups that have been closed, so that their charge is not kept from
 * being given back for longer than it takes to come round. No file table has
 * such a group any more, so nobody misses it.
 */
static void ucv_grpmap_sweep(struct ucv_walk *walk)
{
	struct ucv_grpmap *map = &walk->grpmap;
	unsigned int n;

	for (n = min_t(u32, map->nr, UCV_SWEEP_BATCH); n; n--) {
		if (map->swept >= map->nr)
			map->swept = 0;
		if (map->slot[map->swept].ref.group &&
		    ucv_group_closed(&map->slot[map->swept].ref))
			ucv_grpmap_close(walk, map->swept);
		map->swept++;
	}
}

static int ucv_grpmap_make_room(struct ucv_walk *walk)
{
	struct ucv_snap *snap = walk->snap;
	struct ucv_grpmap *map = &walk->grpmap;
	void *slot;
	int ret = 0;

	if (walk->map.max - walk->map.nr < UCV_USERNS_LEVELS)
		ret = ucv_nsmap_grow(walk);
	if (!ret && map->nr == snap->records[UCV_KIND_GROUP].max)
		ret = ucv_records_grow(snap, UCV_KIND_GROUP);
	if (!ret && snap->records[UCV_KIND_HOLDER].nr == snap->records[UCV_KIND_HOLDER].max)
		ret = ucv_records_grow(snap, UCV_KIND_HOLDER);
	if (ret || map->nr < map->max)
		return ret;
	slot = ucv_snap_grow(snap, map->slot, sizeof(*map->slot), map->nr, &map->max);
	if (IS_ERR(slot))
		return PTR_ERR(slot);
	map->slot = slot;
	return 0;
}

/* Record a group that is met for the first time: its index, or an error. */
static int ucv_grpmap_add(struct ucv_walk *walk, const struct file *file,
			  struct fsnotify_group *group)
{
	struct ucv_records *records = &walk->snap->records[UCV_KIND_GROUP];
	struct ucv_grpmap *map = &walk->grpmap;
	struct ucv_grpmap_slot *slot;
	struct ucv_group_facts facts;
	struct ucv_group *record;
	int userns;
	u32 *head;

	if (records->nr == records->max || map->nr == map->max)
		return -ENOSPC;
	ucv_group_read(file, &facts);
	userns = ucv_nsmap_index(&walk->map, facts.user_ns);
	if (userns < 0)
		return userns;

	record = ucv_record(records, records->nr++);
	memset(record, 0, sizeof(*record));
	record->type = facts.type;
	record->flags = facts.flags;
	record->userns = userns;
	record->uid = facts.uid;
	record->uid_in_ns = facts.uid;
	record->group_resource = facts.group_resource;
	record->mark_resource = facts.mark_resource;

	slot = &map->slot[map->nr];
	ucv_group_hold(&slot->ref, group, facts.user_ns);
	slot->key = group;
	head = ucv_grpmap_head(map, group);
	slot->next = *head;
	*head = map->nr;
	return map->nr++;
}

static int ucv_grpmap_index(struct ucv_walk *walk, const struct file *file,
			    struct fsnotify_group *group)
{
	u32 index = ucv_grpmap_find(&walk->grpmap, group);

	return index != UCV_NO_INDEX ? index : ucv_grpmap_add(walk, file, group);
}

/* A task whose files are being visited, and whose they are said to be. */
struct ucv_holders_visit {
	struct ucv_walk *walk;
	struct task_struct *task;
	struct task_struct *owner;
};

/*
 * Record a descriptor if it is one of a group: an ucv_file_visit. The lock of the
 * file table keeps the file, that the group and what it is charged to.
 */
static int ucv_holders_meet_file(struct file *file, unsigned int fd, void *arg)
{
	const struct ucv_holders_visit *visit = arg;
	struct ucv_walk *walk = visit->walk;
	struct ucv_records *records = &walk->snap->records[UCV_KIND_HOLDER];
	struct fsnotify_group *group = ucv_group_of(file);
	struct ucv_holder *record;
	int index;

	if (!group)
		return 0;
	if (records->nr == records->max)
		return -ENOSPC;
	index = ucv_grpmap_index(walk, file, group);
	if (index < 0)
		return index == -ENOSPC ? index : 0;

	record = ucv_record(records, records->nr++);
	memset(record, 0, sizeof(*record));
	record->group = index;
	record->tgid = task_tgid_nr(visit->task);
	if (!thread_group_leader(visit->owner))
		record->tid = task_pid_nr(visit->owner);
	record->fd = fd;
	ucv_snap_group(walk->snap, index)->nr_holders++;
	return 0;
}

/*
 * Visit a task: the visit of an ucv_task_visitor. Kernel threads have nothing open
 * of their own; some work with a table that they borrow from a process.
 */
static int ucv_holders_meet_task(struct ucv_walk *walk, struct task_struct *task,
				 unsigned int *fd)
{
	const struct ucv_records *records = &walk->snap->records[UCV_KIND_HOLDER];
	struct ucv_holders_visit visit = { .walk = walk, .task = task };
	char comm[TASK_COMM_LEN];
	u32 i = records->nr;
	int ret;

	if (task->flags & PF_KTHREAD || !ucv_task_shows_files(task, walk->snap->start_ns))
		return 0;
	visit.owner = ucv_task_files_owner(task);
	ret = ucv_files_visit(task, fd, ucv_holders_meet_file, &visit);
	if (i == records->nr)
		return ret;
	/* Not under task_lock(), which this takes itself on some kernels. */
	get_task_comm(comm, visit.owner);
	for (; i < records->nr; i++)
		memcpy(ucv_snap_holder(walk->snap, i)->comm, comm, sizeof(comm));
	return ret;
}

/* Between two batches of tasks: the prepare of an ucv_task_visitor. */
static int ucv_holders_prepare(struct ucv_walk *walk)
{
	ucv_grpmap_sweep(walk);
	return ucv_grpmap_make_room(walk);
}

/* Count the marks of the groups and let go of them, one after the other. */
static int ucv_holders_count(struct ucv_walk *walk)
{
	struct ucv_grpmap *map = &walk->grpmap;
	bool lags;
	u64 marks;
	u32 i;

	for (i = 0; i < map->nr; i++) {
		struct ucv_group *record = ucv_snap_group(walk->snap, i);

		ucv_grpmap_sweep(walk);
		if (!map->slot[i].ref.group)
			continue;
		marks = ucv_group_count(&map->slot[i].ref, record->type, &lags,
					&walk->snap->hold);
		if (fatal_signal_pending(current))
			return -EINTR;
		if (ucv_group_closed(&map->slot[i].ref)) {
			ucv_grpmap_close(walk, i);
			continue;
		}
		record->marks = marks;
		record->flags |= lags ? UCV_GROUP_LAGGING : 0;
		ucv_grpmap_release(map, i);
		cond_resched();
	}
	return 0;
}

/**
 * ucv_walk_holders() - record the groups and who holds them
 * @walk: the walk; its map learns of the namespaces that they are charged to
 *
 * Context: process context, no locks held. Sleeps.
 * Return: 0, -EFBIG, -ENOMEM or -EINTR
 */
int ucv_walk_holders(struct ucv_walk *walk)
{
	static const struct ucv_task_visitor visitor = {
		.batch = UCV_HOLDERS_BATCH,
		.prepare = ucv_holders_prepare,
		.visit = ucv_holders_meet_task,
	};
	int ret;

	if (mutex_lock_killable(&ucv_holders_lock))
		return -EINTR;
	ucv_grpmap_init(&walk->grpmap);
	ret = ucv_visit_tasks(walk, &visitor);
	if (!ret)
		ret = ucv_holders_count(walk);
	ucv_grpmap_destroy(&walk->grpmap);
	mutex_unlock(&ucv_holders_lock);
	return ret;
}
