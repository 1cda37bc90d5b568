// SPDX-License-Identifier: GPL-2.0
/*
 * Which level refused: in nested user namespaces any level can be full, and the lowest full
 * one refuses. And what is refused: each kind of namespace, by each system call that
 * creates one.
 */
#include <errno.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "ucv_denials.h"

#define NR_FILES	16
#define MAX_WATCHES	"/proc/sys/fs/inotify/max_user_watches"
#define INSTANCES	"/proc/sys/user/max_inotify_instances"
#define NO_LIMIT	"2147483647"

/* The uid that is charged in the deepest namespace, as mapped there. */
#define DEEP_UID	3

FIXTURE(levels) {
	char dir[64];
	int fd;				/* listens */
	struct ucv_agent root;
	struct ucv_chain chain;
	struct ucv_agent *deep;		/* in the deepest namespace, with one instance */
	struct ucv_denial wanted;
};

FIXTURE_SETUP(levels)
{
	if (!ucv_feature(UCV_FEATURE_DENIALS))
		SKIP(return, "the module cannot tell of refusals here");
	ASSERT_EQ(0, ucv_make_files(self->dir, sizeof(self->dir), NR_FILES));
	ASSERT_EQ(0, ucv_agent_start(&self->root));
	ASSERT_EQ(0, ucv_chain_start(&self->chain, &self->root, UCV_DEPTH));
	ASSERT_EQ(0, ucv_chain_charge(&self->chain, UCV_DEPTH, DEEP_UID, 1, self->dir, 3));
	self->deep = &self->chain.agent[UCV_DEPTH];
	self->fd = ucv_listener(UCV_LISTEN_ARM);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(levels)
{
	if (!self->dir[0])
		return;
	ucv_sysctls_back();
	EXPECT_TRUE(ucv_chain_stop(&self->chain));
	ucv_agent_stop(&self->root);
	ucv_remove_files(self->dir, NR_FILES);
	close(self->fd);
}

/* Returns a process in the namespace of @level. */
static pid_t inside(const struct ucv_chain *chain, int level)
{
	return level ? chain->agent[level].pid : getpid();
}

/* The uid at @level that is charged for what @uid of the deepest namespace does. */
static unsigned int charged_at(int level, unsigned int uid)
{
	return level == UCV_DEPTH ? ucv_base(UCV_DEPTH) + uid : ucv_owner(level + 1);
}

/* Expects that @level refuses a charge of the deepest agent to its user @uid. */
static void want_level(struct ucv_denial *wanted, const struct ucv_chain *chain, int level,
		       unsigned int uid, const char *resource, long long used)
{
	const unsigned int charged = charged_at(level, uid);

	ucv_wanted(wanted, chain->agent[UCV_DEPTH].pid, resource);
	ucv_wanted_charged(wanted, inside(chain, UCV_DEPTH), UCV_DEPTH,
			   ucv_base(UCV_DEPTH) + uid);
	ucv_wanted_refused(wanted, inside(chain, level), level, charged,
			   level ? charged - ucv_base(level) : charged);
	wanted->used = used;
	wanted->limit = used;
}

/* Sets the limit of watches of @level, from inside. */
static int set_limit(struct ucv_chain *chain, int level, const char *value)
{
	if (!level)
		return ucv_sysctl(MAX_WATCHES, atol(value));
	return ucv_agent_write(&chain->agent[level], "/proc/sys/user/max_inotify_watches", value);
}

/* Each level in turn refuses, from the one that is charged up to the initial one. */
UCV_TEST_F(levels, each)
{
	int level;

	for (level = UCV_DEPTH; level >= 0; level--) {
		ASSERT_EQ(0, set_limit(&self->chain, level, "3"));
		want_level(&self->wanted, &self->chain, level, DEEP_UID, "inotify_watches", 3);
		EXPECT_EQ(-ENOSPC, ucv_agent_text(self->deep, ucv_do_watch, self->dir, 0, 3, 1));
		EXPECT_DENIALS(1, self->fd, self->deep->pid, &self->wanted);
		ASSERT_EQ(0, set_limit(&self->chain, level, NO_LIMIT));
	}
}

/* The middle level is full because of other users, too. */
UCV_TEST_F(levels, middle_filled_by_others)
{
	/* At level 2 both this and the charges of deeper levels go to the owner of level 3. */
	ASSERT_EQ(0, ucv_chain_charge(&self->chain, 3, 5, 1, self->dir, 4));
	ASSERT_EQ(0, set_limit(&self->chain, 2, "8"));
	want_level(&self->wanted, &self->chain, 2, DEEP_UID, "inotify_watches", 8);
	EXPECT_EQ(1, ucv_agent_text(self->deep, ucv_do_watch, self->dir, 0, 3, 2));
	EXPECT_DENIALS(1, self->fd, self->deep->pid, &self->wanted);
}

/* Another user of the same level has a counter of its own, and is not refused. */
UCV_TEST_F(levels, another_user)
{
	struct ucv_agent *agent = &self->chain.agent[2];

	ASSERT_EQ(0, set_limit(&self->chain, 2, "3"));
	ASSERT_EQ(0, ucv_agent_call(agent, ucv_do_inotify, 1, 0, 0));
	EXPECT_EQ(3, ucv_agent_text(agent, ucv_do_watch, self->dir, 0, 0, 3));
	EXPECT_DENIALS(0, self->fd, 0, &self->wanted);
	ucv_wanted(&self->wanted, agent->pid, "inotify_watches");
	ucv_wanted_charged(&self->wanted, agent->pid, 2, ucv_base(2));
	ucv_wanted_refused(&self->wanted, agent->pid, 2, ucv_base(2), 0);
	self->wanted.used = 3;
	self->wanted.limit = 3;
	EXPECT_EQ(-ENOSPC, ucv_agent_text(agent, ucv_do_watch, self->dir, 0, 3, 1));
	EXPECT_DENIALS(1, self->fd, agent->pid, &self->wanted);
}

/* One, two and then three levels are full: the lowest refuses, the others are not checked. */
UCV_TEST_F(levels, several_full)
{
	static const int full[] = { 1, 3, 4 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(full); i++) {
		ASSERT_EQ(0, set_limit(&self->chain, full[i], "3"));
		want_level(&self->wanted, &self->chain, full[i], DEEP_UID, "inotify_watches", 3);
		EXPECT_EQ(-ENOSPC, ucv_agent_text(self->deep, ucv_do_watch, self->dir, 0, 3, 1));
		EXPECT_DENIALS(1, self->fd, self->deep->pid, &self->wanted);
	}
	/* Once the lowest has room, the next full level refuses. */
	ASSERT_EQ(0, set_limit(&self->chain, 4, "4"));
	want_level(&self->wanted, &self->chain, 3, DEEP_UID, "inotify_watches", 3);
	EXPECT_EQ(-ENOSPC, ucv_agent_text(self->deep, ucv_do_watch, self->dir, 0, 3, 1));
	EXPECT_DENIALS(1, self->fd, self->deep->pid, &self->wanted);
}

/* A level above has an even lower limit: the lowest full level still refuses. */
UCV_TEST_F(levels, fuller_above)
{
	ASSERT_EQ(0, set_limit(&self->chain, 1, "0"));
	ASSERT_EQ(0, set_limit(&self->chain, 4, "2"));
	want_level(&self->wanted, &self->chain, 4, DEEP_UID, "inotify_watches", 3);
	self->wanted.limit = 2;
	EXPECT_EQ(-ENOSPC, ucv_agent_text(self->deep, ucv_do_watch, self->dir, 0, 3, 1));
	EXPECT_DENIALS(1, self->fd, self->deep->pid, &self->wanted);
}

/* The limit is 0 and the user has no charges, so there may be no counter at all. */
UCV_TEST_F(levels, nothing_allowed)
{
	const unsigned int stranger = 9;

	ASSERT_EQ(0, ucv_agent_write(self->deep, INSTANCES, "0"));
	ASSERT_EQ(0, ucv_agent_call(self->deep, ucv_do_uids, -1, stranger, 0));
	want_level(&self->wanted, &self->chain, UCV_DEPTH, stranger, "inotify_instances", 0);
	EXPECT_EQ(-EMFILE, ucv_agent_call(self->deep, ucv_do_inotify, 1, 0, 0));
	EXPECT_DENIALS(1, self->fd, self->deep->pid, &self->wanted);
}

/* The same one level up, where one instance is already charged. */
UCV_TEST_F(levels, nothing_allowed_above)
{
	const unsigned int stranger = 9;

	ASSERT_EQ(0, ucv_agent_write(&self->chain.agent[UCV_DEPTH - 1], INSTANCES, "0"));
	ASSERT_EQ(0, ucv_agent_call(self->deep, ucv_do_uids, -1, stranger, 0));
	want_level(&self->wanted, &self->chain, UCV_DEPTH - 1, stranger, "inotify_instances", 1);
	self->wanted.limit = 0;
	EXPECT_EQ(-EMFILE, ucv_agent_call(self->deep, ucv_do_inotify, 1, 0, 0));
	EXPECT_DENIALS(1, self->fd, self->deep->pid, &self->wanted);
}

/* A user without a mapping in the namespace can be refused there, too. */
UCV_TEST_F(levels, unmapped_user)
{
	const unsigned int uid = UCV_UID + 800;
	struct ucv_agent agent = {};

	ASSERT_EQ(0, ucv_agent_start(&agent));
	ASSERT_EQ(0, ucv_agent_call(&agent, ucv_do_uids, -1, uid, -1));
	ASSERT_EQ(0, ucv_agent_call(&agent, ucv_do_unshare, CLONE_NEWUSER, 0, 0));
	ASSERT_EQ(0, ucv_agent_write(&agent, INSTANCES, "0"));
	ucv_wanted(&self->wanted, agent.pid, "inotify_instances");
	ucv_wanted_charged(&self->wanted, agent.pid, 1, uid);
	ucv_wanted_refused(&self->wanted, agent.pid, 1, uid, UCV_UID_UNMAPPED);
	EXPECT_EQ(-EMFILE, ucv_agent_call(&agent, ucv_do_inotify, 1, 0, 0));
	EXPECT_DENIALS(1, self->fd, agent.pid, &self->wanted);
	ucv_agent_stop(&agent);
}

/* Each kind of namespace that this kernel has. */

static const struct kind {
	const char *resource;
	const char *file;
	const char *limit;
	int flag;
} kinds[] = {
	{ "user_namespaces", "user", "/proc/sys/user/max_user_namespaces", CLONE_NEWUSER },
	{ "pid_namespaces", "pid", "/proc/sys/user/max_pid_namespaces", CLONE_NEWPID },
	{ "uts_namespaces", "uts", "/proc/sys/user/max_uts_namespaces", CLONE_NEWUTS },
	{ "ipc_namespaces", "ipc", "/proc/sys/user/max_ipc_namespaces", CLONE_NEWIPC },
	{ "net_namespaces", "net", "/proc/sys/user/max_net_namespaces", CLONE_NEWNET },
	{ "mnt_namespaces", "mnt", "/proc/sys/user/max_mnt_namespaces", CLONE_NEWNS },
	{ "cgroup_namespaces", "cgroup", "/proc/sys/user/max_cgroup_namespaces",
	  CLONE_NEWCGROUP },
	{ "time_namespaces", "time", "/proc/sys/user/max_time_namespaces", CLONE_NEWTIME },
};

FIXTURE(namespaces) {
	int fd;				/* listens */
	struct ucv_agent agent;		/* in a user namespace where all limits are 0 */
	struct ucv_denial wanted;
};

#define NAMESPACES_UID	(UCV_UID + 810)

FIXTURE_SETUP(namespaces)
{
	unsigned int i;

	if (!ucv_feature(UCV_FEATURE_DENIALS))
		SKIP(return, "the module cannot tell of refusals here");
	ASSERT_EQ(0, ucv_agent_start(&self->agent));
	ASSERT_EQ(0, ucv_agent_enter(&self->agent, NULL, NAMESPACES_UID, NAMESPACES_UID, 4));
	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (ucv_ns_of(getpid(), kinds[i].file))
			ASSERT_EQ(0, ucv_agent_write(&self->agent, kinds[i].limit, "0"));
	self->fd = ucv_listener(UCV_LISTEN_ARM);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(namespaces)
{
	ucv_agent_stop(&self->agent);
	close(self->fd);
}

/* fork() with additional flags a, by clone() or, if b, by clone3(), which takes all flags. */
static long do_clone(struct ucv_call *call)
{
	struct clone_args args = { .flags = call->a, .exit_signal = SIGCHLD };
	long ret;

	if (call->b)
		ret = syscall(SYS_clone3, &args, sizeof(args));
	else
		ret = syscall(SYS_clone, call->a | SIGCHLD, NULL, NULL, NULL, NULL);
	if (!ret)
		_exit(0);
	return ret < 0 ? -errno : ret;
}

/* Expects a refusal in the agent's own namespace, where nothing is charged. */
static void want_kind(struct ucv_denial *wanted, pid_t pid, const char *resource)
{
	ucv_wanted(wanted, pid, resource);
	ucv_wanted_charged(wanted, pid, 1, NAMESPACES_UID);
	ucv_wanted_refused(wanted, pid, 1, NAMESPACES_UID, 0);
}

UCV_TEST_F(namespaces, unshare)
{
	struct ucv_agent *agent = &self->agent;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!ucv_ns_of(getpid(), kinds[i].file)) {
			TH_LOG("the kernel has no %s", kinds[i].resource);
			continue;
		}
		want_kind(&self->wanted, agent->pid, kinds[i].resource);
		EXPECT_EQ(-ENOSPC, ucv_agent_call(agent, ucv_do_unshare, kinds[i].flag, 0, 0));
		EXPECT_DENIALS(1, self->fd, agent->pid, &self->wanted);
	}
}

