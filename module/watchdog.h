/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Watchdog of recording: while it is armed, do kprobes still fire? They can be disabled
 * at any time.
 */
#ifndef UCV_WATCHDOG_H
#define UCV_WATCHDOG_H

#include <linux/types.h>

/* For the log. */
#define UCV_BLIND_ADVICE \
	"kprobes do not fire; write 1 to /sys/kernel/debug/kprobes/enabled and /proc/sys/kernel/ftrace_enabled"

void ucv_watchdog_start(void);
void ucv_watchdog_stop(void);
u64 ucv_watchdog_check(void);
u64 ucv_watchdog_check_since(u64 *since_ns);
u64 ucv_watchdog_interruptions(void);

#endif
