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
#include "containers.h"
#include "procfs.h"
#include "snapshot.h"
#include "table.h"

/* Resources named by options; if none is, all are meant. */
struct resource_names {
	const char **names;
	size_t nr;
	bool mounts;		/* MOUNTS_NAME is one of them */
};

/* The options of all commands, by their names; 0 where one was not given. */
struct args {
	char **operands;		/* what follows the options, NULL-terminated */
	bool all, follow, totals, last, openmetrics, no_holders;
	const char *by, *at, *error, *syscall;
	const char *user, *userns, *mntns, *container;
	const char *write;
	__u32 uid;			/* of the user that @user names */
	__u32 userns_inum, mntns_inum;	/* of the namespaces that @userns and @mntns name */
	int mntns_fd;			/* open, unless @mntns names it by its inode number: -1 */
	struct container in;		/* that @container names */
	struct resource_names resources;
	unsigned int pid, top, count;
	bool by_ratio;			/* --min-ratio was given */
	double min_ratio;
	double interval;		/* --watch, in seconds */
	double settle;			/* in seconds */
};

/* Options without a short one. */
enum {
	OPT_OUTPUT_ALL = 0x100,
	OPT_NUMERIC,
	OPT_MIN_RATIO,
	OPT_TOP,
	OPT_COUNT,
	OPT_TOTALS,
	OPT_BY,
	OPT_AT,
	OPT_LAST,
	OPT_OPENMETRICS,
	OPT_NO_HOLDERS,
	OPT_WRITE,
};

struct opt {
	int key;		/* the short option, or OPT_* */
	const char *name;	/* the long option */
	const char *arg;	/* what --help calls its argument; NULL: it has none */
	const char *help;	/* NULL: not listed */
};

/* Options that several commands have. */
#define USERNS_OPTION							\
	{ 'U', "userns", "userns", "only this user namespace: inode number, path of its\n" \
	  "file, or pid:<pid> for that of a process" }
#define RATIO_OPTION							\
	{ OPT_MIN_RATIO, "min-ratio", "num", "only counters at least as full: 0.8 or 80%" }
#define TOP_OPTION							\
	{ OPT_TOP, "top", "num", "only the fullest" }
#define WATCH_OPTION							\
	{ 'w', "watch", "seconds", "repeat every so many seconds, until interrupted" }
#define CONTAINER_OPTION(help)						\
	{ 'c', "container", "name", (help) }
#define COUNT_OPTION							\
	{ OPT_COUNT, "count", "num", "with --watch: end after so many rounds" }
#define RESOURCE_OR_MOUNTS_OPTION					\
	{ 'R', "resource", "name", "only this resource, or mounts (may be given more than\nonce)" }

/* A command, in a file named after it. The texts are those of --help. */
struct command {
	const char *name;		/* also the key of the array in JSON */
	const char *summary;		/* for the list of commands */
	const char *synopsis;
	const char *about;
	const char *hints;		/* below the list of commands; NULL: neither is printed */
	const struct opt *options;	/* its own ones; ends with an empty one */
	const struct column *columns;	/* ends with an empty one; NULL: it prints no table */
	const char *notes;		/* below the columns */
	bool operands;			/* takes operands, and checks them itself */
	int failure;			/* exit status of die(), if not EXIT_FAILURE */
	int (*run)(struct args *args, struct table *tb);	/* returns the exit status */
};

extern const struct command cmd_usage, cmd_mounts, cmd_userns, cmd_why, cmd_denials, cmd_holders,
			    cmd_leaks, cmd_audit, cmd_metrics;

void args_parse(struct args *args, struct table *tb, const struct command *cmd, int argc,
		char **argv);
void args_look_up(struct args *args);
void args_check(const struct args *args, const struct snapshot *snap);
bool wants_user(const struct args *args, __u32 uid, const struct ucv_userns *ns);
bool names_processes(const struct args *args);
bool wants_process(const struct args *args, unsigned int pid);
bool wants_counter(const struct args *args, const struct counter *counter);
bool wants_name(const struct args *args, const char *name);
size_t sort_rows(const struct args *args, void *rows, size_t nr, size_t size,
		 int (*compare)(const void *a, const void *b));
unsigned int arg_pid(const char *text);
void find_resources(const struct args *args, const struct snapshot *snap, bool limited,
		    bool wanted[UCV_MAX_RESOURCES]);

#endif /* _UCV_OPTIONS_H */
