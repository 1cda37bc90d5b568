// SPDX-License-Identifier: GPL-2.0
/*
 * Read /proc: processes, their namespaces, open files and mounts; and the switches without which
 * no denial is recorded. No other file reads /proc.
 *
 * A process may exit at any time. If it was named by its PID, the program then exits with "no
 * such process"; if it was found in a scan, it is skipped.
 */
#define _GNU_SOURCE
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <linux/nsfs.h>

#include "procfs.h"
#include "ucountview.h"

/*
 * Text that /proc has in more than one place: links of namespaces and of descriptors, and lines
 * of mountinfo.
 */

static bool read_link(int dir, const char *name, char *text, size_t size)
{
	ssize_t len = readlinkat(dir, name, text, size - 1);

	if (len < 0)
		return false;
	text[len] = '\0';
	return true;
}

/**
 * namespace_in_text() - the namespace in "net:[4026531840]"
 * @text: of a link, or of a field of mountinfo
 * @type: out: "net"
 * @inum: out: 4026531840
 *
 * Return: false if @text is something else.
 */
bool namespace_in_text(const char *text, char type[NS_TYPE_LEN], __u32 *inum)
{
	static_assert(NS_TYPE_LEN == 16, "as the format has it");

	return sscanf(text, "%15[a-z]:[%u]", type, inum) == 2;
}

/* The inode number of the namespace that a link points to; 0 if there is none. */
static __u32 namespace_in_link(int dir, const char *name)
{
	char text[64], type[NS_TYPE_LEN];
	__u32 inum;

	if (!read_link(dir, name, text, sizeof(text)) || !namespace_in_text(text, type, &inum))
		return 0;
	return inum;
}

/**
 * process_visit_mounts() - visit the mounts that a process sees
 * @pid: its PID; may have exited
 * @visit: called for each, in the order of mountinfo
 * @arg: for @visit
 */
void process_visit_mounts(unsigned int pid, mount_visitor visit, void *arg)
{
	struct mount_line mount;
	char path[32];
	char *line = NULL;
	size_t size = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%u/mountinfo", pid);
	file = fopen(path, "re");
	if (!file)
		return;
	while (getline(&line, &size, file) > 0) {
		if (sscanf(line, "%u %u %*s %63s", &mount.id, &mount.parent, mount.root) == 3)
			visit(arg, &mount);
	}
	free(line);
	fclose(file);
}

/* One process, by its PID. */

static const struct {
	int clone_flag;
	const char *file;	/* below /proc/PID */
	const char *name;
} named_types[] = {
	[NS_USER] = { CLONE_NEWUSER, "ns/user", "user namespace" },
	[NS_MNT]  = { CLONE_NEWNS,   "ns/mnt",  "mount namespace" },
};

/**
 * namespace_name() - the name of a namespace type, for messages
 * @type: the type
 *
 * Return: the name; not to be freed.
 */
const char *namespace_name(enum ns_type type)
{
	return named_types[type].name;
}

/**
 * namespace_of_fd() - the namespace that an open file refers to
 * @fd: the file; left open, which pins the namespace, so that its inode number is not reused
 *	while this program runs
 * @type: the namespace's type
 * @name: the file's name, for error messages
 *
 * Exits if the file is something else.
 *
 * Return: the namespace's inode number.
 */
__u32 namespace_of_fd(int fd, enum ns_type type, const char *name)
{
	int clone_flag = ioctl(fd, NS_GET_NSTYPE);
	struct stat st;

	if (clone_flag < 0)
		die("%s: not a namespace", name);
	if (clone_flag != named_types[type].clone_flag)
		die("%s: not a %s", name, named_types[type].name);
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

	snprintf(name, sizeof(name), "/proc/%u/%s", pid, named_types[type].file);
	return namespace_of_fd(open_of_process(dir, pid, named_types[type].file), type, name);
}

