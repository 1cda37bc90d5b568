// SPDX-License-Identifier: GPL-2.0
/*
 * Namespaces of the types that the module does not list, before and now: how many of
 * those that a counter has more are others'. Nothing tells which user of its user
 * namespace is charged for one, so it may be any; whom the levels above charge is known.
 */
#include <string.h>

#include "census.h"
#include "ucountview.h"

/**
 * census_before() - look before
 * @census: where to; {} or to be looked at anew; to be freed with census_free()
 * @procs: the processes
 */
void census_before(struct census *census, const struct processes *procs)
{
	ns_files_open(&census->before, procs);
	ns_files_let_go(&census->before);
}

static void look_now(struct census *census, const struct processes *procs)
{
	if (census->taken)
		return;
	ns_files_close(&census->now);
	ns_files_open(&census->now, procs);
	ns_files_let_go(&census->now);
	census->taken = true;
}

/* Whether a namespace that @ns owns may count in the counter. */
static bool may_count(const struct snapshot *snap, const struct ucv_userns *ns,
		      const struct series_key *key)
{
	if (ns->inum == key->inum && ns->level == key->level)
		return true;
	for (; ns->parent != UCV_NO_INDEX; ns = snapshot_parent(snap, ns)) {
		const struct ucv_userns *parent = snapshot_parent(snap, ns);

		if (parent->inum == key->inum && parent->level == key->level)
			return ns->owner == key->uid;
	}
	return false;
}

static bool is_others(const struct census *census, const struct ns_file *file)
{
	return !file->ours && !ns_files_find(&census->before, file->type, file->inum);
}

/**
 * census_others() - how many of the namespaces that a counter counts are new and others'
 * @census: the census; looks now unless that is up to date
 * @snap: the last snapshot
 * @procs: the processes
 * @key: the counter
 *
 * Return: how many there may be at the most.
 */
long long census_others(struct census *census, const struct snapshot *snap,
			const struct processes *procs, const struct series_key *key)
{
	const char *resource;
	long long others = 0;

	if (key->resource >= snap->nr_resources)
		return 0;
	for (size_t type = 0; (resource = ns_type_resource(type)); type++) {
		if (strcmp(resource, snap->resources[key->resource].name))
			continue;
		look_now(census, procs);
		for (size_t i = 0; i < census->now.nr; i++) {
			const struct ns_file *file = &census->now.list[i];
			const struct ucv_userns *ns = snapshot_find_userns(snap, file->userns);

			if (file->type == type && ns && is_others(census, file) &&
			    may_count(snap, ns, key))
				others++;
		}
	}
	return others;
}

/**
 * census_free() - free what was found
 * @census: the census
 */
void census_free(struct census *census)
{
	ns_files_close(&census->before);
	ns_files_close(&census->now);
}
