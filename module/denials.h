/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Denials: the charges that the kernel refuses, and the ring and the counts that
 * record them.
 */
#ifndef UCV_DENIALS_H
#define UCV_DENIALS_H

#include <linux/types.h>
#include <linux/wait.h>

#include <uapi/ucountview.h>

#define UCV_DENIALS_RING	4096U	/* records, unless max_denials is set */
#define UCV_DENIALS_COUNTS	1024U	/* limits that are counted separately; a power of two */

struct ucv_btf;

extern wait_queue_head_t ucv_denials_wait; /* woken after a denial was recorded */

int ucv_denials_init(const struct ucv_btf *btf);
void ucv_denials_exit(void);
int ucv_denials_alloc(void);
u32 ucv_denials_capacity(void);
u64 ucv_denials_total(void);
bool ucv_denials_get(u64 *seq, struct ucv_denial *denial);
const char *ucv_denial_resource(u32 type, u32 resource);
bool ucv_denials_get_count(u32 slot, struct ucv_denial_count *count);

#endif
