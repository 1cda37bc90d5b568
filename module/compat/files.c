// SPDX-License-Identifier: GPL-2.0
/*
 * A task's open files, visited with a bounded amount of work at a time.
 *
 * iterate_fd() is unsuitable: it skips unused descriptors without calling back, and a
 * table can have a million of them.
 */
#include <linux/bitops.h>
#include <linux/fdtable.h>
#include <linux/fs.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/spinlock.h>

#include "compat/btf.h"
#include "compat/files.h"

/* Steps for visiting a file. */
#define UCV_FILE_STEPS		24U
/* Descriptors compared at once to find the end of a run, and their cost in steps. */
#define UCV_RUN_STRIDE		8U
#define UCV_RUN_STEPS		4U

static_assert(__same_type(((struct files_struct *)NULL)->file_lock, spinlock_t));
static_assert(__same_type(((struct fdtable *)NULL)->max_fds, unsigned int));
static_assert(__same_type(((struct fdtable *)NULL)->open_fds, unsigned long *));

/*
 * The first descriptor in use from @pos->fd on, within the steps left: each word of the
 * bitmap costs one. The bitmap covers every descriptor with a file: its bit is set before
 * the file is installed, and cleared after it is removed, under the lock.
 */
static unsigned int ucv_files_next(const struct fdtable *fdt, struct ucv_files_pos *pos)
{
	unsigned int from = pos->fd, to;

	if (from >= fdt->max_fds)
		return from;
	to = min_t(u64, fdt->max_fds, from + (u64)pos->steps * BITS_PER_LONG);
	pos->fd = find_next_bit(fdt->open_fds, to, from);
	ucv_files_use_steps(pos, (pos->fd - from) / BITS_PER_LONG + 1);
	return pos->fd;
}

/* Do all descriptors from @fd[0] to @fd[UCV_RUN_STRIDE - 1] refer to this file? */
static bool ucv_files_same(struct file __rcu **fd, const struct file *file)
{
	return rcu_access_pointer(fd[0]) == file && rcu_access_pointer(fd[1]) == file &&
	       rcu_access_pointer(fd[2]) == file && rcu_access_pointer(fd[3]) == file &&
	       rcu_access_pointer(fd[4]) == file && rcu_access_pointer(fd[5]) == file &&
	       rcu_access_pointer(fd[6]) == file && rcu_access_pointer(fd[7]) == file;
}

/* How many consecutive descriptors, from @pos->fd on, refer to this file. */
static unsigned int ucv_files_run(const struct fdtable *fdt, struct ucv_files_pos *pos,
				  const struct file *file)
{
	unsigned int strides = min((fdt->max_fds - pos->fd - 1) / UCV_RUN_STRIDE,
				   pos->steps / UCV_RUN_STEPS);
	struct file __rcu **fd = &fdt->fd[pos->fd + 1];
	unsigned int n = 0;

	while (n < strides && ucv_files_same(fd + n * UCV_RUN_STRIDE, file))
		n++;
	ucv_files_use_steps(pos, n * UCV_RUN_STEPS);
	return n * UCV_RUN_STRIDE + 1;
}

/* No file leaves the table while its lock is held. */
static int ucv_files_scan(struct files_struct *files, struct ucv_files_pos *pos,
			  ucv_file_visit visit, void *arg)
{
	const struct fdtable *fdt = files_fdtable(files);
	unsigned int fd, nr;
	struct file *file;
	int ret;

	lockdep_assert_held(&files->file_lock);
	while (pos->steps) {
		fd = ucv_files_next(fdt, pos);
		if (fd >= fdt->max_fds)
			return 0;
		/* NULL if the steps ran out at an unused descriptor, or no file is installed yet */
		file = rcu_dereference_check_fdtable(files, fdt->fd[fd]);
		nr = 1;
		if (file) {
			ucv_files_use_steps(pos, UCV_FILE_STEPS);
			nr = ucv_files_run(fdt, pos, file);
			ret = visit(file, fd, nr, arg);
			if (ret)
				return ret;
		}
		pos->fd += nr;
	}
	return -EAGAIN;
}

/**
 * ucv_files_visit() - visit the files that a task has open
 * @task: pinned by the caller's RCU read section
 * @pos: in: the first descriptor to visit; out: where to resume
 * @visit: called for each file, once for each run of descriptors
 * @arg: for @visit
 *
 * Uses up @pos->steps at most. task_lock() pins the task's file table, and the table's
 * lock its files.
 *
 * Context: any but with a file table's lock held. Takes task_lock().
 * Return: 0 if all files have been visited, -EAGAIN if there may be more, or what
 *	@visit returned to stop
 */
int ucv_files_visit(struct task_struct *task, struct ucv_files_pos *pos,
		    ucv_file_visit visit, void *arg)
{
	struct files_struct *files;
	int ret = 0;

	RCU_LOCKDEP_WARN(!rcu_read_lock_held(), "the task is pinned by RCU");
	pos->visiting = true;
	task_lock(task);
	files = task->files;
	if (files) {
		spin_lock(&files->file_lock);
		ret = ucv_files_scan(files, pos, visit, arg);
		spin_unlock(&files->file_lock);
	}
	task_unlock(task);
	return ret;
}

/**
 * ucv_files_check_layout() - check the layout of file tables against the headers
 * @btf: from ucv_btf_open()
 *
 * Context: process context, at load.
 * Return: 0, or a negative error after a line in the log that says why
 */
int ucv_files_check_layout(const struct ucv_btf *btf)
{
	int ret;

	ret = UCV_BTF_EXPECT(btf, files_struct, fdt);
	if (!ret)
		ret = UCV_BTF_EXPECT(btf, files_struct, file_lock);
	if (!ret)
		ret = UCV_BTF_EXPECT(btf, fdtable, max_fds);
	if (!ret)
		ret = UCV_BTF_EXPECT(btf, fdtable, fd);
	if (!ret)
		ret = UCV_BTF_EXPECT(btf, fdtable, open_fds);
	return ret;
}
