// SPDX-License-Identifier: GPL-2.0
/*
 * Repeat a command for --watch: when to take the next round, and where to draw it. The commands
 * fill the tables; countermap.c tracks changes from round to round.
 *
 * Each screen is one write that leaves the terminal in its normal state, with the cursor below
 * the table. So nothing has to be restored when the program stops, for whatever reason.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "format.h"
#include "ucountview.h"
#include "watch.h"

#define NSEC_PER_SEC	1000000000L

#define GO_HOME		"\033[H"
#define CLEAR_SCREEN	"\033[H\033[2J"
#define END_LINE	"\033[K\n"	/* clears the rest of the line first */
#define CLEAR_BELOW	"\033[J"

/**
 * monotonic() - the time of CLOCK_MONOTONIC
 *
 * Return: seconds.
 */
double monotonic(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + (double)now.tv_nsec / NSEC_PER_SEC;
}

static sigset_t waking_signals(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGWINCH);
	return signals;
}

/**
 * block_signals() - from now on only wait_until() receives signals that end it
 *
 * So they interrupt nothing else.
 */
void block_signals(void)
{
	const sigset_t signals = waking_signals();

	sigprocmask(SIG_BLOCK, &signals, NULL);
}

/**
 * wait_until() - wait until a time, or SIGINT
 * @due: the time, as of monotonic()
 * @screen: also end when a terminal has to be redrawn: it was resized, or the program stopped and
 *	continued
 *
 * Return: why it ended.
 */
enum wake wait_until(double due, bool screen)
{
	const sigset_t signals = waking_signals();
	struct timespec left;
	double seconds;
	int sig;

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
static void draw(struct table *tb, const char *time, double interval)
{
	size_t width, height;
	char *title, *text;

	table_screen(tb, &width, &height);
	title = xasprintf("%s  every %g s", time, interval);
	text = table_text(tb);
	printf(GO_HOME "%.*s" END_LINE, (int)width, title);
	draw_lines(text, height > 3 ? height - 2 : 1);
	fputs(CLEAR_BELOW, stdout);
	free(text);
	free(title);
}

/* Print one round. In JSON it is one line. */
static void show(struct table *tb, const struct timespec *began, unsigned int round,
		 double interval, void (*fill)(void *command), void *command)
{
	char *time = time_text(began);

	if (tb->json)
		tb->time = time;
	else if (!tb->screen)
		printf("%s%s\n", round > 1 ? "\n" : "", time);
	table_begin(tb);
	fill(command);
	if (tb->screen)
		draw(tb, time, interval);
	else
		table_print(tb);
	tb->time = NULL;
	free(time);
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

static void run_rounds(const struct args *args, struct table *tb,
		       void (*take)(void *command, unsigned int round),
		       void (*fill)(void *command), void *command)
{
	enum wake wake = WAKE_DUE;
	double due = monotonic();
	struct timespec began;

	for (unsigned int round = 1; wake != WAKE_STOP; round++) {
		clock_gettime(CLOCK_REALTIME, &began);
		take(command, round);
		due = next_due(due, args->interval);
		do {
			show(tb, &began, round, args->interval, fill, command);
			if (round == args->count)
				return;
			wake = wait_until(due, tb->screen);
		} while (wake == WAKE_REDRAW);
	}
	if (tb->screen)
		putchar('\n');
}

/**
 * watch_run() - run the rounds that the options ask for, and show each
 * @take: takes a snapshot; once in a round, whose number, from 1, is @round
 * @fill: adds the lines for the last snapshot; at least once in a round
 * @command: argument of both
 *
 * Exits if the options make no sense.
 */
void watch_run(const struct args *args, struct table *tb,
	       void (*take)(void *command, unsigned int round), void (*fill)(void *command),
	       void *command)
{
	if (args->interval > 0) {
		tb->screen = !tb->json && !tb->raw && stdout_is_screen();
		block_signals();
		if (tb->screen)
			open_screen();
		run_rounds(args, tb, take, fill, command);
		return;
	}
	if (args->count)
		die("--count requires --watch");
	take(command, 1);
	table_begin(tb);
	fill(command);
	table_print(tb);
}
