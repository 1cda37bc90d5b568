// SPDX-License-Identifier: GPL-2.0
/*
 * Mount namespaces under churn: workers create hundreds and pin them by a process, an open
 * file or a bind mount, while several readers take snapshots. Each snapshot must be consistent
 * and must have the namespaces that do not change exactly once, with their exact numbers. At
 * the end everything is as before.
 *
 * UCV_CHURN=N multiplies the number of namespaces and of snapshots and may be a fraction.
 *
 * Workers run until the readers are done and vice versa, so nothing depends on timing.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "kselftest_harness.h"
#include "ucv_mounts.h"

#define NR_READERS	4
#define NR_WORKERS	3
#define NR_MADE		500	/* namespaces, by all workers */
#define NR_SNAPSHOTS	100	/* by each reader */
#define NR_TEXTS	10	/* by each reader, of debugfs */

/* Namespaces that a worker pins at a time: all workers together pin more than one batch. */
#define RING		100

#define CHURN_UID	(UCV_UID + 600)
#define EXTRA		5	/* maximum number of additional mounts */

/* What does not change: one namespace pinned in each way. */
#define NR_CONSTANT	3

struct constant {
	unsigned int inum;
	__u64 id;
	unsigned int mounts;
	bool process;
};

/* Shared by all processes of the test. */
static struct shared {
	struct constant constant[NR_CONSTANT];
	unsigned int init;	/* the initial user namespace */
	unsigned int base;	/* mounts in a new namespace */
	unsigned int made;
	unsigned int readers_done;
	unsigned int workers_full;
	unsigned int failed;
	unsigned int largest;	/* number of namespaces in a snapshot */
} *shared;

FIXTURE(mounts_churn) {
	char dir[64];
	struct ucv_agent agent[NR_CONSTANT];
	int constant_fd;
	struct ucv_mntns_table start;
	long long charged;	/* mount namespaces of root */
	pid_t worker[NR_WORKERS];
	pid_t reader[NR_READERS];
};

static unsigned int get(unsigned int *number)
{
	return __atomic_load_n(number, __ATOMIC_RELAXED);
}

static void count(unsigned int *number)
{
	__atomic_add_fetch(number, 1, __ATOMIC_RELAXED);
}

/* A worker pins fewer than RING if fewer are to be created. */
static long ring(void)
{
	const long share = ucv_churn(NR_MADE) / NR_WORKERS;

	return share < 1 ? 1 : share < RING ? share : RING;
}

static bool enough_made(void)
{
	return get(&shared->failed) || get(&shared->made) >= ucv_churn(NR_MADE);
}

static bool workers_may_end(void)
{
	return enough_made() && get(&shared->readers_done) == NR_READERS;
}

static bool readers_may_end(void)
{
	return get(&shared->failed) ||
	       (enough_made() && get(&shared->workers_full) == NR_WORKERS);
}

/* Workers. On a failure they print it on standard error and exit with 1. */

static void must(bool fine, const char *what)
{
	if (fine)
		return;
	fprintf(stderr, "# worker: %s: %s\n", what, strerror(errno));
	count(&shared->failed);
	_exit(1);
}

/* Enters a new mount namespace, charged to @uid, and makes the bind mounts of @call. */
static void live_in_mntns(struct ucv_call *call, unsigned int uid, pid_t parent)
{
	struct ucv_call none = {};

	must(!ucv_do_keep_caps(&none), "prctl");
	must(!setresuid(-1, uid, -1), "setresuid");
	ucv_end_with(parent);
	must(!ucv_do_new_mntns(&none), "unshare");
	must(ucv_do_bind(call) == call->a, "mount");
}

