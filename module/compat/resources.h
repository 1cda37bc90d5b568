/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Names of this kernel's counters.
 */
#ifndef UCV_COMPAT_RESOURCES_H
#define UCV_COMPAT_RESOURCES_H

#include <linux/build_bug.h>
#include <linux/user_namespace.h>

#include <uapi/ucountview.h>

#include "compat/features.h"

#if UCV_HAVE_UCOUNTS_RLIMIT
#define UCV_NR_RLIMITS		UCOUNT_RLIMIT_COUNTS
#else
#define UCV_NR_RLIMITS		0
#endif

/* Resources: the counters of ucount[], then those of rlimit[]. */
#define UCV_NR_RESOURCES	(UCOUNT_COUNTS + UCV_NR_RLIMITS)

static_assert(UCV_NR_RESOURCES <= UCV_MAX_RESOURCES);

struct ucv_btf;

extern struct ucv_resource ucv_resources[UCV_NR_RESOURCES];

int ucv_resources_init(const struct ucv_btf *btf);
bool ucv_resources_have_rlimits(void);

#endif
