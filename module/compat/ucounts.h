/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's ucounts table: locking, iteration and reading.
 *
 * The table is a hash of struct ucounts, private to kernel/ucount.c. What pins an entry,
 * by kernel:
 *
 * - up to 6.14: the table's lock alone. An entry is removed from the table under it, and
 *   freed at once;
 * - 6.15 and later: RCU. An entry is freed after a grace period (kfree_rcu), so an RCU
 *   read section pins what was found in the table.
 *
 * The namespace of an entry has its own rules, see compat/userns.h. Only where it, too,
 * is freed after a grace period does the walk go without the lock.
 */
#ifndef UCV_COMPAT_UCOUNTS_H
#define UCV_COMPAT_UCOUNTS_H

#include <linux/atomic.h>
#include <linux/lockdep.h>
#include <linux/rculist.h>
#include <linux/rcupdate.h>
#include <linux/rculist_nulls.h>
#include <linux/spinlock.h>
#include <linux/user_namespace.h>

#include "compat/features.h"
#include "compat/ns_common.h"
#include "compat/resources.h"

extern unsigned int ucv_ucounts_nr_buckets;
extern spinlock_t *ucv_ucounts_lock;

/*
 * UCV_UCOUNTS_LOCKLESS: are entries and their namespaces freed after a grace period, so
 * that a walk needs no lock?
 */
#if UCV_HAVE_UCOUNTS_NULLS

#define ucv_ucounts_head	hlist_nulls_head
#define UCV_UCOUNTS_LOCKLESS	UCV_NS_RCU

extern struct ucv_ucounts_head *ucv_ucounts_table;

static_assert(__same_type(((struct ucounts *)NULL)->node, struct hlist_nulls_node));
static_assert(__same_type(((struct ucounts *)NULL)->count, rcuref_t));

static inline struct ucounts *ucv_ucounts_entry(struct hlist_nulls_node *node)
{
	return is_a_nulls(node) ? NULL : hlist_nulls_entry(node, struct ucounts, node);
}

/* For rcu_dereference_check(): the table's lock pins entries as well. */
static inline bool ucv_ucounts_locked(void)
{
	return !UCV_UCOUNTS_LOCKLESS && lockdep_is_held(ucv_ucounts_lock);
}

/**
 * ucv_ucounts_bucket_empty() - is a bucket empty, so that it need not be locked?
 * @bucket: its number
 *
 * Reads the head without following it, so it needs no lock. May miss an entry that
 * is being added concurrently, but none that was there before.
 */
static inline bool ucv_ucounts_bucket_empty(unsigned int bucket)
{
	return is_a_nulls(READ_ONCE(ucv_ucounts_table[bucket].first));
}

/**
 * ucv_ucounts_first() - the first entry of a bucket
 * @bucket: its number
 *
 * Context: between ucv_ucounts_lock_bucket() and ucv_ucounts_unlock_bucket(), or
 *	ucv_ucounts_try_pin() and ucv_ucounts_unpin(), which pin the entry.
 * Return: the entry, or NULL
 */
static inline struct ucounts *ucv_ucounts_first(unsigned int bucket)
{
	struct ucv_ucounts_head *head = &ucv_ucounts_table[bucket];

	return ucv_ucounts_entry(rcu_dereference_check(hlist_nulls_first_rcu(head),
						       ucv_ucounts_locked()));
}

/**
 * ucv_ucounts_next() - the next entry of a bucket
 * @entry: from ucv_ucounts_first() or this function, in the same locked section
 *
 * Under RCU an entry that is removed from the bucket keeps its next pointer, so the walk
 * still reaches the end. It may miss entries added at the head concurrently.
 *
 * Context: as ucv_ucounts_first().
 * Return: the entry, or NULL
 */
static inline struct ucounts *ucv_ucounts_next(struct ucounts *entry)
{
	return ucv_ucounts_entry(rcu_dereference_check(hlist_nulls_next_rcu(&entry->node),
						       ucv_ucounts_locked()));
}

/**
 * ucv_ucounts_is_dead() - is an entry dying?
 * @entry: an entry of a locked bucket
 *
 * Its last reference is gone, and with it every charge. The table may already have
 * a new entry for the same namespace and user.
 */
static inline bool ucv_ucounts_is_dead(struct ucounts *entry)
{
	return !rcuref_read(&entry->count);
}

/**
 * ucv_ucounts_try_pin() - pin the entries of a bucket, but not their namespaces
 * @flags: for ucv_ucounts_unpin()
 *
 * Where entries are freed after a grace period, RCU is enough. Otherwise the table's lock
 * is taken, which is only held for a few instructions at a time. But on PREEMPT_RT it is
 * a sleeping lock, and its holder may have been preempted by the caller.
 *
 * Context: any but with the table's lock held. Does not sleep.
 * Return: false if it would have to wait (PREEMPT_RT)
 */
