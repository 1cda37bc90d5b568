// SPDX-License-Identifier: GPL-2.0
/*
 * Tables for programs, raw or in JSON. Lines are written as they come, some at a time, so memory
 * does not depend on their number. The result is what libsmartcols prints, byte for byte.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "column.h"
#include "plain.h"
#include "ucountview.h"

static void add(struct text *out, const char *string)
{
	text_add(out, string, strlen(string));
}

static const char hex_digits[] = "0123456789abcdef";

/* Out of line, to keep the loop of add_raw() short. */
static noinline char *put_escape(char *to, unsigned char c)
{
	*to++ = '\\';
	*to++ = 'x';
	*to++ = hex_digits[c >> 4];
	*to++ = hex_digits[c & 0xf];
	return to;
}

/* Blanks, and what would be mistaken for an escape, are escaped. */
static void add_raw(struct plain *plain, const char *word, size_t length)
{
	struct text *out = &plain->out;
	char *to = text_room(out, 4 * length), *from = to;

	for (const char *end = word + length; word < end; word++) {
		unsigned char c = *word;

		if (plain->escaped[c])
			to = put_escape(to, c);
		else
			*to++ = c;
	}
	out->used += to - from;
}

static void add_json_escape(struct text *out, unsigned char c)
{
	static const char named[] = "\b\f\n\r\t", names[] = "bfnrt";
	const char *name = strchr(named, c);
	char escape[] = { '\\', 'u', '0', '0', hex_digits[c >> 4], hex_digits[c & 0xf] };

	if (c >= ' ') { /* a quotation mark or a backslash */
		escape[1] = c;
		text_add(out, escape, 2);
	} else if (name) {
		escape[1] = names[name - named];
		text_add(out, escape, 2);
	} else {
		text_add(out, escape, sizeof(escape));
	}
}

/* Bytes that are not valid UTF-8 are written as in the raw table, with the backslash escaped. */
static void add_json_string(struct text *out, const char *string, size_t length)
{
	const unsigned char *from = (const unsigned char *)string, *end = from + length;

	text_put(out, '"');
	while (from < end) {
		size_t plain = 0, valid;

		while (from + plain < end && from[plain] >= ' ' && from[plain] < 0x80 &&
		       from[plain] != '"' && from[plain] != '\\')
			plain++;
		text_add(out, (const char *)from, plain);
		from += plain;
		if (from == end)
			break;
		valid = utf8_length(from, end - from);
		if (!valid) {
			add(out, "\\\\x");
			text_put(out, hex_digits[*from >> 4]);
			text_put(out, hex_digits[*from & 0xf]);
			from++;
		} else if (valid == 1) {
			add_json_escape(out, *from++);
		} else {
			text_add(out, (const char *)from, valid);
			from += valid;
		}
	}
	text_put(out, '"');
}

static void add_json_value(struct text *out, int type, const char *value, size_t length)
{
	if (type == SCOLS_JSON_BOOLEAN)
		add(out, length && *value != '0' && *value != 'n' ? "true" : "false");
	else if (!length)
		add(out, "null");
	else if (type == SCOLS_JSON_NUMBER)
		text_add(out, value, length);
	else
		add_json_string(out, value, length);
}

/* Line breaks are only white space between tokens. This is the one before a key. */
#define KEY_BREAK	"\n         "

static void add_break(struct plain *plain, unsigned int indent)
{
	if (!plain->one_line)
		text_add(&plain->out, KEY_BREAK, 1 + indent);
}

/* The first key has no comma. */
static void add_key(struct plain *plain, size_t nth)
{
	const struct plain_column *column = &plain->columns[nth];
	size_t skip = nth ? 0 : strlen(",");

	if (plain->one_line) {
		if (nth)
			text_put(&plain->out, ',');
		skip = strlen("," KEY_BREAK);
	}
	text_add(&plain->out, column->label + skip, column->label_length - skip);
}

static void add_json_line(struct plain *plain, const struct cells *cells)
{
	struct text *out = &plain->out;

	text_put(out, '{');
	for (size_t i = 0; i < plain->nr_columns; i++) {
		const struct span *span = &cells->spans[i];

		add_key(plain, i);
		add_json_value(out, plain->columns[i].column->json,
			       cells->text.data + span->start, span->length);
	}
	add_break(plain, 6);
	text_put(out, '}');
}

/* Every line has as many words. */
static void add_raw_line(struct plain *plain, const struct cells *cells)
{
	for (size_t i = 0; i < plain->nr_columns; i++) {
		const struct span *span = &cells->spans[i];

		if (i)
			text_put(&plain->out, ' ');
		if (span->length)
			add_raw(plain, cells->text.data + span->start, span->length);
		else
			text_put(&plain->out, '-');
	}
}

