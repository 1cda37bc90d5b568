// SPDX-License-Identifier: GPL-2.0
/*
 * Times: of day, as people here see them, and how the kernel's become that.
 */
#include "clock.h"
#include "ucountview.h"

#define NSEC_PER_SEC	1000000000LL

/**
 * time_text() - a time as people here see it, with date and zone
 * @time: the time, of CLOCK_REALTIME
 *
 * Return: as in RFC 3339, with milliseconds; allocated.
 */
char *time_text(const struct timespec *time)
{
	char date[32], zone[8];
	struct tm tm;

	localtime_r(&time->tv_sec, &tm);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	strftime(zone, sizeof(zone), "%z", &tm);
	return xasprintf("%s.%03ld%.3s:%s", date, time->tv_nsec / 1000000, zone, zone + 3);
}

static long long now_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

/**
 * boot_time() - when something was that the kernel has a time of
 * @ns: nanoseconds of CLOCK_BOOTTIME
 *
 * Return: the time of CLOCK_REALTIME, as that clock is set now.
 */
struct timespec boot_time(unsigned long long ns)
{
	long long real = now_ns(CLOCK_REALTIME) - now_ns(CLOCK_BOOTTIME) + ns;

	return (struct timespec){
		.tv_sec = real / NSEC_PER_SEC,
		.tv_nsec = real % NSEC_PER_SEC,
	};
}

/**
 * brief_time_text() - a time as people here see it, no longer than it has to be
 * @time: the time, of CLOCK_REALTIME
 *
 * Return: today the time of day, with milliseconds; otherwise the day, of this year with
 *	hour and minute. Allocated, at most BRIEF_TIME_WIDTH long.
 */
char *brief_time_text(const struct timespec *time)
{
	struct timespec now;
	struct tm tm, today;
	char text[32];

	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &today);
	localtime_r(&time->tv_sec, &tm);
	if (tm.tm_year != today.tm_year) {
		strftime(text, sizeof(text), "%Y-%b%d", &tm);
		return xstrdup(text);
	}
	if (tm.tm_yday != today.tm_yday) {
		strftime(text, sizeof(text), "%b%d/%H:%M", &tm);
		return xstrdup(text);
	}
	strftime(text, sizeof(text), "%H:%M:%S", &tm);
	return xasprintf("%s.%03ld", text, time->tv_nsec / 1000000);
}
