// SPDX-License-Identifier: GPL-2.0
/*
 * The walk through the table of ucounts: one record for each (user namespace,
 * uid) that the kernel keeps counters for.
 *
 * One bucket at a time is kept from changing, and only numbers are copied
 * meanwhile. Memory is reserved before; if a bucket holds more than that, it is left,
 * more is reserved, and the bucket is read again from its start.
 */
#include <linux/cred.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "compat/ucounts.h"
#include "walk/walk.h"

/*
 * Fill a record from an entry.
 *
 * The entry is alive because its bucket is locked (up to 6.17), or because it
 * was found in this RCU read section and is freed after a grace period. The
 * namespace is only handed to ucv_nsmap_index(), which knows how to hold it.
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
 * Copy the entries of a bucket behind the records there are. Nothing is added
 * if it fails: -ENOSPC if there is no room for all of them.
 */
static int ucv_copy_bucket(struct ucv_walk *walk, unsigned int bucket)
{
	struct ucv_snap *snap = walk->snap;
	struct ucv_array *records = &snap->records[UCV_KIND_UCOUNTS];
	u32 nr = records->nr, skipped = 0;
	struct ucounts *entry;
	int ret = 0;

	ucv_ucounts_lock_bucket();
	ucv_hold_begin(&snap->hold);
	for (entry = ucv_ucounts_first(bucket); entry; entry = ucv_ucounts_next(entry)) {
		if (ucv_ucounts_is_dead(entry))
			continue;
		ret = nr < records->max ?
		      ucv_copy_entry(walk, entry, ucv_array_at(records, nr)) : -ENOSPC;
		if (ret == -ENOSPC)
			break;
		if (ret)
			skipped++;
		else
			nr++;
		ret = 0;
	}
	ucv_hold_end(&snap->hold);
	ucv_ucounts_unlock_bucket();

	if (ret)
		return ret;
	records->nr = nr;
	snap->skipped += skipped;
	return 0;
}

/* A bucket did not fit: reserve what it may have been that there was too little of. */
static int ucv_reserve(struct ucv_walk *walk)
{
	struct ucv_array *records = &walk->snap->records[UCV_KIND_UCOUNTS];

	if (!ucv_array_has_room(&walk->map.slot, UCV_USERNS_LEVELS))
		return ucv_nsmap_reserve(walk);
	return ucv_array_reserve(walk->snap, records, records->max - records->nr + 1);
}

static int ucv_walk_bucket(struct ucv_walk *walk, unsigned int bucket)
{
	int ret;

	if (ucv_ucounts_bucket_empty(bucket))
		return 0;
	for (;;) {
		ret = ucv_copy_bucket(walk, bucket);
		if (ret != -ENOSPC)
			return ret;
		ret = ucv_reserve(walk);
		if (ret)
			return ret;
		if (fatal_signal_pending(current))
			return -EINTR;
	}
}

/*
 * Root in the initial user namespace can have two entries: the kernel allocates
 * one before it puts the static init_ucounts in front of it. A search ends at
 * the first, so the second one is not charged any more. No other (namespace,
 * uid) can be there twice: the kernel searches and adds under one lock.
 */
static void ucv_mark_shadowed(struct ucv_snap *snap)
{
	bool seen = false;
	u32 i;

	for (i = 0; i < snap->records[UCV_KIND_UCOUNTS].nr; i++) {
		struct ucv_ucounts *record = ucv_snap_ucounts(snap, i);

		if (record->userns || record->uid)
			continue;
		if (seen)
			record->flags |= UCV_UCOUNTS_SHADOWED;
		seen = true;
	}
}

/**
 * ucv_walk_ucounts() - make a record for each entry of the table
 * @walk: the walk; its map learns of the namespaces
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
	ucv_mark_shadowed(walk->snap);
	return 0;
}
