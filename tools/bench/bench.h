/* SPDX-License-Identifier: GPL-2.0 */
/* The programs that run in the benchmark's VM: shapes.c creates what is read, ways.c reads it. */
#ifndef _BENCH_H
#define _BENCH_H

#include <sys/types.h>

void fail(const char *what);
void open_device(void);
void measure(pid_t creator, const char *label, const char *way);

#endif
