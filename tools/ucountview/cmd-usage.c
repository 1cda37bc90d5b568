// SPDX-License-Identifier: GPL-2.0
/*
 * ucountview usage: list every counter in use with its limit, fullest first.
 */
#include <stdlib.h>

#include "charge.h"
#include "containers.h"
#include "countermap.h"
#include "format.h"
#include "options.h"
#include "snapshot.h"
#include "table.h"
#include "ucountview.h"
#include "watch.h"

#define COLUMNS		"USERNS,LEVEL,UID,USER,RESOURCE,USED,LIMIT,USE%"
#define WATCH_COLUMNS	"USERNS,LEVEL,UID,USER,RESOURCE,USED,PEAK,DELTA,LIMIT,USE%"

static const struct column columns[] = {
	NUMBER("USERNS", "user namespace: inode number, as in /proc/PID/ns/user"),
	NUMBER("NSID", "its unique 64-bit ID (Linux 6.18 and later)"),
	NUMBER("LEVEL", "its level: 0 for the initial user namespace"),
	NUMBER("PARENT", "inode number of its parent"),
	NUMBER("OWNER", "uid of its creator, charged too, in the parent"),
	NUMBER("UID", "charged user, as seen in the initial user namespace; none: all"),
	NUMBER("UIDNS", "the same as seen in the user namespace"),
	NAME("USER", "name of UID"),
	TEXT("RESOURCE", "what is counted"),
	TEXT("TYPE", "ucount (limit of the namespace) or rlimit (of each process)"),
	TEXT("UNIT", "objects, bytes or pages"),
	NUMBER("USED", "current charge, including descendants"),
	NUMBER("LIMIT", "limit of the namespace for each user (JSON: null if none)"),
	NUMBER("USE%", "USED in percent of LIMIT; 100 if LIMIT is 0"),
	NUMBER("RATIO", "USED divided by LIMIT; 1 if LIMIT is 0"),
	NUMBER("BIND-USERNS", "the namespace or ancestor with the least capacity left"),
	NUMBER("BIND-LEVEL", "its level"),
	NUMBER("BIND-UID", "user charged there"),
	NUMBER("ROOM", "what can still be charged, considering all levels"),
	NUMBER("PID", "example of a process in the user namespace"),
	NAME("COMMAND", "command of PID"),
	TEXT("FLAGS", "shadowed: new charges go to another row; disabled: LIMIT is 0"),
	NUMBER("PEAK", "with --watch: highest USED so far"),
	NUMBER("DELTA", "with --watch: change of USED since the previous round"),
	SPARE_NAME("PID-UNIT", "systemd unit of PID"),
	SLICE_COLUMN,
	CONTAINER_COLUMN("PID"),
	POD_COLUMN,
	{ }
};

/* UNIT is that of the counter. */
static const struct unit_columns pid_columns = { "PID-UNIT", "SLICE", "CONTAINER", "POD" };

static const struct opt options[] = {
	{ 'a', "all", NULL, "include counters that are 0" },
	{ 'R', "resource", "name", "only this resource (may be given more than once)" },
	{ 'u', "user", "user", "only what is charged to this user (uid or name)" },
	USERNS_OPTION,
	RATIO_OPTION,
	TOP_OPTION,
	WATCH_OPTION,
	COUNT_OPTION,
	{ }
};

/* In FLAGS, besides UCV_UCOUNTS_SHADOWED: the limit is 0. */
#define FLAG_DISABLED	0x80000000U

/* Has no pointer to the record of the user, which may be gone. */
struct usage_row {
	__u32 nr;			/* of the record; EVERYONE */
	__u32 uid;
	__u32 uid_in_ns;
	__u32 flags;			/* UCV_UCOUNTS_* */
	const struct ucv_userns *ns;
	const struct ucv_resource *res;
	struct counter counter;
	struct trend trend;
};

struct usage {
	const struct args *args;
	struct table *tb;
	bool wanted[UCV_MAX_RESOURCES];
	bool shows_binding;
	bool shows_unit;
	bool zeroes;	/* counters that are 0 may have rows, too */
	struct trends trends;
	struct snapshot snap;
	bool *charged;	/* for each resource of each namespace, whether something is; or NULL */
	struct snapshot examples;	/* the user namespaces, if @snap has no processes */
	struct usage_row *rows;
	size_t nr_rows;
	bool sorted;	/* the first of them, as many as --top says, are */
};

/* A row of this number stands for all users of a namespace, to whom nothing is charged. */
#define EVERYONE	0xffffffffU

