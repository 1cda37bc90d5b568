/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of the mount side share: snapshots of the mount namespaces, and the
 * same numbers asked elsewhere: of /proc/PID/mountinfo and of nsfs.
 *
 * Functions return a negative errno when they fail, unless it says otherwise.
 */
#ifndef _UCV_MOUNTS_H
#define _UCV_MOUNTS_H

#include "ucv_test.h"

#define UCV_MOUNT_MAX		"/proc/sys/fs/mount-max"

/* A snapshot of the mount namespaces, read whole. */
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
const struct ucv_mntns *ucv_mntns_find(const struct ucv_mntns_table *table,
				       unsigned int inum);
int ucv_mntns_now(unsigned int inum, struct ucv_mntns *record);
bool ucv_mntns_gone(__u64 id);
long ucv_mntns_count_now(void);
int ucv_mntns_line(unsigned int inum, char *line, size_t size);

/* A mount namespace as everybody but the module shows it. */
struct ucv_mntns_seen {
	unsigned int inum;
	unsigned int userns;	/* inode number of the one that owns it */
	long mounts;		/* by mountinfo, with what that hides */
	long info;		/* by NS_MNT_GET_INFO; -ENOTTY before 6.12 */
	__u64 id;		/* by NS_GET_MNTNS_ID; 0 before 6.11 */
};

long ucv_mountinfo_count(const char *path);
int ucv_mntns_look(int ns, struct ucv_mntns_seen *seen);
int ucv_mntns_open(pid_t pid, int flags);
bool ucv_kernel_has(unsigned int version, unsigned int patchlevel);

/* What an agent can be sent. */
long ucv_do_new_mntns(struct ucv_call *call);	/* with a flags more; private */
long ucv_do_bind(struct ucv_call *call);	/* a times text over itself */
long ucv_do_unbind(struct ucv_call *call);	/* the last a of them */

#endif /* _UCV_MOUNTS_H */
