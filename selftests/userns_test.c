// SPDX-License-Identifier: GPL-2.0
/*
 * The user namespaces: each has the level, parent, owner, example process and inode number
 * that /proc shows, and maps uids as its uid map does. It is listed for as long as something
 * is in it.
 */
#include <fcntl.h>
#include <sched.h>

#include "kselftest_harness.h"
#include "ucv_test.h"

#define NR_FILES	20

FIXTURE(userns) {
	char dir[64];
	struct ucv_agent agent;
	unsigned int init;	/* the initial user namespace's inode number */
};

FIXTURE_SETUP(userns)
{
	self->init = ucv_userns_of(getpid());
	ASSERT_NE(0U, self->init);
	ASSERT_EQ(0, ucv_make_files(self->dir, sizeof(self->dir), NR_FILES));
	ASSERT_EQ(0, ucv_agent_start(&self->agent));
}

FIXTURE_TEARDOWN(userns)
{
	ucv_agent_stop(&self->agent);
	ucv_remove_files(self->dir, NR_FILES);
}

static void check_chain_userns(struct __test_metadata *_metadata,
			       const struct ucv_chain *chain,
			       const struct ucv_table *table)
{
	const struct ucv_userns *userns;
	int level;

	for (level = 1; level <= UCV_DEPTH; level++) {
		userns = ucv_userns(table, chain->inum[level]);
		ASSERT_NE(NULL, userns);
		EXPECT_EQ((__u32)level, userns->level);
		EXPECT_EQ(ucv_owner(level), userns->owner);
		EXPECT_EQ(level == 1 ? ucv_owner(1) : 10U + level, userns->owner_in_parent);
		EXPECT_EQ(0U, userns->flags);
		ASSERT_LT(userns->parent, table->nr_userns);
		EXPECT_EQ(chain->inum[level - 1], table->userns[userns->parent].inum);
		EXPECT_EQ((__u32)chain->agent[level].pid, userns->pid);
		EXPECT_STREQ("userns_test", userns->comm);
		EXPECT_EQ(table->info.features & UCV_FEATURE_NS_ID ? 1 : 0, userns->id != 0);
	}
}

UCV_TEST_F(userns, nested_namespaces_are_listed)
{
	struct ucv_table table;
	struct ucv_chain chain;

	ASSERT_EQ(0, ucv_chain_start(&chain, &self->agent, UCV_DEPTH));
	ASSERT_EQ(0, ucv_chain_charge(&chain, UCV_DEPTH, 3, 1, self->dir, 0));
	ASSERT_EQ(0, ucv_take(&table));
	check_chain_userns(_metadata, &chain, &table);
	EXPECT_CONSISTENT(&table);
	ucv_free(&table);
	EXPECT_TRUE(ucv_chain_stop(&chain));
}

/* The first record, and the only one with neither parent nor creator. */
UCV_TEST_F(userns, initial_namespace_is_the_root)
{
	const struct ucv_userns *userns;
	struct ucv_table table;

	ASSERT_EQ(0, ucv_take(&table));
	userns = ucv_userns(&table, self->init);
	ASSERT_NE(NULL, userns);
	EXPECT_EQ(UCV_NO_INDEX, userns->parent);
	EXPECT_EQ(0U, userns->level);
	EXPECT_EQ(0U, userns->owner);
	EXPECT_EQ(1U, userns->pid);
	EXPECT_LT(0U, userns->nr_ucounts);
	ucv_free(&table);
}

/* Charges an instance to @uid of the agent's namespace. */
static int charge_as(struct ucv_agent *agent, unsigned int uid)
{
	long ret = ucv_agent_call(agent, ucv_do_uids, -1, uid, -1);

	if (!ret)
		ret = ucv_agent_call(agent, ucv_do_inotify, 1, 0, 0);
	return ret < 0 ? ret : 0;
}

