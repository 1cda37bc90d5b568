// SPDX-License-Identifier: GPL-2.0
/*
 * Tables: choose columns and format. The commands write the cells, by the names of their columns.
 *
 * libsmartcols prints on terminals, and trees; no other file calls it. It needs much time and
 * memory for each cell, so plain.c and aligned.c print everything else.
 */
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "table.h"
#include "ucountview.h"

static const char *type_name(int json)
{
	switch (json) {
	case SCOLS_JSON_NUMBER:
		return "<number>";
	case SCOLS_JSON_BOOLEAN:
		return "<boolean>";
	default:
		return "<string>";
	}
}

/**
 * table_list_columns() - list the available columns
 * @types: with their types in JSON
 */
void table_list_columns(const struct table *tb, bool types)
{
	const struct column *col;
	int width = 12;

	for (col = tb->columns; col->name; col++) {
		if ((int)strlen(col->name) > width)
			width = strlen(col->name);
	}
	for (col = tb->columns; col->name; col++) {
		printf("%*s  ", width, col->name);
		if (types)
			printf("%-9s  ", type_name(col->json));
		puts(col->help);
	}
}

static const struct column *find_column(const struct table *tb, const char *name, size_t len)
{
	for (const struct column *col = tb->columns; col->name; col++) {
		if (!strncasecmp(col->name, name, len) && !col->name[len])
			return col;
	}
	return NULL;
}

/* The position at which a column is shown; nr_shown if it is not. */
static size_t position(const struct table *tb, const struct column *col)
{
	size_t nth = 0;

	while (nth < tb->nr_shown && tb->shown[nth] != (size_t)(col - tb->columns))
		nth++;
	return nth;
}

/* Shows a column only once: a duplicate key is not valid JSON. */
static void show_column(struct table *tb, const struct column *col)
{
	if (position(tb, col) < tb->nr_shown)
		return;
	tb->shown = xreallocarray(tb->shown, tb->nr_shown + 1, sizeof(*tb->shown));
	tb->shown[tb->nr_shown++] = col - tb->columns;
}

static void show_list(struct table *tb, const char *list)
{
	for (;;) {
		size_t len = strcspn(list, ",");
		const struct column *col = find_column(tb, list, len);

		if (!col)
			die("unknown column: %.*s (see --list-columns)", (int)len, list);
		show_column(tb, col);
		if (!list[len])
			return;
		list += len + 1;
	}
}

static void open_printer(struct table *tb)
{
	if (tb->tree || (!tb->json && !tb->raw && isatty(STDOUT_FILENO)))
		tb->printer = BY_SMARTCOLS;
	else
		tb->printer = tb->json || tb->raw ? BY_PLAIN : BY_ALIGNED;
	if (tb->printer == BY_PLAIN)
		plain_open(&tb->plain, tb->json, !tb->noheadings, tb->columns, tb->shown,
			   tb->nr_shown);
	if (tb->printer == BY_ALIGNED)
		aligned_open(&tb->aligned, !tb->noheadings, tb->columns, tb->shown, tb->nr_shown);
	tb->cells.spans = xcalloc(tb->nr_shown, sizeof(*tb->cells.spans));
	tb->hidden = xcalloc(tb->nr_shown, sizeof(*tb->hidden));
	tb->widths = xcalloc(tb->nr_shown, sizeof(*tb->widths));
	for (size_t nth = tb->nr_required; nth < tb->nr_shown; nth++)
		tb->hidden[nth] = !tb->json && !tb->raw;
}

/**
 * table_open() - choose the columns according to the options
 * @tb: the table, all options parsed; free with table_close()
 * @defaults: names of the columns to show if there is no --output
 * @optional: columns that are added to them in JSON and raw output, and otherwise each from the
 *	first line on that has text there; or NULL
 *
 * Exits if options contradict each other or name an unknown column.
 */
void table_open(struct table *tb, const char *defaults, const char *optional)
{
	const char *output = tb->output;
	bool add = output && output[0] == '+';

	if (tb->json && tb->raw)
		die("mutually exclusive arguments: --json --raw");
	for (size_t i = 0; tb->output_all && tb->columns[i].name; i++)
		show_column(tb, &tb->columns[i]);
	if (!tb->output_all && (!output || add))
		show_list(tb, defaults);
	if (output)
		show_list(tb, output + add);
	tb->nr_required = tb->nr_shown;
	if (optional && !tb->output_all && (!output || add))
		show_list(tb, optional);
	open_printer(tb);
}

static bool colours_wanted(void)
{
	const char *no_color = getenv("NO_COLOR");

	return stdout_is_screen() && !(no_color && *no_color);
}

