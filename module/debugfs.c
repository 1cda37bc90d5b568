// SPDX-License-Identifier: GPL-2.0
/*
 * The human-readable front end: text files in /sys/kernel/debug/ucountview. Their
 * contents are in debugfs_tables.c.
 *
 * open() takes a snapshot of its own, so a reader sees the result of one walk, however
 * slowly it reads.
 *
 * An open file pins the module, but not through the .owner of its file operations: if
 * debugfs takes that reference after rmmod has found no users and before rmmod marks
 * the module as going, debugfs warns that the module did not clean up. Without .owner,
 * debugfs itself pins the module while open() runs, since unloading waits in
 * debugfs_remove(). open() then pins the module by opening a file of its own, which
 * fails quietly if the module is going. When release() puts that file, the kernel drops
 * the module reference later, from its own code, when no code of the module is running
 * any more.
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

#include "collect.h"
#include "debugfs.h"
#include "snapshot.h"
#include "version.h"

static const struct file_operations ucv_pin_fops = {
	.owner		= THIS_MODULE,
};

static struct dentry *ucv_debugfs_dir;

/* Position in a file: 0 is the heading, n + 1 is item n. */
static void *ucv_seq_start(struct seq_file *m, loff_t *pos)
{
	const struct ucv_view *view = m->private;

	return *pos <= view->nr_items ? pos : NULL;
}

static void *ucv_seq_next(struct seq_file *m, void *v, loff_t *pos)
{
	++*pos;
	return ucv_seq_start(m, pos);
}

static void ucv_seq_stop(struct seq_file *m, void *v)
{
}

static int ucv_seq_show(struct seq_file *m, void *v)
{
	const struct ucv_view *view = m->private;
	loff_t pos = *(loff_t *)v;

	if (pos)
		view->table->show(m, view, pos - 1);
	else if (view->table->heading)
		seq_printf(m, "%s\n", view->table->heading);
	return 0;
}

static const struct seq_operations ucv_seq_ops = {
	.start	= ucv_seq_start,
	.next	= ucv_seq_next,
	.stop	= ucv_seq_stop,
	.show	= ucv_seq_show,
};

static void ucv_view_free(struct ucv_view *view)
{
	kvfree(view->unattributed);
	ucv_snap_free(view->snap);
	fput(view->pin);
	kfree(view);
}

/* Pin the module with a file of its own, see above. */
static int ucv_view_pin(struct ucv_view *view)
{
	view->pin = anon_inode_getfile(UCV_MODULE_NAME, &ucv_pin_fops, NULL, O_RDONLY);
	if (!IS_ERR(view->pin))
		return 0;
	return PTR_ERR(view->pin) == -ENOENT ? -ENODEV : PTR_ERR(view->pin);
}

static int ucv_view_fill(struct ucv_view *view)
{
	struct ucv_snap *snap;

	if (view->table->request) {
		snap = ucv_collect(view->table->request, view->table->flags);
		if (IS_ERR(snap))
			return PTR_ERR(snap);
		view->snap = snap;
	}
	return view->table->prepare(view);
}

static struct ucv_view *ucv_view_alloc(const struct ucv_table *table)
{
	struct ucv_view *view;
	int ret;

	if (table->request & ~ucv_collect_supported())
		return ERR_PTR(-EOPNOTSUPP);
	view = kzalloc(sizeof(*view), GFP_KERNEL_ACCOUNT);
	if (!view)
		return ERR_PTR(-ENOMEM);
	view->table = table;
	ret = ucv_view_pin(view);
	if (ret) {
		kfree(view);
		return ERR_PTR(ret);
	}
	ret = ucv_view_fill(view);
	if (ret) {
		ucv_view_free(view);
		return ERR_PTR(ret);
	}
	return view;
}

static int ucv_debugfs_open(struct inode *inode, struct file *file)
{
	struct ucv_view *view;
	int ret;

	view = ucv_view_alloc(inode->i_private);
	if (IS_ERR(view))
		return PTR_ERR(view);
	ret = seq_open(file, &ucv_seq_ops);
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

static const struct file_operations ucv_debugfs_fops = {
	.open		= ucv_debugfs_open,
	.read		= seq_read,
	.llseek		= seq_lseek,
	.release	= ucv_debugfs_release,
};

/**
 * ucv_debugfs_init() - create the files
 *
 * A kernel without debugfs has none of them. The device works all the same, so there is
 * nothing to return.
 *
 * A locked-down kernel serves them, because they are of mode 0400 and have neither
 * write() nor ioctl() nor mmap(). That is intended: only root can open them, and they
 * show no kernel address.
 *
 * Context: process context, at load, when all else is ready.
 */
void ucv_debugfs_init(void)
{
	const struct ucv_table * const *table;

	ucv_debugfs_dir = debugfs_create_dir(UCV_MODULE_NAME, NULL);
	for (table = ucv_tables; *table; table++)
		debugfs_create_file((*table)->name, 0400, ucv_debugfs_dir, (void *)*table,
				    &ucv_debugfs_fops);
}

/**
 * ucv_debugfs_exit() - remove the files
 *
 * Context: process context, at unload. Waits for reads in progress.
 */
void ucv_debugfs_exit(void)
{
	debugfs_remove_recursive(ucv_debugfs_dir);
}
