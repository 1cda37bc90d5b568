/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What there is to say about a denial, and about how many there were: the columns of
 * ucountview denials.
 */
#ifndef _UCV_DENIAL_TABLE_H
#define _UCV_DENIAL_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "snapshot.h"
#include "table.h"

/**
 * struct denial_view - how denials are shown
 * @snap: has the resources' names
 * @plain: to people, who see at once what is doubtful; not to programs
 * @brief: times are short: people look at a screen
 * @missed: calls that the module could not look at so far
 */
struct denial_view {
	const struct snapshot *snap;
	bool plain;
	bool brief;
	__u64 missed;
};

extern const struct column denial_columns[];
extern const size_t denial_nr_columns;

void denial_open(struct denial_view *view, struct table *tb, bool totals);
void denial_show_flags(struct table *tb);
const unsigned int *denial_widths(const struct denial_view *view);
char *denial_cell(const void *command, const void *row, size_t column);
char *denial_total_cell(const void *command, const void *row, size_t column);

#endif /* _UCV_DENIAL_TABLE_H */
