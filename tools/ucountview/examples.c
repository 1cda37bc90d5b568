// SPDX-License-Identifier: GPL-2.0
/*
 * An example of a process in a namespace, as the module's snapshot has it.
 */
#include <signal.h>

#include "examples.h"
#include "format.h"
#include "watch.h"

#define SECONDS_MIN	1.0	/* between two snapshots */

static void fill(struct table *tb, __u32 pid, const char *comm)
{
	cell_nonzero(tb, "NSPID", pid);
	if (*comm)
		cell_string(tb, "NSCOMMAND", comm);
}

/**
 * cells_example() - write NSPID and NSCOMMAND
 * @snap: a snapshot; its user and mount namespaces are used
 * @inum: inode number of the namespace; inode numbers are unique among all types
 * @id: its unique ID; 0 if it has none
 */
void cells_example(struct table *tb, const struct snapshot *snap, __u32 inum, __u64 id)
{
	const struct ucv_userns *userns = snapshot_find_userns(snap, inum);
	const struct ucv_mntns *mntns = snapshot_find_mntns(snap, inum);

	if (mntns && mntns->id == id)
		fill(tb, mntns->pid, mntns->comm);
	else if (userns && userns->id == id)
		fill(tb, userns->pid, userns->comm);
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

/**
 * examples_fill() - cells_example() with a snapshot that is a second old at most
 *
 * No snapshot is taken if the columns are not shown.
 */
void examples_fill(struct examples *examples, struct table *tb, __u32 inum, __u64 id)
{
	if (!table_shows(tb, "NSPID") && !table_shows(tb, "NSCOMMAND"))
		return;
	if (!examples->taken || monotonic() >= examples->taken + SECONDS_MIN)
		take(examples);
	cells_example(tb, &examples->snap, inum, id);
}

/**
 * examples_free() - free what examples_fill() has kept
 */
void examples_free(struct examples *examples)
{
	snapshot_free(&examples->snap);
}
