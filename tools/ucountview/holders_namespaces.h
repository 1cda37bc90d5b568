/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The part of ucountview holders that is about namespaces.
 */
#ifndef _UCV_HOLDERS_NAMESPACES_H
#define _UCV_HOLDERS_NAMESPACES_H

#include <stdbool.h>

#include "options.h"
#include "table.h"

bool holders_of_namespaces_wanted(const struct args *args);
int holders_of_namespaces(struct args *args, struct table *tb);

#endif /* _UCV_HOLDERS_NAMESPACES_H */