static inline bool ucv_ucounts_try_pin(unsigned long *flags)
{
	*flags = 0;
	rcu_read_lock();
	return true;
}

/**
 * ucv_ucounts_unpin() - undo ucv_ucounts_try_pin()
 * @flags: from it
 */
static inline void ucv_ucounts_unpin(unsigned long flags)
{
	rcu_read_unlock();
}

#else

#define ucv_ucounts_head	hlist_head
#define UCV_UCOUNTS_LOCKLESS	0

extern struct ucv_ucounts_head *ucv_ucounts_table;

static_assert(__same_type(((struct ucounts *)NULL)->node, struct hlist_node));

static inline bool ucv_ucounts_bucket_empty(unsigned int bucket)
{
	return !READ_ONCE(ucv_ucounts_table[bucket].first);
}

static inline struct ucounts *ucv_ucounts_first(unsigned int bucket)
{
	lockdep_assert_held(ucv_ucounts_lock);
	return hlist_entry_safe(ucv_ucounts_table[bucket].first, struct ucounts, node);
}

static inline struct ucounts *ucv_ucounts_next(struct ucounts *entry)
{
	lockdep_assert_held(ucv_ucounts_lock);
	return hlist_entry_safe(entry->node.next, struct ucounts, node);
}

static inline bool ucv_ucounts_is_dead(struct ucounts *entry)
{
	return false;
}

static inline bool ucv_ucounts_try_pin(unsigned long *flags)
{
	unsigned int tries;

	if (!IS_ENABLED(CONFIG_PREEMPT_RT)) {
		spin_lock_irqsave(ucv_ucounts_lock, *flags);
		return true;
	}
	for (tries = 0; tries < 100; tries++) {
		if (spin_trylock_irqsave(ucv_ucounts_lock, *flags))
			return true;
		cpu_relax();
	}
	return false;
}

static inline void ucv_ucounts_unpin(unsigned long flags)
{
	spin_unlock_irqrestore(ucv_ucounts_lock, flags);
}

#endif

#if UCV_UCOUNTS_LOCKLESS

/**
 * ucv_ucounts_lock_bucket() - pin the entries of a bucket and their namespaces
 *
 * Context: process context, interrupts enabled, the table's lock not held. The caller
 *	must not sleep until ucv_ucounts_unlock_bucket(); where the lock is taken,
 *	interrupts are off until then.
 */
static inline void ucv_ucounts_lock_bucket(void)
{
	rcu_read_lock();
}

/**
 * ucv_ucounts_unlock_bucket() - undo ucv_ucounts_lock_bucket()
 */
static inline void ucv_ucounts_unlock_bucket(void)
{
	rcu_read_unlock();
}

#else

static inline void ucv_ucounts_lock_bucket(void)
{
	spin_lock_irq(ucv_ucounts_lock);
}

static inline void ucv_ucounts_unlock_bucket(void)
{
	spin_unlock_irq(ucv_ucounts_lock);
}

#endif

/**
 * ucv_ucounts_one() - read one counter of an entry
 * @entry: an entry of a locked bucket, or one that the caller holds
 * @resource: index into ucount[]
 */
static inline s64 ucv_ucounts_one(const struct ucounts *entry, unsigned int resource)
{
	const void *counter = &entry->ucount[resource];

	/* atomic_t in old kernels, atomic_long_t in new ones */
	return sizeof(entry->ucount[0]) == sizeof(atomic_t) ?
	       atomic_read((const atomic_t *)counter) :
	       atomic_long_read((const atomic_long_t *)counter);
}

/**
 * ucv_ucounts_read() - read all counters of an entry
 * @entry: an entry of a locked bucket
 * @used: out: UCV_NR_RESOURCES values
 */
static inline void ucv_ucounts_read(const struct ucounts *entry, s64 *used)
{
	unsigned int i;

	/* A tenth of a walk of many entries goes into counting to UCOUNT_COUNTS. */
#pragma GCC unroll 32
	for (i = 0; i < UCOUNT_COUNTS; i++)
		used[i] = ucv_ucounts_one(entry, i);
	for (i = 0; i < UCV_NR_RLIMITS; i++)
		used[UCOUNT_COUNTS + i] = ucv_rlimit_used(entry, i);
}

struct ucv_btf;

int ucv_ucounts_init(const struct ucv_btf *btf);
int ucv_ucounts_peek(const struct user_namespace *ns, kuid_t uid, unsigned int resource,
		     s64 *used);

#endif
