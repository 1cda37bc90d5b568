// SPDX-License-Identifier: GPL-2.0
/*
 * inotify and fanotify groups: identifying, pinning and counting them. See fsnotify.h.
 */
#include <linux/fanotify.h>
#include <linux/fs.h>
#include <linux/fsnotify_backend.h>
#include <linux/idr.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/user_namespace.h>

#include <uapi/ucountview.h>

#include "compat/btf.h"
#include "compat/features.h"
#include "compat/files.h"
#include "compat/fsnotify.h"
#include "compat/symbols.h"
#include "section_timer.h"

/*
 * Leaves of an IDR, of up to 64 inotify marks each, visited in one RCU read section.
 * Finding the next takes some 110 instructions; 1,900 if a user has chosen descriptors far
 * apart.
 */
#define UCV_INOTIFY_BATCH	12

/* fanotify marks counted with the list's mutex held. */
#define UCV_MARKS_BATCH		1024

static_assert(__same_type(((struct fsnotify_group *)NULL)->refcnt, refcount_t));
static_assert(__same_type(((struct fsnotify_group *)NULL)->marks_list, struct list_head));

/* Set at load, constant afterwards. NULL if this kernel has no such groups. */
static const struct file_operations *ucv_inotify_fops;
static const struct file_operations *ucv_fanotify_fops;

/* The named file operations, if their release function is the expected one. */
static __maybe_unused const struct file_operations *ucv_find_fops(const char *name,
								  const char *release)
{
	const struct file_operations *fops;

	fops = ucv_symbol(name, sizeof(*fops));
	if (!fops || ucv_symbol_begins(fops->release, release))
		return fops;
	pr_warn("groups are not available: unsupported %s, release is not %s()\n", name, release);
	return NULL;
}

#if UCV_HAVE_INOTIFY_UCOUNTS

#define UCV_INOTIFY_GROUPS	UCOUNT_INOTIFY_INSTANCES
#define UCV_INOTIFY_MARKS	UCOUNT_INOTIFY_WATCHES

static int ucv_inotify_check_layout(const struct ucv_btf *btf)
{
	int ret;

	ret = UCV_BTF_EXPECT(btf, fsnotify_group, inotify_data);
	if (!ret)
		ret = UCV_BTF_EXPECT(btf, inotify_group_private_data, idr);
	if (!ret)
		ret = UCV_BTF_EXPECT(btf, inotify_group_private_data, ucounts);
	return ret;
}

static void ucv_inotify_find(void)
{
	ucv_inotify_fops = ucv_find_fops("inotify_fops", "inotify_release");
}

static void ucv_inotify_read(const struct fsnotify_group *group, struct ucv_group_facts *facts)
{
	/* The group is charged to the entry, and so pins it. */
	const struct ucounts *ucounts = group->inotify_data.ucounts;

	facts->type = UCV_GROUP_INOTIFY;
	facts->flags = 0;
	facts->uid = __kuid_val(ucounts->uid);
	facts->user_ns = ucounts->ns;
	facts->group_resource = UCV_INOTIFY_GROUPS;
	facts->mark_resource = UCV_INOTIFY_MARKS;
}

/*
 * Count the watches from the leaf at @count->next on. RCU pins the leaves of the IDR; what
 * they point to is not read. A leaf counts its entries, all but those that are NULL, which
 * inotify does not add. An IDR keeps even its last entry in a leaf.
 */
static bool ucv_inotify_count(struct fsnotify_group *group, struct ucv_group_count *count,
			      struct ucv_section_timer *timer)
{
	const struct radix_tree_root *root = &group->inotify_data.idr.idr_rt;
	struct radix_tree_iter iter;
	bool more = true;
	unsigned int n;

	rcu_read_lock();
	ucv_section_begin(timer);
	radix_tree_iter_init(&iter, count->next);
	for (n = 0; n < UCV_INOTIFY_BATCH && more; n++) {
		more = radix_tree_next_chunk(root, &iter, 0);
		if (more) /* data_race: the group's user may add or remove watches */
			count->marks += iter.node ? data_race(iter.node->count) : 1;
	}
	count->next = iter.next_index;
	ucv_section_end(timer);
	rcu_read_unlock();
	return more;
}

#else

#define UCV_INOTIFY_GROUPS	UCV_NO_INDEX
#define UCV_INOTIFY_MARKS	UCV_NO_INDEX

static int ucv_inotify_check_layout(const struct ucv_btf *btf)
{
	return 0;
}

static void ucv_inotify_find(void)
{
}

