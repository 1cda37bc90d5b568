// SPDX-License-Identifier: GPL-2.0
/*
 * ucountview holders: list the holders of inotify and fanotify groups, and charges without a
 * known holder; by process, group or user, largest first.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accounting.h"
#include "format.h"
#include "options.h"
#include "procfs.h"
#include "snapshot.h"
#include "table.h"
#include "ucountview.h"

enum {
	COL_PID,
	COL_TID,
	COL_COMMAND,
	COL_KIND,
	COL_USERNS,
	COL_LEVEL,
	COL_UID,
	COL_UIDNS,
	COL_USER,
	COL_GROUPS,
	COL_MARKS,
	COL_SHARED,
	COL_PROCESSES,
	COL_HOLDERS,
	COL_FDS,
	COL_FLAGS,
};

static const struct column columns[] = {
	[COL_PID]     = NUMBER("PID", "process that holds it; by group: one of them"),
	[COL_TID]     = NUMBER("TID", "its thread, if that has a file table of its own"),
	[COL_COMMAND] = NAME("COMMAND", "command of PID, or of TID"),
	[COL_KIND]    = TEXT("KIND", "inotify or fanotify"),
	[COL_USERNS]  = NUMBER("USERNS", "user namespace that is charged: inode number"),
	[COL_LEVEL]   = NUMBER("LEVEL", "level of the user namespace: 0 for the initial one"),
	[COL_UID]     = NUMBER("UID", "who is charged, as the initial user namespace sees it"),
	[COL_UIDNS]   = NUMBER("UIDNS", "the same as USERNS sees it"),
	[COL_USER]    = NAME("USER", "name of UID"),
	[COL_GROUPS]  = NUMBER("GROUPS", "inotify instances or fanotify groups"),
	[COL_MARKS]   = NUMBER("MARKS", "their inotify watches or fanotify marks"),
	[COL_SHARED]  = NUMBER("SHARED", "how many of GROUPS others hold, too"),
	[COL_PROCESSES] = NUMBER("PROCESSES", "how many processes hold them"),
	[COL_HOLDERS] = NAME("HOLDERS", "by group: all that hold it, as PID:FD or PID:FD*NUMBER"),
	[COL_FDS]     = NUMBER("FDS", "by how many descriptors"),
	[COL_FLAGS]   = TEXT("FLAGS",
			     "unattributed: charged, and no process has it open"),
};

static const size_t process_columns[] = {
	COL_PID, COL_COMMAND, COL_KIND, COL_USERNS, COL_LEVEL, COL_UID, COL_USER, COL_GROUPS,
	COL_MARKS, COL_SHARED,
};

static const size_t group_columns[] = {
	COL_KIND, COL_USERNS, COL_LEVEL, COL_UID, COL_USER, COL_MARKS, COL_PID, COL_COMMAND,
	COL_HOLDERS,
};

static const size_t user_columns[] = {
	COL_KIND, COL_USERNS, COL_LEVEL, COL_UID, COL_USER, COL_GROUPS, COL_MARKS, COL_PROCESSES,
};

/* The key of a line, which all its holders share. Members that a mode does not use are 0. */
struct row_key {
	__u32 tgid;
	__u32 tid;
	__u32 group;
	__u32 type;
	__u32 userns;
	__u32 uid;
};

/* A holder, and the line that it belongs to. */
struct entry {
	struct row_key key;
	const struct ucv_holder *holder;
};

struct holders_row {
	struct row_key key;
	__u32 uid_in_ns;
	const struct ucv_holder *holder;	/* NULL: no known holder */
	const struct entry *entries;
	size_t nr_entries;
	unsigned int flags;			/* UCV_GROUP_* of any of the groups */
	long long groups;
	long long marks;
	unsigned long long fds;
	unsigned int shared;
	unsigned int processes;
	unsigned int unlisted;			/* most holders without a record, of any group */
};

struct holders {
	struct table table;
	struct filter filter;
	struct resource_names names;
	bool wanted[UCV_MAX_RESOURCES];
	unsigned int pid;
	struct row_key (*key_of)(const struct snapshot *snap, const struct ucv_holder *holder);
	const size_t *defaults;
	size_t nr_defaults;
	struct snapshot snap;
	struct entry *entries;
	size_t nr_entries;
	struct holders_row *rows;
	size_t nr_rows;
};

