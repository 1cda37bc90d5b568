// SPDX-License-Identifier: GPL-2.0
/*
 * While this module is loaded, kallsyms lists count_mounts.isra.0, which looks like a
 * compiler's clone of the kernel's count_mounts(). FOR TESTS ONLY.
 */
#include <linux/compiler.h>
#include <linux/module.h>

static noinline __used void clone_of_count_mounts(void)
{
	barrier();
}

asm(".set count_mounts.isra.0, clone_of_count_mounts");

static int __init clone_init(void)
{
	return 0;
}

static void __exit clone_exit(void)
{
}

module_init(clone_init);
module_exit(clone_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Looks like a clone of count_mounts() for the selftests of ucountview");
