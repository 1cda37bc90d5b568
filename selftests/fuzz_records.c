// SPDX-License-Identifier: GPL-2.0
/*
 * What a record can say, whatever the system does: reserved members are zero, as is what is
 * behind a string or an array, flags are known, indexes exist.
 */
#define _GNU_SOURCE
#include <string.h>
#include <time.h>

#include "fuzz.h"

__u64 fuzz_boottime(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

bool fuzz_is_zero(const void *bytes, size_t size)
{
	const char *at = bytes;

	return !size || (!*at && !memcmp(at, at + 1, size - 1));
}

static bool is_string(const char *text, size_t size)
{
	const char *end = memchr(text, 0, size);

	return end && fuzz_is_zero(end, text + size - end);
}

static bool is_process(__u32 pid, const char *comm)
{
	return is_string(comm, UCV_COMM_LEN) && (pid || !comm[0]);
}

static const char *bad_resource(const void *record)
{
	const struct ucv_resource *resource = record;

	if (!is_string(resource->name, UCV_NAME_LEN) || !resource->name[0])
		return "a name";
	return resource->type > UCV_RESOURCE_RLIMIT || resource->unit > UCV_UNIT_PAGES ?
	       "a type or unit" : NULL;
}

static const char *bad_userns(const void *record)
{
	const struct ucv_userns *userns = record;
	const unsigned int nr = fuzz_info.nr_resources;

	if (!fuzz_is_zero(userns->reserved, sizeof(userns->reserved)))
		return "a reserved member";
	if (userns->flags & ~UCV_USERNS_MAP_UNKNOWN)
		return "flags";
	if (!is_process(userns->pid, userns->comm))
		return "a process";
	if (userns->level ? userns->parent == UCV_NO_INDEX : userns->parent != UCV_NO_INDEX)
		return "a level or parent";
	return fuzz_is_zero(userns->limit + nr, (UCV_MAX_RESOURCES - nr) * 8) ? NULL : "a limit";
}

static const char *bad_ucounts(const void *record)
{
	const struct ucv_ucounts *row = record;
	const unsigned int nr = fuzz_info.nr_resources;

	if (!fuzz_is_zero(row->reserved, sizeof(row->reserved)))
		return "a reserved member";
	if (row->flags & ~UCV_UCOUNTS_SHADOWED)
		return "flags";
	return fuzz_is_zero(row->used + nr, (UCV_MAX_RESOURCES - nr) * 8) ? NULL : "a counter";
}

static const char *bad_mntns(const void *record)
{
	const struct ucv_mntns *mntns = record;

	if (!fuzz_is_zero(mntns->reserved, sizeof(mntns->reserved)))
		return "a reserved member";
	if (mntns->flags & ~UCV_MNTNS_UNCHARGED ||
	    (mntns->flags && mntns->uid != UCV_UID_UNMAPPED))
		return "flags";
	return is_process(mntns->pid, mntns->comm) ? NULL : "a process";
}

static const char *bad_count(const void *record)
{
	const struct ucv_denial_count *count = record;

	if (!fuzz_is_zero(count->reserved, sizeof(count->reserved)))
		return "a reserved member";
	if (count->flags & ~UCV_DENIAL_COUNT_OTHERS)
		return "flags";
	if (!count->denials || count->last_ns > fuzz_boottime())
		return "a number or time";
	return count->type > UCV_DENIAL_PIDNS_DEPTH ? "a type" : NULL;
}

static const char *bad_group(const void *record)
{
	const struct ucv_group *group = record;

	if (group->reserved)
		return "a reserved member";
	if (group->type > UCV_GROUP_FANOTIFY || group->flags >= UCV_GROUP_MORE_HOLDERS * 2)
		return "a type or flags";
	if (!group->nr_holders || group->nr_fds < group->nr_holders)
		return "a number of holders";
	return group->group_resource >= fuzz_info.nr_resources ||
	       group->mark_resource >= fuzz_info.nr_resources ? "a resource" : NULL;
}

static const char *bad_holder(const void *record)
{
	const struct ucv_holder *holder = record;

	if (holder->reserved || holder->padding)
		return "a reserved member";
	return holder->nr_fds && holder->tgid && is_string(holder->comm, UCV_COMM_LEN) ?
	       NULL : "a process";
}

static const struct {
	size_t size;
	const char *(*bad)(const void *record);
} records[UCV_NR_KINDS] = {
	{ sizeof(struct ucv_resource), bad_resource },
	{ sizeof(struct ucv_userns), bad_userns },
	{ sizeof(struct ucv_ucounts), bad_ucounts },
	{ sizeof(struct ucv_mntns), bad_mntns },
	{ sizeof(struct ucv_denial_count), bad_count },
	{ sizeof(struct ucv_group), bad_group },
	{ sizeof(struct ucv_holder), bad_holder },
};

size_t fuzz_record_size(__u32 kind)
{
	return records[kind].size;
}

/* Records that are cut are not searched. */
const char *fuzz_bad_record(__u32 kind, const void *record, size_t size)
{
	const size_t known = records[kind].size;
	const char *bad;

	if (size < known)
		return NULL;
	bad = records[kind].bad(record);
	if (bad)
		return bad;
	return fuzz_is_zero((const char *)record + known, size - known) ? NULL : "padding";
}

const char *fuzz_bad_denial(const struct ucv_denial *denial)
{
	const bool depth = denial->type == UCV_DENIAL_USERNS_DEPTH ||
			   denial->type == UCV_DENIAL_PIDNS_DEPTH;
	const bool named = denial->type != UCV_DENIAL_MOUNT && !depth;

	if (denial->size != sizeof(*denial) || denial->type > UCV_DENIAL_PIDNS_DEPTH)
		return "a size or type";
	if (!fuzz_is_zero(denial->reserved, sizeof(denial->reserved)))
		return "a reserved member";
	if (denial->flags & ~(UCV_DENIAL_UNSURE | UCV_DENIAL_USED_UNKNOWN | UCV_DENIAL_ASKED_MORE))
		return "flags";
	if (named ? denial->resource >= fuzz_info.nr_resources : denial->resource != UCV_NO_INDEX)
		return "a resource";
	if (denial->level > denial->charged_level)
		return "a level";
	if (denial->type != UCV_DENIAL_MOUNT && (denial->pending || denial->mntns))
		return "a mount namespace";
	if (!denial->pid || !denial->tgid || !is_string(denial->comm, UCV_COMM_LEN))
		return "a process";
	return denial->time_ns > fuzz_boottime() ? "a time" : NULL;
}
