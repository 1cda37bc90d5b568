// SPDX-License-Identifier: GPL-2.0
/*
 * The fuzzer's open() and read() of the device.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "fuzz.h"

static void check_denials(struct worker *w, struct slot *slot, const char *at, ssize_t got)
{
	struct ucv_denial denial;
	__u64 seq = slot->shared ? 0 : slot->last_seq;
	const char *bad;
	ssize_t done;

	if (got % sizeof(denial))
		fuzz_fail(w, "%zd bytes are not whole records", got);
	for (done = 0; done < got; done += sizeof(denial)) {
		memcpy(&denial, at + done, sizeof(denial));
		fuzz_count_denial();
		bad = fuzz_bad_denial(&denial);
		if (bad)
			fuzz_fail(w, "denial %llu has %s that must not be",
				  (unsigned long long)denial.seq, bad);
		if (denial.seq <= seq ||
		    (seq && !slot->shared && denial.lost != denial.seq - seq - 1))
			fuzz_fail(w, "denial %llu, %llu lost, after %llu",
				  (unsigned long long)denial.seq, (unsigned long long)denial.lost,
				  (unsigned long long)seq);
		seq = denial.seq;
	}
	if (!slot->shared)
		slot->last_seq = seq;
}

/* read() or readv() with a second, empty part. Returns bytes or a negative errno. */
static ssize_t read_some(struct worker *w, const struct slot *slot, char *at, size_t size)
{
	struct iovec parts[2] = { { at, size }, { at, 0 } };
	ssize_t got;

	got = fuzz_one_in(w, 4) ? readv(slot->fd, parts, 2) : read(slot->fd, at, size);
	return got < 0 ? -errno : got;
}

static void expect_read(struct worker *w, const struct slot *slot, const struct place *place,
			size_t size, int error)
{
	/* access_ok() comes first, and refuses what no program can have. */
	const int unmapped = place->fill ? EINVAL : EFAULT;
	const int nothing = slot->nonblock ? EAGAIN : EINTR;

	if (slot->shared)
		FUZZ_EXPECT(w, slot, error, 0, EINVAL, EAGAIN, EINTR, EFAULT);
	else if (!slot->open)
		FUZZ_EXPECT(w, slot, error, EBADF);
	else if (!size) /* readv() does not ask the module */
		FUZZ_EXPECT(w, slot, error, EINVAL, unmapped, 0);
	else if (size < sizeof(struct ucv_denial) || !slot->listens)
		FUZZ_EXPECT(w, slot, error, EINVAL, unmapped);
	else if (!place->writable || place->room < sizeof(struct ucv_denial))
		FUZZ_EXPECT(w, slot, error, EFAULT, nothing);
	else
		FUZZ_EXPECT(w, slot, error, 0, nothing);
}

void fuzz_read_denials(struct worker *w, struct slot *slot)
{
	const size_t size = fuzz_one_in(w, 5) ? fuzz_below(w, 300) :
						sizeof(struct ucv_denial) * fuzz_below(w, 20);
	const struct place place = fuzz_place(w, &w->memory[0], size);
	ssize_t got;

	fuzz_describe(w, "read(%d, %p, %zu)", slot->fd, place.at, size);
	got = read_some(w, slot, place.at, size);
	expect_read(w, slot, &place, size, got < 0 ? -got : 0);
	if (!got && size >= sizeof(struct ucv_denial))
		fuzz_fail(w, "it returned no record");
	if (got > 0 && !place.writable)
		fuzz_fail(w, "%zd bytes were written where they cannot be", got);
	if (got > 0)
		check_denials(w, slot, place.at, got);
	/* A record that was written in part does not count, but is there. */
	fuzz_check_guard(w, &place, got > 0 && place.room >= size ? (size_t)got :
			 place.room < size ? place.room : 0, 0);
}

void fuzz_open_device(struct worker *w, struct slot *slot)
{
	static const struct {
		int flags;
		int error;
	} ways[] = {
		{ O_RDONLY, 0 }, { O_RDONLY, 0 }, { O_RDONLY, 0 }, { O_RDONLY, 0 },
		{ O_NONBLOCK, 0 }, { O_NONBLOCK, 0 }, { O_NONBLOCK, 0 }, { O_NONBLOCK, 0 },
		{ O_RDONLY, 0 }, { O_RDONLY, 0 }, { O_PATH, 0 }, { O_CREAT, 0 },
		{ O_TRUNC, 0 }, { O_APPEND, 0 }, { O_SYNC, 0 },
		{ O_WRONLY, EACCES }, { O_RDWR, EACCES }, { O_RDWR | O_TRUNC, EACCES },
		{ O_DIRECTORY, ENOTDIR }, { O_CREAT | O_EXCL, EEXIST },
		{ O_DIRECT, EINVAL }, /* after the module's open() */
	};
	const unsigned int way = fuzz_below(w, ARRAY_SIZE(ways));
	int fd, error;

	fuzz_describe(w, "open(%s, 0%o)", UCV_DEVICE_PATH, ways[way].flags);
	fd = open(UCV_DEVICE_PATH, ways[way].flags | O_CLOEXEC, 0600);
	error = fd < 0 ? errno : 0;
	FUZZ_EXPECT(w, NULL, error, ways[way].error);
	if (!error)
		fuzz_install(w, slot, fd, ways[way].flags);
}
