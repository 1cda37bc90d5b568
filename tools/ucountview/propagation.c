// SPDX-License-Identifier: GPL-2.0
/*
 * Mount namespaces that get copies of the mounts that a process makes, and may be full.
 *
 * A mount below a shared mount is copied to every other mount of its peer group, to the slaves of
 * the group, and on from those that are shared themselves: to their peers, and to their slaves. The
 * mounts that get the copies may be in any mount namespace, each of which counts its own against
 * fs.mount-max, and any of which can refuse the whole. A mount whose root is a directory gets only
 * what is mounted below that directory.
 *
 * /proc/PID/mountinfo tells peer groups by numbers that are the same everywhere. It is read for one
 * process in each namespace. From the mounts of the namespaces that are nearly full, the groups are
 * then followed upwards, to those that the process mounts in.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "charge.h"
#include "peer_groups.h"
#include "procfs.h"
#include "propagation.h"
#include "ucountview.h"

/* mountinfo does not show the root mount of a namespace if another one is mounted on it. */
#define HIDDEN_ROOT	1

/* A mount, with copies of the texts of mountinfo. */
struct mnt {
	struct mount_line line;
	char *root;
	char *point;
	bool covered;	/* another one is mounted on its root */
	bool gets;	/* it gets copies of mounts of the process */
};

struct mnts {
	struct mnt *list;
	size_t nr;
};

/* What is mounted in the group below the directory @root of the file system is copied. */
struct reach {
	unsigned int group;
	const char *root;
};

struct finder {
	struct mnts own;	/* what the process sees */
	unsigned int *own_groups; /* sorted: those that it mounts in */
	size_t nr_own_groups;
	struct peer_groups groups;
	struct reach *reach;	/* sorted: those of the namespace that is looked at */
	size_t nr_reach;
	bool lost;		/* likewise: not all that is above its mounts is shown */
};

/* Paths */

/* A path below a directory; users choose names, so mask unprintable characters. */
static char *path_join(const char *dir, const char *below)
{
	char *path = xasprintf("%s%s", *below && !dir[1] ? "" : dir, below);

	for (char *c = path; *c; c++) {
		if (!isprint((unsigned char)*c))
			*c = '?';
	}
	return path;
}

static bool is_shell_word(const char *path)
{
	for (; *path; path++) {
		if (!isalnum((unsigned char)*path) && !strchr("/._+:@%=,-", *path))
			return false;
	}
	return true;
}

/* Mounts */

static void add_mnt(void *arg, const struct mount_line *line)
{
	struct mnts *mnts = arg;

	mnts->list = xgrow(mnts->list, mnts->nr, sizeof(*mnts->list));
	mnts->list[mnts->nr++] = (struct mnt){
		.line = *line,
		.root = xstrdup(line->root),
		.point = xstrdup(line->point),
	};
}

static int compare_ids(const void *a, const void *b)
{
	const struct mnt *const *x = a, *const *y = b;

	return COMPARE((*x)->line.id, (*y)->line.id);
}

static void find_covered(struct mnts *mnts)
{
	struct mnt **by_id = xreallocarray(NULL, mnts->nr, sizeof(*by_id));

	for (size_t i = 0; i < mnts->nr; i++)
		by_id[i] = &mnts->list[i];
	qsort(by_id, mnts->nr, sizeof(*by_id), compare_ids);
	for (size_t i = 0; i < mnts->nr; i++) {
		const struct mnt wanted = { .line.id = mnts->list[i].line.parent };
		const struct mnt *key = &wanted;
		struct mnt **parent = bsearch(&key, by_id, mnts->nr, sizeof(key), compare_ids);

		if (parent && *parent != &mnts->list[i] &&
		    !strcmp((*parent)->point, mnts->list[i].point))
			(*parent)->covered = true;
	}
	free(by_id);
}

static void mnts_read(struct mnts *mnts, unsigned int pid)
{
	process_visit_mounts(pid, add_mnt, mnts);
	find_covered(mnts);
}

static void mnts_free(struct mnts *mnts)
{
	for (size_t i = 0; i < mnts->nr; i++) {
		free(mnts->list[i].root);
		free(mnts->list[i].point);
	}
	free(mnts->list);
	*mnts = (struct mnts){ };
}

