/* SPDX-License-Identifier: GPL-2.0 */
/*
 * User namespaces: how a walk that meets one keeps it readable after it has left
 * the lock under which it met it.
 *
 * - Since 6.0 an entry of the ucounts table holds a reference on its namespace,
 *   and a namespace holds one on its parent. A walk that finds an entry under
 *   the table's lock can therefore take a reference of its own. Since 6.18 the
 *   namespace is freed after a grace period, so under RCU the walk may try to
 *   take a reference, which fails if the namespace is on its way out. With the
 *   reference held everything in the namespace can be read at leisure, its uid
 *   map included, and nobody can take its place at the same address.
 *
 * - Before that, nothing in the table keeps the namespace. Almost always whoever
 *   holds the entry holds the namespace as well: a child namespace its parent,
 *   other namespaces their owner, an inotify or fanotify file the credentials
 *   of its opener. But a group can outlive its file for as long as somebody
 *   else is still getting rid of one of its marks, and then the entry points to
 *   freed memory for a moment. So the walk copies the namespace while it is
 *   under the lock, with reads that survive a bad address, and believes the
 *   copy only if it is a user namespace by its looks. The copy is of no use
 *   for following pointers.
 */
#ifndef UCV_COMPAT_USERNS_H
#define UCV_COMPAT_USERNS_H

#include <linux/user_namespace.h>

#include "compat/features.h"

/* Levels 0 to 33: create_user_ns() refuses to nest deeper. */
#define UCV_USERNS_LEVELS	34

/* Entries pin their namespace since the release that split ucount[] and rlimit[]. */
#define UCV_USERNS_PINNED	UCV_HAVE_UCOUNTS_RLIMIT

/**
 * struct ucv_userns_ref - a user namespace that a walk has met
 * @key: its address. Without a reference, good for comparisons only.
 * @copy: what it held when it was met
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
 * ucv_userns_id() - the identifier of a namespace that is never used again
 * @ns: held by the caller, or ucv_userns_read()
 *
 * Return: the identifier, 0 if this kernel has none
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
 * A map of up to five extents is part of the namespace; a longer one is memory
 * of its own, which a copy does not keep.
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