/* Bytes of lines that are written at once. */
#define PORTION		(32 * 1024)

static void write_out(struct plain *plain)
{
	fwrite_unlocked(plain->out.data, 1, plain->out.used, stdout);
	plain->out.used = 0;
}

static void add_line(struct plain *plain, const struct cells *cells)
{
	if (plain->json)
		add_json_line(plain, cells);
	else
		add_raw_line(plain, cells);
}

static char *json_label(const char *name)
{
	char *label = xasprintf("," KEY_BREAK "\"%s\": ", name);

	for (char *c = label; *c; c++)
		*c = tolower((unsigned char)*c);
	return label;
}

/**
 * plain_open() - choose the columns
 * @plain: zeroes; free with plain_close()
 * @json: in JSON, otherwise raw
 * @headings: whether a raw table has a heading
 * @columns: all that there are
 * @shown: the indices of those to be written, in this order
 * @nr_shown: their number
 */
void plain_open(struct plain *plain, bool json, bool headings, const struct column *columns,
		const size_t *shown, size_t nr_shown)
{
	plain->json = json;
	plain->headings = headings;
	for (size_t c = 0; c < ARRAY_SIZE(plain->escaped); c++)
		plain->escaped[c] = !isprint(c) || isblank(c) || c == '\\';
	plain->nr_columns = nr_shown;
	plain->columns = xcalloc(nr_shown, sizeof(*plain->columns));
	for (size_t i = 0; i < nr_shown; i++) {
		const struct column *column = &columns[shown[i]];

		plain->columns[i].column = column;
		plain->columns[i].label = json ? json_label(column->name) : xstrdup(column->name);
		plain->columns[i].label_length = strlen(plain->columns[i].label);
	}
}

/**
 * plain_begin() - begin a table
 * @name: what it lists: the key of the array in JSON
 * @time: NULL, or the value of a member "time" beside it; both are then on one line
 */
void plain_begin(struct plain *plain, const char *name, const char *time)
{
	struct text *out = &plain->out;

	plain->empty = true;
	if (!plain->json)
		return;
	plain->one_line = time;
	text_put(out, '{');
	if (time) {
		add(out, "\"time\": ");
		add_json_string(out, time, strlen(time));
		text_put(out, ',');
	}
	add_break(plain, 3);
	add_json_string(out, name, strlen(name));
	add(out, ": [");
}

static void add_heading(struct plain *plain)
{
	for (size_t i = 0; i < plain->nr_columns; i++) {
		if (i)
			text_put(&plain->out, ' ');
		add_raw(plain, plain->columns[i].label, plain->columns[i].label_length);
	}
}

/* What comes before the first line. A table without lines has no heading. */
static void add_start(struct plain *plain)
{
	if (plain->json) {
		add_break(plain, 6);
	} else if (plain->headings) {
		add_heading(plain);
		text_put(&plain->out, '\n');
	}
}

/**
 * plain_add() - write a line, at the latest with plain_end()
 * @cells: its cells. An empty one is "null" in JSON, "-" otherwise.
 */
void plain_add(struct plain *plain, const struct cells *cells)
{
	if (plain->empty)
		add_start(plain);
	else
		text_put(&plain->out, plain->json ? ',' : '\n');
	plain->empty = false;
	add_line(plain, cells);
	if (plain->out.used >= PORTION)
		write_out(plain);
}

/**
 * plain_end() - write the rest of the table
 */
void plain_end(struct plain *plain)
{
	if (plain->json) {
		if (plain->empty)
			add_break(plain, 0);
		add_break(plain, 3);
		text_put(&plain->out, ']');
		add_break(plain, 0);
		text_put(&plain->out, '}');
	}
	if (plain->json || !plain->empty)
		text_put(&plain->out, '\n');
	write_out(plain);
}

static char *take_out(struct plain *plain)
{
	char *text = text_copy(&plain->out);

	plain->out.used = 0;
	return text;
}

/**
 * plain_heading() - the heading of a raw table
 *
 * Return: the line, without a newline, allocated.
 */
char *plain_heading(struct plain *plain)
{
	add_heading(plain);
	return take_out(plain);
}

/**
 * plain_lone_line() - a line without a table around it
 * @cells: its cells
 *
 * Return: the line, without a newline, allocated.
 */
char *plain_lone_line(struct plain *plain, const struct cells *cells)
{
	plain->one_line = true;
	add_line(plain, cells);
	return take_out(plain);
}

/**
 * plain_close() - free what plain_open() allocated
 */
void plain_close(struct plain *plain)
{
	for (size_t i = 0; i < plain->nr_columns; i++)
		free(plain->columns[i].label);
	free(plain->columns);
	text_free(&plain->out);
	memset(plain, 0, sizeof(*plain));
}
