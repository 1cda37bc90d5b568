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

#define COLUMNS		"RESOURCE,LEVEL,USERNS,UID,USED,LIMIT,USE%,BINDS"
/* With the advice that is printed below the plain table. */
#define JSON_COLUMNS	COLUMNS ",SYSCALL,ERRNO,SETTING,FIX,MNTNS"

static const struct column columns[] = {
	TEXT("RESOURCE", "what is counted"),
	NUMBER("LEVEL", "level of the user namespace: 0 for the initial one"),
	NUMBER("USERNS", "its inode number, as in /proc/PID/ns/user"),
	NUMBER("NSID", "its unique 64-bit ID (Linux 6.18 and later)"),
	NUMBER("UID", "user charged there, as seen in the initial user namespace"),
	NAME("USER", "name of UID"),
	NUMBER("USED", "current charge, including descendants"),
	NUMBER("LIMIT", "limit of the namespace for each user (JSON: null if none)"),
	NUMBER("USE%", "USED in percent of LIMIT; 100 if LIMIT is 0"),
	NUMBER("RATIO", "USED divided by LIMIT; 1 if LIMIT is 0"),
	NUMBER("ROOM", "what can still be charged at this level"),
	BOOLEAN("BINDS", "yes: level with the least capacity left, which refuses first"),
	TEXT("SYSCALL", "system call that fails when the limit is reached"),
	TEXT("ERRNO", "its error"),
	TEXT("SETTING", "sysctl of the limit, in that user namespace"),
	TEXT("FIX", "command that doubles the limit, if it is 90 % used or more"),
	NUMBER("MNTNS", "inode number of the mount namespace whose mounts are counted"),
	{ }
};

static const struct opt options[] = {
	RESOURCE_OR_MOUNTS_OPTION,
	{ }
};

/* A resource at one level of the chain. */
struct why_row {
	const char *name;
	size_t resource;		/* index in the snapshot; nr_resources for mounts */
	const struct charge *charge;	/* NULL for mounts */
	struct counter counter;
	struct counter binding;		/* of the level that binds, for sorting */
	bool binds;
};

struct why {
	const struct args *args;
	struct table *tb;
	bool advice;	/* printed only with the plain table and its default columns */
	struct process process;
	struct snapshot snap;
	struct chain chain;
	const struct ucv_mntns *mntns;	/* NULL: mounts are not shown */
	struct why_row *rows;
	size_t nr_rows;
};

static void take_snapshot(struct why *w)
{
	__u64 needed = UCV_MASK(UCV_KIND_RESOURCE) | UCV_MASK(UCV_KIND_UCOUNTS);
	__u64 useful = 0;

	if (w->args->resources.mounts)
		needed |= UCV_MASK(UCV_KIND_MNTNS);
	else if (wants_mounts(w->args))
		useful |= UCV_MASK(UCV_KIND_MNTNS);
	if (w->advice)
		useful |= UCV_MASK(UCV_KIND_HOLDER);
	snapshot_take_sparing(&w->snap, needed, useful, UCV_MASK(UCV_KIND_HOLDER));
}

/* /proc shows uids as seen from the reader's user namespace, the module from the initial one. */
static void check_viewpoint(const struct why *w)
{
	const struct ucv_userns *here;

	here = snapshot_find_userns(&w->snap, process_namespace(getpid(), NS_USER));
	if (!here || here->parent != UCV_NO_INDEX)
		die("not in the initial user namespace: uids differ in this one");
}

static void follow_process(struct why *w)
{
	const struct ucv_userns *ns = snapshot_find_userns(&w->snap, w->process.userns);

	if (!ns)
		die("process %u has moved to another user namespace: try again", w->process.pid);
	chain_follow(&w->chain, &w->snap, ns, w->process.euid);
	w->mntns = snapshot_find_mntns(&w->snap, w->process.mntns);
	if (w->args->resources.mounts && !w->mntns)
		die("process %u has exited and has no mount namespace any more", w->process.pid);
}

static void add_row(struct why *w, struct why_row row)
{
	w->rows = xgrow(w->rows, w->nr_rows, sizeof(*w->rows));
	w->rows[w->nr_rows++] = row;
}

static void add_levels(struct why *w, size_t resource)
{
	const struct charge *binding = chain_binding(&w->chain, &w->snap, resource);
	struct counter least = { .kind = UNLIMITED };

	if (binding)
		least = counter_of(&w->snap, binding->ns, binding->uc, resource);
	for (size_t i = 0; i < w->chain.nr; i++) {
		const struct charge *charge = &w->chain.charges[i];

		add_row(w, (struct why_row){
			.name = w->snap.resources[resource].name,
			.resource = resource,
			.charge = charge,
			.counter = counter_of(&w->snap, charge->ns, charge->uc, resource),
			.binding = least,
			.binds = charge == binding,
		});
	}
}

/* Mounts are not charged to users: one row, without levels. */
static void add_mounts(struct why *w)
{
	struct counter counter = counter_of_mounts(w->mntns);

	add_row(w, (struct why_row){
		.name = MOUNTS_NAME,
		.resource = w->snap.nr_resources,
		.counter = counter,
		.binding = counter,
		.binds = true,
	});
}

