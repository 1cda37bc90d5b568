// SPDX-License-Identifier: GPL-2.0
/*
 * Refusals by the counters of resource limits, and by nesting depth: one record for each
 * refused call, with what was counted, the limit and the level; and none for a call that
 * succeeds, or fails for another reason.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/ipc.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "kselftest_harness.h"
#include "ucv_denials.h"

#define USERNS_DEPTH	33
#define PIDNS_DEPTH	32

static long do_kill(struct ucv_call *call)
{
	sigset_t blocked;

	sigemptyset(&blocked);
	sigaddset(&blocked, call->a);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	return kill(getpid(), call->a) ? -errno : 0;
}

static long do_tgkill(struct ucv_call *call)
{
	return syscall(SYS_tgkill, getpid(), getpid(), call->a) ? -errno : 0;
}

static long do_signal_other(struct ucv_call *call)
{
	const union sigval value = {};

	return sigqueue(call->a, SIGRTMIN, value) ? -errno : 0;
}

/* By the system call, which makes a single timer. */
static long do_timer(struct ucv_call *call)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM };
	int id;

	(void)call;
	return syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &id) ? -errno : 0;
}

/* Returns only if it fails. */
static long do_exec(struct ucv_call *call)
{
	(void)call;
	execl("/proc/self/exe", "denials_rlimits_test", "--help", NULL);
	return -errno;
}

static long do_huge_memory(struct ucv_call *call)
{
	int id = shmget(IPC_PRIVATE, call->a, SHM_HUGETLB | IPC_CREAT | 0600);

	if (id < 0)
		return -errno;
	shmctl(id, IPC_RMID, NULL);
	return 0;
}

/* Nests call->a user namespaces, each of which maps root alone. Returns how many there are. */
static long do_nest_users(struct ucv_call *call)
{
	long i;

	for (i = 0; i < call->a; i++) {
		if (unshare(CLONE_NEWUSER))
			return i;
		if (!i && ucv_write("/proc/self/setgroups", "deny"))
			return -EIO;
		if (ucv_write("/proc/self/uid_map", "0 0 1") ||
		    ucv_write("/proc/self/gid_map", "0 0 1"))
			return -EPROTO;
	}
	return i;
}

static long do_clone(struct ucv_call *call)
{
	long pid = syscall(SYS_clone, call->a | SIGCHLD, 0, 0, 0, 0);

	if (pid < 0)
		return -errno;
	if (!pid)
		_exit(0);
	waitpid(pid, NULL, 0);
	return 0;
}

/* In the innermost of @depth pid namespaces, which it exits with: 0 if one more is refused. */
static int nest_pids(int depth, int flags)
{
	int status = 0;
	pid_t pid;

	if (!depth && flags & SIGCHLD)
		return syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0) >= 0 ||
		       errno != ENOSPC;
	if (unshare(CLONE_NEWPID))
		return depth || errno != ENOSPC;
	if (!depth)
		return 2;
	pid = fork();
	if (!pid)
		_exit(nest_pids(depth - 1, flags));
	return pid < 0 || waitpid(pid, &status, 0) != pid || status ? 3 : 0;
}

static long do_nest_pids(struct ucv_call *call)
{
	long ret = -EIO;
	int status;
	pid_t pid;

	signal(SIGCHLD, SIG_DFL); /* agents ignore it, and then there is no status */
	pid = fork();
	if (!pid)
		_exit(nest_pids(call->a, call->b));
	if (pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status))
		ret = WEXITSTATUS(status);
	signal(SIGCHLD, SIG_IGN);
	return ret;
}

FIXTURE(refusals) {
	struct ucv_agent agent;
	struct ucv_denial wanted;
	unsigned int init;
	unsigned int uid;
	int fd;				/* listens */
	char map[64];
};

