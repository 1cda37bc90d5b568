/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Repeated output: --watch and --count.
 */
#ifndef _UCV_WATCH_H
#define _UCV_WATCH_H

#include <getopt.h>
#include <stdbool.h>
#include <time.h>

#include "table.h"

/**
 * struct watch - options and state of --watch; {}: a single round
 * @interval: seconds from one round to the next; 0 if there is no --watch
 * @count: how many rounds; 0: no end
 * @round: out: number of the round, from 1
 * @time: when the round began
 */
struct watch {
	double interval;
	unsigned int count;
	unsigned int round;
	struct timespec time;
};

extern const struct option watch_options[];

#define WATCH_OPTIONS_HELP						\
	" -w, --watch <seconds>  look again after so many seconds, until interrupted\n" \
	"     --count <num>      with --watch: end after so many rounds\n"

void watch_option(struct watch *watch, int opt, const char *arg);
void watch_run(struct watch *watch, struct table *tb, void (*take)(void *command),
	       void (*fill)(void *command), void *command);

#endif /* _UCV_WATCH_H */
