// SPDX-License-Identifier: GPL-2.0
/*
 * The columns of ucountview denials and the text of their cells, for denials and for totals.
 * cmd-denials.c chooses the lines.
 */
#include <stdlib.h>
#include <unistd.h>

#include "denial_table.h"
#include "format.h"
#include "options.h"
#include "ucountview.h"

enum {
	COL_TIME,
	COL_SEQ,
	COL_LOST,
	COL_MISSED,
	COL_DENIALS,
	COL_RESOURCE,
	COL_LEVEL,
	COL_NS,
	COL_NSID,
	COL_UID,
	COL_UIDNS,
	COL_USER,
	COL_USED,
	COL_PENDING,
	COL_ASKED,
	COL_LIMIT,
	COL_USERNS,
	COL_MNTNS,
	COL_CHARGED_USERNS,
	COL_CHARGED_NSID,
	COL_CHARGED_LEVEL,
	COL_CHARGED_UID,
	COL_CALLER_USERNS,
	COL_CALLER_NSID,
	COL_CALLER_UID,
	COL_PID,
	COL_TID,
	COL_COMMAND,
	COL_FLAGS,
	NR_COLUMNS
};

const struct column denial_columns[] = {
	[COL_TIME]     = TEXT("TIME", "when it was refused; with --totals: the last time"),
	[COL_SEQ]      = NUMBER("SEQ", "its number since the module was loaded"),
	[COL_LOST]     = NUMBER("LOST", "denials before it that were overwritten unread"),
	[COL_MISSED]   = NUMBER("MISSED", "calls not looked at since the module was loaded"),
	[COL_DENIALS]  = NUMBER("DENIALS", "with --totals: how many there were"),
	[COL_RESOURCE] = TEXT("RESOURCE", "what was refused: as usage shows it, or mounts"),
	[COL_LEVEL]    = NUMBER("LEVEL", "level that refused: 0 is the initial user namespace"),
	[COL_NS]       = NUMBER("NS", "namespace that was full: user or, for mounts, mount one"),
	[COL_NSID]     = NUMBER("NSID", "its identifier that is never used again"),
	[COL_UID]      = NUMBER("UID", "whose counter was full, as the initial namespace sees it"),
	[COL_UIDNS]    = NUMBER("UIDNS", "the same as USERNS sees it"),
	[COL_USER]     = NAME("USER", "name of UID"),
	[COL_USED]     = NUMBER("USED", "how much was charged there, PENDING included"),
	[COL_PENDING]  = NUMBER("PENDING", "mounts among USED that were being attached"),
	[COL_ASKED]    = NUMBER("ASKED", "how much more was asked for"),
	[COL_LIMIT]    = NUMBER("LIMIT", "what USED and ASKED would have exceeded"),
	[COL_USERNS]   = NUMBER("USERNS", "user namespace that refused; for mounts: owns MNTNS"),
	[COL_MNTNS]    = NUMBER("MNTNS", "mount namespace that was full"),
	[COL_CHARGED_USERNS] = NUMBER("CHARGED-USERNS", "user namespace where the charge began"),
	[COL_CHARGED_NSID]   = NUMBER("CHARGED-NSID", "its identifier (Linux 6.18 and later)"),
	[COL_CHARGED_LEVEL]  = NUMBER("CHARGED-LEVEL", "its level"),
	[COL_CHARGED_UID]    = NUMBER("CHARGED-UID", "who was to be charged there"),
	[COL_CALLER_USERNS]  = NUMBER("CALLER-USERNS", "user namespace of PID"),
	[COL_CALLER_NSID]    = NUMBER("CALLER-NSID", "its identifier (Linux 6.18 and later)"),
	[COL_CALLER_UID]     = NUMBER("CALLER-UID", "effective uid of PID"),
	[COL_PID]      = NUMBER("PID", "process that was refused"),
	[COL_TID]      = NUMBER("TID", "its thread"),
	[COL_COMMAND]  = NAME("COMMAND", "command of TID"),
	[COL_FLAGS]    = TEXT("FLAGS", "what is not certain, or what kind of sum it is"),
};

const size_t denial_nr_columns = ARRAY_SIZE(denial_columns);

static const size_t default_columns[] = {
	COL_TIME, COL_RESOURCE, COL_LEVEL, COL_NS, COL_UID, COL_USED, COL_LIMIT, COL_PID,
	COL_COMMAND,
};

/* With the columns that the plain table folds into other cells. */
static const size_t raw_columns[] = {
	COL_TIME, COL_RESOURCE, COL_LEVEL, COL_NS, COL_UID, COL_USED, COL_ASKED, COL_LIMIT,
	COL_PID, COL_COMMAND, COL_FLAGS,
};

