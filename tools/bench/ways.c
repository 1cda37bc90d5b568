// SPDX-License-Identifier: GPL-2.0
/*
 * What it costs to read what exists now, in ns, i.e. in instructions. A way is one of
 *
 *	floor             floor-touch: to visit each entry of the table of ucounts, and
 *	                  floor-copy: to store its numbers, too, see floor/floor.c
 *	snapshot          UCV_IOC_SNAPSHOT, of counters and the namespaces that have some
 *	snapshot-holders  of counters, groups and the processes that hold them
 *	snapshot-mounts   of mount namespaces; of each of the three also hold-*, the longest
 *	                  section with a lock held or under RCU
 *	read              UCV_IOC_READ of all counters, with the ABI's record size
 *	read-stride       the same with the size that this module's records have
 *	debugfs, debugfs-mounts  to open and read debugfs' ucounts or mounts
 *	[NAME=]COMMAND    from fork() to its exit, its output discarded; an argument PID
 *	                  stands for the process that has created the shape
 *
 * A line for each: LABEL, NAME, instructions, and of a command the KiB that it had in
 * memory at most.
 */
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <uapi/ucountview.h>

#include "bench.h"

/*
 * The least counts: caches are warm, and there was no interrupt. What takes long has less to
 * fear from either, and is not repeated.
 */
#define ROUNDS		3
#define ENOUGH_NS	400000000L
#define BYTES		(256 * 1024)
#define MOST_ARGUMENTS	16
#define FLOOR		"/host/floor.sh"
#define DEBUGFS		"/sys/kernel/debug/ucountview/"

static char buffer[BYTES];
static int device;
static size_t stride;
static const char *command;
static char creator[16];
static long most_kib;
static unsigned long long hold;

static long now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000L + now.tv_nsec;
}

static void take(__u64 kinds, __u32 flags)
{
	struct ucv_snapshot snapshot = { .request = kinds, .flags = flags };

	if (ioctl(device, UCV_IOC_SNAPSHOT, &snapshot))
		fail("shapes: UCV_IOC_SNAPSHOT");
	if (!hold || snapshot.hold_max_ns < hold)
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

static void take_mounts(void)
{
	take(UCV_MASK(UCV_KIND_MNTNS), 0);
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
			fail("shapes: UCV_IOC_READ");
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

static void read_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got;

	do {
		got = read(fd, buffer, sizeof(buffer));
	} while (got > 0);
	if (got < 0)
		fail(path);
	close(fd);
}

static void read_debugfs(void)
{
	read_file(DEBUGFS "ucounts");
}

static void read_debugfs_mounts(void)
{
	read_file(DEBUGFS "mounts");
}

static void run_command(void)
{
	char *arguments[MOST_ARGUMENTS + 1], *text = strdup(command);
	struct rusage usage;
	pid_t pid = fork();
	int nr = 0, status;

	if (!pid) {
		while (nr < MOST_ARGUMENTS && (arguments[nr] = strtok(nr ? NULL : text, " "))) {
			if (!strcmp(arguments[nr], "PID"))
				arguments[nr] = creator;
			nr++;
		}
		arguments[nr] = NULL;
		if (dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO) >= 0)
			execvp(arguments[0], arguments);
		_exit(127);
	}
	free(text);
	if (pid < 0 || wait4(pid, &status, 0, &usage) != pid || status)
		fail(command);
	if (usage.ru_maxrss > most_kib)
		most_kib = usage.ru_maxrss;
}

/* The least of some rounds */
static long least(void (*what)(void))
{
	long least = -1, spent = 0, took;
	int i;

	for (i = 0; i < ROUNDS && spent < ENOUGH_NS; i++) {
		took = now_ns();
		what();
		took = now_ns() - took;
		spent += took;
		if (least < 0 || took < least)
			least = took;
	}
	return least;
}

static void print_floor(const char *label)
{
	char name[32];
	long took;
	FILE *floor = popen(FLOOR, "r");

	if (!floor)
		fail("shapes: " FLOOR);
	while (fscanf(floor, "%ld %31s", &took, name) == 2)
		printf("%s,%s,%ld,\n", label, name, took);
	if (pclose(floor))
		fail("shapes: " FLOOR);
}

static const struct way {
	const char *name, *hold_name;
	void (*before)(void);
	void (*what)(void);
} ways[] = {
	{ "snapshot", "hold", NULL, take_counters },
	{ "snapshot-holders", "hold-holders", NULL, take_holders },
	{ "snapshot-mounts", "hold-mounts", NULL, take_mounts },
	{ "read", NULL, take_counters, read_records_of_abi },
	{ "read-stride", NULL, take_counters, read_records_of_module },
	{ "debugfs", NULL, NULL, read_debugfs },
	{ "debugfs-mounts", NULL, NULL, read_debugfs_mounts },
	{ }
};

static void measure_command(const char *label, const char *name)
{
	const char *equals = strchr(name, '=');
	int length = equals ? equals - name : (int)strlen(name);
	long took;

	command = equals ? equals + 1 : name;
	most_kib = 0;
	took = least(run_command);
	printf("%s,%.*s,%ld,%ld\n", label, length, name, took, most_kib);
}

static const struct way *find_way(const char *name)
{
	const struct way *way;

	for (way = ways; way->name; way++)
		if (!strcmp(way->name, name))
			return way;
	return NULL;
}

void open_device(void)
{
	struct ucv_info info = { };

	device = open(UCV_DEVICE_PATH, O_RDONLY | O_CLOEXEC);
	if (device < 0 || ioctl(device, UCV_IOC_INFO, &info))
		fail("shapes: " UCV_DEVICE_PATH);
	stride = offsetof(struct ucv_ucounts, used) + info.nr_resources * sizeof(__s64);
}

void measure(pid_t pid, const char *label, const char *name)
{
	const struct way *way = find_way(name);

	snprintf(creator, sizeof(creator), "%d", pid);
	if (!strcmp(name, "floor")) {
		print_floor(label);
	} else if (!way) {
		measure_command(label, name);
	} else {
		hold = 0;
		if (way->before)
			way->before();
		printf("%s,%s,%ld,\n", label, name, least(way->what));
		if (way->hold_name)
			printf("%s,%s,%llu,\n", label, way->hold_name, hold);
	}
	fflush(stdout);
}
