// SPDX-License-Identifier: GPL-2.0
/*
 * Names of users.
 */
#define _GNU_SOURCE
#include <pwd.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ucountview.h"
#include "users.h"

/* A user that was looked up; asking again can mean asking a directory server. */
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
 * @uid: where to leave the number, as this program's user namespace sees it
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
