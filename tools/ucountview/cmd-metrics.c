// SPDX-License-Identifier: GPL-2.0
/*
 * ucountview metrics: counters, limits, denials and holders for Prometheus and what reads its
 * format.
 */
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "device.h"
#include "exposition.h"
#include "format.h"
#include "metrics_rows.h"
#include "metrics_units.h"
#include "options.h"
#include "procfs.h"
#include "replace.h"
#include "resource_info.h"
#include "snapshot.h"
#include "ucountview.h"

/* What is listed without --top and --min-ratio. */
#define METRICS_TOP	20
#define METRICS_RATIO	0.8

static const struct opt options[] = {
	{ 'a', "all", NULL, "list all that is in use" },
	{ OPT_TOP, "top", "num", "list so many of the fullest, and of the limits that\n"
	  "refused last (default: 20)" },
	{ OPT_MIN_RATIO, "min-ratio", "num", "list also what is at least as full (default: 80%)" },
	{ OPT_NO_HOLDERS, "no-holders", NULL, "leave out what units and containers hold" },
	{ OPT_OPENMETRICS, "openmetrics", NULL, "use OpenMetrics 1.0" },
	{ OPT_WRITE, "write", "file", "replace this file, atomically" },
	{ }
};

struct metrics {
	struct args *args;
	struct snapshot snap;
	struct metrics_rows rows;
	bool has_units;
	struct metrics_units units;
	bool listens;			/* the module can record denials */
	struct ucv_listen listen;
	struct exposition ex;
};

/* The module, and what a snapshot costs. */

static char *feature_names(__u64 features)
{
	/* By bit, as in debugfs' status. */
	static const char * const names[] = {
		"rlimits", "lockless", "ns_id", "btf", "ns_pinned", "mntns", "mntns_listed",
		"denials", "mount_denials", "groups", "nproc_denials", "msgqueue_denials",
		"memlock_denials", "sigpending_denials", "userns_depth_denials",
		"pidns_depth_denials",
	};
	char *text = xstrdup("");

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (features & (1ULL << i))
			text = list_add(text, *text ? "," : "", "%s", names[i]);
	}
	return text;
}

static void add_module(struct metrics *m)
{
	static const struct metric metric = {
		"ucountview_module", METRIC_INFO, NULL,
		"The kernel module: version, ABI, the features of the kernel that it uses."
	};
	const struct ucv_info *info = &m->snap.info;
	char *features = feature_names(info->features);
	struct utsname kernel;

	uname(&kernel);
	exposition_metric(&m->ex, &metric);
	exposition_sample(&m->ex);
	exposition_label(&m->ex, "version", info->version);
	exposition_label_number(&m->ex, "abi", info->abi_version);
	exposition_label(&m->ex, "kernel", kernel.release);
	exposition_label(&m->ex, "features", features);
	exposition_number(&m->ex, 1);
	free(features);
}

static void add_timestamp(struct metrics *m, const struct metric *metric, __u64 boot_ns)
{
	struct timespec time = boot_time(boot_ns);

	exposition_metric(&m->ex, metric);
	exposition_sample(&m->ex);
	exposition_number(&m->ex, time.tv_sec);
}

static void add_loaded(struct metrics *m)
{
	static const struct metric metric = {
		"ucountview_module_load_timestamp_seconds", METRIC_GAUGE, "seconds",
		"Unix time when the module was loaded."
	};

	/* 0: an older module, which does not report this. */
	if (m->snap.info.loaded_ns)
		add_timestamp(m, &metric, m->snap.info.loaded_ns);
}

static void add_cost(struct metrics *m)
{
	static const struct metric duration = {
		"ucountview_snapshot_duration_seconds", METRIC_GAUGE, "seconds",
		"Time that the module took to read the kernel's tables for these metrics."
	}, hold = {
		"ucountview_snapshot_hold_max_seconds", METRIC_GAUGE, "seconds",
		"Longest time that it held a lock or stayed in an RCU read section meanwhile."
	};
	const struct ucv_snapshot *taken = &m->snap.taken;

	exposition_metric(&m->ex, &duration);
	exposition_sample(&m->ex);
	exposition_seconds(&m->ex, taken->end_ns - taken->start_ns);
	exposition_metric(&m->ex, &hold);
	exposition_sample(&m->ex);
	exposition_seconds(&m->ex, taken->hold_max_ns);
}

