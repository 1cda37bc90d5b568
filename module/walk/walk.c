// SPDX-License-Identifier: GPL-2.0
/*
 * One walk through the kernel's tables: which, and in what order.
 *
 * The mount namespaces that the kernel lists come first; then the counters, which
 * lead to most user namespaces; then the tasks, which live in both kinds and,
 * on kernels without a list, lead to the mount namespaces; then their files, for
 * the groups. The records of the user namespaces are made last, when all of them
 * have been met.
 */
#include <linux/err.h>

#include "compat/mntns.h"
#include "walk/walk.h"

static int ucv_walk_tables(struct ucv_walk *walk)
{
	int ret = 0;

	if (walk->snap->filled & UCV_MASK(UCV_KIND_MNTNS))
		ret = ucv_walk_mntns(walk);
	if (!ret)
		ret = ucv_walk_ucounts(walk);
	if (!ret)
		ret = ucv_walk_tasks(walk);
	/*
	 * Where mount namespaces are not listed, one may have gone from a task
	 * to a bind mount meanwhile: after the mounts, before the task was met.
	 */
	if (!ret && walk->snap->filled & UCV_MASK(UCV_KIND_MNTNS) && !ucv_mntns_listed())
		ret = ucv_walk_mntns(walk);
	if (!ret && walk->snap->filled & UCV_MASK(UCV_KIND_GROUP))
		ret = ucv_walk_holders(walk);
	if (!ret)
		ret = ucv_nsmap_finish(walk);
	return ret;
}

/**
 * ucv_walk() - read the tables
 * @snap: where the records go; @snap->filled says of which kinds
 *
 * Context: process context, no locks held. Sleeps.
 * Return: 0, -EFBIG, -ENOMEM or -EINTR
 */
int ucv_walk(struct ucv_snap *snap)
{
	struct ucv_walk *walk;
	int ret;

	walk = ucv_snap_alloc(snap, sizeof(*walk));
	if (IS_ERR(walk))
		return PTR_ERR(walk);
	walk->snap = snap;
	ucv_mntmap_init(walk);
	ret = ucv_nsmap_init(walk);
	if (!ret)
		ret = ucv_walk_tables(walk);
	ucv_nsmap_destroy(walk);
	ucv_mntmap_destroy(walk);
	ucv_snap_release(snap, walk, sizeof(*walk));
	return ret;
}
