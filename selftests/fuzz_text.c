// SPDX-License-Identifier: GPL-2.0
/*
 * The fuzzer's operations on the files in debugfs: open, read, seek.
 */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "fuzz.h"

#define DEBUGFS	"/sys/kernel/debug/ucountview"

static struct {
	const char *name;
	int error;		/* of open(): what the kernel lacks it lacks throughout */
	char heading[64];	/* how the text begins */
} files[] = {
	{ .name = "ucounts" }, { .name = "userns" }, { .name = "mounts" }, { .name = "denials" },
	{ .name = "denial_counts" }, { .name = "holders" }, { .name = "status" },
};

static int open_file(int file, int flags)
{
	char path[sizeof(DEBUGFS) + 16];

	snprintf(path, sizeof(path), DEBUGFS "/%s", files[file].name);
	return open(path, flags | O_CLOEXEC, 0600);
}

/* Returns the number of files that can be opened. */
int fuzz_text_init(void)
{
	unsigned int i;
	int fd, nr = 0;

	for (i = 0; i < ARRAY_SIZE(files); i++) {
		fd = open_file(i, O_RDONLY);
		files[i].error = fd < 0 ? errno : 0;
		if (fd < 0)
			continue;
		if (read(fd, files[i].heading, 5) == 5)
			nr++;
		close(fd);
	}
	return nr;
}

/* Root may open a file of any mode for writing. It has no write(). */
void fuzz_open_text(struct worker *w, struct slot *slot)
{
	static const struct {
		int flags;
		int error;	/* found by the kernel before or after the module's open() */
		bool before;
	} ways[] = {
		{ O_RDONLY, 0, false }, { O_RDONLY, 0, false }, { O_RDONLY, 0, false },
		{ O_NONBLOCK, 0, false }, { O_NOATIME, 0, false }, { O_WRONLY, 0, false },
		{ O_RDWR, 0, false }, { O_DIRECT, EINVAL, false }, { O_PATH, 0, true },
		{ O_DIRECTORY, ENOTDIR, true }, { O_CREAT | O_EXCL, EEXIST, true },
	};
	const unsigned int way = fuzz_below(w, ARRAY_SIZE(ways));
	const int file = fuzz_below(w, ARRAY_SIZE(files)), flags = ways[way].flags;
	int fd, error;

	fuzz_describe(w, "open(%s, 0%o)", files[file].name, flags);
	fd = open_file(file, flags);
	error = fd < 0 ? errno : 0;
	if (ways[way].before)
		FUZZ_EXPECT(w, NULL, error, ways[way].error);
	else if (files[file].error)
		FUZZ_EXPECT(w, NULL, error, files[file].error);
	else
		FUZZ_EXPECT(w, NULL, error, ways[way].error, EFBIG, ENOMEM);
	if (error)
		return;
	if (flags == O_WRONLY || flags == O_RDWR) {
		close(fd);
		return;
	}
	fuzz_install(w, slot, fd, flags);
	slot->file = file;
}

static void check_text(struct worker *w, const struct slot *slot, const char *text, size_t size,
		       loff_t at)
{
	const char *heading = files[slot->file].heading;
	size_t i;

	for (i = 0; i < size; i++)
		if (text[i] != '\n' && (text[i] < ' ' || text[i] > '~'))
			fuzz_fail(w, "byte %zu of the text is 0x%x", i, (unsigned char)text[i]);
	if (!slot->shared && !at && size && strncmp(text, heading, size < 5 ? size : 5))
		fuzz_fail(w, "the text begins with %.*s", size < 5 ? (int)size : 5, text);
}

enum how { READ, READV, PREAD, PREADV };

static ssize_t read_some(const struct slot *slot, char *at, size_t size, loff_t offset,
			 enum how how)
{
	struct iovec parts[2] = { { at, size / 2 }, { at + size / 2, size - size / 2 } };
	ssize_t got;

	switch (how) {
	case READ:
		got = read(slot->fd, at, size);
		break;
	case READV:
		got = readv(slot->fd, parts, 2);
		break;
	case PREAD:
		got = pread(slot->fd, at, size, offset);
		break;
	default:
		got = preadv(slot->fd, parts, 2, offset);
	}
	return got < 0 ? -errno : got;
}

