// SPDX-License-Identifier: GPL-2.0
/*
 * Values of the records as cells show them: nothing for what stands for nothing.
 */
#include <uapi/ucountview.h>

#include "ucountview.h"
#include "users.h"
#include "values.h"

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
 * number_text() - a number that may be missing: an identifier, a process
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
