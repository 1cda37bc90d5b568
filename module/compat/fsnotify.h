/* SPDX-License-Identifier: GPL-2.0 */
/*
 * inotify and fanotify groups: how they are identified and pinned, and how their marks
 * are counted.
 *
 * The kernel has no list of groups. They are found through their files, one file for each
 * group. A file in a file table whose lock is held pins its group, and its opener's
 * credentials pin the user namespace that the group is charged to.
 *
 * A walk that must recognize a group later takes a reference on the group, not on the
 * file. Closing the last descriptor then works as usual: the group is shut down, its
 * marks are removed and uncharged, and no task waits for the module. Only the group's own
 * memory and charge remain until the last reference is put, so the walk checks from time
 * to time whether a group it holds has been shut down, and puts it. (A reference on the
 * file would defer all of that, and make the walking task do it.) Once a group is shut
 * down, no file table contains its file.
 *
 * Putting the last reference uncharges the group, which goes through the user namespace
 * and its ancestors. Since Linux 6.0 the ucounts entry pins these; before, only the
 * opener's credentials do, and they go with the file. So the walk also takes a reference
 * on the user namespace, and puts it after the group.
 *
 * No counter of marks exists. inotify marks are in an IDR with RCU-protected nodes: they
 * are counted without a lock, and an index in the IDR is the position to resume at.
 * fanotify marks are on a list under a mutex, with no such position: a mark may leave the
 * list, or be moved to a list on another task's stack (fsnotify_clear_marks_by_group()),
 * and nothing in the mark shows it. So the list is walked for one batch only, and only if
 * the mutex is free: its owner may be preempted or throttled for any length of time.
 * Otherwise the number is derived from the group's reference count: one for its file, one
 * for each mark, one of the walk's. A mark keeps its reference until it is freed, after an
 * SRCU grace period, so this number still includes recently removed marks.
 */
#ifndef UCV_COMPAT_FSNOTIFY_H
#define UCV_COMPAT_FSNOTIFY_H

#include <linux/types.h>

struct file;
struct fsnotify_group;
struct ucv_btf;
struct ucv_section_timer;
struct user_namespace;

/* Counters that groups and marks are charged to, whether this kernel has them or not. */
#define UCV_NR_GROUP_RESOURCES	4

/**
 * struct ucv_group_facts - immutable properties of a group
 * @type: an enum ucv_group_type
 * @flags: UCV_GROUP_UNLIMITED_*
 * @uid: the user it is charged to, as seen from the initial user namespace
 * @group_resource: index of the counter that the group is charged to
 * @mark_resource: index of the counter that its marks are charged to
 * @user_ns: the user namespace it is charged to; valid for ucv_userns_get() and
 *	ucv_group_get() while the group's file is pinned
 */
struct ucv_group_facts {
	u32 type;
	u32 flags;
	u32 uid;
	u32 group_resource;
	u32 mark_resource;
	struct user_namespace *user_ns;
};

/**
 * struct ucv_group_ref - a group that a walk holds a reference on
 * @group: the group; NULL once put
 * @user_ns: the user namespace it is charged to
 */
struct ucv_group_ref {
	struct fsnotify_group *group;
	struct user_namespace *user_ns;
};

/**
 * struct ucv_group_count - running count of a group's marks
 * @marks: marks counted so far
 * @lags: @marks may include recently removed marks
 * @next: inotify: index in the IDR to resume at
 */
struct ucv_group_count {
	u64 marks;
	bool lags;
	unsigned long next;
};

void ucv_groups_init(const struct ucv_btf *btf);
bool ucv_groups_available(void);
u32 ucv_group_resource(unsigned int nth);
struct fsnotify_group *ucv_group_of(const struct file *file);
void ucv_group_read(const struct file *file, struct ucv_group_facts *facts);
void ucv_group_get(struct ucv_group_ref *ref, struct fsnotify_group *group,
		   struct user_namespace *user_ns);
void ucv_group_put(struct ucv_group_ref *ref);
bool ucv_group_closed(const struct ucv_group_ref *ref);
bool ucv_group_count(const struct ucv_group_ref *ref, u32 type,
		     struct ucv_group_count *count, struct ucv_section_timer *timer);

#endif
