// SPDX-License-Identifier: GPL-2.0
/*
 * User namespaces: verifying their layout, and reading their limits.
 */
#include <linux/kernel.h>

#include "compat/btf.h"
#include "compat/resources.h"
#include "compat/userns.h"

static_assert(__same_type(((struct user_namespace *)NULL)->parent,
			  struct user_namespace *));
static_assert(__same_type(((struct user_namespace *)NULL)->owner, kuid_t));
static_assert(__same_type(((struct user_namespace *)NULL)->level, int));
static_assert(ARRAY_SIZE(((struct user_namespace *)NULL)->ucount_max) == UCOUNT_COUNTS);
/* A lockless walk takes references, so entries must pin their namespaces. */
static_assert(UCV_USERNS_PINNED || !UCV_NS_RCU);

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
	if (!ret)
		ret = ucv_rlimits_check_layout(btf);
	if (!ret)
		ret = UCV_BTF_EXPECT_SIZE(btf, user_namespace);
	return ret;
}

/**
 * ucv_userns_limits() - read all limits that a namespace sets
 * @ref: filled by ucv_userns_get()
 * @limit: out: UCV_NR_RESOURCES values
 */
void ucv_userns_limits(struct ucv_userns_ref *ref, s64 *limit)
{
	const struct user_namespace *ns = ucv_userns_read(ref);
	unsigned int i;

	for (i = 0; i < UCOUNT_COUNTS; i++)
		limit[i] = READ_ONCE(ns->ucount_max[i]);
	for (i = 0; i < UCV_NR_RLIMITS; i++)
		limit[UCOUNT_COUNTS + i] = ucv_rlimit_max(ns, i);
}
