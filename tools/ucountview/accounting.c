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
 *
 * The samples are not atomic. Counters are sampled before and after /proc is read, and the
 * larger counter is compared with the smaller sum. So a value that only grows or only shrinks in
 * between never looks like a contradiction.
 *
 * A remainder is what is left of a counter after subtracting the counters of the child
 * namespaces and the groups that processes have open. It is shown once, at the level where it
 * was charged.
 */
#include <stdlib.h>
#include <string.h>

#include "accounting.h"
#include "ucountview.h"

enum part {
	COUNTER,
	BELOW,
	OBJECTS,
};

/* books_close() adds up entries with the same key. */
static struct book *add_book(struct books *books, const struct series_key *key)
{
	books->list = xgrow(books->list, books->nr, sizeof(*books->list));
	books->list[books->nr] = (struct book){ .key = *key };
	return &books->list[books->nr++];
}

static struct book *add(struct books *books, const struct series_key *key, enum part part,
			enum book_look look, long long nr)
{
	struct book *book = add_book(books, key);

	switch (part) {
	case COUNTER:
		book->counter[look] = nr;
		break;
	case BELOW:
		book->below[look] = nr;
		book->compared = true;
		break;
	case OBJECTS:
		book->objects[look] = nr;
		book->compared = true;
		break;
	}
	return book;
}

/* Whether such objects are searched for, so that finding none counts as zero. */
static bool is_looked_for(const struct snapshot *snap, const char *name)
{
	if (!strncmp(name, "inotify_", 8) || !strncmp(name, "fanotify_", 9))
		return snap->taken.filled & UCV_MASK(UCV_KIND_GROUP);
	if (!strcmp(name, "mnt_namespaces"))
		return snap->taken.filled & UCV_MASK(UCV_KIND_MNTNS);
	return !strcmp(name, "user_namespaces");
}

/*
 * The user charged for a namespace found as a file is unknown: compare the sum over all users,
 * too (UCV_UID_UNMAPPED).
 */
static void add_to_user(struct books *books, const struct snapshot *snap, enum part part,
			enum book_look look, const struct ucv_userns *ns, __u32 uid,
			size_t resource, long long nr)
{
	struct series_key key = series_key_counter(ns, uid, resource);
	const char *name = snap->resources[resource].name;

	if (!nr)
		return;
	add(books, &key, part, look, nr)->compared |= is_looked_for(snap, name);
	if (!ns_files_hold(name))
		return;
	key.uid = UCV_UID_UNMAPPED;
	add(books, &key, part, look, nr)->compared = true;
}

static void add_counters(struct books *books, const struct snapshot *snap, enum book_look look)
{
	for (size_t i = 0; i < snap->nr_ucounts; i++) {
		const struct ucv_ucounts *uc = &snap->ucounts[i];
		const struct ucv_userns *ns = &snap->userns[uc->userns];
		const struct ucv_userns *parent = snapshot_parent(snap, ns);

		for (size_t j = 0; j < snap->nr_resources; j++) {
			add_to_user(books, snap, COUNTER, look, ns, uc->uid, j, uc->used[j]);
			if (parent)
				add_to_user(books, snap, BELOW, look, parent, ns->owner, j,
					    uc->used[j]);
		}
	}
}

static void add_groups(struct books *books, const struct snapshot *snap, enum book_look look)
{
	for (size_t i = 0; i < snap->nr_groups; i++) {
		const struct ucv_group *group = &snap->groups[i];
		const struct ucv_userns *ns = &snap->userns[group->userns];

		add_to_user(books, snap, OBJECTS, look, ns, group->uid, group->group_resource, 1);
		if (!(group->flags & (UCV_GROUP_UNLIMITED_MARKS | UCV_GROUP_LAGGING)))
			add_to_user(books, snap, OBJECTS, look, ns, group->uid,
				    group->mark_resource, group->marks);
	}
}

static void add_userns(struct books *books, const struct snapshot *snap, enum book_look look)
{
	size_t resource = snapshot_resource(snap, "user_namespaces");

	for (size_t i = 0; i < snap->nr_userns && resource < snap->nr_resources; i++) {
		const struct ucv_userns *ns = &snap->userns[i];
		const struct ucv_userns *parent = snapshot_parent(snap, ns);

		if (parent)
			add_to_user(books, snap, OBJECTS, look, parent, ns->owner, resource, 1);
	}
}

static void add_mntns(struct books *books, const struct snapshot *snap, enum book_look look)
{
	size_t resource = snapshot_resource(snap, "mnt_namespaces");

	for (size_t i = 0; i < snap->nr_mntns; i++) {
		const struct ucv_mntns *mntns = &snap->mntns[i];
		struct series_key key = series_key_mntns(mntns, SERIES_MOUNTS);

		add(books, &key, COUNTER, look, mntns->mounts);
		if (!(mntns->flags & UCV_MNTNS_UNCHARGED) && resource < snap->nr_resources)
			add_to_user(books, snap, OBJECTS, look, &snap->userns[mntns->userns],
				    mntns->uid, resource, 1);
	}
}

