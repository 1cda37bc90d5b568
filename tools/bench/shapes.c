// SPDX-License-Identifier: GPL-2.0
/*
 * Creates a number of things that the module reads, one shape after the other, and has
 * each read in some ways (see ways.c). Shapes:
 *
 *	users    rows of the table of ucounts: an inotify instance of each of so many users
 *	userns   user namespaces, in each a process with an inotify instance
 *	mntns    mount namespaces, in each a process
 *	mounts   mounts in one mount namespace that is not ours
 *	tasks    processes
 *	groups   inotify instances with one watch, 100 of them in each process
 *	watches  inotify watches, in an instance of each of 100 processes
 *
 * The file PLAN has three lines for each: SHAPE, NUMBER, and WAY;WAY;... (As arguments they would
 * be the command line of thousands of processes, which lsns reads.)
 *
 * usage: shapes PLAN
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define FIRST_UID	100000
#define SHARE		100	/* processes of watches, instances of a process */
#define STACK		4096	/* of a process that only waits */
#define TREE		1000	/* mounts that are created one by one */
#define DIRECTORY	"/tmp/shapes"

void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void file_name(char *name, size_t size, int nr)
{
	snprintf(name, size, "%d", nr);
}

/* inotify_init() charges the effective uid. */
static int make_users(int nr)
{
	int i;

	for (i = 0; i < nr; i++)
		if (seteuid(FIRST_UID + i) || inotify_init1(0) < 0 || seteuid(0))
			return -1;
	return 0;
}

/* Processes that share the memory, and so cost little of it. */
static int started;

static int wait_forever(void *with_instance)
{
	if (with_instance && inotify_init1(0) < 0)
		_exit(1);
	__atomic_fetch_add(&started, 1, __ATOMIC_SEQ_CST);
	for (;;)
		pause();
	return 0;
}

