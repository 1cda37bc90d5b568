/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A snapshot: the kernel's tables as the module read them, in the records of the ABI.
 */
#ifndef _UCV_SNAPSHOT_H
#define _UCV_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>

#include <uapi/ucountview.h>

#include "index.h"

/* Indices of the records, made when something is looked up for the first time. */
struct snapshot_lookups {
	struct index users;	/* user namespace and uid: @ucounts */
	struct index userns;	/* inode number */
	struct index mntns;	/* likewise */
};

/**
 * struct snapshot - one snapshot; every index in its records is valid
 * @info: what the module reports about itself
 * @taken: when it was taken, and which kinds it has
 * @left_out: UCV_MASK() of the kinds left out as the module had no memory for them
 * @resources: the counters' names; at most UCV_MAX_RESOURCES
 * @denials: the number of denials per limit
 * @lookups: for snapshot_find() and the like
 * @fd: the file whose snapshot has the counters, if they are not in @ucounts; else -1
 */
struct snapshot {
	struct ucv_info info;
	struct ucv_snapshot taken;
	__u64 left_out;
	struct ucv_resource *resources;
	size_t nr_resources;
	struct ucv_userns *userns;
	size_t nr_userns;
	struct ucv_ucounts *ucounts;
	size_t nr_ucounts;
	struct ucv_group *groups;
	size_t nr_groups;
	struct ucv_holder *holders;
	size_t nr_holders;
	struct ucv_mntns *mntns;
	size_t nr_mntns;
	struct ucv_denial_count *denials;
	size_t nr_denials;
	struct snapshot_lookups *lookups;
	int fd;
};

typedef void ucounts_fn(void *arg, const struct ucv_ucounts *uc, size_t nr);

void snapshot_take(struct snapshot *snap, __u64 needed, __u64 useful);
void snapshot_take_sparing(struct snapshot *snap, __u64 needed, __u64 useful, __u64 spare);
void snapshot_begin(struct snapshot *snap);
void snapshot_each_ucounts(struct snapshot *snap, ucounts_fn *see, void *arg);
void snapshot_free(struct snapshot *snap);

const struct ucv_userns *snapshot_parent(const struct snapshot *snap, const struct ucv_userns *ns);
const struct ucv_ucounts *snapshot_find(const struct snapshot *snap, const struct ucv_userns *ns,
					__u32 uid);
size_t snapshot_resource(const struct snapshot *snap, const char *name);
const struct ucv_userns *snapshot_find_userns(const struct snapshot *snap, __u32 inum);
const struct ucv_mntns *snapshot_find_mntns(const struct snapshot *snap, __u32 inum);

#endif /* _UCV_SNAPSHOT_H */
