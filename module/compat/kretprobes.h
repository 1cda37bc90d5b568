/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Kretprobes on the functions that enforce limits: inc_ucount(), count_mounts(), and those
 * of rlimit_probes.c and depth_probes.c.
 *
 * Kretprobes catch them on return. While the probes are not armed, the code of the
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

#include <uapi/ucountview.h>

struct mnt_namespace;
struct mount;
struct ucounts;
struct ucv_btf;
struct user_namespace;

/**
 * struct ucv_rlimit_refusal - a refused charge to a counter of a resource limit
 * @ucounts: where the charge began. Whoever made the call holds it until the callback
 *	returns. It pins its namespace, and that the entry it is itself charged to.
 * @nth: the counter, an enum rlimit_type
 * @limit: what the kernel compared with at that level: RLIMIT_* of the process, in the unit
 *	of the counter; LONG_MAX or more is none
 * @asked: size of the charge, in the unit of the counter; 0 if nothing more was asked for
 * @charged: the counters still include @asked
 */
struct ucv_rlimit_refusal {
	const struct ucounts *ucounts;
	unsigned int nth;
	unsigned long limit;
	u64 asked;
	bool charged;
};

/**
 * struct ucv_depth_refusal - a namespace that was not created: nested too deep
 * @type: UCV_DENIAL_USERNS_DEPTH or UCV_DENIAL_PIDNS_DEPTH
 * @ns: the user namespace where the new one would have been charged; held by whoever made
 *	the call until the callback returns
 * @uid: the user to be charged there
 * @depth: the level of the parent namespace
 * @limit: the deepest level that the kernel creates
 */
struct ucv_depth_refusal {
	enum ucv_denial_type type;
	struct user_namespace *ns;
	kuid_t uid;
	unsigned int depth;
	unsigned int limit;
};

/**
 * struct ucv_kretprobe_calls - callbacks for refused charges
 * @ucount: inc_ucount(@ns, @uid, @resource) has returned NULL. The caller holds @ns,
 *	which pins its ancestors; each of these pins the entry it is charged to.
 * @mount: count_mounts(@ns, @mnt) has returned -ENOSPC. The caller holds
 *	namespace_sem for writing: @ns and the mount tree at @mnt are stable.
 * @rlimit: a charge to a counter of rlimit[] was refused, see struct ucv_rlimit_refusal
 * @depth: a namespace was not created because it would be nested too deep, see struct
 *	ucv_depth_refusal
 *
 * Context: as for a handler, see above.
 */
struct ucv_kretprobe_calls {
	void (*ucount)(struct user_namespace *ns, kuid_t uid, unsigned int resource);
	void (*mount)(struct mnt_namespace *ns, struct mount *mnt);
	void (*rlimit)(const struct ucv_rlimit_refusal *refusal);
	void (*depth)(const struct ucv_depth_refusal *refusal);
};

void ucv_kretprobes_init(const struct ucv_kretprobe_calls *calls, const struct ucv_btf *btf);
bool ucv_kretprobes_ucount(void);
bool ucv_kretprobes_mount(void);
u64 ucv_kretprobes_features(void);
int ucv_kretprobes_arm(void);
bool ucv_kretprobes_disarm(void);
void ucv_kretprobes_remove(void);
bool ucv_kretprobes_stuck(void);
u64 ucv_kretprobes_seen(void);
u64 ucv_kretprobes_missed(void);

#endif
