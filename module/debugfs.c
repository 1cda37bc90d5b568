// SPDX-License-Identifier: GPL-2.0
/*
 * The front end for people and grep: text in /sys/kernel/debug/ucountview.
 *
 * open() takes a snapshot of its own, so what one reader sees is of one walk
 * however slowly it reads.
 *
 * An open file keeps the module loaded, but not by the .owner of its operations:
 * if that is asked for between the moment when rmmod has found no users and the
 * one when it marks the module as going, debugfs warns that the module did not
 * clean up. Without .owner, debugfs itself keeps the module while open() runs, as
 * unloading waits in debugfs_remove(); and open() takes hold of it by opening a
 * file of its own, which fails quietly if the module is going. When release() lets
 * go of that file, the kernel drops the reference on the module later, from code
 * of its own, when nothing here is running any more.
 */
#include <linux/anon_inodes.h>
#include <linux/cred.h>
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string_helpers.h>

#include "debugfs.h"
#include "denials.h"
#include "kernel/groups.h"
#include "kernel/resources.h"
#include "snapshot.h"
#include "status.h"
#include "unattributed.h"
#include "version.h"

/**
 * struct ucv_view - an open file
 * @pin: keeps the module loaded
 * @snap: what it shows, NULL for the files "denials" and "status"
 * @left: the file "holders": from ucv_unattributed(); NULL for the others
 * @denial: the line that "denials" shows next
 */
struct ucv_view {
	struct file *pin;
	struct ucv_snap *snap;
	s64 *left;
	struct ucv_denial denial;
};

static const struct file_operations ucv_pin_fops = {
	.owner		= THIS_MODULE,
};

static struct dentry *ucv_debugfs_dir;

static const struct ucv_snap *ucv_seq_snap(const struct seq_file *m)
{
	return ((const struct ucv_view *)m->private)->snap;
}

/* The position in a file: 0 is the header, n + 1 is the n-th cell or record. */
static void *ucv_seq_start(struct seq_file *m, loff_t *pos, u64 nr)
{
	if (!*pos)
		return SEQ_START_TOKEN;
	return *pos <= nr ? pos : NULL;
}

static void *ucv_seq_next(loff_t *pos, u64 nr)
{
	++*pos;
	return *pos <= nr ? pos : NULL;
}

static void ucv_seq_stop(struct seq_file *m, void *v)
{
}

/* Cells of the file "ucounts": each record has one for each resource. */
static u64 ucv_ucounts_cells(const struct ucv_snap *snap)
{
	return (u64)snap->records[UCV_KIND_UCOUNTS].nr * UCV_NR_RESOURCES;
}

static void *ucv_ucounts_seq_start(struct seq_file *m, loff_t *pos)
{
	return ucv_seq_start(m, pos, ucv_ucounts_cells(ucv_seq_snap(m)));
}

static void *ucv_ucounts_seq_next(struct seq_file *m, void *v, loff_t *pos)
{
	return ucv_seq_next(pos, ucv_ucounts_cells(ucv_seq_snap(m)));
}

/*
 * Not every limit can be shown: what an rlimit counter is compared with is set
 * by each process for itself.
 */
static void ucv_show_limit(struct seq_file *m, const struct ucv_userns *userns, u32 resource)
{
	s64 limit = userns->limit[resource];

	if (ucv_resources[resource].type == UCV_RESOURCE_RLIMIT)
		seq_puts(m, " -\n");
	else if (limit >= UCV_UNLIMITED)
		seq_puts(m, " unlimited\n");
	else
		seq_printf(m, " %lld\n", limit);
}

