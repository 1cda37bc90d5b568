// SPDX-License-Identifier: GPL-2.0
/*
 * The mount namespaces: each is listed, whatever pins it, until it is released, with the
 * number of mounts, owner and ID that mountinfo and nsfs show. mount() is refused exactly at
 * the limit, and mounts that are reserved but not yet attached are visible as pending.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "kselftest_harness.h"
#include "ucv_mounts.h"

#define NR_FILES	8
#define MOUNTS_UID	(UCV_UID + 500)

/* Do not check the pid. */
#define ANY_PID		(-1)

/*
 * The test has its own mount namespace with private propagation, so that whatever it
 * mounts is gone when it ends.
 */
FIXTURE(mounts) {
	char dir[64];
	char file[NR_FILES][80];
	struct ucv_agent agent;
	long long mount_max;
};

FIXTURE_SETUP(mounts)
{
	unsigned int i;

	if (!ucv_feature(UCV_FEATURE_MNTNS))
		SKIP(return, "the module cannot walk mount namespaces here");
	self->mount_max = ucv_read_number(UCV_MOUNT_MAX);
	ASSERT_LT(0, self->mount_max);
	ASSERT_EQ(0, unshare(CLONE_NEWNS));
	ASSERT_EQ(0, mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	ASSERT_EQ(0, ucv_make_files(self->dir, sizeof(self->dir), NR_FILES));
	for (i = 0; i < NR_FILES; i++)
		snprintf(self->file[i], sizeof(self->file[i]), "%s/%u", self->dir, i);
	ASSERT_EQ(0, ucv_agent_start(&self->agent));
}

FIXTURE_TEARDOWN(mounts)
{
	ucv_agent_stop(&self->agent);
	if (self->mount_max > 0)
		ucv_sysctl(UCV_MOUNT_MAX, self->mount_max);
	if (self->dir[0])
		ucv_remove_files(self->dir, NR_FILES);
}

/* Moves the agent to a new mount namespace and makes @binds bind mounts there. */
static void agent_mounts(struct __test_metadata *_metadata,
			 struct ucv_agent *agent, const char *dir, long binds)
{
	ASSERT_EQ(0, ucv_agent_call(agent, ucv_do_new_mntns, 0, 0, 0));
	ASSERT_EQ(binds, ucv_agent_text(agent, ucv_do_bind, dir, binds, 0, 0));
}

/* The expected line of a record in debugfs. */
static void line_of(const struct ucv_mntns_table *table,
		    const struct ucv_mntns *record, char *line, size_t size)
{
	char uid[16] = "-", task[64] = "- -";

	if (!(record->flags & UCV_MNTNS_UNCHARGED))
		snprintf(uid, sizeof(uid), "%u", record->uid);
	if (record->pid)
		snprintf(task, sizeof(task), "%u %s", record->pid, record->comm);
	snprintf(line, size, "%u %u %s %u %u %u %s", record->inum,
		 table->userns[record->userns].inum, uid, record->mounts,
		 record->pending, record->limit, task);
}

static void check_line(struct __test_metadata *_metadata,
		       const struct ucv_mntns_table *table,
		       const struct ucv_mntns *record)
{
	char wanted[160], line[160] = "";

	if (!ucv_has_debugfs())
		return;
	line_of(table, record, wanted, sizeof(wanted));
	EXPECT_EQ(0, ucv_mntns_line(record->inum, line, sizeof(line)));
	EXPECT_STREQ(wanted, line);
}

static void check_seen(struct __test_metadata *_metadata,
		       const struct ucv_mntns_table *table,
		       const struct ucv_mntns *record,
		       const struct ucv_mntns_seen *seen)
{
	EXPECT_EQ(seen->mounts, record->mounts);
	EXPECT_EQ(0U, record->pending);
	if (seen->info >= 0)
		EXPECT_EQ(seen->info + 1, record->mounts);
	if (seen->id)
		EXPECT_EQ(seen->id, record->id);
	EXPECT_EQ(seen->userns, table->userns[record->userns].inum);
	EXPECT_EQ(ucv_read_number(UCV_MOUNT_MAX), record->limit);
}

/*
 * Compares the record of the namespace that @ns refers to with mountinfo, nsfs and debugfs.
 * Returns its ID.
 */
static __u64 check(struct __test_metadata *_metadata, int ns, unsigned int uid,
		   unsigned int uid_in_ns, pid_t pid)
{
	const struct ucv_mntns *record;
	struct ucv_mntns_table table;
	struct ucv_mntns_seen seen;
	__u64 id;

	ASSERT_EQ(0, ucv_mntns_look(ns, &seen));
	ASSERT_EQ(0, ucv_mntns_take(&table));
	EXPECT_STREQ("", ucv_mntns_inconsistent(&table));
	record = ucv_mntns_find(&table, seen.inum);
	ASSERT_NE(NULL, record)
		TH_LOG("mount namespace %u is not listed", seen.inum);
	check_seen(_metadata, &table, record, &seen);
	check_line(_metadata, &table, record);
	if (!(record->flags & UCV_MNTNS_UNCHARGED)) {
		EXPECT_EQ(uid, record->uid);
		EXPECT_EQ(uid_in_ns, record->uid_in_ns);
	}
	if (pid != ANY_PID)
		EXPECT_EQ((__u32)pid, record->pid);
	if (pid > 0)
		EXPECT_STREQ("mounts_test", record->comm);
	id = record->id;
	ucv_mntns_free(&table);
	return id;
}

/* The same for the namespace of a process, compared with the process's mountinfo, too. */
static __u64 check_process(struct __test_metadata *_metadata, pid_t pid,
			   unsigned int uid, unsigned int uid_in_ns)
{
	struct ucv_mntns record;
	char path[64];
	__u64 id;
	int ns;

	ns = ucv_mntns_open(pid, O_RDONLY);
	ASSERT_LE(0, ns);
	id = check(_metadata, ns, uid, uid_in_ns, pid);
	close(ns);
	ASSERT_EQ(0, ucv_mntns_now(ucv_ns_of(pid, "mnt"), &record));
	EXPECT_EQ(id, record.id);
	snprintf(path, sizeof(path), "/proc/%d/mountinfo", pid);
	EXPECT_EQ(ucv_mountinfo_count(path), record.mounts);
	return id;
}

/* The namespace of process 1; only the initial one may be charged to no user. */
UCV_TEST_F(mounts, initial_mount_namespace_is_listed)
{
	const unsigned int inum = ucv_ns_of(1, "mnt");
	const struct ucv_mntns *record;
	struct ucv_mntns_table table;
	unsigned int i;
	int ns;

	ns = ucv_mntns_open(1, O_RDONLY);
	ASSERT_LE(0, ns);
	check(_metadata, ns, 0, 0, ANY_PID);
	close(ns);
	ASSERT_EQ(0, ucv_mntns_take(&table));
	record = ucv_mntns_find(&table, inum);
	ASSERT_NE(NULL, record);
	EXPECT_EQ(1U, record->pid);
	for (i = 0; i < table.nr; i++)
		if (table.records[i].flags & UCV_MNTNS_UNCHARGED)
			EXPECT_EQ(inum, table.records[i].inum);
	EXPECT_EQ(ucv_kernel_has(7, 0), !!(record->flags & UCV_MNTNS_UNCHARGED));
	ucv_mntns_free(&table);
}

UCV_TEST_F(mounts, namespace_of_a_process_is_listed)
{
	__u64 id;

	agent_mounts(_metadata, &self->agent, self->dir, 7);
	id = check_process(_metadata, self->agent.pid, 0, 0);
	ASSERT_EQ(3, ucv_agent_text(&self->agent, ucv_do_unbind, self->dir, 3, 0, 0));
	EXPECT_EQ(id, check_process(_metadata, self->agent.pid, 0, 0));
	ASSERT_EQ(5, ucv_agent_text(&self->agent, ucv_do_bind, self->dir, 5, 0, 0));
	EXPECT_EQ(id, check_process(_metadata, self->agent.pid, 0, 0));
	ucv_agent_stop(&self->agent);
	EXPECT_TRUE(UCV_SOON(ucv_mntns_gone(id)));
}

/* Each is a copy of the previous one with additional mounts, so all numbers differ. */
UCV_TEST_F(mounts, many_namespaces_have_their_own_numbers)
{
	struct ucv_agent agent[12] = {};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(agent); i++) {
		ASSERT_EQ(0, ucv_agent_spawn(i ? &agent[i - 1] : &self->agent, &agent[i]));
		agent_mounts(_metadata, &agent[i], self->dir, 1 + i);
	}
	for (i = 0; i < ARRAY_SIZE(agent); i++)
		check_process(_metadata, agent[i].pid, 0, 0);
	for (i = 0; i < ARRAY_SIZE(agent); i++)
		ucv_agent_stop(&agent[i]);
}