static void ucv_inotify_read(const struct fsnotify_group *group, struct ucv_group_facts *facts)
{
}

static bool ucv_inotify_count(struct fsnotify_group *group, struct ucv_group_count *count,
			      struct ucv_section_timer *timer)
{
	return false;
}

#endif

#if UCV_HAVE_FANOTIFY_UCOUNTS

#define UCV_FANOTIFY_GROUPS	UCOUNT_FANOTIFY_GROUPS
#define UCV_FANOTIFY_MARKS	UCOUNT_FANOTIFY_MARKS

static int ucv_fanotify_check_layout(const struct ucv_btf *btf)
{
	int ret;

	ret = UCV_BTF_EXPECT(btf, fsnotify_group, fanotify_data);
	if (!ret)
		ret = UCV_BTF_EXPECT(btf, fanotify_group_private_data, flags);
	if (!ret)
		ret = UCV_BTF_EXPECT(btf, fanotify_group_private_data, ucounts);
	return ret;
}

static void ucv_fanotify_find(void)
{
	ucv_fanotify_fops = ucv_find_fops("fanotify_fops", "fanotify_release");
}

static void ucv_fanotify_read(const struct fsnotify_group *group, struct ucv_group_facts *facts)
{
	/* As for inotify. */
	const struct ucounts *ucounts = group->fanotify_data.ucounts;
	unsigned int flags = group->fanotify_data.flags;

	facts->type = UCV_GROUP_FANOTIFY;
	facts->flags = (flags & FAN_UNLIMITED_QUEUE ? UCV_GROUP_UNLIMITED_QUEUE : 0) |
		       (flags & FAN_UNLIMITED_MARKS ? UCV_GROUP_UNLIMITED_MARKS : 0);
	facts->uid = __kuid_val(ucounts->uid);
	facts->user_ns = ucounts->ns;
	facts->group_resource = UCV_FANOTIFY_GROUPS;
	facts->mark_resource = UCV_FANOTIFY_MARKS;
}

/*
 * The mutex pins the marks on the list. If there are too many for one batch, or the mutex
 * is not free, their number is derived from the reference count, see fsnotify.h.
 */
static void ucv_fanotify_count(struct fsnotify_group *group, struct ucv_group_count *count,
			       struct ucv_section_timer *timer)
{
	const struct list_head *pos;
	bool counted = false;

	/* Not fsnotify_group_lock(), which is for allocating under the mutex. */
	if (mutex_trylock(&group->mark_mutex)) {
		ucv_section_begin(timer);
		list_for_each(pos, &group->marks_list)
			if (++count->marks > UCV_MARKS_BATCH)
				break;
		counted = count->marks <= UCV_MARKS_BATCH;
		ucv_section_end(timer);
		mutex_unlock(&group->mark_mutex);
	}
	if (counted)
		return;
	/* Not marks: the references of the file (gone if it is closed) and of the walk. */
	count->marks = max(refcount_read(&group->refcnt), 2U) - 2;
	count->lags = true;
}

#else

#define UCV_FANOTIFY_GROUPS	UCV_NO_INDEX
#define UCV_FANOTIFY_MARKS	UCV_NO_INDEX

static int ucv_fanotify_check_layout(const struct ucv_btf *btf)
{
	return 0;
}

static void ucv_fanotify_find(void)
{
}

static void ucv_fanotify_read(const struct fsnotify_group *group, struct ucv_group_facts *facts)
{
}

static void ucv_fanotify_count(struct fsnotify_group *group, struct ucv_group_count *count,
			       struct ucv_section_timer *timer)
{
}

#endif

/**
 * ucv_groups_available() - can groups be walked on this kernel?
 *
 * Return: false if something is missing; the log says what
 */
bool ucv_groups_available(void)
{
	return ucv_inotify_fops || ucv_fanotify_fops;
}

/**
 * ucv_group_resource() - the counters that groups and marks are charged to
 * @nth: less than UCV_NR_GROUP_RESOURCES
 *
 * Return: index of the counter's record, UCV_NO_INDEX if this kernel lacks it
 */
u32 ucv_group_resource(unsigned int nth)
{
	static const u32 index[UCV_NR_GROUP_RESOURCES] = {
		UCV_INOTIFY_GROUPS, UCV_INOTIFY_MARKS, UCV_FANOTIFY_GROUPS, UCV_FANOTIFY_MARKS,
	};

	return index[nth];
}

/**
 * ucv_group_of() - the group of a file
 * @file: any file that the caller pins
 *
 * Context: any.
 * Return: the group, which the file pins; NULL if the file is of another kind
 */
