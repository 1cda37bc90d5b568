// SPDX-License-Identifier: GPL-2.0
/*
 * The file "ucounts": a line for each counter that is above zero.
 */
#include <linux/math64.h>
#include <linux/seq_file.h>

#include "compat/resources.h"
#include "text/text.h"

/* Each record has a line for each resource. */
static int ucv_ucounts_prepare(struct ucv_view *view)
{
	view->nr_lines = (u64)view->snap->records[UCV_KIND_UCOUNTS].nr * UCV_NR_RESOURCES;
	return 0;
}

/*
 * Not every limit can be shown: each process sets for itself what an rlimit counter is
 * compared with.
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

static void ucv_ucounts_show(struct seq_file *m, const struct ucv_view *view, u64 line)
{
	u32 resource = do_div(line, UCV_NR_RESOURCES);
	const struct ucv_ucounts *record = ucv_snap_ucounts(view->snap, line);
	const struct ucv_userns *userns;

	if (record->used[resource] <= 0)
		return;
	userns = ucv_snap_userns(view->snap, record->userns);
	seq_printf(m, "%u %u %u %s %lld", userns->inum, userns->level, record->uid,
		   ucv_resources[resource].name, record->used[resource]);
	ucv_show_limit(m, userns, resource);
}

const struct ucv_text ucv_text_ucounts = {
	.name		= "ucounts",
	.heading	= "USERNS LEVEL UID RESOURCE USED LIMIT",
	.request	= UCV_MASK(UCV_KIND_UCOUNTS),
	.prepare	= ucv_ucounts_prepare,
	.show		= ucv_ucounts_show,
};
