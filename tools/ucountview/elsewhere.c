// SPDX-License-Identifier: GPL-2.0
/*
 * Limits that are not counted by ucounts, and whose refusals look the same: descriptors, open
 * files, processes of a cgroup, threads, PIDs. A limit that cannot be read is left out.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elsewhere.h"
#include "format.h"
#include "procfs.h"
#include "ucountview.h"

#define CGROUP_ROOT	"/sys/fs/cgroup"

struct list {
	struct elsewhere *list;
	size_t nr;
};

static void add(struct list *l, struct elsewhere found)
{
	l->list[l->nr++] = found;
}

/* open() fails if there is no free descriptor below the limit. */
static void add_descriptors(struct list *l, unsigned int pid)
{
	long long limit = process_limit(pid, "Max open files");

	if (limit < 0)
		return;
	add(l, (struct elsewhere){
		.resource = "descriptors",
		.used = process_nr_fds(pid),
		.limit = limit,
		.setting = xstrdup("RLIMIT_NOFILE"),
		.fix = xasprintf("prlimit --pid %u --nofile=", pid),
		.fix_end = xstrdup(":"), /* leave the hard limit as it is */
	});
}

static void add_sysctl(struct list *l, const char *resource, const char *setting, long long used,
		       bool admin_exempt)
{
	long long limit;

	if (!kernel_setting(setting, &limit))
		return;
	add(l, (struct elsewhere){
		.resource = resource,
		.used = used,
		.limit = limit,
		.admin_exempt = admin_exempt,
		.setting = xstrdup(setting),
		.fix = xasprintf("sysctl -w %s=", setting),
	});
}

static bool read_number(const char *dir, const char *name, long long *value)
{
	char *path = xasprintf("%s/%s", dir, name);
	FILE *file = fopen(path, "re");
	bool found = file && fscanf(file, "%lld", value) == 1;

	if (file && !found && !ferror(file)) {
		*value = LLONG_MAX; /* "max" */
		found = true;
	}
	if (file)
		fclose(file);
	free(path);
	return found;
}

static void take_cgroup(struct elsewhere *tightest, const char *dir)
{
	long long used, limit;
	char *quoted;

	if (!read_number(dir, "pids.max", &limit) || !read_number(dir, "pids.current", &used))
		return;
	if (limit == LLONG_MAX || limit - used >= tightest->limit - tightest->used)
		return;
	free(tightest->setting);
	free(tightest->fix);
	free(tightest->fix_end);
	tightest->used = used;
	tightest->limit = limit;
	tightest->setting = xasprintf("%s/pids.max", dir);
	tightest->fix = xstrdup("echo ");
	quoted = shell_quoted(tightest->setting);
	tightest->fix_end = xasprintf(" >%s", quoted);
	free(quoted);
}

/* The cgroup with the least room, of that of the process and its ancestors. */
static void add_cgroup(struct list *l, unsigned int pid, const char *controller, const char *root)
{
	struct elsewhere tightest = { .resource = "pids", .limit = LLONG_MAX };
	char *cgroup = process_cgroup(pid, controller);

	for (char *end = cgroup; end; ) {
		char *dir = xasprintf("%s%s", root, cgroup);

		take_cgroup(&tightest, dir);
		free(dir);
		end = strrchr(cgroup, '/');
		if (end)
			*end = '\0';
	}
	free(cgroup);
	if (tightest.setting)
		add(l, tightest);
}

/**
 * elsewhere_read() - read all such limits of a process
 * @list: out; for elsewhere_free()
 *
 * Return: how many were read.
 */
size_t elsewhere_read(struct elsewhere list[MAX_ELSEWHERE], unsigned int pid)
{
	struct list l = { .list = list };
	long long used, limit;

	add_descriptors(&l, pid);
	if (kernel_files(&used, &limit))
		add_sysctl(&l, "open_files", "fs.file-max", used, true);
	add_cgroup(&l, pid, "", CGROUP_ROOT);
	if (l.nr && strcmp(l.list[l.nr - 1].resource, "pids"))
		add_cgroup(&l, pid, "pids", CGROUP_ROOT "/pids");
	if (kernel_threads(&used)) {
		add_sysctl(&l, "threads", "kernel.threads-max", used, false);
		add_sysctl(&l, "pid_numbers", "kernel.pid_max", used, false);
	}
	return l.nr;
}

/**
 * elsewhere_free() - free what elsewhere_read() filled
 */
void elsewhere_free(struct elsewhere *list, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		free(list[i].setting);
		free(list[i].fix);
		free(list[i].fix_end);
	}
}
