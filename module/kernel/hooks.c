// SPDX-License-Identifier: GPL-2.0
/*
 * The two places where the kernel refuses, probed while somebody wants to know.
 * What a handler may do is said in hooks.h.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/ptrace.h>
#include <linux/string.h>
#include <linux/user_namespace.h>

#include "kernel/hooks.h"
#include "kernel/mntns.h"
#include "kernel/resources.h"
#include "kernel/symbols.h"

static const struct ucv_hook_calls *ucv_calls;
static bool ucv_can_ucount;
static bool ucv_can_mount;

#if UCV_HAVE_HOOKS

/*
 * How many threads can be inside a probed function at once and be followed. Both
 * may be preempted, and inc_ucount() may sleep for memory.
 */
#define UCV_HOOK_THREADS	512

/* The arguments of inc_ucount(), kept until it returns. */
struct ucv_ucount_call {
	struct user_namespace *ns;
	kuid_t uid;
	unsigned int resource;
};

/* The arguments of count_mounts(). */
struct ucv_mount_call {
	struct mnt_namespace *ns;
	struct mount *mnt;
};

static struct kretprobe ucv_ucount_probe;
static struct kretprobe ucv_mount_probe;
static u64 ucv_missed; /* by probes of earlier times */

static int ucv_ucount_entry(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct ucv_ucount_call *call = (void *)ri->data;

	call->ns = (void *)regs_get_kernel_argument(regs, 0);
	call->uid = KUIDT_INIT((uid_t)regs_get_kernel_argument(regs, 1));
	call->resource = (unsigned int)regs_get_kernel_argument(regs, 2);
	return 0;
}

NOKPROBE_SYMBOL(ucv_ucount_entry);

static int ucv_ucount_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct ucv_ucount_call *call = (void *)ri->data;

	if (!regs_return_value(regs) && call->resource < UCOUNT_COUNTS)
		ucv_calls->ucount(call->ns, call->uid, call->resource);
	return 0;
}

NOKPROBE_SYMBOL(ucv_ucount_return);

static int ucv_mount_entry(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct ucv_mount_call *call = (void *)ri->data;

	call->ns = (void *)regs_get_kernel_argument(regs, 0);
	call->mnt = (void *)regs_get_kernel_argument(regs, 1);
	return 0;
}

NOKPROBE_SYMBOL(ucv_mount_entry);

static int ucv_mount_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct ucv_mount_call *call = (void *)ri->data;

	if ((int)regs_return_value(regs) == -ENOSPC)
		ucv_calls->mount(call->ns, call->mnt);
	return 0;
}

NOKPROBE_SYMBOL(ucv_mount_return);

/* A kretprobe can be registered once; the next time it takes a clean one. */
static int ucv_ucount_arm(void)
{
	ucv_ucount_probe = (struct kretprobe) {
		.kp.symbol_name	= "inc_ucount",
		.entry_handler	= ucv_ucount_entry,
		.handler	= ucv_ucount_return,
		.data_size	= sizeof(struct ucv_ucount_call),
		.maxactive	= UCV_HOOK_THREADS,
	};
	return register_kretprobe(&ucv_ucount_probe);
}

static int ucv_mount_arm(void)
{
	ucv_mount_probe = (struct kretprobe) {
		.kp.symbol_name	= "count_mounts",
		.entry_handler	= ucv_mount_entry,
		.handler	= ucv_mount_return,
		.data_size	= sizeof(struct ucv_mount_call),
		.maxactive	= UCV_HOOK_THREADS,
	};
	return register_kretprobe(&ucv_mount_probe);
}

static u64 ucv_probe_missed(const struct kretprobe *probe)
{
	return (u64)READ_ONCE(probe->nmissed) + READ_ONCE(probe->kp.nmissed);
}

/* When it returns, no handler of the probe is running any more. */
static void ucv_probe_disarm(struct kretprobe *probe)
{
	unregister_kretprobe(probe);
	ucv_missed += ucv_probe_missed(probe);
	probe->nmissed = 0;
	probe->kp.nmissed = 0;
}

/**
 * ucv_hooks_arm() - have the calls made from now on
 *
 * Context: process context. Sleeps. The caller sees to it that arming and
 *	disarming take turns.
 * Return: 0, -EOPNOTSUPP if ucv_hooks_ucount() is false, or what the kernel's
 *	kprobes returned
 */
int ucv_hooks_arm(void)
{
	int ret;

	if (!ucv_can_ucount)
		return -EOPNOTSUPP;
	ret = ucv_ucount_arm();
	if (ret || !ucv_can_mount)
		return ret;
	ret = ucv_mount_arm();
	if (ret)
		ucv_probe_disarm(&ucv_ucount_probe);
	return ret;
}

/**
 * ucv_hooks_disarm() - no more calls
 *
 * When it returns, none is under way.
 *
 * Context: as ucv_hooks_arm().
 */
void ucv_hooks_disarm(void)
{
	if (ucv_can_mount)
		ucv_probe_disarm(&ucv_mount_probe);
	ucv_probe_disarm(&ucv_ucount_probe);
}

/**
 * ucv_hooks_missed() - calls of the probed functions that were not looked at
 *
 * More than UCV_HOOK_THREADS threads were inside one at once, or the CPU was in the
 * handler of another kprobe.
 *
 * Context: process context, with arming and disarming kept away.
 * Return: their number since the module was loaded
 */
u64 ucv_hooks_missed(void)
{
	return ucv_missed + ucv_probe_missed(&ucv_ucount_probe) +
	       ucv_probe_missed(&ucv_mount_probe);
}

#else

int ucv_hooks_arm(void)
{
	return -EOPNOTSUPP;
}

void ucv_hooks_disarm(void)
{
}

u64 ucv_hooks_missed(void)
{
	return 0;
}

#endif

/**
 * ucv_hooks_ucount() - can refusals of inc_ucount() be told?
 *
 * Return: false if not; the log has said why
 */
bool ucv_hooks_ucount(void)
{
	return ucv_can_ucount;
}

/**
 * ucv_hooks_mount() - can refusals of count_mounts() be told?
 *
 * Return: false if not; the log has said why
 */
bool ucv_hooks_mount(void)
{
	return ucv_can_mount;
}

/**
 * ucv_hooks_init() - see what can be probed
 * @calls: whom to call, for as long as the module is loaded
 *
 * If a refusal cannot be told on this kernel, one line in the log says why.
 *
 * Context: process context, at load, after ucv_mntns_init().
 */
void ucv_hooks_init(const struct ucv_hook_calls *calls)
{
	ucv_calls = calls;
	if (!UCV_HAVE_HOOKS) {
		pr_info("denials are not available: this kernel lacks CONFIG_KRETPROBES or its architecture access to a function's arguments\n");
		return;
	}
	ucv_can_ucount = ucv_symbol_optional("inc_ucount");
	if (!ucv_can_ucount) {
		pr_info("denials are not available: this kernel has no function inc_ucount() to probe\n");
		return;
	}
	if (!ucv_mntns_available())
		return; /* the log has said why */
	ucv_can_mount = ucv_symbol_optional("count_mounts");
	if (!ucv_can_mount)
		pr_info("denials of mounts are not available: this kernel has no function count_mounts() to probe\n");
}
