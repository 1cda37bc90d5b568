// SPDX-License-Identifier: GPL-2.0
/*
 * User namespaces: holding one that a walk has found. userns.h says why there are two
 * ways.
 */
#include <linux/cred.h>
#include <linux/module.h>
#include <linux/uaccess.h>

#include "compat/btf.h"
#include "compat/resources.h"
#include "compat/userns.h"

static_assert(__same_type(((struct user_namespace *)NULL)->parent,
			  struct user_namespace *));
static_assert(__same_type(((struct user_namespace *)NULL)->owner, kuid_t));
static_assert(__same_type(((struct user_namespace *)NULL)->level, int));
static_assert(ARRAY_SIZE(((struct user_namespace *)NULL)->ucount_max) == UCOUNT_COUNTS);
/* A lockless walk takes references, so entries must pin their namespaces. */
static_assert(UCV_USERNS_PINNED || !UCV_HAVE_NS_RCU);

/**
 * ucv_userns_init() - check the layout of user namespaces against the headers
 * @btf: from ucv_btf_open(), or NULL if the kernel has none
 *
 * Context: process context, at load.
 * Return: 0, or a negative error after a line in the log that says why
 */
int ucv_userns_init(const struct ucv_btf *btf)
{
	int ret;

	if (!btf)
		return 0;
	ret = UCV_BTF_EXPECT(btf, user_namespace, uid_map);
	if (!ret)
		ret = UCV_BTF_EXPECT(btf, user_namespace, parent);
	if (!ret)
		ret = UCV_BTF_EXPECT(btf, user_namespace, level);
	if (!ret)
		ret = UCV_BTF_EXPECT(btf, user_namespace, owner);
	if (!ret)
		ret = UCV_BTF_EXPECT(btf, user_namespace, ns);
	if (!ret)
		ret = UCV_BTF_EXPECT(btf, user_namespace, ucount_max);
#if UCV_HAVE_UCOUNTS_RLIMIT
	if (!ret)
		ret = UCV_BTF_EXPECT(btf, user_namespace, rlimit_max);
#endif
	if (!ret)
		ret = UCV_BTF_EXPECT_SIZE(btf, user_namespace);
	return ret;
}

#if UCV_HAVE_NS_RCU

/**
 * ucv_userns_hold() - hold a namespace that was found under a lock or RCU
 * @ref: to be filled; ucv_userns_release() undoes it
 * @ns: found in the same locked section in one of these ways: from an entry of a locked
 *	ucounts bucket, from the credentials of a task under RCU, from a mount namespace
 *	during a visit (compat/mntns.h), from a group whose file is pinned
 *	(compat/fsnotify.h), or as the parent of a namespace that is held
 *
 * Context: any. Does not sleep.
 * Return: false if the namespace is dying
 */
bool ucv_userns_hold(struct ucv_userns_ref *ref, struct user_namespace *ns)
{
	/* RCU pins the memory; the count says whether the namespace is alive. */
	if (!ns_ref_get(ns))
		return false;
	ref->key = ns;
	return true;
}

#elif UCV_USERNS_PINNED

bool ucv_userns_hold(struct ucv_userns_ref *ref, struct user_namespace *ns)
{
	/*
	 * Whatever points to it holds a reference until the end of the locked section:
	 * an entry until it is removed from the table, which takes the lock;
	 * credentials until a grace period after their last user; a mount namespace
	 * until it is freed, after its removal from the tree; a file's credentials as
	 * long as the file does; a child until it is freed.
	 */
	ref->key = get_user_ns(ns);
	return true;
}

#else

bool ucv_userns_hold(struct ucv_userns_ref *ref, struct user_namespace *ns)
{
	/* Nothing pins the memory, see userns.h: the read may fail or return stale data. */
	if (copy_from_kernel_nofault(&ref->copy, ns, sizeof(ref->copy)))
		return false;
	if (ref->copy.ns.ops != init_user_ns.ns.ops)
		return false;
	if (ref->copy.level < 0 || ref->copy.level >= UCV_USERNS_LEVELS)
		return false;
	if (!ref->copy.parent && ns != &init_user_ns)
		return false;
	ref->key = ns;
	return true;
}

#endif

/**
 * ucv_userns_is() - is this the namespace that was found before?
 * @ref: filled by ucv_userns_hold()
 * @ns: found as for ucv_userns_hold()
 *
 * Context: any. Does not sleep.
 */
bool ucv_userns_is(const struct ucv_userns_ref *ref, struct user_namespace *ns)
{
#if !UCV_USERNS_PINNED
	struct user_namespace *parent;
	unsigned int inum;
	kuid_t owner;
#endif

	if (ref->key != ns)
		return false;
#if !UCV_USERNS_PINNED
	/*
	 * A copy does not pin the address, which another namespace may have reused. It
	 * is another if an immutable member differs.
	 */
	if (get_kernel_nofault(parent, &ns->parent) ||
	    get_kernel_nofault(inum, &ns->ns.inum) ||
	    get_kernel_nofault(owner, &ns->owner))
		return false;
	return parent == ref->copy.parent && inum == ref->copy.ns.inum &&
	       uid_eq(owner, ref->copy.owner);
#else
	return true;
#endif
}

/**
 * ucv_userns_release() - undo ucv_userns_hold()
 * @ref: filled by it
 *
 * Context: process context. If this was the last reference, the kernel frees the
 *	namespace from a work item, as always.
 */
void ucv_userns_release(struct ucv_userns_ref *ref)
{
#if UCV_USERNS_PINNED
	put_user_ns(ref->key);
#endif
	ref->key = NULL;
}

/**
 * ucv_userns_limits() - read all limits that a namespace sets
 * @ref: filled by ucv_userns_hold()
 * @limit: out: UCV_NR_RESOURCES values
 */
void ucv_userns_limits(const struct ucv_userns_ref *ref, s64 *limit)
{
#if UCV_USERNS_PINNED
	const struct user_namespace *ns = ref->key;
#else
	const struct user_namespace *ns = &ref->copy;
#endif
	unsigned int i;

	for (i = 0; i < UCOUNT_COUNTS; i++)
		limit[i] = READ_ONCE(ns->ucount_max[i]);
#if UCV_HAVE_UCOUNTS_RLIMIT
	for (i = 0; i < UCV_NR_RLIMITS; i++)
		limit[UCOUNT_COUNTS + i] = READ_ONCE(ns->rlimit_max[i]);
#endif
}
