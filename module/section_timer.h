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
 * struct ucv_section_timer - a stopwatch
 * @since: when the current section was entered
 * @max_ns: the longest section so far
 */
struct ucv_section_timer {
	u64 since;
	u64 max_ns;
};

/**
 * ucv_section_begin() - start timing, just after entering a locked or RCU section
 * @timer: stopwatch of the walk
 *
 * Context: any.
 */
static inline void ucv_section_begin(struct ucv_section_timer *timer)
{
	timer->since = ktime_get_mono_fast_ns();
}

/**
 * ucv_section_end() - stop timing, just before leaving the section
 * @timer: stopwatch of the walk
 *
 * Context: any.
 */
static inline void ucv_section_end(struct ucv_section_timer *timer)
{
	u64 now = ktime_get_mono_fast_ns();

	/* This clock may step back a little while it is updated. */
	if (now > timer->since)
		timer->max_ns = max(timer->max_ns, now - timer->since);
}

#endif
