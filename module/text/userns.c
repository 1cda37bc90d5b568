// SPDX-License-Identifier: GPL-2.0
/*
 * The file "userns": a line for each user namespace.
 */
#include <linux/seq_file.h>

#include "text/text.h"

static int ucv_userns_prepare(struct ucv_view *view)
{
	view->nr_lines = view->snap->records[UCV_KIND_USERNS].nr;
	return 0;
}

static void ucv_userns_show(struct seq_file *m, const struct ucv_view *view, u64 line)
{
	const struct ucv_userns *userns = ucv_snap_userns(view->snap, line);

	seq_printf(m, "%u ", userns->inum);
	if (userns->parent == UCV_NO_INDEX)
		seq_puts(m, "-");
	else
		seq_printf(m, "%u", ucv_snap_userns(view->snap, userns->parent)->inum);
	seq_printf(m, " %u %u %u", userns->level, userns->owner, userns->nr_ucounts);
	ucv_show_process(m, userns->pid, userns->comm);
	seq_putc(m, '\n');
}

/* ROWS is the number of ucounts records, so these are walked as well. */
const struct ucv_text ucv_text_userns = {
	.name		= "userns",
	.heading	= "USERNS PARENT LEVEL OWNER ROWS PID COMMAND",
	.request	= UCV_MASK(UCV_KIND_USERNS),
	.prepare	= ucv_userns_prepare,
	.show		= ucv_userns_show,
};
