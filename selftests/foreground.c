// SPDX-License-Identifier: GPL-2.0
/*
 * Runs a command in the foreground, as an interactive shell does: in its own process group
 * and with the default action for SIGINT, which scripts ignore in background commands.
 *
 *	foreground COMMAND [ARGUMENT]...
 */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static void become(char **argv)
{
	signal(SIGINT, SIG_DFL);
	signal(SIGQUIT, SIG_DFL);
	setsid();
	execvp(argv[0], argv);
	perror(argv[0]);
	_exit(127);
}

int main(int argc, char **argv)
{
	int status;
	pid_t pid;

	if (argc < 2)
		return 1;
	pid = fork();
	if (!pid)
		become(argv + 1);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return 1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
