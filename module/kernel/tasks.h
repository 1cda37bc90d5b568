/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The tasks of the machine, in the order of their numbers, so that a walk can
 * leave its RCU read section at any point and go on later.
 */
#ifndef UCV_KERNEL_TASKS_H
#define UCV_KERNEL_TASKS_H

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

#endif
