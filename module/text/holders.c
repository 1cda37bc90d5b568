// SPDX-License-Identifier: GPL-2.0
/*
 * The file "holders": a line for each process that holds an inotify or fanotify
 * group, then a line for each counter that the groups do not explain.
 */
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/seq_file.h>

#include "compat/fsnotify.h"
#include "compat/resources.h"
#include "text/text.h"
#include "unattributed.h"

static int ucv_holders_prepare(struct ucv_view *view)
{
	s64 *left;

	view->nr_lines = view->snap->records[UCV_KIND_HOLDER].nr +
			 (u64)view->snap->records[UCV_KIND_UCOUNTS].nr *
			 UCV_NR_GROUP_RESOURCES;
	left = ucv_unattributed(view->snap);
	if (IS_ERR(left))
		return PTR_ERR(left);
	view->left = left;
	return 0;
}

static void ucv_show_group_flags(struct seq_file *m, u32 flags)
{
	static const char * const names[] = {
		"unlimited_queue", "unlimited_marks", "lagging", "closed", "more_holders",
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
	seq_printf(m, " %u\n", holder->nr_fds);
}

/* The unattributed part of one counter of one record. */
static void ucv_show_unattributed(struct seq_file *m, const struct ucv_view *view, u64 cell)
{
	s64 left = view->left[cell];
	u32 nth = do_div(cell, UCV_NR_GROUP_RESOURCES);
	const struct ucv_ucounts *record = ucv_snap_ucounts(view->snap, cell);
	const struct ucv_userns *userns = ucv_snap_userns(view->snap, record->userns);

	if (left <= 0)
		return;
	seq_printf(m, "- %s %u %u %u %lld unattributed - - - - -\n",
		   ucv_resources[ucv_group_resource(nth)].name,
		   userns->inum, userns->level, record->uid, left);
}

static void ucv_holders_show(struct seq_file *m, const struct ucv_view *view, u64 line)
{
	u32 holders = view->snap->records[UCV_KIND_HOLDER].nr;

	if (line < holders)
		ucv_show_holder(m, view->snap, ucv_snap_holder(view->snap, line));
	else
		ucv_show_unattributed(m, view, line - holders);
}

const struct ucv_text ucv_text_holders = {
	.name		= "holders",
	.heading	= "GROUP KIND USERNS LEVEL UID MARKS FLAGS FD TID PID COMMAND FDS",
	.request	= UCV_MASK(UCV_KIND_HOLDER) | UCV_MASK(UCV_KIND_UCOUNTS),
	.prepare	= ucv_holders_prepare,
	.show		= ucv_holders_show,
};
