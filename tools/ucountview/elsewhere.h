/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Limits that are not counted by ucounts, and whose refusals look the same.
 */
#ifndef _UCV_ELSEWHERE_H
#define _UCV_ELSEWHERE_H

#include <stdbool.h>
#include <stddef.h>

#define MAX_ELSEWHERE	5

/**
 * struct elsewhere - such a limit of a process
 * @resource: as resource_info_find() knows it
 * @limit: LLONG_MAX if there is none
 * @setting: what the limit is, allocated
 * @admin_exempt: it does not hold for CAP_SYS_ADMIN in the initial user namespace
 * @fix: command that sets it, up to the value
 * @fix_end: the rest of it after the value, or NULL
 */
struct elsewhere {
	const char *resource;
	long long used;
	long long limit;
	bool admin_exempt;
	char *setting;
	char *fix;
	char *fix_end;
};

size_t elsewhere_read(struct elsewhere list[MAX_ELSEWHERE], unsigned int pid);
void elsewhere_free(struct elsewhere *list, size_t nr);

#endif /* _UCV_ELSEWHERE_H */
