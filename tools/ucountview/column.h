/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The columns of a table: what a command declares of each.
 */
#ifndef _UCV_COLUMN_H
#define _UCV_COLUMN_H

#include <libsmartcols.h>

/* On a terminal that is too narrow for all, an optional column with this flag is hidden. */
#define COLUMN_SPARE	0x10000000

/* A column that a command can show. */
struct column {
	const char *name;	/* as in the heading and in --output */
	const char *help;
	int json;		/* SCOLS_JSON_* */
	int flags;		/* SCOLS_FL_*, COLUMN_SPARE */
	int width;		/* its minimum width where lines are printed one by one */
};

/* A struct column, by its cells: numbers, words, names that may be truncated, booleans. */
#define NUMBER(n, h)	{ (n), (h), SCOLS_JSON_NUMBER, SCOLS_FL_RIGHT, 0 }
#define TEXT(n, h)	{ (n), (h), SCOLS_JSON_STRING, 0, 0 }
#define NAME(n, h)	{ (n), (h), SCOLS_JSON_STRING, SCOLS_FL_TRUNC, 0 }
#define BOOLEAN(n, h)	{ (n), (h), SCOLS_JSON_BOOLEAN, 0, 0 }

#define SPARE_NAME(n, h)						\
	{ (n), (h), SCOLS_JSON_STRING, SCOLS_FL_TRUNC | COLUMN_SPARE, 0 }

/* The same with a width. */
#define WIDE_NUMBER(n, w, h)	{ (n), (h), SCOLS_JSON_NUMBER, SCOLS_FL_RIGHT, (w) }
#define WIDE_TEXT(n, w, h)	{ (n), (h), SCOLS_JSON_STRING, 0, (w) }
#define WIDE_NAME(n, w, h)	{ (n), (h), SCOLS_JSON_STRING, SCOLS_FL_TRUNC, (w) }
#define WIDE_SPARE_NAME(n, w, h)					\
	{ (n), (h), SCOLS_JSON_STRING, SCOLS_FL_TRUNC | COLUMN_SPARE, (w) }

#endif /* _UCV_COLUMN_H */
