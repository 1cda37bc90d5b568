// SPDX-License-Identifier: GPL-2.0
/*
 * Namespaces that others keep without being in them: by an open file of one of their
 * processes, or by a bind mount in a mount namespace that they are in and neither this
 * program nor one of its descendants is.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pins.h"
#include "ucountview.h"

/* "mnt:[4026531840]", as links and mountinfo have it. */
static void add_pin(struct pins *pins, const char *text)
{
	__u32 inum;

	if (sscanf(text, "%*[a-z]:[%u]", &inum) != 1)
		return;
	pins->inums = xgrow(pins->inums, pins->nr, sizeof(*pins->inums));
	pins->inums[pins->nr++] = inum;
}

static void add_file(void *pins, int dir, const char *name, const char *text)
{
	(void)dir;
	(void)name;
	add_pin(pins, text);
}

/* The fourth word is what of the file system is mounted. */
static void add_bind_mounts(struct pins *pins, unsigned int pid)
{
	char path[32], root[64];
	char *line = NULL;
	size_t size = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%u/mountinfo", pid);
	file = fopen(path, "re");
	if (!file)
		return;
	while (getline(&line, &size, file) > 0) {
		if (sscanf(line, "%*u %*u %*s %63s", root) == 1)
			add_pin(pins, root);
	}
	free(line);
	fclose(file);
}

/* Whether it is the first to show a mount namespace that is none of ours. */
static bool shows_mounts(const struct processes *procs, size_t nth, __u32 here)
{
	const struct seen_process *proc = &procs->list[nth];

	if (!proc->mntns || proc->mntns == here)
		return false;
	for (size_t i = 0; i < procs->nr; i++) {
		if (procs->list[i].mntns == proc->mntns && (procs->list[i].ours || i < nth))
			return false;
	}
	return true;
}

static int compare_inums(const void *a, const void *b)
{
	const __u32 *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/**
 * pins_find() - find what others keep
 * @pins: where to; to be freed with pins_free()
 * @procs: the processes
 */
void pins_find(struct pins *pins, const struct processes *procs)
{
	const struct seen_process *self = processes_find(procs, getpid());

	memset(pins, 0, sizeof(*pins));
	for (size_t i = 0; i < procs->nr; i++) {
		const struct seen_process *proc = &procs->list[i];

		if (proc->ours)
			continue;
		process_visit_fds(proc->pid, add_file, pins);
		if (shows_mounts(procs, i, self ? self->mntns : 0))
			add_bind_mounts(pins, proc->pid);
	}
	if (pins->nr)
		qsort(pins->inums, pins->nr, sizeof(*pins->inums), compare_inums);
}

/**
 * pins_have() - whether others keep a namespace
 * @pins: the pins
 * @inum: its inode number
 *
 * Return: whether they do.
 */
bool pins_have(const struct pins *pins, __u32 inum)
{
	return pins->nr && bsearch(&inum, pins->inums, pins->nr, sizeof(inum), compare_inums);
}

/**
 * pins_free() - free what pins_find() found
 * @pins: the pins
 */
void pins_free(struct pins *pins)
{
	free(pins->inums);
	memset(pins, 0, sizeof(*pins));
}