UCV_TEST_F(namespaces, clone)
{
	struct ucv_agent *agent = &self->agent;
	long clone3;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		/* clone() has no bit for CLONE_NEWTIME, clone3() does. */
		if (!ucv_ns_of(getpid(), kinds[i].file))
			continue;
		want_kind(&self->wanted, agent->pid, kinds[i].resource);
		for (clone3 = kinds[i].flag == CLONE_NEWTIME; clone3 < 2; clone3++) {
			EXPECT_EQ(-ENOSPC, ucv_agent_call(agent, do_clone, kinds[i].flag,
							  clone3, 0));
			EXPECT_DENIALS(1, self->fd, agent->pid, &self->wanted);
		}
	}
}

/* With room for exactly one, that one is not recorded as refused; the next one is. */
UCV_TEST_F(namespaces, room_for_one)
{
	struct ucv_agent *agent = &self->agent;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		/* A process that has unshared one of these two cannot repeat the call. */
		if (kinds[i].flag == CLONE_NEWUSER || kinds[i].flag == CLONE_NEWPID)
			continue;
		if (!ucv_ns_of(getpid(), kinds[i].file))
			continue;
		ASSERT_EQ(0, ucv_agent_write(agent, kinds[i].limit, "1"));
		want_kind(&self->wanted, agent->pid, kinds[i].resource);
		self->wanted.used = 1;
		self->wanted.limit = 1;
		EXPECT_EQ(0, ucv_agent_call(agent, ucv_do_unshare, kinds[i].flag, 0, 0));
		EXPECT_DENIALS(0, self->fd, agent->pid, &self->wanted);
		EXPECT_EQ(-ENOSPC, ucv_agent_call(agent, ucv_do_unshare, kinds[i].flag, 0, 0));
		EXPECT_DENIALS(1, self->fd, agent->pid, &self->wanted);
	}
}

