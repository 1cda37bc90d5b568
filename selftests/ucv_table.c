// SPDX-License-Identifier: GPL-2.0
/*
 * Complete snapshots taken through the device, lookups in them, and checks.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "ucv_test.h"

int ucv_open(void)
{
	int fd = open(UCV_DEVICE_PATH, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int snapshot_with(int fd, __u64 request, __u32 flags, struct ucv_snapshot *snapshot)
{
	memset(snapshot, 0, sizeof(*snapshot));
	snapshot->request = request;
	snapshot->flags = flags;
	return ioctl(fd, UCV_IOC_SNAPSHOT, snapshot) ? -errno : 0;
}

int ucv_snapshot(int fd, __u64 request, struct ucv_snapshot *snapshot)
{
	return snapshot_with(fd, request, 0, snapshot);
}

int ucv_read(int fd, __u32 kind, __u32 record_size, __u64 first, void *buf,
	     size_t size, struct ucv_read *result)
{
	memset(result, 0, sizeof(*result));
	result->kind = kind;
	result->record_size = record_size;
	result->first = first;
	result->buf = (uintptr_t)buf;
	result->buf_size = size;
	return ioctl(fd, UCV_IOC_READ, result) ? -errno : 0;
}

/* Allocates and reads all records of a kind. Returns their number or an error. */
int ucv_read_kind(int fd, __u32 kind, __u32 record_size, void **records)
{
	struct ucv_read result;
	size_t size;
	int ret;

	ret = ucv_read(fd, kind, record_size, 0, NULL, 0, &result);
	if (ret)
		return ret;
	size = result.total * record_size;
	*records = calloc(result.total + 1, record_size);
	if (!*records)
		return -ENOMEM;
	ret = ucv_read(fd, kind, record_size, 0, *records, size, &result);
	if (!ret && result.nr != result.total)
		ret = -EIO;
	return ret ? ret : (int)result.nr;
}

static int read_kinds(int fd, struct ucv_table *table)
{
	int nr;

	nr = ucv_read_kind(fd, UCV_KIND_RESOURCE, sizeof(struct ucv_resource),
			   (void **)&table->resources);
	if (nr < 0)
		return nr;
	table->nr_resources = nr;
	nr = ucv_read_kind(fd, UCV_KIND_USERNS, sizeof(struct ucv_userns), (void **)&table->userns);
	if (nr < 0)
		return nr;
	table->nr_userns = nr;
	nr = ucv_read_kind(fd, UCV_KIND_UCOUNTS, sizeof(struct ucv_ucounts), (void **)&table->rows);
	if (nr < 0)
		return nr;
	table->nr_rows = nr;
	return 0;
}

static int take_with(int fd, __u64 more, __u32 flags, struct ucv_table *table)
{
	int ret;

	memset(table, 0, sizeof(*table));
	if (ioctl(fd, UCV_IOC_INFO, &table->info))
		return -errno;
	ret = snapshot_with(fd, UCV_ALL_KINDS | more, flags, &table->snapshot);
	if (!ret)
		ret = read_kinds(fd, table);
	if (ret)
		ucv_free(table);
	return ret;
}

/* Requests the kinds @more as well, which the caller reads. */
int ucv_take_more(int fd, __u64 more, struct ucv_table *table)
{
	return take_with(fd, more, 0, table);
}

int ucv_take_from(int fd, struct ucv_table *table)
{
	return take_with(fd, 0, 0, table);
}

int ucv_take_without_processes(int fd, struct ucv_table *table)
{
	return take_with(fd, 0, UCV_SNAPSHOT_NO_PROCESSES, table);
}

int ucv_take(struct ucv_table *table)
{
	int fd = ucv_open();
	int ret;

	memset(table, 0, sizeof(*table));
	if (fd < 0)
		return fd;
	ret = ucv_take_from(fd, table);
	close(fd);
	return ret;
}

void ucv_free(struct ucv_table *table)
{
	free(table->resources);
	free(table->userns);
	free(table->rows);
	memset(table, 0, sizeof(*table));
}

int ucv_resource(const struct ucv_table *table, const char *name)
{
	unsigned int i;

	for (i = 0; i < table->nr_resources; i++)
		if (!strcmp(table->resources[i].name, name))
			return i;
	return -ENOENT;
}

const struct ucv_userns *ucv_userns(const struct ucv_table *table, unsigned int inum)
{
	unsigned int i;

	for (i = 0; i < table->nr_userns; i++)
		if (table->userns[i].inum == inum)
			return &table->userns[i];
	return NULL;
}

const struct ucv_ucounts *ucv_row(const struct ucv_table *table,
				  unsigned int inum, unsigned int uid)
{
	unsigned int i;

	for (i = 0; i < table->nr_rows; i++) {
		const struct ucv_ucounts *row = &table->rows[i];

		if (row->uid == uid && !(row->flags & UCV_UCOUNTS_SHADOWED) &&
		    row->userns < table->nr_userns &&
		    table->userns[row->userns].inum == inum)
			return row;
	}
	return NULL;
}

/* 0 if there is no row, as nothing is charged then. */
long long ucv_used(const struct ucv_table *table, unsigned int inum,
		   unsigned int uid, const char *resource)
{
	const struct ucv_ucounts *row = ucv_row(table, inum, uid);
	int i = ucv_resource(table, resource);

	if (i < 0)
		return i;
	return row ? row->used[i] : 0;
}

long long ucv_limit(const struct ucv_table *table, unsigned int inum, const char *resource)
{
	const struct ucv_userns *userns = ucv_userns(table, inum);
	int i = ucv_resource(table, resource);

	return userns && i >= 0 ? userns->limit[i] : -ENOENT;
}

