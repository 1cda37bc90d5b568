// SPDX-License-Identifier: GPL-2.0
/*
 * What the systemd units and containers hold that metrics are written of: a number for each
 * manager, unit and container, which are the labels. Users choose names of units and containers, so
 * there are few rows unless all are asked for. Where one user manager has two units of a name, as
 * cgroups made by hand, or a unit two containers, or containers have names that are written alike,
 * they are added up: their series would be the same.
 */
#include <stdlib.h>
#include <string.h>

#include "accounting.h"
#include "containers.h"
#include "exposition.h"
#include "metrics_units.h"
#include "ucountview.h"

const char * const held_resources[NR_HELD] = {
	[HELD_INOTIFY_INSTANCES] = "inotify_instances",
	[HELD_INOTIFY_WATCHES] = "inotify_watches",
	[HELD_FANOTIFY_GROUPS] = "fanotify_groups",
	[HELD_FANOTIFY_MARKS] = "fanotify_marks",
};

/* A group that a process holds. */
struct entry {
	struct unit_row row;		/* only its labels */
	__u32 group;
};

static int compare_labels(const void *a, const void *b)
{
	const struct unit_row *x = a, *y = b;

	return strcmp(x->manager, y->manager) ?:
	       strcmp(x->unit, y->unit) ?:
	       strcmp(x->container, y->container);
}

static int compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return compare_labels(&x->row, &y->row) ?: COMPARE(x->group, y->group);
}

static bool is_in_none(const struct unit_row *row)
{
	return !*row->unit && !*row->container;
}

/* Only these names can have any bytes, and two of them the same text. */
static const char *container_label(struct metrics_units *units, const struct cgroup_names *names)
{
	if (!names->container || names->by_id)
		return names->container ?: "";
	units->names = xgrow(units->names, units->nr_names, sizeof(*units->names));
	units->names[units->nr_names] = exposition_text(names->container);
	return units->names[units->nr_names++];
}

/* The labels are valid as long as the names of the process: until process_names_forget(). */
static struct unit_row labels_of(struct metrics_units *units, __u32 pid)
{
	const struct cgroup_names *names = process_names(pid);

	return (struct unit_row){
		.manager = names->manager ?: "",
		.unit = names->unit ?: "",
		.container = container_label(units, names),
	};
}

static struct entry *sorted_entries(struct metrics_units *units, const struct snapshot *snap)
{
	struct entry *entries = xreallocarray(NULL, snap->nr_holders, sizeof(*entries));

	for (size_t i = 0; i < snap->nr_holders; i++) {
		entries[i].row = labels_of(units, snap->holders[i].tgid);
		entries[i].group = snap->holders[i].group;
	}
	if (snap->nr_holders)
		qsort(entries, snap->nr_holders, sizeof(*entries), compare_entries);
	return entries;
}

/* Marks that are charged to nobody are left out: sums can be compared with what is charged. */
static void add_group(struct unit_row *row, const struct ucv_group *group)
{
	bool inotify = group->type == UCV_GROUP_INOTIFY;

	row->held[inotify ? HELD_INOTIFY_INSTANCES : HELD_FANOTIFY_GROUPS]++;
	if (!(group->flags & UCV_GROUP_UNLIMITED_MARKS))
		row->held[inotify ? HELD_INOTIFY_WATCHES : HELD_FANOTIFY_MARKS] += group->marks;
}

/* Sorted entries of the same labels are next to each other, and those of a group among them. */
static void add_up(struct metrics_units *units, const struct snapshot *snap)
{
	struct entry *entries = sorted_entries(units, snap);

	units->rows = xcalloc(snap->nr_holders, sizeof(*units->rows));
	for (size_t i = 0; i < snap->nr_holders; i++) {
		if (!i || compare_labels(&entries[i - 1].row, &entries[i].row))
			units->rows[units->nr++] = entries[i].row;
		if (!i || compare_entries(&entries[i - 1], &entries[i]))
			add_group(&units->rows[units->nr - 1], &snap->groups[entries[i].group]);
	}
	free(entries);
}