/* Several at once: the first that the kernel refuses is recorded, once. */
UCV_TEST_F(namespaces, several_at_once)
{
	struct ucv_agent *agent = &self->agent;

	ASSERT_EQ(0, ucv_agent_write(agent, "/proc/sys/user/max_uts_namespaces", NO_LIMIT));
	want_kind(&self->wanted, agent->pid, "net_namespaces");
	EXPECT_EQ(-ENOSPC, ucv_agent_call(agent, ucv_do_unshare, CLONE_NEWUTS | CLONE_NEWNET, 0,
					  0));
	EXPECT_DENIALS(1, self->fd, agent->pid, &self->wanted);
}

/*
 * A new user namespace and a UTS namespace in it, which the level above refuses: the charge
 * started in a namespace that is destroyed again, and that the caller was never in.
 */
UCV_TEST_F(namespaces, in_one_that_vanishes)
{
	struct ucv_agent *agent = &self->agent;
	struct ucv_denial got;
	unsigned int charged;

	ASSERT_EQ(0, ucv_agent_write(agent, "/proc/sys/user/max_user_namespaces", "1"));
	want_kind(&self->wanted, agent->pid, "uts_namespaces");
	self->wanted.charged_level = 2;
	EXPECT_EQ(-ENOSPC, ucv_agent_call(agent, ucv_do_unshare, CLONE_NEWUSER | CLONE_NEWUTS, 0,
					  0));
	ASSERT_EQ(1, ucv_denials(self->fd, agent->pid, &got, 1));
	charged = got.charged_userns;
	EXPECT_NE(0U, charged);
	EXPECT_NE(ucv_userns_of(getpid()), charged);
	EXPECT_NE(ucv_userns_of(agent->pid), charged);
	EXPECT_EQ(!self->wanted.charged_id, !got.charged_id);
	if (got.charged_id)
		EXPECT_NE(got.userns_id, got.charged_id);
	self->wanted.charged_userns = charged;
	self->wanted.charged_id = got.charged_id;
	EXPECT_STREQ("", ucv_denial_differs(&self->wanted, &got));
	EXPECT_TRUE(UCV_SOON(!ucv_used_now(ucv_userns_of(agent->pid), NAMESPACES_UID,
					   "user_namespaces")));
}

TEST_HARNESS_MAIN
