/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What of the counters is held by processes that are not ours.
 */
#ifndef _UCV_HOLDINGS_H
#define _UCV_HOLDINGS_H

#include <stdbool.h>

#include "processes.h"
#include "series.h"
#include "snapshot.h"

/**
 * struct holdings - what others hold, of one snapshot
 * @held: for each ucv_ucounts record, and each resource, how much of the counter
 * @userns_others: for each ucv_userns record: made meanwhile, by others
 * @mntns_others: for each ucv_mntns record: likewise
 */
struct holdings {
	long long (*held)[UCV_MAX_RESOURCES];
	bool *userns_others;
	bool *mntns_others;
};

void holdings_find(struct holdings *hold, const struct snapshot *snap,
		   const struct processes *procs, const struct series *before, bool all);
void holdings_free(struct holdings *hold);
bool holder_is_ours(const struct ucv_holder *holder, const struct processes *procs);

#endif /* _UCV_HOLDINGS_H */
