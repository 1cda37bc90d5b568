/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ucountview mounts: what its files share.
 */
#ifndef _UCV_MOUNTS_H
#define _UCV_MOUNTS_H

#include "options.h"
#include "snapshot.h"
#include "table.h"

/* cmd-mounts.c */
const struct ucv_mntns *mounts_target(const struct args *args, const struct snapshot *snap,
				      int *fd);

int mounts_by(struct args *args, struct table *tb);	/* mounts_by.c */
int mounts_at(struct args *args, struct table *tb);	/* mounts_at.c */

#endif /* _UCV_MOUNTS_H */
