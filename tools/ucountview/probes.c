// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's switches without which no denial is recorded: the module has found that
 * kprobes do not fire, and root wants to know which file to write to.
 */
#include <stdio.h>

#include "probes.h"
#include "ucountview.h"

static const char kprobes_switch[] = "/sys/kernel/debug/kprobes/enabled";
static const char ftrace_switch[] = "/proc/sys/kernel/ftrace_enabled";

/* A switch that cannot be read is not known to be off. */
static bool is_off(const char *path)
{
	FILE *file = fopen(path, "re");
	bool off;

	if (!file)
		return false;
	off = fgetc(file) == '0';
	fclose(file);
	return off;
}

/**
 * probes_trouble() - why kprobes do not fire, and what to do
 *
 * Return: the rest of a sentence; allocated.
 */
char *probes_trouble(void)
{
	bool kprobes = is_off(kprobes_switch), ftrace = is_off(ftrace_switch);

	if (kprobes && ftrace)
		return xasprintf("kprobes and ftrace are switched off (write 1 to %s and %s)",
				 kprobes_switch, ftrace_switch);
	if (kprobes)
		return xasprintf("kprobes are switched off (write 1 to %s)", kprobes_switch);
	if (ftrace)
		return xasprintf("ftrace is switched off (write 1 to %s)", ftrace_switch);
	return xasprintf("kprobes do not fire (see dmesg, %s and %s)", kprobes_switch,
			 ftrace_switch);
}
