// SPDX-License-Identifier: GPL-2.0
/*
 * The counters that the kernel checks against rlimits, where it has them: processes, pending
 * signals, message queues and locked memory of known size, and the limits that a user
 * namespace inherits from its creator.
 */
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <signal.h>
#include <sys/ipc.h>
#include <sys/resource.h>
#include <sys/shm.h>

#include "kselftest_harness.h"
#include "ucv_test.h"

static long do_queue_signals(struct ucv_call *call)
{
	const union sigval value = {};
	sigset_t set;
	long i;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (i = 0; i < call->a; i++)
		if (sigqueue(getpid(), SIGRTMIN, value))
			return -errno;
	return i;
}

static long do_take_signals(struct ucv_call *call)
{
	sigset_t set;
	long i;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	for (i = 0; i < call->a; i++)
		if (sigwaitinfo(&set, NULL) < 0)
			return -errno;
	return i;
}

static long do_lock_memory(struct ucv_call *call)
{
	int id = shmget(IPC_PRIVATE, call->a, IPC_CREAT | 0600);

	if (id < 0 || shmctl(id, SHM_LOCK, NULL))
		return -errno;
	return id;
}

static long do_remove_memory(struct ucv_call *call)
{
	return shmctl(call->a, IPC_RMID, NULL) ? -errno : 0;
}

static long do_queue(struct ucv_call *call)
{
	struct mq_attr attr = { .mq_maxmsg = call->a, .mq_msgsize = call->b };
	mqd_t queue;

	queue = mq_open(call->text, O_RDWR | O_CREAT | O_EXCL, 0600, &attr);
	if (queue < 0)
		return -errno;
	mq_close(queue);
	return 0;
}

static long do_remove_queue(struct ucv_call *call)
{
	return mq_unlink(call->text) ? -errno : 0;
}

static long do_rlimit(struct ucv_call *call)
{
	const struct rlimit limit = { call->b, call->b };

	return setrlimit(call->a, &limit) ? -errno : 0;
}

FIXTURE(rlimits) {
	struct ucv_agent agent;
	unsigned int init;
	unsigned int uid;
};

FIXTURE_SETUP(rlimits)
{
	self->init = ucv_userns_of(getpid());
	self->uid = UCV_UID + 90;
	if (!ucv_feature(UCV_FEATURE_RLIMITS))
		return;
	ASSERT_EQ(0, ucv_agent_start(&self->agent));
	ASSERT_EQ(0, ucv_agent_call(&self->agent, ucv_do_keep_caps, 0, 0, 0));
	ASSERT_EQ(0, ucv_agent_call(&self->agent, ucv_do_uids, self->uid, self->uid, self->uid));
}

FIXTURE_TEARDOWN(rlimits)
{
	if (!self->agent.pid)
		return;
	ucv_agent_stop(&self->agent);
	EXPECT_TRUE(UCV_SOON(!ucv_row_now(self->init, self->uid)));
}

/* For SKIP() in each test, as not all versions of the harness support it in FIXTURE_SETUP(). */
#define NO_RLIMITS	"the kernel has no rlimit counters"

UCV_TEST_F(rlimits, processes_are_counted)
{
	if (!self->agent.pid)
		SKIP(return, NO_RLIMITS);
	EXPECT_USED(1, self->init, self->uid, "rlimit_nproc");
	ASSERT_LT(0, ucv_agent_call(&self->agent, ucv_do_fork, 6, 0, 0));
	EXPECT_USED(7, self->init, self->uid, "rlimit_nproc");
}

UCV_TEST_F(rlimits, pending_signals_are_counted)
{
	if (!self->agent.pid)
		SKIP(return, NO_RLIMITS);
	EXPECT_USED(0, self->init, self->uid, "rlimit_sigpending");
	ASSERT_EQ(13, ucv_agent_call(&self->agent, do_queue_signals, 13, 0, 0));
	EXPECT_USED(13, self->init, self->uid, "rlimit_sigpending");
	ASSERT_EQ(4, ucv_agent_call(&self->agent, do_take_signals, 4, 0, 0));
	EXPECT_USED(9, self->init, self->uid, "rlimit_sigpending");
}

