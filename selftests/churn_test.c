// SPDX-License-Identifier: GPL-2.0
/*
 * Snapshots under churn: user namespaces, inotify instances and watches are created and
 * destroyed on all CPUs, while several readers take snapshots through the device and
 * debugfs. Each snapshot must be consistent and must have the one row that does not change
 * exactly once, with its exact counters.
 *
 * UCV_CHURN=N multiplies the number of snapshots and may be a fraction. The workers run until
 * the readers are done, so nothing depends on timing.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/mman.h>

#include "kselftest_harness.h"
#include "ucv_test.h"

#define NR_FILES	40
#define NR_READERS	3
#define NR_SNAPSHOTS	200
#define NR_TEXTS	50

/* The constant row: three instances and 21 watches, in a user namespace. */
#define CONSTANT_UID	(UCV_UID + 300)
#define INSTANCES	3
#define WATCHES		21

FIXTURE(churn) {
	char dir[64];
	struct ucv_agent constant;
	unsigned int init;
	unsigned int inum;	/* the namespace of the constant row */
	pid_t worker[8];
	unsigned int nr_workers;
	pid_t reader[2 * NR_READERS];
	unsigned int nr_readers;
};

FIXTURE_SETUP(churn)
{
	char map[64];

	self->init = ucv_userns_of(getpid());
	ASSERT_EQ(0, ucv_make_files(self->dir, sizeof(self->dir), NR_FILES));
	ASSERT_EQ(0, ucv_agent_start(&self->constant));
	ASSERT_EQ(0, ucv_agent_call(&self->constant, ucv_do_uids, -1, CONSTANT_UID, 0));
	snprintf(map, sizeof(map), "0 %u 1", CONSTANT_UID + 1);
	ASSERT_EQ(0, ucv_agent_userns(&self->constant, NULL, map));
	ASSERT_EQ(0, ucv_agent_call(&self->constant, ucv_do_uids, 0, 0, 0));
	ASSERT_EQ(0, ucv_agent_call(&self->constant, ucv_do_inotify, INSTANCES, 0, 0));
	ASSERT_EQ(WATCHES, ucv_agent_text(&self->constant, ucv_do_watch, self->dir, 1, 0, WATCHES));
	self->inum = ucv_userns_of(self->constant.pid);
}

FIXTURE_TEARDOWN(churn)
{
	ucv_kill_all(self->worker, self->nr_workers);
	ucv_kill_all(self->reader, self->nr_readers);
	ucv_agent_stop(&self->constant);
	ucv_remove_files(self->dir, NR_FILES);
	EXPECT_TRUE(UCV_SOON(!ucv_row_now(self->init, CONSTANT_UID)));
}

/* Workers, each in its own process, which is killed at the end. */

/* Instances and watches of four users, which other workers share. */
static void churn_inotify(const char *dir)
{
	char path[128];
	unsigned int i, n = 0;
	int fd;

	for (;; n++) {
		if (setresuid(-1, UCV_UID + 310 + n % 4, 0))
			_exit(1);
		fd = inotify_init1(IN_CLOEXEC);
		for (i = 0; i < n % 11; i++) {
			snprintf(path, sizeof(path), "%s/%u", dir, i);
			inotify_add_watch(fd, path, IN_MODIFY);
		}
		close(fd);
		if (setresuid(-1, 0, -1))
			_exit(1);
	}
}

/* A user namespace with an instance, a watch and a UTS namespace, until the exit. */
static void one_userns(unsigned int uid)
{
	int fd;

	if (setresuid(-1, uid, 0) || unshare(CLONE_NEWUSER))
		_exit(1);
	fd = inotify_init1(IN_CLOEXEC);
	inotify_add_watch(fd, "/", IN_MODIFY);
	unshare(CLONE_NEWUTS);
	_exit(0);
}

