// SPDX-License-Identifier: GPL-2.0
/*
 * The mounts that processes see, by mount namespace. A process sees what is below its
 * root directory. Of a namespace the process that sees the most counts.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "mounttree.h"
#include "ucountview.h"

/* A mount: what begins a line of mountinfo. */
struct mount {
	unsigned int id;
	unsigned int parent;
};

struct mounts {
	struct mount *list;
	size_t nr;
};

/* Where somebody has looked from already. */
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

static void read_mounts(struct mounts *mounts, FILE *file)
{
	struct mount mount;
	char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, file) > 0) {
		if (sscanf(line, "%u %u", &mount.id, &mount.parent) != 2)
			continue;
		mounts->list = xgrow(mounts->list, mounts->nr, sizeof(mount));
		mounts->list[mounts->nr++] = mount;
	}
	free(line);
	if (mounts->nr)
		qsort(mounts->list, mounts->nr, sizeof(mount), compare_mounts);
}

static bool is_shown(const struct mounts *mounts, unsigned int id)
{
	const struct mount wanted = { .id = id };

	return bsearch(&wanted, mounts->list, mounts->nr, sizeof(wanted), compare_mounts);
}

/* The root of a namespace is its own parent. One above that is not shown counts as well. */
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

static void read_process(struct mount_trees *trees, const struct seen_process *proc)
{
	struct mounts mounts = { };
	struct mount_tree tree;
	char path[32];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%u/mountinfo", proc->pid);
	file = fopen(path, "re");
	if (!file)
		return;
	read_mounts(&mounts, file);
	fclose(file);
	tree = tree_of(&mounts, proc->mntns);
	if (mounts.nr)
		add_tree(trees, &tree);
	free(mounts.list);
}

/**
 * mount_trees_read() - count the mounts that processes see
 * @trees: where to; to be freed with mount_trees_free()
 * @procs: the processes
 */
void mount_trees_read(struct mount_trees *trees, const struct processes *procs)
{
	struct roots roots = { };

	memset(trees, 0, sizeof(*trees));
	for (size_t i = 0; i < procs->nr; i++) {
		const struct seen_process *proc = &procs->list[i];

		if (proc->mntns && !looked_from(&roots, proc))
			read_process(trees, proc);
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
