// SPDX-License-Identifier: GPL-2.0
/*
 * The walk over the tasks, a bounded amount of work at a time, and its first use: to find
 * the namespaces that tasks live in and, where the kernel does not list its mount
 * namespaces, those that they have open.
 */
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/string.h>

#include "compat/mntns.h"
#include "compat/tasks.h"
#include "walk/walk.h"

/* Cost of a task in steps, in addition to what the visitor uses. */
#define UCV_TASK_STEPS	48U
/* So at most this many tasks are visited in one RCU read section. */
#define UCV_TASKS_BATCH	(UCV_SECTION_STEPS / UCV_TASK_STEPS)

/*
 * Position of a walk: the number of the task to visit next, and the first of its files
 * not visited yet.
 */
struct ucv_task_pos {
	int nr;
	struct ucv_files_pos files;
};

static void ucv_tabset_init(struct ucv_tabset *set)
{
	ucv_array_init(&set->slot, sizeof(struct ucv_tabset_slot));
	ucv_index_init(&set->index, &set->slot);
}

/*
 * Add a file table of a process. Returns false if it was present. There must be capacity
 * for it. The search costs steps, as its length is up to the user who creates threads.
 */
static bool ucv_tabset_add(struct ucv_tabset *set, const struct files_struct *files, u32 tgid,
			   struct ucv_files_pos *pos)
{
	struct ucv_tabset_slot *slot;
	u32 index;

	for (index = ucv_index_first(&set->index, (uintptr_t)files); index != UCV_NO_INDEX;
	     index = ucv_index_next(&set->index, index)) {
		slot = ucv_array_at(&set->slot, index);
		ucv_files_use_steps(pos, 1);
		if (slot->files == files && slot->tgid == tgid)
			return false;
	}
	slot = ucv_array_at(&set->slot, ucv_index_add(&set->index, (uintptr_t)files));
	*slot = (struct ucv_tabset_slot){ .files = files, .tgid = tgid };
	return true;
}

/**
 * ucv_task_files_due() - should a task be visited for its file table?
 * @walk: the walk, over tasks, with the visitor's files set
 * @task: the task
 * @pos: position in the files of @task; charged for the search
 *
 * Each file table is visited once, however many threads of a process share it. The
 * thread group leader is visited for its own. A table that another thread has instead,
 * or that is left when the leader has exited, is remembered. Kernel threads are skipped;
 * some use a table borrowed from a process.
 *
 * Context: in an RCU read section, which protects @task. Does not sleep.
 */
bool ucv_task_files_due(struct ucv_walk *walk, struct task_struct *task,
			struct ucv_files_pos *pos)
{
	const struct files_struct *files = ucv_task_files(task);

	RCU_LOCKDEP_WARN(!rcu_read_lock_held(), "the task is pinned by RCU");
	if (pos->visiting)
		return true;
	if (!files || ucv_task_flags(task) & PF_KTHREAD || ucv_task_files_shown_before(task))
		return false;
	if (ucv_task_is_alone(task))
		return true;
	return ucv_tabset_add(&walk->tabset, files, task_tgid_nr(task), pos);
}

/* Visit some tasks. Returns 0 when there are no more, -EAGAIN if there are. */
static int ucv_tasks_section(struct ucv_walk *walk, const struct ucv_task_visitor *visitor,
			     struct ucv_task_pos *pos)
{
	struct task_struct *task;
	int ret = -EAGAIN, was;

	rcu_read_lock();
	ucv_section_begin(&walk->snap->timer);
	for (pos->files.steps = UCV_SECTION_STEPS; pos->files.steps; ret = -EAGAIN) {
		was = pos->nr;
		task = ucv_task_next(&pos->nr);
		if (!task) {
			ret = 0;
			break;
		}
		if (pos->nr != was) { /* the task whose files were being visited is gone */
			pos->files.fd = 0;
			pos->files.visiting = false;
		}
		ucv_files_use_steps(&pos->files, UCV_TASK_STEPS);
		ret = visitor->visit(walk, task, &pos->files);
		if (ret)
			break;
		pos->nr++;
		pos->files.fd = 0;
		pos->files.visiting = false;
	}
	ucv_section_end(&walk->snap->timer);
	rcu_read_unlock();
	return ret;
}

static int ucv_tasks_prepare(struct ucv_walk *walk, const struct ucv_task_visitor *visitor)
{
	int ret = visitor->prepare(walk);

	if (!ret && visitor->files)
		ret = ucv_index_reserve(walk->snap, &walk->tabset.index, UCV_TASKS_BATCH);
	return ret;
}

/**
 * ucv_visit_tasks() - visit all tasks, processes and threads
 * @walk: the walk
 * @visitor: what to do with each
 *
 * A task that exists throughout is visited; the visitor's return value determines how
 * often.
 *
 * Context: process context, no locks held. Sleeps.
 * Return: 0, -EFBIG, -ENOMEM or -EINTR
 */
int ucv_visit_tasks(struct ucv_walk *walk, const struct ucv_task_visitor *visitor)
{
	struct ucv_task_pos pos = { .nr = 1 };
	int ret;

	ucv_tabset_init(&walk->tabset);
	do {
		ret = ucv_tasks_prepare(walk, visitor);
		if (!ret && fatal_signal_pending(current))
			ret = -EINTR;
		if (ret)
			break;
		ret = ucv_tasks_section(walk, visitor, &pos);
		cond_resched();
	} while (ret == -EAGAIN || ret == -ENOSPC);
	ucv_array_free(walk->snap, &walk->tabset.slot);
	ucv_index_free(walk->snap, &walk->tabset.index);
	return ret;
}

/* Kernel threads and dying tasks are no examples. */
static int ucv_tasks_visit(struct ucv_walk *walk, struct task_struct *task,
			   struct ucv_files_pos *pos)
{
	int ret = 0;

	if (!(ucv_task_flags(task) & (PF_EXITING | PF_KTHREAD)))
		ret = ucv_nsmap_add_task(&walk->map, task);
	if (!ret && walk->snap->filled & UCV_MASK(UCV_KIND_MNTNS))
		ret = ucv_mntmap_add_task(walk, task, pos);
	return ret;
}

static int ucv_tasks_reserve(struct ucv_walk *walk)
{
	bool mounts = walk->snap->filled & UCV_MASK(UCV_KIND_MNTNS);

	return ucv_walk_reserve(walk, mounts ? UCV_KIND_MNTNS : UCV_KIND_USERNS, 1);
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
	const struct ucv_task_visitor visitor = {
		.files = walk->snap->filled & UCV_MASK(UCV_KIND_MNTNS) && !ucv_mntns_listed(),
		.prepare = ucv_tasks_reserve,
		.visit = ucv_tasks_visit,
	};

	return ucv_visit_tasks(walk, &visitor);
}
