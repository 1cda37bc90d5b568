// SPDX-License-Identifier: GPL-2.0
/*
 * The ABI for 32-bit programs: abi32_reader, whose arguments and buffers are aligned to only
 * four bytes, gets the same results and records as this program, including the counters of
 * a known workload.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "abi_layout.h"
#include "ucv_denials.h"
#include "ucv_holders.h"
#include "ucv_mounts.h"

#define COMPAT_UID	(UCV_UID + 950)
#define INSTANCES	3
#define WATCHES		5

/* Exit statuses if the reader could not be started. */
#define NO_SUCH_PROGRAM	127
#define CANNOT_RUN	126

/* A running reader and its standard output. */
struct reader {
	pid_t pid;
	FILE *out;
};

static void exec_reader(const char *arguments)
{
	char path[PATH_MAX + 16] = {}, text[64];
	char *argv[8] = { "abi32_reader" };
	int argc = 1;

	if (readlink("/proc/self/exe", path, PATH_MAX) < 0)
		_exit(NO_SUCH_PROGRAM);
	strcat(dirname(path), "/abi32_reader");
	snprintf(text, sizeof(text), "%s", arguments);
	for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	execv(path, argv);
	_exit(errno == ENOEXEC ? CANNOT_RUN : NO_SUCH_PROGRAM);
}

static bool start(struct reader *reader, const char *arguments)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return false;
	reader->pid = fork();
	if (!reader->pid) {
		dup2(ends[1], STDOUT_FILENO);
		exec_reader(arguments);
	}
	close(ends[1]);
	reader->out = fdopen(ends[0], "r");
	return reader->pid > 0 && reader->out;
}

/* Returns the reader's exit status. */
static int end(struct reader *reader)
{
	int status;

	fclose(reader->out);
	if (waitpid(reader->pid, &status, 0) != reader->pid)
		return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -EINTR;
}

static bool get(struct reader *reader, void *to, size_t size)
{
	return fread(to, 1, size, reader->out) == size;
}

/* Reads all records of a kind, @size bytes each. Returns their number or an error. */
static long take(__u32 kind, size_t size, void **records)
{
	struct ucv_snapshot snapshot;
	struct ucv_read read;
	struct reader reader;
	char arguments[64];
	bool complete;

	snprintf(arguments, sizeof(arguments), "records %u %zu", kind, size);
	if (!start(&reader, arguments))
		return -errno;
	complete = get(&reader, &snapshot, sizeof(snapshot)) &&
		   get(&reader, &read, sizeof(read)) && read.nr == read.total &&
		   snapshot.filled & UCV_MASK(kind);
	*records = calloc(complete ? read.nr + 1 : 1, size);
	complete = complete && get(&reader, *records, read.nr * size) &&
		   fgetc(reader.out) == EOF;
	if (end(&reader) || !complete)
		return -EIO;
	return read.nr;
}

FIXTURE(compat) {
	struct ucv_agent agent;
	char dir[64];
	int fd;
};

FIXTURE_SETUP(compat)
{
	struct reader reader;
	int status;

	ASSERT_TRUE(start(&reader, ""));
	status = end(&reader);
	if (status == NO_SUCH_PROGRAM)
		SKIP(return, "there is no abi32_reader: it needs a 32-bit compiler");
	if (status == CANNOT_RUN)
		SKIP(return, "this kernel runs no 32-bit programs");
	self->fd = ucv_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, ucv_make_files(self->dir, sizeof(self->dir), WATCHES));
	ASSERT_EQ(0, ucv_agent_start(&self->agent));
	ASSERT_EQ(0, ucv_agent_call(&self->agent, ucv_do_unshare, CLONE_NEWNS, 0, 0));
	ASSERT_EQ(0, ucv_agent_call(&self->agent, ucv_do_uids, COMPAT_UID, COMPAT_UID, 0));
	ASSERT_EQ(0, ucv_agent_call(&self->agent, ucv_do_inotify, INSTANCES, 0, 0));
	ASSERT_EQ(WATCHES, ucv_agent_text(&self->agent, ucv_do_watch, self->dir, 0, 0, WATCHES));
}

FIXTURE_TEARDOWN(compat)
{
	ucv_agent_stop(&self->agent);
	ucv_remove_files(self->dir, WATCHES);
	close(self->fd);
}

