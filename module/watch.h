/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Watchdog of recording: while it is armed, do kprobes still fire? They can be disabled
 * at any time.
 */
#ifndef UCV_WATCH_H
#define UCV_WATCH_H

#include <linux/types.h>

/* For the log. */
#define UCV_BLIND_ADVICE \
	"kprobes do not fire; write 1 to /sys/kernel/debug/kprobes/enabled and /proc/sys/kernel/ftrace_enabled"

void ucv_watch_start(void);
void ucv_watch_stop(void);
u64 ucv_watch_look(void);
u64 ucv_watch_interruptions(void);

#endif