/* What was found, and what of it is left out. */

struct kind {
	const char *name;
	size_t found, listed;
};

static void add_left_out(struct metrics *m)
{
	static const struct metric found = {
		"ucountview_found", METRIC_GAUGE, NULL,
		"Counters in use, mount namespaces, limits that have refused, units with groups."
	}, left_out = {
		"ucountview_left_out", METRIC_GAUGE, NULL,
		"How many of them have no metrics of their own here."
	};
	const struct metrics_rows *rows = &m->rows;
	const struct kind kinds[] = {
		{ "counters", rows->found_counters, rows->listed_counters },
		{ "mount_namespaces", rows->found_mntns, rows->nr_mntns },
		{ "refusing_limits", rows->found_denials, rows->nr_denials },
		{ "units", m->units.found, m->units.listed },
	};
	size_t nr = ARRAY_SIZE(kinds) - !m->has_units;

	exposition_metric(&m->ex, &found);
	for (size_t i = 0; i < nr; i++) {
		exposition_sample(&m->ex);
		exposition_label(&m->ex, "kind", kinds[i].name);
		exposition_unsigned(&m->ex, kinds[i].found);
	}
	exposition_metric(&m->ex, &left_out);
	for (size_t i = 0; i < nr; i++) {
		exposition_sample(&m->ex);
		exposition_label(&m->ex, "kind", kinds[i].name);
		exposition_unsigned(&m->ex, kinds[i].found - kinds[i].listed);
	}
}

/* Counters. */

static void label_uid(struct metrics *m, const char *name, __u32 uid)
{
	if (uid != UCV_UID_UNMAPPED)
		exposition_label_number(&m->ex, name, uid);
}

static void begin_counter(struct metrics *m, const struct counter_row *row)
{
	exposition_sample(&m->ex);
	exposition_label_number(&m->ex, "userns", row->ns->inum);
	exposition_label_number(&m->ex, "level", row->ns->level);
	label_uid(m, "uid", row->uid);
	exposition_label(&m->ex, "resource", m->snap.resources[row->resource].name);
}

/* Bytes that are charged for a unit, or 0 if it is no amount of memory. */
static long bytes_of_unit(const struct metrics *m, const struct counter_row *row)
{
	switch (m->snap.resources[row->resource].unit) {
	case UCV_UNIT_BYTES:
		return 1;
	case UCV_UNIT_PAGES:
		return sysconf(_SC_PAGESIZE);
	default:
		return 0;
	}
}

static void add_usage(struct metrics *m)
{
	static const struct metric usage = {
		"ucountview_usage", METRIC_GAUGE, NULL,
		"What is charged to a user in a user namespace, with its descendants: a number."
	}, bytes = {
		"ucountview_usage_bytes", METRIC_GAUGE, "bytes",
		"What is charged to a user in a user namespace, with its descendants: memory."
	};
	const struct counter_row *rows = m->rows.counters, *end = rows + m->rows.nr_counters;

	exposition_metric(&m->ex, &usage);
	for (const struct counter_row *row = rows; row < end; row++) {
		if (bytes_of_unit(m, row))
			continue;
		begin_counter(m, row);
		exposition_number(&m->ex, row->counter.used);
	}
	exposition_metric(&m->ex, &bytes);
	for (const struct counter_row *row = rows; row < end; row++) {
		if (!bytes_of_unit(m, row))
			continue;
		begin_counter(m, row);
		exposition_number(&m->ex, row->counter.used * bytes_of_unit(m, row));
	}
}

