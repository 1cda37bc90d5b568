// SPDX-License-Identifier: GPL-2.0
/*
 * Leaves charges behind, as a command that "ucountview leaks" runs, or for "ucountview audit"
 * to find.
 *
 * Runs as root, or with "-u UID" first as another user, who is then charged:
 *
 *	leave watches NR	a process with an inotify instance of NR watches, 6 at most
 *	leave memory PAGES	a process that has locked PAGES pages of shared memory
 *	leave signals NR	a process with NR queued signals
 *	leave hold NR		an instance of NR watches that only the module ucv_planted
 *				pins, and no process
 *	leave bump NAME BY	a process with an instance and no watch, one counter of
 *				whose user ucv_planted has changed by BY
 *
 *	leave late NR		NR user namespaces without processes, each with an IPC
 *				namespace, which the kernel frees one by one
 *	leave drain NR		a process with an inotify instance of NR watches, which
 *				removes some while "ucountview leaks" waits and then
 *				interrupts that
 *
 * Everything is set up when the program exits.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* The number of nested namespaces in a chain. */
#define CHAIN 16

/* The number of watches removed; more than the samples that may be in progress. */
#define DRAINED 3

/* The instance to drain, once the parent has exited. */
static int to_drain = -1;

#define PARAMETERS "/sys/module/ucv_planted/parameters"

static const char * const dirs[] = { "/", "/dev", "/proc", "/sys", "/tmp", "/run" };

static void fail(const char *what)
{
	fprintf(stderr, "leave: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int make_instance(long watches)
{
	int fd = inotify_init1(0);
	long i;

	if (fd < 0)
		fail("inotify_init1");
	for (i = 0; i < watches; i++) {
		if (i == ARRAY_SIZE(dirs) || inotify_add_watch(fd, dirs[i], IN_DELETE_SELF) < 0)
			fail("inotify_add_watch");
	}
	return fd;
}

/* Locked shared memory is charged, mlock() is not. The segment is freed with the process. */
static void lock_memory(long pages)
{
	int id = shmget(IPC_PRIVATE, pages * sysconf(_SC_PAGESIZE), 0600);

	if (id < 0 || shmat(id, NULL, 0) == (void *)-1 || shmctl(id, SHM_LOCK, NULL) ||
	    shmctl(id, IPC_RMID, NULL))
		fail("shared memory");
}

static void queue_signals(long nr)
{
	union sigval value = { .sival_int = 0 };
	sigset_t blocked;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	while (nr--) {
		if (sigqueue(getpid(), SIGRTMIN, value))
			fail("sigqueue");
	}
}

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		fail(path);
	close(fd);
}

static void plant(const char *parameter, const char *text)
{
	char path[128];

	if (seteuid(0))
		fail("seteuid");
	snprintf(path, sizeof(path), "%s/%s", PARAMETERS, parameter);
	put(path, text);
}

static void plant_hold(long watches)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", make_instance(watches));
	plant("hold", text);
}

static void plant_bump(const char *name, const char *by)
{
	char text[64];

	snprintf(text, sizeof(text), "%d %s %s", make_instance(0), name, by);
	plant("bump", text);
}

/* A user or group without a mapping could not create a nested namespace. */
static void make_chain(long nr)
{
	while (nr--) {
		if (unshare(CLONE_NEWUSER | CLONE_NEWIPC))
			fail("unshare");
		put("/proc/self/setgroups", "deny");
		put("/proc/self/uid_map", "0 0 1");
		put("/proc/self/gid_map", "0 0 1");
	}
}

static void leave_late(long nr)
{
	long chain;
	int status;

	for (; nr > 0; nr -= chain) {
		chain = nr < CHAIN ? nr : CHAIN;
		if (!fork()) {
			make_chain(chain);
			_exit(0);
		}
		if (wait(&status) < 0 || status)
			fail("a chain of namespaces");
	}
}

/*
 * True if the reader, which is the subreaper of the command's orphans, waits for a signal. The
 * parent may be the command itself at first, which exits at any time.
 */
static int reader_waits(void)
{
	char path[64], text[32] = "";
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/syscall", getppid());
	fd = open(path, O_RDONLY);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		fail(path);
	got = read(fd, text, sizeof(text) - 1);
	close(fd);
	return got > 0 && strtol(text, NULL, 10) == SYS_rt_sigtimedwait;
}

static void wait_for_reader(int waits)
{
	while (reader_waits() != waits) {
		if (getppid() == 1)
			exit(1);
		usleep(1000);
	}
}

/* Removes one watch per sample of the reader; all removals but the last are surely sampled. */
static void drain(int fd)
{
	int i;

	wait_for_reader(1);
	for (i = 1; i <= DRAINED; i++) {
		if (inotify_rm_watch(fd, i))
			fail("inotify_rm_watch");
		wait_for_reader(0);
		wait_for_reader(1);
	}
	kill(getppid(), SIGINT);
}

/* Returns true if the process is to stay. */
static int do_it(char **argv)
{
	const char *what = argv[1];

	if (!strcmp(what, "watches")) {
		make_instance(atol(argv[2]));
	} else if (!strcmp(what, "memory")) {
		lock_memory(atol(argv[2]));
	} else if (!strcmp(what, "signals")) {
		queue_signals(atol(argv[2]));
	} else if (!strcmp(what, "drain")) {
		to_drain = make_instance(atol(argv[2]));
	} else if (!strcmp(what, "late")) {
		leave_late(atol(argv[2]));
	} else if (!strcmp(what, "bump") && argv[3]) {
		plant_bump(argv[2], argv[3]);
	} else if (!strcmp(what, "hold")) {
		plant_hold(atol(argv[2]));
	} else {
		errno = EINVAL;
		fail(what);
	}
	return strcmp(what, "hold") && strcmp(what, "late");
}

/* Reports success to the parent and stays; a process that fails exits without a report. */
static void stay(int ready)
{
	if (write(ready, "", 1) != 1)
		exit(1);
	close(ready);
	close(STDIN_FILENO);
	close(STDOUT_FILENO);
	close(STDERR_FILENO);
	if (to_drain >= 0)
		drain(to_drain);
	for (;;)
		pause();
}

/* The saved uid stays 0, for plant(). */
static char **take_user(char **argv)
{
	uid_t uid;

	if (!argv[1] || strcmp(argv[1], "-u") || !argv[2])
		return argv;
	uid = strtoul(argv[2], NULL, 10);
	if (setresuid(uid, uid, 0))
		fail("setresuid");
	return argv + 2;
}

int main(int argc, char **argv)
{
	int ready[2];
	char byte;

	(void)argc;
	argv = take_user(argv);
	if (!argv[1] || !argv[2]) {
		fputs("usage: leave [-u UID] WHAT NUMBER\n", stderr);
		return 1;
	}
	if (pipe(ready))
		fail("pipe");
	if (!fork()) {
		close(ready[0]);
		if (do_it(argv))
			stay(ready[1]);
		return write(ready[1], "", 1) != 1;
	}
	close(ready[1]);
	return read(ready[0], &byte, 1) != 1;
}