/* libsmartcols returns 0 or a negative errno. */
static void check(int rc)
{
	if (rc < 0)
		die("cannot create the table: %s", strerror(-rc));
}

static void add_column(struct table *tb, const struct column *col, bool first)
{
	struct libscols_column *cl;
	int flags = col->flags & ~COLUMN_SPARE;

	if (tb->tree && first)
		flags = (flags & ~SCOLS_FL_RIGHT) | SCOLS_FL_TREE;
	cl = scols_table_new_column(tb->scols, col->name, 0, flags);
	if (!cl)
		die("out of memory");
	check(scols_column_set_json_type(cl, col->json));
}

static void begin_scols(struct table *tb)
{
	tb->scols = scols_new_table();
	if (!tb->scols)
		die("out of memory");
	check(scols_table_set_name(tb->scols, tb->name));
	check(scols_table_enable_json(tb->scols, tb->json));
	check(scols_table_enable_raw(tb->scols, tb->raw));
	check(scols_table_enable_noheadings(tb->scols, tb->noheadings));
	check(scols_table_enable_colors(tb->scols, colours_wanted()));
	for (size_t i = 0; i < tb->nr_shown; i++) {
		add_column(tb, &tb->columns[tb->shown[i]], i == 0);
		tb->widths[i] = strlen(tb->columns[tb->shown[i]].name);
	}
	if (tb->screen) {
		/* Terminals differ in where the cursor is after a full line. */
		check(scols_table_reduce_termwidth(tb->scols, 1));
		check(scols_table_enable_nowrap(tb->scols, 1));
	}
}

/**
 * table_begin() - start a table without lines, as wide as the terminal is now
 */
void table_begin(struct table *tb)
{
	if (tb->printer == BY_PLAIN)
		plain_begin(&tb->plain, tb->name, tb->time);
	else if (tb->printer == BY_ALIGNED)
		aligned_begin(&tb->aligned);
	else
		begin_scols(tb);
}

/* Pass on the cells of the line added last, if there is one. */
static void end_line(struct table *tb)
{
	if (!tb->in_line)
		return;
	if (tb->printer == BY_PLAIN)
		plain_add(&tb->plain, &tb->cells);
	else
		aligned_add(&tb->aligned, &tb->cells);
	tb->in_line = false;
}

static void begin_line(struct table *tb)
{
	tb->cells.text.used = 0;
	memset(tb->cells.spans, 0, tb->nr_shown * sizeof(*tb->cells.spans));
	tb->in_line = true;
}

/**
 * table_line() - add a line, whose cells are empty
 * @parent: its parent line, or NULL
 *
 * An empty cell is "null" in JSON, "-" otherwise, so that every line has as many words.
 *
 * Return: the line; NULL unless the table is a tree.
 */
struct libscols_line *table_line(struct table *tb, struct libscols_line *parent)
{
	if (tb->printer != BY_SMARTCOLS) {
		end_line(tb);
		begin_line(tb);
		return NULL;
	}
	tb->line = scols_table_new_line(tb->scols, parent);
	if (!tb->line)
		die("out of memory");
	for (size_t nth = 0; !tb->json && nth < tb->nr_shown; nth++)
		check(scols_line_set_data(tb->line, nth, "-"));
	return tb->line;
}

/* The place of a name, or one for it. Places next to each other, if their names collide. */
static struct known_name *known_name(struct table *tb, const char *name)
{
	struct known_name *home = &tb->known[(uintptr_t)name % KNOWN_PLACES];

	for (size_t i = 0; i <= KNOWN_COLLISIONS; i++) {
		if (home[i].name == name || !home[i].name)
			return &home[i];
	}
	return home;
}

/* Out of line, to keep position_of() short. */
static noinline void learn_position(struct table *tb, struct known_name *known, const char *name)
{
	const struct column *col = find_column(tb, name, strlen(name));

	assert(col);
	known->name = name;
	known->nth = position(tb, col);
}

/* Called for each cell, with one of few literals: remember them by their addresses. */
static size_t position_of(struct table *tb, const char *name)
{
	struct known_name *known = known_name(tb, name);

	if (known->name != name)
		learn_position(tb, known, name);
	return known->nth;
}

/**
 * table_shows() - whether a column is shown
 *
 * Return: whether it is: if not, its cells need not be written.
 */
bool table_shows(struct table *tb, const char *name)
{
	return position_of(tb, name) < tb->nr_shown;
}

/**
 * table_hides() - whether a column is shown only if a line has text there, and none has
 */
bool table_hides(struct table *tb, const char *name)
{
	return table_shows(tb, name) && tb->hidden[position_of(tb, name)];
}