/* What groups and marks are charged to, by enum ucv_group_type. */
static const struct {
	const char *groups;
	const char *marks;
} resources[] = {
	[UCV_GROUP_INOTIFY]  = { "inotify_instances", "inotify_watches" },
	[UCV_GROUP_FANOTIFY] = { "fanotify_groups", "fanotify_marks" },
};

static struct row_key key_by_user(const struct snapshot *snap, const struct ucv_holder *holder)
{
	const struct ucv_group *group = &snap->groups[holder->group];

	return (struct row_key){
		.type = group->type,
		.userns = group->userns,
		.uid = group->uid,
	};
}

static struct row_key key_by_process(const struct snapshot *snap, const struct ucv_holder *holder)
{
	struct row_key key = key_by_user(snap, holder);

	key.tgid = holder->tgid;
	key.tid = holder->tid;
	return key;
}

static struct row_key key_by_group(const struct snapshot *snap, const struct ucv_holder *holder)
{
	struct row_key key = key_by_user(snap, holder);

	key.group = holder->group;
	return key;
}

static void print_help(const struct table *tb)
{
	fputs("\nUsage:\n"
	      " ucountview holders [options]\n"
	      "\nShow which processes hold inotify instances and fanotify groups, with how many\n"
	      "watches and marks, and what is charged although nobody is known to hold it.\n"
	      "\nOptions:\n"
	      "     --by <what>        a line for each process, group or user (process)\n"
	      " -p, --pid <pid>        only what this process holds\n"
	      " -R, --resource <name>  only what is charged to inotify_watches,\n"
	      "                        inotify_instances, fanotify_marks or fanotify_groups\n"
	      " -u, --user <user>      only what is charged to this user (uid or name)\n"
	      FILTER_USERNS_HELP
	      "     --top <num>        only those with the most\n"
	      TABLE_OPTIONS_HELP, stdout);
	table_help_columns(tb, stdout);
	fputs("\nExamples:\n"
	      " ucountview holders -R inotify_watches --top 10\n"
	      " ucountview holders -u alice --by group\n"
	      "\nFor more details see ucountview(8).\n", stdout);
}

static void set_mode(struct holders *h, const char *by)
{
	if (!strcmp(by, "process")) {
		h->key_of = key_by_process;
		h->defaults = process_columns;
		h->nr_defaults = ARRAY_SIZE(process_columns);
	} else if (!strcmp(by, "group")) {
		h->key_of = key_by_group;
		h->defaults = group_columns;
		h->nr_defaults = ARRAY_SIZE(group_columns);
	} else if (!strcmp(by, "user")) {
		h->key_of = key_by_user;
		h->defaults = user_columns;
		h->nr_defaults = ARRAY_SIZE(user_columns);
	} else {
		die("--by takes process, group or user, not %s", by);
	}
}

static void parse_options(struct holders *h, int argc, char **argv)
{
	enum { OPT_BY = 0x300 };
	static const struct option options[] = {
		{ "by",       required_argument, NULL, OPT_BY },
		{ "pid",      required_argument, NULL, 'p' },
		{ "resource", required_argument, NULL, 'R' },
		{ }
	};
	static const struct option * const groups[] = { options, filter_options, NULL };
	int opt;

	set_mode(h, "process");
	while ((opt = table_getopt(&h->table, argc, argv, groups)) != -1) {
		switch (opt) {
		case OPT_BY:
			set_mode(h, optarg);
			break;
		case 'p':
			h->pid = arg_pid(optarg);
			break;
		case 'R':
			arg_resource(&h->names, optarg);
			break;
		case 'h':
			print_help(&h->table);
			exit(EXIT_SUCCESS);
		default:
			filter_option(&h->filter, opt, optarg);
		}
	}
	args_end(argc, argv);
	if (h->filter.by_ratio)
		die("--min-ratio: holders have no limits of their own");
}

/* Only resources that groups can be charged to may be named. */
static void find_wanted(struct holders *h)
{
	bool all = !h->names.nr, some = false;

	find_resources(&h->names, &h->snap, h->wanted);
	for (size_t i = 0; i < h->snap.nr_resources; i++)
		some |= h->wanted[i] && holders_known_of(h->snap.resources[i].name);
	if (!all && !some)
		die("holders are known of inotify_watches, inotify_instances, %s only",
		    "fanotify_marks and fanotify_groups");
}

