// SPDX-License-Identifier: GPL-2.0
/*
 * ucountview why: the rows: each limit that can refuse the process something, with what counts
 * against it.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/capability.h>

#include "procfs.h"
#include "resource_info.h"
#include "ucountview.h"
#include "why.h"

static bool named(const struct why *w, const char *name)
{
	const struct resource_names *list = &w->args->resources;

	for (size_t i = 0; i < list->nr; i++) {
		if (!strcmp(list->names[i], name))
			return true;
	}
	return !list->nr;
}

/**
 * why_wants() - whether the options leave a limit
 * @name: name of its resource
 */
bool why_wants(const struct why *w, const char *name)
{
	return named(w, name) && resource_info_matches(name, w->args->error, w->args->syscall);
}

/**
 * why_add_row() - add a row, unsorted
 */
void why_add_row(struct why *w, struct why_row row)
{
	row.order = w->nr_rows;
	w->rows = xgrow(w->rows, w->nr_rows, sizeof(*w->rows));
	w->rows[w->nr_rows++] = row;
}

static void add_levels(struct why *w, size_t resource)
{
	const struct charge *binding = chain_binding(&w->chain, &w->snap, resource);
	struct counter least = { .kind = UNLIMITED };

	if (binding)
		least = counter_of(&w->snap, binding->ns, binding->uc, resource);
	for (size_t i = 0; i < w->chain.nr; i++) {
		const struct charge *charge = &w->chain.charges[i];

		why_add_row(w, (struct why_row){
			.name = w->snap.resources[resource].name,
			.charge = charge,
			.counter = counter_of(&w->snap, charge->ns, charge->uc, resource),
			.binding = least,
			.binds = charge == binding,
			.alone = w->chain.nr == 1,
		});
	}
}

/* capable() asks for a capability in the initial user namespace. */
static const char *capability(const struct why *w, int cap)
{
	static const struct {
		int cap;
		const char *text;
	} names[] = {
		{ CAP_IPC_LOCK, "CAP_IPC_LOCK" },
		{ CAP_SYS_ADMIN, "CAP_SYS_ADMIN" },
		{ CAP_SYS_RESOURCE, "CAP_SYS_RESOURCE" },
	};
	bool initial = w->real.nr == 1;

	for (size_t i = 0; i < ARRAY_SIZE(names) && initial; i++) {
		if (cap == names[i].cap && w->caps >> cap & 1)
			return names[i].text;
	}
	return NULL;
}

static const char *exemption(const struct why *w, const struct rlimit_info *info)
{
	if (info->root_exempt && !w->process.uid)
		return "real uid 0";
	return capability(w, info->caps[0]) ?: capability(w, info->caps[1]);
}

/*
 * The kernel compares the counter at the level of the process with its own RLIMIT_*, and each
 * level above with what the namespace below has stored when it was created. (Of memlock, the
 * counter is in pages, and so is the first limit, but what is stored is in bytes: so the kernel
 * compares.)
 */
static struct counter counter_of_rlimit(const struct why *w, const struct rlimit_info *info,
					size_t level, size_t resource)
{
	const struct charge *charge = &w->real.charges[level];
	long long limit;

	if (level) {
		limit = charge[-1].ns->limit[resource];
	} else {
		limit = process_limit(w->process.pid, info->limit);
		if (info->pages && limit >= 0 && limit != LLONG_MAX)
			limit /= sysconf(_SC_PAGESIZE);
	}
	return counter_with_limit(charge->uc ? charge->uc->used[resource] : 0, limit);
}

static void add_rlimit(struct why *w, size_t resource)
{
	const struct rlimit_info *info = rlimit_info_find(w->snap.resources[resource].name);
	struct counter least = { .kind = UNLIMITED };
	size_t binding = w->real.nr;
	struct counter *levels;

	if (!info)
		return;
	levels = xcalloc(w->real.nr, sizeof(*levels));
	for (size_t i = 0; i < w->real.nr; i++) {
		levels[i] = counter_of_rlimit(w, info, i, resource);
		if (counter_room(&levels[i]) >= counter_room(&least))
			continue;
		least = levels[i];
		binding = i;
	}
	for (size_t i = 0; i < w->real.nr; i++)
		why_add_row(w, (struct why_row){
			.name = info->resource,
			.kind = WHY_RLIMIT,
			.charge = &w->real.charges[i],
			.below = i ? &w->real.charges[i - 1] : NULL,
			.counter = levels[i],
			.binding = least,
			.binds = i == binding,
			.alone = w->real.nr == 1,
			.exempt = exemption(w, info),
		});
	free(levels);
}