static int ucv_ucounts_seq_show(struct seq_file *m, void *v)
{
	const struct ucv_snap *snap = ucv_seq_snap(m);
	const struct ucv_ucounts *record;
	const struct ucv_userns *userns;
	u32 resource;
	u64 cell;

	if (v == SEQ_START_TOKEN) {
		seq_puts(m, "USERNS LEVEL UID RESOURCE USED LIMIT\n");
		return 0;
	}
	cell = *(loff_t *)v - 1;
	resource = do_div(cell, UCV_NR_RESOURCES);
	record = ucv_snap_ucounts(snap, cell);
	if (record->used[resource] <= 0)
		return 0;
	userns = ucv_snap_userns(snap, record->userns);
	seq_printf(m, "%u %u %u %s %lld", userns->inum, userns->level, record->uid,
		   ucv_resources[resource].name, record->used[resource]);
	ucv_show_limit(m, userns, resource);
	return 0;
}

static const struct seq_operations ucv_ucounts_seq_ops = {
	.start	= ucv_ucounts_seq_start,
	.next	= ucv_ucounts_seq_next,
	.stop	= ucv_seq_stop,
	.show	= ucv_ucounts_seq_show,
};

static void *ucv_userns_seq_start(struct seq_file *m, loff_t *pos)
{
	const struct ucv_snap *snap = ucv_seq_snap(m);

	return ucv_seq_start(m, pos, snap->records[UCV_KIND_USERNS].nr);
}

static void *ucv_userns_seq_next(struct seq_file *m, void *v, loff_t *pos)
{
	const struct ucv_snap *snap = ucv_seq_snap(m);

	return ucv_seq_next(pos, snap->records[UCV_KIND_USERNS].nr);
}

/* Nobody is "-". */
static void ucv_show_uid(struct seq_file *m, u32 uid)
{
	if (uid == UCV_UID_UNMAPPED)
		seq_puts(m, " -");
	else
		seq_printf(m, " %u", uid);
}

/* A process may call itself anything, so its name is the last column, escaped. */
static void ucv_show_process(struct seq_file *m, u32 pid, const char *comm)
{
	if (!pid) {
		seq_puts(m, " - -\n");
		return;
	}
	seq_printf(m, " %u ", pid);
	seq_escape(m, comm, " \t\n\\");
	seq_putc(m, '\n');
}

static int ucv_userns_seq_show(struct seq_file *m, void *v)
{
	const struct ucv_snap *snap = ucv_seq_snap(m);
	const struct ucv_userns *userns;

	if (v == SEQ_START_TOKEN) {
		seq_puts(m, "USERNS PARENT LEVEL OWNER ROWS PID COMMAND\n");
		return 0;
	}
	userns = ucv_snap_userns(snap, *(loff_t *)v - 1);
	seq_printf(m, "%u ", userns->inum);
	if (userns->parent == UCV_NO_INDEX)
		seq_puts(m, "-");
	else
		seq_printf(m, "%u", ucv_snap_userns(snap, userns->parent)->inum);
	seq_printf(m, " %u %u %u", userns->level, userns->owner, userns->nr_ucounts);
	ucv_show_process(m, userns->pid, userns->comm);
	return 0;
}

static const struct seq_operations ucv_userns_seq_ops = {
	.start	= ucv_userns_seq_start,
	.next	= ucv_userns_seq_next,
	.stop	= ucv_seq_stop,
	.show	= ucv_userns_seq_show,
};

static void *ucv_mounts_seq_start(struct seq_file *m, loff_t *pos)
{
	const struct ucv_snap *snap = ucv_seq_snap(m);

	return ucv_seq_start(m, pos, snap->records[UCV_KIND_MNTNS].nr);
}

static void *ucv_mounts_seq_next(struct seq_file *m, void *v, loff_t *pos)
{
	const struct ucv_snap *snap = ucv_seq_snap(m);

	return ucv_seq_next(pos, snap->records[UCV_KIND_MNTNS].nr);
}

