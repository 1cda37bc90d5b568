// SPDX-License-Identifier: GPL-2.0
/*
 * The module's own status: the kernel features that it uses, and the cost of its walks.
 */
#include <linux/seq_file.h>
#include <linux/spinlock.h>

#include "arming.h"
#include "compat/kretprobes.h"
#include "compat/resources.h"
#include "compat/ucounts.h"
#include "denials.h"
#include "snapshot.h"
#include "status.h"
#include "text/text.h"
#include "version.h"
#include "watch.h"

/**
 * struct ucv_status - statistics of the walks since the module was loaded
 * @snapshots: number of successful walks
 * @rows: ucounts records of the last one
 * @userns: user namespaces of the last one
 * @mntns: mount namespaces of the last one
 * @skipped: entries that it left out because their namespace was gone
 * @walk_ns: how long the last one took
 * @hold_ns: longest time that the last one held a lock or stayed in an RCU section
 * @hold_max_ns: longest time of any walk
 */
struct ucv_status {
	u64 snapshots;
	u32 rows;
	u32 userns;
	u32 mntns;
	u32 skipped;
	u64 walk_ns;
	u64 hold_ns;
	u64 hold_max_ns;
};

static DEFINE_SPINLOCK(ucv_status_lock); /* protects ucv_status */
static struct ucv_status ucv_status;
static u64 ucv_features; /* set at load, constant afterwards */

static const char * const ucv_feature_names[] = {
	"rlimits", "lockless", "ns_id", "btf", "ns_pinned", "mntns", "mntns_listed",
	"denials", "mount_denials", "groups",
};

/**
 * ucv_status_init() - store the features of the kernel
 * @features: UCV_FEATURE_*
 *
 * Context: at load, before anything can query them.
 */
void ucv_status_init(u64 features)
{
	ucv_features = features;
}

/**
 * ucv_status_features() - the features of the kernel
 *
 * Return: UCV_FEATURE_*
 */
u64 ucv_status_features(void)
{
	return ucv_features;
}

/**
 * ucv_status_note() - add a walk to the statistics
 * @snap: its result
 *
 * Context: process context.
 */
void ucv_status_note(const struct ucv_snap *snap)
{
	spin_lock(&ucv_status_lock);
	ucv_status.snapshots++;
	ucv_status.rows = snap->records[UCV_KIND_UCOUNTS].nr;
	ucv_status.userns = snap->records[UCV_KIND_USERNS].nr;
	ucv_status.mntns = snap->records[UCV_KIND_MNTNS].nr;
	ucv_status.skipped = snap->skipped;
	ucv_status.walk_ns = snap->end_ns - snap->start_ns;
	ucv_status.hold_ns = snap->hold.max_ns;
	ucv_status.hold_max_ns = max(ucv_status.hold_max_ns, snap->hold.max_ns);
	spin_unlock(&ucv_status_lock);
}

static void ucv_status_show_features(struct seq_file *m)
{
	unsigned int i;

	seq_puts(m, "features:");
	for (i = 0; i < ARRAY_SIZE(ucv_feature_names); i++)
		if (ucv_features & (1ULL << i))
			seq_printf(m, " %s", ucv_feature_names[i]);
	seq_putc(m, '\n');
}

static const char *ucv_status_recording(void)
{
	switch (ucv_watch_look()) {
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
	u64 seen = ucv_hooks_seen();
	unsigned int i;

	seq_puts(m, "denials_seen:");
	for (i = 0; i < UCV_NR_RESOURCES; i++)
		if (seen & UCV_SEEN(i))
			seq_printf(m, " %s", ucv_resources[i].name);
	if (seen & UCV_SEEN_MOUNTS)
		seq_puts(m, " mounts");
	seq_puts(m, seen ? "\n" : " -\n");
}

static int ucv_status_prepare(struct ucv_view *view)
{
	view->nr_lines = 1; /* show() prints all lines at once */
	return 0;
}

static void ucv_status_show(struct seq_file *m, const struct ucv_view *view, u64 line)
{
	struct ucv_status now;
	u64 missed;

	spin_lock(&ucv_status_lock);
	now = ucv_status;
	spin_unlock(&ucv_status_lock);

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
	seq_printf(m, "denials_state: %s\n", ucv_status_recording());
	seq_printf(m, "denials_interruptions: %llu\n", ucv_watch_interruptions());
	ucv_status_show_seen(m);
}

const struct ucv_text ucv_text_status = {
	.name		= "status",
	.prepare	= ucv_status_prepare,
	.show		= ucv_status_show,
};