/* A limit that has one level and no user. */
static void add_lone(struct why *w, const char *name, enum why_kind kind, struct counter counter,
		     const struct elsewhere *elsewhere)
{
	why_add_row(w, (struct why_row){
		.name = name,
		.kind = kind,
		.elsewhere = elsewhere,
		.counter = counter,
		.binding = counter,
		.binds = true,
		.alone = true,
	});
}

/* A mount is refused if any of the namespaces that it is copied to has no room. */
static void add_mounts(struct why *w)
{
	struct propagation *p = &w->propagation;

	if (!w->mntns || !why_wants(w, MOUNTS_NAME))
		return;
	add_lone(w, MOUNTS_NAME, WHY_MOUNTS, counter_of_mounts(w->mntns), NULL);
	propagation_find(p, &w->snap, w->process.pid, w->mntns, RATIO_NEAR);
	for (size_t i = 0; i < p->nr_receivers; i++) {
		add_lone(w, MOUNTS_NAME, WHY_MOUNTS, counter_of_mounts(p->receivers[i].ns), NULL);
		w->rows[w->nr_rows - 1].receiver = &p->receivers[i];
	}
}

/**
 * why_mntns() - the mount namespace whose mounts a row is about
 */
const struct ucv_mntns *why_mntns(const struct why *w, const struct why_row *row)
{
	return row->receiver ? row->receiver->ns : w->mntns;
}

/* Nesting too deep is refused as a counter that is full is. */
static void add_depths(struct why *w)
{
	if (why_wants(w, USERNS_DEPTH_NAME) || why_wants(w, "user_namespaces"))
		add_lone(w, USERNS_DEPTH_NAME, WHY_DEPTH,
			 counter_with_limit(w->chain.charges[0].ns->level, USERNS_DEPTH_MAX), NULL);
	if (why_wants(w, PIDNS_DEPTH_NAME) || why_wants(w, "pid_namespaces"))
		add_lone(w, PIDNS_DEPTH_NAME, WHY_DEPTH,
			 counter_with_limit(process_pidns_level(w->process.pid), PIDNS_DEPTH_MAX),
			 NULL);
}

static void add_elsewhere(struct why *w)
{
	w->nr_elsewhere = elsewhere_read(w->elsewhere, w->process.pid);
	for (size_t i = 0; i < w->nr_elsewhere; i++) {
		const struct elsewhere *e = &w->elsewhere[i];

		if (!why_wants(w, e->resource))
			continue;
		add_lone(w, e->resource, WHY_ELSEWHERE, counter_with_limit(e->used, e->limit), e);
		if (e->admin_exempt)
			w->rows[w->nr_rows - 1].exempt = capability(w, CAP_SYS_ADMIN);
	}
}

/*
 * The fullest first; the levels of each in the order in which they are charged. What is elsewhere
 * comes last.
 */
static int compare_rows(const void *a, const void *b)
{
	const struct why_row *x = a, *y = b;

	return COMPARE(x->kind == WHY_ELSEWHERE, y->kind == WHY_ELSEWHERE) ?:
	       COMPARE(x->binding.kind, y->binding.kind) ?:
	       COMPARE(y->binding.ratio, x->binding.ratio) ?:
	       COMPARE(x->order, y->order);
}

/**
 * why_check_names() - exit if a resource was named that is unknown, or that this kernel does not
 * count
 */
void why_check_names(const struct why *w)
{
	const struct resource_names *list = &w->args->resources;

	for (size_t i = 0; i < list->nr; i++) {
		const char *name = list->names[i];

		if (snapshot_resource(&w->snap, name) < w->snap.nr_resources)
			continue;
		if (!resource_info_find(name) || strstr(name, "_namespaces"))
			die("unknown resource: %s", name);
		if (!resource_info_elsewhere(name))
			die("%s: no such counter in this kernel", name);
	}
}

/**
 * why_collect_rows() - find all rows that the options leave, and sort them
 *
 * Exits if there is none.
 */
void why_collect_rows(struct why *w)
{
	why_check_names(w);
	for (size_t i = 0; i < w->snap.nr_resources; i++) {
		if (!why_wants(w, w->snap.resources[i].name))
			continue;
		if (w->snap.resources[i].type == UCV_RESOURCE_UCOUNT)
			add_levels(w, i);
		else
			add_rlimit(w, i);
	}
	add_mounts(w);
	add_depths(w);
	add_elsewhere(w);
	/* An empty table would look like an answer. */
	if (!w->nr_rows)
		die("no limit that is read here matches these options");
	sort_rows(w->args, w->rows, w->nr_rows, sizeof(*w->rows), compare_rows);
}

/**
 * why_has_row() - whether there is a row of this resource
 */
bool why_has_row(const struct why *w, const char *name)
{
	for (size_t i = 0; i < w->nr_rows; i++) {
		if (!strcmp(w->rows[i].name, name))
			return true;
	}
	return false;
}
