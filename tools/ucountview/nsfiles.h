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

/**
 * struct ns_file - a namespace, kept by an open file
 * @type: index of its type, see ns_type_resource()
 * @inum: its inode number
 * @userns: inode number of the user namespace that owns it
 * @fd: the file
 */
struct ns_file {
	size_t type;
	__u32 inum;
	__u32 userns;
	int fd;
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

void ns_files_open(struct ns_files *files);
void ns_files_close(struct ns_files *files);
const char *ns_type_resource(size_t type);

#endif /* _UCV_NSFILES_H */
