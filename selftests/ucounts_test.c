// SPDX-License-Identifier: GPL-2.0
/*
 * The counters: for workloads of known size, snapshots have the exact counters at every
 * level, before, during and after the workload, and the limits that the kernel checks them
 * against.
 */
#include <errno.h>
#include <sched.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>

#include "kselftest_harness.h"
#include "ucv_test.h"

#define NR_FILES	64

FIXTURE(ucounts) {
	char dir[64];
	struct ucv_agent agent;
	unsigned int init;	/* the initial user namespace's inode number */
};

FIXTURE_SETUP(ucounts)
{
	self->init = ucv_userns_of(getpid());
	ASSERT_NE(0U, self->init);
	ASSERT_EQ(0, ucv_make_files(self->dir, sizeof(self->dir), NR_FILES));
	ASSERT_EQ(0, ucv_agent_start(&self->agent));
}

FIXTURE_TEARDOWN(ucounts)
{
	ucv_agent_stop(&self->agent);
	ucv_remove_files(self->dir, NR_FILES);
}

/* Numbers that depend on the user, so that neighbors differ. */
static long instances_of(unsigned int i)
{
	return i % 4 + 1;
}

static long watches_of(unsigned int i)
{
	return i % 7 + 1;
}

#define NR_USERS	50

static void check_users(struct __test_metadata *_metadata, unsigned int init,
			unsigned int first, unsigned int step, bool there)
{
	struct ucv_table table;
	unsigned int i;

	ASSERT_EQ(0, ucv_take(&table));
	for (i = first; i < NR_USERS; i += step) {
		long instances = there ? instances_of(i) : 0;
		long watches = instances * watches_of(i);

		EXPECT_EQ((long long)instances,
			  ucv_used(&table, init, UCV_UID + i,
				   "inotify_instances"));
		EXPECT_EQ((long long)watches,
			  ucv_used(&table, init, UCV_UID + i,
				   "inotify_watches"));
	}
	EXPECT_CONSISTENT(&table);
	ucv_free(&table);
}

/* Fifty users with different numbers of instances and watches. */
UCV_TEST_F(ucounts, users_have_their_own_counters)
{
	struct ucv_agent *agent = &self->agent;
	long first[NR_USERS];
	unsigned int i;
	long j;

	check_users(_metadata, self->init, 0, 1, false);
	for (i = 0; i < NR_USERS; i++) {
		ASSERT_EQ(0, ucv_agent_call(agent, ucv_do_uids, -1, UCV_UID + i, 0));
		first[i] = ucv_agent_call(agent, ucv_do_inotify, instances_of(i), 0, 0);
		ASSERT_LE(0, first[i]);
		ASSERT_EQ(0, ucv_agent_call(agent, ucv_do_uids, -1, 0, -1));
		for (j = 0; j < instances_of(i); j++)
			ASSERT_EQ(watches_of(i),
				  ucv_agent_text(agent, ucv_do_watch, self->dir,
						 first[i] + j, j,
						 watches_of(i)));
	}
	check_users(_metadata, self->init, 0, 1, true);

	for (i = 0; i < NR_USERS; i += 2)
		for (j = 0; j < instances_of(i); j++)
			ucv_agent_call(agent, ucv_do_close, first[i] + j, 0, 0);
	check_users(_metadata, self->init, 0, 2, false);
	check_users(_metadata, self->init, 1, 2, true);

	ucv_agent_call(agent, ucv_do_close, -1, 0, 0);
	check_users(_metadata, self->init, 0, 1, false);
	for (i = 0; i < NR_USERS; i++)
		EXPECT_TRUE(UCV_SOON(!ucv_row_now(self->init, UCV_UID + i)));
}

/* Makes a row for each of b users from uid a on. */
static long do_rows(struct ucv_call *call)
{
	long i;

	for (i = 0; i < call->b; i++) {
		if (setresuid(-1, call->a + i, 0) ||
		    inotify_init1(IN_CLOEXEC) < 0 || setresuid(-1, 0, -1))
			return -errno;
	}
	return i;
}

