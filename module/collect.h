/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Fills a snapshot: which kernel tables are walked for it, and in what order.
 */
#ifndef UCV_COLLECT_H
#define UCV_COLLECT_H

#include <linux/types.h>

struct ucv_snap;

struct ucv_snap *ucv_collect(u64 request, u32 flags);
u64 ucv_collect_supported(void);

#endif
