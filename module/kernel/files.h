/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The files that a task has open, a limited number at a time.
 */
#ifndef UCV_KERNEL_FILES_H
#define UCV_KERNEL_FILES_H

struct file;
struct task_struct;

/**
 * typedef ucv_file_visit - called for an open file
 * @file: kept by the lock of the file table that it is in, and with it the
 *	credentials of its opener
 * @fd: its descriptor
 * @arg: the caller's
 *
 * Context: under task_lock() and the lock of the file table. Must not sleep.
 * Return: 0 to go on, anything else to stop and be returned
 */
typedef int (*ucv_file_visit)(struct file *file, unsigned int fd, void *arg);

int ucv_files_visit(struct task_struct *task, unsigned int *fd, ucv_file_visit visit, void *arg);

#endif
