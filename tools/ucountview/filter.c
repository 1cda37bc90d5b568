// SPDX-License-Identifier: GPL-2.0
/*
 * The options that choose lines in more than one command: whose, where, how full.
 */
#include <limits.h>

#include "args.h"
#include "filter.h"
#include "ucountview.h"

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
 * @filter: where to
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
 * @filter: the filter, all options taken
 *
 * Before the snapshot, so that a namespace named by a process is in it. Gives up if
 * there is no such thing.
 */
void filter_find(struct filter *filter)
{
	if (filter->user_arg)
		filter->uid = arg_user(filter->user_arg);
	if (filter->userns_arg)
		filter->userns = arg_namespace(NS_USER, filter->userns_arg);
}

/**
 * filter_check() - give up if a snapshot does not hold what the arguments name
 * @filter: the filter
 * @snap: the snapshot
 */
void filter_check(const struct filter *filter, const struct snapshot *snap)
{
	if (filter->userns_arg && !snapshot_find_userns(snap, filter->userns))
		die("no such user namespace: %s", filter->userns_arg);
}

/**
 * filter_wants_user() - whether the options let a user's line pass
 * @filter: the filter
 * @uid: whose line it is
 * @ns: in which user namespace
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
 * filter_wants_counter() - whether the options let a counter pass
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