/* Whether the example process is still in the namespace, so that its mountinfo shows that. */
static bool is_example(const struct ucv_mntns *ns)
{
	return ns->pid && process_mntns(ns->pid) == ns->inum;
}

/* Groups */

static int compare_numbers(const void *a, const void *b)
{
	const unsigned int *x = a, *y = b;

	return COMPARE(*x, *y);
}

/* What the process mounts itself propagates from the shared mounts that it can reach. */
static bool can_mount_in(const struct mnt *mnt)
{
	return mnt->line.shared && !mnt->covered;
}

static void read_own(struct finder *f, unsigned int pid)
{
	mnts_read(&f->own, pid);
	for (size_t i = 0; i < f->own.nr; i++) {
		if (!can_mount_in(&f->own.list[i]))
			continue;
		f->own_groups = xgrow(f->own_groups, f->nr_own_groups, sizeof(*f->own_groups));
		f->own_groups[f->nr_own_groups++] = f->own.list[i].line.shared;
	}
	if (f->nr_own_groups)
		qsort(f->own_groups, f->nr_own_groups, sizeof(*f->own_groups), compare_numbers);
}

static void take_groups(void *arg, const struct mount_line *line)
{
	peer_groups_add(arg, line);
}

static void read_groups(struct finder *f, const struct snapshot *snap)
{
	for (size_t i = 0; i < snap->nr_mntns; i++) {
		if (is_example(&snap->mntns[i]))
			process_visit_mounts(snap->mntns[i].pid, take_groups, &f->groups);
	}
	for (size_t i = 0; i < f->own.nr; i++)
		peer_groups_add(&f->groups, &f->own.list[i].line);
	peer_groups_sort(&f->groups);
}

/* One namespace that is nearly full */

static int compare_reach(const void *a, const void *b)
{
	const struct reach *x = a, *y = b;

	return COMPARE(x->group, y->group) ?: strcmp(x->root, y->root);
}

