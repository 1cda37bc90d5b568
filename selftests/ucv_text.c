// SPDX-License-Identifier: GPL-2.0
/*
 * Parses debugfs, independently of the module's code that writes it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ucv_test.h"

bool ucv_has_debugfs(void)
{
	return !access(UCV_DEBUGFS "/ucounts", R_OK);
}

/* Checks the header line and counts the lines after it; -EBADMSG if it differs. */
static int text_lines(const char *text, const char *header)
{
	const char *end = strchr(text, '\n');
	char word[32], wanted[32];
	int lines = 0, n, m;

	while (sscanf(header, "%31s%n", wanted, &m) == 1) {
		if (sscanf(text, "%31s%n", word, &n) != 1 || text + n > end || strcmp(word, wanted))
			return -EBADMSG;
		text += n;
		header += m;
	}
	if (!end || text + strspn(text, " \t") != end)
		return -EBADMSG;
	for (text = end + 1; *text; text = end + 1) {
		end = strchr(text, '\n');
		if (!end)
			return -EBADMSG;
		lines++;
	}
	return lines;
}

static bool parse_row(const char *line, struct ucv_text_row *row)
{
	int n = 0;

	return sscanf(line, "%u %u %u %31s %lld %23s%n", &row->userns,
		      &row->level, &row->uid, row->resource, &row->used,
		      row->limit, &n) == 6 && line[n] == '\n';
}

/* A command is escaped: "\040" is a space. */
static void unescape(char *text)
{
	unsigned int c;
	char *to = text;

	while (*text) {
		if (*text == '\\' && sscanf(text + 1, "%3o", &c) == 1) {
			*to++ = c;
			text += 4;
		} else {
			*to++ = *text++;
		}
	}
	*to = '\0';
}

static bool parse_userns(const char *line, struct ucv_text_userns *userns)
{
	int n = 0;

	if (sscanf(line, "%u %15s %u %u %u %15s %63[^\n]%n", &userns->userns,
		   userns->parent, &userns->level, &userns->owner,
		   &userns->rows, userns->pid, userns->comm, &n) != 7 ||
	    line[n] != '\n')
		return false;
	unescape(userns->comm);
	return true;
}

static int take_rows(struct ucv_text *text)
{
	char *all = ucv_slurp(UCV_DEBUGFS "/ucounts", NULL);
	const char *line = all;
	int lines, i;

	if (!all)
		return -errno;
	lines = text_lines(all, "USERNS LEVEL UID RESOURCE USED LIMIT");
	text->rows = calloc(lines < 0 ? 1 : lines + 1, sizeof(*text->rows));
	for (i = 0; i < lines; i++) {
		line = strchr(line, '\n') + 1;
		if (!parse_row(line, &text->rows[i]))
			lines = -EBADMSG;
	}
	free(all);
	text->nr_rows = lines < 0 ? 0 : lines;
	return lines < 0 ? lines : 0;
}

static int take_userns(struct ucv_text *text)
{
	char *all = ucv_slurp(UCV_DEBUGFS "/userns", NULL);
	const char *line = all;
	int lines, i;

	if (!all)
		return -errno;
	lines = text_lines(all, "USERNS PARENT LEVEL OWNER ROWS PID COMMAND");
	text->userns = calloc(lines < 0 ? 1 : lines + 1, sizeof(*text->userns));
	for (i = 0; i < lines; i++) {
		line = strchr(line, '\n') + 1;
		if (!parse_userns(line, &text->userns[i]))
			lines = -EBADMSG;
	}
	free(all);
	text->nr_userns = lines < 0 ? 0 : lines;
	return lines < 0 ? lines : 0;
}

int ucv_text_take(struct ucv_text *text)
{
	int ret;

	memset(text, 0, sizeof(*text));
	ret = take_rows(text);
	if (!ret)
		ret = take_userns(text);
	if (ret)
		ucv_text_free(text);
	return ret;
}

void ucv_text_free(struct ucv_text *text)
{
	free(text->rows);
	free(text->userns);
	memset(text, 0, sizeof(*text));
}

const struct ucv_text_row *ucv_text_row(const struct ucv_text *text,
					unsigned int inum, unsigned int uid,
					const char *resource)
{
	unsigned int i;

	for (i = 0; i < text->nr_rows; i++)
		if (text->rows[i].userns == inum && text->rows[i].uid == uid &&
		    !strcmp(text->rows[i].resource, resource))
			return &text->rows[i];
	return NULL;
}

/* The value of a "key: value" line of debugfs' status. */
int ucv_status(const char *key, char *value, size_t size)
{
	char *all = ucv_slurp(UCV_DEBUGFS "/status", NULL);
	size_t length = strlen(key);
	int ret = -ENOENT;
	char *line, *rest;

	if (!all)
		return -errno;
	for (line = strtok_r(all, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest)) {
		if (strncmp(line, key, length) || line[length] != ':')
			continue;
		line += length + 1;
		snprintf(value, size, "%s", line + strspn(line, " \t"));
		ret = 0;
	}
	free(all);
	return ret;
}
