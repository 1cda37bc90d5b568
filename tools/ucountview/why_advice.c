// SPDX-License-Identifier: GPL-2.0
/*
 * ucountview why: the text below the table: what a limit that is nearly reached refuses, who
 * counts against it, and how to raise it.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "accounting.h"
#include "format.h"
#include "procfs.h"
#include "resource_info.h"
#include "ucountview.h"
#include "why.h"

/**
 * why_near_limit() - whether there is advice about a counter
 */
bool why_near_limit(const struct counter *counter)
{
	return counter->kind == LIMITED && counter->ratio >= RATIO_NEAR;
}

/* Of a namespace other than the initial one, all limits are this at first. */
#define CHILD_DEFAULT	UCV_UNLIMITED

/* The value that a limit of 0 had at boot; 0 if it is not known. */
static long long boot_default(const struct why_row *row)
{
	const struct resource_info *info = resource_info_find(row->name);
	long long threads;

	if (row->charge && row->charge->ns->parent != UCV_NO_INDEX)
		return CHILD_DEFAULT;
	if (info && info->boot_default)
		return info->boot_default;
	if (strstr(row->name, "_namespaces") && kernel_setting("kernel.threads-max", &threads))
		return threads / 2;
	return 0;
}

/* The least that the kernel sets at boot where it depends on the memory. */
#define LEAST_DEFAULT	8192

/* Twice the limit, or what is used if that is more. */
static long long better_limit(const struct why_row *row)
{
	const struct counter *counter = &row->counter;
	long long most = counter->used > counter->limit ? counter->used : counter->limit;
	bool is_int = row->kind == WHY_UCOUNT || row->kind == WHY_MOUNTS;
	long long highest = is_int ? UCV_UNLIMITED : LLONG_MAX / sysconf(_SC_PAGESIZE);

	if (row->kind == WHY_UCOUNT && !counter->limit)
		return boot_default(row) ?: LEAST_DEFAULT;
	if (most < 1)
		return 1;
	most = most < highest / 2 ? most * 2 : highest;
	return most > row->needed ? most : row->needed;
}

static const char *better_limit_text(const struct why_row *row)
{
	const struct counter *counter = &row->counter;

	if (!counter->limit)
		return row->kind == WHY_UCOUNT && boot_default(row) ?
		       "To allow it again, as after boot" : "To allow it";
	return counter->used > counter->limit ? "To raise the limit above what is used" :
	       "To double the limit";
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
static char *fix_sysctl(const struct why *w, const struct why_row *row)
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
	fix = xasprintf("%ssysctl -w %s=%lld", enter ? enter : "", setting, better_limit(row));
	free(setting);
	free(enter);
	return fix;
}

/* Returns NULL above the level of the process: what a namespace has stored cannot be changed. */
static char *fix_rlimit(const struct why *w, const struct why_row *row)
{
	const struct rlimit_info *info = rlimit_info_find(row->name);

	if (row->below || row->denial)
		return NULL;
	/* The colon leaves the hard limit as it is. */
	return xasprintf("prlimit --pid %u --%s=%lld:", w->process.pid, info->option,
			 better_limit(row) * (info->pages ? sysconf(_SC_PAGESIZE) : 1));
}

/**
 * why_fix() - the command that raises a limit
 *
 * Return: its text, allocated, or NULL if there is none.
 */
char *why_fix(const struct why *w, const struct why_row *row)
{
	/* The process is not refused, or the limit that refused is not there any more. */
	if (row->exempt)
		return NULL;
	if (row->denial && row->counter.kind != LIMITED)
		return NULL;
	switch (row->kind) {
	case WHY_UCOUNT:
	case WHY_MOUNTS:
		return fix_sysctl(w, row);
	case WHY_RLIMIT:
		return fix_rlimit(w, row);
	case WHY_ELSEWHERE:
		return xasprintf("%s%lld%s", row->elsewhere->fix, better_limit(row),
				 row->elsewhere->fix_end ? row->elsewhere->fix_end : "");
	default:
		return NULL;
	}
}

/**
 * why_setting() - what a limit is: a sysctl, a resource limit, a file
 *
 * Return: its name, allocated, or NULL if no setting changes it.
 */
char *why_setting(const struct why_row *row)
{
	if (row->denial && row->kind == WHY_UCOUNT && !row->charge && row->denial->level)
		return xasprintf("user.max_%s", row->name); /* of a namespace that is gone */
	switch (row->kind) {
	case WHY_RLIMIT:
		return xstrdup(resource_info_find(row->name)->setting);
	case WHY_ELSEWHERE:
		return xstrdup(row->elsewhere->setting);
	case WHY_DEPTH:
		return NULL;
	default:
		return resource_info_setting(row->name, row->charge ? row->charge->ns : NULL);
	}
}

