// SPDX-License-Identifier: GPL-2.0
/*
 * A busy system without leaks: processes that repeatedly charge and uncharge everything that
 * ucountview counts.
 *
 *	traffic		until SIGTERM, then prints the number of rounds of each process; fails
 *			if one has failed or has run fewer than two
 *	traffic once	one round each; all is uncharged when it exits, except for what the
 *			kernel releases asynchronously
 *
 * Some charges stay for a while, so that counters also rise and stay up.
 *
 * Environment: UCV_LINGER multiplies the time that charges stay (1). On a kernel that is many
 * times slower asynchronous releases would otherwise never catch up.
 */
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "workload.h"

#ifndef CLONE_NEWCGROUP
#define CLONE_NEWCGROUP 0x02000000
#endif

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* uids that no person, service or container uses, some for each kind of work. */
#define TRAFFIC_UID	1900000900U

static const char * const dirs[] = { "/", "/dev", "/proc", "/sys", "/tmp", "/run" };
#define NR_DIRS ARRAY_SIZE(dirs)

static void become(uid_t uid)
{
	must(!setresuid(-1, uid, 0), "setresuid");
}

static unsigned int slow = 1;

static void linger(unsigned int round)
{
	usleep(rand() % 1000 * (round % 4 == 3 ? 500 : 5) * slow);
}

static void watch_some(unsigned int nr)
{
	int fd = inotify_init1(IN_CLOEXEC);
	unsigned int i;

	must(fd >= 0, "inotify_init1");
	for (i = 0; i < nr; i++)
		must(inotify_add_watch(fd, dirs[i], IN_DELETE_SELF) >= 0, "inotify_add_watch");
}

static void watches_child(unsigned int round)
{
	become(TRAFFIC_UID + round % 3);
	watch_some(round % (NR_DIRS + 1));
	watch_some(1);
	linger(round);
}

static void watches(unsigned int round)
{
	in_child(watches_child, round);
}

/* It refuses an invalid flag, if the kernel has it. */
static bool has_fanotify(void)
{
	return fanotify_init(~0U, 0) < 0 && errno == EINVAL;
}

static void marks(unsigned int round)
{
	int fd = fanotify_init(FAN_CLASS_NOTIF, 0);
	unsigned int i;

	if (fd < 0 && !has_fanotify()) {
		linger(round);
		return;
	}
	must(fd >= 0, "fanotify_init");
	for (i = 0; i < NR_DIRS; i++)
		must(!fanotify_mark(fd, FAN_MARK_ADD, FAN_OPEN, -1, dirs[i]), "fanotify_mark");
	linger(round);
	must(!fanotify_mark(fd, FAN_MARK_REMOVE, FAN_OPEN, -1, dirs[0]), "fanotify_mark");
	close(fd);
}

static void write_map(const char *path, const char *map)
{
	int fd = open(path, O_WRONLY);

	must(fd >= 0 && write(fd, map, strlen(map)) == (ssize_t)strlen(map), path);
	close(fd);
}

/* A process without uid and gid mappings could not create a nested user namespace. */
static void become_root_inside(void)
{
	char map[32];

	must(!prctl(PR_SET_DUMPABLE, 1), "prctl");
	snprintf(map, sizeof(map), "0 %u 1", geteuid());
	must(!unshare(CLONE_NEWUSER), "unshare");
	write_map("/proc/self/setgroups", "deny");
	write_map("/proc/self/uid_map", map);
	write_map("/proc/self/gid_map", "0 0 1");
}

static void userns_child(unsigned int round)
{
	become(TRAFFIC_UID + 10 + round % 3);
	become_root_inside();
	watch_some(2);
	must(!unshare(CLONE_NEWUTS | CLONE_NEWNS), "unshare");
	must(!unshare(CLONE_NEWUSER | CLONE_NEWIPC), "unshare");
	watch_some(1);
	linger(round);
}

static void user_namespaces(unsigned int round)
{
	in_child(userns_child, round);
}

static void namespaces_child(unsigned int round)
{
	must(!unshare(CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP),
	     "unshare");
	in_child(linger, round);
}

static void namespaces(unsigned int round)
{
	in_child(namespaces_child, round);
}

