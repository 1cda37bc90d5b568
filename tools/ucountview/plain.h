/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tables for programs, raw or in JSON, written line by line.
 */
#ifndef _UCV_PLAIN_H
#define _UCV_PLAIN_H

#include <stdbool.h>
#include <stddef.h>

#include "text.h"

struct column;

/* A part of a text. */
struct span {
	size_t start;
	size_t length;
};

/* The cells of a line, which are parts of one text; a cell without any is empty. */
struct cells {
	struct text text;
	struct span *spans;
};

/* A column as the lines are written: its heading, or its key in JSON with what is before it. */
struct plain_column {
	const struct column *column;
	char *label;
	size_t label_length;
};

/**
 * struct plain - a table whose lines are written as they come
 * @json: whether it is in JSON, otherwise it is raw
 * @headings: whether a raw table has a heading
 * @one_line: JSON without line breaks
 * @empty: there was no line yet
 * @escaped: whether a raw table has a byte as \xNN
 * @columns: the columns
 * @nr_columns: their number
 * @out: the text of lines that are not written yet
 */
struct plain {
	bool json;
	bool headings;
	bool one_line;
	bool empty;
	bool escaped[256];
	struct plain_column *columns;
	size_t nr_columns;
	struct text out;
};

void plain_open(struct plain *plain, bool json, bool headings, const struct column *columns,
		const size_t *shown, size_t nr_shown);
void plain_begin(struct plain *plain, const char *name, const char *time);
void plain_add(struct plain *plain, const struct cells *cells);
void plain_end(struct plain *plain);
char *plain_heading(struct plain *plain);
char *plain_lone_line(struct plain *plain, const struct cells *cells);
void plain_close(struct plain *plain);

#endif /* _UCV_PLAIN_H */
