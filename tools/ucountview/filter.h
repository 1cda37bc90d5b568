/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The options that choose lines in more than one command: whose, where, how full.
 */
#ifndef _UCV_FILTER_H
#define _UCV_FILTER_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>

#include "counter.h"
#include "snapshot.h"

/**
 * struct filter - which lines; a member that is not set lets all pass
 * @user_arg: argument of --user
 * @userns_arg: argument of --userns
 * @uid: the user it names
 * @userns: inode number of the user namespace it names
 * @by_ratio: --min-ratio was given
 * @min_ratio: its argument
 * @top: how many lines
 */
struct filter {
	const char *user_arg;
	const char *userns_arg;
	__u32 uid;
	__u32 userns;
	bool by_ratio;
	double min_ratio;
	size_t top;
};

extern const struct option filter_options[];

#define FILTER_USERNS_HELP						\
	" -U, --userns <userns>  only this user namespace: inode number, path of its\n" \
	"                        file, or pid:<pid> for that of a process\n"

#define FILTER_RATIO_HELP						\
	"     --min-ratio <num>  only what is as full as this: 0.8 or 80%\n" \
	"     --top <num>        only the fullest\n"

void filter_option(struct filter *filter, int opt, const char *arg);
void filter_find(struct filter *filter);
void filter_check(const struct filter *filter, const struct snapshot *snap);
bool filter_wants_user(const struct filter *filter, __u32 uid, const struct ucv_userns *ns);
bool filter_wants_counter(const struct filter *filter, const struct counter *counter);

#endif /* _UCV_FILTER_H */
