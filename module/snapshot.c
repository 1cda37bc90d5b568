// SPDX-License-Identifier: GPL-2.0
/*
 * A snapshot: the memory for the records of one walk, and its bound. This file does not
 * know what is in the records or where it comes from.
 */
#include <linux/err.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "snapshot.h"

static unsigned int max_snapshot_kib = 64 * 1024;
module_param(max_snapshot_kib, uint, 0644);
MODULE_PARM_DESC(max_snapshot_kib,
		 "maximum memory of the snapshot of one open file, in KiB (default 65536)");

/* Cost of an allocation against a snapshot's bound: the allocator rounds up like this. */
static size_t ucv_snap_cost(size_t bytes)
{
	return roundup_pow_of_two(bytes);
}

/**
 * ucv_snap_alloc() - allocate memory that counts against a snapshot's bound
 * @snap: the snapshot
 * @bytes: size, more than 0
 *
 * Context: process context, no locks held. Sleeps.
 * Return: uninitialized memory for ucv_snap_release(), or an error pointer: -EFBIG if
 *	it would exceed the bound, -ENOMEM
 */
void *ucv_snap_alloc(struct ucv_snap *snap, size_t bytes)
{
	size_t left = snap->max_bytes - snap->bytes;
	void *data;

	if (bytes > left || ucv_snap_cost(bytes) > left)
		return ERR_PTR(-EFBIG);
	data = kvmalloc(bytes, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!data)
		return ERR_PTR(-ENOMEM);
	snap->bytes += ucv_snap_cost(bytes);
	return data;
}

/**
 * ucv_snap_release() - free what ucv_snap_alloc() returned
 * @snap: the snapshot
 * @data: the memory
 * @bytes: size, as it was allocated
 *
 * Context: process context. May sleep.
 */
void ucv_snap_release(struct ucv_snap *snap, const void *data, size_t bytes)
{
	kvfree(data);
	snap->bytes -= ucv_snap_cost(bytes);
}

/**
 * ucv_array_init() - initialize an empty array
 * @array: the array
 * @stride: bytes from one element to the next, at most UCV_CHUNK_BYTES
 */
void ucv_array_init(struct ucv_array *array, size_t stride)
{
	memset(array, 0, sizeof(*array));
	array->stride = stride;
	array->per_chunk = UCV_CHUNK_BYTES / stride;
	array->divide = reciprocal_value(array->per_chunk);
}

/* Grow the index, if it has no capacity for one more pointer to a chunk. */
static int ucv_array_grow_index(struct ucv_snap *snap, struct ucv_array *array)
{
	u32 max_chunks = max(array->max_chunks * 2, 16U);
	size_t size = sizeof(*array->chunk);
	void **chunk;

	if (array->nr_chunks < array->max_chunks)
		return 0;
	chunk = ucv_snap_alloc(snap, max_chunks * size);
	if (IS_ERR(chunk))
		return PTR_ERR(chunk);
	if (array->chunk) {
		memcpy(chunk, array->chunk, array->nr_chunks * size);
		ucv_snap_release(snap, array->chunk, array->max_chunks * size);
	}
	array->chunk = chunk;
	array->max_chunks = max_chunks;
	return 0;
}

static int ucv_array_add_chunk(struct ucv_snap *snap, struct ucv_array *array)
{
	void *chunk;
	int ret;

	if (array->max > U32_MAX - array->per_chunk)
		return -EFBIG;
	ret = ucv_array_grow_index(snap, array);
	if (ret)
		return ret;
	chunk = ucv_snap_alloc(snap, UCV_CHUNK_BYTES);
	if (IS_ERR(chunk))
		return PTR_ERR(chunk);
	array->chunk[array->nr_chunks++] = chunk;
	array->max += array->per_chunk;
	return 0;
}

/**
 * ucv_array_reserve() - reserve memory for more elements
 * @snap: the snapshot whose bound counts
 * @array: the array
 * @least: minimum number of elements to reserve
 *
 * Reserves more if it can, since a walk that runs out of reserved memory under a lock
 * has to start over. Elements do not move.
 *
 * Context: process context, no locks held. Sleeps.
 * Return: 0, -EFBIG or -ENOMEM
 */
int ucv_array_reserve(struct ucv_snap *snap, struct ucv_array *array, u32 least)
{
	u32 wanted = max(least, array->nr / 8);
	int ret = 0;

	if (ucv_array_has_room(array, least))
		return 0;
	while (!ucv_array_has_room(array, wanted) && !ret)
		ret = ucv_array_add_chunk(snap, array);
	return ucv_array_has_room(array, least) ? 0 : ret;
}

/**
 * ucv_array_free() - free an array's memory
 * @snap: the snapshot whose bound counts
 * @array: the array; empty and usable afterwards
 *
 * Context: process context. May sleep.
 */
void ucv_array_free(struct ucv_snap *snap, struct ucv_array *array)
{
	u32 i;

	for (i = 0; i < array->nr_chunks; i++)
		ucv_snap_release(snap, array->chunk[i], UCV_CHUNK_BYTES);
	if (array->chunk)
		ucv_snap_release(snap, array->chunk,
				 array->max_chunks * sizeof(*array->chunk));
	ucv_array_init(array, array->stride);
}

/**
 * ucv_snap_free() - free a snapshot
 * @snap: from ucv_snap_new(), or NULL
 *
 * Context: process context. May sleep.
 */
void ucv_snap_free(struct ucv_snap *snap)
{
	unsigned int kind;

	if (!snap)
		return;
	for (kind = 0; kind < UCV_NR_KINDS; kind++)
		if (kind != UCV_KIND_RESOURCE)
			ucv_array_free(snap, &snap->records[kind]);
	kfree(snap);
}

static_assert(sizeof(ucv_resources) <= UCV_CHUNK_BYTES);

/* The names are the same for all snapshots, and live as long as the module. */
static void ucv_snap_init_resources(struct ucv_array *records)
{
	static void *chunk = ucv_resources;

	ucv_array_init(records, sizeof(ucv_resources[0]));
	records->chunk = &chunk;
	records->nr = UCV_NR_RESOURCES;
	records->max = UCV_NR_RESOURCES;
}

/**
 * ucv_snap_new() - allocate a snapshot without records
 *
 * Context: process context. Sleeps.
 * Return: a snapshot for ucv_snap_free(), or NULL
 */
struct ucv_snap *ucv_snap_new(void)
{
	struct ucv_snap *snap;

	snap = kzalloc(sizeof(*snap), GFP_KERNEL_ACCOUNT);
	if (!snap)
		return NULL;
	snap->max_bytes = (size_t)READ_ONCE(max_snapshot_kib) * 1024;
	ucv_snap_init_resources(&snap->records[UCV_KIND_RESOURCE]);
	ucv_array_init(&snap->records[UCV_KIND_USERNS], UCV_USERNS_STRIDE);
	ucv_array_init(&snap->records[UCV_KIND_UCOUNTS], UCV_UCOUNTS_STRIDE);
	ucv_array_init(&snap->records[UCV_KIND_MNTNS], sizeof(struct ucv_mntns));
	ucv_array_init(&snap->records[UCV_KIND_DENIAL_COUNT], sizeof(struct ucv_denial_count));
	ucv_array_init(&snap->records[UCV_KIND_GROUP], sizeof(struct ucv_group));
	ucv_array_init(&snap->records[UCV_KIND_HOLDER], sizeof(struct ucv_holder));
	return snap;
}
