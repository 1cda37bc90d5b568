// SPDX-License-Identifier: GPL-2.0
/*
 * The program of a container: an inotify instance with as many watches as it is told, or is
 * allowed. It stays when it is refused one, until its manager ends it.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

static void quit(int sig)
{
	(void)sig;
	_exit(0);
}

int main(int argc, char **argv)
{
	int fd = inotify_init1(IN_CLOEXEC), wanted = argc > 1 ? atoi(argv[1]) : 1;
	char path[32];

	/* As PID 1 it gets only what it handles: SIGTERM, and what systemd-nspawn and LXC send. */
	signal(SIGTERM, quit);
	signal(SIGRTMIN + 3, quit);
	signal(SIGRTMIN + 4, quit);
	signal(SIGPWR, quit);
	for (int i = 0; i < wanted; i++) {
		snprintf(path, sizeof(path), "/files/%d", i);
		if (inotify_add_watch(fd, path, IN_MODIFY) >= 0)
			continue;
		fprintf(stderr, "watch: %s: %s\n", path, strerror(errno));
		break;
	}
	while (1)
		pause();
}