/* @text, which is freed, with bytes that are not valid UTF-8 written as \xNN */
static char *json_text(char *text)
{
	const unsigned char *from = (const unsigned char *)text;
	size_t left = strlen(text);
	struct text out = { };
	char *valid;

	for (size_t length; left; left -= length, from += length) {
		length = utf8_length(from, left);
		if (length)
			text_add(&out, (const char *)from, length);
		else
			out.used += sprintf(text_room(&out, sizeof("\\xNN")), "\\x%02x", *from);
		length = length ?: 1;
	}
	valid = text_copy(&out);
	text_free(&out);
	free(text);
	return valid;
}

static void set_cell(struct table *tb, size_t nth, char *text)
{
	if (tb->widths[nth] < strlen(text))
		tb->widths[nth] = strlen(text);
	check(scols_line_refer_data(tb->line, nth, tb->json ? json_text(text) : text));
}

/* A cell is written to @tb->cells.text between begin_cell() and end_cell(). */
static void begin_cell(struct table *tb, size_t nth)
{
	if (tb->printer == BY_SMARTCOLS)
		tb->cells.text.used = 0;
	tb->cells.spans[nth].start = tb->cells.text.used;
}

static void end_cell(struct table *tb, size_t nth)
{
	tb->hidden[nth] = false;
	if (tb->printer == BY_SMARTCOLS)
		set_cell(tb, nth, text_copy(&tb->cells.text));
	else
		tb->cells.spans[nth].length = tb->cells.text.used - tb->cells.spans[nth].start;
}

/**
 * cell_string() - write a cell of the line added last
 * @name: the column; nothing happens if it is not shown
 * @string: the text, which is copied
 */
void cell_string(struct table *tb, const char *name, const char *string)
{
	size_t nth = position_of(tb, name);

	if (nth == tb->nr_shown)
		return;
	begin_cell(tb, nth);
	text_add(&tb->cells.text, string, strlen(string));
	end_cell(tb, nth);
}

/**
 * cell_text() - cell_string() that frees the text; NULL leaves the cell empty
 */
void cell_text(struct table *tb, const char *name, char *text)
{
	if (text)
		cell_string(tb, name, text);
	free(text);
}

/**
 * cell() - write a cell of the line added last
 * @name: the column; nothing happens if it is not shown
 * @fmt: the text, as for printf()
 */
void cell(struct table *tb, const char *name, const char *fmt, ...)
{
	size_t nth = position_of(tb, name);
	va_list ap;

	if (nth == tb->nr_shown)
		return;
	begin_cell(tb, nth);
	va_start(ap, fmt);
	text_vprintf(&tb->cells.text, fmt, ap);
	va_end(ap);
	end_cell(tb, nth);
}

static void add_number(struct table *tb, const char *name, long long number, bool percent)
{
	size_t nth = position_of(tb, name);

	if (nth == tb->nr_shown)
		return;
	begin_cell(tb, nth);
	text_number(&tb->cells.text, number);
	if (percent)
		text_put(&tb->cells.text, '%');
	end_cell(tb, nth);
}

/**
 * cell_number() - write a cell of the line added last
 * @name: the column; nothing happens if it is not shown
 * @number: its value
 */
void cell_number(struct table *tb, const char *name, long long number)
{
	add_number(tb, name, number, false);
}

/**
 * cell_unsigned() - cell_number() of an unsigned number
 */
void cell_unsigned(struct table *tb, const char *name, unsigned long long number)
{
	size_t nth = position_of(tb, name);

	if (nth == tb->nr_shown)
		return;
	begin_cell(tb, nth);
	text_unsigned(&tb->cells.text, number);
	end_cell(tb, nth);
}

/**
 * cell_percent() - cell_number() with a percent sign, except in JSON, where it is a number
 */
void cell_percent(struct table *tb, const char *name, long long number)
{
	add_number(tb, name, number, !tb->json);
}

/**
 * table_colour() - color the line added last, on a terminal
 * @colour: a color name of libsmartcols, or NULL
 */
void table_colour(struct table *tb, const char *colour)
{
	if (colour && tb->printer == BY_SMARTCOLS && scols_table_colors_wanted(tb->scols))
		check(scols_line_set_color(tb->line, colour));
}

/**
 * table_screen() - the size of the terminal at table_begin()
 * @width: out: columns
 * @height: out: lines
 */
void table_screen(const struct table *tb, size_t *width, size_t *height)
{
	*width = scols_table_get_termwidth(tb->scols);
	*height = scols_table_get_termheight(tb->scols);
}

static void hide_column(struct libscols_column *cl)
{
	check(scols_column_set_flags(cl, scols_column_get_flags(cl) | SCOLS_FL_HIDDEN));
}

