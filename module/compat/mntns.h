/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mount namespaces: enumeration, lifetime and private counters.
 *
 * struct mnt_namespace is private to fs/. Its layout comes from the BTF of the running
 * kernel or, without BTF, from fs/mount.h if the module was built in a full kernel tree.
 * Without either, the mount side is unavailable.
 *
 * Enumeration, by kernel, and how the form is recognized (full table in
 * Documentation/kernel-interfaces.rst):
 *
 * - 6.14 and later: an RCU-protected list of all mount namespaces, sorted by ID. Each is
 *   freed after a grace period, and its reference on its user namespace with it. The same
 *   are in a tree; a seqlock protects both against other writers, and is taken only to
 *   look up where on the list to resume. In 6.14
 *   to 6.17 the list is mnt_ns_list, and struct mnt_namespace has the members mnt_ns_list
 *   and mnt_ns_rcu. In 6.18 it is mnt_ns_tree.ns_list, of the private struct ns_tree;
 *   since 6.19 mnt_ns_tree.ns_list_head, of the public struct ns_tree_root.
 * - 6.11 to 6.13: a tree under its own rwlock. A namespace is removed from the tree under
 *   that lock and freed later, so the lock pins it and its reference on its user
 *   namespace. struct mnt_namespace has mnt_ns_tree_node, but neither mnt_ns_list nor
 *   mnt_ns_rcu: with either, mnt_ns_tree_lock is a seqlock, and taking it as a rwlock
 *   would spin forever.
 * - Before 6.11: no list. Namespaces are found through their holders: tasks (task_lock()
 *   pins what a task points to), open nsfs files (the file table's lock pins its files, a
 *   file its inode, the inode its namespace) and bind mounts of nsfs files (mount_lock
 *   pins the mounts of a superblock, a mount its root, the root its inode). A namespace
 *   held only by a file in flight in a socket is not found.
 *
 * Being on the list or in the tree does not pin the ucounts entry that a namespace is
 * charged to: the charge is dropped after the last reference and before the removal. So
 * the uid is read first, with a fault-tolerant read, and is valid only if the namespace
 * still has a reference afterwards: then the charge had not been dropped yet.
 */
#ifndef UCV_COMPAT_MNTNS_H
#define UCV_COMPAT_MNTNS_H

#include <linux/types.h>

struct mnt_namespace;
struct mount;
struct task_struct;
struct ucv_btf;
struct ucv_files_pos;
struct ucv_section_timer;
struct user_namespace;

/**
 * struct ucv_mntns_facts - state of a mount namespace when it was found
 * @id: unique 64-bit ID
 * @inum: inode number
 * @uid: the user it is charged to, as seen from the initial user namespace
 * @charged: false if no user is charged, as for the initial one on recent kernels
 * @mounts: number of mounts, including the hidden root mount
 * @pending: mounts that are reserved but not yet attached
 * @user_ns: the user namespace that owns it and is charged; valid for
 *	ucv_userns_get() during the visit only
 */
struct ucv_mntns_facts {
	u64 id;
	u32 inum;
	u32 uid;
	u32 mounts;
	u32 pending;
	bool charged;
	struct user_namespace *user_ns;
};

/**
 * typedef ucv_mntns_visit - callback for one mount namespace
 * @facts: its state
 * @arg: the caller's argument
 *
 * Context: under the lock that pins the namespace. Must not sleep.
 * Return: 0 to continue; any other value stops the walk and is returned
 */
typedef int (*ucv_mntns_visit)(const struct ucv_mntns_facts *facts, void *arg);

void ucv_mntns_init(const struct ucv_btf *btf);
bool ucv_mntns_available(void);
bool ucv_mntns_listed(void);
u32 ucv_mntns_limit(void);
int ucv_mntns_read(struct mnt_namespace *ns, struct ucv_mntns_facts *facts);
u32 ucv_mount_tree_size(struct mount *root, u32 max);
int ucv_mntns_visit_listed(u64 after, ucv_mntns_visit visit, void *arg,
			   struct ucv_section_timer *timer);
int ucv_mntns_visit_task(struct task_struct *task, ucv_mntns_visit visit, void *arg);
int ucv_mntns_visit_files(struct task_struct *task, struct ucv_files_pos *pos,
			  ucv_mntns_visit visit, void *arg);
int ucv_mntns_visit_binds(ucv_mntns_visit visit, void *arg, struct ucv_section_timer *timer);

#endif