long long ucv_used_now(unsigned int inum, unsigned int uid, const char *resource)
{
	struct ucv_table table;
	long long used;
	int ret;

	ret = ucv_take(&table);
	if (ret)
		return ret;
	used = ucv_used(&table, inum, uid, resource);
	ucv_free(&table);
	return used;
}

bool ucv_row_now(unsigned int inum, unsigned int uid)
{
	struct ucv_table table;
	bool found;

	if (ucv_take(&table))
		return true;
	found = ucv_row(&table, inum, uid);
	ucv_free(&table);
	return found;
}

bool ucv_userns_now(unsigned int inum)
{
	struct ucv_table table;
	bool found;

	if (ucv_take(&table))
		return true;
	found = ucv_userns(&table, inum);
	ucv_free(&table);
	return found;
}

/* The number of rows of all users of a namespace, or an error. */
long ucv_rows_now(unsigned int inum)
{
	const struct ucv_userns *userns;
	struct ucv_table table;
	long rows;

	rows = ucv_take(&table);
	if (rows)
		return rows;
	userns = ucv_userns(&table, inum);
	if (userns)
		rows = userns->nr_ucounts;
	ucv_free(&table);
	return rows;
}

bool ucv_feature(__u64 feature)
{
	struct ucv_info info = {};
	int fd = ucv_open();
	bool has;

	if (fd < 0)
		return false;
	has = !ioctl(fd, UCV_IOC_INFO, &info) && (info.features & feature);
	close(fd);
	return has;
}

static const char *bad_userns(const struct ucv_table *table, unsigned int i)
{
	const struct ucv_userns *userns = &table->userns[i];
	unsigned int rows = 0, j;

	if (userns->parent == UCV_NO_INDEX) {
		if (userns->level)
			return "a namespace has no parent";
	} else if (userns->parent >= table->nr_userns) {
		return "a parent's index is out of range";
	} else if (userns->level != table->userns[userns->parent].level + 1) {
		return "a namespace is not one level below its parent";
	}
	if (!userns->inum)
		return "a namespace has no inode number";
	if (userns->reserved[0] || userns->reserved[1])
		return "a reserved member of a namespace is set";
	for (j = 0; j < table->nr_rows; j++)
		rows += table->rows[j].userns == i;
	if (rows != userns->nr_ucounts)
		return "nr_ucounts is not the number of rows";
	for (j = table->nr_resources; j < UCV_MAX_RESOURCES; j++)
		if (userns->limit[j])
			return "a limit is set beyond the last resource";
	return NULL;
}

static const char *bad_row(const struct ucv_table *table, unsigned int i)
{
	const struct ucv_ucounts *row = &table->rows[i];
	unsigned int j;

	if (row->userns >= table->nr_userns)
		return "a row's namespace index is out of range";
	if (row->reserved[0] || row->reserved[1])
		return "a reserved member of a row is set";
	if (row->flags & ~UCV_UCOUNTS_SHADOWED)
		return "a row has an unknown flag";
	for (j = 0; j < table->nr_resources; j++)
		if (table->resources[j].type == UCV_RESOURCE_UCOUNT && row->used[j] < 0)
			return "a counter is negative";
	for (; j < UCV_MAX_RESOURCES; j++)
		if (row->used[j])
			return "a counter is set beyond the last resource";
	return NULL;
}

static int compare_rows(const void *a, const void *b)
{
	const struct ucv_ucounts *const *x = a;
	const struct ucv_ucounts *const *y = b;

	if ((*x)->userns != (*y)->userns)
		return (*x)->userns < (*y)->userns ? -1 : 1;
	if ((*x)->uid != (*y)->uid)
		return (*x)->uid < (*y)->uid ? -1 : 1;
	return 0;
}

/* At most one row for a namespace and user, apart from those flagged as shadowed. */
static const char *bad_twins(const struct ucv_table *table)
{
	const struct ucv_ucounts **sorted;
	const char *bad = NULL;
	unsigned int nr = 0, i;

	sorted = calloc(table->nr_rows + 1, sizeof(*sorted));
	if (!sorted)
		return "no memory";
	for (i = 0; i < table->nr_rows; i++)
		if (!(table->rows[i].flags & UCV_UCOUNTS_SHADOWED))
			sorted[nr++] = &table->rows[i];
	qsort(sorted, nr, sizeof(*sorted), compare_rows);
	for (i = 1; i < nr; i++)
		if (!compare_rows(&sorted[i - 1], &sorted[i]))
			bad = "a namespace and user have two rows";
	free(sorted);
	return bad;
}

/* Checks what holds on a busy system, too. Returns what is wrong, or an empty string. */
const char *ucv_inconsistent(const struct ucv_table *table)
{
	unsigned int roots = 0, i;
	const char *bad;

	for (i = 0; i < table->nr_rows; i++) {
		bad = bad_row(table, i);
		if (bad)
			return bad;
	}
	for (i = 0; i < table->nr_userns; i++) {
		bad = bad_userns(table, i);
		if (bad)
			return bad;
		roots += !table->userns[i].level;
	}
	if (roots != 1)
		return "there is not one initial namespace";
	if (table->nr_resources != table->info.nr_resources)
		return "nr_resources is not the number of resources";
	if (table->snapshot.end_ns < table->snapshot.start_ns)
		return "the walk ended before it began";
	bad = bad_twins(table);
	return bad ? bad : "";
}

bool ucv_tables_equal(const struct ucv_table *a, const struct ucv_table *b)
{
	return a->nr_userns == b->nr_userns && a->nr_rows == b->nr_rows &&
	       !memcmp(a->userns, b->userns, a->nr_userns * sizeof(*a->userns)) &&
	       !memcmp(a->rows, b->rows, a->nr_rows * sizeof(*a->rows));
}
