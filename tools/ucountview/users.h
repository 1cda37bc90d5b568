/* SPDX-License-Identifier: GPL-2.0 */
/* Names of users. */
#ifndef _UCV_USERS_H
#define _UCV_USERS_H

#include <stdbool.h>
#include <sys/types.h>

const char *user_name(uid_t uid);
bool user_id(const char *name, uid_t *uid);

#endif /* _UCV_USERS_H */