/* Charged to the effective uid, not to the real one. */
UCV_TEST_F(mounts, effective_uid_of_the_creator_is_charged)
{
	ASSERT_EQ(0, ucv_agent_call(&self->agent, ucv_do_keep_caps, 0, 0, 0));
	ASSERT_EQ(0, ucv_agent_call(&self->agent, ucv_do_uids, MOUNTS_UID, MOUNTS_UID + 1, 0));
	agent_mounts(_metadata, &self->agent, self->dir, 2);
	check_process(_metadata, self->agent.pid, MOUNTS_UID + 1, MOUNTS_UID + 1);
}

/* Made in a user namespace, by two of its users. */
UCV_TEST_F(mounts, namespace_in_a_user_namespace_is_charged_there)
{
	struct ucv_agent other = {};

	ASSERT_EQ(0, ucv_agent_enter(&self->agent, NULL, MOUNTS_UID + 2, MOUNTS_UID + 10, 10));
	agent_mounts(_metadata, &self->agent, self->dir, 4);
	check_process(_metadata, self->agent.pid, MOUNTS_UID + 10, 0);

	ASSERT_EQ(0, ucv_agent_spawn(&self->agent, &other));
	ASSERT_EQ(0, ucv_agent_call(&other, ucv_do_keep_caps, 0, 0, 0));
	ASSERT_EQ(0, ucv_agent_call(&other, ucv_do_uids, -1, 7, -1));
	agent_mounts(_metadata, &other, self->dir, 2);
	check_process(_metadata, other.pid, MOUNTS_UID + 17, 7);
	ucv_agent_stop(&other);
}

