// SPDX-License-Identifier: GPL-2.0
/*
 * Compare counters with the objects known to be charged to them. The counter of a (user
 * namespace, uid) pair is the sum of
 *
 *  - the objects charged there: inotify and fanotify groups and their marks, user and mount
 *    namespaces, and objects of other types if they can be found;
 *  - the counters of all users in each child namespace that the user owns, because the
 *    kernel charges the owner for each of them.
 *
 * Not every object can be found, so a counter may be larger than this sum, but never smaller.
 * The difference is unattributed, at the level where it was charged.
 *
 * The samples are not atomic. Counters are sampled before and after /proc is read, and the
 * larger counter is compared with the smaller sum. So a value that only grows or only shrinks in
 * between never looks like a contradiction.
 */
#include <stdlib.h>
#include <string.h>

#include "accounting.h"
#include "format.h"
#include "ucountview.h"

static void visit_group(const struct snapshot *snap, const struct ucv_group *group,
			object_visitor visit, void *arg)
{
	struct object object = {
		.group = group,
		.ns = &snap->userns[group->userns],
		.uid = group->uid,
		.resource = group->group_resource,
		.nr = 1,
	};

	visit(arg, &object);
	if (group->flags & UCV_GROUP_UNLIMITED_MARKS)
		return;
	object.resource = group->mark_resource;
	object.nr = group->marks;
	visit(arg, &object);
}

/**
 * objects_visit() - visit the objects of a snapshot that are charged to users
 */
void objects_visit(const struct snapshot *snap, object_visitor visit, void *arg)
{
	size_t user_namespaces = snapshot_resource(snap, "user_namespaces");
	size_t mnt_namespaces = snapshot_resource(snap, "mnt_namespaces");

	for (size_t i = 0; i < snap->nr_groups; i++)
		visit_group(snap, &snap->groups[i], visit, arg);
	for (size_t i = 0; i < snap->nr_userns && user_namespaces < snap->nr_resources; i++) {
		const struct ucv_userns *ns = &snap->userns[i];
		struct object object = {
			.userns = ns,
			.ns = snapshot_parent(snap, ns),
			.uid = ns->owner,
			.resource = user_namespaces,
			.nr = 1,
		};

		if (object.ns)
			visit(arg, &object);
	}
	for (size_t i = 0; i < snap->nr_mntns && mnt_namespaces < snap->nr_resources; i++) {
		const struct ucv_mntns *ns = &snap->mntns[i];
		struct object object = {
			.mntns = ns,
			.ns = &snap->userns[ns->userns],
			.uid = ns->uid,
			.resource = mnt_namespaces,
			.nr = 1,
		};

		if (!(ns->flags & UCV_MNTNS_UNCHARGED))
			visit(arg, &object);
	}
}

/* What is done with the counters of a resource. */
struct treatment {
	bool added;
	bool compared;		/* even if no object is found */
	bool in_files;		/* also found as files, whose user is unknown */
};

struct adder {
	struct countermap *accounts;
	const struct snapshot *snap;
	enum look look;
	struct treatment treatment[UCV_MAX_RESOURCES];
};

static struct account *add(struct countermap *accounts, struct counter_key key,
			   enum account_part part, enum look look, long long nr)
{
	struct account *account = countermap_at(accounts, key, sizeof(*account));

	account->nr[part][look] += nr;
	account->compared |= part != CHARGED;
	return account;
}

/* Whether such objects are searched for, so that finding none counts as zero. */
static bool is_looked_for(const struct snapshot *snap, const char *name)
{
	if (holders_known_of(name))
		return snap->taken.filled & UCV_MASK(UCV_KIND_GROUP);
	if (!strcmp(name, "mnt_namespaces"))
		return snap->taken.filled & UCV_MASK(UCV_KIND_MNTNS);
	return !strcmp(name, "user_namespaces");
}

static void find_treatment(struct adder *a, bool all)
{
	for (size_t i = 0; i < a->snap->nr_resources; i++) {
		const char *name = a->snap->resources[i].name;

		a->treatment[i] = (struct treatment){
			.added = all || holders_known_of(name),
			.compared = is_looked_for(a->snap, name),
			.in_files = ns_files_hold(name),
		};
	}
}

/*
 * The user charged for a namespace found as a file is unknown: compare the sum over all users,
 * too (UCV_UID_UNMAPPED).
 */
static void add_to_user(const struct adder *a, enum account_part part, const struct ucv_userns *ns,
			__u32 uid, size_t resource, long long nr)
{
	const struct treatment *treatment = &a->treatment[resource];
	struct counter_key key;

	if (!nr || !treatment->added)
		return;
	key = key_counter(ns, uid, resource);
	add(a->accounts, key, part, a->look, nr)->compared |= treatment->compared;
	if (!treatment->in_files)
		return;
	key.uid = UCV_UID_UNMAPPED;
	add(a->accounts, key, part, a->look, nr)->compared = true;
}