/* More rows than the kernel's hash table has buckets, so that rows share buckets. */
#define NR_CROWDS	4
#define CROWD		900

UCV_TEST_F(ucounts, rows_that_share_a_bucket_are_found)
{
	struct ucv_agent agent[NR_CROWDS] = {};
	unsigned int i, first = UCV_UID + 10000;
	unsigned int seen[NR_CROWDS * CROWD] = {};
	struct ucv_table table;
	int instances;

	for (i = 0; i < NR_CROWDS; i++) {
		ASSERT_EQ(0, ucv_agent_spawn(&self->agent, &agent[i]));
		ASSERT_EQ(CROWD, ucv_agent_call(&agent[i], do_rows, first + i * CROWD, CROWD, 0));
	}
	ASSERT_EQ(0, ucv_take(&table));
	EXPECT_CONSISTENT(&table);
	instances = ucv_resource(&table, "inotify_instances");
	ASSERT_LE(0, instances);
	for (i = 0; i < table.nr_rows; i++)
		if (table.rows[i].uid - first < ARRAY_SIZE(seen))
			seen[table.rows[i].uid - first] +=
				table.rows[i].used[instances];
	for (i = 0; i < ARRAY_SIZE(seen); i++)
		ASSERT_EQ(1U, seen[i]);
	ucv_free(&table);
	for (i = 0; i < NR_CROWDS; i++)
		ucv_agent_stop(&agent[i]);
}

/* Watches added and removed one by one. */
UCV_TEST_F(ucounts, each_watch_is_counted)
{
	struct ucv_agent *agent = &self->agent;
	unsigned int uid = UCV_UID + 60;
	long i;

	ASSERT_EQ(0, ucv_agent_call(agent, ucv_do_uids, -1, uid, 0));
	ASSERT_EQ(0, ucv_agent_call(agent, ucv_do_inotify, 1, 0, 0));
	for (i = 0; i < 5; i++) {
		EXPECT_USED(i, self->init, uid, "inotify_watches");
		ASSERT_EQ(1, ucv_agent_text(agent, ucv_do_watch, self->dir, 0, i, 1));
	}
	/* Watching the same file again returns the same watch. */
	ASSERT_EQ(1, ucv_agent_text(agent, ucv_do_watch, self->dir, 0, 0, 1));
	EXPECT_USED(5, self->init, uid, "inotify_watches");
	ASSERT_EQ(1, ucv_agent_text(agent, ucv_do_watch, self->dir, 0, 4, 1));
	for (i = 5; i > 0; i--) {
		EXPECT_USED(i, self->init, uid, "inotify_watches");
		ASSERT_EQ(1, ucv_agent_call(agent, ucv_do_unwatch, 0, 1, 0));
	}
	EXPECT_USED(0, self->init, uid, "inotify_watches");
	EXPECT_USED(1, self->init, uid, "inotify_instances");
}

/* The effective uid at inotify_init() is charged, whichever user adds watches later. */
UCV_TEST_F(ucounts, effective_uid_is_charged)
{
	unsigned int real = UCV_UID + 61, effective = UCV_UID + 62;
	unsigned int other = UCV_UID + 63;
	struct ucv_agent *agent = &self->agent;

	ASSERT_EQ(0, ucv_agent_call(agent, ucv_do_keep_caps, 0, 0, 0));
	ASSERT_EQ(0, ucv_agent_call(agent, ucv_do_uids, real, effective, 0));
	ASSERT_EQ(0, ucv_agent_call(agent, ucv_do_inotify, 2, 0, 0));
	ASSERT_EQ(0, ucv_agent_call(agent, ucv_do_uids, -1, other, -1));
	ASSERT_EQ(9, ucv_agent_text(agent, ucv_do_watch, self->dir, 1, 0, 9));
	EXPECT_USED(2, self->init, effective, "inotify_instances");
	EXPECT_USED(9, self->init, effective, "inotify_watches");
	EXPECT_USED(0, self->init, real, "inotify_instances");
	EXPECT_USED(0, self->init, real, "inotify_watches");
	EXPECT_USED(0, self->init, other, "inotify_instances");
	EXPECT_USED(0, self->init, other, "inotify_watches");
}