FIXTURE_SETUP(refusals)
{
	if (!ucv_feature(UCV_FEATURE_DENIALS))
		SKIP(return, "the module cannot tell of refusals here");
	self->init = ucv_userns_of(getpid());
	self->uid = UCV_UID + 95;
	snprintf(self->map, sizeof(self->map), "0 %u 10", self->uid + 1);
	ASSERT_EQ(0, ucv_agent_start(&self->agent));
	self->fd = ucv_listener(UCV_LISTEN_ARM);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(refusals)
{
	if (!self->agent.pid)
		return;
	ucv_sysctls_back();
	ucv_agent_stop(&self->agent);
	EXPECT_TRUE(UCV_SOON(!ucv_row_now(self->init, self->uid)));
	close(self->fd);
}

#define NOT_RECORDED	"not recorded on this kernel"
#define INLINED		"the compiler has inlined what would be probed"

#define LIMIT(name, soft, hard) \
	ASSERT_EQ(0, ucv_agent_text(&self->agent, ucv_do_rlimit, name, soft, hard, 0))

/* From here on the agent has no capabilities. */
#define BECOME_USER() \
	ASSERT_EQ(0, ucv_agent_call(&self->agent, ucv_do_uids, self->uid, self->uid, self->uid))

#define CALL(fn, a) ucv_agent_call(&self->agent, fn, a, 0, 0)

/* The agent's user is refused at its own level, which is the initial one. */
#define WANT(resource, used_, limit_, asked_) do {					\
	ucv_wanted(&self->wanted, self->agent.pid, resource);				\
	self->wanted.type = UCV_DENIAL_RLIMIT;						\
	ucv_wanted_charged(&self->wanted, self->agent.pid, 0, self->uid);		\
	ucv_wanted_refused(&self->wanted, self->agent.pid, 0, self->uid, self->uid);	\
	self->wanted.used = used_;							\
	self->wanted.limit = limit_;							\
	self->wanted.asked = asked_;							\
} while (0)

#define EXPECT_ONE()	EXPECT_DENIALS(1, self->fd, self->agent.pid, &self->wanted)
#define EXPECT_NONE()	EXPECT_DENIALS(0, self->fd, self->agent.pid, &self->wanted)

UCV_TEST_F(refusals, refused_fork_is_recorded_once)
{
	__u64 before = ucv_denials_by(self->init, self->uid, "rlimit_nproc");

	if (!ucv_feature(UCV_FEATURE_NPROC_DENIALS))
		SKIP(return, NOT_RECORDED);
	LIMIT("nproc", 5, 5);
	BECOME_USER();
	ASSERT_LT(0, CALL(ucv_do_fork, 4));
	EXPECT_NONE();
	WANT("rlimit_nproc", 5, 5, 1);
	EXPECT_EQ(-EAGAIN, CALL(ucv_do_fork, 1));
	EXPECT_ONE();
	EXPECT_EQ(-EAGAIN, CALL(do_clone, 0));
	EXPECT_ONE();
	LIMIT("nproc", 3, 3);
	self->wanted.limit = 3;
	EXPECT_EQ(-EAGAIN, CALL(ucv_do_fork, 1));
	EXPECT_ONE();
	EXPECT_EQ(before + 3, ucv_denials_by(self->init, self->uid, "rlimit_nproc"));
	/* The refused children are not counted. */
	EXPECT_USED(5, self->init, self->uid, "rlimit_nproc");
}

UCV_TEST_F(refusals, capable_fork_is_not_recorded)
{
	if (!ucv_feature(UCV_FEATURE_NPROC_DENIALS))
		SKIP(return, NOT_RECORDED);
	LIMIT("nproc", 1, 1);
	ASSERT_EQ(0, CALL(ucv_do_keep_caps, 0));
	BECOME_USER();
	EXPECT_LT(0, CALL(ucv_do_fork, 2));
	EXPECT_NONE();
}

/* Its real uid is root's, though it has no capabilities. */
UCV_TEST_F(refusals, fork_of_root_is_not_recorded)
{
	if (!ucv_feature(UCV_FEATURE_NPROC_DENIALS))
		SKIP(return, NOT_RECORDED);
	LIMIT("nproc", 1, 1);
	ASSERT_EQ(0, ucv_agent_call(&self->agent, ucv_do_uids, 0, self->uid, self->uid));
	EXPECT_LT(0, CALL(ucv_do_fork, 1));
	EXPECT_NONE();
}

/* set*id() may exceed the limit; then execve() is refused. */
UCV_TEST_F(refusals, refused_execve_is_recorded_and_setuid_is_not)
{
	struct ucv_agent other;

	if (!ucv_feature(UCV_FEATURE_NPROC_DENIALS))
		SKIP(return, NOT_RECORDED);
	ASSERT_EQ(0, ucv_agent_start(&other));
	ASSERT_EQ(0, ucv_agent_call(&other, ucv_do_uids, self->uid, self->uid, self->uid));
	ASSERT_LT(0, ucv_agent_call(&other, ucv_do_fork, 2, 0, 0));
	LIMIT("nproc", 2, 2);
	BECOME_USER();
	EXPECT_NONE();
	WANT("rlimit_nproc", 4, 2, 0);
	EXPECT_EQ(-EAGAIN, CALL(do_exec, 0));
	EXPECT_ONE();
	ucv_agent_stop(&other);
}

