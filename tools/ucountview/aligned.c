// SPDX-License-Identifier: GPL-2.0
/*
 * Tables with aligned columns, for output that is not a terminal: nothing has to fit into a width,
 * so the widest cell is the width of its column. The result is what libsmartcols prints, byte for
 * byte; this takes less time and memory for each line.
 */
#define _GNU_SOURCE
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

#include "aligned.h"
#include "column.h"
#include "ucountview.h"

static bool is_simple(const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (bytes[i] < ' ' || bytes[i] == 0x7f || bytes[i] == '\\')
			return false;
	}
	return true;
}

static void add_escape(struct aligned_cell *cell, struct text *text, unsigned char byte)
{
	static const char digits[] = "0123456789abcdef";
	const char escape[] = { '\\', 'x', digits[byte >> 4], digits[byte & 0xf] };

	text_add(text, escape, sizeof(escape));
	cell->width += sizeof(escape);
}

/* Add a character, or what stands for it, and its width. Returns the bytes that it has. */
static size_t add_character(struct aligned_cell *cell, struct text *text, const char *from,
			    size_t left)
{
	mbstate_t state = { };
	wchar_t wide;
	size_t length = mbrtowc(&wide, from, left, &state);

	if (!length || length > left) {
		length = 1;
	} else if (iswprint(wide) && !(*from == '\\' && left > 1 && from[1] == 'x')) {
		text_add(text, from, length);
		cell->width += wcwidth(wide);
		return length;
	}
	for (size_t i = 0; i < length; i++)
		add_escape(cell, text, from[i]);
	return length;
}

/* Add the text of a cell, printable, and set where it is. */
static void add_text(struct aligned_cell *cell, struct text *text, const char *from, size_t length)
{
	cell->start = text->used;
	cell->width = 0;
	if (is_simple(from, length)) {
		text_add(text, from, length);
		cell->width = length;
	} else {
		for (size_t done = 0; done < length;)
			done += add_character(cell, text, from + done, length - done);
	}
	cell->length = text->used - cell->start;
}

/**
 * aligned_open() - choose the columns
 * @table: zeroes; free with aligned_close()
 * @headings: whether there is a heading
 * @columns: all that there are
 * @shown: the indices of those to be printed, in this order
 * @nr_shown: their number
 */
void aligned_open(struct aligned *table, bool headings, const struct column *columns,
		  const size_t *shown, size_t nr_shown)
{
	table->headings = headings;
	table->nr_columns = nr_shown;
	table->columns = xcalloc(nr_shown, sizeof(*table->columns));
	for (size_t i = 0; i < nr_shown; i++) {
		const struct column *column = &columns[shown[i]];

		table->columns[i].heading = column->name;
		table->columns[i].least = column->width;
		table->columns[i].right = column->flags & SCOLS_FL_RIGHT;
	}
}

/**
 * aligned_begin() - begin a table without lines
 */
void aligned_begin(struct aligned *table)
{
	table->text.used = 0;
	table->nr_cells = 0;
	for (size_t i = 0; i < table->nr_columns; i++)
		table->columns[i].width = strlen(table->columns[i].heading);
}

static void add_cell(struct aligned_cell *cell, struct text *text, const struct cells *cells,
		     size_t nth)
{
	const struct span *span = &cells->spans[nth];

	add_text(cell, text, span->length ? cells->text.data + span->start : "-",
		 span->length ?: 1);
}

/**
 * aligned_add() - add a line
 * @cells: its cells. An empty one is printed as "-".
 */
void aligned_add(struct aligned *table, const struct cells *cells)
{
	for (size_t i = 0; i < table->nr_columns; i++) {
		struct aligned_cell *cell;

		table->cells = xgrow(table->cells, table->nr_cells, sizeof(*table->cells));
		cell = &table->cells[table->nr_cells++];
		add_cell(cell, &table->text, cells, i);
		if (cell->width > table->columns[i].width)
			table->columns[i].width = cell->width;
	}
}

