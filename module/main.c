// SPDX-License-Identifier: GPL-2.0
/*
 * Initializes the parts of the module in order, and shuts them down in reverse.
 */
#include <linux/err.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

#include "arming.h"
#include "chardev.h"
#include "compat/btf.h"
#include "compat/fsnotify.h"
#include "compat/kretprobes.h"
#include "compat/mntns.h"
#include "compat/resources.h"
#include "compat/symbols.h"
#include "compat/ucounts.h"
#include "compat/userns.h"
#include "debugfs.h"
#include "denials.h"
#include "status.h"
#include "version.h"

static bool use_btf = true;
module_param(use_btf, bool, 0444);
MODULE_PARM_DESC(use_btf, "use the kernel's BTF (default Y); N is for tests, as on a kernel without BTF");

static u64 ucv_features(const struct ucv_btf *btf)
{
	return (ucv_resources_have_rlimits() ? UCV_FEATURE_RLIMITS : 0) |
	       (UCV_UCOUNTS_LOCKLESS ? UCV_FEATURE_LOCKLESS : 0) |
	       (UCV_NS_HAS_ID ? UCV_FEATURE_NS_ID : 0) |
	       (btf ? UCV_FEATURE_BTF : 0) |
	       (UCV_USERNS_PINNED ? UCV_FEATURE_NS_PINNED : 0) |
	       (ucv_mntns_available() ? UCV_FEATURE_MNTNS : 0) |
	       (ucv_mntns_available() && ucv_mntns_listed() ? UCV_FEATURE_MNTNS_LISTED : 0) |
	       (ucv_kretprobes_ucount() ? UCV_FEATURE_DENIALS : 0) |
	       (ucv_kretprobes_mount() ? UCV_FEATURE_MNT_DENIALS : 0) |
	       ucv_kretprobes_features() |
	       (ucv_groups_available() ? UCV_FEATURE_GROUPS : 0);
}

static int ucv_learn_kernel(const struct ucv_btf *btf)
{
	int ret;

	ret = ucv_resources_init(btf);
	if (!ret)
		ret = ucv_userns_init(btf);
	if (!ret)
		ret = ucv_ucounts_init(btf);
	if (ret)
		return ret;
	ucv_mntns_init(btf);
	ret = ucv_denials_init(btf);
	if (ret)
		return ret;
	ucv_groups_init(btf);
	ucv_status_init(ucv_features(btf));
	return 0;
}

static int __init ucv_init(void)
{
	struct ucv_btf *btf;
	int ret;

	ret = ucv_symbols_init();
	if (ret)
		return ret;

	btf = use_btf ? ucv_btf_open() : NULL; /* without BTF the headers suffice */
	if (IS_ERR(btf))
		return PTR_ERR(btf);
	ret = ucv_learn_kernel(btf);
	ucv_btf_close(btf);
	if (ret)
		return ret;

	ucv_arming_init();
	ret = ucv_chardev_init();
	if (ret) {
		pr_err("cannot register /dev/" UCV_MODULE_NAME ": error %d\n", ret);
		ucv_arming_exit();
		ucv_denials_exit();
		return ret;
	}
	ucv_debugfs_init();
	return 0;
}

static void __exit ucv_exit(void)
{
	ucv_debugfs_exit();
	ucv_chardev_exit();
	ucv_arming_exit();
	ucv_denials_exit();
}

module_init(ucv_init);
module_exit(ucv_exit);

MODULE_AUTHOR("The ucountview developers");
MODULE_DESCRIPTION("Shows the ucounts of every user namespace and uid");
MODULE_VERSION(UCV_MODULE_VERSION);
MODULE_LICENSE("GPL");
