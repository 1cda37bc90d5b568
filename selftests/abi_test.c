// SPDX-License-Identifier: GPL-2.0
/*
 * The ABI of /dev/ucountview: every invalid call returns the documented error and leaves
 * the file usable; valid calls return the same records whatever the record size and the
 * number of records per call.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "kselftest_harness.h"
#include "abi_layout.h"
#include "ucv_test.h"

#define MAX_SNAPSHOT	UCV_PARAMETERS "/max_snapshot_kib"
#define READ_WRITE	(_IOC_READ | _IOC_WRITE)

/* More than the largest size that an ioctl number can encode. */
#define ROOM		32768

static int call(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg) ? -errno : 0;
}

static unsigned long page_size(void)
{
	return sysconf(_SC_PAGESIZE);
}

/* Maps ROOM bytes followed by an unmapped page; returns the address of that page. */
/* Makes a valid call of each kind. Returns what is wrong, or an empty string. */
static const char *unusable(int fd)
{
	struct ucv_listen listen = {};
	struct ucv_table table;
	const char *bad;
	int ret;

	ret = call(fd, UCV_IOC_LISTEN, &listen);
	if (ret && ret != -EOPNOTSUPP)
		return "it cannot listen";
	if (!ret && (!listen.capacity || listen.next != listen.total + 1))
		return "it does not say where it listens";
	ret = ucv_take_from(fd, &table);
	if (ret)
		return strerror(-ret);
	bad = ucv_inconsistent(&table);
	ucv_free(&table);
	return bad;
}

#define EXPECT_USABLE(fd) EXPECT_STREQ("", unusable(fd))

/* What all ioctls have in common */

FIXTURE(arg) {
	int fd;
	char *hole;
	char *arg;		/* buffer for an argument of any size */
};

FIXTURE_VARIANT(arg) {
	unsigned int nr;
	size_t size;		/* as the module defines it */
	size_t size_ver0;	/* the minimum it accepts */
};

FIXTURE_VARIANT_ADD(arg, info) {
	.nr = _IOC_NR(UCV_IOC_INFO),
	.size = sizeof(struct ucv_info),
	.size_ver0 = UCV_INFO_SIZE_VER0,
};

FIXTURE_VARIANT_ADD(arg, snapshot) {
	.nr = _IOC_NR(UCV_IOC_SNAPSHOT),
	.size = sizeof(struct ucv_snapshot),
	.size_ver0 = UCV_SNAPSHOT_SIZE_VER0,
};

FIXTURE_VARIANT_ADD(arg, read) {
	.nr = _IOC_NR(UCV_IOC_READ),
	.size = sizeof(struct ucv_read),
	.size_ver0 = UCV_READ_SIZE_VER0,
};

FIXTURE_VARIANT_ADD(arg, listen) {
	.nr = _IOC_NR(UCV_IOC_LISTEN),
	.size = sizeof(struct ucv_listen),
	.size_ver0 = UCV_LISTEN_SIZE_VER0,
};

FIXTURE_SETUP(arg)
{
	if (variant->nr == _IOC_NR(UCV_IOC_LISTEN) && !ucv_feature(UCV_FEATURE_DENIALS))
		SKIP(return, "the module cannot tell of refusals here");
	self->fd = ucv_open();
	ASSERT_LE(0, self->fd);
	EXPECT_USABLE(self->fd);
	self->hole = ucv_before_a_hole(ROOM);
	self->arg = self->hole - ROOM;
}

FIXTURE_TEARDOWN(arg)
{
	close(self->fd);
}

/* A valid argument for the ioctl. */
static void *good_arg(unsigned int nr, void *at)
{
	static struct ucv_resource records[UCV_MAX_RESOURCES];
	const struct ucv_snapshot snapshot = { .request = UCV_ALL_KINDS };
	const struct ucv_read read = {
		.kind = UCV_KIND_RESOURCE,
		.record_size = sizeof(records[0]),
		.buf = (uintptr_t)records,
		.buf_size = sizeof(records),
	};

	if (nr == _IOC_NR(UCV_IOC_INFO))
		memset(at, 0, sizeof(struct ucv_info));
	if (nr == _IOC_NR(UCV_IOC_SNAPSHOT))
		memcpy(at, &snapshot, sizeof(snapshot));
	if (nr == _IOC_NR(UCV_IOC_READ))
		memcpy(at, &read, sizeof(read));
	if (nr == _IOC_NR(UCV_IOC_LISTEN))
		memset(at, 0, sizeof(struct ucv_listen));
	return at;
}

/* Zeroes the members that advance, times and numbers of refusals, which are the last ones. */
static void forget_progress(unsigned int nr, char *arg, size_t size)
{
	size_t first = size;

	if (nr == _IOC_NR(UCV_IOC_SNAPSHOT))
		first = offsetof(struct ucv_snapshot, start_ns);
	if (nr == _IOC_NR(UCV_IOC_LISTEN))
		first = offsetof(struct ucv_listen, next);
	memset(arg + first, 0, size - first);
}

