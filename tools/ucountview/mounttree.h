/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The mounts that processes see, by mount namespace.
 */
#ifndef _UCV_MOUNTTREE_H
#define _UCV_MOUNTTREE_H

#include <stdbool.h>
#include <stddef.h>

#include "processes.h"

/**
 * struct mount_tree - a mount namespace as a process in it sees it
 * @mntns: inode number of the mount namespace
 * @mounts: how many mounts there are at least, in mountinfo and above
 * @whole: these are all, as the process sees the root of the namespace
 */
struct mount_tree {
	__u32 mntns;
	long long mounts;
	bool whole;
};

/**
 * struct mount_trees - all that can be seen
 * @list: each mount namespace once
 * @nr: how many
 */
struct mount_trees {
	struct mount_tree *list;
	size_t nr;
};

void mount_trees_read(struct mount_trees *trees, const struct processes *procs);
void mount_trees_free(struct mount_trees *trees);

#endif /* _UCV_MOUNTTREE_H */
