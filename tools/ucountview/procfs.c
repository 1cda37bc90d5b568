// SPDX-License-Identifier: GPL-2.0
/*
 * Read /proc: processes, their namespaces, open files and mounts; and the switches without which
 * no denial is recorded. No other file reads /proc, but for mntns_view.c, which has a descriptor
 * of it in another mount namespace.
 *
 * A process may exit at any time. If it was named by its PID, the program then exits with "no
 * such process"; if it was found in a scan, it is skipped.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/nsfs.h>
#include <linux/openat2.h>

#include "procfs.h"
#include "ucountview.h"

#ifndef RESOLVE_CACHED	/* added in Linux 5.12 */
#define RESOLVE_CACHED	0x20
#endif

/* PROC_PID_INIT_INO and PROC_USER_INIT_INO of the kernel, the same in all versions. */
#define PIDNS_INIT_INUM		0xEFFFFFFCU
#define USERNS_INIT_INUM	0xEFFFFFFDU

/* kthreadd in the initial pid namespace: the parent of all other kernel threads. */
#define KTHREADD_PID	2

/* Paths and links. */

struct path {
	char text[48];
};

/* A file of a process; the path is valid as long as the expression that it is part of. */
static struct path path_of(unsigned int pid, const char *name)
{
	struct path path;

	snprintf(path.text, sizeof(path.text), "/proc/%u/%s", pid, name);
	return path;
}

static bool read_link(int dir, const char *name, char *text, size_t size)
{
	ssize_t len = readlinkat(dir, name, text, size - 1);

	if (len < 0)
		return false;
	text[len] = '\0';
	return true;
}

static FILE *open_at(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? NULL : fdopen(fd, "r");
}

static const struct {
	const char *link;	/* as in the text of links */
	const char *resource;
	int clone_flag;
	const char *name;
} types[NR_NS_TYPES] = {
	[NS_USER]   = { "user", "user_namespaces", CLONE_NEWUSER, "user namespace" },
	[NS_MNT]    = { "mnt", "mnt_namespaces", CLONE_NEWNS, "mount namespace" },
	[NS_CGROUP] = { .link = "cgroup", .resource = "cgroup_namespaces" },
	[NS_IPC]    = { .link = "ipc", .resource = "ipc_namespaces" },
	[NS_NET]    = { .link = "net", .resource = "net_namespaces" },
	[NS_PID]    = { .link = "pid", .resource = "pid_namespaces" },
	[NS_TIME]   = { .link = "time", .resource = "time_namespaces" },
	[NS_UTS]    = { .link = "uts", .resource = "uts_namespaces" },
};

/**
 * ns_link_parse() - the namespace in the text of a link, or in a field of mountinfo
 *
 * Return: false if @text is something else, or a namespace of another type.
 */
bool ns_link_parse(const char *text, struct ns_link *link)
{
	char type[16];

	if (sscanf(text, "%15[a-z]:[%u]", type, &link->inum) != 2)
		return false;
	for (link->type = 0; link->type < NR_NS_TYPES; link->type++) {
		if (!strcmp(type, types[link->type].link))
			return true;
	}
	return false;
}

/* The inode number of the namespace that a link points to; 0 if there is none. */
static __u32 namespace_in_link(int dir, const char *name)
{
	struct ns_link link;
	char text[64];

	if (!read_link(dir, name, text, sizeof(text)) || !ns_link_parse(text, &link))
		return 0;
	return link.inum;
}

/**
 * namespace_name() - the name of NS_USER or NS_MNT, for messages
 */
const char *namespace_name(enum namespace_type type)
{
	return types[type].name;
}

/**
 * namespace_of_fd() - the inode number of the namespace that an open file refers to
 * @fd: the file; left open, which pins the namespace, so that its inode number is not reused
 *	while this program runs
 * @type: NS_USER or NS_MNT; exits if it is something else
 * @name: the file's name, for error messages
 */
__u32 namespace_of_fd(int fd, enum namespace_type type, const char *name)
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

/**
 * namespace_link() - a type of namespaces as in the text of links: "net"
 */
const char *namespace_link(enum namespace_type type)
{
	return types[type].link;
}

/**
 * namespace_resource() - the resource that namespaces of a type are charged to
 */
const char *namespace_resource(enum namespace_type type)
{
	return types[type].resource;
}

/**
 * namespace_inum() - the inode number of an open namespace; 0 if it cannot be read
 */
__u32 namespace_inum(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? 0 : st.st_ino;
}

/* The owning user namespace; 0 if it is not a namespace, or if this program may not see it. */
static __u32 owner_of(int fd)
{
	int userns = ioctl(fd, NS_GET_USERNS);
	__u32 inum;

	if (userns < 0)
		return 0;
	inum = namespace_inum(userns);
	close(userns);
	return inum;
}

