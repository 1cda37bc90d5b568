// SPDX-License-Identifier: GPL-2.0
/*
 * debugfs' denials and denial_counts: one line for each record of the device, with the same
 * numbers, and the counts of a known workload.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>

#include "kselftest_harness.h"
#include "ucv_denials.h"
#include "ucv_mounts.h"

#define DENIALS		UCV_DEBUGFS "/denials"
#define COUNTS		UCV_DEBUGFS "/denial_counts"
#define MAX_INSTANCES	"/proc/sys/fs/inotify/max_user_instances"
#define TEXT_UID	(UCV_UID + 860)

static const char *const denials_columns[] = {
	"SEQ", "TIME_NS", "RESOURCE", "CALLER_USERNS", "CALLER_UID", "CHARGED_USERNS",
	"CHARGED_UID", "LEVEL", "USERNS", "UID", "USED", "LIMIT", "MNTNS", "PENDING", "ASKED",
	"FLAGS", "TID", "PID", "COMMAND", NULL,
};

static const char *const counts_columns[] = {
	"RESOURCE", "NS", "LEVEL", "UID", "DENIALS", "LAST_NS", NULL,
};

FIXTURE(text) {
	char dir[64];
	int fd;				/* listens */
	struct ucv_agent agent;		/* is refused on request */
	struct ucv_table names;		/* of the resources */
};

