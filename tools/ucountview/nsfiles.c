// SPDX-License-Identifier: GPL-2.0
/*
 * Namespaces of the types that the module does not list: of every task, and of every
 * open file that is a namespace. The initial ones are left out: nobody is charged for
 * them. Each is kept open, so that it exists until ns_files_close().
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <linux/nsfs.h>

#include "nsfiles.h"
#include "ucountview.h"

/* A thread of the kernel, which is in the initial namespaces. */
#define KTHREADD_NS	"/proc/2/ns"

static const struct {
	const char *name;	/* as in the links */
	const char *resource;
} types[] = {
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
	bool ours;	/* the process that is being looked at */
	__u32 initial[ARRAY_SIZE(types)];
};

/**
 * ns_type_resource() - the resource that a namespace is charged as
 * @type: index of the type
 *
 * Return: its name, or NULL if there are no more types.
 */
const char *ns_type_resource(size_t type)
{
	return type < ARRAY_SIZE(types) ? types[type].resource : NULL;
}

/* "net:[4026531840]"; false for anything else. */
static bool parse_link(const char *text, size_t *type, __u32 *inum)
{
	char name[16];

	if (sscanf(text, "%15[a-z]:[%u]", name, inum) != 2)
		return false;
	for (*type = 0; *type < ARRAY_SIZE(types); ++*type) {
		if (!strcmp(name, types[*type].name))
			return true;
	}
	return false;
}

static bool read_link(int dir, const char *name, size_t *type, __u32 *inum)
{
	char text[64];
	ssize_t len = readlinkat(dir, name, text, sizeof(text) - 1);

	if (len < 0)
		return false;
	text[len] = '\0';
	return parse_link(text, type, inum);
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

/* Whether it is known already, or nobody is charged for it. */
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

/* 0 if it is none of ours to know. */
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

/* What the link was may have become another namespace by now. */
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
	if (read_link(dir, name, &type, &inum))
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

	if (parse_link(text, &type, &inum))
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
	if (read_link(dir, name, &type, &inum))
		c->initial[type] = inum;
}

/* As many files as may be: what finds no room is not counted. */
static void raise_files_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/**
 * ns_files_open() - find namespaces and keep them
 * @files: where to; to be given back with ns_files_close()
 * @procs: the processes, which tells those that are ours
 *
 * What only a bind mount, a socket or a file in flight keeps is not found.
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
 * ns_files_let_go() - do not keep the namespaces any more, only know them
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
 * ns_files_close() - let go of the namespaces and forget them
 * @files: the files
 */
void ns_files_close(struct ns_files *files)
{
	ns_files_let_go(files);
	free(files->list);
	memset(files, 0, sizeof(*files));
}
