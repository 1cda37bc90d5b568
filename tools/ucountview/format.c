// SPDX-License-Identifier: GPL-2.0
/*
 * Text for values: users, lists, times; and the cells that several commands have. A missing value
 * leaves its cell empty.
 */
#include <ctype.h>
#include <limits.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format.h"
#include "index.h"
#include "ucountview.h"

/* The ratio from which a line is highlighted. */
#define RATIO_HIGH	0.8

/*
 * The name of a user, NULL if there is none; not to be freed. Either is remembered: looking it up
 * again can mean asking a directory server.
 */
static const char *user_name(uid_t uid)
{
	static struct index known;
	static char **names;
	size_t nth = index_find(&known, uid);
	struct passwd *pw;

	if (nth != INDEX_NONE)
		return names[nth];
	nth = known.nr;
	names = xgrow(names, nth, sizeof(*names));
	pw = getpwuid(uid);
	names[nth] = pw ? xstrdup(pw->pw_name) : NULL;
	index_add(&known, uid, nth);
	return names[nth];
}

/**
 * user_id() - the number of a user
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
 * list_add() - add an item to a list in words
 * @list: the list, allocated: this function frees it; NULL if it is empty
 * @separator: what comes between two items
 * @fmt: the item, as for printf()
 *
 * Return: the longer list, allocated.
 */
char *list_add(char *list, const char *separator, const char *fmt, ...)
{
	char *item, *longer;
	va_list ap;

	va_start(ap, fmt);
	item = xvasprintf(fmt, ap);
	va_end(ap);
	if (!list)
		return item;
	longer = xasprintf("%s%s%s", list, separator, item);
	free(list);
	free(item);
	return longer;
}

/**
 * command_text() - the command of a process, which the process can set to anything
 *
 * Return: the command, with unprintable characters masked.
 */
struct command_text command_text(const char *comm)
{
	struct command_text masked = {};

	for (size_t i = 0; i < sizeof(masked.text) - 1 && comm[i]; i++)
		masked.text[i] = isprint((unsigned char)comm[i]) ? comm[i] : '?';
	return masked;
}

/* Escapes of $'...', which a shell turns back into any byte. */
static char *quoted_escapes(const char *word)
{
	char *text = xstrdup("$'");

	for (; *word; word++) {
		unsigned char c = *word;

		text = c < ' ' || c == 0x7f || c == '\'' || c == '\\' ?
		       list_add(text, "", "\\%03o", c) : list_add(text, "", "%c", c);
	}
	return list_add(text, "", "'");
}

/**
 * shell_quoted() - a word as a shell reads it
 *
 * Return: the word, quoted if it has to be; allocated.
 */
char *shell_quoted(const char *word)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
	bool escapes = strchr(word, '\'');

	if (*word && !word[strspn(word, plain)])
		return xstrdup(word);
	for (const char *c = word; *c; c++)
		escapes |= iscntrl((unsigned char)*c);
	return escapes ? quoted_escapes(word) : xasprintf("'%s'", word);
}

#define LINE_WIDTH	80

/* What is in parentheses stays on one line. */
static int word_length(const char *word)
{
	const char *end = *word == '(' ? strchr(word, ')') : NULL;

	if (!end)
		end = word;
	return end - word + strcspn(end, " ");
}

/**
 * print_wrapped() - print a sentence in lines that fit a terminal
 * @indent: blanks before the first line
 * @hanging: blanks before the others
 * @fmt: the sentence, as for printf(); newlines at its start come first
 */
void print_wrapped(int indent, int hanging, const char *fmt, ...)
{
	char *text, *word;
	int used = 0;
	va_list ap;

	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	for (word = text; *word == '\n'; word++)
		putchar('\n');
	for (int width; *word; word += width + strspn(word + width, " ")) {
		width = word_length(word);
		if (used && used + 1 + width > LINE_WIDTH) {
			putchar('\n');
			used = printf("%*s%.*s", hanging, "", width, word);
		} else {
			used += printf("%*s%.*s", used ? 1 : indent, "", width, word);
		}
	}
	putchar('\n');
	free(text);
}