#define GOOD()		good_arg(variant->nr, memset(self->arg, 0, ROOM))
#define REQUEST(size)	_IOC(READ_WRITE, UCV_IOC_MAGIC, variant->nr, size)

UCV_TEST_F(arg, argument_of_known_size_is_accepted)
{
	EXPECT_EQ(0, call(self->fd, REQUEST(variant->size), GOOD()));
	EXPECT_USABLE(self->fd);
}

UCV_TEST_F(arg, short_argument_is_refused)
{
	size_t size;

	for (size = 0; size < variant->size_ver0; size++)
		EXPECT_EQ(-EINVAL, call(self->fd, REQUEST(size), GOOD()));
	EXPECT_USABLE(self->fd);
}

/* An older caller: the call works, and nothing is written beyond its structure. */
UCV_TEST_F(arg, argument_of_earlier_version_is_accepted)
{
	size_t size, i;

	for (size = variant->size_ver0; size < variant->size; size += 8) {
		GOOD();
		memset(self->arg + size, 0x5a, ROOM - size);
		EXPECT_EQ(0, call(self->fd, REQUEST(size), self->arg));
		for (i = size; i < ROOM; i++)
			ASSERT_EQ(0x5a, self->arg[i]);
	}
	EXPECT_USABLE(self->fd);
}

/* A newer caller: members unknown to the module must be zero, and stay zero. */
UCV_TEST_F(arg, longer_argument_of_zeroes_is_accepted)
{
	size_t size, i;

	for (size = variant->size + 8; size <= 1024; size += 8) {
		EXPECT_EQ(0, call(self->fd, REQUEST(size), GOOD()));
		for (i = variant->size; i < size; i++)
			ASSERT_EQ(0, self->arg[i]);
	}
	EXPECT_EQ(0, call(self->fd, REQUEST(4096), GOOD()));
	EXPECT_USABLE(self->fd);
}

UCV_TEST_F(arg, longer_argument_with_unknown_member_is_refused)
{
	size_t size, i;

	for (size = variant->size + 8; size <= 256; size += 8) {
		for (i = variant->size; i < size; i++) {
			GOOD();
			self->arg[i] = 1;
			EXPECT_EQ(-E2BIG, call(self->fd, REQUEST(size), self->arg));
		}
		/* The byte after the argument is not read. */
		GOOD();
		self->arg[size] = 1;
		EXPECT_EQ(0, call(self->fd, REQUEST(size), self->arg));
	}
	EXPECT_USABLE(self->fd);
}

UCV_TEST_F(arg, argument_longer_than_a_page_is_refused)
{
	size_t size = page_size() + 8;

	if (size > _IOC_SIZEMASK)
		SKIP(return, "no ioctl number can say so");
	EXPECT_EQ(-E2BIG, call(self->fd, REQUEST(size), GOOD()));
	EXPECT_EQ(-E2BIG, call(self->fd, REQUEST(_IOC_SIZEMASK), GOOD()));
	EXPECT_USABLE(self->fd);
}

/* Compilers may align the argument to only four bytes. No byte next to it is written. */
UCV_TEST_F(arg, argument_may_be_at_any_address)
{
	char wanted[256] = {};
	int i;

	ASSERT_GT(sizeof(wanted), variant->size);
	ASSERT_EQ(0, call(self->fd, REQUEST(variant->size), GOOD()));
	memcpy(wanted, self->arg, variant->size);
	forget_progress(variant->nr, wanted, variant->size);
	for (i = 1; i < 8; i++) {
		memset(self->arg, 0x5a, ROOM);
		ASSERT_EQ(0, call(self->fd, REQUEST(variant->size),
				  good_arg(variant->nr, self->arg + i)));
		forget_progress(variant->nr, self->arg + i, variant->size);
		EXPECT_EQ(0, memcmp(wanted, self->arg + i, variant->size));
		EXPECT_EQ(0x5a, self->arg[i - 1]);
		EXPECT_EQ(0x5a, self->arg[i + variant->size]);
	}
	EXPECT_USABLE(self->fd);
}

UCV_TEST_F(arg, unmapped_argument_is_refused)
{
	unsigned long request = REQUEST(variant->size);
	size_t i;

	EXPECT_EQ(-EFAULT, call(self->fd, request, NULL));
	EXPECT_EQ(-EFAULT, call(self->fd, request, self->hole));
	EXPECT_EQ(-EFAULT, call(self->fd, request, (void *)-4096L));
	EXPECT_EQ(-EFAULT, call(self->fd, request, (void *)(LONG_MIN + 4096)));
	for (i = 8; i < variant->size; i += 8) {
		GOOD();
		memmove(self->hole - i, self->arg, i);
		EXPECT_EQ(-EFAULT, call(self->fd, request, self->hole - i));
	}
	memmove(self->hole - variant->size, GOOD(), variant->size);
	EXPECT_EQ(0, call(self->fd, request, self->hole - variant->size));
	EXPECT_USABLE(self->fd);
}

