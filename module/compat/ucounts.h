/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's table of ucounts: how it is locked, iterated and read.
 *
 * The table is a hash of struct ucounts, private to kernel/ucount.c. What keeps
 * an entry alive, by kernel:
 *
 * - up to 6.14 the lock of the table alone: an entry is taken out of the table
 *   under it, and freed at once;
 * - since 6.15 an entry is freed after a grace period (kfree_rcu), so an RCU
 *   read section keeps what was found in the table.
 *
 * The namespace that an entry points to is another matter, see compat/userns.h.
 * Only when that, too, is freed after a grace period does the walk do without
 * the lock.
 */
#ifndef UCV_COMPAT_UCOUNTS_H
#define UCV_COMPAT_UCOUNTS_H

#include <linux/atomic.h>
#include <linux/rculist.h>
#include <linux/rcupdate.h>
#include <linux/rculist_nulls.h>
#include <linux/spinlock.h>
#include <linux/user_namespace.h>

#include "compat/features.h"
#include "compat/resources.h"

#define UCV_UCOUNTS_LOCKLESS	(UCV_HAVE_NS_RCU && UCV_HAVE_UCOUNTS_NULLS)

#if UCV_HAVE_UCOUNTS_NULLS
#define ucv_ucounts_head	hlist_nulls_head
#else
#define ucv_ucounts_head	hlist_head
#endif

extern struct ucv_ucounts_head *ucv_ucounts_table;
extern unsigned int ucv_ucounts_nr_buckets;
extern spinlock_t *ucv_ucounts_lock;

struct ucv_btf;

int ucv_ucounts_init(const struct ucv_btf *btf);
int ucv_ucounts_peek(const struct user_namespace *ns, kuid_t uid, unsigned int resource,
		     s64 *used);

/**
 * ucv_ucounts_lock_bucket() - keep the entries of a bucket, and what they point
 *	to, where they are
 *
 * Context: any but with the table's lock held. Until ucv_ucounts_unlock_bucket()
 *	the caller must not sleep; with the lock, interrupts are off.
 */
static inline void ucv_ucounts_lock_bucket(void)
{
#if UCV_UCOUNTS_LOCKLESS
	rcu_read_lock();
#else
	spin_lock_irq(ucv_ucounts_lock);
#endif
}

/**
 * ucv_ucounts_unlock_bucket() - the end of ucv_ucounts_lock_bucket()
 */
static inline void ucv_ucounts_unlock_bucket(void)
{
#if UCV_UCOUNTS_LOCKLESS
	rcu_read_unlock();
#else
	spin_unlock_irq(ucv_ucounts_lock);
#endif
}

/**
 * ucv_ucounts_bucket_empty() - is there nothing to lock a bucket for?
 * @bucket: its number
 *
 * A glance at the head, without following it, so it needs no lock. An entry
 * that is being added at this moment may be missed; one that was there before
 * is not.
 */
static inline bool ucv_ucounts_bucket_empty(unsigned int bucket)
{
#if UCV_HAVE_UCOUNTS_NULLS
	return is_a_nulls(READ_ONCE(ucv_ucounts_table[bucket].first));
#else
	return !READ_ONCE(ucv_ucounts_table[bucket].first);
#endif
}

#if UCV_HAVE_UCOUNTS_NULLS
static inline struct ucounts *ucv_ucounts_entry(struct hlist_nulls_node *node)
{
	return is_a_nulls(node) ? NULL : hlist_nulls_entry(node, struct ucounts, node);
}
#endif

/**
 * ucv_ucounts_first() - the first entry of a bucket
 * @bucket: its number
 *
 * Context: between ucv_ucounts_lock_bucket() and ucv_ucounts_unlock_bucket(),
 *	which keep the entry alive.
 * Return: the entry, or NULL
 */
static inline struct ucounts *ucv_ucounts_first(unsigned int bucket)
{
	struct ucv_ucounts_head *head = &ucv_ucounts_table[bucket];

#if UCV_HAVE_UCOUNTS_NULLS
	return ucv_ucounts_entry(rcu_dereference_raw(hlist_nulls_first_rcu(head)));
#else
	return hlist_entry_safe(head->first, struct ucounts, node);
#endif
}

/**
 * ucv_ucounts_next() - the entry after another
 * @entry: from ucv_ucounts_first() or this function, in the same locked section
 *
 * Under RCU an entry that is taken out of the bucket keeps its way on, so the
 * walk goes through it to the end. It may miss what is added at the head
 * meanwhile.
 *
 * Context: as ucv_ucounts_first().
 * Return: the entry, or NULL
 */
static inline struct ucounts *ucv_ucounts_next(struct ucounts *entry)
{
#if UCV_HAVE_UCOUNTS_NULLS
	return ucv_ucounts_entry(rcu_dereference_raw(hlist_nulls_next_rcu(&entry->node)));
#else
	return hlist_entry_safe(entry->node.next, struct ucounts, node);
#endif
}

/**
 * ucv_ucounts_is_dead() - is an entry on its way out?
 * @entry: an entry of a locked bucket
 *
 * Its last reference is gone, and with it every charge. A new entry for the same
 * namespace and user may already be in the table.
 */
static inline bool ucv_ucounts_is_dead(struct ucounts *entry)
{
#if UCV_HAVE_UCOUNTS_NULLS
	return !rcuref_read(&entry->count);
#else
	return false;
#endif
}

/* The counters are atomic_t in old kernels and atomic_long_t in new ones. */
static inline s64 ucv_counter_read(const void *counter, size_t size)
{
	return size == sizeof(atomic_t) ? atomic_read((const atomic_t *)counter) :
					  atomic_long_read((const atomic_long_t *)counter);
}

/**
 * ucv_ucounts_one() - one counter of an entry
 * @entry: an entry of a locked bucket, or one that the caller holds
 * @resource: which counter of ucount[]
 */
static inline s64 ucv_ucounts_one(const struct ucounts *entry, unsigned int resource)
{
	return ucv_counter_read(&entry->ucount[resource], sizeof(entry->ucount[resource]));
}

/**
 * ucv_ucounts_read() - all counters of an entry
 * @entry: an entry of a locked bucket
 * @used: out: UCV_NR_RESOURCES values
 */
static inline void ucv_ucounts_read(const struct ucounts *entry, s64 *used)
{
	unsigned int i;

	for (i = 0; i < UCOUNT_COUNTS; i++)
		used[i] = ucv_ucounts_one(entry, i);
#if UCV_HAVE_UCOUNTS_RLIMIT
	for (i = 0; i < UCV_NR_RLIMITS; i++)
		used[UCOUNT_COUNTS + i] = ucv_counter_read(&entry->rlimit[i],
							   sizeof(entry->rlimit[i]));
#endif
}

#endif
