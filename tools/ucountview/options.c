// SPDX-License-Identifier: GPL-2.0
/*
 * The command line of every command: --help and parsing, by what struct command declares;
 * arguments that name users, processes, namespaces and resources, and the lines that they choose.
 * Invalid arguments end the program.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "format.h"
#include "options.h"
#include "resource_info.h"
#include "ucountview.h"

#define MAX_OPTIONS	32

static const struct opt table_options[] = {
	{ 'J', "json", NULL, "use JSON output format" },
	{ 'n', "noheadings", NULL, "don't print headings" },
	{ OPT_NUMERIC, "numeric", NULL, "print uids instead of user names" },
	{ 'o', "output", "list", "output columns (+<list>: and these)" },
	{ OPT_OUTPUT_ALL, "output-all", NULL, "output all columns" },
	{ 'r', "raw", NULL, "use the raw output format" },
	{ 'H', "list-columns", NULL, "list the available columns" },
	{ }
};

static const struct opt common_options[] = {
	{ 'h', "help", NULL, "display this help" },
	{ 'V', "version", NULL, "display version" },
	{ }
};

static void print_option(const struct opt *opt)
{
	const char *help = opt->help;
	char *text;

	if (!help)
		return;
	text = xasprintf("%s%s%s%s", opt->name, opt->arg ? " <" : "", opt->arg ? opt->arg : "",
			 opt->arg ? ">" : "");
	if (opt->key < OPT_OUTPUT_ALL)
		printf(" -%c, --%-16s ", opt->key, text);
	else
		printf("     --%-16s ", text);
	free(text);

	for (size_t len; help[len = strcspn(help, "\n")]; help += len + 1)
		printf("%.*s\n%24s", (int)len, help, "");
	puts(help);
}

static void print_options(const struct opt *opt)
{
	for (; opt->name; opt++)
		print_option(opt);
}

static void print_help(const struct table *tb, const struct command *cmd)
{
	printf("\nUsage:\n%s\n\n%s\n", cmd->synopsis, cmd->about);
	if (cmd->hints) {
		print_commands();
		fputs(cmd->hints, stdout);
	}
	puts("\nOptions:");
	print_options(cmd->options);
	if (cmd->columns)
		print_options(table_options);
	print_options(common_options);
	if (cmd->columns) {
		puts("\nAvailable output columns:");
		table_list_columns(tb, false);
	}
	printf("%s\nFor more details see ucountview(8).\n", cmd->notes);
}

/* All options, in the form that getopt_long() takes. */
struct options {
	char short_ones[2 * MAX_OPTIONS + 1];
	struct option long_ones[MAX_OPTIONS + 1];
	size_t nr;
};

static void add_options(struct options *all, const struct opt *opt)
{
	char *end = all->short_ones + strlen(all->short_ones);

	for (; opt->name && all->nr < MAX_OPTIONS; opt++) {
		all->long_ones[all->nr++] = (struct option){
			.name = opt->name,
			.has_arg = opt->arg ? required_argument : no_argument,
			.val = opt->key,
		};
		if (opt->key < OPT_OUTPUT_ALL)
			end += sprintf(end, "%c%s", opt->key, opt->arg ? ":" : "");
	}
}

static bool is_number(const char *text)
{
	return *text && !text[strspn(text, "0123456789")];
}

static unsigned int arg_number(const char *what, const char *text, unsigned int min,
			       unsigned int max)
{
	unsigned long long number;

	errno = 0;
	number = is_number(text) ? strtoull(text, NULL, 10) : 0;
	if (!is_number(text) || errno || number < min || number > max)
		die("invalid %s: %s", what, text);
	return number;
}

/* "0.8" or "80%" */
static double arg_ratio(const char *text)
{
	double ratio;
	char *end;

	ratio = strtod(text, &end);
	if (end != text && !strcmp(end, "%")) {
		ratio /= 100;
		end++;
	}
	if (end == text || *end || !isfinite(ratio) || ratio < 0)
		die("invalid ratio: %s", text);
	return ratio;
}

static double arg_seconds(const char *text)
{
	double seconds;
	char *end;

	seconds = strtod(text, &end);
	if (end == text || *end || !(seconds >= 0.01 && seconds <= UINT_MAX))
		die("invalid number of seconds: %s", text);
	return seconds;
}

/**
 * arg_pid() - the number of a process
 *
 * Return: the number; whether the process exists is checked when it is used.
 */
unsigned int arg_pid(const char *text)
{
	return arg_number("process", text, 1, INT_MAX);
}

static void add_resource(struct resource_names *list, const char *name)
{
	list->names = xreallocarray(list->names, list->nr + 1, sizeof(*list->names));
	list->names[list->nr++] = name;
	list->mounts |= !strcmp(name, MOUNTS_NAME);
}

