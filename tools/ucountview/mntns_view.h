/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A mount namespace as it looks from its root directory: its mounts, and where a path leads.
 */
#ifndef _UCV_MNTNS_VIEW_H
#define _UCV_MNTNS_VIEW_H

#include <stdbool.h>

#include "procfs.h"
#include "snapshot.h"

/**
 * struct mntns_place - where a new mount at a path would be
 * @mount: ID of the mount there, as in mountinfo
 * @path: the path from the namespace's root directory, without symbolic links; allocated
 */
struct mntns_place {
	unsigned int mount;
	char *path;
};

int mntns_open(const struct ucv_mntns *ns);
int mntns_visit_mounts(int ns, mount_visitor visit, void *arg);
int mntns_find_place(int ns, const char *path, struct mntns_place *place);

#endif /* _UCV_MNTNS_VIEW_H */
