// SPDX-License-Identifier: GPL-2.0
/*
 * Denials: the record of a charge that the kernel refuses, and the ring and the counts
 * that store it.
 *
 * A record is made in the refused thread, in the context that compat/kretprobes.h
 * describes. It is built without any lock and copied into the ring under
 * ucv_denials_lock, which is held for nothing but such copies. So no reader can delay
 * the refused thread: the ring has a fixed size, and what is not read in time is
 * overwritten.
 */
#include <linux/cred.h>
#include <linux/hash.h>
#include <linux/irq_work.h>
#include <linux/lockdep.h>
#include <linux/log2.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <linux/uidgid.h>
#include <linux/user_namespace.h>
#include <linux/vmalloc.h>

#include "compat/kretprobes.h"
#include "compat/mntns.h"
#include "compat/resources.h"
#include "compat/ucounts.h"
#include "compat/userns.h"
#include "denials.h"

#define CREATE_TRACE_POINTS
#include <trace/events/ucountview.h>

#define UCV_DENIALS_MAX		(1024 * 1024U) /* records of max_denials, at most */

static unsigned int max_denials = UCV_DENIALS_RING;
module_param(max_denials, uint, 0444);
MODULE_PARM_DESC(max_denials,
		 "how many of the last denials are kept, of 176 bytes each (default 4096)");

/* A tree of mounts is counted up to this size, as preemption is disabled during the count. */
#define UCV_TREE_MAX		1024U

/* Maximum distance of a count from its home slot in the hash table. */
#define UCV_COUNTS_PROBES	16U

/**
 * struct ucv_ring - the recorded denials
 * @count: denials per limit: a hash table with open addressing; a slot with no
 *	denials is free
 * @others: sum of the counts evicted from it
 * @denial: the record with the sequence number n is at (n - 1) % max_denials
 */
struct ucv_ring {
	struct ucv_denial_count count[UCV_DENIALS_COUNTS];
	struct ucv_denial_count others;
	struct ucv_denial denial[];
};

static_assert(sizeof(struct ucv_denial) == 176); /* as said in the parameter's description */

DECLARE_WAIT_QUEUE_HEAD(ucv_denials_wait);

/* Raw, since it is taken with preemption disabled, on PREEMPT_RT as well. */
static DEFINE_RAW_SPINLOCK(ucv_denials_lock); /* protects all of the ring and the total */
static struct ucv_ring *ucv_ring; /* NULL until first armed, then never freed before unload */
static u64 ucv_total; /* sequence number of the newest record */

static void ucv_denials_wake(struct irq_work *work)
{
	wake_up_interruptible_poll(&ucv_denials_wait, EPOLLIN | EPOLLRDNORM);
}

/* Waking takes locks that must not be taken in the context where a denial is recorded. */
static DEFINE_IRQ_WORK(ucv_denials_waker, ucv_denials_wake);

static bool ucv_count_fits(const struct ucv_denial_count *count,
			   const struct ucv_denial_count *key)
{
	return count->ns_id == key->ns_id && count->ns == key->ns &&
	       count->uid == key->uid && count->type == key->type &&
	       count->resource == key->resource && count->level == key->level;
}

/* Evict a count: add it to the others and free its slot. */
static void ucv_count_evict(struct ucv_denial_count *count)
{
	struct ucv_denial_count *others = &ucv_ring->others;

	lockdep_assert_held(&ucv_denials_lock);
	others->denials += count->denials;
	others->last_ns = max(others->last_ns, count->last_ns);
	memset(count, 0, sizeof(*count));
}

/*
 * Find or claim the slot of a limit. If none of those probed is free, the count that has
 * been idle longest is evicted.
 */
static struct ucv_denial_count *ucv_count_slot(const struct ucv_denial_count *key)
{
	struct ucv_denial_count *quiet = NULL;
	u32 slot = hash_32(key->ns ^ hash_32(key->uid ^ key->resource, 32),
			   ilog2(UCV_DENIALS_COUNTS));
	u32 i;

	lockdep_assert_held(&ucv_denials_lock);
	for (i = 0; i < UCV_COUNTS_PROBES; i++) {
		struct ucv_denial_count *count =
			&ucv_ring->count[(slot + i) % UCV_DENIALS_COUNTS];

		if (!count->denials)
			*count = *key;
		if (ucv_count_fits(count, key))
			return count;
		if (!quiet || count->last_ns < quiet->last_ns)
			quiet = count;
	}
	ucv_count_evict(quiet);
	*quiet = *key;
	return quiet;
}

