// SPDX-License-Identifier: GPL-2.0
/*
 * Repeat a command for --watch: when to take the next round, and where to draw it. The commands
 * fill the tables; countermap.c tracks changes from round to round.
 *
 * Each screen is one write that leaves the terminal in its normal state, with the cursor below
 * the table. So nothing has to be restored when the program stops, for whatever reason.
 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "format.h"
#include "options.h"
#include "ucountview.h"
#include "watch.h"

#define NSEC_PER_SEC	1000000000L

#define GO_HOME		"\033[H"
#define CLEAR_SCREEN	"\033[H\033[2J"
#define END_LINE	"\033[K\n"	/* clears the rest of the line first */
#define CLEAR_BELOW	"\033[J"

enum {
	OPT_COUNT = 0x300,
};

const struct option watch_options[] = {
	{ "watch", required_argument, NULL, 'w' },
	{ "count", required_argument, NULL, OPT_COUNT },
	{ }
};

/* Why a wait ended. */
enum wake {
	WAKE_DUE,
	WAKE_REDRAW,
	WAKE_STOP,
};

/**
 * watch_option() - take one of watch_options
 * @watch: out
 * @opt: which option; others are ignored
 * @arg: its argument
 */
void watch_option(struct watch *watch, int opt, const char *arg)
{
	switch (opt) {
	case 'w':
		watch->interval = arg_seconds(arg);
		break;
	case OPT_COUNT:
		watch->count = arg_number("number", arg, 1, UINT_MAX);
		break;
	}
}

static double monotonic(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + (double)now.tv_nsec / NSEC_PER_SEC;
}

/*
 * On a terminal, also ends when it has to be redrawn: it was resized, or the program stopped and
 * continued.
 */
static enum wake wait_until(double due, bool screen)
{
	struct timespec left;
	sigset_t signals;
	double seconds;
	int sig;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGWINCH);
	for (;;) {
		seconds = due - monotonic();
		if (seconds < 0)
			seconds = 0;
		left.tv_sec = seconds;
		left.tv_nsec = (seconds - left.tv_sec) * NSEC_PER_SEC;
		sig = sigtimedwait(&signals, NULL, &left);
		if (sig == SIGINT)
			return WAKE_STOP;
		if (sig < 0 && errno == EAGAIN)
			return WAKE_DUE;
		if (screen)
			return WAKE_REDRAW;
	}
}

/* Only wait_until() receives these signals, so that no round is interrupted. */
static void block_signals(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGWINCH);
	sigprocmask(SIG_BLOCK, &signals, NULL);
}

static size_t count_lines(const char *text)
{
	size_t lines = *text != '\0';

	for (; *text; text++)
		lines += *text == '\n';
	return lines;
}

static void draw_lines(const char *text, size_t room)
{
	size_t lines = count_lines(text);
	size_t shown = lines <= room ? lines : room - 1;

	for (size_t i = 0; i < shown; i++) {
		size_t len = strcspn(text, "\n");

		printf("%.*s" END_LINE, (int)len, text);
		text += len + 1;
	}
	if (shown < lines)
		printf("... %zu more" END_LINE, lines - shown);
}

/* Leaves one line below the table for the cursor and for messages. */
static void draw(const struct watch *watch, struct table *tb)
{
	size_t width, height, room;
	char *time, *title, *text;

	table_screen(tb, &width, &height);
	room = height > 3 ? height - 2 : 1;
	time = time_text(&watch->time);
	title = xasprintf("%s  every %g s", time, watch->interval);
	text = table_text(tb);
	printf(GO_HOME "%.*s" END_LINE, (int)width, title);
	draw_lines(text, room);
	fputs(CLEAR_BELOW, stdout);
	free(text);
	free(title);
	free(time);
}

/* One line for each round, with "time" as an additional member. */
static void print_json(const struct watch *watch, struct table *tb)
{
	char *time = time_text(&watch->time);
	char *text = table_json(tb);

	printf("{\"time\": \"%s\",%s\n", time, text + 1);
	free(text);
	free(time);
}

static void print_round(const struct watch *watch, struct table *tb)
{
	char *time = time_text(&watch->time);

	printf("%s%s\n", watch->round > 1 ? "\n" : "", time);
	free(time);
	table_print(tb);
}

static void show(const struct watch *watch, struct table *tb)
{
	if (tb->screen)
		draw(watch, tb);
	else if (tb->json)
		print_json(watch, tb);
	else
		print_round(watch, tb);
	flush_stdout();
}

static void open_screen(void)
{
	static char picture[64 * 1024];

	/* Line buffering, the default on a terminal, would flicker. */
	setvbuf(stdout, picture, _IOFBF, sizeof(picture));
	fputs(CLEAR_SCREEN, stdout);
}

/* One interval after the last round was due; at once, but without catching up, if that is past. */
static double next_due(double due, double interval)
{
	double now = monotonic();

	return due + interval > now ? due + interval : now;
}

static void run_rounds(struct watch *watch, struct table *tb, void (*take)(void *command),
		       void (*fill)(void *command), void *command)
{
	enum wake wake = WAKE_DUE;
	double due = monotonic();

	for (watch->round = 1; wake != WAKE_STOP; watch->round++) {
		clock_gettime(CLOCK_REALTIME, &watch->time);
		take(command);
		due = next_due(due, watch->interval);
		do {
			fill(command);
			show(watch, tb);
			if (watch->round == watch->count)
				return;
			wake = wait_until(due, tb->screen);
		} while (wake == WAKE_REDRAW);
	}
	if (tb->screen)
		putchar('\n');
}

/**
 * watch_run() - run the rounds that the options ask for, and show each
 * @watch: the options
 * @tb: the opened table
 * @take: takes a snapshot; once in a round
 * @fill: puts the last snapshot into the table; at least once in a round
 * @command: argument of both
 *
 * Exits if the options make no sense.
 */
void watch_run(struct watch *watch, struct table *tb, void (*take)(void *command),
	       void (*fill)(void *command), void *command)
{
	if (watch->interval > 0) {
		tb->screen = !tb->json && !tb->raw && stdout_is_screen();
		block_signals();
		if (tb->screen)
			open_screen();
		run_rounds(watch, tb, take, fill, command);
		return;
	}
	if (watch->count)
		die("--count needs --watch");
	watch->round = 1;
	take(command);
	fill(command);
	table_print(tb);
}
