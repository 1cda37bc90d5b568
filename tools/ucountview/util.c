// SPDX-License-Identifier: GPL-2.0
/*
 * Messages and exit, allocation that cannot fail, and errors of standard output. Nothing here
 * depends on the kernel or on tables.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ucountview.h"

/* The exit status of die(); a command that runs another sets its own. */
int exit_failure = EXIT_FAILURE;

/**
 * die() - print the reason on one line and exit with status exit_failure
 * @fmt: the reason, without the program's name and without a newline
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
 * @fmt: the text, without the program's name and without a newline
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
 * output_lost() - exit because standard output cannot be written
 * @err: the errno; 0 if it is unknown
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
 * A full disk or a closed pipe often shows only when the last buffer is written.
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
 *
 * Return: whether it is a terminal that is not dumb.
 */
bool stdout_is_screen(void)
{
	const char *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && term && strcmp(term, "dumb");
}

/**
 * xreallocarray() - reallocarray() that exits when there is no memory
 * @old: what to grow, or NULL
 * @nr: members wanted
 * @size: bytes of each; an overflow of @nr times @size counts as no memory
 *
 * Return: the array; never NULL. New members are not initialized.
 */
void *xreallocarray(void *old, size_t nr, size_t size)
{
	void *new = reallocarray(old, nr ? nr : 1, size);

	if (!new)
		die("out of memory");
	return new;
}

/**
 * xgrow() - grow an array by one member
 * @array: the array, always grown by this function; NULL if it is empty
 * @nr: how many members it has
 * @size: bytes of each
 *
 * The capacity doubles whenever @nr is a power of two.
 *
 * Return: the array; never NULL.
 */
void *xgrow(void *array, size_t nr, size_t size)
{
	if (nr & (nr - 1))
		return array;
	return xreallocarray(array, nr ? nr * 2 : 1, size);
}

/**
 * xstrdup() - strdup() that exits when there is no memory
 * @s: what to copy
 *
 * Return: the copy, to be freed; never NULL.
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
 * @fmt: as for printf()
 *
 * Return: the text, to be freed; never NULL.
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