static void add_object(void *arg, const struct object *object)
{
	bool lagging = object->group && object->group->flags & UCV_GROUP_LAGGING &&
		       object->resource == object->group->mark_resource;

	add_to_user(arg, lagging ? FOUND_LAGGING : FOUND, object->ns, object->uid,
		    object->resource, object->nr);
}

/**
 * accounts_add_snapshot() - add the counters and objects of a snapshot
 * @accounts: of struct account
 * @look: which sample it is
 * @all: also those of resources that no groups are charged to
 */
void accounts_add_snapshot(struct countermap *accounts, const struct snapshot *snap,
			   enum look look, bool all)
{
	struct adder a = { .accounts = accounts, .snap = snap, .look = look };

	find_treatment(&a, all);
	for (size_t i = 0; i < snap->nr_ucounts; i++) {
		const struct ucv_ucounts *uc = &snap->ucounts[i];
		const struct ucv_userns *ns = &snap->userns[uc->userns], *above;
		__u32 uid = uc->uid;

		above = charge_above(snap, ns, &uid);
		for (size_t j = 0; j < snap->nr_resources; j++) {
			add_to_user(&a, CHARGED, ns, uc->uid, j, uc->used[j]);
			if (above)
				add_to_user(&a, BELOW, above, uid, j, uc->used[j]);
		}
	}
	objects_visit(snap, add_object, &a);
	for (size_t i = 0; i < snap->nr_mntns; i++)
		add(accounts, key_mntns(&snap->mntns[i], KEY_MOUNTS), CHARGED, look,
		    snap->mntns[i].mounts);
}

/**
 * accounts_add_namespaces() - add namespaces found as files, by owning user namespace
 * @snap: the second sample, taken while the files were open
 */
void accounts_add_namespaces(struct countermap *accounts, const struct snapshot *snap,
			     const struct ns_files *files)
{
	for (size_t i = 0; i < files->nr; i++) {
		size_t resource = snapshot_resource(snap, files->list[i].resource);
		const struct ucv_userns *ns = snapshot_find_userns(snap, files->list[i].userns);

		if (!ns || resource == snap->nr_resources)
			continue;
		for (enum look look = LOOK_FIRST; look < NR_LOOKS; look++)
			add(accounts, key_counter(ns, UCV_UID_UNMAPPED, resource), FOUND, look, 1);
	}
}

/**
 * accounts_add_mounts() - add the mounts visible to processes: of those in a mount namespace, to
 *	the one that sees the most
 * @snap: the second sample
 */
void accounts_add_mounts(struct countermap *accounts, const struct snapshot *snap,
			 const struct mount_trees *trees)
{
	for (size_t i = 0; i < trees->nr; i++) {
		const struct mount_tree *tree = &trees->list[i];
		const struct ucv_mntns *mntns = snapshot_find_mntns(snap, tree->mntns);
		struct account *account;

		if (!mntns)
			continue;
		account = add(accounts, key_mntns(mntns, KEY_MOUNTS), FOUND, LOOK_FIRST, 0);
		if (tree->mounts <= account->nr[FOUND][LOOK_FIRST] && !tree->whole)
			continue;
		account->nr[FOUND][LOOK_FIRST] = tree->mounts;
		account->nr[FOUND][LOOK_SECOND] = tree->mounts;
		account->whole = tree->whole;
	}
}

static long long least(const struct account *account, enum account_part part)
{
	const long long *nr = account->nr[part];

	return nr[LOOK_FIRST] < nr[LOOK_SECOND] ? nr[LOOK_FIRST] : nr[LOOK_SECOND];
}

static long long most(const struct account *account, enum account_part part)
{
	const long long *nr = account->nr[part];

	return nr[LOOK_FIRST] > nr[LOOK_SECOND] ? nr[LOOK_FIRST] : nr[LOOK_SECOND];
}

/**
 * account_counter() - the counter, the larger of its two samples
 */
long long account_counter(const struct account *account)
{
	return most(account, CHARGED);
}

/**
 * account_expected() - how much is known to be charged, the smaller of each two samples
 */
long long account_expected(const struct account *account)
{
	return least(account, BELOW) + least(account, FOUND);
}

/**
 * account_wrong() - what a counter contradicts
 *
 * The verdict can be wrong for a counter that goes both up and down while it is sampled.
 *
 * Return: the contradiction in words, NULL if there is none.
 */
const char *account_wrong(const struct account *account)
{
	long long counter = account_counter(account);

	if (account->key.resource == KEY_MOUNTS) {
		if (account->compared && counter < least(account, FOUND))
			return "less than seen";
		if (account->whole && least(account, CHARGED) > most(account, FOUND))
			return "more than seen";
		return NULL;
	}
	if (counter < 0)
		return "negative";
	if (counter < least(account, BELOW))
		return "less than below";
	return counter < account_expected(account) ? "less than exist" : NULL;
}