/* The namespace keeps the limit of its creator, whatever its processes raise theirs to. */
UCV_TEST_F(refusals, limit_stored_in_a_namespace_refuses)
{
	if (!ucv_feature(UCV_FEATURE_NPROC_DENIALS))
		SKIP(return, NOT_RECORDED);
	LIMIT("nproc", 20, 1000);
	ASSERT_EQ(0, CALL(ucv_do_keep_caps, 0));
	BECOME_USER();
	ASSERT_EQ(0, ucv_agent_userns(&self->agent, NULL, self->map));
	ASSERT_EQ(0, ucv_agent_call(&self->agent, ucv_do_uids, 0, 0, 0));
	LIMIT("nproc", 1000, 1000);
	ASSERT_LT(0, CALL(ucv_do_fork, 19));
	EXPECT_NONE();
	EXPECT_EQ(-EAGAIN, CALL(ucv_do_fork, 1));
	ucv_wanted(&self->wanted, self->agent.pid, "rlimit_nproc");
	self->wanted.type = UCV_DENIAL_RLIMIT;
	ucv_wanted_charged(&self->wanted, self->agent.pid, 1, self->uid + 1);
	ucv_wanted_refused(&self->wanted, getpid(), 0, self->uid, self->uid);
	self->wanted.used = 20;
	self->wanted.limit = 20;
	EXPECT_ONE();
}

/* What a queue is charged is seen in the counter after the first one. */
UCV_TEST_F(refusals, refused_message_queue_is_recorded)
{
	long long one;

	if (!ucv_feature(UCV_FEATURE_MSGQUEUE_DENIALS))
		SKIP(return, NOT_RECORDED);
	if (access("/proc/sys/fs/mqueue", F_OK))
		SKIP(return, "the kernel has no message queues");
	BECOME_USER();
	ASSERT_EQ(0, CALL(ucv_do_queue, 4));
	EXPECT_NONE();
	one = ucv_used_now(self->init, self->uid, "rlimit_msgqueue");
	ASSERT_LT(0, one);
	LIMIT("msgqueue", 2 * one - 1, 2 * one - 1);
	WANT("rlimit_msgqueue", one, 2 * one - 1, one);
	EXPECT_EQ(-EMFILE, CALL(ucv_do_queue, 4));
	EXPECT_ONE();
	/* Too many messages is another reason. */
	EXPECT_EQ(-EINVAL, CALL(ucv_do_queue, 1 << 20));
	EXPECT_NONE();
}

UCV_TEST_F(refusals, refused_lock_is_recorded_in_pages)
{
	const long page = sysconf(_SC_PAGESIZE);

	if (!ucv_feature(UCV_FEATURE_MEMLOCK_DENIALS))
		SKIP(return, NOT_RECORDED);
	if (access("/proc/sys/kernel/shmmax", F_OK))
		SKIP(return, "the kernel has no shared memory segments");
	LIMIT("memlock", 4 * page, 4 * page);
	BECOME_USER();
	ASSERT_EQ(0, CALL(ucv_do_lock, 2));
	EXPECT_NONE();
	WANT("rlimit_memlock", 2, 4, 3);
	EXPECT_EQ(-ENOMEM, CALL(ucv_do_lock, 3));
	EXPECT_ONE();
	/* Refused for want of the right to huge pages, or of such pages. */
	EXPECT_GT(0, CALL(do_huge_memory, 64L << 20));
	EXPECT_NONE();
}

UCV_TEST_F(refusals, capable_lock_is_not_recorded)
{
	if (!ucv_feature(UCV_FEATURE_MEMLOCK_DENIALS))
		SKIP(return, NOT_RECORDED);
	if (access("/proc/sys/kernel/shmmax", F_OK))
		SKIP(return, "the kernel has no shared memory segments");
	LIMIT("memlock", 0, 0);
	ASSERT_EQ(0, CALL(ucv_do_keep_caps, 0));
	BECOME_USER();
	EXPECT_EQ(0, CALL(ucv_do_lock, 3));
	EXPECT_NONE();
}

