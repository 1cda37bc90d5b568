// SPDX-License-Identifier: GPL-2.0
/*
 * What foreign processes hold of the counters. A process is foreign if it does not descend from
 * this program; with --all, if it is a kernel thread. It holds its tasks, inotify and fanotify
 * groups, and user and mount namespaces. All of these count at every level above as well.
 *
 * A namespace is foreign if it existed before the command, or if a foreign process is in it or
 * pins it and no descendant does. A group is foreign if it has holders and none is a descendant.
 * What no process holds is not foreign: the command may have left it.
 *
 * Foreign processes pin namespaces without being in them by an open file, or by a bind mount in
 * a mount namespace that they are in and neither this program nor a descendant is.
 *
 * The census lists namespaces of the types that the module does not list, before and now: how
 * many of those that a counter has more are foreign. It is unknown which user of its user
 * namespace such a namespace is charged to, so it may be any; the users that the levels above
 * charge are known.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "charge.h"
#include "foreign.h"
#include "ucountview.h"

/* Who holds something, as a bit mask: descendants, foreign processes, both, or neither (0). */
enum {
	OURS = 1,
	OTHERS = 2,
};

struct finder {
	struct holdings *hold;
	const struct snapshot *snap;
	const struct processes *procs;
	const struct series *before;
	bool all;
	unsigned char *userns;	/* who holds each, or one below it */
	unsigned char *mntns;	/* who holds each */
	unsigned char *groups;	/* who holds each */
};

static unsigned char whose(const struct finder *f, const struct process *proc)
{
	return proc->ours || (f->all && !proc->kernel) ? OURS : OTHERS;
}

/**
 * holder_is_ours() - whether the holder of a group descends from this program
 * @holder: the holder
 * @procs: all processes
 *
 * Return: whether it does.
 */
bool holder_is_ours(const struct ucv_holder *holder, const struct processes *procs)
{
	const struct process *proc = processes_find(procs, holder->tgid);

	return proc && proc->ours;
}

static void find_groups(struct finder *f)
{
	for (size_t i = 0; i < f->snap->nr_holders; i++) {
		const struct ucv_holder *holder = &f->snap->holders[i];
		bool ours = f->all || holder_is_ours(holder, f->procs);

		f->groups[holder->group] |= ours ? OURS : OTHERS;
	}
}

static void find_mntns(struct finder *f)
{
	for (size_t i = 0; i < f->procs->nr; i++) {
		const struct process *proc = &f->procs->list[i];
		const struct ucv_mntns *mntns = snapshot_find_mntns(f->snap, proc->mntns);

		if (mntns)
			f->mntns[mntns - f->snap->mntns] |= whose(f, proc);
	}
}

/* A process that holds a namespace holds all its ancestors, too. */
static void mark_userns(struct finder *f, const struct ucv_userns *ns, unsigned char who)
{
	for (; ns; ns = snapshot_parent(f->snap, ns))
		f->userns[ns - f->snap->userns] |= who;
}

static void find_userns(struct finder *f)
{
	for (size_t i = 0; i < f->procs->nr; i++) {
		const struct process *proc = &f->procs->list[i];

		mark_userns(f, snapshot_find_userns(f->snap, proc->userns), whose(f, proc));
	}
	for (size_t i = 0; i < f->snap->nr_groups; i++)
		mark_userns(f, &f->snap->userns[f->snap->groups[i].userns], f->groups[i]);
	for (size_t i = 0; i < f->snap->nr_mntns; i++)
		mark_userns(f, &f->snap->userns[f->snap->mntns[i].userns], f->mntns[i]);
}

static bool was_before(const struct finder *f, const struct series_key *key)
{
	const struct serie *serie;

	if (!f->before)
		return true;
	serie = series_find(f->before, key);
	return serie && serie->before;
}

static bool userns_was_before(const struct finder *f, const struct ucv_userns *ns)
{
	struct series_key key = series_key_userns(ns);

	return was_before(f, &key);
}

