// SPDX-License-Identifier: GPL-2.0
/*
 * Whether the charging functions have the arguments that their probes read. A probe finds
 * arguments by number alone. BTF describes a function only if each argument is where its
 * number says: of a function that is called from its own file only, the compiler may have
 * dropped or moved one.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/user_namespace.h>

#include "compat/btf.h"
#include "compat/charges.h"

static_assert(__same_type(inc_ucount, struct ucounts *(struct user_namespace *, kuid_t,
						       enum ucount_type)));

/**
 * ucv_charge_fits() - does a function have the expected arguments?
 * @btf: from ucv_btf_open(); if NULL, they are assumed to be as in all known kernels
 * @name: the function
 * @tags: its return type and arguments, as for ucv_btf_expect_function()
 * @nr: number of @tags
 *
 * Context: process context, at load.
 * Return: false if not, after a line in the log
 */
bool ucv_charge_fits(const struct ucv_btf *btf, const char *name, const char * const *tags,
		     u32 nr)
{
	int ret = btf ? ucv_btf_expect_function(btf, name, tags, nr) : 0;

	if (ret)
		pr_warn("%s() cannot be probed: its arguments %s\n", name, ret == -ENOENT ?
			"are not in the kernel's BTF" : "differ in this kernel");
	return !ret;
}

/**
 * ucv_charges_ucount() - does inc_ucount() have the expected arguments?
 * @btf: from ucv_btf_open(); if NULL, they are assumed to be as in all known kernels
 *
 * Context: process context, at load.
 * Return: false if not, after a line in the log
 */
bool ucv_charges_ucount(const struct ucv_btf *btf)
{
	static const char * const tags[] = {
		"ucounts", "user_namespace", "kuid_t", "ucount_type",
	};

	return ucv_charge_fits(btf, "inc_ucount", tags, ARRAY_SIZE(tags));
}

/**
 * ucv_charges_mount() - does count_mounts() have the expected arguments?
 * @btf: as for ucv_charges_ucount()
 *
 * Context: process context, at load.
 * Return: false if not, after a line in the log
 */
bool ucv_charges_mount(const struct ucv_btf *btf)
{
	static const char * const tags[] = { "int", "mnt_namespace", "mount" };

	return ucv_charge_fits(btf, "count_mounts", tags, ARRAY_SIZE(tags));
}