/* Both in one call: charged before the user has a mapping in the new user namespace. */
UCV_TEST_F(mounts, creator_without_mapping_is_charged)
{
	unsigned int uid_in_ns[] = { UCV_UID_UNMAPPED, 3 };
	char map[64];

	ASSERT_EQ(0, ucv_agent_call(&self->agent, ucv_do_uids, -1, MOUNTS_UID + 3, 0));
	ASSERT_EQ(0, ucv_agent_call(&self->agent, ucv_do_new_mntns, CLONE_NEWUSER, 0, 0));
	check_process(_metadata, self->agent.pid, MOUNTS_UID + 3, uid_in_ns[0]);
	snprintf(map, sizeof(map), "3 %u 1", MOUNTS_UID + 3);
	ASSERT_EQ(0, ucv_agent_map(&self->agent, NULL, map));
	check_process(_metadata, self->agent.pid, MOUNTS_UID + 3, uid_in_ns[1]);
}

/* A thread that is not the leader, in its own mount namespace. */
struct thread {
	int start[2];
	int stop[2];
	pid_t tid;
	char dir[64];
};

static void *thread_in_mntns(void *arg)
{
	struct ucv_call call = { .a = 3 };
	struct thread *thread = arg;
	long done = -1;
	char byte;

	thread->tid = syscall(SYS_gettid);
	prctl(PR_SET_NAME, "mounts_thread");
	snprintf(call.text, sizeof(call.text), "%s", thread->dir);
	if (!unshare(CLONE_NEWNS))
		done = ucv_do_bind(&call);
	byte = done == call.a;
	if (write(thread->start[1], &byte, 1) == 1)
		(void)!read(thread->stop[0], &byte, 1);
	return NULL;
}

static void check_thread(struct __test_metadata *_metadata, const struct thread *thread)
{
	struct ucv_mntns_seen seen;
	struct ucv_mntns record;
	char path[64];
	int ns;

	snprintf(path, sizeof(path), "/proc/self/task/%d/ns/mnt", thread->tid);
	ns = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, ns);
	ASSERT_EQ(0, ucv_mntns_look(ns, &seen));
	check(_metadata, ns, 0, 0, ANY_PID);
	close(ns);
	EXPECT_NE(ucv_ns_of(getpid(), "mnt"), seen.inum);
	ASSERT_EQ(0, ucv_mntns_now(seen.inum, &record));
	EXPECT_EQ((__u32)getpid(), record.pid);
	EXPECT_STREQ("mounts_thread", record.comm);
	snprintf(path, sizeof(path), "/proc/self/task/%d/mountinfo", thread->tid);
	EXPECT_EQ(ucv_mountinfo_count(path), record.mounts);
}

UCV_TEST_F(mounts, namespace_of_a_thread_is_listed)
{
	struct ucv_mntns record;
	struct thread thread;
	pthread_t pthread;
	char path[64];
	struct stat status;
	char byte = 0;

	ASSERT_EQ(0, pipe(thread.start));
	ASSERT_EQ(0, pipe(thread.stop));
	memcpy(thread.dir, self->dir, sizeof(thread.dir));
	ASSERT_EQ(0, pthread_create(&pthread, NULL, thread_in_mntns, &thread));
	ASSERT_EQ(1, read(thread.start[0], &byte, 1));
	ASSERT_EQ(1, byte);
	check_thread(_metadata, &thread);
	snprintf(path, sizeof(path), "/proc/self/task/%d/ns/mnt", thread.tid);
	ASSERT_EQ(0, stat(path, &status));
	ASSERT_EQ(0, ucv_mntns_now(status.st_ino, &record));
	ASSERT_EQ(1, write(thread.stop[1], &byte, 1));
	pthread_join(pthread, NULL);
	EXPECT_TRUE(UCV_SOON(ucv_mntns_gone(record.id)));
}

/* Makes a namespace with @binds bind mounts whose only process has exited. Returns its fd. */
static int orphan(struct __test_metadata *_metadata, struct ucv_agent *root,
		  const char *dir, long binds, int flags)
{
	struct ucv_agent agent = {};
	int ns;

	EXPECT_EQ(0, ucv_agent_spawn(root, &agent));
	EXPECT_EQ(0, ucv_agent_call(&agent, ucv_do_new_mntns, 0, 0, 0));
	EXPECT_EQ(binds, ucv_agent_text(&agent, ucv_do_bind, dir, binds, 0, 0));
	ns = ucv_mntns_open(agent.pid, flags);
	EXPECT_LE(0, ns);
	ucv_agent_stop(&agent);
	return ns;
}

