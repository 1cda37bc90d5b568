// SPDX-License-Identifier: GPL-2.0
/*
 * Arguments that name users, processes, namespaces and resources; and the options by which
 * several commands choose lines. Invalid arguments end the program.
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
#include "procfs.h"
#include "ucountview.h"

static bool is_number(const char *text)
{
	return *text && !text[strspn(text, "0123456789")];
}

/**
 * args_end() - exit if there are arguments that are no options
 * @argc: number of arguments, all options parsed
 * @argv: the arguments
 */
void args_end(int argc, char **argv)
{
	if (optind < argc)
		die("unexpected argument: %s", argv[optind]);
}

/**
 * arg_number() - a whole number
 * @what: what it is, for the error message
 * @text: the argument
 * @min: smallest
 * @max: largest
 *
 * Return: the number.
 */
unsigned int arg_number(const char *what, const char *text, unsigned int min, unsigned int max)
{
	unsigned long long number;

	errno = 0;
	number = is_number(text) ? strtoull(text, NULL, 10) : 0;
	if (!is_number(text) || errno || number < min || number > max)
		die("invalid %s: %s", what, text);
	return number;
}

/**
 * arg_ratio() - a ratio: "0.8" or "80%"
 * @text: the argument
 *
 * Return: the ratio.
 */
double arg_ratio(const char *text)
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

/**
 * arg_seconds() - a time to wait, in seconds
 * @text: the argument
 *
 * Return: the seconds, at least a hundredth.
 */
double arg_seconds(const char *text)
{
	double seconds;
	char *end;

	seconds = strtod(text, &end);
	if (end == text || *end || !(seconds >= 0.01 && seconds <= UINT_MAX))
		die("invalid number of seconds: %s", text);
	return seconds;
}

/**
 * arg_user() - a user, by number or name
 * @text: the argument
 *
 * Return: the uid.
 */
__u32 arg_user(const char *text)
{
	uid_t uid;

	if (is_number(text))
		return arg_number("uid", text, 0, UCV_UID_UNMAPPED - 1);
	if (!user_id(text, &uid))
		die("unknown user: %s", text);
	return uid;
}

/**
 * arg_pid() - the number of a process
 * @text: the argument
 *
 * Return: the number; whether the process exists is checked when it is used.
 */
unsigned int arg_pid(const char *text)
{
	return arg_number("process", text, 1, INT_MAX);
}

/**
 * arg_namespace() - a namespace: its inode number, "pid:" and a process in it, or the
 *	path of its file
 * @type: the namespace's type
 * @text: the argument
 *
 * Return: the inode number.
 */
