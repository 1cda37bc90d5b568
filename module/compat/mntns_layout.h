/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where the members of struct mnt_namespace and struct mount are. For mntns_*.c only.
 */
#ifndef UCV_COMPAT_MNTNS_LAYOUT_H
#define UCV_COMPAT_MNTNS_LAYOUT_H

#include <linux/fs.h>
#include <linux/limits.h>
#include <linux/types.h>

#include "compat/features.h"

struct mnt_namespace;
struct mount;
struct ns_common;
struct ucv_btf;

/* Marks a member that this kernel lacks. (Not 0: a member may be the first.) */
#define UCV_ABSENT		U32_MAX

/* Offsets of the members, in bytes. */
struct ucv_mntns_layout {
	u32 ns;
	u32 user_ns;
	u32 ucounts;
	u32 id;
	u32 mounts;
	u32 pending;
	u32 tree_node;
	u32 list_node;
	u32 rcu;
	u32 instance;	/* this and the rest: in struct mount */
	u32 vfsmount;
	u32 parent;
	u32 children;
	u32 sibling;
};

/* Set at load, constant afterwards. */
extern struct ucv_mntns_layout ucv_mntns_layout;

/* UCV_SB_HAS_LIST: are the mounts of a super block on an ordinary list? */
#if UCV_HAVE_SB_MOUNTS_LIST

#define UCV_SB_HAS_LIST		1
/* Where they are linked, with fs/mount.h. */
#define UCV_MOUNT_INSTANCE	offsetof(struct mount, mnt_instance)

/**
 * ucv_sb_mounts() - the list of all mounts of a super block
 * @sb: the super block
 *
 * Return: NULL if this kernel links them otherwise
 */
static inline struct list_head *ucv_sb_mounts(struct super_block *sb)
{
	return &sb->s_mounts;
}

#else

#define UCV_SB_HAS_LIST		0
#define UCV_MOUNT_INSTANCE	UCV_ABSENT

static inline struct list_head *ucv_sb_mounts(struct super_block *sb)
{
	return NULL;
}

#endif

int ucv_mntns_find_layout(const struct ucv_btf *btf);

/**
 * ucv_mntns_common() - the part of a mount namespace that all namespaces share
 * @ns: the namespace
 */
static inline struct ns_common *ucv_mntns_common(struct mnt_namespace *ns)
{
	return (void *)ns + ucv_mntns_layout.ns;
}

/**
 * ucv_mntns_id() - unique 64-bit ID of a mount namespace
 * @ns: its memory is pinned by the caller
 */
static inline u64 ucv_mntns_id(struct mnt_namespace *ns)
{
	return *(u64 *)((void *)ns + ucv_mntns_layout.id);
}

#endif
