// SPDX-License-Identifier: GPL-2.0
/*
 * Not a test: the user that hostile_test.sh defends root against, without capabilities and
 * with the hard limits that distributions give.
 *
 *	hostile UID WHAT NUMBER DIRECTORY
 *
 * makes NUMBER of these, prints a line when all exist, and stays until it is killed:
 *
 *	descriptors	copies of the descriptor of one watched instance
 *	tables		processes with a file table of a million places, each with a copy
 *			of it in the last one
 *	processes	processes that share one watched instance
 *	threads		threads, every tenth with a file table of its own
 *	watches		watches, of 500 files in DIRECTORY by as many instances as it takes
 *	flight		copies of that descriptor in messages of a socket, and nowhere else
 *	nested		processes in 32 nested user namespaces, with a watched instance made
 *			in each of them
 *	namespaces	processes in their own user, mount, UTS and IPC namespaces
 *	mounts		mounts in a mount namespace of its own, beside another namespace
 *			without these
 *	signals		signals that are queued
 *	refused		refused calls, before the line: the user may have no instance
 *
 * The line has what is charged to the user then: RESOURCE=USED, and pid=PID of the process.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ucv_fork.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#define MOST_FDS	1048576
#define NR_FILES	500
#define DEEPEST		32
#define FDS_PER_MESSAGE	200
#define MESSAGES	100	/* in one socket */

static const char *directory;