static void by_an_open_file(struct __test_metadata *_metadata,
			    struct ucv_agent *root, const char *dir, int flags)
{
	int ns = orphan(_metadata, root, dir, 6, flags);
	__u64 id;

	ASSERT_LE(0, ns);
	id = check(_metadata, ns, 0, 0, 0);
	close(ns);
	EXPECT_TRUE(UCV_SOON(ucv_mntns_gone(id)));
}

UCV_TEST_F(mounts, namespace_of_an_open_file_is_listed)
{
	by_an_open_file(_metadata, &self->agent, self->dir, O_RDONLY);
}

UCV_TEST_F(mounts, namespace_of_an_o_path_file_is_listed)
{
	by_an_open_file(_metadata, &self->agent, self->dir, O_PATH);
}

/* Descriptors around the ends of the batches in which a file table is walked. */
static const int far_fds[] = { 255, 256, 257, 300, 511, 512, 513, 700 };

static void fill_fds(struct __test_metadata *_metadata, int until)
{
	const struct rlimit limit = { 1024, 1024 };
	int fd = 0;

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	while (fd < until) {
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		ASSERT_LE(0, fd);
	}
}

/* Many open files without gaps, of which a few pin a namespace. */
UCV_TEST_F(mounts, namespaces_of_files_among_many_are_listed)
{
	__u64 id[ARRAY_SIZE(far_fds)];
	unsigned int i;
	int ns;

	fill_fds(_metadata, 720);
	for (i = 0; i < ARRAY_SIZE(far_fds); i++) {
		ns = orphan(_metadata, &self->agent, self->dir, 1 + i, i % 2 ? O_PATH : O_RDONLY);
		ASSERT_EQ(far_fds[i], dup3(ns, far_fds[i], O_CLOEXEC));
		close(ns);
	}
	for (i = 0; i < ARRAY_SIZE(far_fds); i++)
		id[i] = check(_metadata, far_fds[i], 0, 0, 0);
	for (i = 0; i < ARRAY_SIZE(far_fds); i++)
		close(far_fds[i]);
	for (i = 0; i < ARRAY_SIZE(far_fds); i++)
		EXPECT_TRUE(UCV_SOON(ucv_mntns_gone(id[i])));
}

/*
 * More than several batches of any kind: the agent unshares its mount namespace a times and
 * pins each one by an open file, the first by descriptor CROWD_FD.
 */
#define NR_CROWD	900
#define CROWD_FD	100

static long do_crowd(struct ucv_call *call)
{
	const struct rlimit limit = { 2 * NR_CROWD, 2 * NR_CROWD };
	long i;
	int fd;

	if (setrlimit(RLIMIT_NOFILE, &limit))
		return -errno;
	for (i = 0; i < call->a; i++) {
		if (unshare(CLONE_NEWNS))
			return -errno;
		fd = ucv_mntns_open(getpid(), i % 2 ? O_PATH : O_RDONLY);
		if (fd < 0)
			return fd;
		if (dup3(fd, CROWD_FD + i, O_CLOEXEC) < 0)
			return -errno;
		close(fd);
	}
	return i;
}

static unsigned int inum_of_fd(pid_t pid, int fd)
{
	struct stat status;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
	return stat(path, &status) ? 0 : status.st_ino;
}

/* One namespace of the crowd; the agent is in the last. */
static void check_one_of_many(struct __test_metadata *_metadata,
			      const struct ucv_mntns *record,
			      unsigned int mounts, pid_t pid)
{
	ASSERT_NE(NULL, record);
	EXPECT_EQ(mounts, record->mounts);
	EXPECT_EQ(0U, record->pending);
	EXPECT_EQ((__u32)pid, record->pid);
}

UCV_TEST_F(mounts, namespaces_of_hundreds_of_files_are_listed)
{
	const pid_t pid = self->agent.pid;
	struct ucv_mntns_table table;
	long before, mounts;
	unsigned int inum, i;

	before = ucv_mntns_count_now();
	mounts = ucv_mountinfo_count("/proc/self/mountinfo");
	ASSERT_EQ(NR_CROWD, ucv_agent_call(&self->agent, do_crowd, NR_CROWD, 0, 0));
	ASSERT_EQ(0, ucv_mntns_take(&table));
	EXPECT_STREQ("", ucv_mntns_inconsistent(&table));
	EXPECT_LE(before + NR_CROWD, table.nr);
	for (i = 0; i < NR_CROWD; i++) {
		inum = inum_of_fd(pid, CROWD_FD + i);
		check_one_of_many(_metadata, ucv_mntns_find(&table, inum),
				  mounts, i == NR_CROWD - 1 ? pid : 0);
	}
	ucv_mntns_free(&table);
	ucv_agent_stop(&self->agent);
	EXPECT_TRUE(UCV_SOON(ucv_mntns_count_now() <= before));
}

