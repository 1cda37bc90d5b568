// SPDX-License-Identifier: GPL-2.0
/*
 * Bounds on what one user can do to others through the module: neither the time for which
 * walks hold a lock or an RCU read-side critical section nor their memory grows with file
 * tables, threads, descriptors and processes.
 *
 * Times are compared in instructions, so those tests need a clock that counts instructions
 * (testvm -i, which sets UCV_ICOUNT).
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "ucv_test.h"

#define MAX_INSTANCES	"/proc/sys/fs/inotify/max_user_instances"
#define MAX_MNTNS	"/proc/sys/user/max_mnt_namespaces"
#define MAX_WATCHES	"/proc/sys/fs/inotify/max_user_watches"
#define MAX_KIB		UCV_PARAMETERS "/max_snapshot_kib"

/* A child that holds files open, or runs threads, until the test ends. */
struct worker {
	pid_t pid;
	int ready[2];
};

/* True once the child has set up its work. */
static bool start(struct worker *worker, int (*work)(void))
{
	const struct rlimit limit = { UCV_MOST_FDS, UCV_MOST_FDS };
	char byte = 0;

	if (pipe2(worker->ready, O_CLOEXEC))
		return false;
	worker->pid = ucv_fork();
	if (worker->pid < 0)
		return false;
	if (!worker->pid) {
		setrlimit(RLIMIT_NOFILE, &limit);
		byte = work() ? 'n' : 'y';
		if (write(worker->ready[1], &byte, 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	return read(worker->ready[0], &byte, 1) == 1 && byte == 'y';
}

static void stop(struct worker *worker)
{
	if (worker->pid <= 0)
		return;
	kill(worker->pid, SIGKILL);
	waitpid(worker->pid, NULL, 0);
}

static void *wait_forever(void *arg)
{
	(void)arg;
	for (;;)
		pause();
	return NULL;
}

static int make_threads(unsigned int nr, void *(*main)(void *))
{
	pthread_attr_t attr;
	pthread_t thread;
	unsigned int i;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	for (i = 0; i < nr; i++)
		if (pthread_create(&thread, &attr, main, NULL))
			return -1;
	return 0;
}

static int open_at(int fd)
{
	int null = open("/dev/null", O_RDONLY);

	return null < 0 || dup2(null, fd) != fd ? -1 : 0;
}

/* 128 threads share a nearly empty table of a million descriptors. */
static int sparse_table(void)
{
	return open_at(UCV_MOST_FDS - 1) || make_threads(128, wait_forever) ? -1 : 0;
}

/* Threads with their own file tables. */

#define NR_OWN	1024

static pthread_barrier_t all_unshared;

static void *own_table(void *arg)
{
	(void)arg;
	if (unshare(CLONE_FILES))
		_exit(1);
	pthread_barrier_wait(&all_unshared);
	return wait_forever(NULL);
}

static int own_tables(void)
{
	pthread_barrier_init(&all_unshared, NULL, NR_OWN + 1);
	if (make_threads(NR_OWN, own_table))
		return -1;
	pthread_barrier_wait(&all_unshared);
	return 0;
}

static int own_sparse_tables(void)
{
	pthread_barrier_init(&all_unshared, NULL, 16 + 1);
	if (open_at(UCV_MOST_FDS / 4) || make_threads(16, own_table))
		return -1;
	pthread_barrier_wait(&all_unshared);
	return 0;
}

/* Consecutive copies of one inotify descriptor. */
static int copies(void)
{
	int fd = inotify_init1(0), i;

	for (i = 0; i < 100000; i++)
		if (dup(fd) < 0)
			return -1;
	return fd < 0 ? -1 : 0;
}

/* Processes that share one instance. */
static int sharing(void)
{
	int fd = inotify_init1(0), i;
	pid_t pid = 1;

	for (i = 0; i < 500 && pid > 0; i++)
		pid = ucv_fork();
	if (!pid)
		wait_forever(NULL);
	return fd < 0 || pid < 0 ? -1 : 0;
}

static int many_instances(void)
{
	int i;

	for (i = 0; i < 4000; i++)
		if (inotify_init1(0) < 0)
			return -1;
	return 0;
}

/* Watch a new file, which has no name, and so is gone when the process is. */
static int watch_file(int fd)
{
	int file = open("/tmp", O_TMPFILE | O_RDWR, 0600);
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	return file < 0 ? -1 : inotify_add_watch(fd, path, IN_MODIFY);
}

/* Many watches of one instance. */
static int watches(void)
{
	int fd = inotify_init1(0), i;

	for (i = 0; i < 20000; i++)
		if (watch_file(fd) < 0)
			return -1;
	return 0;
}

/* Watches with descriptors far apart, so that each is in a subtree of its own of the IDR. */
static int scattered_watches(void)
{
	int fd = inotify_init1(0), i;

	for (i = 0; i < 128; i++)
		if (ioctl(fd, INOTIFY_IOC_SETNEXTWD, (i << 24) + 1) || watch_file(fd) < 0)
			return -1;
	return 0;
}

/* Root inside, as a user without a mapping could not create a nested namespace. */
static int enter_userns(int also)
{
	if (unshare(CLONE_NEWUSER | also))
		return -1;
	ucv_write("/proc/self/setgroups", "deny");
	ucv_write("/proc/self/uid_map", "0 0 1");
	return ucv_write("/proc/self/gid_map", "0 0 1");
}

/* An instance in each of as many nested user namespaces as there can be. */
static int nested(void)
{
	int i;

	for (i = 0; i < 32; i++)
		if (enter_userns(0) || inotify_init1(0) < 0)
			return -1;
	return 0;
}

/* Mount namespaces, each pinned by a descriptor. */
static int mount_namespaces(void)
{
	int i;

	for (i = 0; i < 3000; i++)
		if (unshare(CLONE_NEWNS) || open("/proc/self/ns/mnt", O_RDONLY) < 0)
			return -1;
	return 0;
}

/* Copies of two instances, alternating. */
static int mixed_copies(void)
{
	int fd[2] = { inotify_init1(0), inotify_init1(0) };
	int i;

	for (i = 0; i < 20000; i++)
		if (dup(fd[i % 2]) < 0)
			return -1;
	return fd[1] < 0 ? -1 : 0;
}

/*
 * The longest critical section of a snapshot, in instructions. The minimum of several
 * snapshots, as an interrupt may add to it.
 */
static unsigned long long hold_of(int device, __u64 request)
{
	unsigned long long least = ULLONG_MAX;
	struct ucv_snapshot snapshot;
	unsigned int i;

	for (i = 0; i < 5; i++) {
		if (ucv_snapshot(device, request, &snapshot))
			return 0;
		if (snapshot.hold_max_ns < least)
			least = snapshot.hold_max_ns;
	}
	return least;
}

FIXTURE(hold) {
	int device;
	struct worker worker;
};

FIXTURE_VARIANT(hold) {
	int (*work)(void);
};

FIXTURE_VARIANT_ADD(hold, sparse_table) { .work = sparse_table };
FIXTURE_VARIANT_ADD(hold, own_tables) { .work = own_tables };
FIXTURE_VARIANT_ADD(hold, own_sparse_tables) { .work = own_sparse_tables };
FIXTURE_VARIANT_ADD(hold, copies) { .work = copies };
FIXTURE_VARIANT_ADD(hold, mixed_copies) { .work = mixed_copies };
FIXTURE_VARIANT_ADD(hold, sharing) { .work = sharing };
FIXTURE_VARIANT_ADD(hold, instances) { .work = many_instances };
FIXTURE_VARIANT_ADD(hold, watches) { .work = watches };
FIXTURE_VARIANT_ADD(hold, scattered_watches) { .work = scattered_watches };
FIXTURE_VARIANT_ADD(hold, nested) { .work = nested };
FIXTURE_VARIANT_ADD(hold, mount_namespaces) { .work = mount_namespaces };

FIXTURE_SETUP(hold)
{
	if (!getenv("UCV_ICOUNT"))
		SKIP(return, "needs a clock that counts instructions");
	self->device = ucv_open();
	if (self->device < 0)
		SKIP(return, "the device cannot be opened");
}

FIXTURE_TEARDOWN(hold)
{
	ucv_sysctls_back();
	stop(&self->worker);
	close(self->device);
}

/* The longest section takes at most twice as long as on an idle system. */
UCV_TEST_F(hold, longest_lock_hold_does_not_grow)
{
	const __u64 requests[] = {
		UCV_MASK(UCV_KIND_MNTNS), UCV_MASK(UCV_KIND_HOLDER),
	};
	unsigned long long idle[2], busy;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		idle[i] = hold_of(self->device, requests[i]);
		ASSERT_NE(0, idle[i]);
	}
	ASSERT_EQ(0, ucv_sysctl(MAX_WATCHES, 1048576));
	ASSERT_EQ(0, ucv_sysctl(MAX_INSTANCES, 65536));
	ASSERT_EQ(0, ucv_sysctl(MAX_MNTNS, 8000));
	ASSERT_TRUE(start(&self->worker, variant->work));
	for (i = 0; i < 2; i++) {
		busy = hold_of(self->device, requests[i]);
		TH_LOG("%s: idle %llu, busy %llu", i ? "holders" : "mounts", idle[i], busy);
		EXPECT_NE(0, busy);
		EXPECT_LE(busy, 2 * idle[i]);
	}
}

FIXTURE(memory) {
	int device;
	struct worker worker;
};

FIXTURE_SETUP(memory)
{
	self->device = ucv_open();
	if (self->device < 0)
		SKIP(return, "the device cannot be opened");
}

FIXTURE_TEARDOWN(memory)
{
	stop(&self->worker);
	close(self->device);
	ucv_sysctls_back();
}

/* Memory */

#define NR_USERS	8300	/* a little more than a power of two */

/* One instance for each of many users, so that each has a row. */
static int many_users(void)
{
	unsigned int i;

	for (i = 0; i < NR_USERS; i++) {
		if (syscall(SYS_setresuid, -1, UCV_UID + 5000 + i, -1) ||
		    inotify_init1(0) < 0 || syscall(SYS_setresuid, -1, 0, -1))
			return -1;
	}
	return 0;
}

/* The minimum size of the rows of a snapshot, in bytes. */
static long long bytes_of_rows(struct __test_metadata *_metadata)
{
	struct ucv_table table;
	long long bytes;

	ASSERT_EQ(0, ucv_take(&table));
	bytes = (long long)table.nr_rows *
		offsetof(struct ucv_ucounts, used[table.nr_resources]);
	EXPECT_LE((unsigned int)NR_USERS, table.nr_rows);
	ucv_free(&table);
	return bytes;
}

/* Records can use nearly all of the memory that a snapshot may take. */
UCV_TEST_F(memory, allowed_memory_can_be_used)
{
	struct ucv_snapshot snapshot;
	long long bytes;

	ASSERT_TRUE(start(&self->worker, many_users));
	bytes = bytes_of_rows(_metadata);
	ASSERT_EQ(0, ucv_sysctl(MAX_KIB, (bytes + bytes / 4) / 1024 + 256));
	EXPECT_EQ(0, ucv_snapshot(self->device, UCV_MASK(UCV_KIND_UCOUNTS), &snapshot));
	ASSERT_EQ(0, ucv_sysctl(MAX_KIB, bytes / 1024));
	EXPECT_EQ(-EFBIG, ucv_snapshot(self->device, UCV_MASK(UCV_KIND_UCOUNTS), &snapshot));
}

/*
 * Bytes per object of a user: the least max_snapshot_kib with which a snapshot of all kinds
 * succeeds, with the objects and without.
 */

FIXTURE(growth) {
	int device;
	struct worker worker;
};

FIXTURE_VARIANT(growth) {
	int (*work)(void);
	unsigned int objects;
	unsigned int bytes;	/* most for each */
	unsigned int copied;	/* more where a snapshot copies user namespaces to keep them */
};

static int namespaces(void)
{
	int i;

	for (i = 0; i < 32; i++)
		if (enter_userns(CLONE_NEWNS))
			return -1;
	return 0;
}

/* Chains of namespaces, each pinned by the process in the last one. */
static int many_namespaces(void)
{
	unsigned int i;
	int status[2];
	pid_t pid = 1;
	char byte;

	if (pipe2(status, O_CLOEXEC))
		return -1;
	for (i = 0; i < 32 && pid > 0; i++)
		pid = ucv_fork();
	if (!pid) {
		if (!namespaces() && write(status[1], "", 1) == 1)
			wait_forever(NULL);
		_exit(1);
	}
	for (i = 0; i < 32; i++)
		if (read(status[0], &byte, 1) != 1)
			return -1;
	return 0;
}

FIXTURE_VARIANT_ADD(growth, copies) { .work = copies, .objects = 100000, .bytes = 0 };
FIXTURE_VARIANT_ADD(growth, watches) { .work = watches, .objects = 20000, .bytes = 0 };
FIXTURE_VARIANT_ADD(growth, sharing) { .work = sharing, .objects = 500, .bytes = 0 };
FIXTURE_VARIANT_ADD(growth, sparse_table) { .work = sparse_table, .objects = 128, .bytes = 0 };
FIXTURE_VARIANT_ADD(growth, own_tables) { .work = own_tables, .objects = NR_OWN, .bytes = 64 };
FIXTURE_VARIANT_ADD(growth, instances) { .work = many_instances, .objects = 4000, .bytes = 256 };
FIXTURE_VARIANT_ADD(growth, namespaces) {
	.work = many_namespaces, .objects = 1024, .bytes = 512, .copied = 512,
};

FIXTURE_VARIANT_ADD(growth, users) { .work = many_users, .objects = NR_USERS, .bytes = 512 };

FIXTURE_SETUP(growth)
{
	self->device = ucv_open();
	if (self->device < 0)
		SKIP(return, "the device cannot be opened");
}

FIXTURE_TEARDOWN(growth)
{
	stop(&self->worker);
	close(self->device);
	ucv_sysctls_back();
}

#define CHUNK_KIB	16	/* arrays grow by these */

/* In KiB; 0 if no snapshot succeeds at all. */
static unsigned int memory_of_snapshot(int device)
{
	unsigned int low = 0, high = 65536, middle;
	struct ucv_snapshot snapshot;
	__u64 all;

	if (ucv_snapshot(device, UCV_MASK(UCV_KIND_RESOURCE), &snapshot))
		return 0;
	all = snapshot.supported;
	while (high - low > 1) {
		middle = (low + high) / 2;
		if (ucv_sysctl(MAX_KIB, middle))
			return 0;
		if (ucv_snapshot(device, all, &snapshot))
			low = middle;
		else
			high = middle;
	}
	return high;
}

/* No more than the bytes for each object; each of the arrays has a chunk that is not full. */
UCV_TEST_F(growth, memory_of_a_snapshot_is_proportional)
{
	unsigned long bytes = variant->bytes;
	unsigned int idle, busy;

	if (!ucv_feature(UCV_FEATURE_NS_PINNED))
		bytes += variant->copied;
	ASSERT_EQ(0, ucv_sysctl(MAX_WATCHES, 1048576));
	ASSERT_EQ(0, ucv_sysctl(MAX_INSTANCES, 65536));
	idle = memory_of_snapshot(self->device);
	ASSERT_NE(0, idle);
	ASSERT_TRUE(start(&self->worker, variant->work));
	busy = memory_of_snapshot(self->device);
	ASSERT_NE(0, busy);
	printf("# %u objects: from %u to %u KiB\n", variant->objects, idle, busy);
	EXPECT_LE(busy, idle + UCV_NR_KINDS * CHUNK_KIB +
			variant->objects * bytes / 1024);
}

#define CGROUP	"/sys/fs/cgroup/ucv_bounds"

/*
 * In the child: in a cgroup limited to the bound plus 768 KiB for the process itself, the
 * snapshot succeeds, and so does reading debugfs' holders, if there is debugfs.
 */
static int take_in_cgroup(int device, long long bound)
{
	struct ucv_snapshot snapshot;
	char text[32], buffer[4096];
	long long used;
	int fd;

	snprintf(text, sizeof(text), "%d", getpid());
	if (ucv_write(CGROUP "/cgroup.procs", text))
		return 1;
	used = ucv_read_number(CGROUP "/memory.current");
	snprintf(text, sizeof(text), "%lld", used + bound + 768 * 1024);
	if (used < 0 || ucv_write(CGROUP "/memory.max", text))
		return 2;
	if (ucv_snapshot(device, UCV_MASK(UCV_KIND_UCOUNTS), &snapshot))
		return 3;
	if (ucv_snapshot(device, UCV_MASK(UCV_KIND_RESOURCE), &snapshot))
		return 4;
	fd = open(UCV_DEBUGFS "/holders", O_RDONLY);
	if (fd >= 0 && read(fd, buffer, sizeof(buffer)) <= 0)
		return 5;
	return fd < 0 && errno != EFBIG && ucv_has_debugfs() ? 6 : 0;
}

static int has_memory_cgroups(void)
{
	ucv_write("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
	rmdir(CGROUP);
	return !mkdir(CGROUP, 0755) && !access(CGROUP "/memory.max", W_OK);
}

/* No snapshot ever exceeds its memory bound, not even while an array grows. */
UCV_TEST_F(memory, memory_of_a_snapshot_is_bounded)
{
	long long bound;
	int status;
	pid_t pid;

	if (!has_memory_cgroups())
		SKIP(return, "there is no memory controller");
	ASSERT_TRUE(start(&self->worker, many_users));
	/* Enough for the arrays to grow far, but not for the last doubling. */
	bound = bytes_of_rows(_metadata) * 2;
	ASSERT_EQ(0, ucv_sysctl(MAX_KIB, bound / 1024));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(take_in_cgroup(self->device, bound));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status)
		TH_LOG("status %x", status);
	rmdir(CGROUP);
}

TEST_HARNESS_MAIN
