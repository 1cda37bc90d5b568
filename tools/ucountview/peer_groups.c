// SPDX-License-Identifier: GPL-2.0
/*
 * Peer groups of mounts, and which are slaves of which, as the mountinfo of processes shows them.
 *
 * A mount is shown with its own group and the one that it is a slave of. If that has no mount in
 * what the process sees, the nearest group above that has one is shown, too.
 */
#include <stdlib.h>

#include "peer_groups.h"
#include "ucountview.h"

static void add(struct peer_groups *groups, struct peer_group group)
{
	groups->list = xgrow(groups->list, groups->nr, sizeof(*groups->list));
	groups->list[groups->nr++] = group;
}

/**
 * peer_groups_add() - add the groups that a line of mountinfo shows
 * @groups: {} at first; peer_groups_sort() must be called before anything is looked up
 */
void peer_groups_add(struct peer_groups *groups, const struct mount_line *line)
{
	if (line->shared)
		add(groups, (struct peer_group){ line->shared, line->master, true });
	if (line->master)
		add(groups, (struct peer_group){ line->master, line->from, false });
}

/* Of several for the same group, the best comes first. */
static int compare_groups(const void *a, const void *b)
{
	const struct peer_group *x = a, *y = b;

	return COMPARE(x->id, y->id) ?: COMPARE(y->shown, x->shown) ?:
	       COMPARE(y->parent, x->parent);
}

static int compare_ids(const void *a, const void *b)
{
	const struct peer_group *x = a, *y = b;

	return COMPARE(x->id, y->id);
}

/**
 * peer_groups_sort() - keep one member for each group, sorted
 */
void peer_groups_sort(struct peer_groups *groups)
{
	size_t nr = 0;

	if (!groups->nr)
		return;
	qsort(groups->list, groups->nr, sizeof(*groups->list), compare_groups);
	for (size_t i = 0; i < groups->nr; i++) {
		if (!nr || groups->list[nr - 1].id != groups->list[i].id)
			groups->list[nr++] = groups->list[i];
	}
	groups->nr = nr;
}

/**
 * peer_groups_find() - a group by its number, or NULL
 */
const struct peer_group *peer_groups_find(const struct peer_groups *groups, unsigned int id)
{
	const struct peer_group wanted = { .id = id };

	if (!groups->nr)
		return NULL;
	return bsearch(&wanted, groups->list, groups->nr, sizeof(wanted), compare_ids);
}

/**
 * peer_groups_free() - free the list, which is empty and usable afterwards
 */
void peer_groups_free(struct peer_groups *groups)
{
	free(groups->list);
	*groups = (struct peer_groups){ };
}
