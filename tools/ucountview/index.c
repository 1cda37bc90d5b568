// SPDX-License-Identifier: GPL-2.0
/*
 * A hash index: from 64-bit keys to members of an array.
 */
#include <stdlib.h>
#include <string.h>

#include "index.h"
#include "ucountview.h"

/* The slot that has the key, or where it belongs. Keys that collide are in the next slots. */
static struct index_slot *find_slot(const struct index *index, uint64_t key)
{
	size_t last = index->nr_slots - 1;
	size_t nth = (key * 0x9e3779b97f4a7c15ULL >> 32) & last; /* 2^64 / golden ratio */

	while (index->slots[nth].member && index->slots[nth].key != key)
		nth = (nth + 1) & last;
	return &index->slots[nth];
}

static void resize(struct index *index, size_t nr_slots)
{
	struct index old = *index;

	index->slots = xcalloc(nr_slots, sizeof(*index->slots));
	index->nr_slots = nr_slots;
	for (size_t i = 0; i < old.nr_slots; i++) {
		if (old.slots[i].member)
			*find_slot(index, old.slots[i].key) = old.slots[i];
	}
	free(old.slots);
}

/**
 * index_reserve() - have room for @nr more keys
 */
void index_reserve(struct index *index, size_t nr)
{
	size_t nr_slots = index->nr_slots ?: 16;

	while (nr_slots / 2 < index->nr + nr)
		nr_slots *= 2;
	if (nr_slots > index->nr_slots)
		resize(index, nr_slots);
}

/**
 * index_add() - add a key, unless it is there
 *
 * Return: the member that the index has for the key.
 */
size_t index_add(struct index *index, uint64_t key, size_t member)
{
	struct index_slot *slot;

	index_reserve(index, 1);
	slot = find_slot(index, key);
	if (!slot->member) {
		*slot = (struct index_slot){ .key = key, .member = member + 1 };
		index->nr++;
	}
	return slot->member - 1;
}

/**
 * index_replace() - have another member for a key that is there
 */
void index_replace(struct index *index, uint64_t key, size_t member)
{
	find_slot(index, key)->member = member + 1;
}

/**
 * index_find() - the member for a key, or INDEX_NONE
 */
size_t index_find(const struct index *index, uint64_t key)
{
	return index->nr ? find_slot(index, key)->member - 1 : INDEX_NONE;
}

/**
 * index_free() - free the index, which is empty and usable afterwards
 */
void index_free(struct index *index)
{
	free(index->slots);
	memset(index, 0, sizeof(*index));
}
