/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A task's open files, visited with a bounded amount of work at a time.
 */
#ifndef UCV_COMPAT_FILES_H
#define UCV_COMPAT_FILES_H

#include <linux/types.h>

struct file;
struct task_struct;
struct ucv_btf;

/*
 * Work allowed in one section that blocks other tasks, in steps of about ten
 * instructions. Scanning a descriptor table costs steps whether its descriptors are used
 * or not: its length is up to its owner.
 */
#define UCV_SECTION_STEPS	3072U

/**
 * struct ucv_files_pos - position of a walk over files
 * @fd: next descriptor of the current task
 * @steps: steps left in this section
 * @visiting: the current task's file table is being visited
 */
struct ucv_files_pos {
	unsigned int fd;
	unsigned int steps;
	bool visiting;
};

/**
 * typedef ucv_file_visit - callback for an open file
 * @file: pinned by the lock of its file table, with its opener's credentials
 * @fd: its descriptor
 * @nr: number of consecutive descriptors, from @fd on, that refer to it
 * @arg: the caller's argument
 *
 * Context: under task_lock() and the lock of the file table. Must not sleep.
 * Return: 0 to continue; any other value stops the walk and is returned
 */
typedef int (*ucv_file_visit)(struct file *file, unsigned int fd, unsigned int nr, void *arg);

int ucv_files_check_layout(const struct ucv_btf *btf);
int ucv_files_visit(struct task_struct *task, struct ucv_files_pos *pos,
		    ucv_file_visit visit, void *arg);

/**
 * ucv_files_use_steps() - consume steps of a section
 * @pos: where they are accounted
 * @steps: how many
 */
static inline void ucv_files_use_steps(struct ucv_files_pos *pos, unsigned int steps)
{
	pos->steps -= steps < pos->steps ? steps : pos->steps;
}

#endif
