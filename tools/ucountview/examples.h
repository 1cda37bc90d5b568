/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An example of a process in a namespace: the columns NSPID and NSCOMMAND.
 */
#ifndef _UCV_EXAMPLES_H
#define _UCV_EXAMPLES_H

#include "snapshot.h"
#include "table.h"

/* The columns, for a command's list. */
#define NSPID_COLUMN		NUMBER("NSPID", "example of a process that is in NS now")
#define NSCOMMAND_COLUMN	NAME("NSCOMMAND", "command of NSPID")

/**
 * struct examples - snapshots for a command that has none of its own; {} at first
 * @snap: the last one; its user and mount namespaces if the module has memory for them
 * @taken: when, in seconds
 */
struct examples {
	struct snapshot snap;
	double taken;
};

void cells_example(struct table *tb, const struct snapshot *snap, __u32 inum, __u64 id);
void examples_fill(struct examples *examples, struct table *tb, __u32 inum, __u64 id);
unsigned int examples_process(struct examples *examples, __u32 inum, __u64 id);
void examples_free(struct examples *examples);

#endif /* _UCV_EXAMPLES_H */