/* A zombie still has its credentials, but no mount namespace. */
static __u32 mntns_at(int dir, unsigned int pid)
{
	if (faccessat(dir, named_types[NS_MNT].file, F_OK, 0) && errno == ENOENT)
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
 * process_read() - read a process's credentials and namespaces
 * @process: out
 * @pid: which process; exits if there is none
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
 * @pid: which process; exits if there is none
 * @type: which of its namespaces
 *
 * Return: the namespace's inode number, which is not reused while this program runs.
 */
__u32 process_namespace(unsigned int pid, enum ns_type type)
{
	int dir = open_process(pid);
	__u32 inum = namespace_at(dir, pid, type);

	close(dir);
	return inum;
}

/**
 * process_maps_root() - whether a process's user namespace maps uid 0
 * @pid: which process; may have exited
 *
 * Return: false if uid 0 is not mapped there or the process has exited.
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

/* All processes. Those that exit before they are read are skipped. */

/* PROC_PID_INIT_INO and PROC_USER_INIT_INO of the kernel, the same in all versions. */
#define PIDNS_INIT_INUM		0xEFFFFFFCU
#define USERNS_INIT_INUM	0xEFFFFFFDU

/* kthreadd in the initial pid namespace: the parent of all other kernel threads. */
#define KTHREADD_PID	2

/*
 * Limits on the descriptors that are read of one process, and on those in a row with the same
 * link. Its owner can have a million of them at almost no cost, and reading one costs more than
 * making it.
 */
#define MAX_FDS		4096
#define MAX_COPIES	256

static bool fds_left_out;	/* of some process */

/**
 * processes_check_viewpoint() - exit if /proc shows other numbers than the module
 *
 * The module shows processes, uids and namespaces as seen from the initial namespaces.
 */
void processes_check_viewpoint(void)
{
	if (namespace_in_link(AT_FDCWD, "/proc/self/ns/pid") != PIDNS_INIT_INUM)
		die("not in the initial pid namespace: processes have other numbers here");
	if (namespace_in_link(AT_FDCWD, "/proc/self/ns/user") != USERNS_INIT_INUM)
		die("not in the initial user namespace: uids have other numbers here");
}

static bool read_text(int dir, const char *name, char *text, size_t size)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	if (fd < 0)
		return false;
	len = read(fd, text, size - 1);
	close(fd);
	if (len <= 0)
		return false;
	text[len] = '\0';
	return true;
}

static bool number_after(const char *status, const char *key, unsigned int *number)
{
	const char *line = strstr(status, key);

	return line && sscanf(line + strlen(key), " %u", number) == 1;
}

static void copy_comm(char comm[UCV_COMM_LEN], const char *status)
{
	const char *name = status + strlen("Name:\t");
	size_t len = strcspn(name, "\n");

	if (len >= UCV_COMM_LEN)
		len = UCV_COMM_LEN - 1;
	memcpy(comm, name, len);
	comm[len] = '\0';
}

static bool read_process(int dir, struct seen_process *proc)
{
	char status[4096];

	if (!read_text(dir, "status", status, sizeof(status)) || strncmp(status, "Name:\t", 6))
		return false;
	if (!number_after(status, "\nPPid:", &proc->ppid) ||
	    !number_after(status, "\nUid:", &proc->uid) ||
	    !number_after(status, "\nThreads:", &proc->threads))
		return false;
	copy_comm(proc->comm, status);
	proc->kernel = proc->pid == KTHREADD_PID || proc->ppid == KTHREADD_PID;
	proc->userns = namespace_in_link(dir, "ns/user");
	proc->mntns = namespace_in_link(dir, "ns/mnt");
	return proc->userns;
}

