/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All tasks, in PID order, so that a walk can leave its RCU read section at any point and
 * resume later; and which task of a process represents a file table that they share.
 */
#ifndef UCV_COMPAT_TASKS_H
#define UCV_COMPAT_TASKS_H

#include <linux/idr.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>

/**
 * ucv_task_next() - the task with the next PID
 * @nr: in: lowest PID wanted; out: the task's PID
 *
 * PIDs are those of the initial pid namespace, in which every task has one. A task that
 * exists throughout a walk is found exactly once.
 *
 * Context: in an RCU read section, which pins the task.
 * Return: the task, a thread as well as a process, or NULL if there are no more
 */
static inline struct task_struct *ucv_task_next(int *nr)
{
	struct pid *pid;

	RCU_LOCKDEP_WARN(!rcu_read_lock_held(), "tasks are pinned by RCU");
	while ((pid = idr_get_next(&init_pid_ns.idr, nr))) {
		struct task_struct *task = pid_task(pid, PIDTYPE_PID);

		if (task)
			return task;
		++*nr;
	}
	return NULL;
}

/**
 * ucv_task_files_shown_before() - has the group leader shown this file table already?
 * @task: the task, which has a file table
 *
 * The threads of a process nearly always share one table, so this is checked first. The
 * group leader is older than the other threads; if its PID is lower, too, a walk in PID
 * order has already visited it. Tables are compared by address only: a task that points
 * to @task's current table shares it.
 *
 * Context: in an RCU read section, which pins @task and, as that had not left its process
 *	when the section began, its group leader.
 */
static inline bool ucv_task_files_shown_before(struct task_struct *task)
{
	struct task_struct *first = READ_ONCE(task->group_leader);

	RCU_LOCKDEP_WARN(!rcu_read_lock_held(), "the group leader is pinned by RCU");
	return first != task && READ_ONCE(first->files) == READ_ONCE(task->files) &&
	       task_pid_nr(first) < task_pid_nr(task);
}

/**
 * ucv_task_files_owner() - the task shown as the owner of a task's file table
 * @task: the task
 *
 * Context: as ucv_task_files_shown_before().
 * Return: the group leader if it has the same table, else @task
 */
static inline struct task_struct *ucv_task_files_owner(struct task_struct *task)
{
	struct task_struct *first = READ_ONCE(task->group_leader);

	RCU_LOCKDEP_WARN(!rcu_read_lock_held(), "the group leader is pinned by RCU");
	return READ_ONCE(first->files) == READ_ONCE(task->files) ? first : task;
}

#endif
