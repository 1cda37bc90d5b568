// SPDX-License-Identifier: GPL-2.0
/*
 * ucountview why: show the limits that can refuse a process something, and what to change:
 * counters at each level that is charged, nesting depth, and limits elsewhere whose refusals look
 * the same. The facts about the kernel are in resource_info.c.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "charge.h"
#include "containers.h"
#include "elsewhere.h"
#include "format.h"
#include "options.h"
#include "procfs.h"
#include "resource_info.h"
#include "snapshot.h"
#include "table.h"
#include "ucountview.h"
#include "why.h"

#define COLUMNS		"RESOURCE,LEVEL,USERNS,UID,USED,LIMIT,USE%,BINDS"
/* With the advice that is printed below the plain table. */
#define JSON_COLUMNS	COLUMNS ",SYSCALL,ERRNO,SETTING,FIX,MNTNS,KIND,EXEMPT," \
			"MOUNTPOINT,PID," OPTIONAL_UNIT_COLUMNS
#define LAST_JSON_COLUMNS JSON_COLUMNS \
			",DENIED,DENIED-PID,DENIED-COMMAND,DENIED-USED,DENIED-LIMIT"
#define SETTING_WIDTH	32	/* of the plain table, which then fits 80 columns */
#define PID_TEXT	12
#define ELSEWHERE_COLUMNS	"RESOURCE,USED,LIMIT,USE%,ERRNO,SETTING"

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
	TEXT("KIND", "what refuses: ucount, rlimit, mounts, depth, or elsewhere"),
	TEXT("EXEMPT", "why this process is not refused, if it is not"),
	TEXT("MOUNTPOINT", "where the process mounts what is copied to MNTNS, another namespace"),
	NUMBER("PID", "example of a process in MNTNS"),
	TEXT("DENIED", "with --last: time of the denial"),
	NUMBER("DENIED-PID", "process that was refused"),
	TEXT("DENIED-COMMAND", "its command"),
	NUMBER("DENIED-USED", "USED at that time"),
	NUMBER("DENIED-LIMIT", "LIMIT at that time"),
	UNIT_COLUMN("the process; of PID where there is a MOUNTPOINT"),
	SLICE_COLUMN,
	CONTAINER_COLUMN("that process"),
	POD_COLUMN,
	{ }
};

static const struct opt options[] = {
	{ 'e', "errno", "name", "only limits whose refusal is this error: ENOSPC" },
	RESOURCE_OR_MOUNTS_OPTION,
	{ 'S', "syscall", "name", "only limits that make this system call fail" },
	CONTAINER_OPTION("the first process of this container: its name or ID, or\n"
			 "how only its ID begins"),
	{ OPT_LAST, "last", NULL, "the last recorded denial: of a process, which may be gone,\n"
	  "of a command, or of any" },
	{ }
};

static const char * const kind_names[] = { "ucount", "rlimit", "mounts", "depth", "elsewhere" };

static void take_snapshot(struct why *w)
{
	__u64 needed = UCV_MASK(UCV_KIND_RESOURCE) | UCV_MASK(UCV_KIND_UCOUNTS);
	__u64 useful = 0;

	if (w->args->resources.mounts)
		needed |= UCV_MASK(UCV_KIND_MNTNS);
	else if (why_wants(w, MOUNTS_NAME))
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
	chain_follow(&w->real, &w->snap, ns, w->process.uid);
	w->mntns = snapshot_find_mntns(&w->snap, w->process.mntns);
	if (w->args->resources.mounts && !w->mntns)
		die("process %u has exited and has no mount namespace any more", w->process.pid);
}

static void fill_level(struct table *tb, const struct charge *charge)
{
	cell_number(tb, "LEVEL", charge->ns->level);
	cell_number(tb, "USERNS", charge->ns->inum);
	cell_nonzero(tb, "NSID", charge->ns->id);
	cell_uid(tb, "UID", charge->uid);
	cell_user(tb, charge->uid);
}

