// SPDX-License-Identifier: GPL-2.0
/* Does a fanotify group? Linux 5.13 and later, and whoever has taken it from there. */
#include <linux/fsnotify_backend.h>
#include <linux/user_namespace.h>

struct ucounts **ucv_probe(struct fsnotify_group *group);
struct ucounts **ucv_probe(struct fsnotify_group *group)
{
	return UCOUNT_FANOTIFY_MARKS ? &group->fanotify_data.ucounts : NULL;
}