static void fail(const char *what)
{
	fprintf(stderr, "hostile: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void stay(void)
{
	for (;;)
		pause();
}

static void raise_limit(int resource, rlim_t most)
{
	struct rlimit limit = { most, most };

	if (setrlimit(resource, &limit))
		fail("setrlimit");
}

/* The real, effective and saved uid, so that nothing is left of root. */
static void become(uid_t user)
{
	raise_limit(RLIMIT_NOFILE, MOST_FDS);
	raise_limit(RLIMIT_NPROC, 65536);
	raise_limit(RLIMIT_SIGPENDING, 65536);
	if (setresgid(user, user, user) || setresuid(user, user, user))
		fail("setresuid");
	/* Its own files in /proc belong to it again. */
	if (prctl(PR_SET_DUMPABLE, 1))
		fail("prctl");
}

static int watched_instance(void)
{
	int fd = inotify_init1(0);

	if (fd < 0 || inotify_add_watch(fd, "/", IN_DELETE_SELF) < 0)
		fail("inotify");
	return fd;
}

/* Runs @work in a child, which then stays; returns when it is done. */
static void in_child(void (*work)(void))
{
	int ready[2];
	pid_t pid;
	char byte;

	if (pipe2(ready, O_CLOEXEC))
		fail("pipe");
	pid = ucv_fork();
	if (pid < 0)
		fail("fork");
	if (!pid) {
		work();
		if (write(ready[1], "", 1) != 1)
			exit(1);
		close(ready[0]);
		close(ready[1]);
		stay();
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		exit(1);
	close(ready[0]);
}

static void one_instance(void)
{
	printf(" inotify_instances=1 inotify_watches=1");
}

static void descriptors(long nr)
{
	int fd = watched_instance();

	while (--nr > 0)
		if (dup(fd) < 0)
			fail("dup");
	one_instance();
}

static int shared_fd;

static void own_table(void)
{
	if (dup2(shared_fd, MOST_FDS - 1) < 0)
		fail("dup2");
}

static void tables(long nr)
{
	shared_fd = watched_instance();
	while (nr-- > 0)
		in_child(own_table);
	one_instance();
}

static void nothing(void)
{
}

static void processes(long nr)
{
	watched_instance();
	while (--nr > 0)
		in_child(nothing);
	one_instance();
}

static pthread_barrier_t all_there;

static void *thread(void *unshares)
{
	if (unshares && unshare(CLONE_FILES))
		fail("unshare");
	pthread_barrier_wait(&all_there);
	stay();
	return NULL;
}

static void threads(long nr)
{
	pthread_attr_t attr;
	pthread_t id;
	long i;

	watched_instance();
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 32768);
	pthread_barrier_init(&all_there, NULL, nr);
	for (i = 1; i < nr; i++)
		if (pthread_create(&id, &attr, thread, i % 10 ? NULL : &all_there))
			fail("pthread_create");
	pthread_barrier_wait(&all_there);
	one_instance();
}

static void watches(long nr)
{
	long i, instances = 0;
	char path[256];
	int fd = -1;

	for (i = 0; i < nr; i++) {
		if (i % NR_FILES == 0) {
			fd = inotify_init1(0);
			instances++;
		}
		snprintf(path, sizeof(path), "%s/%ld", directory, i % NR_FILES);
		if (inotify_add_watch(fd, path, IN_MODIFY) < 0)
			fail("inotify_add_watch");
	}
	printf(" inotify_instances=%ld inotify_watches=%ld", instances, nr);
}

static void send_copies(int to, int fd, long nr)
{
	char control[CMSG_SPACE(sizeof(int) * FDS_PER_MESSAGE)] = { 0 };
	struct iovec io = { .iov_base = "", .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &io,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = CMSG_SPACE(sizeof(int) * nr),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	long i;

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int) * nr);
	for (i = 0; i < nr; i++)
		memcpy(CMSG_DATA(header) + i * sizeof(int), &fd, sizeof(fd));
	if (sendmsg(to, &message, MSG_DONTWAIT) != 1)
		fail("sendmsg");
}

static void flight(long nr)
{
	int fd = watched_instance(), pair[2];
	long i, part;

	for (i = 0; nr > 0; i++, nr -= part) {
		part = nr < FDS_PER_MESSAGE ? nr : FDS_PER_MESSAGE;
		if (i % MESSAGES == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
			fail("socketpair");
		send_copies(pair[0], fd, part);
	}
	close(fd);
	one_instance();
}

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		fail(path);
	close(fd);
}

/* Root inside, as without mappings there could be no nested namespace. */
static void become_root_inside(int also)
{
	uid_t outside = geteuid();
	char map[32];

	if (unshare(CLONE_NEWUSER | also))
		fail("unshare");
	snprintf(map, sizeof(map), "0 %u 1", outside);
	put("/proc/self/setgroups", "deny");
	put("/proc/self/uid_map", map);
	put("/proc/self/gid_map", map);
}

static void nest(void)
{
	int i;

	for (i = 0; i < DEEPEST; i++) {
		become_root_inside(0);
		watched_instance();
	}
}

/* What is charged in the namespaces is charged to the user in the initial one. */
static void nested(long nr)
{
	long i;

	for (i = 0; i < nr; i++)
		in_child(nest);
	printf(" user_namespaces=%ld inotify_instances=%ld inotify_watches=%ld", nr * DEEPEST,
	       nr * DEEPEST, nr * DEEPEST);
}

static void enter_namespaces(void)
{
	become_root_inside(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC);
}

static void namespaces(long nr)
{
	long i;

	for (i = 0; i < nr; i++)
		in_child(enter_namespaces);
	printf(" user_namespaces=%ld mnt_namespaces=%ld uts_namespaces=%ld ipc_namespaces=%ld", nr,
	       nr, nr, nr);
}

static long wanted;

/* Each on one of the files, so that no path leads through more than a few of them. */
static void mount_many(void)
{
	char path[256];
	long i;

	become_root_inside(CLONE_NEWNS);
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		fail("mount");
	for (i = 0; i < wanted; i++) {
		snprintf(path, sizeof(path), "%s/%ld", directory, i % NR_FILES);
		if (mount(path, path, NULL, MS_BIND, NULL))
			fail("mount");
	}
}

static void bare_namespace(void)
{
	become_root_inside(CLONE_NEWNS);
}

static void mounts(long nr)
{
	wanted = nr;
	in_child(bare_namespace);
	in_child(mount_many);
	printf(" user_namespaces=2 mnt_namespaces=2");
}

static void signals(long nr)
{
	union sigval value = { .sival_int = 0 };
	sigset_t blocked;
	long i;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	for (i = 0; i < nr; i++)
		if (sigqueue(getpid(), SIGRTMIN, value))
			fail("sigqueue");
	printf(" rlimit_sigpending=%ld", nr);
}

static void refused(long nr)
{
	while (nr-- > 0)
		if (inotify_init1(0) >= 0 || errno != EMFILE)
			fail("inotify_init1");
}

static const struct {
	const char *name;
	void (*make)(long nr);
} kinds[] = {
	{ "descriptors", descriptors }, { "tables", tables }, { "processes", processes },
	{ "threads", threads }, { "watches", watches }, { "flight", flight },
	{ "nested", nested }, { "namespaces", namespaces }, { "mounts", mounts },
	{ "signals", signals }, { "refused", refused },
};

int main(int argc, char **argv)
{
	unsigned int i;

	if (argc != 5)
		return 2;
	directory = argv[4];
	become(strtoul(argv[1], NULL, 10));
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(kinds[i].name, argv[2]))
			continue;
		printf("pid=%d", getpid());
		fflush(stdout);
		kinds[i].make(atol(argv[3]));
		putchar('\n');
		fflush(stdout);
		stay();
	}
	return 2;
}