/* Bind-mounts the mount namespace file of process a on text. */
static long bind_ns(struct ucv_call *call)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%ld/ns/mnt", call->a);
	return mount(path, call->text, NULL, MS_BIND, NULL) ? -errno : 0;
}

static long bind_ns_here(const char *path, pid_t pid)
{
	struct ucv_call call = { .a = pid };

	snprintf(call.text, sizeof(call.text), "%s", path);
	return bind_ns(&call);
}

static __u64 check_bind(struct __test_metadata *_metadata, const char *path)
{
	int ns = open(path, O_RDONLY | O_CLOEXEC);
	struct ucv_mntns_seen seen;
	struct ucv_mntns record;
	__u64 id;

	ASSERT_LE(0, ns);
	id = check(_metadata, ns, 0, 0, 0);
	ASSERT_EQ(0, ucv_mntns_look(ns, &seen));
	close(ns);
	/* Again, now that no file is open. */
	ASSERT_EQ(0, ucv_mntns_now(seen.inum, &record));
	EXPECT_EQ(id, record.id);
	EXPECT_EQ(seen.mounts, record.mounts);
	EXPECT_EQ(0U, record.pid);
	return id;
}

UCV_TEST_F(mounts, namespace_of_a_bind_mount_is_listed)
{
	__u64 id;

	agent_mounts(_metadata, &self->agent, self->dir, 9);
	ASSERT_EQ(0, bind_ns_here(self->file[0], self->agent.pid));
	ucv_agent_stop(&self->agent);
	id = check_bind(_metadata, self->file[0]);
	ASSERT_EQ(0, umount2(self->file[0], 0));
	EXPECT_TRUE(UCV_SOON(ucv_mntns_gone(id)));
}

/* Pinned by a bind mount in a namespace that is itself pinned only by a bind mount. */
UCV_TEST_F(mounts, namespace_of_a_bind_mount_elsewhere_is_listed)
{
	struct ucv_agent inner = {};
	struct ucv_mntns record;
	unsigned int inum;
	__u64 id;

	agent_mounts(_metadata, &self->agent, self->dir, 0);
	ASSERT_EQ(0, ucv_agent_spawn(&self->agent, &inner));
	ASSERT_EQ(0, ucv_agent_call(&inner, ucv_do_new_mntns, 0, 0, 0));
	check_process(_metadata, inner.pid, 0, 0);
	inum = ucv_ns_of(inner.pid, "mnt");
	ASSERT_EQ(0, ucv_agent_text(&self->agent, bind_ns, self->file[1], inner.pid, 0, 0));
	ucv_agent_stop(&inner);
	ASSERT_EQ(0, bind_ns_here(self->file[0], self->agent.pid));
	ucv_agent_stop(&self->agent);

	id = check_bind(_metadata, self->file[0]);
	ASSERT_EQ(0, ucv_mntns_now(inum, &record));
	EXPECT_EQ(0U, record.pid);
	EXPECT_EQ(ucv_mountinfo_count("/proc/self/mountinfo") - 1, record.mounts);
	ASSERT_EQ(0, umount2(self->file[0], 0));
	EXPECT_TRUE(UCV_SOON(ucv_mntns_gone(id)));
	EXPECT_TRUE(UCV_SOON(ucv_mntns_gone(record.id)));
}

/* Pinned in all ways at once, it is listed once, until the last reference is put. */
UCV_TEST_F(mounts, namespace_pinned_in_all_ways_is_listed_once)
{
	struct ucv_mntns record;
	unsigned int inum;
	int ns, other;
	__u64 id;

	agent_mounts(_metadata, &self->agent, self->dir, 2);
	inum = ucv_ns_of(self->agent.pid, "mnt");
	ns = ucv_mntns_open(self->agent.pid, O_RDONLY);
	other = ucv_mntns_open(self->agent.pid, O_PATH);
	ASSERT_LE(0, ns);
	ASSERT_LE(0, other);
	ASSERT_EQ(0, bind_ns_here(self->file[0], self->agent.pid));
	ASSERT_EQ(0, bind_ns_here(self->file[1], self->agent.pid));
	id = check_process(_metadata, self->agent.pid, 0, 0);
	ucv_agent_stop(&self->agent);
	EXPECT_EQ(id, check(_metadata, ns, 0, 0, 0));
	close(ns);
	EXPECT_EQ(id, check(_metadata, other, 0, 0, 0));
	ASSERT_EQ(0, umount2(self->file[1], 0));
	EXPECT_EQ(id, check(_metadata, other, 0, 0, 0));
	close(other);
	ASSERT_EQ(0, ucv_mntns_now(inum, &record));
	EXPECT_EQ(id, record.id);
	ASSERT_EQ(0, umount2(self->file[0], 0));
	EXPECT_TRUE(UCV_SOON(ucv_mntns_gone(id)));
}

/* The limit */

static void expect_mounts(struct __test_metadata *_metadata, unsigned int inum,
			  unsigned int mounts, unsigned int limit)
{
	struct ucv_mntns record;

	ASSERT_EQ(0, ucv_mntns_now(inum, &record));
	EXPECT_EQ(mounts, record.mounts);
	EXPECT_EQ(0U, record.pending);
	EXPECT_EQ(limit, record.limit);
}

