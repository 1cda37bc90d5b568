/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Text for values: names of users, numbers, times.
 */
#ifndef _UCV_FORMAT_H
#define _UCV_FORMAT_H

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>
#include <linux/types.h>

const char *user_name(uid_t uid);
bool user_id(const char *name, uid_t *uid);

char *uid_text(__u32 uid);
char *user_text(__u32 uid);
char *number_text(unsigned long long number);
char *name_text(const char *name);

/* Width of the text from brief_time_text() and time_text(), at most. */
#define BRIEF_TIME_WIDTH	12
#define TIME_WIDTH		29

struct timespec boot_time(unsigned long long ns);
char *time_text(const struct timespec *time);
char *brief_time_text(const struct timespec *time);

#endif /* _UCV_FORMAT_H */
