/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Whether kprobes fire: a function of our own is probed as those of the kernel are,
 * and called.
 *
 * A registered kprobe can be dead. Writing 0 to the kprobes/enabled file in debugfs
 * disarms all of them. With kernel.ftrace_enabled=0 (up to 6.x) no function calls
 * ftrace, which is how the kernel reaches a kprobe at a function's entry, and after
 * an ftrace bug ftrace is off until the next boot. Registering succeeds all the
 * same, and neither kprobes_all_disarmed nor the form of ftrace's switch can be
 * relied on: the first is static, the second differs. What is tried instead is
 * whether a probe fires.
 */
#ifndef UCV_COMPAT_CANARY_H
#define UCV_COMPAT_CANARY_H

#include <linux/kconfig.h>
#include <linux/types.h>

/* Can a function be probed on its way out, and its arguments be read? */
#define UCV_HAVE_HOOKS	(IS_ENABLED(CONFIG_KRETPROBES) && \
			 IS_ENABLED(CONFIG_HAVE_FUNCTION_ARG_ACCESS_API))

struct kprobe;

int ucv_canary_arm(void);
void ucv_canary_disarm(void);
bool ucv_canary_fires(void);
bool ucv_canary_resembles(const struct kprobe *kp);

#endif
