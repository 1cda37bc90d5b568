/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How long a walk keeps others waiting: the longest time that it has held a lock
 * or an RCU read section.
 */
#ifndef UCV_SECTION_TIMER_H
#define UCV_SECTION_TIMER_H

#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/timekeeping.h>
#include <linux/types.h>

/**
 * struct ucv_hold - a stopwatch
 * @since: when the section that is being timed was entered
 * @max_ns: the longest so far
 */
struct ucv_hold {
	u64 since;
	u64 max_ns;
};

/**
 * ucv_hold_begin() - called just after a lock or RCU section was entered
 * @hold: the walk's
 *
 * Context: any.
 */
static inline void ucv_hold_begin(struct ucv_hold *hold)
{
	hold->since = ktime_get_mono_fast_ns();
}

/**
 * ucv_hold_end() - called just before it is left
 * @hold: the walk's
 *
 * Context: any.
 */
static inline void ucv_hold_end(struct ucv_hold *hold)
{
	hold->max_ns = max(hold->max_ns, ktime_get_mono_fast_ns() - hold->since);
}

#endif
