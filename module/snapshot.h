/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A snapshot: the records of one walk through the kernel's tables, as the front
 * ends hand them out.
 */
#ifndef UCV_SNAPSHOT_H
#define UCV_SNAPSHOT_H

#include <linux/overflow.h>
#include <linux/stddef.h>
#include <linux/types.h>

#include <uapi/ucountview.h>

#include "hold.h"
#include "kernel/resources.h"

/*
 * Records in memory end with the last resource that this kernel has; those of
 * the ABI have room for more, which reads as zeroes.
 */
#define UCV_USERNS_STRIDE	offsetof(struct ucv_userns, limit[UCV_NR_RESOURCES])
#define UCV_UCOUNTS_STRIDE	offsetof(struct ucv_ucounts, used[UCV_NR_RESOURCES])

/**
 * struct ucv_records - an array of records of one kind
 * @data: the records, @stride bytes from one to the next
 * @stride: bytes
 * @nr: how many there are
 * @max: how many there is room for
 */
struct ucv_records {
	void *data;
	size_t stride;
	u32 nr;
	u32 max;
};

/**
 * struct ucv_snap - a snapshot
 * @records: by kind. Once ucv_snap_take() has returned, nothing changes any more.
 * @filled: UCV_MASK() of the kinds that are there
 * @bytes: memory taken so far
 * @max_bytes: memory it may take
 * @start_ns: when the walk began, CLOCK_BOOTTIME
 * @end_ns: when it ended
 * @hold: the longest time that it held a lock or an RCU read section
 * @skipped: entries left out because their namespace was gone
 */
struct ucv_snap {
	struct ucv_records records[UCV_NR_KINDS];
	u64 filled;
	size_t bytes;
	size_t max_bytes;
	u64 start_ns;
	u64 end_ns;
	struct ucv_hold hold;
	u32 skipped;
};

struct ucv_snap *ucv_snap_take(u64 request);
void ucv_snap_free(struct ucv_snap *snap);
void *ucv_snap_grow(struct ucv_snap *snap, void *data, size_t stride, u32 nr, u32 *max);
u64 ucv_snap_supported(void);
int ucv_records_grow(struct ucv_snap *snap, enum ucv_kind kind);

/**
 * ucv_record() - one record of an array
 * @records: the array
 * @index: less than records->max
 */
static inline void *ucv_record(const struct ucv_records *records, u32 index)
{
	return records->data + index * records->stride;
}

static inline struct ucv_userns *ucv_snap_userns(const struct ucv_snap *snap, u32 index)
{
	return ucv_record(&snap->records[UCV_KIND_USERNS], index);
}

static inline struct ucv_mntns *ucv_snap_mntns(const struct ucv_snap *snap, u32 index)
{
	return ucv_record(&snap->records[UCV_KIND_MNTNS], index);
}

static inline struct ucv_ucounts *ucv_snap_ucounts(const struct ucv_snap *snap, u32 index)
{
	return ucv_record(&snap->records[UCV_KIND_UCOUNTS], index);
}

static inline struct ucv_group *ucv_snap_group(const struct ucv_snap *snap, u32 index)
{
	return ucv_record(&snap->records[UCV_KIND_GROUP], index);
}

static inline struct ucv_holder *ucv_snap_holder(const struct ucv_snap *snap, u32 index)
{
	return ucv_record(&snap->records[UCV_KIND_HOLDER], index);
}

#endif
