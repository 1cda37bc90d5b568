// SPDX-License-Identifier: GPL-2.0
/*
 * Disabled kprobes: the kernel's own switches disable all kprobes, or those based on ftrace.
 * Refusals are not recorded then, as a refused call shows. Arming fails, and UCV_IOC_LISTEN,
 * UCV_IOC_INFO, read() and poll() report the state.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "ucv_denials.h"
#include "ucv_mounts.h"

#define BLIND_UID	(UCV_UID + 860)
#define SIZE		sizeof(struct ucv_denial)

/*
 * The module samples the state once a second, wakes listeners then, and removes its probes
 * about as fast. So many tries, 10 ms apart, are a minute at least; they only end hangs.
 */
#define MOST_TRIES	6000

FIXTURE(blind) {
	struct ucv_agent agent;		/* is refused on request */
	long long before;		/* interruptions */
	struct ucv_denial got[UCV_SOME_DENIALS];
};

FIXTURE_VARIANT(blind) {
	const char *path;		/* the switch */
	bool by_ftrace;			/* for kprobes that use ftrace */
};

FIXTURE_VARIANT_ADD(blind, kprobes) {
	.path = "/sys/kernel/debug/kprobes/enabled",
};

FIXTURE_VARIANT_ADD(blind, ftrace) {
	.path = "/proc/sys/kernel/ftrace_enabled",
	.by_ftrace = true,
};

/* True if the kernel lists the kprobe on inc_ucount() as based on ftrace. */
static bool probed_by_ftrace(void)
{
	int fd = ucv_listener(UCV_LISTEN_ARM);
	char *text = ucv_slurp("/sys/kernel/debug/kprobes/list", NULL);
	char *at = text ? strstr(text, "inc_ucount+") : NULL;
	bool ftrace = false;

	if (at) {
		at[strcspn(at, "\n")] = '\0';
		ftrace = strstr(at, "[FTRACE]");
	}
	free(text);
	close(fd);
	return ftrace;
}

/* True while any of the module's probes is registered. They are removed one by one. */
static bool any_probe(void)
{
	return ucv_probed("inc_ucount") || ucv_probed("count_mounts") ||
	       ucv_probed("ucv_canary_call");
}

FIXTURE_SETUP(blind)
{
	if (!ucv_feature(UCV_FEATURE_DENIALS))
		SKIP(return, "the module cannot tell of refusals here");
	if (!ucv_has_debugfs() || !ucv_has_probe_list())
		SKIP(return, "debugfs cannot be read");
	ASSERT_EQ(0, ucv_sysctl(UCV_ALWAYS_ON, 0));
	if (ucv_status_number("denials_armed"))
		SKIP(return, "somebody else is listening");
	if (ucv_read_number(variant->path) != 1)
		SKIP(return, "the switch is not there, or off");
	if (variant->by_ftrace && !probed_by_ftrace())
		SKIP(return, "kprobes do not depend on ftrace here");
	/* Later kernels do not allow turning ftrace off. */
	if (ucv_sysctl(variant->path, 0))
		SKIP(return, "the switch cannot be set");
	ASSERT_EQ(0, ucv_write(variant->path, "1"));
	self->before = ucv_status_number("denials_interruptions");
	ASSERT_LE(0, self->before);
	ASSERT_EQ(0, ucv_refused_start(&self->agent, BLIND_UID));
}

FIXTURE_TEARDOWN(blind)
{
	if (!self->agent.pid)
		return;
	ucv_write(variant->path, "1");
	ucv_write(UCV_ALWAYS_ON, "0");
	ucv_agent_stop(&self->agent);
	/*
	 * The probes pin the module, which another test may want to unload. They stay if a test
	 * failed while it was listening.
	 */
	EXPECT_TRUE(UCV_SOON_TRIES(!any_probe(), MOST_TRIES));
}

#define SWITCH_OFF()	ASSERT_EQ(0, ucv_write(variant->path, "0"))
#define SWITCH_ON()	ASSERT_EQ(0, ucv_write(variant->path, "1"))
#define REFUSE(times)	ASSERT_EQ(0, refuse(&self->agent, times))
#define EXPECT_RECORDS(nr, fd) \
	EXPECT_EQ(nr, ucv_denials(fd, self->agent.pid, self->got, UCV_SOME_DENIALS))

/* A call is refused, and nothing is recorded. */
#define REFUSE_UNRECORDED(times) do {				\
	long long total = ucv_status_number("denials");		\
								\
	REFUSE(times);						\
	ASSERT_EQ(total, ucv_status_number("denials"));		\
} while (0)

