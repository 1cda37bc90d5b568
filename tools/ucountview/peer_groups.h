/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Peer groups of mounts, and which are slaves of which, as the mountinfo of processes shows them.
 */
#ifndef _UCV_PEER_GROUPS_H
#define _UCV_PEER_GROUPS_H

#include <stdbool.h>
#include <stddef.h>

#include "procfs.h"

/*
 * Groups above a mount that are followed, more than anyone has. Their numbers are reused, so those
 * that are read one after the other can be a cycle.
 */
#define PEER_LEVELS_MAX	64

/**
 * struct peer_group - a peer group
 * @id: its number, the same in every mountinfo
 * @parent: the group that its mounts are slaves of, or if it was not shown one above that; 0 if
 *	of none
 * @shown: a mount of it was shown, so that none is between it and @parent
 */
struct peer_group {
	unsigned int id;
	unsigned int parent;
	bool shown;
};

/* Those that were found; {} at first. */
struct peer_groups {
	struct peer_group *list;
	size_t nr;
};

void peer_groups_add(struct peer_groups *groups, const struct mount_line *line);
void peer_groups_sort(struct peer_groups *groups);
const struct peer_group *peer_groups_find(const struct peer_groups *groups, unsigned int id);
void peer_groups_free(struct peer_groups *groups);

/**
 * peer_group_is_lost() - whether it is not known what a group is directly below
 * @group: the group; NULL if it was not found
 *
 * Of one that is not shown, @parent is the nearest that is shown where a slave of it is, and 0 if
 * there is none: others may be between.
 */
static inline bool peer_group_is_lost(const struct peer_group *group)
{
	return !group || !group->shown;
}

#endif /* _UCV_PEER_GROUPS_H */
