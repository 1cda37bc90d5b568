// SPDX-License-Identifier: GPL-2.0
/*
 * Probes on the functions that refuse by a counter of rlimit[], see kretprobes.h. Only
 * is_rlimit_overlimit() is called often, by every fork(). The others are called by few
 * system calls, or their entry handler ignores nearly all calls.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/ipc_namespace.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mqueue.h>
#include <linux/msg.h>
#include <linux/posix-timers.h>
#include <linux/ptrace.h>
#include <linux/rbtree.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/shmem_fs.h>
#include <linux/signal.h>
#include <linux/stat.h>
#include <linux/uidgid.h>
#include <linux/user_namespace.h>

#include <uapi/ucountview.h>

#include "compat/btf.h"
#include "compat/canary.h"
#include "compat/charges.h"
#include "compat/kretprobes.h"
#include "compat/probes.h"
#include "compat/resources.h"

#if UCV_CAN_KRETPROBE

#if UCV_RLIMITS_APART

static const struct ucv_kretprobe_calls *ucv_calls;

static_assert(__same_type(is_rlimit_overlimit, bool (struct ucounts *, enum rlimit_type,
						     unsigned long)));
static_assert(__same_type(shmem_lock, int (struct file *, int, struct ucounts *)));
static_assert(__same_type(do_send_sig_info, int (int, struct kernel_siginfo *,
						 struct task_struct *, enum pid_type)));

static void ucv_refuse(const struct ucounts *ucounts, unsigned int nth, unsigned long limit,
		       u64 asked, bool charged)
{
	const struct ucv_rlimit_refusal refusal = {
		.ucounts = ucounts,
		.nth	 = nth,
		.limit	 = limit,
		.asked	 = asked,
		.charged = charged,
	};

	ucv_calls->rlimit(&refusal);
}

NOKPROBE_SYMBOL(ucv_refuse);

/*
 * RLIMIT_NPROC. is_rlimit_overlimit() is called from other files only: by copy_process(),
 * which has charged the new task and now refuses unless the caller is exempt; by execve()
 * if an earlier set*id() has passed the limit, to refuse; and by set*id(), to note that.
 * Nothing but the return address distinguishes them. While another tracer hooks the
 * function's return, that may be the tracer's; such a call is not recorded.
 */
struct ucv_nproc_call {
	const struct ucounts *ucounts;
	unsigned int type;
	unsigned long limit;
};

static struct ucv_range ucv_fork_range;
static struct ucv_range ucv_exec_range;
static bool ucv_nproc_seen;

static int ucv_nproc_entry(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct ucv_nproc_call *call = (void *)ri->data;

	call->ucounts = (void *)regs_get_kernel_argument(regs, 0);
	call->type = (unsigned int)regs_get_kernel_argument(regs, 1);
	call->limit = regs_get_kernel_argument(regs, 2);
	return call->type != UCOUNT_RLIMIT_NPROC;
}

NOKPROBE_SYMBOL(ucv_nproc_entry);

/*
 * As copy_process() decides: the new task has the real uid of the caller, and capable() asks
 * for the caller's effective capabilities in the initial user namespace. It cannot be
 * called here, as it leaves traces (PF_SUPERPRIV, the audit log). So if a security module
 * denies the capability, the call is taken for an exempt one.
 */
static bool ucv_fork_is_exempt(void)
{
	/* The thread's own credentials: no other task changes them. */
	const struct cred *cred = current_cred();

	if (uid_eq(cred->uid, GLOBAL_ROOT_UID))
		return true;
	return cred->user_ns == &init_user_ns &&
	       (cap_raised(cred->cap_effective, CAP_SYS_RESOURCE) ||
		cap_raised(cred->cap_effective, CAP_SYS_ADMIN));
}

NOKPROBE_SYMBOL(ucv_fork_is_exempt);

/* copy_process() and execve() hold the credentials that pin the ucounts entry. */
static int ucv_nproc_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	const struct ucv_nproc_call *call = (void *)ri->data;
	unsigned long caller = ucv_return_address(ri);
	bool forks = ucv_range_has(&ucv_fork_range, caller);

	if (forks)
		ucv_set_seen(&ucv_nproc_seen);
	/* Only the low byte of a bool is defined. */
	if (!(u8)regs_return_value(regs) || !READ_ONCE(ucv_reporting))
		return 0;
	if (forks && !ucv_fork_is_exempt())
		ucv_refuse(call->ucounts, call->type, call->limit, 1, true);
	else if (ucv_range_has(&ucv_exec_range, caller))
		ucv_refuse(call->ucounts, call->type, call->limit, 0, false);
	return 0;
}

