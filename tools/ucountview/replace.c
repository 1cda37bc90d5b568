// SPDX-License-Identifier: GPL-2.0
/*
 * Replace a file atomically: whoever opens it gets the old contents or the new ones, whole.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "replace.h"
#include "ucountview.h"

static bool write_all(int fd, const char *data, size_t size)
{
	while (size) {
		ssize_t written = write(fd, data, size);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return false;
		data += written;
		size -= written;
	}
	return true;
}

static bool fill(int fd, const char *data, size_t size)
{
	bool written = write_all(fd, data, size) && !fchmod(fd, 0644) && !fsync(fd);
	int err = errno;

	/* Some network file systems report write errors only here. */
	if (close(fd) && written)
		return false;
	errno = err;
	return written;
}

/*
 * Signals that end the program wait until the temporary file has its name, or is gone, so that none
 * is left. A file size limit is an error of write().
 */
static void block_signals(sigset_t *old)
{
	static const int ending[] = { SIGHUP, SIGINT, SIGTERM, SIGXFSZ };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(ending); i++)
		sigaddset(&set, ending[i]);
	sigprocmask(SIG_BLOCK, &set, old);
}

/* Instead of a device, as /dev/null is one, other programs would have a file. */
static void check_type(const char *name)
{
	struct stat st;

	if (!stat(name, &st) && !S_ISREG(st.st_mode))
		die("cannot write %s: not a regular file", name);
}

/**
 * replace_file() - write a file, or exit with the reason and leave the old one as it was
 * @name: where the file is to be. The temporary file is in the same directory; its name is longer
 *	at the end, so that a program that looks for a suffix does not read it.
 *
 * The file is readable for everyone. A symbolic link is replaced, not followed.
 */
void replace_file(const char *name, const char *data, size_t size)
{
	char *temporary = xasprintf("%s.XXXXXX", name);
	sigset_t old;
	int fd, err;

	check_type(name);
	block_signals(&old);
	fd = mkstemp(temporary);
	if (fd < 0)
		die("cannot create a file beside %s: %s", name, strerror(errno));
	if (!fill(fd, data, size) || rename(temporary, name)) {
		err = errno;
		unlink(temporary);
		die("cannot write %s: %s", name, strerror(err));
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
	free(temporary);
}
