// SPDX-License-Identifier: GPL-2.0
/*
 * debugfs: each line of text matches a snapshot, reads of any size return the same text,
 * and only root can read it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "kselftest_harness.h"
#include "ucv_test.h"

#define NR_FILES	20

FIXTURE(debugfs) {
	char dir[64];
	struct ucv_agent agent;
	unsigned int init;	/* the initial user namespace's inode number */
};

FIXTURE_SETUP(debugfs)
{
	self->init = ucv_userns_of(getpid());
	ASSERT_NE(0U, self->init);
	ASSERT_EQ(0, ucv_make_files(self->dir, sizeof(self->dir), NR_FILES));
	ASSERT_EQ(0, ucv_agent_start(&self->agent));
}

FIXTURE_TEARDOWN(debugfs)
{
	ucv_agent_stop(&self->agent);
	ucv_remove_files(self->dir, NR_FILES);
}

static void check_text_row(struct __test_metadata *_metadata,
			   const struct ucv_table *table,
			   const struct ucv_text_row *line)
{
	int resource = ucv_resource(table, line->resource);
	const struct ucv_userns *userns;
	unsigned int i, found = 0;
	char limit[24];

	userns = ucv_userns(table, line->userns);
	ASSERT_NE(NULL, userns);
	ASSERT_LE(0, resource);
	EXPECT_EQ(userns->level, line->level);
	for (i = 0; i < table->nr_rows; i++) {
		const struct ucv_ucounts *row = &table->rows[i];

		found += &table->userns[row->userns] == userns &&
			 row->uid == line->uid &&
			 row->used[resource] == line->used;
	}
	EXPECT_LE(1U, found);
	snprintf(limit, sizeof(limit), "%lld", (long long)userns->limit[resource]);
	if (table->resources[resource].type == UCV_RESOURCE_RLIMIT)
		snprintf(limit, sizeof(limit), "-");
	else if (userns->limit[resource] >= UCV_UNLIMITED)
		snprintf(limit, sizeof(limit), "unlimited");
	EXPECT_STREQ(limit, line->limit);
}

static void check_text_userns(struct __test_metadata *_metadata,
			      const struct ucv_table *table,
			      const struct ucv_text_userns *line)
{
	const struct ucv_userns *userns = ucv_userns(table, line->userns);
	char parent[16] = "-", pid[16] = "-";

	ASSERT_NE(NULL, userns);
	if (userns->level)
		snprintf(parent, sizeof(parent), "%u", table->userns[userns->parent].inum);
	EXPECT_STREQ(parent, line->parent);
	EXPECT_EQ(userns->level, line->level);
	EXPECT_EQ(userns->owner, line->owner);
	EXPECT_EQ(userns->nr_ucounts, line->rows);
	if (userns->pid)
		snprintf(pid, sizeof(pid), "%u", userns->pid);
	EXPECT_STREQ(pid, line->pid);
	if (userns->pid)
		EXPECT_STREQ(userns->comm, line->comm);
}

static unsigned int nonzero(const struct ucv_table *table)
{
	unsigned int i, j, nr = 0;

	for (i = 0; i < table->nr_rows; i++)
		for (j = 0; j < table->nr_resources; j++)
			nr += table->rows[i].used[j] > 0;
	return nr;
}

/* Reads the text between two snapshots that are equal. */
static int take_quiet(struct ucv_table *table, struct ucv_text *text)
{
	struct ucv_table after;
	int tries, ret;
	bool quiet;

	for (tries = 0; tries < 200; tries++) {
		ret = ucv_take(table);
		if (ret)
			return ret;
		ret = ucv_text_take(text);
		if (ret)
			return ret;
		ret = ucv_take(&after);
		if (ret)
			return ret;
		quiet = ucv_tables_equal(table, &after);
		ucv_free(&after);
		if (quiet)
			return 0;
		ucv_free(table);
		ucv_text_free(text);
	}
	return -EBUSY;
}

UCV_TEST_F(debugfs, debugfs_agrees_with_the_device)
{
	const struct ucv_text_row *line;
	struct ucv_table table;
	struct ucv_text text;
	struct ucv_chain chain;
	unsigned int i;

	if (!ucv_has_debugfs())
		SKIP(return, "debugfs cannot be read");
	ASSERT_EQ(0, ucv_chain_start(&chain, &self->agent, UCV_DEPTH));
	ASSERT_EQ(0, ucv_agent_write(&chain.agent[2], "/proc/sys/user/max_inotify_watches", "33"));
	ASSERT_EQ(0, ucv_chain_charge(&chain, UCV_DEPTH, 3, 3, self->dir, 17));
	ASSERT_EQ(0, ucv_chain_charge(&chain, 2, 1, 1, self->dir, 2));
	ASSERT_EQ(0, take_quiet(&table, &text));
	EXPECT_EQ(nonzero(&table), text.nr_rows);
	for (i = 0; i < text.nr_rows; i++)
		check_text_row(_metadata, &table, &text.rows[i]);
	EXPECT_EQ(table.nr_userns, text.nr_userns);
	for (i = 0; i < text.nr_userns; i++)
		check_text_userns(_metadata, &table, &text.userns[i]);
	line = ucv_text_row(&text, chain.inum[2], ucv_base(2) + 1, "inotify_watches");
	ASSERT_NE(NULL, line);
	EXPECT_EQ(2LL, line->used);
	EXPECT_STREQ("33", line->limit);
	EXPECT_EQ(2U, line->level);
	line = ucv_text_row(&text, chain.inum[UCV_DEPTH], ucv_base(UCV_DEPTH) + 3,
			    "inotify_watches");
	ASSERT_NE(NULL, line);
	EXPECT_EQ(17LL, line->used);
	EXPECT_STREQ("unlimited", line->limit);
	ucv_text_free(&text);
	ucv_free(&table);
	EXPECT_TRUE(ucv_chain_stop(&chain));
}