static void print_others(const struct resource_info *info)
{
	char *others = xstrdup(info->others), *rest = others;
	char *text = NULL;

	for (char *name = strsep(&rest, " "); name; name = strsep(&rest, " "))
		text = list_add(text, ", ", "%s()", name);
	print_wrapped(2, 4, "The same holds for %s.", text);
	free(text);
	free(others);
}

static void print_error(const struct why *w, const struct why_row *row)
{
	const struct resource_info *info = resource_info_find(row->name);

	if (row->exempt) {
		printf("  Process %u is exempt (%s).\n", w->process.pid, row->exempt);
		if (!strncmp(row->exempt, "CAP_", 4) && !strcmp(row->name, "rlimit_nproc"))
			puts("  That holds for fork(), not for execve() after setuid().");
		return;
	}
	if (!info)
		return;
	print_wrapped(2, 4, "When it is reached, %s() fails with %s (%s).", info->syscall,
		      info->error_name, strerror(info->error));
	if (info->others)
		print_others(info);
}

/* " by uid 1000 in user namespace 4026532133": who or what is counted, allocated. */
static char *counted_text(const struct why *w, const struct why_row *row)
{
	const struct charge *charge = row->charge;

	if (row->kind == WHY_MOUNTS)
		return xasprintf(" in mount namespace %u", why_mntns(w, row)->inum);
	if (!charge)
		return xstrdup("");
	return xasprintf(" by uid %u in %suser namespace %u", charge->uid,
			 charge->ns->parent == UCV_NO_INDEX ? "the initial " : "",
			 charge->ns->inum);
}

static void print_used(const struct why *w, const struct why_row *row)
{
	char *counted = counted_text(w, row);

	print_wrapped(0, 4, "\n%s: %lld of %lld used%s.", row->name, row->counter.used,
		      row->counter.limit, counted);
	free(counted);
}

static void print_processes(const struct why *w, const struct why_row *row)
{
	struct processes procs = {};
	char *text;

	processes_read(&procs);
	text = counted_as_processes(&w->snap, &procs, row->charge);
	if (text)
		print_wrapped(2, 4, "Counted: %s.", text);
	free(text);
	processes_free(&procs);
}

static void print_holders(const struct why *w, const struct why_row *row)
{
	size_t resource = snapshot_resource(&w->snap, row->name);
	char *text;

	if (!strcmp(row->name, "rlimit_nproc") && row->charge)
		print_processes(w, row);
	if (row->kind != WHY_UCOUNT || !row->charge)
		return;
	if (w->snap.left_out && holders_known_of(row->name)) {
		puts("  Held: unknown, because the holders exceed the module's limit:");
		puts("    raise /sys/module/ucountview/parameters/max_snapshot_kib.");
		return;
	}
	if (row->counter.used > 0 && strstr(row->name, "_namespaces"))
		printf("  Held: see ucountview holders -R %s.\n", row->name);
	text = held_by(&w->snap, row->charge, resource);
	if (text)
		print_wrapped(2, 4, "Held: %s.", text);
	free(text);
	if (held_by_nobody(&w->snap, row->charge, resource))
		puts("  It looks like a leak, which a higher limit only hides: first see\n"
		     "  ucountview audit and ucountview leaks.");
}

/* Through which nsenter(1) could enter. */
static void print_no_process(const struct why_row *row)
{
	char *setting = why_setting(row);

	print_wrapped(2, 4, "The limit is %s in that namespace, which has no known process.",
		      setting);
	free(setting);
}

static void print_no_fix_of_denial(const struct why_row *row)
{
	if (row->kind == WHY_DEPTH)
		puts("  It was as deep as the kernel allows; no setting changes that.");
	else if (row->kind == WHY_RLIMIT && row->denial->level < row->denial->charged_level)
		puts("  A user namespace stored that limit when it was created;\n"
		     "  only a new user namespace can have another.");
	else if (row->kind == WHY_RLIMIT)
		printf("  The limit was %s of the process: see prlimit(1) and setrlimit(2).\n",
		       resource_info_find(row->name)->setting);
	else if (row->counter.kind == LIMITED)
		print_no_process(row);
}

static void print_no_fix(const struct why_row *row)
{
	char *setting;

	if (row->exempt)
		return;
	if (row->denial) {
		print_no_fix_of_denial(row);
		return;
	}
	if (row->kind == WHY_DEPTH) {
		if (row->counter.used < row->counter.limit)
			printf("  %lld more levels are possible; no setting changes that.\n",
			       counter_room(&row->counter));
		else
			puts("  It is as deep as the kernel allows; no setting changes that.");
		return;
	}
	setting = why_setting(row);
	if (row->below)
		printf("  User namespace %u stored this %s when it was created;\n"
		       "  only a new user namespace can have another.\n",
		       row->below->ns->inum, setting);
	else
		print_no_process(row);
	free(setting);
}

