/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The front end for programs: ioctls on /dev/ucountview.
 */
#ifndef UCV_MISCDEV_H
#define UCV_MISCDEV_H

int ucv_miscdev_init(void);
void ucv_miscdev_exit(void);

#endif
