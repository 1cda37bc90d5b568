/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What /proc tells about a process's credentials and namespaces.
 */
#ifndef _UCV_PROCESS_H
#define _UCV_PROCESS_H

#include <stdbool.h>
#include <linux/types.h>

/**
 * enum ns_type - a type of namespaces that can be named by an argument
 * @NS_USER: user namespaces
 * @NS_MNT: mount namespaces
 */
enum ns_type {
	NS_USER,
	NS_MNT,
};

/**
 * struct process - what a charge needs to know about a process
 * @pid: as this program's pid namespace sees it
 * @euid: its effective uid, as this program's user namespace sees it
 * @userns: inode number of its user namespace
 * @mntns: inode number of its mount namespace; 0 if it has none any more
 */
struct process {
	unsigned int pid;
	__u32 euid;
	__u32 userns;
	__u32 mntns;
};

void process_read(struct process *process, unsigned int pid);
__u32 process_namespace(unsigned int pid, enum ns_type type);
bool process_maps_root(unsigned int pid);
const char *namespace_name(enum ns_type type);
__u32 namespace_of_fd(int fd, enum ns_type type, const char *name);

#endif /* _UCV_PROCESS_H */
