// SPDX-License-Identifier: GPL-2.0
/*
 * Arming: each open file that listens with UCV_LISTEN_ARM, and the module parameter, counts
 * once for as long as it exists. While the count is 0, nothing is recorded and no kprobe is
 * registered, which is checked in the kernel's own list.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "ucv_denials.h"

#define ARM_UID		(UCV_UID + 840)

FIXTURE(arming) {
	struct ucv_agent agent;		/* is refused on request */
	long long others;		/* armed by other programs, if any */
};

FIXTURE_SETUP(arming)
{
	if (!ucv_feature(UCV_FEATURE_DENIALS))
		SKIP(return, "the module cannot tell of refusals here");
	if (!ucv_has_debugfs())
		SKIP(return, "debugfs cannot be read");
	ASSERT_EQ(0, ucv_sysctl(UCV_ALWAYS_ON, 0));
	self->others = ucv_status_number("denials_armed");
	ASSERT_LE(0, self->others);
	ASSERT_EQ(0, ucv_refused_start(&self->agent, ARM_UID));
}

FIXTURE_TEARDOWN(arming)
{
	ucv_agent_stop(&self->agent);
}

/* The probes besides that on inc_ucount(), and the feature that each is for. */
static const struct {
	const char *function;
	__u64 feature;
} probes[] = {
	{ "count_mounts", UCV_FEATURE_MNT_DENIALS },
	{ "is_rlimit_overlimit", UCV_FEATURE_NPROC_DENIALS },
	{ "mqueue_get_inode", UCV_FEATURE_MSGQUEUE_DENIALS },
	{ "shmem_lock", UCV_FEATURE_MEMLOCK_DENIALS },
	{ "do_send_sig_info", UCV_FEATURE_SIGPENDING_DENIALS },
	{ "create_user_ns", UCV_FEATURE_USERNS_DEPTH_DENIALS },
	{ "copy_pid_ns", UCV_FEATURE_PIDNS_DEPTH_DENIALS },
};

/*
 * Checks that the module's count is @armed, and that the kprobes are registered and a
 * refused call is recorded only if that is not 0.
 */
static void check_armed(struct __test_metadata *_metadata, struct ucv_agent *agent, long long armed)
{
	long long total = ucv_status_number("denials");
	unsigned int i;

	EXPECT_EQ(armed, ucv_status_number("denials_armed"));
	if (ucv_has_probe_list()) {
		EXPECT_EQ(armed > 0, ucv_probed("inc_ucount"));
		for (i = 0; i < ARRAY_SIZE(probes); i++)
			EXPECT_EQ(armed > 0 && ucv_feature(probes[i].feature),
				  ucv_probed(probes[i].function));
	}
	ASSERT_EQ(1, ucv_agent_call(agent, ucv_do_refuse, 1, 0, 0));
	EXPECT_EQ(total + (armed > 0), ucv_status_number("denials"));
}

#define CHECK_ARMED(nr) check_armed(_metadata, &self->agent, self->others + (nr))

UCV_TEST_F(arming, each_listening_file_arms)
{
	struct ucv_listen listen;
	int deaf, first, second;

	CHECK_ARMED(0);
	deaf = ucv_open();
	ASSERT_LE(0, deaf);
	CHECK_ARMED(0);
	ASSERT_EQ(0, ucv_listen(deaf, 0, &listen));
	EXPECT_EQ(self->others, listen.armed);
	CHECK_ARMED(0);

	first = ucv_open();
	ASSERT_EQ(0, ucv_listen(first, UCV_LISTEN_ARM, &listen));
	EXPECT_EQ(self->others + 1, listen.armed);
	CHECK_ARMED(1);
	/* A file counts once, and stays armed. */
	ASSERT_EQ(0, ucv_listen(first, UCV_LISTEN_ARM, &listen));
	EXPECT_EQ(self->others + 1, listen.armed);
	ASSERT_EQ(0, ucv_listen(first, UCV_LISTEN_OLDEST, &listen));
	EXPECT_EQ(self->others + 1, listen.armed);
	CHECK_ARMED(1);

	second = ucv_listener(UCV_LISTEN_ARM | UCV_LISTEN_OLDEST);
	ASSERT_LE(0, second);
	CHECK_ARMED(2);
	ASSERT_EQ(0, ucv_listen(deaf, 0, &listen));
	EXPECT_EQ(self->others + 2, listen.armed);
	close(first);
	CHECK_ARMED(1);
	close(deaf);
	CHECK_ARMED(1);
	close(second);
	CHECK_ARMED(0);
}

