// SPDX-License-Identifier: GPL-2.0
/*
 * The tables in debugfs: the snapshot that each needs, and how a line of it is printed.
 * debugfs.c opens and reads the files.
 */
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/seq_file.h>
#include <linux/string_helpers.h>

#include "arming.h"
#include "compat/fsnotify.h"
#include "compat/kretprobes.h"
#include "compat/resources.h"
#include "compat/ucounts.h"
#include "debugfs.h"
#include "denials.h"
#include "status.h"
#include "unattributed.h"
#include "version.h"
#include "watchdog.h"

/* A user as seen in the initial user namespace, or "-" for UCV_UID_UNMAPPED. */
static void ucv_show_uid(struct seq_file *m, u32 uid)
{
	if (uid == UCV_UID_UNMAPPED)
		seq_puts(m, " -");
	else
		seq_printf(m, " %u", uid);
}

/* A process, or "-" for 0. Its command is escaped, as a process can choose any name. */
static void ucv_show_process(struct seq_file *m, u32 pid, const char *comm)
{
	if (!pid) {
		seq_puts(m, " - -");
		return;
	}
	seq_printf(m, " %u ", pid);
	seq_escape(m, comm, " \t\n\\");
}

/* File "ucounts": a line for each counter that is above zero. */

static int ucv_ucounts_prepare(struct ucv_view *view)
{
	view->nr_items = view->snap->records[UCV_KIND_UCOUNTS].nr;
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
		seq_puts(m, " -");
	else if (limit >= UCV_UNLIMITED)
		seq_puts(m, " unlimited");
	else
		seq_put_decimal_ll(m, " ", limit);
}

static void ucv_show_counter(struct seq_file *m, const struct ucv_userns *userns, u32 uid,
			     const char *resource, s64 used)
{
	seq_put_decimal_ull(m, "", userns->inum);
	seq_put_decimal_ull(m, " ", userns->level);
	seq_put_decimal_ull(m, " ", uid);
	seq_putc(m, ' ');
	seq_puts(m, resource);
	seq_put_decimal_ll(m, " ", used);
}

static void ucv_ucounts_show(struct seq_file *m, const struct ucv_view *view, u64 item)
{
	const struct ucv_ucounts *record = ucv_snap_ucounts(view->snap, item);
	const struct ucv_userns *userns = ucv_snap_userns(view->snap, record->userns);
	u32 i;

	for (i = 0; i < UCV_NR_RESOURCES; i++) {
		if (record->used[i] <= 0)
			continue;
		ucv_show_counter(m, userns, record->uid, ucv_resources[i].name,
				 record->used[i]);
		ucv_show_limit(m, userns, i);
		seq_putc(m, '\n');
	}
}

static const struct ucv_table ucv_table_ucounts = {
	.name		= "ucounts",
	.heading	= "USERNS LEVEL UID RESOURCE USED LIMIT",
	.request	= UCV_MASK(UCV_KIND_UCOUNTS),
	.flags		= UCV_SNAPSHOT_NO_PROCESSES,
	.prepare	= ucv_ucounts_prepare,
	.show		= ucv_ucounts_show,
};

/* File "userns": a line for each user namespace. */

static int ucv_userns_prepare(struct ucv_view *view)
{
	view->nr_items = view->snap->records[UCV_KIND_USERNS].nr;
	return 0;
}

