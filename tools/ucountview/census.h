/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Namespaces of the types that the module does not list, before and now.
 */
#ifndef _UCV_CENSUS_H
#define _UCV_CENSUS_H

#include <stdbool.h>

#include "nsfiles.h"
#include "series.h"
#include "snapshot.h"

/**
 * struct census - what was found
 * @before: before
 * @now: now
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

#endif /* _UCV_CENSUS_H */
