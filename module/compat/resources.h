/* SPDX-License-Identifier: GPL-2.0 */
/*
 * This kernel's counters: their names, and where those of resource limits are.
 */
#ifndef UCV_COMPAT_RESOURCES_H
#define UCV_COMPAT_RESOURCES_H

#include <linux/build_bug.h>
#include <linux/user_namespace.h>

#include <uapi/ucountview.h>

#include "compat/btf.h"
#include "compat/features.h"

/* UCV_RLIMITS_APART: are the counters of resource limits in an array of their own? */
#if UCV_HAVE_UCOUNTS_RLIMIT

#define UCV_RLIMITS_APART	1
#define UCV_NR_RLIMITS		UCOUNT_RLIMIT_COUNTS

static_assert(__same_type(((struct ucounts *)NULL)->rlimit[0], atomic_long_t));

/**
 * ucv_rlimit_used() - read the counter of a resource limit
 * @entry: a readable entry of the ucounts table
 * @nth: less than UCV_NR_RLIMITS
 */
static inline s64 ucv_rlimit_used(const struct ucounts *entry, unsigned int nth)
{
	return atomic_long_read(&entry->rlimit[nth]);
}

/**
 * ucv_rlimit_max() - read the limit that a namespace sets for such a counter
 * @ns: a readable user namespace
 * @nth: less than UCV_NR_RLIMITS
 */
static inline s64 ucv_rlimit_max(const struct user_namespace *ns, unsigned int nth)
{
	return READ_ONCE(ns->rlimit_max[nth]);
}

/**
 * ucv_rlimits_check_layout() - check both arrays against the headers
 * @btf: from ucv_btf_open()
 *
 * Context: process context, at load.
 * Return: 0, or a negative error after a line in the log that says why
 */
static inline int ucv_rlimits_check_layout(const struct ucv_btf *btf)
{
	int ret = UCV_BTF_EXPECT(btf, ucounts, rlimit);

	return ret ? ret : UCV_BTF_EXPECT(btf, user_namespace, rlimit_max);
}

#else

#define UCV_RLIMITS_APART	0
#define UCV_NR_RLIMITS		0

static inline s64 ucv_rlimit_used(const struct ucounts *entry, unsigned int nth)
{
	return 0;
}

static inline s64 ucv_rlimit_max(const struct user_namespace *ns, unsigned int nth)
{
	return 0;
}

static inline int ucv_rlimits_check_layout(const struct ucv_btf *btf)
{
	return 0;
}

#endif

/* Resources: the counters of ucount[], then those of rlimit[]. */
#define UCV_NR_RESOURCES	(UCOUNT_COUNTS + UCV_NR_RLIMITS)

static_assert(UCV_NR_RESOURCES <= UCV_MAX_RESOURCES);

extern struct ucv_resource ucv_resources[UCV_NR_RESOURCES];

int ucv_resources_init(const struct ucv_btf *btf);
bool ucv_resources_have_rlimits(void);

#endif
