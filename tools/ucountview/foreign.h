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
 * struct holdings - what foreign processes hold, for one snapshot
 * @held: for each ucv_ucounts record, and each resource, how much of the counter
 * @userns_others: for each ucv_userns record: it is foreign, and new since the command began
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

/**
 * struct pins - namespaces that open files and bind mounts pin
 * @inums: their inode numbers
 * @nr: how many
 */
struct pins {
	__u32 *inums;
	size_t nr;
};

void pins_find(struct pins *pins, const struct processes *procs);
bool pins_have(const struct pins *pins, __u32 inum);
void pins_free(struct pins *pins);

/**
 * struct census - namespaces of the types that the module does not list
 * @before: those before the command
 * @now: those at the last sample
 * @taken: @now is up to date
 */
struct census {
	struct ns_files before;
	struct ns_files now;
	bool taken;
};

void census_before(struct census *census, const struct processes *procs);
long long census_others(struct census *census, const struct snapshot *snap,
			const struct processes *procs, const struct series_key *key);
void census_free(struct census *census);

#endif /* _UCV_FOREIGN_H */
