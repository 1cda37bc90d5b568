/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who has denials recorded, so that the kernel is probed while anyone does.
 */
#ifndef UCV_ARMING_H
#define UCV_ARMING_H

#include <linux/types.h>

void ucv_arming_init(void);
void ucv_arming_exit(void);
int ucv_arm(void);
void ucv_disarm(void);
u32 ucv_armed(u64 *missed);

#endif