static void churn_userns(const char *dir)
{
	unsigned int n = 0;
	pid_t pid;

	(void)dir;
	for (;; n++) {
		pid = fork();
		if (!pid)
			one_userns(UCV_UID + 320 + n % 8);
		if (pid > 0)
			waitpid(pid, NULL, 0);
	}
}

/* A new row each time, so that the table itself grows and shrinks. */
static void churn_rows(const char *dir)
{
	static int fd[256];
	unsigned int n = 0, i;

	(void)dir;
	for (;; n++) {
		i = n % 256;
		if (fd[i] > 0)
			close(fd[i]);
		if (setresuid(-1, UCV_UID + 400 + n % 1000, 0))
			_exit(1);
		fd[i] = inotify_init1(IN_CLOEXEC);
		if (setresuid(-1, 0, -1))
			_exit(1);
	}
}

static pid_t start(void (*work)(const char *dir), const char *dir)
{
	pid_t pid = fork();

	if (!pid) {
		work(dir);
		_exit(0);
	}
	return pid;
}

/* Readers. On a failure they print it on standard error and exit with 1. */

static const char *check_constant(const struct ucv_table *table, unsigned int inum)
{
	int instances = ucv_resource(table, "inotify_instances");
	int watches = ucv_resource(table, "inotify_watches");
	const struct ucv_ucounts *row;
	unsigned int i, found = 0;

	for (i = 0; i < table->nr_rows; i++) {
		row = &table->rows[i];
		if (table->userns[row->userns].inum != inum || row->uid != CONSTANT_UID + 1)
			continue;
		found++;
		if (row->used[instances] != INSTANCES)
			return "a constant number of instances has changed";
		if (row->used[watches] != WATCHES)
			return "a constant number of watches has changed";
		if (row->uid_in_ns && row->uid_in_ns != UCV_UID_UNMAPPED)
			return "a constant uid has changed";
		if (table->userns[row->userns].level != 1)
			return "a constant level has changed";
		if (table->userns[row->userns].owner != CONSTANT_UID)
			return "a constant owner has changed";
	}
	return found == 1 ? "" : "a constant row is not there once";
}

static const char *check_above(const struct ucv_table *table, unsigned int init)
{
	if (ucv_used(table, init, CONSTANT_UID, "inotify_watches") != WATCHES)
		return "what is charged above has changed";
	if (ucv_used(table, init, CONSTANT_UID, "user_namespaces") != 1)
		return "the owner's namespace is not there once";
	return "";
}

static const char *check_snapshot(int fd, unsigned int init, unsigned int inum)
{
	struct ucv_table table;
	const char *bad;
	int ret;

	ret = ucv_take_from(fd, &table);
	if (ret)
		return strerror(-ret);
	bad = ucv_inconsistent(&table);
	if (!*bad)
		bad = check_constant(&table, inum);
	if (!*bad)
		bad = check_above(&table, init);
	ucv_free(&table);
	return bad;
}

static const char *read_snapshots(unsigned int init, unsigned int inum)
{
	long n = ucv_churn(NR_SNAPSHOTS);
	const char *bad = "";
	int fd = ucv_open();

	while (n-- && !*bad)
		bad = check_snapshot(fd, init, inum);
	close(fd);
	return bad;
}

static const char *check_text(unsigned int init, unsigned int inum)
{
	const struct ucv_text_row *watches, *above;
	const char *bad = "";
	struct ucv_text text;
	int ret;

	ret = ucv_text_take(&text);
	if (ret)
		return strerror(-ret);
	watches = ucv_text_row(&text, inum, CONSTANT_UID + 1, "inotify_watches");
	above = ucv_text_row(&text, init, CONSTANT_UID, "inotify_watches");
	if (!watches || watches->used != WATCHES || watches->level != 1)
		bad = "debugfs: a constant row is not as it was";
	if (!above || above->used != WATCHES || above->level)
		bad = "debugfs: what is charged above is not as it was";
	ucv_text_free(&text);
	return bad;
}

