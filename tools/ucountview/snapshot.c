// SPDX-License-Identifier: GPL-2.0
/*
 * Take a snapshot, read all of its records, and put errors into words. How the records are
 * interpreted is up to the commands.
 */
#define _GNU_SOURCE
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "device.h"
#include "index.h"
#include "snapshot.h"
#include "ucountview.h"

#define PORTION		(256 * 1024)	/* bytes read at a time */

static_assert(sizeof(struct ucv_resource) % 8 == 0, "record_size");
static_assert(sizeof(struct ucv_userns) % 8 == 0, "record_size");
static_assert(sizeof(struct ucv_ucounts) % 8 == 0, "record_size");
static_assert(sizeof(struct ucv_group) % 8 == 0, "record_size");
static_assert(sizeof(struct ucv_holder) % 8 == 0, "record_size");
static_assert(sizeof(struct ucv_mntns) % 8 == 0, "record_size");
static_assert(sizeof(struct ucv_denial_count) % 8 == 0, "record_size");
static_assert(sizeof(struct ucv_userns) <= UCV_RECORD_SIZE_MAX, "record_size");
static_assert(sizeof(struct ucv_ucounts) <= UCV_RECORD_SIZE_MAX, "record_size");

static void snapshot_failed(int err, __u64 kinds)
{
	switch (err) {
	case EFBIG:
		die("cannot take a snapshot: it exceeds the module's limit (raise %s)",
		    "/sys/module/ucountview/parameters/max_snapshot_kib");
	case ENOMEM:
		die("cannot take a snapshot: out of memory in the kernel");
	case EINTR:
		die("cannot take a snapshot: interrupted");
	case EINVAL:
		die("cannot take a snapshot: the module is older than this program");
	case EOPNOTSUPP:
		device_cannot(kinds & UCV_MASK(UCV_KIND_MNTNS) ? "read the mount counters" :
							       "record denials");
	default:
		die("cannot take a snapshot with %s: %s", UCV_DEVICE_PATH, strerror(err));
	}
}

static bool try_take(int fd, struct ucv_snapshot *taken, __u64 kinds, __u32 flags)
{
	memset(taken, 0, sizeof(*taken));
	taken->request = kinds;
	taken->flags = flags;
	return !ioctl(fd, UCV_IOC_SNAPSHOT, taken);
}

static void take(int fd, struct snapshot *snap, __u64 kinds, __u64 spare, __u32 flags)
{
	bool taken = try_take(fd, &snap->taken, kinds, flags);

	/* An older module knows no flags, and looks at everything. */
	if (!taken && errno == EINVAL && flags)
		taken = try_take(fd, &snap->taken, kinds, 0);

	if (!taken && (errno == EFBIG || errno == ENOMEM) && kinds & spare) {
		snap->left_out = kinds & spare;
		kinds &= ~spare;
		taken = try_take(fd, &snap->taken, kinds, 0);
	}
	if (!taken)
		snapshot_failed(errno, kinds);
	if ((snap->taken.filled & kinds) != kinds)
		die("cannot use the snapshot: requested records are missing");
}

/* Read up to @size bytes of records from @first on; sets their total number in @req. */
static void read_portion(int fd, struct ucv_read *req, __u64 first, void *buf, size_t size)
{
	req->first = first;
	req->buf = (unsigned long)buf;
	req->buf_size = size;
	req->nr = 0;
	req->total = 0;
	if (ioctl(fd, UCV_IOC_READ, req))
		die("cannot read the snapshot from %s: %s", UCV_DEVICE_PATH, strerror(errno));
}

/* Copy @nr records of @stride bytes each; the rest of each is 0. */
static void unpack(char *to, size_t record_size, const char *from, size_t stride, size_t nr)
{
	for (; nr; nr--, to += record_size, from += stride) {
		memcpy(to, from, stride);
		memset(to + stride, 0, record_size - stride);
	}
}

static size_t count_records(int fd, enum ucv_kind kind, size_t stride)
{
	struct ucv_read req = { .kind = kind, .record_size = stride };

	read_portion(fd, &req, 0, NULL, 0);
	return req.total;
}

/* Returns how many records from @first on were read: at least one, at most @room. */
static size_t read_some(int fd, struct ucv_read *req, size_t first, void *packed, size_t room)
{
	read_portion(fd, req, first, packed, room * req->record_size);
	if (!req->nr || req->nr > room)
		die("snapshot read from %s is truncated", UCV_DEVICE_PATH);
	return req->nr;
}

