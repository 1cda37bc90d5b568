// SPDX-License-Identifier: GPL-2.0
/*
 * ucountview denials: show the charges that the kernel refused: those recorded, new ones
 * (--follow), or how many there were (--totals).
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "containers.h"
#include "device.h"
#include "examples.h"
#include "format.h"
#include "options.h"
#include "procfs.h"
#include "resource_info.h"
#include "snapshot.h"
#include "stream.h"
#include "table.h"
#include "ucountview.h"

#define COLUMNS		"TIME,RESOURCE,LEVEL,NS,UID,USED,LIMIT,PID,COMMAND"
/* With the columns that the plain table folds into other cells. */
#define RAW_COLUMNS	"TIME,RESOURCE,LEVEL,NS,UID,USED,ASKED,LIMIT,PID,COMMAND,FLAGS"
#define JSON_COLUMNS	"TIME,SEQ,LOST,MISSED,RESOURCE,LEVEL,NS,NSID,UID,UIDNS,USER,USED,PENDING," \
			"ASKED,LIMIT,USERNS,MNTNS,"				\
			"CHARGED-USERNS,CHARGED-NSID,CHARGED-LEVEL,CHARGED-UID," \
			"CALLER-USERNS,CALLER-NSID,CALLER-UID,PID,TID,COMMAND,FLAGS,MOUNTED," \
			"NSPID,NSCOMMAND,UNIT,SLICE,CONTAINER,POD,NSUNIT,NSCONTAINER"
#define TOTALS_COLUMNS	"DENIALS,RESOURCE,LEVEL,NS,UID,USER,TIME"
#define TOTALS_JSON_COLUMNS "DENIALS,RESOURCE,LEVEL,NS,NSID,UID,USER,TIME,FLAGS"

/* The widths fit usual values, so that lines of --follow are aligned and fit 80 columns. */
static struct column columns[] = {
	WIDE_TEXT("TIME", TIME_WIDTH, "time of the denial; with --totals: of the last one"),
	WIDE_NUMBER("SEQ", 5, "sequence number since the module was loaded"),
	NUMBER("LOST", "denials before it that were overwritten unread"),
	NUMBER("MISSED", "missed probe hits since the module was loaded"),
	NUMBER("DENIALS", "with --totals: number of denials"),
	WIDE_TEXT("RESOURCE", 17, "resource as shown by usage, mounts, or a nesting depth"),
	NUMBER("LEVEL", "level that refused: 0 is the initial user namespace"),
	WIDE_NUMBER("NS", 10, "namespace that refused: user or, for mounts, mount"),
	NUMBER("NSID", "its unique 64-bit ID"),
	WIDE_NUMBER("UID", 4, "uid of the full counter, as seen in the initial namespace"),
	NUMBER("UIDNS", "the same as seen in USERNS"),
	WIDE_NAME("USER", 8, "name of UID"),
	NUMBER("USED", "charge at that level, including PENDING"),
	NUMBER("PENDING", "mounts of USED that the refused call had reserved"),
	NUMBER("ASKED", "size of the refused charge (bytes, pages, mounts, ...)"),
	NUMBER("LIMIT", "limit that USED and ASKED would have exceeded"),
	WIDE_NUMBER("USERNS", 10, "user namespace that refused; for mounts: owns MNTNS"),
	WIDE_NUMBER("MNTNS", 10, "mount namespace that was full"),
	NUMBER("CHARGED-USERNS", "user namespace where the charge began"),
	NUMBER("CHARGED-NSID", "its unique ID (Linux 6.18 and later)"),
	NUMBER("CHARGED-LEVEL", "its level"),
	NUMBER("CHARGED-UID", "user to be charged there"),
	NUMBER("CALLER-USERNS", "user namespace of PID"),
	NUMBER("CALLER-NSID", "its unique ID (Linux 6.18 and later)"),
	NUMBER("CALLER-UID", "effective uid of PID"),
	WIDE_NUMBER("PID", 5, "process that was refused (plain table: PID/TID if they differ)"),
	WIDE_NUMBER("TID", 5, "its thread"),
	WIDE_NAME("COMMAND", 9, "command of TID"),
	TEXT("FLAGS", "uncertain values, or others: see ucountview(8)"),
	NUMBER("MOUNTED", "mounts of USED that existed: all but PENDING"),
	NSPID_COLUMN,
	NSCOMMAND_COLUMN,
	WIDE_SPARE_NAME("UNIT", 20, "systemd unit of PID, if it has not exited"),
	SLICE_COLUMN,
	WIDE_TEXT("CONTAINER", CONTAINER_ID_SHORT, "container of PID: its ID, or its name"),
	POD_COLUMN,
	WIDE_NAME("NSUNIT", 20, "systemd unit of NSPID"),
	WIDE_TEXT("NSCONTAINER", CONTAINER_ID_SHORT, "container of NSPID"),
	{ }
};

