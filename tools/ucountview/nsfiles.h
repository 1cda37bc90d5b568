/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The namespaces that the module does not list: those that processes are in, or hold by
 * an open file.
 */
#ifndef _UCV_NSFILES_H
#define _UCV_NSFILES_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "processes.h"

/**
 * struct ns_file - a namespace, and a file that keeps it
 * @type: index of its type, see ns_type_resource()
 * @inum: its inode number
 * @userns: inode number of the user namespace that owns it
 * @fd: the file; negative if it is not kept any more
 * @ours: whether a process that descends from this program is in it or has it open
 */
struct ns_file {
	size_t type;
	__u32 inum;
	__u32 userns;
	int fd;
	bool ours;
};

/**
 * struct ns_files - all that were found
 * @list: each namespace once
 * @nr: how many
 */
struct ns_files {
	struct ns_file *list;
	size_t nr;
};

void ns_files_open(struct ns_files *files, const struct processes *procs);
void ns_files_let_go(struct ns_files *files);
void ns_files_close(struct ns_files *files);
struct ns_file *ns_files_find(const struct ns_files *files, size_t type, __u32 inum);
const char *ns_type_resource(size_t type);

#endif /* _UCV_NSFILES_H */
