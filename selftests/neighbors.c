// SPDX-License-Identifier: GPL-2.0
/*
 * Not a test: what neighbors_test.sh runs beside traffic.c. Processes that change file tables,
 * uids, pid namespaces and owners of descriptors as fast as they can, and are refused, until
 * SIGTERM; then it prints the number of rounds of each kind. Fails if one has failed or has
 * not run.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "workload.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#define NEIGHBORS_UID	1900400000U
#define NR_UIDS		500
#define FAR_FD		65535

/* Thread: leaves the common file table and changes its own. */
static void *own_table(void *arg)
{
	int fd = inotify_init1(0);

	must(fd >= 0 && !unshare(CLONE_FILES), "unshare");
	must(dup2(fd, 100 + (long)arg) >= 0 && dup2(fd, FAR_FD) >= 0, "dup2");
	close(fd);
	close(FAR_FD);
	return NULL;
}

/* Tables that are shared, copied, grown and closed, in processes and threads. */
static void tables_child(unsigned int round)
{
	const struct rlimit limit = { 1048576, 1048576 };
	pthread_t thread[4];
	long i;

	must(!setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
	for (i = 0; i < 4; i++)
		must(!pthread_create(&thread[i], NULL, own_table, (void *)(i + round % 7)),
		     "pthread_create");
	must(dup2(inotify_init1(0), FAR_FD - round % 1000) >= 0, "dup2");
	for (i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
}

static void tables(unsigned int round)
{
	in_child(tables_child, round);
}

static pid_t main_process;

/* One process, a new user each time, with an instance that the next users still hold. */
static void uids(unsigned int round)
{
	static int held[16];
	int *fd = &held[round % 16];

	if (*fd > 0)
		close(*fd);
	must(!syscall(SYS_setresuid, -1, NEIGHBORS_UID + round % NR_UIDS, 0), "setresuid");
	*fd = inotify_init1(IN_CLOEXEC);
	must(*fd >= 0 && inotify_add_watch(*fd, "/", IN_DELETE_SELF) >= 0, "inotify");
	must(!syscall(SYS_setresuid, -1, 0, -1), "setresuid");
	ucv_end_with(main_process);
}

static void nothing(unsigned int round)
{
	(void)round;
}

static void pid_namespace(unsigned int round)
{
	must(!unshare(CLONE_NEWPID), "unshare");
	in_child(round ? pid_namespace : nothing, round - 1);
}

static void pid_namespaces(unsigned int round)
{
	in_child(pid_namespace, round % 4);
}

static void send_fd(int to, int fd)
{
	char control[CMSG_SPACE(sizeof(fd))] = { 0 };
	struct iovec io = { .iov_base = "", .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &io,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	must(sendmsg(to, &message, 0) == 1, "sendmsg");
}

/* Descriptors that pass from one process to another; some are never received. */
static void messages_child(unsigned int round)
{
	char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec io = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &io,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	int pair[2], fd = inotify_init1(0), i;
	pid_t pid;

	must(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair) && fd >= 0, "socketpair");
	pid = ucv_fork();
	must(pid >= 0, "fork");
	for (i = 0; i < 8 && pid; i++)
		send_fd(pair[0], fd);
	for (i = 0; i < (int)(round % 9) && !pid; i++)
		must(recvmsg(pair[1], &message, 0) == 1, "recvmsg");
	if (!pid)
		_exit(0);
	close(fd);
	must(waitpid(pid, NULL, 0) == pid, "waitpid");
}

static void messages(unsigned int round)
{
	in_child(messages_child, round);
}

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	must(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), path);
	close(fd);
}

/* Refused at the level of a user namespace of its own, whose limit it has set to 0. */
static void refused_child(unsigned int round)
{
	unsigned int i;

	must(!unshare(CLONE_NEWUSER), "unshare");
	put("/proc/self/setgroups", "deny");
	put("/proc/self/uid_map", "0 0 1");
	put("/proc/self/gid_map", "0 0 1");
	put("/proc/sys/user/max_uts_namespaces", "0");
	for (i = 0; i < 20 + round % 20; i++)
		must(unshare(CLONE_NEWUTS) == -1 && errno == ENOSPC, "unshare");
}

static void refused(unsigned int round)
{
	in_child(refused_child, round);
}

static void (* const works[])(unsigned int round) = {
	tables, tables, uids, pid_namespaces, messages, refused,
};

#define NR_WORKS ARRAY_SIZE(works)

static struct shared {
	bool stop;
	unsigned int rounds[NR_WORKS];
} *shared;

static void work(unsigned int nth)
{
	do
		works[nth](shared->rounds[nth]++);
	while (!__atomic_load_n(&shared->stop, __ATOMIC_RELAXED));
	_exit(0);
}

int main(void)
{
	int sig, status, failed = 0;
	unsigned int i;
	sigset_t term;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	must(shared != MAP_FAILED, "mmap");
	main_process = getpid();
	for (i = 0; i < NR_WORKS; i++)
		if (!ucv_fork())
			work(i);
	sigwait(&term, &sig);
	__atomic_store_n(&shared->stop, true, __ATOMIC_RELAXED);
	while (wait(&status) > 0)
		failed |= status != 0;
	for (i = 0; i < NR_WORKS; i++) {
		printf("%u: %u\n", i, shared->rounds[i]);
		failed |= !shared->rounds[i];
	}
	return failed;
}
