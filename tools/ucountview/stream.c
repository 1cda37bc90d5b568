// SPDX-License-Identifier: GPL-2.0
/*
 * A stream of lines: wait for events and write the lines that there are at once, until SIGINT or
 * SIGTERM, or until the reader of standard output closes it. None of the three is an error.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stream.h"
#include "text.h"
#include "ucountview.h"

#define MAX_PENDING	(64 * 1024)	/* bytes of lines, about */

static const int stop_signals[] = { SIGINT, SIGTERM };
static atomic_bool stopped;

static void stop(int sig)
{
	(void)sig;
	stopped = true;
}

/**
 * stream_open() - from now on SIGINT, SIGTERM and a closed pipe only end the stream
 *
 * A stop signal that was ignored at the start, as in the background, stays ignored.
 */
void stream_open(void)
{
	/* Not SA_RESTART: a signal must interrupt a write that blocks on a full pipe, too. */
	const struct sigaction action = { .sa_handler = stop };
	struct sigaction old;

	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < ARRAY_SIZE(stop_signals); i++) {
		sigaction(stop_signals[i], NULL, &old);
		if (old.sa_handler != SIG_IGN)
			sigaction(stop_signals[i], &action, NULL);
	}
}

/* Retries after signals other than the two. */
static bool wait_for(struct pollfd *fds, size_t nr, const sigset_t *unblocked)
{
	while (!stopped) {
		if (ppoll(fds, nr, NULL, unblocked) >= 0)
			return true;
		if (errno != EINTR)
			die("cannot wait for denials: %s", strerror(errno));
	}
	return false;
}

/**
 * stream_wait() - wait for an event
 * @fd: the file to poll
 *
 * Return: true if @fd can be read, false if it is time to stop.
 */
bool stream_wait(int fd)
{
	struct pollfd fds[] = {
		{ .fd = fd, .events = POLLIN },
		{ .fd = STDOUT_FILENO },	/* errors only: the reader has closed it */
	};
	sigset_t blocked, before;
	bool woken;

	/* Blocked from the test of @stopped until ppoll() unblocks them. */
	sigemptyset(&blocked);
	for (size_t i = 0; i < ARRAY_SIZE(stop_signals); i++)
		sigaddset(&blocked, stop_signals[i]);
	sigprocmask(SIG_BLOCK, &blocked, &before);
	woken = wait_for(fds, ARRAY_SIZE(fds), &before);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return woken && !fds[1].revents;
}

/* Bypasses stdio, whose buffer would be written again at exit. */
static bool write_all(const char *from, size_t left)
{
	ssize_t done;

	while (left) {
		done = write(STDOUT_FILENO, from, left);
		if (done < 0 && (errno == EPIPE || errno == EINTR))
			return false;
		if (done < 0)
			output_lost(errno);
		from += done;
		left -= done;
	}
	return true;
}

/* Lines that are not written yet. */
static struct text pending;

/**
 * stream_flush() - write all lines
 *
 * Exits if they cannot be written, except for the reasons that end a stream.
 *
 * Return: false if it is time to stop.
 */
bool stream_flush(void)
{
	bool written = write_all(pending.data, pending.used);

	pending.used = 0;
	return written;
}

/**
 * stream_line() - add a line; stream_flush() must follow before anybody waits for it
 * @text: the line, without a newline
 *
 * Return: false if it is time to stop.
 */
bool stream_line(const char *text)
{
	text_add(&pending, text, strlen(text));
	text_put(&pending, '\n');
	return pending.used < MAX_PENDING || stream_flush();
}
