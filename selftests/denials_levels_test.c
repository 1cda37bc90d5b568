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

/* The uid that is charged in the deepest namespace, as mapped there. */
#define DEEP_UID	3

/* A chain of namespaces; a user of the deepest one has one instance with three watches. */
struct nest {
	char dir[64];
	int fd;				/* listens */
	struct ucv_agent root;
	struct ucv_chain chain;
	struct ucv_agent *deep;		/* in the deepest namespace */
	struct ucv_denial wanted;
};

static void start_nest(struct __test_metadata *_metadata, struct nest *nest)
{
	ASSERT_EQ(0, ucv_make_files(nest->dir, sizeof(nest->dir), NR_FILES));
	ASSERT_EQ(0, ucv_agent_start(&nest->root));
	ASSERT_EQ(0, ucv_chain_start(&nest->chain, &nest->root, UCV_DEPTH));
	ASSERT_EQ(0, ucv_chain_charge(&nest->chain, UCV_DEPTH, DEEP_UID, 1, nest->dir, 3));
	nest->deep = &nest->chain.agent[UCV_DEPTH];
	nest->fd = ucv_listener(UCV_LISTEN_ARM);
	ASSERT_LE(0, nest->fd);
}

static void stop_nest(struct __test_metadata *_metadata, struct nest *nest)
{
	if (!nest->dir[0])
		return;
	ucv_sysctls_back();
	EXPECT_TRUE(ucv_chain_stop(&nest->chain));
	ucv_agent_stop(&nest->root);
	ucv_remove_files(nest->dir, NR_FILES);
	close(nest->fd);
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
	ucv_wanted_charged(wanted, inside(chain, UCV_DEPTH), UCV_DEPTH, ucv_base(UCV_DEPTH) + uid);
	ucv_wanted_refused(wanted, inside(chain, level), level, charged,
			   level ? charged - ucv_base(level) : charged);
	wanted->used = used;
	wanted->limit = used;
}

/* Sets a limit of @level, from inside. */
static int set_limit(struct ucv_chain *chain, int level, const char *resource, const char *value)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/sys/user/max_%s", resource);
	if (!level)
		return ucv_sysctl(path, atol(value));
	return ucv_agent_write(&chain->agent[level], path, value);
}

#define SET_LIMIT(level, value) \
	ASSERT_EQ(0, set_limit(&self->nest.chain, level, "inotify_watches", value))

/* The deepest agent's next watch is refused. */
#define EXPECT_REFUSED() do {								\
	EXPECT_EQ(-ENOSPC, ucv_agent_text(self->nest.deep, ucv_do_watch, self->nest.dir,	\
					  0, 3, 1));					\
	EXPECT_DENIALS(1, self->nest.fd, self->nest.deep->pid, &self->nest.wanted);	\
} while (0)

/* One level is full, from the one that is charged up to the initial one. */
FIXTURE(level) {
	struct nest nest;
};

FIXTURE_VARIANT(level) {
	int level;
};

FIXTURE_VARIANT_ADD(level, initial) { .level = 0 };
FIXTURE_VARIANT_ADD(level, first) { .level = 1 };
FIXTURE_VARIANT_ADD(level, second) { .level = 2 };
FIXTURE_VARIANT_ADD(level, third) { .level = 3 };
FIXTURE_VARIANT_ADD(level, fourth) { .level = 4 };
FIXTURE_VARIANT_ADD(level, deepest) { .level = UCV_DEPTH };

FIXTURE_SETUP(level)
{
	if (!ucv_feature(UCV_FEATURE_DENIALS))
		SKIP(return, "the module cannot tell of refusals here");
	start_nest(_metadata, &self->nest);
}

FIXTURE_TEARDOWN(level)
{
	stop_nest(_metadata, &self->nest);
}

UCV_TEST_F(level, full_level_refuses)
{
	SET_LIMIT(variant->level, "3");
	want_level(&self->nest.wanted, &self->nest.chain, variant->level, DEEP_UID,
		   "inotify_watches", 3);
	EXPECT_REFUSED();
}

