/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The tasks of the machine, in the order of their numbers, so that a walk can
 * leave its RCU read section at any point and go on later; and which of them
 * stands for the file table that it shares with others of its process.
 */
#ifndef UCV_KERNEL_TASKS_H
#define UCV_KERNEL_TASKS_H

#include <linux/idr.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/rculist.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

/**
 * ucv_task_next() - the task with the next number
 * @nr: in: the lowest number wanted; out: the number of the task
 *
 * The numbers are those of the initial pid namespace, in which every task has
 * one. A task that exists throughout a walk is met exactly once.
 *
 * Context: in an RCU read section, which keeps the task.
 * Return: the task, a thread as well as a process, or NULL if there are no more
 */
static inline struct task_struct *ucv_task_next(int *nr)
{
	struct pid *pid;

	while ((pid = idr_get_next(&init_pid_ns.idr, nr))) {
		struct task_struct *task = pid_task(pid, PIDTYPE_PID);

		if (task)
			return task;
		++*nr;
	}
	return NULL;
}

/**
 * ucv_task_shows_files() - is a task to be visited for its file table?
 * @task: the task
 * @since: when the walk began, nanoseconds of CLOCK_BOOTTIME
 *
 * Nearly always the threads of a process share one table, but each may have one of
 * its own, and the first one may have ended before the others. So a thread is
 * visited unless another one has the same table that the walk has met before: one
 * with a lower number that is older than the walk.
 *
 * Tables are only compared by their addresses. Whoever points to the table that
 * @task has at this moment shares it.
 *
 * Context: in an RCU read section, which keeps @task and the list of its threads.
 */
static inline bool ucv_task_shows_files(struct task_struct *task, u64 since)
{
	const struct files_struct *files = READ_ONCE(task->files);
	struct task_struct *thread;

	if (!files)
		return false;
	/* for_each_thread() asks about a lock that modules do not know. */
	list_for_each_entry_rcu(thread, &task->signal->thread_head, thread_node)
		if (READ_ONCE(thread->files) == files &&
		    task_pid_nr(thread) < task_pid_nr(task) &&
		    thread->start_boottime < since)
			return false;
	return true;
}

/**
 * ucv_task_files_owner() - whose a task's file table is said to be
 * @task: the task
 *
 * Context: in an RCU read section, which keeps @task and, as that has not left its
 *	process before the section began, the first thread of that.
 * Return: the first thread of the process if it has the same table, else @task
 */
static inline struct task_struct *ucv_task_files_owner(struct task_struct *task)
{
	struct task_struct *first = READ_ONCE(task->group_leader);

	return READ_ONCE(first->files) == READ_ONCE(task->files) ? first : task;
}

#endif