static int refuse(struct ucv_agent *agent, long times)
{
	return ucv_agent_call(agent, ucv_do_refuse, times, 0, 0) == times ? 0 : -1;
}

static ssize_t read_one(int fd)
{
	struct ucv_denial denial;
	ssize_t got = read(fd, &denial, sizeof(denial));

	return got < 0 ? -errno : got;
}

static int poll_now(int fd)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };

	return poll(&pollfd, 1, 0) < 0 ? -errno : pollfd.revents;
}

/* The first word of status' denials_state. */
static const char *state(void)
{
	static char text[160];

	if (ucv_status("denials_state", text, sizeof(text)))
		return "";
	text[strcspn(text, " ")] = '\0';
	return text;
}

static __u64 info_recording(void)
{
	struct ucv_info info = { };
	int fd = ucv_open();
	int ret = ioctl(fd, UCV_IOC_INFO, &info);

	close(fd);
	return ret ? ~0ULL : info.recording;
}

/* UCV_IOC_LISTEN on a file that does not arm. */
static struct ucv_listen listen_state(void)
{
	struct ucv_listen listen;
	int fd = ucv_open();

	if (ucv_listen(fd, 0, &listen))
		memset(&listen, 0xff, sizeof(listen));
	close(fd);
	return listen;
}

