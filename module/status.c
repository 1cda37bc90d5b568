// SPDX-License-Identifier: GPL-2.0
/*
 * The module's own status: the kernel features that it uses, and the cost of its walks.
 */
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/spinlock.h>

#include "snapshot.h"
#include "status.h"

static DEFINE_SPINLOCK(ucv_status_lock); /* protects ucv_status */
static struct ucv_status ucv_status;
static u64 ucv_features; /* set at load, constant afterwards */
static u64 ucv_loaded_ns; /* likewise */

/**
 * ucv_status_init() - store the features of the kernel, and the time
 * @features: UCV_FEATURE_*
 *
 * Context: at load, before anything can query them.
 */
void ucv_status_init(u64 features)
{
	ucv_features = features;
	ucv_loaded_ns = ktime_get_boottime_ns();
}

/**
 * ucv_status_features() - the features of the kernel
 *
 * Return: UCV_FEATURE_*
 */
u64 ucv_status_features(void)
{
	return ucv_features;
}

/**
 * ucv_status_loaded_ns() - when the module was loaded
 *
 * Return: nanoseconds of CLOCK_BOOTTIME
 */
u64 ucv_status_loaded_ns(void)
{
	return ucv_loaded_ns;
}

/**
 * ucv_status_add_walk() - add a walk to the statistics
 * @snap: its result
 *
 * Context: process context.
 */
void ucv_status_add_walk(const struct ucv_snap *snap)
{
	spin_lock(&ucv_status_lock);
	ucv_status.snapshots++;
	ucv_status.rows = snap->records[UCV_KIND_UCOUNTS].nr;
	ucv_status.userns = snap->records[UCV_KIND_USERNS].nr;
	ucv_status.mntns = snap->records[UCV_KIND_MNTNS].nr;
	ucv_status.skipped = snap->skipped;
	ucv_status.walk_ns = snap->end_ns - snap->start_ns;
	ucv_status.hold_ns = snap->timer.max_ns;
	ucv_status.hold_max_ns = max(ucv_status.hold_max_ns, snap->timer.max_ns);
	spin_unlock(&ucv_status_lock);
}

/**
 * ucv_status_get() - the statistics of the walks
 * @status: out
 *
 * Context: process context.
 */
void ucv_status_get(struct ucv_status *status)
{
	spin_lock(&ucv_status_lock);
	*status = ucv_status;
	spin_unlock(&ucv_status_lock);
}
