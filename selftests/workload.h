/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For programs that only make work, in many processes: a failure ends the program, with a line
 * that says what failed.
 */
#ifndef UCV_WORKLOAD_H
#define UCV_WORKLOAD_H

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ucv_fork.h"

static inline void must(bool true_is, const char *what)
{
	if (true_is)
		return;
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(errno));
	_exit(1);
}

/* Runs @work in a child, which must not fail. */
static inline void in_child(void (*work)(unsigned int round), unsigned int round)
{
	int status;
	pid_t pid = ucv_fork();

	must(pid >= 0, "fork");
	if (!pid) {
		work(round);
		_exit(0);
	}
	must(waitpid(pid, &status, 0) == pid && !status, "child");
}

#endif