static int make_processes(int nr, int flags, void *with_instance)
{
	char *stacks = mmap(NULL, (size_t)nr * STACK, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	int i;

	if (stacks == MAP_FAILED)
		return -1;
	for (i = 1; i <= nr; i++)
		if (clone(wait_forever, stacks + (size_t)i * STACK, CLONE_VM | SIGCHLD | flags,
			  with_instance) < 0)
			return -1;
	while (__atomic_load_n(&started, __ATOMIC_SEQ_CST) < nr)
		usleep(1000);
	return 0;
}

static int make_userns(int nr)
{
	return make_processes(nr, CLONE_NEWUSER, &started);
}

static int make_mntns(int nr)
{
	return make_processes(nr, CLONE_NEWNS, NULL);
}

static int make_tasks(int nr)
{
	return make_processes(nr, 0, NULL);
}

/* Some mounts, and copies of them all below other ones. */
static int make_mounts(int nr)
{
	char name[NAME_MAX], copy[NAME_MAX];
	int i;

	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return -1;
	mkdir("one", 0700);
	if (mount("none", "one", "tmpfs", 0, NULL))
		return -1;
	for (i = 0; i < TREE; i++) {
		snprintf(name, sizeof(name), "one/%d", i);
		if (mkdir(name, 0700) || (i < TREE - 1 && mount(name, name, NULL, MS_BIND, NULL)))
			return -1;
	}
	for (i = 1; i < nr / TREE; i++) {
		snprintf(copy, sizeof(copy), "copy%d", i);
		mkdir(copy, 0700);
		if (mount("one", copy, NULL, MS_BIND | MS_REC, NULL))
			return -1;
	}
	return 0;
}

static int make_files(int nr)
{
	char name[NAME_MAX];
	int fd, i;

	for (i = 0; i < nr; i++) {
		file_name(name, sizeof(name), i);
		fd = open(name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
		if (fd < 0 || close(fd))
			return -1;
	}
	return 0;
}

static int watch_files(int fd, int nr)
{
	char name[NAME_MAX];
	int i;

	for (i = 0; i < nr; i++) {
		file_name(name, sizeof(name), i);
		if (inotify_add_watch(fd, name, IN_MODIFY) < 0)
			return -1;
	}
	return 0;
}

/* Each a process of its own, with so many instances of so many watches. */
static int make_watchers(int processes, int instances, int watches)
{
	int done[2], i, j, left = 0;
	char byte;

	if (make_files(watches) || pipe(done))
		return -1;
	for (i = 0; i < processes; i++) {
		pid_t pid = fork();

		if (pid < 0)
			return -1;
		if (pid)
			continue;
		for (j = 0; j < instances; j++)
			left |= watch_files(inotify_init1(0), watches);
		if (left || write(done[1], "", 1) != 1)
			_exit(1);
		wait_forever(NULL);
	}
	close(done[1]);
	for (i = 0; i < processes; i++)
		if (read(done[0], &byte, 1) != 1)
			return -1;
	return 0;
}

static int make_groups(int nr)
{
	return make_watchers(nr / SHARE, SHARE, 1);
}

static int make_watches(int nr)
{
	return make_watchers(SHARE, 1, nr / SHARE);
}

static const struct shape {
	const char *name;
	int (*make)(int nr);
} shapes[] = {
	{ "users", make_users },
	{ "userns", make_userns },
	{ "mntns", make_mntns },
	{ "mounts", make_mounts },
	{ "tasks", make_tasks },
	{ "groups", make_groups },
	{ "watches", make_watches },
	{ }
};

static const struct shape *find_shape(const char *name)
{
	const struct shape *shape;

	for (shape = shapes; shape->name; shape++)
		if (!strcmp(shape->name, name))
			return shape;
	errno = EINVAL;
	fail(name);
	return NULL;
}

/* In a process group of its own. */
static pid_t start(const struct shape *shape, int nr)
{
	int ready[2];
	pid_t pid;
	char byte;

	if (pipe(ready))
		fail("shapes: pipe");
	pid = fork();
	if (!pid) {
		setpgid(0, 0);
		if (shape->make(nr) || write(ready[1], "", 1) != 1)
			fail(shape->name);
		pause();
	}
	close(ready[1]);
	if (pid < 0 || read(ready[0], &byte, 1) != 1)
		fail("shapes: the process that has them");
	close(ready[0]);
	return pid;
}

/* Then the kernel frees some of it in the background. */
static void stop(pid_t pid)
{
	kill(-pid, SIGKILL);
	while (wait(NULL) > 0)
		continue;
	sleep(5);
}

static void set(const char *sysctl, const char *value)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/%s", sysctl);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		fail(path);
	close(fd);
}

static void lift_limits(void)
{
	const struct rlimit processes = { RLIM_INFINITY, RLIM_INFINITY };
	const struct rlimit files = { 1048576, 1048576 };

	set("fs/file-max", "4000000");
	set("fs/inotify/max_user_instances", "2000000");
	set("fs/inotify/max_user_watches", "2000000");
	set("fs/mount-max", "2000000");
	set("kernel/pid_max", "100000");
	set("kernel/threads-max", "100000");
	set("user/max_mnt_namespaces", "100000");
	set("user/max_user_namespaces", "100000");
	if (setrlimit(RLIMIT_NOFILE, &files) || prlimit(0, RLIMIT_NPROC, &processes, NULL) ||
	    prlimit(1, RLIMIT_NPROC, &processes, NULL))
		fail("shapes: setrlimit");
}

static void run(const char *name, const char *number, char *ways)
{
	pid_t pid = start(find_shape(name), atoi(number));
	char label[64], *way;

	snprintf(label, sizeof(label), "%s,%s", name, number);
	while ((way = strsep(&ways, ";")))
		measure(pid, label, way);
	stop(pid);
}

static bool read_line(FILE *file, char *line, int size)
{
	if (!fgets(line, size, file))
		return false;
	line[strcspn(line, "\n")] = '\0';
	return true;
}

int main(int argc, char **argv)
{
	FILE *plan = fopen(argc > 1 ? argv[1] : "", "re");
	char name[16], number[16], ways[4096];

	if (!plan)
		fail("shapes: PLAN");
	if (prctl(PR_SET_CHILD_SUBREAPER, 1))
		fail("shapes: PR_SET_CHILD_SUBREAPER");
	lift_limits();
	mkdir(DIRECTORY, 0700);
	if (chdir(DIRECTORY))
		fail("shapes: " DIRECTORY);
	open_device();
	while (read_line(plan, name, sizeof(name)) && read_line(plan, number, sizeof(number)) &&
	       read_line(plan, ways, sizeof(ways)))
		run(name, number, ways);
	fclose(plan);
	return 0;
}
