// SPDX-License-Identifier: GPL-2.0
/*
 * Watches files as an editor does: one inotify watch for each argument, until it is killed.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

/* Ends pause(), so that the shell does not report a signal. */
static void quit(int sig)
{
	(void)sig;
}

int main(int argc, char **argv)
{
	int fd, i;

	fd = inotify_init1(IN_CLOEXEC);
	if (fd < 0) {
		fprintf(stderr, "watcher: inotify_init: %s\n", strerror(errno));
		return 1;
	}
	for (i = 1; i < argc; i++) {
		if (inotify_add_watch(fd, argv[i], IN_MODIFY) >= 0)
			continue;
		fprintf(stderr, "watcher: cannot add watch number %d, for %s: %s\n",
			i, argv[i], strerror(errno));
		return 1;
	}
	signal(SIGTERM, quit);
	pause();
	return 0;
}
