/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The files that a task has open, a limited amount of work at a time.
 */
#ifndef UCV_COMPAT_FILES_H
#define UCV_COMPAT_FILES_H

#include <linux/types.h>

struct file;
struct task_struct;
struct ucv_btf;

/*
 * What may be done in one section that keeps others waiting, in steps of some ten
 * instructions. A descriptor table is charged for what is scanned of it, used or not:
 * its length is up to its owner.
 */
#define UCV_SECTION_STEPS	3072U

/**
 * struct ucv_files_place - how far a walk over files has got
 * @fd: the next descriptor of the task at hand
 * @steps: what is left of this section's steps
 * @visiting: the file table of the task at hand is being visited
 */
struct ucv_files_place {
	unsigned int fd;
	unsigned int steps;
	bool visiting;
};

/**
 * typedef ucv_file_visit - called for an open file
 * @file: pinned by the lock of the file table that it is in, and with it the
 *	credentials of its opener
 * @fd: its descriptor
 * @nr: how many descriptors in a row, from @fd on, are open for it
 * @arg: the caller's
 *
 * Context: under task_lock() and the lock of the file table. Must not sleep.
 * Return: 0 to go on, anything else to stop and be returned
 */
typedef int (*ucv_file_visit)(struct file *file, unsigned int fd, unsigned int nr, void *arg);

int ucv_files_check_layout(const struct ucv_btf *btf);
int ucv_files_visit(struct task_struct *task, struct ucv_files_place *place,
		    ucv_file_visit visit, void *arg);

/**
 * ucv_files_pay() - use up steps of a section
 * @place: whose
 * @steps: how many
 */
static inline void ucv_files_pay(struct ucv_files_place *place, unsigned int steps)
{
	place->steps -= steps < place->steps ? steps : place->steps;
}

#endif
