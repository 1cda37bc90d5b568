// SPDX-License-Identifier: GPL-2.0
/*
 * Snapshots of the mount namespaces, and the same numbers from the kernel's own interfaces,
 * mountinfo and nsfs.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "ucv_mounts.h"

/* From linux/nsfs.h, which is incomplete on older systems. */
#define NSFS_MAGIC		0xb7
#define NSFS_GET_USERNS		_IO(NSFS_MAGIC, 0x1)
#define NSFS_GET_MNTNS_ID	_IOR(NSFS_MAGIC, 0x5, __u64)
#define NSFS_MNT_GET_INFO	_IOR(NSFS_MAGIC, 10, struct nsfs_mnt_info)

struct nsfs_mnt_info {
	__u32 size;
	__u32 nr_mounts;
	__u64 mnt_ns_id;
};

/* Snapshots */

static int read_table(int fd, struct ucv_mntns_table *table)
{
	int nr;

	nr = ucv_read_kind(fd, UCV_KIND_USERNS, sizeof(*table->userns), (void **)&table->userns);
	if (nr < 0)
		return nr;
	table->nr_userns = nr;
	nr = ucv_read_kind(fd, UCV_KIND_MNTNS, sizeof(*table->records), (void **)&table->records);
	if (nr < 0)
		return nr;
	table->nr = nr;
	return 0;
}

int ucv_mntns_take_from(int fd, struct ucv_mntns_table *table)
{
	int ret;

	memset(table, 0, sizeof(*table));
	ret = ucv_snapshot(fd, UCV_MASK(UCV_KIND_MNTNS), &table->snapshot);
	if (!ret)
		ret = read_table(fd, table);
	if (ret)
		ucv_mntns_free(table);
	return ret;
}

int ucv_mntns_take(struct ucv_mntns_table *table)
{
	int fd = ucv_open();
	int ret;

	memset(table, 0, sizeof(*table));
	if (fd < 0)
		return fd;
	ret = ucv_mntns_take_from(fd, table);
	close(fd);
	return ret;
}

void ucv_mntns_free(struct ucv_mntns_table *table)
{
	free(table->userns);
	free(table->records);
	memset(table, 0, sizeof(*table));
}

/* Inode numbers are reused: of two namespaces with the same one, the larger ID is newer. */
const struct ucv_mntns *ucv_mntns_find(const struct ucv_mntns_table *table, unsigned int inum)
{
	const struct ucv_mntns *found = NULL;
	unsigned int i;

	for (i = 0; i < table->nr; i++)
		if (table->records[i].inum == inum && (!found || found->id < table->records[i].id))
			found = &table->records[i];
	return found;
}

/* Returns -ENOENT if it is not listed. */
int ucv_mntns_now(unsigned int inum, struct ucv_mntns *record)
{
	const struct ucv_mntns *found;
	struct ucv_mntns_table table;
	int ret;

	ret = ucv_mntns_take(&table);
	if (ret)
		return ret;
	found = ucv_mntns_find(&table, inum);
	if (found)
		*record = *found;
	ucv_mntns_free(&table);
	return found ? 0 : -ENOENT;
}

/* For UCV_SOON(): an error counts as not gone. */
bool ucv_mntns_gone(__u64 id)
{
	struct ucv_mntns_table table;
	unsigned int i;
	bool gone = true;

	if (ucv_mntns_take(&table))
		return false;
	for (i = 0; i < table.nr; i++)
		if (table.records[i].id == id)
			gone = false;
	ucv_mntns_free(&table);
	return gone;
}

long ucv_mntns_count_now(void)
{
	struct ucv_mntns_table table;
	long nr;

	nr = ucv_mntns_take(&table);
	if (nr)
		return nr;
	nr = table.nr;
	ucv_mntns_free(&table);
	return nr;
}

static int compare_ids(const void *a, const void *b)
{
	const struct ucv_mntns *const *x = a;
	const struct ucv_mntns *const *y = b;

	if ((*x)->id == (*y)->id)
		return 0;
	return (*x)->id < (*y)->id ? -1 : 1;
}