/**
 * namespace_initial() - the inode number of the initial namespace of a type, which kthreadd is in
 */
__u32 namespace_initial(enum namespace_type type)
{
	char name[16];

	snprintf(name, sizeof(name), "ns/%s", types[type].link);
	return namespace_in_link(AT_FDCWD, path_of(KTHREADD_PID, name).text);
}

/* Whether the file is of nsfs. Its file system is not asked. */
static bool is_namespace(int fd)
{
	struct statx file, self;

	return !statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_INO, &file) &&
	       !statx(AT_FDCWD, "/proc/self/ns/net", 0, STATX_INO, &self) &&
	       file.stx_dev_major == self.stx_dev_major && file.stx_dev_minor == self.stx_dev_minor;
}

/* Open the namespace that @path, a descriptor with O_PATH or negative, refers to; closes @path. */
static int open_namespace(int path)
{
	char name[32];
	int fd = -1;

	if (path < 0)
		return -1;
	snprintf(name, sizeof(name), "/proc/self/fd/%d", path);
	if (is_namespace(path))
		fd = open(name, O_RDONLY | O_CLOEXEC);
	close(path);
	return fd;
}

/**
 * namespace_open() - open the namespace that a link points to
 *
 * The link may have changed since it was read: a file of another file system is not opened, as
 * that can take forever.
 *
 * Return: a descriptor, negative if it is none any more.
 */
int namespace_open(int dir, const char *name)
{
	return open_namespace(openat(dir, name, O_PATH | O_CLOEXEC));
}

/**
 * namespace_relatives() - the namespaces that one refers to
 * @fd: its file
 *
 * Return: those that are shown to this program; the caller closes the parent.
 */
struct ns_relatives namespace_relatives(int fd, enum namespace_type type)
{
	struct ns_relatives relatives = {
		.inum = namespace_inum(fd),
		.owner = owner_of(fd),
		.uid = UCV_UID_UNMAPPED,
		.parent = type == NS_PID ? ioctl(fd, NS_GET_PARENT) : -1,
	};
	uid_t uid;

	if (type == NS_USER && !ioctl(fd, NS_GET_OWNER_UID, &uid))
		relatives.uid = uid;
	return relatives;
}

/**
 * proc_open() - open /proc, for a child that cannot see it; negative if that fails
 */
int proc_open(void)
{
	return open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/**
 * mount_of_fd() - the ID of the mount that an open file is on, as in mountinfo; 0 if unknown
 */
unsigned int mount_of_fd(int fd)
{
	unsigned int id = 0;
	char path[48], *line = NULL;
	size_t size = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "re");
	if (!file)
		return 0;
	while (!id && getline(&line, &size, file) > 0)
		sscanf(line, "mnt_id: %u", &id);
	free(line);
	fclose(file);
	return id;
}

/* One process, by its PID. */

static void __noreturn process_lost(unsigned int pid, const char *name)
{
	if (errno == ENOENT || errno == ESRCH)
		die("no such process: %u", pid);
	die("/proc/%u/%s: %s", pid, name, strerror(errno));
}