static int ucv_mounts_seq_show(struct seq_file *m, void *v)
{
	const struct ucv_snap *snap = ucv_seq_snap(m);
	const struct ucv_mntns *mntns;

	if (v == SEQ_START_TOKEN) {
		seq_puts(m, "MNTNS USERNS UID MOUNTS PENDING LIMIT PID COMMAND\n");
		return 0;
	}
	mntns = ucv_snap_mntns(snap, *(loff_t *)v - 1);
	seq_printf(m, "%u %u", mntns->inum, ucv_snap_userns(snap, mntns->userns)->inum);
	ucv_show_uid(m, mntns->uid);
	seq_printf(m, " %u %u %u", mntns->mounts, mntns->pending, mntns->limit);
	ucv_show_process(m, mntns->pid, mntns->comm);
	return 0;
}

static const struct seq_operations ucv_mounts_seq_ops = {
	.start	= ucv_mounts_seq_start,
	.next	= ucv_mounts_seq_next,
	.stop	= ucv_seq_stop,
	.show	= ucv_mounts_seq_show,
};

/*
 * The position in "denials" is the sequence number of a record. There is no
 * snapshot: what is overwritten before it is its turn is left out.
 */
static void *ucv_denials_seq_start(struct seq_file *m, loff_t *pos)
{
	struct ucv_view *view = m->private;
	u64 seq = *pos;

	if (!*pos)
		return SEQ_START_TOKEN;
	if (!ucv_denials_get(&seq, &view->denial))
		return NULL;
	*pos = seq;
	return &view->denial;
}

static void *ucv_denials_seq_next(struct seq_file *m, void *v, loff_t *pos)
{
	++*pos;
	return ucv_denials_seq_start(m, pos);
}

static const char *ucv_denied_resource(u32 type, u32 resource)
{
	return type == UCV_DENIAL_UCOUNT ? ucv_resources[resource].name : "mounts";
}

static int ucv_denials_seq_show(struct seq_file *m, void *v)
{
	const struct ucv_denial *denial = v;

	if (v == SEQ_START_TOKEN) {
		seq_puts(m, "SEQ TIME_NS RESOURCE CALLER_USERNS CALLER_UID CHARGED_USERNS CHARGED_UID LEVEL USERNS UID USED LIMIT MNTNS PENDING ASKED FLAGS TID PID COMMAND\n");
		return 0;
	}
	seq_printf(m, "%llu %llu %s", denial->seq, denial->time_ns,
		   ucv_denied_resource(denial->type, denial->resource));
	seq_printf(m, " %u %u %u", denial->caller_userns, denial->caller_uid,
		   denial->charged_userns);
	ucv_show_uid(m, denial->charged_uid);
	seq_printf(m, " %u %u", denial->level, denial->userns);
	ucv_show_uid(m, denial->uid);
	seq_printf(m, " %lld %lld", denial->used, denial->limit);
	if (denial->type == UCV_DENIAL_MOUNT)
		seq_printf(m, " %u %u %u", denial->mntns, denial->pending, denial->asked);
	else
		seq_puts(m, " - - -");
	seq_printf(m, " 0x%x %u", denial->flags, denial->pid);
	ucv_show_process(m, denial->tgid, denial->comm);
	return 0;
}

static const struct seq_operations ucv_denials_seq_ops = {
	.start	= ucv_denials_seq_start,
	.next	= ucv_denials_seq_next,
	.stop	= ucv_seq_stop,
	.show	= ucv_denials_seq_show,
};

static void *ucv_denial_counts_seq_start(struct seq_file *m, loff_t *pos)
{
	const struct ucv_snap *snap = ucv_seq_snap(m);

	return ucv_seq_start(m, pos, snap->records[UCV_KIND_DENIAL_COUNT].nr);
}

static void *ucv_denial_counts_seq_next(struct seq_file *m, void *v, loff_t *pos)
{
	const struct ucv_snap *snap = ucv_seq_snap(m);

	return ucv_seq_next(pos, snap->records[UCV_KIND_DENIAL_COUNT].nr);
}

