// SPDX-License-Identifier: GPL-2.0
/*
 * Run the command. Each one is in a file named after it.
 */
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "ucountview.h"

static const struct command * const commands[] = {
	&cmd_usage, &cmd_mounts, &cmd_userns, &cmd_why, &cmd_denials, &cmd_holders, &cmd_leaks,
	&cmd_audit, &cmd_metrics,
};

/**
 * print_commands() - list the commands, for --help
 */
void print_commands(void)
{
	puts("\nCommands:");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		printf(" %-10s %s\n", commands[i]->name, commands[i]->summary);
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	}
	die("unknown command: %s", name);
}

static int run(const struct command *cmd, int argc, char **argv)
{
	struct table table = { .name = cmd->name, .columns = cmd->columns };
	struct args args = { };
	int status;

	if (cmd->failure)
		exit_failure = cmd->failure;
	args_parse(&args, &table, cmd, argc, argv);
	status = cmd->run(&args, &table);
	table_close(&table);
	free(args.resources.names);
	free(args.in.path);
	process_names_forget();
	return status;
}

int main(int argc, char **argv)
{
	const struct command *cmd = commands[0];
	char name[] = "ucountview";

	/* Numbers stay in the C locale: JSON has no decimal comma. */
	setlocale(LC_CTYPE, "");
	/* A closed pipe ends the program silently, also where the caller ignores the signal. */
	signal(SIGPIPE, SIG_DFL);
	atexit(close_stdout);

	if (argc < 1)
		die("no program name given");
	if (argc > 1 && argv[1][0] != '-') {
		cmd = find_command(argv[1]);
		argc--;
		argv++;
	}
	argv[0] = name;
	return run(cmd, argc, argv);
}
