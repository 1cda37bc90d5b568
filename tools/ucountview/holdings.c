// SPDX-License-Identifier: GPL-2.0
/*
 * What of the counters is held by processes that are not ours: their tasks, their
 * inotify and fanotify groups, their user and mount namespaces. All of it counts at
 * every level above as well.
 *
 * A namespace belongs to others if it was there from the start, or if one of their
 * processes is in it and none of ours. A group does if none of ours holds it. What nobody
 * holds is nobody's, and so may be ours.
 */
#include <stdlib.h>
#include <string.h>

#include "holdings.h"
#include "ucountview.h"

/* Who is in a user namespace, or in one below it. */
enum {
	IN_OURS = 1,
	IN_OTHERS = 2,
};

struct finder {
	struct holdings *hold;
	const struct snapshot *snap;
	const struct processes *procs;
	const struct series *known;
	bool all;
	unsigned char *inside;	/* for each user namespace, IN_* */
	size_t nproc;
	size_t user_namespaces;
	size_t mnt_namespaces;
};

static void hold_at(struct finder *f, const struct ucv_userns *ns, __u32 uid, size_t resource,
		    long long nr)
{
	const struct ucv_ucounts *uc = snapshot_find(f->snap, ns, uid);

	if (uc)
		f->hold->held[uc - f->snap->ucounts][resource] += nr;
}

/* At (@ns, @uid) and all levels above. */
static void hold_chain(struct finder *f, const struct ucv_userns *ns, __u32 uid, size_t resource,
		       long long nr)
{
	if (resource >= f->snap->nr_resources)
		return;
	for (; ns; ns = snapshot_parent(f->snap, ns)) {
		hold_at(f, ns, uid, resource, nr);
		uid = ns->owner;
	}
}

static bool is_others(const struct finder *f, const struct ucv_userns *ns)
{
	return f->hold->userns_others[ns - f->snap->userns];
}

static bool counts_as_ours(const struct finder *f, const struct seen_process *proc)
{
	return proc->ours || (f->all && !proc->kernel);
}

static void find_inside(struct finder *f)
{
	for (size_t i = 0; i < f->procs->nr; i++) {
		const struct seen_process *proc = &f->procs->list[i];
		const struct ucv_userns *ns = snapshot_find_userns(f->snap, proc->userns);

		for (; ns; ns = snapshot_parent(f->snap, ns))
			f->inside[ns - f->snap->userns] |=
				counts_as_ours(f, proc) ? IN_OURS : IN_OTHERS;
	}
}

static bool made_by_others(const struct finder *f, const struct ucv_userns *ns)
{
	const struct ucv_userns *parent = snapshot_parent(f->snap, ns);
	struct series_key key = series_key_userns(ns);

	if (series_known(f->known, &key))
		return false;
	if (f->inside[ns - f->snap->userns] == IN_OTHERS)
		return true;
	return parent && is_others(f, parent);
}

/* Parents come first: their level is lower. */
static void find_userns_others(struct finder *f)
{
	__u32 level = 0, deepest = 0;

	for (; level <= deepest; level++) {
		for (size_t i = 0; i < f->snap->nr_userns; i++) {
			const struct ucv_userns *ns = &f->snap->userns[i];

			if (ns->level > deepest)
				deepest = ns->level;
			if (ns->level == level)
				f->hold->userns_others[i] = made_by_others(f, ns);
		}
	}
}

/* All that is charged in a namespace of others is theirs, whoever holds it. */
static void hold_charges_of(struct finder *f, size_t nth)
{
	const struct ucv_ucounts *uc = &f->snap->ucounts[nth];
	const struct ucv_userns *ns = snapshot_userns_of(f->snap, uc);
	const struct ucv_userns *parent = snapshot_parent(f->snap, ns);

	if (!parent || !is_others(f, ns) || is_others(f, parent))
		return;
	for (size_t i = 0; i < f->snap->nr_resources; i++)
		hold_chain(f, parent, ns->owner, i, uc->used[i]);
}

static void hold_userns(struct finder *f, const struct ucv_userns *ns)
{
	const struct ucv_userns *parent = snapshot_parent(f->snap, ns);
	struct series_key key = series_key_userns(ns);

	if (!parent || is_others(f, parent))
		return;
	if (is_others(f, ns) || series_known(f->known, &key))
		hold_chain(f, parent, ns->owner, f->user_namespaces, 1);
}

