// SPDX-License-Identifier: GPL-2.0
/*
 * The resources: their names are exactly those that the kernel uses, and the limits of the
 * initial namespace are those of its sysctls.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>

#include "kselftest_harness.h"
#include "ucv_test.h"

#define USER_SYSCTLS	"/proc/sys/user"
#define KERNEL_BTF	"/sys/kernel/btf/vmlinux"

FIXTURE(resources) {
	struct ucv_table table;
	unsigned int init;
};

FIXTURE_SETUP(resources)
{
	self->init = ucv_userns_of(getpid());
	ASSERT_EQ(0, ucv_take(&self->table));
}

FIXTURE_TEARDOWN(resources)
{
	ucv_free(&self->table);
}

static unsigned int count_type(const struct ucv_table *table, __u32 type)
{
	unsigned int i, nr = 0;

	for (i = 0; i < table->nr_resources; i++)
		nr += table->resources[i].type == type;
	return nr;
}

/* Each /proc/sys/user/max_NAME has a resource NAME of type UCV_RESOURCE_UCOUNT and vice versa. */
UCV_TEST_F(resources, names_of_ucounts_are_those_of_sysctls)
{
	DIR *dir = opendir(USER_SYSCTLS);
	struct dirent *entry;
	unsigned int nr = 0;
	int i;

	ASSERT_NE(NULL, dir);
	while ((entry = readdir(dir))) {
		if (strncmp(entry->d_name, "max_", 4))
			continue;
		nr++;
		i = ucv_resource(&self->table, entry->d_name + 4);
		EXPECT_LE(0, i)
			TH_LOG("there is no resource %s", entry->d_name + 4);
		if (i >= 0)
			EXPECT_EQ((__u32)UCV_RESOURCE_UCOUNT, self->table.resources[i].type);
	}
	closedir(dir);
	EXPECT_LE(8U, nr);
	EXPECT_EQ(nr, count_type(&self->table, UCV_RESOURCE_UCOUNT));
}

/*
 * Counts the enumerators UCOUNT_RLIMIT_* in the strings of the kernel's BTF. The module looks
 * them up by type; this searches for bytes.
 */
static unsigned int count_rlimits_in_btf(struct __test_metadata *_metadata,
					 const struct ucv_table *table)
{
	static const char prefix[] = "\0UCOUNT_RLIMIT_";
	size_t length, i, nr = 0;
	char name[UCV_NAME_LEN];
	char *btf, *at, *end;

	btf = ucv_slurp(KERNEL_BTF, &length);
	ASSERT_NE(NULL, btf);
	end = btf + length;
	for (at = btf; (at = memmem(at, end - at, prefix, sizeof(prefix) - 1));
	     at++) {
		snprintf(name, sizeof(name), "%s", at + 1 + strlen("UCOUNT_"));
		if (!strcmp(name, "RLIMIT_COUNTS"))
			continue;
		for (i = 0; name[i]; i++)
			name[i] = tolower(name[i]);
		nr++;
		EXPECT_LE(0, ucv_resource(table, name))
			TH_LOG("there is no resource %s", name);
	}
	free(btf);
	return nr;
}

UCV_TEST_F(resources, names_of_rlimits_are_those_of_the_kernel)
{
	static const char *const known[] = {
		"rlimit_nproc", "rlimit_msgqueue", "rlimit_sigpending",
		"rlimit_memlock",
	};
	bool has = self->table.info.features & UCV_FEATURE_RLIMITS;
	unsigned int nr = count_type(&self->table, UCV_RESOURCE_RLIMIT);
	unsigned int i;

	EXPECT_EQ(has, nr > 0);
	for (i = 0; i < ARRAY_SIZE(known) && has; i++) {
		int index = ucv_resource(&self->table, known[i]);

		ASSERT_LE(0, index);
		EXPECT_EQ((__u32)UCV_RESOURCE_RLIMIT, self->table.resources[index].type);
	}
	if (self->table.info.features & UCV_FEATURE_BTF)
		EXPECT_EQ(count_rlimits_in_btf(_metadata, &self->table), nr);
}

