// SPDX-License-Identifier: GPL-2.0
/*
 * ucountview denials: show the charges that the kernel refused: those recorded, new ones
 * (--follow), or how many there were (--totals). denial_table.c fills the cells.
 */
#include <limits.h>
#include <stdlib.h>

#include "denial_table.h"
#include "device.h"
#include "options.h"
#include "procfs.h"
#include "snapshot.h"
#include "stream.h"
#include "table.h"
#include "ucountview.h"

struct denials {
	struct table table;
	struct filter filter;	/* --user alone */
	struct resource_names names;
	bool wanted[UCV_MAX_RESOURCES];
	bool mounts;
	bool follow;
	bool totals;
	unsigned int count;
	unsigned int shown;	/* lines, with --follow */
	struct snapshot snap;
	struct denial_view view;
	struct listener listener;
	__u64 lost;		/* before the next denial that is shown */
};

static void print_help(const struct table *tb)
{
	fputs("\nUsage:\n"
	      " ucountview denials [options]\n"
	      "\nShow who was refused what, and which limit refused, as far as it was recorded.\n"
	      "\nOptions:\n"
	      " -f, --follow           record denials, and show each as it happens\n"
	      " -R, --resource <name>  only this resource, or mounts (may be given more than\n"
	      "                        once)\n"
	      " -u, --user <user>      only what this user (uid or name) was refused, was to be\n"
	      "                        charged for, or whose counter was full\n"
	      "     --count <num>      only the last ones; with --follow: end after so many;\n"
	      "                        with --totals: only the first ones\n"
	      "     --totals           how often each limit has refused, most often first\n"
	      TABLE_OPTIONS_HELP, stdout);
	table_help_columns(tb, stdout);
	fputs("\nDenials are recorded while somebody follows them, and always with\n"
	      " echo Y >/sys/module/ucountview/parameters/denials\n"
	      "\nExamples:\n"
	      " ucountview denials -f\n"
	      " ucountview denials -f -R mounts -J | jq .command\n"
	      " ucountview denials --totals --count 10\n"
	      "\nFor more details see ucountview(8).\n", stdout);
}

enum {
	OPT_COUNT = 0x400,
	OPT_TOTALS,
};

static void parse_options(struct denials *d, int argc, char **argv)
{
	static const struct option options[] = {
		{ "follow",   no_argument,	 NULL, 'f' },
		{ "resource", required_argument, NULL, 'R' },
		{ "user",     required_argument, NULL, 'u' },
		{ "count",    required_argument, NULL, OPT_COUNT },
		{ "totals",   no_argument,	 NULL, OPT_TOTALS },
		{ }
	};
	static const struct option * const groups[] = { options, NULL };
	int opt;

	while ((opt = table_getopt(&d->table, argc, argv, groups)) != -1) {
		switch (opt) {
		case 'f':
			d->follow = true;
			break;
		case 'R':
			arg_resource_or_mounts(&d->names, optarg);
			break;
		case OPT_COUNT:
			d->count = arg_number("number", optarg, 1, UINT_MAX);
			break;
		case OPT_TOTALS:
			d->totals = true;
			break;
		case 'h':
			print_help(&d->table);
			exit(EXIT_SUCCESS);
		default:
			filter_option(&d->filter, opt, optarg);
		}
	}
	args_end(argc, argv);
	if (d->follow && d->totals)
		die("mutually exclusive arguments: --follow --totals");
}

/* Read the names of the resources, and with --totals the denial counts. */
static void take_snapshot(struct denials *d)
{
	__u64 kinds = UCV_MASK(UCV_KIND_RESOURCE);

	if (d->totals)
		kinds |= UCV_MASK(UCV_KIND_DENIAL_COUNT);
	snapshot_take(&d->snap, kinds, 0);
	find_limited_resources(&d->names, &d->snap, d->wanted);
	d->mounts = wants_mounts(&d->names);
}

/* Refused mounts need a kernel feature of their own. */
static void check_mounts(const struct denials *d)
{
	__u64 features = d->snap.info.features;

	if (d->names.mounts && features & UCV_FEATURE_DENIALS &&
	    !(features & UCV_FEATURE_MNT_DENIALS))
		device_cannot("record refused mounts");
}

