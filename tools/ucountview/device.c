// SPDX-License-Identifier: GPL-2.0
/*
 * The device: whether it is there, for us, and of a module that this program
 * understands.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>

#include "device.h"

static int open_path(int flags)
{
	int fd = open(UCV_DEVICE_PATH, O_RDONLY | O_CLOEXEC | flags);

	if (fd >= 0)
		return fd;

	switch (errno) {
	case ENOENT:
	case ENODEV:
	case ENXIO:
		die("%s: the module is not loaded (try: modprobe ucountview)", UCV_DEVICE_PATH);
	case EACCES:
	case EPERM:
		die("%s: permission denied (needs root, outside of any container)",
		    UCV_DEVICE_PATH);
	default:
		die("%s: %s", UCV_DEVICE_PATH, strerror(errno));
	}
}

static void check_abi(int fd, struct ucv_info *info)
{
	if (ioctl(fd, UCV_IOC_INFO, info))
		die("%s: not a device of the module ucountview: %s", UCV_DEVICE_PATH,
		    strerror(errno));
	if (info->abi_version != UCV_ABI_VERSION)
		die("the module speaks ABI %u, this program ABI %u: install one version of both",
		    info->abi_version, UCV_ABI_VERSION);
}

/**
 * device_cannot() - give up because the module cannot do something on this kernel
 * @what: what
 */
void device_cannot(const char *what)
{
	die("the module cannot %s on this kernel; %s: dmesg | grep ucountview", what,
	    "it logged the reason when it was loaded");
}

/**
 * device_open() - open the device
 * @info: out: what module it is
 * @flags: O_NONBLOCK, or 0
 *
 * Gives up, with the reason, if it cannot be had.
 *
 * Return: a file descriptor.
 */
int device_open(struct ucv_info *info, int flags)
{
	int fd = open_path(flags);

	check_abi(fd, info);
	return fd;
}
