/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Kretprobes on the two functions that enforce limits: inc_ucount() and count_mounts().
 *
 * Kretprobes catch both on return. While the probes are not armed, the code of both
 * functions is as it was built.
 *
 * A handler runs in the task that made the call, after the function has returned and
 * before its caller resumes, with preemption disabled (on some kernels, interrupts too):
 * it must not sleep, nor take a spinlock_t on PREEMPT_RT. The caller still holds
 * everything that it passed to the function.
 *
 * While kernel.ftrace_enabled is 0, no kprobe may be registered or unregistered on a
 * function entry that the kernel reaches through ftrace. Registering sets FTRACE_FL_REGS
 * in the function's record, and unregistering leaves it set with no user. Once ftrace is
 * on again, the removal of its last user exposes the stale flag: the kernel warns and
 * disables ftrace until reboot; on some kernels the kprobe being unregistered stays in
 * the kprobe table. This affects all series with that sysctl, except kernels on which the
 * sysctl does not turn ftrace off.
 */
#ifndef UCV_COMPAT_KRETPROBES_H
#define UCV_COMPAT_KRETPROBES_H

#include <linux/types.h>
#include <linux/uidgid.h>

struct mnt_namespace;
struct mount;
struct ucv_btf;
struct user_namespace;

/**
 * struct ucv_kretprobe_calls - callbacks for refused charges
 * @ucount: inc_ucount(@ns, @uid, @resource) has returned NULL. The caller holds @ns,
 *	which pins its ancestors; each of these pins the entry it is charged to.
 * @mount: count_mounts(@ns, @mnt) has returned -ENOSPC. The caller holds
 *	namespace_sem for writing: @ns and the mount tree at @mnt are stable.
 *
 * Context: as for a handler, see above.
 */
struct ucv_kretprobe_calls {
	void (*ucount)(struct user_namespace *ns, kuid_t uid, unsigned int resource);
	void (*mount)(struct mnt_namespace *ns, struct mount *mnt);
};

void ucv_kretprobes_init(const struct ucv_kretprobe_calls *calls, const struct ucv_btf *btf);
bool ucv_kretprobes_ucount(void);
bool ucv_kretprobes_mount(void);
int ucv_kretprobes_arm(void);
bool ucv_kretprobes_disarm(void);
void ucv_kretprobes_remove(void);
bool ucv_kretprobes_stuck(void);
u64 ucv_kretprobes_seen(void);
u64 ucv_kretprobes_missed(void);

#endif
