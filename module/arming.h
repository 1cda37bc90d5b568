/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Arming: the kernel is probed while recording of denials has a user.
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
