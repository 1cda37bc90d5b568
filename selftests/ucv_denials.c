// SPDX-License-Identifier: GPL-2.0
/*
 * Listeners for refused charges, expected records according to /proc and nsfs, and agents
 * that are refused.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>

#include "ucv_denials.h"

/* From linux/nsfs.h of 6.18 */
#define NSFS_GET_ID		_IOR(0xb7, 13, __u64)

/* Listening */

int ucv_listen(int fd, __u32 flags, struct ucv_listen *listen)
{
	memset(listen, 0, sizeof(*listen));
	listen->flags = flags;
	return ioctl(fd, UCV_IOC_LISTEN, listen) ? -errno : 0;
}

int ucv_listener(__u32 flags)
{
	int fd = open(UCV_DEVICE_PATH, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct ucv_listen listen;
	int ret;

	if (fd < 0)
		return -errno;
	ret = ucv_listen(fd, flags, &listen);
	if (ret) {
		close(fd);
		return ret;
	}
	return fd;
}

/* Copies the record at offset @at of a read() buffer. Returns the next offset or an error. */
static ssize_t next_record(const char *buf, ssize_t got, ssize_t at, struct ucv_denial *denial)
{
	__u32 size;

	memcpy(&size, buf + at, sizeof(size));
	if (size < sizeof(*denial) || size % 8 || size > got - at)
		return -EBADMSG;
	memcpy(denial, buf + at, sizeof(*denial));
	return at + size;
}

/*
 * Reads all available records and keeps those of process @tgid (0: of any), as other
 * processes may be refused, too. Returns their number; stores no more than @room.
 */
long ucv_denials(int fd, pid_t tgid, struct ucv_denial *denials, unsigned int room)
{
	static char buf[65536];
	struct ucv_denial denial;
	ssize_t got, at;
	long nr = 0;

	for (;;) {
		got = read(fd, buf, sizeof(buf));
		if (got < 0)
			return errno == EAGAIN ? nr : -errno;
		if (!got)
			return -ENODATA;
		for (at = 0; at < got;) {
			at = next_record(buf, got, at, &denial);
			if (at < 0)
				return at;
			if (tgid && denial.tgid != (__u32)tgid)
				continue;
			if (nr < room)
				denials[nr] = denial;
			nr++;
		}
	}
}

static const char *bad_ucount(const struct ucv_denial *denial)
{
	if (denial->resource >= UCV_MAX_RESOURCES)
		return "a resource's index is out of range";
	if (denial->level > denial->charged_level)
		return "a level refused that is below the one charged";
	if (denial->mntns || denial->mntns_id || denial->pending || denial->asked != 1)
		return "a refused counter says something about mounts";
	if (!denial->userns || !denial->charged_userns)
		return "a user namespace has no inode number";
	if (!(denial->flags & UCV_DENIAL_UNSURE) && denial->used < denial->limit)
		return "a counter was refused that had not reached its limit";
	return NULL;
}

static const char *bad_mount(const struct ucv_denial *denial)
{
	if (denial->resource != UCV_NO_INDEX)
		return "a refused mount has a resource";
	if (!denial->mntns || !denial->mntns_id || !denial->asked)
		return "a refused mount does not say where, or how many";
	if (denial->level != denial->charged_level)
		return "the levels of a refused mount differ";
	if (denial->used + denial->pending + denial->asked <= denial->limit)
		return "a mount was refused that there was room for";
	return NULL;
}

static const char *bad_rlimit(const struct ucv_denial *denial)
{
	if (denial->resource >= UCV_MAX_RESOURCES)
		return "a resource's index is out of range";
	if (denial->level > denial->charged_level)
		return "a level refused that is below the one charged";
	if (denial->mntns || denial->mntns_id || denial->pending)
		return "a refused counter says something about mounts";
	if (!denial->userns || !denial->charged_userns)
		return "a user namespace has no inode number";
	if (!(denial->flags & UCV_DENIAL_UNSURE) && denial->used + denial->asked <= denial->limit)
		return "a counter was refused that there was room in";
	return NULL;
}

static const char *bad_depth(const struct ucv_denial *denial)
{
	if (denial->resource != UCV_NO_INDEX || denial->mntns || denial->mntns_id ||
	    denial->pending || denial->asked != 1)
		return "a refused depth says something about counters or mounts";
	if (denial->level != denial->charged_level || denial->userns != denial->charged_userns)
		return "a refused depth has two levels";
	if (denial->used != denial->limit || denial->flags)
		return "a namespace was refused that was not too deep";
	return NULL;
}

static const char *bad_denial(const struct ucv_denial *denial)
{
	if (denial->reserved[0] || denial->reserved[1])
		return "a reserved member is set";
	if (denial->flags & ~(UCV_DENIAL_UNSURE | UCV_DENIAL_USED_UNKNOWN | UCV_DENIAL_ASKED_MORE))
		return "there is an unknown flag";
	if (!denial->pid || !denial->tgid || !denial->caller_userns)
		return "nobody was refused";
	if (!denial->comm[0] || denial->comm[UCV_COMM_LEN - 1])
		return "there is no command";
	if (denial->type == UCV_DENIAL_UCOUNT)
		return bad_ucount(denial);
	if (denial->type == UCV_DENIAL_MOUNT)
		return bad_mount(denial);
	if (denial->type == UCV_DENIAL_RLIMIT)
		return bad_rlimit(denial);
	if (denial->type == UCV_DENIAL_USERNS_DEPTH || denial->type == UCV_DENIAL_PIDNS_DEPTH)
		return bad_depth(denial);
	return "there is an unknown type";
}

/*
 * Checks records of any type, in the order in which one file has read them. Returns what is
 * wrong, or an empty string.
 */
const char *ucv_denials_inconsistent(const struct ucv_denial *denials, long nr)
{
	const char *bad;
	long i;

	for (i = 0; i < nr; i++) {
		bad = bad_denial(&denials[i]);
		if (bad)
			return bad;
		if (!denials[i].seq)
			return "a sequence number is zero";
		if (!i)
			continue;
		if (denials[i].seq <= denials[i - 1].seq)
			return "sequence numbers do not rise";
		if (denials[i].lost > denials[i].seq - denials[i - 1].seq - 1)
			return "more were lost than numbers were left out";
	}
	return "";
}

/* Expected records */

/* The 64-bit ID of a namespace from nsfs; 0 before 6.18, as in a record. */
__u64 ucv_ns_id(pid_t pid, const char *ns)
{
	char path[64];
	__u64 id = 0;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, ns);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && ioctl(fd, NSFS_GET_ID, &id))
		id = 0;
	close(fd);
	return id;
}

