/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Children that end with their parent, however it ends. What is left of a killed program would
 * keep its output open, for whose end the runner waits.
 */
#ifndef UCV_FORK_H
#define UCV_FORK_H

#include <signal.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <unistd.h>

/*
 * In a child, and again after each change of its effective uid, which undoes it: it ends with
 * @parent. PR_SET_PDEATHSIG alone is not enough, as the parent may be gone already. (A parent
 * outside of the child's PID namespace is 0 here, gone or not.)
 */
static inline void ucv_end_with(pid_t parent)
{
	pid_t now;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	now = getppid();
	if (now && now != parent)
		_exit(0);
}

/* fork(), for a child that ends with the caller. */
static inline pid_t ucv_fork(void)
{
	const pid_t self = getpid();
	pid_t pid = fork();

	if (!pid)
		ucv_end_with(self);
	return pid;
}

#endif
