/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The error that a program gets when a limit is reached, and the sysctl that is the limit.
 */
#ifndef _UCV_RESOURCE_INFO_H
#define _UCV_RESOURCE_INFO_H

#include "snapshot.h"

/**
 * struct resource_info - what is known about a resource
 * @resource: its name
 * @syscall: the system call that fails when the limit is reached
 * @error: its errno
 * @error_name: the name of @error
 * @sysctl: the usual sysctl for the limit of the initial user namespace; NULL:
 *	user.max_<resource>, as in all others
 */
struct resource_info {
	const char *resource;
	const char *syscall;
	int error;
	const char *error_name;
	const char *sysctl;
};

const struct resource_info *resource_info_find(const char *resource);
char *resource_info_setting(const char *resource, const struct ucv_userns *ns);

#endif /* _UCV_RESOURCE_INFO_H */