/* The rows that are to be listed, the most important first. */
struct ranked {
	struct unit_row row;
	double share;		/* of what all hold of a resource, the largest */
};

static double share_of(const struct unit_row *row, const long long sums[NR_HELD])
{
	double share = 0;

	for (size_t i = 0; i < NR_HELD; i++) {
		if (sums[i] && share * sums[i] < row->held[i])
			share = (double)row->held[i] / sums[i];
	}
	return share;
}

static int compare_shares(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	return COMPARE(is_in_none(&y->row), is_in_none(&x->row)) ?:
	       COMPARE(y->share, x->share) ?: compare_labels(&x->row, &y->row);
}

static struct ranked *ranked_rows(const struct metrics_units *units)
{
	struct ranked *ranked = xcalloc(units->nr, sizeof(*ranked));
	long long sums[NR_HELD] = { };

	for (size_t i = 0; i < units->nr * NR_HELD; i++)
		sums[i % NR_HELD] += units->rows[i / NR_HELD].held[i % NR_HELD];
	for (size_t i = 0; i < units->nr; i++) {
		ranked[i].row = units->rows[i];
		ranked[i].share = share_of(&units->rows[i], sums);
	}
	if (units->nr)
		qsort(ranked, units->nr, sizeof(*ranked), compare_shares);
	return ranked;
}

/* Processes in no unit and no container have one row, which is not among those that are counted. */
static void keep_largest(struct metrics_units *units, const struct args *args)
{
	struct ranked *ranked = ranked_rows(units);
	bool in_none = units->nr && is_in_none(&ranked[0].row);

	units->found = units->nr - in_none;
	units->listed = units->found;
	if (!args->all && units->listed > args->top)
		units->listed = args->top;
	units->nr = units->listed + in_none;
	for (size_t i = 0; i < units->nr; i++)
		units->rows[i] = ranked[i].row;
	if (units->nr)
		qsort(units->rows, units->nr, sizeof(*units->rows), compare_labels);
	free(ranked);
}

/* Charges of a shadowed record are added to the one that new charges go to. */
static long long sum_unattributed(const struct countermap *accounts, const struct snapshot *snap,
				  size_t resource)
{
	long long sum = 0;

	for (size_t i = 0; i < snap->nr_ucounts; i++) {
		const struct ucv_ucounts *uc = &snap->ucounts[i];
		const struct ucv_userns *ns = &snap->userns[uc->userns];
		long long left;

		if (snapshot_find(snap, ns, uc->uid) != uc)
			continue;
		left = unattributed(accounts, ns, uc->uid, resource);
		sum += left > 0 ? left : 0;
	}
	return sum;
}

static void find_unattributed(struct metrics_units *units, const struct snapshot *snap)
{
	struct countermap accounts = { };

	accounts_add_snapshot(&accounts, snap, LOOK_FIRST, false);
	for (size_t i = 0; i < NR_HELD; i++) {
		size_t resource = snapshot_resource(snap, held_resources[i]);

		if (resource < snap->nr_resources)
			units->unattributed[i] = sum_unattributed(&accounts, snap, resource);
	}
	countermap_free(&accounts);
}

/**
 * metrics_units_find() - find what each unit and container holds, and choose those to write of
 * @units: out; {} before; free with metrics_units_free(). The labels are valid until
 *	process_names_forget().
 * @args: with --all or --top, or their defaults
 * @snap: with holders
 */
void metrics_units_find(struct metrics_units *units, const struct args *args,
			const struct snapshot *snap)
{
	add_up(units, snap);
	keep_largest(units, args);
	find_unattributed(units, snap);
}

/**
 * metrics_units_free() - free what metrics_units_find() allocated
 */
void metrics_units_free(struct metrics_units *units)
{
	for (size_t i = 0; i < units->nr_names; i++)
		free(units->names[i]);
	free(units->names);
	free(units->rows);
	*units = (struct metrics_units){ };
}
