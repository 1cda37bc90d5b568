// SPDX-License-Identifier: GPL-2.0
/*
 * The files that a task has open, a limited amount of work at a time.
 *
 * Not by iterate_fd(): it skips unused descriptors without asking, and a table can
 * have a million of them.
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

/* Steps of a file that is visited. */
#define UCV_FILE_STEPS		24U
/* Descriptors compared at once in search of the end of a run, and their steps. */
#define UCV_RUN_STRIDE		8U
#define UCV_RUN_STEPS		4U

static_assert(__same_type(((struct files_struct *)NULL)->file_lock, spinlock_t));
static_assert(__same_type(((struct fdtable *)NULL)->max_fds, unsigned int));
static_assert(__same_type(((struct fdtable *)NULL)->open_fds, unsigned long *));

/*
 * The first descriptor from @place->fd on that is in use, as far as the steps go: each
 * word of the bitmap is one. Every descriptor with a file is marked there: the mark is
 * set before the file is installed, and cleared after it is removed, under the lock.
 */
static unsigned int ucv_files_next(const struct fdtable *fdt, struct ucv_files_place *place)
{
	unsigned int from = place->fd, to;

	if (from >= fdt->max_fds)
		return from;
	to = min_t(u64, fdt->max_fds, from + (u64)place->steps * BITS_PER_LONG);
	place->fd = find_next_bit(fdt->open_fds, to, from);
	ucv_files_pay(place, (place->fd - from) / BITS_PER_LONG + 1);
	return place->fd;
}

/* Are all descriptors from @fd[0] to @fd[UCV_RUN_STRIDE - 1] open for this file? */
static bool ucv_files_same(struct file __rcu **fd, const struct file *file)
{
	return rcu_access_pointer(fd[0]) == file && rcu_access_pointer(fd[1]) == file &&
	       rcu_access_pointer(fd[2]) == file && rcu_access_pointer(fd[3]) == file &&
	       rcu_access_pointer(fd[4]) == file && rcu_access_pointer(fd[5]) == file &&
	       rcu_access_pointer(fd[6]) == file && rcu_access_pointer(fd[7]) == file;
}

/* How many descriptors in a row, from @place->fd on, are open for this file. */
static unsigned int ucv_files_run(const struct fdtable *fdt, struct ucv_files_place *place,
				  const struct file *file)
{
	unsigned int strides = min((fdt->max_fds - place->fd - 1) / UCV_RUN_STRIDE,
				   place->steps / UCV_RUN_STEPS);
	struct file __rcu **fd = &fdt->fd[place->fd + 1];
	unsigned int n = 0;

	while (n < strides && ucv_files_same(fd + n * UCV_RUN_STRIDE, file))
		n++;
	ucv_files_pay(place, n * UCV_RUN_STEPS);
	return n * UCV_RUN_STRIDE + 1;
}

/* Under the lock of the table no file leaves it. */
static int ucv_files_scan(struct files_struct *files, struct ucv_files_place *place,
			  ucv_file_visit visit, void *arg)
{
	const struct fdtable *fdt = files_fdtable(files);
	unsigned int fd, nr;
	struct file *file;
	int ret;

	lockdep_assert_held(&files->file_lock);
	while (place->steps) {
		fd = ucv_files_next(fdt, place);
		if (fd >= fdt->max_fds)
			return 0;
		/* Found no further than the steps went, or not installed yet. */
		file = rcu_dereference_check_fdtable(files, fdt->fd[fd]);
		nr = 1;
		if (file) {
			ucv_files_pay(place, UCV_FILE_STEPS);
			nr = ucv_files_run(fdt, place, file);
			ret = visit(file, fd, nr, arg);
			if (ret)
				return ret;
		}
		place->fd += nr;
	}
	return -EAGAIN;
}

/**
 * ucv_files_visit() - visit the files that a task has open
 * @task: kept by the caller's RCU read section
 * @place: in: the first descriptor to look at; out: where to go on
 * @visit: called for each file, once for each run of descriptors
 * @arg: for @visit
 *
 * Uses up @place->steps at most. task_lock() keeps the task's file table, the lock of
 * the table its files.
 *
 * Context: any but with a file table's lock held. Takes task_lock().
 * Return: 0 if all files have been seen, -EAGAIN if there may be more, or what
 *	@visit returned to stop
 */
int ucv_files_visit(struct task_struct *task, struct ucv_files_place *place,
		    ucv_file_visit visit, void *arg)
{
	struct files_struct *files;
	int ret = 0;

	place->visiting = true;
	task_lock(task);
	files = task->files;
	if (files) {
		spin_lock(&files->file_lock);
		ret = ucv_files_scan(files, place, visit, arg);
		spin_unlock(&files->file_lock);
	}
	task_unlock(task);
	return ret;
}

/**
 * ucv_files_check_layout() - check that file tables look as the headers say
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