/*
 * Read all records of a kind; none if the snapshot was taken without it. The module has @stride
 * bytes of each, and copies them fastest like that.
 */
static void *read_records(int fd, __u64 filled, enum ucv_kind kind, size_t record_size,
			  size_t stride, size_t *total)
{
	struct ucv_read req = { .kind = kind, .record_size = stride };
	size_t first, nr, portion = PORTION / stride;
	char *records, *packed;

	*total = 0;
	if (!(filled & UCV_MASK(kind)))
		return NULL;

	*total = count_records(fd, kind, stride);
	if (*total > (size_t)-1 / record_size)
		die("out of memory");
	records = xreallocarray(NULL, *total, record_size);
	packed = xreallocarray(NULL, portion, stride);

	for (first = 0; first < *total; first += nr) {
		nr = read_some(fd, &req, first, packed,
			       *total - first < portion ? *total - first : portion);
		unpack(records + first * record_size, record_size, packed, stride, nr);
	}
	free(packed);
	return records;
}

/* Bytes of a record whose last member is an array with an element for each resource. */
static size_t stride_of(const struct ucv_info *info, size_t start, size_t record_size)
{
	size_t stride = start + info->nr_resources * sizeof(__s64);

	return stride < record_size ? stride : record_size;
}

static size_t ucounts_stride(const struct ucv_info *info)
{
	return stride_of(info, offsetof(struct ucv_ucounts, used), sizeof(struct ucv_ucounts));
}

/* Read the records of the kinds in the mask @kept. */
static void read_kept(int fd, struct snapshot *snap, __u64 kept)
{
	size_t userns = stride_of(&snap->info, offsetof(struct ucv_userns, limit),
				  sizeof(*snap->userns));

	snap->resources = read_records(fd, kept, UCV_KIND_RESOURCE, sizeof(*snap->resources),
				       sizeof(*snap->resources), &snap->nr_resources);
	snap->userns = read_records(fd, kept, UCV_KIND_USERNS, sizeof(*snap->userns), userns,
				    &snap->nr_userns);
	snap->ucounts = read_records(fd, kept, UCV_KIND_UCOUNTS, sizeof(*snap->ucounts),
				     ucounts_stride(&snap->info), &snap->nr_ucounts);
	snap->groups = read_records(fd, kept, UCV_KIND_GROUP, sizeof(*snap->groups),
				    sizeof(*snap->groups), &snap->nr_groups);
	snap->holders = read_records(fd, kept, UCV_KIND_HOLDER, sizeof(*snap->holders),
				     sizeof(*snap->holders), &snap->nr_holders);
	snap->mntns = read_records(fd, kept, UCV_KIND_MNTNS, sizeof(*snap->mntns),
				   sizeof(*snap->mntns), &snap->nr_mntns);
	snap->denials = read_records(fd, kept, UCV_KIND_DENIAL_COUNT, sizeof(*snap->denials),
				     sizeof(*snap->denials), &snap->nr_denials);
	/* The records have UCV_MAX_RESOURCES counters. */
	if (snap->nr_resources > UCV_MAX_RESOURCES)
		snap->nr_resources = UCV_MAX_RESOURCES;
}

static void check_index(const char *record, __u32 number, __u32 index, size_t nr)
{
	if (index >= nr)
		die("invalid snapshot: %s %u refers to a missing record", record, number);
}

/* Bad indices must not become wild pointers, nor a cycle of parents an endless loop. */
static void check_links(const struct snapshot *snap)
{
	for (size_t i = 0; i < snap->nr_userns; i++) {
		const struct ucv_userns *ns = &snap->userns[i];

		if (ns->parent == UCV_NO_INDEX)
			continue;
		check_index("user namespace", ns->inum, ns->parent, snap->nr_userns);
		if (snap->userns[ns->parent].level >= ns->level)
			die("invalid snapshot: parent of user namespace %u", ns->inum);
	}
	for (size_t i = 0; i < snap->nr_ucounts; i++)
		check_index("uid", snap->ucounts[i].uid, snap->ucounts[i].userns, snap->nr_userns);
	for (size_t i = 0; i < snap->nr_groups; i++) {
		const struct ucv_group *group = &snap->groups[i];

		check_index("group of uid", group->uid, group->userns, snap->nr_userns);
		check_index("group of uid", group->uid, group->group_resource, snap->nr_resources);
		check_index("group of uid", group->uid, group->mark_resource, snap->nr_resources);
	}
	for (size_t i = 0; i < snap->nr_holders; i++)
		check_index("process", snap->holders[i].tgid, snap->holders[i].group,
			    snap->nr_groups);
	for (size_t i = 0; i < snap->nr_mntns; i++)
		check_index("mount namespace", snap->mntns[i].inum, snap->mntns[i].userns,
			    snap->nr_userns);
}

