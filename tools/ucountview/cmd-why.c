// SPDX-License-Identifier: GPL-2.0
/*
 * ucountview why: show the limits that can refuse a process something, and what to change:
 * counters at each level that is charged, nesting depth, and limits elsewhere whose refusals look
 * the same. The facts about the kernel are in resource_info.c.
 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/capability.h>

#include "accounting.h"
#include "charge.h"
#include "elsewhere.h"
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
#define JSON_COLUMNS	COLUMNS ",SYSCALL,ERRNO,SETTING,FIX,MNTNS,KIND,EXEMPT"
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
	{ }
};

static const struct opt options[] = {
	{ 'e', "errno", "name", "only limits whose refusal is this error: ENOSPC" },
	RESOURCE_OR_MOUNTS_OPTION,
	{ 'S', "syscall", "name", "only limits that make this system call fail" },
	{ }
};

/* What a limit is, in the sort order of the lines: all but the last together. */
enum why_kind {
	WHY_UCOUNT,
	WHY_RLIMIT,
	WHY_MOUNTS,
	WHY_DEPTH,
	WHY_ELSEWHERE,
};

static const char * const kind_names[] = { "ucount", "rlimit", "mounts", "depth", "elsewhere" };

/* A limit, at one level of the chain if a user is charged. */
struct why_row {
	const char *name;
	enum why_kind kind;
	size_t order;			/* among rows that are equally full */
	const struct charge *charge;	/* NULL: no user is charged */
	const struct charge *below;	/* the level below; its namespace stores the rlimit */
	const struct elsewhere *elsewhere;
	struct counter counter;
	struct counter binding;		/* of the level that binds, for sorting */
	bool binds;
	bool alone;			/* the only level */
	const char *exempt;		/* NULL: the process is subject to it */
};

struct why {
	const struct args *args;
	struct table *tb;
	bool advice;	/* printed only with the plain table and its default columns */
	struct process process;
	unsigned long long caps;
	struct snapshot snap;
	struct chain chain;		/* of what is charged to the effective uid */
	struct chain real;		/* to the real uid: rlimits */
	const struct ucv_mntns *mntns;	/* NULL: mounts are not shown */
	struct elsewhere elsewhere[MAX_ELSEWHERE];
	size_t nr_elsewhere;
	struct why_row *rows;
	size_t nr_rows;
};

static bool named(const struct why *w, const char *name)
{
	const struct resource_names *list = &w->args->resources;

	for (size_t i = 0; i < list->nr; i++) {
		if (!strcmp(list->names[i], name))
			return true;
	}
	return !list->nr;
}

static bool wanted(const struct why *w, const char *name)
{
	return named(w, name) && resource_info_matches(name, w->args->error, w->args->syscall);
}

static void take_snapshot(struct why *w)
{
	__u64 needed = UCV_MASK(UCV_KIND_RESOURCE) | UCV_MASK(UCV_KIND_UCOUNTS);
	__u64 useful = 0;

	if (w->args->resources.mounts)
		needed |= UCV_MASK(UCV_KIND_MNTNS);
	else if (wanted(w, MOUNTS_NAME))
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

static void add_row(struct why *w, struct why_row row)
{
	row.order = w->nr_rows;
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
			.charge = charge,
			.counter = counter_of(&w->snap, charge->ns, charge->uc, resource),
			.binding = least,
			.binds = charge == binding,
			.alone = w->chain.nr == 1,
		});
	}
}

/* capable() asks for a capability in the initial user namespace. */
static const char *exemption(const struct why *w, const struct rlimit_info *info)
{
	static const struct {
		int cap;
		const char *text;
	} names[] = {
		{ CAP_IPC_LOCK, "CAP_IPC_LOCK" },
		{ CAP_SYS_ADMIN, "CAP_SYS_ADMIN" },
		{ CAP_SYS_RESOURCE, "CAP_SYS_RESOURCE" },
	};
	size_t last = w->real.nr - 1;

	if (info->root_exempt && !w->process.uid)
		return "real uid 0";
	for (size_t i = 0; i < ARRAY_SIZE(names) && !last; i++) {
		if ((info->caps[0] == names[i].cap || info->caps[1] == names[i].cap) &&
		    w->caps >> names[i].cap & 1)
			return names[i].text;
	}
	return NULL;
}