/* Add a denial to the count of the limit that refused. */
static void ucv_count_denial(const struct ucv_denial *denial)
{
	bool mount = denial->type == UCV_DENIAL_MOUNT;
	const struct ucv_denial_count key = {
		.ns_id	  = mount ? denial->mntns_id : denial->userns_id,
		.ns	  = mount ? denial->mntns : denial->userns,
		.uid	  = denial->uid,
		.type	  = denial->type,
		.resource = denial->resource,
		.level	  = denial->level,
	};
	struct ucv_denial_count *count = ucv_count_slot(&key);

	lockdep_assert_held(&ucv_denials_lock);
	count->denials++;
	count->last_ns = denial->time_ns;
}

/* Where the record with this sequence number is, or was. */
static struct ucv_denial *ucv_ring_record(u64 seq)
{
	u32 slot;

	lockdep_assert_held(&ucv_denials_lock);
	div_u64_rem(seq - 1, max_denials, &slot);
	return &ucv_ring->denial[slot];
}

/* Give a denial its sequence number and record it. */
static void ucv_record_denial(struct ucv_denial *denial)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&ucv_denials_lock, flags);
	denial->seq = ++ucv_total;
	*ucv_ring_record(denial->seq) = *denial;
	ucv_count_denial(denial);
	raw_spin_unlock_irqrestore(&ucv_denials_lock, flags);
	irq_work_queue(&ucv_denials_waker);
}

/* Fill in what does not depend on the rule that refused: the time and the thread. */
static void ucv_begin_denial(struct ucv_denial *denial, enum ucv_denial_type type)
{
	/* The thread's own credentials: no other task changes them. */
	const struct user_namespace *ns = current_user_ns();
	size_t length;

	memset(denial, 0, sizeof(*denial));
	denial->size = sizeof(*denial);
	denial->type = type;
	denial->time_ns = ktime_get_boottime_ns();
	denial->pid = task_pid_nr(current);
	denial->tgid = task_tgid_nr(current);
	/* Not by get_task_comm(), which may block. At worst torn by a concurrent rename. */
	data_race(memcpy(denial->comm, current->comm, sizeof(denial->comm)));
	denial->comm[sizeof(denial->comm) - 1] = '\0';
	/* On 5.10 the end of a longer, earlier name is behind it. */
	length = strlen(denial->comm);
	memset(denial->comm + length, 0, sizeof(denial->comm) - length);
	denial->caller_id = ucv_userns_id(ns);
	denial->caller_userns = ns->ns.inum;
	denial->caller_uid = __kuid_val(current_euid());
}

static void ucv_set_charged(struct ucv_denial *denial, const struct user_namespace *ns,
			    u32 uid)
{
	denial->charged_id = ucv_userns_id(ns);
	denial->charged_userns = ns->ns.inum;
	denial->charged_uid = uid;
	denial->charged_level = ns->level;
}

static void ucv_set_level(struct ucv_denial *denial, struct user_namespace *ns,
			  kuid_t uid, s64 used, s64 limit)
{
	denial->userns_id = ucv_userns_id(ns);
	denial->userns = ns->ns.inum;
	denial->uid = __kuid_val(uid);
	denial->uid_in_ns = ucv_userns_map(ns, uid);
	denial->level = ns->level;
	denial->used = used;
	denial->limit = limit;
}

/*
 * Find the level that refused, as inc_ucount() has just done: go up from where the
 * charge began to the first level at its limit. If none is any more, the level with the
 * least headroom most likely refused.
 *
 * The caller of inc_ucount() pins the first namespace. A namespace pins its parent, and
 * the entry that it is itself charged to, which belongs to the parent.
 */
static void ucv_find_level(struct ucv_denial *denial, struct user_namespace *ns,
			   kuid_t uid, unsigned int resource)
{
	s64 used, limit, least = S64_MAX;
	const struct ucounts *entry;

	if (ucv_ucounts_peek(ns, uid, resource, &used)) {
		limit = READ_ONCE(ns->ucount_max[resource]);
		denial->flags |= UCV_DENIAL_USED_UNKNOWN;
		ucv_set_level(denial, ns, uid, limit, limit);
		/* Only a level above that is certainly full is a better candidate. */
		least = 0;
		used = limit - 1;
	}
	for (;;) {
		limit = READ_ONCE(ns->ucount_max[resource]);
		if (used >= limit || limit - used < least) {
			least = limit - used;
			ucv_set_level(denial, ns, uid, used, limit);
		}
		entry = ns->ucounts;
		if (used >= limit || !entry)
			break;
		ns = entry->ns;
		uid = entry->uid;
		used = ucv_ucounts_one(entry, resource);
	}
	if (least > 0)
		denial->flags |= UCV_DENIAL_UNSURE;
}