/* A call that fails does not arm. */
UCV_TEST_F(arming, failed_listen_does_not_arm)
{
	struct ucv_listen listen = { .flags = UCV_LISTEN_ARM, .reserved = 1 };
	int fd = ucv_open();

	ASSERT_LE(0, fd);
	EXPECT_EQ(-1, ioctl(fd, UCV_IOC_LISTEN, &listen));
	EXPECT_EQ(-EINVAL, ucv_listen(fd, UCV_LISTEN_ARM | 1U << 31, &listen));
	EXPECT_EQ(-1, ioctl(fd, UCV_IOC_LISTEN, NULL));
	CHECK_ARMED(0);
	close(fd);
}

/* Open files count, not descriptors: the last close of a descriptor disarms. */
UCV_TEST_F(arming, shared_file_arms_until_its_last_close)
{
	int fd = ucv_listener(UCV_LISTEN_ARM);
	int duplicate = dup(fd);
	pid_t pid;

	ASSERT_LE(0, fd);
	CHECK_ARMED(1);
	close(fd);
	CHECK_ARMED(1);
	pid = ucv_fork();
	if (!pid)
		ucv_stay();
	ASSERT_LT(0, pid);
	CHECK_ARMED(1);
	close(duplicate);
	CHECK_ARMED(1);
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	EXPECT_TRUE(UCV_SOON(ucv_status_number("denials_armed") == self->others));
	CHECK_ARMED(0);
}

/* A listener that is killed while it sleeps. */
UCV_TEST_F(arming, killed_listener_disarms)
{
	struct ucv_listen listen;
	char buf[4096];
	pid_t pid;
	int fd;

	pid = ucv_fork();
	if (!pid) {
		fd = ucv_open();
		if (fd < 0 || ucv_listen(fd, UCV_LISTEN_ARM, &listen))
			_exit(1);
		while (read(fd, buf, sizeof(buf)) > 0)
			;
		_exit(1);
	}
	ASSERT_LT(0, pid);
	EXPECT_TRUE(UCV_SOON(ucv_status_number("denials_armed") == self->others + 1));
	CHECK_ARMED(1);
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	EXPECT_TRUE(UCV_SOON(ucv_status_number("denials_armed") == self->others));
	CHECK_ARMED(0);
}

UCV_TEST_F(arming, parameter_arms)
{
	EXPECT_EQ(0, ucv_read_number(UCV_ALWAYS_ON));
	ASSERT_EQ(0, ucv_sysctl(UCV_ALWAYS_ON, 1));
	EXPECT_EQ(1, ucv_read_number(UCV_ALWAYS_ON));
	CHECK_ARMED(1);
	ASSERT_EQ(0, ucv_write(UCV_ALWAYS_ON, "Y"));
	CHECK_ARMED(1);
	EXPECT_EQ(-EINVAL, ucv_write(UCV_ALWAYS_ON, "perhaps"));
	CHECK_ARMED(1);
	ASSERT_EQ(0, ucv_write(UCV_ALWAYS_ON, "N"));
	CHECK_ARMED(0);
	ASSERT_EQ(0, ucv_write(UCV_ALWAYS_ON, "0"));
	EXPECT_EQ(0, ucv_read_number(UCV_ALWAYS_ON));
	CHECK_ARMED(0);
}

/* Since when recording has been what it is, which all interfaces must agree on. */
static void check_since(struct __test_metadata *_metadata, __u64 recording, __u64 first,
			__u64 last)
{
	struct ucv_listen listen = {};
	struct ucv_info info = {};
	int fd = ucv_open();

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ucv_listen(fd, 0, &listen));
	ASSERT_EQ(0, ioctl(fd, UCV_IOC_INFO, &info));
	close(fd);
	EXPECT_EQ(recording, listen.recording);
	EXPECT_EQ(recording, info.recording);
	EXPECT_LE(first, listen.since_ns);
	EXPECT_GE(last, listen.since_ns);
	EXPECT_EQ(listen.since_ns, info.since_ns);
	EXPECT_EQ(listen.since_ns, (__u64)ucv_status_number("denials_since_ns"));
	EXPECT_LT(0ULL, info.loaded_ns);
	EXPECT_GE(listen.since_ns, info.loaded_ns);
}

#define CHECK_SINCE(recording, first, last) \
	check_since(_metadata, recording, first, last)