/*
 * Errors in the order in which the kernel looks for them. A negative offset comes first, then the
 * file. access_ok() then refuses what no program can have, as some of the places with nothing
 * mapped, and rw_verify_area() what ends beyond the largest position; only then the file is read.
 * What cannot be written fails unless there is nothing to write, or something has been written.
 */
static void expect_read(struct worker *w, const struct slot *slot, const struct place *place,
			size_t size, loff_t position, int error)
{
	const int unmapped = place->fill ? 0 : EFAULT;

	if (position < 0)
		FUZZ_EXPECT(w, NULL, error, EINVAL);
	else if (!slot->shared && !slot->open)
		FUZZ_EXPECT(w, NULL, error, EBADF);
	else if (size && position > (loff_t)(LLONG_MAX - size))
		FUZZ_EXPECT(w, slot, error, EINVAL, unmapped ? unmapped : EINVAL);
	else if (place->writable && place->room >= size)
		FUZZ_EXPECT(w, slot, error, 0);
	else
		FUZZ_EXPECT(w, slot, error, 0, size ? EFAULT : unmapped);
}

void fuzz_read_text(struct worker *w, struct slot *slot)
{
	static const loff_t offsets[] = {
		0, 0, 0, 1, 5, 100, 4095, 4096, 65536, INT_MAX, LLONG_MAX - 64, LLONG_MAX, -1,
		LLONG_MIN,
	};
	const size_t size = fuzz_one_in(w, 3) ? fuzz_below(w, 64) : fuzz_below(w, FUZZ_REGION / 2);
	const struct place place = fuzz_place(w, &w->memory[0], size);
	const loff_t offset = offsets[fuzz_below(w, ARRAY_SIZE(offsets))];
	const enum how how = fuzz_below(w, 4);
	const loff_t position = how == READ || how == READV ? slot->position : offset;
	ssize_t got;

	fuzz_describe(w, "read %d(%d, %p, %zu) at %lld", how, slot->fd, place.at, size,
		      (long long)position);
	got = read_some(slot, place.at, size, offset, how);
	/* Where a shared file is, is not known. */
	if (slot->shared && (how == READ || how == READV))
		FUZZ_EXPECT(w, slot, got < 0 ? -got : 0, 0, EINVAL,
			    place.writable && place.room >= size ? 0 : EFAULT);
	else
		expect_read(w, slot, &place, size, position, got < 0 ? -got : 0);
	if (got > (ssize_t)size || (got > 0 && !place.writable))
		fuzz_fail(w, "it returned %zd", got);
	if (got > 0 && (size_t)got <= place.room)
		check_text(w, slot, place.at, got, position);
	fuzz_check_guard(w, &place, place.room < size ? place.room : got > 0 ? (size_t)got : 0, 0);
	if (got > 0 && (how == READ || how == READV))
		slot->position += got;
}

/* seq_lseek() has no end, so that any position can be set. */
void fuzz_seek_text(struct worker *w, struct slot *slot)
{
	static const loff_t offsets[] = {
		0, 0, 1, 17, 4096, 1 << 20, LLONG_MAX, -1, -100, LLONG_MIN,
	};
	const loff_t offset = offsets[fuzz_below(w, ARRAY_SIZE(offsets))];
	const int whence = fuzz_one_in(w, 3) ? (int)fuzz_below(w, 8) : SEEK_SET;
	const bool known = whence == SEEK_SET || (whence == SEEK_CUR && !slot->shared);
	const loff_t wanted = (__u64)offset + (whence == SEEK_CUR ? slot->position : 0);
	loff_t ret;
	int error;

	fuzz_describe(w, "lseek(%d, %lld, %d) at %lld", slot->fd, (long long)offset, whence,
		      (long long)slot->position);
	ret = lseek(slot->fd, offset, whence);
	error = ret < 0 ? errno : 0;
	if (!slot->shared && !slot->open)
		FUZZ_EXPECT(w, NULL, error, EBADF);
	else if (whence != SEEK_SET && whence != SEEK_CUR)
		FUZZ_EXPECT(w, slot, error, EINVAL);
	else if (known)
		FUZZ_EXPECT(w, slot, error, wanted < 0 ? EINVAL : 0);
	else
		FUZZ_EXPECT(w, slot, error, 0, EINVAL);
	if (error)
		return;
	if (known && ret != wanted)
		fuzz_fail(w, "it returned %lld", (long long)ret);
	slot->position = ret;
}
