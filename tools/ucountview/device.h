/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The device, opened.
 */
#ifndef _UCV_DEVICE_H
#define _UCV_DEVICE_H

#include <uapi/ucountview.h>

#include "ucountview.h"

void __noreturn device_cannot(const char *what);
int device_open(struct ucv_info *info, int flags);

#endif /* _UCV_DEVICE_H */
