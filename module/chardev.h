/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The front end for programs: ioctls on /dev/ucountview.
 */
#ifndef UCV_CHARDEV_H
#define UCV_CHARDEV_H

int ucv_chardev_init(void);
void ucv_chardev_exit(void);

#endif