static bool is_disabled(const struct counter *counter)
{
	return counter->kind == LIMITED && counter->limit <= 0;
}

/* Rows that are not shown in this round are tracked, too: the next round may show them. */
static struct trend see(struct usage *u, const struct usage_row *row)
{
	struct counter_key key = key_counter(row->ns, row->uid, row->res - u->snap.resources);

	key.flags = row->flags & UCV_UCOUNTS_SHADOWED;
	return trends_see(&u->trends, key, row->counter.used);
}

/* compare_rows(), as far as these tell, with a row of which there is nothing more yet. */
static int compare_counter(const struct counter *counter, const struct ucv_userns *ns, __u32 uid,
			   const struct usage_row *row)
{
	return COMPARE(counter->kind, row->counter.kind) ?:
	       COMPARE(row->counter.ratio, counter->ratio) ?:
	       COMPARE(ns->level, row->ns->level) ?:
	       COMPARE(uid, row->uid);
}

static int compare_rows(const void *a, const void *b)
{
	const struct usage_row *x = a, *y = b;

	return compare_counter(&x->counter, x->ns, x->uid, y) ?:
	       COMPARE(x->res, y->res) ?:
	       COMPARE(x->nr, y->nr) ?:
	       COMPARE(x->ns, y->ns);
}

static void sort(struct usage *u)
{
	u->nr_rows = sort_rows(u->args, u->rows, u->nr_rows, sizeof(*u->rows), compare_rows);
}

/* With --top, rows that cannot be among the first are dropped early: few are kept and sorted. */
static void add_row(struct usage *u, const struct usage_row *row)
{
	size_t top = u->args->top;

	if (!wants_counter(u->args, &row->counter) ||
	    (u->sorted && compare_rows(row, &u->rows[top - 1]) > 0))
		return;
	u->rows = xgrow(u->rows, u->nr_rows, sizeof(*u->rows));
	u->rows[u->nr_rows++] = *row;
	if (!top || u->nr_rows / 2 < top)
		return;
	sort(u);
	u->sorted = true;
}

/* Of the users to whom nothing is charged, only one named by --user has rows of disabled ones. */
static bool is_of_interest(const struct usage *u, const struct counter *counter)
{
	return u->args->all || counter->used > 0 || (u->args->user && is_disabled(counter));
}

static void note_charged(struct usage *u, const struct ucv_ucounts *uc)
{
	bool *charged = &u->charged[uc->userns * u->snap.nr_resources];

	for (size_t i = 0; i < u->snap.nr_resources; i++)
		charged[i] |= uc->used[i] > 0;
}

/* With --top, most rows are known to be none of the first before they are made. */
static bool is_late(const struct usage *u, const struct counter *counter,
		    const struct ucv_userns *ns, __u32 uid)
{
	return u->sorted && compare_counter(counter, ns, uid, &u->rows[u->args->top - 1]) > 0;
}

static void add_counter(struct usage *u, const struct ucv_ucounts *uc, size_t nr, size_t resource)
{
	const struct ucv_userns *ns = &u->snap.userns[uc->userns];
	struct counter counter = counter_of(&u->snap, ns, uc, resource);
	bool trend = u->args->interval > 0;
	struct usage_row row;

	if (!trend && is_late(u, &counter, ns, uc->uid))
		return;
	row = (struct usage_row){
		.nr = nr,
		.uid = uc->uid,
		.uid_in_ns = uc->uid_in_ns,
		.flags = uc->flags,
		.ns = ns,
		.res = &u->snap.resources[resource],
		.counter = counter,
	};
	if (trend)
		row.trend = see(u, &row);
	if (is_of_interest(u, &row.counter))
		add_row(u, &row);
}

/* The next resource from this one on of which the user may have a row. */
static size_t next_resource(const struct usage *u, const struct ucv_ucounts *uc, size_t resource)
{
	size_t nr = u->snap.nr_resources;

	if (u->zeroes)
		return resource;
	while (resource < nr && !uc->used[resource])
		resource++;
	return resource;
}

static void add_rows(void *usage, const struct ucv_ucounts *uc, size_t nr)
{
	struct usage *u = usage;
	size_t resource;

	if (u->charged)
		note_charged(u, uc);
	if (!wants_user(u->args, uc->uid, &u->snap.userns[uc->userns]))
		return;
	for (resource = next_resource(u, uc, 0); resource < u->snap.nr_resources;
	     resource = next_resource(u, uc, resource + 1)) {
		if (u->wanted[resource])
			add_counter(u, uc, nr, resource);
	}
}

