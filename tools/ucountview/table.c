// SPDX-License-Identifier: GPL-2.0
/*
 * Tables: choose columns and format, and print with libsmartcols. No other file calls it. The
 * commands supply the text of the cells.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "table.h"
#include "ucountview.h"

#define MAX_OPTIONS	32

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

static int name_width(const struct table *tb)
{
	size_t width = 12;

	for (size_t i = 0; i < tb->nr_columns; i++) {
		if (strlen(tb->columns[i].name) > width)
			width = strlen(tb->columns[i].name);
	}
	return width;
}

static void list_columns(const struct table *tb)
{
	for (size_t i = 0; i < tb->nr_columns; i++)
		printf("%*s  %-9s  %s\n", name_width(tb), tb->columns[i].name,
		       type_name(tb->columns[i].json), tb->columns[i].help);
}

/**
 * table_help_columns() - list the columns, for --help
 * @tb: the table
 * @out: where
 */
void table_help_columns(const struct table *tb, FILE *out)
{
	fputs("\nAvailable output columns:\n", out);
	for (size_t i = 0; i < tb->nr_columns; i++)
		fprintf(out, "%*s  %s\n", name_width(tb), tb->columns[i].name,
			tb->columns[i].help);
}

enum {
	OPT_OUTPUT_ALL = 0x100,
};

static const struct option common_options[] = {
	{ "json",	  no_argument,	     NULL, 'J' },
	{ "raw",	  no_argument,	     NULL, 'r' },
	{ "noheadings",	  no_argument,	     NULL, 'n' },
	{ "output",	  required_argument, NULL, 'o' },
	{ "output-all",	  no_argument,	     NULL, OPT_OUTPUT_ALL },
	{ "list-columns", no_argument,	     NULL, 'H' },
	{ "version",	  no_argument,	     NULL, 'V' },
	{ "help",	  no_argument,	     NULL, 'h' },
	{ }
};

/* All options, in the form that getopt_long() takes. */
struct options {
	char short_ones[2 * MAX_OPTIONS + 1];
	struct option long_ones[MAX_OPTIONS + 1];
	size_t nr;
};

static void add_options(struct options *all, const struct option *group)
{
	char *end = all->short_ones + strlen(all->short_ones);

	for (; group->name && all->nr < MAX_OPTIONS; group++) {
		all->long_ones[all->nr++] = *group;
		if (group->val >= OPT_OUTPUT_ALL)
			continue;
		*end++ = group->val;
		if (group->has_arg == required_argument)
			*end++ = ':';
	}
}

/* Returns whether it was one of the common options. */
static bool take_option(struct table *tb, int opt, const char *arg)
{
	switch (opt) {
	case 'J':
		tb->json = true;
		return true;
	case 'r':
		tb->raw = true;
		return true;
	case 'n':
		tb->noheadings = true;
		return true;
	case 'o':
		tb->output = arg;
		return true;
	case OPT_OUTPUT_ALL:
		tb->output_all = true;
		return true;
	case 'H':
		list_columns(tb);
		exit(EXIT_SUCCESS);
	case 'V':
		print_version();
		exit(EXIT_SUCCESS);
	case '?':
		exit(exit_failure);
	}
	return false;
}

/**
 * table_getopt() - getopt_long() that handles the options common to all tables
 * @tb: the table
 * @argc: as for getopt_long()
 * @argv: as for getopt_long()
 * @groups: the command's own options: a NULL-terminated array of arrays, each ending with an
 *	empty one. A value that is a character is the short option, too.
 *
 * Exits after an option that only prints something, and, once getopt_long() has complained, for
 * an unknown one.
 *
 * Return: the next of the command's own options; 'h' if the command is to print its help text;
 * or -1.
 */
int table_getopt(struct table *tb, int argc, char **argv, const struct option * const *groups)
{
	struct options all = { };
	int opt;

	add_options(&all, common_options);
	while (*groups)
		add_options(&all, *groups++);

	do {
		opt = getopt_long(argc, argv, all.short_ones, all.long_ones, NULL);
	} while (opt != -1 && take_option(tb, opt, optarg));
	return opt;
}

/* Shows a column only once: a duplicate key is not valid JSON. */
static void show_column(struct table *tb, size_t column)
{
	for (size_t i = 0; i < tb->nr_shown; i++) {
		if (tb->shown[i] == column)
			return;
	}
	tb->shown = xreallocarray(tb->shown, tb->nr_shown + 1, sizeof(*tb->shown));
	tb->shown[tb->nr_shown++] = column;
}

static void show_named(struct table *tb, const char *name, size_t len)
{
	for (size_t i = 0; i < tb->nr_columns; i++) {
		if (strlen(tb->columns[i].name) == len &&
		    !strncasecmp(tb->columns[i].name, name, len)) {
			show_column(tb, i);
			return;
		}
	}
	die("unknown column: %.*s", (int)len, name);
}

static void show_list(struct table *tb, const char *list)
{
	for (;;) {
		size_t len = strcspn(list, ",");

		show_named(tb, list, len);
		if (!list[len])
			return;
		list += len + 1;
	}
}

/* Whether the default columns are shown, even if the user added some. */
static bool shows_defaults(const struct table *tb)
{
	return !tb->output_all && (!tb->output || tb->output[0] == '+');
}