/* Groups, marks on different files, and marks that are not charged. */
UCV_TEST_F(ucounts, fanotify_groups_and_marks_are_counted)
{
	unsigned int uid = UCV_UID + 64, unlimited = UCV_UID + 65;
	struct ucv_agent *agent = &self->agent;

	if (ucv_agent_call(agent, ucv_do_fanotify, FAN_CLASS_NOTIF, 0, 0) < 0)
		SKIP(return, "the kernel has no fanotify");
	ucv_agent_call(agent, ucv_do_close, -1, 0, 0);

	ASSERT_EQ(0, ucv_agent_call(agent, ucv_do_keep_caps, 0, 0, 0));
	ASSERT_EQ(0, ucv_agent_call(agent, ucv_do_uids, -1, uid, 0));
	ASSERT_EQ(0, ucv_agent_call(agent, ucv_do_fanotify, FAN_CLASS_NOTIF, 0, 0));
	ASSERT_EQ(1, ucv_agent_call(agent, ucv_do_fanotify,
				    FAN_CLASS_NOTIF | FAN_UNLIMITED_QUEUE, 0,
				    0));
	ASSERT_EQ(0, ucv_agent_call(agent, ucv_do_uids, -1, unlimited, -1));
	ASSERT_EQ(2, ucv_agent_call(agent, ucv_do_fanotify,
				    FAN_CLASS_NOTIF | FAN_UNLIMITED_MARKS, 0,
				    0));
	ASSERT_EQ(11, ucv_agent_text(agent, ucv_do_mark, self->dir, 0, 0, 11));
	ASSERT_EQ(5, ucv_agent_text(agent, ucv_do_mark, self->dir, 1, 0, 5));
	ASSERT_EQ(7, ucv_agent_text(agent, ucv_do_mark, self->dir, 2, 0, 7));
	EXPECT_USED(2, self->init, uid, "fanotify_groups");
	EXPECT_USED(16, self->init, uid, "fanotify_marks");
	EXPECT_USED(1, self->init, unlimited, "fanotify_groups");
	EXPECT_USED(0, self->init, unlimited, "fanotify_marks");

	ASSERT_EQ(4, ucv_agent_text(agent, ucv_do_unmark, self->dir, 0, 2, 4));
	EXPECT_USED(12, self->init, uid, "fanotify_marks");
	ucv_agent_call(agent, ucv_do_close, 0, 0, 0);
	EXPECT_USED(1, self->init, uid, "fanotify_groups");
	EXPECT_USED(5, self->init, uid, "fanotify_marks");
	ucv_agent_call(agent, ucv_do_close, -1, 0, 0);
	EXPECT_USED(0, self->init, uid, "fanotify_groups");
	EXPECT_USED(0, self->init, uid, "fanotify_marks");
}

