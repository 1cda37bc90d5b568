// SPDX-License-Identifier: GPL-2.0
/*
 * Text for values: names of users, numbers, times. A missing value is NULL.
 */
#define _GNU_SOURCE
#include <pwd.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uapi/ucountview.h>

#include "format.h"
#include "ucountview.h"

/* A cached user: looking it up again can mean asking a directory server. */
struct known_user {
	uid_t uid;
	char *name;
};

static int compare_users(const void *a, const void *b)
{
	const struct known_user *x = a, *y = b;

	return x->uid < y->uid ? -1 : x->uid > y->uid;
}

/**
 * user_name() - the name of a user
 * @uid: who, as this program's user namespace sees it
 *
 * Return: the name, or the number if there is none; never NULL, not to be freed.
 */
const char *user_name(uid_t uid)
{
	static void *known;
	struct known_user key = { .uid = uid }, *user, **node;
	struct passwd *pw;

	node = tfind(&key, &known, compare_users);
	if (node)
		return (*node)->name;

	user = xreallocarray(NULL, 1, sizeof(*user));
	pw = getpwuid(uid);
	user->uid = uid;
	user->name = pw ? xstrdup(pw->pw_name) : xasprintf("%u", uid);
	if (!tsearch(user, &known, compare_users))
		die("out of memory");
	return user->name;
}

/**
 * user_id() - the number of a user
 * @name: the name
 * @uid: out: the number, as this program's user namespace sees it
 *
 * Return: whether there is such a user.
 */
bool user_id(const char *name, uid_t *uid)
{
	struct passwd *pw = getpwnam(name);

	if (!pw)
		return false;
	*uid = pw->pw_uid;
	return true;
}

/**
 * uid_text() - a uid that may be unmapped
 * @uid: the uid
 *
 * Return: allocated text, or NULL if it is unmapped.
 */
char *uid_text(__u32 uid)
{
	return uid == UCV_UID_UNMAPPED ? NULL : xasprintf("%u", uid);
}

/**
 * user_text() - the name of a uid that may be unmapped
 * @uid: the uid
 *
 * Return: allocated text, or NULL if it is unmapped.
 */
char *user_text(__u32 uid)
{
	return uid == UCV_UID_UNMAPPED ? NULL : xstrdup(user_name(uid));
}

/**
 * number_text() - a number that may be missing: an ID, a process
 * @number: the number
 *
 * Return: allocated text, or NULL if it is 0.
 */
char *number_text(unsigned long long number)
{
	return number ? xasprintf("%llu", number) : NULL;
}

/**
 * name_text() - a name that may be missing: a command
 * @name: the name
 *
 * Return: a copy, or NULL if it is empty.
 */
char *name_text(const char *name)
{
	return *name ? xstrdup(name) : NULL;
}

#define NSEC_PER_SEC	1000000000LL

/**
 * time_text() - a local time with date and zone
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
 * boot_time() - convert a time stamp of the kernel
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
 * brief_time_text() - a local time, as short as possible
 * @time: the time, of CLOCK_REALTIME
 *
 * Return: today the time of day, with milliseconds; otherwise the day, with hour and minute if
 * it is in this year. Allocated, at most BRIEF_TIME_WIDTH long.
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