static const char *bad_ids(const struct ucv_mntns_table *table)
{
	const struct ucv_mntns **sorted;
	const char *bad = "";
	unsigned int i;

	sorted = calloc(table->nr + 1, sizeof(*sorted));
	if (!sorted)
		return "no memory";
	for (i = 0; i < table->nr; i++)
		sorted[i] = &table->records[i];
	qsort(sorted, table->nr, sizeof(*sorted), compare_ids);
	for (i = 1; i < table->nr; i++)
		if (sorted[i - 1]->id == sorted[i]->id)
			bad = "a mount namespace is there twice";
	free(sorted);
	return bad;
}

static const char *bad_record(const struct ucv_mntns_table *table, const struct ucv_mntns *record)
{
	const bool unmapped = record->uid == UCV_UID_UNMAPPED;

	if (!record->id || !record->inum)
		return "a mount namespace has no id or inode number";
	if (record->userns >= table->nr_userns)
		return "a user namespace's index is out of range";
	if (record->flags & ~UCV_MNTNS_UNCHARGED)
		return "a mount namespace has an unknown flag";
	if (unmapped != !!(record->flags & UCV_MNTNS_UNCHARGED))
		return "a mount namespace has neither a uid nor the flag, or both";
	if (!table->userns[record->userns].level && record->uid_in_ns != record->uid)
		return "a uid differs in the initial user namespace";
	if (!record->mounts)
		return "a mount namespace has no mounts";
	if (!record->pid != !record->comm[0] || record->comm[UCV_COMM_LEN - 1])
		return "a task has a pid or a command but not both";
	if (record->reserved[0] || record->reserved[1])
		return "a reserved member of a mount namespace is set";
	return NULL;
}

/* Checks what holds on a busy system, too. Returns what is wrong, or an empty string. */
const char *ucv_mntns_inconsistent(const struct ucv_mntns_table *table)
{
	unsigned int i;
	const char *bad;

	if (!table->nr)
		return "there are no mount namespaces";
	for (i = 0; i < table->nr; i++) {
		bad = bad_record(table, &table->records[i]);
		if (bad)
			return bad;
	}
	if (table->snapshot.end_ns < table->snapshot.start_ns)
		return "the walk ended before it began";
	return bad_ids(table);
}

/*
 * Reads a line of debugfs' mounts, without its newline. Returns -EBADMSG if the header is
 * not what users' scripts expect, or if the line is there twice.
 */
int ucv_mntns_line(unsigned int inum, char *line, size_t size)
{
	static const char header[] =
		"MNTNS USERNS UID MOUNTS PENDING LIMIT PID COMMAND";
	char *all = ucv_slurp(UCV_DEBUGFS "/mounts", NULL);
	char *text, *rest;
	int ret = -ENOENT;

	if (!all)
		return -errno;
	text = strtok_r(all, "\n", &rest);
	if (!text || strcmp(text, header))
		ret = -EBADMSG;
	while (ret != -EBADMSG && (text = strtok_r(NULL, "\n", &rest))) {
		if (strtoul(text, NULL, 10) != inum)
			continue;
		ret = ret ? 0 : -EBADMSG;
		snprintf(line, size, "%s", text);
	}
	free(all);
	return ret;
}

/* The same numbers from mountinfo and nsfs */

bool ucv_kernel_has(unsigned int version, unsigned int patchlevel)
{
	unsigned int major = 0, minor = 0;
	struct utsname name;

	if (uname(&name) || sscanf(name.release, "%u.%u", &major, &minor) != 2)
		return true;
	return major > version || (major == version && minor >= patchlevel);
}

/* The IDs of the mounts in a mountinfo and of their parents. */
struct mountinfo {
	long nr;
	long (*mount)[2];
};