static bool wants_number(const struct holders *h, const char *name, long long number)
{
	size_t resource = snapshot_resource(&h->snap, name);

	return number > 0 && resource < h->snap.nr_resources && h->wanted[resource];
}

static bool wants_row(const struct holders *h, const struct holders_row *row)
{
	__u32 type = row->key.type == UCV_GROUP_INOTIFY ? UCV_GROUP_INOTIFY : UCV_GROUP_FANOTIFY;

	if (!filter_wants_user(&h->filter, row->key.uid, &h->snap.userns[row->key.userns]))
		return false;
	return wants_number(h, resources[type].groups, row->groups) ||
	       wants_number(h, resources[type].marks, row->marks);
}

static void add_row(struct holders *h, const struct holders_row *row)
{
	if (!wants_row(h, row))
		return;
	h->rows = xgrow(h->rows, h->nr_rows, sizeof(*h->rows));
	h->rows[h->nr_rows++] = *row;
}

static int compare_numbers(__u32 x, __u32 y)
{
	return x < y ? -1 : x > y;
}

/* By line, then by group, then by process, so that each can be counted once. */
static int compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int order = memcmp(&x->key, &y->key, sizeof(x->key));

	if (!order)
		order = compare_numbers(x->holder->group, y->holder->group);
	if (!order)
		order = compare_numbers(x->holder->tgid, y->holder->tgid);
	if (!order)
		order = compare_numbers(x->holder->tid, y->holder->tid);
	return order ? order : compare_numbers(x->holder->fd, y->holder->fd);
}

static int compare_tgids(const void *a, const void *b)
{
	return compare_numbers(*(const __u32 *)a, *(const __u32 *)b);
}

static unsigned int count_processes(const struct entry *entries, size_t nr)
{
	__u32 *tgids = xreallocarray(NULL, nr, sizeof(*tgids));
	unsigned int processes = 0;

	for (size_t i = 0; i < nr; i++)
		tgids[i] = entries[i].holder->tgid;
	qsort(tgids, nr, sizeof(*tgids), compare_tgids);
	for (size_t i = 0; i < nr; i++)
		processes += !i || tgids[i] != tgids[i - 1];
	free(tgids);
	return processes;
}

/* Number of holders of a group that have no record in the snapshot. */
static unsigned int unlisted_holders(const struct ucv_group *group)
{
	if (!(group->flags & UCV_GROUP_MORE_HOLDERS))
		return 0;
	return group->nr_holders - UCV_GROUP_MAX_HOLDERS;
}

/* Add a line for sorted holders with the same key. A group is counted once. */
static void add_up(struct holders *h, const struct entry *entries, size_t nr)
{
	struct holders_row row = {
		.key = entries[0].key,
		.uid_in_ns = h->snap.groups[entries[0].holder->group].uid_in_ns,
		.holder = entries[0].holder,
		.entries = entries,
		.nr_entries = nr,
		.processes = count_processes(entries, nr),
	};

	for (size_t i = 0, first = 0; i < nr; i++) {
		const struct ucv_group *group = &h->snap.groups[entries[i].holder->group];

		row.fds += entries[i].holder->nr_fds;
		if (i + 1 < nr && entries[i + 1].holder->group == entries[i].holder->group)
			continue;
		row.groups++;
		row.marks += group->marks;
		row.flags |= group->flags;
		row.shared += group->nr_holders > i + 1 - first;
		if (row.unlisted < unlisted_holders(group))
			row.unlisted = unlisted_holders(group);
		first = i + 1;
	}
	if (h->key_of != key_by_process)
		row.processes += row.unlisted;
	add_row(h, &row);
}

static bool same_row(const struct entry *x, const struct entry *y)
{
	return !memcmp(&x->key, &y->key, sizeof(x->key));
}

/* The groups that @pid holds, alone or shared; all groups if @pid is 0. */
static bool *groups_of(const struct snapshot *snap, unsigned int pid)
{
	bool *held = xreallocarray(NULL, snap->nr_groups, sizeof(*held));

	for (size_t i = 0; i < snap->nr_groups; i++)
		held[i] = !pid;
	for (size_t i = 0; i < snap->nr_holders; i++)
		held[snap->holders[i].group] |= snap->holders[i].tgid == pid;
	return held;
}