static bool mntns_was_before(const struct finder *f, const struct ucv_mntns *mntns)
{
	struct series_key key = series_key_mntns(mntns, SERIES_MNTNS);

	return was_before(f, &key);
}

/* Whether a new namespace has no known holder; there should be few of them. */
static bool any_is_nobodys(const struct finder *f)
{
	for (size_t i = 0; i < f->snap->nr_userns; i++) {
		if (!f->userns[i] && !userns_was_before(f, &f->snap->userns[i]))
			return true;
	}
	for (size_t i = 0; i < f->snap->nr_mntns; i++) {
		if (!f->mntns[i] && !mntns_was_before(f, &f->snap->mntns[i]))
			return true;
	}
	return false;
}

/* Expensive: reads the links of all open files. */
static void find_pinned(struct finder *f)
{
	struct pins pins;

	if (f->all || !any_is_nobodys(f))
		return;
	pins_find(&pins, f->procs);
	for (size_t i = 0; i < f->snap->nr_mntns; i++) {
		const struct ucv_mntns *mntns = &f->snap->mntns[i];

		if (f->mntns[i] || !pins_have(&pins, mntns->inum))
			continue;
		f->mntns[i] = OTHERS;
		mark_userns(f, &f->snap->userns[mntns->userns], OTHERS);
	}
	for (size_t i = 0; i < f->snap->nr_userns; i++) {
		if (!f->userns[i] && pins_have(&pins, f->snap->userns[i].inum))
			mark_userns(f, &f->snap->userns[i], OTHERS);
	}
	pins_free(&pins);
}

static bool is_others(const struct finder *f, const struct ucv_userns *ns)
{
	return f->hold->userns_others[ns - f->snap->userns];
}

static bool made_by_others(const struct finder *f, const struct ucv_userns *ns)
{
	const struct ucv_userns *parent = snapshot_parent(f->snap, ns);

	if (userns_was_before(f, ns))
		return false;
	return f->userns[ns - f->snap->userns] == OTHERS || (parent && is_others(f, parent));
}

/* By level, so that parents are judged before their children. */
static void judge_userns(struct finder *f)
{
	__u32 level, deepest = 0;

	for (level = 0; level <= deepest; level++) {
		for (size_t i = 0; i < f->snap->nr_userns; i++) {
			const struct ucv_userns *ns = &f->snap->userns[i];

			if (ns->level > deepest)
				deepest = ns->level;
			if (ns->level == level)
				f->hold->userns_others[i] = made_by_others(f, ns);
		}
	}
}

static void judge_mntns(struct finder *f)
{
	for (size_t i = 0; i < f->snap->nr_mntns; i++) {
		const struct ucv_mntns *mntns = &f->snap->mntns[i];

		f->hold->mntns_others[i] = !mntns_was_before(f, mntns) &&
					   (f->mntns[i] == OTHERS ||
					    is_others(f, &f->snap->userns[mntns->userns]));
	}
}

/* Add @nr at (@ns, @uid) and at all levels above. */
static void hold_chain(struct finder *f, const struct ucv_userns *ns, __u32 uid, size_t resource,
		       long long nr)
{
	const struct ucv_ucounts *uc;

	if (resource >= f->snap->nr_resources)
		return;
	for (; ns; ns = charge_above(f->snap, ns, &uid)) {
		uc = snapshot_find(f->snap, ns, uid);
		if (uc)
			f->hold->held[uc - f->snap->ucounts][resource] += nr;
	}
}

/*
 * All charges in a new foreign namespace are foreign, regardless of the holder. The functions
 * below do not count them again.
 */
static void hold_charges(struct finder *f)
{
	for (size_t i = 0; i < f->snap->nr_ucounts; i++) {
		const struct ucv_ucounts *uc = &f->snap->ucounts[i];
		const struct ucv_userns *ns = &f->snap->userns[uc->userns];
		const struct ucv_userns *parent = snapshot_parent(f->snap, ns);

		if (!parent || !is_others(f, ns) || is_others(f, parent))
			continue;
		for (size_t j = 0; j < f->snap->nr_resources; j++)
			hold_chain(f, parent, ns->owner, j, uc->used[j]);
	}
}