static const struct unit_columns ns_columns = { .unit = "NSUNIT", .container = "NSCONTAINER" };

static const struct opt options[] = {
	{ 'f', "follow", NULL, "record denials, and show each as it happens" },
	CONTAINER_OPTION("only denials of processes of this container that have not\n"
			 "exited, or in namespaces that they are in: its name or\n"
			 "ID, or how only its ID begins"),
	{ 'p', "pid", "pid", "only denials of this process or thread" },
	{ 'R', "resource", "name", "only this resource, mounts, userns_depth or pidns_depth\n"
	  "(may be given more than once)" },
	{ 'u', "user", "user", "only denials with this user (uid or name) as caller,\n"
	  "charged user, or user of the full counter" },
	{ OPT_COUNT, "count", "num", "only the last ones; with --follow: end after so many;\n"
	  "with --totals: only the first ones" },
	{ OPT_TOTALS, "totals", NULL, "how often each limit has refused, most often first" },
	{ }
};

/*
 * What can be refused besides the counters of type UCV_RESOURCE_UCOUNT, and whether the module
 * records that. Those of one kind of record each are no counters of the snapshot.
 */
static const struct refusal {
	const char *name;
	__u64 feature;
	__u64 seen;		/* 0: that of the counter */
	__u32 type;
} refusals[] = {
	{ MOUNTS_NAME, UCV_FEATURE_MNT_DENIALS, UCV_SEEN_MOUNTS, UCV_DENIAL_MOUNT },
	{ USERNS_DEPTH_NAME, UCV_FEATURE_USERNS_DEPTH_DENIALS, UCV_SEEN_USERNS_DEPTH,
	  UCV_DENIAL_USERNS_DEPTH },
	{ PIDNS_DEPTH_NAME, UCV_FEATURE_PIDNS_DEPTH_DENIALS, UCV_SEEN_PIDNS_DEPTH,
	  UCV_DENIAL_PIDNS_DEPTH },
	{ "rlimit_nproc", UCV_FEATURE_NPROC_DENIALS, 0, UCV_DENIAL_RLIMIT },
	{ "rlimit_msgqueue", UCV_FEATURE_MSGQUEUE_DENIALS, 0, UCV_DENIAL_RLIMIT },
	{ "rlimit_memlock", UCV_FEATURE_MEMLOCK_DENIALS, 0, UCV_DENIAL_RLIMIT },
	{ "rlimit_sigpending", UCV_FEATURE_SIGPENDING_DENIALS, 0, UCV_DENIAL_RLIMIT },
};

struct denials {
	const struct args *args;
	struct table *tb;
	bool wanted[UCV_MAX_RESOURCES];
	bool plain;		/* a plain table, which marks uncertain values in place */
	bool brief;		/* with short times, on a terminal */
	bool explained;		/* what terms of USED mean */
	unsigned int shown;	/* lines, with --follow */
	struct snapshot snap;
	struct examples examples;
	struct listener listener;
	__u64 lost;		/* before the next denial that is shown */
	__u64 missed;		/* missed probe hits so far, as in struct ucv_listen */
};

