/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What no group that is held open explains of the counters.
 */
#ifndef _UCV_REMAINDERS_H
#define _UCV_REMAINDERS_H

#include "snapshot.h"

/**
 * struct remainder - what is left of a user's counters of inotify or fanotify
 * @uc: whose: the record that new charges go to
 * @type: an enum ucv_group_type
 * @groups: instances or groups that nobody is known to hold; can be negative where things
 *	change while they are read
 * @marks: watches or marks, likewise
 */
struct remainder {
	const struct ucv_ucounts *uc;
	__u32 type;
	long long groups;
	long long marks;
};

/**
 * struct remainders - those that are not 0
 * @list: in the order of the records
 * @nr: how many
 */
struct remainders {
	struct remainder *list;
	size_t nr;
};

void remainders_find(struct remainders *remainders, const struct snapshot *snap);
void remainders_free(struct remainders *remainders);

#endif /* _UCV_REMAINDERS_H */