static void add_process(struct processes *procs, int proc_dir, const char *name)
{
	struct seen_process proc = { .pid = strtoul(name, NULL, 10) };
	int dir = openat(proc_dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool there;

	if (dir < 0)
		return;
	there = read_process(dir, &proc);
	close(dir);
	if (!there)
		return;
	procs->list = xgrow(procs->list, procs->nr, sizeof(*procs->list));
	procs->list[procs->nr++] = proc;
}

static int compare_processes(const void *a, const void *b)
{
	const struct seen_process *x = a, *y = b;

	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

/* PIDs are reused, so a child's can be less than its parent's: repeat until nothing changes. */
static void mark_ours(struct processes *procs)
{
	unsigned int self = getpid();
	bool again;

	do {
		again = false;
		for (size_t i = 0; i < procs->nr; i++) {
			struct seen_process *proc = &procs->list[i];
			const struct seen_process *parent;

			if (proc->ours)
				continue;
			parent = processes_find(procs, proc->ppid);
			proc->ours = proc->ppid == self || (parent && parent->ours);
			again |= proc->ours;
		}
	} while (again);
}

/**
 * processes_read() - read all processes
 * @procs: out; free with processes_free()
 */
void processes_read(struct processes *procs)
{
	struct dirent *entry;
	DIR *dir = opendir("/proc");

	if (!dir)
		die("/proc: %s", strerror(errno));
	memset(procs, 0, sizeof(*procs));
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
			add_process(procs, dirfd(dir), entry->d_name);
	}
	closedir(dir);
	if (procs->nr)
		qsort(procs->list, procs->nr, sizeof(*procs->list), compare_processes);
	mark_ours(procs);
}

/**
 * processes_free() - free what processes_read() filled
 * @procs: the processes
 */
void processes_free(struct processes *procs)
{
	free(procs->list);
	memset(procs, 0, sizeof(*procs));
}

/**
 * processes_find() - a process by its PID
 * @procs: the processes
 * @pid: the PID
 *
 * Return: the process, or NULL if it was not there.
 */
const struct seen_process *processes_find(const struct processes *procs, unsigned int pid)
{
	const struct seen_process wanted = { .pid = pid };

	if (!procs->nr)
		return NULL;
	return bsearch(&wanted, procs->list, procs->nr, sizeof(*procs->list), compare_processes);
}

/* Whether a limit is exceeded, on all descriptors or on those in a row with the same link. */
static bool too_many(const char *text, char *before, size_t size, size_t nr, size_t *copies)
{
	if (strcmp(text, before)) {
		snprintf(before, size, "%s", text);
		*copies = 0;
	}
	return ++*copies > MAX_COPIES || nr > MAX_FDS;
}

/**
 * process_visit_fds() - visit the descriptors of a process
 * @pid: its PID
 * @visit: called for each, from the lowest on
 * @arg: for @visit
 *
 * Stops early if there are too many, see process_fds_warn().
 */
void process_visit_fds(unsigned int pid, fd_visitor visit, void *arg)
{
	char path[32], text[64], before[64] = "";
	size_t nr = 0, copies = 0;
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%u/fd", pid);
	dir = opendir(path);
	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		if (!read_link(dirfd(dir), entry->d_name, text, sizeof(text)))
			continue;
		if (too_many(text, before, sizeof(before), ++nr, &copies)) {
			fds_left_out = true;
			break;
		}
		visit(arg, dirfd(dir), entry->d_name, text);
	}
	closedir(dir);
}

/**
 * process_fds_warn() - warn if process_visit_fds() has stopped early
 */
void process_fds_warn(void)
{
	if (!fds_left_out)
		return;
	fputs("ucountview: some processes have too many descriptors to read all: ", stderr);
	fputs("a namespace that only those hold is not known\n", stderr);
}

/*
 * Namespaces of the types that the module does not list: those of every task, and those that are
 * open as a file. The initial ones are skipped: no user is charged for them. Each is held open,
 * which pins it until ns_files_close() or ns_files_let_go().
 */

/* kthreadd, which is in the initial namespaces. */
#define KTHREADD_NS	"/proc/2/ns"

static const struct {
	const char *name;	/* as in the links */
	const char *resource;
} unlisted_types[] = {
	{ "cgroup", "cgroup_namespaces" },
	{ "ipc",    "ipc_namespaces" },
	{ "net",    "net_namespaces" },
	{ "pid",    "pid_namespaces" },
	{ "time",   "time_namespaces" },
	{ "uts",    "uts_namespaces" },
};

struct collector {
	struct ns_files *files;
	const struct processes *procs;
	bool ours;	/* the current process descends from this program */
	__u32 initial[ARRAY_SIZE(unlisted_types)];
};

/**
 * ns_type_resource() - the resource that namespaces of a type are charged to
 * @type: index of the type
 *
 * Return: its name, or NULL if there are no more types.
 */
const char *ns_type_resource(size_t type)
{
	return type < ARRAY_SIZE(unlisted_types) ? unlisted_types[type].resource : NULL;
}

/* Returns false for a namespace of another type, and for anything else. */
static bool find_type(const char *text, size_t *type, __u32 *inum)
{
	char name[NS_TYPE_LEN];

	if (!namespace_in_text(text, name, inum))
		return false;
	for (*type = 0; *type < ARRAY_SIZE(unlisted_types); ++*type) {
		if (!strcmp(name, unlisted_types[*type].name))
			return true;
	}
	return false;
}

static bool find_type_of_link(int dir, const char *name, size_t *type, __u32 *inum)
{
	char text[64];

	return read_link(dir, name, text, sizeof(text)) && find_type(text, type, inum);
}

/**
 * ns_files_find() - a namespace by its inode number
 * @files: the files
 * @type: index of its type
 * @inum: the number
 *
 * Return: the namespace, or NULL if it was not found.
 */
