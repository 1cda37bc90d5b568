/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Namespaces of all types, and what keeps each of them: processes, descriptors, mounts, and other
 * namespaces.
 */
#ifndef _UCV_NAMESPACES_H
#define _UCV_NAMESPACES_H

#include <stddef.h>

#include "procfs.h"
#include "snapshot.h"

/* How a namespace is held. */
enum ns_via {
	VIA_MEMBER,	/* a process is in it, or its children will be */
	VIA_OPEN,	/* a process has its file open */
	VIA_MOUNT,	/* its file is bind mounted */
	VIA_CHILD,	/* it is the parent of a namespace, or owns it */
};

/**
 * struct namespace - one of them, with the user that it is charged to
 * @owner: inode number of the user namespace where it is charged; 0 if not known
 * @uid: the user charged there; UCV_UID_UNMAPPED if not known
 * @uncharged: it is charged to no user
 * @parent: inode number of the parent of a pid namespace; 0 if not known
 * @nr_holds: how many struct ns_hold refer to it
 * @last: the last of them, counted from 1
 * @chosen: for the caller
 */
struct namespace {
	enum namespace_type type;
	__u32 inum;
	__u32 owner;
	__u32 uid;
	bool uncharged;
	__u32 parent;
	size_t nr_holds;
	size_t last;
	bool chosen;
};

/**
 * struct ns_hold - what holds a namespace
 * @proc: the process; of a mount, the one with the lowest PID that sees it; of a namespace, NULL
 * @tid: its thread, the first that was found in the namespace
 * @fd: its lowest descriptor
 * @nr: how many threads, descriptors or mounts there are
 * @by: the mount namespace that has the mount, or the child, by inode number
 * @by_type: type of the child
 * @path: where one of the mounts is, as in mountinfo; allocated, or NULL
 */
struct ns_hold {
	struct namespace *ns;
	enum ns_via via;
	const struct process *proc;
	unsigned int tid;
	unsigned int fd;
	unsigned int nr;
	__u32 by;
	enum namespace_type by_type;
	char *path;
};

/* All that were found but the initial ones; {} at first. */
struct namespaces {
	struct namespace **list;
	size_t nr;
	void *tree;
	struct ns_hold *holds;
	size_t nr_holds;
};

void namespaces_read(struct namespaces *found, const struct processes *procs, unsigned int wanted);
void namespaces_complete(struct namespaces *found, const struct snapshot *snap);
void namespaces_free(struct namespaces *found);

#endif /* _UCV_NAMESPACES_H */