static void collect_entries(struct holders *h)
{
	bool *held = groups_of(&h->snap, h->pid);

	h->entries = xreallocarray(NULL, h->snap.nr_holders, sizeof(*h->entries));
	for (size_t i = 0; i < h->snap.nr_holders; i++) {
		const struct ucv_holder *holder = &h->snap.holders[i];

		if (!held[holder->group])
			continue;
		if (h->pid && h->key_of == key_by_process && holder->tgid != h->pid)
			continue;
		h->entries[h->nr_entries++] = (struct entry){
			.key = h->key_of(&h->snap, holder),
			.holder = holder,
		};
	}
	free(held);
	qsort(h->entries, h->nr_entries, sizeof(*h->entries), compare_entries);
}

/* How much of a counter no group accounts for. */
static long long left_of(const struct holders *h, const struct countermap *accounts,
			 const struct ucv_ucounts *uc, const char *name)
{
	size_t resource = snapshot_resource(&h->snap, name);
	long long left = unattributed(accounts, &h->snap.userns[uc->userns], uc->uid, resource);

	return left > 0 ? left : 0;
}

/*
 * Add charges without a known holder. They belong to no process, so not with --pid. Those of a
 * shadowed record are added to the one that new charges go to.
 */
static void collect_unattributed(struct holders *h)
{
	struct countermap accounts = { };

	accounts_add_snapshot(&accounts, &h->snap, LOOK_FIRST, false);
	for (size_t i = 0; i < h->snap.nr_ucounts * ARRAY_SIZE(resources); i++) {
		const struct ucv_ucounts *uc = &h->snap.ucounts[i / ARRAY_SIZE(resources)];
		__u32 type = i % ARRAY_SIZE(resources);

		if (snapshot_find(&h->snap, &h->snap.userns[uc->userns], uc->uid) != uc)
			continue;
		add_row(h, &(struct holders_row){
			.key = { .type = type, .userns = uc->userns, .uid = uc->uid },
			.uid_in_ns = uc->uid_in_ns,
			.groups = left_of(h, &accounts, uc, resources[type].groups),
			.marks = left_of(h, &accounts, uc, resources[type].marks),
		});
	}
	countermap_free(&accounts);
}

/* Largest first. */
static int compare_rows(const void *a, const void *b)
{
	const struct holders_row *x = a, *y = b;

	if (x->marks != y->marks)
		return x->marks > y->marks ? -1 : 1;
	if (x->groups != y->groups)
		return x->groups > y->groups ? -1 : 1;
	return memcmp(&x->key, &y->key, sizeof(x->key));
}

static void collect_rows(struct holders *h)
{
	collect_entries(h);
	for (size_t i = 0, first = 0; i < h->nr_entries; i++) {
		if (i + 1 < h->nr_entries && same_row(&h->entries[i], &h->entries[i + 1]))
			continue;
		add_up(h, &h->entries[first], i + 1 - first);
		first = i + 1;
	}
	if (!h->pid)
		collect_unattributed(h);
	if (h->nr_rows)
		qsort(h->rows, h->nr_rows, sizeof(*h->rows), compare_rows);
	if (h->filter.top && h->filter.top < h->nr_rows)
		h->nr_rows = h->filter.top;
}

static char *append(char *text, char *more)
{
	char *both = xasprintf("%s%s%s", text ? text : "", text ? "," : "", more);

	free(text);
	free(more);
	return both;
}

static char *holder_text(const struct ucv_holder *holder)
{
	__u32 pid = holder->tid ? holder->tid : holder->tgid;

	if (holder->nr_fds < 2)
		return xasprintf("%u:%u", pid, holder->fd);
	return xasprintf("%u:%u*%u", pid, holder->fd, holder->nr_fds);
}

/* "203:5,204:5*12,+3": +3 stands for three holders without a record */
static char *holders_text(const struct holders_row *row)
{
	char *text = NULL;

	for (size_t i = 0; i < row->nr_entries; i++)
		text = append(text, holder_text(row->entries[i].holder));
	if (row->unlisted)
		text = append(text, xasprintf("+%u", row->unlisted));
	return text;
}