UCV_TEST_F(arg, argument_with_unmapped_tail_is_refused)
{
	memmove(self->hole - variant->size, GOOD(), variant->size);
	EXPECT_EQ(-EFAULT, call(self->fd, REQUEST(variant->size + 8), self->hole - variant->size));
	EXPECT_USABLE(self->fd);
}

UCV_TEST_F(arg, read_only_argument_is_refused)
{
	GOOD();
	ASSERT_EQ(0, mprotect(self->arg, ROOM, PROT_READ));
	EXPECT_EQ(-EFAULT, call(self->fd, REQUEST(variant->size), self->arg));
	EXPECT_USABLE(self->fd);
	ASSERT_EQ(0, mprotect(self->arg, ROOM, PROT_NONE));
	EXPECT_EQ(-EFAULT, call(self->fd, REQUEST(variant->size), self->arg));
	EXPECT_USABLE(self->fd);
}

UCV_TEST_F(arg, ioctl_of_another_direction_is_unknown)
{
	static const unsigned int directions[] = {
		_IOC_NONE, _IOC_READ, _IOC_WRITE,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(directions); i++)
		EXPECT_EQ(-ENOTTY,
			  call(self->fd, _IOC(directions[i], UCV_IOC_MAGIC,
					      variant->nr, variant->size),
			       GOOD()));
	EXPECT_USABLE(self->fd);
}

UCV_TEST_F(arg, ioctl_of_another_device_is_unknown)
{
	unsigned int magic;

	for (magic = 0; magic < 256; magic++)
		/* The VFS handles some ioctls of 'T', 'f' and others for any file. */
		if (magic != UCV_IOC_MAGIC && !strchr("Tf\x12X", magic))
			EXPECT_EQ(-ENOTTY,
				  call(self->fd, _IOC(READ_WRITE, magic,
						      variant->nr,
						      variant->size), GOOD()));
	EXPECT_USABLE(self->fd);
}

/* A file without a snapshot */

FIXTURE(file) {
	int fd;
};