static void add_limits(struct metrics *m)
{
	static const struct metric metric = {
		"ucountview_limit", METRIC_GAUGE, NULL,
		"The limit of ucountview_usage: 0 is disabled, +Inf is unlimited."
	};
	const struct counter_row *rows = m->rows.counters, *end = rows + m->rows.nr_counters;

	exposition_metric(&m->ex, &metric);
	for (const struct counter_row *row = rows; row < end; row++) {
		if (row->counter.kind == LIMIT_UNKNOWN)
			continue;
		begin_counter(m, row);
		if (row->counter.kind == UNLIMITED)
			exposition_infinity(&m->ex);
		else
			exposition_number(&m->ex, row->counter.limit);
	}
}

/* Rows of a user namespace follow each other. */
static void add_userns(struct metrics *m)
{
	static const struct metric metric = {
		"ucountview_userns", METRIC_INFO, NULL,
		"A user namespace: its creator, and the command of a process in it."
	};
	const struct ucv_userns *last = NULL;

	exposition_metric(&m->ex, &metric);
	for (size_t i = 0; i < m->rows.nr_counters; i++) {
		const struct ucv_userns *ns = m->rows.counters[i].ns;

		if (last && last->inum == ns->inum && last->level == ns->level)
			continue;
		last = ns;
		exposition_sample(&m->ex);
		exposition_label_number(&m->ex, "userns", ns->inum);
		exposition_label_number(&m->ex, "level", ns->level);
		label_uid(m, "owner", ns->owner);
		exposition_label(&m->ex, "command", ns->comm);
		exposition_number(&m->ex, 1);
	}
}

/* Mount namespaces. */

typedef __u32 (*mntns_value)(const struct ucv_mntns *ns);

static __u32 mounts_of(const struct ucv_mntns *ns)
{
	return ns->mounts;
}

static __u32 pending_of(const struct ucv_mntns *ns)
{
	return ns->pending;
}

static __u32 limit_of(const struct ucv_mntns *ns)
{
	return ns->limit;
}

static void add_mntns_metric(struct metrics *m, const struct metric *metric, mntns_value value)
{
	exposition_metric(&m->ex, metric);
	for (size_t i = 0; i < m->rows.nr_mntns; i++) {
		const struct ucv_mntns *ns = m->rows.mntns[i].ns;

		exposition_sample(&m->ex);
		exposition_label_number(&m->ex, "mntns", ns->inum);
		exposition_unsigned(&m->ex, value(ns));
	}
}

static void add_mounts(struct metrics *m)
{
	static const struct metric mounts = {
		"ucountview_mounts", METRIC_GAUGE, NULL, "Mounts of a mount namespace."
	}, pending = {
		"ucountview_mounts_pending", METRIC_GAUGE, NULL,
		"Mounts being attached, which count against the limit."
	}, limit = {
		"ucountview_mounts_limit", METRIC_GAUGE, NULL,
		"The limit of both together: fs.mount-max."
	}, info = {
		"ucountview_mntns", METRIC_INFO, NULL,
		"A mount namespace: who owns it, and the command of a process in it."
	};

	add_mntns_metric(m, &mounts, mounts_of);
	add_mntns_metric(m, &pending, pending_of);
	add_mntns_metric(m, &limit, limit_of);
	exposition_metric(&m->ex, &info);
	for (size_t i = 0; i < m->rows.nr_mntns; i++) {
		const struct ucv_mntns *ns = m->rows.mntns[i].ns;

		exposition_sample(&m->ex);
		exposition_label_number(&m->ex, "mntns", ns->inum);
		exposition_label_number(&m->ex, "userns", m->snap.userns[ns->userns].inum);
		label_uid(m, "uid", ns->uid);
		exposition_label(&m->ex, "command", ns->comm);
		exposition_number(&m->ex, 1);
	}
}

/* What processes hold. */

/* Of inotify, fanotify or both, whichever it has: groups, and marks even if there are none now. */
static void add_held_by(struct metrics *m, const struct unit_row *row)
{
	for (size_t i = 0; i < NR_HELD; i++) {
		if (!row->held[i - i % 2])
			continue;
		exposition_sample(&m->ex);
		exposition_label(&m->ex, "manager", row->manager);
		exposition_label(&m->ex, "unit", row->unit);
		exposition_label(&m->ex, "container", row->container);
		exposition_label(&m->ex, "resource", held_resources[i]);
		exposition_number(&m->ex, row->held[i]);
	}
}

