// SPDX-License-Identifier: GPL-2.0
/*
 * The fuzzer's operations that both the device and the files in debugfs have, or refuse. What the
 * kernel returns is determined by the modes of the file: both are read-only, the device has
 * neither position nor offsets, and neither can be mapped.
 */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"

void fuzz_install(struct worker *w, struct slot *slot, int fd, int flags)
{
	const struct slot fresh = {
		.fd = slot->fd, .shared = slot->shared, .path = flags & O_PATH,
		.open = !(flags & O_PATH), .nonblock = flags & O_NONBLOCK,
	};
	int ret;

	do {
		ret = dup3(fd, slot->fd, O_CLOEXEC);
	} while (ret < 0 && (errno == EBUSY || errno == EINTR));
	if (ret < 0)
		fuzz_fail(w, "dup3: %s", strerror(errno));
	close(fd);
	*slot = fresh;
}

void fuzz_close(struct worker *w, struct slot *slot)
{
	int error;

	fuzz_describe(w, "close(%d)", slot->fd);
	error = close(slot->fd) ? errno : 0;
	FUZZ_EXPECT(w, slot, error, slot->shared || slot->open || slot->path ? 0 : EBADF);
	slot->open = false;
	slot->path = false;
}

/* Two shared numbers become the same file. A private one is only duplicated and closed. */
void fuzz_dup(struct worker *w, struct slot *slot)
{
	const int first = slot->fd - slot->fd % SLOTS;
	int fd, error;

	fuzz_describe(w, "dup(%d)", slot->fd);
	fd = dup(slot->fd);
	error = fd < 0 ? errno : 0;
	FUZZ_EXPECT(w, slot, error, slot->shared || slot->open || slot->path ? 0 : EBADF);
	if (error)
		return;
	if (slot->shared)
		dup3(fd, first + fuzz_below(w, SLOTS), O_CLOEXEC);
	close(fd);
}

/*
 * Only the device can be polled, and since 6.13 any file in debugfs, which is always ready. The
 * file may be closed while epoll waits for it.
 */
static void do_epoll(struct worker *w, struct slot *slot, bool device)
{
	struct epoll_event event = { .events = EPOLLIN | (fuzz_one_in(w, 2) ? EPOLLET : 0) };
	int epoll = epoll_create1(EPOLL_CLOEXEC), error;

	fuzz_describe(w, "epoll_ctl(%d)", slot->fd);
	error = epoll_ctl(epoll, EPOLL_CTL_ADD, slot->fd, &event) ? errno : 0;
	if (!slot->shared && !slot->open)
		FUZZ_EXPECT(w, slot, error, EBADF);
	else
		FUZZ_EXPECT(w, slot, error, 0, device ? 0 : EPERM);
	epoll_wait(epoll, &event, 1, 0);
	close(epoll);
}

void fuzz_poll(struct worker *w, struct slot *slot, bool device)
{
	struct pollfd poll_fd = { .fd = slot->fd, .events = fuzz_random(w) };
	const int timeout = fuzz_one_in(w, 4) ? fuzz_below(w, 3) : 0;
	/* There are events at once, which no signal interrupts. */
	const bool ready = !slot->shared && (!slot->open || (device && !slot->listens));
	int ret;

	if (fuzz_one_in(w, 3)) {
		do_epoll(w, slot, device);
		return;
	}
	fuzz_describe(w, "poll(%d, 0x%hx, %d)", slot->fd, poll_fd.events, timeout);
	ret = poll(&poll_fd, 1, timeout);
	if (ret < 0)
		FUZZ_EXPECT(w, NULL, errno, ready ? 0 : EINTR);
	if (ret < 0 || slot->shared)
		return;
	if (!slot->open && poll_fd.revents != POLLNVAL)
		fuzz_fail(w, "events 0x%hx of no file", poll_fd.revents);
	if (!slot->open || !device)
		return;
	if (!slot->listens && poll_fd.revents != POLLERR)
		fuzz_fail(w, "events 0x%hx, not POLLERR", poll_fd.revents);
	if (slot->listens && poll_fd.revents & ~(POLLIN | POLLRDNORM))
		fuzz_fail(w, "events 0x%hx of a listener", poll_fd.revents);
}

void fuzz_fcntl(struct worker *w, struct slot *slot)
{
	const bool nonblock = fuzz_one_in(w, 2);
	int ret;

	if (fuzz_one_in(w, 2)) {
		fuzz_describe(w, "fcntl(%d, F_SETFL, %d)", slot->fd, nonblock);
		ret = fcntl(slot->fd, F_SETFL, nonblock ? O_NONBLOCK : 0);
		FUZZ_EXPECT(w, slot, ret ? errno : 0, slot->shared || slot->open ? 0 : EBADF);
		slot->nonblock = nonblock;
		return;
	}
	ret = fcntl(slot->fd, F_GETFL);
	fuzz_describe(w, "fcntl(%d, F_GETFL) = 0%o", slot->fd, ret);
	if (!slot->shared && slot->open && !(ret & O_NONBLOCK) != !slot->nonblock)
		fuzz_fail(w, "other flags than were set");
}

/* What neither file has, and each error. */
void fuzz_refused(struct worker *w, struct slot *slot, bool device)
{
	const loff_t offset = fuzz_random(w) >> 1;
	const int how = fuzz_below(w, device ? 7 : 6);
	int expected = EBADF;
	char bytes[8] = "0\n";
	void *mapped;
	long ret;

	fuzz_describe(w, "refused %d(%d, %lld)", how, slot->fd, (long long)offset);
	switch (how) {
	case 0:
		ret = write(slot->fd, bytes, fuzz_below(w, 3));
		break;
	case 1:
		ret = pwrite(slot->fd, bytes, 1, offset);
		expected = ESPIPE;
		break;
	case 2:
		mapped = mmap(NULL, 4096, fuzz_one_in(w, 2) ? PROT_READ : PROT_NONE,
			      fuzz_one_in(w, 2) ? MAP_SHARED : MAP_PRIVATE, slot->fd, 0);
		ret = mapped == MAP_FAILED ? -1 : 0;
		expected = ENODEV;
		break;
	case 3:
		ret = ftruncate(slot->fd, fuzz_below(w, 2));
		expected = EINVAL;
		break;
	case 4:
		ret = fsync(slot->fd);
		expected = EINVAL;
		break;
	case 5:
		ret = device ? pread(slot->fd, bytes, 8, offset) :
			       ioctl(slot->fd, fuzz_one_in(w, 2) ? UCV_IOC_INFO : UCV_IOC_LISTEN,
				     bytes);
		expected = device ? ESPIPE : ENOTTY;
		break;
	default:
		ret = lseek(slot->fd, offset, fuzz_below(w, 5));
		expected = ESPIPE;
	}
	FUZZ_EXPECT(w, slot, ret < 0 ? errno : 0, slot->shared || slot->open ? expected : EBADF);
}
