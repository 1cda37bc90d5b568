/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A snapshot: the records of one walk over the kernel's tables, which the front ends
 * return to readers.
 */
#ifndef UCV_SNAPSHOT_H
#define UCV_SNAPSHOT_H

#include <linux/overflow.h>
#include <linux/reciprocal_div.h>
#include <linux/stddef.h>
#include <linux/types.h>

#include <uapi/ucountview.h>

#include "compat/resources.h"
#include "section_timer.h"

/*
 * Records in memory end with the last resource of this kernel; those of the ABI have
 * capacity for more, which reads as zeroes.
 */
#define UCV_USERNS_STRIDE	offsetof(struct ucv_userns, limit[UCV_NR_RESOURCES])
#define UCV_UCOUNTS_STRIDE	offsetof(struct ucv_ucounts, used[UCV_NR_RESOURCES])

/* An array grows by chunks of this size, so that growing copies no elements. */
#define UCV_CHUNK_BYTES		(16 * 1024)

/**
 * struct ucv_array - an array of a snapshot or of its walk
 * @chunk: the chunks, of @per_chunk elements each
 * @stride: bytes from one element to the next
 * @per_chunk: elements per chunk
 * @divide: reciprocal of @per_chunk
 * @nr: elements in use
 * @max: capacity, in elements
 * @nr_chunks: number of chunks
 * @max_chunks: capacity of @chunk, in pointers
 */
struct ucv_array {
	void **chunk;
	size_t stride;
	u32 per_chunk;
	struct reciprocal_value divide;
	u32 nr;
	u32 max;
	u32 nr_chunks;
	u32 max_chunks;
};

/**
 * struct ucv_snap - a snapshot
 * @records: arrays by kind. Immutable once ucv_collect() has returned.
 * @filled: UCV_MASK() of the kinds present
 * @bytes: memory allocated for the snapshot and, while it is in progress, its walk
 * @max_bytes: upper bound of @bytes
 * @start_ns: when the walk began, CLOCK_BOOTTIME
 * @end_ns: when it ended
 * @timer: longest time that it held a lock or stayed in an RCU read-side critical section
 * @skipped: entries left out because their namespace was gone
 */
struct ucv_snap {
	struct ucv_array records[UCV_NR_KINDS];
	u64 filled;
	size_t bytes;
	size_t max_bytes;
	u64 start_ns;
	u64 end_ns;
	struct ucv_section_timer timer;
	u32 skipped;
};

struct ucv_snap *ucv_snap_new(void);
void ucv_snap_free(struct ucv_snap *snap);
void *ucv_snap_alloc(struct ucv_snap *snap, size_t bytes);
void ucv_snap_release(struct ucv_snap *snap, const void *data, size_t bytes);
void ucv_array_init(struct ucv_array *array, size_t stride);
int ucv_array_reserve(struct ucv_snap *snap, struct ucv_array *array, u32 least);
void ucv_array_free(struct ucv_snap *snap, struct ucv_array *array);

/**
 * ucv_array_has_room() - can elements be added without an allocation?
 * @array: the array
 * @nr: number of elements
 */
static inline bool ucv_array_has_room(const struct ucv_array *array, u32 nr)
{
	return array->max - array->nr >= nr;
}

/**
 * ucv_array_at() - one element of an array
 * @array: the array
 * @index: less than array->max
 */
static inline void *ucv_array_at(const struct ucv_array *array, u32 index)
{
	u32 nr = reciprocal_divide(index, array->divide);

	return array->chunk[nr] + (index - nr * array->per_chunk) * array->stride;
}

/**
 * ucv_array_run() - number of elements contiguous in memory
 * @array: the array
 * @index: index of the first of them
 */
static inline u32 ucv_array_run(const struct ucv_array *array, u32 index)
{
	return array->per_chunk -
	       (index - reciprocal_divide(index, array->divide) * array->per_chunk);
}

static inline struct ucv_userns *ucv_snap_userns(const struct ucv_snap *snap, u32 index)
{
	return ucv_array_at(&snap->records[UCV_KIND_USERNS], index);
}

static inline struct ucv_mntns *ucv_snap_mntns(const struct ucv_snap *snap, u32 index)
{
	return ucv_array_at(&snap->records[UCV_KIND_MNTNS], index);
}

static inline struct ucv_ucounts *ucv_snap_ucounts(const struct ucv_snap *snap, u32 index)
{
	return ucv_array_at(&snap->records[UCV_KIND_UCOUNTS], index);
}

static inline struct ucv_group *ucv_snap_group(const struct ucv_snap *snap, u32 index)
{
	return ucv_array_at(&snap->records[UCV_KIND_GROUP], index);
}

static inline struct ucv_holder *ucv_snap_holder(const struct ucv_snap *snap, u32 index)
{
	return ucv_array_at(&snap->records[UCV_KIND_HOLDER], index);
}

#endif