NOKPROBE_SYMBOL(ucv_nproc_return);

static struct ucv_probe ucv_nproc_probe = {
	.symbol		= "is_rlimit_overlimit",
	.entry		= ucv_nproc_entry,
	.handler	= ucv_nproc_return,
	.data_size	= sizeof(struct ucv_nproc_call),
	.maxactive	= UCV_KRETPROBE_THREADS,
};

/*
 * RLIMIT_MSGQUEUE. mqueue_get_inode() creates a queue, and fails with EMFILE only if its
 * charge is refused, which it has then undone. It is called from its own file, where the
 * compiler may have inlined it.
 */
struct ucv_mqueue_call {
	u64 bytes;
};

/* The kernel's posix_msg_tree_node, which is private to ipc/mqueue.c. */
struct posix_msg_tree_node {
	struct rb_node rb_node;
	struct list_head msg_list;
	int priority;
};

static bool ucv_mqueue_seen;

/* What a queue is charged. The kernel checks for overflow before it charges. */
static u64 ucv_mqueue_bytes(const struct ipc_namespace *ns, const struct mq_attr *attr)
{
	u64 maxmsg, msgsize;

	/* The caller holds both. Without attributes it takes those of the namespace. */
	if (attr) {
		maxmsg = attr->mq_maxmsg;
		msgsize = attr->mq_msgsize;
	} else {
		maxmsg = min(READ_ONCE(ns->mq_msg_max), READ_ONCE(ns->mq_msg_default));
		msgsize = min(READ_ONCE(ns->mq_msgsize_max), READ_ONCE(ns->mq_msgsize_default));
	}
	return maxmsg * (msgsize + sizeof(struct msg_msg)) +
	       min_t(u64, maxmsg, MQ_PRIO_MAX) * sizeof(struct posix_msg_tree_node);
}

NOKPROBE_SYMBOL(ucv_mqueue_bytes);

static int ucv_mqueue_entry(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct ucv_mqueue_call *call = (void *)ri->data;
	const struct ipc_namespace *ns = (void *)regs_get_kernel_argument(regs, 1);
	umode_t mode = (umode_t)regs_get_kernel_argument(regs, 2);
	const struct mq_attr *attr = (void *)regs_get_kernel_argument(regs, 3);

	if (!S_ISREG(mode))
		return 1;
	call->bytes = ucv_mqueue_bytes(ns, attr);
	return 0;
}

NOKPROBE_SYMBOL(ucv_mqueue_entry);

static int ucv_mqueue_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	const struct ucv_mqueue_call *call = (void *)ri->data;

	ucv_set_seen(&ucv_mqueue_seen);
	/* The charge began with the thread's own credentials, which pin the entry. */
	if ((void *)regs_return_value(regs) == ERR_PTR(-EMFILE) && READ_ONCE(ucv_reporting))
		ucv_refuse(current_ucounts(), UCOUNT_RLIMIT_MSGQUEUE, rlimit(RLIMIT_MSGQUEUE),
			   call->bytes, false);
	return 0;
}

NOKPROBE_SYMBOL(ucv_mqueue_return);

static struct ucv_probe ucv_mqueue_probe = {
	.symbol		= "mqueue_get_inode",
	.entry		= ucv_mqueue_entry,
	.handler	= ucv_mqueue_return,
	.data_size	= sizeof(struct ucv_mqueue_call),
	.maxactive	= UCV_KRETPROBE_RARE,
};

/*
 * RLIMIT_MEMLOCK. shmem_lock() is called from other files only, for shmctl(SHM_LOCK). It
 * fails if user_shm_lock() refuses the charge, whether for the limit or for want of
 * CAP_IPC_LOCK; the charge is then undone. (shmget(SHM_HUGETLB) charges to no purpose
 * since Linux 5.18: without the right to huge pages it fails in any case.)
 */