static void ucv_userns_show(struct seq_file *m, const struct ucv_view *view, u64 item)
{
	const struct ucv_userns *userns = ucv_snap_userns(view->snap, item);

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
static const struct ucv_table ucv_table_userns = {
	.name		= "userns",
	.heading	= "USERNS PARENT LEVEL OWNER ROWS PID COMMAND",
	.request	= UCV_MASK(UCV_KIND_USERNS),
	.prepare	= ucv_userns_prepare,
	.show		= ucv_userns_show,
};

/* File "mounts": a line for each mount namespace. */

static int ucv_mounts_prepare(struct ucv_view *view)
{
	view->nr_items = view->snap->records[UCV_KIND_MNTNS].nr;
	return 0;
}

static void ucv_mounts_show(struct seq_file *m, const struct ucv_view *view, u64 item)
{
	const struct ucv_mntns *mntns = ucv_snap_mntns(view->snap, item);

	seq_printf(m, "%u %u", mntns->inum, ucv_snap_userns(view->snap, mntns->userns)->inum);
	ucv_show_uid(m, mntns->uid);
	seq_printf(m, " %u %u %u", mntns->mounts, mntns->pending, mntns->limit);
	ucv_show_process(m, mntns->pid, mntns->comm);
	seq_putc(m, '\n');
}

static const struct ucv_table ucv_table_mounts = {
	.name		= "mounts",
	.heading	= "MNTNS USERNS UID MOUNTS PENDING LIMIT PID COMMAND",
	.request	= UCV_MASK(UCV_KIND_MNTNS),
	.prepare	= ucv_mounts_prepare,
	.show		= ucv_mounts_show,
};

/* File "denials": a line for each of the last denials. */

#define UCV_DENIALS_HEADING "SEQ TIME_NS RESOURCE CALLER_USERNS CALLER_UID CHARGED_USERNS CHARGED_UID LEVEL USERNS UID USED LIMIT MNTNS PENDING ASKED FLAGS TID PID COMMAND"

/*
 * The lines are the records now in the ring. They stay there, so one that is overwritten
 * before it is shown is left out.
 */
static int ucv_denials_prepare(struct ucv_view *view)
{
	u64 total = ucv_denials_total();

	view->nr_items = min_t(u64, total, ucv_denials_capacity());
	view->first = total - view->nr_items + 1;
	return 0;
}

static void ucv_denials_show(struct seq_file *m, const struct ucv_view *view, u64 item)
{
	struct ucv_denial denial;
	u64 seq = view->first + item;

	if (!ucv_denials_get(&seq, &denial) || seq != view->first + item)
		return;
	seq_printf(m, "%llu %llu %s", denial.seq, denial.time_ns,
		   ucv_denial_resource(denial.type, denial.resource));
	seq_printf(m, " %u %u %u", denial.caller_userns, denial.caller_uid,
		   denial.charged_userns);
	ucv_show_uid(m, denial.charged_uid);
	seq_printf(m, " %u %u", denial.level, denial.userns);
	ucv_show_uid(m, denial.uid);
	seq_printf(m, " %lld %lld", denial.used, denial.limit);
	if (denial.type == UCV_DENIAL_MOUNT)
		seq_printf(m, " %u %u %u", denial.mntns, denial.pending, denial.asked);
	else if (denial.type == UCV_DENIAL_RLIMIT)
		seq_printf(m, " - - %u", denial.asked);
	else
		seq_puts(m, " - - -");
	seq_printf(m, " 0x%x %u", denial.flags, denial.pid);
	ucv_show_process(m, denial.tgid, denial.comm);
	seq_putc(m, '\n');
}

static const struct ucv_table ucv_table_denials = {
	.name		= "denials",
	.heading	= UCV_DENIALS_HEADING,
	.prepare	= ucv_denials_prepare,
	.show		= ucv_denials_show,
};

/* File "denial_counts": a line for each limit that has refused. */

static int ucv_denial_counts_prepare(struct ucv_view *view)
{
	view->nr_items = view->snap->records[UCV_KIND_DENIAL_COUNT].nr;
	return 0;
}

static void ucv_denial_counts_show(struct seq_file *m, const struct ucv_view *view, u64 item)
{
	const struct ucv_denial_count *count =
		ucv_array_at(&view->snap->records[UCV_KIND_DENIAL_COUNT], item);

	if (count->flags & UCV_DENIAL_COUNT_OTHERS)
		seq_puts(m, "- - -");
	else
		seq_printf(m, "%s %u %u", ucv_denial_resource(count->type, count->resource),
			   count->ns, count->level);
	ucv_show_uid(m, count->uid);
	seq_printf(m, " %llu %llu\n", count->denials, count->last_ns);
}

/* NS is a user namespace or, for mounts, a mount namespace. */
static const struct ucv_table ucv_table_denial_counts = {
	.name		= "denial_counts",
	.heading	= "RESOURCE NS LEVEL UID DENIALS LAST_NS",
	.request	= UCV_MASK(UCV_KIND_DENIAL_COUNT),
	.prepare	= ucv_denial_counts_prepare,
	.show		= ucv_denial_counts_show,
};

/*
 * File "holders": a line for each process that holds an inotify or fanotify group, then a
 * line for each counter that the groups do not explain.
 */

static int ucv_holders_prepare(struct ucv_view *view)
{
	s64 *left;

	view->nr_items = (u64)view->snap->records[UCV_KIND_HOLDER].nr +
			 view->snap->records[UCV_KIND_UCOUNTS].nr;
	left = ucv_unattributed(view->snap);
	if (IS_ERR(left))
		return PTR_ERR(left);
	view->unattributed = left;
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

/* The unattributed part of the counters of one record. */
static void ucv_show_unattributed(struct seq_file *m, const struct ucv_view *view, u64 row)
{
	const struct ucv_ucounts *record = ucv_snap_ucounts(view->snap, row);
	const struct ucv_userns *userns = ucv_snap_userns(view->snap, record->userns);
	const s64 *left = &view->unattributed[row * UCV_NR_GROUP_RESOURCES];
	unsigned int i;

	for (i = 0; i < UCV_NR_GROUP_RESOURCES; i++) {
		if (left[i] <= 0)
			continue;
		seq_printf(m, "- %s %u %u %u %lld unattributed - - - - -\n",
			   ucv_resources[ucv_group_resource(i)].name,
			   userns->inum, userns->level, record->uid, left[i]);
	}
}

static void ucv_holders_show(struct seq_file *m, const struct ucv_view *view, u64 item)
{
	u32 holders = view->snap->records[UCV_KIND_HOLDER].nr;

	if (item < holders)
		ucv_show_holder(m, view->snap, ucv_snap_holder(view->snap, item));
	else
		ucv_show_unattributed(m, view, item - holders);
}

static const struct ucv_table ucv_table_holders = {
	.name		= "holders",
	.heading	= "GROUP KIND USERNS LEVEL UID MARKS FLAGS FD TID PID COMMAND FDS",
	.request	= UCV_MASK(UCV_KIND_HOLDER) | UCV_MASK(UCV_KIND_UCOUNTS),
	.flags		= UCV_SNAPSHOT_NO_PROCESSES,
	.prepare	= ucv_holders_prepare,
	.show		= ucv_holders_show,
};

/*
 * File "status": the kernel features that the module uses, the cost of its walks, and the
 * state of recording.
 */

static const char * const ucv_feature_names[] = {
	"rlimits", "lockless", "ns_id", "btf", "ns_pinned", "mntns", "mntns_listed",
	"denials", "mount_denials", "groups", "nproc_denials", "msgqueue_denials",
	"memlock_denials", "sigpending_denials", "userns_depth_denials",
	"pidns_depth_denials",
};

static void ucv_status_show_features(struct seq_file *m)
{
	unsigned int i;

	seq_puts(m, "features:");
	for (i = 0; i < ARRAY_SIZE(ucv_feature_names); i++)
		if (ucv_status_features() & (1ULL << i))
			seq_printf(m, " %s", ucv_feature_names[i]);
	seq_putc(m, '\n');
}

static const char *ucv_status_recording(u64 *since_ns)
{
	switch (ucv_watchdog_check_since(since_ns)) {
	case UCV_RECORDING_ON:
		return "recording";
	case UCV_RECORDING_BLIND:
		return "blind (" UCV_BLIND_ADVICE ")";
	default:
		return "off";
	}
}

static void ucv_status_show_seen(struct seq_file *m)
{
	u64 seen = ucv_kretprobes_seen();
	unsigned int i;

	seq_puts(m, "denials_seen:");
	for (i = 0; i < UCV_NR_RESOURCES; i++)
		if (seen & UCV_SEEN(i))
			seq_printf(m, " %s", ucv_resources[i].name);
	if (seen & UCV_SEEN_MOUNTS)
		seq_puts(m, " mounts");
	if (seen & UCV_SEEN_USERNS_DEPTH)
		seq_puts(m, " userns_depth");
	if (seen & UCV_SEEN_PIDNS_DEPTH)
		seq_puts(m, " pidns_depth");
	seq_puts(m, seen ? "\n" : " -\n");
}

static int ucv_status_prepare(struct ucv_view *view)
{
	view->nr_items = 1; /* show() prints all lines at once */
	return 0;
}

static void ucv_status_show(struct seq_file *m, const struct ucv_view *view, u64 item)
{
	struct ucv_status now;
	u64 missed, since_ns;

	ucv_status_get(&now);
	seq_printf(m, "version: %s\n", UCV_MODULE_VERSION);
	seq_printf(m, "abi_version: %u\n", UCV_ABI_VERSION);
	ucv_status_show_features(m);
	seq_printf(m, "resources: %u\n", UCV_NR_RESOURCES);
	seq_printf(m, "buckets: %u\n", ucv_ucounts_nr_buckets);
	seq_printf(m, "snapshots: %llu\n", now.snapshots);
	seq_printf(m, "rows: %u\n", now.rows);
	seq_printf(m, "userns: %u\n", now.userns);
	seq_printf(m, "mntns: %u\n", now.mntns);
	seq_printf(m, "skipped: %u\n", now.skipped);
	seq_printf(m, "last_walk_ns: %llu\n", now.walk_ns);
	seq_printf(m, "last_hold_ns: %llu\n", now.hold_ns);
	seq_printf(m, "hold_max_ns: %llu\n", now.hold_max_ns);
	seq_printf(m, "denials_armed: %u\n", ucv_armed(&missed));
	seq_printf(m, "denials: %llu\n", ucv_denials_total());
	seq_printf(m, "denials_missed: %llu\n", missed);
	seq_printf(m, "denials_state: %s\n", ucv_status_recording(&since_ns));
	seq_printf(m, "denials_interruptions: %llu\n", ucv_watchdog_interruptions());
	ucv_status_show_seen(m);
	seq_printf(m, "denials_since_ns: %llu\n", since_ns);
	seq_printf(m, "loaded_ns: %llu\n", ucv_status_loaded_ns());
}

static const struct ucv_table ucv_table_status = {
	.name		= "status",
	.prepare	= ucv_status_prepare,
	.show		= ucv_status_show,
};

const struct ucv_table * const ucv_tables[] = {
	&ucv_table_ucounts,
	&ucv_table_userns,
	&ucv_table_mounts,
	&ucv_table_denials,
	&ucv_table_denial_counts,
	&ucv_table_holders,
	&ucv_table_status,
	NULL
};
