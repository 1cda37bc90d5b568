// SPDX-License-Identifier: GPL-2.0
/*
 * ucountview holders: list the holders of inotify and fanotify groups, and charges without a
 * known holder; by process, command, group or user, largest first. For namespaces, see
 * holders_namespaces.c.
 */
#include <stdlib.h>
#include <string.h>

#include "accounting.h"
#include "containers.h"
#include "format.h"
#include "holders_namespaces.h"
#include "options.h"
#include "procfs.h"
#include "snapshot.h"
#include "table.h"
#include "ucountview.h"

static const struct column columns[] = {
	NUMBER("PID", "process that holds it; by group or command: one of them"),
	NUMBER("TID", "its thread, if that has a file table of its own"),
	NAME("COMMAND", "command of PID, or of TID"),
	TEXT("KIND", "inotify, fanotify, or type of the namespaces"),
	NUMBER("USERNS", "inode number of the charged user namespace"),
	NUMBER("LEVEL", "level of the user namespace: 0 for the initial one"),
	NUMBER("UID", "charged user, as seen in the initial user namespace"),
	NUMBER("UIDNS", "the same as seen in USERNS"),
	NAME("USER", "name of UID"),
	NUMBER("GROUPS", "inotify instances or fanotify groups"),
	NUMBER("MARKS", "their inotify watches or fanotify marks"),
	NUMBER("SHARED", "number of GROUPS or NAMESPACES that others hold, too"),
	NUMBER("PROCESSES", "number of processes that hold them"),
	NAME("HOLDERS", "by group or namespace: its holders, as PID:FD or PID:FD*NUMBER"),
	NUMBER("FDS", "number of descriptors"),
	TEXT("FLAGS", "unattributed: charged, but not open in any process"),
	NUMBER("NAMESPACES", "number of namespaces"),
	TEXT("VIA", "how they are held: member, open, mount or child"),
	NUMBER("NS", "by namespace: its inode number"),
	NUMBER("MNTNS", "mount: mount namespace that has it, with PID in it"),
	NAME("PATH", "mount: path, as PID sees it; of several, one of them"),
	UNIT_COLUMN("PID"),
	SLICE_COLUMN,
	CONTAINER_COLUMN("PID"),
	POD_COLUMN,
	{ }
};

static const struct opt options[] = {
	{ OPT_BY, "by", "what", "a line for each process, command, group (or namespace),\n"
	  "user or systemd unit (process)" },
	CONTAINER_OPTION("only what processes of this container hold: its name or\n"
			 "ID, or how only its ID begins"),
	{ 'p', "pid", "pid", "only what this process holds" },
	{ 'R', "resource", "name", "only what is charged to inotify_watches,\n"
	  "inotify_instances, fanotify_marks or fanotify_groups;\n"
	  "or namespaces: net_namespaces, user_namespaces ..." },
	{ 'u', "user", "user", "only what is charged to this user (uid or name)" },
	USERNS_OPTION,
	{ OPT_MIN_RATIO, "min-ratio", "num", NULL },
	{ OPT_TOP, "top", "num", "only those with the most" },
	{ }
};

/* The key of a line, which all its holders share. Members that a mode does not use are 0. */
struct row_key {
	__u32 tgid;
	__u32 tid;
	__u32 group;
	__u32 type;
	__u32 userns;
	__u32 uid;
	__u32 unit;			/* process_unit_number() */
	char comm[UCV_COMM_LEN];	/* zeroed after its end */
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

/* What groups and marks are charged to, by enum ucv_group_type. */
static const struct {
	const char *groups;
	const char *marks;
} resources[] = {
	[UCV_GROUP_INOTIFY]  = { "inotify_instances", "inotify_watches" },
	[UCV_GROUP_FANOTIFY] = { "fanotify_groups", "fanotify_marks" },
};

/* What has a line of its own, and the default columns then. */
enum mode {
	BY_PROCESS,
	BY_COMMAND,
	BY_GROUP,
	BY_USER,
	BY_UNIT,
};

static const struct {
	const char *name;
	const char *columns;
	const char *optional;	/* in raw output, FLAGS alone */
} modes[] = {
	[BY_PROCESS] = { "process",
			 "PID,COMMAND,KIND,USERNS,LEVEL,UID,USER,GROUPS,MARKS,SHARED",
			 "FLAGS," OPTIONAL_UNIT_COLUMNS },
	[BY_COMMAND] = { "command", "COMMAND,KIND,PROCESSES,GROUPS,MARKS,SHARED,PID", "FLAGS" },
	[BY_GROUP] = { "group", "KIND,USERNS,LEVEL,UID,USER,MARKS,PID,COMMAND,HOLDERS",
		       "FLAGS," OPTIONAL_UNIT_COLUMNS },
	[BY_USER] = { "user", "KIND,USERNS,LEVEL,UID,USER,GROUPS,MARKS,PROCESSES", "FLAGS" },
	[BY_UNIT] = { "unit", "UNIT,CONTAINER,KIND,PROCESSES,GROUPS,MARKS,SHARED,PID,COMMAND",
		      "FLAGS" },
};

struct holders {
	const struct args *args;
	enum mode mode;
	bool narrow;	/* the plain table has no FLAGS if all it would say is "unattributed" */
	bool wanted[UCV_MAX_RESOURCES];
	struct snapshot snap;
	size_t groups[ARRAY_SIZE(resources)];	/* the resources' numbers in @snap */
	size_t marks[ARRAY_SIZE(resources)];
	struct entry *entries;
	size_t nr_entries;
	struct holders_row *rows;
	size_t nr_rows;
};

static enum mode find_mode(const char *by)
{
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		if (!strcmp(modes[i].name, by))
			return i;
	}
	die("invalid argument of --by: %s (process, command, group, user or unit)", by);
}