static int open_process(unsigned int pid)
{
	int fd = open(path_of(pid, "").text, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		process_lost(pid, "");
	return fd;
}

static const char *ns_file_name(enum namespace_type type)
{
	return type == NS_USER ? "ns/user" : "ns/mnt";
}

static int open_namespace_at(int dir, unsigned int pid, enum namespace_type type)
{
	const char *name = ns_file_name(type);
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		process_lost(pid, name);
	return fd;
}

/* Left open: see namespace_of_fd(). */
static __u32 namespace_at(int dir, unsigned int pid, enum namespace_type type)
{
	return namespace_of_fd(open_namespace_at(dir, pid, type), type,
			       path_of(pid, ns_file_name(type)).text);
}

/* "Uid:" has the real, the effective, the saved and the file system uid. */
static bool read_status(int dir, struct process *proc)
{
	FILE *file = open_at(dir, "status");
	unsigned int found = 0;
	char *line = NULL;
	size_t size = 0;

	if (!file)
		return false;
	while (found < 3 && getline(&line, &size, file) > 0) {
		if (sscanf(line, "Name:%*1[\t]%15[^\n]", proc->comm) == 1)
			continue;
		found += sscanf(line, "PPid: %u", &proc->ppid) == 1 ||
			 sscanf(line, "Uid: %u %u", &proc->uid, &proc->euid) == 2 ||
			 sscanf(line, "Threads: %u", &proc->threads) == 1;
	}
	free(line);
	fclose(file);
	proc->kernel = proc->pid == KTHREADD_PID || proc->ppid == KTHREADD_PID;
	return found == 3;
}

/**
 * process_read() - read a process; exits if there is none
 *
 * Its namespaces are pinned: their inode numbers are not reused while this program runs.
 */
void process_read(struct process *proc, unsigned int pid)
{
	int dir = open_process(pid);

	*proc = (struct process){ .pid = pid };
	errno = ESRCH;
	if (!read_status(dir, proc))
		process_lost(pid, "status");
	proc->userns = namespace_at(dir, pid, NS_USER);
	/* A zombie still has its credentials, but no mount namespace. */
	if (!faccessat(dir, "ns/mnt", F_OK, 0) || errno != ENOENT)
		proc->mntns = namespace_at(dir, pid, NS_MNT);
	close(dir);
}

/**
 * process_open_namespace() - open a process's namespace; exits if there is none
 * @type: NS_USER or NS_MNT
 */
int process_open_namespace(unsigned int pid, enum namespace_type type)
{
	int dir = open_process(pid), fd = open_namespace_at(dir, pid, type);

	close(dir);
	return fd;
}

/**
 * process_namespace() - inode number of a process's namespace, pinned; exits if there is none
 * @type: NS_USER or NS_MNT
 */
__u32 process_namespace(unsigned int pid, enum namespace_type type)
{
	int dir = open_process(pid);
	__u32 inum = namespace_at(dir, pid, type);

	close(dir);
	return inum;
}

/**
 * process_mntns() - inode number of a process's mount namespace, not pinned; 0 if it has exited
 */
__u32 process_mntns(unsigned int pid)
{
	return namespace_in_link(AT_FDCWD, path_of(pid, "ns/mnt").text);
}

/**
 * process_open_mntns() - open a process's mount namespace, if it is the one with this inode number
 * @pid: its PID; may have exited
 *
 * Return: a descriptor, negative if it is in another one.
 */
int process_open_mntns(unsigned int pid, __u32 inum)
{
	int fd = open(path_of(pid, "ns/mnt").text, O_RDONLY | O_CLOEXEC);

	if (fd >= 0 && namespace_inum(fd) != inum) {
		close(fd);
		return -1;
	}
	return fd;
}

/**
 * process_maps_root() - whether a process's user namespace maps uid 0
 *
 * Return: false if uid 0 is not mapped there or the process has exited.
 */
bool process_maps_root(unsigned int pid)
{
	FILE *file = fopen(path_of(pid, "uid_map").text, "re");
	unsigned int inside;
	bool found = false;

	if (!file)
		return false;
	while (!found && fscanf(file, "%u %*u %*u", &inside) == 1)
		found = inside == 0;
	fclose(file);
	return found;
}

/**
 * process_caps() - effective capabilities of a process, as a mask; 0 if it has exited
 */
unsigned long long process_caps(unsigned int pid)
{
	FILE *file = fopen(path_of(pid, "status").text, "re");
	unsigned long long caps = 0;
	char *line = NULL;
	size_t size = 0;

	if (!file)
		return 0;
	while (getline(&line, &size, file) > 0 && sscanf(line, "CapEff: %llx", &caps) != 1)
		;
	free(line);
	fclose(file);
	return caps;
}

/**
 * process_started() - when a process or thread began
 *
 * Return: nanoseconds of CLOCK_BOOTTIME, rounded down to a clock tick; 0 if it has exited.
 */
unsigned long long process_started(unsigned int pid)
{
	FILE *file = fopen(path_of(pid, "stat").text, "re");
	unsigned long long ticks = 0;
	char text[1024], *end;

	if (!file)
		return 0;
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	end = strrchr(text, ')'); /* the command before it can contain anything */
	if (end)
		sscanf(end,
		       ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
		       &ticks);
	return ticks * (1000000000ULL / sysconf(_SC_CLK_TCK));
}

/**
 * process_limit() - a soft limit of a process
 * @name: as in /proc/PID/limits: "Max processes"
 *
 * Return: the limit; LLONG_MAX if there is none, -1 if it cannot be read.
 */
long long process_limit(unsigned int pid, const char *name)
{
	FILE *file = fopen(path_of(pid, "limits").text, "re");
	size_t size = 0, len = strlen(name);
	long long limit = -1;
	char *line = NULL;

	if (!file)
		return -1;
	while (limit < 0 && getline(&line, &size, file) > 0) {
		if (strncmp(line, name, len))
			continue;
		if (sscanf(line + len, "%lld", &limit) != 1)
			limit = LLONG_MAX; /* "unlimited" */
	}
	free(line);
	fclose(file);
	return limit;
}

/**
 * process_nr_fds() - number of descriptors of a process; 0 if it cannot be read
 */
unsigned int process_nr_fds(unsigned int pid)
{
	DIR *dir = opendir(path_of(pid, "fd").text);
	struct dirent *entry;
	unsigned int nr = 0;

	if (!dir)
		return 0;
	while ((entry = readdir(dir)))
		nr += entry->d_name[0] != '.';
	closedir(dir);
	return nr;
}

static int pidns_level(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), level = 0, parent;

	if (fd < 0)
		return -1;
	while ((parent = ioctl(fd, NS_GET_PARENT)) >= 0) {
		close(fd);
		fd = parent;
		level++;
	}
	close(fd);
	return level;
}