static const size_t json_columns[] = {
	COL_TIME, COL_SEQ, COL_LOST, COL_MISSED, COL_RESOURCE, COL_LEVEL, COL_NS, COL_NSID,
	COL_UID, COL_UIDNS, COL_USER, COL_USED, COL_PENDING, COL_ASKED, COL_LIMIT, COL_USERNS,
	COL_MNTNS,
	COL_CHARGED_USERNS, COL_CHARGED_NSID, COL_CHARGED_LEVEL, COL_CHARGED_UID,
	COL_CALLER_USERNS, COL_CALLER_NSID, COL_CALLER_UID, COL_PID, COL_TID, COL_COMMAND,
	COL_FLAGS,
};

static const size_t totals_columns[] = {
	COL_DENIALS, COL_RESOURCE, COL_LEVEL, COL_NS, COL_UID, COL_USER, COL_TIME,
};

static const size_t totals_json_columns[] = {
	COL_DENIALS, COL_RESOURCE, COL_LEVEL, COL_NS, COL_NSID, COL_UID, COL_USER, COL_TIME,
	COL_FLAGS,
};

static void open_table(struct table *tb, bool totals)
{
	if (totals && tb->json)
		table_open(tb, totals_json_columns, ARRAY_SIZE(totals_json_columns));
	else if (totals)
		table_open(tb, totals_columns, ARRAY_SIZE(totals_columns));
	else if (tb->json)
		table_open(tb, json_columns, ARRAY_SIZE(json_columns));
	else if (tb->raw)
		table_open(tb, raw_columns, ARRAY_SIZE(raw_columns));
	else
		table_open(tb, default_columns, ARRAY_SIZE(default_columns));
}

/**
 * denial_open() - choose the columns according to the options
 * @view: how denials are shown; sets @view->plain and @view->brief
 * @tb: the table, all options parsed; free with table_close()
 * @totals: show totals
 */
void denial_open(struct denial_view *view, struct table *tb, bool totals)
{
	open_table(tb, totals);
	view->plain = !tb->json && !tb->raw;
	view->brief = view->plain && isatty(STDOUT_FILENO);
}

/**
 * denial_show_flags() - show FLAGS even if it is not a default column
 * @tb: the opened table
 */
void denial_show_flags(struct table *tb)
{
	table_show_also(tb, COL_FLAGS);
}

/**
 * denial_widths() - column widths for lines that are printed one by one
 * @view: how denials are shown
 *
 * They fit usual values, so that such lines are aligned and fit 80 columns.
 *
 * Return: for each column, its width.
 */
const unsigned int *denial_widths(const struct denial_view *view)
{
	static unsigned int widths[NR_COLUMNS] = {
		[COL_SEQ] = 5, [COL_RESOURCE] = 17, [COL_NS] = 10, [COL_UID] = 4,
		[COL_USER] = 8, [COL_USERNS] = 10, [COL_MNTNS] = 10, [COL_PID] = 5,
		[COL_TID] = 5, [COL_COMMAND] = 9,
	};

	widths[COL_TIME] = view->brief ? BRIEF_TIME_WIDTH : TIME_WIDTH;
	return widths;
}

static char *resource_text(const struct denial_view *view, __u32 type, __u32 resource)
{
	const struct snapshot *snap = view->snap;

	if (type == UCV_DENIAL_MOUNT)
		return xstrdup(MOUNTS_NAME);
	return resource < snap->nr_resources ? xstrdup(snap->resources[resource].name) : NULL;
}

static char *when_text(const struct denial_view *view, __u64 boot_ns)
{
	struct timespec time = boot_time(boot_ns);

	return view->brief ? brief_time_text(&time) : time_text(&time);
}

static bool is_mount(const struct ucv_denial *denial)
{
	return denial->type == UCV_DENIAL_MOUNT;
}

/* The plain table marks uncertain values in place; JSON and raw output have FLAGS. */
static const char *doubt(const struct denial_view *view, const struct ucv_denial *denial,
			 __u32 flag)
{
	return denial->flags & flag && view->plain ? "~" : "";
}

/* The plain table shows why it was refused if more than one was asked for: "17+4". */
static char *used_text(const struct denial_view *view, const struct ucv_denial *denial)
{
	const char *about = doubt(view, denial, UCV_DENIAL_USED_UNKNOWN);
	long long used = denial->used + denial->pending;

	if (!view->plain || denial->asked < 2)
		return xasprintf("%s%lld", about, used);
	return xasprintf("%s%lld+%s%u", about, used, doubt(view, denial, UCV_DENIAL_ASKED_MORE),
			 denial->asked);
}

