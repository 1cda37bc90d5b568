/* SPDX-License-Identifier: GPL-2.0 */
/*
 * inotify and fanotify groups: how one is told from other files, how long it can
 * be kept, and how its marks are counted.
 *
 * The kernel has no list of its groups, so they are found through the files that
 * stand for them, one file for each group. While a file is in a file table whose
 * lock is held, it keeps its group, and its opener's credentials keep the user
 * namespace that the group is charged to.
 *
 * A walk that must know a group again takes a reference on the group, not on the
 * file. Then closing the last descriptor works as ever: the group is shut down,
 * its marks are removed and given back to the counters, and nobody waits for us.
 * Only the group's own memory and its own charge stay until the last reference
 * is dropped, so the walk looks now and then whether a group that it holds has
 * been shut down, and lets go of it. (With a reference on the file the whole of
 * that would be put off, and done by whoever walks.) Once a group is shut down no
 * file table has its file any more.
 *
 * Dropping the last reference gives the charge back, which goes through the user
 * namespace and its ancestors. Since Linux 6.0 the ucounts entry keeps that; before,
 * only the opener's credentials do, which go with the file. So a reference on the
 * user namespace is taken along with that on the group, and dropped after it.
 *
 * No counter of marks exists. Those of inotify are in an IDR, whose nodes RCU
 * protects: they are counted without any lock, the number of the watch being the
 * place to go on from. Those of fanotify are on a list under a mutex, with no such
 * place: a mark may leave the list, or be moved to a list on somebody's stack
 * (fsnotify_clear_marks_by_group()), and nothing in it tells. So the list is
 * walked as far as one batch goes, and only if the mutex is free: its owner may
 * have been preempted, or throttled, for any length of time. Otherwise the number
 * comes from the references on the group: one for its file, one for each mark, one
 * of ours. A mark keeps its reference until it is freed, after an SRCU grace period:
 * this number lags behind by those that were removed a moment ago.
 */
#ifndef UCV_COMPAT_FSNOTIFY_H
#define UCV_COMPAT_FSNOTIFY_H

#include <linux/types.h>

struct file;
struct fsnotify_group;
struct ucv_btf;
struct ucv_hold;
struct user_namespace;

/* Counters that groups and marks are charged to, present in this kernel or not. */
#define UCV_NR_GROUP_RESOURCES	4

/**
 * struct ucv_group_facts - what never changes about a group
 * @type: an enum ucv_group_type
 * @flags: UCV_GROUP_UNLIMITED_*
 * @uid: whom it is charged to, as the initial user namespace sees it
 * @group_resource: index of the counter in which the group is one
 * @mark_resource: index of the counter in which its marks are
 * @user_ns: the user namespace that it is charged to; good for ucv_userns_hold()
 *	and ucv_group_hold() as long as the group's file is kept
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
 * struct ucv_group_ref - a group that a walk holds
 * @group: the group; NULL once it has been let go
 * @user_ns: the user namespace that it is charged to
 */
struct ucv_group_ref {
	struct fsnotify_group *group;
	struct user_namespace *user_ns;
};

/**
 * struct ucv_group_count - what has been counted of a group
 * @marks: its marks so far
 * @lags: those that were removed a moment ago may be among them
 * @wd: inotify: the number of the watch to go on from
 */
struct ucv_group_count {
	u64 marks;
	bool lags;
	int wd;
};

void ucv_groups_init(const struct ucv_btf *btf);
bool ucv_groups_available(void);
u32 ucv_group_resource(unsigned int nth);
struct fsnotify_group *ucv_group_of(const struct file *file);
void ucv_group_read(const struct file *file, struct ucv_group_facts *facts);
void ucv_group_hold(struct ucv_group_ref *ref, struct fsnotify_group *group,
		    struct user_namespace *user_ns);
void ucv_group_release(struct ucv_group_ref *ref);
bool ucv_group_closed(const struct ucv_group_ref *ref);
bool ucv_group_count(const struct ucv_group_ref *ref, u32 type,
		     struct ucv_group_count *count, struct ucv_hold *hold);

#endif