/**
 * books_add_snapshot() - add the counters and objects of a snapshot
 * @books: the counters
 * @snap: the snapshot
 * @look: which sample it is
 */
void books_add_snapshot(struct books *books, const struct snapshot *snap, enum book_look look)
{
	add_counters(books, snap, look);
	add_groups(books, snap, look);
	add_userns(books, snap, look);
	add_mntns(books, snap, look);
}

static void add_found(struct books *books, const struct series_key *key, long long nr, bool whole)
{
	struct book *book = add_book(books, key);

	book->objects[LOOK_FIRST] = nr;
	book->objects[LOOK_SECOND] = nr;
	book->compared = true;
	book->whole = whole;
}

/**
 * books_add_namespaces() - add namespaces found as files, by owning user namespace
 * @books: the counters
 * @snap: the second sample, taken while the files were open
 * @files: the namespaces
 */
void books_add_namespaces(struct books *books, const struct snapshot *snap,
			  const struct ns_files *files)
{
	for (size_t i = 0; i < files->nr; i++) {
		const struct ns_file *file = &files->list[i];
		size_t resource = snapshot_resource(snap, file->resource);
		const struct ucv_userns *ns = snapshot_find_userns(snap, file->userns);
		struct series_key key;

		if (!ns || resource == snap->nr_resources)
			continue;
		key = series_key_counter(ns, UCV_UID_UNMAPPED, resource);
		add_found(books, &key, 1, false);
	}
}

/**
 * books_add_mounts() - add the mounts visible to processes
 * @books: the counters
 * @snap: the second sample
 * @trees: the mounts
 */
void books_add_mounts(struct books *books, const struct snapshot *snap,
		      const struct mount_trees *trees)
{
	for (size_t i = 0; i < trees->nr; i++) {
		const struct mount_tree *tree = &trees->list[i];
		const struct ucv_mntns *mntns = snapshot_find_mntns(snap, tree->mntns);
		struct series_key key;

		if (!mntns)
			continue;
		key = series_key_mntns(mntns, SERIES_MOUNTS);
		add_found(books, &key, tree->mounts, tree->whole);
	}
}

static int compare_books(const void *a, const void *b)
{
	const struct book *x = a, *y = b;

	return memcmp(&x->key, &y->key, sizeof(x->key));
}

static void add_up(struct book *sum, const struct book *more)
{
	for (size_t i = 0; i < NR_LOOKS; i++) {
		sum->counter[i] += more->counter[i];
		sum->below[i] += more->below[i];
		sum->objects[i] += more->objects[i];
	}
	sum->compared |= more->compared;
	sum->whole |= more->whole;
}

/**
 * books_close() - add up entries of the same counter, once all are added
 * @books: the counters
 */
void books_close(struct books *books)
{
	size_t to = 0;

	if (!books->nr)
		return;
	qsort(books->list, books->nr, sizeof(*books->list), compare_books);
	for (size_t i = 1; i < books->nr; i++) {
		if (compare_books(&books->list[to], &books->list[i]))
			books->list[++to] = books->list[i];
		else
			add_up(&books->list[to], &books->list[i]);
	}
	books->nr = to + 1;
}

/**
 * books_free() - free all entries
 * @books: the counters
 */
void books_free(struct books *books)
{
	free(books->list);
	memset(books, 0, sizeof(*books));
}

static long long least(const long long looks[NR_LOOKS])
{
	return looks[LOOK_FIRST] < looks[LOOK_SECOND] ? looks[LOOK_FIRST] : looks[LOOK_SECOND];
}

static long long most(const long long looks[NR_LOOKS])
{
	return looks[LOOK_FIRST] > looks[LOOK_SECOND] ? looks[LOOK_FIRST] : looks[LOOK_SECOND];
}

/**
 * book_counter() - the counter, the larger of its two samples
 * @book: the counter, after books_close()
 *
 * Return: the amount charged.
 */
long long book_counter(const struct book *book)
{
	return most(book->counter);
}

/**
 * book_expected() - how much is known to be charged
 * @book: the counter, after books_close()
 *
 * Return: the amount, from the smaller of each two samples.
 */
long long book_expected(const struct book *book)
{
	return least(book->below) + least(book->objects);
}

static enum book_verdict judge_mounts(const struct book *book)
{
	if (!book->compared)
		return BOOK_AGREES;
	if (most(book->counter) < least(book->objects))
		return BOOK_MOUNTS_MISSED;
	if (book->whole && least(book->counter) > most(book->objects))
		return BOOK_MOUNTS_MORE;
	return BOOK_AGREES;
}