/* The fullest resource first; the levels of each in the order in which they are charged. */
static int compare_rows(const void *a, const void *b)
{
	const struct why_row *x = a, *y = b;

	return COMPARE(x->binding.kind, y->binding.kind) ?:
	       COMPARE(y->binding.ratio, x->binding.ratio) ?:
	       COMPARE(x->resource, y->resource) ?:
	       COMPARE(x->charge, y->charge);
}

static void collect_rows(struct why *w)
{
	bool wanted[UCV_MAX_RESOURCES];

	find_resources(w->args, &w->snap, true, wanted);
	for (size_t i = 0; i < w->snap.nr_resources; i++) {
		if (wanted[i])
			add_levels(w, i);
	}
	if (w->mntns)
		add_mounts(w);
	sort_rows(w->args, w->rows, w->nr_rows, sizeof(*w->rows), compare_rows);
}

static bool near_limit(const struct counter *counter)
{
	return counter->kind == LIMITED && counter->ratio >= RATIO_NEAR;
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
	bool initial = !ns || ns->parent == UCV_NO_INDEX;
	char *enter = NULL, *setting, *fix;
	unsigned int pid;

	if (!initial) {
		pid = ns->inum == w->process.userns ? w->process.pid : ns->pid;
		if (!pid)
			return NULL;
		enter = xasprintf("nsenter -t %u %s -- ", pid, nsenter_options(pid));
	}
	setting = resource_info_setting(row->name, ns);
	fix = xasprintf("%ssysctl -w %s=%lld", enter ? enter : "", setting,
			better_limit(&row->counter));
	free(setting);
	free(enter);
	return fix;
}

static void fill_level(struct table *tb, const struct charge *charge)
{
	cell(tb, "LEVEL", "%u", charge->ns->level);
	cell(tb, "USERNS", "%u", charge->ns->inum);
	cell_nonzero(tb, "NSID", charge->ns->id);
	cell_uid(tb, "UID", charge->uid);
	cell_user(tb, charge->uid);
}

static void fill_advice(const struct why *w, const struct why_row *row)
{
	const struct resource_info *info = resource_info_find(row->name);

	if (info) {
		cell(w->tb, "SYSCALL", "%s", info->syscall);
		cell(w->tb, "ERRNO", "%s", info->error_name);
	}
	cell_text(w->tb, "SETTING",
		  resource_info_setting(row->name, row->charge ? row->charge->ns : NULL));
	if (near_limit(&row->counter) && table_shows(w->tb, "FIX"))
		cell_text(w->tb, "FIX", fix_text(w, row));
}

static void fill_row(const struct why *w, const struct why_row *row)
{
	struct table *tb = w->tb;

	table_line(tb, NULL);
	cell(tb, "RESOURCE", "%s", row->name);
	if (row->charge)
		fill_level(tb, row->charge);
	else
		cell(tb, "MNTNS", "%u", w->mntns->inum);
	cell(tb, "USED", "%lld", row->counter.used);
	cells_limit(tb, &row->counter);
	if (row->counter.kind == LIMITED)
		cell(tb, "ROOM", "%lld", counter_room(&row->counter));
	if (row->binds || tb->json)
		cell(tb, "BINDS", row->binds ? "yes" : "no");
	fill_advice(w, row);
}

static void print_error(const struct why_row *row)
{
	const struct resource_info *info = resource_info_find(row->name);

	if (info)
		printf("  When it is reached, %s() fails with %s (%s).\n", info->syscall,
		       info->error_name, strerror(info->error));
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
		puts("  Held: unknown, because the holders exceed the module's limit:");
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
	printf("  The limit is %s in that namespace, which has no known process.\n", setting);
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
	if (!w->args->resources.nr && !(w->snap.info.supported & UCV_MASK(UCV_KIND_MNTNS)))
		puts("\nThe module cannot read the mount counters on this kernel.");
}

static void find_rows(struct why *w, unsigned int pid)
{
	process_read(&w->process, pid);
	take_snapshot(w);
	check_viewpoint(w);
	follow_process(w);
	collect_rows(w);
}

static int run(struct args *args, struct table *tb)
{
	struct why w = {
		.args = args,
		.tb = tb,
		.advice = !tb->json && !tb->raw && !tb->output && !tb->output_all,
	};

	if (!args->operands[0])
		die("no process given");
	if (args->operands[1])
		die("unexpected argument: %s", args->operands[1]);
	table_open(tb, tb->json ? JSON_COLUMNS : COLUMNS, NULL);
	find_rows(&w, arg_pid(args->operands[0]));
	table_begin(tb);
	for (size_t i = 0; i < w.nr_rows; i++)
		fill_row(&w, &w.rows[i]);
	if (w.advice)
		print_process(&w);
	table_print(tb);
	if (w.advice)
		print_all_advice(&w);
	free(w.rows);
	chain_free(&w.chain);
	snapshot_free(&w.snap);
	return EXIT_SUCCESS;
}

const struct command cmd_why = {
	.name = "why",
	.summary = "limits of a process, and how to raise them",
	.synopsis = " ucountview why [options] <pid>",
	.about = "Show the limits that apply to a process, and how to raise them.",
	.options = options,
	.columns = columns,
	.notes =
		"\nExamples:\n"
		" ucountview why 4711\n"
		" ucountview why $$ -R inotify_watches\n"
		" ucountview why -J 4711\n",
	.operands = true,
	.run = run,
};