/* Counted in pages. */
UCV_TEST_F(rlimits, locked_memory_is_counted_in_pages)
{
	long page = sysconf(_SC_PAGESIZE);
	long id, other;

	if (!self->agent.pid)
		SKIP(return, NO_RLIMITS);
	if (access("/proc/sys/kernel/shmmax", F_OK))
		SKIP(return, "the kernel has no shared memory segments");
	id = ucv_agent_call(&self->agent, do_lock_memory, 16 * page, 0, 0);
	ASSERT_LE(0, id);
	EXPECT_USED(16, self->init, self->uid, "rlimit_memlock");
	other = ucv_agent_call(&self->agent, do_lock_memory, 2 * page + 1, 0, 0);
	ASSERT_LE(0, other);
	EXPECT_USED(19, self->init, self->uid, "rlimit_memlock");
	EXPECT_EQ(0, ucv_agent_call(&self->agent, do_remove_memory, id, 0, 0));
	EXPECT_USED(3, self->init, self->uid, "rlimit_memlock");
	EXPECT_EQ(0, ucv_agent_call(&self->agent, do_remove_memory, other, 0, 0));
	EXPECT_USED(0, self->init, self->uid, "rlimit_memlock");
}

/* Counted in bytes: the messages of a queue, and the kernel's overhead for each. */
UCV_TEST_F(rlimits, message_queues_are_counted_in_bytes)
{
	struct ucv_agent *agent = &self->agent;
	long long one, two, three;

	if (!self->agent.pid)
		SKIP(return, NO_RLIMITS);
	if (access("/proc/sys/fs/mqueue", F_OK))
		SKIP(return, "the kernel has no message queues");
	ASSERT_EQ(0, ucv_agent_text(agent, do_queue, "/ucv-test-1", 4, 100, 0));
	one = ucv_used_now(self->init, self->uid, "rlimit_msgqueue");
	EXPECT_LT(400, one);
	ASSERT_EQ(0, ucv_agent_text(agent, do_queue, "/ucv-test-2", 4, 100, 0));
	two = ucv_used_now(self->init, self->uid, "rlimit_msgqueue");
	EXPECT_EQ(2 * one, two);
	ASSERT_EQ(0, ucv_agent_text(agent, do_queue, "/ucv-test-3", 4, 1100, 0));
	three = ucv_used_now(self->init, self->uid, "rlimit_msgqueue");
	EXPECT_EQ(3 * one + 4 * 1000, three);
	EXPECT_EQ(0, ucv_agent_text(agent, do_remove_queue, "/ucv-test-1", 0, 0, 0));
	EXPECT_EQ(0, ucv_agent_text(agent, do_remove_queue, "/ucv-test-2", 0, 0, 0));
	EXPECT_USED(one + 4 * 1000, self->init, self->uid, "rlimit_msgqueue");
	EXPECT_EQ(0, ucv_agent_text(agent, do_remove_queue, "/ucv-test-3", 0, 0, 0));
	EXPECT_USED(0, self->init, self->uid, "rlimit_msgqueue");
}

/* A new namespace inherits its creator's limits, in the units of the rlimits. */
UCV_TEST_F(rlimits, namespace_inherits_rlimits)
{
	struct ucv_agent *agent = &self->agent;
	struct ucv_table table;
	unsigned int inum;
	char map[64];

	if (!self->agent.pid)
		SKIP(return, NO_RLIMITS);
	ASSERT_EQ(0, ucv_agent_call(agent, do_rlimit, RLIMIT_NPROC, 321, 0));
	ASSERT_EQ(0, ucv_agent_call(agent, do_rlimit, RLIMIT_MSGQUEUE, 654321, 0));
	ASSERT_EQ(0, ucv_agent_call(agent, do_rlimit, RLIMIT_SIGPENDING, 77, 0));
	ASSERT_EQ(0, ucv_agent_call(agent, do_rlimit, RLIMIT_MEMLOCK, 1 << 20, 0));
	snprintf(map, sizeof(map), "0 %u 10", UCV_UID + 91);
	ASSERT_EQ(0, ucv_agent_userns(agent, NULL, map));
	inum = ucv_userns_of(agent->pid);
	ASSERT_EQ(0, ucv_agent_call(agent, ucv_do_uids, 0, 0, 0));
	ASSERT_EQ(8, ucv_agent_call(agent, do_queue_signals, 8, 0, 0));
	ASSERT_EQ(0, ucv_take(&table));
	EXPECT_EQ(321LL, ucv_limit(&table, inum, "rlimit_nproc"));
	EXPECT_EQ(654321LL, ucv_limit(&table, inum, "rlimit_msgqueue"));
	EXPECT_EQ(77LL, ucv_limit(&table, inum, "rlimit_sigpending"));
	EXPECT_EQ(1LL << 20, ucv_limit(&table, inum, "rlimit_memlock"));
	EXPECT_EQ(8LL, ucv_used(&table, inum, UCV_UID + 91, "rlimit_sigpending"));
	EXPECT_EQ(8LL, ucv_used(&table, self->init, self->uid, "rlimit_sigpending"));
	EXPECT_EQ(1LL, ucv_used(&table, inum, UCV_UID + 91, "rlimit_nproc"));
	ucv_free(&table);
}

TEST_HARNESS_MAIN
