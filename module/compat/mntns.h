/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mount namespaces: how all of them are found, what keeps each alive meanwhile,
 * and where its private counters lie.
 *
 * struct mnt_namespace is private to fs/. Its layout comes from the BTF of the
 * running kernel, or, where that has none, from fs/mount.h if the module was
 * built in a full kernel tree. Without either the mount side is not available.
 *
 * How they are found, by kernel, and what tells so (Documentation/kernel-interfaces.rst
 * has the whole table):
 *
 * - Since 6.14 all mount namespaces are on a list that RCU protects, in the order of
 *   their ids, and each is freed after a grace period, its reference on its user
 *   namespace with it. From 6.14 to 6.17 the list is mnt_ns_list, and struct
 *   mnt_namespace has the members mnt_ns_list and mnt_ns_rcu; in 6.18 it is part of
 *   mnt_ns_tree, as ns_list of a private struct ns_tree; since 6.19 as ns_list_head of
 *   the public struct ns_tree_root.
 * - From 6.11 to 6.13 they are in a tree under a rwlock of its own. A namespace leaves
 *   the tree under that lock and is freed later, so the lock keeps it and its
 *   reference on its user namespace. struct mnt_namespace has mnt_ns_tree_node and
 *   neither of the two members above: with one of them mnt_ns_tree_lock is a seqlock,
 *   and whoever takes it for a rwlock waits forever.
 * - Before that nobody knows them all. They are found where they are held: by
 *   tasks (task_lock() keeps what a task points to), by open files on nsfs (the
 *   lock of the file table keeps its files, a file its inode, the inode its
 *   namespace), and by bind mounts of nsfs files (mount_lock keeps the mounts of
 *   a superblock, a mount its root, that its inode). A namespace that is held by
 *   nothing but a file in flight in a socket is not found.
 *
 * On none of them does a namespace that is still on the list or in the tree keep
 * the ucounts entry that it is charged to: the charge is dropped between the
 * last reference and the removal. So the uid is read first, with a read that
 * survives a bad address, and believed only if the namespace has a reference
 * left afterwards: then the charge had not been dropped when it was read.
 */
#ifndef UCV_COMPAT_MNTNS_H
#define UCV_COMPAT_MNTNS_H

#include <linux/types.h>

struct mnt_namespace;
struct mount;
struct task_struct;
struct ucv_btf;
struct ucv_files_place;
struct ucv_hold;
struct user_namespace;

/**
 * struct ucv_mntns_facts - what a mount namespace held when it was met
 * @id: an identifier that is never used again
 * @inum: its inode number
 * @uid: whom it is charged to, as the initial user namespace sees it
 * @charged: false if it is charged to nobody, as the initial one of late
 * @mounts: its mounts, the hidden root mount included
 * @pending: mounts that are reserved but not attached yet
 * @user_ns: the user namespace that owns it and is charged; good for
 *	ucv_userns_hold() as long as the visit lasts, no longer
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
 * typedef ucv_mntns_visit - called for a mount namespace
 * @facts: what it holds
 * @arg: the caller's
 *
 * Context: under the lock that keeps the namespace. Must not sleep.
 * Return: 0 to go on, anything else to stop and be returned
 */
typedef int (*ucv_mntns_visit)(const struct ucv_mntns_facts *facts, void *arg);

void ucv_mntns_init(const struct ucv_btf *btf);
bool ucv_mntns_available(void);
bool ucv_mntns_listed(void);
u32 ucv_mntns_limit(void);
int ucv_mntns_read(struct mnt_namespace *ns, struct ucv_mntns_facts *facts);
u32 ucv_mount_tree_size(struct mount *root, u32 max);
int ucv_mntns_visit_listed(u64 after, ucv_mntns_visit visit, void *arg,
			   struct ucv_hold *hold);
int ucv_mntns_visit_task(struct task_struct *task, ucv_mntns_visit visit, void *arg);
int ucv_mntns_visit_files(struct task_struct *task, struct ucv_files_place *place,
			  ucv_mntns_visit visit, void *arg);
int ucv_mntns_visit_binds(ucv_mntns_visit visit, void *arg, struct ucv_hold *hold);

#endif