static void choose_columns(struct table *tb, const size_t *defaults, size_t nr_defaults)
{
	if (tb->output_all) {
		for (size_t i = 0; i < tb->nr_columns; i++)
			show_column(tb, i);
	} else if (shows_defaults(tb)) {
		for (size_t i = 0; i < nr_defaults; i++)
			show_column(tb, defaults[i]);
	}
	if (tb->output)
		show_list(tb, tb->output[0] == '+' ? tb->output + 1 : tb->output);
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
		die("cannot make the table: %s", strerror(-rc));
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
 * table_open() - choose the columns according to the options
 * @tb: the table, all options parsed; free with table_close()
 * @defaults: the columns to show if there is no --output
 * @nr_defaults: how many
 *
 * Exits if options contradict each other or name an unknown column.
 */
void table_open(struct table *tb, const size_t *defaults, size_t nr_defaults)
{
	if (tb->json && tb->raw)
		die("mutually exclusive arguments: --json --raw");
	choose_columns(tb, defaults, nr_defaults);
}

/**
 * table_show_also() - add a default column that the data call for
 * @tb: the opened table
 * @column: which; may be repeated
 */
void table_show_also(struct table *tb, size_t column)
{
	if (shows_defaults(tb))
		show_column(tb, column);
}

/**
 * table_begin() - start a table without lines, as wide as the terminal is now
 * @tb: the opened table
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

static void fill_cell(struct table *tb, struct libscols_line *line, size_t nth, char *text)
{
	if (!text && !tb->json)
		text = xstrdup("-");
	if (text && tb->json)
		text = json_text(text);
	check(scols_line_refer_data(line, nth, text));
}

static struct libscols_line *add_line(struct table *tb, struct libscols_line *parent)
{
	struct libscols_line *line = scols_table_new_line(tb->scols, parent);

	if (!line)
		die("out of memory");
	return line;
}

/**
 * table_line() - add a line
 * @tb: the table
 * @parent: its parent line, or NULL
 * @cell: returns the text of a column, allocated; the table frees it. NULL means nothing: "null"
 *	in JSON, "-" otherwise, so that every line has as many words.
 * @command: for @cell: whose line it is
 * @row: for @cell: what the line is about
 *
 * Return: the line.
 */
struct libscols_line *table_line(struct table *tb, struct libscols_line *parent,
				 char *(*cell)(const void *command, const void *row,
					       size_t column),
				 const void *command, const void *row)
{
	struct libscols_line *line = add_line(tb, parent);

	for (size_t nth = 0; nth < tb->nr_shown; nth++)
		fill_cell(tb, line, nth, cell(command, row, tb->shown[nth]));
	return line;
}

/**
 * table_colour() - color a line, on a terminal
 * @tb: the table
 * @line: the line
 * @colour: a color name of libsmartcols, or NULL
 */
void table_colour(struct table *tb, struct libscols_line *line, const char *colour)
{
	if (colour && scols_table_colors_wanted(tb->scols))
		check(scols_line_set_color(line, colour));
}

/**
 * table_screen() - the size of the terminal at table_begin()
 * @tb: the table
 * @width: out: columns
 * @height: out: lines
 */
void table_screen(const struct table *tb, size_t *width, size_t *height)
{
	*width = scols_table_get_termwidth(tb->scols);
	*height = scols_table_get_termheight(tb->scols);
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
		check(scols_column_set_flags(cl, flags | SCOLS_FL_HIDDEN));
		return true;
	}
	return false;
}

/**
 * table_text() - print the table to a string; table_begin() starts the next one
 * @tb: the table
 *
 * Return: the text, without a newline at its end, allocated.
 */
char *table_text(struct table *tb)
{
	char *text;

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
 * @tb: the table
 *
 * Return: the text, without a newline, allocated.
 */
char *table_json(struct table *tb)
{
	char *text = table_text(tb);

	join_lines(text);
	return text;
}

/* Lines printed one by one are aligned by a line of this width that is not shown. */
static void add_template(struct table *tb, const unsigned int *widths)
{
	struct libscols_line *line = add_line(tb, NULL);

	for (size_t nth = 0; nth < tb->nr_shown; nth++)
		fill_cell(tb, line, nth, xasprintf("%0*d", (int)widths[tb->shown[nth]], 0));
}

/**
 * table_heading() - print the heading of a table whose lines are printed one by one
 * @tb: the opened table
 * @widths: minimum width of each of the command's columns
 *
 * Return: the text, without a newline, allocated. NULL if there is none.
 */
char *table_heading(struct table *tb, const unsigned int *widths)
{
	char *text;

	if (tb->json || tb->noheadings)
		return NULL;
	table_begin(tb);
	add_template(tb, widths);
	text = table_text(tb);
	text[strcspn(text, "\n")] = '\0';
	return text;
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
 * table_lone_line() - print a line of a table whose lines are printed one by one
 * @tb: the opened table
 * @widths: as for table_heading()
 * @cell: as for table_line()
 * @command: likewise
 * @row: likewise
 *
 * Return: the text, without a newline, allocated.
 */
char *table_lone_line(struct table *tb, const unsigned int *widths,
		      char *(*cell)(const void *command, const void *row, size_t column),
		      const void *command, const void *row)
{
	struct libscols_line *line;
	char *text;

	table_begin(tb);
	if (!tb->json)
		add_template(tb, widths);
	line = table_line(tb, NULL, cell, command, row);
	if (tb->json)
		return json_object(tb);
	check(scols_table_print_range_to_string(tb->scols, line, line, &text));
	end_table(tb);
	return text;
}

/**
 * table_print() - print the table; table_begin() starts the next one
 * @tb: the table
 */
void table_print(struct table *tb)
{
	check(scols_print_table(tb->scols));
	end_table(tb);
}

/**
 * table_close() - free what table_open() chose
 * @tb: the table
 */
void table_close(struct table *tb)
{
	free(tb->shown);
	tb->shown = NULL;
	tb->nr_shown = 0;
}