/**
 * denied_mounts_text() - the mounts that a refused one would have needed
 * @denial: of type UCV_DENIAL_MOUNT
 *
 * The kernel serializes such calls: what is pending has been reserved by the refused one.
 *
 * Return: the terms of the sum that exceeds the limit, allocated.
 */
char *denied_mounts_text(const struct ucv_denial *denial)
{
	char *text = xasprintf("%lld mounted", (long long)denial->used);

	if (denial->pending)
		text = list_add(text, ", ", "%u reserved by the refused call", denial->pending);
	return list_add(text, ", ", "%s%u more needed",
			denial->flags & UCV_DENIAL_ASKED_MORE ? "at least " : "", denial->asked);
}

#define NSEC_PER_SEC	1000000000LL

#define MSEC_AT		20	/* where "%Y-%m-%dT%H:%M:%S." ends */

/* The text of a second. Of many times one after the other, most are of the same. */
static char *second_text(time_t second)
{
	static char text[40];
	static time_t last;
	char zone[8];
	struct tm tm;

	if (*text && last == second)
		return text;
	last = second;
	localtime_r(&second, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S.000", &tm);
	strftime(zone, sizeof(zone), "%z", &tm);
	snprintf(text + MSEC_AT + 3, sizeof(text) - MSEC_AT - 3, "%.3s:%s", zone, zone + 3);
	return text;
}

/**
 * time_text() - a time of CLOCK_REALTIME as local time, with date and zone
 *
 * Return: as in RFC 3339, with milliseconds; allocated.
 */
char *time_text(const struct timespec *time)
{
	char *text = second_text(time->tv_sec);
	long msec = time->tv_nsec / 1000000;

	for (int i = 2; i >= 0; i--, msec /= 10)
		text[MSEC_AT + i] = '0' + msec % 10;
	return xstrdup(text);
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
 * unrecorded_text() - since when denials are not recorded
 * @info: of the same module
 *
 * Return: a clause, allocated; NULL if they are recorded.
 */
char *unrecorded_text(const struct ucv_listen *state, const struct ucv_info *info)
{
	struct timespec time = boot_time(state->since_ns ?: info->loaded_ns);
	char *since, *text;

	if (state->armed && !(state->recording & UCV_RECORDING_BLIND))
		return NULL;
	since = time_text(&time);
	if (state->since_ns)
		text = xasprintf("denials are not recorded since %s", since);
	else if (info->loaded_ns)
		text = xasprintf("denials were never recorded since the module was loaded, %s",
				 since);
	else /* an older module, which does not report this */
		text = xstrdup("denials are not recorded");
	free(since);
	return text;
}

/**
 * brief_time_text() - a time of CLOCK_REALTIME as local time, as short as possible
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

/**
 * cell_nonzero() - write a number that is 0 if it is missing: an ID, a process
 */
void cell_nonzero(struct table *tb, const char *name, unsigned long long number)
{
	if (number)
		cell_unsigned(tb, name, number);
}

/**
 * cell_uid() - write a uid that may be unmapped
 */
void cell_uid(struct table *tb, const char *name, __u32 uid)
{
	if (uid != UCV_UID_UNMAPPED)
		cell_number(tb, name, uid);
}

/**
 * cell_user() - write USER, the name of a uid that may be unmapped
 */
void cell_user(struct table *tb, __u32 uid)
{
	const char *name;

	if (uid == UCV_UID_UNMAPPED || !table_shows(tb, "USER"))
		return;
	name = tb->numeric ? NULL : user_name(uid);
	if (name)
		cell_string(tb, "USER", name);
	else
		cell_number(tb, "USER", uid);
}

/**
 * cell_command() - write COMMAND
 * @comm: the command; empty if it is not known
 */
void cell_command(struct table *tb, const char *comm)
{
	if (*comm)
		cell_string(tb, "COMMAND", comm);
}

/**
 * cell_flags() - write FLAGS
 * @flags: the flags that are set
 * @names: those that have names
 */
void cell_flags(struct table *tb, __u32 flags, const struct flag_name *names)
{
	char *text = NULL;

	for (; names->flag; names++) {
		if (flags & names->flag)
			text = list_add(text, ",", "%s", names->name);
	}
	cell_text(tb, "FLAGS", text);
}

static const char *name_of(const struct counter_key *key, const struct snapshot *snap)
{
	switch (key->resource) {
	case KEY_MOUNTS:
		return MOUNTS_NAME;
	case KEY_MNTNS:
		return "mntns";
	case KEY_USERNS:
		return "userns";
	}
	return snap->resources[key->resource].name;
}

/**
 * cells_key() - write which counter it is: RESOURCE, NS, NSID, LEVEL, UID and USER
 */
void cells_key(struct table *tb, const struct snapshot *snap, const struct counter_key *key)
{
	cell_string(tb, "RESOURCE", name_of(key, snap));
	cell_number(tb, "NS", key->inum);
	cell_nonzero(tb, "NSID", key->id);
	if (key->resource == KEY_MOUNTS || key->resource == KEY_MNTNS)
		return;
	cell_number(tb, "LEVEL", key->level);
	cell_uid(tb, "UID", key->uid);
	cell_user(tb, key->uid);
}

/**
 * cells_userns() - write USERNS, NSID, LEVEL, PARENT, OWNER, PID and COMMAND
 */
void cells_userns(struct table *tb, const struct snapshot *snap, const struct ucv_userns *ns)
{
	const struct ucv_userns *parent = snapshot_parent(snap, ns);

	cell_number(tb, "USERNS", ns->inum);
	cell_nonzero(tb, "NSID", ns->id);
	cell_number(tb, "LEVEL", ns->level);
	if (parent)
		cell_number(tb, "PARENT", parent->inum);
	cell_uid(tb, "OWNER", ns->owner);
	cell_nonzero(tb, "PID", ns->pid);
	cell_command(tb, ns->comm);
}

/**
 * cells_mntns() - write MNTNS, NSID, USERNS, UID, UIDNS, USER, PID and COMMAND
 */
void cells_mntns(struct table *tb, const struct snapshot *snap, const struct ucv_mntns *ns)
{
	cell_number(tb, "MNTNS", ns->inum);
	cell_unsigned(tb, "NSID", ns->id);
	cell_number(tb, "USERNS", snap->userns[ns->userns].inum);
	cell_uid(tb, "UID", ns->uid);
	cell_uid(tb, "UIDNS", ns->uid_in_ns);
	cell_user(tb, ns->uid);
	cell_nonzero(tb, "PID", ns->pid);
	cell_command(tb, ns->comm);
}

/* The used part of the limit, in @parts. Rounded down: only a full counter shows as full. */
static long long parts_of(const struct counter *counter, int parts)
{
	long long used = counter->used > 0 ? counter->used : 0;

	if (counter->limit <= 0)
		return parts;
	return used < LLONG_MAX / parts ? used * parts / counter->limit : LLONG_MAX;
}

/**
 * cells_limit() - write LIMIT, USE% and RATIO, and color the line
 *
 * A number column in JSON holds only numbers, not "unlimited".
 */
void cells_limit(struct table *tb, const struct counter *counter)
{
	long long parts = parts_of(counter, 10000);

	if (counter->kind == UNLIMITED && !tb->json)
		cell(tb, "LIMIT", "unlimited");
	if (counter->kind != LIMITED)
		return;
	cell_number(tb, "LIMIT", counter->limit);
	cell_percent(tb, "USE%", parts_of(counter, 100));
	cell(tb, "RATIO", "%lld.%04lld", parts / 10000, parts % 10000);
	if (counter->ratio >= RATIO_HIGH)
		table_colour(tb, counter->ratio < RATIO_FULL ? "yellow" : "red");
}

/**
 * cells_trend() - write PEAK and DELTA, the latter in JSON without a plus sign
 */
void cells_trend(struct table *tb, const struct trend *trend)
{
	if (trend->watched)
		cell_number(tb, "PEAK", trend->peak);
	if (trend->has_delta)
		cell(tb, "DELTA", tb->json || !trend->delta ? "%lld" : "%+lld", trend->delta);
}