/* The first that is not before @group and @root. */
static size_t reach_from(const struct finder *f, unsigned int group, const char *root)
{
	const struct reach wanted = { group, root };
	size_t low = 0, high = f->nr_reach;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (compare_reach(&f->reach[middle], &wanted) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_reached(const struct finder *f, unsigned int group, const char *root)
{
	size_t nth = reach_from(f, group, root);

	return nth < f->nr_reach && f->reach[nth].group == group &&
	       !strcmp(f->reach[nth].root, root);
}

/* Whether the directory or one above it is reached. */
static bool is_below_reach(const struct finder *f, unsigned int group, const char *root)
{
	char *dir = xstrdup(root), *slash;
	bool found = is_reached(f, group, "/");

	while (!found && *dir) {
		found = is_reached(f, group, dir);
		slash = strrchr(dir, '/');
		*(slash ? slash : dir) = '\0';
	}
	free(dir);
	return found;
}

static bool process_mounts_in(const struct finder *f, unsigned int group)
{
	return bsearch(&group, f->own_groups, f->nr_own_groups, sizeof(group), compare_numbers);
}

/* Follow the groups from which a mount gets copies. */
static void follow_groups(struct finder *f, struct mnt *mnt)
{
	unsigned int id = mnt->line.shared ? mnt->line.shared : mnt->line.master;

	for (size_t level = 0; id && level < PEER_LEVELS_MAX; level++) {
		const struct peer_group *group = peer_groups_find(&f->groups, id);

		mnt->gets |= process_mounts_in(f, id);
		f->reach = xgrow(f->reach, f->nr_reach, sizeof(*f->reach));
		f->reach[f->nr_reach++] = (struct reach){ id, mnt->root };
		f->lost |= peer_group_is_lost(group);
		id = group ? group->parent : 0;
	}
	f->lost |= id;
}

static void add_point(struct receiver *to, const struct mnt *own, const char *below)
{
	if (to->point)
		to->more++;
	else
		to->point = path_join(own->point, below);
}

/* Where in one of its mounts the process mounts what is copied. */
static void find_points(const struct finder *f, const struct mnt *own, struct receiver *to)
{
	unsigned int group = own->line.shared;
	const char *last = NULL, *below;

	if (is_below_reach(f, group, own->root)) {
		add_point(to, own, "");
		return;
	}
	for (size_t i = reach_from(f, group, own->root); i < f->nr_reach; i++) {
		const struct reach *reach = &f->reach[i];

		if (reach->group != group || strncmp(reach->root, own->root, strlen(own->root)))
			break;
		below = mount_path_below(reach->root, own->root);
		if (!below || (last && mount_path_below(reach->root, last)))
			continue;
		add_point(to, own, below);
		last = reach->root;
	}
}

/* The mount that gets the copies; if there are several, one that all of them are below. */
static char *find_target(const struct mnts *there)
{
	const struct mnt *target = NULL, *top = NULL;

	for (size_t i = 0; i < there->nr; i++) {
		const struct mnt *mnt = &there->list[i];

		if (!mnt->covered && !strcmp(mnt->point, "/"))
			top = mnt;
		if (!mnt->gets)
			continue;
		if (!target)
			target = mnt;
		else if (!mount_path_below(mnt->point, target->point))
			target = top;
		if (!target || target->covered)
			return NULL;
	}
	return target && is_shell_word(target->point) ? xstrdup(target->point) : NULL;
}

static void look_at(struct finder *f, struct propagation *p, const struct ucv_mntns *ns)
{
	struct receiver receiver = { .ns = ns };
	struct mnts there = { };

	f->nr_reach = 0;
	if (is_example(ns))
		mnts_read(&there, ns->pid);
	f->lost = there.nr + HIDDEN_ROOT < ns->mounts;
	for (size_t i = 0; i < there.nr; i++)
		follow_groups(f, &there.list[i]);
	if (f->nr_reach)
		qsort(f->reach, f->nr_reach, sizeof(*f->reach), compare_reach);
	for (size_t i = 0; i < f->own.nr; i++) {
		if (can_mount_in(&f->own.list[i]))
			find_points(f, &f->own.list[i], &receiver);
	}
	if (receiver.point) {
		receiver.target = find_target(&there);
		p->receivers = xgrow(p->receivers, p->nr_receivers, sizeof(receiver));
		p->receivers[p->nr_receivers++] = receiver;
	} else if (f->lost) {
		p->unknown = xgrow(p->unknown, p->nr_unknown, sizeof(ns));
		p->unknown[p->nr_unknown++] = ns;
	}
	mnts_free(&there);
	free(f->reach);
	f->reach = NULL;
}

static bool is_near(const struct ucv_mntns *ns, double ratio)
{
	return counter_of_mounts(ns).ratio >= ratio;
}

/**
 * propagation_find() - find the namespaces that may refuse a mount of a process, as it is copied
 *	there
 * @p: out; free with propagation_free()
 * @snap: a snapshot with UCV_KIND_MNTNS
 * @pid: the process; may have exited
 * @own: its mount namespace, which is left out
 * @ratio: only namespaces that are used this much
 *
 * Nothing is read of any process if there is no such namespace.
 */
void propagation_find(struct propagation *p, const struct snapshot *snap, unsigned int pid,
		      const struct ucv_mntns *own, double ratio)
{
	struct finder f = { };

	*p = (struct propagation){ };
	for (size_t i = 0; i < snap->nr_mntns; i++) {
		const struct ucv_mntns *ns = &snap->mntns[i];

		if (ns == own || !is_near(ns, ratio))
			continue;
		if (!f.own.list)
			read_own(&f, pid);
		if (!f.nr_own_groups)
			break;
		if (!f.groups.list)
			read_groups(&f, snap);
		look_at(&f, p, ns);
	}
	mnts_free(&f.own);
	free(f.own_groups);
	peer_groups_free(&f.groups);
}

/**
 * propagation_free() - free what propagation_find() found
 */
void propagation_free(struct propagation *p)
{
	for (size_t i = 0; i < p->nr_receivers; i++) {
		free(p->receivers[i].point);
		free(p->receivers[i].target);
	}
	free(p->receivers);
	free(p->unknown);
}
