// SPDX-License-Identifier: GPL-2.0
/*
 * An example of a process in a namespace, as the module's snapshot has it.
 */
#include <signal.h>

#include "examples.h"
#include "format.h"
#include "watch.h"

#define SECONDS_MIN	1.0	/* between two snapshots */

struct example {
	__u32 pid;
	const char *comm;
};

static struct example find_example(const struct snapshot *snap, __u32 inum, __u64 id)
{
	const struct ucv_userns *userns = snapshot_find_userns(snap, inum);
	const struct ucv_mntns *mntns = snapshot_find_mntns(snap, inum);

	if (mntns && mntns->id == id)
		return (struct example){ mntns->pid, mntns->comm };
	if (userns && userns->id == id)
		return (struct example){ userns->pid, userns->comm };
	return (struct example){ 0, "" };
}

/**
 * cells_example() - write NSPID and NSCOMMAND
 * @snap: a snapshot; its user and mount namespaces are used
 * @inum: inode number of the namespace; inode numbers are unique among all types
 * @id: its unique ID; 0 if it has none
 */
void cells_example(struct table *tb, const struct snapshot *snap, __u32 inum, __u64 id)
{
	struct example example = find_example(snap, inum, id);

	cell_nonzero(tb, "NSPID", example.pid);
	if (*example.comm)
		cell_string(tb, "NSCOMMAND", example.comm);
}

static void take(struct examples *examples)
{
	const __u64 kinds = UCV_MASK(UCV_KIND_USERNS) | UCV_MASK(UCV_KIND_MNTNS);
	sigset_t all, old;

	/* A signal that only ends the output must not make the snapshot fail. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	snapshot_free(&examples->snap);
	snapshot_take_sparing(&examples->snap, UCV_MASK(UCV_KIND_RESOURCE), kinds, kinds);
	sigprocmask(SIG_SETMASK, &old, NULL);
	examples->taken = monotonic();
}

/* The snapshot, a second old at most. */
static const struct snapshot *recent(struct examples *examples)
{
	if (!examples->taken || monotonic() >= examples->taken + SECONDS_MIN)
		take(examples);
	return &examples->snap;
}

/**
 * examples_fill() - cells_example() with a snapshot that is a second old at most
 *
 * No snapshot is taken if the columns are not shown.
 */
void examples_fill(struct examples *examples, struct table *tb, __u32 inum, __u64 id)
{
	if (table_shows(tb, "NSPID") || table_shows(tb, "NSCOMMAND"))
		cells_example(tb, recent(examples), inum, id);
}

/**
 * examples_process() - the process that examples_fill() shows
 *
 * Return: its PID; 0 if none is known.
 */
unsigned int examples_process(struct examples *examples, __u32 inum, __u64 id)
{
	struct example example = find_example(recent(examples), inum, id);

	return example.pid;
}

/**
 * examples_free() - free what examples_fill() has kept
 */
void examples_free(struct examples *examples)
{
	snapshot_free(&examples->snap);
}
