// SPDX-License-Identifier: GPL-2.0
/*
 * The walk over the table of ucounts: one record for each (user namespace, uid) that the
 * kernel has counters for.
 *
 * One bucket at a time is locked, or read under RCU, and only numbers are copied in that
 * section. Memory is reserved before it. If a bucket holds more entries than that, the
 * walk leaves it, reserves more, and reads the bucket again from its start.
 */
#include <linux/cred.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "compat/ucounts.h"
#include "walk/walk.h"

/*
 * Fill a record from an entry.
 *
 * The entry is alive because its bucket is locked (up to 6.17), or because it was found
 * in this RCU read section and is freed after a grace period. Its namespace is only
 * passed to ucv_nsmap_index(), which knows how to pin it.
 */
static int ucv_copy_entry(struct ucv_walk *walk, struct ucounts *entry,
			  struct ucv_ucounts *record)
{
	int userns = ucv_nsmap_index(&walk->map, entry->ns);

	if (userns < 0)
		return userns;
	record->userns = userns;
	record->uid = __kuid_val(entry->uid);
	record->uid_in_ns = record->uid;
	record->flags = 0;
	record->reserved[0] = 0;
	record->reserved[1] = 0;
	ucv_ucounts_read(entry, record->used);
	return 0;
}

/*
 * Append the entries of a bucket to the records. Nothing is added on failure: -ENOSPC if
 * there is no capacity for all of them, with the least that is needed in *least.
 */
static int ucv_copy_bucket(struct ucv_walk *walk, unsigned int bucket, u32 *least)
{
	struct ucv_snap *snap = walk->snap;
	struct ucv_array *records = &snap->records[UCV_KIND_UCOUNTS];
	u32 nr = records->nr, run = 0, skipped = 0;
	void *record = NULL;
	struct ucounts *entry;
	int ret = 0;

	ucv_ucounts_lock_bucket();
	ucv_section_begin(&snap->timer);
	for (entry = ucv_ucounts_first(bucket); entry; entry = ucv_ucounts_next(entry)) {
		if (ucv_ucounts_is_dead(entry))
			continue;
		if (nr == records->max) {
			ret = -ENOSPC;
			break;
		}
		if (!run) {
			record = ucv_array_at(records, nr);
			run = ucv_array_run(records, nr);
		}
		ret = ucv_copy_entry(walk, entry, record);
		if (ret == -ENOSPC)
			break;
		if (ret) {
			skipped++;
			ret = 0;
			continue;
		}
		record += records->stride;
		run--;
		nr++;
	}
	ucv_section_end(&snap->timer);
	ucv_ucounts_unlock_bucket();

	*least = nr - records->nr + 1;
	if (ret)
		return ret;
	records->nr = nr;
	snap->skipped += skipped;
	return 0;
}

static int ucv_walk_bucket(struct ucv_walk *walk, unsigned int bucket)
{
	u32 least;
	int ret;

	if (ucv_ucounts_bucket_empty(bucket))
		return 0;
	for (;;) {
		ret = ucv_copy_bucket(walk, bucket, &least);
		if (ret != -ENOSPC)
			return ret;
		ret = ucv_walk_reserve(walk, UCV_KIND_UCOUNTS, least);
		if (ret)
			return ret;
		if (fatal_signal_pending(current))
			return -EINTR;
	}
}

/**
 * ucv_walk_ucounts() - make a record for each entry of the table
 * @walk: the walk; the namespaces are added to its map
 *
 * Context: process context, no locks held. Sleeps.
 * Return: 0, -EFBIG, -ENOMEM or -EINTR
 */
int ucv_walk_ucounts(struct ucv_walk *walk)
{
	unsigned int bucket;
	int ret;

	for (bucket = 0; bucket < ucv_ucounts_nr_buckets; bucket++) {
		ret = ucv_walk_bucket(walk, bucket);
		if (ret)
			return ret;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

/*
 * Root in the initial user namespace can have two entries: the kernel allocates one
 * before it inserts the static init_ucounts in front of it. A lookup stops at the first,
 * so the second is not charged any more. No other (namespace, uid) can occur twice: the
 * kernel looks up and inserts under one lock.
 */
static void ucv_mark_shadowed(struct ucv_walk *walk, struct ucv_ucounts *record)
{
	if (walk->root_seen)
		record->flags |= UCV_UCOUNTS_SHADOWED;
	walk->root_seen = true;
}

/* Finish @nr records that are contiguous in memory. */
static void ucv_finish_run(struct ucv_walk *walk, void *records, u32 nr)
{
	struct ucv_ucounts *record = records;

	for (; nr; nr--, record = (void *)record + UCV_UCOUNTS_STRIDE) {
		ucv_snap_userns(walk->snap, record->userns)->nr_ucounts++;
		if (record->userns)
			record->uid_in_ns = ucv_nsmap_uid(&walk->map, record->userns,
							  record->uid);
		else if (!record->uid)
			ucv_mark_shadowed(walk, record);
	}
}

/**
 * ucv_finish_ucounts() - finish the records, when those of the namespaces have been made
 * @walk: the walk
 *
 * Counts the records of each namespace, and translates their uids into it.
 *
 * Context: process context, no locks held. Sleeps.
 */
void ucv_finish_ucounts(struct ucv_walk *walk)
{
	struct ucv_array *records = &walk->snap->records[UCV_KIND_UCOUNTS];
	u32 first, run;

	for (first = 0; first < records->nr; first += run) {
		run = min(ucv_array_run(records, first), records->nr - first);
		ucv_finish_run(walk, ucv_array_at(records, first), run);
		cond_resched();
	}
}
