/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The walks: one file for each kernel table, all filling one snapshot.
 */
#ifndef UCV_WALK_H
#define UCV_WALK_H

#include <linux/limits.h>
#include <linux/types.h>

#include "compat/files.h"
#include "compat/fsnotify.h"
#include "compat/userns.h"
#include "index.h"
#include "snapshot.h"

struct files_struct;
struct task_struct;

/**
 * struct ucv_nsmap_slot - a user namespace that the walk has found
 * @ref: the reference or copy that keeps it readable
 * @parent: index of the parent's slot, or UCV_NO_INDEX for the initial namespace
 * @pid: a process in it, 0 if none has been found
 * @comm: that process's command
 */
struct ucv_nsmap_slot {
	struct ucv_userns_ref ref;
	u32 parent;
	u32 pid;
	char comm[UCV_COMM_LEN];
};

/**
 * struct ucv_nsmap - the user namespaces that the walk has found
 * @slot: struct ucv_nsmap_slot, in the order of discovery, the initial namespace
 *	first; a slot's index becomes the index of its record
 * @index: by address
 * @last: the slot that was looked up last, or NULL; what one namespace has is often found
 *	in a row. Slots do not move, and ucv_nsmap_shrink() forgets it before it puts any.
 * @last_index: its index
 */
struct ucv_nsmap {
	struct ucv_array slot;
	struct ucv_index index;
	const struct ucv_nsmap_slot *last;
	u32 last_index;
};

/**
 * struct ucv_grpmap_slot - a group that the walk has found
 * @ref: the reference that pins it; empty once it has been put
 * @key: its address, for comparison only
 * @visit: number of the last file table visit that found it
 * @holder: index of the holder record of that table's owner, or UCV_NO_INDEX if it
 *	has none
 */
struct ucv_grpmap_slot {
	struct ucv_group_ref ref;
	const struct fsnotify_group *key;
	u32 visit;
	u32 holder;
};

/**
 * struct ucv_grpmap - the groups that the walk has found
 * @slot: struct ucv_grpmap_slot, by index of the record
 * @visit: number of the file table visit in progress
 * @swept: the slot to check next for a group that has been closed
 * @index: by address
 */
struct ucv_grpmap {
	struct ucv_array slot;
	u32 visit;
	u32 swept;
	struct ucv_index index;
};

/**
 * struct ucv_tabset_slot - a file table that a walk over the tasks has visited
 * @files: its address, only for comparison
 * @tgid: the process, so that a table allocated at the same address for another
 *	process is not mistaken for it
 */
struct ucv_tabset_slot {
	const struct files_struct *files;
	u32 tgid;
};

/**
 * struct ucv_tabset - the file tables that a walk over the tasks has visited, except
 *	those reached through a thread group leader
 * @slot: struct ucv_tabset_slot
 * @index: by address
 */
struct ucv_tabset {
	struct ucv_array slot;
	struct ucv_index index;
};

/**
 * struct ucv_walk - one walk over the tables
 * @snap: the snapshot that it fills
 * @map: the user namespaces found so far
 * @mntns: the mount namespaces found so far: their records, by ID
 * @grpmap: the groups found so far
 * @tabset: the file tables visited so far
 * @root_seen: the first record of root in the initial namespace has been finished
 */
struct ucv_walk {
	struct ucv_snap *snap;
	struct ucv_nsmap map;
	struct ucv_index mntns;
	struct ucv_grpmap grpmap;
	struct ucv_tabset tabset;
	bool root_seen;
};

/**
 * struct ucv_task_visitor - callbacks of a walk over the tasks
 * @files: does the visit need the file tables? If so, the walk's tabset has capacity
 *	for each task of a section.
 * @prepare: called before each RCU read section, with no locks held; may sleep,
 *	reserve memory, and return an error to end the walk
 * @visit: called for a task, in the RCU read section that protects it. @pos is at
 *	the start of its files when the visit begins, and survives -EAGAIN and -ENOSPC.
 *	Returns 0 when done with the task, -EAGAIN if the section has used up its
 *	steps, -ENOSPC if memory must be reserved. In the latter two cases it is called
 *	again for the task in the next section.
 */
struct ucv_task_visitor {
	bool files;
	int (*prepare)(struct ucv_walk *walk);
	int (*visit)(struct ucv_walk *walk, struct task_struct *task,
		     struct ucv_files_pos *pos);
};

/* walk/reserve.c */
int ucv_walk_reserve(struct ucv_walk *walk, unsigned int kind, u32 least);

/* walk/ucounts.c */
int ucv_walk_ucounts(struct ucv_walk *walk);
void ucv_finish_ucounts(struct ucv_walk *walk);

/* walk/tasks.c */
int ucv_visit_tasks(struct ucv_walk *walk, const struct ucv_task_visitor *visitor);
bool ucv_task_files_due(struct ucv_walk *walk, struct task_struct *task,
			struct ucv_files_pos *pos);
int ucv_walk_tasks(struct ucv_walk *walk);

/* walk/userns.c */
int ucv_nsmap_init(struct ucv_walk *walk);
void ucv_nsmap_destroy(struct ucv_walk *walk);
int ucv_nsmap_look_up(struct ucv_nsmap *map, struct user_namespace *ns);
u32 ucv_nsmap_uid(struct ucv_nsmap *map, u32 index, u32 uid);
int ucv_nsmap_add_task(struct ucv_nsmap *map, struct task_struct *task);
int ucv_nsmap_finish(struct ucv_walk *walk);

/* walk/mntns.c */
int ucv_walk_mntns(struct ucv_walk *walk);
int ucv_mntmap_add_task(struct ucv_walk *walk, struct task_struct *task,
			struct ucv_files_pos *pos);

/* walk/fsnotify.c */
int ucv_walk_holders(struct ucv_walk *walk);

/**
 * ucv_nsmap_index() - get the index of a namespace; it and its ancestors are pinned, or
 *	copied, from now on
 * @map: of the walk
 * @ns: reached in one of the ways listed at ucv_userns_get()
 *
 * Context: in the locked section in which @ns was reached. Does not sleep.
 * Return: the index; -ENOSPC if the map may lack capacity for it and its
 *	ancestors; -ESTALE if it is dying
 */
static inline int ucv_nsmap_index(struct ucv_nsmap *map, struct user_namespace *ns)
{
	if (map->last && ucv_userns_is(&map->last->ref, ns))
		return map->last_index;
	return ucv_nsmap_look_up(map, ns);
}

#endif
