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

/* Set at load, constant afterwards. */
static bool ucv_ucount_fits;
static bool ucv_mount_fits;

static bool ucv_charge_fits(const struct ucv_btf *btf, const char *name,
			    const char * const *tags, u32 nr)
{
	int ret = btf ? ucv_btf_expect_function(btf, name, tags, nr) : 0;

	if (ret)
		pr_warn("%s() cannot be probed: its arguments %s\n", name, ret == -ENOENT ?
			"are not described by the kernel's BTF" : "are others in this kernel");
	return !ret;
}

/**
 * ucv_charges_init() - check the functions' arguments against BTF
 * @btf: from ucv_btf_open(); if NULL, they are assumed to be as in all known kernels
 *
 * If one differs, one line in the log says so.
 *
 * Context: process context, at load.
 */
void ucv_charges_init(const struct ucv_btf *btf)
{
	static const char * const ucount[] = {
		"ucounts", "user_namespace", "kuid_t", "ucount_type",
	};
	static const char * const mount[] = { "int", "mnt_namespace", "mount" };

	ucv_ucount_fits = ucv_charge_fits(btf, "inc_ucount", ucount, ARRAY_SIZE(ucount));
	ucv_mount_fits = ucv_charge_fits(btf, "count_mounts", mount, ARRAY_SIZE(mount));
}

/**
 * ucv_charges_ucount() - does inc_ucount() have the expected arguments?
 *
 * Return: false if not; the log says so
 */
bool ucv_charges_ucount(void)
{
	return ucv_ucount_fits;
}

/**
 * ucv_charges_mount() - does count_mounts() have the expected arguments?
 *
 * Return: false if not; the log says so
 */
bool ucv_charges_mount(void)
{
	return ucv_mount_fits;
}