struct ucv_memlock_call {
	const struct file *file;
	const struct ucounts *ucounts;
};

static bool ucv_memlock_seen;

static int ucv_memlock_entry(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct ucv_memlock_call *call = (void *)ri->data;

	call->file = (void *)regs_get_kernel_argument(regs, 0);
	call->ucounts = (void *)regs_get_kernel_argument(regs, 2);
	return !(int)regs_get_kernel_argument(regs, 1); /* unlocks */
}

NOKPROBE_SYMBOL(ucv_memlock_entry);

static int ucv_memlock_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	const struct ucv_memlock_call *call = (void *)ri->data;
	unsigned long limit = rlimit(RLIMIT_MEMLOCK);

	ucv_set_seen(&ucv_memlock_seen);
	if ((int)regs_return_value(regs) != -ENOMEM || !READ_ONCE(ucv_reporting))
		return 0;
	if (limit != RLIM_INFINITY)
		limit >>= PAGE_SHIFT;
	/* shmctl() has locked the segment, which holds the file. The entry is the thread's own. */
	ucv_refuse(call->ucounts, UCOUNT_RLIMIT_MEMLOCK, limit,
		   DIV_ROUND_UP((u64)file_inode(call->file)->i_size, PAGE_SIZE), false);
	return 0;
}

NOKPROBE_SYMBOL(ucv_memlock_return);

static struct ucv_probe ucv_memlock_probe = {
	.symbol		= "shmem_lock",
	.entry		= ucv_memlock_entry,
	.handler	= ucv_memlock_return,
	.data_size	= sizeof(struct ucv_memlock_call),
	.maxactive	= UCV_KRETPROBE_RARE,
};

/*
 * RLIMIT_SIGPENDING, by a system call that queues a signal: do_send_sig_info() fails with
 * EAGAIN if there is no room for a realtime signal that must be queued, or no memory, in
 * which case the record is marked as uncertain. A classic one, or one sent by kill(), is
 * delivered all the same. The kernel itself sends realtime signals
 * with a siginfo in two places, which no system call waits for: for F_SETSIG (si_code
 * above 0) and mq_notify() (SI_MESGQ). These are left out, and with them what a program
 * sends with such a si_code, which only rt_sigqueueinfo() itself allows. The function is
 * called from its own file, where the compiler may have inlined it.
 *
 * The counter is that of the receiver. The caller holds the receiver, or the RCU read lock.
 */
struct ucv_signal_call {
	struct task_struct *task;
};

static bool ucv_signal_seen;

static int ucv_signal_entry(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct ucv_signal_call *call = (void *)ri->data;
	int sig = (int)regs_get_kernel_argument(regs, 0);
	struct kernel_siginfo *info = (void *)regs_get_kernel_argument(regs, 1);

	/* SEND_SIG_PRIV and SEND_SIG_NOINFO are no pointers: a signal without a siginfo. */
	if (sig < SIGRTMIN || info <= SEND_SIG_PRIV || info->si_code >= 0 ||
	    info->si_code == SI_MESGQ)
		return 1;
	call->task = (void *)regs_get_kernel_argument(regs, 2);
	return 0;
}

NOKPROBE_SYMBOL(ucv_signal_entry);

static int ucv_signal_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	const struct ucv_signal_call *call = (void *)ri->data;

	ucv_set_seen(&ucv_signal_seen);
	if ((int)regs_return_value(regs) != -EAGAIN || !READ_ONCE(ucv_reporting))
		return 0;
	/* RCU pins the receiver's credentials, and these the entry. */
	rcu_read_lock();
	ucv_refuse(task_ucounts(call->task), UCOUNT_RLIMIT_SIGPENDING,
		   task_rlimit(call->task, RLIMIT_SIGPENDING), 1, false);
	rcu_read_unlock();
	return 0;
}

NOKPROBE_SYMBOL(ucv_signal_return);

static struct ucv_probe ucv_signal_probe = {
	.symbol		= "do_send_sig_info",
	.entry		= ucv_signal_entry,
	.handler	= ucv_signal_return,
	.data_size	= sizeof(struct ucv_signal_call),
	.maxactive	= UCV_KRETPROBE_THREADS,
};

