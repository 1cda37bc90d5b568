/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The error that a program gets when a limit is reached, and the setting that is the limit.
 */
#ifndef _UCV_RESOURCE_INFO_H
#define _UCV_RESOURCE_INFO_H

#include <stdbool.h>

#include "snapshot.h"

/* Limits on nesting, which are no counters: names as of resources. */
#define USERNS_DEPTH_NAME	"userns_depth"
#define PIDNS_DEPTH_NAME	"pidns_depth"

/* The deepest level that the kernel creates (create_user_ns(), create_pid_namespace()). */
#define USERNS_DEPTH_MAX	33
#define PIDNS_DEPTH_MAX		32

struct resource_info {
	const char *resource;
	const char *syscall;	/* the system call that fails when the limit is reached */
	const char *others;	/* others that fail, separated by spaces, or NULL */
	int error;		/* their errno */
	const char *error_name;
	const char *setting;	/* usual limit of the initial user namespace; NULL: user.max_* */
	long long boot_default;	/* of @setting; 0: depends on the machine */
};

/* What a resource of type UCV_RESOURCE_RLIMIT is compared with at the level of the process. */
struct rlimit_info {
	const char *resource;
	const char *limit;	/* its name in /proc/PID/limits */
	const char *option;	/* of prlimit(1) */
	bool pages;		/* the counter is in pages, the limit in bytes */
	bool root_exempt;	/* not for a process whose real uid is 0 */
	int caps[2];		/* which exempt from it, in the initial user namespace; or -1 */
};

const struct resource_info *resource_info_find(const char *resource);
const struct rlimit_info *rlimit_info_find(const char *resource);
char *resource_info_setting(const char *resource, const struct ucv_userns *ns);
bool resource_info_elsewhere(const char *resource);
bool resource_info_matches(const char *resource, const char *error, const char *syscall);

#endif /* _UCV_RESOURCE_INFO_H */