/* A limit of 0. At the deepest level the user has no charges, so there may be no counter at all. */
UCV_TEST_F(level, level_that_allows_nothing_refuses)
{
	const unsigned int stranger = 9;
	struct nest *nest = &self->nest;

	ASSERT_EQ(0, set_limit(&nest->chain, variant->level, "inotify_instances", "0"));
	ASSERT_EQ(0, ucv_agent_call(nest->deep, ucv_do_uids, -1, stranger, 0));
	want_level(&nest->wanted, &nest->chain, variant->level, stranger, "inotify_instances",
		   variant->level < UCV_DEPTH);
	nest->wanted.limit = 0;
	EXPECT_EQ(-EMFILE, ucv_agent_call(nest->deep, ucv_do_inotify, 1, 0, 0));
	EXPECT_DENIALS(1, nest->fd, nest->deep->pid, &nest->wanted);
}

FIXTURE(levels) {
	struct nest nest;
};

FIXTURE_SETUP(levels)
{
	if (!ucv_feature(UCV_FEATURE_DENIALS))
		SKIP(return, "the module cannot tell of refusals here");
	start_nest(_metadata, &self->nest);
}

FIXTURE_TEARDOWN(levels)
{
	stop_nest(_metadata, &self->nest);
}

#define WANT_LEVEL(level, used) \
	want_level(&self->nest.wanted, &self->nest.chain, level, DEEP_UID, "inotify_watches", used)

/* The middle level is full because of other users, too. */
UCV_TEST_F(levels, level_filled_by_others_refuses)
{
	/* At level 2 both this and the charges of deeper levels go to the owner of level 3. */
	ASSERT_EQ(0, ucv_chain_charge(&self->nest.chain, 3, 5, 1, self->nest.dir, 4));
	SET_LIMIT(2, "8");
	WANT_LEVEL(2, 8);
	EXPECT_EQ(1, ucv_agent_text(self->nest.deep, ucv_do_watch, self->nest.dir, 0, 3, 2));
	EXPECT_DENIALS(1, self->nest.fd, self->nest.deep->pid, &self->nest.wanted);
}

/* Another user of the same level has a counter of its own, and is not refused. */
UCV_TEST_F(levels, other_user_of_a_full_level_is_not_refused)
{
	struct ucv_agent *agent = &self->nest.chain.agent[2];
	struct nest *nest = &self->nest;

	SET_LIMIT(2, "3");
	ASSERT_EQ(0, ucv_agent_call(agent, ucv_do_inotify, 1, 0, 0));
	EXPECT_EQ(3, ucv_agent_text(agent, ucv_do_watch, nest->dir, 0, 0, 3));
	EXPECT_DENIALS(0, nest->fd, 0, &nest->wanted);
	ucv_wanted(&nest->wanted, agent->pid, "inotify_watches");
	ucv_wanted_charged(&nest->wanted, agent->pid, 2, ucv_base(2));
	ucv_wanted_refused(&nest->wanted, agent->pid, 2, ucv_base(2), 0);
	nest->wanted.used = 3;
	nest->wanted.limit = 3;
	EXPECT_EQ(-ENOSPC, ucv_agent_text(agent, ucv_do_watch, nest->dir, 0, 3, 1));
	EXPECT_DENIALS(1, nest->fd, agent->pid, &nest->wanted);
}

/* One, two and then three levels are full: the lowest refuses, the others are not checked. */
UCV_TEST_F(levels, lowest_of_several_full_levels_refuses)
{
	static const int full[] = { 1, 3, 4 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(full); i++) {
		SET_LIMIT(full[i], "3");
		WANT_LEVEL(full[i], 3);
		EXPECT_REFUSED();
	}
	/* Once the lowest has room, the next full level refuses. */
	SET_LIMIT(4, "4");
	WANT_LEVEL(3, 3);
	EXPECT_REFUSED();
}

/* A level above has an even lower limit: the lowest full level still refuses. */
UCV_TEST_F(levels, lowest_full_level_refuses_below_a_fuller_one)
{
	SET_LIMIT(1, "0");
	SET_LIMIT(4, "2");
	WANT_LEVEL(4, 3);
	self->nest.wanted.limit = 2;
	EXPECT_REFUSED();
}