/* NS is a user namespace or, for mounts, a mount namespace. */
static int ucv_denial_counts_seq_show(struct seq_file *m, void *v)
{
	const struct ucv_snap *snap = ucv_seq_snap(m);
	const struct ucv_denial_count *count;

	if (v == SEQ_START_TOKEN) {
		seq_puts(m, "RESOURCE NS LEVEL UID DENIALS LAST_NS\n");
		return 0;
	}
	count = ucv_record(&snap->records[UCV_KIND_DENIAL_COUNT], *(loff_t *)v - 1);
	if (count->flags & UCV_DENIAL_COUNT_OTHERS)
		seq_puts(m, "- - -");
	else
		seq_printf(m, "%s %u %u", ucv_denied_resource(count->type, count->resource),
			   count->ns, count->level);
	ucv_show_uid(m, count->uid);
	seq_printf(m, " %llu %llu\n", count->denials, count->last_ns);
	return 0;
}

static const struct seq_operations ucv_denial_counts_seq_ops = {
	.start	= ucv_denial_counts_seq_start,
	.next	= ucv_denial_counts_seq_next,
	.stop	= ucv_seq_stop,
	.show	= ucv_denial_counts_seq_show,
};

/* Lines of the file "holders": the holders, then what is left of each counter. */
static u64 ucv_holders_lines(const struct ucv_snap *snap)
{
	return snap->records[UCV_KIND_HOLDER].nr +
	       (u64)snap->records[UCV_KIND_UCOUNTS].nr * UCV_NR_GROUP_RESOURCES;
}

static void *ucv_holders_seq_start(struct seq_file *m, loff_t *pos)
{
	return ucv_seq_start(m, pos, ucv_holders_lines(ucv_seq_snap(m)));
}

static void *ucv_holders_seq_next(struct seq_file *m, void *v, loff_t *pos)
{
	return ucv_seq_next(pos, ucv_holders_lines(ucv_seq_snap(m)));
}

static void ucv_show_group_flags(struct seq_file *m, u32 flags)
{
	static const char * const names[] = {
		"unlimited_queue", "unlimited_marks", "lagging", "closed",
	};
	char separator = ' ';
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (!(flags & (1U << i)))
			continue;
		seq_printf(m, "%c%s", separator, names[i]);
		separator = ',';
	}
	if (!flags)
		seq_puts(m, " -");
}

static void ucv_show_holder(struct seq_file *m, const struct ucv_snap *snap,
			    const struct ucv_holder *holder)
{
	const struct ucv_group *group = ucv_snap_group(snap, holder->group);
	const struct ucv_userns *userns = ucv_snap_userns(snap, group->userns);

	seq_printf(m, "%u %s %u %u %u %llu", holder->group,
		   group->type == UCV_GROUP_INOTIFY ? "inotify" : "fanotify",
		   userns->inum, userns->level, group->uid, group->marks);
	ucv_show_group_flags(m, group->flags);
	seq_printf(m, " %u", holder->fd);
	if (holder->tid)
		seq_printf(m, " %u", holder->tid);
	else
		seq_puts(m, " -");
	ucv_show_process(m, holder->tgid, holder->comm);
}

/* What no file explains of one counter of one record. */
static void ucv_show_unattributed(struct seq_file *m, const struct ucv_snap *snap, u64 cell)
{
	s64 left = ((const struct ucv_view *)m->private)->left[cell];
	u32 nth = do_div(cell, UCV_NR_GROUP_RESOURCES);
	const struct ucv_ucounts *record = ucv_snap_ucounts(snap, cell);
	const struct ucv_userns *userns = ucv_snap_userns(snap, record->userns);

	if (left <= 0)
		return;
	seq_printf(m, "- %s %u %u %u %lld unattributed - - - -\n",
		   ucv_resources[ucv_group_resource(nth)].name,
		   userns->inum, userns->level, record->uid, left);
}

