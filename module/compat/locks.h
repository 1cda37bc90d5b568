/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Whether a kernel lock found by name can be taken.
 */
#ifndef UCV_COMPAT_LOCKS_H
#define UCV_COMPAT_LOCKS_H

#include <linux/seqlock.h>
#include <linux/spinlock.h>
#include <linux/types.h>

bool ucv_spinlock_works(spinlock_t *lock);
bool ucv_rwlock_works(rwlock_t *lock);
bool ucv_seqlock_works(seqlock_t *lock);

#endif