static void open_table(struct denials *d)
{
	struct table *tb = d->tb;
	const char *defaults = tb->json ? JSON_COLUMNS : tb->raw ? RAW_COLUMNS : COLUMNS;

	if (d->args->totals)
		table_open(tb, tb->json ? TOTALS_JSON_COLUMNS : TOTALS_COLUMNS, "FLAGS");
	else
		table_open(tb, defaults, tb->raw || d->args->follow ? NULL :
						     OPTIONAL_UNIT_COLUMNS);
	d->plain = !tb->json && !tb->raw;
	d->brief = d->plain && isatty(STDOUT_FILENO);
	if (d->brief)
		columns[0].width = BRIEF_TIME_WIDTH;
}

static void fill_time(struct denials *d, __u64 boot_ns)
{
	struct timespec time = boot_time(boot_ns);

	cell_text(d->tb, "TIME", d->brief ? brief_time_text(&time) : time_text(&time));
}

/* What records of this type are about, or NULL for a counter of the snapshot. */
static const struct refusal *refusal_of_type(__u32 type)
{
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		if (refusals[i].type == type && type != UCV_DENIAL_RLIMIT)
			return &refusals[i];
	}
	return NULL;
}

static void fill_resource(struct denials *d, __u32 type, __u32 resource)
{
	const struct refusal *refusal = refusal_of_type(type);

	if (refusal)
		cell_string(d->tb, "RESOURCE", refusal->name);
	else if (resource < d->snap.nr_resources)
		cell_string(d->tb, "RESOURCE", d->snap.resources[resource].name);
}

/*
 * Why it was refused: "17+~4" if more than one was asked for, "53+924+42" if the same call had
 * reserved some already, which may be far more than exist.
 */
static char *plain_used_text(const struct ucv_denial *denial)
{
	const char *used_mark = denial->flags & UCV_DENIAL_USED_UNKNOWN ? "~" : "";
	const char *asked_mark = denial->flags & UCV_DENIAL_ASKED_MORE ? "~" : "";
	char *text = xasprintf("%s%lld", used_mark, (long long)denial->used);

	if (denial->pending)
		text = list_add(text, "+", "%u", denial->pending);
	if (denial->asked > 1 || denial->pending)
		text = list_add(text, "+", "%s%u", asked_mark, denial->asked);
	return text;
}

static void explain_copies(struct denials *d, const struct ucv_denial *denial)
{
	char *text, *terms;

	if (!denial->pending || d->explained)
		return;
	d->explained = true;
	terms = plain_used_text(denial);
	text = denied_mounts_text(denial);
	note("USED %s: %s", terms, text);
	free(text);
	free(terms);
}

/* The plain table marks uncertain values in place. JSON and raw output have FLAGS and ASKED. */
static void fill_used(struct denials *d, const struct ucv_denial *denial)
{
	__u32 doubt = d->plain ? denial->flags : 0;

	if (doubt & UCV_DENIAL_UNSURE)
		cell(d->tb, "LEVEL", "~%u", denial->level);
	else
		cell_unsigned(d->tb, "LEVEL", denial->level);
	if (d->plain && (doubt || denial->pending || denial->asked > 1)) {
		cell_text(d->tb, "USED", plain_used_text(denial));
		explain_copies(d, denial);
		return;
	}
	cell_number(d->tb, "USED", (long long)denial->used + denial->pending);
}

static void fill_origin(struct table *tb, const struct ucv_denial *denial)
{
	cell_nonzero(tb, "CHARGED-USERNS", denial->charged_userns);
	cell_nonzero(tb, "CHARGED-NSID", denial->charged_id);
	cell_number(tb, "CHARGED-LEVEL", denial->charged_level);
	cell_uid(tb, "CHARGED-UID", denial->charged_uid);
	cell_nonzero(tb, "CALLER-USERNS", denial->caller_userns);
	cell_nonzero(tb, "CALLER-NSID", denial->caller_id);
	cell_uid(tb, "CALLER-UID", denial->caller_uid);
	cell_nonzero(tb, "TID", denial->pid);
	cell_command(tb, denial->comm);
}

