// SPDX-License-Identifier: GPL-2.0
/*
 * Fills a snapshot: which kernel tables are walked for it, and in what order.
 *
 * The order is: mount namespaces, if the kernel lists them; counters, which lead to most
 * user namespaces; tasks, which live in both kinds of namespaces and, on kernels without
 * a list, lead to the mount namespaces; the files of the tasks, for the groups. The
 * records of the user namespaces are made last, when all of them have been found.
 */
#include <linux/err.h>
#include <linux/ktime.h>
#include <linux/string.h>

#include "collect.h"
#include "compat/fsnotify.h"
#include "compat/kretprobes.h"
#include "compat/mntns.h"
#include "denials.h"
#include "snapshot.h"
#include "status.h"
#include "walk/walk.h"

#define UCV_GROUP_KINDS	(UCV_MASK(UCV_KIND_GROUP) | UCV_MASK(UCV_KIND_HOLDER))

/**
 * ucv_collect_supported() - the kinds that ucv_collect() can be asked for
 *
 * Return: UCV_MASK() of them
 */
u64 ucv_collect_supported(void)
{
	return UCV_MASK(UCV_KIND_RESOURCE) | UCV_MASK(UCV_KIND_USERNS) |
	       UCV_MASK(UCV_KIND_UCOUNTS) |
	       (ucv_mntns_available() ? UCV_MASK(UCV_KIND_MNTNS) : 0) |
	       (ucv_kretprobes_ucount() ? UCV_MASK(UCV_KIND_DENIAL_COUNT) : 0) |
	       (ucv_groups_available() ? UCV_GROUP_KINDS : 0);
}

static int ucv_collect_denials(struct ucv_snap *snap)
{
	struct ucv_array *records = &snap->records[UCV_KIND_DENIAL_COUNT];
	struct ucv_denial_count count;
	int ret = 0;
	u32 slot;

	for (slot = 0; slot <= UCV_DENIALS_COUNTS && !ret; slot++) {
		if (!ucv_denials_get_count(slot, &count))
			continue;
		ret = ucv_array_reserve(snap, records, 1);
		if (!ret)
			memcpy(ucv_array_at(records, records->nr++), &count, sizeof(count));
	}
	return ret;
}

/* Are the processes to be looked at for the namespaces that they live in? */
static bool ucv_collect_wants_tasks(const struct ucv_walk *walk, u32 flags)
{
	if (!(flags & UCV_SNAPSHOT_NO_PROCESSES))
		return true;
	return walk->snap->filled & UCV_MASK(UCV_KIND_MNTNS) && !ucv_mntns_listed();
}

static int ucv_collect_tables(struct ucv_walk *walk, u32 flags)
{
	int ret = 0;

	if (walk->snap->filled & UCV_MASK(UCV_KIND_MNTNS))
		ret = ucv_walk_mntns(walk);
	if (!ret)
		ret = ucv_walk_ucounts(walk);
	if (!ret && ucv_collect_wants_tasks(walk, flags))
		ret = ucv_walk_tasks(walk);
	/*
	 * Without a list, a mount namespace may have passed from a task to a bind mount
	 * after the mounts were walked and before the task was visited:
	 * walk the mounts again.
	 */
	if (!ret && walk->snap->filled & UCV_MASK(UCV_KIND_MNTNS) && !ucv_mntns_listed())
		ret = ucv_walk_mntns(walk);
	if (!ret && walk->snap->filled & UCV_MASK(UCV_KIND_GROUP))
		ret = ucv_walk_holders(walk);
	if (!ret)
		ret = ucv_nsmap_finish(walk);
	return ret;
}

static int ucv_collect_walk(struct ucv_snap *snap, u32 flags)
{
	struct ucv_walk *walk;
	int ret;

	walk = ucv_snap_alloc(snap, sizeof(*walk));
	if (IS_ERR(walk))
		return PTR_ERR(walk);
	walk->snap = snap;
	walk->root_seen = false;
	ucv_index_init(&walk->mntns, &snap->records[UCV_KIND_MNTNS]);
	ret = ucv_nsmap_init(walk);
	if (!ret)
		ret = ucv_collect_tables(walk, flags);
	ucv_nsmap_destroy(walk);
	ucv_index_free(snap, &walk->mntns);
	ucv_snap_release(snap, walk, sizeof(*walk));
	return ret;
}

/*
 * Any walk implies the user namespaces, whichever of the kernel's tables was requested;
 * groups and holders imply each other.
 */
static int ucv_collect_kinds(struct ucv_snap *snap, u64 request, u32 flags)
{
	u64 walked = request & ~(UCV_MASK(UCV_KIND_RESOURCE) | UCV_MASK(UCV_KIND_DENIAL_COUNT));
	int ret = 0;

	if (request & UCV_MASK(UCV_KIND_DENIAL_COUNT))
		ret = ucv_collect_denials(snap);
	if (ret || !walked)
		return ret;
	snap->filled = request | UCV_MASK(UCV_KIND_USERNS);
	if (request & UCV_GROUP_KINDS)
		snap->filled |= UCV_GROUP_KINDS;
	return ucv_collect_walk(snap, flags);
}

/**
 * ucv_collect() - read the kernel's tables
 * @request: UCV_MASK() of the kinds wanted, a subset of ucv_collect_supported()
 * @flags: UCV_SNAPSHOT_*
 *
 * Context: process context, no locks held. Sleeps.
 * Return: a snapshot for ucv_snap_free(), or -EFBIG if it would exceed
 *	max_snapshot_kib, -ENOMEM, -EINTR if a fatal signal is pending
 */
struct ucv_snap *ucv_collect(u64 request, u32 flags)
{
	struct ucv_snap *snap;
	int ret;

	snap = ucv_snap_new();
	if (!snap)
		return ERR_PTR(-ENOMEM);
	snap->filled = request;
	snap->start_ns = ktime_get_boottime_ns();
	ret = ucv_collect_kinds(snap, request, flags);
	snap->end_ns = ktime_get_boottime_ns();
	if (ret) {
		ucv_snap_free(snap);
		return ERR_PTR(ret);
	}
	if (snap->filled & UCV_MASK(UCV_KIND_USERNS)) /* there was a walk */
		ucv_status_add_walk(snap);
	return snap;
}
