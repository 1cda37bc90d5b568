// SPDX-License-Identifier: GPL-2.0
/*
 * Who stands behind a counter of inotify or fanotify, in few words: the processes that
 * hold the most of it. What several hold is said of the first of them, so that it adds
 * up.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "heldby.h"
#include "ucountview.h"

#define MAX_NAMED	3

/* What a process holds of the counter; nothing, if there is no holder. */
struct part {
	const struct ucv_holder *holder;
	unsigned long long nr;
};

/* Charged there itself, or in a namespace below, whose owner is charged as well. */
static bool is_charged(const struct snapshot *snap, const struct ucv_group *group,
		       const struct charge *charge)
{
	struct chain chain = {};
	bool found = false;

	chain_follow(&chain, snap, &snap->userns[group->userns], group->uid);
	for (size_t i = 0; i < chain.nr; i++)
		found |= chain.charges[i].ns == charge->ns && chain.charges[i].uid == charge->uid;
	chain_free(&chain);
	return found;
}

static unsigned long long amount(const struct ucv_group *group, size_t resource)
{
	if (group->group_resource == resource)
		return 1;
	if (group->mark_resource == resource && !(group->flags & UCV_GROUP_UNLIMITED_MARKS))
		return group->marks;
	return 0;
}

static int compare_numbers(unsigned long long x, unsigned long long y)
{
	return x < y ? -1 : x > y;
}

static int by_process(const void *a, const void *b)
{
	const struct part *x = a, *y = b;

	return compare_numbers(x->holder->tgid, y->holder->tgid);
}

static int by_amount(const void *a, const void *b)
{
	const struct part *x = a, *y = b;
	int order = compare_numbers(y->nr, x->nr);

	return order ? order : by_process(a, b);
}

/* One part for each group, of the process with the lowest number that holds it. */
static size_t collect(struct part *parts, const struct snapshot *snap,
		      const struct charge *charge, size_t resource)
{
	size_t nr = 0;

	memset(parts, 0, snap->nr_groups * sizeof(*parts));
	for (size_t i = 0; i < snap->nr_holders; i++) {
		const struct ucv_holder *holder = &snap->holders[i];
		struct part *part = &parts[holder->group];

		if (!part->holder || holder->tgid < part->holder->tgid)
			part->holder = holder;
	}
	for (size_t i = 0; i < snap->nr_groups; i++) {
		unsigned long long of = amount(&snap->groups[i], resource);

		if (of && parts[i].holder && is_charged(snap, &snap->groups[i], charge))
			parts[nr++] = (struct part){ parts[i].holder, of };
	}
	return nr;
}

/* One part for each process, the largest first. */
static size_t add_up(struct part *parts, size_t nr)
{
	size_t to = 0;

	if (!nr)
		return 0;
	qsort(parts, nr, sizeof(*parts), by_process);
	for (size_t i = 1; i < nr; i++) {
		if (by_process(&parts[i], &parts[to]))
			parts[++to] = parts[i];
		else
			parts[to].nr += parts[i].nr;
	}
	qsort(parts, to + 1, sizeof(*parts), by_amount);
	return to + 1;
}

/* A process may call itself anything. */
static char *add_part(char *text, const struct part *part)
{
	char comm[UCV_COMM_LEN];
	char *more;

	memcpy(comm, part->holder->comm, sizeof(comm));
	for (char *c = comm; *c; c++) {
		if (!isprint((unsigned char)*c))
			*c = '?';
	}
	more = xasprintf("%s%s%llu by %s (%u)", text ? text : "", text ? ", " : "", part->nr, comm,
			 part->holder->tgid);
	free(text);
	return more;
}

/**
 * holders_known_of() - can it be told who holds a resource?
 * @resource: its name
 *
 * Return: whether groups or their marks are charged to it.
 */
bool holders_known_of(const char *resource)
{
	return !strncmp(resource, "inotify_", strlen("inotify_")) ||
	       !strncmp(resource, "fanotify_", strlen("fanotify_"));
}

/**
 * held_by() - the processes that hold the most of a counter
 * @snap: a snapshot with groups and holders
 * @charge: whose counter
 * @resource: of which resource
 *
 * Return: allocated text, "200 by indexer (132), 4 by editor (131)"; NULL if nobody is
 *	known to hold anything.
 */
char *held_by(const struct snapshot *snap, const struct charge *charge, size_t resource)
{
	struct part *parts = xreallocarray(NULL, snap->nr_groups, sizeof(*parts));
	size_t nr = add_up(parts, collect(parts, snap, charge, resource));
	char *text = NULL;

	for (size_t i = 0; i < nr && i < MAX_NAMED; i++)
		text = add_part(text, &parts[i]);
	if (nr > MAX_NAMED) {
		char *more = xasprintf("%s, and less by %zu more", text, nr - MAX_NAMED);

		free(text);
		text = more;
	}
	free(parts);
	return text;
}