UCV_TEST_F(mounts, mount_is_refused_at_the_limit)
{
	struct ucv_agent *agent = &self->agent;
	struct ucv_mntns record;
	unsigned int inum, max;

	agent_mounts(_metadata, agent, self->dir, 1);
	check_process(_metadata, agent->pid, 0, 0);
	inum = ucv_ns_of(agent->pid, "mnt");
	ASSERT_EQ(0, ucv_mntns_now(inum, &record));
	max = record.mounts + 5;
	ASSERT_EQ(0, ucv_sysctl(UCV_MOUNT_MAX, max));
	expect_mounts(_metadata, inum, max - 5, max);

	/* There is room for exactly five. */
	EXPECT_EQ(5, ucv_agent_text(agent, ucv_do_bind, self->dir, 6, 0, 0));
	expect_mounts(_metadata, inum, max, max);
	EXPECT_EQ(-ENOSPC, ucv_agent_text(agent, ucv_do_bind, self->dir, 1, 0, 0));
	expect_mounts(_metadata, inum, max, max);

	ASSERT_EQ(1, ucv_agent_text(agent, ucv_do_unbind, self->dir, 1, 0, 0));
	expect_mounts(_metadata, inum, max - 1, max);
	EXPECT_EQ(1, ucv_agent_text(agent, ucv_do_bind, self->dir, 2, 0, 0));
	check_process(_metadata, agent->pid, 0, 0);
}

/* A tree is mounted as a whole or not at all. */
UCV_TEST_F(mounts, tree_is_mounted_as_a_whole_or_not_at_all)
{
	struct ucv_agent *agent = &self->agent;
	struct ucv_mntns record;
	unsigned int inum, i;
	char path[96];

	agent_mounts(_metadata, agent, self->dir, 1);
	inum = ucv_ns_of(agent->pid, "mnt");
	ASSERT_EQ(0, ucv_agent_mount(agent, "tmpfs", "size=1m", self->dir));
	for (i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%u", self->dir, i);
		ASSERT_EQ(0, ucv_agent_text(agent, ucv_do_mkdir, path, 0, 0, 0));
		ASSERT_EQ(0, ucv_agent_mount(agent, "tmpfs", "size=1m", path));
	}
	ASSERT_EQ(0, ucv_mntns_now(inum, &record));
	ASSERT_EQ(0, ucv_sysctl(UCV_MOUNT_MAX, record.mounts + 3));
	EXPECT_EQ(-ENOSPC, ucv_agent_text(agent, ucv_do_rbind, self->dir, 0, 0, 0));
	expect_mounts(_metadata, inum, record.mounts, record.mounts + 3);
	ASSERT_EQ(0, ucv_sysctl(UCV_MOUNT_MAX, record.mounts + 4));
	EXPECT_EQ(0, ucv_agent_text(agent, ucv_do_rbind, self->dir, 0, 0, 0));
	expect_mounts(_metadata, inum, record.mounts + 4, record.mounts + 4);
	check_process(_metadata, agent->pid, 0, 0);
}

/* Prepares an overlay like the root of a container. */
static void prepare_overlay(struct __test_metadata *_metadata,
			    struct ucv_agent *agent, const char *dir)
{
	static const char * const part[] = { "lower", "upper", "work", "root" };
	char path[96];
	unsigned int i;

	ASSERT_EQ(0, ucv_agent_mount(agent, "tmpfs", "size=1m", dir));
	for (i = 0; i < ARRAY_SIZE(part); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, part[i]);
		ASSERT_EQ(0, ucv_agent_text(agent, ucv_do_mkdir, path, 0, 0, 0));
	}
}

static bool has_overlay(void)
{
	char *text;
	bool has;

	/* No effect if it is built in. */
	(void)!system("modprobe -q overlay >/dev/null 2>&1");
	text = ucv_slurp("/proc/filesystems", NULL);
	has = text && strstr(text, "\toverlay\n");
	free(text);
	return has;
}

UCV_TEST_F(mounts, overlay_is_refused_at_the_limit)
{
	struct ucv_agent *agent = &self->agent;
	const char *dir = self->dir;
	struct ucv_mntns record;
	unsigned int inum, max;
	char options[512], root[80];

	if (!has_overlay())
		SKIP(return, "this kernel has no overlayfs");
	agent_mounts(_metadata, agent, dir, 0);
	prepare_overlay(_metadata, agent, dir);
	inum = ucv_ns_of(agent->pid, "mnt");
	ASSERT_EQ(0, ucv_mntns_now(inum, &record));
	max = record.mounts + 2;
	ASSERT_EQ(0, ucv_sysctl(UCV_MOUNT_MAX, max));
	snprintf(root, sizeof(root), "%s/root", dir);
	snprintf(options, sizeof(options), "lowerdir=%s/lower,upperdir=%s/upper,workdir=%s/work",
		 dir, dir, dir);
	EXPECT_EQ(0, ucv_agent_mount(agent, "overlay", options, root));
	expect_mounts(_metadata, inum, max - 1, max);
	EXPECT_EQ(1, ucv_agent_text(agent, ucv_do_unbind, root, 1, 0, 0));
	ASSERT_EQ(2, ucv_agent_text(agent, ucv_do_bind, dir, 2, 0, 0));
	expect_mounts(_metadata, inum, max, max);
	EXPECT_EQ(-ENOSPC, ucv_agent_mount(agent, "overlay", options, root));
	expect_mounts(_metadata, inum, max, max);
	ASSERT_EQ(0, ucv_sysctl(UCV_MOUNT_MAX, max + 1));
	EXPECT_EQ(0, ucv_agent_mount(agent, "overlay", options, root));
	expect_mounts(_metadata, inum, max + 1, max + 1);
	check_process(_metadata, agent->pid, 0, 0);
}

