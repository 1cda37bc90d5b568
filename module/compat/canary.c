// SPDX-License-Identifier: GPL-2.0
/*
 * Whether kprobes fire, see canary.h.
 */
#include <linux/compiler.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/ptrace.h>

#include "compat/canary.h"

#if UCV_CAN_KRETPROBE

static DEFINE_MUTEX(ucv_canary_lock); /* protects the rest; one call at a time */
static unsigned long ucv_canary_calls;
static unsigned long ucv_canary_heard; /* the last call that hit the probe */
static struct kretprobe ucv_canary_probe;

/* Not inlined, not cloned, and with a side effect, so that it is called at all. */
static noinline __noclone unsigned long ucv_canary_call(unsigned long call)
{
	barrier();
	return ~call;
}

static int ucv_canary_entry(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	unsigned long *call = (void *)ri->data;

	*call = regs_get_kernel_argument(regs, 0);
	return 0;
}

NOKPROBE_SYMBOL(ucv_canary_entry);

static int ucv_canary_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	const unsigned long *call = (void *)ri->data;

	if (regs_return_value(regs) == ~*call)
		WRITE_ONCE(ucv_canary_heard, *call);
	return 0;
}

NOKPROBE_SYMBOL(ucv_canary_return);

/**
 * ucv_canary_arm() - probe the module's own function
 *
 * Context: process context. Sleeps. The caller serializes arming and disarming.
 * Return: 0, or what the kernel's kprobes returned
 */
int ucv_canary_arm(void)
{
	/* A kretprobe can be registered once only; re-arming needs a clean one. */
	ucv_canary_probe = (struct kretprobe) {
		.kp.symbol_name	= KBUILD_MODNAME ":ucv_canary_call",
		.entry_handler	= ucv_canary_entry,
		.handler	= ucv_canary_return,
		.data_size	= sizeof(unsigned long),
	};
	return register_kretprobe(&ucv_canary_probe);
}

/**
 * ucv_canary_disarm() - undo ucv_canary_arm()
 *
 * Context: as ucv_canary_arm().
 */
void ucv_canary_disarm(void)
{
	unregister_kretprobe(&ucv_canary_probe);
}

/**
 * ucv_canary_fires() - do kprobes fire now?
 *
 * Both the entry and the return must be hit, and the argument and the return value must
 * be where the probes' handlers read them.
 *
 * Context: process context. Sleeps.
 * Return: false if not, or if the canary is not armed
 */
bool ucv_canary_fires(void)
{
	unsigned long call;
	bool fires;

	mutex_lock(&ucv_canary_lock);
	call = ++ucv_canary_calls;
	ucv_canary_call(call);
	fires = READ_ONCE(ucv_canary_heard) == call;
	mutex_unlock(&ucv_canary_lock);
	return fires;
}

/**
 * ucv_canary_resembles() - can the canary stand for this probe?
 * @kp: a registered kprobe
 *
 * Context: process context, the canary armed.
 * Return: true if the kernel reaches both in the same way, by ftrace or by a breakpoint
 */
bool ucv_canary_resembles(const struct kprobe *kp)
{
	return (kp->flags & KPROBE_FLAG_FTRACE) ==
	       (ucv_canary_probe.kp.flags & KPROBE_FLAG_FTRACE);
}

#else

bool ucv_canary_fires(void)
{
	return false;
}

#endif
