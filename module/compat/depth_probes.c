// SPDX-License-Identifier: GPL-2.0
/*
 * Probes on the functions that refuse namespaces nested too deep, see kretprobes.h.
 * create_user_ns() and create_pid_namespace() look at the parent's level before they charge,
 * so what inc_ucount() refuses is never refused here as well. The entry handlers ignore all
 * calls but those with a parent at the deepest level.
 */
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/pid_namespace.h>
#include <linux/ptrace.h>
#include <linux/uidgid.h>
#include <linux/user_namespace.h>

#include <uapi/ucountview.h>

#include "compat/btf.h"
#include "compat/canary.h"
#include "compat/charges.h"
#include "compat/kretprobes.h"
#include "compat/probes.h"
#include "compat/userns.h"

#if UCV_CAN_KRETPROBE

static const struct ucv_kretprobe_calls *ucv_calls;

static_assert(__same_type(create_user_ns, int (struct cred *)));

/*
 * A user namespace's parent is that of the new credentials, which belong to whoever makes
 * the call. create_user_ns() is called from another file for clone(), and from its own for
 * unshare(), where the compiler may have inlined it.
 */
struct ucv_userns_call {
	struct user_namespace *parent;
	kuid_t owner;
};

static struct ucv_range ucv_unshare_range;
static bool ucv_userns_depth_seen;

static int ucv_userns_entry(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct ucv_userns_call *call = (void *)ri->data;
	const struct cred *cred = (void *)regs_get_kernel_argument(regs, 0);

	call->parent = cred->user_ns;
	call->owner = cred->euid;
	/* The return tells the caller, which matters until unshare() has been seen. */
	return READ_ONCE(ucv_userns_depth_seen) && call->parent->level < UCV_USERNS_DEPTH;
}

NOKPROBE_SYMBOL(ucv_userns_entry);

/*
 * If the call has succeeded, the parent is pinned by the new namespace. Otherwise the
 * credentials still pin it.
 */
static int ucv_userns_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	const struct ucv_userns_call *call = (void *)ri->data;
	const struct ucv_depth_refusal refusal = {
		.type	= UCV_DENIAL_USERNS_DEPTH,
		.ns	= call->parent,
		.uid	= call->owner,
		.depth	= call->parent->level,
		.limit	= UCV_USERNS_DEPTH,
	};

	if (ucv_range_has(&ucv_unshare_range, ucv_return_address(ri)))
		ucv_set_seen(&ucv_userns_depth_seen);
	if (refusal.depth >= UCV_USERNS_DEPTH &&
	    (int)regs_return_value(regs) == -ENOSPC && READ_ONCE(ucv_reporting))
		ucv_calls->depth(&refusal);
	return 0;
}

NOKPROBE_SYMBOL(ucv_userns_return);

static struct ucv_probe ucv_userns_probe = {
	.symbol		= "create_user_ns",
	.entry		= ucv_userns_entry,
	.handler	= ucv_userns_return,
	.data_size	= sizeof(struct ucv_userns_call),
	.maxactive	= UCV_KRETPROBE_RARE,
};

/*
 * copy_pid_ns() is called from another file only, with the user namespace that is to own the
 * new pid namespace and is charged for it. The caller holds both namespaces. Without
 * CLONE_NEWPID it returns the old one.
 */
struct ucv_pidns_call {
	struct user_namespace *owner;
	unsigned int depth;
};

static bool ucv_pidns_depth_seen;

static int ucv_pidns_entry(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct ucv_pidns_call *call = (void *)ri->data;
	const struct pid_namespace *parent = (void *)regs_get_kernel_argument(regs, 2);

	call->owner = (void *)regs_get_kernel_argument(regs, 1);
	call->depth = parent->level;
	ucv_set_seen(&ucv_pidns_depth_seen);
	return call->depth < MAX_PID_NS_LEVEL;
}

NOKPROBE_SYMBOL(ucv_pidns_entry);

