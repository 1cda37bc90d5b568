// SPDX-License-Identifier: GPL-2.0
/*
 * What the tests need from the system: files, sysctls that are restored, and the module,
 * which is checked for before main().
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "ucv_test.h"

int ucv_write(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, value, strlen(value)) != (ssize_t)strlen(value))
		ret = -errno;
	close(fd);
	return ret;
}

/* Reads a whole file, whatever its st_size, and terminates it; NULL on error. */
char *ucv_slurp(const char *path, size_t *length)
{
	size_t room = 65536, used = 0;
	char *text = malloc(room);
	ssize_t got = -1;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	while (fd >= 0 && text) {
		got = read(fd, text + used, room - used - 1);
		if (got <= 0)
			break;
		used += got;
		if (room - used < 4096)
			text = realloc(text, room *= 2);
	}
	if (fd >= 0)
		close(fd);
	if (got < 0 || !text) {
		free(text);
		return NULL;
	}
	text[used] = '\0';
	if (length)
		*length = used;
	return text;
}

/*
 * Returns -1 if it cannot be read, as no limit or counter is negative. A boolean, Y or N,
 * reads as 1 or 0 and can be written like that, too.
 */
long long ucv_read_number(const char *path)
{
	char *text = ucv_slurp(path, NULL);
	long long value = -1;

	if (text && (text[0] == 'Y' || text[0] == 'N'))
		value = text[0] == 'Y';
	else if (text)
		sscanf(text, "%lld", &value);
	free(text);
	return value;
}

int ucv_tries(void)
{
	const char *tries = getenv("UCV_TRIES");

	return tries ? atoi(tries) : 30000;
}

unsigned long long ucv_boottime(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

/* Ends the program if there is no memory. */
char *ucv_before_a_hole(size_t size)
{
	const size_t page = sysconf(_SC_PAGESIZE);
	char *pages = mmap(NULL, size + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			   -1, 0);

	if (pages == MAP_FAILED || munmap(pages + size, page))
		exit(1);
	return pages + size;
}

/* @nr times UCV_CHURN, which may be a fraction; at least 1. */
long ucv_churn(long nr)
{
	const char *text = getenv("UCV_CHURN");
	double factor = text ? atof(text) : 1;

	if (factor <= 0)
		factor = 1;
	return nr * factor < 1 ? 1 : nr * factor;
}

void ucv_kill_all(pid_t *pids, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		kill(pids[i], SIGKILL);
	for (i = 0; i < nr; i++)
		waitpid(pids[i], NULL, 0);
}

/* An invalid flag is refused, if there is anything to refuse it. */
bool ucv_has_fanotify(void)
{
	return fanotify_init(~0U, 0) < 0 && errno == EINVAL;
}

char ucv_state_of(pid_t pid)
{
	char path[64], *text, *at, state = 0;

	/* That of the first thread, after the command. */
	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, pid);
	text = ucv_slurp(path, NULL);
	at = text ? strrchr(text, ')') : NULL;
	if (at)
		state = at[2];
	free(text);
	return state;
}

int ucv_make_files(char *dir, size_t size, unsigned int nr)
{
	const char *tmp = getenv("TMPDIR");
	char path[PATH_MAX];
	unsigned int i;
	int fd;

	snprintf(dir, size, "%s/ucountview.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(dir) || chmod(dir, 0755))
		return -errno;
	for (i = 0; i < nr; i++) {
		snprintf(path, sizeof(path), "%s/%u", dir, i);
		fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		if (fd < 0 || fchmod(fd, 0644))
			return -errno;
		close(fd);
	}
	return 0;
}

void ucv_remove_files(const char *dir, unsigned int nr)
{
	char path[PATH_MAX];
	unsigned int i;

	for (i = 0; i < nr; i++) {
		snprintf(path, sizeof(path), "%s/%u", dir, i);
		unlink(path);
	}
	rmdir(dir);
}

/*
 * Sysctls. A test is a child of the program and can be killed, so the old values are in
 * shared memory, and the program restores them when it ends.
 */
#define MAX_SYSCTLS	64

static struct saved {
	unsigned int nr;
	struct {
		char path[96];
		long long value;
	} sysctl[MAX_SYSCTLS];
} *saved;

static pid_t program;

/* For a test that must not leave its values to the next one. */
void ucv_sysctls_back(void)
{
	char value[24];
	unsigned int i;

	for (i = 0; i < saved->nr; i++) {
		snprintf(value, sizeof(value), "%lld", saved->sysctl[i].value);
		ucv_write(saved->sysctl[i].path, value);
	}
}

static void restore_sysctls(void)
{
	if (getpid() == program)
		ucv_sysctls_back();
}

static void restore_and_die(int sig)
{
	restore_sysctls();
	signal(sig, SIG_DFL);
	raise(sig);
}

static int save_sysctl(const char *path)
{
	unsigned int i;

	for (i = 0; i < saved->nr; i++)
		if (!strcmp(saved->sysctl[i].path, path))
			return 0;
	if (i == MAX_SYSCTLS)
		return -ENOSPC;
	snprintf(saved->sysctl[i].path, sizeof(saved->sysctl[i].path), "%s", path);
	saved->sysctl[i].value = ucv_read_number(path);
	if (saved->sysctl[i].value < 0)
		return -ENOENT;
	saved->nr++;
	return 0;
}

int ucv_sysctl(const char *path, long long value)
{
	char text[24];
	int ret;

	ret = save_sysctl(path);
	if (ret)
		return ret;
	snprintf(text, sizeof(text), "%lld", value);
	return ucv_write(path, text);
}

/* Before main(): what every test requires. */

static void skip_all(const char *reason)
{
	printf("TAP version 13\n1..0 # SKIP %s\n", reason);
	fflush(stdout);
	_exit(4);
}

static void __attribute__((constructor)) prepare(void)
{
	static const int signals[] = { SIGHUP, SIGINT, SIGTERM };
	unsigned int i;

	if (geteuid())
		skip_all("this test needs root");
	if (access(UCV_DEVICE_PATH, F_OK))
		skip_all("there is no " UCV_DEVICE_PATH ": load the module ucountview");
	if (access("/sys/kernel/debug/ucountview", F_OK))
		mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
	program = getpid();
	saved = mmap(NULL, sizeof(*saved), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (saved == MAP_FAILED)
		skip_all("no memory");
	atexit(restore_sysctls);
	for (i = 0; i < ARRAY_SIZE(signals); i++)
		signal(signals[i], restore_and_die);
}