static bool wants_all(const struct denials *d)
{
	return !d->names.nr && !d->names.mounts;
}

static bool wants_resource(const struct denials *d, __u32 type, __u32 resource)
{
	if (type == UCV_DENIAL_MOUNT)
		return d->mounts;
	return resource < d->snap.nr_resources ? d->wanted[resource] : wants_all(d);
}

static bool wants_denial(const struct denials *d, const struct ucv_denial *denial)
{
	__u32 uid = d->filter.uid;

	if (!wants_resource(d, denial->type, denial->resource))
		return false;
	return !d->filter.user_arg || denial->uid == uid || denial->charged_uid == uid ||
	       denial->caller_uid == uid;
}

/* Report lost denials regardless of the filter: they may have matched it. */
static bool take_denial(struct denials *d, struct ucv_denial *denial)
{
	if (denial->lost)
		note("%llu denials lost: they came faster than they were read", denial->lost);
	d->lost += denial->lost;
	if (!wants_denial(d, denial))
		return false;
	denial->lost = d->lost;
	d->lost = 0;
	return true;
}

static void tell_missed(struct denials *d, __u64 missed)
{
	if (missed > d->view.missed)
		note("%llu calls, refused or not, were missed: too many at the same time",
		     missed - d->view.missed);
	d->view.missed = missed;
}

static bool show_line(struct denials *d, const struct ucv_denial *denial)
{
	char *text = table_lone_line(&d->table, denial_widths(&d->view), denial_cell,
				     &d->view, denial);
	bool more = stream_line(text);

	free(text);
	return more;
}

/* Show at most one ring of denials, so that signals are noticed. Returns false to stop. */
static bool show_new(struct denials *d)
{
	struct ucv_denial *denial;

	for (__u32 i = 0; i < d->listener.state.capacity; i++) {
		denial = listener_next(&d->listener);
		if (!denial)
			break;
		if (!take_denial(d, denial))
			continue;
		if (!show_line(d, denial) || ++d->shown == d->count)
			return false;
	}
	return true;
}

static bool show_heading(struct denials *d)
{
	char *text = table_heading(&d->table, denial_widths(&d->view));
	bool more = !text || stream_line(text);

	free(text);
	return more;
}

/* Printed once the listener is open: denials from now on are recorded. */
static void tell_listening(const struct denials *d)
{
	bool deaf = d->mounts && !(d->snap.info.features & UCV_FEATURE_MNT_DENIALS);

	note("listening%s; ^C ends",
	     deaf ? " (not to mounts: the module cannot on this kernel)" : "");
}

/* Report that denials are not, or for a while were not, recorded. */
static void tell_interrupted(struct denials *d, const struct ucv_listen *state)
{
	if (!d->listener.interrupted)
		return;
	d->listener.interrupted = false;
	if (state->recording & UCV_RECORDING_BLIND)
		listener_blind();
	note("refusals are missing: for a while kprobes were switched off");
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
	d->view.missed = d->listener.state.missed;
	tell_listening(d);
	more = show_heading(d);
	while (more)
		more = follow_once(d);
	tell_missed(d, listener_state().missed);
	listener_close(&d->listener);
}

/* "; not verified for ...": wanted resources that the probes have never seen. */
static char *unverified_text(const struct denials *d, const struct ucv_listen *state)
{
	const struct snapshot *snap = &d->snap;
	char *text = NULL, *longer;

	for (size_t i = 0; i <= snap->nr_resources; i++) {
		bool mounts = i == snap->nr_resources;

		if (mounts ? !d->mounts : !d->wanted[i])
			continue;
		if (state->seen & (mounts ? UCV_SEEN_MOUNTS : UCV_SEEN(i)))
			continue;
		longer = xasprintf("%s %s", text ? text : "; not verified for",
				   mounts ? MOUNTS_NAME : snap->resources[i].name);
		free(text);
		text = longer;
	}
	return text ? text : xstrdup("");
}