struct fsnotify_group *ucv_group_of(const struct file *file)
{
	if (!file->f_op)
		return NULL;
	if (file->f_op != ucv_inotify_fops && file->f_op != ucv_fanotify_fops)
		return NULL;
	return file->private_data;
}

/**
 * ucv_group_read() - read the immutable properties of a group
 * @file: pinned by the caller; ucv_group_of() has returned a group for it
 * @facts: out
 *
 * Context: any.
 */
void ucv_group_read(const struct file *file, struct ucv_group_facts *facts)
{
	const struct fsnotify_group *group = file->private_data;

	if (file->f_op == ucv_inotify_fops)
		ucv_inotify_read(group, facts);
	else
		ucv_fanotify_read(group, facts);
}

/**
 * ucv_group_get() - take a reference on a group, so that its address is not reused
 * @ref: to be filled; ucv_group_put() undoes it
 * @group: from ucv_group_of(), its file still pinned by the caller
 * @user_ns: from ucv_group_read()
 *
 * The module may have only one reference on a group at a time, or its marks are miscounted.
 *
 * Context: any. Does not sleep.
 */
void ucv_group_get(struct ucv_group_ref *ref, struct fsnotify_group *group,
		   struct user_namespace *user_ns)
{
	/* The file pins both. */
	refcount_inc(&group->refcnt);
	ref->group = group;
	ref->user_ns = get_user_ns(user_ns);
}

/**
 * ucv_group_put() - undo ucv_group_get()
 * @ref: filled by ucv_group_get(), or put before
 *
 * Context: process context, no locks held. May sleep: if the group has been closed
 *	since, the kernel frees it here.
 */
void ucv_group_put(struct ucv_group_ref *ref)
{
	if (!ref->group)
		return;
#ifdef CONFIG_FSNOTIFY
	fsnotify_put_group(ref->group);
#endif
	put_user_ns(ref->user_ns);
	ref->group = NULL;
}

/**
 * ucv_group_closed() - has the last descriptor of a group been closed?
 * @ref: filled by ucv_group_get()
 *
 * Context: any.
 */
bool ucv_group_closed(const struct ucv_group_ref *ref)
{
	/* Set once, plainly, under a lock that is not taken here; the next sweep reads again. */
	return data_race(READ_ONCE(ref->group->shutdown));
}

/**
 * ucv_group_count() - count marks of a group, a batch at a time
 * @ref: filled by ucv_group_get()
 * @type: an enum ucv_group_type: the kind of group
 * @count: zero before the first call; complete when this returns false
 * @timer: records how long a lock or RCU is held
 *
 * Never waits for the mutex of a group's marks: its owner can hold it for as long as it
 * is kept from running.
 *
 * Context: process context, no locks held.
 * Return: true if it must be called again
 */
bool ucv_group_count(const struct ucv_group_ref *ref, u32 type,
		     struct ucv_group_count *count, struct ucv_section_timer *timer)
{
	if (type == UCV_GROUP_INOTIFY)
		return ucv_inotify_count(ref->group, count, timer);
	ucv_fanotify_count(ref->group, count, timer);
	return false;
}

static int ucv_groups_check_layout(const struct ucv_btf *btf)
{
	int ret;

	ret = UCV_BTF_EXPECT(btf, fsnotify_group, refcnt);
	if (!ret)
		ret = UCV_BTF_EXPECT(btf, fsnotify_group, shutdown);
	if (!ret)
		ret = UCV_BTF_EXPECT(btf, fsnotify_group, mark_mutex);
	if (!ret)
		ret = UCV_BTF_EXPECT(btf, fsnotify_group, marks_list);
	if (!ret)
		ret = ucv_inotify_check_layout(btf);
	if (!ret)
		ret = ucv_fanotify_check_layout(btf);
	if (!ret)
		ret = UCV_BTF_EXPECT_SIZE(btf, fsnotify_group);
	return ret;
}

/**
 * ucv_groups_init() - find out how to tell groups from other files
 * @btf: from ucv_btf_open(), or NULL if the kernel has none
 *
 * If it is not possible, the log says why, and all else works.
 *
 * Context: process context, at load.
 */
void ucv_groups_init(const struct ucv_btf *btf)
{
	if (btf && (ucv_files_check_layout(btf) || ucv_groups_check_layout(btf)))
		return;
	if (!UCV_HAVE_INOTIFY_UCOUNTS && !UCV_HAVE_FANOTIFY_UCOUNTS)
		pr_info("groups are not available: neither inotify nor fanotify charges a user in this kernel\n");
	ucv_inotify_find();
	ucv_fanotify_find();
}
