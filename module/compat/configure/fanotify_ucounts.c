// SPDX-License-Identifier: GPL-2.0
/* Does a fanotify group point to the ucounts entry it is charged to? Since 5.13, or backported. */
#include <linux/fsnotify_backend.h>
#include <linux/user_namespace.h>

struct ucounts **ucv_probe(struct fsnotify_group *group);
struct ucounts **ucv_probe(struct fsnotify_group *group)
{
	return UCOUNT_FANOTIFY_MARKS ? &group->fanotify_data.ucounts : NULL;
}
