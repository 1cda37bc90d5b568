// SPDX-License-Identifier: GPL-2.0
/*
 * Not a test: what load_test.sh runs.
 *
 *	read_loop FILE		reads the device and debugfs again and again, whether the
 *				module is there or not, until SIGTERM and until it was
 *				there once; prints how many snapshots it took
 *	read_loop FILE COMMAND	runs it while no read_loop opens a file of debugfs
 *	read_loop -n N		takes N snapshots with one open file
 *
 * Exit status 1 for an error that the absence of the module does not explain.
 *
 * FILE is a lock. The kernel warns, "debugfs file owner did not clean up at exit", if a
 * file of debugfs is opened after delete_module() has dropped the last reference and
 * before it has marked the module as going: any module's. The test is of ours, so it
 * keeps out of that instant.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "ucountview.h"

/* Not there, not there any more, or there but not for long. */
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
	/* Once it is open the module cannot go. */
	for (i = 0; i < times; i++)
		take_snapshot(fd);
	close(fd);
	return times;
}

static int open_text(int lock, const char *path)
{
	int fd, error;

	flock(lock, LOCK_SH);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	error = errno;
	flock(lock, LOCK_UN);
	errno = error;
	return fd;
}

static void read_text(int lock, const char *path)
{
	char buf[4096];
	ssize_t got;
	int fd = open_text(lock, path);

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

/* Leaves an instant in which nobody has it open; true if it is time to end. */
static int pause_a_bit(const sigset_t *signals)
{
	struct timespec time = { .tv_nsec = rand() % 4000000 };

	return sigtimedwait(signals, NULL, &time) == SIGTERM;
}

static void read_until_term(int lock)
{
	long snapshots = 0, late = 0;
	sigset_t signals;
	int done = 0;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	srand(getpid());
	/* One snapshot at least: the module may have been away all the time. */
	while (!done || (!snapshots && late++ < 1000)) {
		snapshots += read_device(1);
		read_text(lock, "/sys/kernel/debug/ucountview/ucounts");
		read_text(lock, "/sys/kernel/debug/ucountview/status");
		done |= pause_a_bit(&signals);
	}
	printf("%ld\n", snapshots);
}

int main(int argc, char **argv)
{
	int lock;

	if (argc == 3 && !strcmp(argv[1], "-n")) {
		if (!read_device(atol(argv[2])))
			die(UCV_DEVICE_PATH);
		return 0;
	}
	if (argc == 1)
		return 1;
	lock = open(argv[1], O_RDWR | O_CREAT, 0600);
	if (lock < 0)
		die(argv[1]);
	if (argc == 2) {
		read_until_term(lock);
		return 0;
	}
	/* The command inherits the lock, and it ends with it. */
	flock(lock, LOCK_EX);
	execvp(argv[2], argv + 2);
	die(argv[2]);
	return 1;
}