/**
 * process_pidns_level() - level of the pid namespace that a process's children will live in
 *
 * Return: the level, 0 for the pid namespace of this program, or of a process that has exited.
 */
unsigned int process_pidns_level(unsigned int pid)
{
	int level = pidns_level(path_of(pid, "ns/pid_for_children").text);

	if (level < 0) /* there is none before the first child */
		level = pidns_level(path_of(pid, "ns/pid").text) + 1;
	return level;
}

/**
 * process_cgroup() - path of a process's cgroup
 * @controller: of cgroup v1, or "" for the unified hierarchy
 *
 * Return: the path in that hierarchy, allocated; NULL if the process is in none.
 */
char *process_cgroup(unsigned int pid, const char *controller)
{
	FILE *file = fopen(path_of(pid, "cgroup").text, "re");
	char *line = NULL, *path = NULL;
	size_t size = 0;

	if (!file)
		return NULL;
	while (!path && getline(&line, &size, file) > 0) {
		char *rest = line, *list;

		strsep(&rest, ":");
		list = strsep(&rest, ":");
		if (!rest || strcmp(list, controller))
			continue;
		rest[strcspn(rest, "\n")] = '\0';
		path = xstrdup(rest);
	}
	free(line);
	fclose(file);
	return path;
}

/* How well a hierarchy tells the unit and the container of what is at @path; 0: not at all. */
static int hierarchy_rank(const char *controllers, const char *path)
{
	if (!strcmp(path, "/"))
		return 0;
	if (!strcmp(controllers, "name=systemd"))
		return 3;
	return *controllers ? 1 : 2;
}

/**
 * process_unit_cgroup() - path of a process's cgroup in the hierarchy that systemd manages
 *
 * That is the one named so of cgroup v1, or else the unified one. Without systemd, container
 * runtimes use the others: the longest path is that of most use.
 *
 * Return: the path, allocated; NULL if the process is in the root of each, or has exited.
 */
char *process_unit_cgroup(unsigned int pid)
{
	FILE *file = fopen(path_of(pid, "cgroup").text, "re");
	char *line = NULL, *best = NULL;
	int best_rank = 0;
	size_t size = 0;

	if (!file)
		return NULL;
	while (getline(&line, &size, file) > 0) {
		char *path = line, *controllers;
		int rank;

		strsep(&path, ":");
		controllers = strsep(&path, ":");
		if (!path)
			continue;
		path[strcspn(path, "\n")] = '\0';
		rank = hierarchy_rank(controllers, path);
		if (rank < best_rank || !rank ||
		    (rank == best_rank && strlen(path) <= strlen(best)))
			continue;
		free(best);
		best = xstrdup(path);
		best_rank = rank;
	}
	free(line);
	fclose(file);
	return best;
}

/* Settings and totals of the kernel. */

static bool read_numbers(const char *path, const char *format, long long *a, long long *b)
{
	FILE *file = fopen(path, "re");
	int nr;

	if (!file)
		return false;
	nr = fscanf(file, format, a, b);
	fclose(file);
	return nr == 1 + !!b;
}

/**
 * kernel_setting() - read a sysctl that is a number
 * @name: "kernel.threads-max"
 */
bool kernel_setting(const char *name, long long *value)
{
	char *path = xasprintf("/proc/sys/%s", name);
	bool found;

	for (char *dot = strchr(path, '.'); dot; dot = strchr(dot, '.'))
		*dot = '/';
	found = read_numbers(path, "%lld", value, NULL);
	free(path);
	return found;
}

/**
 * kernel_files() - number of open files of all processes, and its limit
 */
bool kernel_files(long long *used, long long *limit)
{
	return read_numbers("/proc/sys/fs/file-nr", "%lld %*d %lld", used, limit);
}

/**
 * kernel_threads() - number of threads of all processes, as seen in this pid namespace
 */
bool kernel_threads(long long *used)
{
	return read_numbers("/proc/loadavg", "%*f %*f %*f %*d/%lld", used, NULL);
}