/* Whether a line is about users of all user namespaces. */
static bool of_all_users(const struct holders *h)
{
	return h->mode == BY_COMMAND || h->mode == BY_UNIT;
}

static struct row_key key_of(const struct holders *h, const struct ucv_holder *holder)
{
	const struct ucv_group *group = &h->snap.groups[holder->group];
	struct row_key key = { .type = group->type };

	if (h->mode == BY_COMMAND) {
		snprintf(key.comm, sizeof(key.comm), "%s", holder->comm);
		return key;
	}
	if (h->mode == BY_UNIT) {
		key.unit = process_unit_number(holder->tgid);
		return key;
	}
	key.tgid = h->mode == BY_PROCESS ? holder->tgid : 0;
	key.tid = h->mode == BY_PROCESS ? holder->tid : 0;
	key.group = h->mode == BY_GROUP ? holder->group : 0;
	key.userns = group->userns;
	key.uid = group->uid;
	return key;
}

/* Only resources that groups can be charged to may be named. */
static void find_wanted(struct holders *h)
{
	bool all = !h->args->resources.nr, some = false;

	for (size_t i = 0; i < ARRAY_SIZE(resources); i++) {
		h->groups[i] = snapshot_resource(&h->snap, resources[i].groups);
		h->marks[i] = snapshot_resource(&h->snap, resources[i].marks);
	}
	find_resources(h->args, &h->snap, false, h->wanted);
	for (size_t i = 0; i < h->snap.nr_resources; i++)
		some |= h->wanted[i] && holders_known_of(h->snap.resources[i].name);
	if (!all && !some)
		die("unsupported resource: only inotify_watches, inotify_instances, %s",
		    "fanotify_marks, fanotify_groups and *_namespaces");
}

static bool wants_number(const struct holders *h, size_t resource, long long number)
{
	return number > 0 && resource < h->snap.nr_resources && h->wanted[resource];
}

static bool wants_row(const struct holders *h, const struct holders_row *row)
{
	__u32 type = row->key.type == UCV_GROUP_INOTIFY ? UCV_GROUP_INOTIFY : UCV_GROUP_FANOTIFY;

	return wants_number(h, h->groups[type], row->groups) ||
	       wants_number(h, h->marks[type], row->marks);
}

static void add_row(struct holders *h, const struct holders_row *row)
{
	if (!wants_row(h, row))
		return;
	h->rows = xgrow(h->rows, h->nr_rows, sizeof(*h->rows));
	h->rows[h->nr_rows++] = *row;
}

/* By line, then by group, then by process, so that each can be counted once. */
static int compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return memcmp(&x->key, &y->key, sizeof(x->key)) ?:
	       COMPARE(x->holder->group, y->holder->group) ?:
	       COMPARE(x->holder->tgid, y->holder->tgid) ?:
	       COMPARE(x->holder->tid, y->holder->tid) ?:
	       COMPARE(x->holder->fd, y->holder->fd);
}

static int compare_tgids(const void *a, const void *b)
{
	return COMPARE(*(const __u32 *)a, *(const __u32 *)b);
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
	if (h->mode == BY_GROUP || h->mode == BY_USER)
		row.processes += row.unlisted;
	add_row(h, &row);
}

static bool same_row(const struct entry *x, const struct entry *y)
{
	return !memcmp(&x->key, &y->key, sizeof(x->key));
}

/* The groups that chosen processes hold, alone or shared; all groups if none are chosen. */
static bool *chosen_groups(const struct snapshot *snap, const struct args *args)
{
	bool *held = xreallocarray(NULL, snap->nr_groups, sizeof(*held));

	for (size_t i = 0; i < snap->nr_groups; i++)
		held[i] = !names_processes(args);
	for (size_t i = 0; i < snap->nr_holders; i++)
		held[snap->holders[i].group] |= wants_process(args, snap->holders[i].tgid);
	return held;
}

