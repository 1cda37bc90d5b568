/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Compare counters with the objects known to be charged to them.
 */
#ifndef _UCV_ACCOUNTING_H
#define _UCV_ACCOUNTING_H

#include <stdbool.h>
#include <stddef.h>

#include "charge.h"
#include "countermap.h"
#include "procfs.h"
#include "snapshot.h"

/* What is charged, one of @userns, @mntns and @group; to (@ns, @uid) first; and how much. */
struct object {
	const struct ucv_userns *userns;
	const struct ucv_mntns *mntns;
	const struct ucv_group *group;	/* or its marks */
	const struct ucv_userns *ns;
	__u32 uid;
	size_t resource;
	long long nr;
};

typedef void (*object_visitor)(void *arg, const struct object *object);

void objects_visit(const struct snapshot *snap, object_visitor visit, void *arg);

/* Samples of the counters: before and after /proc is read. */
enum look {
	LOOK_FIRST,
	LOOK_SECOND,
	NR_LOOKS,
};

/* What is added up for a counter. */
enum account_part {
	CHARGED,	/* the counter itself */
	BELOW,		/* charges of the child user namespaces */
	FOUND,		/* objects charged at this very level */
	FOUND_LAGGING,	/* more of them, whose number may be slightly too high */
	NR_PARTS,
};

/**
 * struct account - one counter
 * @key: which; uid UCV_UID_UNMAPPED stands for all users of the namespace
 * @nr: its parts, in each sample
 * @compared: something was found to compare with
 * @whole: @FOUND is complete
 * @wrong: for the caller
 */
struct account {
	struct counter_key key;
	long long nr[NR_PARTS][NR_LOOKS];
	bool compared;
	bool whole;
	const char *wrong;
};

void accounts_add_snapshot(struct countermap *accounts, const struct snapshot *snap,
			   enum look look, bool all);
void accounts_add_namespaces(struct countermap *accounts, const struct snapshot *snap,
			     const struct ns_files *files);
void accounts_add_mounts(struct countermap *accounts, const struct snapshot *snap,
			 const struct mount_trees *trees);
long long account_counter(const struct account *account);
long long account_expected(const struct account *account);
const char *account_wrong(const struct account *account);
long long unattributed(const struct countermap *accounts, const struct ucv_userns *ns, __u32 uid,
		       size_t resource);

bool holders_known_of(const char *resource);
char *held_by(const struct snapshot *snap, const struct charge *charge, size_t resource);
char *counted_as_processes(const struct snapshot *snap, const struct processes *procs,
			   const struct charge *charge);
bool held_by_nobody(const struct snapshot *snap, const struct charge *charge, size_t resource);

#endif /* _UCV_ACCOUNTING_H */