/**
 * book_judge() - whether a counter contradicts what is known
 * @book: the counter, after books_close()
 *
 * The verdict can be wrong for a counter that goes both up and down while it is sampled.
 *
 * Return: the contradiction, BOOK_AGREES if there is none.
 */
enum book_verdict book_judge(const struct book *book)
{
	if (book->key.resource == SERIES_MOUNTS)
		return judge_mounts(book);
	if (most(book->counter) < 0)
		return BOOK_NEGATIVE;
	if (most(book->counter) < least(book->below))
		return BOOK_BELOW;
	if (most(book->counter) < book_expected(book))
		return BOOK_OBJECTS;
	return BOOK_AGREES;
}

/* Remainders: what the groups that processes have open do not account for. */

enum {
	GROUPS,
	MARKS,
	NR_COUNTERS,
};

#define NR_TYPES	2

static const char * const names[NR_TYPES][NR_COUNTERS] = {
	[UCV_GROUP_INOTIFY]  = { "inotify_instances", "inotify_watches" },
	[UCV_GROUP_FANOTIFY] = { "fanotify_groups", "fanotify_marks" },
};

/* What is left of a record's counters; indexed like snapshot.ucounts. */
struct left {
	long long of[NR_TYPES][NR_COUNTERS];
};

/* A shadowed record is added to the one that new charges go to. */
static struct left *left_of(struct left *left, const struct snapshot *snap, __u32 userns,
			    __u32 uid)
{
	const struct ucv_ucounts *uc = snapshot_find(snap, &snap->userns[userns], uid);

	return uc ? &left[uc - snap->ucounts] : NULL;
}

static void add_left(struct left *left, const struct ucv_ucounts *uc,
		     const size_t resources[NR_TYPES][NR_COUNTERS], int sign)
{
	for (size_t i = 0; left && i < NR_TYPES; i++) {
		for (size_t j = 0; j < NR_COUNTERS; j++) {
			if (resources[i][j] < UCV_MAX_RESOURCES)
				left->of[i][j] += sign * uc->used[resources[i][j]];
		}
	}
}

static void add_records(struct left *left, const struct snapshot *snap,
			const size_t resources[NR_TYPES][NR_COUNTERS])
{
	for (size_t i = 0; i < snap->nr_ucounts; i++) {
		const struct ucv_ucounts *uc = &snap->ucounts[i];
		const struct ucv_userns *ns = &snap->userns[uc->userns];

		add_left(left_of(left, snap, uc->userns, uc->uid), uc, resources, 1);
		if (ns->parent != UCV_NO_INDEX)
			add_left(left_of(left, snap, ns->parent, ns->owner), uc, resources, -1);
	}
}

static void take_groups(struct left *left, const struct snapshot *snap)
{
	for (size_t i = 0; i < snap->nr_groups; i++) {
		const struct ucv_group *group = &snap->groups[i];
		struct left *of = left_of(left, snap, group->userns, group->uid);

		if (!of || group->type >= NR_TYPES)
			continue;
		of->of[group->type][GROUPS]--;
		if (!(group->flags & UCV_GROUP_UNLIMITED_MARKS))
			of->of[group->type][MARKS] -= group->marks;
	}
}

/**
 * remainders_find() - find the part of the counters that no group accounts for
 * @remainders: out; free with remainders_free()
 * @snap: with counters, groups and holders
 */
void remainders_find(struct remainders *remainders, const struct snapshot *snap)
{
	struct left *left = xreallocarray(NULL, snap->nr_ucounts, sizeof(*left));
	size_t resources[NR_TYPES][NR_COUNTERS];

	memset(remainders, 0, sizeof(*remainders));
	memset(left, 0, snap->nr_ucounts * sizeof(*left));
	for (size_t i = 0; i < NR_TYPES * NR_COUNTERS; i++) {
		size_t resource = snapshot_resource(snap, names[i / NR_COUNTERS][i % NR_COUNTERS]);

		resources[i / NR_COUNTERS][i % NR_COUNTERS] =
			resource < snap->nr_resources ? resource : UCV_MAX_RESOURCES;
	}
	add_records(left, snap, resources);
	take_groups(left, snap);
	for (size_t i = 0; i < snap->nr_ucounts * NR_TYPES; i++) {
		const long long *of = left[i / NR_TYPES].of[i % NR_TYPES];

		if (!of[GROUPS] && !of[MARKS])
			continue;
		remainders->list = xgrow(remainders->list, remainders->nr,
					 sizeof(*remainders->list));
		remainders->list[remainders->nr++] = (struct remainder){
			.uc = &snap->ucounts[i / NR_TYPES],
			.type = i % NR_TYPES,
			.groups = of[GROUPS],
			.marks = of[MARKS],
		};
	}
	free(left);
}

/**
 * remainders_free() - free them
 * @remainders: from remainders_find(), or zeroes
 */
void remainders_free(struct remainders *remainders)
{
	free(remainders->list);
	memset(remainders, 0, sizeof(*remainders));
}
