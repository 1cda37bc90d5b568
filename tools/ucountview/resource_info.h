/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The error that a program gets when a limit is reached, and the sysctl that is the limit.
 */
#ifndef _UCV_RESOURCE_INFO_H
#define _UCV_RESOURCE_INFO_H

#include "snapshot.h"

struct resource_info {
	const char *resource;
	const char *syscall;	/* the system call that fails when the limit is reached */
	int error;		/* its errno */
	const char *error_name;
	const char *sysctl;	/* usual limit of the initial user namespace; NULL: user.max_* */
};

const struct resource_info *resource_info_find(const char *resource);
char *resource_info_setting(const char *resource, const struct ucv_userns *ns);

#endif /* _UCV_RESOURCE_INFO_H */