static int ucv_pidns_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	const struct ucv_pidns_call *call = (void *)ri->data;
	const struct ucv_depth_refusal refusal = {
		.type	= UCV_DENIAL_PIDNS_DEPTH,
		.ns	= call->owner,
		.uid	= current_euid(),
		.depth	= call->depth,
		.limit	= MAX_PID_NS_LEVEL,
	};

	if ((void *)regs_return_value(regs) == ERR_PTR(-ENOSPC) && READ_ONCE(ucv_reporting))
		ucv_calls->depth(&refusal);
	return 0;
}

NOKPROBE_SYMBOL(ucv_pidns_return);

static struct ucv_probe ucv_pidns_probe = {
	.symbol		= "copy_pid_ns",
	.entry		= ucv_pidns_entry,
	.handler	= ucv_pidns_return,
	.data_size	= sizeof(struct ucv_pidns_call),
	.maxactive	= UCV_KRETPROBE_RARE,
};

/* The members that the handlers read are where the headers say. */
static bool ucv_depth_layout_fits(const struct ucv_btf *btf)
{
	return !btf || (!UCV_BTF_EXPECT(btf, pid_namespace, level) &&
			!UCV_BTF_EXPECT(btf, cred, user_ns) &&
			!UCV_BTF_EXPECT(btf, cred, euid));
}

/* The type of the flags differs between kernels. */
#define UCV_COPY_PID_NS_FLAGS							\
	(__same_type(copy_pid_ns, struct pid_namespace *(u64, struct user_namespace *, \
							 struct pid_namespace *)) ? \
	 "u64" : "long unsigned int")

static bool ucv_pidns_fits(const struct ucv_btf *btf)
{
	static const char * const tags[] = {
		"pid_namespace", UCV_COPY_PID_NS_FLAGS, "user_namespace", "pid_namespace",
	};

	return ucv_charge_fits(btf, "copy_pid_ns", tags, ARRAY_SIZE(tags));
}

/**
 * ucv_depth_probes_init() - find out which refusals by nesting depth can be detected
 * @calls: callbacks; must stay valid while the module is loaded
 * @btf: from ucv_btf_open(), or NULL if the kernel has none
 *
 * If one cannot be detected on this kernel, one line in the log says why.
 *
 * Context: process context, at load.
 * Return: UCV_FEATURE_*
 */
u64 ucv_depth_probes_init(const struct ucv_kretprobe_calls *calls, const struct ucv_btf *btf)
{
	static const char * const tags[] = { "int", "cred" };

	ucv_calls = calls;
	if (!ucv_depth_layout_fits(btf))
		return 0; /* the log says why */
	ucv_range_find(&ucv_unshare_range, "unshare_userns");
	if (IS_ENABLED(CONFIG_USER_NS))
		ucv_userns_probe.can =
			ucv_charge_fits(btf, "create_user_ns", tags, ARRAY_SIZE(tags)) &&
			ucv_can_probe("create_user_ns", "denials by nesting depth");
	if (IS_ENABLED(CONFIG_PID_NS))
		ucv_pidns_probe.can =
			ucv_pidns_fits(btf) &&
			ucv_can_probe("copy_pid_ns", "denials by nesting depth");
	return (ucv_userns_probe.can ? UCV_FEATURE_USERNS_DEPTH_DENIALS : 0) |
	       (ucv_pidns_probe.can ? UCV_FEATURE_PIDNS_DEPTH_DENIALS : 0);
}

struct ucv_probe * const ucv_depth_probes[] = {
	&ucv_userns_probe,
	&ucv_pidns_probe,
	NULL
};

/**
 * ucv_depth_probes_seen() - which of these are verified to be detected
 *
 * Return: UCV_SEEN_*, as ucv_kretprobes_seen()
 */
u64 ucv_depth_probes_seen(void)
{
	return (READ_ONCE(ucv_userns_depth_seen) ? UCV_SEEN_USERNS_DEPTH : 0) |
	       (READ_ONCE(ucv_pidns_depth_seen) ? UCV_SEEN_PIDNS_DEPTH : 0);
}

#endif