UCV_TEST_F(refusals, refused_signal_is_recorded_and_kill_is_not)
{
	if (!ucv_feature(UCV_FEATURE_SIGPENDING_DENIALS))
		SKIP(return, NOT_RECORDED);
	LIMIT("sigpending", 3, 3);
	BECOME_USER();
	ASSERT_EQ(3, CALL(ucv_do_signals, 3));
	if (!ucv_seen("rlimit_sigpending"))
		SKIP(return, INLINED);
	EXPECT_NONE();
	WANT("rlimit_sigpending", 3, 3, 1);
	EXPECT_EQ(-EAGAIN, CALL(ucv_do_signals, 1));
	EXPECT_ONE();
	EXPECT_EQ(-EAGAIN, CALL(do_tgkill, SIGRTMIN));
	EXPECT_ONE();
	EXPECT_EQ(0, CALL(do_kill, SIGRTMIN));
	EXPECT_EQ(0, CALL(do_kill, SIGUSR1));
	EXPECT_NONE();
}

/* The receiver is charged, and its limit counts. No capability exempts the sender. */
UCV_TEST_F(refusals, signal_is_refused_by_the_limit_of_the_receiver)
{
	struct ucv_agent sender;

	if (!ucv_feature(UCV_FEATURE_SIGPENDING_DENIALS))
		SKIP(return, NOT_RECORDED);
	LIMIT("sigpending", 2, 2);
	BECOME_USER();
	ASSERT_EQ(2, CALL(ucv_do_signals, 2));
	if (!ucv_seen("rlimit_sigpending"))
		SKIP(return, INLINED);
	ASSERT_EQ(0, ucv_agent_start(&sender));
	WANT("rlimit_sigpending", 2, 2, 1);
	ucv_wanted(&self->wanted, sender.pid, "rlimit_sigpending");
	self->wanted.type = UCV_DENIAL_RLIMIT;
	ucv_wanted_charged(&self->wanted, self->agent.pid, 0, self->uid);
	ucv_wanted_refused(&self->wanted, self->agent.pid, 0, self->uid, self->uid);
	self->wanted.used = 2;
	self->wanted.limit = 2;
	EXPECT_EQ(-EAGAIN, ucv_agent_call(&sender, do_signal_other, self->agent.pid, 0, 0));
	EXPECT_DENIALS(1, self->fd, sender.pid, &self->wanted);
	EXPECT_NONE();
	ucv_agent_stop(&sender);
}

UCV_TEST_F(refusals, refused_timer_is_recorded)
{
	if (!ucv_feature(UCV_FEATURE_SIGPENDING_DENIALS))
		SKIP(return, NOT_RECORDED);
	LIMIT("sigpending", 2, 2);
	BECOME_USER();
	ASSERT_EQ(0, CALL(do_timer, 0));
	ASSERT_EQ(0, CALL(do_timer, 0));
	EXPECT_NONE();
	WANT("rlimit_sigpending", 2, 2, 1);
	EXPECT_EQ(-EAGAIN, CALL(do_timer, 0));
	EXPECT_ONE();
}

/* The agent, which is root, is refused in its own user namespace. */
static void want_depth(struct ucv_denial *wanted, pid_t pid, __u32 type, unsigned int level,
		       long long depth)
{
	ucv_wanted(wanted, pid, NULL);
	wanted->type = type;
	ucv_wanted_charged(wanted, pid, level, 0);
	ucv_wanted_refused(wanted, pid, level, 0, 0);
	wanted->used = depth;
	wanted->limit = depth;
}

static __u64 denials_of_type(__u32 type)
{
	struct ucv_denial_count *counts;
	__u64 denials = 0;
	int nr, i;

	nr = ucv_denial_counts(&counts);
	for (i = 0; i < nr; i++)
		if (counts[i].type == type && !(counts[i].flags & UCV_DENIAL_COUNT_OTHERS))
			denials += counts[i].denials;
	free(counts);
	return denials;
}

UCV_TEST_F(refusals, user_namespace_nested_too_deep_is_recorded)
{
	__u64 before = denials_of_type(UCV_DENIAL_USERNS_DEPTH);

	if (!ucv_feature(UCV_FEATURE_USERNS_DEPTH_DENIALS))
		SKIP(return, NOT_RECORDED);
	ASSERT_EQ(USERNS_DEPTH, CALL(do_nest_users, USERNS_DEPTH));
	EXPECT_NONE();
	want_depth(&self->wanted, self->agent.pid, UCV_DENIAL_USERNS_DEPTH, USERNS_DEPTH,
		   USERNS_DEPTH);
	EXPECT_EQ(-ENOSPC, CALL(ucv_do_unshare, CLONE_NEWUSER));
	EXPECT_ONE();
	EXPECT_EQ(-ENOSPC, CALL(do_clone, CLONE_NEWUSER));
	EXPECT_ONE();
	/* A counter that is full as well is not looked at. */
	ASSERT_EQ(0, ucv_agent_write(&self->agent, "/proc/sys/user/max_user_namespaces", "0"));
	EXPECT_EQ(-ENOSPC, CALL(ucv_do_unshare, CLONE_NEWUSER));
	EXPECT_ONE();
	EXPECT_EQ(before + 3, denials_of_type(UCV_DENIAL_USERNS_DEPTH));
}