/* A number of /proc/@pid/status: parses the rest of the line after @key with @format. */
static unsigned int status_of(pid_t pid, const char *key, const char *format)
{
	char path[64], *text, *at;
	unsigned int value = 0;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	text = ucv_slurp(path, NULL);
	at = text ? strstr(text, key) : NULL;
	if (!at || sscanf(at + strlen(key), format, &value) != 1)
		value = UCV_NO_INDEX;
	free(text);
	return value;
}

static void comm_of(pid_t pid, char *comm)
{
	char path[64], *text;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	text = ucv_slurp(path, NULL);
	if (text)
		snprintf(comm, UCV_COMM_LEN, "%.*s", (int)strcspn(text, "\n"), text);
	free(text);
}

static unsigned int resource_now(const char *name)
{
	struct ucv_table table;
	int resource;

	if (ucv_take(&table))
		return UCV_NO_INDEX;
	resource = ucv_resource(&table, name);
	ucv_free(&table);
	return resource < 0 ? UCV_NO_INDEX : (unsigned int)resource;
}

bool ucv_seen(const char *resource)
{
	int fd = open(UCV_DEVICE_PATH, O_RDONLY | O_CLOEXEC);
	unsigned int index = resource_now(resource);
	struct ucv_listen listen = {};

	if (fd < 0 || index == UCV_NO_INDEX)
		return false;
	ucv_listen(fd, 0, &listen);
	close(fd);
	return listen.seen & UCV_SEEN(index);
}

