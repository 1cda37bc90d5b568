// SPDX-License-Identifier: GPL-2.0
/*
 * What /proc tells about a process's credentials and namespaces. A process may end at
 * any time; that is "no such process", however far one got.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <linux/nsfs.h>

#include "process.h"
#include "ucountview.h"

static const struct {
	int clone_flag;
	const char *file;	/* below /proc/PID */
	const char *name;
} types[] = {
	[NS_USER] = { CLONE_NEWUSER, "ns/user", "user namespace" },
	[NS_MNT]  = { CLONE_NEWNS,   "ns/mnt",  "mount namespace" },
};

/**
 * namespace_name() - what people call a namespace of some type
 * @type: the type
 *
 * Return: the words; not to be freed.
 */
const char *namespace_name(enum ns_type type)
{
	return types[type].name;
}

/**
 * namespace_of_fd() - the namespace that an open file stands for
 * @fd: the file; left open: as long as this program runs, the number then belongs to
 *	no other namespace
 * @type: the namespace's type
 * @name: the file's name, for error messages
 *
 * Gives up if it is something else.
 *
 * Return: the namespace's inode number.
 */
__u32 namespace_of_fd(int fd, enum ns_type type, const char *name)
{
	int clone_flag = ioctl(fd, NS_GET_NSTYPE);
	struct stat st;

	if (clone_flag < 0)
		die("%s: not a namespace", name);
	if (clone_flag != types[type].clone_flag)
		die("%s: not a %s", name, types[type].name);
	if (fstat(fd, &st))
		die("%s: %s", name, strerror(errno));
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

static int open_of_process(int dir, unsigned int pid, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);

	if (fd < 0 && (errno == ENOENT || errno == ESRCH))
		die("no such process: %u", pid);
	if (fd < 0)
		die("/proc/%u/%s: %s", pid, name, strerror(errno));
	return fd;
}

static __u32 namespace_at(int dir, unsigned int pid, enum ns_type type)
{
	char name[32];

	snprintf(name, sizeof(name), "/proc/%u/%s", pid, types[type].file);
	return namespace_of_fd(open_of_process(dir, pid, types[type].file), type, name);
}

/* A process that has ended and was not waited for still has its credentials, but no mounts. */
static __u32 mntns_at(int dir, unsigned int pid)
{
	if (faccessat(dir, types[NS_MNT].file, F_OK, 0) && errno == ENOENT)
		return 0;
	return namespace_at(dir, pid, NS_MNT);
}

/* "Uid:", then the real, the effective, the saved and the file system uid. */
static __u32 parse_euid(const char *status, unsigned int pid)
{
	const char *uids = strstr(status, "\nUid:");
	__u32 euid;

	if (!uids || sscanf(uids, " Uid: %*u %u", &euid) != 1)
		die("/proc/%u/status: no uid in it", pid);
	return euid;
}

static __u32 euid_at(int dir, unsigned int pid)
{
	int fd = open_of_process(dir, pid, "status");
	char status[4096];
	ssize_t len = read(fd, status, sizeof(status) - 1);

	if (len < 0 && errno == ESRCH)
		die("no such process: %u", pid);
	if (len < 0)
		die("/proc/%u/status: %s", pid, strerror(errno));
	close(fd);
	status[len] = '\0';
	return parse_euid(status, pid);
}

/**
 * process_read() - read a process's credentials
 * @process: where to
 * @pid: which process; gives up if there is none
 */
void process_read(struct process *process, unsigned int pid)
{
	int dir = open_process(pid);

	process->pid = pid;
	process->euid = euid_at(dir, pid);
	process->userns = namespace_at(dir, pid, NS_USER);
	process->mntns = mntns_at(dir, pid);
	close(dir);
}

/**
 * process_namespace() - a namespace of a process
 * @pid: which process; gives up if there is none
 * @type: which of its namespaces
 *
 * Return: the namespace's inode number, which stays its own as long as this program
 * runs.
 */
__u32 process_namespace(unsigned int pid, enum ns_type type)
{
	int dir = open_process(pid);
	__u32 inum = namespace_at(dir, pid, type);

	close(dir);
	return inum;
}

/**
 * process_maps_root() - whether a process's user namespace has a root
 * @pid: which process; may be gone
 *
 * Return: false if uid 0 is not mapped there or the process is gone.
 */
bool process_maps_root(unsigned int pid)
{
	unsigned int inside, outside, count;
	bool found = false;
	char path[32];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%u/uid_map", pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	while (!found && fscanf(file, "%u %u %u", &inside, &outside, &count) == 3)
		found = inside == 0;
	fclose(file);
	return found;
}
