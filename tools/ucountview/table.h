/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tables in the style of util-linux.
 */
#ifndef _UCV_TABLE_H
#define _UCV_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <libsmartcols.h>

#include "aligned.h"
#include "column.h"
#include "plain.h"
#include "ucountview.h"

#define KNOWN_PLACES		256
#define KNOWN_COLLISIONS	7

/* Where the column with this name is shown; nr_shown if it is not. */
struct known_name {
	const char *name;
	size_t nth;
};

/* A table, and the options about it by their names. */
struct table {
	const char *name;		/* what it lists; the key of the array in JSON */
	const struct column *columns;	/* all available ones; ends with an empty one */
	bool json, raw, noheadings, output_all, numeric;
	const char *output;
	bool tree;			/* lines have parents; the first column shows it */
	bool screen;			/* drawn on a terminal, whose width it must not exceed */
	size_t *shown;			/* the columns to show, as indices of @columns */
	size_t nr_shown;
	size_t nr_required;		/* those from here on are hidden until they have text */
	bool *hidden;			/* for each shown one, whether it is */
	size_t *widths;			/* likewise, on a terminal: about that of its widest cell */
	/* names of columns by their addresses */
	struct known_name known[KNOWN_PLACES + KNOWN_COLLISIONS];
	const char *time;		/* a member of the JSON, which is then on one line */
	enum { BY_SMARTCOLS, BY_PLAIN, BY_ALIGNED } printer;
	struct plain plain;
	struct aligned aligned;
	bool in_line;			/* @cells are those of the line added last */
	struct cells cells;
	struct libscols_table *scols;
	struct libscols_line *line;	/* the line added last */
};

void table_list_columns(const struct table *tb, bool types);
void table_open(struct table *tb, const char *defaults, const char *optional);
void table_begin(struct table *tb);
struct libscols_line *table_line(struct table *tb, struct libscols_line *parent);
bool table_shows(struct table *tb, const char *name);
bool table_hides(struct table *tb, const char *name);
void cell(struct table *tb, const char *name, const char *fmt, ...) __printf(3, 4);
void cell_number(struct table *tb, const char *name, long long number);
void cell_unsigned(struct table *tb, const char *name, unsigned long long number);
void cell_percent(struct table *tb, const char *name, long long number);
void cell_string(struct table *tb, const char *name, const char *string);
void cell_text(struct table *tb, const char *name, char *text);
void table_colour(struct table *tb, const char *colour);
void table_screen(const struct table *tb, size_t *width, size_t *height);
char *table_text(struct table *tb);
char *table_heading(struct table *tb);
void table_begin_lone_line(struct table *tb);
char *table_lone_line(struct table *tb);
void table_print(struct table *tb);
void table_close(struct table *tb);

#endif /* _UCV_TABLE_H */
