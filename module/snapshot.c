// SPDX-License-Identifier: GPL-2.0
/*
 * A snapshot: takes one walk through the kernel's tables and keeps the records.
 * What the tables are is not known here, only the order of the walks.
 */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/timekeeping.h>

#include "denials.h"
#include "kernel/groups.h"
#include "kernel/hooks.h"
#include "kernel/mntns.h"
#include "snapshot.h"
#include "status.h"
#include "walk/walk.h"

#define UCV_GROUP_KINDS	(UCV_MASK(UCV_KIND_GROUP) | UCV_MASK(UCV_KIND_HOLDER))

static unsigned int max_snapshot_kib = 64 * 1024;
module_param(max_snapshot_kib, uint, 0644);
MODULE_PARM_DESC(max_snapshot_kib,
		 "memory that one open file may pin for its snapshot, in KiB (default 65536)");

/**
 * ucv_snap_grow() - make room for more in an array of a snapshot
 * @snap: whose memory bound counts
 * @data: the array, or NULL
 * @stride: bytes of an element
 * @nr: elements in use
 * @max: in: elements there is room for; out: the new number
 *
 * Context: process context, no locks held. Sleeps.
 * Return: the array in its new place (the old one is freed); -EFBIG if the
 *	snapshot would exceed its bound, -ENOMEM: then nothing has changed
 */
void *ucv_snap_grow(struct ucv_snap *snap, void *data, size_t stride, u32 nr, u32 *max)
{
	u32 room = max(*max, 128U);
	size_t bytes, more;
	void *grown;

	if (check_add_overflow(*max, room, &room) ||
	    check_mul_overflow((size_t)room, stride, &bytes))
		return ERR_PTR(-EFBIG);
	more = bytes - *max * stride;
	if (snap->bytes > snap->max_bytes || more > snap->max_bytes - snap->bytes)
		return ERR_PTR(-EFBIG);

	grown = kvmalloc(bytes, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!grown)
		return ERR_PTR(-ENOMEM);
	if (nr)
		memcpy(grown, data, nr * stride);
	kvfree(data);
	snap->bytes += more;
	*max = room;
	return grown;
}

/**
 * ucv_records_grow() - make room for more records of a kind
 * @snap: whose they are
 * @kind: which
 *
 * Context: process context, no locks held. Sleeps.
 * Return: 0, -EFBIG or -ENOMEM
 */
int ucv_records_grow(struct ucv_snap *snap, enum ucv_kind kind)
{
	struct ucv_records *records = &snap->records[kind];
	void *data;

	data = ucv_snap_grow(snap, records->data, records->stride, records->nr,
			     &records->max);
	if (IS_ERR(data))
		return PTR_ERR(data);
	records->data = data;
	return 0;
}

static void ucv_snap_drop(struct ucv_snap *snap, enum ucv_kind kind)
{
	struct ucv_records *records = &snap->records[kind];

	if (kind != UCV_KIND_RESOURCE)
		kvfree(records->data);
	records->data = NULL;
	records->nr = 0;
	records->max = 0;
}

/**
 * ucv_snap_free() - forget a snapshot
 * @snap: from ucv_snap_take(), or NULL
 *
 * Context: process context. May sleep.
 */
void ucv_snap_free(struct ucv_snap *snap)
{
	unsigned int kind;

	if (!snap)
		return;
	for (kind = 0; kind < UCV_NR_KINDS; kind++)
		ucv_snap_drop(snap, kind);
	kfree(snap);
}

static struct ucv_snap *ucv_snap_alloc(void)
{
	struct ucv_snap *snap;

	snap = kzalloc(sizeof(*snap), GFP_KERNEL_ACCOUNT);
	if (!snap)
		return NULL;
	snap->max_bytes = (size_t)READ_ONCE(max_snapshot_kib) * 1024;
	snap->records[UCV_KIND_USERNS].stride = UCV_USERNS_STRIDE;
	snap->records[UCV_KIND_UCOUNTS].stride = UCV_UCOUNTS_STRIDE;
	snap->records[UCV_KIND_MNTNS].stride = sizeof(struct ucv_mntns);
	snap->records[UCV_KIND_DENIAL_COUNT].stride = sizeof(struct ucv_denial_count);
	snap->records[UCV_KIND_GROUP].stride = sizeof(struct ucv_group);
	snap->records[UCV_KIND_HOLDER].stride = sizeof(struct ucv_holder);

