// SPDX-License-Identifier: GPL-2.0
/*
 * Kretprobes on the two functions that enforce limits, armed while denials are recorded.
 * kretprobes.h says what a handler may do.
 */
#include <linux/errno.h>
#include <linux/ftrace.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/nsproxy.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/user_namespace.h>

#include <uapi/ucountview.h>

#include "compat/canary.h"
#include "compat/charges.h"
#include "compat/kretprobes.h"
#include "compat/mntns.h"
#include "compat/resources.h"
#include "compat/symbols.h"

#if UCV_CAN_KRETPROBE

/*
 * How many tasks inside a probed function can be tracked at once (maxactive). Both
 * functions may be preempted, and inc_ucount() may sleep for memory.
 */
#define UCV_KRETPROBE_THREADS	512

/* The arguments of inc_ucount(), saved until it returns. */
struct ucv_ucount_call {
	struct user_namespace *ns;
	kuid_t uid;
	unsigned int resource;
};

/*
 * The arguments of count_mounts(), and whether this call proves that calls from the
 * function's own file hit the probe.
 */
struct ucv_mount_call {
	struct mnt_namespace *ns;
	struct mount *mnt;
	bool proves;
};

static const struct ucv_kretprobe_calls *ucv_calls;
static bool ucv_can_ucount;
static bool ucv_can_mount;
static struct kretprobe ucv_ucount_probe;
static struct kretprobe ucv_mount_probe;
static bool ucv_registered; /* and the canary; arming and disarming are serialized */
static bool ucv_reporting; /* read by handlers: denials are being recorded */
static const int *ucv_ftrace_switch; /* kernel.ftrace_enabled, or NULL; set at load */
static u64 ucv_missed; /* by probes that are unregistered by now */
/* Which charges have hit a probe since load: set by handlers, never cleared. */
static bool ucv_ucount_seen[UCOUNT_COUNTS];
static bool ucv_mount_seen;

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

	if (call->resource >= UCOUNT_COUNTS)
		return 0;
	/* Read first: the cache line is shared by all CPUs. */
	if (unlikely(!READ_ONCE(ucv_ucount_seen[call->resource])))
		WRITE_ONCE(ucv_ucount_seen[call->resource], true);
	if (!regs_return_value(regs) && READ_ONCE(ucv_reporting))
		ucv_calls->ucount(call->ns, call->uid, call->resource);
	return 0;
}

NOKPROBE_SYMBOL(ucv_ucount_return);

/*
 * count_mounts() is called from its own file, where the compiler may have inlined it,
 * for the tree to be attached, and then from another file for each propagated copy. A
 * call for the caller's own namespace, with no mounts pending yet, is the first of these.
 */
static bool ucv_mount_call_proves(struct mnt_namespace *ns)
{
	struct ucv_mntns_facts facts;

	return current->nsproxy && ns == current->nsproxy->mnt_ns &&
	       !ucv_mntns_read(ns, &facts) && !facts.pending;
}

NOKPROBE_SYMBOL(ucv_mount_call_proves);

static int ucv_mount_entry(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct ucv_mount_call *call = (void *)ri->data;

	call->ns = (void *)regs_get_kernel_argument(regs, 0);
	call->mnt = (void *)regs_get_kernel_argument(regs, 1);
	call->proves = !READ_ONCE(ucv_mount_seen) && ucv_mount_call_proves(call->ns);
	return 0;
}

NOKPROBE_SYMBOL(ucv_mount_entry);

static int ucv_mount_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct ucv_mount_call *call = (void *)ri->data;

	if (call->proves)
		WRITE_ONCE(ucv_mount_seen, true);
	if ((int)regs_return_value(regs) == -ENOSPC && READ_ONCE(ucv_reporting))
		ucv_calls->mount(call->ns, call->mnt);
	return 0;
}

NOKPROBE_SYMBOL(ucv_mount_return);

/* A kretprobe can be registered once only; re-arming needs a clean one. */
static int ucv_ucount_arm(void)
{
	ucv_ucount_probe = (struct kretprobe) {
		.kp.symbol_name	= "inc_ucount",
		.entry_handler	= ucv_ucount_entry,
		.handler	= ucv_ucount_return,
		.data_size	= sizeof(struct ucv_ucount_call),
		.maxactive	= UCV_KRETPROBE_THREADS,
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
		.maxactive	= UCV_KRETPROBE_THREADS,
	};
	return register_kretprobe(&ucv_mount_probe);
}