static const char *read_texts(unsigned int init, unsigned int inum)
{
	long n = ucv_has_debugfs() ? ucv_churn(NR_TEXTS) : 0;
	const char *bad = "";

	while (n-- && !*bad)
		bad = check_text(init, inum);
	return bad;
}

static pid_t start_reader(const char *(*reader)(unsigned int, unsigned int),
			  unsigned int init, unsigned int inum)
{
	const char *bad;
	pid_t pid = fork();

	if (pid)
		return pid;
	bad = reader(init, inum);
	if (*bad)
		fprintf(stderr, "# %s\n", bad);
	_exit(*bad ? 1 : 0);
}

UCV_TEST_F(churn, snapshots_are_consistent_while_processes_churn)
{
	unsigned int i;
	int status;

	self->worker[self->nr_workers++] = start(churn_inotify, self->dir);
	self->worker[self->nr_workers++] = start(churn_inotify, self->dir);
	self->worker[self->nr_workers++] = start(churn_userns, self->dir);
	self->worker[self->nr_workers++] = start(churn_userns, self->dir);
	self->worker[self->nr_workers++] = start(churn_rows, self->dir);
	for (i = 0; i < NR_READERS; i++) {
		self->reader[self->nr_readers++] =
			start_reader(read_snapshots, self->init, self->inum);
		self->reader[self->nr_readers++] =
			start_reader(read_texts, self->init, self->inum);
	}
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

/*
 * Threads that share one open file: a snapshot is replaced while other threads read it. A
 * read returns records of one of the snapshots taken, never anything else.
 */
struct shared {
	int fd;
	long snapshots;
	const char *bad;
};

static void *replace_snapshots(void *arg)
{
	struct shared *shared = arg;
	struct ucv_snapshot snapshot;
	long n;

	for (n = 0; n < shared->snapshots; n++)
		if (ucv_snapshot(shared->fd, UCV_ALL_KINDS, &snapshot))
			shared->bad = "a snapshot failed";
	return NULL;
}

static const char *check_shared(int fd)
{
	static __thread struct ucv_ucounts rows[64];
	struct ucv_read read;
	unsigned int i;

	if (ucv_read(fd, UCV_KIND_UCOUNTS, sizeof(rows[0]), 0, rows, sizeof(rows), &read))
		return "a read failed";
	if (!read.nr || read.nr > read.total)
		return "there are no records";
	for (i = 0; i < read.nr; i++)
		if (rows[i].reserved[0] || rows[i].reserved[1])
			return "a record is garbage";
	return NULL;
}

static void *read_shared(void *arg)
{
	struct shared *shared = arg;
	const char *bad;
	long n;

	for (n = 0; n < shared->snapshots; n++) {
		bad = check_shared(shared->fd);
		if (bad)
			shared->bad = bad;
	}
	return NULL;
}

UCV_TEST_F(churn, threads_share_one_file)
{
	struct shared shared = { .snapshots = ucv_churn(300) };
	struct ucv_snapshot snapshot;
	pthread_t thread[6];
	unsigned int i;

	self->worker[self->nr_workers++] = start(churn_rows, self->dir);
	shared.fd = ucv_open();
	ASSERT_LE(0, shared.fd);
	ASSERT_EQ(0, ucv_snapshot(shared.fd, UCV_ALL_KINDS, &snapshot));
	for (i = 0; i < ARRAY_SIZE(thread); i++)
		ASSERT_EQ(0, pthread_create(&thread[i], NULL,
					    i % 2 ? read_shared :
						    replace_snapshots,
					    &shared));
	for (i = 0; i < ARRAY_SIZE(thread); i++)
		pthread_join(thread[i], NULL);
	EXPECT_EQ(NULL, shared.bad)
		TH_LOG("%s", shared.bad);
	close(shared.fd);
}

TEST_HARNESS_MAIN
