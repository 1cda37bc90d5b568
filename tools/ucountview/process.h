/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What /proc tells about a process's credentials.
 */
#ifndef _UCV_PROCESS_H
#define _UCV_PROCESS_H

#include <stdbool.h>
#include <linux/types.h>

/**
 * struct process - what a charge needs to know about a process
 * @pid: as this program's pid namespace sees it
 * @euid: its effective uid, as this program's user namespace sees it
 * @userns: inode number of its user namespace
 */
struct process {
	unsigned int pid;
	__u32 euid;
	__u32 userns;
};

void process_read(struct process *process, unsigned int pid);
__u32 process_userns(unsigned int pid);
bool process_maps_root(unsigned int pid);
__u32 userns_of_fd(int fd, const char *name);

#endif /* _UCV_PROCESS_H */
