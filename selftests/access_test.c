// SPDX-License-Identifier: GPL-2.0
/*
 * Who can open the device and debugfs: not the root of a container, in no way that it has; the
 * members of a group that the administrator gives the device to can read it, and nothing else.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "kselftest_harness.h"
#include "ucv_denials.h"

#define ACCESS_UID	(UCV_UID + 970)
#define ACCESS_GID	(UCV_UID + 971)
#define WATCHES		3

FIXTURE(access) {
	struct ucv_agent agent;
	struct stat device;
	char dir[64];
};

FIXTURE_SETUP(access)
{
	ASSERT_EQ(0, stat(UCV_DEVICE_PATH, &self->device));
	ASSERT_EQ(0, ucv_make_files(self->dir, sizeof(self->dir), WATCHES));
	ASSERT_EQ(0, chmod(self->dir, 0777));
	ASSERT_EQ(0, ucv_agent_start(&self->agent));
}

FIXTURE_TEARDOWN(access)
{
	EXPECT_EQ(0, chown(UCV_DEVICE_PATH, self->device.st_uid, self->device.st_gid));
	EXPECT_EQ(0, chmod(UCV_DEVICE_PATH, self->device.st_mode & 07777));
	ucv_agent_stop(&self->agent);
	ucv_remove_files(self->dir, WATCHES);
}

static const int modes[] = { O_RDONLY, O_WRONLY, O_RDWR, O_WRONLY | O_RDWR, O_RDONLY | O_NONBLOCK };

static void cannot_open(struct __test_metadata *_metadata, struct ucv_agent *agent,
			const char *path)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(modes); i++)
		EXPECT_EQ(-EACCES, ucv_agent_text(agent, ucv_do_open, path, modes[i], 0, 0))
			TH_LOG("%s, mode %d", path, modes[i]);
}

/* Checks all files there are. */
static void cannot_open_debugfs(struct __test_metadata *_metadata, struct ucv_agent *agent)
{
	struct dirent *entry;
	char path[512];
	DIR *dir;

	if (!ucv_has_debugfs())
		return;
	dir = opendir(UCV_DEBUGFS);
	ASSERT_NE(NULL, dir);
	while ((entry = readdir(dir))) {
		snprintf(path, sizeof(path), UCV_DEBUGFS "/%s", entry->d_name);
		if (entry->d_name[0] != '.')
			cannot_open(_metadata, agent, path);
	}
	closedir(dir);
}

/* Parameters, which root sets, and unloading */

static long do_unload(struct ucv_call *call)
{
	(void)call;
	return syscall(SYS_delete_module, "ucountview", O_NONBLOCK) ? -errno : 0;
}

static void cannot_change(struct __test_metadata *_metadata, struct ucv_agent *agent)
{
	EXPECT_EQ(-EACCES, ucv_agent_text(agent, ucv_do_write, UCV_ALWAYS_ON "\nY", 0, 0, 0));
	EXPECT_EQ(-EACCES, ucv_agent_text(agent, ucv_do_write,
					  UCV_PARAMETERS "/max_snapshot_kib\n0", 0, 0, 0));
	EXPECT_EQ(-EPERM, ucv_agent_call(agent, do_unload, 0, 0, 0));
}

/* A container: root in a user namespace and a mount namespace, which is a user without rights. */

static long do_drop_groups(struct ucv_call *call)
{
	const gid_t gid = call->a;

	return setgroups(call->b, &gid) || setresgid(gid, gid, gid) ? -errno : 0;
}

static long do_own_mounts(struct ucv_call *call)
{
	(void)call;
	return unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ?
	       -errno : 0;
}

/* Other uids are mapped, too, as for most containers; only the host's root is not. */
static void become_container(struct __test_metadata *_metadata, struct ucv_agent *agent, gid_t gid)
{
	char map[64];

	ASSERT_EQ(0, ucv_agent_call(agent, do_drop_groups, gid, gid == ACCESS_GID, 0));
	ASSERT_EQ(0, ucv_agent_call(agent, ucv_do_uids, -1, ACCESS_UID, 0));
	snprintf(map, sizeof(map), "0 %u 1\n1 %u 20", ACCESS_UID, ACCESS_UID + 100);
	ASSERT_EQ(0, ucv_agent_userns(agent, NULL, map));
	ASSERT_EQ(0, ucv_agent_call(agent, ucv_do_uids, 0, 0, 0));
	ASSERT_EQ(0, ucv_agent_call(agent, do_own_mounts, 0, 0, 0));
}

static long do_mknod(struct ucv_call *call)
{
	return mknod(call->text, S_IFCHR | 0666, makedev(call->a, call->b)) ? -errno : 0;
}

static long do_mount(struct ucv_call *call)
{
	return mount("none", call->text, call->text + strlen(call->text) + 1, 0, NULL) ? -errno : 0;
}

/* It may not mount this, or the kernel has none. */
static bool is_refused(long ret)
{
	return ret == -EPERM || ret == -ENODEV;
}

static long mount_in(struct ucv_agent *agent, const char *dir, const char *type)
{
	struct ucv_call call = { .fn = do_mount, .fd = -1 };

	snprintf(call.text, sizeof(call.text), "%s%c%s", dir, '\0', type);
	return ucv_agent_ask(agent, &call);
}

