// SPDX-License-Identifier: GPL-2.0
/*
 * Whether a kernel lock found by name can be taken.
 *
 * A name does not tell a lock's type, and waiting for a lock of another type would hang.
 * So trylock is tried at load for a tenth of a second, longer than the kernel's own code
 * holds any of these locks.
 */
#include <linux/delay.h>
#include <linux/kernel.h>

#include "compat/locks.h"

#define UCV_TRIES	1000

static void ucv_wait_for_lock(void)
{
	usleep_range(100, 200);
}

/**
 * ucv_spinlock_works() - can this be taken as a spinlock?
 * @lock: a lock that may be taken with interrupts off
 *
 * Context: process context, at load. Sleeps.
 */
bool ucv_spinlock_works(spinlock_t *lock)
{
	unsigned int tries;

	for (tries = 0; tries < UCV_TRIES; tries++) {
		if (spin_trylock_irq(lock)) {
			spin_unlock_irq(lock);
			return true;
		}
		ucv_wait_for_lock();
	}
	return false;
}

/**
 * ucv_rwlock_works() - can this be taken as a rwlock, for reading?
 * @lock: the lock
 *
 * Context: process context, at load. Sleeps.
 */
bool ucv_rwlock_works(rwlock_t *lock)
{
	unsigned int tries;

	for (tries = 0; tries < UCV_TRIES; tries++) {
		if (read_trylock(lock)) {
			read_unlock(lock);
			return true;
		}
		ucv_wait_for_lock();
	}
	return false;
}

/**
 * ucv_seqlock_works() - can this be taken as a seqlock, by a reader that excludes writers?
 * @lock: the lock
 *
 * Its sequence must be even: it is odd only while a writer holds the lock.
 *
 * Context: process context, at load. Sleeps.
 */
bool ucv_seqlock_works(seqlock_t *lock)
{
	unsigned int tries;
	bool even;

	for (tries = 0; tries < UCV_TRIES; tries++) {
		if (spin_trylock(&lock->lock)) {
			even = !(READ_ONCE(lock->seqcount.seqcount.sequence) & 1);
			spin_unlock(&lock->lock);
			return even;
		}
		ucv_wait_for_lock();
	}
	return false;
}