UCV_TEST_F(arming, time_of_arming_and_disarming_is_told)
{
	struct ucv_listen listen;
	__u64 before, after;
	int first, second;

	if (self->others)
		SKIP(return, "somebody else is listening");
	before = ucv_boottime();
	first = ucv_listener(UCV_LISTEN_ARM);
	after = ucv_boottime();
	ASSERT_LE(0, first);
	CHECK_SINCE(UCV_RECORDING_ON, before, after);
	/* Only the first user arms, and only the last one disarms. */
	second = ucv_listener(UCV_LISTEN_ARM);
	ASSERT_LE(0, second);
	ASSERT_EQ(0, ucv_sysctl(UCV_ALWAYS_ON, 1));
	CHECK_SINCE(UCV_RECORDING_ON, before, after);
	close(first);
	ASSERT_EQ(0, ucv_sysctl(UCV_ALWAYS_ON, 0));
	CHECK_SINCE(UCV_RECORDING_ON, before, after);
	before = ucv_boottime();
	close(second);
	after = ucv_boottime();
	CHECK_SINCE(0, before, after);
	/* A call that fails to arm, a file that does not, and a refusal change nothing. */
	second = ucv_open();
	ASSERT_LE(0, second);
	EXPECT_EQ(-EINVAL, ucv_listen(second, UCV_LISTEN_ARM | 1U << 31, &listen));
	EXPECT_EQ(0, ucv_listen(second, UCV_LISTEN_OLDEST, &listen));
	ASSERT_EQ(1, ucv_agent_call(&self->agent, ucv_do_refuse, 1, 0, 0));
	CHECK_SINCE(0, before, after);
	close(second);
	CHECK_SINCE(0, before, after);
	before = ucv_boottime();
	ASSERT_EQ(0, ucv_sysctl(UCV_ALWAYS_ON, 1));
	after = ucv_boottime();
	CHECK_SINCE(UCV_RECORDING_ON, before, after);
}

/* Files and the parameter arm independently of each other. */
UCV_TEST_F(arming, parameter_and_files_arm_independently)
{
	int fd;

	ASSERT_EQ(0, ucv_sysctl(UCV_ALWAYS_ON, 1));
	fd = ucv_listener(UCV_LISTEN_ARM);
	ASSERT_LE(0, fd);
	CHECK_ARMED(2);
	close(fd);
	CHECK_ARMED(1);
	fd = ucv_listener(UCV_LISTEN_ARM);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ucv_sysctl(UCV_ALWAYS_ON, 0));
	CHECK_ARMED(1);
	close(fd);
	CHECK_ARMED(0);
}

/* A later listener reads only what was recorded while the parameter was set. */
UCV_TEST_F(arming, denials_without_a_listener_are_kept)
{
	struct ucv_denial got[8];
	int fd;

	if (self->others)
		SKIP(return, "somebody else is listening");
	ASSERT_EQ(3, ucv_agent_call(&self->agent, ucv_do_refuse, 3, 0, 0));
	ASSERT_EQ(0, ucv_sysctl(UCV_ALWAYS_ON, 1));
	ASSERT_EQ(2, ucv_agent_call(&self->agent, ucv_do_refuse, 2, 0, 0));
	ASSERT_EQ(0, ucv_sysctl(UCV_ALWAYS_ON, 0));
	ASSERT_EQ(4, ucv_agent_call(&self->agent, ucv_do_refuse, 4, 0, 0));
	fd = ucv_listener(UCV_LISTEN_OLDEST);
	ASSERT_LE(0, fd);
	EXPECT_EQ(2, ucv_denials(fd, self->agent.pid, got, ARRAY_SIZE(got)));
	close(fd);
}

/* Many files at once. */
#define MANY	200

UCV_TEST_F(arming, many_files_arm)
{
	int fd[MANY];
	unsigned int i;

	for (i = 0; i < MANY; i++) {
		fd[i] = ucv_listener(UCV_LISTEN_ARM);
		ASSERT_LE(0, fd[i]);
	}
	CHECK_ARMED(MANY);
	for (i = 0; i < MANY; i++) {
		close(fd[(i * 77) % MANY]);
		if (i % 50 == 49)
			CHECK_ARMED(MANY - 1 - i);
	}
}

/* Arming and disarming, repeatedly. */
UCV_TEST_F(arming, arming_and_disarming_can_be_repeated)
{
	unsigned int i;
	int fd;

	for (i = 0; i < 20; i++) {
		fd = ucv_listener(UCV_LISTEN_ARM);
		ASSERT_LE(0, fd);
		CHECK_ARMED(1);
		close(fd);
		CHECK_ARMED(0);
	}
}

TEST_HARNESS_MAIN
