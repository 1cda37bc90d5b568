/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Repeated output: --watch and --count; and waiting until a time.
 */
#ifndef _UCV_WATCH_H
#define _UCV_WATCH_H

#include <stdbool.h>

#include "options.h"
#include "table.h"

/**
 * enum wake - why a wait ended
 * @WAKE_DUE: the time has come
 * @WAKE_REDRAW: the terminal has to be redrawn
 * @WAKE_STOP: SIGINT
 */
enum wake {
	WAKE_DUE,
	WAKE_REDRAW,
	WAKE_STOP,
};

double monotonic(void);
void block_signals(void);
enum wake wait_until(double due, bool screen);
void watch_run(const struct args *args, struct table *tb,
	       void (*take)(void *command, unsigned int round), void (*fill)(void *command),
	       void *command);

#endif /* _UCV_WATCH_H */
