/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ucountview why: what its files share: the limits of a process, one row each.
 */
#ifndef _UCV_WHY_H
#define _UCV_WHY_H

#include <stdbool.h>
#include <stddef.h>

#include "charge.h"
#include "elsewhere.h"
#include "options.h"
#include "procfs.h"
#include "propagation.h"
#include "snapshot.h"
#include "table.h"

/* Ratio from which there is advice about a level. */
#define RATIO_NEAR	0.9

/* What a limit is, in the sort order of the lines: all but the last together. */
enum why_kind {
	WHY_UCOUNT,
	WHY_RLIMIT,
	WHY_MOUNTS,
	WHY_DEPTH,
	WHY_ELSEWHERE,
};

/* A limit, at one level of the chain if a user is charged. */
struct why_row {
	const char *name;
	enum why_kind kind;
	size_t order;			/* among rows that are equally full */
	const struct charge *charge;	/* NULL: no user is charged */
	const struct charge *below;	/* the level below; its namespace stores the rlimit */
	const struct elsewhere *elsewhere;
	const struct receiver *receiver; /* another mount namespace than that of the process */
	const struct ucv_denial *denial; /* recorded; all else is as it is now */
	long long needed;		/* by the call that was refused: a limit to let it pass */
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
	struct propagation propagation;	/* of what it mounts */
	struct elsewhere elsewhere[MAX_ELSEWHERE];
	size_t nr_elsewhere;
	bool denied;			/* a recorded denial is explained, not a process */
	bool filtered;			/* by options */
	struct ucv_listen recording;
	struct ucv_denial *denials;	/* recorded ones, the oldest first */
	size_t nr_denials;
	struct charge refused;		/* of the last of them */
	struct why_row *rows;
	size_t nr_rows;
};

/* Whose denials: 0 or NULL for any. */
struct why_culprit {
	unsigned int pid;	/* a process or thread */
	const char *command;
	__u64 since_ns;		/* since it has existed, CLOCK_BOOTTIME */
};

/* why_rows.c */
bool why_wants(const struct why *w, const char *name);
void why_add_row(struct why *w, struct why_row row);
void why_check_names(const struct why *w);
void why_collect_rows(struct why *w);
const struct ucv_mntns *why_mntns(const struct why *w, const struct why_row *row);
bool why_has_row(const struct why *w, const char *name);

/* why_advice.c */
bool why_near_limit(const struct counter *counter);
char *why_fix(const struct why *w, const struct why_row *row);
char *why_setting(const struct why_row *row);
void why_print_advice(const struct why *w);

/* why_denials.c */
void why_read_denials(struct why *w, const struct why_culprit *who);
void why_explain_last(struct why *w, const struct why_culprit *who);
void why_fill_denial(struct table *tb, const struct ucv_denial *denial);
void why_print_caller(const struct ucv_denial *denial);
void why_print_denied(const struct why_row *row);
void why_print_denials(const struct why *w);

#endif /* _UCV_WHY_H */