FIXTURE_SETUP(file)
{
	self->fd = ucv_open();
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(file)
{
	close(self->fd);
}

UCV_TEST_F(file, unknown_ioctls_are_refused)
{
	__u64 arg[32] = {};
	unsigned int nr;

	for (nr = _IOC_NR(UCV_IOC_LISTEN) + 1; nr < 256; nr++) {
		EXPECT_EQ(-ENOTTY, call(self->fd, _IOC(READ_WRITE, UCV_IOC_MAGIC, nr, 64), arg));
		EXPECT_EQ(-ENOTTY, call(self->fd, _IO(UCV_IOC_MAGIC, nr), arg));
		EXPECT_EQ(-ENOTTY, call(self->fd, _IOC(READ_WRITE, UCV_IOC_MAGIC, nr, 64), NULL));
	}
	EXPECT_USABLE(self->fd);
}

/* The contents of the caller's buffer do not matter. */
UCV_TEST_F(file, info_is_complete)
{
	struct ucv_info info;

	memset(&info, 0xff, sizeof(info));
	ASSERT_EQ(0, call(self->fd, UCV_IOC_INFO, &info));
	EXPECT_EQ((__u32)UCV_ABI_VERSION, info.abi_version);
	EXPECT_EQ(UCV_ALL_KINDS, info.supported & UCV_ALL_KINDS);
	EXPECT_EQ(0ULL, info.supported & ~(UCV_MASK(UCV_NR_KINDS) - 1));
	EXPECT_LT(8U, info.nr_resources);
	EXPECT_GE((__u32)UCV_MAX_RESOURCES, info.nr_resources);
	EXPECT_NE(NULL, memchr(info.version, 0, sizeof(info.version)));
	EXPECT_LT(0, info.version[0]);
}

UCV_TEST_F(file, read_before_a_snapshot_fails)
{
	struct ucv_resource records[4];
	struct ucv_read read;
	__u32 kind;

	for (kind = 0; kind < UCV_NR_KINDS; kind++) {
		EXPECT_EQ(-ENODATA, ucv_read(self->fd, kind, 64, 0, records,
					     sizeof(records), &read));
		EXPECT_EQ(-ENODATA, ucv_read(self->fd, kind, 64, 0, NULL, 0, &read));
	}
	EXPECT_USABLE(self->fd);
}

static __u64 supported(int fd)
{
	struct ucv_info info = {};

	return call(fd, UCV_IOC_INFO, &info) ? 0 : info.supported;
}

/*
 * Kinds that refer to user namespaces include these; groups and holders include each
 * other.
 */
static __u64 brought_by(__u64 request)
{
	const __u64 userns = UCV_MASK(UCV_KIND_USERNS);
	const __u64 held = UCV_MASK(UCV_KIND_GROUP) | UCV_MASK(UCV_KIND_HOLDER);

	if (request & held)
		request |= held;
	return request & (UCV_MASK(UCV_KIND_UCOUNTS) | UCV_MASK(UCV_KIND_MNTNS) | held) ?
	       request | userns : request;
}

/* A snapshot has the requested kinds and those they refer to, and no others. */
UCV_TEST_F(file, snapshot_has_requested_kinds_only)
{
	__u64 all = supported(self->fd), request;
	struct ucv_snapshot snapshot;
	struct ucv_read read;
	__u32 kind;

	for (request = 1; request < UCV_MASK(UCV_NR_KINDS); request++) {
		if (request & ~all) {
			EXPECT_EQ(-EOPNOTSUPP, ucv_snapshot(self->fd, request, &snapshot));
			continue;
		}
		ASSERT_EQ(0, ucv_snapshot(self->fd, request, &snapshot));
		EXPECT_EQ(request, snapshot.request);
		EXPECT_EQ(brought_by(request), snapshot.filled);
		EXPECT_EQ(all, snapshot.supported);
		for (kind = 0; kind < UCV_NR_KINDS; kind++)
			EXPECT_EQ(snapshot.filled & UCV_MASK(kind) ?
				  0 : -ENODATA,
				  ucv_read(self->fd, kind, 64, 0, NULL, 0,
					   &read));
	}
}

UCV_TEST_F(file, snapshot_of_unknown_kinds_is_refused)
{
	struct ucv_snapshot snapshot;
	unsigned int bit;

	EXPECT_EQ(-EINVAL, ucv_snapshot(self->fd, 0, &snapshot));
	for (bit = UCV_NR_KINDS; bit < 64; bit++) {
		EXPECT_EQ(-EINVAL, ucv_snapshot(self->fd, 1ULL << bit, &snapshot));
		EXPECT_EQ(-EINVAL, ucv_snapshot(self->fd, UCV_ALL_KINDS | 1ULL << bit, &snapshot));
	}
	EXPECT_USABLE(self->fd);
}

/* An invalid argument keeps the old snapshot; a later failure frees it. */
UCV_TEST_F(file, failed_snapshot_frees_the_old_one)
{
	struct ucv_snapshot *snapshot;
	struct ucv_read read;

	snapshot = mmap(NULL, page_size(), PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, snapshot);
	ASSERT_EQ(0, ucv_snapshot(self->fd, UCV_ALL_KINDS, snapshot));
	EXPECT_EQ(-EINVAL, ucv_snapshot(self->fd, 1ULL << 63, snapshot));
	EXPECT_EQ(-EFAULT, call(self->fd, UCV_IOC_SNAPSHOT, NULL));
	EXPECT_EQ(0, ucv_read(self->fd, UCV_KIND_UCOUNTS, 64, 0, NULL, 0, &read));
	EXPECT_LT(0ULL, read.total);

	ASSERT_EQ(0, ucv_snapshot(self->fd, UCV_ALL_KINDS, snapshot));
	ASSERT_EQ(0, mprotect(snapshot, page_size(), PROT_READ));
	EXPECT_EQ(-EFAULT, call(self->fd, UCV_IOC_SNAPSHOT, snapshot));
	EXPECT_EQ(-ENODATA, ucv_read(self->fd, UCV_KIND_UCOUNTS, 64, 0, NULL, 0, &read));
	EXPECT_USABLE(self->fd);
}

UCV_TEST_F(file, snapshot_with_unknown_flags_is_refused)
{
	struct ucv_snapshot snapshot;
	unsigned int bit;

	for (bit = 0; bit < 32; bit++) {
		memset(&snapshot, 0, sizeof(snapshot));
		snapshot.request = UCV_ALL_KINDS;
		snapshot.flags = (1U << bit) & ~UCV_SNAPSHOT_NO_PROCESSES;
		if (snapshot.flags)
			EXPECT_EQ(-EINVAL, call(self->fd, UCV_IOC_SNAPSHOT, &snapshot));
		snapshot.flags = 0;
		snapshot.reserved = 1U << bit;
		EXPECT_EQ(-EINVAL, call(self->fd, UCV_IOC_SNAPSHOT, &snapshot));
	}
	EXPECT_USABLE(self->fd);
}

/* The snapshot's times lie between those taken around the call. */
UCV_TEST_F(file, snapshot_times_are_those_of_the_call)
{
	struct ucv_snapshot snapshot;
	__u64 before, after;

	before = ucv_boottime();
	ASSERT_EQ(0, ucv_snapshot(self->fd, UCV_ALL_KINDS, &snapshot));
	after = ucv_boottime();
	EXPECT_LE(before, snapshot.start_ns);
	EXPECT_LE(snapshot.start_ns, snapshot.end_ns);
	EXPECT_LE(snapshot.end_ns, after);
	EXPECT_LE(snapshot.hold_max_ns, after - before);
}

UCV_TEST_F(file, other_file_operations_fail)
{
	char byte = 0;

	EXPECT_EQ(-1, write(self->fd, &byte, 1));
	EXPECT_EQ(EBADF, errno);
	EXPECT_EQ(-1, read(self->fd, &byte, 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, pread(self->fd, &byte, 1, 4096));
	EXPECT_EQ(-1, lseek(self->fd, 0, SEEK_SET));
	EXPECT_EQ(ESPIPE, errno);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, page_size(), PROT_READ, MAP_SHARED, self->fd, 0));
	EXPECT_EQ(ENODEV, errno);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, page_size(), PROT_READ, MAP_PRIVATE, self->fd, 0));
	EXPECT_EQ(-1, ftruncate(self->fd, 0));
	EXPECT_USABLE(self->fd);
}

