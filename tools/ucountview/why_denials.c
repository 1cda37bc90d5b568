// SPDX-License-Identifier: GPL-2.0
/*
 * ucountview why: recorded denials: those of the process, and the last one of a process that may
 * be gone, explained.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "containers.h"
#include "format.h"
#include "procfs.h"
#include "resource_info.h"
#include "ucountview.h"
#include "why.h"

#define MOST_RECENT	3	/* shown of a process that exists */

/* Returns NULL for a type or a resource that this program does not know. */
static const char *resource_of(const struct why *w, const struct ucv_denial *denial)
{
	switch (denial->type) {
	case UCV_DENIAL_MOUNT:
		return MOUNTS_NAME;
	case UCV_DENIAL_USERNS_DEPTH:
		return USERNS_DEPTH_NAME;
	case UCV_DENIAL_PIDNS_DEPTH:
		return PIDNS_DEPTH_NAME;
	default:
		return denial->resource < w->snap.nr_resources ?
		       w->snap.resources[denial->resource].name : NULL;
	}
}

static bool is_depth(const struct ucv_denial *denial)
{
	return denial->type == UCV_DENIAL_USERNS_DEPTH || denial->type == UCV_DENIAL_PIDNS_DEPTH;
}

static bool is_of(const struct ucv_denial *denial, const struct why_culprit *who)
{
	if (who->pid && denial->tgid != who->pid && denial->pid != who->pid)
		return false;
	/* The kernel truncates the name of a command. */
	if (who->command && strncmp(denial->comm, who->command, UCV_COMM_LEN - 1))
		return false;
	return denial->time_ns >= who->since_ns;
}

/**
 * why_read_denials() - read the recorded denials of a process or command
 *
 * Leaves out those that the options do not want. If denials cannot be recorded on this kernel,
 * there are none.
 */
void why_read_denials(struct why *w, const struct why_culprit *who)
{
	const struct ucv_denial *denial;
	struct listener listener;
	const char *name;

	if (!(w->snap.info.features & UCV_FEATURE_DENIALS))
		return;
	listener_open(&listener, UCV_LISTEN_OLDEST);
	w->recording = listener.state;
	/* Stop at the last denial from before the open, or it might never end. */
	while ((denial = listener_next(&listener)) && denial->seq <= listener.state.total) {
		name = resource_of(w, denial);
		if (!name || !why_wants(w, name) || !is_of(denial, who))
			continue;
		w->denials = xgrow(w->denials, w->nr_denials, sizeof(*w->denials));
		w->denials[w->nr_denials++] = *denial;
	}
	listener_close(&listener);
}

static char *denial_time(const struct ucv_denial *denial)
{
	struct timespec time = boot_time(denial->time_ns);

	return time_text(&time);
}

/* Since when denials are recorded, or are not: a clause, allocated. */
static char *recording_text(const struct why *w)
{
	struct timespec time = boot_time(w->recording.since_ns);
	char *text, *since;

	if (!(w->snap.info.features & UCV_FEATURE_DENIALS))
		return xstrdup("the module cannot record denials on this kernel");
	text = unrecorded_text(&w->recording, &w->snap.info);
	if (text)
		return text;
	if (!w->recording.since_ns) /* an older module */
		return xstrdup("denials are recorded now");
	since = time_text(&time);
	text = xasprintf("denials are recorded since %s", since);
	free(since);
	return text;
}

static void __noreturn none_found(const struct why *w, const struct why_culprit *who)
{
	char *whose = who->pid ? xasprintf(" of process %u", who->pid) :
		      who->command ? xasprintf(" of command %s", who->command) : xstrdup("");

	if (!w->args->last)
		die("no such process: %u, and no %sdenial of it is recorded: %s", who->pid,
		    w->filtered ? "such " : "", recording_text(w));
	die("no %sdenial%s is recorded: %s", w->filtered ? "such " : "", whose, recording_text(w));
}

/* Unless it is gone. Inode numbers are reused: compare what else is known of the namespace. */
static const struct ucv_userns *userns_of(const struct why *w, const struct ucv_denial *denial)
{
	const struct ucv_userns *ns = snapshot_find_userns(&w->snap, denial->userns);

	return ns && ns->id == denial->userns_id && ns->level == denial->level ? ns : NULL;
}