/* A sysctl of the initial namespaces can be made to last. */
static bool can_last(const struct why_row *row)
{
	if (row->kind == WHY_ELSEWHERE)
		return !strncmp(row->elsewhere->fix, "sysctl", 6);
	return row->kind == WHY_MOUNTS ||
	       (row->kind == WHY_UCOUNT && row->charge->ns->parent == UCV_NO_INDEX);
}

static void print_copied(const struct why *w, const struct receiver *to)
{
	char *more = to->more ? xasprintf(" (and in %zu more)", to->more) : xstrdup("");

	print_wrapped(2, 4, "What process %u mounts in %s%s is copied there, to %s %u.",
		      w->process.pid, to->point, more, "the namespace of process", to->ns->pid);
	free(more);
}

static void print_no_copies(const struct receiver *to)
{
	fputs("  To have no more copied there: ", stdout);
	if (to->target)
		printf("nsenter -t %u -m -r -- mount --make-rprivate %s\n", to->ns->pid,
		       to->target);
	else
		puts("make its mounts private (mount --make-rprivate).");
}

static void print_advice(const struct why *w, const struct why_row *row)
{
	char *fix = why_fix(w, row);

	if (row->denial)
		why_print_denied(row);
	else
		print_used(w, row);
	if (row->receiver)
		print_copied(w, row->receiver);
	print_holders(w, row);
	print_error(w, row);
	if (fix) {
		printf("  %s: %s\n", better_limit_text(row), fix);
		if (can_last(row))
			print_wrapped(2, 4, "To keep it: the line \"%s\" in a file in %s.",
				      strrchr(fix, ' ') + 1, "/etc/sysctl.d");
	} else {
		print_no_fix(row);
	}
	if (row->receiver)
		print_no_copies(row->receiver);
	free(fix);
}

static void print_not_read(const struct why *w)
{
	if (!w->args->resources.nr && !(w->snap.info.supported & UCV_MASK(UCV_KIND_MNTNS)))
		puts("\nThe module cannot read the mount counters on this kernel.");
	if (snapshot_resource(&w->snap, "rlimit_nproc") == w->snap.nr_resources)
		puts("\nThis kernel does not show its counters of RLIMIT_NPROC,\n"
		     "RLIMIT_SIGPENDING, RLIMIT_MSGQUEUE and RLIMIT_MEMLOCK: not read.");
	if (why_wants(w, "pids") && !why_has_row(w, "pids"))
		puts("\nNo pids.max was found for its cgroup: none is set, or it cannot be read.");
	puts("\nNot read: memory, quotas, free space and inodes of file systems,\n"
	     "fs.inotify.max_queued_events, fs.epoll.max_user_watches, fs.aio-max-nr,\n"
	     "fs.mqueue.*, kernel.shmmni, msgmni and sem, what mlock() and io_uring lock,\n"
	     "pid_max of a nested pid namespace, seccomp filters, security modules,\n"
	     "limits of cgroups but pids.max.");
}

/* Nearly full mount namespaces of which it is not known whether they get copies. */
static void print_unknown(const struct propagation *p)
{
	char *text = NULL;

	if (!p->nr_unknown)
		return;
	for (size_t i = 0; i < p->nr_unknown; i++)
		text = list_add(text, ", ", "%u (%u of %u)", p->unknown[i]->inum,
				p->unknown[i]->mounts, p->unknown[i]->limit);
	print_wrapped(0, 4, "\nMount namespaces nearly full, %s, but have no process: %s.",
		      "which may get copies of its mounts", text);
	free(text);
}

/**
 * why_print_advice() - print all that is said below the table
 */
void why_print_advice(const struct why *w)
{
	size_t near = 0;

	if (w->denied) {
		why_print_caller(w->rows[0].denial);
		print_advice(w, &w->rows[0]);
		why_print_denials(w);
		return;
	}
	for (size_t i = 0; i < w->nr_rows; i++) {
		if (!why_near_limit(&w->rows[i].counter))
			continue;
		print_advice(w, &w->rows[i]);
		near++;
	}
	putchar('\n');
	if (!near)
		puts("None of these limits is 90 % used or more.");
	puts("A call that charges more than is left is refused, however little is used:\n"
	     "mq_open(), shmctl(), mount() of a tree.");
	print_unknown(&w->propagation);
	why_print_denials(w);
	print_not_read(w);
}
