// SPDX-License-Identifier: GPL-2.0
/*
 * The size of a tree of mounts that is to be attached to a mount namespace.
 */
#include <linux/list.h>
#include <linux/types.h>

#include "compat/mntns.h"
#include "compat/mntns_layout.h"

static struct list_head *ucv_mount_children(struct mount *mnt)
{
	return (void *)mnt + ucv_mntns_layout.children;
}

static struct list_head *ucv_mount_sibling(struct mount *mnt)
{
	return (void *)mnt + ucv_mntns_layout.sibling;
}

static struct mount *ucv_mount_parent(struct mount *mnt)
{
	return *(struct mount **)((void *)mnt + ucv_mntns_layout.parent);
}

/* The next mount in the tree below root, parents first; NULL at the end. */
static struct mount *ucv_mount_next(struct mount *mnt, struct mount *root)
{
	struct list_head *next = ucv_mount_children(mnt)->next;

	if (next != ucv_mount_children(mnt))
		return (void *)next - ucv_mntns_layout.sibling;
	while (mnt != root) {
		next = ucv_mount_sibling(mnt)->next;
		mnt = ucv_mount_parent(mnt);
		if (next != ucv_mount_children(mnt))
			return (void *)next - ucv_mntns_layout.sibling;
	}
	return NULL;
}

/**
 * ucv_mount_tree_size() - count the mounts of a tree
 * @root: its root, which is counted
 * @max: stop counting here
 *
 * Context: namespace_sem is held, which keeps the tree stable. Does not sleep.
 * Return: their number, or @max; 0 if this kernel's struct mount is unsupported (it lacks
 *	mnt_parent, mnt_mounts or mnt_child)
 */
u32 ucv_mount_tree_size(struct mount *root, u32 max)
{
	struct mount *mnt;
	u32 nr = 0;

	if (ucv_mntns_layout.parent == UCV_ABSENT || ucv_mntns_layout.children == UCV_ABSENT ||
	    ucv_mntns_layout.sibling == UCV_ABSENT)
		return 0;
	for (mnt = root; mnt && nr < max; mnt = ucv_mount_next(mnt, root))
		nr++;
	return nr;
}
