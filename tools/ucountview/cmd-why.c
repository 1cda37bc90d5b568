// SPDX-License-Identifier: GPL-2.0
/*
 * ucountview why: show which limit would refuse a process its next inotify watch, namespace,
 * ...: the counters at every level that is charged, and which setting to change. The facts about
 * the kernel are in resource_info.c.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "accounting.h"
#include "charge.h"
#include "format.h"
#include "options.h"
#include "procfs.h"
#include "resource_info.h"
#include "snapshot.h"
#include "table.h"
#include "ucountview.h"

/* Ratio from which there is advice about a level. */
#define RATIO_NEAR	0.9

enum {
	COL_RESOURCE,
	COL_LEVEL,
	COL_USERNS,
	COL_NSID,
	COL_UID,
	COL_USER,
	COL_USED,
	COL_LIMIT,
	COL_USE,
	COL_RATIO,
	COL_ROOM,
	COL_BINDS,
	COL_SYSCALL,
	COL_ERRNO,
	COL_SETTING,
	COL_FIX,
	COL_MNTNS,
};

static const struct column columns[] = {
	[COL_RESOURCE] = TEXT("RESOURCE", "what is counted"),
	[COL_LEVEL]    = NUMBER("LEVEL", "level of the user namespace: 0 for the initial one"),
	[COL_USERNS]   = NUMBER("USERNS", "its inode number, as in /proc/PID/ns/user"),
	[COL_NSID]     = NUMBER("NSID",
				"its identifier that is never used again (Linux 6.18 and later)"),
	[COL_UID]      = NUMBER("UID",
				"who is charged there, as the initial user namespace sees it"),
	[COL_USER]     = NAME("USER", "name of UID"),
	[COL_USED]     = NUMBER("USED", "how much is charged, descendants included"),
	[COL_LIMIT]    = NUMBER("LIMIT",
				"limit of the namespace for each user (JSON: null if none)"),
	[COL_USE]      = NUMBER("USE%", "USED in percent of LIMIT; 100 if LIMIT is 0"),
	[COL_RATIO]    = NUMBER("RATIO", "USED divided by LIMIT; 1 if LIMIT is 0"),
	[COL_ROOM]     = NUMBER("ROOM", "how much more can be charged at this level"),
	[COL_BINDS]    = BOOLEAN("BINDS",
				 "yes: the level with the least room, which refuses first"),
	[COL_SYSCALL]  = TEXT("SYSCALL", "system call that is refused when the limit is reached"),
	[COL_ERRNO]    = TEXT("ERRNO", "its error then"),
	[COL_SETTING]  = TEXT("SETTING", "sysctl that is the limit, in that user namespace"),
	[COL_FIX]      = TEXT("FIX", "command that doubles the limit, if it is 90 % used or more"),
	[COL_MNTNS]    = NUMBER("MNTNS",
				"inode number of the mount namespace whose mounts are counted"),
};

static const size_t default_columns[] = {
	COL_RESOURCE, COL_LEVEL, COL_USERNS, COL_UID, COL_USED, COL_LIMIT, COL_USE, COL_BINDS,
};

/* With the advice that is printed below the plain table. */
static const size_t json_columns[] = {
	COL_RESOURCE, COL_LEVEL, COL_USERNS, COL_UID, COL_USED, COL_LIMIT, COL_USE, COL_BINDS,
	COL_SYSCALL, COL_ERRNO, COL_SETTING, COL_FIX, COL_MNTNS,
};

/* A resource at one level of the chain. */
struct why_row {
	const char *name;
	const struct charge *charge;	/* NULL for mounts */
	struct counter counter;
	bool binds;
};

/* A resource, with its binding level, for sorting. */
struct why_resource {
	const char *name;
	size_t resource;		/* index in the snapshot; nr_resources for mounts */
	const struct charge *binding;	/* NULL for mounts, and if no level has a limit */
	struct counter counter;
};

struct why {
	struct table table;
	struct resource_names names;
	struct process process;
	struct snapshot snap;
	struct chain chain;
	const struct ucv_mntns *mntns;	/* NULL: mounts are not shown */
	struct why_resource resources[UCV_MAX_RESOURCES + 1];
	size_t nr_resources;
	struct why_row *rows;
	size_t nr_rows;
};

static void print_help(const struct table *tb)
{
	fputs("\nUsage:\n"
	      " ucountview why [options] <pid>\n"
	      "\nShow every limit that a process can run into, and what to change.\n"
	      "\nOptions:\n"
	      " -R, --resource <name>  only this resource, or mounts (may be given more than\n"
	      "                        once)\n"
	      TABLE_OPTIONS_HELP, stdout);
	table_help_columns(tb, stdout);
	fputs("\nExamples:\n"
	      " ucountview why 4711\n"
	      " ucountview why $$ -R inotify_watches\n"
	      " ucountview why -J 4711\n"
	      "\nFor more details see ucountview(8).\n", stdout);
}