/**
 * unattributed() - the part of a user's counter that neither child namespaces nor objects found
 *	account for
 * @accounts: of a single sample, LOOK_FIRST
 *
 * Return: the amount; can be negative, as counters change while being sampled.
 */
long long unattributed(const struct countermap *accounts, const struct ucv_userns *ns, __u32 uid,
		       size_t resource)
{
	const struct account *account = countermap_find(accounts, key_counter(ns, uid, resource));

	if (!account)
		return 0;
	return account->nr[CHARGED][LOOK_FIRST] - account->nr[BELOW][LOOK_FIRST] -
	       account->nr[FOUND][LOOK_FIRST] - account->nr[FOUND_LAGGING][LOOK_FIRST];
}

/* Processes that hold a counter. */

#define MAX_NAMED	3

/* The part of a counter that a process holds, by its PID in place of a namespace's ID. */
struct part {
	struct counter_key pid;
	const struct ucv_holder *holder;
	unsigned long long nr;
};

/* The part that the processes of a command hold, or that no process holds. */
struct share {
	const char *comm;	/* NULL: no process */
	unsigned int pid;	/* the lowest of its processes */
	size_t processes;
	unsigned long long nr;
};

struct sharing {
	const struct snapshot *snap;
	struct counter_key key;
	const struct ucv_holder **holders;	/* of each group, the one with the lowest PID */
	struct countermap parts;
	long long found;			/* the sum of @parts */
	struct share *shares;
	size_t nr_shares;
};

/**
 * holders_known_of() - whether groups or their marks are charged to a resource
 */
bool holders_known_of(const char *resource)
{
	return !strncmp(resource, "inotify_", strlen("inotify_")) ||
	       !strncmp(resource, "fanotify_", strlen("fanotify_"));
}

/* Whether holders of the resource were searched for, so that finding none means something. */
static bool holders_found(const struct snapshot *snap, size_t resource)
{
	return snap->taken.filled & UCV_MASK(UCV_KIND_HOLDER) &&
	       holders_known_of(snap->resources[resource].name);
}

static void find_holders(struct sharing *s)
{
	s->holders = xcalloc(s->snap->nr_groups, sizeof(*s->holders));
	for (size_t i = 0; i < s->snap->nr_holders; i++) {
		const struct ucv_holder *holder = &s->snap->holders[i];
		const struct ucv_holder **lowest = &s->holders[holder->group];

		if (!*lowest || holder->tgid < (*lowest)->tgid)
			*lowest = holder;
	}
}

static void add_group(void *arg, const struct object *object)
{
	const struct ucv_holder *holder;
	struct sharing *s = arg;
	struct part *part;

	if (!object->group || object->resource != s->key.resource || !object->nr)
		return;
	holder = s->holders[object->group - s->snap->groups];
	if (!holder || !charge_counts_for(s->snap, object->ns, object->uid, &s->key))
		return;
	part = countermap_at(&s->parts, (struct counter_key){ .id = holder->tgid }, sizeof(*part));
	if (!part->holder)
		part->holder = holder;
	part->nr += object->nr;
	s->found += object->nr;
}

static void find_parts(struct sharing *s, const struct charge *charge, size_t resource)
{
	s->key = key_counter(charge->ns, charge->uid, resource);
	find_holders(s);
	objects_visit(s->snap, add_group, s);
	free(s->holders);
}

/*
 * How much of a counter no process has open. Groups do not tell which of two records of the same
 * user they are charged to, so both are compared with them.
 */
static long long nobodys(const struct sharing *s, const struct charge *charge)
{
	long long left = -s->found;

	if (!charge->uc)
		return 0;
	for (size_t i = 0; i < s->snap->nr_ucounts; i++) {
		const struct ucv_ucounts *uc = &s->snap->ucounts[i];

		if (uc->userns == charge->uc->userns && uc->uid == charge->uid)
			left += uc->used[s->key.resource];
	}
	if (left > charge->uc->used[s->key.resource])
		left = charge->uc->used[s->key.resource];
	return left > 0 ? left : 0;
}

/* By command, and within it by PID. */
static int compare_commands(const void *a, const void *b)
{
	const struct share *x = a, *y = b;

	return strcmp(x->comm, y->comm) ?: COMPARE(x->pid, y->pid);
}

/* Largest first; of two commands, the one with the lower PID. */
static int compare_shares(const void *a, const void *b)
{
	const struct share *x = a, *y = b;

	return COMPARE(y->nr, x->nr) ?: COMPARE(!y->comm, !x->comm) ?: COMPARE(x->pid, y->pid);
}