/* "shared:1" */
static void parse_tag(const char *tag, const char *name, unsigned int *value)
{
	size_t len = strlen(name);

	if (!strncmp(tag, name, len))
		*value = strtoul(tag + len, NULL, 10);
}

/* "36 35 98:0 /root /point options shared:1 master:2 - type source options" */
static bool parse_mount(char *line, struct mount_line *mount)
{
	char *rest = line, *field[6], *tag;

	for (size_t i = 0; i < ARRAY_SIZE(field); i++)
		field[i] = strsep(&rest, " ");
	if (!rest)
		return false;
	*mount = (struct mount_line){
		.id = strtoul(field[0], NULL, 10),
		.parent = strtoul(field[1], NULL, 10),
		.device = field[2],
		.root = field[3],
		.point = field[4],
	};
	while ((tag = strsep(&rest, " ")) && strcmp(tag, "-")) {
		parse_tag(tag, "shared:", &mount->shared);
		parse_tag(tag, "master:", &mount->master);
		parse_tag(tag, "propagate_from:", &mount->from);
	}
	mount->type = strsep(&rest, " ");
	mount->source = strsep(&rest, " ");
	return tag && mount->source;
}

/**
 * mountinfo_visit() - visit the mounts that a mountinfo shows, in its order
 * @file: the mountinfo; closed
 */
void mountinfo_visit(FILE *file, mount_visitor visit, void *arg)
{
	struct mount_line mount;
	char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, file) > 0) {
		if (parse_mount(line, &mount))
			visit(arg, &mount);
	}
	free(line);
	fclose(file);
}

/**
 * process_visit_mounts() - visit the mounts that a process sees, in the order of mountinfo
 * @pid: its PID; may have exited
 */
void process_visit_mounts(unsigned int pid, mount_visitor visit, void *arg)
{
	FILE *file = fopen(path_of(pid, "mountinfo").text, "re");

	if (file)
		mountinfo_visit(file, visit, arg);
}

/*
 * Limits on the descriptors that are read of one process, and on those in a row with the same
 * link. Its owner can have a million of them at almost no cost, and reading one costs more than
 * making it.
 */
#define MAX_FDS		4096
#define MAX_COPIES	256

static bool fds_left_out;	/* of some process */

/**
 * process_visit_fds() - visit the descriptors of a process, from the lowest on
 * @pid: its PID; may have exited
 *
 * Stops early if there are too many, see process_fds_warn().
 */
void process_visit_fds(unsigned int pid, fd_visitor visit, void *arg)
{
	char text[64], before[64] = "";
	DIR *dir = opendir(path_of(pid, "fd").text);
	size_t nr = 0, copies = 0;
	struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		if (!read_link(dirfd(dir), entry->d_name, text, sizeof(text)))
			continue;
		if (strcmp(text, before))
			copies = 0;
		if (++copies > MAX_COPIES || ++nr > MAX_FDS) {
			fds_left_out = true;
			break;
		}
		memcpy(before, text, sizeof(before));
		visit(arg, dirfd(dir), entry->d_name, text);
	}
	closedir(dir);
}

/**
 * process_fds_warn() - warn if process_visit_fds() has stopped early
 */
void process_fds_warn(void)
{
	if (fds_left_out)
		note("some processes have too many descriptors to read them all: %s",
		     "namespaces that only those hold are not found");
}

static void visit_task(int dir, const char *task, unsigned int wanted, fd_visitor visit, void *arg)
{
	static const struct {
		const char *name;
		enum namespace_type type;
	} links[] = {
		{ "cgroup", NS_CGROUP }, { "ipc", NS_IPC }, { "mnt", NS_MNT }, { "net", NS_NET },
		{ "pid", NS_PID }, { "pid_for_children", NS_PID }, { "time", NS_TIME },
		{ "time_for_children", NS_TIME }, { "user", NS_USER }, { "uts", NS_UTS },
	};
	char name[48], text[64];

	for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
		if (!(wanted & NS_MASK(links[i].type)))
			continue;
		snprintf(name, sizeof(name), "%.12s/ns/%s", task, links[i].name);
		if (read_link(dir, name, text, sizeof(text)))
			visit(arg, dir, name, text);
	}
}

static bool is_number(const char *name)
{
	return *name >= '1' && *name <= '9';
}

/**
 * process_visit_namespaces() - visit the namespaces of each thread of a process, and those that
 *	its children will be in
 * @pid: its PID; may have exited
 * @wanted: NS_MASK() of the types
 * @visit: called with names that begin with the number of the thread
 */
