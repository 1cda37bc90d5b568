/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All processes that /proc lists: whose they are, where they are, which of them descend
 * from this program, and what they have open.
 */
#ifndef _UCV_PROCESSES_H
#define _UCV_PROCESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include <uapi/ucountview.h>

/**
 * struct seen_process - a process
 * @pid: its number
 * @ppid: its parent's
 * @uid: its real uid, which its threads are charged to
 * @threads: how many threads it has
 * @userns: inode number of its user namespace
 * @mntns: inode number of its mount namespace; 0 if it has ended
 * @ours: whether it descends from this program
 * @kernel: whether it is a thread of the kernel
 * @comm: its command
 */
struct seen_process {
	unsigned int pid;
	unsigned int ppid;
	__u32 uid;
	unsigned int threads;
	__u32 userns;
	__u32 mntns;
	bool ours;
	bool kernel;
	char comm[UCV_COMM_LEN];
};

/**
 * struct processes - all of them
 * @list: sorted by number
 * @nr: how many
 */
struct processes {
	struct seen_process *list;
	size_t nr;
};

/* Called with the directory, the name and the text of a descriptor's link in it. */
typedef void (*fd_visitor)(void *arg, int dir, const char *name, const char *text);

void processes_check_viewpoint(void);
void processes_read(struct processes *procs);
void processes_free(struct processes *procs);
const struct seen_process *processes_find(const struct processes *procs, unsigned int pid);
void process_visit_fds(unsigned int pid, fd_visitor visit, void *arg);
void process_fds_warn(void);

#endif /* _UCV_PROCESSES_H */
