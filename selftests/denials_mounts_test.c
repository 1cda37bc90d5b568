// SPDX-License-Identifier: GPL-2.0
/*
 * Refused mounts: each mount() that fs.mount-max refuses is recorded once, with the mount
 * namespace that had no room, which need not be the caller's, and with the numbers that the
 * kernel added: mounts, pending mounts and requested mounts.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "kselftest_harness.h"
#include "ucv_denials.h"
#include "ucv_mounts.h"

#define MOUNTS_UID	(UCV_UID + 820)

/* Since Linux 5.2; missing from older headers. */
#define OPEN_TREE	428
#define MOVE_MOUNT	429
#define CLONE_TREE	(1 | 0x8000)	/* OPEN_TREE_CLONE | AT_RECURSIVE */
#define EMPTY_FROM	4		/* MOVE_MOUNT_F_EMPTY_PATH */

FIXTURE(mounts) {
	char dir[64];
	int fd;				/* listens */
	struct ucv_agent agent;		/* in its own mount namespace */
	struct ucv_denial wanted;
};

FIXTURE_SETUP(mounts)
{
	if (!ucv_feature(UCV_FEATURE_MNT_DENIALS))
		SKIP(return, "the module cannot tell of refused mounts here");
	ASSERT_EQ(0, ucv_make_files(self->dir, sizeof(self->dir), 0));
	ASSERT_EQ(0, ucv_agent_start(&self->agent));
	ASSERT_EQ(0, ucv_agent_call(&self->agent, ucv_do_new_mntns, 0, 0, 0));
	self->fd = ucv_listener(UCV_LISTEN_ARM);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(mounts)
{
	if (!self->dir[0])
		return;
	ucv_sysctls_back();
	ucv_agent_stop(&self->agent);
	ucv_remove_files(self->dir, 0);
	close(self->fd);
}

/* The mounts that process @pid sees. */
static long mounts_of(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/mountinfo", pid);
	return ucv_mountinfo_count(path);
}

/* The ID of the mount namespace from nsfs; before 6.11 from the module. */
static __u64 mntns_id_of(pid_t pid)
{
	struct ucv_mntns_seen seen = {};
	struct ucv_mntns record = {};
	int ns = ucv_mntns_open(pid, O_RDONLY);

	if (ucv_mntns_look(ns, &seen) || !seen.id)
		ucv_mntns_now(ucv_ns_of(pid, "mnt"), &record);
	close(ns);
	return seen.id ? seen.id : record.id;
}

/* Expects that @caller is refused for lack of room in the mount namespace of @inside. */
static void want_mount(struct ucv_denial *wanted, pid_t caller, pid_t inside, long limit)
{
	ucv_wanted(wanted, caller, NULL);
	ucv_wanted_charged(wanted, inside, 0, 0);
	ucv_wanted_refused(wanted, inside, 0, 0, 0);
	wanted->mntns = ucv_ns_of(inside, "mnt");
	wanted->mntns_id = mntns_id_of(inside);
	wanted->used = mounts_of(inside);
	wanted->limit = limit;
}

/* The second story: mounts until the namespace is full. */
UCV_TEST_F(mounts, mount_at_the_limit_is_recorded)
{
	struct ucv_agent *agent = &self->agent;
	const long max = mounts_of(agent->pid) + 5;

	ASSERT_EQ(0, ucv_sysctl(UCV_MOUNT_MAX, max));
	/* Five are left; the sixth is refused. */
	EXPECT_EQ(5, ucv_agent_text(agent, ucv_do_bind, self->dir, 5, 0, 0));
	EXPECT_DENIALS(0, self->fd, agent->pid, &self->wanted);
	want_mount(&self->wanted, agent->pid, agent->pid, max);
	EXPECT_EQ(max, self->wanted.used);
	EXPECT_EQ(-ENOSPC, ucv_agent_text(agent, ucv_do_bind, self->dir, 1, 0, 0));
	EXPECT_DENIALS(1, self->fd, agent->pid, &self->wanted);
	EXPECT_EQ(-ENOSPC, ucv_agent_text(agent, ucv_do_bind, self->dir, 1, 0, 0));
	EXPECT_EQ(-ENOSPC, ucv_agent_text(agent, ucv_do_bind, self->dir, 1, 0, 0));
	EXPECT_DENIALS(2, self->fd, agent->pid, &self->wanted);
	ASSERT_EQ(1, ucv_agent_text(agent, ucv_do_unbind, self->dir, 1, 0, 0));
	EXPECT_EQ(1, ucv_agent_text(agent, ucv_do_bind, self->dir, 2, 0, 0));
	EXPECT_DENIALS(1, self->fd, agent->pid, &self->wanted);
}

/* The limit may be lower than the number of existing mounts. */
UCV_TEST_F(mounts, mount_above_a_lowered_limit_is_recorded)
{
	struct ucv_agent *agent = &self->agent;

	ASSERT_EQ(3, ucv_agent_text(agent, ucv_do_bind, self->dir, 3, 0, 0));
	want_mount(&self->wanted, agent->pid, agent->pid, 1);
	ASSERT_EQ(0, ucv_sysctl(UCV_MOUNT_MAX, 1));
	EXPECT_EQ(-ENOSPC, ucv_agent_text(agent, ucv_do_bind, self->dir, 1, 0, 0));
	EXPECT_DENIALS(1, self->fd, agent->pid, &self->wanted);
}

/* Mounts that fail for other reasons are not recorded, nor are moved mounts. */
static long do_other(struct ucv_call *call)
{
	char from[1100], to[1100];

	snprintf(from, sizeof(from), "%s/from", call->text);
	snprintf(to, sizeof(to), "%s/to", call->text);
	if (mount("x", "/does/not/exist", "tmpfs", 0, NULL) != -1 || errno != ENOENT)
		return -EIO;
	if (mount("x", from, "no_such_type", 0, NULL) != -1 || errno != ENODEV)
		return -EIO;
	if (mount(from, to, NULL, MS_MOVE, NULL) || umount2(to, 0))
		return -errno;
	return 0;
}

static long do_prepare(struct ucv_call *call)
{
	char path[1100];

	if (mount("tmpfs", call->text, "tmpfs", 0, NULL))
		return -errno;
	snprintf(path, sizeof(path), "%s/to", call->text);
	if (mkdir(path, 0755))
		return -errno;
	snprintf(path, sizeof(path), "%s/from", call->text);
	if (mkdir(path, 0755) || mount("tmpfs", path, "tmpfs", 0, NULL))
		return -errno;
	return 0;
}

UCV_TEST_F(mounts, mount_with_another_error_is_not_recorded)
{
	struct ucv_agent *agent = &self->agent;

	ASSERT_EQ(0, ucv_agent_text(agent, do_prepare, self->dir, 0, 0, 0));
	ASSERT_EQ(0, ucv_sysctl(UCV_MOUNT_MAX, mounts_of(agent->pid)));
	EXPECT_EQ(0, ucv_agent_text(agent, do_other, self->dir, 0, 0, 0));
	EXPECT_DENIALS(0, self->fd, agent->pid, &self->wanted);
}

UCV_TEST_F(mounts, mount_by_a_thread_is_recorded)
{
	struct ucv_agent *agent = &self->agent;
	const long max = mounts_of(agent->pid);
	pid_t tid;

	tid = ucv_agent_text(agent, ucv_do_by_thread, "mounting thread", 0, 0, 0);
	ASSERT_NE(agent->pid, tid);
	want_mount(&self->wanted, tid, agent->pid, max);
	ASSERT_STREQ("mounting thread", self->wanted.comm);
	ASSERT_EQ(0, ucv_sysctl(UCV_MOUNT_MAX, max));
	EXPECT_EQ(-ENOSPC, ucv_agent_text(agent, ucv_do_bind, self->dir, 1, 0, 0));
	EXPECT_DENIALS(1, self->fd, agent->pid, &self->wanted);
}

/* In a container: the mount namespace and its user namespace are the container's. */
UCV_TEST_F(mounts, mount_in_a_user_namespace_is_recorded)
{
	struct ucv_agent *agent = &self->agent;
	long max;

	ASSERT_EQ(0, ucv_agent_enter(agent, NULL, MOUNTS_UID, MOUNTS_UID + 10, 10));
	ASSERT_EQ(0, ucv_agent_call(agent, ucv_do_uids, 2, 2, 2));
	ASSERT_EQ(0, ucv_agent_call(agent, ucv_do_new_mntns, CLONE_NEWUSER, 0, 0));
	max = mounts_of(agent->pid);
	want_mount(&self->wanted, agent->pid, agent->pid, max);
	/* Charged before the user had a uid in the new namespace; it still has none. */
	ucv_wanted_charged(&self->wanted, agent->pid, 2, MOUNTS_UID + 12);
	ucv_wanted_refused(&self->wanted, agent->pid, 2, MOUNTS_UID + 12, UCV_UID_UNMAPPED);
	ASSERT_EQ(0, ucv_sysctl(UCV_MOUNT_MAX, max));
	EXPECT_EQ(-ENOSPC, ucv_agent_text(agent, ucv_do_bind, self->dir, 1, 0, 0));
	EXPECT_DENIALS(1, self->fd, agent->pid, &self->wanted);
}

/* Trees */

/* Mounts a tmpfs on text, and a more below it, some nested, some side by side. */
static long do_tree(struct ucv_call *call)
{
	char path[1500];
	size_t length;
	long i;

	if (mount("tmpfs", call->text, "tmpfs", 0, NULL))
		return -errno;
	length = snprintf(path, sizeof(path), "%s", call->text);
	for (i = 0; i < call->a; i++) {
		length += snprintf(path + length, sizeof(path) - length, "/%ld", i % 10);
		if (mkdir(path, 0755) || mount("tmpfs", path, "tmpfs", 0, NULL))
			return -errno;
		if (i % 3 == 2)
			length -= 2;
	}
	return 0;
}

/* Like ucv_do_rbind(), by open_tree() and move_mount(). */
static long do_attach(struct ucv_call *call)
{
	int tree = syscall(OPEN_TREE, AT_FDCWD, call->text, CLONE_TREE);
	long ret;

	if (tree < 0)
		return -errno;
	ret = syscall(MOVE_MOUNT, tree, "", AT_FDCWD, call->text, EMPTY_FROM) ? -errno : 0;
	close(tree);
	return ret;
}

#define TREE	9	/* mounts, the root of the tree included */

/* With less room than the tree needs, down to none: the record has the size of the tree. */
UCV_TEST_F(mounts, refused_tree_is_recorded_with_its_size)
{
	struct ucv_agent *agent = &self->agent;
	long room, used;

	ASSERT_EQ(0, ucv_agent_text(agent, do_tree, self->dir, TREE - 1, 0, 0));
	used = mounts_of(agent->pid);
	for (room = -2; room < TREE; room++) {
		want_mount(&self->wanted, agent->pid, agent->pid, used + room);
		self->wanted.asked = TREE;
		ASSERT_EQ(0, ucv_sysctl(UCV_MOUNT_MAX, used + room));
		EXPECT_EQ(-ENOSPC, ucv_agent_text(agent, ucv_do_rbind, self->dir, 0, 0, 0));
		EXPECT_DENIALS(1, self->fd, agent->pid, &self->wanted);
		EXPECT_EQ(-ENOSPC, ucv_agent_text(agent, do_attach, self->dir, 0, 0, 0));
		EXPECT_DENIALS(1, self->fd, agent->pid, &self->wanted);
	}
	ASSERT_EQ(0, ucv_sysctl(UCV_MOUNT_MAX, used + TREE));
	EXPECT_EQ(0, ucv_agent_text(agent, ucv_do_rbind, self->dir, 0, 0, 0));
	EXPECT_DENIALS(0, self->fd, agent->pid, &self->wanted);
	EXPECT_EQ(used + TREE, mounts_of(agent->pid));
}

/* Copying a mount namespace is not checked against the limit, so it is not refused. */
UCV_TEST_F(mounts, copy_of_a_mount_namespace_is_not_refused)
{
	ASSERT_EQ(0, ucv_sysctl(UCV_MOUNT_MAX, 1));
	EXPECT_EQ(0, ucv_agent_call(&self->agent, ucv_do_unshare, CLONE_NEWNS, 0, 0));
	EXPECT_DENIALS(0, self->fd, self->agent.pid, &self->wanted);
}

/*
 * Propagation. The caller has NR_PEERS mounts of one peer group. So have a copy of its mount
 * namespace and another copy with its own user namespace, whose mounts are slaves.
 */
#define NR_PEERS	12

FIXTURE(propagation) {
	char dir[64];
	int fd;				/* listens */
	struct ucv_agent agent[3];
	struct ucv_denial wanted;
};

FIXTURE_VARIANT(propagation) {
	int full;	/* the agent whose namespace has room for some of the copies only */
	long asked;	/* mounts in each copy; more than one are a tree */
};

/* The caller's own namespace: its own mount is reserved first, then the peers'. */
FIXTURE_VARIANT_ADD(propagation, in_the_own_namespace) { .full = 0, .asked = 1 };
FIXTURE_VARIANT_ADD(propagation, to_another_namespace) { .full = 1, .asked = 1 };
/* It belongs to a user namespace that the caller is not in. */
FIXTURE_VARIANT_ADD(propagation, to_a_container) { .full = 2, .asked = 1 };
FIXTURE_VARIANT_ADD(propagation, of_a_tree) { .full = 1, .asked = 3 };

FIXTURE_SETUP(propagation)
{
	unsigned int i;

	if (!ucv_feature(UCV_FEATURE_MNT_DENIALS))
		SKIP(return, "the module cannot tell of refused mounts here");
	ASSERT_EQ(0, ucv_make_files(self->dir, sizeof(self->dir), 0));
	ASSERT_EQ(0, ucv_agent_start(&self->agent[0]));
	ASSERT_EQ(0, ucv_agent_call(&self->agent[0], ucv_do_new_mntns, 0, 0, 0));
	ASSERT_EQ(0, ucv_agent_text(&self->agent[0], ucv_do_peers, self->dir, NR_PEERS, 0, 0));
	for (i = 1; i < ARRAY_SIZE(self->agent); i++) {
		ASSERT_EQ(0, ucv_agent_spawn(&self->agent[0], &self->agent[i]));
		ASSERT_EQ(0, ucv_agent_call(&self->agent[i], ucv_do_unshare,
					    CLONE_NEWNS | (i == 2 ? CLONE_NEWUSER : 0), 0, 0));
	}
	self->fd = ucv_listener(UCV_LISTEN_ARM);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(propagation)
{
	int i;

	if (!self->dir[0])
		return;
	ucv_sysctls_back();
	for (i = ARRAY_SIZE(self->agent) - 1; i >= 0; i--)
		ucv_agent_stop(&self->agent[i]);
	ucv_remove_files(self->dir, 0);
	close(self->fd);
}

/* Makes mounts in the agent's namespace that do not propagate. */
static long fill(struct ucv_agent *agent, const char *dir, long mounts)
{
	char spare[80];

	snprintf(spare, sizeof(spare), "%s/spare", dir);
	return ucv_agent_text(agent, ucv_do_bind, spare, mounts, 0, 0);
}

/*
 * The fuller namespace has room for some copies, which are pending when the next one is
 * refused. The other namespaces have room for all copies.
 */
UCV_TEST_F(propagation, refused_copy_is_recorded_with_pending_ones)
{
	struct ucv_agent *caller = &self->agent[0], *full = &self->agent[variant->full];
	struct ucv_denial *wanted = &self->wanted;
	const long asked = variant->asked, all = NR_PEERS * asked;
	char tree[80];
	long room;

	snprintf(tree, sizeof(tree), "%s/tree", self->dir);
	if (asked > 1)
		ASSERT_EQ(0, ucv_agent_text(caller, do_tree, tree, asked - 1, 0, 0));
	/* The tree itself is only in the caller's namespace. */
	ASSERT_EQ(all + asked, fill(full, self->dir, all + asked));
	want_mount(wanted, caller->pid, full->pid, 0);
	EXPECT_EQ(!variant->full, ucv_ns_of(caller->pid, "mnt") == wanted->mntns);
	if (variant->full == 2) {
		ucv_wanted_charged(wanted, full->pid, 1, 0);
		ucv_wanted_refused(wanted, full->pid, 1, 0, UCV_UID_UNMAPPED);
		ASSERT_NE(wanted->caller_userns, wanted->charged_userns);
	}
	wanted->asked = asked;
	for (room = 0; room < all; room++) {
		wanted->limit = wanted->used + room;
		wanted->pending = room / asked * asked;
		ASSERT_EQ(0, ucv_sysctl(UCV_MOUNT_MAX, wanted->limit));
		EXPECT_EQ(-ENOSPC, ucv_agent_text(caller, ucv_do_propagate, self->dir, asked > 1,
						  0, 0));
		EXPECT_DENIALS(1, self->fd, caller->pid, wanted);
	}
	ASSERT_EQ(0, ucv_sysctl(UCV_MOUNT_MAX, wanted->used + all));
	EXPECT_EQ(0, ucv_agent_text(caller, ucv_do_propagate, self->dir, asked > 1, 0, 0));
	EXPECT_DENIALS(0, self->fd, caller->pid, wanted);
	EXPECT_EQ(wanted->used + all, mounts_of(full->pid));
}

TEST_HARNESS_MAIN