static void parse_options(struct why *w, int argc, char **argv)
{
	static const struct option options[] = {
		{ "resource", required_argument, NULL, 'R' },
		{ }
	};
	static const struct option * const groups[] = { options, NULL };
	int opt;

	while ((opt = table_getopt(&w->table, argc, argv, groups)) != -1) {
		switch (opt) {
		case 'R':
			arg_resource_or_mounts(&w->names, optarg);
			break;
		case 'h':
			print_help(&w->table);
			exit(EXIT_SUCCESS);
		}
	}
	if (optind == argc)
		die("no process given");
	if (optind + 1 < argc)
		die("unexpected argument: %s", argv[optind + 1]);
}

static void open_table(struct why *w)
{
	if (w->table.json)
		table_open(&w->table, json_columns, ARRAY_SIZE(json_columns));
	else
		table_open(&w->table, default_columns, ARRAY_SIZE(default_columns));
}

/* Advice is printed only with the plain table and its default columns. */
static bool advice_wanted(const struct table *tb)
{
	return !tb->json && !tb->raw && !tb->output && !tb->output_all;
}

static void take_snapshot(struct why *w)
{
	__u64 needed = UCV_MASK(UCV_KIND_RESOURCE) | UCV_MASK(UCV_KIND_UCOUNTS);
	__u64 useful = 0;

	if (w->names.mounts)
		needed |= UCV_MASK(UCV_KIND_MNTNS);
	else if (wants_mounts(&w->names))
		useful |= UCV_MASK(UCV_KIND_MNTNS);
	if (advice_wanted(&w->table))
		useful |= UCV_MASK(UCV_KIND_HOLDER);
	snapshot_take_sparing(&w->snap, needed, useful, UCV_MASK(UCV_KIND_HOLDER));
}

/* /proc shows uids as seen from the reader's user namespace, the module from the initial one. */
static void check_viewpoint(const struct why *w)
{
	const struct ucv_userns *here;

	here = snapshot_find_userns(&w->snap, process_namespace(getpid(), NS_USER));
	if (!here || here->parent != UCV_NO_INDEX)
		die("not in the initial user namespace: uids have other numbers here");
}

static void follow_process(struct why *w)
{
	const struct ucv_userns *ns = snapshot_find_userns(&w->snap, w->process.userns);

	if (!ns)
		die("process %u has moved to another user namespace: try again", w->process.pid);
	chain_follow(&w->chain, &w->snap, ns, w->process.euid);
	w->mntns = snapshot_find_mntns(&w->snap, w->process.mntns);
	if (w->names.mounts && !w->mntns)
		die("process %u has ended and has no mounts any more", w->process.pid);
}

static void add_resource(struct why *w, size_t resource)
{
	struct why_resource *add = &w->resources[w->nr_resources++];

	add->name = w->snap.resources[resource].name;
	add->resource = resource;
	add->binding = chain_binding(&w->chain, &w->snap, resource);
	add->counter.kind = UNLIMITED;
	if (add->binding)
		add->counter = counter_of(&w->snap, add->binding->ns, add->binding->uc, resource);
}

/* Mounts are not charged to users: one row, without levels. */
static void add_mounts(struct why *w)
{
	w->resources[w->nr_resources++] = (struct why_resource){
		.name = MOUNTS_NAME,
		.resource = w->snap.nr_resources,
		.counter = counter_of_mounts(w->mntns),
	};
}

static int compare_resources(const void *a, const void *b)
{
	const struct why_resource *x = a, *y = b;

	if (x->counter.kind != y->counter.kind)
		return x->counter.kind < y->counter.kind ? -1 : 1;
	if (x->counter.ratio != y->counter.ratio)
		return x->counter.ratio > y->counter.ratio ? -1 : 1;
	return x->resource < y->resource ? -1 : x->resource > y->resource;
}

static void choose_resources(struct why *w)
{
	bool wanted[UCV_MAX_RESOURCES];

	find_limited_resources(&w->names, &w->snap, wanted);
	for (size_t i = 0; i < w->snap.nr_resources; i++) {
		if (wanted[i])
			add_resource(w, i);
	}
	if (w->mntns)
		add_mounts(w);
	qsort(w->resources, w->nr_resources, sizeof(*w->resources), compare_resources);
}