UCV_TEST_F(access, container_root_cannot_open)
{
	const dev_t device = self->device.st_rdev;
	char node[128];

	become_container(_metadata, &self->agent, ACCESS_GID + 1);
	cannot_open(_metadata, &self->agent, UCV_DEVICE_PATH);
	cannot_open_debugfs(_metadata, &self->agent);
	cannot_change(_metadata, &self->agent);
	snprintf(node, sizeof(node), "%s/node", self->dir);
	EXPECT_EQ(-EPERM, ucv_agent_text(&self->agent, do_mknod, node, major(device),
					 minor(device), 0));
	EXPECT_TRUE(is_refused(mount_in(&self->agent, self->dir, "debugfs")));
	EXPECT_TRUE(is_refused(mount_in(&self->agent, self->dir, "tracefs")));
	EXPECT_TRUE(is_refused(mount_in(&self->agent, self->dir, "devtmpfs")));
	/* It is root there: it can mount what a container may. */
	EXPECT_EQ(0, mount_in(&self->agent, self->dir, "tmpfs"));
}

/* The device of a group, as the admin guide has it */

static void give_to_group(struct __test_metadata *_metadata)
{
	ASSERT_EQ(0, chown(UCV_DEVICE_PATH, 0, ACCESS_GID));
	ASSERT_EQ(0, chmod(UCV_DEVICE_PATH, 0440));
}

/* In the agent: the watches of user a, as it reads them. */
static long do_read_watches(struct ucv_call *call)
{
	struct ucv_table table;
	long ret = ucv_take(&table);

	if (ret)
		return ret;
	ret = *ucv_inconsistent(&table) ? -EBADMSG :
	      ucv_used(&table, table.userns[0].inum, call->a, "inotify_watches");
	ucv_free(&table);
	return ret;
}

/* In the agent: listens with flags a. */
static long do_listen(struct ucv_call *call)
{
	int fd = ucv_listener(call->a);

	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : 0;
}

UCV_TEST_F(access, group_member_reads_and_listens)
{
	const bool denials = ucv_feature(UCV_FEATURE_DENIALS);
	struct ucv_agent watcher;

	ASSERT_EQ(0, ucv_agent_start(&watcher));
	ASSERT_EQ(0, ucv_agent_call(&watcher, ucv_do_uids, ACCESS_UID + 1, ACCESS_UID + 1, 0));
	ASSERT_EQ(0, ucv_agent_call(&watcher, ucv_do_inotify, 1, 0, 0));
	ASSERT_EQ(WATCHES, ucv_agent_text(&watcher, ucv_do_watch, self->dir, 0, 0, WATCHES));
	give_to_group(_metadata);
	ASSERT_EQ(0, ucv_agent_call(&self->agent, do_drop_groups, ACCESS_GID, 1, 0));
	ASSERT_EQ(0, ucv_agent_call(&self->agent, ucv_do_uids, ACCESS_UID, ACCESS_UID, ACCESS_UID));
	EXPECT_EQ(WATCHES, ucv_agent_call(&self->agent, do_read_watches, ACCESS_UID + 1, 0, 0));
	EXPECT_EQ(denials ? 0 : -EOPNOTSUPP,
		  ucv_agent_call(&self->agent, do_listen, UCV_LISTEN_ARM, 0, 0));
	EXPECT_EQ(denials ? 0 : -EOPNOTSUPP,
		  ucv_agent_call(&self->agent, do_listen, UCV_LISTEN_OLDEST, 0, 0));
	ucv_agent_stop(&watcher);
}

UCV_TEST_F(access, group_member_can_do_nothing_else)
{
	unsigned int i;

	give_to_group(_metadata);
	ASSERT_EQ(0, ucv_agent_call(&self->agent, do_drop_groups, ACCESS_GID, 1, 0));
	ASSERT_EQ(0, ucv_agent_call(&self->agent, ucv_do_uids, ACCESS_UID, ACCESS_UID, ACCESS_UID));
	for (i = 0; i < ARRAY_SIZE(modes); i++)
		EXPECT_EQ(modes[i] & O_ACCMODE ? -EACCES : 0,
			  ucv_agent_text(&self->agent, ucv_do_open, UCV_DEVICE_PATH, modes[i],
					 0, 0));
	cannot_open_debugfs(_metadata, &self->agent);
	cannot_change(_metadata, &self->agent);
}

UCV_TEST_F(access, others_than_the_group_cannot_open)
{
	give_to_group(_metadata);
	ASSERT_EQ(0, ucv_agent_call(&self->agent, do_drop_groups, ACCESS_GID + 1, 0, 0));
	ASSERT_EQ(0, ucv_agent_call(&self->agent, ucv_do_uids, ACCESS_UID, ACCESS_UID, ACCESS_UID));
	cannot_open(_metadata, &self->agent, UCV_DEVICE_PATH);
}

/* The kernel checks the group itself, not what a user namespace calls it. */
UCV_TEST_F(access, group_member_stays_one_in_a_container)
{
	give_to_group(_metadata);
	become_container(_metadata, &self->agent, ACCESS_GID);
	EXPECT_EQ(0, ucv_agent_text(&self->agent, ucv_do_open, UCV_DEVICE_PATH, O_RDONLY, 0, 0));
	cannot_open_debugfs(_metadata, &self->agent);
	cannot_change(_metadata, &self->agent);
}

TEST_HARNESS_MAIN