/* Starts a process in its own mount namespace and waits until that is set up. */
static pid_t make_mntns(const char *dir, long number)
{
	struct ucv_call call = { .a = number % (EXTRA + 1) };
	const pid_t self = getpid();
	int pair[2];
	char byte = 0;
	pid_t pid;

	snprintf(call.text, sizeof(call.text), "%s", dir);
	must(!pipe2(pair, O_CLOEXEC), "pipe");
	pid = ucv_fork();
	must(pid >= 0, "fork");
	if (!pid) {
		live_in_mntns(&call, CHURN_UID + number % 3, self);
		must(write(pair[1], &byte, 1) == 1, "write");
		for (;;)
			pause();
	}
	close(pair[1]);
	must(read(pair[0], &byte, 1) == 1, "the process ended");
	close(pair[0]);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* How a namespace is pinned; hold() returns what release() takes as held. */
struct way {
	long (*hold)(const char *dir, long slot, long number);
	void (*release)(const char *dir, long slot, long held);
};

static long hold_process(const char *dir, long slot, long number)
{
	(void)slot;
	return make_mntns(dir, number);
}

static void release_process(const char *dir, long slot, long held)
{
	(void)dir;
	(void)slot;
	end(held);
}

static long hold_fd(const char *dir, long slot, long number)
{
	pid_t pid = make_mntns(dir, number);
	int fd = ucv_mntns_open(pid, number % 2 ? O_PATH : O_RDONLY);

	(void)slot;
	must(fd >= 0, "open");
	end(pid);
	return fd;
}

static void release_fd(const char *dir, long slot, long held)
{
	(void)dir;
	(void)slot;
	close(held);
}

static long hold_bind(const char *dir, long slot, long number)
{
	pid_t pid = make_mntns(dir, number);
	char from[64], to[128];

	snprintf(from, sizeof(from), "/proc/%d/ns/mnt", pid);
	snprintf(to, sizeof(to), "%s/%ld", dir, slot);
	must(!mount(from, to, NULL, MS_BIND, NULL), "mount");
	end(pid);
	return 1;
}

static void release_bind(const char *dir, long slot, long held)
{
	char path[128];

	(void)held;
	snprintf(path, sizeof(path), "%s/%ld", dir, slot);
	must(!umount2(path, MNT_DETACH), "umount");
}

static const struct way ways[NR_WORKERS] = {
	{ hold_process, release_process },
	{ hold_fd, release_fd },
	{ hold_bind, release_bind },
};

static void work(const char *dir, const struct way *way)
{
	const long size = ring();
	struct ucv_call none = {};
	static long held[RING];
	long n, slot;

	/* Its bind mounts do not propagate. */
	must(!ucv_do_new_mntns(&none), "unshare");
	for (n = 0; n < size || !workers_may_end(); n++) {
		slot = n % size;
		if (n >= size)
			way->release(dir, slot, held[slot]);
		held[slot] = way->hold(dir, slot, n);
		count(&shared->made);
		if (n == size - 1)
			count(&shared->workers_full);
	}
	for (slot = 0; slot < size; slot++)
		way->release(dir, slot, held[slot]);
	_exit(0);
}

/* Readers, likewise. */

static const char *check_constant(const struct ucv_mntns_table *table,
				  const struct constant *constant)
{
	const struct ucv_mntns *record = NULL;
	unsigned int i;

	for (i = 0; i < table->nr; i++)
		if (table->records[i].id == constant->id)
			record = &table->records[i];
	if (!record)
		return "a constant namespace is missing";
	if (record->inum != constant->inum)
		return "a constant inode number has changed";
	if (record->mounts != constant->mounts || record->pending)
		return "a constant number of mounts has changed";
	if (record->uid || table->userns[record->userns].level)
		return "a constant owner has changed";
	if (!record->pid != !constant->process)
		return "a constant namespace has gained or lost its process";
	return "";
}

static const char *check_churned(const struct ucv_mntns_table *table)
{
	const struct ucv_mntns *record;
	unsigned int i;

	for (i = 0; i < table->nr; i++) {
		record = &table->records[i];
		if (record->uid < CHURN_UID || record->uid >= CHURN_UID + 3)
			continue;
		if (record->mounts < shared->base)
			return "a namespace has lost mounts";
		if (record->mounts + record->pending > shared->base + EXTRA)
			return "a namespace has too many mounts";
		if (table->userns[record->userns].inum != shared->init)
			return "a namespace has another owner";
	}
	return "";
}

static const char *check_snapshot(int fd)
{
	struct ucv_mntns_table table;
	const char *bad;
	unsigned int i;
	int ret;

	ret = ucv_mntns_take_from(fd, &table);
	if (ret)
		return strerror(-ret);
	bad = ucv_mntns_inconsistent(&table);
	if (!*bad)
		bad = check_churned(&table);
	for (i = 0; i < NR_CONSTANT && !*bad; i++)
		bad = check_constant(&table, &shared->constant[i]);
	if (table.nr > shared->largest)
		shared->largest = table.nr;
	ucv_mntns_free(&table);
	return bad;
}

static const char *check_text(void)
{
	const struct constant *constant;
	unsigned int inum, mounts, i;
	char line[160];

	for (i = 0; i < NR_CONSTANT; i++) {
		constant = &shared->constant[i];
		if (ucv_mntns_line(constant->inum, line, sizeof(line)))
			return "debugfs: a constant namespace is missing";
		if (sscanf(line, "%u %*u 0 %u 0 ", &inum, &mounts) != 2 ||
		    mounts != constant->mounts)
			return "debugfs: a constant namespace has changed";
	}
	return "";
}

static const char *check_all(int fd)
{
	const long texts = ucv_has_debugfs() ? ucv_churn(NR_TEXTS) : 0;
	const long snapshots = ucv_churn(NR_SNAPSHOTS);
	const char *bad = "";
	long n;

	for (n = 0; n < snapshots || !readers_may_end(); n++) {
		bad = check_snapshot(fd);
		if (!*bad && n < texts)
			bad = check_text();
		if (*bad)
			return bad;
	}
	/* All rings are full now, and the workers wait for the readers. */
	return check_snapshot(fd);
}

static void read_all(void)
{
	const char *bad = check_all(ucv_open());

	count(&shared->readers_done);
	if (*bad) {
		count(&shared->failed);
		fprintf(stderr, "# reader: %s\n", bad);
	}
	_exit(*bad ? 1 : 0);
}

/* The fixture: the constant namespaces, and the state to compare with at the end */

static void note_constant(struct __test_metadata *_metadata,
			  struct constant *constant, unsigned int inum)
{
	struct ucv_mntns record;

	ASSERT_EQ(0, ucv_mntns_now(inum, &record));
	constant->inum = inum;
	constant->id = record.id;
	constant->mounts = record.mounts;
	constant->process = record.pid;
}

static void make_constant(struct __test_metadata *_metadata,
			  struct ucv_agent *agent, const char *dir, long binds)
{
	ASSERT_EQ(0, ucv_agent_start(agent));
	ASSERT_EQ(0, ucv_agent_call(agent, ucv_do_new_mntns, 0, 0, 0));
	ASSERT_EQ(binds, ucv_agent_text(agent, ucv_do_bind, dir, binds, 0, 0));
}

static void hold_constant(struct __test_metadata *_metadata,
			  struct ucv_agent *agent, const char *dir, int *fd)
{
	const unsigned int last = NR_CONSTANT - 1;
	char from[64], to[128];

	*fd = ucv_mntns_open(agent[1].pid, O_RDONLY);
	ASSERT_LE(0, *fd);
	snprintf(from, sizeof(from), "/proc/%d/ns/mnt", agent[last].pid);
	snprintf(to, sizeof(to), "%s/%d", dir, RING);
	ASSERT_EQ(0, mount(from, to, NULL, MS_BIND, NULL));
}

FIXTURE_SETUP(mounts_churn)
{
	const struct rlimit limit = { 1024, 1024 };
	unsigned int inum[NR_CONSTANT], i;
	struct ucv_call none = {};

	if (!ucv_feature(UCV_FEATURE_MNTNS))
		SKIP(return, "the module cannot walk mount namespaces here");
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)shared);
	ASSERT_EQ(0, ucv_do_new_mntns(&none));
	ASSERT_EQ(0, ucv_make_files(self->dir, sizeof(self->dir), RING + 1));
	shared->init = ucv_userns_of(getpid());
	shared->base = ucv_mountinfo_count("/proc/self/mountinfo");

	for (i = 0; i < NR_CONSTANT; i++) {
		make_constant(_metadata, &self->agent[i], self->dir, 3 + i);
		inum[i] = ucv_ns_of(self->agent[i].pid, "mnt");
	}
	hold_constant(_metadata, self->agent, self->dir, &self->constant_fd);
	ucv_agent_stop(&self->agent[1]);
	ucv_agent_stop(&self->agent[2]);
	for (i = 0; i < NR_CONSTANT; i++) {
		note_constant(_metadata, &shared->constant[i], inum[i]);
		ASSERT_EQ(shared->base + 3 + i, shared->constant[i].mounts);
		ASSERT_EQ(!i, shared->constant[i].process);
	}
	ASSERT_EQ(0, ucv_mntns_take(&self->start));
	self->charged = ucv_used_now(shared->init, 0, "mnt_namespaces");
}