static void mounts_child(unsigned int round)
{
	unsigned int i;

	must(!unshare(CLONE_NEWNS), "unshare");
	must(!mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), "mount");
	for (i = 0; i < 3 + round % 5; i++)
		must(!mount("traffic", "/tmp", "tmpfs", 0, NULL), "mount");
	linger(round);
	must(!umount2("/tmp", MNT_DETACH), "umount2");
}

static void mounts(unsigned int round)
{
	in_child(mounts_child, round);
}

/* Mounts in the mount namespace that all workers start in. */
static void mounts_here(unsigned int round)
{
	char dir[] = "/tmp/traffic.XXXXXX";

	must(mkdtemp(dir), "mkdtemp");
	must(!mount("traffic", dir, "tmpfs", 0, NULL), "mount");
	linger(round % 3);
	must(!umount(dir), "umount");
	must(!rmdir(dir), "rmdir");
}

static void limits_child(unsigned int round)
{
	struct mq_attr attr = { .mq_maxmsg = 2, .mq_msgsize = 64 };
	union sigval value = { .sival_int = 0 };
	size_t size = 4 * sysconf(_SC_PAGESIZE);
	int memory;
	sigset_t blocked;
	char name[32];
	mqd_t queue;

	must(!setresuid(TRAFFIC_UID + 20, TRAFFIC_UID + 20, 0), "setresuid");
	memory = shmget(IPC_PRIVATE, size, 0600);
	must(memory >= 0 && !shmctl(memory, SHM_LOCK, NULL), "shmctl");
	snprintf(name, sizeof(name), "/traffic.%d", getpid());
	queue = mq_open(name, O_CREAT | O_RDWR, 0600, &attr);
	must(queue >= 0, "mq_open");
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	must(!sigqueue(getpid(), SIGRTMIN, value), "sigqueue");
	linger(round);
	must(!mq_unlink(name), "mq_unlink");
	must(!shmctl(memory, IPC_RMID, NULL), "shmctl");
}

static void limits(unsigned int round)
{
	in_child(limits_child, round);
}

/* Short-lived processes that do nothing else. */
static void processes(unsigned int round)
{
	unsigned int nr = 1 + round % 5, i;

	for (i = 0; i < nr; i++) {
		if (!ucv_fork()) {
			linger(round);
			_exit(0);
		}
	}
	while (wait(NULL) > 0)
		;
}

static void (* const works[])(unsigned int round) = {
	watches, watches, marks, user_namespaces, user_namespaces, namespaces, mounts, mounts_here,
	limits, processes,
};

#define NR_WORKS ARRAY_SIZE(works)

static struct shared {
	bool stop;
	unsigned int rounds[NR_WORKS];
} *shared;

static pid_t workers[NR_WORKS];

static void work(unsigned int nth, bool once)
{
	srand(nth);
	do {
		works[nth](shared->rounds[nth]);
		shared->rounds[nth]++;
	} while (!once && !__atomic_load_n(&shared->stop, __ATOMIC_RELAXED));
	_exit(0);
}

static void start(bool once)
{
	unsigned int i;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	must(shared != MAP_FAILED, "mmap");
	for (i = 0; i < NR_WORKS; i++) {
		workers[i] = ucv_fork();
		must(workers[i] >= 0, "fork");
		if (!workers[i])
			work(i, once);
	}
}

static int wait_for_all(void)
{
	int status, failed = 0;

	while (wait(&status) > 0)
		failed |= status != 0;
	return failed;
}

static int stop_all(void)
{
	int failed = 0;
	unsigned int i;

	for (i = 0; i < NR_WORKS; i++) {
		printf("%u: %u\n", i, shared->rounds[i]);
		failed |= shared->rounds[i] < 2;
	}
	__atomic_store_n(&shared->stop, true, __ATOMIC_RELAXED);
	return failed | wait_for_all();
}

int main(int argc, char **argv)
{
	bool once = argc == 2 && !strcmp(argv[1], "once");
	sigset_t term;
	int sig;

	if (getenv("UCV_LINGER"))
		slow = strtoul(getenv("UCV_LINGER"), NULL, 10);
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	if (!once)
		sigprocmask(SIG_BLOCK, &term, NULL);
	start(once);
	if (once)
		return wait_for_all();
	sigwait(&term, &sig);
	return stop_all();
}
