// SPDX-License-Identifier: GPL-2.0
/*
 * Messages and exit, allocation that cannot fail, search trees, and errors of standard output.
 * Nothing here depends on the kernel or on tables.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <search.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ucountview.h"

/* The exit status of die(); a command that runs another sets its own. */
int exit_failure = EXIT_FAILURE;

/**
 * die() - print the reason on one line and exit with status exit_failure
 *
 * Called only before the first byte of output, or between two rounds of it: a run that fails
 * from the start leaves standard output empty.
 */
void die(const char *fmt, ...)
{
	char reason[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);

	/* An argument may contain control characters: mask them. */
	for (char *c = reason; *c; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	}
	fprintf(stderr, "ucountview: %s\n", reason);
	exit(exit_failure);
}

/**
 * note() - print a line to standard error
 */
void note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("ucountview: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
}

/**
 * output_lost() - exit because standard output cannot be written; @err is 0 if unknown
 */
void output_lost(int err)
{
	if (err)
		fprintf(stderr, "ucountview: write error: %s\n", strerror(err));
	else
		fputs("ucountview: write error\n", stderr);
	_exit(exit_failure);
}

/**
 * flush_stdout() - flush standard output, exit on a write error
 */
void flush_stdout(void)
{
	if (fflush(stdout))
		output_lost(errno);
}

/**
 * close_stdout() - at exit: detect write errors
 *
 * A full disk often shows only when the last buffer is written.
 */
void close_stdout(void)
{
	int lost = ferror(stdout);

	errno = 0;
	if (fclose(stdout) || lost)
		output_lost(errno);
}

/**
 * stdout_is_screen() - whether standard output supports colors and cursor movement
 */
bool stdout_is_screen(void)
{
	const char *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && term && strcmp(term, "dumb");
}

/**
 * xreallocarray() - reallocarray() that exits when there is no memory
 *
 * Return: the array, never NULL, also if it has no members. New members are not initialized.
 */
void *xreallocarray(void *old, size_t nr, size_t size)
{
	void *new = reallocarray(old, nr ? nr : 1, size);

	if (!new)
		die("out of memory");
	return new;
}

/**
 * xcalloc() - xreallocarray() of a new array, zeroed
 */
void *xcalloc(size_t nr, size_t size)
{
	return memset(xreallocarray(NULL, nr, size), 0, nr * size);
}

/**
 * xgrow() - make room for one more member in an array that has @nr
 * @array: always grown by this function; NULL if it is empty
 *
 * The capacity doubles whenever @nr is a power of two.
 */
void *xgrow(void *array, size_t nr, size_t size)
{
	if (nr & (nr - 1))
		return array;
	return xreallocarray(array, nr ? nr * 2 : 1, size);
}

/**
 * xstrdup() - strdup() that exits when there is no memory
 */
char *xstrdup(const char *s)
{
	char *copy = strdup(s);

	if (!copy)
		die("out of memory");
	return copy;
}

/**
 * xvasprintf() - vasprintf() that exits when there is no memory
 * @fmt: as for vprintf()
 * @ap: likewise
 *
 * Return: the text, to be freed; never NULL.
 */
char *xvasprintf(const char *fmt, va_list ap)
{
	char *text;

	if (vasprintf(&text, fmt, ap) < 0)
		die("out of memory");
	return text;
}

/**
 * xasprintf() - asprintf() that exits when there is no memory
 */
char *xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	return text;
}

/**
 * tree_at() - tsearch() that exits when there is no memory
 *
 * Return: where the tree points to its node with this key, which is @node if it had none.
 */
void **tree_at(const void *node, void **tree, int (*compare)(const void *a, const void *b))
{
	void **at = tsearch(node, tree, compare);

	if (!at)
		die("out of memory");
	return at;
}

/**
 * tree_find() - the node of a tree that @wanted equals, or NULL
 */
void *tree_find(const void *wanted, void *const *tree, int (*compare)(const void *a, const void *b))
{
	void **at = tfind(wanted, tree, compare);

	return at ? *at : NULL;
}