static void terminate_strings(struct snapshot *snap)
{
	for (size_t i = 0; i < snap->nr_resources; i++)
		snap->resources[i].name[UCV_NAME_LEN - 1] = '\0';
	for (size_t i = 0; i < snap->nr_userns; i++)
		snap->userns[i].comm[UCV_COMM_LEN - 1] = '\0';
	for (size_t i = 0; i < snap->nr_holders; i++)
		snap->holders[i].comm[UCV_COMM_LEN - 1] = '\0';
	for (size_t i = 0; i < snap->nr_mntns; i++)
		snap->mntns[i].comm[UCV_COMM_LEN - 1] = '\0';
}

static uint64_t key_of_user(__u32 userns, __u32 uid)
{
	return (uint64_t)userns << 32 | uid;
}

/* Of two records of a user, the one that new charges go to is found. */
static void index_users(const struct snapshot *snap)
{
	struct index *index = &snap->lookups->users;

	index_reserve(index, snap->nr_ucounts);
	for (size_t i = 0; i < snap->nr_ucounts; i++) {
		const struct ucv_ucounts *uc = &snap->ucounts[i];
		uint64_t key = key_of_user(uc->userns, uc->uid);

		if (index_add(index, key, i) != i && !(uc->flags & UCV_UCOUNTS_SHADOWED))
			index_replace(index, key, i);
	}
}

static void index_userns(const struct snapshot *snap)
{
	index_reserve(&snap->lookups->userns, snap->nr_userns);
	for (size_t i = 0; i < snap->nr_userns; i++)
		index_add(&snap->lookups->userns, snap->userns[i].inum, i);
}

static void index_mntns(const struct snapshot *snap)
{
	index_reserve(&snap->lookups->mntns, snap->nr_mntns);
	for (size_t i = 0; i < snap->nr_mntns; i++)
		index_add(&snap->lookups->mntns, snap->mntns[i].inum, i);
}

/* Open the device and take a snapshot that the module keeps. Returns the file. */
static int open_and_take(struct snapshot *snap, __u64 needed, __u64 useful, __u64 spare,
			 __u32 flags)
{
	int fd;

	memset(snap, 0, sizeof(*snap));
	fd = device_open(&snap->info, 0);
	take(fd, snap, needed | (useful & snap->info.supported), spare & ~needed, flags);
	snap->fd = -1;
	snap->lookups = xcalloc(1, sizeof(*snap->lookups));
	return fd;
}

static void read_all(int fd, struct snapshot *snap)
{
	read_kept(fd, snap, snap->taken.filled);
	close(fd);
	terminate_strings(snap);
	check_links(snap);
}

/**
 * snapshot_take_sparing() - take a snapshot, if need be without some of its records
 * @snap: out; free with snapshot_free()
 * @needed: UCV_MASK() of the kinds of records that it must have
 * @useful: UCV_MASK() of those that are left out where the module does not support them
 * @spare: UCV_MASK() of those of @useful that are left out if the module has no memory for them;
 *	see @snap->left_out
 *
 * Exits with the reason if the device cannot be opened or the module fails.
 */
void snapshot_take_sparing(struct snapshot *snap, __u64 needed, __u64 useful, __u64 spare)
{
	read_all(open_and_take(snap, needed, useful, spare, 0), snap);
}

/**
 * snapshot_take() - snapshot_take_sparing() that leaves nothing out for lack of memory
 */
void snapshot_take(struct snapshot *snap, __u64 needed, __u64 useful)
{
	snapshot_take_sparing(snap, needed, useful, 0);
}

/**
 * snapshot_begin() - take a snapshot of the counters and of the namespaces that have some, and
 *	leave the counters with the module
 * @snap: out, without @snap->ucounts, which snapshot_each_ucounts() passes on; free with
 *	snapshot_free()
 *
 * Looks at no process, so it does not take longer if there are many. Exits as
 * snapshot_take_sparing() does.
 */
void snapshot_begin(struct snapshot *snap)
{
	const __u64 counters = UCV_MASK(UCV_KIND_UCOUNTS);
	int fd = open_and_take(snap, UCV_MASK(UCV_KIND_RESOURCE) | counters, 0, 0,
			       UCV_SNAPSHOT_NO_PROCESSES);

	read_kept(fd, snap, snap->taken.filled & ~counters);
	terminate_strings(snap);
	check_links(snap);
	snap->fd = fd;
}

