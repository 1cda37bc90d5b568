// SPDX-License-Identifier: GPL-2.0
/*
 * The module's device: open it and check its ABI, read denials from it one by one, and put
 * errors into words.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "device.h"
#include "procfs.h"
#include "ucountview.h"

static int open_path(int flags)
{
	int fd = open(UCV_DEVICE_PATH, O_RDONLY | O_CLOEXEC | flags);

	if (fd >= 0)
		return fd;

	switch (errno) {
	case ENOENT:
	case ENODEV:
	case ENXIO:
		die("cannot open %s: module not loaded (run modprobe ucountview)", UCV_DEVICE_PATH);
	case EACCES:
	case EPERM:
		die("cannot open %s: Permission denied (run as root, outside of containers)",
		    UCV_DEVICE_PATH);
	default:
		die("cannot open %s: %s", UCV_DEVICE_PATH, strerror(errno));
	}
}

/**
 * device_cannot() - exit because the module cannot do @what on this kernel
 */
void device_cannot(const char *what)
{
	die("the module cannot %s on this kernel (%s: dmesg | grep ucountview)", what,
	    "for the reason");
}

/**
 * device_open() - open the device, or exit with the reason
 * @info: out: what the module reports about itself; its ABI is this program's
 * @flags: O_NONBLOCK, or 0
 */
int device_open(struct ucv_info *info, int flags)
{
	int fd = open_path(flags);

	if (ioctl(fd, UCV_IOC_INFO, info))
		die("cannot query %s: %s (not a device of the module ucountview)", UCV_DEVICE_PATH,
		    strerror(errno));
	if (info->abi_version != UCV_ABI_VERSION)
		die("the module has ABI %u, this program %u (install the same release of both)",
		    info->abi_version, UCV_ABI_VERSION);
	return fd;
}

/* Listening: denials from the module's ring. */

#define BUFFER_SIZE	(256 * 1024)	/* bytes read at a time */

/**
 * listener_blind() - exit because kprobes do not fire
 */
void listener_blind(void)
{
	die("denials are not recorded: %s", probes_trouble());
}

static void __noreturn listening_failed(int err)
{
	switch (err) {
	case ENOTTY:
		die("cannot record denials: the module is older than this program (%s)",
		    "install the same release of both");
	case EOPNOTSUPP:
		device_cannot("record denials");
	case ENOMEM:
		die("cannot record denials: out of memory in the kernel");
	case ENOLINK:
		listener_blind();
	case EINTR:
		die("cannot record denials: interrupted");
	default:
		die("cannot register the module's kprobes: %s (see dmesg, and %s)",
		    strerror(err), "/sys/kernel/debug/kprobes/enabled");
	}
}

static int listen_to_device(struct ucv_listen *state)
{
	struct ucv_info info;
	int fd = device_open(&info, O_NONBLOCK);

	if (ioctl(fd, UCV_IOC_LISTEN, state))
		listening_failed(errno);
	return fd;
}

/**
 * listener_open() - start listening with UCV_LISTEN_* @flags, or exit with the reason
 * @listener: out; close with listener_close()
 */
void listener_open(struct listener *listener, __u32 flags)
{
	memset(listener, 0, sizeof(*listener));
	listener->state.flags = flags;
	listener->fd = listen_to_device(&listener->state);
	listener->buffer = xreallocarray(NULL, 1, BUFFER_SIZE);
}

/* Returns whether anything was read. */
static bool fill_buffer(struct listener *listener)
{
	ssize_t got;

	do {
		got = read(listener->fd, listener->buffer, BUFFER_SIZE);
	} while (got < 0 && errno == EINTR);
	if (got < 0 && errno == ENOLINK)
		listener->interrupted = true;
	else if (got < 0 && errno != EAGAIN)
		die("cannot read denials from %s: %s", UCV_DEVICE_PATH, strerror(errno));
	listener->used = got > 0 ? got : 0;
	listener->next = 0;
	return listener->used;
}

/* Records of a newer module are longer than struct ucv_denial, those of an older one shorter. */
static size_t take_record(struct ucv_denial *denial, const char *from, size_t left)
{
	__u32 size;

	if (left < sizeof(size))
		return 0;
	memcpy(&size, from, sizeof(size));
	if (size < UCV_RECORD_SIZE_MIN || size > left)
		return 0;
	memset(denial, 0, sizeof(*denial));
	memcpy(denial, from, size < sizeof(*denial) ? size : sizeof(*denial));
	denial->comm[UCV_COMM_LEN - 1] = '\0';
	return size;
}

/**
 * listener_next() - the next denial, valid until the next call; NULL if there is none yet
 */
struct ucv_denial *listener_next(struct listener *listener)
{
	size_t size;

	if (listener->next == listener->used && !fill_buffer(listener))
		return NULL;
	size = take_record(&listener->denial, listener->buffer + listener->next,
			   listener->used - listener->next);
	if (!size)
		die("denial read from %s is truncated", UCV_DEVICE_PATH);
	listener->next += size;
	return &listener->denial;
}

/**
 * listener_close() - stop listening
 */
void listener_close(struct listener *listener)
{
	close(listener->fd);
	free(listener->buffer);
}

/**
 * listener_state() - the present state of recording
 *
 * Opens a file of its own: asking again would move the position of the listening file.
 */
struct ucv_listen listener_state(void)
{
	struct ucv_listen state = { };

	close(listen_to_device(&state));
	return state;
}