static void add_held(struct metrics *m)
{
	static const struct metric held = {
		"ucountview_held", METRIC_GAUGE, NULL,
		"How many of these the processes of a systemd unit and a container have open."
	}, unattributed_metric = {
		"ucountview_unattributed", METRIC_GAUGE, NULL,
		"How many of these are charged, but not open in any process."
	};

	if (!m->has_units)
		return;
	exposition_metric(&m->ex, &held);
	for (size_t i = 0; i < m->units.nr; i++)
		add_held_by(m, &m->units.rows[i]);
	exposition_metric(&m->ex, &unattributed_metric);
	for (size_t i = 0; i < NR_HELD; i++) {
		if (snapshot_resource(&m->snap, held_resources[i]) >= m->snap.nr_resources)
			continue;
		exposition_sample(&m->ex);
		exposition_label(&m->ex, "resource", held_resources[i]);
		exposition_number(&m->ex, m->units.unattributed[i]);
	}
}

/* Denials. */

static bool is_of_mount(const struct ucv_denial_count *count)
{
	return count->type == UCV_DENIAL_MOUNT;
}

/* The namespace and the user whose limit refused. */
static void begin_denial(struct metrics *m, const struct ucv_denial_count *count)
{
	const char *resource;

	exposition_sample(&m->ex);
	if (is_of_mount(count)) {
		exposition_label_number(&m->ex, "mntns", count->ns);
		return;
	}
	if (count->type == UCV_DENIAL_USERNS_DEPTH)
		resource = USERNS_DEPTH_NAME;
	else if (count->type == UCV_DENIAL_PIDNS_DEPTH)
		resource = PIDNS_DEPTH_NAME;
	else
		resource = m->snap.resources[count->resource].name;
	exposition_label_number(&m->ex, "userns", count->ns);
	exposition_label_number(&m->ex, "level", count->level);
	label_uid(m, "uid", count->uid);
	exposition_label(&m->ex, "resource", resource);
}

typedef __u64 (*denial_value)(const struct ucv_denial_count *count);

static __u64 number_of(const struct ucv_denial_count *count)
{
	return count->denials;
}

static __u64 last_time_of(const struct ucv_denial_count *count)
{
	return boot_time(count->last_ns).tv_sec;
}

static void add_denial_metric(struct metrics *m, const struct metric *metric, bool mounts,
			      denial_value value)
{
	const struct ucv_denial_count *count = m->rows.denials, *end = count + m->rows.nr_denials;

	exposition_metric(&m->ex, metric);
	for (; count < end; count++) {
		if (is_of_mount(count) != mounts)
			continue;
		begin_denial(m, count);
		exposition_unsigned(&m->ex, value(count));
	}
}

static void add_limit_denials(struct metrics *m)
{
	static const struct metric counts = {
		"ucountview_limit_denials", METRIC_COUNTER, NULL,
		"Charges that a limit has refused while denials were recorded."
	}, last = {
		"ucountview_limit_last_denial_timestamp_seconds", METRIC_GAUGE, "seconds",
		"Unix time when it has refused last."
	}, mount_counts = {
		"ucountview_mount_denials", METRIC_COUNTER, NULL,
		"Mounts refused as a mount namespace was full, while denials were recorded."
	}, mount_last = {
		"ucountview_mount_last_denial_timestamp_seconds", METRIC_GAUGE, "seconds",
		"Unix time when that has happened last."
	};

	add_denial_metric(m, &counts, false, number_of);
	add_denial_metric(m, &last, false, last_time_of);
	add_denial_metric(m, &mount_counts, true, number_of);
	add_denial_metric(m, &mount_last, true, last_time_of);
}

static void add_one(struct metrics *m, const struct metric *metric, __u64 value)
{
	exposition_metric(&m->ex, metric);
	exposition_sample(&m->ex);
	exposition_unsigned(&m->ex, value);
}