/* Opening */

UCV_TEST_F(file, device_cannot_be_opened_for_writing)
{
	EXPECT_EQ(-1, open(UCV_DEVICE_PATH, O_WRONLY));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(-1, open(UCV_DEVICE_PATH, O_RDWR));
	EXPECT_EQ(EACCES, errno);
	EXPECT_USABLE(self->fd);
}

UCV_TEST_F(file, device_belongs_to_root)
{
	struct ucv_agent agent = {};
	struct stat status;

	ASSERT_EQ(0, stat(UCV_DEVICE_PATH, &status));
	EXPECT_EQ(S_IFCHR | 0400U, status.st_mode);
	EXPECT_EQ(0U, status.st_uid);
	ASSERT_EQ(0, ucv_agent_start(&agent));
	EXPECT_EQ(0, ucv_agent_text(&agent, ucv_do_open, UCV_DEVICE_PATH, O_RDONLY, 0, 0));
	ASSERT_EQ(0, ucv_agent_call(&agent, ucv_do_uids, 65534, 65534, 65534));
	EXPECT_EQ(-EACCES, ucv_agent_text(&agent, ucv_do_open, UCV_DEVICE_PATH, O_RDONLY, 0, 0));
	ucv_agent_stop(&agent);
}

/* A snapshot belongs to the open file: duplicates share it, other open files do not. */
UCV_TEST_F(file, snapshot_belongs_to_the_open_file)
{
	int duplicate = dup(self->fd), other = ucv_open();
	struct ucv_snapshot snapshot;
	struct ucv_read read;

	ASSERT_LE(0, duplicate);
	ASSERT_LE(0, other);
	ASSERT_EQ(0, ucv_snapshot(self->fd, UCV_ALL_KINDS, &snapshot));
	EXPECT_EQ(0, ucv_read(duplicate, UCV_KIND_UCOUNTS, 64, 0, NULL, 0, &read));
	EXPECT_LT(0ULL, read.total);
	EXPECT_EQ(-ENODATA, ucv_read(other, UCV_KIND_UCOUNTS, 64, 0, NULL, 0, &read));
	close(self->fd);
	self->fd = duplicate;
	EXPECT_EQ(0, ucv_read(duplicate, UCV_KIND_UCOUNTS, 64, 0, NULL, 0, &read));
	close(other);
}

#define MANY	200

UCV_TEST_F(file, many_open_files_have_their_own_snapshots)
{
	struct ucv_read read[MANY];
	struct ucv_snapshot snapshot;
	int fd[MANY];
	unsigned int i;

	for (i = 0; i < MANY; i++) {
		fd[i] = ucv_open();
		ASSERT_LE(0, fd[i]);
		ASSERT_EQ(0, ucv_snapshot(fd[i], UCV_ALL_KINDS, &snapshot));
		ASSERT_EQ(0, ucv_read(fd[i], UCV_KIND_UCOUNTS, 64, 0, NULL, 0, &read[i]));
	}
	for (i = 0; i < MANY; i++) {
		__u64 total = read[i].total;

		EXPECT_EQ(0, ucv_read(fd[i], UCV_KIND_UCOUNTS, 64, 0, NULL, 0, &read[i]));
		EXPECT_EQ(total, read[i].total);
		close(fd[i]);
	}
	EXPECT_USABLE(self->fd);
}

