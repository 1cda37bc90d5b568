// SPDX-License-Identifier: GPL-2.0
/*
 * Arguments that name something: users, processes, user namespaces, resources. All
 * give up if there is no such thing.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <linux/nsfs.h>

#include "args.h"
#include "ucountview.h"
#include "users.h"

static bool is_number(const char *text)
{
	return *text && !text[strspn(text, "0123456789")];
}

/**
 * arg_number() - a whole number
 * @what: what it is, for the error message
 * @text: the argument
 * @min: smallest that makes sense
 * @max: largest
 *
 * Return: the number.
 */
unsigned int arg_number(const char *what, const char *text, unsigned int min, unsigned int max)
{
	unsigned long long number;

	errno = 0;
	number = is_number(text) ? strtoull(text, NULL, 10) : 0;
	if (!is_number(text) || errno || number < min || number > max)
		die("invalid %s: %s", what, text);
	return number;
}

/**
 * arg_ratio() - a ratio: "0.8" or "80%"
 * @text: the argument
 *
 * Return: the ratio.
 */
double arg_ratio(const char *text)
{
	double ratio;
	char *end;

	ratio = strtod(text, &end);
	if (end != text && !strcmp(end, "%")) {
		ratio /= 100;
		end++;
	}
	if (end == text || *end || !isfinite(ratio) || ratio < 0)
		die("invalid ratio: %s", text);
	return ratio;
}

/**
 * arg_user() - a user, by number or name
 * @text: the argument
 *
 * Return: the uid.
 */
__u32 arg_user(const char *text)
{
	uid_t uid;

	if (is_number(text))
		return arg_number("uid", text, 0, UCV_UID_UNMAPPED - 1);
	if (!user_id(text, &uid))
		die("unknown user: %s", text);
	return uid;
}

/*
 * The inode number behind @fd, which is not closed: as long as this program runs, the
 * number then belongs to no other namespace.
 */
static __u32 userns_inum(int fd, const char *text)
{
	struct stat st;
	int type = ioctl(fd, NS_GET_NSTYPE);

	if (type < 0)
		die("%s: not a namespace", text);
	if (type != CLONE_NEWUSER)
		die("%s: not a user namespace", text);
	if (fstat(fd, &st))
		die("%s: %s", text, strerror(errno));
	return st.st_ino;
}

static int open_process(unsigned int pid)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/%u", pid);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		die("no such process: %u", pid);
	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	return fd;
}

/* A file of a process that may end at any time. */
static int open_of_process(int dir, unsigned int pid, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);

	if (fd < 0 && (errno == ENOENT || errno == ESRCH))
		die("no such process: %u", pid);
	if (fd < 0)
		die("/proc/%u/%s: %s", pid, name, strerror(errno));
	return fd;
}

static __u32 userns_of_process(const char *text)
{
	unsigned int pid = arg_number("process", text, 1, 0x7fffffff);
	int dir = open_process(pid);
	__u32 inum = userns_inum(open_of_process(dir, pid, "ns/user"), text);

	close(dir);
	return inum;
}

/**
 * arg_userns() - a user namespace: its inode number, "pid:" and a process in it, or the
 *	path of its file
 * @text: the argument
 *
 * Return: the inode number.
 */
__u32 arg_userns(const char *text)
{
	int fd;

	if (is_number(text))
		return arg_number("user namespace", text, 1, 0xffffffff);
	if (!strncmp(text, "pid:", 4))
		return userns_of_process(text + 4);

	fd = open(text, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		die("%s: %s", text, strerror(errno));
	return userns_inum(fd, text);
}

/* "Uid:", then the real, the effective, the saved and the file system uid. */
static void parse_status(struct process *process, const char *status)
{
	const char *uids = strstr(status, "\nUid:");

	if (!uids || sscanf(uids, " Uid: %*u %u", &process->euid) != 1)
		die("/proc/%u/status: no uid in it", process->pid);
}

static void read_status(struct process *process, int dir)
{
	int fd = open_of_process(dir, process->pid, "status");
	char status[4096];
	ssize_t len = read(fd, status, sizeof(status) - 1);

	if (len < 0 && errno == ESRCH)
		die("no such process: %u", process->pid);
	if (len < 0)
		die("/proc/%u/status: %s", process->pid, strerror(errno));
	close(fd);
	status[len] = '\0';
	parse_status(process, status);
}

/**
 * arg_process() - a process, by number
 * @process: what is known about it
 * @text: the argument
 */
void arg_process(struct process *process, const char *text)
{
	int dir;

	process->pid = arg_number("process", text, 1, 0x7fffffff);
	dir = open_process(process->pid);
	read_status(process, dir);
	process->userns = userns_inum(open_of_process(dir, process->pid, "ns/user"), text);
	close(dir);
}

/**
 * arg_resource() - a resource, by name
 * @list: the list to add it to
 * @text: the argument; looked up later, by find_resources()
 */
void arg_resource(struct resource_names *list, const char *text)
{
	list->names = xreallocarray(list->names, list->nr + 1, sizeof(*list->names));
	list->names[list->nr++] = text;
}

static size_t find_resource(const struct snapshot *snap, const char *name)
{
	for (size_t i = 0; i < snap->nr_resources; i++) {
		if (!strcmp(snap->resources[i].name, name))
			return i;
	}
	die("unknown resource: %s", name);
}

/**
 * find_resources() - look resources up in a snapshot and free the list
 * @list: the names; none means all
 * @snap: the snapshot
 * @wanted: out: for each of the snapshot's resources, whether it was named
 */
void find_resources(const struct resource_names *list, const struct snapshot *snap,
		    bool wanted[UCV_MAX_RESOURCES])
{
	for (size_t i = 0; i < UCV_MAX_RESOURCES; i++)
		wanted[i] = list->nr == 0;
	for (size_t i = 0; i < list->nr; i++)
		wanted[find_resource(snap, list->names[i])] = true;
	free(list->names);
}