/* inc_ucount() has returned NULL: a callback of struct ucv_kretprobe_calls. */
static void ucv_ucount_denied(struct user_namespace *ns, kuid_t uid, unsigned int resource)
{
	struct ucv_denial denial;

	ucv_begin_denial(&denial, UCV_DENIAL_UCOUNT);
	denial.resource = resource;
	denial.asked = 1;
	ucv_set_charged(&denial, ns, __kuid_val(uid));
	ucv_find_level(&denial, ns, uid, resource);
	ucv_record_denial(&denial);
	trace_ucount_denied(&denial, ucv_resources[resource].name);
}

static s64 ucv_as_s64(u64 value)
{
	return min_t(u64, value, S64_MAX);
}

/*
 * Find the level that refused, as the kernel has just done: compare the counter with the
 * limit of the process, and at each level above with what the namespace below says. If
 * none is exceeded any more, the level with the least headroom most likely refused.
 */
static void ucv_find_rlimit(struct ucv_denial *denial,
			    const struct ucv_rlimit_refusal *refusal)
{
	const s64 asked = ucv_as_s64(refusal->asked);
	const struct ucounts *entry;
	s64 used, left, least = S64_MAX;
	s64 limit = ucv_as_s64(refusal->limit);

	for (entry = refusal->ucounts; entry; entry = entry->ns->ucounts) {
		used = ucv_rlimit_used(entry, refusal->nth);
		if (refusal->charged)
			used -= asked;
		used = max_t(s64, used, 0); /* negative for an instant, as others uncharge */
		left = limit - used - asked;
		if (left < least) {
			least = left;
			ucv_set_level(denial, entry->ns, entry->uid, used, limit);
		}
		if (left < 0)
			return;
		limit = ucv_rlimit_max(entry->ns, refusal->nth);
	}
	denial->flags |= UCV_DENIAL_UNSURE;
}

/* A charge to an rlimit counter was refused: a callback of struct ucv_kretprobe_calls. */
static void ucv_rlimit_denied(const struct ucv_rlimit_refusal *refusal)
{
	const struct ucounts *charged = refusal->ucounts;
	struct ucv_denial denial;

	ucv_begin_denial(&denial, UCV_DENIAL_RLIMIT);
	denial.resource = UCOUNT_COUNTS + refusal->nth;
	denial.asked = min_t(u64, refusal->asked, U32_MAX);
	if (denial.asked != refusal->asked)
		denial.flags |= UCV_DENIAL_ASKED_MORE;
	ucv_set_charged(&denial, charged->ns, __kuid_val(charged->uid));
	ucv_find_rlimit(&denial, refusal);
	ucv_record_denial(&denial);
	trace_rlimit_denied(&denial, ucv_resources[denial.resource].name);
}

/* A namespace would have been nested too deep: a callback of struct ucv_kretprobe_calls. */
static void ucv_depth_denied(const struct ucv_depth_refusal *refusal)
{
	struct ucv_denial denial;

	ucv_begin_denial(&denial, refusal->type);
	denial.resource = UCV_NO_INDEX;
	denial.asked = 1;
	ucv_set_charged(&denial, refusal->ns, __kuid_val(refusal->uid));
	ucv_set_level(&denial, refusal->ns, refusal->uid, refusal->depth, refusal->limit);
	ucv_record_denial(&denial);
	trace_depth_denied(&denial, ucv_denial_resource(denial.type, denial.resource));
}

/**
 * ucv_denial_resource() - what was refused
 * @type: an enum ucv_denial_type
 * @resource: as ucv_denial.resource
 *
 * Context: any.
 * Return: the name of the resource, as the text files and the reader have it
 */
const char *ucv_denial_resource(u32 type, u32 resource)
{
	switch (type) {
	case UCV_DENIAL_MOUNT:
		return "mounts";
	case UCV_DENIAL_USERNS_DEPTH:
		return "userns_depth";
	case UCV_DENIAL_PIDNS_DEPTH:
		return "pidns_depth";
	default:
		return ucv_resources[resource].name;
	}
}

/*
 * count_mounts() has returned -ENOSPC: a callback of struct ucv_kretprobe_calls. The counters
 * still have the values that it compared, since namespace_sem is held.
 */
