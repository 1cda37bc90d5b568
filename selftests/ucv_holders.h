/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of groups and holders share: snapshots with them, and what the ABI
 * says can be made of them.
 *
 * Functions return a negative errno when they fail, unless it says otherwise.
 */
#ifndef _UCV_HOLDERS_H
#define _UCV_HOLDERS_H

#include "ucv_test.h"

/* A snapshot of counters, groups and holders, read whole. */
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

/* By its lowest descriptor; NULL if there is none; @tid is 0 for the table of the process. */
const struct ucv_holder *ucv_holder(const struct ucv_held *held, pid_t tgid,
				    pid_t tid, int fd);
const struct ucv_group *ucv_group_held(const struct ucv_held *held, pid_t tgid,
				       pid_t tid, int fd);

/* Groups that are charged to a user of a namespace, and their holders. */
unsigned int ucv_groups_of(const struct ucv_held *held, unsigned int inum,
			   unsigned int uid);
unsigned int ucv_holders_of(const struct ucv_held *held, unsigned int inum,
			    unsigned int uid);

/* A counter without what the groups explain of it, descendants' included. */
long long ucv_left(const struct ucv_held *held, unsigned int inum,
		   unsigned int uid, const char *resource);
long long ucv_left_now(unsigned int inum, unsigned int uid,
		       const char *resource);

#endif /* _UCV_HOLDERS_H */
