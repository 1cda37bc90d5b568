// SPDX-License-Identifier: GPL-2.0
/*
 * A mount namespace as it looks from its root directory: its mounts, and where a path leads.
 *
 * The mountinfo of a process shows what is below the root directory of that, which chroot()
 * changes. So a child enters the namespace with setns(), which takes it to the root directory of
 * the namespace, and opens its own mountinfo. No process needs to be there. The child shares memory
 * and descriptors, and this program waits for it, as with vfork(). It looks up nothing in the
 * namespace but a path that the user has given.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/openat2.h>

#include "mntns_view.h"
#include "ucountview.h"

#define STACK_SIZE	(64 * 1024)

/**
 * struct visit - what the child does in the namespace
 * @ns: the namespace, open
 * @parent: this program
 * @proc: /proc of this program, open
 * @path: what to look up; NULL: open the mountinfo
 * @fd: out: the open file
 * @text: out: its path, if it was looked up
 * @error: out: 0, or an errno
 */
struct visit {
	int ns;
	pid_t parent;
	int proc;
	const char *path;
	int fd;
	char text[PATH_MAX];
	int error;
};

/* Where the file is as seen from the root directory of this process. */
static bool read_path(struct visit *visit)
{
	char name[32];
	ssize_t len;

	snprintf(name, sizeof(name), "self/fd/%d", visit->fd);
	len = readlinkat(visit->proc, name, visit->text, sizeof(visit->text) - 1);
	visit->text[len < 0 ? 0 : len] = '\0';
	return len >= 0;
}

/* A link of a /proc there can lead anywhere, also out of the namespace. */
static bool look_up(struct visit *visit)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_MAGICLINKS };

	visit->fd = syscall(SYS_openat2, AT_FDCWD, visit->path, &how, sizeof(how));
	return visit->fd >= 0 && read_path(visit);
}

static bool open_mountinfo(struct visit *visit)
{
	visit->fd = openat(visit->proc, "self/mountinfo", O_RDONLY | O_CLOEXEC);
	return visit->fd >= 0;
}

/* A file system in user space may never answer: the child must not outlive this program. */
static int run_child(void *arg)
{
	struct visit *visit = arg;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != visit->parent)
		return 1;
	if (setns(visit->ns, CLONE_NEWNS) ||
	    !(visit->path ? look_up(visit) : open_mountinfo(visit)))
		visit->error = errno;
	else
		visit->error = 0;
	return 0;
}

/* Returns 0 or an errno; afterwards @visit->fd is open, or negative. */
static int enter(struct visit *visit)
{
	char *stack = xreallocarray(NULL, STACK_SIZE, 1);
	pid_t child = -1;

	visit->fd = -1;
	visit->parent = getpid();
	visit->error = ECANCELED; /* if the child is killed */
	visit->proc = proc_open();
	if (visit->proc >= 0)
		child = clone(run_child, stack + STACK_SIZE,
			      CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD, visit);
	if (child < 0)
		visit->error = errno;
	if (visit->proc >= 0)
		close(visit->proc);
	while (child >= 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	free(stack);
	if (visit->error && visit->fd >= 0)
		close(visit->fd);
	return visit->error;
}

/**
 * mntns_open() - open a mount namespace of a snapshot through its example process
 *
 * Return: a descriptor, negative if the process is not known or not there any more.
 */
int mntns_open(const struct ucv_mntns *ns)
{
	return ns->pid ? process_open_mntns(ns->pid, ns->inum) : -1;
}

/**
 * mntns_visit_mounts() - visit the mounts below the root directory of a mount namespace
 * @ns: the namespace, open
 *
 * Not among them are those that another mount on the root directory hides: at least the root mount
 * of the namespace, usually.
 *
 * Return: 0, or the errno with which it cannot be entered.
 */
int mntns_visit_mounts(int ns, mount_visitor visit, void *arg)
{
	struct visit to = { .ns = ns };
	FILE *file;
	int error = enter(&to);

	if (error)
		return error;
	file = fdopen(to.fd, "r");
	if (!file)
		die("out of memory");
	mountinfo_visit(file, visit, arg);
	return 0;
}

/**
 * mntns_find_place() - find where a new mount would be
 * @ns: the namespace, open
 * @path: from its root directory on; symbolic links are followed
 * @place: out; the caller frees its path
 *
 * Return: 0, or the errno with which it cannot be found.
 */
int mntns_find_place(int ns, const char *path, struct mntns_place *place)
{
	struct visit to = { .ns = ns, .path = path };
	int error = enter(&to);

	if (error)
		return error;
	place->mount = mount_of_fd(to.fd);
	place->path = xstrdup(to.text);
	close(to.fd);
	return 0;
}