/*
 * RLIMIT_SIGPENDING, by timer_create(), which needs a signal for its timer: the function that
 * provides one is called from there only, in another file, for the calling thread. It
 * returns false or NULL.
 */
static int ucv_timer_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
#if UCV_HAVE_POSIXTIMER_SIGQUEUE
	bool refused = !(u8)regs_return_value(regs);
#else
	bool refused = !regs_return_value(regs);
#endif

	/* The thread's own credentials pin the entry. */
	if (refused && READ_ONCE(ucv_reporting))
		ucv_refuse(current_real_cred()->ucounts, UCOUNT_RLIMIT_SIGPENDING,
			   rlimit(RLIMIT_SIGPENDING), 1, false);
	return 0;
}

NOKPROBE_SYMBOL(ucv_timer_return);

static struct ucv_probe ucv_timer_probe = {
	.symbol		= UCV_HAVE_POSIXTIMER_SIGQUEUE ? "posixtimer_init_sigqueue" :
							 "sigqueue_alloc",
	.handler	= ucv_timer_return,
	.maxactive	= UCV_KRETPROBE_RARE,
};

/* The members that the handlers read are where the headers say. */
static bool ucv_cred_fits(const struct ucv_btf *btf)
{
	return !btf || (!UCV_BTF_EXPECT(btf, cred, uid) && !UCV_BTF_EXPECT(btf, cred, ucounts) &&
			!UCV_BTF_EXPECT(btf, cred, user_ns) &&
			!UCV_BTF_EXPECT(btf, cred, cap_effective) &&
			!UCV_BTF_EXPECT(btf, task_struct, signal) &&
			!UCV_BTF_EXPECT(btf, task_struct, real_cred));
}

static bool ucv_mqueue_fits(const struct ucv_btf *btf)
{
	return !btf || (!UCV_BTF_EXPECT_SIZE(btf, posix_msg_tree_node) &&
			!UCV_BTF_EXPECT(btf, ipc_namespace, mq_msg_max) &&
			!UCV_BTF_EXPECT(btf, ipc_namespace, mq_msg_default) &&
			!UCV_BTF_EXPECT(btf, ipc_namespace, mq_msgsize_max) &&
			!UCV_BTF_EXPECT(btf, ipc_namespace, mq_msgsize_default));
}

static bool ucv_memlock_fits(const struct ucv_btf *btf)
{
	return !btf || (!UCV_BTF_EXPECT(btf, file, f_inode) && !UCV_BTF_EXPECT(btf, inode, i_size));
}

static void ucv_nproc_init(const struct ucv_btf *btf)
{
	static const char * const tags[] = {
		"bool", "ucounts", "rlimit_type", "long unsigned int",
	};
	static const char * const execs[] = {
		"do_execveat_common", "do_execveat_common.isra.0",
		"do_execveat_common.constprop.0",
	};
	unsigned int i;

	if (!ucv_charge_fits(btf, "is_rlimit_overlimit", tags, ARRAY_SIZE(tags)))
		return; /* the log says why */
	if (!ucv_can_probe("is_rlimit_overlimit", "denials by RLIMIT_NPROC"))
		return;
	if (!ucv_range_find(&ucv_fork_range, "copy_process")) {
		pr_info("denials by RLIMIT_NPROC are not available: no symbol copy_process\n");
		return;
	}
	ucv_nproc_probe.can = true;
	for (i = 0; i < ARRAY_SIZE(execs); i++)
		if (ucv_range_find(&ucv_exec_range, execs[i]))
			return;
	pr_info("denials of execve() by RLIMIT_NPROC are not available: no symbol do_execveat_common\n");
}

static void ucv_mqueue_init(const struct ucv_btf *btf)
{
	static const char * const tags[] = {
		"inode", "super_block", "ipc_namespace", "umode_t", "mq_attr",
	};

	if (!IS_ENABLED(CONFIG_POSIX_MQUEUE))
		return; /* there are no queues */
	ucv_mqueue_probe.can = ucv_mqueue_fits(btf) &&
			       ucv_charge_fits(btf, "mqueue_get_inode", tags, ARRAY_SIZE(tags)) &&
			       ucv_can_probe("mqueue_get_inode", "denials by RLIMIT_MSGQUEUE");
}

