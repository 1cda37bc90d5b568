// SPDX-License-Identifier: GPL-2.0
/*
 * Kretprobes on the functions that enforce limits, armed while denials are recorded: those
 * on inc_ucount() and count_mounts(), and registering them together with the probes of
 * rlimit_probes.c and depth_probes.c. kretprobes.h says what a handler may do.
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
#include "compat/probes.h"
#include "compat/resources.h"
#include "compat/symbols.h"

#if UCV_CAN_KRETPROBE

#define UCV_PROBES_MAX	16U

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
static bool ucv_registered; /* and the canary; arming and disarming are serialized */
bool ucv_reporting;
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

static struct ucv_probe ucv_ucount_probe = {
	.symbol		= "inc_ucount",
	.entry		= ucv_ucount_entry,
	.handler	= ucv_ucount_return,
	.data_size	= sizeof(struct ucv_ucount_call),
	.maxactive	= UCV_KRETPROBE_THREADS,
};

static struct ucv_probe ucv_mount_probe = {
	.symbol		= "count_mounts",
	.entry		= ucv_mount_entry,
	.handler	= ucv_mount_return,
	.data_size	= sizeof(struct ucv_mount_call),
	.maxactive	= UCV_KRETPROBE_THREADS,
};

static u64 ucv_features; /* UCV_FEATURE_* of the other files' probes; set at load */

/* The probes that this kernel allows; set at load. */
static struct ucv_probe *ucv_probes[UCV_PROBES_MAX];
static unsigned int ucv_nr_probes;

static u64 ucv_probe_missed(const struct ucv_probe *probe)
{
	/* Both are statistics: the kernel increments them plainly, and loses some itself. */
	u64 missed = data_race(READ_ONCE(probe->rp.nmissed));

	/* Likewise. */
	return missed + data_race(READ_ONCE(probe->rp.kp.nmissed));
}

/*
 * Unregister the first probes of the list, with a single wait for their handlers. When it
 * returns, none of these is running.
 */
static void ucv_probes_disarm(unsigned int nr)
{
	struct kretprobe *rps[UCV_PROBES_MAX];
	unsigned int i;

	for (i = 0; i < nr; i++)
		rps[i] = &ucv_probes[i]->rp;
	unregister_kretprobes(rps, nr);
	for (i = 0; i < nr; i++) {
		ucv_missed += ucv_probe_missed(ucv_probes[i]);
		ucv_probes[i]->rp.nmissed = 0;
		ucv_probes[i]->rp.kp.nmissed = 0;
	}
}

/* A kretprobe can be registered once only; re-arming needs a clean one. */
static int ucv_probe_arm(struct ucv_probe *probe)
{
	probe->rp = (struct kretprobe) {
		.kp.symbol_name	= probe->symbol,
		.entry_handler	= probe->entry,
		.handler	= probe->handler,
		.data_size	= probe->data_size,
		.maxactive	= probe->maxactive,
	};
	return register_kretprobe(&probe->rp);
}

/*
 * The canary vouches for a probe only if the kernel reaches both in the same way.
 * Otherwise the probe could be dead unnoticed.
 */
static int ucv_check_kretprobe(const struct ucv_probe *probe)
{
	if (ucv_canary_resembles(&probe->rp.kp))
		return 0;
	pr_warn("denials are not available: cannot verify that the kprobe on %s() fires, its type differs from the canary's\n",
		probe->symbol);
	return -EOPNOTSUPP;
}