static u64 ucv_probe_missed(const struct kretprobe *probe)
{
	return (u64)READ_ONCE(probe->nmissed) + READ_ONCE(probe->kp.nmissed);
}

/* When it returns, no handler of the probe is running. */
static void ucv_probe_disarm(struct kretprobe *probe)
{
	unregister_kretprobe(probe);
	ucv_missed += ucv_probe_missed(probe);
	probe->nmissed = 0;
	probe->kp.nmissed = 0;
}

/*
 * The canary vouches for a probe only if the kernel reaches both in the same way.
 * Otherwise the probe could be dead unnoticed.
 */
static int ucv_check_kretprobe(struct kretprobe *probe)
{
	if (ucv_canary_resembles(&probe->kp))
		return 0;
	pr_warn("denials are not available: cannot verify that the kprobe on %s() fires, its type differs from the canary's\n",
		probe->kp.symbol_name);
	ucv_probe_disarm(probe);
	return -EOPNOTSUPP;
}

static int ucv_register_mount(void)
{
	int ret;

	if (!ucv_can_mount)
		return 0;
	ret = ucv_mount_arm();
	return ret ? ret : ucv_check_kretprobe(&ucv_mount_probe);
}

static int ucv_register_both(void)
{
	int ret;

	ret = ucv_ucount_arm();
	if (!ret)
		ret = ucv_check_kretprobe(&ucv_ucount_probe);
	if (ret)
		return ret;
	ret = ucv_register_mount();
	if (ret)
		ucv_probe_disarm(&ucv_ucount_probe);
	return ret;
}

/* Register the canary and the probes, all or none. */
static int ucv_register(void)
{
	int ret;

	if (ucv_registered)
		return 0;
	ret = ucv_canary_arm();
	if (ret)
		return ret;
	ret = ucv_register_both();
	if (ret)
		ucv_canary_disarm();
	ucv_registered = !ret;
	return ret;
}

/* In all series an int that the kernel shares with its sysctl. */
static void ucv_find_ftrace_switch(void)
{
#ifdef CONFIG_KPROBES_ON_FTRACE
	static_assert(__same_type(ftrace_enabled, int));
	ucv_ftrace_switch = ucv_symbol_optional("ftrace_enabled");
#endif
}

static bool ucv_ftrace_is_off(void)
{
	return ucv_ftrace_switch && !READ_ONCE(*ucv_ftrace_switch);
}

/**
 * ucv_kretprobes_remove() - unregister the probes, even if ucv_kretprobes_stuck()
 *
 * When it returns, no callback is running.
 *
 * Context: as ucv_kretprobes_arm().
 */
void ucv_kretprobes_remove(void)
{
	WRITE_ONCE(ucv_reporting, false);
	if (!ucv_registered)
		return;
	if (ucv_can_mount)
		ucv_probe_disarm(&ucv_mount_probe);
	ucv_probe_disarm(&ucv_ucount_probe);
	ucv_canary_disarm();
	ucv_registered = false;
}

/**
 * ucv_kretprobes_stuck() - must the probes stay registered?
 *
 * Return: true while they are registered and ftrace is off, see kretprobes.h
 */
bool ucv_kretprobes_stuck(void)
{
	return ucv_registered && ucv_ftrace_is_off();
}

/**
 * ucv_kretprobes_disarm() - stop the callbacks
 *
 * Context: as ucv_kretprobes_arm().
 * Return: false if the probes had to stay registered, see ucv_kretprobes_stuck(). No new
 *	callback starts, and the caller retries later.
 */
bool ucv_kretprobes_disarm(void)
{
	WRITE_ONCE(ucv_reporting, false);
	if (ucv_kretprobes_stuck())
		return false;
	ucv_kretprobes_remove();
	return true;
}

/**
 * ucv_kretprobes_arm() - start the callbacks
 *
 * Context: process context. Sleeps. The caller serializes arming and disarming.
 * Return: 0, -EOPNOTSUPP if ucv_kretprobes_ucount() is false, -ENOLINK if kprobes do
 *	not fire, or what the kernel's kprobes returned. After an error
 *	ucv_kretprobes_stuck() may be true.
 */
int ucv_kretprobes_arm(void)
{
	int ret;

	if (!ucv_can_ucount)
		return -EOPNOTSUPP;
	if (ucv_ftrace_is_off())
		return -ENOLINK;
	ret = ucv_register();
	if (ret)
		return ret;
	if (!ucv_canary_fires()) {
		ucv_kretprobes_disarm();
		return -ENOLINK;
	}
	WRITE_ONCE(ucv_reporting, true);
	return 0;
}

