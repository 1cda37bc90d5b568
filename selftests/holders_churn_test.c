// SPDX-License-Identifier: GPL-2.0
/*
 * Holders under churn: groups are created, filled, emptied, duplicated, inherited, passed
 * through sockets and closed, in namespaces that are destroyed with them and by threads with
 * their own file tables. Each snapshot must be consistent and must show exactly what does not
 * change: three groups with their holders, and one group in flight in a socket. At the end
 * every charge must have been uncharged.
 *
 * UCV_CHURN=N multiplies the number of snapshots and may be a fraction (0.1).
 *
 * The workers run until the readers are done, so nothing depends on timing.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <linux/securebits.h>

#include "kselftest_harness.h"
#include "ucv_holders.h"

#define NR_FILES	1200
#define NR_SNAPSHOTS	150
#define NR_TEXTS	40
#define NR_READERS	3

#define CONSTANT_UID	(UCV_UID + 600)
#define FLIGHT_UID	(UCV_UID + 601)
#define CHURN_UID	(UCV_UID + 610)
#define NR_CHURN_UIDS	16
#define WATCHES		21
#define MARKS		13
#define MANY_MARKS	1100	/* more than the module counts individually */
#define IN_FLIGHT	9

/* What does not change. Readers and workers inherit this. */
struct constant {
	unsigned int init;
	pid_t parent;
	pid_t child;
	int inotify;
	int fanotify;
	int many;		/* also fanotify, with MANY_MARKS */
};

FIXTURE(holders_churn) {
	char dir[64];
	struct constant constant;
	struct ucv_agent agent;
	pid_t worker[10];
	unsigned int nr_workers;
	pid_t reader[NR_READERS];
	unsigned int nr_readers;
};

static void must(bool done)
{
	if (!done)
		_exit(1);
}

static void become(unsigned int uid)
{
	must(!setresuid(-1, 0, -1) && !setresuid(-1, uid, -1));
}

static int watcher(const char *dir, long nr)
{
	int fd = inotify_init1(IN_NONBLOCK);
	char path[PATH_MAX];
	long i;

	for (i = 0; i < nr && fd >= 0; i++) {
		snprintf(path, sizeof(path), "%s/%ld", dir, i);
		inotify_add_watch(fd, path, IN_MODIFY);
	}
	return fd;
}

static void mark(int fd, unsigned int flags, const char *dir, long first, long nr)
{
	char path[PATH_MAX];
	long i;

	for (i = 0; i < nr; i++) {
		snprintf(path, sizeof(path), "%s/%ld", dir, first + i);
		fanotify_mark(fd, flags, FAN_OPEN, AT_FDCWD, path);
	}
}

static int marker(const char *dir, long nr)
{
	int fd = fanotify_init(FAN_CLASS_NOTIF | FAN_NONBLOCK, O_RDONLY);

	if (fd >= 0)
		mark(fd, FAN_MARK_ADD, dir, 0, nr);
	return fd;
}

/* Workers, each in its own process, which is killed at the end. */

/* Groups that are created, filled and closed, by users that other workers share. */
static void churn_inotify(const char *dir)
{
	unsigned int n;

	for (n = 0;; n++) {
		become(CHURN_UID + n % 4);
		close(watcher(dir, n % 11));
	}
}

/* Some groups that live longer: a new one often reuses the memory of one just freed. */
static void churn_ring(const char *dir)
{
	int fd[32] = {};
	unsigned int n, i;

	for (n = 0;; n++) {
		i = n % ARRAY_SIZE(fd);
		if (fd[i] > 0)
			close(fd[i]);
		become(CHURN_UID + 4 + n % 3);
		fd[i] = watcher(dir, n % 3);
	}
}

/* All ways to empty a group, some of which move its marks to another list. */
static void churn_fanotify(const char *dir)
{
	static const unsigned int flush[] = { 0, FAN_MARK_MOUNT };
	unsigned int n;
	int fd;

	for (n = 0;; n++) {
		become(0);
		fd = marker(dir, n % 40);
		mark(fd, FAN_MARK_ADD | FAN_MARK_MOUNT, dir, 0, 1);
		if (n % 3)
			fanotify_mark(fd, FAN_MARK_FLUSH | flush[n & 1], 0, AT_FDCWD, dir);
		close(fd);
	}
}