/* One level above the deepest, a full counter refuses. */
UCV_TEST_F(refusals, refused_counter_is_recorded_once)
{
	ASSERT_EQ(USERNS_DEPTH - 1, CALL(do_nest_users, USERNS_DEPTH - 1));
	ASSERT_EQ(0, ucv_agent_write(&self->agent, "/proc/sys/user/max_user_namespaces", "0"));
	ucv_wanted(&self->wanted, self->agent.pid, "user_namespaces");
	ucv_wanted_charged(&self->wanted, self->agent.pid, USERNS_DEPTH - 1, 0);
	ucv_wanted_refused(&self->wanted, self->agent.pid, USERNS_DEPTH - 1, 0, 0);
	EXPECT_EQ(-ENOSPC, CALL(ucv_do_unshare, CLONE_NEWUSER));
	EXPECT_ONE();
	EXPECT_EQ(-ENOSPC, CALL(do_clone, CLONE_NEWUSER));
	EXPECT_ONE();
}

/* The innermost process, of which only the record tells the pid. */
UCV_TEST_F(refusals, pid_namespace_nested_too_deep_is_recorded)
{
	__u64 before = denials_of_type(UCV_DENIAL_PIDNS_DEPTH);
	struct ucv_denial denials[UCV_SOME_DENIALS];
	long nr, i;

	if (!ucv_feature(UCV_FEATURE_PIDNS_DEPTH_DENIALS))
		SKIP(return, NOT_RECORDED);
	ASSERT_EQ(0, ucv_agent_call(&self->agent, do_nest_pids, PIDNS_DEPTH, 0, 0));
	ASSERT_EQ(0, ucv_agent_call(&self->agent, do_nest_pids, PIDNS_DEPTH, SIGCHLD, 0));
	nr = ucv_denials(self->fd, 0, denials, UCV_SOME_DENIALS);
	ASSERT_EQ(2, nr);
	EXPECT_STREQ("", ucv_denials_inconsistent(denials, nr));
	want_depth(&self->wanted, self->agent.pid, UCV_DENIAL_PIDNS_DEPTH, 0, PIDNS_DEPTH);
	for (i = 0; i < nr; i++) {
		EXPECT_NE(self->agent.pid, (pid_t)denials[i].pid);
		self->wanted.pid = denials[i].pid;
		self->wanted.tgid = denials[i].pid;
		EXPECT_STREQ("", ucv_denial_differs(&self->wanted, &denials[i]));
	}
	EXPECT_EQ(before + 2, denials_of_type(UCV_DENIAL_PIDNS_DEPTH));
}

UCV_TEST_F(refusals, nothing_is_recorded_unless_armed)
{
	struct ucv_listen before, after;
	int fd = ucv_open();

	close(self->fd);
	self->fd = -1;
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ucv_listen(fd, 0, &before));
	if (before.armed)
		SKIP(return, "something else has armed recording");
	if (ucv_feature(UCV_FEATURE_RLIMITS)) {
		LIMIT("nproc", 1, 1);
		LIMIT("sigpending", 1, 1);
		BECOME_USER();
		EXPECT_EQ(-EAGAIN, CALL(ucv_do_fork, 1));
		EXPECT_EQ(1, CALL(ucv_do_signals, 1));
		EXPECT_EQ(-EAGAIN, CALL(ucv_do_signals, 1));
	} else {
		ASSERT_EQ(USERNS_DEPTH, CALL(do_nest_users, USERNS_DEPTH));
		EXPECT_EQ(-ENOSPC, CALL(ucv_do_unshare, CLONE_NEWUSER));
	}
	ASSERT_EQ(0, ucv_listen(fd, 0, &after));
	EXPECT_EQ(before.total, after.total);
	close(fd);
}

TEST_HARNESS_MAIN
