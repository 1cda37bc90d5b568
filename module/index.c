// SPDX-License-Identifier: GPL-2.0
/*
 * A hash index, see index.h: chains of entries, about as many chains as entries, so that
 * chains stay short however much a user creates.
 */
#include <linux/err.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "index.h"

#define UCV_INDEX_MIN_BITS	8
#define UCV_INDEX_MAX_BITS	24

/* Entries linked anew before other tasks may run. */
#define UCV_INDEX_BATCH		1024

static size_t ucv_index_head_bytes(unsigned int bits)
{
	return sizeof(u32) << bits;
}

static void ucv_index_link(struct ucv_index *index, u32 nr)
{
	struct ucv_index_entry *entry = ucv_index_entry(index, nr);
	u32 *head = ucv_index_head(index, entry->hash);

	entry->next = *head;
	*head = nr;
}

/**
 * ucv_index_init() - initialize an empty index
 * @index: the index
 * @elements: the array, empty, of the same snapshot or walk; or NULL if the caller has
 *	filled it
 */
void ucv_index_init(struct ucv_index *index, struct ucv_array *elements)
{
	index->elements = elements;
	ucv_array_init(&index->entries, sizeof(struct ucv_index_entry));
	index->head = NULL;
	index->bits = 0;
}

/**
 * ucv_index_free() - free an index's memory, but not the array
 * @snap: the snapshot whose bound counts
 * @index: the index
 *
 * Context: process context. May sleep.
 */
void ucv_index_free(struct ucv_snap *snap, struct ucv_index *index)
{
	ucv_array_free(snap, &index->entries);
	if (index->head)
		ucv_snap_release(snap, index->head, ucv_index_head_bytes(index->bits));
	index->head = NULL;
	index->bits = 0;
}

/* Have a chain for each of @nr entries, and link those that are there anew. */
static int ucv_index_grow(struct ucv_snap *snap, struct ucv_index *index, u32 nr)
{
	unsigned int bits = clamp(ilog2(nr) + 1, UCV_INDEX_MIN_BITS, UCV_INDEX_MAX_BITS);
	u32 *head, i;

	if (bits <= index->bits)
		return 0;
	head = ucv_snap_alloc(snap, ucv_index_head_bytes(bits));
	if (IS_ERR(head)) /* longer chains will do */
		return index->head ? 0 : PTR_ERR(head);
	if (index->head)
		ucv_snap_release(snap, index->head, ucv_index_head_bytes(index->bits));
	memset32(head, UCV_NO_INDEX, 1U << bits);
	index->head = head;
	index->bits = bits;
	for (i = 0; i < index->entries.nr; i++) {
		if (ucv_index_entry(index, i)->next != i)
			ucv_index_link(index, i);
		if (!(i % UCV_INDEX_BATCH))
			cond_resched();
	}
	return 0;
}

/**
 * ucv_index_reserve() - reserve memory for more elements and their entries
 * @snap: the snapshot whose bound counts
 * @index: the index
 * @least: minimum number of elements to reserve
 *
 * Context: process context, no locks held. Sleeps.
 * Return: 0, -EFBIG or -ENOMEM
 */
int ucv_index_reserve(struct ucv_snap *snap, struct ucv_index *index, u32 least)
{
	int ret = 0;

	if (index->elements)
		ret = ucv_array_reserve(snap, index->elements, least);
	if (!ret)
		ret = ucv_array_reserve(snap, &index->entries, least);
	if (!ret)
		ret = ucv_index_grow(snap, index, index->entries.nr + least);
	return ret;
}

/**
 * ucv_index_add() - add an element
 * @index: the index, with memory reserved
 * @key: the element's key
 *
 * Context: any. Does not sleep.
 * Return: its number in the array
 */
u32 ucv_index_add(struct ucv_index *index, u64 key)
{
	u32 nr = index->entries.nr++;

	if (index->elements)
		index->elements->nr++;
	ucv_index_entry(index, nr)->hash = ucv_index_hash(key);
	ucv_index_link(index, nr);
	return nr;
}

/**
 * ucv_index_remove() - make an element that stays in the array unfindable
 * @index: the index
 * @nr: its number
 *
 * Context: any. Does not sleep.
 */
void ucv_index_remove(struct ucv_index *index, u32 nr)
{
	struct ucv_index_entry *entry = ucv_index_entry(index, nr);
	u32 *link = ucv_index_head(index, entry->hash);

	if (entry->next == nr)
		return; /* in no chain */
	while (*link != nr)
		link = &ucv_index_entry(index, *link)->next;
	*link = entry->next;
	entry->next = nr;
}

/**
 * ucv_index_remove_last() - remove the last element
 * @index: the index
 *
 * Context: any. Does not sleep.
 */
void ucv_index_remove_last(struct ucv_index *index)
{
	ucv_index_remove(index, index->entries.nr - 1);
	index->entries.nr--;
	if (index->elements)
		index->elements->nr--;
}