/* Two resources of the same name could not be told apart. */
UCV_TEST_F(resources, names_are_unique_and_terminated)
{
	const struct ucv_resource *resource;
	unsigned int i, j;

	EXPECT_EQ(self->table.info.nr_resources, self->table.nr_resources);
	ASSERT_GE((unsigned int)UCV_MAX_RESOURCES, self->table.nr_resources);
	for (i = 0; i < self->table.nr_resources; i++) {
		resource = &self->table.resources[i];
		ASSERT_NE(NULL, memchr(resource->name, 0, UCV_NAME_LEN));
		EXPECT_EQ(strlen(resource->name),
			  strspn(resource->name,
				 "abcdefghijklmnopqrstuvwxyz_0123456789"));
		for (j = strlen(resource->name); j < UCV_NAME_LEN; j++)
			EXPECT_EQ(0, resource->name[j]);
		for (j = 0; j < i; j++)
			EXPECT_STRNE(resource->name, self->table.resources[j].name);
		EXPECT_EQ(!strncmp(resource->name, "rlimit_", 7),
			  resource->type == UCV_RESOURCE_RLIMIT);
	}
}

UCV_TEST_F(resources, units_are_known)
{
	const struct ucv_resource *resource;
	unsigned int i;
	__u32 unit;

	for (i = 0; i < self->table.nr_resources; i++) {
		resource = &self->table.resources[i];
		unit = UCV_UNIT_OBJECTS;
		if (!strcmp(resource->name, "rlimit_msgqueue"))
			unit = UCV_UNIT_BYTES;
		if (!strcmp(resource->name, "rlimit_memlock"))
			unit = UCV_UNIT_PAGES;
		EXPECT_EQ(unit, resource->unit)
			TH_LOG("%.32s", resource->name);
	}
}

UCV_TEST_F(resources, btf_feature_is_reported)
{
	EXPECT_EQ(!access(KERNEL_BTF, R_OK), !!(self->table.info.features & UCV_FEATURE_BTF));
}

/* The limits of the initial namespace, read and changed by both of their sysctls */

static void check_limit(struct __test_metadata *_metadata, unsigned int init,
			const char *resource, const char *path)
{
	struct ucv_table table;

	ASSERT_EQ(0, ucv_take(&table));
	EXPECT_EQ(ucv_read_number(path), ucv_limit(&table, init, resource))
		TH_LOG("%s against %s", resource, path);
	ucv_free(&table);
}

UCV_TEST_F(resources, limits_are_those_of_user_sysctls)
{
	unsigned int i, nr = 0;
	char path[PATH_MAX];
	const char *name;

	for (i = 0; i < self->table.nr_resources; i++) {
		if (self->table.resources[i].type != UCV_RESOURCE_UCOUNT)
			continue;
		name = self->table.resources[i].name;
		snprintf(path, sizeof(path), USER_SYSCTLS "/max_%s", name);
		check_limit(_metadata, self->init, name, path);
		/* A number that no other resource has. */
		ASSERT_EQ(0, ucv_sysctl(path, 100000 + i));
		check_limit(_metadata, self->init, name, path);
		nr++;
	}
	EXPECT_LE(8U, nr);
	ucv_free(&self->table);
	ASSERT_EQ(0, ucv_take(&self->table));
	for (i = 0; i < self->table.nr_resources; i++)
		if (self->table.resources[i].type == UCV_RESOURCE_UCOUNT)
			EXPECT_EQ(100000LL + i,
				  ucv_limit(&self->table, self->init,
					    self->table.resources[i].name));
}

/* Some limits have a second sysctl. */
FIXTURE(fs_sysctl) {
	unsigned int init;
};

FIXTURE_VARIANT(fs_sysctl) {
	const char *resource;
	const char *path;
};

FIXTURE_VARIANT_ADD(fs_sysctl, inotify_instances) {
	.resource = "inotify_instances", .path = "/proc/sys/fs/inotify/max_user_instances",
};

FIXTURE_VARIANT_ADD(fs_sysctl, inotify_watches) {
	.resource = "inotify_watches", .path = "/proc/sys/fs/inotify/max_user_watches",
};

FIXTURE_VARIANT_ADD(fs_sysctl, fanotify_groups) {
	.resource = "fanotify_groups", .path = "/proc/sys/fs/fanotify/max_user_groups",
};

FIXTURE_VARIANT_ADD(fs_sysctl, fanotify_marks) {
	.resource = "fanotify_marks", .path = "/proc/sys/fs/fanotify/max_user_marks",
};

FIXTURE_SETUP(fs_sysctl)
{
	if (access(variant->path, R_OK))
		SKIP(return, "the kernel has no %s", variant->path);
	self->init = ucv_userns_of(getpid());
}

FIXTURE_TEARDOWN(fs_sysctl)
{
}

UCV_TEST_F(fs_sysctl, limit_is_that_of_the_fs_sysctl)
{
	check_limit(_metadata, self->init, variant->resource, variant->path);
	ASSERT_EQ(0, ucv_sysctl(variant->path, 4321));
	check_limit(_metadata, self->init, variant->resource, variant->path);
}

TEST_HARNESS_MAIN