/* The plain table has no column for a thread that is not the first one: "190/191". */
static void fill_process(struct denials *d, const struct ucv_denial *denial)
{
	if (d->plain && denial->tgid && denial->pid != denial->tgid)
		cell(d->tb, "PID", "%u/%u", denial->tgid, denial->pid);
	else
		cell_nonzero(d->tb, "PID", denial->tgid);
}

static void fill_unit(struct denials *d, const struct ucv_denial *denial)
{
	if (shows_unit(d->tb, &unit_columns))
		cells_unit(d->tb, &unit_columns, denied_process(denial));
}

static void fill_example(struct denials *d, __u32 inum, __u64 id)
{
	unsigned int pid;

	examples_fill(&d->examples, d->tb, inum, id);
	if (!shows_unit(d->tb, &ns_columns))
		return;
	pid = examples_process(&d->examples, inum, id);
	if (pid != INIT_PID)
		cells_unit(d->tb, &ns_columns, pid);
}

static void fill_denial(struct denials *d, const struct ucv_denial *denial)
{
	static const struct flag_name flags[] = {
		{ UCV_DENIAL_UNSURE, "unsure" },
		{ UCV_DENIAL_USED_UNKNOWN, "used-unknown" },
		{ UCV_DENIAL_ASKED_MORE, "asked-more" },
		{ }
	};
	bool mount = denial->type == UCV_DENIAL_MOUNT;
	struct table *tb = d->tb;

	fill_time(d, denial->time_ns);
	cell_unsigned(tb, "SEQ", denial->seq);
	cell_unsigned(tb, "LOST", denial->lost);
	cell_unsigned(tb, "MISSED", d->missed);
	fill_resource(d, denial->type, denial->resource);
	cell_nonzero(tb, "NS", mount ? denial->mntns : denial->userns);
	cell_nonzero(tb, "NSID", mount ? denial->mntns_id : denial->userns_id);
	fill_example(d, mount ? denial->mntns : denial->userns,
		     mount ? denial->mntns_id : denial->userns_id);
	cell_uid(tb, "UID", denial->uid);
	cell_uid(tb, "UIDNS", denial->uid_in_ns);
	cell_user(tb, denial->uid);
	fill_used(d, denial);
	if (mount) {
		cell_number(tb, "PENDING", denial->pending);
		cell_number(tb, "MOUNTED", (long long)denial->used);
	}
	cell_number(tb, "ASKED", denial->asked);
	cell_number(tb, "LIMIT", denial->limit);
	cell_nonzero(tb, "USERNS", denial->userns);
	cell_nonzero(tb, "MNTNS", denial->mntns);
	fill_origin(tb, denial);
	fill_process(d, denial);
	cell_flags(tb, denial->flags, flags);
	fill_unit(d, denial);
}

/* The sum of evicted counts has no resource, namespace or user. */
static void fill_total(struct denials *d, const struct ucv_denial_count *count)
{
	struct table *tb = d->tb;

	table_line(tb, NULL);
	cell_unsigned(tb, "DENIALS", count->denials);
	fill_time(d, count->last_ns);
	if (count->flags & UCV_DENIAL_COUNT_OTHERS) {
		cell(tb, "FLAGS", "others");
		return;
	}
	fill_resource(d, count->type, count->resource);
	cell_number(tb, "LEVEL", count->level);
	cell_nonzero(tb, "NS", count->ns);
	cell_nonzero(tb, "NSID", count->ns_id);
	fill_example(d, count->ns, count->ns_id);
	cell_uid(tb, "UID", count->uid);
	cell_user(tb, count->uid);
}