static void hold_userns(struct finder *f)
{
	size_t resource = snapshot_resource(f->snap, "user_namespaces");

	for (size_t i = 0; i < f->snap->nr_userns; i++) {
		const struct ucv_userns *ns = &f->snap->userns[i];
		const struct ucv_userns *parent = snapshot_parent(f->snap, ns);

		if (!parent || is_others(f, parent))
			continue;
		if (is_others(f, ns) || userns_was_before(f, ns))
			hold_chain(f, parent, ns->owner, resource, 1);
	}
}

static void hold_mntns(struct finder *f)
{
	size_t resource = snapshot_resource(f->snap, "mnt_namespaces");

	for (size_t i = 0; i < f->snap->nr_mntns; i++) {
		const struct ucv_mntns *mntns = &f->snap->mntns[i];
		const struct ucv_userns *ns = &f->snap->userns[mntns->userns];

		if (mntns->flags & UCV_MNTNS_UNCHARGED || is_others(f, ns))
			continue;
		if (f->hold->mntns_others[i] || mntns_was_before(f, mntns))
			hold_chain(f, ns, mntns->uid, resource, 1);
	}
}

static void hold_tasks(struct finder *f)
{
	size_t resource = snapshot_resource(f->snap, "rlimit_nproc");

	for (size_t i = 0; i < f->procs->nr; i++) {
		const struct process *proc = &f->procs->list[i];
		const struct ucv_userns *ns = snapshot_find_userns(f->snap, proc->userns);

		if (ns && !is_others(f, ns) && whose(f, proc) == OTHERS)
			hold_chain(f, ns, proc->uid, resource, proc->threads);
	}
}

static void hold_groups(struct finder *f)
{
	for (size_t i = 0; i < f->snap->nr_groups; i++) {
		const struct ucv_group *group = &f->snap->groups[i];
		const struct ucv_userns *ns = &f->snap->userns[group->userns];

		if (f->groups[i] != OTHERS || is_others(f, ns))
			continue;
		hold_chain(f, ns, group->uid, group->group_resource, 1);
		if (!(group->flags & UCV_GROUP_UNLIMITED_MARKS))
			hold_chain(f, ns, group->uid, group->mark_resource, group->marks);
	}
}

static void *zeroed(size_t nr, size_t size)
{
	void *array = xreallocarray(NULL, nr, size);

	memset(array, 0, nr * size);
	return array;
}

/**
 * holdings_find() - find what foreign processes hold
 * @hold: out; free with holdings_free()
 * @snap: with counters, mount namespaces and groups, if the module has them
 * @procs: the processes, read right after the snapshot
 * @before: samples from before the command, or NULL while those are taken
 * @all: only kernel threads are foreign
 */
void holdings_find(struct holdings *hold, const struct snapshot *snap,
		   const struct processes *procs, const struct series *before, bool all)
{
	struct finder f = {
		.hold = hold,
		.snap = snap,
		.procs = procs,
		.before = before,
		.all = all,
		.userns = zeroed(snap->nr_userns, 1),
		.mntns = zeroed(snap->nr_mntns, 1),
		.groups = zeroed(snap->nr_groups, 1),
	};

	hold->held = zeroed(snap->nr_ucounts, sizeof(*hold->held));
	hold->userns_others = zeroed(snap->nr_userns, sizeof(bool));
	hold->mntns_others = zeroed(snap->nr_mntns, sizeof(bool));
	find_groups(&f);
	find_mntns(&f);
	find_userns(&f);
	find_pinned(&f);
	judge_userns(&f);
	judge_mntns(&f);
	hold_charges(&f);
	hold_userns(&f);
	hold_mntns(&f);
	hold_tasks(&f);
	hold_groups(&f);
	free(f.userns);
	free(f.mntns);
	free(f.groups);
}

/**
 * holdings_free() - free what holdings_find() filled
 * @hold: the holdings
 */
void holdings_free(struct holdings *hold)
{
	free(hold->held);
	free(hold->userns_others);
	free(hold->mntns_others);
	memset(hold, 0, sizeof(*hold));
}