UCV_TEST_F(blind, arming_fails_while_switched_off)
{
	/* Nothing to read must be an error, not a wait. */
	int fd = open(UCV_DEVICE_PATH, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct ucv_listen listen;

	ASSERT_LE(0, fd);
	SWITCH_OFF();
	EXPECT_EQ(-ENOLINK, ucv_listen(fd, UCV_LISTEN_ARM, &listen));
	EXPECT_EQ(-ENOLINK, ucv_write(UCV_ALWAYS_ON, "1"));
	EXPECT_EQ(0, ucv_read_number(UCV_ALWAYS_ON));
	EXPECT_EQ(0, ucv_status_number("denials_armed"));
	EXPECT_STREQ("off", state());
	EXPECT_EQ(0ULL, info_recording());
	EXPECT_FALSE(ucv_probed("inc_ucount"));
	EXPECT_FALSE(ucv_probed("count_mounts"));
	EXPECT_FALSE(ucv_probed("ucv_canary_call"));
	REFUSE_UNRECORDED(1);

	/* The file is still usable. */
	EXPECT_EQ(0, ucv_listen(fd, 0, &listen));
	EXPECT_EQ(0ULL, listen.recording);
	SWITCH_ON();
	EXPECT_EQ(0, ucv_listen(fd, UCV_LISTEN_ARM, &listen));
	EXPECT_EQ((__u64)UCV_RECORDING_ON, listen.recording);
	EXPECT_EQ((__u64)self->before, listen.interruptions);
	REFUSE(1);
	EXPECT_EQ((ssize_t)SIZE, read_one(fd));
	close(fd);
	EXPECT_STREQ("off", state());
}

UCV_TEST_F(blind, ioctls_and_debugfs_tell_of_the_switch)
{
	int fd = ucv_listener(UCV_LISTEN_ARM);
	struct ucv_listen listen;
	int other = ucv_open();

	ASSERT_LE(0, fd);
	EXPECT_STREQ("recording", state());
	EXPECT_EQ((__u64)UCV_RECORDING_ON, info_recording());
	EXPECT_EQ((__u64)UCV_RECORDING_ON, listen_state().recording);
	REFUSE(1);
	EXPECT_RECORDS(1, fd);

	SWITCH_OFF();
	REFUSE_UNRECORDED(2);
	EXPECT_STREQ("blind", state());
	EXPECT_EQ((__u64)UCV_RECORDING_BLIND, info_recording());
	EXPECT_EQ((__u64)UCV_RECORDING_BLIND, listen_state().recording);
	EXPECT_EQ(1U, listen_state().armed);
	EXPECT_EQ((__u64)self->before + 1, listen_state().interruptions);
	EXPECT_EQ(-ENOLINK, ucv_listen(other, UCV_LISTEN_ARM, &listen));
	EXPECT_EQ(-ENOLINK, ucv_listen(fd, UCV_LISTEN_ARM, &listen));
	EXPECT_EQ(-ENOLINK, ucv_write(UCV_ALWAYS_ON, "1"));
	EXPECT_EQ(1, ucv_status_number("denials_armed"));

	SWITCH_ON();
	EXPECT_STREQ("recording", state());
	EXPECT_EQ((__u64)UCV_RECORDING_ON, info_recording());
	EXPECT_EQ(self->before + 1, ucv_status_number("denials_interruptions"));
	EXPECT_EQ(0, ucv_listen(fd, UCV_LISTEN_ARM, &listen));
	REFUSE(3);
	EXPECT_RECORDS(3, fd);
	close(other);
	close(fd);
}

/*
 * The probes were last seen to fire by the query before the switch, and they fire again no later
 * than at the query after it. (An earlier query cannot be the last: this one comes after it.)
 */
UCV_TEST_F(blind, time_of_the_switch_is_told)
{
	int fd = ucv_listener(UCV_LISTEN_ARM);
	__u64 before, after;

	ASSERT_LE(0, fd);
	before = ucv_boottime();
	EXPECT_EQ((__u64)UCV_RECORDING_ON, listen_state().recording);
	SWITCH_OFF();
	after = ucv_boottime();
	EXPECT_EQ((__u64)UCV_RECORDING_BLIND, listen_state().recording);
	EXPECT_LE(before, listen_state().since_ns);
	EXPECT_GE(after, listen_state().since_ns);
	REFUSE_UNRECORDED(1);

	before = ucv_boottime();
	SWITCH_ON();
	EXPECT_EQ((__u64)UCV_RECORDING_ON, listen_state().recording);
	after = ucv_boottime();
	EXPECT_LE(before, listen_state().since_ns);
	EXPECT_GE(after, listen_state().since_ns);

	/* Denials are missing since the switch, not only since disarming. */
	before = ucv_boottime();
	EXPECT_EQ((__u64)UCV_RECORDING_ON, listen_state().recording);
	SWITCH_OFF();
	after = ucv_boottime();
	close(fd);
	EXPECT_EQ(0ULL, listen_state().recording);
	EXPECT_LE(before, listen_state().since_ns);
	EXPECT_GE(after, listen_state().since_ns);
	EXPECT_EQ((__u64)self->before + 2, listen_state().interruptions);
}

/* read() and poll() report the records, and then the interruption for as long as it lasts. */
UCV_TEST_F(blind, read_and_poll_tell_of_the_switch)
{
	int fd = ucv_listener(UCV_LISTEN_ARM);
	int deaf = ucv_listener(0);

	ASSERT_LE(0, fd);
	ASSERT_LE(0, deaf);
	EXPECT_EQ(0, poll_now(fd));
	EXPECT_EQ(-EAGAIN, read_one(fd));
	REFUSE(2);
	SWITCH_OFF();
	REFUSE_UNRECORDED(1);
	EXPECT_EQ(POLLIN, poll_now(fd));
	EXPECT_EQ((ssize_t)SIZE, read_one(fd));
	EXPECT_EQ((ssize_t)SIZE, read_one(fd));
	EXPECT_EQ(POLLERR, poll_now(fd));
	EXPECT_EQ(-ENOLINK, read_one(fd));
	EXPECT_EQ(POLLERR, poll_now(fd));
	EXPECT_EQ(-ENOLINK, read_one(fd));
	SWITCH_ON();
	EXPECT_EQ(0, poll_now(fd));
	EXPECT_EQ(-EAGAIN, read_one(fd));
	REFUSE(1);
	EXPECT_RECORDS(1, fd);

	/* The interruption has been reported to fd, but not yet to this file. */
	EXPECT_EQ((ssize_t)SIZE, read_one(deaf));
	EXPECT_EQ((ssize_t)SIZE, read_one(deaf));
	EXPECT_EQ((ssize_t)SIZE, read_one(deaf));
	EXPECT_EQ(POLLERR, poll_now(deaf));
	EXPECT_EQ(-ENOLINK, read_one(deaf));
	EXPECT_EQ(0, poll_now(deaf));
	EXPECT_EQ(-EAGAIN, read_one(deaf));
	close(deaf);
	close(fd);
}

/* Disarmed while blind: the state is then off. */
UCV_TEST_F(blind, disarmed_while_switched_off)
{
	int fd = ucv_listener(UCV_LISTEN_ARM);
	int deaf = ucv_listener(0);

	ASSERT_LE(0, fd);
	ASSERT_LE(0, deaf);
	SWITCH_OFF();
	EXPECT_STREQ("blind", state());
	close(fd);
	EXPECT_STREQ("off", state());
	/* Kept while ftrace is off: unregistering would leave FTRACE_FL_REGS set (kretprobes.h). */
	EXPECT_EQ(variant->by_ftrace, ucv_probed("inc_ucount"));
	EXPECT_EQ(variant->by_ftrace, ucv_probed("ucv_canary_call"));
	EXPECT_EQ(-ENOLINK, read_one(deaf));
	EXPECT_EQ(-EAGAIN, read_one(deaf));
	SWITCH_ON();
	EXPECT_TRUE(UCV_SOON(!any_probe()));
	fd = ucv_listener(UCV_LISTEN_ARM);
	ASSERT_LE(0, fd);
	REFUSE(1);
	EXPECT_RECORDS(1, fd);
	close(fd);
	close(deaf);
}

/* Waits for a record in a child, whose exit status is the error that read() returns. */
static pid_t start_waiter(int fd, bool by_poll)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };
	/* A test that fails must not leave it: it would wait for ever, with our output open. */
	pid_t pid = ucv_fork();

	if (pid)
		return pid;
	if (!by_poll)
		_exit(-read_one(fd));
	if (poll(&pollfd, 1, -1) != 1 || pollfd.revents != POLLERR)
		_exit(255);
	_exit(-read_one(fd));
}