/* The end of the path of a file is enough in a table for people: advice has all of it. */
static char *short_setting(const struct why_row *row)
{
	char *setting = why_setting(row), *end = setting;
	size_t len = setting ? strlen(setting) : 0;

	if (len > SETTING_WIDTH) {
		end = xasprintf("...%s", setting + len - SETTING_WIDTH + strlen("..."));
		free(setting);
	}
	return end;
}

static void fill_advice(const struct why *w, const struct why_row *row)
{
	const struct resource_info *info = resource_info_find(row->name);

	if (info) {
		cell_string(w->tb, "SYSCALL", info->syscall);
		cell_string(w->tb, "ERRNO", info->error_name);
	}
	cell_text(w->tb, "SETTING", w->advice ? short_setting(row) : why_setting(row));
	if ((row->denial || why_near_limit(&row->counter)) && table_shows(w->tb, "FIX"))
		cell_text(w->tb, "FIX", why_fix(w, row));
}

static void fill_mounts(const struct why *w, const struct why_row *row)
{
	const struct ucv_mntns *ns = why_mntns(w, row);

	cell_number(w->tb, "MNTNS", ns->inum);
	if (row->receiver)
		cell_string(w->tb, "MOUNTPOINT", row->receiver->point);
	cell_nonzero(w->tb, "PID", ns->pid);
}

/* The process that a row is about; 0 if it has exited. */
static unsigned int process_of(const struct why *w, const struct why_row *row)
{
	if (row->denial)
		return denied_process(row->denial);
	return row->receiver ? why_mntns(w, row)->pid : w->process.pid;
}

static void fill_row(const struct why *w, const struct why_row *row)
{
	struct table *tb = w->tb;

	table_line(tb, NULL);
	cell_string(tb, "RESOURCE", row->name);
	cell_string(tb, "KIND", kind_names[row->kind]);
	if (row->denial)
		why_fill_denial(tb, row->denial);
	else if (row->charge)
		fill_level(tb, row->charge);
	if (row->kind == WHY_MOUNTS && !row->denial)
		fill_mounts(w, row);
	if (row->exempt)
		cell_string(tb, "EXEMPT", row->exempt);
	if (!row->denial || row->charge || row->counter.kind == LIMITED)
		cell_number(tb, "USED", row->counter.used);
	cells_limit(tb, &row->counter);
	if (row->counter.kind == LIMITED)
		cell_number(tb, "ROOM", counter_room(&row->counter));
	/* To a person, a level that is alone need not be told from others. */
	if (tb->json || (row->binds && !(row->alone && w->advice)))
		cell(tb, "BINDS", row->binds ? "yes" : "no");
	fill_advice(w, row);
	cells_unit(tb, &unit_columns, process_of(w, row));
}

static void print_process(const struct why *w)
{
	const struct charge *own = &w->chain.charges[0];
	char *where = process_where(w->process.pid);
	char *mounts = w->mntns ? xasprintf(", and its mounts count in mount namespace %u",
					    w->mntns->inum) : xstrdup("");

	print_wrapped(0, 0, "Process %u is charged as uid %u in %suser namespace %u%s.",
		      w->process.pid, own->uid,
		      own->ns->parent == UCV_NO_INDEX ? "the initial " : "", own->ns->inum, mounts);
	if (where)
		print_wrapped(0, 0, "It is in %s.", where);
	putchar('\n');
	free(where);
	free(mounts);
}

static bool is_gone(unsigned int pid)
{
	return kill(pid, 0) && errno == ESRCH;
}

static void find_rows(struct why *w, unsigned int pid)
{
	process_read(&w->process, pid);
	w->caps = process_caps(pid);
	take_snapshot(w);
	check_viewpoint(w);
	follow_process(w);
	why_collect_rows(w);
	if (w->advice)
		why_read_denials(w, &(struct why_culprit){ pid, NULL, process_started(pid) });
	if (is_gone(pid)) /* some of it could not be read, and looks unused */
		die("no such process: %u (it has exited just now)", pid);
}