static int ucv_holders_seq_show(struct seq_file *m, void *v)
{
	const struct ucv_snap *snap = ucv_seq_snap(m);
	u32 holders = snap->records[UCV_KIND_HOLDER].nr;
	u64 line;

	if (v == SEQ_START_TOKEN) {
		seq_puts(m, "GROUP KIND USERNS LEVEL UID MARKS FLAGS FD TID PID COMMAND\n");
		return 0;
	}
	line = *(loff_t *)v - 1;
	if (line < holders)
		ucv_show_holder(m, snap, ucv_snap_holder(snap, line));
	else
		ucv_show_unattributed(m, snap, line - holders);
	return 0;
}

static const struct seq_operations ucv_holders_seq_ops = {
	.start	= ucv_holders_seq_start,
	.next	= ucv_holders_seq_next,
	.stop	= ucv_seq_stop,
	.show	= ucv_holders_seq_show,
};

/* "status" is printed at once. */
static void *ucv_status_seq_start(struct seq_file *m, loff_t *pos)
{
	return ucv_seq_start(m, pos, 0);
}

static void *ucv_status_seq_next(struct seq_file *m, void *v, loff_t *pos)
{
	return ucv_seq_next(pos, 0);
}

static const struct seq_operations ucv_status_seq_ops = {
	.start	= ucv_status_seq_start,
	.next	= ucv_status_seq_next,
	.stop	= ucv_seq_stop,
	.show	= ucv_status_show,
};

static void ucv_view_free(struct ucv_view *view)
{
	kvfree(view->left);
	ucv_snap_free(view->snap);
	fput(view->pin);
	kfree(view);
}

/* Of a walk that brings what was requested, or of none. */
static struct ucv_view *ucv_view_alloc(u64 request)
{
	struct ucv_view *view;
	int ret;

	if (request & ~ucv_snap_supported())
		return ERR_PTR(-EOPNOTSUPP);
	view = kzalloc(sizeof(*view), GFP_KERNEL_ACCOUNT);
	if (!view)
		return ERR_PTR(-ENOMEM);
	view->pin = anon_inode_getfile(UCV_MODULE_NAME, &ucv_pin_fops, NULL, O_RDONLY);
	if (IS_ERR(view->pin)) {
		ret = PTR_ERR(view->pin) == -ENOENT ? -ENODEV : PTR_ERR(view->pin);
		kfree(view);
		return ERR_PTR(ret);
	}
	if (!request)
		return view;
	view->snap = ucv_snap_take(request);
	if (IS_ERR(view->snap)) {
		ret = PTR_ERR(view->snap);
		view->snap = NULL;
		ucv_view_free(view);
		return ERR_PTR(ret);
	}
	return view;
}

static int ucv_debugfs_open(struct file *file, const struct seq_operations *ops, u64 request)
{
	struct ucv_view *view;
	int ret;

	view = ucv_view_alloc(request);
	if (IS_ERR(view))
		return PTR_ERR(view);
	ret = seq_open(file, ops);
	if (ret) {
		ucv_view_free(view);
		return ret;
	}
	((struct seq_file *)file->private_data)->private = view;
	return 0;
}

static int ucv_debugfs_release(struct inode *inode, struct file *file)
{
	ucv_view_free(((struct seq_file *)file->private_data)->private);
	return seq_release(inode, file);
}

static int ucv_ucounts_open(struct inode *inode, struct file *file)
{
	return ucv_debugfs_open(file, &ucv_ucounts_seq_ops, UCV_MASK(UCV_KIND_UCOUNTS));
}

static const struct file_operations ucv_ucounts_fops = {
	.open		= ucv_ucounts_open,
	.read		= seq_read,
	.llseek		= seq_lseek,
	.release	= ucv_debugfs_release,
};

/* The number of rows is a column, so the rows are walked as well. */
static int ucv_userns_open(struct inode *inode, struct file *file)
{
	return ucv_debugfs_open(file, &ucv_userns_seq_ops, UCV_MASK(UCV_KIND_USERNS));
}

static const struct file_operations ucv_userns_fops = {
	.open		= ucv_userns_open,
	.read		= seq_read,
	.llseek		= seq_lseek,
	.release	= ucv_debugfs_release,
};