static int parse_mountinfo(char *text, struct mountinfo *info)
{
	long room = 0;
	char *rest;

	info->nr = 0;
	info->mount = NULL;
	for (text = strtok_r(text, "\n", &rest); text;
	     text = strtok_r(NULL, "\n", &rest)) {
		if (info->nr == room) {
			room = room ? 2 * room : 64;
			info->mount = realloc(info->mount, room * sizeof(*info->mount));
			if (!info->mount)
				return -ENOMEM;
		}
		if (sscanf(text, "%ld %ld", &info->mount[info->nr][0],
			   &info->mount[info->nr][1]) != 2)
			return -EBADMSG;
		info->nr++;
	}
	return 0;
}

static bool parent_is_shown(const struct mountinfo *info, long i)
{
	long j;

	for (j = 0; j < info->nr; j++)
		if (info->mount[j][0] == info->mount[i][1])
			return true;
	return false;
}

/*
 * Counts the mounts of a namespace in the mountinfo of a task in it.
 *
 * mountinfo omits what cannot be reached from the task's root: the mount below that root,
 * if any. If the first process was started from a disk or by a container engine, that is the
 * initial rootfs. In an initramfs the rootfs is the root itself and its own parent, so nothing
 * is hidden. Since 7.x the rootfs is itself mounted on a nullfs. So a parent that has no line
 * of its own counts as one more mount.
 */
long ucv_mountinfo_count(const char *path)
{
	char *text = ucv_slurp(path, NULL);
	long hidden = 0, ret, i;
	struct mountinfo info;

	if (!text)
		return -errno;
	ret = parse_mountinfo(text, &info);
	for (i = 0; !ret && i < info.nr && !hidden; i++)
		hidden = !parent_is_shown(&info, i);
	free(info.mount);
	free(text);
	return ret ? ret : info.nr + hidden;
}

int ucv_mntns_open(pid_t pid, int flags)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", pid);
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Counts the mounts in a child process that enters the namespace. */
static long count_inside(int ns)
{
	long count = -EPIPE;
	int pipes[2];
	pid_t pid;

	if (pipe(pipes))
		return -errno;
	pid = fork();
	if (!pid) {
		count = -EPERM;
		if (!setns(ns, CLONE_NEWNS))
			count = ucv_mountinfo_count("/proc/self/mountinfo");
		_exit(write(pipes[1], &count, sizeof(count)) != sizeof(count));
	}
	close(pipes[1]);
	if (read(pipes[0], &count, sizeof(count)) != sizeof(count))
		count = -EPIPE;
	close(pipes[0]);
	waitpid(pid, NULL, 0);
	return count;
}

static unsigned int owner_of(int ns)
{
	int fd = ioctl(ns, NSFS_GET_USERNS);
	struct stat status = {};

	if (fd < 0)
		return 0;
	fstat(fd, &status);
	close(fd);
	return status.st_ino;
}

/* @ns may be an O_PATH descriptor. */
int ucv_mntns_look(int ns, struct ucv_mntns_seen *seen)
{
	struct nsfs_mnt_info info = {};
	struct stat status;
	char path[64];
	int fd, ret = 0;

	memset(seen, 0, sizeof(*seen));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", ns);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &status))
		return -errno;
	seen->inum = status.st_ino;
	seen->userns = owner_of(fd);
	seen->mounts = count_inside(fd);
	if (ioctl(fd, NSFS_GET_MNTNS_ID, &seen->id) && (errno != ENOTTY || ucv_kernel_has(6, 11)))
		ret = -errno;
	if (ioctl(fd, NSFS_MNT_GET_INFO, &info))
		seen->info = -errno;
	else
		seen->info = info.nr_mounts;
	if (seen->info < 0 && (seen->info != -ENOTTY || ucv_kernel_has(6, 12)))
		ret = seen->info;
	close(fd);
	return ret;
}

int ucv_agent_mount(struct ucv_agent *agent, const char *type, const char *options,
		    const char *path)
{
	char text[1024];

	snprintf(text, sizeof(text), "%s\n%s\n%s", type, options, path);
	return ucv_agent_text(agent, ucv_do_mount, text, 0, 0, 0);
}

