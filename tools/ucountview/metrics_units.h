/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the systemd units and containers hold that metrics are written of.
 */
#ifndef _UCV_METRICS_UNITS_H
#define _UCV_METRICS_UNITS_H

#include <stddef.h>

#include "options.h"
#include "snapshot.h"

/* What holders hold, groups and then their marks: an index into @held and held_resources. */
enum held {
	HELD_INOTIFY_INSTANCES,
	HELD_INOTIFY_WATCHES,
	HELD_FANOTIFY_GROUPS,
	HELD_FANOTIFY_MARKS,
	NR_HELD,
};

extern const char * const held_resources[NR_HELD];

/**
 * struct unit_row - what the processes of a unit and a container hold, and what identifies its
 *	series
 * @manager: user manager that @unit belongs to; "" if it is a unit of the system's, or none
 * @unit: systemd unit; "" if the processes are in none
 * @container: container; likewise
 * @held: how many of each; a group that several of the processes share counts once
 */
struct unit_row {
	const char *manager;
	const char *unit;
	const char *container;
	long long held[NR_HELD];
};

/**
 * struct metrics_units - rows in the order in which they are written; none has the labels of
 *	another
 * @rows: those that hold the largest shares, and that of the processes in no unit and no container
 * @nr: their number
 * @found: how many units and containers hold something
 * @listed: how many of those are in @rows
 * @unattributed: how many are charged, but held by no process
 * @names: texts of @rows
 * @nr_names: their number
 */
struct metrics_units {
	struct unit_row *rows;
	size_t nr;
	size_t found;
	size_t listed;
	long long unattributed[NR_HELD];
	char **names;
	size_t nr_names;
};

void metrics_units_find(struct metrics_units *units, const struct args *args,
			const struct snapshot *snap);
void metrics_units_free(struct metrics_units *units);

#endif /* _UCV_METRICS_UNITS_H */