FIXTURE_SETUP(text)
{
	if (!ucv_feature(UCV_FEATURE_DENIALS))
		SKIP(return, "the module cannot tell of refusals here");
	if (!ucv_has_debugfs())
		SKIP(return, "debugfs cannot be read");
	ASSERT_EQ(0, ucv_make_files(self->dir, sizeof(self->dir), 0));
	ASSERT_EQ(0, ucv_refused_start(&self->agent, TEXT_UID));
	ASSERT_EQ(0, ucv_take(&self->names));
	self->fd = ucv_listener(UCV_LISTEN_ARM);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(text)
{
	if (!self->dir[0])
		return;
	ucv_sysctls_back();
	ucv_agent_stop(&self->agent);
	ucv_remove_files(self->dir, 0);
	ucv_free(&self->names);
	close(self->fd);
}

/* The header line with the names of the columns. */
static const char *header_of(const char *const *columns)
{
	static char header[256];
	size_t length = 0;

	for (; *columns; columns++)
		length += snprintf(header + length, sizeof(header) - length, "%s%s",
				   length ? " " : "", *columns);
	return header;
}

/* A command, with the characters that would end the column or the line escaped in octal. */
static void escape(char *to, const char *comm)
{
	for (; *comm; comm++) {
		if (strchr(" \t\n\\", *comm))
			to += sprintf(to, "\\%03o", *comm);
		else
			*to++ = *comm;
	}
	*to = '\0';
}

static const char *name_of(const struct ucv_table *names, __u32 type, __u32 resource)
{
	switch (type) {
	case UCV_DENIAL_MOUNT:
		return "mounts";
	case UCV_DENIAL_USERNS_DEPTH:
		return "userns_depth";
	case UCV_DENIAL_PIDNS_DEPTH:
		return "pidns_depth";
	default:
		return names->resources[resource].name;
	}
}

static void uid_text(char *to, size_t size, __u32 uid)
{
	snprintf(to, size, "%u", uid);
	if (uid == UCV_UID_UNMAPPED)
		snprintf(to, size, "-");
}

/* The expected line of a record. */
static void denial_line(const struct ucv_table *names, const struct ucv_denial *denial,
			char *line, size_t size)
{
	char mounts[64] = "- - -", charged[16], uid[16], comm[80];

	if (denial->type == UCV_DENIAL_MOUNT)
		snprintf(mounts, sizeof(mounts), "%u %u %u", denial->mntns, denial->pending,
			 denial->asked);
	if (denial->type == UCV_DENIAL_RLIMIT)
		snprintf(mounts, sizeof(mounts), "- - %u", denial->asked);
	uid_text(charged, sizeof(charged), denial->charged_uid);
	uid_text(uid, sizeof(uid), denial->uid);
	escape(comm, denial->comm);
	snprintf(line, size, "%llu %llu %s %u %u %u %s %u %u %s %lld %lld %s 0x%x %u %u %s",
		 denial->seq, denial->time_ns, name_of(names, denial->type, denial->resource),
		 denial->caller_userns, denial->caller_uid, denial->charged_userns, charged,
		 denial->level, denial->userns, uid, denial->used, denial->limit, mounts,
		 denial->flags, denial->pid, denial->tgid, comm);
}

static void count_line(const struct ucv_table *names, const struct ucv_denial_count *count,
		       char *line, size_t size)
{
	char uid[16], limit[80] = "- - -";

	uid_text(uid, sizeof(uid), count->uid);
	if (!(count->flags & UCV_DENIAL_COUNT_OTHERS))
		snprintf(limit, sizeof(limit), "%s %u %u",
			 name_of(names, count->type, count->resource), count->ns, count->level);
	snprintf(line, size, "%s %s %llu %llu", limit, uid, count->denials, count->last_ns);
}

/* Some refusals of each kind: eleven in all, or ten without mounts. */
#define NR_REFUSED	10

static void refuse_some(struct __test_metadata *_metadata, struct ucv_agent *agent, const char *dir)
{
	struct ucv_agent other = {};

	ASSERT_EQ(6, ucv_agent_call(agent, ucv_do_refuse, 6, 0, 0));
	ASSERT_EQ(0, ucv_agent_start(&other));
	ASSERT_LT(0, ucv_agent_text(&other, ucv_do_by_thread, "a b\\c\td\n", 0, 0, 0));
	ASSERT_EQ(0, ucv_sysctl(MAX_INSTANCES, 0));
	ASSERT_EQ(0, ucv_agent_call(&other, ucv_do_uids, -1, TEXT_UID + 1, 0));
	ASSERT_EQ(4, ucv_agent_call(&other, ucv_do_refuse, 4, 0, 0));
	ASSERT_EQ(0, ucv_agent_call(&other, ucv_do_uids, -1, 0, 0));
	if (ucv_feature(UCV_FEATURE_MNT_DENIALS)) {
		ASSERT_EQ(0, ucv_agent_call(&other, ucv_do_new_mntns, 0, 0, 0));
		ASSERT_EQ(0, ucv_sysctl(UCV_MOUNT_MAX, 1));
		ASSERT_EQ(-ENOSPC, ucv_agent_text(&other, ucv_do_bind, dir, 1, 0, 0));
	}
	ucv_agent_stop(&other);
	ucv_sysctls_back();
}

static long nr_refused(void)
{
	return NR_REFUSED + ucv_feature(UCV_FEATURE_MNT_DENIALS);
}

/* The whole ring, with older records: each line is a record, and each record a line. */
UCV_TEST_F(text, debugfs_denials_have_a_line_per_record)
{
	static struct ucv_denial denials[16384];
	char line[512], *text, *seen, *rest;
	struct ucv_listen listen;
	long nr, i;

	refuse_some(_metadata, &self->agent, self->dir);
	ASSERT_EQ(0, ucv_listen(self->fd, UCV_LISTEN_OLDEST, &listen));
	ASSERT_GE(ARRAY_SIZE(denials), listen.capacity);
	text = ucv_slurp(DENIALS, NULL);
	ASSERT_NE(NULL, text);
	nr = ucv_denials(self->fd, 0, denials, ARRAY_SIZE(denials));
	ASSERT_LE(nr_refused(), nr);
	EXPECT_EQ(listen.total - listen.next + 1, (__u64)nr);
	seen = strtok_r(text, "\n", &rest);
	ASSERT_NE(NULL, seen);
	EXPECT_STREQ(header_of(denials_columns), seen);
	for (i = 0; i < nr; i++) {
		denial_line(&self->names, &denials[i], line, sizeof(line));
		seen = strtok_r(NULL, "\n", &rest);
		ASSERT_NE(NULL, seen);
		ASSERT_STREQ(line, seen);
	}
	EXPECT_EQ(NULL, strtok_r(NULL, "\n", &rest));
	free(text);
}

/* Reads of any size return the same text. */
UCV_TEST_F(text, debugfs_denials_are_the_same_in_portions)
{
	static char part[1 << 20];
	size_t length, at, size;
	char *whole;
	ssize_t got;
	int fd;

	refuse_some(_metadata, &self->agent, self->dir);
	whole = ucv_slurp(DENIALS, &length);
	ASSERT_NE(NULL, whole);
	for (size = 7; size < 5000; size *= 11) {
		fd = open(DENIALS, O_RDONLY | O_CLOEXEC);
		ASSERT_LE(0, fd);
		for (at = 0; at < sizeof(part) - size; at += got) {
			got = read(fd, part + at, size);
			ASSERT_LE(0, got);
			if (!got)
				break;
		}
		close(fd);
		ASSERT_EQ(length < sizeof(part) - size ? length : at, at);
		EXPECT_EQ(0, memcmp(whole, part, at));
	}
	free(whole);
}

/* The counts and their lines, their sum, and the counts of this workload. */
UCV_TEST_F(text, debugfs_counts_have_a_line_per_limit)
{
	const unsigned int userns = ucv_userns_of(self->agent.pid);
	const unsigned int init = ucv_userns_of(getpid());
	const __u64 inside = ucv_denials_by(userns, TEXT_UID, "inotify_instances");
	const __u64 outside = ucv_denials_by(init, TEXT_UID + 1, "inotify_instances");
	struct ucv_denial_count *counts;
	char line[256], *text, *seen, *rest;
	__u64 sum = 0;
	int nr, i;

	refuse_some(_metadata, &self->agent, self->dir);
	EXPECT_EQ(inside + 6, ucv_denials_by(userns, TEXT_UID, "inotify_instances"));
	EXPECT_EQ(outside + 4, ucv_denials_by(init, TEXT_UID + 1, "inotify_instances"));
	nr = ucv_denial_counts(&counts);
	ASSERT_LT(0, nr);
	text = ucv_slurp(COUNTS, NULL);
	ASSERT_NE(NULL, text);
	seen = strtok_r(text, "\n", &rest);
	ASSERT_NE(NULL, seen);
	EXPECT_STREQ(header_of(counts_columns), seen);
	for (i = 0; i < nr; i++) {
		count_line(&self->names, &counts[i], line, sizeof(line));
		seen = strtok_r(NULL, "\n", &rest);
		ASSERT_NE(NULL, seen);
		ASSERT_STREQ(line, seen);
		EXPECT_LT(0ULL, counts[i].denials);
		EXPECT_EQ(0ULL, counts[i].reserved[0] | counts[i].reserved[1]);
		sum += counts[i].denials;
	}
	EXPECT_EQ(NULL, strtok_r(NULL, "\n", &rest));
	EXPECT_EQ((__u64)ucv_status_number("denials"), sum);
	free(counts);
	free(text);
}

/* A count has the time of its last record, and the members that its records share. */
UCV_TEST_F(text, count_has_the_members_of_its_records)
{
	const unsigned int userns = ucv_userns_of(self->agent.pid);
	struct ucv_denial got[16];
	struct ucv_denial_count *counts;
	int nr, i, found = 0;

	ASSERT_EQ(3, ucv_agent_call(&self->agent, ucv_do_refuse, 3, 0, 0));
	ASSERT_EQ(3, ucv_denials(self->fd, self->agent.pid, got, ARRAY_SIZE(got)));
	nr = ucv_denial_counts(&counts);
	for (i = 0; i < nr; i++) {
		if (counts[i].ns != userns || counts[i].uid != TEXT_UID ||
		    counts[i].last_ns != got[2].time_ns)
			continue;
		EXPECT_EQ(got[2].userns_id, counts[i].ns_id);
		EXPECT_EQ(got[2].type, counts[i].type);
		EXPECT_EQ(got[2].resource, counts[i].resource);
		EXPECT_EQ(1U, counts[i].level);
		EXPECT_EQ(0U, counts[i].flags);
		found++;
	}
	EXPECT_EQ(1, found);
	free(counts);
}

/* The counts of a snapshot do not change after it is taken. */
UCV_TEST_F(text, counts_of_a_snapshot_do_not_change)
{
	struct ucv_denial_count *before, *now;
	struct ucv_snapshot snapshot;
	struct ucv_read read;
	int fd = ucv_open();

	ASSERT_EQ(1, ucv_agent_call(&self->agent, ucv_do_refuse, 1, 0, 0));
	ASSERT_EQ(0, ucv_snapshot(fd, UCV_MASK(UCV_KIND_DENIAL_COUNT), &snapshot));
	EXPECT_EQ(UCV_MASK(UCV_KIND_DENIAL_COUNT), snapshot.filled);
	ASSERT_EQ(0, ucv_read(fd, UCV_KIND_DENIAL_COUNT, sizeof(*now), 0, NULL, 0, &read));
	before = calloc(read.total, sizeof(*before));
	now = calloc(read.total, sizeof(*now));
	ASSERT_EQ(0, ucv_read(fd, UCV_KIND_DENIAL_COUNT, sizeof(*now), 0, before,
			      read.total * sizeof(*now), &read));
	ASSERT_EQ(5, ucv_agent_call(&self->agent, ucv_do_refuse, 5, 0, 0));
	ASSERT_EQ(0, ucv_read(fd, UCV_KIND_DENIAL_COUNT, sizeof(*now), 0, now,
			      read.total * sizeof(*now), &read));
	EXPECT_EQ(0, memcmp(before, now, read.total * sizeof(*now)));
	free(before);
	free(now);
	close(fd);
}

TEST_HARNESS_MAIN