__u32 arg_namespace(enum ns_type type, const char *text)
{
	int fd;

	if (is_number(text))
		return arg_number(namespace_name(type), text, 1, 0xffffffff);
	if (!strncmp(text, "pid:", 4))
		return process_namespace(arg_pid(text + 4), type);

	fd = open(text, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		die("%s: %s", text, strerror(errno));
	return namespace_of_fd(fd, type, text);
}

/**
 * arg_resource() - a resource, by name
 * @list: the list to add it to
 * @text: the argument; looked up later, by find_resources()
 */
void arg_resource(struct resource_names *list, const char *text)
{
	list->names = xreallocarray(list->names, list->nr + 1, sizeof(*list->names));
	list->names[list->nr++] = text;
}

/**
 * arg_resource_or_mounts() - a resource or the mounts, by name
 * @list: the list to add it to
 * @text: the argument; looked up later, by find_resources()
 */
void arg_resource_or_mounts(struct resource_names *list, const char *text)
{
	if (!strcmp(text, MOUNTS_NAME))
		list->mounts = true;
	else
		arg_resource(list, text);
}

/**
 * wants_mounts() - whether the mounts were named
 * @list: the names
 *
 * Return: whether they are; also if nothing was named.
 */
bool wants_mounts(const struct resource_names *list)
{
	return list->mounts || !list->nr;
}

static size_t find_resource(const struct snapshot *snap, const char *name)
{
	for (size_t i = 0; i < snap->nr_resources; i++) {
		if (!strcmp(snap->resources[i].name, name))
			return i;
	}
	die("unknown resource: %s", name);
}

/**
 * find_resources() - look resources up in a snapshot and free the list
 * @list: the names
 * @snap: the snapshot
 * @wanted: out: for each of the snapshot's resources, whether it was named
 */
void find_resources(const struct resource_names *list, const struct snapshot *snap,
		    bool wanted[UCV_MAX_RESOURCES])
{
	for (size_t i = 0; i < UCV_MAX_RESOURCES; i++)
		wanted[i] = !list->nr && !list->mounts;
	for (size_t i = 0; i < list->nr; i++)
		wanted[find_resource(snap, list->names[i])] = true;
	free(list->names);
}

/**
 * find_limited_resources() - find_resources() for those limited at all levels
 * @list: the names; exits if one is of a resource that each process has limits for
 * @snap: the snapshot
 * @wanted: out: for each of the snapshot's resources, whether it was named
 */
void find_limited_resources(const struct resource_names *list, const struct snapshot *snap,
			    bool wanted[UCV_MAX_RESOURCES])
{
	find_resources(list, snap, wanted);
	for (size_t i = 0; i < snap->nr_resources; i++) {
		if (snap->resources[i].type == UCV_RESOURCE_UCOUNT)
			continue;
		if (list->nr && wanted[i])
			die("%s: limited by each process's own RLIMIT, see prlimit(1)",
			    snap->resources[i].name);
		wanted[i] = false;
	}
}

/* Options by which several commands choose lines. */

enum {
	OPT_MIN_RATIO = 0x200,
	OPT_TOP,
};

const struct option filter_options[] = {
	{ "user",      required_argument, NULL, 'u' },
	{ "userns",    required_argument, NULL, 'U' },
	{ "min-ratio", required_argument, NULL, OPT_MIN_RATIO },
	{ "top",       required_argument, NULL, OPT_TOP },
	{ }
};

/**
 * filter_option() - take one of filter_options
 * @filter: out
 * @opt: which option; others are ignored
 * @arg: its argument
 */
void filter_option(struct filter *filter, int opt, const char *arg)
{
	switch (opt) {
	case 'u':
		filter->user_arg = arg;
		break;
	case 'U':
		filter->userns_arg = arg;
		break;
	case OPT_MIN_RATIO:
		filter->min_ratio = arg_ratio(arg);
		filter->by_ratio = true;
		break;
	case OPT_TOP:
		filter->top = arg_number("number", arg, 1, UINT_MAX);
		break;
	}
}

/**
 * filter_find() - look up what the arguments name
 * @filter: the filter, all options parsed
 *
 * Called before the snapshot, so that a namespace named by a process is in it. Exits if the user
 * or the namespace does not exist.
 */
void filter_find(struct filter *filter)
{
	if (filter->user_arg)
		filter->uid = arg_user(filter->user_arg);
	if (filter->userns_arg)
		filter->userns = arg_namespace(NS_USER, filter->userns_arg);
}

/**
 * filter_check() - exit if a snapshot lacks what the arguments name
 * @filter: the filter
 * @snap: the snapshot
 */
void filter_check(const struct filter *filter, const struct snapshot *snap)
{
	if (filter->userns_arg && !snapshot_find_userns(snap, filter->userns))
		die("no such user namespace: %s", filter->userns_arg);
}

/**
 * filter_wants_user() - whether a user's line passes the filter
 * @filter: the filter
 * @uid: the user
 * @ns: the user namespace
 *
 * Return: whether they do.
 */
bool filter_wants_user(const struct filter *filter, __u32 uid, const struct ucv_userns *ns)
{
	if (filter->user_arg && uid != filter->uid)
		return false;
	return !filter->userns_arg || ns->inum == filter->userns;
}

/**
 * filter_wants_counter() - whether a counter passes the filter
 * @filter: the filter
 * @counter: the counter
 *
 * Return: whether they do.
 */
bool filter_wants_counter(const struct filter *filter, const struct counter *counter)
{
	if (!filter->by_ratio)
		return true;
	return counter->kind == LIMITED && counter->ratio >= filter->min_ratio;
}