UCV_TEST_F(debugfs, debugfs_status_has_its_keys)
{
	static const char *const keys[] = {
		"version", "abi_version", "features", "resources", "snapshots",
		"rows", "userns", "hold_max_ns", "last_walk_ns", "denials_since_ns", "loaded_ns",
	};
	struct ucv_table table;
	char value[128];
	unsigned int i;

	if (!ucv_has_debugfs())
		SKIP(return, "debugfs cannot be read");
	for (i = 0; i < ARRAY_SIZE(keys); i++)
		EXPECT_EQ(0, ucv_status(keys[i], value, sizeof(value)))
			TH_LOG("status has no %s", keys[i]);
	ASSERT_EQ(0, ucv_take(&table));
	EXPECT_EQ(0, ucv_status("version", value, sizeof(value)));
	EXPECT_STREQ(table.info.version, value);
	EXPECT_EQ(0, ucv_status("abi_version", value, sizeof(value)));
	EXPECT_EQ(table.info.abi_version, (__u32)atoi(value));
	EXPECT_EQ(0, ucv_status("resources", value, sizeof(value)));
	EXPECT_EQ(table.nr_resources, (unsigned int)atoi(value));
	EXPECT_EQ(0, ucv_status("loaded_ns", value, sizeof(value)));
	EXPECT_EQ(table.info.loaded_ns, strtoull(value, NULL, 10));
	ucv_free(&table);
}

/* The files that take a snapshot on open. */
static const char *const tables[] = { "ucounts", "userns", "mounts", "holders" };

/* Rereading an open file returns the same text, whatever the sizes of the reads. */
static void check_portions(struct __test_metadata *_metadata, const char *name)
{
	char path[128], whole[65536], part[65536];
	ssize_t length, at, got;
	int fd;

	snprintf(path, sizeof(path), UCV_DEBUGFS "/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == EOPNOTSUPP)
		return;
	ASSERT_LE(0, fd);
	for (length = 0;; length += got) {
		got = read(fd, whole + length, sizeof(whole) - length);
		ASSERT_LE(0, got);
		if (!got)
			break;
	}
	EXPECT_LT(0, length);
	ASSERT_EQ(0, lseek(fd, 0, SEEK_SET));
	for (at = 0; at < length; at++)
		ASSERT_EQ(1, read(fd, part + at, 1));
	EXPECT_EQ(0, read(fd, part, 1));
	EXPECT_EQ(0, memcmp(whole, part, length));
	for (at = 1; at < length; at += 97) {
		got = pread(fd, part, 13, at);
		ASSERT_LT(0, got);
		EXPECT_EQ(0, memcmp(whole + at, part, got));
	}
	EXPECT_EQ(0, pread(fd, part, 13, length + 1000));
	close(fd);
}

UCV_TEST_F(debugfs, debugfs_text_is_the_same_in_portions)
{
	struct ucv_chain chain;
	unsigned int i;

	if (!ucv_has_debugfs())
		SKIP(return, "debugfs cannot be read");
	ASSERT_EQ(0, ucv_chain_start(&chain, &self->agent, UCV_DEPTH));
	ASSERT_EQ(0, ucv_chain_charge(&chain, UCV_DEPTH, 3, 3, self->dir, 17));
	for (i = 0; i < ARRAY_SIZE(tables); i++)
		check_portions(_metadata, tables[i]);
	EXPECT_TRUE(ucv_chain_stop(&chain));
}

static void check_mode(struct __test_metadata *_metadata,
		       struct ucv_agent *nobody, const char *name)
{
	struct stat status;
	char path[512];

	snprintf(path, sizeof(path), UCV_DEBUGFS "/%s", name);
	ASSERT_EQ(0, stat(path, &status));
	EXPECT_EQ(S_IFREG | 0400U, status.st_mode);
	EXPECT_EQ(0U, status.st_uid);
	EXPECT_EQ(-EACCES, ucv_agent_text(nobody, ucv_do_open, path, O_RDONLY, 0, 0));
	EXPECT_GT(0, ucv_write(path, "0"));
}

/* Checks all files there are. */
UCV_TEST_F(debugfs, only_root_reads_debugfs)
{
	struct dirent *entry;
	unsigned int nr = 0;
	DIR *dir;

	if (!ucv_has_debugfs())
		SKIP(return, "debugfs cannot be read");
	ASSERT_EQ(0, ucv_agent_call(&self->agent, ucv_do_uids, 65534, 65534, 65534));
	dir = opendir(UCV_DEBUGFS);
	ASSERT_NE(NULL, dir);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		check_mode(_metadata, &self->agent, entry->d_name);
		nr++;
	}
	closedir(dir);
	EXPECT_LE(3U, nr);
}

TEST_HARNESS_MAIN