static unsigned int uid_in_ns(unsigned int inum, unsigned int uid, struct ucv_userns *userns)
{
	struct ucv_table table;
	const struct ucv_ucounts *row;
	unsigned int found = 0;

	if (ucv_take(&table))
		return 0;
	row = ucv_row(&table, inum, uid);
	if (row) {
		found = row->uid_in_ns;
		*userns = table.userns[row->userns];
	}
	ucv_free(&table);
	return found;
}

/* Before a uid map is written no uid is mapped, and then those in the map are. */
UCV_TEST_F(userns, uid_is_mapped_once_the_map_is_written)
{
	unsigned int creator = UCV_UID + 75, inum;
	struct ucv_agent *agent = &self->agent;
	struct ucv_userns userns;

	ASSERT_EQ(0, ucv_agent_call(agent, ucv_do_uids, -1, creator, 0));
	ASSERT_EQ(0, ucv_agent_call(agent, ucv_do_unshare, CLONE_NEWUSER, 0, 0));
	ASSERT_EQ(0, ucv_agent_call(agent, ucv_do_inotify, 1, 0, 0));
	inum = ucv_userns_of(agent->pid);
	EXPECT_EQ(UCV_UID_UNMAPPED, uid_in_ns(inum, creator, &userns));
	EXPECT_EQ(creator, userns.owner);
	EXPECT_EQ(creator, userns.owner_in_parent);
	ASSERT_EQ(0, ucv_agent_map(agent, NULL, "7 1900000075 1\n"
						"100 1900002000 50\n"
						"4000000000 1900003000 9"));
	ASSERT_EQ(0, ucv_agent_call(agent, ucv_do_keep_caps, 0, 0, 0));
	EXPECT_EQ(7U, uid_in_ns(inum, creator, &userns));
	EXPECT_EQ(0U, userns.flags);
	ASSERT_EQ(0, charge_as(agent, 100));
	ASSERT_EQ(0, charge_as(agent, 149));
	ASSERT_EQ(0, charge_as(agent, 4000000008U));
	EXPECT_EQ(100U, uid_in_ns(inum, UCV_UID + 2000, &userns));
	EXPECT_EQ(149U, uid_in_ns(inum, UCV_UID + 2049, &userns));
	EXPECT_EQ(4000000008U, uid_in_ns(inum, UCV_UID + 3008, &userns));
}

/*
 * Maps of three uids an extent, in descending order in the parent. Those of up to five extents
 * are in struct user_namespace, longer ones in separate allocations.
 */
FIXTURE(map) {
	struct ucv_agent agent;
};

FIXTURE_VARIANT(map) {
	unsigned int extents;
};

FIXTURE_VARIANT_ADD(map, of_1) { .extents = 1 };
FIXTURE_VARIANT_ADD(map, of_2) { .extents = 2 };
FIXTURE_VARIANT_ADD(map, of_3) { .extents = 3 };
FIXTURE_VARIANT_ADD(map, of_4) { .extents = 4 };
FIXTURE_VARIANT_ADD(map, of_5) { .extents = 5 };
FIXTURE_VARIANT_ADD(map, of_6) { .extents = 6 };
FIXTURE_VARIANT_ADD(map, of_7) { .extents = 7 };
FIXTURE_VARIANT_ADD(map, of_20) { .extents = 20 };

FIXTURE_SETUP(map)
{
	ASSERT_EQ(0, ucv_agent_start(&self->agent));
}

FIXTURE_TEARDOWN(map)
{
	ucv_agent_stop(&self->agent);
}

