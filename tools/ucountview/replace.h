/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Replace a file atomically.
 */
#ifndef _UCV_REPLACE_H
#define _UCV_REPLACE_H

#include <stddef.h>

void replace_file(const char *name, const char *data, size_t size);

#endif /* _UCV_REPLACE_H */
