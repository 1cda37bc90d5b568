// SPDX-License-Identifier: GPL-2.0
/*
 * The file "mounts": a line for each mount namespace.
 */
#include <linux/seq_file.h>

#include "text/text.h"

static int ucv_mounts_prepare(struct ucv_view *view)
{
	view->nr_lines = view->snap->records[UCV_KIND_MNTNS].nr;
	return 0;
}

static void ucv_mounts_show(struct seq_file *m, const struct ucv_view *view, u64 line)
{
	const struct ucv_mntns *mntns = ucv_snap_mntns(view->snap, line);

	seq_printf(m, "%u %u", mntns->inum, ucv_snap_userns(view->snap, mntns->userns)->inum);
	ucv_show_uid(m, mntns->uid);
	seq_printf(m, " %u %u %u", mntns->mounts, mntns->pending, mntns->limit);
	ucv_show_process(m, mntns->pid, mntns->comm);
	seq_putc(m, '\n');
}

const struct ucv_text ucv_text_mounts = {
	.name		= "mounts",
	.heading	= "MNTNS USERNS UID MOUNTS PENDING LIMIT PID COMMAND",
	.request	= UCV_MASK(UCV_KIND_MNTNS),
	.prepare	= ucv_mounts_prepare,
	.show		= ucv_mounts_show,
};
