/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Latency caused by a walk: the longest time that it held a lock or stayed in an RCU
 * read-side critical section.
 */
#ifndef UCV_SECTION_TIMER_H
#define UCV_SECTION_TIMER_H

#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/timekeeping.h>
#include <linux/types.h>

/**
 * struct ucv_hold - a stopwatch
 * @since: when the current section was entered
 * @max_ns: the longest section so far
 */
struct ucv_hold {
	u64 since;
	u64 max_ns;
};

/**
 * ucv_hold_begin() - start timing, just after entering a locked or RCU section
 * @hold: stopwatch of the walk
 *
 * Context: any.
 */
static inline void ucv_hold_begin(struct ucv_hold *hold)
{
	hold->since = ktime_get_mono_fast_ns();
}

/**
 * ucv_hold_end() - stop timing, just before leaving the section
 * @hold: stopwatch of the walk
 *
 * Context: any.
 */
static inline void ucv_hold_end(struct ucv_hold *hold)
{
	hold->max_ns = max(hold->max_ns, ktime_get_mono_fast_ns() - hold->since);
}

#endif
