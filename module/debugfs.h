/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The human-readable front end: text files in debugfs. debugfs.c opens and reads them,
 * debugfs_tables.c has their contents.
 */
#ifndef UCV_DEBUGFS_H
#define UCV_DEBUGFS_H

#include <linux/types.h>

#include "snapshot.h"

struct file;
struct seq_file;
struct ucv_table;

/**
 * struct ucv_view - an open file
 * @pin: file that pins the module
 * @table: which file it is
 * @snap: the snapshot that it shows, or NULL if it needs none
 * @nr_items: number of items: records, each shown as some lines, one or none
 * @first: file "denials": sequence number of the first item
 * @unattributed: file "holders": from ucv_unattributed(), for kvfree(); otherwise NULL
 */
struct ucv_view {
	struct file *pin;
	const struct ucv_table *table;
	struct ucv_snap *snap;
	u64 nr_items;
	u64 first;
	s64 *unattributed;
};

/**
 * struct ucv_table - a file
 * @name: its name
 * @heading: its first line, or NULL
 * @request: UCV_MASK() of what the snapshot must hold; 0 if it needs none
 * @flags: UCV_SNAPSHOT_* of it
 * @prepare: called on open, with the snapshot taken: sets the view's members for this
 *	file, at least @nr_items. Process context, may sleep. Returns 0 or a negative
 *	error.
 * @show: prints the lines of an item; called again for the same one if the output did
 *	not fit. Process context, no locks held.
 */
struct ucv_table {
	const char *name;
	const char *heading;
	u64 request;
	u32 flags;
	int (*prepare)(struct ucv_view *view);
	void (*show)(struct seq_file *m, const struct ucv_view *view, u64 item);
};

/* All files; NULL is last. */
extern const struct ucv_table * const ucv_tables[];

void ucv_debugfs_init(void);
void ucv_debugfs_exit(void);

#endif
