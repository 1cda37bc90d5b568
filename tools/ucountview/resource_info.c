// SPDX-License-Identifier: GPL-2.0
/*
 * The error that a program gets when a limit is reached, and the sysctl that is the limit: facts
 * about the kernel (5.10 to 7.3) that none of its interfaces tells.
 */
#include <errno.h>
#include <string.h>
#include <linux/capability.h>

#include "countermap.h"
#include "resource_info.h"
#include "ucountview.h"

/*
 * The fs.* sysctls and user.max_* of the initial user namespace are the same variables:
 * init_user_ns.ucount_max[]. Other user namespaces have no fs.* ones.
 */
static const struct resource_info table[] = {
	{ "inotify_instances", "inotify_init", NULL, EMFILE, "EMFILE",
	  "fs.inotify.max_user_instances", 128 },
	{ "inotify_watches", "inotify_add_watch", NULL, ENOSPC, "ENOSPC",
	  "fs.inotify.max_user_watches", 0 },
	{ "fanotify_groups", "fanotify_init", NULL, EMFILE, "EMFILE",
	  "fs.fanotify.max_user_groups", 128 },
	{ "fanotify_marks", "fanotify_mark", NULL, ENOSPC, "ENOSPC",
	  "fs.fanotify.max_user_marks", 0 },
	{ MOUNTS_NAME, "mount", "move_mount", ENOSPC, "ENOSPC",
	  "fs.mount-max", 100000 },
	{ "mnt_namespaces", "unshare", "clone open_tree fsmount mount", ENOSPC, "ENOSPC",
	  NULL, 0 },
	{ "binfmt_misc_interpreters", "write", NULL, ENOSPC, "ENOSPC", NULL, 0 },
	{ "rlimit_nproc", "fork", "clone vfork execve", EAGAIN, "EAGAIN",
	  "RLIMIT_NPROC", 0 },
	{ "rlimit_msgqueue", "mq_open", NULL, EMFILE, "EMFILE", "RLIMIT_MSGQUEUE", 0 },
	{ "rlimit_sigpending", "sigqueue", "rt_sigqueueinfo timer_create", EAGAIN, "EAGAIN",
	  "RLIMIT_SIGPENDING", 0 },
	{ "rlimit_memlock", "shmctl", NULL, ENOMEM, "ENOMEM",
	  "RLIMIT_MEMLOCK", 0 },
	{ USERNS_DEPTH_NAME, "unshare", "clone", ENOSPC, "ENOSPC", "", 0 },
	{ PIDNS_DEPTH_NAME, "unshare", "clone", ENOSPC, "ENOSPC", "", 0 },
	{ "descriptors", "open",
	  "socket pipe dup fcntl accept epoll_create eventfd inotify_init fanotify_init",
	  EMFILE, "EMFILE", "RLIMIT_NOFILE", 0 },
	{ "open_files", "open",
	  "socket pipe accept epoll_create eventfd inotify_init fanotify_init",
	  ENFILE, "ENFILE", "fs.file-max", 0 },
	{ "pids", "fork", "clone vfork", EAGAIN, "EAGAIN", "pids.max", 0 },
	{ "threads", "fork", "clone vfork", EAGAIN, "EAGAIN", "kernel.threads-max", 0 },
	{ "pid_numbers", "fork", "clone vfork", EAGAIN, "EAGAIN", "kernel.pid_max", 0 },
};

static const struct resource_info namespaces = {
	"*_namespaces", "unshare", "clone", ENOSPC, "ENOSPC", NULL, 0
};

static const struct rlimit_info rlimits[] = {
	{ "rlimit_nproc", "Max processes", "nproc", false, true,
	  { CAP_SYS_RESOURCE, CAP_SYS_ADMIN } },
	{ "rlimit_msgqueue", "Max msgqueue size", "msgqueue", false, false, { -1, -1 } },
	{ "rlimit_sigpending", "Max pending signals", "sigpending", false, false, { -1, -1 } },
	{ "rlimit_memlock", "Max locked memory", "memlock", true, false, { CAP_IPC_LOCK, -1 } },
};

/**
 * resource_info_find() - what is known about a resource
 *
 * Return: what is known, or NULL for an unknown resource.
 */
const struct resource_info *resource_info_find(const char *resource)
{
	const char *end = strrchr(resource, '_');

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		if (!strcmp(table[i].resource, resource))
			return &table[i];
	}
	return end && !strcmp(end, "_namespaces") ? &namespaces : NULL;
}

/**
 * resource_info_setting() - the sysctl that is a limit
 * @resource: name of a resource of type UCV_RESOURCE_UCOUNT, or "mounts"
 * @ns: the user namespace whose limit it is; NULL if it is the limit of all
 *
 * The user.* sysctls are those of the user namespace of the process that opens them;
 * their names follow from the resources'.
 *
 * Return: its name, allocated.
 */
char *resource_info_setting(const char *resource, const struct ucv_userns *ns)
{
	const struct resource_info *advice = resource_info_find(resource);

	if (advice && advice->setting && (!ns || ns->parent == UCV_NO_INDEX))
		return xstrdup(advice->setting);
	return xasprintf("user.max_%s", resource);
}

/**
 * rlimit_info_find() - what a resource of type UCV_RESOURCE_RLIMIT is compared with, or NULL
 */
const struct rlimit_info *rlimit_info_find(const char *resource)
{
	for (size_t i = 0; i < ARRAY_SIZE(rlimits); i++) {
		if (!strcmp(rlimits[i].resource, resource))
			return &rlimits[i];
	}
	return NULL;
}

/**
 * resource_info_elsewhere() - whether a limit is none of the snapshot's counters
 */
bool resource_info_elsewhere(const char *resource)
{
	static const char * const names[] = {
		MOUNTS_NAME, USERNS_DEPTH_NAME, PIDNS_DEPTH_NAME, "descriptors", "open_files",
		"pids", "threads", "pid_numbers",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!strcmp(names[i], resource))
			return true;
	}
	return false;
}

/* What a later variant of a system call appends to its name: openat2, accept4, execveat. */
static bool is_variant(const char *suffix)
{
	if (!strncmp(suffix, "at", 2))
		suffix += 2;
	return !suffix[strspn(suffix, "1234")];
}

static bool has_word(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = list; at && *at; at += strspn(at, " ")) {
		size_t n = strcspn(at, " ");

		if (n <= len && !memcmp(at, word, n) && is_variant(word + n))
			return true;
		at += n;
	}
	return false;
}

/**
 * resource_info_matches() - whether a limit can be the reason of a failure
 * @error: name of the error, or NULL for any
 * @syscall: name of the system call, or NULL for any
 */
bool resource_info_matches(const char *resource, const char *error, const char *syscall)
{
	const struct resource_info *info = resource_info_find(resource);

	if (!error && !syscall)
		return true;
	if (!info || (error && strcmp(info->error_name, error)))
		return false;
	return !syscall || has_word(info->syscall, syscall) || has_word(info->others, syscall);
}