/* Whether all columns that have text fit into the terminal. */
static bool all_fit(const struct table *tb)
{
	size_t width = 0;

	for (size_t nth = 0; nth < tb->nr_shown; nth++)
		width += tb->hidden[nth] ? 0 : tb->widths[nth] + 1;
	return width <= scols_table_get_termwidth(tb->scols) + 1;
}

/* Better without a spare column than with truncated ones. */
static void hide_optional(struct table *tb)
{
	bool narrow = !tb->json && !tb->raw && isatty(STDOUT_FILENO) && !all_fit(tb);

	for (size_t nth = tb->nr_required; nth < tb->nr_shown; nth++) {
		bool spare = tb->columns[tb->shown[nth]].flags & COLUMN_SPARE;

		if (tb->hidden[nth] || (narrow && spare))
			hide_column(scols_table_get_column(tb->scols, nth));
	}
}

static void end_table(struct table *tb)
{
	scols_unref_table(tb->scols);
	tb->scols = NULL;
}

/*
 * On a narrow terminal libsmartcols drops the last columns and truncates the one before. A
 * truncated number would be another number, so hide such a column.
 */
static bool hide_cut_number(struct table *tb)
{
	for (size_t i = 0; i < tb->nr_shown; i++) {
		struct libscols_column *cl = scols_table_get_column(tb->scols, i);
		int flags = scols_column_get_flags(cl);

		if (tb->columns[tb->shown[i]].json != SCOLS_JSON_NUMBER ||
		    !(flags & SCOLS_FL_TRUNC) || flags & SCOLS_FL_HIDDEN)
			continue;
		hide_column(cl);
		return true;
	}
	return false;
}

/**
 * table_text() - print the table to a string; table_begin() starts the next one
 *
 * Return: the text, without a newline at its end, allocated.
 */
char *table_text(struct table *tb)
{
	char *text;

	hide_optional(tb);
	check(scols_print_table_to_string(tb->scols, &text));
	if (hide_cut_number(tb)) {
		free(text);
		check(scols_print_table_to_string(tb->scols, &text));
	}
	end_table(tb);
	return text;
}

/* Lines printed one by one are aligned by a line of their minimum widths that is not shown. */
static void add_template(struct table *tb)
{
	table_line(tb, NULL);
	for (size_t nth = 0; nth < tb->nr_shown; nth++)
		cell(tb, tb->columns[tb->shown[nth]].name, "%0*d",
		     tb->columns[tb->shown[nth]].width, 0);
}

/**
 * table_heading() - print the heading of a table whose lines are printed one by one
 *
 * Return: the text, without a newline, allocated. NULL if there is none.
 */
char *table_heading(struct table *tb)
{
	char *text;

	if (tb->json || tb->noheadings)
		return NULL;
	if (tb->printer == BY_PLAIN)
		return plain_heading(&tb->plain);
	if (tb->printer == BY_ALIGNED)
		return aligned_heading(&tb->aligned);
	begin_scols(tb);
	add_template(tb);
	text = table_text(tb);
	text[strcspn(text, "\n")] = '\0';
	return text;
}

/**
 * table_begin_lone_line() - add a line to a table whose lines are printed one by one
 */
void table_begin_lone_line(struct table *tb)
{
	if (tb->printer != BY_SMARTCOLS) {
		begin_line(tb);
		return;
	}
	begin_scols(tb);
	add_template(tb);
	table_line(tb, NULL);
}

/**
 * table_lone_line() - print the line that table_begin_lone_line() added
 *
 * Return: the text, without a newline, allocated.
 */
char *table_lone_line(struct table *tb)
{
	char *text;

	tb->in_line = false;
	if (tb->printer == BY_PLAIN)
		return plain_lone_line(&tb->plain, &tb->cells);
	if (tb->printer == BY_ALIGNED)
		return aligned_lone_line(&tb->aligned, &tb->cells);
	check(scols_table_print_range_to_string(tb->scols, tb->line, tb->line, &text));
	end_table(tb);
	return text;
}

/**
 * table_print() - print the table; table_begin() starts the next one
 */
void table_print(struct table *tb)
{
	end_line(tb);
	if (tb->printer == BY_PLAIN) {
		plain_end(&tb->plain);
	} else if (tb->printer == BY_ALIGNED) {
		aligned_end(&tb->aligned, tb->hidden);
	} else {
		hide_optional(tb);
		check(scols_print_table(tb->scols));
		end_table(tb);
	}
}

/**
 * table_close() - free what table_open() chose
 */
void table_close(struct table *tb)
{
	plain_close(&tb->plain);
	aligned_close(&tb->aligned);
	text_free(&tb->cells.text);
	free(tb->cells.spans);
	free(tb->hidden);
	free(tb->widths);
	free(tb->shown);
}