/* Read the names of the resources, and with --totals the denial counts. */
static void take_snapshot(struct denials *d)
{
	__u64 kinds = UCV_MASK(UCV_KIND_RESOURCE);

	if (d->args->totals)
		kinds |= UCV_MASK(UCV_KIND_DENIAL_COUNT);
	snapshot_take(&d->snap, kinds, 0);
	find_resources(d->args, &d->snap, true, d->wanted);
}

/* Whether something of @refusals exists on this kernel, and is to be shown. */
static bool wants_refusal(const struct denials *d, const struct refusal *refusal)
{
	return wants_name(d->args, refusal->name) &&
	       (refusal->type != UCV_DENIAL_RLIMIT ||
		snapshot_resource(&d->snap, refusal->name) < d->snap.nr_resources);
}

static bool is_recorded(const struct denials *d, const struct refusal *refusal)
{
	return d->snap.info.features & refusal->feature;
}

/* These need a kernel feature each. Exit if one is named that the kernel lacks. */
static void check_named(const struct denials *d)
{
	if (!d->args->resources.nr || !(d->snap.info.features & UCV_FEATURE_DENIALS))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		if (!wants_refusal(d, &refusals[i]) || is_recorded(d, &refusals[i]))
			continue;
		if (refusals[i].type == UCV_DENIAL_MOUNT)
			device_cannot("record refused mounts");
		device_cannot(xasprintf("record refusals by %s", refusals[i].name));
	}
}

static bool wants_resource(const struct denials *d, __u32 type, __u32 resource)
{
	const struct refusal *refusal = refusal_of_type(type);

	if (refusal)
		return wants_refusal(d, refusal);
	return resource < d->snap.nr_resources ? d->wanted[resource] : !d->args->resources.nr;
}

/* Of a process of the container, or in a namespace with such a process. */
static bool in_container(struct denials *d, const struct ucv_denial *denial)
{
	bool mount = denial->type == UCV_DENIAL_MOUNT;

	return container_has(&d->args->in, denied_process(denial)) ||
	       container_has(&d->args->in,
			     examples_process(&d->examples,
					      mount ? denial->mntns : denial->userns,
					      mount ? denial->mntns_id : denial->userns_id));
}

static bool wants_denial(struct denials *d, const struct ucv_denial *denial)
{
	__u32 uid = d->args->uid;

	if (!wants_resource(d, denial->type, denial->resource))
		return false;
	if (d->args->container && !in_container(d, denial))
		return false;
	if (d->args->pid && denial->tgid != d->args->pid && denial->pid != d->args->pid)
		return false;
	return !d->args->user || denial->uid == uid || denial->charged_uid == uid ||
	       denial->caller_uid == uid;
}

/* Report lost denials regardless of the filter: they may have matched it. */
static bool take_denial(struct denials *d, struct ucv_denial *denial)
{
	if (denial->lost) {
		stream_flush();
		note("%llu denials lost: they were not read in time", denial->lost);
	}
	d->lost += denial->lost;
	if (!wants_denial(d, denial))
		return false;
	denial->lost = d->lost;
	d->lost = 0;
	return true;
}

static void tell_missed(struct denials *d, __u64 missed)
{
	if (missed > d->missed)
		note("%llu probe hits missed (maxactive exhausted), refused or not",
		     missed - d->missed);
	d->missed = missed;
}

static bool show_line(struct denials *d, const struct ucv_denial *denial)
{
	bool more;
	char *text;

	table_begin_lone_line(d->tb);
	fill_denial(d, denial);
	text = table_lone_line(d->tb);
	more = stream_line(text);
	free(text);
	return more;
}

/* At most one ring of denials, so that signals are noticed. Returns false to stop. */
static bool add_new(struct denials *d)
{
	struct ucv_denial *denial;

	for (__u32 i = 0; i < d->listener.state.capacity; i++) {
		denial = listener_next(&d->listener);
		if (!denial)
			break;
		if (!take_denial(d, denial))
			continue;
		if (!show_line(d, denial) || ++d->shown == d->args->count)
			return false;
	}
	return true;
}

static bool show_new(struct denials *d)
{
	bool more = add_new(d);

	process_names_forget();
	return stream_flush() && more;
}

