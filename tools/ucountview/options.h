/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Arguments that name something, and options that several commands share.
 */
#ifndef _UCV_OPTIONS_H
#define _UCV_OPTIONS_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>

#include "charge.h"
#include "procfs.h"
#include "snapshot.h"

/**
 * struct resource_names - resources named by options
 * @names: the names, as given
 * @nr: how many
 * @mounts: whether MOUNTS_NAME was named, which is not among @names
 *
 * If nothing is named, all resources are meant.
 */
struct resource_names {
	const char **names;
	size_t nr;
	bool mounts;
};

void args_end(int argc, char **argv);
unsigned int arg_number(const char *what, const char *text, unsigned int min, unsigned int max);
double arg_ratio(const char *text);
double arg_seconds(const char *text);
unsigned int arg_pid(const char *text);
__u32 arg_user(const char *text);
__u32 arg_namespace(enum ns_type type, const char *text);
void arg_resource(struct resource_names *list, const char *text);
void arg_resource_or_mounts(struct resource_names *list, const char *text);
void find_resources(const struct resource_names *list, const struct snapshot *snap,
		    bool wanted[UCV_MAX_RESOURCES]);
void find_limited_resources(const struct resource_names *list, const struct snapshot *snap,
			    bool wanted[UCV_MAX_RESOURCES]);
bool wants_mounts(const struct resource_names *list);

/**
 * struct filter - which lines to show; a member that is not set lets all pass
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

#endif /* _UCV_OPTIONS_H */
