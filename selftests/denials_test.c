// SPDX-License-Identifier: GPL-2.0
/*
 * Refused charges of inotify and fanotify: each refused call is recorded once, with the
 * caller, the owner of the counter, the limit and the usage. Calls that are not refused are
 * not recorded. Other kinds of charges have their own tests.
 */
#include <errno.h>
#include <sched.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/prctl.h>

#include "kselftest_harness.h"
#include "ucv_denials.h"

#define NR_FILES	32
#define DENIALS_UID	(UCV_UID + 700)

#define MAX_WATCHES	"/proc/sys/fs/inotify/max_user_watches"
#define MAX_INSTANCES	"/proc/sys/fs/inotify/max_user_instances"
#define MAX_MARKS	"/proc/sys/fs/fanotify/max_user_marks"
#define MAX_GROUPS	"/proc/sys/fs/fanotify/max_user_groups"

FIXTURE(denials) {
	char dir[64];
	int fd;				/* listens */
	struct ucv_agent editor;	/* holds four watches */
	struct ucv_agent user;		/* of the same uid */
	struct ucv_denial wanted;
};

FIXTURE_SETUP(denials)
{
	if (!ucv_feature(UCV_FEATURE_DENIALS))
		SKIP(return, "the module cannot tell of refusals here");
	ASSERT_EQ(0, ucv_make_files(self->dir, sizeof(self->dir), NR_FILES));
	ASSERT_EQ(0, ucv_agent_start(&self->editor));
	ASSERT_EQ(0, ucv_agent_start(&self->user));
	ASSERT_EQ(0, ucv_agent_call(&self->editor, ucv_do_uids, -1, DENIALS_UID, -1));
	ASSERT_EQ(0, ucv_agent_call(&self->editor, ucv_do_inotify, 1, 0, 0));
	ASSERT_EQ(4, ucv_agent_text(&self->editor, ucv_do_watch, self->dir, 0, 0, 4));
	self->fd = ucv_listener(UCV_LISTEN_ARM);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(denials)
{
	if (!self->dir[0])
		return;
	ucv_sysctls_back();
	ucv_agent_stop(&self->user);
	ucv_agent_stop(&self->editor);
	ucv_remove_files(self->dir, NR_FILES);
	close(self->fd);
}

/* Expects a charge in the initial namespace that is refused there. */
static void want_initial(struct ucv_denial *wanted, pid_t caller, unsigned int uid,
			 const char *resource, long long limit)
{
	ucv_wanted(wanted, caller, resource);
	ucv_wanted_charged(wanted, getpid(), 0, uid);
	ucv_wanted_refused(wanted, getpid(), 0, uid, uid);
	wanted->used = limit;
	wanted->limit = limit;
}

/* The first story: a user wants 16 watches while the same user's editor holds four. */
UCV_TEST_F(denials, refused_watch_is_recorded)
{
	struct ucv_agent *user = &self->user;
	unsigned long long before, after;
	struct ucv_denial got;
	int i;

	ASSERT_EQ(0, ucv_sysctl(MAX_WATCHES, 16));
	ASSERT_EQ(0, ucv_agent_call(user, ucv_do_uids, DENIALS_UID, DENIALS_UID, DENIALS_UID));
	want_initial(&self->wanted, user->pid, DENIALS_UID, "inotify_watches", 16);
	ASSERT_EQ(0, ucv_agent_call(user, ucv_do_inotify, 1, 0, 0));
	EXPECT_EQ(11, ucv_agent_text(user, ucv_do_watch, self->dir, 0, 0, 11));
	EXPECT_DENIALS(0, self->fd, user->pid, &self->wanted);

	/* One fits, one does not. */
	before = ucv_boottime();
	EXPECT_EQ(1, ucv_agent_text(user, ucv_do_watch, self->dir, 0, 11, 5));
	after = ucv_boottime();
	EXPECT_EQ(1, ucv_denials(self->fd, user->pid, &got, 1));
	EXPECT_STREQ("", ucv_denials_inconsistent(&got, 1));
	EXPECT_STREQ("", ucv_denial_differs(&self->wanted, &got));
	EXPECT_LE(before, got.time_ns);
	EXPECT_LE(got.time_ns, after);
	for (i = 0; i < 7; i++)
		EXPECT_EQ(-ENOSPC, ucv_agent_text(user, ucv_do_watch, self->dir, 0, 12 + i, 1));
	EXPECT_DENIALS(7, self->fd, user->pid, &self->wanted);

	/* The exit of the editor makes room for four; the next one is refused again. */
	ucv_agent_stop(&self->editor);
	EXPECT_EQ(4, ucv_agent_text(user, ucv_do_watch, self->dir, 0, 12, 16));
	EXPECT_DENIALS(1, self->fd, user->pid, &self->wanted);
}

/* Other errors are not refusals, nor is adding an existing watch again. */
UCV_TEST_F(denials, other_errors_are_not_recorded)
{
	struct ucv_agent *user = &self->user;

	ASSERT_EQ(0, ucv_agent_call(user, ucv_do_uids, -1, DENIALS_UID, -1));
	ASSERT_EQ(0, ucv_agent_call(user, ucv_do_inotify, 1, 0, 0));
	ASSERT_EQ(3, ucv_agent_text(user, ucv_do_watch, self->dir, 0, 0, 3));
	ASSERT_EQ(0, ucv_sysctl(MAX_WATCHES, 7));
	EXPECT_EQ(3, ucv_agent_text(user, ucv_do_watch, self->dir, 0, 0, 3));
	EXPECT_EQ(-ENOENT, ucv_agent_text(user, ucv_do_watch, self->dir, 0, NR_FILES, 1));
	EXPECT_EQ(-EINVAL, ucv_agent_call(user, ucv_do_unshare, 1, 0, 0));
	EXPECT_DENIALS(0, self->fd, user->pid, &self->wanted);
}

static long do_rename(struct ucv_call *call)
{
	(void)call;
	return prctl(PR_SET_NAME, "a_longer_name") || prctl(PR_SET_NAME, "short") ? -errno : 0;
}

/* Nothing of an earlier name is behind it, wherever the kernel itself leaves that. */
UCV_TEST_F(denials, command_is_padded_with_zeroes)
{
	static const char name[UCV_COMM_LEN] = "short";
	struct ucv_agent *user = &self->user;
	struct ucv_denial got;

	ASSERT_EQ(0, ucv_agent_call(user, do_rename, 0, 0, 0));
	ASSERT_EQ(0, ucv_agent_call(user, ucv_do_uids, -1, DENIALS_UID, -1));
	ASSERT_EQ(0, ucv_sysctl(MAX_WATCHES, 0));
	ASSERT_EQ(0, ucv_agent_call(user, ucv_do_inotify, 1, 0, 0));
	EXPECT_EQ(-ENOSPC, ucv_agent_text(user, ucv_do_watch, self->dir, 0, 0, 1));
	ASSERT_EQ(1, ucv_denials(self->fd, user->pid, &got, 1));
	EXPECT_EQ(0, memcmp(name, got.comm, sizeof(name)));
}

/* The limit may be lowered below the usage. */
UCV_TEST_F(denials, charge_above_a_lowered_limit_is_recorded)
{
	struct ucv_agent *user = &self->user;

	ASSERT_EQ(0, ucv_agent_call(user, ucv_do_uids, -1, DENIALS_UID, -1));
	ASSERT_EQ(0, ucv_agent_call(user, ucv_do_inotify, 1, 0, 0));
	ASSERT_EQ(5, ucv_agent_text(user, ucv_do_watch, self->dir, 0, 0, 5));
	want_initial(&self->wanted, user->pid, DENIALS_UID, "inotify_watches", 3);
	self->wanted.used = 9;
	ASSERT_EQ(0, ucv_sysctl(MAX_WATCHES, 3));
	EXPECT_EQ(-ENOSPC, ucv_agent_text(user, ucv_do_watch, self->dir, 0, 5, 1));
	EXPECT_DENIALS(1, self->fd, user->pid, &self->wanted);
}

UCV_TEST_F(denials, refused_instance_is_recorded)
{
	struct ucv_agent *user = &self->user;

	ASSERT_EQ(0, ucv_sysctl(MAX_INSTANCES, 3));
	ASSERT_EQ(0, ucv_agent_call(user, ucv_do_uids, -1, DENIALS_UID, -1));
	want_initial(&self->wanted, user->pid, DENIALS_UID, "inotify_instances", 3);
	EXPECT_EQ(0, ucv_agent_call(user, ucv_do_inotify, 2, 0, 0));
	EXPECT_DENIALS(0, self->fd, user->pid, &self->wanted);
	EXPECT_EQ(-EMFILE, ucv_agent_call(user, ucv_do_inotify, 1, 0, 0));
	EXPECT_DENIALS(1, self->fd, user->pid, &self->wanted);
	EXPECT_EQ(-EMFILE, ucv_agent_call(user, ucv_do_inotify, 1, 0, 0));
	EXPECT_EQ(-EMFILE, ucv_agent_call(user, ucv_do_inotify, 1, 0, 0));
	EXPECT_DENIALS(2, self->fd, user->pid, &self->wanted);
}

/* The third story: the resource is fanotify's, so raising inotify's limit would not help. */
UCV_TEST_F(denials, refused_marks_and_groups_are_recorded)
{
	struct ucv_agent *user = &self->user;

	if (ucv_agent_call(user, ucv_do_fanotify, FAN_CLASS_NOTIF, 0, 0) < 0)
		SKIP(return, "the kernel has no fanotify");
	ucv_agent_call(user, ucv_do_close, -1, 0, 0);
	ASSERT_EQ(0, ucv_sysctl(MAX_MARKS, 6));
	ASSERT_EQ(0, ucv_sysctl(MAX_GROUPS, 2));
	ASSERT_EQ(0, ucv_agent_call(user, ucv_do_keep_caps, 0, 0, 0));
	ASSERT_EQ(0, ucv_agent_call(user, ucv_do_uids, -1, DENIALS_UID, -1));
	want_initial(&self->wanted, user->pid, DENIALS_UID, "fanotify_marks", 6);
	ASSERT_EQ(0, ucv_agent_call(user, ucv_do_fanotify, FAN_CLASS_NOTIF, 0, 0));
	EXPECT_EQ(6, ucv_agent_text(user, ucv_do_mark, self->dir, 0, 0, 6));
	EXPECT_DENIALS(0, self->fd, user->pid, &self->wanted);
	EXPECT_EQ(-ENOSPC, ucv_agent_text(user, ucv_do_mark, self->dir, 0, 6, 1));
	EXPECT_DENIALS(1, self->fd, user->pid, &self->wanted);

	/* FAN_UNLIMITED_MARKS: no mark is refused. */
	ASSERT_EQ(1, ucv_agent_call(user, ucv_do_fanotify,
				    FAN_CLASS_NOTIF | FAN_UNLIMITED_MARKS, 0, 0));
	EXPECT_EQ(9, ucv_agent_text(user, ucv_do_mark, self->dir, 1, 0, 9));
	EXPECT_DENIALS(0, self->fd, user->pid, &self->wanted);

	want_initial(&self->wanted, user->pid, DENIALS_UID, "fanotify_groups", 2);
	EXPECT_EQ(-EMFILE, ucv_agent_call(user, ucv_do_fanotify, FAN_CLASS_NOTIF, 0, 0));
	EXPECT_DENIALS(1, self->fd, user->pid, &self->wanted);
}

/* A thread that is not the leader has its own tid and name. */
UCV_TEST_F(denials, refused_thread_is_recorded)
{
	struct ucv_agent *user = &self->user;
	pid_t tid;

	ASSERT_EQ(0, ucv_sysctl(MAX_WATCHES, 4));
	ASSERT_EQ(0, ucv_agent_call(user, ucv_do_uids, -1, DENIALS_UID, -1));
	tid = ucv_agent_text(user, ucv_do_by_thread, "refused_thread1", 0, 0, 0);
	ASSERT_LT(0, tid);
	ASSERT_NE(user->pid, tid);
	want_initial(&self->wanted, tid, DENIALS_UID, "inotify_watches", 4);
	ASSERT_EQ((__u32)user->pid, self->wanted.tgid);
	ASSERT_STREQ("refused_thread1", self->wanted.comm);
	ASSERT_EQ(0, ucv_agent_call(user, ucv_do_inotify, 1, 0, 0));
	EXPECT_EQ(-ENOSPC, ucv_agent_text(user, ucv_do_watch, self->dir, 0, 0, 1));
	EXPECT_DENIALS(1, self->fd, user->pid, &self->wanted);
}

/* The first process of a new pid namespace is 1 there; a record has the pid that we see. */
UCV_TEST_F(denials, record_has_the_initial_pid)
{
	struct ucv_agent inner = {};

	ASSERT_EQ(0, ucv_agent_call(&self->user, ucv_do_unshare, CLONE_NEWPID, 0, 0));
	ASSERT_EQ(0, ucv_agent_spawn(&self->user, &inner));
	ASSERT_LT(1, inner.pid);
	ASSERT_EQ(0, ucv_sysctl(MAX_WATCHES, 4));
	ASSERT_EQ(0, ucv_agent_call(&inner, ucv_do_uids, -1, DENIALS_UID, -1));
	want_initial(&self->wanted, inner.pid, DENIALS_UID, "inotify_watches", 4);
	ASSERT_EQ(0, ucv_agent_call(&inner, ucv_do_inotify, 1, 0, 0));
	EXPECT_EQ(-ENOSPC, ucv_agent_text(&inner, ucv_do_watch, self->dir, 0, 0, 1));
	EXPECT_DENIALS(1, self->fd, inner.pid, &self->wanted);
	ucv_agent_stop(&inner);
}

/* Recorded are the effective uids of the caller and of the opener, not the real uid. */
UCV_TEST_F(denials, effective_uid_is_recorded)
{
	struct ucv_agent *user = &self->user;

	ASSERT_EQ(0, ucv_sysctl(MAX_WATCHES, 4));
	ASSERT_EQ(0, ucv_agent_call(user, ucv_do_keep_caps, 0, 0, 0));
	ASSERT_EQ(0, ucv_agent_call(user, ucv_do_uids, DENIALS_UID + 1, DENIALS_UID, 0));
	ASSERT_EQ(0, ucv_agent_call(user, ucv_do_inotify, 1, 0, 0));
	ASSERT_EQ(0, ucv_agent_call(user, ucv_do_uids, -1, DENIALS_UID + 2, -1));
	want_initial(&self->wanted, user->pid, DENIALS_UID, "inotify_watches", 4);
	ASSERT_EQ(DENIALS_UID + 2, self->wanted.caller_uid);
	EXPECT_EQ(-ENOSPC, ucv_agent_text(user, ucv_do_watch, self->dir, 0, 0, 1));
	EXPECT_DENIALS(1, self->fd, user->pid, &self->wanted);
}

/*
 * Watches are charged to the user that opened the inotify file, even if it was passed on:
 * here by SCM_RIGHTS to this process, which is root, and by fork() to a process in another
 * user namespace.
 */
UCV_TEST_F(denials, opener_of_a_passed_file_is_recorded)
{
	struct ucv_agent other = {};
	char path[80];
	int inotify;

	ASSERT_EQ(0, ucv_sysctl(MAX_WATCHES, 4));
	ASSERT_EQ(0, ucv_agent_call(&self->user, ucv_do_uids, -1, DENIALS_UID, -1));
	ASSERT_EQ(0, ucv_agent_call(&self->user, ucv_do_inotify, 1, 0, 0));
	inotify = ucv_agent_fd(&self->user, ucv_do_get_fd, 0);
	ASSERT_LE(0, inotify);
	want_initial(&self->wanted, getpid(), DENIALS_UID, "inotify_watches", 4);
	ASSERT_EQ(0U, self->wanted.caller_uid);
	snprintf(path, sizeof(path), "%s/0", self->dir);
	EXPECT_EQ(-1, inotify_add_watch(inotify, path, IN_MODIFY));
	EXPECT_EQ(ENOSPC, errno);
	EXPECT_DENIALS(1, self->fd, getpid(), &self->wanted);

	ASSERT_EQ(0, ucv_agent_start(&other));
	ASSERT_EQ(0, ucv_agent_enter(&other, NULL, DENIALS_UID + 3, DENIALS_UID + 10, 10));
	ASSERT_EQ(0, ucv_agent_call(&other, ucv_do_uids, 5, 5, 5));
	ASSERT_EQ(0, ucv_agent_call(&other, ucv_do_hold, inotify, 0, 0));
	want_initial(&self->wanted, other.pid, DENIALS_UID, "inotify_watches", 4);
	ASSERT_EQ(DENIALS_UID + 15, self->wanted.caller_uid);
	ASSERT_NE(ucv_userns_of(getpid()), self->wanted.caller_userns);
	EXPECT_EQ(-ENOSPC, ucv_agent_text(&other, ucv_do_watch, self->dir, 0, 0, 1));
	EXPECT_DENIALS(1, self->fd, other.pid, &self->wanted);
	ucv_agent_stop(&other);
	close(inotify);
}

/* The reverse: opened in a user namespace that is full, used from outside. */
UCV_TEST_F(denials, namespace_of_a_passed_file_is_recorded)
{
	struct ucv_agent *user = &self->user;
	char path[80];
	int inotify;

	ASSERT_EQ(0, ucv_agent_enter(user, NULL, DENIALS_UID, DENIALS_UID + 10, 10));
	ASSERT_EQ(0, ucv_agent_write(user, "/proc/sys/user/max_inotify_watches", "2"));
	ASSERT_EQ(0, ucv_agent_call(user, ucv_do_inotify, 1, 0, 0));
	EXPECT_EQ(2, ucv_agent_text(user, ucv_do_watch, self->dir, 0, 0, 2));
	inotify = ucv_agent_fd(user, ucv_do_get_fd, 0);
	ASSERT_LE(0, inotify);
	ucv_wanted(&self->wanted, getpid(), "inotify_watches");
	ucv_wanted_charged(&self->wanted, user->pid, 1, DENIALS_UID + 10);
	ucv_wanted_refused(&self->wanted, user->pid, 1, DENIALS_UID + 10, 0);
	self->wanted.used = 2;
	self->wanted.limit = 2;
	snprintf(path, sizeof(path), "%s/9", self->dir);
	EXPECT_EQ(-1, inotify_add_watch(inotify, path, IN_MODIFY));
	EXPECT_DENIALS(1, self->fd, getpid(), &self->wanted);
	close(inotify);
}

static __u64 next_seq(int fd)
{
	struct ucv_listen listen;

	return ucv_listen(fd, 0, &listen) ? 0 : listen.next;
}

/* Both resources alternating: in order, none missing, none twice. */
UCV_TEST_F(denials, records_are_in_order)
{
	struct ucv_agent *user = &self->user;
	struct ucv_denial got[UCV_SOME_DENIALS];
	__u32 watches, instances;
	__u64 first;
	long nr, i;

	ASSERT_EQ(0, ucv_agent_call(user, ucv_do_uids, -1, DENIALS_UID, -1));
	ASSERT_EQ(0, ucv_agent_call(user, ucv_do_inotify, 1, 0, 0));
	ASSERT_EQ(0, ucv_sysctl(MAX_WATCHES, 4));
	ASSERT_EQ(0, ucv_sysctl(MAX_INSTANCES, 2));
	want_initial(&self->wanted, user->pid, DENIALS_UID, "inotify_watches", 4);
	watches = self->wanted.resource;
	want_initial(&self->wanted, user->pid, DENIALS_UID, "inotify_instances", 2);
	instances = self->wanted.resource;
	ASSERT_NE(watches, instances);
	first = next_seq(self->fd);
	for (i = 0; i < 12; i++) {
		if (i % 3)
			ucv_agent_text(user, ucv_do_watch, self->dir, 0, i, 1);
		else
			ucv_agent_call(user, ucv_do_inotify, 1, 0, 0);
	}
	nr = ucv_denials(self->fd, user->pid, got, UCV_SOME_DENIALS);
	ASSERT_EQ(12, nr);
	EXPECT_STREQ("", ucv_denials_inconsistent(got, nr));
	for (i = 0; i < 12; i++) {
		EXPECT_EQ(i % 3 ? watches : instances, got[i].resource);
		EXPECT_EQ(first + i, got[i].seq);
		EXPECT_EQ(0ULL, got[i].lost);
		if (i)
			EXPECT_LE(got[i - 1].time_ns, got[i].time_ns);
	}
}

TEST_HARNESS_MAIN
