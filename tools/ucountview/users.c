// SPDX-License-Identifier: GPL-2.0
/*
 * Names of users. A static program cannot load what /etc/nsswitch.conf names, so it
 * reads /etc/passwd and nothing else.
 */
#define _GNU_SOURCE
#include <pwd.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ucountview.h"
#include "users.h"

#ifdef UCV_STATIC
/* By name, or by number if @name is NULL. */
static struct passwd *find_user(const char *name, uid_t uid)
{
	FILE *file = fopen("/etc/passwd", "re");
	struct passwd *pw;

	if (!file)
		return NULL;
	do {
		pw = fgetpwent(file);
	} while (pw && (name ? strcmp(pw->pw_name, name) != 0 : pw->pw_uid != uid));
	fclose(file);
	return pw;
}
#else
static struct passwd *find_user(const char *name, uid_t uid)
{
	return name ? getpwnam(name) : getpwuid(uid);
}
#endif

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
	pw = find_user(NULL, uid);
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
	struct passwd *pw = find_user(name, 0);

	if (!pw)
		return false;
	*uid = pw->pw_uid;
	return true;
}
