/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What processes that do not descend from this program (foreign ones) hold of the counters.
 */
#ifndef _UCV_FOREIGN_H
#define _UCV_FOREIGN_H

#include <stdbool.h>
#include <stddef.h>

#include "countermap.h"
#include "procfs.h"
#include "snapshot.h"

/**
 * struct foreign - what foreign processes hold, for one snapshot
 * @held: for each ucv_ucounts record, and each resource, how much of the counter
 * @userns: for each ucv_userns record: it is foreign, and new since the command began
 * @mntns: for each ucv_mntns record: likewise
 */
struct foreign {
	long long (*held)[UCV_MAX_RESOURCES];
	bool *userns;
	bool *mntns;
};

void foreign_find(struct foreign *foreign, const struct snapshot *snap,
		  const struct processes *procs, const struct series *before, bool all);
void foreign_free(struct foreign *foreign);
bool holder_is_ours(const struct ucv_holder *holder, const struct processes *procs);

/* Namespaces of the types that the module does not list, before the command and now. */
struct census {
	struct ns_files before;
	struct ns_files now;
	bool taken;	/* @now is up to date */
};

void census_take(struct ns_files *files, const struct processes *procs);
long long census_foreign(struct census *census, const struct snapshot *snap,
			 const struct processes *procs, const struct counter_key *key);
void census_free(struct census *census);

#endif /* _UCV_FOREIGN_H */