static bool any_disabled(const struct snapshot *snap)
{
	size_t nr = snap->nr_resources;

	for (size_t i = 0; i < snap->nr_userns * nr; i++) {
		struct counter counter = counter_of(snap, &snap->userns[i / nr], NULL, i % nr);

		if (is_disabled(&counter))
			return true;
	}
	return false;
}

static void add_disabled(struct usage *u, const struct ucv_userns *ns, size_t resource)
{
	struct usage_row row = {
		.nr = EVERYONE,
		.uid = UCV_UID_UNMAPPED,
		.uid_in_ns = UCV_UID_UNMAPPED,
		.ns = ns,
		.res = &u->snap.resources[resource],
		.counter = counter_of(&u->snap, ns, NULL, resource),
	};

	if (!is_disabled(&row.counter) || !ns->nr_ucounts || !u->wanted[resource] ||
	    !wants_user(u->args, row.uid, ns))
		return;
	if (u->args->interval > 0)
		row.trend = see(u, &row);
	add_row(u, &row);
}

/*
 * A limit of 0 refuses everything, so there may be no charge that would show it: add one row for
 * all users of the namespace. Where something is charged, and with --user, users' rows show it.
 */
static void add_all_disabled(struct usage *u)
{
	size_t nr = u->snap.nr_resources;

	if (!u->charged)
		return;
	for (size_t i = 0; i < u->snap.nr_userns * nr; i++) {
		if (!u->charged[i])
			add_disabled(u, &u->snap.userns[i / nr], i % nr);
	}
}

static void begin_charged(struct usage *u)
{
	if (!u->args->all && !u->args->user && any_disabled(&u->snap))
		u->charged = xcalloc(u->snap.nr_userns * u->snap.nr_resources,
				     sizeof(*u->charged));
}

static void forget(struct usage *u)
{
	free(u->charged);
	u->charged = NULL;
	free(u->rows);
	u->rows = NULL;
	u->nr_rows = 0;
	u->sorted = false;
	snapshot_free(&u->snap);
	snapshot_free(&u->examples);
	process_names_forget();
}

static bool shows_binding(struct table *tb)
{
	return table_shows(tb, "BIND-USERNS") || table_shows(tb, "BIND-LEVEL") ||
	       table_shows(tb, "BIND-UID") || table_shows(tb, "ROOM");
}

/* Only a process may lead to the user namespace that --userns names. */
static bool needs_processes(const struct usage *u)
{
	return u->args->userns && !snapshot_find_userns(&u->snap, u->args->userns_inum);
}

/* Other users' counters bind a row, too. Otherwise none needs to be kept. */
static void take_snapshot(struct usage *u)
{
	__u64 kinds = UCV_MASK(UCV_KIND_RESOURCE) | UCV_MASK(UCV_KIND_UCOUNTS);

	if (u->shows_binding || table_shows(u->tb, "PID") || table_shows(u->tb, "COMMAND")) {
		snapshot_take(&u->snap, kinds, 0);
		return;
	}
	snapshot_begin(&u->snap);
	if (!needs_processes(u))
		return;
	snapshot_free(&u->snap);
	snapshot_take(&u->snap, kinds, 0);
}

static void take(void *command, unsigned int round)
{
	struct usage *u = command;

	forget(u);
	take_snapshot(u);
	if (round == 1) {
		args_check(u->args, &u->snap);
		find_resources(u->args, &u->snap, false, u->wanted);
	}
	trends_next(&u->trends, round);
	begin_charged(u);
	snapshot_each_ucounts(&u->snap, add_rows, u);
	add_all_disabled(u);
	sort(u);
}

/* New charges go to another record than a shadowed one, so no level binds it. */
static void fill_binding(struct usage *u, const struct usage_row *row)
{
	size_t resource = row->res - u->snap.resources;
	const struct charge *binding;
	struct chain chain = { };
	struct counter counter;

	if (!u->shows_binding || row->flags & UCV_UCOUNTS_SHADOWED)
		return;
	chain_follow(&chain, &u->snap, row->ns, row->uid);
	binding = chain_binding(&chain, &u->snap, resource);
	if (binding) {
		counter = counter_of(&u->snap, binding->ns, binding->uc, resource);
		cell_number(u->tb, "BIND-USERNS", binding->ns->inum);
		cell_number(u->tb, "BIND-LEVEL", binding->ns->level);
		cell_uid(u->tb, "BIND-UID", binding->uid);
		cell_number(u->tb, "ROOM", counter_room(&counter));
	}
	chain_free(&chain);
}