static void add_share(struct sharing *s, struct share share)
{
	s->shares = xgrow(s->shares, s->nr_shares, sizeof(*s->shares));
	s->shares[s->nr_shares++] = share;
}

/* Make one share of those of the same command, and add what no process has. */
static void sum_up(struct sharing *s, unsigned long long left)
{
	size_t to = 0;

	if (s->nr_shares)
		qsort(s->shares, s->nr_shares, sizeof(*s->shares), compare_commands);
	for (size_t i = 1; i < s->nr_shares; i++) {
		if (strcmp(s->shares[to].comm, s->shares[i].comm)) {
			s->shares[++to] = s->shares[i];
			continue;
		}
		s->shares[to].processes++;
		s->shares[to].nr += s->shares[i].nr;
	}
	if (s->nr_shares)
		s->nr_shares = to + 1;
	if (left)
		add_share(s, (struct share){ .nr = left });
	if (s->nr_shares)
		qsort(s->shares, s->nr_shares, sizeof(*s->shares), compare_shares);
}

static char *share_text(char *text, const struct share *share)
{
	struct command_text comm;

	if (!share->comm)
		return list_add(text, ", ", "%llu that no process has open", share->nr);
	comm = command_text(share->comm);
	if (share->processes > 1)
		return list_add(text, ", ", "%llu by %s (%zu processes)", share->nr, comm.text,
				share->processes);
	return list_add(text, ", ", "%llu by %s (%u)", share->nr, comm.text, share->pid);
}

/* Names the commands that hold the most. What no process holds is never left out. */
static char *shares_text(const struct sharing *s)
{
	unsigned long long more = 0;
	size_t commands = 0;
	char *text = NULL;

	for (size_t i = 0; i < s->nr_shares; i++) {
		const struct share *share = &s->shares[i];

		if (share->comm && ++commands > MAX_NAMED)
			more += share->nr;
		else
			text = share_text(text, share);
	}
	if (commands <= MAX_NAMED)
		return text;
	commands -= MAX_NAMED;
	return list_add(text, ", ", "and %llu more by %zu other command%s", more, commands,
			commands > 1 ? "s" : "");
}

/**
 * held_by() - the commands whose processes hold the most of a counter
 * @snap: a snapshot with groups and holders
 *
 * A group that several processes hold counts for the one with the lowest PID.
 *
 * Return: allocated text, "200 by indexer (3 processes), 4 by editor (131), 2 that no process has
 * open"; NULL if nothing is known.
 */
char *held_by(const struct snapshot *snap, const struct charge *charge, size_t resource)
{
	struct sharing s = { .snap = snap };
	char *text;

	if (!holders_found(snap, resource))
		return NULL;
	find_parts(&s, charge, resource);
	for (size_t i = 0; i < s.parts.nr; i++) {
		const struct part *part = s.parts.list[i];

		add_share(&s, (struct share){
			part->holder->comm, part->holder->tgid, 1, part->nr
		});
	}
	sum_up(&s, nobodys(&s, charge));
	text = shares_text(&s);
	countermap_free(&s.parts);
	free(s.shares);
	return text;
}

/**
 * counted_as_processes() - the commands with the most threads in a counter of processes
 * @charge: of rlimit_nproc: to a real uid
 *
 * Return: allocated text, as of held_by(); NULL if none is found.
 */
char *counted_as_processes(const struct snapshot *snap, const struct processes *procs,
			   const struct charge *charge)
{
	const struct counter_key key = key_counter(charge->ns, charge->uid, 0);
	struct sharing s = { .snap = snap };
	char *text;

	for (size_t i = 0; i < procs->nr; i++) {
		const struct process *proc = &procs->list[i];
		const struct ucv_userns *ns = snapshot_find_userns(snap, proc->userns);

		if (charge_counts_for(snap, ns, proc->uid, &key))
			add_share(&s, (struct share){ proc->comm, proc->pid, 1, proc->threads });
	}
	sum_up(&s, 0);
	text = shares_text(&s);
	free(s.shares);
	return text;
}

/**
 * held_by_nobody() - whether no process has open at least half of what is charged to a counter
 * @snap: a snapshot with groups and holders
 *
 * It looks like a leak, which a higher limit only hides: to be said before any advice to raise
 * it, with "ucountview leaks" and "ucountview audit", which narrow it down.
 *
 * Return: whether it is; false also if the holders of @resource are not known.
 */
bool held_by_nobody(const struct snapshot *snap, const struct charge *charge, size_t resource)
{
	struct sharing s = { .snap = snap };
	long long left;

	if (!charge->uc || !holders_found(snap, resource))
		return false;
	find_parts(&s, charge, resource);
	left = nobodys(&s, charge);
	countermap_free(&s.parts);
	return left && left >= charge->uc->used[resource] - left;
}
