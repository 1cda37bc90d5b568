/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The tasks of the machine, in the order of their numbers, so that a walk can
 * leave its RCU read section at any point and go on later; and which of them
 * stands for the file table that it shares with others of its process.
 */
#ifndef UCV_COMPAT_TASKS_H
#define UCV_COMPAT_TASKS_H

#include <linux/idr.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/sched.h>

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
 * ucv_task_files_shown_before() - has the first thread shown this file table already?
 * @task: the task, which has a file table
 *
 * Nearly always the threads of a process share one table, so this is asked first. The
 * first thread is older than the others; if its number is lower, too, a walk in the
 * order of the numbers has been there. Tables are only compared by their addresses:
 * the task that points to the table that @task has at this moment shares it.
 *
 * Context: in an RCU read section, which keeps @task and, as that has not left its
 *	process before the section began, the first thread of that.
 */
static inline bool ucv_task_files_shown_before(struct task_struct *task)
{
	struct task_struct *first = READ_ONCE(task->group_leader);

	return first != task && READ_ONCE(first->files) == READ_ONCE(task->files) &&
	       task_pid_nr(first) < task_pid_nr(task);
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