/* Five levels: charges and namespaces of the deepest level show at each level. */
UCV_TEST_F(ucounts, charges_count_at_each_level)
{
	struct ucv_table table;
	struct ucv_chain chain;
	int level;

	ASSERT_EQ(0, ucv_chain_start(&chain, &self->agent, UCV_DEPTH));
	ASSERT_EQ(0, ucv_chain_charge(&chain, UCV_DEPTH, 3, 3, self->dir, 7));
	ASSERT_EQ(0, ucv_chain_charge(&chain, 3, 5, 1, self->dir, 2));
	ASSERT_EQ(0, ucv_take(&table));
	for (level = UCV_DEPTH; level >= 0; level--) {
		/* The uid that is charged at this level. */
		unsigned int uid = level == UCV_DEPTH ? ucv_base(UCV_DEPTH) + 3 :
						    ucv_owner(level + 1);
		unsigned int inum = chain.inum[level];
		long long more = level < 3;

		EXPECT_EQ(3 + more, ucv_used(&table, inum, uid, "inotify_instances"));
		EXPECT_EQ(7 + 2 * more, ucv_used(&table, inum, uid, "inotify_watches"));
		EXPECT_EQ((long long)UCV_DEPTH - level,
			  ucv_used(&table, inum, uid, "user_namespaces"));
	}
	EXPECT_EQ(2LL, ucv_used(&table, chain.inum[3], ucv_base(3) + 5, "inotify_watches"));
	EXPECT_EQ(0LL, ucv_used(&table, chain.inum[4], ucv_base(4) + 5, "inotify_watches"));
	EXPECT_CONSISTENT(&table);
	ucv_free(&table);
	EXPECT_TRUE(ucv_chain_stop(&chain));
	for (level = UCV_DEPTH; level > 0; level--)
		EXPECT_FALSE(ucv_userns_now(chain.inum[level]));
}

/* Each level has its own limits, changed from inside; the smallest limit refuses. */
UCV_TEST_F(ucounts, each_level_has_its_own_limits)
{
	static const char file[] = "/proc/sys/user/max_inotify_watches";
	struct ucv_table table;
	struct ucv_chain chain;
	char value[16];
	int level;

	ASSERT_EQ(0, ucv_chain_start(&chain, &self->agent, UCV_DEPTH));
	/* A charge at each level: namespaces are found by their rows. */
	ASSERT_EQ(0, ucv_chain_charge(&chain, UCV_DEPTH, 3, 1, self->dir, 0));
	for (level = 1; level <= UCV_DEPTH; level++) {
		ASSERT_EQ(0, ucv_take(&table));
		EXPECT_EQ(UCV_UNLIMITED, ucv_limit(&table, chain.inum[level], "inotify_watches"));
		ucv_free(&table);
	}
	for (level = 1; level <= UCV_DEPTH; level++) {
		snprintf(value, sizeof(value), "%d", level == 2 ? 9 : 20 + level);
		ASSERT_EQ(0, ucv_agent_write(&chain.agent[level], file, value));
	}
	ASSERT_EQ(0, ucv_take(&table));
	for (level = 1; level <= UCV_DEPTH; level++)
		EXPECT_EQ(level == 2 ? 9LL : 20LL + level,
			  ucv_limit(&table, chain.inum[level],
				    "inotify_watches"));
	EXPECT_EQ(ucv_read_number(file), ucv_limit(&table, self->init, "inotify_watches"));
	ucv_free(&table);

	ASSERT_EQ(0, ucv_chain_charge(&chain, UCV_DEPTH, 3, 1, self->dir, 9));
	EXPECT_EQ(-ENOSPC, ucv_agent_text(&chain.agent[UCV_DEPTH], ucv_do_watch,
					  self->dir, 0, 9, 1));
	ASSERT_EQ(0, ucv_take(&table));
	for (level = 0; level < UCV_DEPTH; level++)
		EXPECT_EQ(9LL, ucv_used(&table, chain.inum[level],
					ucv_owner(level + 1), "inotify_watches"));
	EXPECT_EQ(9LL, ucv_used(&table, chain.inum[UCV_DEPTH], ucv_base(UCV_DEPTH) + 3,
				"inotify_watches"));
	ucv_free(&table);
	EXPECT_TRUE(ucv_chain_stop(&chain));
}

