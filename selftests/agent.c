// SPDX-License-Identifier: GPL-2.0
/*
 * An agent for shell scripts: reads commands from standard input, one a line, and prints an
 * answer to each. See agents.sh.
 *
 * A command is a verb, which is a function of ucv_test.h or ucv_mounts.h, and its words. The
 * answer is what the function returns, a number or the name of an error, or a number and the
 * error after which a part was left undone. A descriptor's number is the one that the agent
 * gave it, not the kernel's.
 *
 *	bind PATH NR		unbind PATH NR		mkdir PATH
 *	mount TYPE OPTIONS PATH				mntns
 *	write PATH VALUE	uids REAL EFFECTIVE SAVED	keep-caps
 *	inotify NR		watch INSTANCE DIR FIRST NR	insist INSTANCE PATH NR
 *	inotify-users FIRST NR
 *	fanotify FLAGS		mark GROUP DIR FIRST NR
 *	copy INSTANCE NR	launch INSTANCE		fork NR
 *	rlimit NAME SOFT HARD	signals NR		queue MESSAGES
 *	lock PAGES		unshare-users		by-thread NAME
 *	unshare-mounts		propagation TYPE PATH
 *
 * Three are the agent's own:
 *
 *	pid
 *	userns OWNER FIRST NR	spawns an agent that is root of a new user namespace, see
 *				ucv_agent_enter(), and does all that follows; answers as pid
 *	quit
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ucv_mounts.h"

#define MAX_WORDS	8
#define MAX_DEPTH	8

static const struct verb {
	const char *name;
	const char *words;	/* the members of the call that they go to, t for a line of text */
	long (*fn)(struct ucv_call *call);
} verbs[] = {
	{ "bind", "ta", ucv_do_bind },
	{ "by-thread", "t", ucv_do_by_thread },
	{ "copy", "ab", ucv_do_copy },
	{ "fanotify", "a", ucv_do_fanotify },
	{ "fork", "a", ucv_do_fork },
	{ "inotify", "a", ucv_do_inotify },
	{ "inotify-users", "ab", ucv_do_inotify_users },
	{ "insist", "atb", ucv_do_insist },
	{ "keep-caps", "", ucv_do_keep_caps },
	{ "launch", "a", ucv_do_launch },
	{ "lock", "a", ucv_do_lock },
	{ "mark", "atbc", ucv_do_mark },
	{ "mkdir", "t", ucv_do_mkdir },
	{ "mntns", "", ucv_do_new_mntns },
	{ "mount", "ttt", ucv_do_mount },
	{ "propagation", "tt", ucv_do_propagation },
	{ "queue", "a", ucv_do_queue },
	{ "rlimit", "tab", ucv_do_rlimit },
	{ "signals", "a", ucv_do_signals },
	{ "uids", "abc", ucv_do_uids },
	{ "unbind", "ta", ucv_do_unbind },
	{ "unshare", "a", ucv_do_unshare },
	{ "unshare-mounts", "", ucv_do_unshare_mounts },
	{ "unshare-users", "", ucv_do_unshare_users },
	{ "watch", "atbc", ucv_do_watch },
	{ "write", "tt", ucv_do_write },
};

/* The agent, and those that it was told to spawn, each by the one before; the last one acts. */
static struct ucv_agent agents[MAX_DEPTH];
static unsigned int last;

static const char *error_name(int error)
{
	switch (error) {
	case EAGAIN:
		return "EAGAIN";
	case EMFILE:
		return "EMFILE";
	case ENOMEM:
		return "ENOMEM";
	case ENOSPC:
		return "ENOSPC";
	default:
		return strerror(error);
	}
}

static void answer(long ret, int error)
{
	if (ret < 0)
		puts(error_name(-ret));
	else if (error)
		printf("%ld %s\n", ret, error_name(error));
	else
		printf("%ld\n", ret);
}

static long to_userns(char **word)
{
	struct ucv_agent *above = &agents[last];
	long ret;

	if (last + 1 == MAX_DEPTH)
		return -E2BIG;
	ret = ucv_agent_spawn(above, above + 1);
	if (!ret)
		ret = ucv_agent_enter(above + 1, last ? above : NULL, atol(word[0]),
				      atol(word[1]), atol(word[2]));
	if (ret)
		return ret;
	last++;
	return agents[last].pid;
}

/* Returns false if a word is missing, or they are too many or too long. */
static bool fill_in(struct ucv_call *call, const char *members, char **word)
{
	size_t used = 0;

	for (; *members; members++, word++) {
		if (!*word || used >= sizeof(call->text))
			return false;
		if (*members == 'a')
			call->a = atol(*word);
		else if (*members == 'b')
			call->b = atol(*word);
		else if (*members == 'c')
			call->c = atol(*word);
		else
			used += snprintf(call->text + used, sizeof(call->text) - used, "%s%s",
					 used ? "\n" : "", *word);
	}
	return !*word && used < sizeof(call->text);
}

static void obey(char **word)
{
	struct ucv_call call = {};
	unsigned int i;
	long ret;

	for (i = 0; i < ARRAY_SIZE(verbs); i++)
		if (!strcmp(word[0], verbs[i].name) && fill_in(&call, verbs[i].words, word + 1))
			break;
	if (i == ARRAY_SIZE(verbs)) {
		puts("no such command");
		return;
	}
	call.fn = verbs[i].fn;
	ret = ucv_agent_ask(&agents[last], &call);
	answer(ret, call.error);
}

/* Words that are missing are NULL, and there is always another one. */
static void split(char *line, char **word)
{
	unsigned int i;

	memset(word, 0, (MAX_WORDS + 1) * sizeof(*word));
	for (i = 0; i < MAX_WORDS; i++) {
		word[i] = strtok(i ? NULL : line, "\n ");
		if (!word[i])
			return;
	}
}

int main(void)
{
	char line[PATH_MAX], *word[MAX_WORDS + 1];

	setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
	if (ucv_agent_start(&agents[0]))
		return 1;
	while (fgets(line, sizeof(line), stdin)) {
		split(line, word);
		if (!word[0] || !strcmp(word[0], "quit"))
			break;
		if (!strcmp(word[0], "pid"))
			answer(agents[last].pid, 0);
		else if (!strcmp(word[0], "userns") && word[3])
			answer(to_userns(word + 1), 0);
		else
			obey(word);
	}
	do
		ucv_agent_stop(&agents[last]);
	while (last--);
	return 0;
}
