/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tables in the style of util-linux, and their common options.
 */
#ifndef _UCV_TABLE_H
#define _UCV_TABLE_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>
#include <libsmartcols.h>

/**
 * struct column - a column that a command can show
 * @name: as in the heading and in --output
 * @help: for --help
 * @json: SCOLS_JSON_*
 * @flags: SCOLS_FL_*
 */
struct column {
	const char *name;
	const char *help;
	int json;
	int flags;
};

/* A struct column, by its cells: numbers, words, names that may be truncated, booleans. */
#define NUMBER(n, h)	{ (n), (h), SCOLS_JSON_NUMBER, SCOLS_FL_RIGHT }
#define TEXT(n, h)	{ (n), (h), SCOLS_JSON_STRING, 0 }
#define NAME(n, h)	{ (n), (h), SCOLS_JSON_STRING, SCOLS_FL_TRUNC }
#define BOOLEAN(n, h)	{ (n), (h), SCOLS_JSON_BOOLEAN, 0 }

/**
 * struct table - a table and its options
 * @name: what it lists; the key of the array in JSON
 * @columns: all available columns
 * @nr_columns: how many
 * @json: --json
 * @raw: --raw
 * @noheadings: --noheadings
 * @output_all: --output-all
 * @screen: it is drawn on a terminal, whose width it must not exceed
 * @tree: lines have parents; the first column shows it
 * @output: argument of --output, or NULL
 * @shown: the columns to show, as indices of @columns
 * @nr_shown: how many
 * @scols: the table itself
 */
struct table {
	const char *name;
	const struct column *columns;
	size_t nr_columns;
	bool json;
	bool raw;
	bool noheadings;
	bool output_all;
	bool screen;
	bool tree;
	const char *output;
	size_t *shown;
	size_t nr_shown;
	struct libscols_table *scols;
};

#define TABLE_OPTIONS_HELP						\
	" -J, --json             use JSON output format\n"		\
	" -n, --noheadings       don't print headings\n"		\
	" -o, --output <list>    output columns (+<list>: and these)\n"	\
	"     --output-all       output all columns\n"			\
	" -r, --raw              use the raw output format\n"		\
	" -H, --list-columns     list the available columns\n"		\
	" -h, --help             display this help\n"			\
	" -V, --version          display version\n"

int table_getopt(struct table *tb, int argc, char **argv, const struct option * const *groups);
void table_help_columns(const struct table *tb, FILE *out);
void table_open(struct table *tb, const size_t *defaults, size_t nr_defaults);
void table_show_also(struct table *tb, size_t column);
void table_begin(struct table *tb);
struct libscols_line *table_line(struct table *tb, struct libscols_line *parent,
				 char *(*cell)(const void *command, const void *row,
					       size_t column),
				 const void *command, const void *row);
void table_colour(struct table *tb, struct libscols_line *line, const char *colour);
void table_screen(const struct table *tb, size_t *width, size_t *height);
char *table_text(struct table *tb);
char *table_json(struct table *tb);
char *table_heading(struct table *tb, const unsigned int *widths);
char *table_lone_line(struct table *tb, const unsigned int *widths,
		      char *(*cell)(const void *command, const void *row, size_t column),
		      const void *command, const void *row);
void table_print(struct table *tb);
void table_close(struct table *tb);

#endif /* _UCV_TABLE_H */