static int ucv_mounts_open(struct inode *inode, struct file *file)
{
	return ucv_debugfs_open(file, &ucv_mounts_seq_ops, UCV_MASK(UCV_KIND_MNTNS));
}

static const struct file_operations ucv_mounts_fops = {
	.open		= ucv_mounts_open,
	.read		= seq_read,
	.llseek		= seq_lseek,
	.release	= ucv_debugfs_release,
};

static int ucv_denials_open(struct inode *inode, struct file *file)
{
	return ucv_debugfs_open(file, &ucv_denials_seq_ops, 0);
}

static const struct file_operations ucv_denials_fops = {
	.open		= ucv_denials_open,
	.read		= seq_read,
	.llseek		= seq_lseek,
	.release	= ucv_debugfs_release,
};

static int ucv_denial_counts_open(struct inode *inode, struct file *file)
{
	return ucv_debugfs_open(file, &ucv_denial_counts_seq_ops,
				UCV_MASK(UCV_KIND_DENIAL_COUNT));
}

static const struct file_operations ucv_denial_counts_fops = {
	.open		= ucv_denial_counts_open,
	.read		= seq_read,
	.llseek		= seq_lseek,
	.release	= ucv_debugfs_release,
};

static int ucv_holders_open(struct inode *inode, struct file *file)
{
	struct ucv_view *view;
	int ret;

	ret = ucv_debugfs_open(file, &ucv_holders_seq_ops,
			       UCV_MASK(UCV_KIND_HOLDER) | UCV_MASK(UCV_KIND_UCOUNTS));
	if (ret)
		return ret;
	view = ((struct seq_file *)file->private_data)->private;
	view->left = ucv_unattributed(view->snap);
	if (view->left)
		return 0;
	ucv_debugfs_release(inode, file);
	return -ENOMEM;
}

static const struct file_operations ucv_holders_fops = {
	.open		= ucv_holders_open,
	.read		= seq_read,
	.llseek		= seq_lseek,
	.release	= ucv_debugfs_release,
};

static int ucv_status_open(struct inode *inode, struct file *file)
{
	return ucv_debugfs_open(file, &ucv_status_seq_ops, 0);
}

static const struct file_operations ucv_status_fops = {
	.open		= ucv_status_open,
	.read		= seq_read,
	.llseek		= seq_lseek,
	.release	= ucv_debugfs_release,
};

/**
 * ucv_debugfs_init() - show the files
 *
 * A kernel without debugfs, or one locked down, has none of them; the device
 * works all the same, so there is nothing to return.
 *
 * Context: process context, at load, when all else is ready.
 */
void ucv_debugfs_init(void)
{
	ucv_debugfs_dir = debugfs_create_dir(UCV_MODULE_NAME, NULL);
	debugfs_create_file("ucounts", 0400, ucv_debugfs_dir, NULL, &ucv_ucounts_fops);
	debugfs_create_file("userns", 0400, ucv_debugfs_dir, NULL, &ucv_userns_fops);
	debugfs_create_file("mounts", 0400, ucv_debugfs_dir, NULL, &ucv_mounts_fops);
	debugfs_create_file("denials", 0400, ucv_debugfs_dir, NULL, &ucv_denials_fops);
	debugfs_create_file("denial_counts", 0400, ucv_debugfs_dir, NULL,
			    &ucv_denial_counts_fops);
	debugfs_create_file("status", 0400, ucv_debugfs_dir, NULL, &ucv_status_fops);
	debugfs_create_file("holders", 0400, ucv_debugfs_dir, NULL, &ucv_holders_fops);
}

/**
 * ucv_debugfs_exit() - take the files away
 *
 * Context: process context, at unload. Waits for reads that are under way.
 */
void ucv_debugfs_exit(void)
{
	debugfs_remove_recursive(ucv_debugfs_dir);
}
