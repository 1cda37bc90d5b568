// SPDX-License-Identifier: GPL-2.0
/*
 * Creates a number of rows in the table of ucounts, by one inotify instance for each of
 * as many users, and prints the cost of a snapshot of them:
 *
 *	ROWS WALK-NS HOLD-MAX-NS
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <uapi/ucountview.h>

#define FIRST_UID	100000

/* inotify_init() charges the effective uid. */
static int make_row(uid_t uid)
{
	int fd;

	if (seteuid(uid))
		return -1;
	fd = inotify_init1(IN_CLOEXEC);
	if (seteuid(0))
		return -1;
	return fd;
}

int main(int argc, char **argv)
{
	struct ucv_snapshot snapshot = { .request = UCV_MASK(UCV_KIND_UCOUNTS) };
	int nr = argc > 1 ? atoi(argv[1]) : 0;
	struct rlimit files = { nr + 16, nr + 16 };
	int fd, i;

	if (setrlimit(RLIMIT_NOFILE, &files)) {
		perror("rows: RLIMIT_NOFILE");
		return 1;
	}
	for (i = 0; i < nr; i++) {
		if (make_row(FIRST_UID + i) < 0) {
			perror("rows: inotify_init");
			return 1;
		}
	}
	fd = open(UCV_DEVICE_PATH, O_RDONLY | O_CLOEXEC);
	/* The second snapshot runs with warm caches. */
	for (i = 0; i < 2; i++) {
		if (fd < 0 || ioctl(fd, UCV_IOC_SNAPSHOT, &snapshot)) {
			perror("rows: " UCV_DEVICE_PATH);
			return 1;
		}
	}
	printf("%d %llu %llu\n", nr, snapshot.end_ns - snapshot.start_ns, snapshot.hold_max_ns);
	return 0;
}