/* Register the probes, all or none. */
static int ucv_probes_arm(void)
{
	unsigned int armed = 0;
	int ret = 0;

	while (!ret && armed < ucv_nr_probes) {
		ret = ucv_probe_arm(ucv_probes[armed]);
		if (!ret)
			ret = ucv_check_kretprobe(ucv_probes[armed++]);
	}
	if (ret && armed)
		ucv_probes_disarm(armed);
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
	ret = ucv_probes_arm();
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
	ucv_probes_disarm(ucv_nr_probes);
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

	if (!ucv_ucount_probe.can)
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
 * Return: UCV_SEEN() of each resource by index, and the other UCV_SEEN_*, since load
 */
u64 ucv_kretprobes_seen(void)
{
	u64 seen = READ_ONCE(ucv_mount_seen) ? UCV_SEEN_MOUNTS : 0;
	unsigned int i;

	for (i = 0; i < UCOUNT_COUNTS; i++)
		if (READ_ONCE(ucv_ucount_seen[i]))
			seen |= UCV_SEEN(i);
	return seen | ucv_rlimit_probes_seen() | ucv_depth_probes_seen();
}

/**
 * ucv_kretprobes_missed() - missed probe hits
 *
 * More tasks were inside a function at once than can be tracked (maxactive exhausted), or
 * the CPU was in the handler of another kprobe.
 *
 * Context: process context, serialized with arming and disarming.
 * Return: their number since load
 */
u64 ucv_kretprobes_missed(void)
{
	u64 missed = ucv_missed;
	unsigned int i;

	for (i = 0; i < ucv_nr_probes; i++)
		missed += ucv_probe_missed(ucv_probes[i]);
	return missed;
}

/**
 * ucv_kretprobes_ucount() - can refusals of inc_ucount() be detected?
 *
 * Return: false if not; the log says why
 */
bool ucv_kretprobes_ucount(void)
{
	return ucv_ucount_probe.can;
}

/**
 * ucv_kretprobes_mount() - can refusals of count_mounts() be detected?
 *
 * Return: false if not; the log says why
 */
bool ucv_kretprobes_mount(void)
{
	return ucv_mount_probe.can;
}

/**
 * ucv_kretprobes_features() - which refusals besides these two can be detected?
 *
 * Return: UCV_FEATURE_*; for those missing the log says why
 */
u64 ucv_kretprobes_features(void)
{
	return ucv_features;
}

/**
 * ucv_range_find() - find a function
 * @range: out: where it is
 * @function: its name
 *
 * Context: process context, at load.
 * Return: false if it has no symbol
 */
bool ucv_range_find(struct ucv_range *range, const char *function)
{
	const void *start = ucv_symbol_optional(function);

	range->start = (unsigned long)start;
	range->size = start ? ucv_symbol_size(start) : 0;
	return range->size;
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

/*
 * Try it: some architectures (riscv) allow no kprobe where a function starts with what
 * ftrace patches. Disabled, as in ucv_symbols_init().
 */
static int ucv_try_probe(const char *function)
{
	struct kprobe kp = {
		.symbol_name	= function,
		.flags		= KPROBE_FLAG_DISABLED,
	};
	int ret = register_kprobe(&kp);

	if (!ret)
		unregister_kprobe(&kp);
	/* A lack of memory says nothing about the function. Arming reports its own. */
	return ret == -ENOMEM ? 0 : ret;
}

/**
 * ucv_can_probe() - can a function be probed so that no call is missed?
 * @function: its name
 * @what: what is not available if not, for the log
 *
 * Context: process context, at load.
 * Return: false if not, after a line in the log
 */
bool ucv_can_probe(const char *function, const char *what)
{
	int ret;

	if (!ucv_symbol_optional(function)) {
		pr_info("%s are not available: no symbol %s to probe\n",
			what, function);
		return false;
	}
	if (ucv_function_has_clone(function)) {
		pr_info("%s are not available: some would be missed\n", what);
		return false;
	}
	ret = ucv_try_probe(function);
	if (ret) {
		pr_info("%s are not available: the kernel allows no kprobe at the start of %s(): error %d\n",
			what, function, ret);
		return false;
	}
	return true;
}

static void ucv_list_probe(struct ucv_probe *probe)
{
	if (probe->can && !WARN_ON(ucv_nr_probes == UCV_PROBES_MAX))
		ucv_probes[ucv_nr_probes++] = probe;
}

static void ucv_list_probes(void)
{
	struct ucv_probe * const *probe;

	ucv_list_probe(&ucv_ucount_probe);
	ucv_list_probe(&ucv_mount_probe);
	for (probe = ucv_rlimit_probes; *probe; probe++)
		ucv_list_probe(*probe);
	for (probe = ucv_depth_probes; *probe; probe++)
		ucv_list_probe(*probe);
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
	ucv_ucount_probe.can = ucv_can_probe("inc_ucount", "denials") &&
			       ucv_charges_ucount(btf);
	if (!ucv_ucount_probe.can)
		return; /* the log says why; without it there is no recording at all */
	ucv_mount_probe.can = ucv_mntns_available() && ucv_charges_mount(btf) &&
			      ucv_can_probe("count_mounts", "denials of mounts");
	ucv_features = ucv_rlimit_probes_init(calls, btf) | ucv_depth_probes_init(calls, btf);
	ucv_list_probes();
}

#else

void ucv_kretprobes_init(const struct ucv_kretprobe_calls *calls, const struct ucv_btf *btf)
{
	pr_info("denials are not available: the kernel needs CONFIG_64BIT, CONFIG_KRETPROBES and access to function arguments (CONFIG_HAVE_FUNCTION_ARG_ACCESS_API)\n");
}

bool ucv_kretprobes_ucount(void)
{
	return false;
}

bool ucv_kretprobes_mount(void)
{
	return false;
}

u64 ucv_kretprobes_features(void)
{
	return 0;
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