UCV_TEST_F(map, uid_in_namespace_follows_the_map)
{
	const bool known = variant->extents <= 5 || ucv_feature(UCV_FEATURE_NS_PINNED);
	struct ucv_agent *agent = &self->agent;
	const unsigned int nr = variant->extents;
	unsigned int inum, uid, i;
	struct ucv_userns userns;
	char map[1000] = "";
	size_t length = 0;

	for (i = 0; i < nr; i++)
		length += snprintf(map + length, sizeof(map) - length,
				   "%u %u 3\n", 1000 * i,
				   UCV_UID + 5000 + 100 * (nr - 1 - i));
	ASSERT_EQ(0, ucv_agent_userns(agent, NULL, map));
	inum = ucv_userns_of(agent->pid);
	ASSERT_EQ(0, ucv_agent_call(agent, ucv_do_keep_caps, 0, 0, 0));
	for (i = 0; i < nr; i++)
		ASSERT_EQ(0, charge_as(agent, 1000 * i + i % 3));
	for (i = 0; i < nr; i++) {
		uid = UCV_UID + 5000 + 100 * (nr - 1 - i) + i % 3;
		EXPECT_EQ(known ? 1000 * i + i % 3 : UCV_UID_UNMAPPED,
			  uid_in_ns(inum, uid, &userns));
		EXPECT_EQ(known ? 0 : UCV_USERNS_MAP_UNKNOWN, userns.flags);
	}
}

/* A namespace is destroyed with its last process. */
UCV_TEST_F(userns, namespace_ends_with_its_last_process)
{
	struct ucv_agent agent = {};
	unsigned int inum;

	ASSERT_EQ(0, ucv_agent_spawn(&self->agent, &agent));
	ASSERT_EQ(0, ucv_agent_call(&agent, ucv_do_uids, -1, UCV_UID + 95, 0));
	ASSERT_EQ(0, ucv_agent_userns(&agent, NULL, "0 1900000096 1"));
	inum = ucv_userns_of(agent.pid);
	ASSERT_EQ(0, charge_as(&agent, 0));
	EXPECT_TRUE(ucv_userns_now(inum));
	EXPECT_TRUE(ucv_row_now(inum, UCV_UID + 96));
	EXPECT_USED(1, self->init, UCV_UID + 95, "inotify_instances");
	EXPECT_USED(1, self->init, UCV_UID + 95, "user_namespaces");
	ucv_agent_stop(&agent);
	EXPECT_USED(0, self->init, UCV_UID + 95, "inotify_instances");
	EXPECT_TRUE(UCV_SOON(!ucv_userns_now(inum)));
	EXPECT_TRUE(UCV_SOON(!ucv_row_now(self->init, UCV_UID + 95)));
}

/*
 * A descriptor of /proc/PID/ns/user pins the namespace, which stays charged to its owner.
 * Before 6.18 a namespace without a row is in no list of the kernel and so is not found;
 * where it is listed, it is listed without a process.
 */