/* What an option without an argument sets, or NULL. */
static bool *flag_of(struct args *args, struct table *tb, int key)
{
	switch (key) {
	case 'J':
		return &tb->json;
	case 'r':
		return &tb->raw;
	case 'n':
		return &tb->noheadings;
	case OPT_NUMERIC:
		return &tb->numeric;
	case OPT_OUTPUT_ALL:
		return &tb->output_all;
	case 'T':
		return &tb->tree;
	case 'a':
		return &args->all;
	case 'f':
		return &args->follow;
	case OPT_TOTALS:
		return &args->totals;
	case OPT_LAST:
		return &args->last;
	case OPT_OPENMETRICS:
		return &args->openmetrics;
	case OPT_NO_HOLDERS:
		return &args->no_holders;
	}
	return NULL;
}

static void take_argument(struct args *args, struct table *tb, int key, const char *arg)
{
	switch (key) {
	case 'o':
		tb->output = arg;
		break;
	case 'R':
		add_resource(&args->resources, arg);
		break;
	case 'u':
		args->user = arg;
		break;
	case 'U':
		args->userns = arg;
		break;
	case 'M':
		args->mntns = arg;
		break;
	case OPT_BY:
		args->by = arg;
		break;
	case OPT_AT:
		args->at = arg;
		break;
	case OPT_WRITE:
		args->write = arg;
		break;
	case 'e':
		args->error = arg;
		break;
	case 'S':
		args->syscall = arg;
		break;
	case 'p':
		args->pid = arg_pid(arg);
		break;
	case 'c':
		args->container = arg;
		break;
	case OPT_MIN_RATIO:
		args->min_ratio = arg_ratio(arg);
		args->by_ratio = true;
		break;
	case OPT_TOP:
		args->top = arg_number("number", arg, 1, UINT_MAX);
		break;
	case OPT_COUNT:
		args->count = arg_number("number", arg, 1, UINT_MAX);
		break;
	case 'w':
		args->interval = arg_seconds(arg);
		break;
	case 's':
		args->settle = arg_seconds(arg);
		break;
	}
}

/* Exits after an option that only prints something, and after one that is unknown. */
static void take_option(struct args *args, struct table *tb, const struct command *cmd, int key)
{
	bool *flag = flag_of(args, tb, key);

	if (flag) {
		*flag = true;
		return;
	}
	switch (key) {
	case 'H':
		table_list_columns(tb, true);
		exit(EXIT_SUCCESS);
	case 'V':
		puts("ucountview " UCV_VERSION);
		exit(EXIT_SUCCESS);
	case 'h':
		print_help(tb, cmd);
		exit(EXIT_SUCCESS);
	case '?':	/* getopt_long() has complained */
		exit(exit_failure);
	}
	take_argument(args, tb, key, optarg);
}

/**
 * args_parse() - parse a command line
 * @args: out; {} before
 * @tb: out: the options about the table
 */
void args_parse(struct args *args, struct table *tb, const struct command *cmd, int argc,
		char **argv)
{
	struct options all = { };
	int key;

	if (cmd->columns)
		add_options(&all, table_options);
	add_options(&all, common_options);
	add_options(&all, cmd->options);
	while ((key = getopt_long(argc, argv, all.short_ones, all.long_ones, NULL)) != -1)
		take_option(args, tb, cmd, key);
	args->operands = argv + optind;
	if (!cmd->operands && optind < argc)
		die("unexpected argument: %s", argv[optind]);
}

static __u32 arg_user(const char *text)
{
	uid_t uid;

	if (is_number(text))
		return arg_number("uid", text, 0, UCV_UID_UNMAPPED - 1);
	if (!user_id(text, &uid))
		die("unknown user: %s", text);
	return uid;
}

/*
 * An inode number, "pid:" and a process in the namespace, or the path of its file. @fd: out: the
 * namespace, left open; -1 if only its number is known.
 */