static void tell_nothing(const struct denials *d, const struct ucv_listen *state)
{
	char *unverified;

	if (!state->armed) {
		note("denials are not recorded: try ucountview denials -f, or %s",
		     "echo Y >/sys/module/ucountview/parameters/denials");
		return;
	}
	/* 0: an older module, which does not report this. */
	unverified = state->recording ? unverified_text(d, state) : xstrdup("");
	note("nothing has been refused since the recording began%s", unverified);
	free(unverified);
}

/* Tell if denials were not recorded, which an empty or short list does not show. */
static void tell_recording(const struct denials *d, const struct ucv_listen *state, bool any)
{
	char *trouble;

	if (state->recording & UCV_RECORDING_BLIND) {
		trouble = probes_trouble();
		note("refusals are not being recorded: %s", trouble);
		free(trouble);
	} else if (state->interruptions) {
		note("refusals are missing: kprobes were switched off for a while (%llu times)",
		     state->interruptions);
	}
	if (!any && !(state->recording & UCV_RECORDING_BLIND))
		tell_nothing(d, state);
}

static void show_recorded(struct denials *d)
{
	struct ucv_denial *denial, *rows = NULL;
	size_t nr = 0, first;

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
	first = d->count && d->count < nr ? nr - d->count : 0;

	table_begin(&d->table);
	for (size_t i = first; i < nr; i++)
		table_line(&d->table, NULL, denial_cell, &d->view, &rows[i]);
	table_print(&d->table);
	tell_recording(d, &d->listener.state, d->listener.state.total);
	free(rows);
	listener_close(&d->listener);
}

static bool wants_total(const struct denials *d, const struct ucv_denial_count *count)
{
	if (count->flags & UCV_DENIAL_COUNT_OTHERS)
		return !d->filter.user_arg && wants_all(d);
	return wants_resource(d, count->type, count->resource) &&
	       (!d->filter.user_arg || count->uid == d->filter.uid);
}

/* Most frequent first, then most recent first. */
static int compare_totals(const void *a, const void *b)
{
	const struct ucv_denial_count *x = a, *y = b;

	if (x->denials != y->denials)
		return x->denials > y->denials ? -1 : 1;
	return x->last_ns > y->last_ns ? -1 : x->last_ns < y->last_ns;
}

/* Move the totals to show to the front. Returns how many. */
static size_t choose_totals(struct denials *d)
{
	struct snapshot *snap = &d->snap;
	size_t nr = 0;

	qsort(snap->denials, snap->nr_denials, sizeof(*snap->denials), compare_totals);
	for (size_t i = 0; i < snap->nr_denials && (!d->count || nr < d->count); i++) {
		if (wants_total(d, &snap->denials[i]))
			snap->denials[nr++] = snap->denials[i];
	}
	return nr;
}

static void show_totals(struct denials *d)
{
	struct snapshot *snap = &d->snap;
	size_t nr = choose_totals(d);
	struct ucv_listen state;

	for (size_t i = 0; i < nr; i++) {
		if (d->table.raw || snap->denials[i].flags & UCV_DENIAL_COUNT_OTHERS)
			denial_show_flags(&d->table);
	}
	table_begin(&d->table);
	for (size_t i = 0; i < nr; i++)
		table_line(&d->table, NULL, denial_total_cell, &d->view, &snap->denials[i]);
	table_print(&d->table);
	state = listener_state();
	tell_recording(d, &state, snap->nr_denials);
}

/**
 * cmd_denials() - ucountview denials
 * @argc: number of arguments
 * @argv: the arguments, the program's name first
 *
 * Return: the exit status.
 */
int cmd_denials(int argc, char **argv)
{
	struct denials d = {
		.table = {
			.name = "denials",
			.columns = denial_columns,
			.nr_columns = denial_nr_columns,
		},
	};

	parse_options(&d, argc, argv);
	d.view.snap = &d.snap;
	denial_open(&d.view, &d.table, d.totals);
	filter_find(&d.filter);
	take_snapshot(&d);
	check_mounts(&d);
	if (d.totals)
		show_totals(&d);
	else if (d.follow)
		follow(&d);
	else
		show_recorded(&d);
	table_close(&d.table);
	snapshot_free(&d.snap);
	return EXIT_SUCCESS;
}