/* A group whose size varies around the limit of counting marks individually. */
static void churn_large(const char *dir)
{
	unsigned int n;
	int fd;

	become(0);
	fd = marker(dir, 1000);
	must(fd >= 0);
	for (n = 0;; n++)
		mark(fd, n & 1 ? FAN_MARK_REMOVE : FAN_MARK_ADD, dir, 1000, 100);
}

/* Watches of one group, added and removed by threads. */
struct changer {
	const char *dir;
	int fd;
};

static void *change_watches(void *arg)
{
	const struct changer *changer = arg;
	char path[PATH_MAX];
	unsigned int n;
	int wd;

	for (n = 0;; n++) {
		snprintf(path, sizeof(path), "%s/%u", changer->dir, n % 200);
		wd = inotify_add_watch(changer->fd, path, IN_MODIFY);
		inotify_rm_watch(changer->fd, wd);
	}
	return NULL;
}

/* Threads that unshare the file table, open files and exit. */
static void *own_table(void *arg)
{
	int fd;

	if (unshare(CLONE_FILES))
		return NULL;
	fd = watcher(arg, 3);
	if (fd >= 0)
		close(dup(fd));
	return NULL;
}

static void churn_threads(const char *dir)
{
	struct changer changer = { .dir = dir };
	pthread_t thread[4];
	unsigned int i;

	become(CHURN_UID + 8);
	changer.fd = watcher(dir, 100);
	for (i = 0; i < 2; i++)
		must(!pthread_create(&thread[i], NULL, change_watches, &changer));
	for (;;) {
		for (i = 0; i < ARRAY_SIZE(thread); i++)
			must(!pthread_create(&thread[i], NULL, own_table, (void *)dir));
		for (i = 0; i < ARRAY_SIZE(thread); i++)
			pthread_join(thread[i], NULL);
	}
}

/* Children that inherit a descriptor and briefly outlive the parent's. */
static void churn_fork(const char *dir)
{
	unsigned int n;
	pid_t pid;
	int fd;

	for (n = 0;; n++) {
		become(CHURN_UID + 9);
		fd = watcher(dir, 5);
		pid = fork();
		if (!pid) {
			fcntl(fd, F_DUPFD, 100 + n % 100);
			_exit(0);
		}
		close(fd);
		if (pid > 0)
			waitpid(pid, NULL, 0);
	}
}

/* A namespace that is destroyed with the last descriptor in it. */
static void churn_userns(const char *dir)
{
	pid_t pid;

	for (;;) {
		pid = fork();
		if (!pid) {
			become(CHURN_UID + 10);
			must(!unshare(CLONE_NEWUSER));
			watcher(dir, 4);
			_exit(0);
		}
		if (pid > 0)
			waitpid(pid, NULL, 0);
	}
}