/* The memory bound: a snapshot that exceeds it fails, and no snapshot is left. */
UCV_TEST_F(file, snapshot_above_the_memory_bound_fails)
{
	long long bound = ucv_read_number(MAX_SNAPSHOT);
	struct ucv_snapshot snapshot;
	struct ucv_read read;
	int kib;

	ASSERT_LT(0, bound);
	EXPECT_USABLE(self->fd);
	for (kib = 0; kib <= 4; kib++) {
		ASSERT_EQ(0, ucv_sysctl(MAX_SNAPSHOT, kib));
		EXPECT_EQ(-EFBIG, ucv_snapshot(self->fd, UCV_ALL_KINDS, &snapshot));
		EXPECT_EQ(-ENODATA, ucv_read(self->fd, UCV_KIND_UCOUNTS, 64, 0, NULL, 0, &read));
	}
	ASSERT_EQ(0, ucv_sysctl(MAX_SNAPSHOT, bound));
	EXPECT_USABLE(self->fd);
}

/* Reading: a snapshot with some rows, and a complete copy for reference. */

#define NR_USERS	40

FIXTURE(reading) {
	int fd;
	struct ucv_agent agent;
	struct ucv_table table;
	char *hole;
};

static int make_rows(struct ucv_agent *agent)
{
	unsigned int i;
	long ret;

	for (i = 0; i < NR_USERS; i++) {
		ret = ucv_agent_call(agent, ucv_do_uids, -1, UCV_UID + i, 0);
		if (ret)
			return ret;
		ret = ucv_agent_call(agent, ucv_do_inotify, 1 + i % 3, 0, 0);
		if (ret < 0)
			return ret;
		ret = ucv_agent_call(agent, ucv_do_uids, -1, 0, -1);
		if (ret)
			return ret;
	}
	return 0;
}

FIXTURE_SETUP(reading)
{
	self->fd = ucv_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, ucv_agent_start(&self->agent));
	ASSERT_EQ(0, make_rows(&self->agent));
	ASSERT_EQ(0, ucv_take_from(self->fd, &self->table));
	ASSERT_LE((unsigned int)NR_USERS, self->table.nr_rows);
	self->hole = ucv_before_a_hole(ROOM);
}

FIXTURE_TEARDOWN(reading)
{
	ucv_free(&self->table);
	ucv_agent_stop(&self->agent);
	close(self->fd);
}

#define ROW	sizeof(struct ucv_ucounts)

UCV_TEST_F(reading, read_with_bad_arguments_is_refused)
{
	static const struct ucv_read bad[] = {
		{ .kind = UCV_NR_KINDS, .record_size = 64 },
		{ .kind = 64, .record_size = 64 },
		{ .kind = 0xffffffff, .record_size = 64 },
		{ .record_size = 64, .flags = 1 },
		{ .record_size = 64, .flags = 0x80000000 },
		{ .record_size = 0 },
		{ .record_size = 8 },
		{ .record_size = UCV_RECORD_SIZE_MIN - 8 },
		{ .record_size = UCV_RECORD_SIZE_MIN + 1 },
		{ .record_size = UCV_RECORD_SIZE_MIN + 4 },
		{ .record_size = UCV_RECORD_SIZE_MAX + 8 },
		{ .record_size = 0xfffffff8 },
	};
	struct ucv_read read;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		read = bad[i];
		EXPECT_EQ(-EINVAL, call(self->fd, UCV_IOC_READ, &read))
			TH_LOG("case %u", i);
	}
	EXPECT_USABLE(self->fd);
}

UCV_TEST_F(reading, read_into_less_than_a_record_fails)
{
	struct ucv_ucounts buf[1];
	struct ucv_read read;
	size_t size;

	for (size = 1; size < ROW; size += 7)
		EXPECT_EQ(-EMSGSIZE, ucv_read(self->fd, UCV_KIND_UCOUNTS, ROW, 0,
					      buf, size, &read));
	EXPECT_EQ(-EMSGSIZE, ucv_read(self->fd, UCV_KIND_UCOUNTS, ROW, 0, buf, ROW - 1, &read));
	EXPECT_EQ(0, ucv_read(self->fd, UCV_KIND_UCOUNTS, ROW, 0, buf, ROW, &read));
	EXPECT_EQ(1U, read.nr);
	EXPECT_EQ(0, memcmp(buf, self->table.rows, ROW));
	EXPECT_USABLE(self->fd);
}

/* A buffer size of 0 asks for the total; the buffer's address is not used. */
UCV_TEST_F(reading, read_without_buffer_returns_the_total)
{
	struct ucv_read read;

	EXPECT_EQ(0, ucv_read(self->fd, UCV_KIND_UCOUNTS, ROW, 0, NULL, 0, &read));
	EXPECT_EQ(0U, read.nr);
	EXPECT_EQ((__u64)self->table.nr_rows, read.total);
	EXPECT_EQ(0, ucv_read(self->fd, UCV_KIND_UCOUNTS, ROW, 0, self->hole, 0, &read));
	EXPECT_EQ((__u64)self->table.nr_rows, read.total);
}

