// SPDX-License-Identifier: GPL-2.0
/*
 * Reads JSON from standard input, strictly as defined by RFC 8259. Not a test: reader_test.sh
 * uses it, as guests have no jq.
 *
 *	json_check		exit status 0 if the input is JSON
 *	json_check -l		also lists all values except objects and arrays: path, tab, value
 *	json_check PATH		also prints the value of PATH; exit status 2 if there is none
 *
 * A path looks like usage[3].uid. Strings are printed without quotes, with escapes unchanged.
 * Objects with duplicate names are refused.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DEPTH	64
#define MAX_PATH	1024

static const char *text, *at;
static char path[MAX_PATH];
static const char *wanted;
static bool listing, found;

static void die(const char *what)
{
	int line = 1;

	while (text < at)
		line += *text++ == '\n';
	fprintf(stderr, "json_check: line %d: %s\n", line, what);
	exit(1);
}

static void skip_space(void)
{
	at += strspn(at, " \t\r\n");
}

/* Reports the value at the current path; its text is @begin up to @end. */
static void report(const char *begin, const char *end)
{
	if (*begin == '"') {
		begin++;
		end--;
	}
	if (listing)
		printf("%s\t%.*s\n", path, (int)(end - begin), begin);
	if (wanted && !strcmp(wanted, path)) {
		printf("%.*s\n", (int)(end - begin), begin);
		found = true;
	}
}

static void skip_escape(void)
{
	int i;

	at++;
	if (*at == 'u') {
		for (i = 1; i <= 4; i++)
			if (!isxdigit((unsigned char)at[i]))
				die("bad \\u escape");
		at += 4;
	} else if (!*at || !strchr("\"\\/bfnrt", *at)) {
		die("bad escape");
	}
	at++;
}

/* Skips a UTF-8 sequence; refuses overlong ones, surrogates and values above 0x10ffff. */
static void skip_utf8(void)
{
	const unsigned char *s = (const unsigned char *)at;
	unsigned int code, length, i;
	static const unsigned int least[] = { 0, 0, 0x80, 0x800, 0x10000 };

	if (*s < 0x80) {
		at++;
		return;
	}
	length = *s >= 0xf0 ? 4 : *s >= 0xe0 ? 3 : 2;
	code = *s & (0x7f >> length);
	if (*s < 0xc2 || *s > 0xf4)
		die("bad UTF-8");
	for (i = 1; i < length; i++) {
		if ((s[i] & 0xc0) != 0x80)
			die("bad UTF-8");
		code = code << 6 | (s[i] & 0x3f);
	}
	if (code < least[length] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		die("bad UTF-8");
	at += length;
}

static void skip_string(void)
{
	if (*at++ != '"')
		die("a string is missing");
	while (*at != '"') {
		if ((unsigned char)*at < 0x20)
			die("a control character or the end in a string");
		if (*at == '\\')
			skip_escape();
		else
			skip_utf8();
	}
	at++;
}

static void skip_digits(void)
{
	if (!isdigit((unsigned char)*at))
		die("a digit is missing");
	while (isdigit((unsigned char)*at))
		at++;
}

static void skip_number(void)
{
	if (*at == '-')
		at++;
	if (*at == '0')
		at++;
	else
		skip_digits();
	if (*at == '.') {
		at++;
		skip_digits();
	}
	if (*at == 'e' || *at == 'E') {
		at++;
		if (*at == '+' || *at == '-')
			at++;
		skip_digits();
	}
}

static void skip_word(void)
{
	static const char *const words[] = { "true", "false", "null", NULL };
	unsigned int i;

	for (i = 0; words[i]; i++) {
		size_t length = strlen(words[i]);

		if (!strncmp(at, words[i], length)) {
			at += length;
			return;
		}
	}
	die("a value is missing");
}

/* Appends to the path; returns its previous length. */
static size_t enter(const char *format, ...)
{
	size_t length = strlen(path);
	va_list args;

	va_start(args, format);
	if (vsnprintf(path + length, sizeof(path) - length, format, args) >=
	    (int)(sizeof(path) - length))
		die("names too long");
	va_end(args);
	return length;
}

static void skip_value(int depth);

/* The names of an object, to detect duplicates. */
struct names {
	const char **name;
	size_t *length;
	size_t nr;
};

static void add_name(struct names *names, const char *name, size_t length)
{
	size_t i;

	for (i = 0; i < names->nr; i++)
		if (names->length[i] == length && !memcmp(names->name[i], name, length))
			die("an object has a name twice");
	names->name = realloc(names->name, (i + 1) * sizeof(*names->name));
	names->length = realloc(names->length, (i + 1) * sizeof(*names->length));
	if (!names->name || !names->length)
		die("no memory");
	names->name[i] = name;
	names->length[i] = length;
	names->nr++;
}

static void skip_member(struct names *names, int depth)
{
	const char *name = at + 1;
	size_t length, before;

	skip_string();
	length = at - 1 - name;
	add_name(names, name, length);
	skip_space();
	if (*at++ != ':')
		die("a colon is missing");
	before = enter("%s%.*s", *path ? "." : "", (int)length, name);
	skip_value(depth);
	path[before] = '\0';
}

static void skip_object(int depth)
{
	struct names names = {};

	at++;
	skip_space();
	if (*at == '}') {
		at++;
		return;
	}
	for (;;) {
		skip_space();
		skip_member(&names, depth);
		if (*at != ',')
			break;
		at++;
	}
	if (*at++ != '}')
		die("an object does not end");
	free(names.name);
	free(names.length);
}

static void skip_array(int depth)
{
	size_t nr = 0, before;

	at++;
	skip_space();
	if (*at == ']') {
		at++;
		return;
	}
	for (;;) {
		before = enter("[%zu]", nr++);
		skip_value(depth);
		path[before] = '\0';
		if (*at != ',')
			break;
		at++;
	}
	if (*at++ != ']')
		die("an array does not end");
}

/* Skips a value and the space around it. */
static void skip_value(int depth)
{
	const char *begin;

	if (depth > MAX_DEPTH)
		die("too deep");
	skip_space();
	begin = at;
	if (*at == '{')
		skip_object(depth + 1);
	else if (*at == '[')
		skip_array(depth + 1);
	else if (*at == '"')
		skip_string();
	else if (*at == '-' || isdigit((unsigned char)*at))
		skip_number();
	else
		skip_word();
	if (*begin != '{' && *begin != '[')
		report(begin, at);
	skip_space();
}

static char *read_all(void)
{
	size_t room = 65536, used = 0, got;
	char *all = malloc(room);

	while (all && (got = fread(all + used, 1, room - used - 1, stdin))) {
		used += got;
		if (room - used < 4096)
			all = realloc(all, room *= 2);
	}
	if (!all || ferror(stdin)) {
		fputs("json_check: cannot read\n", stderr);
		exit(1);
	}
	all[used] = '\0';
	if (strlen(all) != used) {
		fputs("json_check: a NUL byte\n", stderr);
		exit(1);
	}
	return all;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "-l"))
		listing = true;
	else if (argc == 2)
		wanted = argv[1];
	else if (argc > 2)
		return 1;
	text = read_all();
	at = text;
	skip_value(0);
	if (*at)
		die("something behind the value");
	return wanted && !found ? 2 : 0;
}
