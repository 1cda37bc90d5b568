/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The columns of ucountview denials, for denials and for totals.
 */
#ifndef _UCV_DENIAL_TABLE_H
#define _UCV_DENIAL_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "snapshot.h"
#include "table.h"

/**
 * struct denial_view - how denials are shown
 * @snap: for the names of the resources
 * @plain: as a plain table, which marks uncertain values in place
 * @brief: with short times, on a terminal
 * @missed: missed probe hits so far, as in struct ucv_listen
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