/* A user without a mapping in the namespace can be refused there, too. */
UCV_TEST_F(levels, unmapped_user_is_refused)
{
	struct ucv_denial *wanted = &self->nest.wanted;
	const unsigned int uid = UCV_UID + 800;
	struct ucv_agent agent = {};

	ASSERT_EQ(0, ucv_agent_start(&agent));
	ASSERT_EQ(0, ucv_agent_call(&agent, ucv_do_uids, -1, uid, -1));
	ASSERT_EQ(0, ucv_agent_call(&agent, ucv_do_unshare, CLONE_NEWUSER, 0, 0));
	ASSERT_EQ(0, ucv_agent_write(&agent, "/proc/sys/user/max_inotify_instances", "0"));
	ucv_wanted(wanted, agent.pid, "inotify_instances");
	ucv_wanted_charged(wanted, agent.pid, 1, uid);
	ucv_wanted_refused(wanted, agent.pid, 1, uid, UCV_UID_UNMAPPED);
	EXPECT_EQ(-EMFILE, ucv_agent_call(&agent, ucv_do_inotify, 1, 0, 0));
	EXPECT_DENIALS(1, self->nest.fd, agent.pid, wanted);
	ucv_agent_stop(&agent);
}

/* Namespaces */

#define NAMESPACES_UID	(UCV_UID + 810)

struct refused {
	int fd;				/* listens */
	struct ucv_agent agent;		/* root of its own user namespace */
	struct ucv_denial wanted;
};

static void start_refused(struct __test_metadata *_metadata, struct refused *refused)
{
	ASSERT_EQ(0, ucv_agent_start(&refused->agent));
	ASSERT_EQ(0, ucv_agent_enter(&refused->agent, NULL, NAMESPACES_UID, NAMESPACES_UID, 4));
	refused->fd = ucv_listener(UCV_LISTEN_ARM);
	ASSERT_LE(0, refused->fd);
}

static void stop_refused(struct refused *refused)
{
	ucv_agent_stop(&refused->agent);
	close(refused->fd);
}

/* Expects a refusal in the agent's own namespace, where @used are charged, and all allowed. */
static void want_kind(struct refused *refused, const char *resource, long long used)
{
	const pid_t pid = refused->agent.pid;

	ucv_wanted(&refused->wanted, pid, resource);
	ucv_wanted_charged(&refused->wanted, pid, 1, NAMESPACES_UID);
	ucv_wanted_refused(&refused->wanted, pid, 1, NAMESPACES_UID, 0);
	refused->wanted.used = used;
	refused->wanted.limit = used;
}

static int limit_kind(struct refused *refused, const char *resource, const char *value)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/sys/user/max_%s", resource);
	return ucv_agent_write(&refused->agent, path, value);
}

/* One kind of namespace, whose limit is 0. */
FIXTURE(kind) {
	struct refused refused;
};

FIXTURE_VARIANT(kind) {
	const char *resource;
	const char *file;
	int flag;
};

FIXTURE_VARIANT_ADD(kind, user) { "user_namespaces", "user", CLONE_NEWUSER };
FIXTURE_VARIANT_ADD(kind, pid) { "pid_namespaces", "pid", CLONE_NEWPID };
FIXTURE_VARIANT_ADD(kind, uts) { "uts_namespaces", "uts", CLONE_NEWUTS };
FIXTURE_VARIANT_ADD(kind, ipc) { "ipc_namespaces", "ipc", CLONE_NEWIPC };
FIXTURE_VARIANT_ADD(kind, net) { "net_namespaces", "net", CLONE_NEWNET };
FIXTURE_VARIANT_ADD(kind, mnt) { "mnt_namespaces", "mnt", CLONE_NEWNS };
FIXTURE_VARIANT_ADD(kind, cgroup) { "cgroup_namespaces", "cgroup", CLONE_NEWCGROUP };
FIXTURE_VARIANT_ADD(kind, time) { "time_namespaces", "time", CLONE_NEWTIME };

FIXTURE_SETUP(kind)
{
	if (!ucv_feature(UCV_FEATURE_DENIALS))
		SKIP(return, "the module cannot tell of refusals here");
	if (!ucv_ns_of(getpid(), variant->file))
		SKIP(return, "the kernel has no such namespaces");
	start_refused(_metadata, &self->refused);
	ASSERT_EQ(0, limit_kind(&self->refused, variant->resource, "0"));
	want_kind(&self->refused, variant->resource, 0);
}

FIXTURE_TEARDOWN(kind)
{
	stop_refused(&self->refused);
}

#define EXPECT_RECORDED(nr) \
	EXPECT_DENIALS(nr, self->refused.fd, self->refused.agent.pid, &self->refused.wanted)

