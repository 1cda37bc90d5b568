// SPDX-License-Identifier: GPL-2.0
/*
 * Run the subcommand. Each one is in a file named after it.
 */
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "ucountview.h"

static const struct command {
	const char *name;
	const char *help;
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "usage",  "counters and limits, fullest first (default)", cmd_usage },
	{ "mounts", "mounts of each mount namespace, fullest first", cmd_mounts },
	{ "userns", "user namespaces", cmd_userns },
	{ "why",    "what limits a process, and what to change", cmd_why },
	{ "denials", "who was refused what, by which limit", cmd_denials },
	{ "holders", "who holds inotify and fanotify groups, and what nobody does", cmd_holders },
	{ "leaks",  "what a command does not give back", cmd_leaks },
	{ "audit",  "counters that contradict what is charged to them", cmd_audit },
};

/**
 * print_commands() - list the subcommands, for --help
 * @out: where
 */
void print_commands(FILE *out)
{
	fputs("\nCommands:\n", out);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(out, " %-10s %s\n", commands[i].name, commands[i].help);
}

/**
 * print_version() - print the version, for --version
 */
void print_version(void)
{
	puts("ucountview " UCV_VERSION);
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	}
	die("unknown command: %s", name);
}

int main(int argc, char **argv)
{
	char name[] = "ucountview";
	const struct command *cmd = &commands[0];

	/* Numbers stay in the C locale: JSON has no decimal comma. */
	setlocale(LC_CTYPE, "");
	/* A closed pipe is a write error, see close_stdout(). */
	signal(SIGPIPE, SIG_IGN);
	atexit(close_stdout);

	if (argc < 1)
		die("no program name given");
	if (argc > 1 && argv[1][0] != '-') {
		cmd = find_command(argv[1]);
		argc--;
		argv++;
	}
	argv[0] = name;
	return cmd->run(argc, argv);
}
