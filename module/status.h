/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The module's own status: the kernel features that it uses, and the cost of its walks.
 */
#ifndef UCV_STATUS_H
#define UCV_STATUS_H

#include <linux/types.h>

struct ucv_snap;

void ucv_status_init(u64 features);
u64 ucv_status_features(void);
void ucv_status_note(const struct ucv_snap *snap);

#endif
