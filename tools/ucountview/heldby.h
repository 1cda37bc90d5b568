/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who stands behind a counter of inotify or fanotify, in few words.
 */
#ifndef _UCV_HELDBY_H
#define _UCV_HELDBY_H

#include <stdbool.h>

#include "chain.h"
#include "snapshot.h"

bool holders_known_of(const char *resource);
char *held_by(const struct snapshot *snap, const struct charge *charge, size_t resource);

#endif /* _UCV_HELDBY_H */