/**
 * ucv_kretprobes_seen() - which charges have hit the probes
 *
 * The compiler may have inlined or cloned a function into a caller, while the probe is on
 * the original. A charge seen here does hit it.
 *
 * Return: a bit for each resource by index, and UCV_SEEN_MOUNTS, since load
 */
u64 ucv_kretprobes_seen(void)
{
	u64 seen = READ_ONCE(ucv_mount_seen) ? UCV_SEEN_MOUNTS : 0;
	unsigned int i;

	for (i = 0; i < UCOUNT_COUNTS; i++)
		if (READ_ONCE(ucv_ucount_seen[i]))
			seen |= UCV_SEEN(i);
	return seen;
}

/**
 * ucv_kretprobes_missed() - missed probe hits
 *
 * More than UCV_KRETPROBE_THREADS tasks were inside a function at once (maxactive exhausted),
 * or the CPU was in the handler of another kprobe.
 *
 * Context: process context, serialized with arming and disarming.
 * Return: their number since load
 */
u64 ucv_kretprobes_missed(void)
{
	return ucv_missed + ucv_probe_missed(&ucv_ucount_probe) +
	       ucv_probe_missed(&ucv_mount_probe);
}

/**
 * ucv_kretprobes_ucount() - can refusals of inc_ucount() be detected?
 *
 * Return: false if not; the log says why
 */
bool ucv_kretprobes_ucount(void)
{
	return ucv_can_ucount;
}

/**
 * ucv_kretprobes_mount() - can refusals of count_mounts() be detected?
 *
 * Return: false if not; the log says why
 */
bool ucv_kretprobes_mount(void)
{
	return ucv_can_mount;
}

/*
 * Compiler suffixes for a clone of a function specialized for some callers, and for what
 * remains of it when its beginning is inlined.
 */
static const char * const ucv_clone_suffixes[] = {
	".constprop.0", ".isra.0", ".part.0",
};

/* Callers of a clone do not hit a probe on the function. */
static bool ucv_function_has_clone(const char *function)
{
	char name[64];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ucv_clone_suffixes); i++) {
		snprintf(name, sizeof(name), "%s%s", function, ucv_clone_suffixes[i]);
		if (!ucv_symbol_optional(name))
			continue;
		pr_info("a kprobe cannot intercept callers of the clone of %s(), %s\n",
			function, name);
		return true;
	}
	return false;
}

static bool ucv_can_probe(const char *function, const char *what)
{
	if (!ucv_symbol_optional(function)) {
		pr_info("%s are not available: no symbol %s to probe\n",
			what, function);
		return false;
	}
	if (ucv_function_has_clone(function)) {
		pr_info("%s are not available: some would be missed\n", what);
		return false;
	}
	return true;
}

/**
 * ucv_kretprobes_init() - find out what can be probed
 * @calls: callbacks; must stay valid while the module is loaded
 * @btf: from ucv_btf_open(), or NULL if the kernel has none
 *
 * If a refusal cannot be detected on this kernel, one line in the log says why.
 *
 * Context: process context, at load, after ucv_mntns_init().
 */
void ucv_kretprobes_init(const struct ucv_kretprobe_calls *calls, const struct ucv_btf *btf)
{
	ucv_calls = calls;
	ucv_find_ftrace_switch();
	ucv_can_ucount = ucv_can_probe("inc_ucount", "denials") && ucv_charges_ucount(btf);
	if (!ucv_can_ucount || !ucv_mntns_available() || !ucv_charges_mount(btf))
		return; /* the log says why */
	ucv_can_mount = ucv_can_probe("count_mounts", "denials of mounts");
}

#else

void ucv_kretprobes_init(const struct ucv_kretprobe_calls *calls, const struct ucv_btf *btf)
{
	pr_info("denials are not available: the kernel needs CONFIG_KRETPROBES and access to function arguments (CONFIG_HAVE_FUNCTION_ARG_ACCESS_API)\n");
}

bool ucv_kretprobes_ucount(void)
{
	return false;
}

bool ucv_kretprobes_mount(void)
{
	return false;
}

int ucv_kretprobes_arm(void)
{
	return -EOPNOTSUPP;
}

bool ucv_kretprobes_disarm(void)
{
	return true;
}

void ucv_kretprobes_remove(void)
{
}

bool ucv_kretprobes_stuck(void)
{
	return false;
}

u64 ucv_kretprobes_seen(void)
{
	return 0;
}

u64 ucv_kretprobes_missed(void)
{
	return 0;
}

#endif