static void check_wakeup(struct __test_metadata *_metadata, const char *path, bool by_poll)
{
	int fd = ucv_open(), status;
	struct ucv_listen listen;
	pid_t pid;

	ASSERT_EQ(0, ucv_listen(fd, UCV_LISTEN_ARM, &listen));
	pid = start_waiter(fd, by_poll);
	ASSERT_LT(0, pid);
	ASSERT_TRUE(UCV_SOON(ucv_state_of(pid) == 'S'));
	ASSERT_EQ(0, ucv_write(path, "0"));
	EXPECT_TRUE(UCV_SOON_TRIES(ucv_state_of(pid) == 'Z', MOST_TRIES))
		TH_LOG("nobody was woken");
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFEXITED(status));
	EXPECT_EQ(ENOLINK, WEXITSTATUS(status));
	ASSERT_EQ(0, ucv_write(path, "1"));
	close(fd);
}

/* Sleeping listeners are woken although no task queries the state. */
UCV_TEST_F(blind, sleeping_reader_is_woken)
{
	check_wakeup(_metadata, variant->path, false);
}

UCV_TEST_F(blind, sleeping_poller_is_woken)
{
	check_wakeup(_metadata, variant->path, true);
}

/* Repeatedly, with arming in between. */
UCV_TEST_F(blind, switching_can_be_repeated)
{
	unsigned int i;
	int fd, other;

	for (i = 0; i < 10; i++) {
		fd = ucv_listener(UCV_LISTEN_ARM);
		ASSERT_LE(0, fd);
		SWITCH_OFF();
		EXPECT_EQ(-ENOLINK, read_one(fd));
		other = ucv_listener(UCV_LISTEN_ARM);
		EXPECT_EQ(-ENOLINK, other);
		close(other);
		if (i % 2)
			close(fd);
		SWITCH_ON();
		if (!(i % 2)) {
			REFUSE(1);
			EXPECT_RECORDS(1, fd);
			close(fd);
		}
	}
	EXPECT_EQ(self->before + 10, ucv_status_number("denials_interruptions"));
}

/* The mask of what has passed the probes, i.e. of what was charged while they were armed. */

TEST(charges_that_hit_the_probes_are_reported)
{
	struct ucv_agent agent, mounter;
	struct ucv_table table;
	int fd, resource;

	if (!ucv_feature(UCV_FEATURE_DENIALS))
		SKIP(return, "the module cannot tell of refusals here");
	ASSERT_EQ(0, ucv_take(&table));
	resource = ucv_resource(&table, "inotify_instances");
	ucv_free(&table);
	ASSERT_LE(0, resource);
	ASSERT_EQ(0, ucv_refused_start(&agent, BLIND_UID));
	ASSERT_EQ(0, ucv_agent_start(&mounter));
	fd = ucv_listener(UCV_LISTEN_ARM);
	ASSERT_LE(0, fd);
	ASSERT_EQ(1, ucv_agent_call(&agent, ucv_do_refuse, 1, 0, 0));
	EXPECT_TRUE(listen_state().seen & UCV_SEEN(resource));
	EXPECT_FALSE(listen_state().seen & UCV_SEEN(UCV_MAX_RESOURCES));
	if (ucv_feature(UCV_FEATURE_MNT_DENIALS)) {
		ASSERT_EQ(0, ucv_agent_call(&mounter, ucv_do_new_mntns, 0, 0, 0));
		ASSERT_EQ(0, ucv_agent_mount(&mounter, "tmpfs", "size=1m", "/tmp"));
		EXPECT_TRUE(listen_state().seen & UCV_SEEN_MOUNTS);
	}
	ucv_agent_stop(&mounter);
	ucv_agent_stop(&agent);
	close(fd);
}

TEST_HARNESS_MAIN