static void ucv_mount_denied(struct mnt_namespace *ns, struct mount *mnt)
{
	struct ucv_mntns_facts facts;
	struct ucv_denial denial;

	if (ucv_mntns_read(ns, &facts))
		return;
	ucv_begin_denial(&denial, UCV_DENIAL_MOUNT);
	denial.resource = UCV_NO_INDEX;
	/* The mount namespace pins the user namespace that owns it. */
	ucv_set_charged(&denial, facts.user_ns, facts.uid);
	ucv_set_level(&denial, facts.user_ns, KUIDT_INIT(facts.uid), facts.mounts,
		      ucv_mntns_limit());
	denial.pending = facts.pending;
	denial.mntns_id = facts.id;
	denial.mntns = facts.inum;
	denial.asked = ucv_mount_tree_size(mnt, UCV_TREE_MAX);
	if (!denial.asked || denial.asked == UCV_TREE_MAX)
		denial.flags |= UCV_DENIAL_ASKED_MORE;
	ucv_record_denial(&denial);
	trace_mount_denied(&denial);
}

static const struct ucv_kretprobe_calls ucv_denial_calls = {
	.ucount	= ucv_ucount_denied,
	.mount	= ucv_mount_denied,
	.rlimit	= ucv_rlimit_denied,
	.depth	= ucv_depth_denied,
};

/**
 * ucv_denials_alloc() - allocate the ring, if that has not been done
 *
 * Context: process context, no locks held but the one that serializes arming and
 *	disarming. Sleeps.
 * Return: 0 or -ENOMEM
 */
int ucv_denials_alloc(void)
{
	struct ucv_ring *ring;

	if (ucv_ring)
		return 0;
	ring = vzalloc(struct_size(ring, denial, max_denials));
	if (!ring)
		return -ENOMEM;
	ring->others.uid = UCV_UID_UNMAPPED;
	ring->others.flags = UCV_DENIAL_COUNT_OTHERS;
	raw_spin_lock_irq(&ucv_denials_lock);
	ucv_ring = ring;
	raw_spin_unlock_irq(&ucv_denials_lock);
	return 0;
}

/**
 * ucv_denials_capacity() - how many of the last denials are kept
 *
 * Context: any.
 * Return: the number of records, constant while the module is loaded
 */
u32 ucv_denials_capacity(void)
{
	return max_denials;
}

/**
 * ucv_denials_total() - number of denials recorded since the module was loaded
 *
 * Context: process context.
 * Return: the number, which is also the sequence number of the newest record
 */
u64 ucv_denials_total(void)
{
	u64 total;

	raw_spin_lock_irq(&ucv_denials_lock);
	total = ucv_total;
	raw_spin_unlock_irq(&ucv_denials_lock);
	return total;
}

/**
 * ucv_denials_get() - get a record from the ring
 * @seq: in: sequence number of the record wanted; out: of the one returned, which is
 *	the oldest in the ring if the one wanted has been overwritten
 * @denial: out: the record, without its member lost
 *
 * Context: process context.
 * Return: false if the record does not exist yet
 */
bool ucv_denials_get(u64 *seq, struct ucv_denial *denial)
{
	bool found = false;
	u64 oldest = 1;

	raw_spin_lock_irq(&ucv_denials_lock);
	if (ucv_total > max_denials)
		oldest = ucv_total - max_denials + 1;
	if (*seq <= ucv_total) {
		*seq = max(*seq, oldest);
		*denial = *ucv_ring_record(*seq);
		found = true;
	}
	raw_spin_unlock_irq(&ucv_denials_lock);
	return found;
}

/**
 * ucv_denials_get_count() - get the count of one limit
 * @slot: 0 to UCV_DENIALS_COUNTS; the last one is the sum of the evicted counts
 * @count: out
 *
 * Context: process context.
 * Return: false if the slot is free
 */
bool ucv_denials_get_count(u32 slot, struct ucv_denial_count *count)
{
	memset(count, 0, sizeof(*count));
	raw_spin_lock_irq(&ucv_denials_lock);
	if (ucv_ring)
		*count = slot < UCV_DENIALS_COUNTS ? ucv_ring->count[slot] : ucv_ring->others;
	raw_spin_unlock_irq(&ucv_denials_lock);
	return count->denials;
}

/**
 * ucv_denials_init() - find out what can be recorded
 * @btf: from ucv_btf_open(), or NULL if the kernel has none
 *
 * Context: process context, at load, after ucv_mntns_init().
 * Return: 0, or -EINVAL after a line in the log if max_denials is not valid
 */
int ucv_denials_init(const struct ucv_btf *btf)
{
	if (!max_denials || max_denials > UCV_DENIALS_MAX) {
		pr_err("max_denials must be a number from 1 to %u\n", UCV_DENIALS_MAX);
		return -EINVAL;
	}
	ucv_kretprobes_init(&ucv_denial_calls, btf);
	return 0;
}

/**
 * ucv_denials_exit() - free the ring
 *
 * Context: process context, at unload, disarmed for good and with no reader left.
 */
void ucv_denials_exit(void)
{
	irq_work_sync(&ucv_denials_waker);
	vfree(ucv_ring);
}