static bool show_heading(struct denials *d)
{
	char *text = table_heading(d->tb);
	bool more = !text || (stream_line(text) && stream_flush());

	free(text);
	return more;
}

/* Printed once the listener is open: denials from now on are recorded. */
static void tell_listening(const struct denials *d)
{
	char *deaf = xstrdup("");

	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		if (wants_refusal(d, &refusals[i]) && !is_recorded(d, &refusals[i]))
			deaf = list_add(deaf, *deaf ? " " : " (not for ", "%s", refusals[i].name);
	}
	note("listening%s%s; ^C ends", deaf, *deaf ? ": unsupported on this kernel)" : "");
	free(deaf);
}

/* Report that denials are not, or for a while were not, recorded. */
static void tell_interrupted(struct denials *d, const struct ucv_listen *state)
{
	if (!d->listener.interrupted)
		return;
	d->listener.interrupted = false;
	if (state->recording & UCV_RECORDING_BLIND)
		listener_blind();
	note("denials are missing: kprobes were disabled for a while");
}

/* Returns whether to go on. */
static bool follow_once(struct denials *d)
{
	bool more = stream_wait(d->listener.fd);
	struct ucv_listen state;

	tell_missed(d, listener_state().missed);
	more = show_new(d) && more;
	state = listener_state();
	tell_interrupted(d, &state);
	return more;
}

/* Denials recorded before a signal arrived are shown, too. */
static void follow(struct denials *d)
{
	bool more;

	stream_open();
	listener_open(&d->listener, UCV_LISTEN_ARM);
	d->missed = d->listener.state.missed;
	tell_listening(d);
	more = show_heading(d);
	while (more)
		more = follow_once(d);
	tell_missed(d, listener_state().missed);
	listener_close(&d->listener);
}

/* Whether the probes have seen charges of this counter, or cannot see any. */
static bool counter_is_settled(const struct denials *d, size_t resource, __u64 seen)
{
	if (!d->wanted[resource] || seen & UCV_SEEN(resource))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		if (!strcmp(refusals[i].name, d->snap.resources[resource].name))
			return !is_recorded(d, &refusals[i]);
	}
	return false;
}

/* "; not verified for ...": what is wanted and recorded, and the probes have never seen. */
static char *unverified_text(const struct denials *d, const struct ucv_listen *state)
{
	static const char first[] = "; not verified for ";
	const struct snapshot *snap = &d->snap;
	char *text = xstrdup("");

	for (size_t i = 0; i < snap->nr_resources; i++) {
		if (!counter_is_settled(d, i, state->seen))
			text = list_add(text, *text ? " " : first, "%s", snap->resources[i].name);
	}
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		const struct refusal *refusal = &refusals[i];

		if (refusal->seen && !(state->seen & refusal->seen) &&
		    wants_refusal(d, refusal) && is_recorded(d, refusal))
			text = list_add(text, *text ? " " : first, "%s", refusal->name);
	}
	return text;
}

static void tell_nothing(const struct denials *d, const struct ucv_listen *state)
{
	char *unverified;

	/* 0: an older module, which does not report this. */
	unverified = state->recording ? unverified_text(d, state) : xstrdup("");
	note("no denials since recording began%s", unverified);
	free(unverified);
}

static void tell_unrecorded(const struct ucv_listen *state, const char *text)
{
	char *trouble;

	if (state->recording & UCV_RECORDING_BLIND) {
		trouble = probes_trouble();
		note("%s: %s", text, trouble);
		free(trouble);
	} else {
		note("%s (run ucountview denials -f, or %s)", text,
		     "echo Y >/sys/module/ucountview/parameters/denials");
	}
}

/*
 * Tell if denials are or were not recorded, which a list does not show, however long. A program
 * that reads a list is told only of trouble, and of an empty record.
 */