static void fill_resource(struct table *tb, const struct ucv_resource *res)
{
	static const char * const types[] = {
		[UCV_RESOURCE_UCOUNT] = "ucount",
		[UCV_RESOURCE_RLIMIT] = "rlimit",
	};
	static const char * const units[] = {
		[UCV_UNIT_OBJECTS] = "objects",
		[UCV_UNIT_BYTES] = "bytes",
		[UCV_UNIT_PAGES] = "pages",
	};

	cell_string(tb, "RESOURCE", res->name);
	if (res->type < ARRAY_SIZE(types))
		cell_string(tb, "TYPE", types[res->type]);
	if (res->unit < ARRAY_SIZE(units))
		cell_string(tb, "UNIT", units[res->unit]);
}

/* An example of a process in a user namespace; 0 for the initial one, whose are of all units. */
static unsigned int process_in(struct usage *u, const struct ucv_userns *ns)
{
	const __u64 userns = UCV_MASK(UCV_KIND_USERNS);
	const struct ucv_userns *example;

	if (ns->parent == UCV_NO_INDEX)
		return 0;
	if (ns->pid)
		return ns->pid;
	if (!u->examples.taken.filled)
		snapshot_take_sparing(&u->examples, UCV_MASK(UCV_KIND_RESOURCE), userns, userns);
	example = snapshot_find_userns(&u->examples, ns->inum);
	return example && example->id == ns->id ? example->pid : 0;
}

static void fill_row(struct usage *u, const struct usage_row *row)
{
	static const struct flag_name flags[] = {
		{ UCV_UCOUNTS_SHADOWED, "shadowed" },
		{ FLAG_DISABLED, "disabled" },
		{ }
	};
	__u32 disabled = is_disabled(&row->counter) ? FLAG_DISABLED : 0;
	struct table *tb = u->tb;

	table_line(tb, NULL);
	cells_userns(tb, &u->snap, row->ns);
	cell_uid(tb, "UID", row->uid);
	cell_uid(tb, "UIDNS", row->uid_in_ns);
	cell_user(tb, row->uid);
	fill_resource(tb, row->res);
	cell_number(tb, "USED", row->counter.used);
	cells_limit(tb, &row->counter);
	fill_binding(u, row);
	cell_flags(tb, (row->flags & UCV_UCOUNTS_SHADOWED) | disabled, flags);
	cells_trend(tb, &row->trend);
	if (u->shows_unit)
		cells_unit(tb, &pid_columns, process_in(u, row->ns));
}

static void fill(void *command)
{
	struct usage *u = command;

	for (size_t i = 0; i < u->nr_rows; i++)
		fill_row(u, &u->rows[i]);
}

/* FLAGS tells two rows of the same user apart. */
static int run(struct args *args, struct table *tb)
{
	struct usage u = { .args = args, .tb = tb };

	table_open(tb, args->interval > 0 ? WATCH_COLUMNS : COLUMNS,
		   tb->raw ? "FLAGS" : "FLAGS,PID-UNIT,CONTAINER");
	u.shows_binding = shows_binding(tb);
	u.shows_unit = shows_unit(tb, &pid_columns);
	u.zeroes = args->all || args->user || args->interval > 0;
	args_look_up(args);
	watch_run(args, tb, take, fill, &u);
	forget(&u);
	trends_free(&u.trends);
	return EXIT_SUCCESS;
}

const struct command cmd_usage = {
	.name = "usage",
	.summary = "counters and limits, fullest first (default)",
	.synopsis =
		" ucountview [usage] [options]\n"
		" ucountview <command> [options]",
	.about = "Show what the kernel has charged to each user in each user namespace.",
	.hints =
		"\nSomething failed with \"No space left on device\" or \"Too many open files\"?\n"
		" ucountview why <pid>   which limit that process has reached, and what to change\n"
		" ucountview mounts      if it was a mount: which mount namespace is full\n"
		" ucountview denials -f  which process, and which limit, when it happens again\n",
	.options = options,
	.columns = columns,
	.notes =
		"\nExamples:\n"
		" ucountview --min-ratio 80%\n"
		" ucountview -R inotify_watches -o +BIND-USERNS,ROOM\n"
		" ucountview -U pid:4711 --all\n"
		" ucountview -w 1 --top 10\n"
		" ucountview <command> --help\n",
	.run = run,
};
