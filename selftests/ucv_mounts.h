/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Shared by the tests of mount namespaces: snapshots of them, and the same numbers from
 * /proc/PID/mountinfo and nsfs.
 *
 * Functions return a negative errno on failure unless noted otherwise.
 */
#ifndef _UCV_MOUNTS_H
#define _UCV_MOUNTS_H

#include "ucv_test.h"

#define UCV_MOUNT_MAX		"/proc/sys/fs/mount-max"

/* A complete snapshot of the mount namespaces. */
struct ucv_mntns_table {
	struct ucv_snapshot snapshot;
	unsigned int nr_userns;
	unsigned int nr;
	struct ucv_userns *userns;
	struct ucv_mntns *records;
};

int ucv_mntns_take_from(int fd, struct ucv_mntns_table *table);
int ucv_mntns_take(struct ucv_mntns_table *table);
void ucv_mntns_free(struct ucv_mntns_table *table);
const char *ucv_mntns_inconsistent(const struct ucv_mntns_table *table);
const struct ucv_mntns *ucv_mntns_find(const struct ucv_mntns_table *table, unsigned int inum);
int ucv_mntns_now(unsigned int inum, struct ucv_mntns *record);
bool ucv_mntns_gone(__u64 id);
long ucv_mntns_count_now(void);
int ucv_mntns_line(unsigned int inum, char *line, size_t size);

/* A mount namespace as mountinfo and nsfs show it. */
struct ucv_mntns_seen {
	unsigned int inum;
	unsigned int userns;	/* inode number of the owning user namespace */
	long mounts;		/* from mountinfo, plus the mount it hides */
	long info;		/* from NS_MNT_GET_INFO; -ENOTTY before 6.12 */
	__u64 id;		/* from NS_GET_MNTNS_ID; 0 before 6.11 */
};

long ucv_mountinfo_count(const char *path);
int ucv_mntns_look(int ns, struct ucv_mntns_seen *seen);
int ucv_mntns_open(pid_t pid, int flags);
bool ucv_kernel_has(unsigned int version, unsigned int patchlevel);

int ucv_agent_mount(struct ucv_agent *agent, const char *type, const char *options,
		    const char *path);

/* Functions for agents; a and text are members of the call. */
long ucv_do_new_mntns(struct ucv_call *call);	/* unshare(CLONE_NEWNS | a), private */
long ucv_do_mkdir(struct ucv_call *call);	/* mkdir(text) */
long ucv_do_mount(struct ucv_call *call);	/* text: type, options, path, one a line */
long ucv_do_bind(struct ucv_call *call);	/* a bind mounts of text on itself */
long ucv_do_unbind(struct ucv_call *call);	/* unmounts the last a of them */
long ucv_do_unshare_mounts(struct ucv_call *call); /* a copy of all, propagation unchanged */
long ucv_do_propagation(struct ucv_call *call);	/* text: type, newline, mount point */
long ucv_do_rbind(struct ucv_call *call);	/* text on itself, with the mounts below */

/*
 * Mounts a tmpfs on text, and in it a peer group of a mounts: 0, 1 ... in which there is a
 * directory m. Also makes the directories tree and spare.
 */
long ucv_do_peers(struct ucv_call *call);
/* Makes a mount on m, and so a mounts: a tmpfs or, if a, what is mounted on tree. */
long ucv_do_propagate(struct ucv_call *call);

#endif /* _UCV_MOUNTS_H */