/* Sends a descriptor through a socket that is closed with it. */
static void drop_in_flight(int fd)
{
	int pair[2];

	must(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	must(!ucv_send_fd(pair[0], fd));
	close(fd);
	close(pair[0]);
	close(pair[1]);
}

static void send_back(int sock)
{
	int fd;

	while ((fd = ucv_receive_fd(sock)) >= 0) {
		ucv_send_fd(sock, fd);
		close(fd);
	}
	_exit(0);
}

/* Groups that are passed back and forth, and sometimes dropped while in flight. */
static void churn_pass(const char *dir)
{
	unsigned int n;
	int pair[2], fd;
	pid_t pid;

	become(CHURN_UID + 11);
	must(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	pid = ucv_fork();
	must(pid >= 0);
	if (!pid) {
		close(pair[0]);
		send_back(pair[1]);
	}
	close(pair[1]);
	for (n = 0;; n++) {
		fd = watcher(dir, 2);
		must(!ucv_send_fd(pair[0], fd));
		close(fd);
		fd = ucv_receive_fd(pair[0]);
		if (n % 4)
			close(fd);
		else
			drop_in_flight(fd);
	}
}

static void (*const workers[])(const char *dir) = {
	churn_inotify, churn_ring, churn_threads, churn_fork, churn_userns, churn_pass,
	churn_fanotify, churn_large,
};

#define NR_FANOTIFY	2	/* the last of them need it */

/* Readers. On a failure they print it on standard error and exit with 1. */

static const char *check_one(const struct ucv_held *held,
			     const struct constant *constant, int fd,
			     unsigned long long marks, unsigned int flags)
{
	const struct ucv_group *parent, *child;

	parent = ucv_group_held(held, constant->parent, 0, fd);
	child = ucv_group_held(held, constant->child, 0, fd);
	if (!parent || !child)
		return "a constant holder is missing";
	if (parent != child)
		return "a constant group is there twice";
	if (parent->nr_holders != 2)
		return "a constant group has not two holders";
	if (parent->marks != marks)
		return "a constant number of marks has changed";
	if (parent->flags != flags)
		return "a constant group's flags have changed";
	if (parent->uid != CONSTANT_UID)
		return "a constant uid has changed";
	if (held->table.userns[parent->userns].inum != constant->init)
		return "a constant namespace has changed";
	return NULL;
}

static const char *check_left(const struct ucv_held *held, const struct constant *constant)
{
	if (ucv_left(held, constant->init, FLIGHT_UID, "inotify_watches") !=
	    IN_FLIGHT ||
	    ucv_left(held, constant->init, FLIGHT_UID, "inotify_instances") != 1)
		return "what is in flight is not left";
	if (ucv_left(held, constant->init, CONSTANT_UID, "inotify_watches") ||
	    ucv_left(held, constant->init, CONSTANT_UID, "inotify_instances"))
		return "something constant is left";
	return NULL;
}

static const char *check_held(const struct ucv_held *held, const struct constant *constant)
{
	const char *bad;

	bad = check_one(held, constant, constant->inotify, WATCHES, 0);
	if (!bad && constant->fanotify >= 0)
		bad = check_one(held, constant, constant->fanotify, MARKS, 0);
	if (!bad && constant->fanotify >= 0)
		bad = check_one(held, constant, constant->many, MANY_MARKS, UCV_GROUP_LAGGING);
	if (!bad)
		bad = check_left(held, constant);
	if (!bad)
		bad = ucv_held_inconsistent(held); /* sorts the holders */
	return bad && *bad ? bad : NULL;
}

static const char *read_snapshots(const struct constant *constant)
{
	const char *bad = NULL;
	struct ucv_held held;
	int fd = ucv_open();
	long n;

	for (n = ucv_churn(NR_SNAPSHOTS); n && !bad; n--) {
		if (ucv_held_take_from(fd, &held))
			return "a snapshot failed";
		bad = check_held(&held, constant);
		ucv_held_free(&held);
	}
	close(fd);
	return bad;
}

/* The lines of the constant groups must be the same each time. */
static const char *read_texts(const struct constant *constant)
{
	char holder[64], left[96], *text;
	const char *bad = NULL;
	long n;

	snprintf(holder, sizeof(holder), " %u 0 %u %u - %d - %d ",
		 constant->init, CONSTANT_UID, WATCHES, constant->inotify,
		 constant->child);
	snprintf(left, sizeof(left),
		 "\n- inotify_watches %u 0 %u %u unattributed ",
		 constant->init, FLIGHT_UID, IN_FLIGHT);
	for (n = ucv_has_debugfs() ? ucv_churn(NR_TEXTS) : 0; n && !bad; n--) {
		text = ucv_slurp(UCV_DEBUGFS "/holders", NULL);
		if (!text || !strstr(text, holder) || !strstr(text, left))
			bad = "debugfs: a constant line is missing";
		free(text);
	}
	return bad;
}

static pid_t start_reader(const char *(*reader)(const struct constant *),
			  const struct constant *constant)
{
	const char *bad;
	pid_t pid = fork();

	if (pid)
		return pid;
	bad = reader(constant);
	if (bad)
		fprintf(stderr, "# %s\n", bad);
	_exit(bad ? 1 : 0);
}

/* In the agent */

static long do_put_in_flight(struct ucv_call *call)
{
	become(FLIGHT_UID);
	return ucv_launch(watcher(call->text, IN_FLIGHT));
}

static long do_constant_inotify(struct ucv_call *call)
{
	become(CONSTANT_UID);
	return watcher(call->text, WATCHES);
}

static long do_constant_fanotify(struct ucv_call *call)
{
	become(CONSTANT_UID);
	return marker(call->text, call->a);
}

FIXTURE_SETUP(holders_churn)
{
	struct constant *constant = &self->constant;
	struct ucv_agent *agent = &self->agent;

	if (!ucv_feature(UCV_FEATURE_GROUPS))
		SKIP(return, "the module cannot walk groups here");
	constant->init = ucv_userns_of(getpid());
	ASSERT_EQ(0, ucv_make_files(self->dir, sizeof(self->dir), NR_FILES));
	ASSERT_EQ(0, ucv_agent_start(agent));
	ASSERT_EQ(0, ucv_agent_call(agent, ucv_do_keep_caps, 0, 0, 0));
	ASSERT_EQ(0, ucv_agent_text(agent, do_put_in_flight, self->dir, 0, 0, 0));
	constant->parent = agent->pid;
	constant->inotify = ucv_agent_text(agent, do_constant_inotify, self->dir, 0, 0, 0);
	ASSERT_LE(0, constant->inotify);
	constant->fanotify = ucv_agent_text(agent, do_constant_fanotify, self->dir, MARKS, 0, 0);
	ASSERT_EQ(ucv_has_fanotify(), constant->fanotify >= 0);
	constant->many = ucv_agent_text(agent, do_constant_fanotify, self->dir, MANY_MARKS, 0, 0);
	constant->child = ucv_agent_call(agent, ucv_do_fork, 1, 0, 0);
	ASSERT_LT(0, constant->child);
}

FIXTURE_TEARDOWN(holders_churn)
{
	unsigned int i;

	ucv_kill_all(self->worker, self->nr_workers);
	ucv_kill_all(self->reader, self->nr_readers);
	ucv_agent_stop(&self->agent);
	ucv_remove_files(self->dir, NR_FILES);
	/* All references that snapshots took have been put. */
	for (i = 0; i < NR_CHURN_UIDS; i++)
		EXPECT_TRUE(UCV_SOON(!ucv_row_now(self->constant.init, CHURN_UID + i)));
	EXPECT_TRUE(UCV_SOON(!ucv_row_now(self->constant.init, CONSTANT_UID)));
	EXPECT_TRUE(UCV_SOON(!ucv_row_now(self->constant.init, FLIGHT_UID)));
}

UCV_TEST_F(holders_churn, holders_are_consistent_while_processes_churn)
{
	unsigned int i, nr = ARRAY_SIZE(workers);
	int status;

	if (self->constant.fanotify < 0)
		nr -= NR_FANOTIFY;
	for (i = 0; i < nr; i++) {
		pid_t pid = fork();

		if (!pid) {
			must(!prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP));
			workers[i](self->dir);
			_exit(0);
		}
		self->worker[self->nr_workers++] = pid;
	}
	for (i = 0; i < NR_READERS; i++)
		self->reader[self->nr_readers++] =
			start_reader(i ? read_snapshots : read_texts, &self->constant);
	while (self->nr_readers) {
		ASSERT_EQ(self->reader[self->nr_readers - 1],
			  waitpid(self->reader[self->nr_readers - 1], &status,
				  0));
		self->nr_readers--;
		EXPECT_EQ(0, status);
	}
	/* No worker gave up, so the readers did run under churn. */
	for (i = 0; i < self->nr_workers; i++)
		EXPECT_EQ(0, waitpid(self->worker[i], NULL, WNOHANG));
}

TEST_HARNESS_MAIN