FIXTURE_TEARDOWN(mounts_churn)
{
	char path[128];
	unsigned int i;

	for (i = 0; i < NR_WORKERS; i++)
		if (self->worker[i])
			end(self->worker[i]);
	for (i = 0; i < NR_READERS; i++)
		if (self->reader[i])
			end(self->reader[i]);
	ucv_agent_stop(&self->agent[0]);
	snprintf(path, sizeof(path), "%s/%d", self->dir, RING);
	umount2(path, MNT_DETACH);
	ucv_mntns_free(&self->start);
	ucv_remove_files(self->dir, RING + 1);
}

static void start(const char *dir, pid_t *worker, pid_t *reader)
{
	unsigned int i;

	for (i = 0; i < NR_READERS; i++) {
		reader[i] = ucv_fork();
		if (!reader[i])
			read_all();
	}
	for (i = 0; i < NR_WORKERS; i++) {
		worker[i] = ucv_fork();
		if (!worker[i])
			work(dir, &ways[i]);
	}
}

static void finish(struct __test_metadata *_metadata, pid_t *pids, unsigned int nr)
{
	unsigned int i;
	int status;

	for (i = 0; i < nr; i++) {
		ASSERT_EQ(pids[i], waitpid(pids[i], &status, 0));
		pids[i] = 0;
		EXPECT_EQ(0, status);
	}
}