UCV_TEST_F(compat, info_for_32_bit_is_the_same)
{
	struct ucv_info info = {}, seen;
	struct reader reader;

	ASSERT_EQ(0, ioctl(self->fd, UCV_IOC_INFO, &info));
	ASSERT_TRUE(start(&reader, "info"));
	EXPECT_TRUE(get(&reader, &seen, sizeof(seen)));
	EXPECT_EQ(0, end(&reader));
	EXPECT_EQ(0, memcmp(&info, &seen, sizeof(info)));
}

/* Resources never change. Longer records are padded with zeroes, shorter ones truncated. */
UCV_TEST_F(compat, records_of_any_size_for_32_bit_are_the_same)
{
	const size_t known = sizeof(struct ucv_resource);
	struct ucv_table table;
	char *records;
	size_t size, j;
	unsigned int i;

	ASSERT_EQ(0, ucv_take_from(self->fd, &table));
	for (size = known - 8; size <= known + 8; size += 8) {
		ASSERT_EQ((long)table.nr_resources,
			  take(UCV_KIND_RESOURCE, size, (void **)&records));
		for (i = 0; i < table.nr_resources; i++) {
			EXPECT_EQ(0, memcmp(&table.resources[i], records + i * size,
					    size < known ? size : known));
			for (j = known; j < size; j++)
				EXPECT_EQ(0, records[i * size + j]);
		}
		free(records);
	}
	ucv_free(&table);
}

UCV_TEST_F(compat, user_namespaces_for_32_bit_are_the_same)
{
	const unsigned int init = ucv_userns_of(getpid());
	struct ucv_userns *seen, *found = NULL;
	struct ucv_table table;
	long nr, i;

	nr = take(UCV_KIND_USERNS, sizeof(*seen), (void **)&seen);
	ASSERT_LT(0, nr);
	for (i = 0; i < nr; i++)
		if (seen[i].inum == init)
			found = &seen[i];
	ASSERT_NE(NULL, found);
	ASSERT_EQ(0, ucv_take_from(self->fd, &table));
	EXPECT_EQ(UCV_NO_INDEX, found->parent);
	EXPECT_EQ(ucv_read_number("/proc/sys/fs/inotify/max_user_watches"),
		  found->limit[ucv_resource(&table, "inotify_watches")]);
	EXPECT_EQ(0, memcmp(ucv_userns(&table, init)->limit, found->limit, sizeof(found->limit)));
	ucv_free(&table);
	free(seen);
}

UCV_TEST_F(compat, counters_for_32_bit_are_the_same)
{
	struct ucv_ucounts *seen, *found = NULL;
	struct ucv_table table;
	long nr, i;

	nr = take(UCV_KIND_UCOUNTS, sizeof(*seen), (void **)&seen);
	ASSERT_LT(0, nr);
	for (i = 0; i < nr; i++)
		if (seen[i].uid == COMPAT_UID)
			found = &seen[i];
	ASSERT_NE(NULL, found);
	ASSERT_EQ(0, ucv_take_from(self->fd, &table));
	EXPECT_EQ((__u32)COMPAT_UID, found->uid_in_ns);
	EXPECT_EQ(INSTANCES, found->used[ucv_resource(&table, "inotify_instances")]);
	EXPECT_EQ(WATCHES, found->used[ucv_resource(&table, "inotify_watches")]);
	EXPECT_EQ(0, memcmp(ucv_row(&table, ucv_userns_of(getpid()), COMPAT_UID)->used,
			    found->used, sizeof(found->used)));
	ucv_free(&table);
	free(seen);
}

UCV_TEST_F(compat, mount_namespaces_for_32_bit_are_the_same)
{
	struct ucv_mntns *seen, *found = NULL, record;
	long nr, i;

	if (!ucv_feature(UCV_FEATURE_MNTNS))
		SKIP(return, "the module cannot read mount counters here");
	nr = take(UCV_KIND_MNTNS, sizeof(*seen), (void **)&seen);
	ASSERT_LT(0, nr);
	for (i = 0; i < nr; i++)
		if (seen[i].inum == ucv_ns_of(self->agent.pid, "mnt"))
			found = &seen[i];
	ASSERT_NE(NULL, found);
	ASSERT_EQ(0, ucv_mntns_now(found->inum, &record));
	EXPECT_EQ(record.id, found->id);
	EXPECT_LT(0U, found->mounts);
	EXPECT_EQ(record.mounts, found->mounts);
	EXPECT_EQ((__u32)ucv_read_number(UCV_MOUNT_MAX), found->limit);
	EXPECT_EQ((__u32)self->agent.pid, found->pid);
	free(seen);
}