/*
 * The kernel compares the counter at the level of the process with its own RLIMIT_*, and each
 * level above with what the namespace below has stored when it was created. (Of memlock, the
 * counter is in pages, and so is the first limit, but what is stored is in bytes: so the kernel
 * compares.)
 */
static struct counter counter_of_rlimit(const struct why *w, const struct rlimit_info *info,
					size_t level, size_t resource)
{
	const struct charge *charge = &w->real.charges[level];
	long long limit;

	if (level) {
		limit = charge[-1].ns->limit[resource];
	} else {
		limit = process_limit(w->process.pid, info->limit);
		if (info->pages && limit >= 0 && limit != LLONG_MAX)
			limit /= sysconf(_SC_PAGESIZE);
	}
	return counter_with_limit(charge->uc ? charge->uc->used[resource] : 0, limit);
}

static void add_rlimit(struct why *w, size_t resource)
{
	const struct rlimit_info *info = rlimit_info_find(w->snap.resources[resource].name);
	struct counter least = { .kind = UNLIMITED };
	size_t binding = w->real.nr;

	if (!info)
		return;
	for (size_t i = 0; i < w->real.nr; i++) {
		struct counter counter = counter_of_rlimit(w, info, i, resource);

		if (counter_room(&counter) >= counter_room(&least))
			continue;
		least = counter;
		binding = i;
	}
	for (size_t i = 0; i < w->real.nr; i++)
		add_row(w, (struct why_row){
			.name = info->resource,
			.kind = WHY_RLIMIT,
			.charge = &w->real.charges[i],
			.below = i ? &w->real.charges[i - 1] : NULL,
			.counter = counter_of_rlimit(w, info, i, resource),
			.binding = least,
			.binds = i == binding,
			.alone = w->real.nr == 1,
			.exempt = exemption(w, info),
		});
}

/* A limit that has one level and no user. */
static void add_lone(struct why *w, const char *name, enum why_kind kind, struct counter counter,
		     const struct elsewhere *elsewhere)
{
	add_row(w, (struct why_row){
		.name = name,
		.kind = kind,
		.elsewhere = elsewhere,
		.counter = counter,
		.binding = counter,
		.binds = true,
		.alone = true,
	});
}

/* Nesting too deep is refused as a counter that is full is. */
static void add_depths(struct why *w)
{
	if (wanted(w, USERNS_DEPTH_NAME) || wanted(w, "user_namespaces"))
		add_lone(w, USERNS_DEPTH_NAME, WHY_DEPTH,
			 counter_with_limit(w->chain.charges[0].ns->level, USERNS_DEPTH_MAX), NULL);
	if (wanted(w, PIDNS_DEPTH_NAME) || wanted(w, "pid_namespaces"))
		add_lone(w, PIDNS_DEPTH_NAME, WHY_DEPTH,
			 counter_with_limit(process_pidns_level(w->process.pid), PIDNS_DEPTH_MAX),
			 NULL);
}

static void add_elsewhere(struct why *w)
{
	w->nr_elsewhere = elsewhere_read(w->elsewhere, w->process.pid);
	for (size_t i = 0; i < w->nr_elsewhere; i++) {
		const struct elsewhere *e = &w->elsewhere[i];

		if (wanted(w, e->resource))
			add_lone(w, e->resource, WHY_ELSEWHERE,
				 counter_with_limit(e->used, e->limit), e);
	}
}

/*
 * The fullest first; the levels of each in the order in which they are charged. What is elsewhere
 * comes last.
 */
static int compare_rows(const void *a, const void *b)
{
	const struct why_row *x = a, *y = b;

	return COMPARE(x->kind == WHY_ELSEWHERE, y->kind == WHY_ELSEWHERE) ?:
	       COMPARE(x->binding.kind, y->binding.kind) ?:
	       COMPARE(y->binding.ratio, x->binding.ratio) ?:
	       COMPARE(x->order, y->order);
}

/* Exit if a resource was named that is unknown, or that this kernel does not count. */
static void check_names(const struct why *w)
{
	const struct resource_names *list = &w->args->resources;

	for (size_t i = 0; i < list->nr; i++) {
		const char *name = list->names[i];

		if (snapshot_resource(&w->snap, name) < w->snap.nr_resources)
			continue;
		if (!resource_info_find(name) || strstr(name, "_namespaces"))
			die("unknown resource: %s", name);
		if (!resource_info_elsewhere(name))
			die("%s: no such counter in this kernel", name);
	}
}