/* @caller: the thread that is refused; @resource: NULL for mounts. */
void ucv_wanted(struct ucv_denial *wanted, pid_t caller, const char *resource)
{
	memset(wanted, 0, sizeof(*wanted));
	wanted->type = resource ? UCV_DENIAL_UCOUNT : UCV_DENIAL_MOUNT;
	wanted->resource = resource ? resource_now(resource) : UCV_NO_INDEX;
	wanted->asked = 1;
	wanted->pid = caller;
	wanted->tgid = status_of(caller, "\nTgid:", "%u");
	comm_of(caller, wanted->comm);
	wanted->caller_id = ucv_ns_id(caller, "user");
	wanted->caller_userns = ucv_userns_of(caller);
	wanted->caller_uid = status_of(caller, "\nUid:", "%*u %u");
}

/* The charge starts with @uid in the user namespace of process @inside. */
void ucv_wanted_charged(struct ucv_denial *wanted, pid_t inside, unsigned int level,
			unsigned int uid)
{
	wanted->charged_id = ucv_ns_id(inside, "user");
	wanted->charged_userns = ucv_userns_of(inside);
	wanted->charged_level = level;
	wanted->charged_uid = uid;
}

void ucv_wanted_refused(struct ucv_denial *wanted, pid_t inside, unsigned int level,
			unsigned int uid, unsigned int uid_in_ns)
{
	wanted->userns_id = ucv_ns_id(inside, "user");
	wanted->userns = ucv_userns_of(inside);
	wanted->level = level;
	wanted->uid = uid;
	wanted->uid_in_ns = uid_in_ns;
}

#define MEMBER32(name)	{ #name, offsetof(struct ucv_denial, name), 4 }
#define MEMBER64(name)	{ #name, offsetof(struct ucv_denial, name), 8 }

/* All members but those that differ between records. */
static const struct member {
	const char *name;
	size_t at;
	size_t size;
} members[] = {
	MEMBER32(type), MEMBER32(pid), MEMBER32(tgid), MEMBER32(resource), MEMBER32(flags),
	MEMBER64(caller_id), MEMBER32(caller_userns), MEMBER32(caller_uid),
	MEMBER64(charged_id), MEMBER32(charged_userns), MEMBER32(charged_uid),
	MEMBER32(charged_level), MEMBER32(level),
	MEMBER64(userns_id), MEMBER32(userns), MEMBER32(uid), MEMBER32(uid_in_ns),
	MEMBER32(pending), MEMBER64(used), MEMBER64(limit),
	MEMBER64(mntns_id), MEMBER32(mntns), MEMBER32(asked),
};

static long long value_of(const struct ucv_denial *denial, const struct member *member)
{
	const char *at = (const char *)denial + member->at;

	return member->size == 4 ? *(const __u32 *)at : *(const __s64 *)at;
}

/* With PREEMPT_RT the usage may be unknown; the record then has the limit in its place. */
static void allow_unknown(struct ucv_denial *wanted, const struct ucv_denial *denial)
{
	if (!(denial->flags & UCV_DENIAL_USED_UNKNOWN) || access("/sys/kernel/realtime", F_OK))
		return;
	wanted->flags |= UCV_DENIAL_USED_UNKNOWN;
	wanted->used = wanted->limit;
}

/* Describes the first member that differs from @want; empty if none does. */
const char *ucv_denial_differs(const struct ucv_denial *want, const struct ucv_denial *denial)
{
	struct ucv_denial wanted = *want;
	static char text[128];
	unsigned int i;

	allow_unknown(&wanted, denial);
	for (i = 0; i < ARRAY_SIZE(members); i++) {
		long long expected = value_of(&wanted, &members[i]);
		long long seen = value_of(denial, &members[i]);

		if (expected == seen)
			continue;
		snprintf(text, sizeof(text), "%s is %lld and not %lld", members[i].name, seen,
			 expected);
		return text;
	}
	if (strncmp(wanted.comm, denial->comm, UCV_COMM_LEN)) {
		snprintf(text, sizeof(text), "comm is %.16s and not %.16s", denial->comm,
			 wanted.comm);
		return text;
	}
	return "";
}

