// SPDX-License-Identifier: GPL-2.0
/*
 * The files "denials", with a line for each of the last denials, and "denial_counts",
 * with a line for each limit that has refused.
 */
#include <linux/seq_file.h>

#include "compat/resources.h"
#include "denials.h"
#include "text/text.h"

#define UCV_DENIALS_HEADING "SEQ TIME_NS RESOURCE CALLER_USERNS CALLER_UID CHARGED_USERNS CHARGED_UID LEVEL USERNS UID USED LIMIT MNTNS PENDING ASKED FLAGS TID PID COMMAND"

static const char *ucv_denied_resource(u32 type, u32 resource)
{
	return type == UCV_DENIAL_UCOUNT ? ucv_resources[resource].name : "mounts";
}

/*
 * The lines are the records now in the ring. They stay there, so one that is overwritten
 * before it is shown is left out.
 */
static int ucv_denials_prepare(struct ucv_view *view)
{
	u64 total = ucv_denials_total();

	view->nr_lines = min_t(u64, total, UCV_DENIALS_RING);
	view->first = total - view->nr_lines + 1;
	return 0;
}

static void ucv_denials_show(struct seq_file *m, const struct ucv_view *view, u64 line)
{
	struct ucv_denial denial;
	u64 seq = view->first + line;

	if (!ucv_denials_get(&seq, &denial) || seq != view->first + line)
		return;
	seq_printf(m, "%llu %llu %s", denial.seq, denial.time_ns,
		   ucv_denied_resource(denial.type, denial.resource));
	seq_printf(m, " %u %u %u", denial.caller_userns, denial.caller_uid,
		   denial.charged_userns);
	ucv_show_uid(m, denial.charged_uid);
	seq_printf(m, " %u %u", denial.level, denial.userns);
	ucv_show_uid(m, denial.uid);
	seq_printf(m, " %lld %lld", denial.used, denial.limit);
	if (denial.type == UCV_DENIAL_MOUNT)
		seq_printf(m, " %u %u %u", denial.mntns, denial.pending, denial.asked);
	else
		seq_puts(m, " - - -");
	seq_printf(m, " 0x%x %u", denial.flags, denial.pid);
	ucv_show_process(m, denial.tgid, denial.comm);
	seq_putc(m, '\n');
}

const struct ucv_text ucv_text_denials = {
	.name		= "denials",
	.heading	= UCV_DENIALS_HEADING,
	.prepare	= ucv_denials_prepare,
	.show		= ucv_denials_show,
};

static int ucv_denial_counts_prepare(struct ucv_view *view)
{
	view->nr_lines = view->snap->records[UCV_KIND_DENIAL_COUNT].nr;
	return 0;
}

static void ucv_denial_counts_show(struct seq_file *m, const struct ucv_view *view, u64 line)
{
	const struct ucv_denial_count *count =
		ucv_array_at(&view->snap->records[UCV_KIND_DENIAL_COUNT], line);

	if (count->flags & UCV_DENIAL_COUNT_OTHERS)
		seq_puts(m, "- - -");
	else
		seq_printf(m, "%s %u %u", ucv_denied_resource(count->type, count->resource),
			   count->ns, count->level);
	ucv_show_uid(m, count->uid);
	seq_printf(m, " %llu %llu\n", count->denials, count->last_ns);
}

/* NS is a user namespace or, for mounts, a mount namespace. */
const struct ucv_text ucv_text_denial_counts = {
	.name		= "denial_counts",
	.heading	= "RESOURCE NS LEVEL UID DENIALS LAST_NS",
	.request	= UCV_MASK(UCV_KIND_DENIAL_COUNT),
	.prepare	= ucv_denial_counts_prepare,
	.show		= ucv_denial_counts_show,
};