/* Pins: namespaces that foreign processes pin by open files and bind mounts. */

static void add_pin(struct pins *pins, const char *text)
{
	struct ns_link link;

	if (!ns_link_parse(text, &link))
		return;
	pins->inums = xgrow(pins->inums, pins->nr, sizeof(*pins->inums));
	pins->inums[pins->nr++] = link.inum;
}

static void add_file(void *pins, int dir, const char *name, const char *text)
{
	(void)dir;
	(void)name;
	add_pin(pins, text);
}

static void add_bind_mount(void *pins, const struct mount_line *mount)
{
	add_pin(pins, mount->root);
}

/*
 * Whether it is the first process in a mount namespace that holds no descendant nor this
 * program.
 */
static bool shows_mounts(const struct processes *procs, size_t nth, __u32 here)
{
	const struct process *proc = &procs->list[nth];

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
 * pins_find() - find the namespaces that foreign processes pin
 * @pins: out; free with pins_free()
 * @procs: the processes
 */
void pins_find(struct pins *pins, const struct processes *procs)
{
	const struct process *self = processes_find(procs, getpid());

	memset(pins, 0, sizeof(*pins));
	for (size_t i = 0; i < procs->nr; i++) {
		const struct process *proc = &procs->list[i];

		if (proc->ours)
			continue;
		process_visit_fds(proc->pid, add_file, pins);
		if (shows_mounts(procs, i, self ? self->mntns : 0))
			process_visit_mounts(proc->pid, add_bind_mount, pins);
	}
	if (pins->nr)
		qsort(pins->inums, pins->nr, sizeof(*pins->inums), compare_inums);
}

/**
 * pins_have() - whether foreign processes pin a namespace
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

/* Census: namespaces of the types that the module does not list. */

/**
 * census_before() - list the namespaces before the command
 * @census: out; {} at first; free with census_free()
 * @procs: the processes
 */
void census_before(struct census *census, const struct processes *procs)
{
	ns_files_open(&census->before, procs);
	ns_files_let_go(&census->before);
}

static void look_now(struct census *census, const struct processes *procs)
{
	if (census->taken)
		return;
	ns_files_close(&census->now);
	ns_files_open(&census->now, procs);
	ns_files_let_go(&census->now);
	census->taken = true;
}

/* Whether the charge for a namespace that @ns owns may count in the counter @key. */
static bool may_count(const struct snapshot *snap, const struct ucv_userns *ns,
		      const struct series_key *key)
{
	return (ns->inum == key->inum && ns->level == key->level) ||
	       charge_counts_for(snap, snapshot_parent(snap, ns), ns->owner, key->inum, key->level,
				 key->uid);
}

static bool is_new_of_others(const struct census *census, const struct ns_file *file)
{
	return !file->ours && !ns_files_find(&census->before, file->resource, file->inum);
}

/**
 * census_others() - how many new foreign namespaces a counter counts
 * @census: the census; lists the namespaces now unless @census->taken
 * @snap: the last snapshot
 * @procs: the processes
 * @key: the counter
 *
 * Return: their number at most.
 */
long long census_others(struct census *census, const struct snapshot *snap,
			const struct processes *procs, const struct series_key *key)
{
	const char *resource;
	long long others = 0;

	if (key->resource >= snap->nr_resources)
		return 0;
	resource = snap->resources[key->resource].name;
	if (!ns_files_hold(resource))
		return 0;
	look_now(census, procs);
	for (size_t i = 0; i < census->now.nr; i++) {
		const struct ns_file *file = &census->now.list[i];
		const struct ucv_userns *ns = snapshot_find_userns(snap, file->userns);

		if (!strcmp(file->resource, resource) && ns && is_new_of_others(census, file) &&
		    may_count(snap, ns, key))
			others++;
	}
	return others;
}

/**
 * census_free() - free what was found
 * @census: the census
 */
void census_free(struct census *census)
{
	ns_files_close(&census->before);
	ns_files_close(&census->now);
}
