// SPDX-License-Identifier: GPL-2.0
/*
 * Creates a number of rows in the table of ucounts, by one inotify instance for each of
 * as many users, and prints what it costs to read them, in ns, a line for each way:
 *
 *	floor-touch       to visit each entry, and floor-copy, to store its numbers, too:
 *	                  see floor/floor.c
 *	snapshot-holders  UCV_IOC_SNAPSHOT, of counters, processes and what they hold
 *	hold-holders      the longest section of it with a lock held or under RCU
 *	snapshot          UCV_IOC_SNAPSHOT, of counters and the namespaces that have some
 *	hold              the longest section of that
 *	read              UCV_IOC_READ of all records, with the ABI's record size
 *	read-stride       the same with the size that this module's records have
 *	debugfs           to open and read debugfs' ucounts
 *
 * and then for each COMMAND, from fork() to its exit, its output discarded.
 *
 * usage: rows NUMBER [COMMAND]...
 */
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <uapi/ucountview.h>

#define FIRST_UID	100000
#define ROUNDS		3	/* the least counts: caches are warm, and there was no interrupt */
#define BYTES		(256 * 1024)
#define MOST_ARGUMENTS	16

#define FLOOR		"/host/floor.sh"
#define DEBUGFS		"/sys/kernel/debug/ucountview/ucounts"

static char buffer[BYTES];
static int device;
static size_t stride;
static long hold;

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static long now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000L + now.tv_nsec;
}

/* inotify_init() charges the effective uid. */
static void make_rows(int nr)
{
	struct rlimit files = { nr + 16, nr + 16 };
	int i;

	if (setrlimit(RLIMIT_NOFILE, &files))
		fail("rows: RLIMIT_NOFILE");
	for (i = 0; i < nr; i++)
		if (seteuid(FIRST_UID + i) || inotify_init1(0) < 0 || seteuid(0))
			fail("rows: inotify_init");
}

/* In a process of their own, as each fork() copies all descriptors. */
static void have_rows(int nr)
{
	int ready[2];
	pid_t pid;
	char byte;

	if (pipe(ready))
		fail("rows: pipe");
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		make_rows(nr);
		if (write(ready[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	close(ready[1]);
	if (pid < 0 || read(ready[0], &byte, 1) != 1)
		fail("rows: the process that has them");
	close(ready[0]);
}

static void take(__u64 kinds, __u32 flags)
{
	struct ucv_snapshot snapshot = { .request = kinds, .flags = flags };

	if (ioctl(device, UCV_IOC_SNAPSHOT, &snapshot))
		fail("rows: UCV_IOC_SNAPSHOT");
	hold = snapshot.hold_max_ns;
}

static void take_counters(void)
{
	take(UCV_MASK(UCV_KIND_UCOUNTS), UCV_SNAPSHOT_NO_PROCESSES);
}

static void take_holders(void)
{
	take(UCV_MASK(UCV_KIND_UCOUNTS) | UCV_MASK(UCV_KIND_HOLDER), 0);
}

static void read_records(size_t size)
{
	struct ucv_read req = {
		.kind = UCV_KIND_UCOUNTS,
		.record_size = size,
		.buf = (unsigned long)buffer,
		.buf_size = sizeof(buffer),
	};

	do {
		if (ioctl(device, UCV_IOC_READ, &req))
			fail("rows: UCV_IOC_READ");
		req.first += req.nr;
	} while (req.first < req.total);
}

static void read_records_of_abi(void)
{
	read_records(sizeof(struct ucv_ucounts));
}

static void read_records_of_module(void)
{
	read_records(stride);
}

static void read_debugfs(void)
{
	int fd = open(DEBUGFS, O_RDONLY | O_CLOEXEC);
	ssize_t got;

	do {
		got = read(fd, buffer, sizeof(buffer));
	} while (got > 0);
	if (got < 0)
		fail("rows: " DEBUGFS);
	close(fd);
}

static const char *command;

static void run_command(void)
{
	char *arguments[MOST_ARGUMENTS + 1], *text = strdup(command);
	pid_t pid = fork();
	int nr = 0, status;

	if (!pid) {
		while (nr < MOST_ARGUMENTS && (arguments[nr] = strtok(nr ? NULL : text, " ")))
			nr++;
		arguments[nr] = NULL;
		if (dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO) >= 0)
			execvp(arguments[0], arguments);
		_exit(127);
	}
	free(text);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		fail(command);
}

static void measure(const char *name, void (*what)(void))
{
	long least = -1, took;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		took = now_ns();
		what();
		took = now_ns() - took;
		if (least < 0 || took < least)
			least = took;
	}
	printf("%ld %s\n", least, name);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct ucv_info info = { };
	int i;

	have_rows(argc > 1 ? atoi(argv[1]) : 0);
	device = open(UCV_DEVICE_PATH, O_RDONLY | O_CLOEXEC);
	if (device < 0 || ioctl(device, UCV_IOC_INFO, &info))
		fail("rows: " UCV_DEVICE_PATH);
	stride = offsetof(struct ucv_ucounts, used) + info.nr_resources * sizeof(__s64);

	if (system(FLOOR))
		fail("rows: " FLOOR);
	measure("snapshot-holders", take_holders);
	printf("%ld hold-holders\n", hold);
	measure("snapshot", take_counters);
	printf("%ld hold\n", hold);
	measure("read", read_records_of_abi);
	measure("read-stride", read_records_of_module);
	measure("debugfs", read_debugfs);
	for (i = 2; i < argc; i++) {
		command = argv[i];
		measure(command, run_command);
	}
	return 0;
}
