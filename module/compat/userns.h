/* SPDX-License-Identifier: GPL-2.0 */
/*
 * User namespaces: how a walk keeps one readable after dropping the lock under which it
 * was found.
 *
 * - 6.0 and later: an entry of the ucounts table holds a reference on its namespace, and
 *   a namespace on its parent. A walk that finds an entry under the table's lock can
 *   therefore take a reference of its own. Since 6.18 namespaces are freed after a grace
 *   period, so under RCU the walk may try to take a reference, which fails if the
 *   namespace is dying. The reference keeps all of the namespace readable, including its
 *   uid map, and keeps its address from being reused.
 *
 * - Before 6.0: nothing in the table pins the namespace. Nearly always, the holder of the
 *   entry holds the namespace as well: a child namespace its parent, other namespaces
 *   their owner, an inotify or fanotify file its opener's credentials. But a group
 *   outlives its file while another task is still destroying one of its marks, and the
 *   entry then briefly points to freed memory. So the walk copies the namespace under the
 *   lock, with fault-tolerant reads, and accepts the copy only if it looks like a user
 *   namespace. Pointers in the copy must not be followed.
 */
#ifndef UCV_COMPAT_USERNS_H
#define UCV_COMPAT_USERNS_H

#include <linux/cred.h>
#include <linux/uaccess.h>
#include <linux/uidgid.h>
#include <linux/user_namespace.h>

#include "compat/ns_common.h"
#include "compat/resources.h"

/* Levels 0 to 33: create_user_ns() refuses to nest deeper. */
#define UCV_USERNS_LEVELS	34
#define UCV_USERNS_DEPTH	(UCV_USERNS_LEVELS - 1)

/* Entries pin their namespace since 6.0, which also split rlimit[] from ucount[]. */
#define UCV_USERNS_PINNED	UCV_RLIMITS_APART

/**
 * ucv_userns_map() - map a user into a namespace
 * @ns: pinned by the caller, or a copy with a map that is embedded in it
 * @uid: the user
 *
 * A map is written once, its number of extents plainly and last, after a barrier that
 * pairs with the kernel's in from_kuid(): seen as empty or complete.
 *
 * Return: the uid there, UCV_UID_UNMAPPED if it has none
 */
static inline u32 ucv_userns_map(struct user_namespace *ns, kuid_t uid)
{
	/* A race with the one write, see above. */
	return data_race(from_kuid(ns, uid));
}

#if UCV_USERNS_PINNED

/**
 * struct ucv_userns_ref - a user namespace found by a walk
 * @key: its address; without a reference, for comparison only
 */
struct ucv_userns_ref {
	struct user_namespace *key;
};

/**
 * ucv_userns_get() - keep a namespace readable that was found under a lock or RCU
 * @ref: to be filled; ucv_userns_put() undoes it
 * @ns: found in the same locked section in one of these ways: from an entry of a locked
 *	ucounts bucket, from the credentials of a task under RCU, from a mount namespace
 *	during a visit (compat/mntns.h), from a group whose file is pinned
 *	(compat/fsnotify.h), or as the parent of a namespace that is held
 *
 * Context: any. Does not sleep.
 * Return: false if the namespace is dying
 */
static inline bool ucv_userns_get(struct ucv_userns_ref *ref, struct user_namespace *ns)
{
#if UCV_NS_RCU
	/* RCU pins the memory; the count says whether the namespace is alive. */
	if (!ns_ref_get(ns))
		return false;
#else
	/*
	 * Whatever points to it holds a reference until the end of the locked section:
	 * an entry until it is removed from the table, which takes the lock;
	 * credentials until a grace period after their last user; a mount namespace
	 * until it is freed, after its removal from the tree; a file's credentials as
	 * long as the file does; a child until it is freed.
	 */
	get_user_ns(ns);
#endif
	ref->key = ns;
	return true;
}

/**
 * ucv_userns_is() - is this the namespace that was found before?
 * @ref: filled by ucv_userns_get()
 * @ns: found as for ucv_userns_get()
 *
 * Context: any. Does not sleep.
 */
static inline bool ucv_userns_is(const struct ucv_userns_ref *ref, struct user_namespace *ns)
{
	return ref->key == ns;
}

/**
 * ucv_userns_read() - the namespace, for reading its plain members
 * @ref: filled by ucv_userns_get()
 *
 * Return: the namespace or the copy, valid until ucv_userns_put()
 */
static inline struct user_namespace *ucv_userns_read(struct ucv_userns_ref *ref)
{
	return ref->key;
}

/**
 * ucv_userns_map_known() - may from_kuid() be called on ucv_userns_read()?
 * @ref: filled by ucv_userns_get()
 *
 * A uid map of up to five extents is embedded in the namespace. A longer one is
 * allocated separately, and a copy does not pin it.
 */
static inline bool ucv_userns_map_known(const struct ucv_userns_ref *ref)
{
	return true;
}

/**
 * ucv_userns_put() - undo ucv_userns_get()
 * @ref: filled by it
 *
 * Context: process context. If this was the last reference, the kernel frees the
 *	namespace from a work item, as always.
 */
static inline void ucv_userns_put(struct ucv_userns_ref *ref)
{
	put_user_ns(ref->key);
	ref->key = NULL;
}

#else

struct ucv_userns_ref {
	struct user_namespace *key;
	struct user_namespace copy; /* its contents when it was found */
};

static inline bool ucv_userns_get(struct ucv_userns_ref *ref, struct user_namespace *ns)
{
	/* Nothing pins the memory, see above: the read may fail or return stale data. */
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

static inline bool ucv_userns_is(const struct ucv_userns_ref *ref, struct user_namespace *ns)
{
	struct user_namespace *parent;
	unsigned int inum;
	kuid_t owner;

	if (ref->key != ns)
		return false;
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
}

static inline struct user_namespace *ucv_userns_read(struct ucv_userns_ref *ref)
{
	return &ref->copy;
}

static inline bool ucv_userns_map_known(const struct ucv_userns_ref *ref)
{
	return ref->copy.uid_map.nr_extents <= UID_GID_MAP_MAX_BASE_EXTENTS;
}

static inline void ucv_userns_put(struct ucv_userns_ref *ref)
{
	ref->key = NULL;
}

#endif

int ucv_userns_init(const struct ucv_btf *btf);
void ucv_userns_limits(struct ucv_userns_ref *ref, s64 *limit);

#endif
