/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The files in debugfs, one table each: what each takes and how it prints. How
 * they are opened and read is in debugfs.c.
 */
#ifndef UCV_TEXT_H
#define UCV_TEXT_H

#include <linux/types.h>

#include "snapshot.h"

struct file;
struct seq_file;
struct ucv_text;

/**
 * struct ucv_view - an open file
 * @pin: keeps the module loaded
 * @text: which file it is
 * @snap: the snapshot it shows, NULL if it takes none
 * @nr_lines: how many lines it has at most, without the heading
 * @first: the file "denials": the sequence number of the first line
 * @left: the file "holders": from ucv_unattributed(), for kvfree(); NULL for others
 */
struct ucv_view {
	struct file *pin;
	const struct ucv_text *text;
	struct ucv_snap *snap;
	u64 nr_lines;
	u64 first;
	s64 *left;
};

/**
 * struct ucv_text - a file
 * @name: its name
 * @heading: its first line, or NULL
 * @request: UCV_MASK() of what the snapshot must hold; 0: it takes none
 * @prepare: called when it is opened, with the snapshot taken: sets what the view
 *	has for this file, @nr_lines at least. Process context, may sleep. Returns 0
 *	or a negative error.
 * @show: prints a line, or nothing; called again for the same line if there was no
 *	room. Process context, no locks held.
 */
struct ucv_text {
	const char *name;
	const char *heading;
	u64 request;
	int (*prepare)(struct ucv_view *view);
	void (*show)(struct seq_file *m, const struct ucv_view *view, u64 line);
};

extern const struct ucv_text ucv_text_ucounts;
extern const struct ucv_text ucv_text_userns;
extern const struct ucv_text ucv_text_mounts;
extern const struct ucv_text ucv_text_denials;
extern const struct ucv_text ucv_text_denial_counts;
extern const struct ucv_text ucv_text_holders;
extern const struct ucv_text ucv_text_status;

void ucv_show_uid(struct seq_file *m, u32 uid);
void ucv_show_process(struct seq_file *m, u32 pid, const char *comm);

#endif
