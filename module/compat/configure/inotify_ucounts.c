// SPDX-License-Identifier: GPL-2.0
/* Does an inotify group point to the ucounts entry it is charged to? Since Linux 4.10. */
#include <linux/fsnotify_backend.h>
#include <linux/user_namespace.h>

struct ucounts **ucv_probe(struct fsnotify_group *group);
struct ucounts **ucv_probe(struct fsnotify_group *group)
{
	return UCOUNT_INOTIFY_WATCHES ? &group->inotify_data.ucounts : NULL;
}
