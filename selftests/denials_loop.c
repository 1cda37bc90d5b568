// SPDX-License-Identifier: GPL-2.0
/*
 * Not a test: what denials_load_test.sh runs.
 *
 *	denials_loop refuse	is refused UTS namespaces, whose limit the script sets to 0,
 *				until SIGTERM; prints how often
 *	denials_loop listen	opens the device, arms, reads denials and closes the device,
 *				whether the module is loaded or not, until SIGTERM and until
 *				it has read one; prints how many
 *	denials_loop hold ARM	listens, and arms if ARM is 1, until SIGTERM; prints a line
 *				once it listens
 *	denials_loop users N	is refused inotify instances, whose limit the script sets to
 *				0, as each of N users: once, twice or three times
 *
 * Exits with 1 on an error other than a missing module.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "ucountview.h"

#define FIRST_UID	1900020000U

static void die(const char *what)
{
	fprintf(stderr, "# denials_loop: %s: %s\n", what, strerror(errno));
	exit(1);
}

static sigset_t signals;

static long long now_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

/* Sleeps for @ns. Returns true, at once, on SIGTERM. */
static int rest(long long ns)
{
	struct timespec time = {
		.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000,
	};

	return sigtimedwait(&signals, NULL, &time) == SIGTERM;
}

static void refuse(void)
{
	long times = 0;
	int i, done = 0;

	while (!done) {
		for (i = 0; i < 50; i++)
			if (unshare(CLONE_NEWUTS) != -1 || errno != ENOSPC)
				die("unshare");
		times += i;
		done = rest(1000000);
	}
	printf("%ld\n", times);
}

/* The module is not loaded, or is being loaded or unloaded. */
static int is_absence(int error)
{
	return error == ENOENT || error == ENODEV || error == ENXIO;
}

static int open_listener(__u32 flags)
{
	struct ucv_listen listen = { .flags = flags };
	int fd = open(UCV_DEVICE_PATH, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0) {
		if (!is_absence(errno))
			die("open " UCV_DEVICE_PATH);
		return fd;
	}
	if (ioctl(fd, UCV_IOC_LISTEN, &listen))
		die("UCV_IOC_LISTEN");
	return fd;
}

static long listen_once(void)
{
	static struct ucv_denial buf[64];
	int fd = open_listener(UCV_LISTEN_ARM);
	ssize_t got;

	if (fd < 0)
		return 0;
	usleep(1000);
	got = read(fd, buf, sizeof(buf));
	if (got < 0 && errno != EAGAIN)
		die("read");
	close(fd);
	return got > 0 ? got / (ssize_t)sizeof(buf[0]) : 0;
}

/*
 * With several of these running, there must be times at which none has the device open. So
 * each rests for about eight times as long as it has listened.
 */
static void listen_again_and_again(void)
{
	long heard = 0, late = 0;
	long long began;
	int done = 0;

	while (!done || (!heard && late++ < 1000)) {
		began = now_ns();
		heard += listen_once();
		done |= rest((now_ns() - began) * (rand() % 17));
	}
	printf("%ld\n", heard);
}

static void hold(__u32 arm)
{
	if (open_listener(arm ? UCV_LISTEN_ARM : 0) < 0)
		die("open " UCV_DEVICE_PATH);
	puts("listens");
	fflush(stdout);
	while (!rest(1000000000))
		;
}

static void refuse_users(long users)
{
	long i, j;

	for (i = 0; i < users; i++) {
		if (setresuid(-1, FIRST_UID + i, 0))
			die("setresuid");
		for (j = 0; j <= i % 3; j++)
			if (inotify_init1(IN_CLOEXEC) != -1 || errno != EMFILE)
				die("inotify_init1");
		if (setresuid(-1, 0, -1))
			die("setresuid");
	}
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	long number = argc > 2 ? atol(argv[2]) : 0;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	srand(getpid());
	if (!strcmp(what, "refuse"))
		refuse();
	else if (!strcmp(what, "listen"))
		listen_again_and_again();
	else if (!strcmp(what, "hold"))
		hold(number);
	else if (!strcmp(what, "users"))
		refuse_users(number);
	else
		return 2;
	return 0;
}
