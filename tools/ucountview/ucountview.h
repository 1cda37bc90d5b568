/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Shared by all files of the reader: messages and exit, memory. The device is in device.h, printing
 * in table.h, the commands in options.h.
 */
#ifndef _UCOUNTVIEW_H
#define _UCOUNTVIEW_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define noinline	__attribute((noinline))
#define __noreturn	__attribute((noreturn))
#define __printf(a, b)	__attribute((format(printf, a, b)))

/* Negative, 0 or positive, as qsort() wants it. Several of them are chained with ?: */
#define COMPARE(x, y)							\
({									\
	__auto_type _x = (x);						\
	__auto_type _y = (y);						\
									\
	(_x > _y) - (_x < _y);						\
})

void print_commands(void);	/* main.c */

/* util.c */
extern int exit_failure;
void __noreturn die(const char *fmt, ...) __printf(1, 2);
void note(const char *fmt, ...) __printf(1, 2);
void __noreturn output_lost(int err);
void flush_stdout(void);
void close_stdout(void);
bool stdout_is_screen(void);
void *xreallocarray(void *old, size_t nr, size_t size);
void *xcalloc(size_t nr, size_t size);
void *xgrow(void *array, size_t nr, size_t size);
char *xstrdup(const char *s);
char *xvasprintf(const char *fmt, va_list ap) __printf(1, 0);
char *xasprintf(const char *fmt, ...) __printf(1, 2);
void **tree_at(const void *node, void **tree, int (*compare)(const void *a, const void *b));
void *tree_find(const void *wanted, void *const *tree,
		int (*compare)(const void *a, const void *b));

#endif /* _UCOUNTVIEW_H */
