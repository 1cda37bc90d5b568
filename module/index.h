/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A hash index: finds the elements of an array by a 64-bit key, such as an address. Used
 * by the walks, so lookups, additions and removals neither allocate nor sleep.
 *
 * A lookup goes from ucv_index_first() by ucv_index_next() to UCV_NO_INDEX, over the
 * elements that may have the key, newest first.
 */
#ifndef UCV_INDEX_H
#define UCV_INDEX_H

#include <linux/hash.h>
#include <linux/types.h>

#include "snapshot.h"

/**
 * struct ucv_index_entry - an element's entry in the index
 * @hash: of its key
 * @next: number of the next entry of the same chain, or UCV_NO_INDEX; the entry's own
 *	number if it is in no chain
 */
struct ucv_index_entry {
	u32 hash;
	u32 next;
};

/**
 * struct ucv_index - a hash index
 * @elements: the array, which grows with the index; or NULL if the caller has filled it
 * @entries: struct ucv_index_entry, one for each element, in their order
 * @head: by the topmost @bits bits of the hash, number of the newest entry, or
 *	UCV_NO_INDEX
 * @bits: log2 of the number of chains
 *
 * Keys are not stored, only a hash of each: the caller compares the keys of its elements.
 */
struct ucv_index {
	struct ucv_array *elements;
	struct ucv_array entries;
	u32 *head;
	unsigned int bits;
};

void ucv_index_init(struct ucv_index *index, struct ucv_array *elements);
void ucv_index_free(struct ucv_snap *snap, struct ucv_index *index);
int ucv_index_reserve(struct ucv_snap *snap, struct ucv_index *index, u32 least);
u32 ucv_index_add(struct ucv_index *index, u64 key);
void ucv_index_remove(struct ucv_index *index, u32 nr);
void ucv_index_remove_last(struct ucv_index *index);

/**
 * ucv_index_has_room() - can elements be added without an allocation?
 * @index: the index, with an array
 * @nr: number of elements
 */
static inline bool ucv_index_has_room(const struct ucv_index *index, u32 nr)
{
	return ucv_array_has_room(index->elements, nr) && ucv_array_has_room(&index->entries, nr);
}

static inline struct ucv_index_entry *ucv_index_entry(const struct ucv_index *index, u32 nr)
{
	return ucv_array_at(&index->entries, nr);
}

static inline u32 ucv_index_hash(u64 key)
{
	return hash_64(key, 32);
}

static inline u32 *ucv_index_head(const struct ucv_index *index, u32 hash)
{
	return &index->head[hash >> (32 - index->bits)];
}

/**
 * ucv_index_first() - begin a lookup
 * @index: the index
 * @key: the key
 *
 * Context: any. Does not sleep.
 * Return: number of the newest element that may have the key, or UCV_NO_INDEX
 */
static inline u32 ucv_index_first(const struct ucv_index *index, u64 key)
{
	return index->head ? *ucv_index_head(index, ucv_index_hash(key)) : UCV_NO_INDEX;
}

/**
 * ucv_index_next() - continue a lookup
 * @index: the index
 * @nr: number of an element
 *
 * Context: any. Does not sleep.
 * Return: number of the next element that may have the same key, or UCV_NO_INDEX
 */
static inline u32 ucv_index_next(const struct ucv_index *index, u32 nr)
{
	return ucv_index_entry(index, nr)->next;
}

#endif
