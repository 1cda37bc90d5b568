/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tables with aligned columns, for output that is not a terminal.
 */
#ifndef _UCV_ALIGNED_H
#define _UCV_ALIGNED_H

#include "plain.h"

/* A column: its heading, and the width that it needs so far, in cells of a terminal. */
struct aligned_column {
	const char *heading;
	unsigned int width;
	unsigned int least;	/* its width where lines are printed one by one */
	bool right;
};

/* A cell of any line: a part of the text of all lines. */
struct aligned_cell {
	size_t start;
	unsigned int length;
	unsigned int width;
};

/**
 * struct aligned - a table that is kept until the width of its columns is known
 * @headings: whether it has a heading
 * @columns: the columns
 * @nr_columns: their number
 * @text: the text of all cells
 * @cells: @nr_columns of each line
 * @nr_cells: their number
 * @line: a line that is printed alone
 */
struct aligned {
	bool headings;
	struct aligned_column *columns;
	size_t nr_columns;
	struct text text;
	struct aligned_cell *cells;
	size_t nr_cells;
	struct text line;
};

void aligned_open(struct aligned *table, bool headings, const struct column *columns,
		  const size_t *shown, size_t nr_shown);
void aligned_begin(struct aligned *table);
void aligned_add(struct aligned *table, const struct cells *cells);
void aligned_end(struct aligned *table, const bool *hidden);
char *aligned_heading(struct aligned *table);
char *aligned_lone_line(struct aligned *table, const struct cells *cells);
void aligned_close(struct aligned *table);

#endif /* _UCV_ALIGNED_H */
