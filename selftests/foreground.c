// SPDX-License-Identifier: GPL-2.0
/*
 * Runs a command in the foreground, as an interactive shell does: in its own process group
 * and with the default action for SIGINT, which scripts ignore in background commands.
 *
 *	foreground COMMAND [ARGUMENT]...
 *
 * SIGINT and SIGTERM are passed on to the command. The status is the command's, or 1 if a
 * signal ended it.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t command;

static void become(char **argv)
{
	signal(SIGINT, SIG_DFL);
	signal(SIGQUIT, SIG_DFL);
	setsid();
	execvp(argv[0], argv);
	perror(argv[0]);
	_exit(127);
}

static void pass_on(int sig)
{
	kill(command, sig);
}

int main(int argc, char **argv)
{
	int status;

	if (argc < 2)
		return 1;
	command = fork();
	if (!command)
		become(argv + 1);
	if (command < 0)
		return 1;
	signal(SIGINT, pass_on);
	signal(SIGTERM, pass_on);
	if (waitpid(command, &status, 0) != command)
		return 1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
