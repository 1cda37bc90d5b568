/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The human-readable front end: text files in debugfs.
 */
#ifndef UCV_DEBUGFS_H
#define UCV_DEBUGFS_H

void ucv_debugfs_init(void);
void ucv_debugfs_exit(void);

#endif