static void find_last(struct why *w, const char *who)
{
	struct why_culprit culprit = {};

	take_snapshot(w);
	check_viewpoint(w);
	why_check_names(w);
	if (who && !who[strspn(who, "0123456789")])
		culprit.pid = arg_pid(who);
	else
		culprit.command = who;
	why_explain_last(w, &culprit);
}

/* What is elsewhere is in a section of its own, unless a program reads the table. */
static void print_tables(struct why *w)
{
	struct table elsewhere = { .name = w->tb->name, .columns = w->tb->columns };
	struct table *tb = w->tb;
	size_t i = 0;

	table_begin(tb);
	for (; i < w->nr_rows && !(w->advice && w->rows[i].kind == WHY_ELSEWHERE); i++)
		fill_row(w, &w->rows[i]);
	table_print(tb);
	if (i == w->nr_rows)
		return;
	puts("\nElsewhere, with the same errors:\n");
	elsewhere.noheadings = tb->noheadings;
	elsewhere.numeric = tb->numeric;
	table_open(&elsewhere, ELSEWHERE_COLUMNS, NULL);
	table_begin(&elsewhere);
	w->tb = &elsewhere;
	for (; i < w->nr_rows; i++)
		fill_row(w, &w->rows[i]);
	table_print(&elsewhere);
	table_close(&elsewhere);
	w->tb = tb;
}

/* The process or command that the arguments name; NULL if none is. */
static const char *find_who(struct args *args, char pid[PID_TEXT])
{
	if (!args->container)
		return args->operands[0];
	if (args->last)
		die("mutually exclusive arguments: --container --last");
	if (args->operands[0])
		die("unexpected argument: %s", args->operands[0]);
	args_look_up(args);
	snprintf(pid, PID_TEXT, "%u", args->in.first);
	return pid;
}

static int run(struct args *args, struct table *tb)
{
	char pid[PID_TEXT];
	const char *who = find_who(args, pid);
	struct why w = {
		.args = args,
		.tb = tb,
		.advice = !tb->json && !tb->raw && !tb->output && !tb->output_all,
	};

	if (!who && !args->last)
		die("no process given");
	if (args->operands[0] && args->operands[1])
		die("unexpected argument: %s", args->operands[1]);
	w.denied = args->last || is_gone(arg_pid(who));
	w.filtered = args->resources.nr || args->error || args->syscall;
	table_open(tb, !tb->json ? COLUMNS : w.denied ? LAST_JSON_COLUMNS : JSON_COLUMNS, NULL);
	if (w.denied)
		find_last(&w, who);
	else
		find_rows(&w, arg_pid(who));
	if (w.advice && !w.denied)
		print_process(&w);
	if (!w.advice || !w.denied)
		print_tables(&w);
	if (w.advice)
		why_print_advice(&w);
	elsewhere_free(w.elsewhere, w.nr_elsewhere);
	propagation_free(&w.propagation);
	free(w.rows);
	free(w.denials);
	chain_free(&w.chain);
	chain_free(&w.real);
	snapshot_free(&w.snap);
	return EXIT_SUCCESS;
}

const struct command cmd_why = {
	.name = "why",
	.summary = "limits of a process, and how to raise them",
	.synopsis =
		" ucountview why [options] <pid>\n"
		" ucountview why [options] -c <container>\n"
		" ucountview why [options] --last [<pid>|<command>]",
	.about = "Show the limits that apply to a process, and how to raise them.",
	.options = options,
	.columns = columns,
	.notes =
		"\nExamples:\n"
		" ucountview why 4711\n"
		" ucountview why $$ -R inotify_watches\n"
		" ucountview why $$ -S fork -e EAGAIN\n"
		" ucountview why -J 4711\n"
		" ucountview why --last npm\n",
	.operands = true,
	.run = run,
};