/* Empty if the new records of @tgid are @nr times @wanted; otherwise what is wrong. */
const char *ucv_denials_differ(int fd, pid_t tgid, long nr, const struct ucv_denial *wanted)
{
	struct ucv_denial denials[UCV_SOME_DENIALS];
	static char text[64];
	const char *bad;
	long seen, i;

	seen = ucv_denials(fd, tgid, denials, UCV_SOME_DENIALS);
	if (seen != nr) {
		snprintf(text, sizeof(text), "there are %ld and not %ld", seen, nr);
		return text;
	}
	bad = ucv_denials_inconsistent(denials, nr);
	for (i = 0; i < nr && !*bad; i++)
		bad = ucv_denial_differs(wanted, &denials[i]);
	return bad;
}

/* Totals per limit */

/* Allocates and reads all of them. Returns their number. */
int ucv_denial_counts(struct ucv_denial_count **counts)
{
	struct ucv_snapshot snapshot;
	struct ucv_read read;
	int fd = ucv_open();
	int ret;

	*counts = NULL;
	if (fd < 0)
		return fd;
	ret = ucv_snapshot(fd, UCV_MASK(UCV_KIND_DENIAL_COUNT), &snapshot);
	if (!ret)
		ret = ucv_read(fd, UCV_KIND_DENIAL_COUNT, sizeof(**counts), 0, NULL, 0, &read);
	if (!ret) {
		*counts = calloc(read.total + 1, sizeof(**counts));
		ret = ucv_read(fd, UCV_KIND_DENIAL_COUNT, sizeof(**counts), 0, *counts,
			       read.total * sizeof(**counts), &read);
	}
	close(fd);
	return ret ? ret : (int)read.nr;
}

/* The number of refusals by a limit; @resource: NULL for a mount namespace. */
__u64 ucv_denials_by(unsigned int ns, unsigned int uid, const char *resource)
{
	const __u32 index = resource ? resource_now(resource) : UCV_NO_INDEX;
	struct ucv_denial_count *counts;
	__u64 denials = 0;
	int nr, i;

	nr = ucv_denial_counts(&counts);
	for (i = 0; i < nr; i++)
		if (counts[i].ns == ns && counts[i].uid == uid && counts[i].resource == index &&
		    !(counts[i].flags & UCV_DENIAL_COUNT_OTHERS))
			denials += counts[i].denials;
	free(counts);
	return denials;
}

/* The state of the listeners */

/* A number of debugfs' status. */
long long ucv_status_number(const char *key)
{
	char value[32];
	int ret;

	ret = ucv_status(key, value, sizeof(value));
	return ret ? ret : atoll(value);
}

#define PROBE_LIST	"/sys/kernel/debug/kprobes/list"

bool ucv_has_probe_list(void)
{
	return !access(PROBE_LIST, R_OK);
}

/* True if the kernel lists a kprobe on @function. */
bool ucv_probed(const char *function)
{
	char *text = ucv_slurp(PROBE_LIST, NULL);
	bool probed = false;
	char name[128], *line, *rest;

	for (line = text ? strtok_r(text, "\n", &rest) : NULL; line;
	     line = strtok_r(NULL, "\n", &rest))
		if (sscanf(line, "%*s %*s %127[^+ \t]", name) == 1)
			probed |= !strcmp(name, function);
	free(text);
	return probed;
}

/* Agents that are refused */

int ucv_refused_start(struct ucv_agent *agent, unsigned int uid)
{
	long ret = ucv_agent_start(agent);

	if (!ret)
		ret = ucv_agent_enter(agent, NULL, uid, uid, 1);
	if (!ret)
		ret = ucv_agent_write(agent, "/proc/sys/user/max_inotify_instances", "0");
	return ret;
}

long ucv_do_refuse(struct ucv_call *call)
{
	long i;

	for (i = 0; i < call->a; i++)
		if (inotify_init1(IN_CLOEXEC) >= 0 || errno != EMFILE)
			return -EIO;
	return i;
}
