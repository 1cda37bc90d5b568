// SPDX-License-Identifier: GPL-2.0
/*
 * The files that a task has open, a limited number at a time.
 */
#include <linux/fdtable.h>
#include <linux/fs.h>
#include <linux/sched.h>
#include <linux/sched/task.h>

#include "kernel/files.h"

/* Open files looked at in one go, with the lock of the file table held. */
#define UCV_FILES_BATCH		256

/* The state of one batch. */
struct ucv_files_batch {
	ucv_file_visit visit;
	void *arg;
	unsigned int fd;
	unsigned int left;
};

static int ucv_files_step(const void *private, struct file *file, unsigned int fd)
{
	struct ucv_files_batch *batch = (struct ucv_files_batch *)private;
	int ret;

	ret = batch->visit(file, fd, batch->arg);
	if (ret)
		return ret;
	batch->fd = fd + 1;
	return --batch->left ? 0 : -EAGAIN;
}

/**
 * ucv_files_visit() - visit the files that a task has open
 * @task: kept by the caller's RCU read section
 * @fd: in: the first descriptor to look at; out: where to go on
 * @visit: called for each
 * @arg: for @visit
 *
 * Looks at a limited number of files. task_lock() keeps the task's file table,
 * the lock of the table (taken by iterate_fd()) its files.
 *
 * Context: any but with a file table's lock held. Takes task_lock().
 * Return: 0 if all files have been seen, -EAGAIN if there may be more, or what
 *	@visit returned to stop
 */
int ucv_files_visit(struct task_struct *task, unsigned int *fd, ucv_file_visit visit, void *arg)
{
	struct ucv_files_batch batch = {
		.visit = visit, .arg = arg, .fd = *fd, .left = UCV_FILES_BATCH,
	};
	int ret = 0;

	task_lock(task);
	if (task->files)
		ret = iterate_fd(task->files, batch.fd, ucv_files_step, &batch);
	task_unlock(task);
	*fd = batch.fd;
	return ret;
}