static void collect_rows(struct why *w)
{
	check_names(w);
	for (size_t i = 0; i < w->snap.nr_resources; i++) {
		if (!wanted(w, w->snap.resources[i].name))
			continue;
		if (w->snap.resources[i].type == UCV_RESOURCE_UCOUNT)
			add_levels(w, i);
		else
			add_rlimit(w, i);
	}
	if (w->mntns && wanted(w, MOUNTS_NAME))
		add_lone(w, MOUNTS_NAME, WHY_MOUNTS, counter_of_mounts(w->mntns), NULL);
	add_depths(w);
	add_elsewhere(w);
	/* An empty table would look like an answer. */
	if (!w->nr_rows)
		die("no limit that is read here matches these options");
	sort_rows(w->args, w->rows, w->nr_rows, sizeof(*w->rows), compare_rows);
}

static bool near_limit(const struct counter *counter)
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
	return most < highest / 2 ? most * 2 : highest;
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

	if (row->below || row->exempt)
		return NULL;
	/* The colon leaves the hard limit as it is. */
	return xasprintf("prlimit --pid %u --%s=%lld:", w->process.pid, info->option,
			 better_limit(row) * (info->pages ? sysconf(_SC_PAGESIZE) : 1));
}

static char *fix_text(const struct why *w, const struct why_row *row)
{
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

static char *setting_text(const struct why_row *row)
{
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
	cell_text(w->tb, "SETTING", setting_text(row));
	if (near_limit(&row->counter) && table_shows(w->tb, "FIX"))
		cell_text(w->tb, "FIX", fix_text(w, row));
}

static void fill_row(const struct why *w, const struct why_row *row)
{
	struct table *tb = w->tb;

	table_line(tb, NULL);
	cell(tb, "RESOURCE", "%s", row->name);
	cell(tb, "KIND", "%s", kind_names[row->kind]);
	if (row->charge)
		fill_level(tb, row->charge);
	if (row->kind == WHY_MOUNTS)
		cell(tb, "MNTNS", "%u", w->mntns->inum);
	if (row->exempt)
		cell(tb, "EXEMPT", "%s", row->exempt);
	cell(tb, "USED", "%lld", row->counter.used);
	cells_limit(tb, &row->counter);
	if (row->counter.kind == LIMITED)
		cell(tb, "ROOM", "%lld", counter_room(&row->counter));
	/* To a person, a level that is alone need not be told from others. */
	if (tb->json || (row->binds && !(row->alone && w->advice)))
		cell(tb, "BINDS", row->binds ? "yes" : "no");
	fill_advice(w, row);
}

static void print_others(const struct resource_info *info)
{
	char *others = xstrdup(info->others), *rest = others;
	char *text = NULL;

	for (char *name = strsep(&rest, " "); name; name = strsep(&rest, " "))
		text = list_add(text, ", ", "%s()", name);
	printf("  The same holds for %s.\n", text);
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
	printf("  When it is reached, %s() fails with %s (%s).\n", info->syscall,
	       info->error_name, strerror(info->error));
	if (info->others)
		print_others(info);
}

static void print_charge(const struct charge *charge)
{
	printf("by uid %u in %suser namespace %u.\n", charge->uid,
	       charge->ns->parent == UCV_NO_INDEX ? "the initial " : "", charge->ns->inum);
}

static void print_used(const struct why *w, const struct why_row *row)
{
	printf("\n%s: %lld of %lld used", row->name, row->counter.used, row->counter.limit);
	if (row->charge) {
		putchar(' ');
		print_charge(row->charge);
	} else if (row->kind == WHY_MOUNTS) {
		printf(" in mount namespace %u.\n", w->mntns->inum);
	} else {
		puts(".");
	}
}

static void print_processes(const struct why *w, const struct why_row *row)
{
	struct processes procs = {};
	char *text;

	processes_read(&procs);
	text = counted_as_processes(&w->snap, &procs, row->charge);
	if (text)
		printf("  Counted: %s.\n", text);
	free(text);
	processes_free(&procs);
}

static void print_holders(const struct why *w, const struct why_row *row)
{
	size_t resource = snapshot_resource(&w->snap, row->name);
	char *text;

	if (!strcmp(row->name, "rlimit_nproc"))
		print_processes(w, row);
	if (row->kind != WHY_UCOUNT)
		return;
	if (w->snap.left_out && holders_known_of(row->name)) {
		puts("  Held: unknown, because the holders exceed the module's limit:");
		puts("    raise /sys/module/ucountview/parameters/max_snapshot_kib.");
		return;
	}
	text = held_by(&w->snap, row->charge, resource);
	if (text)
		printf("  Held: %s.\n", text);
	free(text);
	if (held_by_nobody(&w->snap, row->charge, resource))
		puts("  It looks like a leak, which a higher limit only hides: first see\n"
		     "  ucountview audit and ucountview leaks.");
}

static void print_no_fix(const struct why_row *row)
{
	char *setting;

	if (row->exempt)
		return;
	if (row->kind == WHY_DEPTH) {
		if (row->counter.used < row->counter.limit)
			printf("  %lld more levels are possible; no setting changes that.\n",
			       counter_room(&row->counter));
		else
			puts("  It is as deep as the kernel allows; no setting changes that.");
		return;
	}
	setting = setting_text(row);
	if (row->below)
		printf("  User namespace %u stored this %s when it was created;\n"
		       "  only a new user namespace can have another.\n",
		       row->below->ns->inum, setting);
	else
		printf("  The limit is %s in that namespace, which has no known process.\n",
		       setting);
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

static void print_advice(const struct why *w, const struct why_row *row)
{
	char *fix = fix_text(w, row);

	print_used(w, row);
	print_holders(w, row);
	print_error(w, row);
	if (fix) {
		printf("  %s: %s\n", better_limit_text(row), fix);
		if (can_last(row))
			printf("  To keep it: the line \"%s\" in a file in %s.\n",
			       strrchr(fix, ' ') + 1, "/etc/sysctl.d");
	} else {
		print_no_fix(row);
	}
	free(fix);
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

static bool has_row(const struct why *w, const char *name)
{
	for (size_t i = 0; i < w->nr_rows; i++) {
		if (!strcmp(w->rows[i].name, name))
			return true;
	}
	return false;
}

static void print_not_read(const struct why *w)
{
	if (!w->args->resources.nr && !(w->snap.info.supported & UCV_MASK(UCV_KIND_MNTNS)))
		puts("\nThe module cannot read the mount counters on this kernel.");
	if (snapshot_resource(&w->snap, "rlimit_nproc") == w->snap.nr_resources)
		puts("\nThis kernel does not show its counters of RLIMIT_NPROC,\n"
		     "RLIMIT_SIGPENDING, RLIMIT_MSGQUEUE and RLIMIT_MEMLOCK: not read.");
	if (wanted(w, "pids") && !has_row(w, "pids"))
		puts("\nNo pids.max was found for its cgroup: none is set, or it cannot be read.");
	puts("\nNot read: memory, quotas, free space and inodes of file systems,\n"
	     "fs.inotify.max_queued_events, fs.epoll.max_user_watches, fs.aio-max-nr,\n"
	     "fs.mqueue.*, kernel.shmmni, msgmni and sem, what mlock() and io_uring lock,\n"
	     "pid_max of a nested pid namespace, seccomp filters, security modules.");
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
		puts("\nNone of these limits is 90 % used or more. A call that charges more than\n"
		     "is left is refused all the same: mq_open(), shmctl(), mount() of a tree.");
	print_not_read(w);
}

static void check_alive(unsigned int pid)
{
	if (kill(pid, 0) && errno == ESRCH)
		die("no such process: %u (what it was refused: ucountview denials -p %u)", pid,
		    pid);
}

static void find_rows(struct why *w, unsigned int pid)
{
	check_alive(pid);
	process_read(&w->process, pid);
	w->caps = process_caps(pid);
	take_snapshot(w);
	check_viewpoint(w);
	follow_process(w);
	collect_rows(w);
	check_alive(pid); /* or some of it could not be read, and looks unused */
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
	table_open(&elsewhere, ELSEWHERE_COLUMNS, NULL);
	table_begin(&elsewhere);
	w->tb = &elsewhere;
	for (; i < w->nr_rows; i++)
		fill_row(w, &w->rows[i]);
	table_print(&elsewhere);
	table_close(&elsewhere);
	w->tb = tb;
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
	if (w.advice)
		print_process(&w);
	print_tables(&w);
	if (w.advice)
		print_all_advice(&w);
	elsewhere_free(w.elsewhere, w.nr_elsewhere);
	free(w.rows);
	chain_free(&w.chain);
	chain_free(&w.real);
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
		" ucountview why $$ -S fork -e EAGAIN\n"
		" ucountview why -J 4711\n",
	.operands = true,
	.run = run,
};
