/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The module's own status: the kernel features that it uses, and the cost of its walks.
 */
#ifndef UCV_STATUS_H
#define UCV_STATUS_H

#include <linux/types.h>

struct ucv_snap;

/**
 * struct ucv_status - statistics of the walks since the module was loaded
 * @snapshots: number of successful walks
 * @rows: ucounts records of the last one
 * @userns: user namespaces of the last one
 * @mntns: mount namespaces of the last one
 * @skipped: entries that it left out because their namespace was gone
 * @walk_ns: how long the last one took
 * @hold_ns: longest time that the last one held a lock or stayed in an RCU section
 * @hold_max_ns: longest time of any walk
 */
struct ucv_status {
	u64 snapshots;
	u32 rows;
	u32 userns;
	u32 mntns;
	u32 skipped;
	u64 walk_ns;
	u64 hold_ns;
	u64 hold_max_ns;
};

void ucv_status_init(u64 features);
u64 ucv_status_features(void);
u64 ucv_status_loaded_ns(void);
void ucv_status_add_walk(const struct ucv_snap *snap);
void ucv_status_get(struct ucv_status *status);

#endif
