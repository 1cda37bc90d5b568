/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A hash index: from 64-bit keys to members of an array.
 */
#ifndef _UCV_INDEX_H
#define _UCV_INDEX_H

#include <stddef.h>
#include <stdint.h>

#define INDEX_NONE	((size_t)-1)

/* A key, and the number of its member plus 1; 0 in an empty slot. */
struct index_slot {
	uint64_t key;
	size_t member;
};

/**
 * struct index - a hash index; {} is an empty one
 * @slots: at least twice as many as keys; a power of two
 * @nr_slots: their number
 * @nr: keys
 */
struct index {
	struct index_slot *slots;
	size_t nr_slots;
	size_t nr;
};

void index_reserve(struct index *index, size_t nr);
size_t index_add(struct index *index, uint64_t key, size_t member);
void index_replace(struct index *index, uint64_t key, size_t member);
size_t index_find(const struct index *index, uint64_t key);
void index_free(struct index *index);

#endif /* _UCV_INDEX_H */
