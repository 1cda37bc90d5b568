// SPDX-License-Identifier: GPL-2.0
/*
 * A helper of mounts_nobtf_test.sh and others. Not a test.
 *
 *	mounts_probe features	the names of the features that the module reports
 *	mounts_probe available	yes or no: does the module report support for mounts?
 *	mounts_probe snapshot	ok, or the error of a snapshot of mount namespaces
 *	mounts_probe open FILE	ok, or the error of open()
 *	mounts_probe resources	the names of the counters other than rlimits
 *	mounts_probe records	the columns of debugfs' mounts, without the last ones
 *	mounts_probe hold N	makes N mounts in its own mount namespace, prints the inode
 *				number of that and stays until it is killed
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ucountview.h"

#define MAX_RECORDS	4096

static void die(const char *what)
{
	fprintf(stderr, "mounts_probe: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int open_device(void)
{
	int fd = open(UCV_DEVICE_PATH, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die(UCV_DEVICE_PATH);
	return fd;
}

static int take(int fd, __u64 kinds)
{
	struct ucv_snapshot snapshot = { .request = kinds };

	return ioctl(fd, UCV_IOC_SNAPSHOT, &snapshot);
}

static void *read_kind(int fd, __u32 kind, __u32 size, unsigned int *nr)
{
	struct ucv_read read = {
		.kind = kind,
		.record_size = size,
		.buf_size = (__u64)MAX_RECORDS * size,
	};
	void *records = calloc(MAX_RECORDS, size);

	read.buf = (uintptr_t)records;
	if (!records || ioctl(fd, UCV_IOC_READ, &read))
		die("UCV_IOC_READ");
	*nr = read.nr;
	return records;
}

static void answer(int failed)
{
	if (!failed)
		puts("ok");
	else if (errno == EOPNOTSUPP)
		puts("EOPNOTSUPP");
	else
		puts(strerror(errno));
}

static void print_available(void)
{
	const __u64 kind = UCV_MASK(UCV_KIND_MNTNS);
	struct ucv_info info = {};

	if (ioctl(open_device(), UCV_IOC_INFO, &info))
		die("UCV_IOC_INFO");
	if (!(info.features & UCV_FEATURE_MNTNS) != !(info.supported & kind))
		puts("features and supported differ");
	else
		puts(info.supported & kind ? "yes" : "no");
}

/* By bit, as in debugfs' status. */
static void print_features(void)
{
	static const char * const names[] = {
		"rlimits", "lockless", "ns_id", "btf", "ns_pinned", "mntns", "mntns_listed",
		"denials", "mount_denials", "groups", "nproc_denials", "msgqueue_denials",
		"memlock_denials", "sigpending_denials", "userns_depth_denials",
		"pidns_depth_denials", NULL
	};
	struct ucv_info info = {};
	unsigned int i;

	if (ioctl(open_device(), UCV_IOC_INFO, &info))
		die("UCV_IOC_INFO");
	for (i = 0; names[i]; i++)
		if (info.features & (1ULL << i))
			puts(names[i]);
}

static void print_resources(void)
{
	struct ucv_resource *resource;
	int fd = open_device();
	unsigned int nr, i;

	if (take(fd, UCV_MASK(UCV_KIND_RESOURCE)))
		die("UCV_IOC_SNAPSHOT");
	resource = read_kind(fd, UCV_KIND_RESOURCE, sizeof(*resource), &nr);
	for (i = 0; i < nr; i++)
		if (resource[i].type == UCV_RESOURCE_UCOUNT)
			puts(resource[i].name);
	free(resource);
}

static void print_records(void)
{
	unsigned int nr_userns, nr, i;
	struct ucv_userns *userns;
	struct ucv_mntns *mntns;
	int fd = open_device();

	if (take(fd, UCV_MASK(UCV_KIND_MNTNS)))
		die("UCV_IOC_SNAPSHOT");
	userns = read_kind(fd, UCV_KIND_USERNS, sizeof(*userns), &nr_userns);
	mntns = read_kind(fd, UCV_KIND_MNTNS, sizeof(*mntns), &nr);
	for (i = 0; i < nr; i++)
		printf("%u %u %u %u %u %u\n", mntns[i].inum,
		       userns[mntns[i].userns].inum, mntns[i].uid,
		       mntns[i].mounts, mntns[i].pending, mntns[i].limit);
	free(userns);
	free(mntns);
}

static void hold(long mounts)
{
	struct stat status;

	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		die("unshare");
	while (mounts--)
		if (mount("/proc", "/proc", NULL, MS_BIND | MS_REC, NULL))
			die("mount");
	if (stat("/proc/self/ns/mnt", &status))
		die("stat");
	printf("%lu\n", (unsigned long)status.st_ino);
	fflush(stdout);
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	const char *command = argc > 1 ? argv[1] : "";

	if (!strcmp(command, "available"))
		print_available();
	else if (!strcmp(command, "features"))
		print_features();
	else if (!strcmp(command, "snapshot"))
		answer(take(open_device(), UCV_MASK(UCV_KIND_MNTNS)));
	else if (!strcmp(command, "open") && argc == 3)
		answer(open(argv[2], O_RDONLY | O_CLOEXEC) < 0);
	else if (!strcmp(command, "resources"))
		print_resources();
	else if (!strcmp(command, "records"))
		print_records();
	else if (!strcmp(command, "hold") && argc == 3)
		hold(atol(argv[2]));
	else
		return 2;
	return 0;
}