UCV_TEST_F(kind, refused_unshare_is_recorded)
{
	EXPECT_EQ(-ENOSPC, ucv_agent_call(&self->refused.agent, ucv_do_unshare, variant->flag, 0,
					  0));
	EXPECT_RECORDED(1);
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

UCV_TEST_F(kind, refused_clone_is_recorded)
{
	long clone3;

	/* clone() has no bit for CLONE_NEWTIME, clone3() does. */
	for (clone3 = variant->flag == CLONE_NEWTIME; clone3 < 2; clone3++) {
		EXPECT_EQ(-ENOSPC, ucv_agent_call(&self->refused.agent, do_clone, variant->flag,
						  clone3, 0));
		EXPECT_RECORDED(1);
	}
}

/* With room for exactly one, that one is not recorded as refused; the next one is. */
UCV_TEST_F(kind, only_the_refused_of_two_is_recorded)
{
	struct ucv_agent *agent = &self->refused.agent;

	if (variant->flag == CLONE_NEWUSER || variant->flag == CLONE_NEWPID)
		SKIP(return, "a process that has unshared one cannot repeat the call");
	ASSERT_EQ(0, limit_kind(&self->refused, variant->resource, "1"));
	want_kind(&self->refused, variant->resource, 1);
	EXPECT_EQ(0, ucv_agent_call(agent, ucv_do_unshare, variant->flag, 0, 0));
	EXPECT_RECORDED(0);
	EXPECT_EQ(-ENOSPC, ucv_agent_call(agent, ucv_do_unshare, variant->flag, 0, 0));
	EXPECT_RECORDED(1);
}

FIXTURE(namespaces) {
	struct refused refused;
};

FIXTURE_SETUP(namespaces)
{
	if (!ucv_feature(UCV_FEATURE_DENIALS))
		SKIP(return, "the module cannot tell of refusals here");
	start_refused(_metadata, &self->refused);
}

FIXTURE_TEARDOWN(namespaces)
{
	stop_refused(&self->refused);
}

/* Several at once: the first that the kernel refuses is recorded, once. */
UCV_TEST_F(namespaces, refusal_of_several_at_once_is_recorded_once)
{
	ASSERT_EQ(0, limit_kind(&self->refused, "net_namespaces", "0"));
	want_kind(&self->refused, "net_namespaces", 0);
	EXPECT_EQ(-ENOSPC, ucv_agent_call(&self->refused.agent, ucv_do_unshare,
					  CLONE_NEWUTS | CLONE_NEWNET, 0, 0));
	EXPECT_RECORDED(1);
}

/*
 * A new user namespace and a UTS namespace in it, which the level above refuses: the charge
 * started in a namespace that is destroyed again, and that the caller was never in.
 */
UCV_TEST_F(namespaces, refusal_below_a_namespace_that_vanishes_is_recorded)
{
	struct ucv_agent *agent = &self->refused.agent;
	struct ucv_denial *wanted = &self->refused.wanted;
	struct ucv_denial got;
	unsigned int charged;

	ASSERT_EQ(0, limit_kind(&self->refused, "user_namespaces", "1"));
	ASSERT_EQ(0, limit_kind(&self->refused, "uts_namespaces", "0"));
	want_kind(&self->refused, "uts_namespaces", 0);
	wanted->charged_level = 2;
	EXPECT_EQ(-ENOSPC, ucv_agent_call(agent, ucv_do_unshare, CLONE_NEWUSER | CLONE_NEWUTS, 0,
					  0));
	ASSERT_EQ(1, ucv_denials(self->refused.fd, agent->pid, &got, 1));
	charged = got.charged_userns;
	EXPECT_NE(0U, charged);
	EXPECT_NE(ucv_userns_of(getpid()), charged);
	EXPECT_NE(ucv_userns_of(agent->pid), charged);
	EXPECT_EQ(!wanted->charged_id, !got.charged_id);
	if (got.charged_id)
		EXPECT_NE(got.userns_id, got.charged_id);
	wanted->charged_userns = charged;
	wanted->charged_id = got.charged_id;
	EXPECT_STREQ("", ucv_denial_differs(wanted, &got));
	EXPECT_TRUE(UCV_SOON(!ucv_used_now(ucv_userns_of(agent->pid), NAMESPACES_UID,
					   "user_namespaces")));
}

TEST_HARNESS_MAIN
