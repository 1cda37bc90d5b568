// SPDX-License-Identifier: GPL-2.0
/* Has the lock of a group's marks a function of its own? Linux 5.19 and later. */
#include <linux/fsnotify_backend.h>

void ucv_probe(struct fsnotify_group *group);
void ucv_probe(struct fsnotify_group *group)
{
	fsnotify_group_lock(group);
}
