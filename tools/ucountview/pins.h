/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Namespaces that others keep without being in them.
 */
#ifndef _UCV_PINS_H
#define _UCV_PINS_H

#include <stdbool.h>
#include <stddef.h>

#include "processes.h"

/**
 * struct pins - namespaces that are kept by open files and bind mounts
 * @inums: their inode numbers
 * @nr: how many
 */
struct pins {
	__u32 *inums;
	size_t nr;
};

void pins_find(struct pins *pins, const struct processes *procs);
bool pins_have(const struct pins *pins, __u32 inum);
void pins_free(struct pins *pins);

#endif /* _UCV_PINS_H */
