/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Text for values, and the cells that several commands have.
 */
#ifndef _UCV_FORMAT_H
#define _UCV_FORMAT_H

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

#include "charge.h"
#include "countermap.h"
#include "snapshot.h"
#include "table.h"

char *denied_mounts_text(const struct ucv_denial *denial);
bool user_id(const char *name, uid_t *uid);
void print_wrapped(int indent, int hanging, const char *fmt, ...) __printf(3, 4);
/* A command, for a terminal. */
struct command_text {
	char text[UCV_COMM_LEN];
};

struct command_text command_text(const char *comm);
char *shell_quoted(const char *word);
char *list_add(char *list, const char *separator, const char *fmt, ...) __printf(3, 4);

/* Width of the text from brief_time_text() and time_text(), at most. */
#define BRIEF_TIME_WIDTH	12
#define TIME_WIDTH		29

struct timespec boot_time(unsigned long long ns);
char *unrecorded_text(const struct ucv_listen *state, const struct ucv_info *info);
char *time_text(const struct timespec *time);
char *brief_time_text(const struct timespec *time);

/**
 * struct flag_name - the name of a flag
 * @flag: the flag; 0 ends an array of them
 * @name: its name
 */
struct flag_name {
	__u32 flag;
	const char *name;
};

void cell_nonzero(struct table *tb, const char *name, unsigned long long number);
void cell_uid(struct table *tb, const char *name, __u32 uid);
void cell_user(struct table *tb, __u32 uid);
void cell_command(struct table *tb, const char *comm);
void cell_flags(struct table *tb, __u32 flags, const struct flag_name *names);
void cells_key(struct table *tb, const struct snapshot *snap, const struct counter_key *key);
void cells_userns(struct table *tb, const struct snapshot *snap, const struct ucv_userns *ns);
void cells_mntns(struct table *tb, const struct snapshot *snap, const struct ucv_mntns *ns);
void cells_limit(struct table *tb, const struct counter *counter);
void cells_trend(struct table *tb, const struct trend *trend);

#endif /* _UCV_FORMAT_H */