static void tell_recording(const struct denials *d, const struct ucv_listen *state, bool any)
{
	char *unrecorded = unrecorded_text(state, &d->snap.info);
	bool blind = state->recording & UCV_RECORDING_BLIND;

	if (state->interruptions && !blind)
		note("denials are missing: kprobes were disabled for a while (interruptions: %llu)",
		     state->interruptions);
	if (unrecorded && (d->plain || blind || !any))
		tell_unrecorded(state, unrecorded);
	else if (!unrecorded && !any)
		tell_nothing(d, state);
	free(unrecorded);
}

static void show_recorded(struct denials *d)
{
	struct ucv_denial *denial, *rows = NULL;
	size_t nr = 0, first, count = d->args->count;

	listener_open(&d->listener, UCV_LISTEN_OLDEST);
	tell_missed(d, d->listener.state.missed);
	/* Stop at the last denial from before the open, or it might never end. */
	while ((denial = listener_next(&d->listener)) &&
	       denial->seq <= d->listener.state.total) {
		if (!take_denial(d, denial))
			continue;
		rows = xgrow(rows, nr, sizeof(*rows));
		rows[nr++] = *denial;
	}
	first = count && count < nr ? nr - count : 0;

	table_begin(d->tb);
	for (size_t i = first; i < nr; i++) {
		table_line(d->tb, NULL);
		fill_denial(d, &rows[i]);
	}
	table_print(d->tb);
	tell_recording(d, &d->listener.state, d->listener.state.total);
	free(rows);
	listener_close(&d->listener);
}

static bool wants_total(const struct denials *d, const struct ucv_denial_count *count)
{
	if (count->flags & UCV_DENIAL_COUNT_OTHERS)
		return !d->args->user && !d->args->resources.nr;
	return wants_resource(d, count->type, count->resource) &&
	       (!d->args->user || count->uid == d->args->uid);
}

/* Most frequent first, then most recent first. */
static int compare_totals(const void *a, const void *b)
{
	const struct ucv_denial_count *x = a, *y = b;

	return COMPARE(y->denials, x->denials) ?: COMPARE(y->last_ns, x->last_ns);
}

static void show_totals(struct denials *d)
{
	struct snapshot *snap = &d->snap;
	struct ucv_listen state;
	size_t shown = 0;

	sort_rows(d->args, snap->denials, snap->nr_denials, sizeof(*snap->denials),
		  compare_totals);
	table_begin(d->tb);
	for (size_t i = 0; i < snap->nr_denials; i++) {
		if (!wants_total(d, &snap->denials[i]))
			continue;
		fill_total(d, &snap->denials[i]);
		if (++shown == d->args->count)
			break;
	}
	table_print(d->tb);
	state = listener_state();
	tell_recording(d, &state, snap->nr_denials);
}

static int run(struct args *args, struct table *tb)
{
	struct denials d = { .args = args, .tb = tb };

	if (args->follow && args->totals)
		die("mutually exclusive arguments: --follow --totals");
	if (args->pid && args->totals)
		die("mutually exclusive arguments: --pid --totals");
	if (args->container && args->totals)
		die("mutually exclusive arguments: --container --totals");
	open_table(&d);
	args_look_up(args);
	take_snapshot(&d);
	check_named(&d);
	if (args->totals)
		show_totals(&d);
	else if (args->follow)
		follow(&d);
	else
		show_recorded(&d);
	examples_free(&d.examples);
	snapshot_free(&d.snap);
	return EXIT_SUCCESS;
}

const struct command cmd_denials = {
	.name = "denials",
	.summary = "charges that the kernel refused, and the limit",
	.synopsis = " ucountview denials [options]",
	.about = "Show recorded denials: the process, the resource, and the limit that refused.",
	.options = options,
	.columns = columns,
	.notes =
		"\nDenials are recorded while a listener exists, and always with\n"
		" echo Y >/sys/module/ucountview/parameters/denials\n"
		"\nExamples:\n"
		" ucountview denials -f\n"
		" ucountview denials -f -R mounts -J | jq .command\n"
		" ucountview denials --totals --count 10\n",
	.run = run,
};
