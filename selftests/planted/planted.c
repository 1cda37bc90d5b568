// SPDX-License-Identifier: GPL-2.0
/*
 * Plants faults for tests to find: references that are never put, and counters that are
 * wrong. FOR TESTS ONLY. Unloading the module undoes all of it.
 *
 * Parameters, in /sys/module/ucv_planted/parameters. FD is a file descriptor of the
 * writing process, of an inotify instance unless noted otherwise:
 *
 *	hold	"FD": pins the instance, with its watches and all their charges, beyond
 *		the close of its last file descriptor
 *	bump	"FD RESOURCE BY": adds BY to one counter of the user that the instance
 *		is charged to, at the level of the charge but not at the levels above;
 *		RESOURCE is a name as ucountview reports it
 *	lock	"FD" of a fanotify group: keeps its mark_mutex locked until the module is
 *		unloaded, or for LOCK_SECONDS, as if the owner of the lock did not run;
 *		reads Y while it is locked
 *	btf	changes the kernel's BTF, see planted_btf.c; needs no open file
 */
#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/fsnotify_backend.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/user_namespace.h>

#include "planted_btf.h"

static const struct {
	const char *name;
	enum ucount_type type;
} resources[] = {
	{ "user_namespaces", UCOUNT_USER_NAMESPACES },
	{ "mnt_namespaces", UCOUNT_MNT_NAMESPACES },
	{ "uts_namespaces", UCOUNT_UTS_NAMESPACES },
	{ "inotify_instances", UCOUNT_INOTIFY_INSTANCES },
	{ "inotify_watches", UCOUNT_INOTIFY_WATCHES },
};

/* One planted fault. The file pins the group, the group pins the ucounts. */
struct plant {
	struct list_head list;
	struct file *file;
	enum ucount_type type;
	int by;
};

static LIST_HEAD(plants);
static DEFINE_MUTEX(plants_lock);

static struct ucounts *charged_ucounts(struct file *file)
{
	struct fsnotify_group *group = file->private_data;

	return group->inotify_data.ucounts;
}

/* Counters are atomic_t before 5.14. */
static void add_to_counter(struct ucounts *ucounts, enum ucount_type type, int by)
{
	if (sizeof(ucounts->ucount[0]) == sizeof(atomic_t))
		atomic_add(by, (atomic_t *)&ucounts->ucount[type]);
	else
		atomic_long_add(by, (atomic_long_t *)&ucounts->ucount[type]);
}

static bool is_inotify(struct file *file)
{
	return !strcmp(file->f_path.dentry->d_name.name, "inotify");
}

static int plant_file(int fd, enum ucount_type type, int by)
{
	struct plant *plant = kmalloc(sizeof(*plant), GFP_KERNEL);

	if (!plant)
		return -ENOMEM;
	plant->type = type;
	plant->by = by;
	plant->file = fget(fd);
	if (!plant->file || !is_inotify(plant->file)) {
		if (plant->file)
			fput(plant->file);
		kfree(plant);
		return -EBADF;
	}
	add_to_counter(charged_ucounts(plant->file), type, by);
	mutex_lock(&plants_lock);
	list_add(&plant->list, &plants);
	mutex_unlock(&plants_lock);
	return 0;
}

#define LOCK_SECONDS	120

static struct task_struct *locker;
static struct file *locked_file; /* pins the group */
static DECLARE_COMPLETION(locked);
static DECLARE_COMPLETION(unlock);
static bool is_locked;

static int keep_locked(void *unused)
{
	struct fsnotify_group *group = locked_file->private_data;

	mutex_lock(&group->mark_mutex);
	WRITE_ONCE(is_locked, true);
	complete(&locked);
	wait_for_completion_timeout(&unlock, LOCK_SECONDS * HZ);
	WRITE_ONCE(is_locked, false);
	mutex_unlock(&group->mark_mutex);
	while (!kthread_should_stop())
		schedule_timeout_interruptible(HZ);
	return 0;
}

/* Can be set once per load of the module. */
static int lock(const char *val, const struct kernel_param *kp)
{
	int fd;

	if (kstrtoint(val, 10, &fd) || locker)
		return -EINVAL;
	locked_file = fget(fd);
	if (!locked_file)
		return -EBADF;
	if (strcmp(locked_file->f_path.dentry->d_name.name, "[fanotify]")) {
		fput(locked_file);
		return -EBADF;
	}
	locker = kthread_run(keep_locked, NULL, "ucv_planted");
	if (IS_ERR(locker)) {
		fput(locked_file);
		locker = NULL;
		return -ENOMEM;
	}
	wait_for_completion(&locked);
	return 0;
}

static int hold(const char *val, const struct kernel_param *kp)
{
	int fd;

	if (kstrtoint(val, 10, &fd))
		return -EINVAL;
	return plant_file(fd, UCOUNT_INOTIFY_INSTANCES, 0);
}

static int bump(const char *val, const struct kernel_param *kp)
{
	char name[32];
	int fd, by, i;

	if (sscanf(val, "%d %31s %d", &fd, name, &by) != 3)
		return -EINVAL;
	for (i = 0; i < ARRAY_SIZE(resources); i++) {
		if (!strcmp(resources[i].name, name))
			return plant_file(fd, resources[i].type, by);
	}
	return -EINVAL;
}

static const struct kernel_param_ops hold_ops = { .set = hold };
static const struct kernel_param_ops bump_ops = { .set = bump };
static const struct kernel_param_ops lock_ops = { .set = lock, .get = param_get_bool };

module_param_cb(hold, &hold_ops, NULL, 0200);
MODULE_PARM_DESC(hold, "\"FD\": keep this inotify instance");
module_param_cb(bump, &bump_ops, NULL, 0200);
MODULE_PARM_DESC(bump, "\"FD RESOURCE BY\": change a counter of its user");
module_param_cb(lock, &lock_ops, &is_locked, 0600);
MODULE_PARM_DESC(lock, "\"FD\": keep the marks of this fanotify group locked");

static int __init planted_init(void)
{
	return 0;
}

static void __exit planted_exit(void)
{
	struct plant *plant, *next;

	if (locker) {
		complete(&unlock);
		kthread_stop(locker);
		fput(locked_file);
	}
	planted_btf_restore();
	list_for_each_entry_safe(plant, next, &plants, list) {
		add_to_counter(charged_ucounts(plant->file), plant->type, -plant->by);
		fput(plant->file);
		kfree(plant);
	}
}

module_init(planted_init);
module_exit(planted_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Plants leaks for the selftests of ucountview");
