/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The walks: one file for each table of the kernel, all filling one snapshot.
 */
#ifndef UCV_WALK_H
#define UCV_WALK_H

#include <linux/limits.h>
#include <linux/types.h>

#include "kernel/groups.h"
#include "kernel/userns.h"
#include "snapshot.h"

struct task_struct;

#define UCV_NSMAP_HEADS		1024

/**
 * struct ucv_nsmap_slot - a user namespace that the walk has met
 * @ref: what keeps it readable
 * @next: index of the next slot with the same hash, or UCV_NO_INDEX
 * @parent: index of the parent's slot, or UCV_NO_INDEX for the initial namespace
 * @pid: a process in it, 0 if none has been met
 * @comm: that process's command
 */
struct ucv_nsmap_slot {
	struct ucv_userns_ref ref;
	u32 next;
	u32 parent;
	u32 pid;
	char comm[UCV_COMM_LEN];
};

/**
 * struct ucv_nsmap - the user namespaces that the walk has met
 * @slot: in the order in which they were met, the initial one first; a slot's
 *	index becomes the index of its record
 * @nr: slots in use
 * @max: slots there is room for
 * @head: by hash of the address, the index of the newest slot
 */
struct ucv_nsmap {
	struct ucv_nsmap_slot *slot;
	u32 nr;
	u32 max;
	u32 head[UCV_NSMAP_HEADS];
};

#define UCV_MNTMAP_HEADS	1024

/**
 * struct ucv_mntmap - the mount namespaces that the walk has met
 * @next: by index of the record, the index of the next with the same hash
 * @max: records that @next has room for
 * @head: by hash of the id, the index of the newest record
 */
struct ucv_mntmap {
	u32 *next;
	u32 max;
	u32 head[UCV_MNTMAP_HEADS];
};

#define UCV_GRPMAP_HEADS	1024

/**
 * struct ucv_grpmap_slot - a group that the walk has met
 * @ref: what keeps it; empty once it has been let go
 * @key: its address, for finding its hash after that
 * @next: index of the next slot with the same hash, or UCV_NO_INDEX
 */
struct ucv_grpmap_slot {
	struct ucv_group_ref ref;
	const struct fsnotify_group *key;
	u32 next;
};

/**
 * struct ucv_grpmap - the groups that the walk has met
 * @slot: by index of the record
 * @nr: slots in use
 * @max: slots there is room for
 * @swept: the slot to look at next for a group that has been closed
 * @head: by hash of the address, the index of the newest slot
 */
struct ucv_grpmap {
	struct ucv_grpmap_slot *slot;
	u32 nr;
	u32 max;
	u32 swept;
	u32 head[UCV_GRPMAP_HEADS];
};

/**
 * struct ucv_walk - one walk through the tables
 * @snap: where the records go
 * @map: the user namespaces met so far
 * @mntmap: the mount namespaces met so far
 * @grpmap: the groups met so far
 */
struct ucv_walk {
	struct ucv_snap *snap;
	struct ucv_nsmap map;
	struct ucv_mntmap mntmap;
	struct ucv_grpmap grpmap;
};

/**
 * struct ucv_task_visitor - what is done with each task
 * @batch: tasks visited in one RCU read section
 * @prepare: called before each batch of tasks, with no locks held; may sleep, make
 *	room, and return an error to end the walk
 * @visit: called for a task, in the RCU read section that keeps it. @fd is 0 when
 *	the visit begins and survives -EAGAIN and -ENOSPC.
 *	Returns 0 when done with the task, -EAGAIN to be called again for it after
 *	others have had their chance, -ENOSPC likewise if there is no room.
 */
struct ucv_task_visitor {
	unsigned int batch;
	int (*prepare)(struct ucv_walk *walk);
	int (*visit)(struct ucv_walk *walk, struct task_struct *task, unsigned int *fd);
};

/* walk/walk.c */
int ucv_walk(struct ucv_snap *snap);

/* walk/ucounts.c */
int ucv_walk_ucounts(struct ucv_walk *walk);

/* walk/tasks.c */
int ucv_visit_tasks(struct ucv_walk *walk, const struct ucv_task_visitor *visitor);
int ucv_walk_tasks(struct ucv_walk *walk);

/* walk/userns.c */
int ucv_nsmap_init(struct ucv_walk *walk);
void ucv_nsmap_destroy(struct ucv_walk *walk);
int ucv_nsmap_grow(struct ucv_walk *walk);
int ucv_nsmap_index(struct ucv_nsmap *map, struct user_namespace *ns);
int ucv_nsmap_meet_task(struct ucv_nsmap *map, struct task_struct *task);
int ucv_nsmap_finish(struct ucv_walk *walk);

/* walk/mntns.c */
void ucv_mntmap_init(struct ucv_walk *walk);
void ucv_mntmap_destroy(struct ucv_walk *walk);
int ucv_mntmap_make_room(struct ucv_walk *walk);
int ucv_walk_mntns(struct ucv_walk *walk);
int ucv_mntmap_meet_task(struct ucv_walk *walk, struct task_struct *task, unsigned int *fd);

/* walk/holders.c */
int ucv_walk_holders(struct ucv_walk *walk);

#endif