UCV_TEST_F(reading, read_behind_the_end_returns_no_records)
{
	__u64 total = self->table.nr_rows;
	const __u64 first[] = {
		total, total + 1, UINT32_MAX, 1ULL << 32, (1ULL << 32) + 1,
		INT64_MAX, 1ULL << 63, UINT64_MAX - total, UINT64_MAX,
	};
	struct ucv_ucounts buf[2], poison[2];
	struct ucv_read read;
	unsigned int i;

	memset(poison, 0x5a, sizeof(poison));
	memset(buf, 0x5a, sizeof(buf));
	for (i = 0; i < ARRAY_SIZE(first); i++) {
		EXPECT_EQ(0, ucv_read(self->fd, UCV_KIND_UCOUNTS, ROW, first[i],
				      buf, sizeof(buf), &read));
		EXPECT_EQ(0U, read.nr);
		EXPECT_EQ(total, read.total);
		EXPECT_EQ(0, memcmp(buf, poison, sizeof(buf)));
	}
	EXPECT_EQ(0, ucv_read(self->fd, UCV_KIND_UCOUNTS, ROW, total - 1, buf, sizeof(buf), &read));
	EXPECT_EQ(1U, read.nr);
	EXPECT_EQ(0, memcmp(buf, &self->table.rows[total - 1], ROW));
	EXPECT_EQ(0, memcmp(buf + 1, poison, ROW));
}

/* Bytes after the last record that fits are not written. */
UCV_TEST_F(reading, read_writes_whole_records_only)
{
	struct ucv_ucounts buf[4];
	struct ucv_read read;
	size_t size, i;

	for (size = 3 * ROW; size < 4 * ROW; size += 5) {
		memset(buf, 0x5a, sizeof(buf));
		ASSERT_EQ(0, ucv_read(self->fd, UCV_KIND_UCOUNTS, ROW, 1, buf, size, &read));
		EXPECT_EQ(3U, read.nr);
		EXPECT_EQ(0, memcmp(buf, &self->table.rows[1], 3 * ROW));
		for (i = 3 * ROW; i < sizeof(buf); i++)
			ASSERT_EQ(0x5a, ((char *)buf)[i]);
	}
}

/* Records need no alignment either; those of some kinds have only four bytes. */
UCV_TEST_F(reading, read_buffer_may_be_at_any_address)
{
	char buf[3 * (ROW + 8) + 16];
	struct ucv_read read;
	size_t size, i, j;

	for (size = ROW - 8; size <= ROW + 8; size += 8) {
		for (i = 1; i < 8; i++) {
			memset(buf, 0x5a, sizeof(buf));
			ASSERT_EQ(0, ucv_read(self->fd, UCV_KIND_UCOUNTS, size, 1, buf + i,
					      3 * size, &read));
			ASSERT_EQ(3U, read.nr);
			for (j = 0; j < 3; j++)
				EXPECT_EQ(0, memcmp(buf + i + j * size, &self->table.rows[1 + j],
						    size < ROW ? size : ROW));
			EXPECT_EQ(0x5a, buf[i - 1]);
			EXPECT_EQ(0x5a, buf[i + 3 * size]);
		}
	}
}

UCV_TEST_F(reading, read_into_unmapped_buffer_fails)
{
	struct ucv_read read;
	char *buf = self->hole - 3 * ROW;

	EXPECT_EQ(-EFAULT, ucv_read(self->fd, UCV_KIND_UCOUNTS, ROW, 0, NULL, 3 * ROW, &read));
	EXPECT_EQ(-EFAULT, ucv_read(self->fd, UCV_KIND_UCOUNTS, ROW, 0, self->hole, ROW, &read));
	EXPECT_EQ(-EFAULT, ucv_read(self->fd, UCV_KIND_UCOUNTS, ROW, 0,
				    self->hole - 8, ROW, &read));
	EXPECT_EQ(-EFAULT, ucv_read(self->fd, UCV_KIND_UCOUNTS, ROW, 0, buf, 4 * ROW, &read));
	EXPECT_EQ(-EFAULT, ucv_read(self->fd, UCV_KIND_UCOUNTS, ROW + 8, 0, buf,
				    3 * (ROW + 8), &read));
	EXPECT_EQ(-EFAULT, ucv_read(self->fd, UCV_KIND_UCOUNTS, ROW, 0,
				    (void *)-4096L, ROW, &read));
	EXPECT_EQ(-EFAULT, ucv_read(self->fd, UCV_KIND_UCOUNTS, ROW, 0,
				    (void *)-8L, UINT32_MAX, &read));
	EXPECT_EQ(-EFAULT, ucv_read(self->fd, UCV_KIND_UCOUNTS, ROW, 0,
				    (void *)(LONG_MIN + 4096), ROW, &read));
	EXPECT_EQ(0, ucv_read(self->fd, UCV_KIND_UCOUNTS, ROW, 0, buf, 3 * ROW, &read));
	EXPECT_EQ(3U, read.nr);
	EXPECT_USABLE(self->fd);
}

