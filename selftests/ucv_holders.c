// SPDX-License-Identifier: GPL-2.0
/*
 * Snapshots of groups and holders, lookups in them, and checks.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ucv_holders.h"

static int read_groups(int fd, struct ucv_held *held)
{
	int nr;

	nr = ucv_read_kind(fd, UCV_KIND_GROUP, sizeof(*held->groups), (void **)&held->groups);
	if (nr < 0)
		return nr;
	held->nr_groups = nr;
	nr = ucv_read_kind(fd, UCV_KIND_HOLDER, sizeof(*held->holders), (void **)&held->holders);
	if (nr < 0)
		return nr;
	held->nr_holders = nr;
	return 0;
}

int ucv_held_take_from(int fd, struct ucv_held *held)
{
	int ret;

	memset(held, 0, sizeof(*held));
	ret = ucv_take_more(fd, UCV_MASK(UCV_KIND_HOLDER), &held->table);
	if (!ret)
		ret = read_groups(fd, held);
	if (ret)
		ucv_held_free(held);
	return ret;
}

int ucv_held_take(struct ucv_held *held)
{
	int fd = ucv_open();
	int ret;

	memset(held, 0, sizeof(*held));
	if (fd < 0)
		return fd;
	ret = ucv_held_take_from(fd, held);
	close(fd);
	return ret;
}

void ucv_held_free(struct ucv_held *held)
{
	ucv_free(&held->table);
	free(held->groups);
	free(held->holders);
	memset(held, 0, sizeof(*held));
}

const struct ucv_holder *ucv_holder(const struct ucv_held *held, pid_t tgid, pid_t tid, int fd)
{
	unsigned int i;

	for (i = 0; i < held->nr_holders; i++)
		if (held->holders[i].tgid == (__u32)tgid &&
		    held->holders[i].tid == (__u32)tid &&
		    held->holders[i].fd == (__u32)fd)
			return &held->holders[i];
	return NULL;
}

const struct ucv_group *ucv_group_held(const struct ucv_held *held, pid_t tgid, pid_t tid, int fd)
{
	const struct ucv_holder *holder = ucv_holder(held, tgid, tid, fd);

	if (!holder || holder->group >= held->nr_groups)
		return NULL;
	return &held->groups[holder->group];
}

static bool charged_to(const struct ucv_held *held,
		       const struct ucv_group *group, unsigned int inum,
		       unsigned int uid)
{
	return held->table.userns[group->userns].inum == inum &&
	       group->uid == uid;
}

unsigned int ucv_groups_of(const struct ucv_held *held, unsigned int inum, unsigned int uid)
{
	unsigned int nr = 0, i;

	for (i = 0; i < held->nr_groups; i++)
		nr += charged_to(held, &held->groups[i], inum, uid);
	return nr;
}

unsigned int ucv_holders_of(const struct ucv_held *held, unsigned int inum, unsigned int uid)
{
	unsigned int nr = 0, i;

	for (i = 0; i < held->nr_holders; i++)
		nr += charged_to(held, &held->groups[held->holders[i].group], inum, uid);
	return nr;
}

/* True if a charge to (userns, uid) is also charged to (inum, wanted). */
static bool reaches(const struct ucv_table *table, unsigned int userns,
		    unsigned int uid, unsigned int inum, unsigned int wanted)
{
	for (; userns != UCV_NO_INDEX; userns = table->userns[userns].parent) {
		if (table->userns[userns].inum == inum)
			return uid == wanted;
		uid = table->userns[userns].owner;
	}
	return false;
}

static long long explained(const struct ucv_group *group, unsigned int resource)
{
	if (group->group_resource == resource)
		return 1;
	if (group->mark_resource != resource || group->flags & UCV_GROUP_UNLIMITED_MARKS)
		return 0;
	return group->marks;
}

long long ucv_left(const struct ucv_held *held, unsigned int inum,
		   unsigned int uid, const char *resource)
{
	int index = ucv_resource(&held->table, resource);
	long long left = 0;
	unsigned int i;

	if (index < 0)
		return index;
	/* Root may have two rows. */
	for (i = 0; i < held->table.nr_rows; i++) {
		const struct ucv_ucounts *row = &held->table.rows[i];

		if (held->table.userns[row->userns].inum == inum && row->uid == uid)
			left += row->used[index];
	}
	for (i = 0; i < held->nr_groups; i++)
		if (reaches(&held->table, held->groups[i].userns, held->groups[i].uid, inum, uid))
			left -= explained(&held->groups[i], index);
	return left;
}

/* Returns a very large number on error. */
long long ucv_left_now(unsigned int inum, unsigned int uid, const char *resource)
{
	struct ucv_held held;
	long long left;

	if (ucv_held_take(&held))
		return 1LL << 62;
	left = ucv_left(&held, inum, uid, resource);
	ucv_held_free(&held);
	return left;
}

