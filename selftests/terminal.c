// SPDX-License-Identifier: GPL-2.0
/*
 * Runs a command on a terminal of its own, and prints what it prints there.
 *
 *	terminal COLUMNS COMMAND [ARGUMENT]...
 *
 * The status is the command's, 1 if a signal ended it, or 4 if there are no terminals.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void become(int fd, const char *columns, char **argv)
{
	struct winsize size = { .ws_row = 24, .ws_col = atoi(columns) };

	if (ioctl(fd, TIOCSWINSZ, &size) || dup2(fd, STDOUT_FILENO) < 0) {
		perror("terminal");
		_exit(4);
	}
	execvp(argv[0], argv);
	perror(argv[0]);
	_exit(127);
}

/* Until no process has the terminal open any more, which is an error. */
static void copy(int terminal)
{
	char buf[4096];
	ssize_t nr;

	while ((nr = read(terminal, buf, sizeof(buf))) > 0)
		fwrite(buf, 1, nr, stdout);
}

int main(int argc, char **argv)
{
	int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), fd, status;
	pid_t command;

	if (argc < 3 || terminal < 0 || grantpt(terminal) || unlockpt(terminal)) {
		fprintf(stderr, "terminal: usage, or no terminals\n");
		return 4;
	}
	/* Before it is open for the first time, reading would wait for ever. */
	fd = open(ptsname(terminal), O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd < 0) {
		perror("terminal");
		return 4;
	}
	command = fork();
	if (command < 0) {
		perror("fork");
		return 1;
	}
	if (!command)
		become(fd, argv[1], argv + 2);
	close(fd);
	copy(terminal);
	waitpid(command, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