UCV_TEST_F(userns, descriptor_pins_a_namespace)
{
	const struct ucv_userns *userns;
	struct ucv_agent agent = {};
	struct ucv_table table;
	unsigned int inum;
	char path[64];
	int fd;

	ASSERT_EQ(0, ucv_agent_spawn(&self->agent, &agent));
	ASSERT_EQ(0, ucv_agent_call(&agent, ucv_do_uids, -1, UCV_UID + 97, 0));
	ASSERT_EQ(0, ucv_agent_userns(&agent, NULL, "0 1900000098 1"));
	inum = ucv_userns_of(agent.pid);
	ASSERT_EQ(0, charge_as(&agent, 0));
	snprintf(path, sizeof(path), "/proc/%d/ns/user", agent.pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	ucv_agent_stop(&agent);

	EXPECT_TRUE(UCV_SOON(!ucv_rows_now(inum)));
	ASSERT_EQ(0, ucv_take(&table));
	EXPECT_EQ(1LL, ucv_used(&table, self->init, UCV_UID + 97, "user_namespaces"));
	userns = ucv_userns(&table, inum);
	if (userns) {
		EXPECT_EQ(1U, userns->level);
		EXPECT_EQ(UCV_UID + 97, userns->owner);
		EXPECT_EQ(0U, userns->pid);
		EXPECT_EQ(0U, userns->nr_ucounts);
	}
	ucv_free(&table);
	close(fd);
	EXPECT_TRUE(UCV_SOON(!ucv_row_now(self->init, UCV_UID + 97)));
	EXPECT_FALSE(ucv_userns_now(inum));
}

/* Charges stay for as long as any process holds the object, whatever its namespace. */
UCV_TEST_F(userns, charge_pins_a_namespace)
{
	const struct ucv_userns *userns;
	struct ucv_agent agent = {};
	struct ucv_table table;
	unsigned int inum;
	int fd;

	ASSERT_EQ(0, ucv_agent_spawn(&self->agent, &agent));
	ASSERT_EQ(0, ucv_agent_call(&agent, ucv_do_uids, -1, UCV_UID + 99, 0));
	ASSERT_EQ(0, ucv_agent_userns(&agent, NULL, "5 1900000100 1"));
	inum = ucv_userns_of(agent.pid);
	ASSERT_EQ(0, charge_as(&agent, 5));
	ASSERT_EQ(6, ucv_agent_text(&agent, ucv_do_watch, self->dir, 0, 0, 6));
	fd = ucv_agent_fd(&agent, ucv_do_get_fd, 0);
	ASSERT_LE(0, fd);
	ucv_agent_stop(&agent);

	ASSERT_EQ(0, ucv_take(&table));
	EXPECT_EQ(6LL, ucv_used(&table, inum, UCV_UID + 100, "inotify_watches"));
	EXPECT_EQ(6LL, ucv_used(&table, self->init, UCV_UID + 99, "inotify_watches"));
	userns = ucv_userns(&table, inum);
	ASSERT_NE(NULL, userns);
	EXPECT_EQ(1U, userns->level);
	EXPECT_EQ(UCV_UID + 99, userns->owner);
	EXPECT_EQ(0U, userns->pid);
	EXPECT_STREQ("", userns->comm);
	ucv_free(&table);
	close(fd);
	EXPECT_USED(0, self->init, UCV_UID + 99, "inotify_watches");
	EXPECT_TRUE(UCV_SOON(!ucv_userns_now(inum)));
	EXPECT_TRUE(UCV_SOON(!ucv_row_now(self->init, UCV_UID + 99)));
}

/* The counters are the same, and so are the namespaces that they lead to, without an example. */
UCV_TEST_F(userns, snapshot_without_processes_has_all_counters)
{
	const struct ucv_userns *userns;
	struct ucv_agent empty = {};
	struct ucv_table table;
	struct ucv_chain chain;
	unsigned int inum;
	int fd, level;

	fd = ucv_open();
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ucv_chain_start(&chain, &self->agent, UCV_DEPTH));
	ASSERT_EQ(0, ucv_chain_charge(&chain, UCV_DEPTH, 3, 1, self->dir, 0));
	ASSERT_EQ(0, ucv_agent_spawn(&self->agent, &empty));
	ASSERT_EQ(0, ucv_agent_userns(&empty, NULL, "0 1900000200 1"));
	inum = ucv_userns_of(empty.pid);

	ASSERT_EQ(0, ucv_take_without_processes(fd, &table));
	EXPECT_CONSISTENT(&table);
	for (level = 1; level <= UCV_DEPTH; level++) {
		userns = ucv_userns(&table, chain.inum[level]);
		ASSERT_NE(NULL, userns);
		EXPECT_EQ((__u32)level, userns->level);
		EXPECT_EQ(0U, userns->pid);
		EXPECT_STREQ("", userns->comm);
	}
	EXPECT_EQ(1LL, ucv_used(&table, self->init, ucv_owner(1), "inotify_instances"));
	/* Where processes are counted, the process in it leads there by its counter. */
	EXPECT_EQ(!!(table.info.features & UCV_FEATURE_RLIMITS), !!ucv_userns(&table, inum));
	ucv_free(&table);
	EXPECT_TRUE(ucv_userns_now(inum));

	ucv_agent_stop(&empty);
	EXPECT_TRUE(ucv_chain_stop(&chain));
	close(fd);
}

TEST_HARNESS_MAIN