static unsigned char who_is_in_mntns(const struct finder *f, __u32 inum)
{
	unsigned char inside = 0;

	for (size_t i = 0; i < f->procs->nr; i++) {
		const struct seen_process *proc = &f->procs->list[i];

		if (proc->mntns == inum)
			inside |= counts_as_ours(f, proc) ? IN_OURS : IN_OTHERS;
	}
	return inside;
}

static void hold_mntns(struct finder *f, size_t nth)
{
	const struct ucv_mntns *mntns = &f->snap->mntns[nth];
	const struct ucv_userns *ns = &f->snap->userns[mntns->userns];
	struct series_key key = series_key_mntns(mntns, SERIES_MNTNS);

	f->hold->mntns_others[nth] = is_others(f, ns) || series_known(f->known, &key) ||
				     who_is_in_mntns(f, mntns->inum) == IN_OTHERS;
	if (!f->hold->mntns_others[nth] || is_others(f, ns) || mntns->flags & UCV_MNTNS_UNCHARGED)
		return;
	hold_chain(f, ns, mntns->uid, f->mnt_namespaces, 1);
}

static void hold_tasks(struct finder *f, const struct seen_process *proc)
{
	const struct ucv_userns *ns = snapshot_find_userns(f->snap, proc->userns);

	if (!counts_as_ours(f, proc) && ns && !is_others(f, ns))
		hold_chain(f, ns, proc->uid, f->nproc, proc->threads);
}

/**
 * holder_is_ours() - whether a process that descends from us holds a group
 * @holder: who holds it
 * @procs: all processes
 *
 * Return: whether it does.
 */
bool holder_is_ours(const struct ucv_holder *holder, const struct processes *procs)
{
	const struct seen_process *proc = processes_find(procs, holder->tgid);

	return proc && proc->ours;
}

static void hold_group(struct finder *f, const struct ucv_group *group)
{
	const struct ucv_userns *ns = &f->snap->userns[group->userns];

	if (is_others(f, ns))
		return;
	hold_chain(f, ns, group->uid, group->group_resource, 1);
	if (!(group->flags & UCV_GROUP_UNLIMITED_MARKS))
		hold_chain(f, ns, group->uid, group->mark_resource, group->marks);
}

static void hold_groups(struct finder *f)
{
	bool *ours = xreallocarray(NULL, f->snap->nr_groups, sizeof(*ours));

	memset(ours, 0, f->snap->nr_groups * sizeof(*ours));
	for (size_t i = 0; i < f->snap->nr_holders; i++) {
		const struct ucv_holder *holder = &f->snap->holders[i];

		ours[holder->group] |= f->all || holder_is_ours(holder, f->procs);
	}
	for (size_t i = 0; i < f->snap->nr_groups; i++) {
		if (!ours[i])
			hold_group(f, &f->snap->groups[i]);
	}
	free(ours);
}

static void *zeroed(size_t nr, size_t size)
{
	void *array = xreallocarray(NULL, nr, size);

	memset(array, 0, nr * size);
	return array;
}

/**
 * holdings_find() - find what others hold
 * @hold: where to; to be freed with holdings_free()
 * @snap: a snapshot with all it can have
 * @procs: the processes, read right after
 * @known: the looks before, which tell what was there from the start
 * @all: nobody's processes are others', but the kernel's
 */
void holdings_find(struct holdings *hold, const struct snapshot *snap,
		   const struct processes *procs, const struct series *known, bool all)
{
	struct finder f = {
		.hold = hold,
		.snap = snap,
		.procs = procs,
		.known = known,
		.all = all,
		.inside = zeroed(snap->nr_userns, 1),
		.nproc = snapshot_resource(snap, "rlimit_nproc"),
		.user_namespaces = snapshot_resource(snap, "user_namespaces"),
		.mnt_namespaces = snapshot_resource(snap, "mnt_namespaces"),
	};

	hold->held = zeroed(snap->nr_ucounts, sizeof(*hold->held));
	hold->userns_others = zeroed(snap->nr_userns, sizeof(bool));
	hold->mntns_others = zeroed(snap->nr_mntns, sizeof(bool));
	find_inside(&f);
	find_userns_others(&f);
	for (size_t i = 0; i < snap->nr_ucounts; i++)
		hold_charges_of(&f, i);
	for (size_t i = 0; i < snap->nr_userns; i++)
		hold_userns(&f, &snap->userns[i]);
	for (size_t i = 0; i < snap->nr_mntns; i++)
		hold_mntns(&f, i);
	for (size_t i = 0; i < procs->nr; i++)
		hold_tasks(&f, &procs->list[i]);
	hold_groups(&f);
	free(f.inside);
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
