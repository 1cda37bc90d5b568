// SPDX-License-Identifier: GPL-2.0
/*
 * Tables: choose columns and format, and print with libsmartcols. No other file calls it. The
 * commands write the cells, by the names of their columns.
 */
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

/* Called for each cell. Most names differ in the first character. */
static const struct column *find_column(const struct table *tb, const char *name, size_t len)
{
	int first = toupper((unsigned char)*name);

	for (const struct column *col = tb->columns; col->name; col++) {
		if (*col->name == first && !strncasecmp(col->name, name, len) && !col->name[len])
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

static void show_optional(struct table *tb, const char *name)
{
	size_t nr = tb->nr_shown;

	show_list(tb, name);
	tb->optional = tb->nr_shown > nr && !tb->json && !tb->raw;
}

/**
 * table_open() - choose the columns according to the options
 * @tb: the table, all options parsed; free with table_close()
 * @defaults: names of the columns to show if there is no --output
 * @optional: a column that is added to them in JSON and raw output, and otherwise from the first
 *	line on that has text there; or NULL
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
	if (optional && !tb->output_all && (!output || add))
		show_optional(tb, optional);
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
	int flags = col->flags;

	if (tb->tree && first)
		flags = (flags & ~SCOLS_FL_RIGHT) | SCOLS_FL_TREE;
	cl = scols_table_new_column(tb->scols, col->name, 0, flags);
	if (!cl)
		die("out of memory");
	check(scols_column_set_json_type(cl, col->json));
}

/**
 * table_begin() - start a table without lines, as wide as the terminal is now
 */
void table_begin(struct table *tb)
{
	tb->scols = scols_new_table();
	if (!tb->scols)
		die("out of memory");
	check(scols_table_set_name(tb->scols, tb->name));
	check(scols_table_enable_json(tb->scols, tb->json));
	check(scols_table_enable_raw(tb->scols, tb->raw));
	check(scols_table_enable_noheadings(tb->scols, tb->noheadings));
	check(scols_table_enable_colors(tb->scols, colours_wanted()));
	for (size_t i = 0; i < tb->nr_shown; i++)
		add_column(tb, &tb->columns[tb->shown[i]], i == 0);
	if (tb->screen) {
		/* Terminals differ in where the cursor is after a full line. */
		check(scols_table_reduce_termwidth(tb->scols, 1));
		check(scols_table_enable_nowrap(tb->scols, 1));
	}
}

/* Length of a UTF-8 character, 0 if it is invalid: one such byte makes all of the JSON invalid. */
static size_t utf8_len(const unsigned char *s)
{
	size_t len = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 :
		     s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;

	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	}
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return len;
}

/* @text, with bytes that are not valid UTF-8 written as in the plain table: \xNN */
static char *json_text(char *text)
{
	char *out = xreallocarray(NULL, strlen(text) + 1, 4);
	char *from = text, *to = out;

	while (*from) {
		size_t len = utf8_len((unsigned char *)from);

		if (len) {
			memcpy(to, from, len);
			to += len;
			from += len;
		} else {
			to += sprintf(to, "\\x%02x", (unsigned char)*from++);
		}
	}
	*to = '\0';
	free(text);
	return out;
}

/**
 * table_line() - add a line, whose cells are empty
 * @parent: its parent line, or NULL
 *
 * An empty cell is "null" in JSON, "-" otherwise, so that every line has as many words.
 *
 * Return: the line.
 */
struct libscols_line *table_line(struct table *tb, struct libscols_line *parent)
{
	tb->line = scols_table_new_line(tb->scols, parent);
	if (!tb->line)
		die("out of memory");
	for (size_t nth = 0; !tb->json && nth < tb->nr_shown; nth++)
		check(scols_line_set_data(tb->line, nth, "-"));
	return tb->line;
}

static size_t position_of(const struct table *tb, const char *name)
{
	const struct column *col = find_column(tb, name, strlen(name));

	assert(col);
	return position(tb, col);
}

/**
 * table_shows() - whether a column is shown
 *
 * Return: whether it is: if not, its cells need not be written.
 */
bool table_shows(const struct table *tb, const char *name)
{
	return position_of(tb, name) < tb->nr_shown;
}

static void set_cell(struct table *tb, size_t nth, char *text)
{
	if (nth == tb->nr_shown - 1)
		tb->optional = false;
	check(scols_line_refer_data(tb->line, nth, tb->json ? json_text(text) : text));
}

/**
 * cell_text() - write a cell of the line added last
 * @name: the column; nothing happens if it is not shown
 * @text: the text, allocated: this function frees it; NULL leaves the cell empty
 */
void cell_text(struct table *tb, const char *name, char *text)
{
	size_t nth = position_of(tb, name);

	if (text && nth < tb->nr_shown)
		set_cell(tb, nth, text);
	else
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
	va_start(ap, fmt);
	set_cell(tb, nth, xvasprintf(fmt, ap));
	va_end(ap);
}

/**
 * table_colour() - color the line added last, on a terminal
 * @colour: a color name of libsmartcols, or NULL
 */
void table_colour(struct table *tb, const char *colour)
{
	if (colour && scols_table_colors_wanted(tb->scols))
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

static void hide_optional(struct table *tb)
{
	if (tb->optional)
		hide_column(scols_table_get_column(tb->scols, tb->nr_shown - 1));
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

/* Line breaks in JSON are only whitespace between tokens. */
static void join_lines(char *text)
{
	char *to = text;

	while (*text) {
		if (*text == '\n')
			text += 1 + strspn(text + 1, " ");
		else
			*to++ = *text++;
	}
	*to = '\0';
}

/**
 * table_json() - print the table to a string, JSON on one line; table_begin() starts the next
 *	one
 *
 * Return: the text, without a newline, allocated.
 */
char *table_json(struct table *tb)
{
	char *text = table_text(tb);

	join_lines(text);
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
	table_begin(tb);
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
	table_begin(tb);
	if (!tb->json)
		add_template(tb);
	table_line(tb, NULL);
}

/* The only row, without the table around it. */
static char *json_object(struct table *tb)
{
	char *text = table_json(tb);
	char *object = strchr(text, '[') + 1;
	char *end = strrchr(text, ']');

	memmove(text, object, end - object);
	text[end - object] = '\0';
	return text;
}

/**
 * table_lone_line() - print the line that table_begin_lone_line() added
 *
 * Return: the text, without a newline, allocated.
 */
char *table_lone_line(struct table *tb)
{
	char *text;

	if (tb->json)
		return json_object(tb);
	check(scols_table_print_range_to_string(tb->scols, tb->line, tb->line, &text));
	end_table(tb);
	return text;
}

/**
 * table_print() - print the table; table_begin() starts the next one
 */
void table_print(struct table *tb)
{
	hide_optional(tb);
	check(scols_print_table(tb->scols));
	end_table(tb);
}

/**
 * table_close() - free what table_open() chose
 */
void table_close(struct table *tb)
{
	free(tb->shown);
}
