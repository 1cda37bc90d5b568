// SPDX-License-Identifier: GPL-2.0
/*
 * Run a command and wait for it. This program is a child subreaper: what the command leaves
 * running becomes its child, however it daemonizes, and so can be told from other processes.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "exec.h"
#include "ucountview.h"

#define EXIT_SIGNALLED	128	/* plus the signal number, as in shells */

static void __noreturn become(char **argv, int report)
{
	int err;

	execvp(argv[0], argv);
	err = errno;
	if (write(report, &err, sizeof(err)) != sizeof(err))
		_exit(EXIT_OWN_FAILURE);
	_exit(err == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN);
}

/* Also reaps orphans of the command, as init would without the subreaper. */
static int wait_for(pid_t pid)
{
	pid_t ended;
	int status;

	do {
		ended = waitpid(-1, &status, 0);
		if (ended < 0 && errno != EINTR)
			die("cannot wait for the command: %s", strerror(errno));
	} while (ended != pid);
	return status;
}

/**
 * run_command() - run a command and wait until it ends, but not what it leaves in the background
 *
 * If the command cannot be run, exits with EXIT_NOT_FOUND or EXIT_CANNOT_RUN.
 *
 * Return: its wait status, see waitpid(2).
 */
int run_command(char **argv)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct sigaction interrupt, quit;
	int report[2], status, err;
	pid_t pid;

	if (pipe2(report, O_CLOEXEC))
		die("cannot create a pipe: %s", strerror(errno));
	if (prctl(PR_SET_CHILD_SUBREAPER, 1))
		die("cannot become a subreaper: %s", strerror(errno));
	signal(SIGCHLD, SIG_DFL);
	/* Signals from the keyboard are for the command; this program has to report afterwards. */
	sigaction(SIGINT, &ignore, &interrupt);
	sigaction(SIGQUIT, &ignore, &quit);
	pid = fork();
	if (pid < 0)
		die("cannot fork: %s", strerror(errno));
	if (pid)
		status = wait_for(pid);
	/* In both processes. */
	sigaction(SIGINT, &interrupt, NULL);
	sigaction(SIGQUIT, &quit, NULL);
	if (!pid)
		become(argv, report[1]);
	close(report[1]);
	if (read(report[0], &err, sizeof(err)) == sizeof(err)) {
		exit_failure = WEXITSTATUS(status);
		die("cannot run %s: %s", argv[0], strerror(err));
	}
	close(report[0]);
	return status;
}

/**
 * run_exit_status() - the exit status that reports a command's wait status, as in shells
 */
int run_exit_status(int status)
{
	return WIFSIGNALED(status) ? EXIT_SIGNALLED + WTERMSIG(status) : WEXITSTATUS(status);
}

/**
 * run_reap() - reap ended processes that the command has left running
 */
void run_reap(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}
