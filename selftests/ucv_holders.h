/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Shared by the tests of groups and holders: snapshots that include them, and what can be
 * computed from them according to the ABI.
 *
 * Functions return a negative errno on failure unless noted otherwise.
 */
#ifndef _UCV_HOLDERS_H
#define _UCV_HOLDERS_H

#include "ucv_test.h"

/* A complete snapshot of counters, groups and holders. */
struct ucv_held {
	struct ucv_table table;
	unsigned int nr_groups;
	unsigned int nr_holders;
	struct ucv_group *groups;
	struct ucv_holder *holders;
};

int ucv_held_take_from(int fd, struct ucv_held *held);
int ucv_held_take(struct ucv_held *held);
void ucv_held_free(struct ucv_held *held);
const char *ucv_held_inconsistent(const struct ucv_held *held);

/* A holder by its lowest descriptor, or NULL. @tid is 0 for the file table of the process. */
const struct ucv_holder *ucv_holder(const struct ucv_held *held, pid_t tgid, pid_t tid, int fd);
const struct ucv_group *ucv_group_held(const struct ucv_held *held, pid_t tgid, pid_t tid, int fd);

/* The number of groups charged to a user of a namespace, and of their holders. */
unsigned int ucv_groups_of(const struct ucv_held *held, unsigned int inum, unsigned int uid);
unsigned int ucv_holders_of(const struct ucv_held *held, unsigned int inum, unsigned int uid);

/* A counter minus what groups account for, including those of descendant namespaces. */
long long ucv_left(const struct ucv_held *held, unsigned int inum,
		   unsigned int uid, const char *resource);
long long ucv_left_now(unsigned int inum, unsigned int uid, const char *resource);

#endif /* _UCV_HOLDERS_H */
