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

#include <linux/user_namespace.h>

#include "compat/features.h"

/* Levels 0 to 33: create_user_ns() refuses to nest deeper. */
#define UCV_USERNS_LEVELS	34

/* Entries pin their namespace since 6.0, which also split rlimit[] from ucount[]. */
#define UCV_USERNS_PINNED	UCV_HAVE_UCOUNTS_RLIMIT

/**
 * struct ucv_userns_ref - a user namespace found by a walk
 * @key: its address; without a reference, for comparison only
 * @copy: its contents when it was found
 */
struct ucv_userns_ref {
	struct user_namespace *key;
#if !UCV_USERNS_PINNED
	struct user_namespace copy;
#endif
};

struct ucv_btf;

int ucv_userns_init(const struct ucv_btf *btf);
bool ucv_userns_hold(struct ucv_userns_ref *ref, struct user_namespace *ns);
bool ucv_userns_is(const struct ucv_userns_ref *ref, struct user_namespace *ns);
void ucv_userns_release(struct ucv_userns_ref *ref);
void ucv_userns_limits(const struct ucv_userns_ref *ref, s64 *limit);

/**
 * ucv_userns_id() - unique 64-bit ID of a namespace
 * @ns: held by the caller, or from ucv_userns_read()
 *
 * Return: the ID, 0 if this kernel has none
 */
static inline u64 ucv_userns_id(const struct user_namespace *ns)
{
#if UCV_HAVE_NS_ID
	return ns->ns.ns_id;
#else
	return 0;
#endif
}

/**
 * ucv_userns_read() - the namespace, for reading its plain members
 * @ref: filled by ucv_userns_hold()
 *
 * Return: the namespace or the copy, valid until ucv_userns_release()
 */
static inline struct user_namespace *ucv_userns_read(struct ucv_userns_ref *ref)
{
#if UCV_USERNS_PINNED
	return ref->key;
#else
	return &ref->copy;
#endif
}

/**
 * ucv_userns_map_known() - may from_kuid() be called on ucv_userns_read()?
 * @ref: filled by ucv_userns_hold()
 *
 * A uid map of up to five extents is embedded in the namespace. A longer one is
 * allocated separately, and a copy does not pin it.
 */
static inline bool ucv_userns_map_known(const struct ucv_userns_ref *ref)
{
#if UCV_USERNS_PINNED
	return true;
#else
	return ref->copy.uid_map.nr_extents <= UID_GID_MAP_MAX_BASE_EXTENTS;
#endif
}

#endif
