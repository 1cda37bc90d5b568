// SPDX-License-Identifier: GPL-2.0
/*
 * Prints the cost of a charge in ns: one inotify_add_watch() and inotify_rm_watch(), or,
 * with "refused", one inotify_add_watch() that the limit refuses. This is the minimum of
 * many batches, i.e. of one without an interrupt.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#define BATCHES		200
#define BATCH		20

static long now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000L + now.tv_nsec;
}

static int charge(int fd)
{
	int wd = inotify_add_watch(fd, "/", IN_DELETE_SELF);

	return wd < 0 ? -1 : inotify_rm_watch(fd, wd);
}

static int be_refused(int fd)
{
	return inotify_add_watch(fd, "/", IN_DELETE_SELF) == -1 && errno == ENOSPC ? 0 : -1;
}

int main(int argc, char **argv)
{
	int (*call)(int fd) = argc > 1 && !strcmp(argv[1], "refused") ? be_refused : charge;
	int fd = inotify_init1(IN_CLOEXEC);
	long least = -1;
	int i, j;

	for (i = 0; i < BATCHES; i++) {
		long took = now_ns();

		for (j = 0; j < BATCH; j++) {
			if (call(fd)) {
				perror("charge: inotify");
				return 1;
			}
		}
		took = now_ns() - took;
		if (least < 0 || took < least)
			least = took;
		/* The kernel frees marks from a work item after a grace period. */
		usleep(1000);
	}
	printf("%ld\n", least / BATCH);
	return 0;
}