	/* The names are the same for all and live as long as the module. */
	snap->records[UCV_KIND_RESOURCE].data = ucv_resources;
	snap->records[UCV_KIND_RESOURCE].stride = sizeof(ucv_resources[0]);
	snap->records[UCV_KIND_RESOURCE].nr = UCV_NR_RESOURCES;
	snap->records[UCV_KIND_RESOURCE].max = UCV_NR_RESOURCES;
	return snap;
}

/**
 * ucv_snap_supported() - the kinds that ucv_snap_take() can be asked for
 *
 * Return: UCV_MASK() of them
 */
u64 ucv_snap_supported(void)
{
	return UCV_MASK(UCV_KIND_RESOURCE) | UCV_MASK(UCV_KIND_USERNS) |
	       UCV_MASK(UCV_KIND_UCOUNTS) |
	       (ucv_mntns_available() ? UCV_MASK(UCV_KIND_MNTNS) : 0) |
	       (ucv_hooks_ucount() ? UCV_MASK(UCV_KIND_DENIAL_COUNT) : 0) |
	       (ucv_groups_available() ? UCV_GROUP_KINDS : 0);
}

static int ucv_snap_denial_counts(struct ucv_snap *snap)
{
	struct ucv_records *records = &snap->records[UCV_KIND_DENIAL_COUNT];
	struct ucv_denial_count count;
	int ret = 0;
	u32 slot;

	for (slot = 0; slot <= UCV_DENIALS_COUNTS && !ret; slot++) {
		if (!ucv_denials_get_count(slot, &count))
			continue;
		if (records->nr == records->max)
			ret = ucv_records_grow(snap, UCV_KIND_DENIAL_COUNT);
		if (!ret)
			memcpy(ucv_record(records, records->nr++), &count, sizeof(count));
	}
	return ret;
}

/*
 * Whichever of the kernel's tables is asked for, the user namespaces come with it;
 * groups and holders come as a pair.
 */
static int ucv_snap_fill(struct ucv_snap *snap, u64 request)
{
	u64 walked = request & ~(UCV_MASK(UCV_KIND_RESOURCE) | UCV_MASK(UCV_KIND_DENIAL_COUNT));
	int ret = 0;

	if (request & UCV_MASK(UCV_KIND_DENIAL_COUNT))
		ret = ucv_snap_denial_counts(snap);
	if (ret || !walked)
		return ret;
	snap->filled = request | UCV_MASK(UCV_KIND_USERNS);
	if (request & UCV_GROUP_KINDS)
		snap->filled |= UCV_GROUP_KINDS;
	return ucv_walk(snap);
}

/**
 * ucv_snap_take() - read the kernel's tables
 * @request: UCV_MASK() of the kinds wanted, a subset of ucv_snap_supported()
 *
 * Context: process context, no locks held. Sleeps.
 * Return: a snapshot for ucv_snap_free(), or -EFBIG if it would exceed
 *	max_snapshot_kib, -ENOMEM, -EINTR if a fatal signal is pending
 */
struct ucv_snap *ucv_snap_take(u64 request)
{
	struct ucv_snap *snap;
	int ret;

	snap = ucv_snap_alloc();
	if (!snap)
		return ERR_PTR(-ENOMEM);
	snap->filled = request;
	snap->start_ns = ktime_get_boottime_ns();
	ret = ucv_snap_fill(snap, request);
	snap->end_ns = ktime_get_boottime_ns();
	if (ret) {
		ucv_snap_free(snap);
		return ERR_PTR(ret);
	}
	if (snap->filled & UCV_MASK(UCV_KIND_USERNS)) /* it has walked */
		ucv_status_note(snap);
	return snap;
}