static char *flags_text(__u32 flags)
{
	static const struct {
		__u32 flag;
		const char *name;
	} names[] = {
		{ UCV_DENIAL_UNSURE, "unsure" },
		{ UCV_DENIAL_USED_UNKNOWN, "used-unknown" },
		{ UCV_DENIAL_ASKED_MORE, "asked-more" },
	};
	char *text = NULL, *longer;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!(flags & names[i].flag))
			continue;
		longer = xasprintf("%s%s%s", text ? text : "", text ? "," : "", names[i].name);
		free(text);
		text = longer;
	}
	return text;
}

static char *ns_cell(const struct ucv_denial *denial, size_t column)
{
	switch (column) {
	case COL_NS:
		return number_text(is_mount(denial) ? denial->mntns : denial->userns);
	case COL_NSID:
		return number_text(is_mount(denial) ? denial->mntns_id : denial->userns_id);
	case COL_USERNS:
		return number_text(denial->userns);
	case COL_MNTNS:
		return number_text(denial->mntns);
	case COL_CHARGED_USERNS:
		return number_text(denial->charged_userns);
	case COL_CHARGED_NSID:
		return number_text(denial->charged_id);
	case COL_CHARGED_LEVEL:
		return xasprintf("%u", denial->charged_level);
	case COL_CALLER_USERNS:
		return number_text(denial->caller_userns);
	case COL_CALLER_NSID:
		return number_text(denial->caller_id);
	}
	return NULL;
}

static char *who_cell(const struct ucv_denial *denial, size_t column)
{
	switch (column) {
	case COL_UID:
		return uid_text(denial->uid);
	case COL_UIDNS:
		return uid_text(denial->uid_in_ns);
	case COL_USER:
		return user_text(denial->uid);
	case COL_CHARGED_UID:
		return uid_text(denial->charged_uid);
	case COL_CALLER_UID:
		return uid_text(denial->caller_uid);
	case COL_PID:
		return number_text(denial->tgid);
	case COL_TID:
		return number_text(denial->pid);
	case COL_COMMAND:
		return name_text(denial->comm);
	default:
		return ns_cell(denial, column);
	}
}

/**
 * denial_cell() - a cell of a denial's line
 * @command: a struct denial_view
 * @row: a struct ucv_denial
 * @column: which column
 *
 * Return: allocated text or NULL, see table_line().
 */
char *denial_cell(const void *command, const void *row, size_t column)
{
	const struct denial_view *view = command;
	const struct ucv_denial *denial = row;

	switch (column) {
	case COL_TIME:
		return when_text(view, denial->time_ns);
	case COL_SEQ:
		return xasprintf("%llu", denial->seq);
	case COL_LOST:
		return xasprintf("%llu", denial->lost);
	case COL_MISSED:
		return xasprintf("%llu", view->missed);
	case COL_RESOURCE:
		return resource_text(view, denial->type, denial->resource);
	case COL_LEVEL:
		return xasprintf("%s%u", doubt(view, denial, UCV_DENIAL_UNSURE), denial->level);
	case COL_USED:
		return used_text(view, denial);
	case COL_PENDING:
		return is_mount(denial) ? xasprintf("%u", denial->pending) : NULL;
	case COL_ASKED:
		return xasprintf("%u", denial->asked);
	case COL_LIMIT:
		return xasprintf("%lld", denial->limit);
	case COL_FLAGS:
		return flags_text(denial->flags);
	default:
		return who_cell(denial, column);
	}
}

/**
 * denial_total_cell() - a cell of a total's line
 * @command: a struct denial_view
 * @row: a struct ucv_denial_count
 * @column: which column
 *
 * The sum of evicted counts (UCV_DENIAL_COUNT_OTHERS) has no resource, namespace or user.
 *
 * Return: allocated text or NULL, see table_line().
 */
char *denial_total_cell(const void *command, const void *row, size_t column)
{
	const struct ucv_denial_count *count = row;
	const struct denial_view *view = command;

	if (column == COL_DENIALS)
		return xasprintf("%llu", count->denials);
	if (column == COL_TIME)
		return when_text(view, count->last_ns);
	if (count->flags & UCV_DENIAL_COUNT_OTHERS)
		return column == COL_FLAGS ? xstrdup("others") : NULL;

	switch (column) {
	case COL_RESOURCE:
		return resource_text(view, count->type, count->resource);
	case COL_LEVEL:
		return xasprintf("%u", count->level);
	case COL_NS:
		return number_text(count->ns);
	case COL_NSID:
		return number_text(count->ns_id);
	case COL_UID:
		return uid_text(count->uid);
	case COL_USER:
		return user_text(count->uid);
	}
	return NULL;
}
