/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Whether kprobes fire: the module probes a function of its own as it probes the
 * kernel's, and calls it.
 *
 * A registered kprobe can be dead. Writing 0 to the kprobes/enabled file in debugfs
 * disarms all of them. With kernel.ftrace_enabled=0 (up to 6.x) no function calls ftrace,
 * through which the kernel reaches a kprobe at a function's entry, and after an ftrace
 * bug ftrace is off until reboot. Registering succeeds all the same. Neither
 * kprobes_all_disarmed (static) nor ftrace's switch (its form differs between kernels)
 * is reliable, so the canary tests whether a probe fires.
 */
#ifndef UCV_COMPAT_CANARY_H
#define UCV_COMPAT_CANARY_H

#include <linux/kconfig.h>
#include <linux/types.h>

/*
 * Can a function's return be probed, and its arguments be read? On 32-bit architectures a
 * 64-bit argument takes two registers, which the kernel's helper does not know of.
 */
#define UCV_CAN_KRETPROBE	(IS_ENABLED(CONFIG_KRETPROBES) && IS_ENABLED(CONFIG_64BIT) && \
			 IS_ENABLED(CONFIG_HAVE_FUNCTION_ARG_ACCESS_API))

struct kprobe;

int ucv_canary_arm(void);
void ucv_canary_disarm(void);
bool ucv_canary_fires(void);
bool ucv_canary_resembles(const struct kprobe *kp);

#endif
