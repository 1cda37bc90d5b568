/* SPDX-License-Identifier: GPL-2.0 */
/*
 * struct ns_common, the part that all namespaces share: its ID, its reference count, and
 * whether a namespace is freed after a grace period.
 */
#ifndef UCV_COMPAT_NS_COMMON_H
#define UCV_COMPAT_NS_COMMON_H

#include <linux/ns_common.h>
#include <linux/refcount.h>
#include <linux/types.h>
#include <linux/user_namespace.h>

#include "compat/features.h"

/*
 * UCV_NS_HAS_ID: does each namespace have a unique 64-bit ID, at UCV_NS_ID_OFFSET? Mount
 * namespaces have one on all kernels, as member UCV_MNTNS_ID of struct mnt_namespace.
 */
#if UCV_HAVE_NS_ID

#define UCV_NS_HAS_ID		1
#define UCV_NS_ID_OFFSET	offsetof(struct ns_common, ns_id)
#define UCV_MNTNS_ID		ns.ns_id

/**
 * ucv_userns_id() - unique 64-bit ID of a user namespace
 * @ns: held by the caller, or from ucv_userns_read()
 *
 * Return: the ID, 0 if this kernel has none
 */
static inline u64 ucv_userns_id(const struct user_namespace *ns)
{
	return ns->ns.ns_id;
}

#else

#define UCV_NS_HAS_ID		0
#define UCV_NS_ID_OFFSET	0
#define UCV_MNTNS_ID		seq

static inline u64 ucv_userns_id(const struct user_namespace *ns)
{
	return 0;
}

#endif

/* UCV_NS_RCU: is a user namespace freed after a grace period? */
#if UCV_HAVE_NS_RCU

#define UCV_NS_RCU		1

/**
 * ucv_ns_is_dead() - is a namespace dying, its last reference gone?
 * @ns: its memory is pinned by the caller
 *
 * Return: false as well on kernels whose count is elsewhere
 */
static inline bool ucv_ns_is_dead(const struct ns_common *ns)
{
	return !refcount_read(&ns->__ns_ref);
}

#elif UCV_HAVE_NS_COUNT

#define UCV_NS_RCU		0

static inline bool ucv_ns_is_dead(const struct ns_common *ns)
{
	return !refcount_read(&ns->count);
}

#else

#define UCV_NS_RCU		0

static inline bool ucv_ns_is_dead(const struct ns_common *ns)
{
	return false; /* mount namespaces are found through a holder only */
}

#endif

#endif
