// SPDX-License-Identifier: GPL-2.0
/*
 * Not a test: what load_test.sh runs.
 *
 *	read_loop	reads the device and debugfs repeatedly, whether the module is
 *			loaded or not, until SIGTERM and until it has taken a snapshot;
 *			prints the number of snapshots
 *	read_loop N	takes N snapshots with one open file
 *
 * Exits with 1 on an error other than a missing module.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "ucountview.h"

/* The module is not loaded, or is being loaded or unloaded. */
static int is_absence(int error)
{
	return error == ENOENT || error == ENODEV || error == ENXIO;
}

static void die(const char *what)
{
	fprintf(stderr, "# read_loop: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void take_snapshot(int fd)
{
	struct ucv_snapshot snapshot = {
		.request = UCV_MASK(UCV_KIND_UCOUNTS),
	};
	static struct ucv_ucounts rows[64];
	struct ucv_read read = {
		.kind = UCV_KIND_UCOUNTS,
		.record_size = sizeof(rows[0]),
		.buf = (uintptr_t)rows,
		.buf_size = sizeof(rows),
	};

	if (ioctl(fd, UCV_IOC_SNAPSHOT, &snapshot))
		die("UCV_IOC_SNAPSHOT");
	if (ioctl(fd, UCV_IOC_READ, &read))
		die("UCV_IOC_READ");
	if (!read.nr)
		die("no rows");
}

static long read_device(long times)
{
	int fd = open(UCV_DEVICE_PATH, O_RDONLY | O_CLOEXEC);
	long i;

	if (fd < 0) {
		if (!is_absence(errno))
			die("open " UCV_DEVICE_PATH);
		return 0;
	}
	/* The open file pins the module. */
	for (i = 0; i < times; i++)
		take_snapshot(fd);
	close(fd);
	return times;
}

static void read_text(const char *path)
{
	char buf[4096];
	ssize_t got;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		if (!is_absence(errno))
			die(path);
		return;
	}
	do
		got = read(fd, buf, sizeof(buf));
	while (got > 0);
	if (got < 0 && !is_absence(errno) && errno != EIO)
		die(path);
	close(fd);
}

static long long now_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

/*
 * With eight of these running, there must be times at which none has a file open, also on a
 * slow machine. So each rests for about eight times as long as it has worked. Returns true on
 * SIGTERM.
 */
static int rest(const sigset_t *signals, long long worked_ns)
{
	long long ns = worked_ns * (rand() % 17);
	struct timespec time = {
		.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000,
	};

	return sigtimedwait(signals, NULL, &time) == SIGTERM;
}

static void read_until_term(void)
{
	long snapshots = 0, late = 0;
	long long began;
	sigset_t signals;
	int done = 0;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	srand(getpid());
	/* At least one snapshot: the module may not have been loaded at any attempt so far. */
	while (!done || (!snapshots && late++ < 1000)) {
		began = now_ns();
		snapshots += read_device(1);
		read_text("/sys/kernel/debug/ucountview/ucounts");
		read_text("/sys/kernel/debug/ucountview/status");
		done |= rest(&signals, now_ns() - began);
	}
	printf("%ld\n", snapshots);
}

int main(int argc, char **argv)
{
	if (argc == 1)
		read_until_term();
	else if (!read_device(atol(argv[1])))
		die(UCV_DEVICE_PATH);
	return 0;
}
