// SPDX-License-Identifier: GPL-2.0
/*
 * ucountview why: what would refuse a process its next inotify watch, namespace, ...:
 * the counters at every level that is charged, and what to change where. The facts
 * about the kernel are in advice.c.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "advice.h"
#include "args.h"
#include "chain.h"
#include "counter.h"
#include "process.h"
#include "snapshot.h"
#include "table.h"
#include "ucountview.h"
#include "users.h"

/* From this ratio on a level is worth advice. */
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
};

static const struct column columns[] = {
	[COL_RESOURCE] = { "RESOURCE", "what is counted", SCOLS_JSON_STRING, 0 },
	[COL_LEVEL]    = { "LEVEL", "level of the user namespace: 0 for the initial one",
			   SCOLS_JSON_NUMBER, SCOLS_FL_RIGHT },
	[COL_USERNS]   = { "USERNS", "its inode number, as in /proc/PID/ns/user",
			   SCOLS_JSON_NUMBER, SCOLS_FL_RIGHT },
	[COL_NSID]     = { "NSID", "its identifier that is never used again (Linux 6.18 and later)",
			   SCOLS_JSON_NUMBER, SCOLS_FL_RIGHT },
	[COL_UID]      = { "UID", "who is charged there, as the initial user namespace sees it",
			   SCOLS_JSON_NUMBER, SCOLS_FL_RIGHT },
	[COL_USER]     = { "USER", "name of UID", SCOLS_JSON_STRING, SCOLS_FL_TRUNC },
	[COL_USED]     = { "USED", "how much is charged, descendants included",
			   SCOLS_JSON_NUMBER, SCOLS_FL_RIGHT },
	[COL_LIMIT]    = { "LIMIT", "limit of the namespace for each user (JSON: null if none)",
			   SCOLS_JSON_NUMBER, SCOLS_FL_RIGHT },
	[COL_USE]      = { "USE%", "USED in percent of LIMIT; 100 if LIMIT is 0",
			   SCOLS_JSON_NUMBER, SCOLS_FL_RIGHT },
	[COL_RATIO]    = { "RATIO", "USED divided by LIMIT; 1 if LIMIT is 0",
			   SCOLS_JSON_NUMBER, SCOLS_FL_RIGHT },
	[COL_ROOM]     = { "ROOM", "how much more can be charged at this level",
			   SCOLS_JSON_NUMBER, SCOLS_FL_RIGHT },
	[COL_BINDS]    = { "BINDS", "yes: the level with the least room, which refuses first",
			   SCOLS_JSON_BOOLEAN, 0 },
	[COL_SYSCALL]  = { "SYSCALL", "system call that is refused when the limit is reached",
			   SCOLS_JSON_STRING, 0 },
	[COL_ERRNO]    = { "ERRNO", "its error then", SCOLS_JSON_STRING, 0 },
	[COL_SETTING]  = { "SETTING", "sysctl that is the limit, in that user namespace",
			   SCOLS_JSON_STRING, 0 },
	[COL_FIX]      = { "FIX", "command that doubles the limit, if it is 90 % used or more",
			   SCOLS_JSON_STRING, 0 },
};

static const size_t default_columns[] = {
	COL_RESOURCE, COL_LEVEL, COL_USERNS, COL_UID, COL_USED, COL_LIMIT, COL_USE, COL_BINDS,
};

/* For programs: what the text under the table says to people. */
static const size_t json_columns[] = {
	COL_RESOURCE, COL_LEVEL, COL_USERNS, COL_UID, COL_USED, COL_LIMIT, COL_USE, COL_BINDS,
	COL_SYSCALL, COL_ERRNO, COL_SETTING, COL_FIX,
};

/* A resource at one level of the chain. */
struct why_row {
	const struct ucv_resource *res;
	const struct charge *charge;
	struct counter counter;
	bool binds;
};

/* A resource, with its binding level, for sorting. */
struct why_resource {
	size_t resource;
	const struct charge *binding;
	struct counter counter;
};

struct why {
	struct table table;
	struct resource_names names;
	struct process process;
	struct snapshot snap;
	struct chain chain;
	struct why_resource resources[UCV_MAX_RESOURCES];
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
	      " -R, --resource <name>  only this resource (may be given more than once)\n"
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
			arg_resource(&w->names, optarg);
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

/* /proc tells uids as this program's user namespace sees them, the module as the initial one. */
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
}

static void add_resource(struct why *w, size_t resource)
{
	struct why_resource *add = &w->resources[w->nr_resources++];

	add->resource = resource;
	add->binding = chain_binding(&w->chain, &w->snap, resource);
	add->counter.kind = UNLIMITED;
	if (add->binding)
		add->counter = counter_of(&w->snap, add->binding->ns, add->binding->uc, resource);
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
	bool wanted[UCV_MAX_RESOURCES], named = w->names.nr > 0;

	find_resources(&w->names, &w->snap, wanted);
	for (size_t i = 0; i < w->snap.nr_resources; i++) {
		bool limited = w->snap.resources[i].type == UCV_RESOURCE_UCOUNT;

		if (wanted[i] && named && !limited)
			die("%s: limited by each process's own RLIMIT, see prlimit(1)",
			    w->snap.resources[i].name);
		if (wanted[i] && limited)
			add_resource(w, i);
	}
	qsort(w->resources, w->nr_resources, sizeof(*w->resources), compare_resources);
}