/* Functions for agents */

long ucv_do_mkdir(struct ucv_call *call)
{
	return mkdir(call->text, 0755) ? -errno : 0;
}

/* text: file system type, options, path, one a line */
long ucv_do_mount(struct ucv_call *call)
{
	char *type, *options, *path, *rest;

	type = strtok_r(call->text, "\n", &rest);
	options = strtok_r(NULL, "\n", &rest);
	path = strtok_r(NULL, "\n", &rest);
	if (!path)
		return -EINVAL;
	return mount(type, path, type, 0, options) ? -errno : 0;
}

long ucv_do_new_mntns(struct ucv_call *call)
{
	if (unshare(CLONE_NEWNS | call->a))
		return -errno;
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ? -errno : 0;
}

long ucv_do_unshare_mounts(struct ucv_call *call)
{
	(void)call;
	return unshare(CLONE_NEWNS) ? -errno : 0;
}

long ucv_do_propagation(struct ucv_call *call)
{
	static const struct {
		const char *name;
		unsigned long flag;
	} types[] = {
		{ "shared", MS_SHARED }, { "slave", MS_SLAVE }, { "private", MS_PRIVATE },
	};
	char *type, *path, *rest;
	size_t i;

	type = strtok_r(call->text, "\n", &rest);
	path = strtok_r(NULL, "\n", &rest);
	for (i = 0; path && i < ARRAY_SIZE(types); i++)
		if (!strcmp(type, types[i].name))
			return mount(NULL, path, NULL, types[i].flag, NULL) ? -errno : 0;
	return -EINVAL;
}

/* Returns the number of mounts made, or the error if the first one fails. */
long ucv_do_bind(struct ucv_call *call)
{
	long i;

	for (i = 0; i < call->a; i++)
		if (mount(call->text, call->text, NULL, MS_BIND, NULL))
			return i ? i : -errno;
	return i;
}

long ucv_do_unbind(struct ucv_call *call)
{
	long i;

	for (i = 0; i < call->a; i++)
		if (umount2(call->text, MNT_DETACH))
			return i ? i : -errno;
	return i;
}

long ucv_do_rbind(struct ucv_call *call)
{
	return mount(call->text, call->text, NULL, MS_BIND | MS_REC, NULL) ? -errno : 0;
}

/* Makes directory @name in @dir and, if @from, mounts that on it. */
static bool add_dir(const char *dir, const char *name, const char *from, unsigned long flags)
{
	char path[1200];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return !mkdir(path, 0755) && (!from || !mount(from, path, "tmpfs", flags, NULL));
}

long ucv_do_peers(struct ucv_call *call)
{
	char first[1100], name[24];
	long i;

	if (mount("tmpfs", call->text, "tmpfs", 0, NULL) ||
	    mount(NULL, call->text, NULL, MS_PRIVATE, NULL))
		return -errno;
	snprintf(first, sizeof(first), "%s/0", call->text);
	if (!add_dir(call->text, "0", "tmpfs", 0) || mount(NULL, first, NULL, MS_SHARED, NULL))
		return -errno;
	for (i = 1; i < call->a; i++) {
		snprintf(name, sizeof(name), "%ld", i);
		if (!add_dir(call->text, name, first, MS_BIND))
			return -errno;
	}
	if (!add_dir(first, "m", NULL, 0) || !add_dir(call->text, "tree", NULL, 0) ||
	    !add_dir(call->text, "spare", NULL, 0))
		return -errno;
	return 0;
}

long ucv_do_propagate(struct ucv_call *call)
{
	char path[1100], tree[1100];

	snprintf(path, sizeof(path), "%s/0/m", call->text);
	snprintf(tree, sizeof(tree), "%s/tree", call->text);
	if (call->a)
		return mount(tree, path, NULL, MS_BIND | MS_REC, NULL) ? -errno : 0;
	return mount("tmpfs", path, "tmpfs", 0, NULL) ? -errno : 0;
}
