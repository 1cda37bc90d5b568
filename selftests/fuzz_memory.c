// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers that the fuzzer passes to the kernel: good ones at any address, surrounded by guard
 * bytes, and bad ones of every kind.
 */
#define _GNU_SOURCE
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"

/* Guard bytes that are checked before a buffer. Behind it, all up to the hole are. */
#define BEFORE	128

/* No program has memory there. On 64-bit machines these are also addresses of kernels. */
static const __u64 nowhere[] = {
	0, 1, 8, 4095,
#ifdef __LP64__
	0xffff888000001000ULL, 0xffffffff81000000ULL, 0xffffc90000000000ULL,
	0xffff800080000000ULL, 0xffff000000080000ULL, 0xc000000000100000ULL,
	0x8000000000000000ULL, 0x7ffffffffffff000ULL, 0xfffffffffffff000ULL,
	0xffffffffffffffffULL,
#else
	0xfffff000ULL, 0xffffffffULL,
#endif
};

/* Maps @size bytes of @fd between two holes; of no file if it is negative. */
static char *map(int fd, size_t size, int prot)
{
	const size_t page = sysconf(_SC_PAGESIZE);
	char *around = mmap(NULL, size + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (around == MAP_FAILED)
		return NULL;
	if (fd < 0)
		return mprotect(around + page, size, prot) ? NULL : around + page;
	if (mmap(around + page, size, prot, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED)
		return NULL;
	return around + page;
}

int fuzz_memory_init(struct memory *memory)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, FUZZ_REGION))
		return -1;
	memory->region = map(-1, FUZZ_REGION, PROT_READ | PROT_WRITE);
	memory->read_only = map(fd, FUZZ_REGION, PROT_READ);
	memory->twin = map(fd, FUZZ_REGION, PROT_READ | PROT_WRITE);
	close(fd);
	if (!memory->region || !memory->read_only || !memory->twin)
		return -1;
	memset(memory->region, FUZZ_GUARD, FUZZ_REGION);
	return 0;
}

static struct place in_region(const struct memory *memory, size_t at)
{
	struct place place = {
		.at = memory->region + at, .fill = memory->region + at,
		.room = FUZZ_REGION - at, .writable = true, .memory = memory,
	};

	return place;
}

static struct place bad_place(struct worker *w, const struct memory *memory, size_t size)
{
	struct place place = { .memory = memory };
	size_t at;

	switch (fuzz_below(w, 5)) {
	case 0: /* it crosses the end of a mapping */
		return in_region(memory, FUZZ_REGION - fuzz_below(w, size ? size : 1));
	case 1: /* it begins in the hole before the mapping */
		place.at = memory->region - 1 - fuzz_below(w, 64);
		return place;
	case 2: /* it can only be read */
	case 3:
		at = fuzz_below(w, 64);
		place.at = memory->read_only + at;
		place.fill = memory->twin + at;
		place.room = FUZZ_REGION - at;
		return place;
	default:
		place.at = (char *)(uintptr_t)nowhere[fuzz_below(w, ARRAY_SIZE(nowhere))];
		return place;
	}
}

/* A place for @size bytes, which the kernel can write in most cases. */
struct place fuzz_place(struct worker *w, const struct memory *memory, size_t size)
{
	if (size > FUZZ_REGION / 2)
		size = FUZZ_REGION / 2;
	if (fuzz_one_in(w, 6))
		return bad_place(w, memory, size);
	if (fuzz_one_in(w, 4))
		return in_region(memory, FUZZ_REGION - size);
	if (fuzz_one_in(w, 2))
		return in_region(memory, BEFORE + 8 * fuzz_below(w, 64));
	return in_region(memory, BEFORE + fuzz_below(w, 512));
}

void fuzz_fill(const struct place *place, const void *bytes, size_t size)
{
	if (place->fill)
		memcpy(place->fill, bytes, size < place->room ? size : place->room);
}

static void check(struct worker *w, const struct place *place, const char *from, const char *to)
{
	const char *at;

	for (at = from; at < to; at++)
		if (*(const unsigned char *)at != FUZZ_GUARD)
			fuzz_fail(w, "byte %td of the buffer was written", at - place->at);
}

void fuzz_check_guard(struct worker *w, const struct place *place, size_t size, size_t filled)
{
	char *region = place->memory->region, *end = region + FUZZ_REGION;

	if (!place->writable)
		return;
	if (filled > place->room)
		filled = place->room;
	if (size > place->room)
		size = place->room;
	check(w, place, place->at - region > BEFORE ? place->at - BEFORE : region, place->at);
	check(w, place, place->at + (size > filled ? size : filled), end);
	memset(place->at, FUZZ_GUARD, size > filled ? size : filled);
}