static void collect_rows(struct why *w)
{
	struct why_row *row;

	row = xreallocarray(NULL, w->nr_resources * w->chain.nr, sizeof(*row));
	w->rows = row;
	for (size_t r = 0; r < w->nr_resources; r++) {
		size_t resource = w->resources[r].resource;

		for (size_t i = 0; i < w->chain.nr; i++, row++) {
			row->res = &w->snap.resources[resource];
			row->charge = &w->chain.charges[i];
			row->counter = counter_of(&w->snap, row->charge->ns, row->charge->uc,
						  resource);
			row->binds = row->charge == w->resources[r].binding;
		}
	}
	w->nr_rows = row - w->rows;
}

static bool near_limit(const struct counter *counter)
{
	return counter->kind == LIMITED && counter->ratio >= RATIO_NEAR;
}

/* A process through which one gets into the namespace, 0 if none is known. */
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
 * Who enters a user namespace has all capabilities in it, and keeps them over the exec
 * of the command as its root only, which nsenter becomes; where there is no root, a
 * newer nsenter (2.39) can be told to keep them.
 */
static const char *nsenter_options(unsigned int pid)
{
	return process_maps_root(pid) ? "-U" : "-U --preserve-credentials --keep-caps";
}

/* NULL if no process is known through which to enter the namespace. */
static char *fix_text(const struct why *w, const struct why_row *row)
{
	const struct ucv_userns *ns = row->charge->ns;
	long long limit = better_limit(&row->counter);
	unsigned int pid = process_inside(w, ns);
	char *setting, *fix;

	if (ns->parent != UCV_NO_INDEX && !pid)
		return NULL;
	setting = advice_setting(row->res->name, ns);
	if (ns->parent == UCV_NO_INDEX)
		fix = xasprintf("sysctl -w %s=%lld", setting, limit);
	else
		fix = xasprintf("nsenter -t %u %s sysctl -w %s=%lld", pid, nsenter_options(pid),
				setting, limit);
	free(setting);
	return fix;
}

static char *syscall_text(const struct why_row *row)
{
	const struct advice *advice = advice_find(row->res->name);

	return advice ? xstrdup(advice->syscall) : NULL;
}

static char *errno_text(const struct why_row *row)
{
	const struct advice *advice = advice_find(row->res->name);

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

static char *cell(const struct why *w, const struct why_row *row, size_t column)
{
	const struct ucv_userns *ns = row->charge->ns;

	switch (column) {
	case COL_RESOURCE:
		return xstrdup(row->res->name);
	case COL_LEVEL:
		return xasprintf("%u", ns->level);
	case COL_USERNS:
		return xasprintf("%u", ns->inum);
	case COL_NSID:
		return ns->id ? xasprintf("%llu", ns->id) : NULL;
	case COL_UID:
		return uid_text(row->charge->uid);
	case COL_USER:
		return xstrdup(user_name(row->charge->uid));
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
		return advice_setting(row->res->name, ns);
	case COL_FIX:
		return near_limit(&row->counter) ? fix_text(w, row) : NULL;
	}
	return NULL;
}

static void add_lines(struct why *w)
{
	table_begin(&w->table);
	for (size_t i = 0; i < w->nr_rows; i++) {
		struct libscols_line *line = table_line(&w->table, NULL);

		for (size_t nth = 0; nth < w->table.nr_shown; nth++)
			table_cell(&w->table, line, nth,
				   cell(w, &w->rows[i], w->table.shown[nth]));
		table_colour(&w->table, line, counter_colour(&w->rows[i].counter));
	}
}

static void print_error(const struct why_row *row)
{
	const struct advice *advice = advice_find(row->res->name);

	if (advice)
		printf("  When it is reached, %s() fails with %s (%s).\n", advice->syscall,
		       advice->error_name, strerror(advice->error));
}

static void print_advice(const struct why *w, const struct why_row *row)
{
	const struct ucv_userns *ns = row->charge->ns;
	char *setting = advice_setting(row->res->name, ns);
	char *fix = fix_text(w, row);

	printf("\n%s: %lld of %lld used by uid %u in %suser namespace %u.\n", row->res->name,
	       row->counter.used, row->counter.limit, row->charge->uid,
	       ns->parent == UCV_NO_INDEX ? "the initial " : "", ns->inum);
	print_error(row);
	if (fix)
		printf("  To double the limit: %s\n", fix);
	else
		printf("  The limit is %s in that namespace, where no process is known.\n",
		       setting);
	free(setting);
	free(fix);
}

static void print_process(const struct why *w)
{
	const struct charge *own = &w->chain.charges[0];

	printf("Process %u is charged as uid %u in %suser namespace %u.\n\n", w->process.pid,
	       own->uid, own->ns->parent == UCV_NO_INDEX ? "the initial " : "", own->ns->inum);
}

/* Only around the table that people read as it comes. */
static bool advice_wanted(const struct table *tb)
{
	return !tb->json && !tb->raw && !tb->output && !tb->output_all;
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
	snapshot_take(&w.snap, UCV_MASK(UCV_KIND_RESOURCE) | UCV_MASK(UCV_KIND_UCOUNTS), 0);
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
