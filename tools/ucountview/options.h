/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a command declares about itself, and its command line: options, arguments that name
 * something, and which lines they choose.
 */
#ifndef _UCV_OPTIONS_H
#define _UCV_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "charge.h"
#include "procfs.h"
#include "snapshot.h"
#include "table.h"

/**
 * struct resource_names - resources named by options
 * @names: the names, as given
 * @nr: how many; 0: all resources are meant
 * @mounts: whether MOUNTS_NAME is one of them
 */
struct resource_names {
	const char **names;
	size_t nr;
	bool mounts;
};

/* The name of mounts, which no record has as a resource: they are not charged to users. */
#define MOUNTS_NAME	"mounts"

/**
 * struct args - the options of all commands; one that was not given is 0
 * @operands: what follows the options, NULL-terminated
 * @all: --all
 * @follow: --follow
 * @totals: --totals
 * @by_ratio: --min-ratio was given
 * @min_ratio: its argument
 * @by: --by
 * @user: --user, as given
 * @userns: --userns, as given
 * @mntns: --mntns, as given
 * @uid: the user that @user names
 * @userns_inum: inode number of the user namespace that @userns names
 * @mntns_inum: inode number of the mount namespace that @mntns names
 * @resources: --resource
 * @pid: --pid
 * @top: --top
 * @count: --count
 * @interval: --watch, in seconds
 * @settle: --settle, in seconds
 */
struct args {
	char **operands;
	bool all;
	bool follow;
	bool totals;
	bool by_ratio;
	double min_ratio;
	const char *by;
	const char *user;
	const char *userns;
	const char *mntns;
	__u32 uid;
	__u32 userns_inum;
	__u32 mntns_inum;
	struct resource_names resources;
	unsigned int pid;
	unsigned int top;
	unsigned int count;
	double interval;
	double settle;
};

/* Options without a short one. */
enum {
	OPT_OUTPUT_ALL = 0x100,
	OPT_MIN_RATIO,
	OPT_TOP,
	OPT_COUNT,
	OPT_TOTALS,
	OPT_BY,
};

/**
 * struct opt - an option
 * @key: the short option, or OPT_*
 * @name: the long option
 * @arg: what --help calls its argument; NULL if it has none
 * @help: for --help; NULL: not listed there
 */
struct opt {
	int key;
	const char *name;
	const char *arg;
	const char *help;
};

/* Options that several commands have. */
#define USERNS_OPTION							\
	{ 'U', "userns", "userns", "only this user namespace: inode number, path of its\n" \
	  "file, or pid:<pid> for that of a process" }
#define RATIO_OPTION							\
	{ OPT_MIN_RATIO, "min-ratio", "num", "only what is as full as this: 0.8 or 80%" }
#define TOP_OPTION							\
	{ OPT_TOP, "top", "num", "only the fullest" }
#define WATCH_OPTION							\
	{ 'w', "watch", "seconds", "look again after so many seconds, until interrupted" }
#define COUNT_OPTION							\
	{ OPT_COUNT, "count", "num", "with --watch: end after so many rounds" }
#define RESOURCE_OR_MOUNTS_OPTION					\
	{ 'R', "resource", "name", "only this resource, or mounts (may be given more than\nonce)" }

/**
 * struct command - a command, in a file named after it
 * @name: its name, which is also the key of the array in JSON
 * @summary: for the list of commands
 * @synopsis: for --help: how it is called
 * @about: what it does
 * @hints: what follows the list of commands, which only a command that has it prints
 * @options: its own options; ends with an empty one
 * @columns: its columns; ends with an empty one
 * @notes: what follows the columns
 * @operands: it takes operands, and checks them itself
 * @failure: exit status of die(), if not EXIT_FAILURE
 * @run: runs it with the parsed command line and chooses columns; returns the exit status
 */
struct command {
	const char *name;
	const char *summary;
	const char *synopsis;
	const char *about;
	const char *hints;
	const struct opt *options;
	const struct column *columns;
	const char *notes;
	bool operands;
	int failure;
	int (*run)(struct args *args, struct table *tb);
};

extern const struct command cmd_usage, cmd_mounts, cmd_userns, cmd_why, cmd_denials, cmd_holders,
			    cmd_leaks, cmd_audit;

void args_parse(struct args *args, struct table *tb, const struct command *cmd, int argc,
		char **argv);
void args_look_up(struct args *args);
void args_check(const struct args *args, const struct snapshot *snap);
bool wants_user(const struct args *args, __u32 uid, const struct ucv_userns *ns);
bool wants_counter(const struct args *args, const struct counter *counter);
bool wants_mounts(const struct args *args);
size_t sort_rows(const struct args *args, void *rows, size_t nr, size_t size,
		 int (*compare)(const void *a, const void *b));
unsigned int arg_pid(const char *text);
void find_resources(const struct args *args, const struct snapshot *snap,
		    bool wanted[UCV_MAX_RESOURCES]);
void find_limited_resources(const struct args *args, const struct snapshot *snap,
			    bool wanted[UCV_MAX_RESOURCES]);

#endif /* _UCV_OPTIONS_H */