static void ucv_memlock_init(const struct ucv_btf *btf)
{
	static const char * const tags[] = { "int", "file", "int", "ucounts" };

	if (!IS_ENABLED(CONFIG_SHMEM))
		return; /* shmem_lock() does nothing */
	ucv_memlock_probe.can = ucv_memlock_fits(btf) &&
				ucv_charge_fits(btf, "shmem_lock", tags, ARRAY_SIZE(tags)) &&
				ucv_can_probe("shmem_lock", "denials by RLIMIT_MEMLOCK");
}

/* Both or neither: one feature bit stands for the resource. */
static void ucv_sigpending_init(const struct ucv_btf *btf)
{
	static const char * const tags[] = {
		"int", "int", "kernel_siginfo", "task_struct", "pid_type",
	};
	bool can = ucv_charge_fits(btf, "do_send_sig_info", tags, ARRAY_SIZE(tags)) &&
		   ucv_can_probe("do_send_sig_info", "denials by RLIMIT_SIGPENDING");

	if (IS_ENABLED(CONFIG_POSIX_TIMERS)) {
		can = can && ucv_can_probe(ucv_timer_probe.symbol,
					   "denials by RLIMIT_SIGPENDING");
		ucv_timer_probe.can = can;
	}
	ucv_signal_probe.can = can;
}

struct ucv_probe * const ucv_rlimit_probes[] = {
	&ucv_nproc_probe,
	&ucv_mqueue_probe,
	&ucv_memlock_probe,
	&ucv_signal_probe,
	&ucv_timer_probe,
	NULL
};

/**
 * ucv_rlimit_probes_init() - find out which refusals by rlimit counters can be detected
 * @calls: callbacks; must stay valid while the module is loaded
 * @btf: from ucv_btf_open(), or NULL if the kernel has none
 *
 * If one cannot be detected on this kernel, one line in the log says why.
 *
 * Context: process context, at load.
 * Return: UCV_FEATURE_*
 */
u64 ucv_rlimit_probes_init(const struct ucv_kretprobe_calls *calls, const struct ucv_btf *btf)
{
	ucv_calls = calls;
	if (!ucv_cred_fits(btf))
		return 0; /* the log says why */
	ucv_nproc_init(btf);
	ucv_mqueue_init(btf);
	ucv_memlock_init(btf);
	ucv_sigpending_init(btf);
	return (ucv_nproc_probe.can ? UCV_FEATURE_NPROC_DENIALS : 0) |
	       (ucv_mqueue_probe.can ? UCV_FEATURE_MSGQUEUE_DENIALS : 0) |
	       (ucv_memlock_probe.can ? UCV_FEATURE_MEMLOCK_DENIALS : 0) |
	       (ucv_signal_probe.can ? UCV_FEATURE_SIGPENDING_DENIALS : 0);
}

/**
 * ucv_rlimit_probes_seen() - which of these are verified to be detected
 *
 * Return: UCV_SEEN() of each resource, as ucv_kretprobes_seen()
 */
u64 ucv_rlimit_probes_seen(void)
{
	return (READ_ONCE(ucv_nproc_seen) ?
			UCV_SEEN(UCOUNT_COUNTS + UCOUNT_RLIMIT_NPROC) : 0) |
	       (READ_ONCE(ucv_mqueue_seen) ?
			UCV_SEEN(UCOUNT_COUNTS + UCOUNT_RLIMIT_MSGQUEUE) : 0) |
	       (READ_ONCE(ucv_memlock_seen) ?
			UCV_SEEN(UCOUNT_COUNTS + UCOUNT_RLIMIT_MEMLOCK) : 0) |
	       (READ_ONCE(ucv_signal_seen) ?
			UCV_SEEN(UCOUNT_COUNTS + UCOUNT_RLIMIT_SIGPENDING) : 0);
}

#else

struct ucv_probe * const ucv_rlimit_probes[] = { NULL };

u64 ucv_rlimit_probes_init(const struct ucv_kretprobe_calls *calls, const struct ucv_btf *btf)
{
	if (ucv_resources_have_rlimits())
		pr_info("denials by resource limits are not available: this kernel has their counters among the others\n");
	return 0;
}

u64 ucv_rlimit_probes_seen(void)
{
	return 0;
}

#endif

#endif