/* Of counters that the module has kept, a portion at a time is in memory. */
static void each_read(struct snapshot *snap, ucounts_fn *see, void *arg)
{
	size_t stride = ucounts_stride(&snap->info), portion = PORTION / stride, first, nr;
	struct ucv_read req = { .kind = UCV_KIND_UCOUNTS, .record_size = stride };
	size_t total = count_records(snap->fd, UCV_KIND_UCOUNTS, stride);
	char *packed = xreallocarray(NULL, portion, stride);

	for (first = 0; first < total; first += nr) {
		nr = read_some(snap->fd, &req, first, packed,
			       total - first < portion ? total - first : portion);
		for (size_t i = 0; i < nr; i++) {
			const struct ucv_ucounts *uc = (const void *)(packed + i * stride);

			check_index("uid", uc->uid, uc->userns, snap->nr_userns);
			see(arg, uc, first + i);
		}
	}
	free(packed);
	close(snap->fd);
	snap->fd = -1;
}

/**
 * snapshot_each_ucounts() - pass each record of counters to a function
 * @see: called with @arg, the record, and its number; the record has only the counters of
 *	@snap->resources, and is gone after the call
 *
 * To be called once after snapshot_begin(): the module then frees the snapshot, and can be
 * unloaded. Exits if the module fails.
 */
void snapshot_each_ucounts(struct snapshot *snap, ucounts_fn *see, void *arg)
{
	if (snap->fd >= 0) {
		each_read(snap, see, arg);
		return;
	}
	for (size_t i = 0; i < snap->nr_ucounts; i++)
		see(arg, &snap->ucounts[i], i);
}

/**
 * snapshot_free() - free what snapshot_take() filled; {} if it has not been called
 */
void snapshot_free(struct snapshot *snap)
{
	if (snap->lookups) {
		index_free(&snap->lookups->users);
		index_free(&snap->lookups->userns);
		index_free(&snap->lookups->mntns);
		if (snap->fd >= 0)
			close(snap->fd);
	}
	free(snap->lookups);
	free(snap->resources);
	free(snap->userns);
	free(snap->ucounts);
	free(snap->groups);
	free(snap->holders);
	free(snap->mntns);
	free(snap->denials);
	memset(snap, 0, sizeof(*snap));
}

/**
 * snapshot_parent() - the parent of a user namespace, NULL for the initial one
 */
const struct ucv_userns *snapshot_parent(const struct snapshot *snap, const struct ucv_userns *ns)
{
	return ns->parent == UCV_NO_INDEX ? NULL : &snap->userns[ns->parent];
}

/**
 * snapshot_find() - the counters that new charges to a user (as the initial user namespace sees
 *	it) go to
 *
 * Return: the record, or NULL if nothing is charged to the user there.
 */
const struct ucv_ucounts *snapshot_find(const struct snapshot *snap, const struct ucv_userns *ns,
					__u32 uid)
{
	size_t found;

	if (!snap->lookups->users.nr)
		index_users(snap);
	found = index_find(&snap->lookups->users, key_of_user(ns - snap->userns, uid));
	return found == INDEX_NONE ? NULL : &snap->ucounts[found];
}

/**
 * snapshot_resource() - the index of a resource, or nr_resources if this kernel does not count it
 */
size_t snapshot_resource(const struct snapshot *snap, const char *name)
{
	size_t i;

	for (i = 0; i < snap->nr_resources; i++) {
		if (!strcmp(snap->resources[i].name, name))
			break;
	}
	return i;
}

/**
 * snapshot_find_userns() - a user namespace by its inode number, or NULL
 */
const struct ucv_userns *snapshot_find_userns(const struct snapshot *snap, __u32 inum)
{
	size_t found;

	if (!snap->lookups->userns.nr)
		index_userns(snap);
	found = index_find(&snap->lookups->userns, inum);
	return found == INDEX_NONE ? NULL : &snap->userns[found];
}

/**
 * snapshot_find_mntns() - a mount namespace by its inode number, or NULL
 */
const struct ucv_mntns *snapshot_find_mntns(const struct snapshot *snap, __u32 inum)
{
	size_t found;

	if (!snap->lookups->mntns.nr)
		index_mntns(snap);
	found = index_find(&snap->lookups->mntns, inum);
	return found == INDEX_NONE ? NULL : &snap->mntns[found];
}