static const struct ucv_mntns *mntns_of(const struct why *w, const struct ucv_denial *denial)
{
	const struct ucv_mntns *ns = snapshot_find_mntns(&w->snap, denial->mntns);

	return ns && ns->id == denial->mntns_id ? ns : NULL;
}

static void find_mounts(struct why *w, struct why_row *row)
{
	row->kind = WHY_MOUNTS;
	w->mntns = mntns_of(w, row->denial);
	if (w->mntns)
		row->counter = counter_of_mounts(w->mntns);
}

static void find_counter(struct why *w, struct why_row *row)
{
	const struct ucv_denial *denial = row->denial;
	const struct ucv_userns *ns = userns_of(w, denial);
	size_t resource = denial->resource;

	if (w->snap.resources[resource].type == UCV_RESOURCE_RLIMIT)
		row->kind = WHY_RLIMIT;
	if (!ns)
		return;
	w->refused = (struct charge){
		.ns = ns,
		.uid = denial->uid,
		.uc = snapshot_find(&w->snap, ns, denial->uid),
	};
	row->charge = &w->refused;
	row->counter = counter_of(&w->snap, ns, w->refused.uc, resource);
}

/**
 * why_explain_last() - make the last denial of a process or command the only row
 *
 * Exits if none is recorded.
 */
void why_explain_last(struct why *w, const struct why_culprit *who)
{
	const struct ucv_denial *last;
	struct why_row row = {
		.counter.kind = LIMIT_UNKNOWN,
		.binds = true,
		.alone = true,
	};

	why_read_denials(w, who);
	if (!w->nr_denials)
		none_found(w, who);
	last = &w->denials[w->nr_denials - 1];
	row.denial = last;
	row.name = resource_of(w, last);
	row.needed = last->used + last->pending + last->asked;
	if (last->type == UCV_DENIAL_MOUNT)
		find_mounts(w, &row);
	else if (is_depth(last))
		row.kind = WHY_DEPTH;
	else
		find_counter(w, &row);
	why_add_row(w, row);
}

/**
 * why_fill_denial() - write the cells about the denial of a row, and of its level
 */
void why_fill_denial(struct table *tb, const struct ucv_denial *denial)
{
	bool mount = denial->type == UCV_DENIAL_MOUNT;

	cell_text(tb, "DENIED", denial_time(denial));
	cell_nonzero(tb, "DENIED-PID", denial->tgid);
	cell_string(tb, "DENIED-COMMAND", denial->comm);
	cell_number(tb, "DENIED-USED", denial->used + denial->pending);
	cell_number(tb, "DENIED-LIMIT", denial->limit);
	if (mount) {
		cell_number(tb, "MNTNS", denial->mntns);
		return;
	}
	cell_number(tb, "LEVEL", denial->level);
	cell_number(tb, "USERNS", denial->userns);
	cell_nonzero(tb, "NSID", denial->userns_id);
	cell_uid(tb, "UID", denial->uid);
	cell_user(tb, denial->uid);
}

/**
 * why_print_caller() - print who was refused, and when
 */
void why_print_caller(const struct ucv_denial *denial)
{
	char *thread = denial->pid == denial->tgid ? xstrdup("") :
		       xasprintf(", thread %u", denial->pid);
	char *time = denial_time(denial);
	unsigned int pid = denied_process(denial);
	char *where = pid ? process_where(pid) : NULL;

	print_wrapped(0, 4, "%s: process %u (%s)%s with uid %u was refused.", time, denial->tgid,
		      command_text(denial->comm).text, thread, denial->caller_uid);
	if (where)
		print_wrapped(2, 4, "It is in %s.", where);
	free(where);
	free(time);
	free(thread);
}

