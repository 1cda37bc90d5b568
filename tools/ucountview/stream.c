// SPDX-License-Identifier: GPL-2.0
/*
 * A stream of lines: waiting for something to tell, and telling it at once, until
 * SIGINT or SIGTERM, or until whoever reads standard output goes away. All three are
 * ordinary ends.
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
#include "ucountview.h"

static const int stop_signals[] = { SIGINT, SIGTERM };
static atomic_bool stopped;

static void stop(int sig)
{
	(void)sig;
	stopped = true;
}

/**
 * stream_open() - from now on the signals only tell to end
 *
 * What was started with one of them ignored, in the background, goes on ignoring it.
 */
void stream_open(void)
{
	/* Not SA_RESTART: a write to a pipe that nobody empties must end, too. */
	const struct sigaction action = { .sa_handler = stop };
	struct sigaction old;

	for (size_t i = 0; i < ARRAY_SIZE(stop_signals); i++) {
		sigaction(stop_signals[i], NULL, &old);
		if (old.sa_handler != SIG_IGN)
			sigaction(stop_signals[i], &action, NULL);
	}
}

/* Once more if a signal arrived that does not matter. */
static bool wait_for(struct pollfd *fds, size_t nr, const sigset_t *unblocked)
{
	while (!stopped) {
		if (ppoll(fds, nr, NULL, unblocked) >= 0)
			return true;
		if (errno != EINTR)
			die("cannot wait: %s", strerror(errno));
	}
	return false;
}

/**
 * stream_wait() - wait for something to tell
 * @fd: where it comes from
 *
 * Return: true if @fd can be read, false if it is time to end.
 */
bool stream_wait(int fd)
{
	struct pollfd fds[] = {
		{ .fd = fd, .events = POLLIN },
		{ .fd = STDOUT_FILENO },	/* errors alone: the reader is gone */
	};
	sigset_t blocked, before;
	bool woken;

	/* Blocked from the look at what they set until the wait lets them through. */
	sigemptyset(&blocked);
	for (size_t i = 0; i < ARRAY_SIZE(stop_signals); i++)
		sigaddset(&blocked, stop_signals[i]);
	sigprocmask(SIG_BLOCK, &blocked, &before);
	woken = wait_for(fds, ARRAY_SIZE(fds), &before);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return woken && !fds[1].revents;
}

/* By no buffer that would be written once more at the end. */
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

/**
 * stream_line() - write a line
 * @text: the line, without a newline
 *
 * Gives up if it is lost for another reason than those that end a stream.
 *
 * Return: false if it is time to end.
 */
bool stream_line(const char *text)
{
	char *line = xasprintf("%s\n", text);
	bool written = write_all(line, strlen(line));

	free(line);
	return written;
}