struct ns_file *ns_files_find(const struct ns_files *files, size_t type, __u32 inum)
{
	for (size_t i = 0; i < files->nr; i++) {
		if (files->list[i].inum == inum && files->list[i].type == type)
			return &files->list[i];
	}
	return NULL;
}

/* Whether the namespace is known already, or is an initial one, which no user is charged for. */
static bool is_done(struct collector *c, size_t type, __u32 inum)
{
	struct ns_file *file;

	if (c->initial[type] == inum)
		return true;
	file = ns_files_find(c->files, type, inum);
	if (file)
		file->ours |= c->ours;
	return file;
}

static __u32 inum_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? 0 : st.st_ino;
}

/* The owning user namespace; 0 if this program may not see it. */
static __u32 owner_of(int fd)
{
	int userns = ioctl(fd, NS_GET_USERNS);
	__u32 inum;

	if (userns < 0)
		return 0;
	inum = inum_of(userns);
	close(userns);
	return inum;
}

/* Use the number of the open file: the link may have changed since it was read. */
static void keep(struct collector *c, int fd, size_t type)
{
	struct ns_file file = {
		.type = type,
		.inum = inum_of(fd),
		.userns = owner_of(fd),
		.fd = fd,
		.ours = c->ours,
	};

	if (!file.userns || is_done(c, type, file.inum)) {
		close(fd);
		return;
	}
	c->files->list = xgrow(c->files->list, c->files->nr, sizeof(file));
	c->files->list[c->files->nr++] = file;
}

static void collect(struct collector *c, int dir, const char *name, size_t type, __u32 inum)
{
	int fd;

	if (is_done(c, type, inum))
		return;
	fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (ioctl(fd, NS_GET_NSTYPE) < 0)
		close(fd);
	else
		keep(c, fd, type);
}

typedef void (*visitor)(struct collector *c, int dir, const char *path, const char *name);

static void visit_entries(struct collector *c, const char *path, visitor visit)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] != '.')
			visit(c, dirfd(dir), path, entry->d_name);
	}
	closedir(dir);
}

static void visit_link(struct collector *c, int dir, const char *path, const char *name)
{
	size_t type;
	__u32 inum;

	(void)path;
	if (find_type_of_link(dir, name, &type, &inum))
		collect(c, dir, name, type, inum);
}

static void visit_task(struct collector *c, int dir, const char *path, const char *name)
{
	char ns[64];

	(void)dir;
	snprintf(ns, sizeof(ns), "%.40s/%.12s/ns", path, name);
	visit_entries(c, ns, visit_link);
}

static void visit_fd(void *arg, int dir, const char *name, const char *text)
{
	size_t type;
	__u32 inum;

	if (find_type(text, &type, &inum))
		collect(arg, dir, name, type, inum);
}

static void visit_process(struct collector *c, int dir, const char *path, const char *name)
{
	unsigned int pid = strtoul(name, NULL, 10);
	const struct seen_process *proc = processes_find(c->procs, pid);
	char below[40];

	(void)dir;
	if (*name < '1' || *name > '9')
		return;
	c->ours = proc && proc->ours;
	snprintf(below, sizeof(below), "%s/%.12s/task", path, name);
	visit_entries(c, below, visit_task);
	process_visit_fds(pid, visit_fd, c);
}