UCV_TEST_F(compat, groups_for_32_bit_are_the_same)
{
	unsigned int found = 0, marks = 0;
	struct ucv_group *seen;
	long nr, i;

	if (!ucv_feature(UCV_FEATURE_GROUPS))
		SKIP(return, "the module cannot find groups here");
	nr = take(UCV_KIND_GROUP, sizeof(*seen), (void **)&seen);
	ASSERT_LT(0, nr);
	for (i = 0; i < nr; i++) {
		if (seen[i].uid != COMPAT_UID)
			continue;
		EXPECT_EQ((__u32)UCV_GROUP_INOTIFY, seen[i].type);
		EXPECT_EQ(1U, seen[i].nr_holders);
		marks += seen[i].marks;
		found++;
	}
	EXPECT_EQ(INSTANCES, found);
	EXPECT_EQ(WATCHES, marks);
	free(seen);
}

UCV_TEST_F(compat, holders_for_32_bit_are_the_same)
{
	struct ucv_holder *seen;
	unsigned int found = 0;
	long nr, i;

	if (!ucv_feature(UCV_FEATURE_GROUPS))
		SKIP(return, "the module cannot find groups here");
	nr = take(UCV_KIND_HOLDER, sizeof(*seen), (void **)&seen);
	ASSERT_LT(0, nr);
	for (i = 0; i < nr; i++) {
		if (seen[i].tgid != (__u32)self->agent.pid)
			continue;
		EXPECT_EQ(0, strncmp("abi32_test", seen[i].comm, UCV_COMM_LEN));
		found++;
	}
	EXPECT_EQ(INSTANCES, found);
	free(seen);
}

#define REFUSED	4

UCV_TEST_F(compat, denials_for_32_bit_are_the_same)
{
	struct ucv_denial wanted[UCV_SOME_DENIALS], seen[REFUSED];
	struct ucv_denial_count *counts, *found = NULL;
	struct ucv_agent agent;
	struct ucv_listen listen;
	struct reader reader;
	char arguments[64];
	long nr, i;
	int fd;

	if (!ucv_feature(UCV_FEATURE_DENIALS))
		SKIP(return, "the module cannot tell of refusals here");
	ASSERT_EQ(0, ucv_refused_start(&agent, COMPAT_UID + 1));
	snprintf(arguments, sizeof(arguments), "denials %d %d", agent.pid, REFUSED);
	ASSERT_TRUE(start(&reader, arguments));
	ASSERT_TRUE(get(&reader, &listen, sizeof(listen)));
	EXPECT_EQ((__u32)UCV_LISTEN_ARM, listen.flags);
	EXPECT_LE(1U, listen.armed);
	EXPECT_EQ(listen.total + 1, listen.next);
	fd = ucv_listener(0);
	ASSERT_LE(0, fd);
	ASSERT_EQ(REFUSED, ucv_agent_call(&agent, ucv_do_refuse, REFUSED, 0, 0));
	ASSERT_TRUE(get(&reader, seen, sizeof(seen)));
	EXPECT_EQ(0, end(&reader));
	ASSERT_EQ(REFUSED, ucv_denials(fd, agent.pid, wanted, UCV_SOME_DENIALS));
	for (i = 0; i < REFUSED; i++) {
		EXPECT_EQ((__u32)agent.pid, seen[i].tgid);
		EXPECT_EQ((__u32)COMPAT_UID + 1, seen[i].caller_uid);
		EXPECT_EQ(0, memcmp(&wanted[i], &seen[i], sizeof(seen[i])));
	}
	nr = take(UCV_KIND_DENIAL_COUNT, sizeof(*counts), (void **)&counts);
	ASSERT_LT(0, nr);
	for (i = 0; i < nr; i++)
		if (counts[i].ns == seen[0].userns && counts[i].uid == seen[0].uid)
			found = &counts[i];
	ASSERT_NE(NULL, found);
	EXPECT_EQ((__u64)REFUSED, found->denials);
	EXPECT_EQ(seen[REFUSED - 1].time_ns, found->last_ns);
	free(counts);
	close(fd);
	ucv_agent_stop(&agent);
}

TEST_HARNESS_MAIN
