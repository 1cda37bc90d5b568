/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The module's name and version. dkms.conf has the same version.
 */
#ifndef UCV_VERSION_H
#define UCV_VERSION_H

#define UCV_MODULE_NAME		"ucountview"
#define UCV_MODULE_VERSION	"0.1.0"

#endif
