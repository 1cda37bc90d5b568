/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All tasks, in PID order, so that a walk can leave its RCU read section at any point and
 * resume later; and which task of a process represents a file table that they share.
 */
#ifndef UCV_COMPAT_TASKS_H
#define UCV_COMPAT_TASKS_H

#include <linux/compiler.h>
#include <linux/idr.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

/*
 * Members of a task that is running, which it or another writes plainly. Each is one word
 * and read once, so it has the value of some moment, and a walk can tell no more.
 */

/**
 * ucv_task_files() - the file table of a task
 * @task: pinned by the caller
 *
 * Return: its address, for comparison; NULL if it has none
 */
static inline const struct files_struct *ucv_task_files(const struct task_struct *task)
{
	/* exit() and unshare() change it, under task_lock(). */
	return data_race(READ_ONCE(task->files));
}

/**
 * ucv_task_leader() - the group leader of a task
 * @task: in the caller's RCU read section, which pins the leader as well
 */
static inline struct task_struct *ucv_task_leader(const struct task_struct *task)
{
	/* execve() of a thread changes it. */
	return data_race(READ_ONCE(task->group_leader));
}

/**
 * ucv_task_flags() - the flags of a task
 * @task: pinned by the caller
 *
 * Return: PF_*
 */
static inline unsigned int ucv_task_flags(const struct task_struct *task)
{
	/* The task changes them itself. */
	return data_race(READ_ONCE(task->flags));
}

/**
 * ucv_task_is_leader() - is a task the leader of its group?
 * @task: pinned by the caller
 */
static inline bool ucv_task_is_leader(struct task_struct *task)
{
	/* execve() of a thread, and exit(), change exit_signal. */
	return data_race(thread_group_leader(task));
}

/**
 * ucv_task_is_alone() - is a task the only one of its group, and so its leader?
 * @task: pinned by the caller
 */
static inline bool ucv_task_is_alone(struct task_struct *task)
{
	/* Likewise, and threads come and go. */
	return data_race(thread_group_leader(task) && thread_group_empty(task));
}

/**
 * ucv_task_pid() - the PID of a task in the initial pid namespace
 * @task: pinned by the caller
 */
static inline pid_t ucv_task_pid(struct task_struct *task)
{
	/* execve() of a thread gives it that of the leader. */
	return data_race(task_pid_nr(task));
}

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
	struct task_struct *first = ucv_task_leader(task);

	RCU_LOCKDEP_WARN(!rcu_read_lock_held(), "the group leader is pinned by RCU");
	return first != task && ucv_task_files(first) == ucv_task_files(task) &&
	       ucv_task_pid(first) < ucv_task_pid(task);
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
	struct task_struct *first = ucv_task_leader(task);

	RCU_LOCKDEP_WARN(!rcu_read_lock_held(), "the group leader is pinned by RCU");
	return ucv_task_files(first) == ucv_task_files(task) ? first : task;
}

#endif
