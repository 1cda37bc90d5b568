/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The part of the counters that the groups of a snapshot do not explain.
 */
#ifndef UCV_UNATTRIBUTED_H
#define UCV_UNATTRIBUTED_H

#include <linux/types.h>

struct ucv_snap;

s64 *ucv_unattributed(struct ucv_snap *snap);

#endif