static void print_asked(const struct ucv_denial *denial)
{
	if (denial->asked > 1 && denial->type != UCV_DENIAL_MOUNT)
		print_wrapped(2, 4, "It asked for %s%u more.",
			      denial->flags & UCV_DENIAL_ASKED_MORE ? "at least " : "",
			      denial->asked);
	if (denial->flags & UCV_DENIAL_UNSURE)
		print_wrapped(2, 4, "%s; this is the one with the least room.",
			      "When it was read, no level was at its limit any more");
	if (denial->flags & UCV_DENIAL_USED_UNKNOWN)
		print_wrapped(2, 4, "What was used could not be read, and is shown as the limit.");
}

static void print_now(const struct why_row *row)
{
	const struct counter *now = &row->counter;
	bool mount = row->kind == WHY_MOUNTS;

	if (row->kind == WHY_DEPTH)
		return;
	if (now->kind == LIMITED)
		printf("  Now: %lld of %lld used.\n", now->used, now->limit);
	else if (now->kind == UNLIMITED)
		printf("  Now: %lld used, and no limit.\n", now->used);
	else if (row->kind == WHY_RLIMIT && row->charge)
		printf("  Now: %lld used.\n", now->used);
	else
		printf("  Now that %s namespace is gone, and its limit with it.\n",
		       mount ? "mount" : "user");
}

/* Who or what is counted at the level that refused, allocated. */
static char *denied_text(const struct why_row *row)
{
	const struct ucv_denial *denial = row->denial;

	if (row->kind == WHY_DEPTH)
		return xasprintf("in user namespace %u", denial->userns);
	if (!denial->level)
		return xasprintf("by uid %u in the initial user namespace %u", denial->uid,
				 denial->userns);
	return xasprintf("by uid %u in user namespace %u, level %u", denial->uid, denial->userns,
			 denial->level);
}

/**
 * why_print_denied() - print what was used when the denial of a row was recorded, and now
 */
void why_print_denied(const struct why_row *row)
{
	const struct ucv_denial *denial = row->denial;
	char *text;

	if (row->kind == WHY_MOUNTS) {
		text = denied_mounts_text(denial);
		print_wrapped(0, 4, "\n%s: %s; the limit of mount namespace %u was %lld.",
			      row->name, text, denial->mntns, (long long)denial->limit);
	} else {
		text = denied_text(row);
		print_wrapped(0, 4, "\n%s: %lld of %lld used %s.", row->name,
			      (long long)denial->used, (long long)denial->limit, text);
	}
	free(text);
	print_asked(denial);
	print_now(row);
}

/* What was used of what limit where, allocated. */
static char *recent_text(const struct ucv_denial *denial)
{
	char *mounts, *text;

	if (denial->type != UCV_DENIAL_MOUNT)
		return xasprintf("%lld of %lld at level %u", (long long)denial->used,
				 (long long)denial->limit, denial->level);
	mounts = denied_mounts_text(denial);
	text = xasprintf("%s; the limit was %lld", mounts, (long long)denial->limit);
	free(mounts);
	return text;
}

static void print_recent(const struct why *w)
{
	size_t first = w->nr_denials > MOST_RECENT ? w->nr_denials - MOST_RECENT : 0;

	if (!w->nr_denials)
		return;
	printf("\nRefused before, as recorded (the last %zu of %zu):\n", w->nr_denials - first,
	       w->nr_denials);
	for (size_t i = first; i < w->nr_denials; i++) {
		const struct ucv_denial *denial = &w->denials[i];
		char *time = denial_time(denial), *text = recent_text(denial);

		print_wrapped(2, 4, "%s %s: %s", time, resource_of(w, denial), text);
		free(text);
		free(time);
	}
}

/**
 * why_print_denials() - print the last denials of the process, and whether all are recorded
 */
void why_print_denials(const struct why *w)
{
	char *text;

	if (!w->denied)
		print_recent(w);
	else if (w->nr_denials > 1)
		printf("\nRecorded before it: %zu (see ucountview denials).\n", w->nr_denials - 1);
	if (!(w->snap.info.features & UCV_FEATURE_DENIALS)) {
		puts("\nThe module cannot record denials on this kernel.");
		return;
	}
	text = unrecorded_text(&w->recording, &w->snap.info);
	if (text)
		print_wrapped(0, 0, "\nNote: %s.", text);
	free(text);
}