/* Shared by processes and threads: set once a sample has pending mounts. */
static int *seen_pending;

static bool is_set(const int *flag)
{
	return __atomic_load_n(flag, __ATOMIC_RELAXED);
}

static void set(int *flag)
{
	__atomic_store_n(flag, 1, __ATOMIC_RELAXED);
}

/* Mounts and unmounts a times, or until pending mounts are sampled. */

static long do_propagate_often(struct ucv_call *call)
{
	char path[1100];
	long i;

	snprintf(path, sizeof(path), "%s/0/m", call->text);
	for (i = 0; i < call->a && !is_set(seen_pending); i++) {
		if (mount("tmpfs", path, "tmpfs", 0, NULL))
			return -errno;
		if (umount2(path, MNT_DETACH))
			return -errno;
	}
	return i;
}

/* Samples one namespace until told to stop; records the maximum numbers. */
struct sampler {
	unsigned int inum;
	int stop;
	long samples;
	unsigned int pending;
	unsigned int total;
	const char *bad;
};

static void sample(struct sampler *sampler, int fd)
{
	const struct ucv_mntns *record;
	struct ucv_mntns_table table;

	if (ucv_mntns_take_from(fd, &table)) {
		sampler->bad = "a snapshot failed";
		return;
	}
	record = ucv_mntns_find(&table, sampler->inum);
	if (!record)
		sampler->bad = "the namespace is not listed";
	else if (record->pending > sampler->pending)
		sampler->pending = record->pending;
	if (record && record->mounts + record->pending > sampler->total)
		sampler->total = record->mounts + record->pending;
	if (record && record->pending)
		set(seen_pending);
	ucv_mntns_free(&table);
}

static void *sample_all(void *arg)
{
	struct sampler *sampler = arg;
	int fd = ucv_open();

	while (!is_set(&sampler->stop) && !sampler->bad) {
		sample(sampler, fd);
		sampler->samples++;
	}
	close(fd);
	return NULL;
}

#define NR_PEERS	1000
#define NR_PROPAGATIONS	200

FIXTURE(pending) {
	char dir[64];
	struct ucv_agent agent;
	unsigned int inum;
	long long mount_max;
};

FIXTURE_SETUP(pending)
{
	if (!ucv_feature(UCV_FEATURE_MNTNS))
		SKIP(return, "the module cannot walk mount namespaces here");
	self->mount_max = ucv_read_number(UCV_MOUNT_MAX);
	seen_pending = mmap(NULL, sizeof(*seen_pending), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)seen_pending);
	ASSERT_EQ(0, ucv_make_files(self->dir, sizeof(self->dir), 0));
	ASSERT_EQ(0, ucv_agent_start(&self->agent));
	ASSERT_EQ(0, ucv_agent_call(&self->agent, ucv_do_new_mntns, 0, 0, 0));
	self->inum = ucv_ns_of(self->agent.pid, "mnt");
}

FIXTURE_TEARDOWN(pending)
{
	ucv_agent_stop(&self->agent);
	if (self->mount_max > 0)
		ucv_sysctl(UCV_MOUNT_MAX, self->mount_max);
	if (self->dir[0])
		ucv_remove_files(self->dir, 0);
}

UCV_TEST_F(pending, pending_mounts_are_seen)
{
	struct sampler sampler = { .inum = self->inum };
	struct ucv_mntns before, after;
	pthread_t thread;
	long rounds;

	ASSERT_EQ(0, ucv_agent_text(&self->agent, ucv_do_peers, self->dir, NR_PEERS, 0, 0));
	ASSERT_EQ(0, ucv_mntns_now(self->inum, &before));
	EXPECT_EQ(0U, before.pending);
	ASSERT_EQ(0, pthread_create(&thread, NULL, sample_all, &sampler));
	rounds = ucv_agent_text(&self->agent, do_propagate_often, self->dir, NR_PROPAGATIONS, 0, 0);
	set(&sampler.stop);
	pthread_join(thread, NULL);
	EXPECT_LE(0, rounds);
	EXPECT_EQ(NULL, sampler.bad)
		TH_LOG("%s", sampler.bad);
	TH_LOG("%u pending in %ld samples of %ld propagations to %d mounts",
	       sampler.pending, sampler.samples, rounds, NR_PEERS);
	EXPECT_GE(NR_PEERS, sampler.pending);
	EXPECT_GE(before.mounts + NR_PEERS, sampler.total);
	ASSERT_EQ(0, ucv_mntns_now(self->inum, &after));
	EXPECT_EQ(before.mounts, after.mounts);
	EXPECT_EQ(0U, after.pending);
	/* A sampler on the only CPU may never run while mounts are propagated. */
	if (!sampler.pending && sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "no sample fell into a propagation");
	EXPECT_LT(0U, sampler.pending);
}