static char *flags_text(const struct holders_row *row)
{
	static const struct {
		unsigned int flag;
		const char *name;
	} flags[] = {
		{ UCV_GROUP_UNLIMITED_QUEUE, "unlimited_queue" },
		{ UCV_GROUP_UNLIMITED_MARKS, "unlimited_marks" },
		{ UCV_GROUP_LAGGING, "lagging" },
		{ UCV_GROUP_CLOSED, "closed" },
		{ UCV_GROUP_MORE_HOLDERS, "more_holders" },
	};
	char *text = row->holder ? NULL : xstrdup("unattributed");

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		if (row->flags & flags[i].flag)
			text = append(text, xstrdup(flags[i].name));
	}
	return text;
}

/* Cells about a process; empty if the line is about none. */
static char *holder_cell(const struct holders *h, const struct holders_row *row, size_t column)
{
	if (!row->holder || h->key_of == key_by_user)
		return NULL;

	switch (column) {
	case COL_PID:
		return xasprintf("%u", row->holder->tgid);
	case COL_TID:
		return number_text(row->holder->tid);
	case COL_COMMAND:
		return name_text(row->holder->comm);
	case COL_HOLDERS:
		return h->key_of == key_by_group ? holders_text(row) : NULL;
	}
	return NULL;
}

static char *cell(const void *command, const void *line, size_t column)
{
	const struct holders *h = command;
	const struct holders_row *row = line;
	const struct ucv_userns *ns = &h->snap.userns[row->key.userns];

	switch (column) {
	case COL_KIND:
		return xstrdup(row->key.type == UCV_GROUP_INOTIFY ? "inotify" : "fanotify");
	case COL_USERNS:
		return xasprintf("%u", ns->inum);
	case COL_LEVEL:
		return xasprintf("%u", ns->level);
	case COL_UID:
		return uid_text(row->key.uid);
	case COL_UIDNS:
		return uid_text(row->uid_in_ns);
	case COL_USER:
		return user_text(row->key.uid);
	case COL_GROUPS:
		return xasprintf("%lld", row->groups);
	case COL_MARKS:
		return xasprintf("%lld", row->marks);
	case COL_SHARED:
		return xasprintf("%u", row->shared);
	case COL_PROCESSES:
		return xasprintf("%u", row->processes);
	case COL_FDS:
		return xasprintf("%llu", row->fds);
	case COL_FLAGS:
		return flags_text(row);
	default:
		return holder_cell(h, row, column);
	}
}

static void print_rows(struct holders *h)
{
	bool flagged = h->table.json || h->table.raw;

	for (size_t i = 0; i < h->nr_rows; i++)
		flagged |= !h->rows[i].holder || h->rows[i].flags;
	if (flagged)
		table_show_also(&h->table, COL_FLAGS);
	table_begin(&h->table);
	for (size_t i = 0; i < h->nr_rows; i++)
		table_line(&h->table, NULL, cell, h, &h->rows[i]);
	table_print(&h->table);
}

/* Holders without a record have no line of their own: report how many there are. */
static void print_unlisted(const struct holders *h)
{
	unsigned int most = 0;

	for (size_t i = 0; i < h->nr_rows; i++) {
		if (h->rows[i].unlisted > most)
			most = h->rows[i].unlisted;
	}
	if (!most || h->key_of != key_by_process)
		return;
	fprintf(stderr, "ucountview: %u or more processes hold the same ", most);
	fprintf(stderr, "and are not listed: of each group, %u are\n", UCV_GROUP_MAX_HOLDERS);
}

/**
 * cmd_holders() - ucountview holders
 * @argc: number of arguments
 * @argv: the arguments, the program's name first
 *
 * Return: the exit status.
 */
int cmd_holders(int argc, char **argv)
{
	struct holders h = {
		.table = {
			.name = "holders",
			.columns = columns,
			.nr_columns = ARRAY_SIZE(columns),
		},
	};

	parse_options(&h, argc, argv);
	table_open(&h.table, h.defaults, h.nr_defaults);
	if (h.pid)
		processes_check_viewpoint();
	filter_find(&h.filter);
	snapshot_take(&h.snap, UCV_MASK(UCV_KIND_RESOURCE) | UCV_MASK(UCV_KIND_UCOUNTS) |
		      UCV_MASK(UCV_KIND_HOLDER), 0);
	filter_check(&h.filter, &h.snap);
	find_wanted(&h);
	collect_rows(&h);
	print_rows(&h);
	print_unlisted(&h);
	free(h.entries);
	free(h.rows);
	snapshot_free(&h.snap);
	table_close(&h.table);
	return EXIT_SUCCESS;
}
