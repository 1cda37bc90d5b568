/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The front end for people and grep: text in debugfs.
 */
#ifndef UCV_DEBUGFS_H
#define UCV_DEBUGFS_H

void ucv_debugfs_init(void);
void ucv_debugfs_exit(void);

#endif
