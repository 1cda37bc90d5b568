/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The two places where the kernel refuses: inc_ucount() and count_mounts().
 *
 * Both are probed on their way out by kretprobes. While they are not armed, the
 * code of both functions is as it was built.
 *
 * A handler runs in the refused thread, right after the function has returned
 * and before its caller goes on, with preemption disabled (and on some kernels
 * with interrupts off): it must not sleep, nor take a spinlock_t on PREEMPT_RT.
 * Whatever the caller handed to the function, the caller still holds.
 *
 * While kernel.ftrace_enabled is 0, no kprobe at a function's entry may be registered
 * or unregistered where the kernel reaches it by ftrace. Registering sets
 * FTRACE_FL_REGS in the function's record, and unregistering then leaves it set with
 * no user. Later, with ftrace on, the last ftrace user to go makes the kernel find it:
 * it warns, and turns ftrace off for good; on some kernels the kprobe that was being
 * unregistered stays in the table. (All series with that sysctl; kernels whose sysctl
 * does not turn ftrace off are not concerned.)
 */
#ifndef UCV_COMPAT_KRETPROBES_H
#define UCV_COMPAT_KRETPROBES_H

#include <linux/types.h>
#include <linux/uidgid.h>

struct mnt_namespace;
struct mount;
struct user_namespace;

/**
 * struct ucv_hook_calls - what to call when the kernel has refused
 * @ucount: inc_ucount(@ns, @uid, @resource) has returned NULL. The caller holds
 *	@ns, that its ancestors, and each of these the entry it is charged to.
 * @mount: count_mounts(@ns, @mnt) has returned -ENOSPC. The caller holds
 *	namespace_sem for writing: @ns and the tree of mounts at @mnt stay as they
 *	are.
 *
 * Context: see above.
 */
struct ucv_hook_calls {
	void (*ucount)(struct user_namespace *ns, kuid_t uid, unsigned int resource);
	void (*mount)(struct mnt_namespace *ns, struct mount *mnt);
};

void ucv_hooks_init(const struct ucv_hook_calls *calls);
bool ucv_hooks_ucount(void);
bool ucv_hooks_mount(void);
int ucv_hooks_arm(void);
bool ucv_hooks_disarm(void);
void ucv_hooks_remove(void);
bool ucv_hooks_stuck(void);
bool ucv_hooks_fire(void);
u64 ucv_hooks_seen(void);
u64 ucv_hooks_missed(void);

#endif