/* A limit set inside its namespace is reported, and refuses at exactly that number. */
UCV_TEST_F(ucounts, limit_set_inside_a_namespace_refuses)
{
	struct ucv_agent *agent = &self->agent;
	struct ucv_table table;
	unsigned int inum;
	char map[64];

	snprintf(map, sizeof(map), "0 %u 10", UCV_UID + 70);
	ASSERT_EQ(0, ucv_agent_userns(agent, NULL, map));
	inum = ucv_userns_of(agent->pid);
	ASSERT_EQ(0, ucv_agent_call(agent, ucv_do_uids, 0, 0, 0));
	ASSERT_EQ(0, ucv_agent_write(agent, "/proc/sys/user/max_inotify_watches", "5"));
	ASSERT_EQ(0, ucv_agent_write(agent, "/proc/sys/user/max_inotify_instances", "2"));
	ASSERT_EQ(0, ucv_agent_call(agent, ucv_do_inotify, 2, 0, 0));
	EXPECT_EQ(-EMFILE, ucv_agent_call(agent, ucv_do_inotify, 1, 0, 0));
	ASSERT_EQ(5, ucv_agent_text(agent, ucv_do_watch, self->dir, 0, 0, 9));
	EXPECT_EQ(-ENOSPC, ucv_agent_text(agent, ucv_do_watch, self->dir, 1, 9, 1));
	ASSERT_EQ(0, ucv_take(&table));
	EXPECT_EQ(5LL, ucv_limit(&table, inum, "inotify_watches"));
	EXPECT_EQ(2LL, ucv_limit(&table, inum, "inotify_instances"));
	EXPECT_EQ(UCV_UNLIMITED, ucv_limit(&table, inum, "net_namespaces"));
	EXPECT_EQ(5LL, ucv_used(&table, inum, UCV_UID + 70, "inotify_watches"));
	EXPECT_EQ(2LL, ucv_used(&table, inum, UCV_UID + 70, "inotify_instances"));
	ucv_free(&table);
}

/* In a user namespace: charged to the uid there and to the owner at the level above. */
UCV_TEST_F(ucounts, namespaces_count_at_each_level)
{
	struct ucv_table table;
	struct ucv_chain chain;

	ASSERT_EQ(0, ucv_chain_start(&chain, &self->agent, 2));
	ASSERT_EQ(0, ucv_agent_call(&chain.agent[2], ucv_do_unshare,
				    CLONE_NEWUTS | CLONE_NEWNET, 0, 0));
	ASSERT_EQ(0, ucv_agent_call(&chain.agent[2], ucv_do_unshare, CLONE_NEWUTS, 0, 0));
	ASSERT_EQ(0, ucv_take(&table));
	EXPECT_EQ(1LL, ucv_used(&table, chain.inum[2], ucv_base(2), "net_namespaces"));
	EXPECT_EQ(1LL, ucv_used(&table, chain.inum[1], ucv_owner(2), "net_namespaces"));
	EXPECT_EQ(1LL, ucv_used(&table, self->init, ucv_owner(1), "net_namespaces"));
	ucv_free(&table);
	EXPECT_TRUE(UCV_SOON(ucv_used_now(self->init, ucv_owner(1), "uts_namespaces") == 1));
	EXPECT_USED(1, chain.inum[2], ucv_base(2), "uts_namespaces");
	EXPECT_TRUE(ucv_chain_stop(&chain));
}

/* Root of the initial namespace may have several rows, of which one is charged. */
UCV_TEST_F(ucounts, one_row_of_initial_root_is_charged)
{
	const struct ucv_ucounts *row;
	unsigned int i, shown = 0;
	struct ucv_table table;
	long long before;

	before = ucv_used_now(self->init, 0, "inotify_watches");
	ASSERT_LE(0, before);
	ASSERT_EQ(0, ucv_agent_call(&self->agent, ucv_do_inotify, 1, 0, 0));
	ASSERT_EQ(8, ucv_agent_text(&self->agent, ucv_do_watch, self->dir, 0, 0, 8));
	ASSERT_EQ(0, ucv_take(&table));
	EXPECT_EQ(before + 8, ucv_used(&table, self->init, 0, "inotify_watches"));
	for (i = 0; i < table.nr_rows; i++) {
		row = &table.rows[i];
		if (row->uid || table.userns[row->userns].level)
			continue;
		EXPECT_EQ(0U, row->uid_in_ns);
		shown += !(row->flags & UCV_UCOUNTS_SHADOWED);
	}
	EXPECT_EQ(1U, shown);
	EXPECT_CONSISTENT(&table);
	ucv_free(&table);
}