void process_visit_namespaces(unsigned int pid, unsigned int wanted, fd_visitor visit, void *arg)
{
	DIR *dir = opendir(path_of(pid, "task").text);
	struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		if (is_number(entry->d_name))
			visit_task(dirfd(dir), entry->d_name, wanted, visit, arg);
	}
	closedir(dir);
}

/* Decode octal escapes of mountinfo in place. */
static void decode(char *text)
{
	unsigned int byte;
	char *to = text;

	for (; *text; text++) {
		if (*text == '\\' && sscanf(text + 1, "%3o", &byte) == 1) {
			*to++ = byte;
			text += 3;
		} else {
			*to++ = *text;
		}
	}
	*to = '\0';
}

/**
 * mount_text() - a field of mountinfo as it was before the kernel escaped it, allocated
 */
char *mount_text(const char *field)
{
	char *text = xstrdup(field);

	decode(text);
	return text;
}

/**
 * mount_path_below() - the part of a path below a directory; both are absolute, as in mountinfo
 *
 * Return: the part, "" if they are the same; NULL if the path is not below.
 */
const char *mount_path_below(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	if (!strcmp(path, dir))
		return "";
	if (len == 1)
		return path;
	return !strncmp(path, dir, len) && path[len] == '/' ? path + len : NULL;
}

#define RESOLVE		(RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS)

/* Whether only root can have arranged the mounts that a process sees. */
static bool mounts_are_roots(unsigned int pid)
{
	int fd = open(path_of(pid, "ns/mnt").text, O_RDONLY | O_CLOEXEC);
	bool roots;

	if (fd < 0)
		return false;
	roots = owner_of(fd) == USERNS_INIT_INUM;
	close(fd);
	return roots;
}

static int open_below(int root, const char *path, unsigned int pid, bool may_hang)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE | RESOLVE_CACHED };
	int fd = syscall(SYS_openat2, root, path, &how, sizeof(how));

	if (fd >= 0 || errno != EINVAL || may_hang || !mounts_are_roots(pid))
		return fd;
	how.resolve = RESOLVE;
	return syscall(SYS_openat2, root, path, &how, sizeof(how));
}

/**
 * process_open_mount() - open a namespace that is bind mounted
 * @pid: a process that sees the mount; may have exited
 * @point: as in mountinfo
 * @may_hang: a file system in user space is mounted above
 *
 * A file system in user space may never answer, and any user can have one. So the path is only
 * looked up in the dentry cache, which has every mount point and all directories above it. Before
 * Linux 5.12, which cannot do that, only what root has mounted is opened, unless @may_hang.
 *
 * Return: a descriptor, negative if the namespace cannot be opened.
 */
int process_open_mount(unsigned int pid, const char *point, bool may_hang)
{
	int root = open(path_of(pid, "root").text, O_PATH | O_CLOEXEC), fd;
	char *path;

	if (root < 0)
		return -1;
	path = mount_text(point);
	fd = open_below(root, path, pid, may_hang);
	free(path);
	close(root);
	return open_namespace(fd);
}

/* All processes. Those that exit before they are read are skipped. */

/**
 * processes_known() - whether PIDs in /proc are those that the module shows
 */
bool processes_known(void)
{
	return namespace_in_link(AT_FDCWD, "/proc/self/ns/pid") == PIDNS_INIT_INUM;
}

/**
 * processes_check_viewpoint() - exit if /proc shows other numbers than the module
 *
 * The module shows processes, uids and namespaces as seen from the initial namespaces.
 */
void processes_check_viewpoint(void)
{
	if (!processes_known())
		die("not in the initial PID namespace: PIDs differ in this one");
	if (namespace_in_link(AT_FDCWD, "/proc/self/ns/user") != USERNS_INIT_INUM)
		die("not in the initial user namespace: uids differ in this one");
}

