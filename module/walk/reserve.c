// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of a walk, reserved before each locked section: nothing is allocated in one.
 */
#include "walk/walk.h"

/**
 * ucv_walk_reserve() - reserve memory for more of what a walk finds
 * @walk: the walk
 * @kind: UCV_KIND_*: user namespaces, or records that belong to one. A holder leads to a
 *	group as well.
 * @least: minimum number of records to reserve
 *
 * In any case there will be memory for one more user namespace and all of its ancestors,
 * at any level.
 *
 * Context: process context, no locks held. Sleeps.
 * Return: 0, -EFBIG or -ENOMEM
 */
int ucv_walk_reserve(struct ucv_walk *walk, unsigned int kind, u32 least)
{
	struct ucv_snap *snap = walk->snap;
	int ret = ucv_index_reserve(snap, &walk->map.index, UCV_USERNS_LEVELS);

	/* The records of user namespaces are made last, when their number is known. */
	if (!ret && kind == UCV_KIND_MNTNS)
		ret = ucv_index_reserve(snap, &walk->mntns, least);
	else if (!ret && kind != UCV_KIND_USERNS)
		ret = ucv_array_reserve(snap, &snap->records[kind], least);
	if (!ret && kind == UCV_KIND_HOLDER)
		ret = ucv_array_reserve(snap, &snap->records[UCV_KIND_GROUP], least);
	if (!ret && kind == UCV_KIND_HOLDER)
		ret = ucv_index_reserve(snap, &walk->grpmap.index, least);
	return ret;
}