static void expect_same(struct __test_metadata *_metadata,
			const struct ucv_mntns *before, unsigned int more)
{
	struct ucv_mntns after;

	ASSERT_EQ(0, ucv_mntns_now(before->inum, &after));
	EXPECT_EQ(before->id, after.id);
	EXPECT_EQ(before->mounts + more, after.mounts);
	EXPECT_EQ(0U, after.pending);
}

#define NR_FEW		50

/* Mounts propagate to three namespaces, in the last to slaves. One of them is at the limit. */
FIXTURE(propagation) {
	char dir[64];
	struct ucv_agent agent[3];
	struct ucv_mntns before[3];
	long long mount_max;
};

FIXTURE_SETUP(propagation)
{
	long flags;
	int i;

	if (!ucv_feature(UCV_FEATURE_MNTNS))
		SKIP(return, "the module cannot walk mount namespaces here");
	self->mount_max = ucv_read_number(UCV_MOUNT_MAX);
	ASSERT_EQ(0, ucv_make_files(self->dir, sizeof(self->dir), 0));
	ASSERT_EQ(0, ucv_agent_start(&self->agent[0]));
	ASSERT_EQ(0, ucv_agent_call(&self->agent[0], ucv_do_new_mntns, 0, 0, 0));
	ASSERT_EQ(0, ucv_agent_text(&self->agent[0], ucv_do_peers, self->dir, NR_FEW, 0, 0));
	for (i = 1; i < 3; i++) {
		flags = CLONE_NEWNS | (i == 2 ? CLONE_NEWUSER : 0);
		ASSERT_EQ(0, ucv_agent_spawn(&self->agent[0], &self->agent[i]));
		ASSERT_EQ(0, ucv_agent_call(&self->agent[i], ucv_do_unshare, flags, 0, 0));
	}
	ASSERT_EQ(1, ucv_agent_text(&self->agent[1], ucv_do_bind, self->dir, 1, 0, 0));
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, ucv_mntns_now(ucv_ns_of(self->agent[i].pid, "mnt"), &self->before[i]));
}

FIXTURE_TEARDOWN(propagation)
{
	int i;

	for (i = 2; i >= 0; i--)
		ucv_agent_stop(&self->agent[i]);
	if (self->mount_max > 0)
		ucv_sysctl(UCV_MOUNT_MAX, self->mount_max);
	if (self->dir[0])
		ucv_remove_files(self->dir, 0);
}

UCV_TEST_F(propagation, propagated_mounts_are_counted_everywhere)
{
	int i;

	ASSERT_EQ(0, ucv_agent_text(&self->agent[0], ucv_do_propagate, self->dir, 0, 0, 0));
	for (i = 0; i < 3; i++) {
		expect_same(_metadata, &self->before[i], NR_FEW);
		check_process(_metadata, self->agent[i].pid,
			      self->before[i].uid, self->before[i].uid_in_ns);
	}
}

/*
 * The second namespace has one mount more than the others. Where it lacks room for only one
 * copy, the copies in the others have been reserved and are released again; with less room,
 * the first namespace already fails halfway.
 */
UCV_TEST_F(propagation, failed_propagation_leaves_no_pending_mounts)
{
	const unsigned int mounts = self->before[1].mounts;
	unsigned int room[] = { 0, 1, 2, NR_FEW / 2, NR_FEW - 2, NR_FEW - 1 };
	unsigned int i, j;

	ASSERT_EQ(self->before[0].mounts + 1, mounts);
	for (i = 0; i < ARRAY_SIZE(room); i++) {
		ASSERT_EQ(0, ucv_sysctl(UCV_MOUNT_MAX, mounts + room[i]));
		EXPECT_EQ(-ENOSPC, ucv_agent_text(&self->agent[0], ucv_do_propagate, self->dir, 0,
						  0, 0));
		for (j = 0; j < 3; j++)
			expect_same(_metadata, &self->before[j], 0);
	}
	ASSERT_EQ(0, ucv_sysctl(UCV_MOUNT_MAX, mounts + NR_FEW));
	EXPECT_EQ(0, ucv_agent_text(&self->agent[0], ucv_do_propagate, self->dir, 0, 0, 0));
	for (j = 0; j < 3; j++)
		expect_same(_metadata, &self->before[j], NR_FEW);
}

TEST_HARNESS_MAIN