/* On an idle system no counter is less than the sum of those below it. */
static void check_sums(struct __test_metadata *_metadata,
		       const struct ucv_table *table, unsigned int resource)
{
	unsigned int i, j;

	for (i = 0; i < table->nr_userns; i++) {
		const struct ucv_userns *userns = &table->userns[i];
		const struct ucv_userns *parent;
		long long sum = 0;

		if (!userns->level)
			continue;
		parent = &table->userns[userns->parent];
		for (j = 0; j < table->nr_rows; j++)
			if (table->rows[j].userns == i)
				sum += table->rows[j].used[resource];
		EXPECT_LE(sum, ucv_used(table, parent->inum, userns->owner,
					table->resources[resource].name));
	}
}

UCV_TEST_F(ucounts, no_counter_is_below_the_sum_of_its_children)
{
	struct ucv_table table, again;
	struct ucv_chain chain;
	unsigned int i;
	int level;

	ASSERT_EQ(0, ucv_chain_start(&chain, &self->agent, UCV_DEPTH));
	for (level = 1; level <= UCV_DEPTH; level++)
		ASSERT_EQ(0, ucv_chain_charge(&chain, level, level, 2, self->dir, level));
	do {
		ASSERT_EQ(0, ucv_take(&table));
		ASSERT_EQ(0, ucv_take(&again));
		level = ucv_tables_equal(&table, &again);
		ucv_free(&again);
		if (!level)
			ucv_free(&table);
	} while (!level);
	for (i = 0; i < table.nr_resources; i++)
		if (table.resources[i].type == UCV_RESOURCE_UCOUNT)
			check_sums(_metadata, &table, i);
	EXPECT_EQ(1LL + 2 + 3 + 4 + 5,
		  ucv_used(&table, self->init, ucv_owner(1), "inotify_watches"));
	ucv_free(&table);
	EXPECT_TRUE(ucv_chain_stop(&chain));
}

/* One kind of namespace */

#define KIND_UID	(UCV_UID + 80)

FIXTURE(kind) {
	struct ucv_agent agent;
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
	if (!ucv_ns_of(getpid(), variant->file))
		SKIP(return, "the kernel has no such namespaces");
	ASSERT_EQ(0, ucv_agent_start(&self->agent));
	ASSERT_EQ(0, ucv_agent_call(&self->agent, ucv_do_keep_caps, 0, 0, 0));
	ASSERT_EQ(0, ucv_agent_call(&self->agent, ucv_do_uids, -1, KIND_UID, 0));
}

FIXTURE_TEARDOWN(kind)
{
	ucv_agent_stop(&self->agent);
}

/* A namespace is charged as one of its kind, and as none of another. */
UCV_TEST_F(kind, namespace_is_charged_while_it_exists)
{
	const unsigned int init = ucv_userns_of(getpid());
	struct ucv_table table;
	const char *name;
	unsigned int i;

	EXPECT_USED(0, init, KIND_UID, variant->resource);
	ASSERT_EQ(0, ucv_agent_call(&self->agent, ucv_do_unshare, variant->flag, 0, 0));
	ASSERT_EQ(0, ucv_take(&table));
	ASSERT_LE(0, ucv_resource(&table, variant->resource));
	for (i = 0; i < table.nr_resources; i++) {
		name = table.resources[i].name;
		if (strstr(name, "_namespaces"))
			EXPECT_EQ(!strcmp(name, variant->resource),
				  ucv_used(&table, init, KIND_UID, name))
				TH_LOG("%s", name);
	}
	ucv_free(&table);
	ucv_agent_stop(&self->agent);
	EXPECT_TRUE(UCV_SOON(!ucv_used_now(init, KIND_UID, variant->resource)));
}

TEST_HARNESS_MAIN
