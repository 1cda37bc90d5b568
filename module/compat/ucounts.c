// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's ucounts table: finding and verifying it.
 */
#include <linux/cred.h>
#include <linux/hash.h>
#include <linux/log2.h>
#include <linux/module.h>

#include "compat/btf.h"
#include "compat/locks.h"
#include "compat/symbols.h"
#include "compat/ucounts.h"

static_assert(__same_type(((struct ucounts *)NULL)->ns, struct user_namespace *));
static_assert(__same_type(((struct ucounts *)NULL)->uid, kuid_t));
static_assert(ARRAY_SIZE(((struct ucounts *)NULL)->ucount) == UCOUNT_COUNTS);
static_assert(__same_type(((struct ucounts *)NULL)->ucount[0], atomic_t) ||
	      __same_type(((struct ucounts *)NULL)->ucount[0], atomic_long_t));
static_assert(sizeof(atomic_t) != sizeof(atomic_long_t)); /* tells them apart */

/* Set at load, constant afterwards. */
struct ucv_ucounts_head *ucv_ucounts_table;
unsigned int ucv_ucounts_nr_buckets;
spinlock_t *ucv_ucounts_lock; /* the kernel's: protects its table; NULL if not used */

static int ucv_ucounts_check_layout(const struct ucv_btf *btf)
{
	int ret;

	ret = UCV_BTF_EXPECT(btf, ucounts, node);
	if (!ret)
		ret = UCV_BTF_EXPECT(btf, ucounts, ns);
	if (!ret)
		ret = UCV_BTF_EXPECT(btf, ucounts, uid);
	if (!ret)
		ret = UCV_BTF_EXPECT(btf, ucounts, count);
	if (!ret)
		ret = UCV_BTF_EXPECT(btf, ucounts, ucount);
	if (!ret)
		ret = UCV_BTF_EXPECT_SIZE(btf, ucounts);
	return ret;
}

/* The bucket of an entry, as the kernel computes it. */
static unsigned int ucv_ucounts_bucket(const struct user_namespace *ns, kuid_t uid)
{
	return hash_long((unsigned long)__kuid_val(uid) + (unsigned long)ns,
			 ilog2(ucv_ucounts_nr_buckets));
}

/*
 * Root in the initial user namespace has had an entry since the kernel made its first
 * mount namespace. If that is not in the bucket where the kernel would look for it, the
 * table has an unsupported form.
 */
static bool ucv_ucounts_root_found(void)
{
	unsigned int bucket = ucv_ucounts_bucket(&init_user_ns, GLOBAL_ROOT_UID);
	struct ucounts *entry;
	bool found = false;

	/* The lock, or RCU, pins each entry until the end of the loop. */
	ucv_ucounts_lock_bucket();
	for (entry = ucv_ucounts_first(bucket); entry && !found;
	     entry = ucv_ucounts_next(entry))
		found = entry->ns == &init_user_ns &&
			uid_eq(entry->uid, GLOBAL_ROOT_UID);
	ucv_ucounts_unlock_bucket();
	return found;
}

/* Read one counter of the first live match: that is the entry the kernel charges. */
static s64 ucv_ucounts_search(const struct user_namespace *ns, kuid_t uid,
			      unsigned int resource)
{
	struct ucounts *entry = ucv_ucounts_first(ucv_ucounts_bucket(ns, uid));

	for (; entry; entry = ucv_ucounts_next(entry))
		if (entry->ns == ns && uid_eq(entry->uid, uid) && !ucv_ucounts_is_dead(entry))
			return ucv_ucounts_one(entry, resource);
	return 0;
}

/**
 * ucv_ucounts_peek() - read one counter of one user in one namespace
 * @ns: the namespace, held by the caller
 * @uid: the user
 * @resource: index into ucount[]
 * @used: out: its value; 0 if the kernel has no entry for them
 *
 * Context: any but with the table's lock held. Does not sleep.
 * Return: 0, or -EBUSY if it would have to wait (PREEMPT_RT)
 */
int ucv_ucounts_peek(const struct user_namespace *ns, kuid_t uid, unsigned int resource,
		     s64 *used)
{
	unsigned long flags;

	if (!ucv_ucounts_try_pin(&flags))
		return -EBUSY;
	*used = ucv_ucounts_search(ns, uid, resource);
	ucv_ucounts_unpin(flags);
	return 0;
}

/**
 * ucv_ucounts_init() - find the table
 * @btf: from ucv_btf_open(), or NULL if the kernel has none
 *
 * Context: process context, at load.
 * Return: 0, or a negative error after a line in the log that says why
 */
int ucv_ucounts_init(const struct ucv_btf *btf)
{
	size_t size;
	int ret;

	ret = btf ? ucv_ucounts_check_layout(btf) : 0;
	if (ret)
		return ret;

	ucv_ucounts_table = ucv_symbol("ucounts_hashtable", sizeof(*ucv_ucounts_table));
	if (!ucv_ucounts_table)
		return -ENOENT;
	if (!UCV_UCOUNTS_LOCKLESS) {
		ucv_ucounts_lock = ucv_symbol("ucounts_lock", sizeof(*ucv_ucounts_lock));
		if (!ucv_ucounts_lock)
			return -ENOENT;
		if (!ucv_spinlock_works(ucv_ucounts_lock)) {
			pr_err("ucounts_lock self-test failed: cannot take it as a spinlock\n");
			return -ENOEXEC;
		}
	}

	/* The size is a power of two; padding or a red zone may follow the table. */
	size = ucv_symbol_size(ucv_ucounts_table) / sizeof(*ucv_ucounts_table);
	if (size < 2 || size > 1 << 20) {
		pr_err("unsupported ucounts_hashtable: %zu buckets\n", size);
		return -ENOEXEC;
	}
	ucv_ucounts_nr_buckets = rounddown_pow_of_two(size);
	if (!ucv_ucounts_root_found()) {
		pr_err("ucounts_hashtable self-test failed: no entry for uid 0 in init_user_ns (%u buckets)\n",
		       ucv_ucounts_nr_buckets);
		return -ENOEXEC;
	}
	return 0;
}
