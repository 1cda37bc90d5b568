// SPDX-License-Identifier: GPL-2.0
/*
 * Whether a lock of the kernel that was found by its name can be taken.
 *
 * A name says nothing of a lock's type, and to wait for one of another type would hang.
 * So each is tried at load, for a tenth of a second: longer than any of the kernel's own
 * code keeps it.
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
 * @lock: one that may be taken with interrupts off
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
 * ucv_rwlock_works() - can this be taken as a reader's and writer's lock, for reading?
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
 * ucv_seqlock_works() - can this be taken as a sequential lock, by a reader that excludes
 * writers?
 * @lock: the lock
 *
 * Its sequence is odd only while a writer has it.
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