static void collect_levels(struct why *w, const struct why_resource *res)
{
	for (size_t i = 0; i < w->chain.nr; i++) {
		const struct charge *charge = &w->chain.charges[i];

		w->rows[w->nr_rows++] = (struct why_row){
			.name = res->name,
			.charge = charge,
			.counter = counter_of(&w->snap, charge->ns, charge->uc, res->resource),
			.binds = charge == res->binding,
		};
	}
}

static void collect_mounts(struct why *w, const struct why_resource *res)
{
	w->rows[w->nr_rows++] = (struct why_row){
		.name = res->name,
		.counter = res->counter,
		.binds = true,
	};
}

static void collect_rows(struct why *w)
{
	w->rows = xreallocarray(NULL, w->nr_resources * w->chain.nr, sizeof(*w->rows));
	for (size_t i = 0; i < w->nr_resources; i++) {
		if (w->resources[i].resource == w->snap.nr_resources)
			collect_mounts(w, &w->resources[i]);
		else
			collect_levels(w, &w->resources[i]);
	}
}

static bool near_limit(const struct counter *counter)
{
	return counter->kind == LIMITED && counter->ratio >= RATIO_NEAR;
}

/* A process in the user namespace, through which to enter it; 0 if none is known. */
static unsigned int process_inside(const struct why *w, const struct ucv_userns *ns)
{
	return ns->inum == w->process.userns ? w->process.pid : ns->pid;
}

static long long better_limit(const struct counter *counter)
{
	long long most = counter->used > counter->limit ? counter->used : counter->limit;

	if (most < 1)
		return 1;
	return most < UCV_UNLIMITED / 2 ? most * 2 : UCV_UNLIMITED;
}

/*
 * A process that enters a user namespace has all capabilities in it. It retains them across the
 * exec of the command only as root there, which nsenter becomes; where no root is mapped, a
 * newer nsenter (2.39) can be told to preserve them.
 */
static const char *nsenter_options(unsigned int pid)
{
	return process_maps_root(pid) ? "-U" : "-U --preserve-credentials --keep-caps";
}

/* Returns NULL if no process is known through which to enter the namespace. */
static char *fix_text(const struct why *w, const struct why_row *row)
{
	const struct ucv_userns *ns = row->charge ? row->charge->ns : NULL;
	long long limit = better_limit(&row->counter);
	unsigned int pid = 0;
	char *setting, *fix = NULL;

	if (ns && ns->parent != UCV_NO_INDEX)
		pid = process_inside(w, ns);
	setting = resource_info_setting(row->name, ns);
	if (pid)
		fix = xasprintf("nsenter -t %u %s -- sysctl -w %s=%lld", pid, nsenter_options(pid),
				setting, limit);
	else if (!ns || ns->parent == UCV_NO_INDEX)
		fix = xasprintf("sysctl -w %s=%lld", setting, limit);
	free(setting);
	return fix;
}

static char *syscall_text(const struct why_row *row)
{
	const struct resource_info *advice = resource_info_find(row->name);

	return advice ? xstrdup(advice->syscall) : NULL;
}

static char *errno_text(const struct why_row *row)
{
	const struct resource_info *advice = resource_info_find(row->name);

	return advice ? xstrdup(advice->error_name) : NULL;
}

static char *room_text(const struct counter *counter)
{
	return counter->kind == LIMITED ? xasprintf("%lld", counter_room(counter)) : NULL;
}

static char *binds_text(const struct why_row *row, bool json)
{
	if (row->binds)
		return xstrdup("yes");
	return json ? xstrdup("no") : NULL;
}

static char *level_cell(const struct charge *charge, size_t column)
{
	switch (column) {
	case COL_LEVEL:
		return xasprintf("%u", charge->ns->level);
	case COL_USERNS:
		return xasprintf("%u", charge->ns->inum);
	case COL_NSID:
		return number_text(charge->ns->id);
	case COL_UID:
		return uid_text(charge->uid);
	case COL_USER:
		return xstrdup(user_name(charge->uid));
	}
	return NULL;
}

static char *cell(const void *command, const void *line, size_t column)
{
	const struct why *w = command;
	const struct why_row *row = line;

	switch (column) {
	case COL_RESOURCE:
		return xstrdup(row->name);
	case COL_USED:
		return xasprintf("%lld", row->counter.used);
	case COL_LIMIT:
		return counter_limit_text(&row->counter, w->table.json);
	case COL_USE:
		return counter_use_text(&row->counter, w->table.json);
	case COL_RATIO:
		return counter_ratio_text(&row->counter);
	case COL_ROOM:
		return room_text(&row->counter);
	case COL_BINDS:
		return binds_text(row, w->table.json);
	case COL_SYSCALL:
		return syscall_text(row);
	case COL_ERRNO:
		return errno_text(row);
	case COL_SETTING:
		return resource_info_setting(row->name, row->charge ? row->charge->ns : NULL);
	case COL_FIX:
		return near_limit(&row->counter) ? fix_text(w, row) : NULL;
	case COL_MNTNS:
		return row->charge ? NULL : xasprintf("%u", w->mntns->inum);
	default:
		return row->charge ? level_cell(row->charge, column) : NULL;
	}
}