static void add_recording(struct metrics *m)
{
	static const struct metric recording = {
		"ucountview_recording", METRIC_GAUGE, NULL,
		"1 if denials are recorded, 0 if not."
	}, since = {
		"ucountview_recording_since_timestamp_seconds", METRIC_GAUGE, "seconds",
		"Unix time since when ucountview_recording is what it is."
	}, denials = {
		"ucountview_denials", METRIC_COUNTER, NULL,
		"All denials recorded since the module was loaded."
	}, missed = {
		"ucountview_missed_probe_hits", METRIC_COUNTER, NULL,
		"Charges that were not looked at while recording, refused or not."
	}, interruptions = {
		"ucountview_recording_interruptions", METRIC_COUNTER, NULL,
		"How often recording was interrupted as the kernel's kprobes were disabled."
	};
	const struct ucv_listen *listen = &m->listen;

	if (!m->listens)
		return;
	add_one(m, &recording, !!(listen->recording & UCV_RECORDING_ON));
	if (listen->since_ns || m->snap.info.loaded_ns)
		add_timestamp(m, &since, listen->since_ns ?: m->snap.info.loaded_ns);
	add_one(m, &denials, listen->total);
	add_one(m, &missed, listen->missed);
	add_one(m, &interruptions, listen->interruptions);
}

/* Holders are left out if the module has no memory for them, or if /proc shows other PIDs. */
static void take(struct metrics *m)
{
	__u64 denials = UCV_MASK(UCV_KIND_DENIAL_COUNT), holders = 0;

	if (!m->args->no_holders && processes_known())
		holders = UCV_MASK(UCV_KIND_HOLDER);
	snapshot_take_sparing(&m->snap, UCV_MASK(UCV_KIND_RESOURCE) | UCV_MASK(UCV_KIND_UCOUNTS),
			      UCV_MASK(UCV_KIND_MNTNS) | denials | holders, holders);
	m->has_units = m->snap.taken.filled & holders;
	m->listens = m->snap.info.supported & denials;
	if (m->listens)
		m->listen = listener_state();
}

static void add_all(struct metrics *m)
{
	add_module(m);
	add_loaded(m);
	add_cost(m);
	add_left_out(m);
	add_usage(m);
	add_limits(m);
	add_userns(m);
	add_mounts(m);
	add_held(m);
	add_recording(m);
	add_limit_denials(m);
	exposition_end(&m->ex);
}

static void set_defaults(struct args *args)
{
	if (args->all && (args->top || args->by_ratio))
		die("mutually exclusive arguments: --all %s",
		    args->top ? "--top" : "--min-ratio");
	if (!args->top)
		args->top = METRICS_TOP;
	if (!args->by_ratio)
		args->min_ratio = METRICS_RATIO;
	args->by_ratio = true;
}

static int run(struct args *args, struct table *tb)
{
	struct metrics m = { .args = args, .ex = { .openmetrics = args->openmetrics } };

	(void)tb;
	set_defaults(args);
	take(&m);
	metrics_rows_find(&m.rows, args, &m.snap);
	if (m.has_units)
		metrics_units_find(&m.units, args, &m.snap);
	add_all(&m);
	if (args->write)
		replace_file(args->write, m.ex.out.data, m.ex.out.used);
	else
		fwrite(m.ex.out.data, 1, m.ex.out.used, stdout);
	text_free(&m.ex.out);
	metrics_rows_free(&m.rows);
	metrics_units_free(&m.units);
	snapshot_free(&m.snap);
	return EXIT_SUCCESS;
}

const struct command cmd_metrics = {
	.name = "metrics",
	.summary = "counters, limits and denials for Prometheus",
	.synopsis = " ucountview metrics [options]",
	.about = "Write metrics in the text format of Prometheus.",
	.options = options,
	.notes =
		"\nExamples:\n"
		" ucountview metrics\n"
		" ucountview metrics --write /var/lib/prometheus/node-exporter/ucountview.prom\n",
	.run = run,
};
