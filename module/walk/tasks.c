// SPDX-License-Identifier: GPL-2.0
/*
 * The walk over the tasks, a bounded number at a time; and what one is made for:
 * which namespaces they live in and, where the kernel does not list its mount
 * namespaces, which of those they hold open.
 */
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "kernel/tasks.h"
#include "walk/walk.h"

/* Tasks whose namespaces are looked at in one RCU read section. */
#define UCV_TASKS_BATCH	64

/*
 * Where a walk has come to: the number of the task to visit next, and the first
 * of its files not seen yet.
 */
struct ucv_task_place {
	int nr;
	unsigned int fd;
};

/* Visit some tasks: 0 when there are no more, -EAGAIN if there are. */
static int ucv_tasks_batch(struct ucv_walk *walk, const struct ucv_task_visitor *visitor,
			   struct ucv_task_place *place)
{
	struct task_struct *task;
	int ret = -EAGAIN, was;
	unsigned int n;

	rcu_read_lock();
	ucv_hold_begin(&walk->snap->hold);
	for (n = 0; n < visitor->batch; n++) {
		was = place->nr;
		task = ucv_task_next(&place->nr);
		if (!task) {
			ret = 0;
			break;
		}
		if (place->nr != was)
			place->fd = 0; /* the task whose files were being seen is gone */
		ret = visitor->visit(walk, task, &place->fd);
		if (ret)
			break;
		place->nr++;
		place->fd = 0;
		ret = -EAGAIN;
	}
	ucv_hold_end(&walk->snap->hold);
	rcu_read_unlock();
	return ret;
}

/**
 * ucv_visit_tasks() - visit all tasks, processes and threads
 * @walk: the walk
 * @visitor: what to do with each
 *
 * A task that exists throughout is visited; how often depends on what the visitor
 * returns.
 *
 * Context: process context, no locks held. Sleeps.
 * Return: 0, -EFBIG, -ENOMEM or -EINTR
 */
int ucv_visit_tasks(struct ucv_walk *walk, const struct ucv_task_visitor *visitor)
{
	struct ucv_task_place place = { .nr = 1 };
	int ret;

	do {
		ret = visitor->prepare(walk);
		if (ret)
			return ret;
		if (fatal_signal_pending(current))
			return -EINTR;
		ret = ucv_tasks_batch(walk, visitor, &place);
		cond_resched();
	} while (ret == -EAGAIN || ret == -ENOSPC);
	return ret;
}

/* Kernel threads and tasks that are on their way out are nobody's example. */
static int ucv_tasks_meet(struct ucv_walk *walk, struct task_struct *task, unsigned int *fd)
{
	int ret = 0;

	if (!(task->flags & (PF_EXITING | PF_KTHREAD)))
		ret = ucv_nsmap_meet_task(&walk->map, task);
	if (!ret && walk->snap->filled & UCV_MASK(UCV_KIND_MNTNS))
		ret = ucv_mntmap_meet_task(walk, task, fd);
	return ret;
}

static int ucv_tasks_make_room(struct ucv_walk *walk)
{
	int ret = 0;

	if (walk->map.max - walk->map.nr < UCV_USERNS_LEVELS)
		ret = ucv_nsmap_grow(walk);
	if (!ret && walk->snap->filled & UCV_MASK(UCV_KIND_MNTNS))
		ret = ucv_mntmap_make_room(walk);
	return ret;
}

/**
 * ucv_walk_tasks() - find the namespaces that tasks live in
 * @walk: the walk
 *
 * Context: process context, no locks held. Sleeps.
 * Return: 0, -EFBIG, -ENOMEM or -EINTR
 */
int ucv_walk_tasks(struct ucv_walk *walk)
{
	static const struct ucv_task_visitor visitor = {
		.batch = UCV_TASKS_BATCH,
		.prepare = ucv_tasks_make_room,
		.visit = ucv_tasks_meet,
	};

	return ucv_visit_tasks(walk, &visitor);
}