static __u32 arg_namespace(enum namespace_type type, const char *text, int *fd)
{
	*fd = -1;
	if (is_number(text))
		return arg_number(namespace_name(type), text, 1, 0xffffffff);
	if (!strncmp(text, "pid:", 4))
		*fd = process_open_namespace(arg_pid(text + 4), type);
	else
		*fd = open(text, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (*fd < 0)
		die("%s: %s", text, strerror(errno));
	return namespace_of_fd(*fd, type, text);
}

/**
 * args_look_up() - look up the user, the namespaces and the container that arguments name
 *
 * Called before the snapshot, so that a namespace named by a process is in it. Exits if one
 * does not exist.
 */
void args_look_up(struct args *args)
{
	int userns_fd;

	if (args->container && args->pid)
		die("mutually exclusive arguments: --container --pid");
	if (args->container)
		container_find(&args->in, args->container);
	if (args->user)
		args->uid = arg_user(args->user);
	if (args->userns)
		args->userns_inum = arg_namespace(NS_USER, args->userns, &userns_fd);
	if (args->mntns)
		args->mntns_inum = arg_namespace(NS_MNT, args->mntns, &args->mntns_fd);
}

/**
 * args_check() - exit if a snapshot lacks the namespaces that arguments name
 */
void args_check(const struct args *args, const struct snapshot *snap)
{
	if (args->userns && !snapshot_find_userns(snap, args->userns_inum))
		die("no such user namespace: %s", args->userns);
	if (args->mntns && !snapshot_find_mntns(snap, args->mntns_inum))
		die("no such mount namespace: %s", args->mntns);
}

/**
 * wants_user() - whether --user and --userns let a line pass
 * @uid: the user of the line
 * @ns: its user namespace
 *
 * Return: whether they do.
 */
bool wants_user(const struct args *args, __u32 uid, const struct ucv_userns *ns)
{
	if (args->user && uid != args->uid)
		return false;
	return !args->userns || ns->inum == args->userns_inum;
}

/**
 * names_processes() - whether --pid or --container chooses processes
 */
bool names_processes(const struct args *args)
{
	return args->pid || args->container;
}

/**
 * wants_process() - whether --pid and --container let a process pass
 */
bool wants_process(const struct args *args, unsigned int pid)
{
	if (args->container)
		return container_has(&args->in, pid);
	return !args->pid || pid == args->pid;
}

/**
 * wants_counter() - whether --min-ratio lets a line pass
 * @counter: the counter of the line
 *
 * A limit of 0 at which nothing is used does not count as full: it is there on purpose.
 *
 * Return: whether it does.
 */
bool wants_counter(const struct args *args, const struct counter *counter)
{
	double ratio = counter->limit || counter->used ? counter->ratio : 0;

	return !args->by_ratio || (counter->kind == LIMITED && ratio >= args->min_ratio);
}

/**
 * wants_name() - whether a resource is to be shown
 * @name: of any kind
 *
 * Return: whether it was named, or nothing was.
 */
bool wants_name(const struct args *args, const char *name)
{
	const struct resource_names *list = &args->resources;

	for (size_t i = 0; i < list->nr; i++) {
		if (!strcmp(list->names[i], name))
			return true;
	}
	return !list->nr;
}

/**
 * sort_rows() - sort the rows of a table, and apply --top
 * @rows: the rows; may be NULL if there are none
 * @nr: how many
 * @size: bytes of each
 * @compare: as for qsort()
 *
 * Return: how many are to be shown.
 */
size_t sort_rows(const struct args *args, void *rows, size_t nr, size_t size,
		 int (*compare)(const void *a, const void *b))
{
	if (nr)
		qsort(rows, nr, size, compare);
	return args->top && args->top < nr ? args->top : nr;
}

static void __noreturn resource_unknown(const char *name)
{
	/* What only later kernels count, or only some configurations. */
	static const char * const others[] = {
		"binfmt_misc_interpreters", "fanotify_groups", "fanotify_marks",
		"inotify_instances", "inotify_watches", "rlimit_memlock", "rlimit_msgqueue",
		"rlimit_nproc", "rlimit_sigpending",
	};

	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		if (!strcmp(others[i], name))
			die("%s: this kernel has no such counter", name);
	}
	die("unknown resource: %s", name);
}

/* What is refused as a full counter is, and is none. */
static bool is_refusal_alone(const char *name)
{
	return !strcmp(name, MOUNTS_NAME) || !strcmp(name, USERNS_DEPTH_NAME) ||
	       !strcmp(name, PIDNS_DEPTH_NAME);
}

/**
 * find_resources() - look up the resources that --resource names
 * @refusals: mounts and nesting depths may be named as well, and are left to the caller
 * @wanted: out: for each of the snapshot's resources, whether it is meant
 *
 * Exits if something else is named.
 */
void find_resources(const struct args *args, const struct snapshot *snap, bool refusals,
		    bool wanted[UCV_MAX_RESOURCES])
{
	const struct resource_names *list = &args->resources;

	for (size_t i = 0; i < UCV_MAX_RESOURCES; i++)
		wanted[i] = !list->nr && i < snap->nr_resources;
	for (size_t i = 0; i < list->nr; i++) {
		size_t resource = snapshot_resource(snap, list->names[i]);

		if (refusals && is_refusal_alone(list->names[i]))
			continue;
		if (resource == snap->nr_resources)
			resource_unknown(list->names[i]);
		wanted[resource] = true;
	}
}