static bool resource_is(const struct ucv_held *held, unsigned int index, const char *name)
{
	return (int)index == ucv_resource(&held->table, name);
}

static const char *bad_group(const struct ucv_held *held, const struct ucv_group *group)
{
	const unsigned int all = UCV_GROUP_UNLIMITED_QUEUE |
				 UCV_GROUP_UNLIMITED_MARKS | UCV_GROUP_LAGGING |
				 UCV_GROUP_CLOSED | UCV_GROUP_MORE_HOLDERS;
	bool inotify = group->type == UCV_GROUP_INOTIFY;

	if (!inotify && group->type != UCV_GROUP_FANOTIFY)
		return "a group is of an unknown type";
	if (group->flags & ~all)
		return "a group has an unknown flag";
	if (inotify && group->flags & ~(UCV_GROUP_CLOSED | UCV_GROUP_MORE_HOLDERS))
		return "an inotify group has a flag of fanotify";
	if (group->userns >= held->table.nr_userns)
		return "a group's namespace index is out of range";
	if (!resource_is(held, group->group_resource, inotify ?
			 "inotify_instances" : "fanotify_groups") ||
	    !resource_is(held, group->mark_resource, inotify ?
			 "inotify_watches" : "fanotify_marks"))
		return "a group's counters are not those of its type";
	if (group->flags & UCV_GROUP_CLOSED && group->marks)
		return "a closed group has marks";
	if (!group->nr_holders)
		return "a group has no holder";
	if (group->nr_fds < group->nr_holders)
		return "a group has fewer descriptors than holders";
	if (group->flags & UCV_GROUP_MORE_HOLDERS ?
	    group->nr_holders <= UCV_GROUP_MAX_HOLDERS :
	    group->nr_holders > UCV_GROUP_MAX_HOLDERS)
		return "a group's flag of more holders is wrong";
	if (group->reserved)
		return "a reserved member of a group is set";
	return NULL;
}

static const char *bad_holder(const struct ucv_held *held, const struct ucv_holder *holder)
{
	if (holder->group >= held->nr_groups)
		return "a holder's group index is out of range";
	if (!holder->tgid || holder->tid == holder->tgid)
		return "a holder has a bad number";
	if (!memchr(holder->comm, 0, sizeof(holder->comm)) || !*holder->comm)
		return "a holder has a bad name";
	if (!holder->nr_fds)
		return "a holder has no descriptor";
	if (holder->padding || holder->reserved)
		return "a reserved member of a holder is set";
	return NULL;
}

static int compare_holders(const void *a, const void *b)
{
	const struct ucv_holder *x = a, *y = b;

	if (x->tgid != y->tgid)
		return x->tgid < y->tgid ? -1 : 1;
	if (x->tid != y->tid)
		return x->tid < y->tid ? -1 : 1;
	return x->group < y->group ? -1 : x->group > y->group;
}

/* Each holder of a group must be listed once. Sorts the holders. */
static const char *bad_twins(struct ucv_holder *holders, unsigned int nr)
{
	unsigned int i;

	qsort(holders, nr, sizeof(*holders), compare_holders);
	for (i = 1; i < nr; i++)
		if (!compare_holders(&holders[i - 1], &holders[i]))
			return "a holder of a group is there twice";
	return NULL;
}

/* Sums over the holder records of a group. */
struct sum {
	unsigned int holders;
	unsigned long long fds;
};

static const char *bad_sum(const struct ucv_group *group, const struct sum *sum)
{
	if (group->flags & UCV_GROUP_MORE_HOLDERS) {
		if (sum->holders != UCV_GROUP_MAX_HOLDERS)
			return "a group of many holders has not as many records as it may";
		return sum->fds < group->nr_fds ? NULL :
		       "a group of many holders has no descriptors of the others";
	}
	if (sum->holders != group->nr_holders)
		return "nr_holders is not the number of holders";
	return sum->fds == group->nr_fds ? NULL :
	       "nr_fds is not the sum of those of the holders";
}

/* Checks what holds on a busy system, too. Returns what is wrong, or an empty string. */
const char *ucv_held_inconsistent(const struct ucv_held *held)
{
	struct sum *sums = calloc(held->nr_groups + 1, sizeof(*sums));
	const char *bad = sums ? NULL : "no memory";
	unsigned int i;

	for (i = 0; i < held->nr_groups && !bad; i++)
		bad = bad_group(held, &held->groups[i]);
	for (i = 0; i < held->nr_holders && !bad; i++) {
		bad = bad_holder(held, &held->holders[i]);
		if (bad)
			break;
		sums[held->holders[i].group].holders++;
		sums[held->holders[i].group].fds += held->holders[i].nr_fds;
	}
	for (i = 0; i < held->nr_groups && !bad; i++)
		bad = bad_sum(&held->groups[i], &sums[i]);
	free(sums);
	if (!bad)
		bad = bad_twins(held->holders, held->nr_holders);
	return bad ? bad : ucv_inconsistent(&held->table);
}
