/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Times of day.
 */
#ifndef _UCV_CLOCK_H
#define _UCV_CLOCK_H

#include <time.h>

/* Of the texts of brief_time_text() and time_text(). */
#define BRIEF_TIME_WIDTH	12
#define TIME_WIDTH		29

struct timespec boot_time(unsigned long long ns);
char *time_text(const struct timespec *time);
char *brief_time_text(const struct timespec *time);

#endif /* _UCV_CLOCK_H */