UCV_TEST_F(reading, read_into_read_only_buffer_fails)
{
	char *buf = self->hole - page_size();
	struct ucv_read read;

	ASSERT_EQ(0, mprotect(buf, page_size(), PROT_READ));
	EXPECT_EQ(-EFAULT, ucv_read(self->fd, UCV_KIND_UCOUNTS, ROW, 0, buf, ROW, &read));
	EXPECT_EQ(0, buf[0]);
	EXPECT_USABLE(self->fd);
}

/* A buffer size beyond any memory: all records are read. */
UCV_TEST_F(reading, read_into_huge_buffer_returns_all)
{
	struct ucv_ucounts *buf = calloc(self->table.nr_rows, ROW);
	static const size_t sizes[] = {
		SIZE_MAX, SIZE_MAX - 7, SIZE_MAX / 2, SIZE_MAX / ROW,
	};
	struct ucv_read read;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		ASSERT_EQ(0, ucv_read(self->fd, UCV_KIND_UCOUNTS, ROW, 0, buf, sizes[i], &read));
		EXPECT_EQ(self->table.nr_rows, read.nr);
		EXPECT_EQ(0, memcmp(buf, self->table.rows, self->table.nr_rows * ROW));
	}
	free(buf);
}

static void check_record_size(struct __test_metadata *_metadata, int fd,
			      __u32 kind, const void *records, size_t known,
			      unsigned int nr, size_t size)
{
	char *buf = malloc(nr * size);
	struct ucv_read read;
	unsigned int i;
	size_t j;

	memset(buf, 0x5a, nr * size);
	ASSERT_EQ(0, ucv_read(fd, kind, size, 0, buf, nr * size, &read));
	ASSERT_EQ(nr, read.nr);
	for (i = 0; i < nr; i++) {
		ASSERT_EQ(0, memcmp(buf + i * size,
				    (const char *)records + i * known,
				    size < known ? size : known));
		for (j = known; j < size; j++)
			ASSERT_EQ(0, buf[i * size + j]);
	}
	free(buf);
}

/* Short records are truncated, long ones padded with zeroes. */
UCV_TEST_F(reading, records_are_truncated_or_padded)
{
	const struct ucv_table *table = &self->table;
	size_t size;

	for (size = UCV_RECORD_SIZE_MIN; size <= UCV_RECORD_SIZE_MAX;
	     size += size < 600 ? 8 : 152) {
		check_record_size(_metadata, self->fd, UCV_KIND_RESOURCE,
				  table->resources, sizeof(*table->resources),
				  table->nr_resources, size);
		check_record_size(_metadata, self->fd, UCV_KIND_USERNS,
				  table->userns, sizeof(*table->userns),
				  table->nr_userns, size);
		check_record_size(_metadata, self->fd, UCV_KIND_UCOUNTS,
				  table->rows, sizeof(*table->rows),
				  table->nr_rows, size);
	}
	check_record_size(_metadata, self->fd, UCV_KIND_UCOUNTS, table->rows,
			  sizeof(*table->rows), table->nr_rows,
			  UCV_RECORD_SIZE_MAX);
}

UCV_TEST_F(reading, read_in_portions_returns_all)
{
	unsigned int total = self->table.nr_rows, portion, first;
	struct ucv_ucounts *buf = calloc(total, ROW);
	struct ucv_read read;

	for (portion = 1; portion <= total; portion += portion) {
		memset(buf, 0x5a, total * ROW);
		for (first = 0; first < total; first += read.nr) {
			size_t room = total - first;

			if (room > portion)
				room = portion;
			ASSERT_EQ(0, ucv_read(self->fd, UCV_KIND_UCOUNTS, ROW,
					      first, &buf[first], room * ROW,
					      &read));
			ASSERT_EQ(room, read.nr);
			ASSERT_EQ((__u64)total, read.total);
		}
		EXPECT_EQ(0, memcmp(buf, self->table.rows, total * ROW));
	}
	free(buf);
}

/* A snapshot does not change when the kernel's counters do. */
UCV_TEST_F(reading, snapshot_does_not_change)
{
	unsigned int total = self->table.nr_rows;
	struct ucv_ucounts *buf = calloc(total, ROW);
	struct ucv_read read;

	ucv_agent_stop(&self->agent);
	ASSERT_EQ(0, ucv_read(self->fd, UCV_KIND_UCOUNTS, ROW, 0, buf, total * ROW, &read));
	EXPECT_EQ(total, read.nr);
	EXPECT_EQ(0, memcmp(buf, self->table.rows, total * ROW));
	free(buf);
	ASSERT_EQ(0, ucv_agent_start(&self->agent));
}

TEST_HARNESS_MAIN