static void collect_entries(struct holders *h)
{
	bool *held = chosen_groups(&h->snap, h->args);

	h->entries = xreallocarray(NULL, h->snap.nr_holders, sizeof(*h->entries));
	for (size_t i = 0; i < h->snap.nr_holders; i++) {
		const struct ucv_holder *holder = &h->snap.holders[i];
		const struct ucv_group *group = &h->snap.groups[holder->group];

		if (!held[holder->group] ||
		    (h->mode == BY_PROCESS && !wants_process(h->args, holder->tgid)) ||
		    !wants_user(h->args, group->uid, &h->snap.userns[group->userns]))
			continue;
		h->entries[h->nr_entries++] = (struct entry){
			.key = key_of(h, holder),
			.holder = holder,
		};
	}
	free(held);
	qsort(h->entries, h->nr_entries, sizeof(*h->entries), compare_entries);
}

/* How much of a counter no group accounts for. */
static long long left_of(const struct holders *h, const struct countermap *accounts,
			 const struct ucv_ucounts *uc, size_t resource)
{
	long long left = unattributed(accounts, &h->snap.userns[uc->userns], uc->uid, resource);

	return left > 0 ? left : 0;
}

/* A line for each user; by command or unit, one for all users. */
static void add_unattributed(struct holders *h, struct holders_row *sum,
			     const struct holders_row *row)
{
	if (!of_all_users(h)) {
		add_row(h, row);
		return;
	}
	sum->key.type = row->key.type;
	sum->groups += row->groups;
	sum->marks += row->marks;
}

/*
 * Add charges without a known holder. They belong to no process, so not with --pid or --container.
 * Those of a shadowed record are added to the one that new charges go to.
 */
static void collect_unattributed(struct holders *h)
{
	struct holders_row sums[ARRAY_SIZE(resources)] = { };
	struct countermap accounts = { };

	accounts_add_snapshot(&accounts, &h->snap, LOOK_FIRST, false);
	for (size_t i = 0; i < h->snap.nr_ucounts * ARRAY_SIZE(resources); i++) {
		const struct ucv_ucounts *uc = &h->snap.ucounts[i / ARRAY_SIZE(resources)];
		const struct ucv_userns *ns = &h->snap.userns[uc->userns];
		__u32 type = i % ARRAY_SIZE(resources);

		if (snapshot_find(&h->snap, ns, uc->uid) != uc ||
		    !wants_user(h->args, uc->uid, ns))
			continue;
		add_unattributed(h, &sums[type], &(struct holders_row){
			.key = { .type = type, .userns = uc->userns, .uid = uc->uid },
			.uid_in_ns = uc->uid_in_ns,
			.groups = left_of(h, &accounts, uc, h->groups[type]),
			.marks = left_of(h, &accounts, uc, h->marks[type]),
		});
	}
	for (size_t i = 0; i < ARRAY_SIZE(sums); i++)
		add_row(h, &sums[i]);
	countermap_free(&accounts);
}

/* Largest first. */
static int compare_rows(const void *a, const void *b)
{
	const struct holders_row *x = a, *y = b;

	return COMPARE(y->marks, x->marks) ?: COMPARE(y->groups, x->groups) ?:
	       memcmp(&x->key, &y->key, sizeof(x->key));
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
	if (!names_processes(h->args))
		collect_unattributed(h);
	h->nr_rows = sort_rows(h->args, h->rows, h->nr_rows, sizeof(*h->rows), compare_rows);
}

static char *add_holder(char *text, const struct ucv_holder *holder)
{
	__u32 pid = holder->tid ? holder->tid : holder->tgid;

	if (holder->nr_fds < 2)
		return list_add(text, ",", "%u:%u", pid, holder->fd);
	return list_add(text, ",", "%u:%u*%u", pid, holder->fd, holder->nr_fds);
}

/* "203:5,204:5*12,+3": +3 stands for three holders without a record */
static char *holders_text(const struct holders_row *row)
{
	char *text = NULL;

	for (size_t i = 0; i < row->nr_entries; i++)
		text = add_holder(text, row->entries[i].holder);
	return row->unlisted ? list_add(text, ",", "+%u", row->unlisted) : text;
}

