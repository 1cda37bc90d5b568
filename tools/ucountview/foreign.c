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
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "accounting.h"
#include "charge.h"
#include "foreign.h"
#include "ucountview.h"

/* Who holds something, as a bit mask: descendants, foreign processes, both, or neither (0). */
enum {
	OURS = 1,
	OTHERS = 2,
};

struct finder {
	struct foreign *foreign;
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
 */
bool holder_is_ours(const struct ucv_holder *holder, const struct processes *procs)
{
	const struct process *proc = processes_find(procs, holder->tgid);

	return proc && proc->ours;
}

/* A process that holds a namespace holds all its ancestors, too. */
static void mark_userns(struct finder *f, const struct ucv_userns *ns, unsigned char who)
{
	for (; ns; ns = snapshot_parent(f->snap, ns))
		f->userns[ns - f->snap->userns] |= who;
}

static void mark_mntns(struct finder *f, const struct ucv_mntns *mntns, unsigned char who)
{
	f->mntns[mntns - f->snap->mntns] |= who;
	mark_userns(f, &f->snap->userns[mntns->userns], who);
}

static void find_holders(struct finder *f)
{
	for (size_t i = 0; i < f->procs->nr; i++) {
		const struct process *proc = &f->procs->list[i];
		const struct ucv_mntns *mntns = snapshot_find_mntns(f->snap, proc->mntns);

		mark_userns(f, snapshot_find_userns(f->snap, proc->userns), whose(f, proc));
		if (mntns)
			mark_mntns(f, mntns, whose(f, proc));
	}
	for (size_t i = 0; i < f->snap->nr_holders; i++) {
		const struct ucv_holder *holder = &f->snap->holders[i];
		const struct ucv_group *group = &f->snap->groups[holder->group];
		unsigned char who = f->all || holder_is_ours(holder, f->procs) ? OURS : OTHERS;

		f->groups[holder->group] |= who;
		mark_userns(f, &f->snap->userns[group->userns], who);
	}
}

static bool was_before(const struct finder *f, struct counter_key key)
{
	const struct serie *serie;

	if (!f->before)
		return true;
	serie = countermap_find(&f->before->map, key);
	return serie && serie->before;
}

/* Whether a new namespace has no known holder; there should be few of them. */
static bool any_is_nobodys(const struct finder *f)
{
	for (size_t i = 0; i < f->snap->nr_userns; i++) {
		if (!f->userns[i] && !was_before(f, key_userns(&f->snap->userns[i])))
			return true;
	}
	for (size_t i = 0; i < f->snap->nr_mntns; i++) {
		if (!f->mntns[i] && !was_before(f, key_mntns(&f->snap->mntns[i], KEY_MNTNS)))
			return true;
	}
	return false;
}

/* A namespace that a descendant holds stays the command's. */
static void pin(struct finder *f, const char *text)
{
	const struct ucv_userns *userns;
	const struct ucv_mntns *mntns;
	struct ns_link link;

	if (!ns_link_parse(text, &link))
		return;
	mntns = snapshot_find_mntns(f->snap, link.inum);
	if (mntns && !f->mntns[mntns - f->snap->mntns])
		mark_mntns(f, mntns, OTHERS);
	userns = snapshot_find_userns(f->snap, link.inum);
	if (userns && !f->userns[userns - f->snap->userns])
		mark_userns(f, userns, OTHERS);
}

static void pin_by_file(void *f, int dir, const char *name, const char *text)
{
	(void)dir;
	(void)name;
	pin(f, text);
}

static void pin_by_mount(void *f, const struct mount_line *mount)
{
	pin(f, mount->root);
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

/* Expensive: reads the links of all open files. */
static void find_pinned(struct finder *f)
{
	const struct process *self = processes_find(f->procs, getpid());

	if (f->all || !any_is_nobodys(f))
		return;
	for (size_t i = 0; i < f->procs->nr; i++) {
		const struct process *proc = &f->procs->list[i];

		if (proc->ours)
			continue;
		process_visit_fds(proc->pid, pin_by_file, f);
		if (shows_mounts(f->procs, i, self ? self->mntns : 0))
			process_visit_mounts(proc->pid, pin_by_mount, f);
	}
}

static bool is_foreign(const struct finder *f, const struct ucv_userns *ns)
{
	return f->foreign->userns[ns - f->snap->userns];
}

/* Whether it, or one between it and those that were there before, is held by others alone. */
static bool made_by_others(const struct finder *f, const struct ucv_userns *ns)
{
	for (; ns && !was_before(f, key_userns(ns)); ns = snapshot_parent(f->snap, ns)) {
		if (f->userns[ns - f->snap->userns] == OTHERS)
			return true;
	}
	return false;
}

static void find_foreign(struct finder *f)
{
	for (size_t i = 0; i < f->snap->nr_userns; i++)
		f->foreign->userns[i] = made_by_others(f, &f->snap->userns[i]);
	for (size_t i = 0; i < f->snap->nr_mntns; i++) {
		const struct ucv_mntns *mntns = &f->snap->mntns[i];

		f->foreign->mntns[i] = !was_before(f, key_mntns(mntns, KEY_MNTNS)) &&
				       (f->mntns[i] == OTHERS ||
					is_foreign(f, &f->snap->userns[mntns->userns]));
	}
}

/* Add @nr at (@ns, @uid) and at all levels above. */
static void hold(struct finder *f, const struct ucv_userns *ns, __u32 uid, size_t resource,
		 long long nr)
{
	const struct ucv_ucounts *uc;

	for (; ns; ns = charge_above(f->snap, ns, &uid)) {
		uc = snapshot_find(f->snap, ns, uid);
		if (uc)
			f->foreign->held[uc - f->snap->ucounts][resource] += nr;
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
		const struct ucv_userns *ns = &f->snap->userns[uc->userns], *above;
		__u32 uid = uc->uid;

		above = charge_above(f->snap, ns, &uid);
		if (!above || !is_foreign(f, ns) || is_foreign(f, above))
			continue;
		for (size_t j = 0; j < f->snap->nr_resources; j++)
			hold(f, above, uid, j, uc->used[j]);
	}
}

static void hold_object(void *arg, const struct object *object)
{
	struct finder *f = arg;
	bool foreign;

	if (is_foreign(f, object->ns))
		return;
	if (object->group)
		foreign = f->groups[object->group - f->snap->groups] == OTHERS;
	else if (object->userns)
		foreign = is_foreign(f, object->userns) ||
			  was_before(f, key_userns(object->userns));
	else
		foreign = f->foreign->mntns[object->mntns - f->snap->mntns] ||
			  was_before(f, key_mntns(object->mntns, KEY_MNTNS));
	if (foreign)
		hold(f, object->ns, object->uid, object->resource, object->nr);
}

static void hold_tasks(struct finder *f)
{
	size_t resource = snapshot_resource(f->snap, "rlimit_nproc");

	for (size_t i = 0; i < f->procs->nr && resource < f->snap->nr_resources; i++) {
		const struct process *proc = &f->procs->list[i];
		const struct ucv_userns *ns = snapshot_find_userns(f->snap, proc->userns);

		if (ns && !is_foreign(f, ns) && whose(f, proc) == OTHERS)
			hold(f, ns, proc->uid, resource, proc->threads);
	}
}

/**
 * foreign_find() - find what foreign processes hold
 * @foreign: out; free with foreign_free()
 * @snap: with counters, mount namespaces and groups, if the module has them
 * @procs: the processes, read right after the snapshot
 * @before: samples from before the command, or NULL while those are taken
 * @all: only kernel threads are foreign
 */
void foreign_find(struct foreign *foreign, const struct snapshot *snap,
		  const struct processes *procs, const struct series *before, bool all)
{
	struct finder f = {
		.foreign = foreign,
		.snap = snap,
		.procs = procs,
		.before = before,
		.all = all,
		.userns = xcalloc(snap->nr_userns, 1),
		.mntns = xcalloc(snap->nr_mntns, 1),
		.groups = xcalloc(snap->nr_groups, 1),
	};

	foreign->held = xcalloc(snap->nr_ucounts, sizeof(*foreign->held));
	foreign->userns = xcalloc(snap->nr_userns, sizeof(bool));
	foreign->mntns = xcalloc(snap->nr_mntns, sizeof(bool));
	find_holders(&f);
	find_pinned(&f);
	find_foreign(&f);
	hold_charges(&f);
	objects_visit(snap, hold_object, &f);
	hold_tasks(&f);
	free(f.userns);
	free(f.mntns);
	free(f.groups);
}

/**
 * foreign_free() - free what foreign_find() filled
 */
void foreign_free(struct foreign *foreign)
{
	free(foreign->held);
	free(foreign->userns);
	free(foreign->mntns);
}

/**
 * census_take() - list the namespaces; free with ns_files_close()
 */
void census_take(struct ns_files *files, const struct processes *procs)
{
	ns_files_open(files, procs);
	ns_files_let_go(files);
}

/* Whether the charge for a namespace that @ns owns may count in the counter @key. */
static bool may_count(const struct snapshot *snap, const struct ucv_userns *ns,
		      const struct counter_key *key)
{
	__u32 uid;

	if (ns->inum == key->inum && ns->level == key->level)
		return true;
	ns = charge_above(snap, ns, &uid);
	return charge_counts_for(snap, ns, uid, key);
}

/**
 * census_foreign() - how many new foreign namespaces a counter counts
 * @census: lists the namespaces now unless @census->taken
 * @snap: the last snapshot
 *
 * Return: their number at most.
 */
long long census_foreign(struct census *census, const struct snapshot *snap,
			 const struct processes *procs, const struct counter_key *key)
{
	const char *resource;
	long long foreign = 0;

	if (key->resource >= snap->nr_resources)
		return 0;
	resource = snap->resources[key->resource].name;
	if (!ns_files_hold(resource))
		return 0;
	if (!census->taken) {
		ns_files_close(&census->now);
		census_take(&census->now, procs);
		census->taken = true;
	}
	for (size_t i = 0; i < census->now.nr; i++) {
		const struct ns_file *file = &census->now.list[i];
		const struct ucv_userns *ns = snapshot_find_userns(snap, file->userns);

		if (!strcmp(file->resource, resource) && !file->ours && ns &&
		    !ns_files_find(&census->before, resource, file->inum) &&
		    may_count(snap, ns, key))
			foreign++;
	}
	return foreign;
}

/**
 * census_free() - free what was found
 */
void census_free(struct census *census)
{
	ns_files_close(&census->before);
	ns_files_close(&census->now);
}