static void add_lines(struct why *w)
{
	table_begin(&w->table);
	for (size_t i = 0; i < w->nr_rows; i++) {
		const struct why_row *row = &w->rows[i];
		struct libscols_line *line = table_line(&w->table, NULL, cell, w, row);

		table_colour(&w->table, line, counter_colour(&row->counter));
	}
}

static void print_error(const struct why_row *row)
{
	const struct resource_info *advice = resource_info_find(row->name);

	if (advice)
		printf("  When it is reached, %s() fails with %s (%s).\n", advice->syscall,
		       advice->error_name, strerror(advice->error));
}

static void print_charge(const struct charge *charge)
{
	printf("by uid %u in %suser namespace %u.\n", charge->uid,
	       charge->ns->parent == UCV_NO_INDEX ? "the initial " : "", charge->ns->inum);
}

static void print_used(const struct why *w, const struct why_row *row)
{
	printf("\n%s: %lld of %lld used ", row->name, row->counter.used, row->counter.limit);
	if (row->charge)
		print_charge(row->charge);
	else
		printf("in mount namespace %u.\n", w->mntns->inum);
}

static void print_holders(const struct why *w, const struct why_row *row)
{
	char *text;

	if (!row->charge)
		return;
	if (w->snap.left_out && holders_known_of(row->name)) {
		puts("  Held: unknown, as the holders are more than the module may read:");
		puts("    raise /sys/module/ucountview/parameters/max_snapshot_kib.");
		return;
	}
	text = held_by(&w->snap, row->charge, snapshot_resource(&w->snap, row->name));
	if (text)
		printf("  Held: %s.\n", text);
	free(text);
}

static void print_advice(const struct why *w, const struct why_row *row)
{
	char *fix = fix_text(w, row);
	char *setting;

	print_used(w, row);
	print_holders(w, row);
	print_error(row);
	if (fix) {
		printf("  To double the limit: %s\n", fix);
		free(fix);
		return;
	}
	setting = resource_info_setting(row->name, row->charge->ns);
	printf("  The limit is %s in that namespace, where no process is known.\n", setting);
	free(setting);
}

static void print_process(const struct why *w)
{
	const struct charge *own = &w->chain.charges[0];

	printf("Process %u is charged as uid %u in %suser namespace %u", w->process.pid,
	       own->uid, own->ns->parent == UCV_NO_INDEX ? "the initial " : "", own->ns->inum);
	if (w->mntns)
		printf(",\nand its mounts count in mount namespace %u", w->mntns->inum);
	puts(".\n");
}

static void print_all_advice(const struct why *w)
{
	size_t near = 0;

	for (size_t i = 0; i < w->nr_rows; i++) {
		if (!near_limit(&w->rows[i].counter))
			continue;
		print_advice(w, &w->rows[i]);
		near++;
	}
	if (!near)
		puts("\nNo limit is 90 % used or more.");
	if (!w->names.nr && !(w->snap.info.supported & UCV_MASK(UCV_KIND_MNTNS)))
		puts("\nThe module cannot read the mount counters on this kernel.");
}

/**
 * cmd_why() - ucountview why
 * @argc: number of arguments
 * @argv: the arguments, the program's name first
 *
 * Return: the exit status.
 */
int cmd_why(int argc, char **argv)
{
	struct why w = {
		.table = {
			.name = "why",
			.columns = columns,
			.nr_columns = ARRAY_SIZE(columns),
		},
	};
	bool advice;

	parse_options(&w, argc, argv);
	advice = advice_wanted(&w.table);
	open_table(&w);
	process_read(&w.process, arg_pid(argv[optind]));
	take_snapshot(&w);
	check_viewpoint(&w);
	follow_process(&w);
	choose_resources(&w);
	collect_rows(&w);
	add_lines(&w);
	if (advice)
		print_process(&w);
	table_print(&w.table);
	if (advice)
		print_all_advice(&w);
	free(w.rows);
	table_close(&w.table);
	chain_free(&w.chain);
	snapshot_free(&w.snap);
	return EXIT_SUCCESS;
}