static void add_process(struct processes *procs, int proc_dir, const char *name)
{
	struct process proc = { .pid = strtoul(name, NULL, 10) };
	int dir = openat(proc_dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return;
	if (read_status(dir, &proc))
		proc.userns = namespace_in_link(dir, "ns/user");
	proc.mntns = namespace_in_link(dir, "ns/mnt");
	close(dir);
	if (!proc.userns)
		return;
	procs->list = xgrow(procs->list, procs->nr, sizeof(*procs->list));
	procs->list[procs->nr++] = proc;
}

static int compare_processes(const void *a, const void *b)
{
	const struct process *x = a, *y = b;

	return COMPARE(x->pid, y->pid);
}

/* PIDs are reused, so the parents of processes that are read one after the other can be a cycle. */
static bool descends_from(const struct processes *procs, const struct process *proc,
			  unsigned int pid)
{
	for (size_t i = 0; proc && i < procs->nr; i++) {
		if (proc->ppid == pid)
			return true;
		proc = processes_find(procs, proc->ppid);
	}
	return false;
}

/**
 * processes_read() - read all processes; free with processes_free()
 */
void processes_read(struct processes *procs)
{
	struct dirent *entry;
	DIR *dir = opendir("/proc");

	if (!dir)
		die("/proc: %s", strerror(errno));
	memset(procs, 0, sizeof(*procs));
	while ((entry = readdir(dir))) {
		if (is_number(entry->d_name))
			add_process(procs, dirfd(dir), entry->d_name);
	}
	closedir(dir);
	if (procs->nr)
		qsort(procs->list, procs->nr, sizeof(*procs->list), compare_processes);
	for (size_t i = 0; i < procs->nr; i++)
		procs->list[i].ours = descends_from(procs, &procs->list[i], getpid());
}

/**
 * processes_free() - free what processes_read() filled
 */
void processes_free(struct processes *procs)
{
	free(procs->list);
	memset(procs, 0, sizeof(*procs));
}

/**
 * processes_find() - a process by its PID, or NULL
 */
const struct process *processes_find(const struct processes *procs, unsigned int pid)
{
	const struct process wanted = { .pid = pid };

	if (!procs->nr)
		return NULL;
	return bsearch(&wanted, procs->list, procs->nr, sizeof(*procs->list), compare_processes);
}

/*
 * Namespaces of the types that the module does not list: those of every task, and those that are
 * open as a file. The initial ones are skipped: no user is charged for them. Each is held open,
 * which pins it until ns_files_close() or ns_files_let_go().
 */

struct collector {
	struct ns_files *files;
	__u32 initial[NR_NS_TYPES];	/* those of kthreadd */
	bool ours;			/* the current process descends from this program */
};

/**
 * ns_files_hold() - whether namespaces that are charged to a resource are searched for
 */
bool ns_files_hold(const char *resource)
{
	for (enum namespace_type type = NS_CGROUP; type < NR_NS_TYPES; type++) {
		if (!strcmp(resource, types[type].resource))
			return true;
	}
	return false;
}

/**
 * ns_files_find() - a namespace by its resource and its inode number, or NULL
 */
struct ns_file *ns_files_find(const struct ns_files *files, const char *resource, __u32 inum)
{
	for (size_t i = 0; i < files->nr; i++) {
		if (files->list[i].inum == inum && !strcmp(files->list[i].resource, resource))
			return &files->list[i];
	}
	return NULL;
}

/* Whether the namespace is known already, or is an initial one, which no user is charged for. */
static bool is_done(struct collector *c, const struct ns_link *link)
{
	struct ns_file *file;

	if (c->initial[link->type] == link->inum)
		return true;
	file = ns_files_find(c->files, types[link->type].resource, link->inum);
	if (file)
		file->ours |= c->ours;
	return file;
}

/* Use the number of the open file: the link may have changed since it was read. */
static void collect(void *arg, int dir, const char *name, const char *text)
{
	struct collector *c = arg;
	struct ns_link link;
	__u32 userns;
	int fd;

	if (!ns_link_parse(text, &link) || link.type < NS_CGROUP || is_done(c, &link))
		return;
	fd = namespace_open(dir, name);
	if (fd < 0)
		return;
	userns = owner_of(fd);
	link.inum = namespace_inum(fd);
	if (!userns || is_done(c, &link)) {
		close(fd);
		return;
	}
	c->files->list = xgrow(c->files->list, c->files->nr, sizeof(*c->files->list));
	c->files->list[c->files->nr++] = (struct ns_file){
		.resource = types[link.type].resource,
		.inum = link.inum,
		.userns = userns,
		.fd = fd,
		.ours = c->ours,
	};
}

static void collect_process(struct collector *c, const struct process *proc)
{
	c->ours = proc->ours;
	process_visit_namespaces(proc->pid, ~NS_MASK(NS_USER) & ~NS_MASK(NS_MNT), collect, c);
	process_visit_fds(proc->pid, collect, c);
}

/* Raise the limit as far as allowed: a namespace that cannot be opened is not counted. */
static void raise_files_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/**
 * ns_files_open() - find namespaces and pin them; release with ns_files_close()
 * @procs: the processes, with those that descend from this program marked
 *
 * A namespace that only a bind mount, a socket or a file in flight pins is not found.
 */
void ns_files_open(struct ns_files *files, const struct processes *procs)
{
	struct collector c = { .files = files };

	memset(files, 0, sizeof(*files));
	raise_files_limit();
	for (enum namespace_type type = NS_CGROUP; type < NR_NS_TYPES; type++)
		c.initial[type] = namespace_initial(type);
	for (size_t i = 0; i < procs->nr; i++)
		collect_process(&c, &procs->list[i]);
}

/**
 * ns_files_let_go() - unpin the namespaces, but remember them
 */
void ns_files_let_go(struct ns_files *files)
{
	for (size_t i = 0; i < files->nr; i++) {
		if (files->list[i].fd >= 0)
			close(files->list[i].fd);
		files->list[i].fd = -1;
	}
}

/**
 * ns_files_close() - unpin the namespaces and free the list
 */
void ns_files_close(struct ns_files *files)
{
	ns_files_let_go(files);
	free(files->list);
	memset(files, 0, sizeof(*files));
}

/* The mounts that processes see: those below their root directories. */

struct mounts {
	struct mount_line *list;
	size_t nr;
};

static int compare_mounts(const void *a, const void *b)
{
	const struct mount_line *x = a, *y = b;

	return COMPARE(x->id, y->id);
}

static void add_mount(void *arg, const struct mount_line *mount)
{
	struct mounts *mounts = arg;

	mounts->list = xgrow(mounts->list, mounts->nr, sizeof(*mounts->list));
	mounts->list[mounts->nr++] = *mount;
}

static bool is_shown(const struct mounts *mounts, unsigned int id)
{
	const struct mount_line wanted = { .id = id };

	return bsearch(&wanted, mounts->list, mounts->nr, sizeof(wanted), compare_mounts);
}

/* The root mount of a namespace is its own parent. One above it that is not shown counts, too. */
static void count_mounts(struct mount_tree *tree, const struct mounts *mounts)
{
	bool hidden = false;

	qsort(mounts->list, mounts->nr, sizeof(*mounts->list), compare_mounts);
	for (size_t i = 0; i < mounts->nr; i++) {
		tree->whole |= mounts->list[i].parent == mounts->list[i].id;
		hidden |= !is_shown(mounts, mounts->list[i].parent);
	}
	tree->mounts = mounts->nr + hidden;
}

static bool is_known(const struct mount_trees *trees, const struct mount_tree *tree)
{
	for (size_t i = 0; i < trees->nr; i++) {
		const struct mount_tree *known = &trees->list[i];

		if (known->mntns == tree->mntns && known->dev == tree->dev &&
		    known->ino == tree->ino)
			return true;
	}
	return false;
}

static void add_tree(struct mount_trees *trees, const struct process *proc)
{
	struct mount_tree tree = { .mntns = proc->mntns };
	struct mounts mounts = { };
	struct stat st;

	if (!proc->mntns || stat(path_of(proc->pid, "root").text, &st))
		return;
	tree.dev = st.st_dev;
	tree.ino = st.st_ino;
	if (is_known(trees, &tree))
		return;
	process_visit_mounts(proc->pid, add_mount, &mounts);
	if (!mounts.nr)
		return;
	count_mounts(&tree, &mounts);
	free(mounts.list);
	trees->list = xgrow(trees->list, trees->nr, sizeof(tree));
	trees->list[trees->nr++] = tree;
}

/**
 * mount_trees_read() - count the mounts that processes see; free @trees->list afterwards
 */
void mount_trees_read(struct mount_trees *trees, const struct processes *procs)
{
	memset(trees, 0, sizeof(*trees));
	for (size_t i = 0; i < procs->nr; i++)
		add_tree(trees, &procs->list[i]);
}

/* The switches without which no kprobe fires. */

static const char kprobes_switch[] = "/sys/kernel/debug/kprobes/enabled";
static const char ftrace_switch[] = "/proc/sys/kernel/ftrace_enabled";

/* A switch that cannot be read does not count as off. */
static bool is_off(const char *path)
{
	FILE *file = fopen(path, "re");
	bool off;

	if (!file)
		return false;
	off = fgetc(file) == '0';
	fclose(file);
	return off;
}

/**
 * probes_trouble() - why kprobes do not fire, and what to do: a clause for a message, allocated
 */
char *probes_trouble(void)
{
	bool kprobes = is_off(kprobes_switch), ftrace = is_off(ftrace_switch);

	if (kprobes && ftrace)
		return xasprintf("kprobes and ftrace are disabled (write 1 to %s and %s)",
				 kprobes_switch, ftrace_switch);
	if (kprobes)
		return xasprintf("kprobes are disabled (write 1 to %s)", kprobes_switch);
	if (ftrace)
		return xasprintf("ftrace is disabled (write 1 to %s)", ftrace_switch);
	return xasprintf("kprobes do not fire (see dmesg, %s and %s)", kprobes_switch,
			 ftrace_switch);
}