/* A line about a user is about no process. */
static void fill_holder(const struct holders *h, struct table *tb, const struct holders_row *row)
{
	if (!row->holder && h->narrow)
		cell(tb, "COMMAND", "unattributed");
	if (!row->holder || h->mode == BY_USER)
		return;
	cell_number(tb, "PID", row->holder->tgid);
	cell_nonzero(tb, "TID", row->holder->tid);
	cell_command(tb, row->holder->comm);
	cells_unit(tb, &unit_columns, row->holder->tgid);
	if (h->mode == BY_GROUP && table_shows(tb, "HOLDERS"))
		cell_text(tb, "HOLDERS", holders_text(row));
}

static void fill_flags(const struct holders *h, struct table *tb, const struct holders_row *row)
{
	static const struct flag_name flags[] = {
		{ UCV_GROUP_UNLIMITED_QUEUE, "unlimited_queue" },
		{ UCV_GROUP_UNLIMITED_MARKS, "unlimited_marks" },
		{ UCV_GROUP_LAGGING, "lagging" },
		{ UCV_GROUP_CLOSED, "closed" },
		{ UCV_GROUP_MORE_HOLDERS, "more_holders" },
		{ }
	};

	if (row->holder)
		cell_flags(tb, row->flags, flags);
	else if (!h->narrow)
		cell(tb, "FLAGS", "unattributed");
}

static void fill_user(const struct holders *h, struct table *tb, const struct holders_row *row)
{
	const struct ucv_userns *ns = &h->snap.userns[row->key.userns];

	if (of_all_users(h))
		return;
	cell_number(tb, "USERNS", ns->inum);
	cell_number(tb, "LEVEL", ns->level);
	cell_uid(tb, "UID", row->key.uid);
	cell_uid(tb, "UIDNS", row->uid_in_ns);
	cell_user(tb, row->key.uid);
}

static void fill_row(const struct holders *h, struct table *tb, const struct holders_row *row)
{
	table_line(tb, NULL);
	fill_holder(h, tb, row);
	cell(tb, "KIND", row->key.type == UCV_GROUP_INOTIFY ? "inotify" : "fanotify");
	fill_user(h, tb, row);
	cell_number(tb, "GROUPS", row->groups);
	cell_number(tb, "MARKS", row->marks);
	cell_number(tb, "SHARED", row->shared);
	cell_number(tb, "PROCESSES", row->processes);
	cell_unsigned(tb, "FDS", row->fds);
	fill_flags(h, tb, row);
}

/* Holders without a record have no line of their own: report how many there are. */
static void print_unlisted(const struct holders *h)
{
	unsigned int most = 0;

	for (size_t i = 0; i < h->nr_rows; i++) {
		if (h->rows[i].unlisted > most)
			most = h->rows[i].unlisted;
	}
	if (!most || h->mode == BY_GROUP || h->mode == BY_USER)
		return;
	note("at least %u holders are missing: at most %u per group are listed", most,
	     UCV_GROUP_MAX_HOLDERS);
}

static int run(struct args *args, struct table *tb)
{
	struct holders h = { .args = args };

	if (args->by_ratio)
		die("unsupported option: --min-ratio (holders have no limits)");
	if (holders_of_namespaces_wanted(args))
		return holders_of_namespaces(args, tb);
	h.mode = find_mode(args->by ?: "process");
	table_open(tb, modes[h.mode].columns, tb->raw ? "FLAGS" : modes[h.mode].optional);
	h.narrow = table_hides(tb, "FLAGS") && table_shows(tb, "COMMAND");
	if (args->pid || h.mode == BY_UNIT)
		processes_check_viewpoint();
	args_look_up(args);
	snapshot_take(&h.snap, UCV_MASK(UCV_KIND_RESOURCE) | UCV_MASK(UCV_KIND_UCOUNTS) |
		      UCV_MASK(UCV_KIND_HOLDER), 0);
	args_check(args, &h.snap);
	find_wanted(&h);
	collect_rows(&h);
	table_begin(tb);
	for (size_t i = 0; i < h.nr_rows; i++)
		fill_row(&h, tb, &h.rows[i]);
	table_print(tb);
	print_unlisted(&h);
	free(h.entries);
	free(h.rows);
	snapshot_free(&h.snap);
	return EXIT_SUCCESS;
}

const struct command cmd_holders = {
	.name = "holders",
	.summary = "processes that hold inotify and fanotify groups, or namespaces",
	.synopsis = " ucountview holders [options]",
	.about =
		"Show the processes that hold inotify instances and fanotify groups, with the\n"
		"number of watches and marks, and what is charged but not open in any process.\n"
		"With -R *_namespaces: what holds namespaces.",
	.options = options,
	.columns = columns,
	.notes =
		"\nExamples:\n"
		" ucountview holders -R inotify_watches --top 10\n"
		" ucountview holders --by command\n"
		" ucountview holders -c 3f2a --by group\n"
		" ucountview holders -u alice --by group\n"
		" ucountview holders -R net_namespaces\n",
	.run = run,
};
