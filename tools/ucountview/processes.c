// SPDX-License-Identifier: GPL-2.0
/*
 * All processes that /proc lists. Processes come and go meanwhile: what has ended before
 * it was read is left out.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "processes.h"
#include "ucountview.h"

/* PROC_PID_INIT_INO and PROC_USER_INIT_INO of the kernel: the same on all. */
#define PIDNS_INIT_INUM		0xEFFFFFFCU
#define USERNS_INIT_INUM	0xEFFFFFFDU

/* In the initial pid namespace: the parent of all threads of the kernel but init. */
#define KTHREADD_PID	2

/*
 * Descriptors that are read of one process, and of those in a row that are alike. Its
 * owner can have a million of them for next to nothing, and reading one costs more than
 * making it.
 */
#define MAX_FDS		4096
#define MAX_COPIES	256

static bool fds_left_out;	/* of some process */

/* The inode number in "type:[number]", which is what the link's text is; 0 if there is none. */
static __u32 namespace_in_link(int dir, const char *name)
{
	unsigned int inum = 0;
	char text[64];
	ssize_t len = readlinkat(dir, name, text, sizeof(text) - 1);

	if (len < 0)
		return 0;
	text[len] = '\0';
	if (sscanf(text, "%*[a-z]:[%u]", &inum) != 1)
		return 0;
	return inum;
}

/**
 * processes_check_viewpoint() - give up if /proc shows other numbers than the module
 *
 * The module tells processes, uids and namespaces as the initial namespaces see them.
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

/* Numbers are used again, so a child's can be less than its parent's: until nothing changes. */
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
 * processes_read() - look at all processes
 * @procs: where to; to be freed with processes_free()
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
 * processes_find() - a process by its number
 * @procs: the processes
 * @pid: the number
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

/* Whether enough has been read, be it of all or of those that are alike. */
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
 * @pid: its number
 * @visit: called for each, from the lowest on
 * @arg: for @visit
 *
 * Ends early if there are too many, see process_fds_warn().
 */
void process_visit_fds(unsigned int pid, fd_visitor visit, void *arg)
{
	char path[32], text[64], before[64] = "";
	size_t nr = 0, copies = 0;
	struct dirent *entry;
	ssize_t len;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%u/fd", pid);
	dir = opendir(path);
	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		len = readlinkat(dirfd(dir), entry->d_name, text, sizeof(text) - 1);
		if (len < 0)
			continue;
		text[len] = '\0';
		if (too_many(text, before, sizeof(before), ++nr, &copies)) {
			fds_left_out = true;
			break;
		}
		visit(arg, dirfd(dir), entry->d_name, text);
	}
	closedir(dir);
}

/**
 * process_fds_warn() - say so if descriptors were not visited
 */
void process_fds_warn(void)
{
	if (!fds_left_out)
		return;
	fputs("ucountview: some processes have too many descriptors to read all: ", stderr);
	fputs("a namespace that only those hold is not known\n", stderr);
}