static void visit_initial(struct collector *c, int dir, const char *path, const char *name)
{
	size_t type;
	__u32 inum;

	(void)path;
	if (find_type_of_link(dir, name, &type, &inum))
		c->initial[type] = inum;
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
 * ns_files_open() - find namespaces and pin them
 * @files: out; release with ns_files_close()
 * @procs: the processes, with those that descend from this program marked
 *
 * A namespace that only a bind mount, a socket or a file in flight pins is not found.
 */
void ns_files_open(struct ns_files *files, const struct processes *procs)
{
	struct collector c = { .files = files, .procs = procs };

	memset(files, 0, sizeof(*files));
	raise_files_limit();
	visit_entries(&c, KTHREADD_NS, visit_initial);
	visit_entries(&c, "/proc", visit_process);
}

/**
 * ns_files_let_go() - unpin the namespaces, but remember them
 * @files: the files
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
 * @files: the files
 */
void ns_files_close(struct ns_files *files)
{
	ns_files_let_go(files);
	free(files->list);
	memset(files, 0, sizeof(*files));
}

/*
 * The mounts that processes see, by mount namespace. A process sees those below its root
 * directory; of the processes in a namespace, the one that sees the most counts.
 */

struct mount {
	unsigned int id;
	unsigned int parent;
};

struct mounts {
	struct mount *list;
	size_t nr;
};

/* A root directory from which the mounts have been read. */
struct root {
	__u32 mntns;
	dev_t dev;
	ino_t ino;
};

struct roots {
	struct root *list;
	size_t nr;
};

static int compare_mounts(const void *a, const void *b)
{
	const struct mount *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

static void add_mount(void *arg, const struct mount_line *line)
{
	struct mount mount = { .id = line->id, .parent = line->parent };
	struct mounts *mounts = arg;

	mounts->list = xgrow(mounts->list, mounts->nr, sizeof(mount));
	mounts->list[mounts->nr++] = mount;
}

static bool is_shown(const struct mounts *mounts, unsigned int id)
{
	const struct mount wanted = { .id = id };

	return bsearch(&wanted, mounts->list, mounts->nr, sizeof(wanted), compare_mounts);
}

/* The root mount of a namespace is its own parent. One above it that is not shown counts, too. */
static struct mount_tree tree_of(const struct mounts *mounts, __u32 mntns)
{
	struct mount_tree tree = { .mntns = mntns, .mounts = mounts->nr };
	bool hidden = false;

	for (size_t i = 0; i < mounts->nr; i++) {
		tree.whole |= mounts->list[i].parent == mounts->list[i].id;
		hidden |= !is_shown(mounts, mounts->list[i].parent);
	}
	tree.mounts += hidden;
	return tree;
}

static bool looked_from(struct roots *roots, const struct seen_process *proc)
{
	struct root root = { .mntns = proc->mntns };
	char path[32];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%u/root", proc->pid);
	if (stat(path, &st))
		return true;
	root.dev = st.st_dev;
	root.ino = st.st_ino;
	for (size_t i = 0; i < roots->nr; i++) {
		const struct root *seen = &roots->list[i];

		if (seen->mntns == root.mntns && seen->dev == root.dev && seen->ino == root.ino)
			return true;
	}
	roots->list = xgrow(roots->list, roots->nr, sizeof(root));
	roots->list[roots->nr++] = root;
	return false;
}

static void add_tree(struct mount_trees *trees, const struct mount_tree *tree)
{
	for (size_t i = 0; i < trees->nr; i++) {
		if (trees->list[i].mntns != tree->mntns)
			continue;
		if (tree->mounts > trees->list[i].mounts || tree->whole)
			trees->list[i] = *tree;
		return;
	}
	trees->list = xgrow(trees->list, trees->nr, sizeof(*tree));
	trees->list[trees->nr++] = *tree;
}

static void read_mounts_of(struct mount_trees *trees, const struct seen_process *proc)
{
	struct mounts mounts = { };
	struct mount_tree tree;

	process_visit_mounts(proc->pid, add_mount, &mounts);
	if (!mounts.nr)
		return;
	qsort(mounts.list, mounts.nr, sizeof(*mounts.list), compare_mounts);
	tree = tree_of(&mounts, proc->mntns);
	add_tree(trees, &tree);
	free(mounts.list);
}

/**
 * mount_trees_read() - count the mounts that processes see
 * @trees: out; free with mount_trees_free()
 * @procs: the processes
 */
void mount_trees_read(struct mount_trees *trees, const struct processes *procs)
{
	struct roots roots = { };

	memset(trees, 0, sizeof(*trees));
	for (size_t i = 0; i < procs->nr; i++) {
		const struct seen_process *proc = &procs->list[i];

		if (proc->mntns && !looked_from(&roots, proc))
			read_mounts_of(trees, proc);
	}
	free(roots.list);
}

/**
 * mount_trees_free() - free what mount_trees_read() filled
 * @trees: the trees
 */
void mount_trees_free(struct mount_trees *trees)
{
	free(trees->list);
	memset(trees, 0, sizeof(*trees));
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
 * probes_trouble() - why kprobes do not fire, and what to do
 *
 * Return: a clause for a message; allocated.
 */
char *probes_trouble(void)
{
	bool kprobes = is_off(kprobes_switch), ftrace = is_off(ftrace_switch);

	if (kprobes && ftrace)
		return xasprintf("kprobes and ftrace are switched off (write 1 to %s and %s)",
				 kprobes_switch, ftrace_switch);
	if (kprobes)
		return xasprintf("kprobes are switched off (write 1 to %s)", kprobes_switch);
	if (ftrace)
		return xasprintf("ftrace is switched off (write 1 to %s)", ftrace_switch);
	return xasprintf("kprobes do not fire (see dmesg, %s and %s)", kprobes_switch,
			 ftrace_switch);
}