static bool was_there(const struct ucv_mntns_table *start, __u64 id)
{
	unsigned int i;

	for (i = 0; i < start->nr; i++)
		if (start->records[i].id == id)
			return true;
	return false;
}

/* The number of namespaces created since @start that still exist; nonzero on error, too. */
static long newcomers(const struct ucv_mntns_table *start)
{
	struct ucv_mntns_table table;
	long nr = 0;
	unsigned int i;

	if (ucv_mntns_take(&table))
		return -1;
	for (i = 0; i < table.nr; i++)
		nr += !was_there(start, table.records[i].id);
	ucv_mntns_free(&table);
	return nr;
}

UCV_TEST_F(mounts_churn, mount_namespaces_are_consistent_while_they_churn)
{
	struct ucv_mntns record;
	unsigned int i;

	start(self->dir, self->worker, self->reader);
	finish(_metadata, self->reader, NR_READERS);
	finish(_metadata, self->worker, NR_WORKERS);
	TH_LOG("%u namespaces made, up to %u at a time in a snapshot",
	       shared->made, shared->largest);
	EXPECT_LE(ucv_churn(NR_MADE), shared->made);
	/* The rings were full, but for the slots being replaced. */
	EXPECT_LE(NR_WORKERS * (ring() - 1), shared->largest);

	EXPECT_TRUE(UCV_SOON(!newcomers(&self->start)))
		TH_LOG("%ld are left", newcomers(&self->start));
	for (i = 0; i < NR_CONSTANT; i++) {
		ASSERT_EQ(0, ucv_mntns_now(shared->constant[i].inum, &record));
		EXPECT_EQ(shared->constant[i].id, record.id);
	}
	for (i = 0; i < 3; i++)
		EXPECT_TRUE(UCV_SOON(!ucv_used_now(shared->init, CHURN_UID + i, "mnt_namespaces")));
	EXPECT_TRUE(UCV_SOON(ucv_used_now(shared->init, 0, "mnt_namespaces") <= self->charged));
}

TEST_HARNESS_MAIN
