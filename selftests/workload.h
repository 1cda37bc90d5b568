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
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

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
	pid_t pid = fork();

	must(pid >= 0, "fork");
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		work(round);
		_exit(0);
	}
	must(waitpid(pid, &status, 0) == pid && !status, "child");
}

#endif