/* What is on the left ends the line without blanks. */
static void print_cell(struct text *out, const struct aligned_column *column, const char *bytes,
		       size_t length, size_t width, bool last)
{
	size_t blanks = column->width > width ? column->width - width : 0;
	char *to = text_room(out, length + blanks + 1);
	char *end = to;

	if (column->right)
		end = memset(end, ' ', blanks) + blanks;
	end = mempcpy(end, bytes, length);
	if (!column->right && !last)
		end = memset(end, ' ', blanks) + blanks;
	if (!last)
		*end++ = ' ';
	out->used += end - to;
}

/* @shown: the numbers of the columns to print, @nr of them */
static void add_heading(const struct aligned *table, struct text *out, const size_t *shown,
			size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		const struct aligned_column *column = &table->columns[shown[i]];
		size_t length = strlen(column->heading);

		print_cell(out, column, column->heading, length, length, i + 1 == nr);
	}
}

static void add_line(const struct aligned *table, struct text *out,
		     const struct aligned_cell *cells, const size_t *shown, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		const struct aligned_cell *cell = &cells[shown[i]];

		print_cell(out, &table->columns[shown[i]], table->text.data + cell->start,
			   cell->length, cell->width, i + 1 == nr);
	}
}

/* The numbers of the columns that are not hidden, allocated. */
static size_t *shown_columns(const struct aligned *table, const bool *hidden, size_t *nr)
{
	size_t *shown = xreallocarray(NULL, table->nr_columns, sizeof(*shown));

	*nr = 0;
	for (size_t i = 0; i < table->nr_columns; i++) {
		if (!hidden || !hidden[i])
			shown[(*nr)++] = i;
	}
	return shown;
}

static void write_line(struct text *out)
{
	text_put(out, '\n');
	fwrite_unlocked(out->data, 1, out->used, stdout);
	out->used = 0;
}

/**
 * aligned_end() - print the table; one without lines has no heading, either
 * @hidden: for each column, whether it is left out
 */
void aligned_end(struct aligned *table, const bool *hidden)
{
	size_t nr_shown, *shown = shown_columns(table, hidden, &nr_shown);
	struct text out = { };

	if (table->headings && table->nr_cells) {
		add_heading(table, &out, shown, nr_shown);
		write_line(&out);
	}
	for (size_t i = 0; i < table->nr_cells; i += table->nr_columns) {
		add_line(table, &out, &table->cells[i], shown, nr_shown);
		write_line(&out);
	}
	text_free(&out);
	free(shown);
	free(table->cells);
	table->cells = NULL;
	table->nr_cells = 0;
}

/* Lines that are printed one by one are aligned by the least widths of their columns. */
static void use_least_widths(struct aligned *table)
{
	aligned_begin(table);
	for (size_t i = 0; i < table->nr_columns; i++) {
		if (table->columns[i].least > table->columns[i].width)
			table->columns[i].width = table->columns[i].least;
	}
}

/**
 * aligned_heading() - the heading of a table whose lines are printed one by one
 *
 * Return: the line, without a newline, allocated.
 */
char *aligned_heading(struct aligned *table)
{
	size_t nr_shown, *shown = shown_columns(table, NULL, &nr_shown);
	struct text out = { };
	char *line;

	use_least_widths(table);
	add_heading(table, &out, shown, nr_shown);
	line = text_copy(&out);
	text_free(&out);
	free(shown);
	return line;
}

/**
 * aligned_lone_line() - a line of a table whose lines are printed one by one
 * @cells: its cells
 *
 * Return: the line, without a newline, allocated.
 */
char *aligned_lone_line(struct aligned *table, const struct cells *cells)
{
	struct aligned_cell cell;

	use_least_widths(table);
	table->line.used = 0;
	for (size_t i = 0; i < table->nr_columns; i++) {
		add_cell(&cell, &table->text, cells, i);
		print_cell(&table->line, &table->columns[i], table->text.data + cell.start,
			   cell.length, cell.width, i + 1 == table->nr_columns);
	}
	return text_copy(&table->line);
}

/**
 * aligned_close() - free what aligned_open() allocated
 */
void aligned_close(struct aligned *table)
{
	free(table->columns);
	free(table->cells);
	text_free(&table->text);
	text_free(&table->line);
	memset(table, 0, sizeof(*table));
}
