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
 * Nearly always the first thread is, and no other. But it may have ended before
 * the others, and any thread may have a table of its own. So a thread is, unless
 * another one that the walk has met before has the same table: one with a lower
 * number that is older than the walk.
 *
 * The tables are only compared by their addresses. While @task's table does not
 * change, whoever points to it shares it.
 *
 * Context: in an RCU read section, which keeps @task and the list of its threads.
 */
static inline bool ucv_task_shows_files(struct task_struct *task, u64 since)
{
	const struct files_struct *files = READ_ONCE(task->files);
	struct task_struct *thread;

	if (!files)
		return false;
	if (thread_group_leader(task))
		return true;
	for_each_thread(task, thread)
		if (READ_ONCE(thread->files) == files &&
		    task_pid_nr(thread) < task_pid_nr(task) &&
		    thread->start_boottime < since)
			return false;
	return true;
}

#endif
