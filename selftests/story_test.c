// SPDX-License-Identifier: GPL-2.0
/*
 * The first story: fs.inotify.max_user_watches is 16, and yet the 13th watch fails with "No
 * space left on device", because another process of the same user holds four. The table must
 * show 16 of 16, and the level.
 */
#include <errno.h>
#include <sched.h>

#include "kselftest_harness.h"
#include "ucv_test.h"

#define NR_FILES	32
#define MAX_WATCHES	"/proc/sys/fs/inotify/max_user_watches"
#define MAX_INSTANCES	"/proc/sys/fs/inotify/max_user_instances"

FIXTURE(story) {
	char dir[64];
	struct ucv_agent editor;	/* holds four watches */
	struct ucv_agent user;		/* wants sixteen */
	unsigned int init;
	unsigned int uid;
};

FIXTURE_SETUP(story)
{
	self->init = ucv_userns_of(getpid());
	self->uid = UCV_UID + 200;
	ASSERT_EQ(0, ucv_make_files(self->dir, sizeof(self->dir), NR_FILES));
	ASSERT_EQ(0, ucv_agent_start(&self->editor));
	ASSERT_EQ(0, ucv_agent_start(&self->user));
	ASSERT_EQ(0, ucv_agent_call(&self->editor, ucv_do_uids, self->uid, self->uid, self->uid));
	ASSERT_EQ(0, ucv_agent_call(&self->editor, ucv_do_inotify, 1, 0, 0));
	ASSERT_EQ(4, ucv_agent_text(&self->editor, ucv_do_watch, self->dir, 0, 0, 4));
	ASSERT_EQ(0, ucv_sysctl(MAX_WATCHES, 16));
}

FIXTURE_TEARDOWN(story)
{
	ucv_agent_stop(&self->user);
	ucv_agent_stop(&self->editor);
	ucv_remove_files(self->dir, NR_FILES);
	EXPECT_TRUE(UCV_SOON(!ucv_row_now(self->init, self->uid)));
}

/* Wants sixteen watches, gets twelve; the thirteenth is refused. */
static void twelve_watches(struct __test_metadata *_metadata,
			   struct ucv_agent *user, const char *dir)
{
	ASSERT_EQ(0, ucv_agent_call(user, ucv_do_inotify, 1, 0, 0));
	EXPECT_EQ(12, ucv_agent_text(user, ucv_do_watch, dir, 0, 0, 16));
	EXPECT_EQ(-ENOSPC, ucv_agent_text(user, ucv_do_watch, dir, 0, 12, 1));
}

UCV_TEST_F(story, table_shows_the_full_counter_of_watches)
{
	const struct ucv_text_row *line;
	struct ucv_table table;
	struct ucv_text text;

	ASSERT_EQ(0, ucv_agent_call(&self->user, ucv_do_uids, self->uid, self->uid, self->uid));
	twelve_watches(_metadata, &self->user, self->dir);
	ASSERT_EQ(0, ucv_take(&table));
	EXPECT_EQ(16LL, ucv_used(&table, self->init, self->uid, "inotify_watches"));
	EXPECT_EQ(16LL, ucv_limit(&table, self->init, "inotify_watches"));
	EXPECT_EQ(2LL, ucv_used(&table, self->init, self->uid, "inotify_instances"));
	ucv_free(&table);
	if (!ucv_has_debugfs())
		SKIP(return, "debugfs cannot be read");
	ASSERT_EQ(0, ucv_text_take(&text));
	line = ucv_text_row(&text, self->init, self->uid, "inotify_watches");
	ASSERT_NE(NULL, line);
	EXPECT_EQ(16LL, line->used);
	EXPECT_STREQ("16", line->limit);
	ucv_text_free(&text);
}

/* In a container of that user: its own level has room, the level above refuses. */
UCV_TEST_F(story, table_shows_the_full_level_above)
{
	struct ucv_table table;
	unsigned int inum;
	char map[64];

	ASSERT_EQ(0, ucv_agent_call(&self->user, ucv_do_uids, -1, self->uid, -1));
	snprintf(map, sizeof(map), "0 %u 10", self->uid + 1);
	ASSERT_EQ(0, ucv_agent_userns(&self->user, NULL, map));
	ASSERT_EQ(0, ucv_agent_call(&self->user, ucv_do_uids, 0, 0, 0));
	inum = ucv_userns_of(self->user.pid);
	twelve_watches(_metadata, &self->user, self->dir);
	ASSERT_EQ(0, ucv_take(&table));
	EXPECT_EQ(12LL, ucv_used(&table, inum, self->uid + 1, "inotify_watches"));
	EXPECT_EQ(UCV_UNLIMITED, ucv_limit(&table, inum, "inotify_watches"));
	EXPECT_EQ(16LL, ucv_used(&table, self->init, self->uid, "inotify_watches"));
	EXPECT_EQ(16LL, ucv_limit(&table, self->init, "inotify_watches"));
	ucv_free(&table);

	/* The exit of the editor makes room for exactly four. */
	ucv_agent_stop(&self->editor);
	EXPECT_EQ(4, ucv_agent_text(&self->user, ucv_do_watch, self->dir, 0, 12, 16));
	EXPECT_USED(16, self->init, self->uid, "inotify_watches");
	EXPECT_USED(16, inum, self->uid + 1, "inotify_watches");
}

/* The same for instances, where the kernel says "Too many open files". */
UCV_TEST_F(story, table_shows_the_full_counter_of_instances)
{
	struct ucv_table table;

	ASSERT_EQ(0, ucv_sysctl(MAX_INSTANCES, 3));
	ASSERT_EQ(0, ucv_agent_call(&self->user, ucv_do_uids, self->uid, self->uid, self->uid));
	ASSERT_EQ(0, ucv_agent_call(&self->user, ucv_do_inotify, 2, 0, 0));
	EXPECT_EQ(-EMFILE, ucv_agent_call(&self->user, ucv_do_inotify, 1, 0, 0));
	ASSERT_EQ(0, ucv_take(&table));
	EXPECT_EQ(3LL, ucv_used(&table, self->init, self->uid, "inotify_instances"));
	EXPECT_EQ(3LL, ucv_limit(&table, self->init, "inotify_instances"));
	ucv_free(&table);
}

TEST_HARNESS_MAIN
