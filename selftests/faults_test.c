// SPDX-License-Identifier: GPL-2.0
/*
 * Fault injection: each allocation, and each copy from or to user space, that a call makes
 * fails once, by number, until a call had none left to fail. Then the same with all later
 * allocations failing as well, and with the pages running out. After each fault: success or
 * a documented error, no reference left, and the same call without a fault gives what it
 * must for a workload of known size.
 *
 * Prints "# faults: CALL COUNT" for each call. Needs CONFIG_FAULT_INJECTION and the module
 * ucv_planted_faults.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#include "kselftest_harness.h"
#include "ucv_denials.h"
#include "ucv_faults.h"
#include "ucv_holders.h"

#define FAULTS_UID	(UCV_UID + 870)
#define REFUSED_UID	(UCV_UID + 871)
#define NR_FILES	5
#define INSTANCES	3
#define REFUSALS	3

/* A call that makes more than this is never done. */
#define MAX_FAULTS	20000U

#define GATE		"/sys/module/ucv_planted_faults/parameters/"
#define ALWAYS		UCV_PARAMETERS "/denials"

/* A call under test, and what is known about it. */
struct bench {
	struct ucv_agent agent;		/* has groups, a user and a mount namespace */
	struct ucv_agent refused;	/* is refused on request */
	unsigned int inum;
	char dir[64];
	struct ucv_info info;		/* what UCV_IOC_INFO says without a fault */
	int fd;				/* of the call; -1 if none */
	char text[65536];		/* what it must return */
	char buf[65536];		/* for the call */
	union {
		struct ucv_info info;
		struct ucv_snapshot snapshot;
		struct ucv_read read;
		struct ucv_listen listen;
	} arg;
};

struct call {
	const char *name;
	long arg;			/* for the functions: kinds, flags, size ... */
	const char *file;		/* the same */
	int (*prepare)(struct bench *bench, const struct call *call);
	long (*call)(struct bench *bench, const struct call *call);
	/* Checks the result and undoes the call. Returns what is wrong, or NULL. */
	const char *(*check)(struct bench *bench, const struct call *call, long ret);
	int errors[4];			/* the errors that are documented */
	int must[2];			/* those that must have been seen */
	bool pages;			/* uses memory in whole pages */
	bool fresh;			/* of a module that has just been loaded */
	bool init;			/* faults are those of the module's init function */
};

static long result(long ret)
{
	return ret < 0 ? -errno : ret;
}

static void drop_fd(struct bench *bench)
{
	if (bench->fd >= 0)
		close(bench->fd);
	bench->fd = -1;
}

/* The workload, in a new snapshot of a file: counters, groups and holders. */
static const char *wrong_workload(struct bench *bench, int fd)
{
	const char *wrong = NULL;
	struct ucv_held held;

	if (ucv_held_take_from(fd, &held))
		return "a snapshot without a fault failed";
	if (*ucv_inconsistent(&held.table))
		wrong = ucv_inconsistent(&held.table);
	else if (ucv_used(&held.table, bench->inum, FAULTS_UID, "inotify_instances") != INSTANCES)
		wrong = "wrong number of instances";
	else if (ucv_used(&held.table, bench->inum, FAULTS_UID, "inotify_watches") != NR_FILES)
		wrong = "wrong number of watches";
	else if (ucv_groups_of(&held, bench->inum, FAULTS_UID) != INSTANCES)
		wrong = "wrong number of groups";
	else if (ucv_holders_of(&held, bench->inum, FAULTS_UID) != INSTANCES)
		wrong = "wrong number of holders";
	ucv_held_free(&held);
	return wrong;
}

static const char *wrong_workload_now(struct bench *bench)
{
	const char *wrong = "the device cannot be opened without a fault";
	int fd = ucv_open();

	if (fd >= 0)
		wrong = wrong_workload(bench, fd);
	close(fd);
	return wrong;
}

static int prepare_device(struct bench *bench, const struct call *call)
{
	(void)call;
	bench->fd = open(UCV_DEVICE_PATH, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	return bench->fd < 0 ? -errno : 0;
}

/* open() of the device */

static long call_open(struct bench *bench, const struct call *call)
{
	(void)call;
	bench->fd = open(UCV_DEVICE_PATH, O_RDONLY | O_CLOEXEC);
	return result(bench->fd);
}

static const char *check_open(struct bench *bench, const struct call *call, long ret)
{
	const char *wrong = wrong_workload_now(bench);

	(void)call;
	if (!wrong && ret >= 0)
		wrong = wrong_workload(bench, bench->fd);
	drop_fd(bench);
	return wrong;
}

/* UCV_IOC_INFO */

static long call_info(struct bench *bench, const struct call *call)
{
	(void)call;
	return result(ioctl(bench->fd, UCV_IOC_INFO, &bench->arg.info));
}

static const char *check_info(struct bench *bench, const struct call *call, long ret)
{
	bool same;

	if (ret)
		ret = call_info(bench, call);
	same = !memcmp(&bench->arg.info, &bench->info, sizeof(bench->info));
	drop_fd(bench);
	return ret || !same ? "the information differs" : NULL;
}

/* UCV_IOC_SNAPSHOT of the kinds arg */

static int prepare_snapshot(struct bench *bench, const struct call *call)
{
	memset(&bench->arg, 0, sizeof(bench->arg));
	bench->arg.snapshot.request = call->arg & bench->info.supported;
	return prepare_device(bench, call);
}

static long call_snapshot(struct bench *bench, const struct call *call)
{
	(void)call;
	return result(ioctl(bench->fd, UCV_IOC_SNAPSHOT, &bench->arg.snapshot));
}

/* Reads each kind of a snapshot; after an error the file must have none. */
static const char *wrong_kinds(struct bench *bench, const struct call *call, bool taken)
{
	unsigned int kind;
	int ret;

	for (kind = 0; kind < UCV_NR_KINDS; kind++) {
		if (!(bench->info.supported & call->arg & UCV_MASK(kind)))
			continue;
		ret = ucv_read(bench->fd, kind, UCV_RECORD_SIZE_MIN, 0, NULL, 0, &bench->arg.read);
		if (ret != (taken ? 0 : -ENODATA))
			return taken ? "a kind is missing" : "a snapshot after an error";
	}
	return NULL;
}

static const char *check_snapshot(struct bench *bench, const struct call *call, long ret)
{
	const char *wrong = wrong_kinds(bench, call, !ret);

	if (!wrong)
		wrong = wrong_workload(bench, bench->fd);
	drop_fd(bench);
	return wrong;
}

/* UCV_IOC_READ of the resources, as records of arg bytes */

static void set_read(struct bench *bench, const struct call *call, char *buf)
{
	memset(&bench->arg, 0, sizeof(bench->arg));
	bench->arg.read.kind = UCV_KIND_RESOURCE;
	bench->arg.read.record_size = call->arg;
	bench->arg.read.buf = (uintptr_t)buf;
	bench->arg.read.buf_size = sizeof(bench->buf);
}

static long call_read(struct bench *bench, const struct call *call)
{
	(void)call;
	return result(ioctl(bench->fd, UCV_IOC_READ, &bench->arg.read));
}

static int prepare_read(struct bench *bench, const struct call *call)
{
	struct ucv_snapshot snapshot;
	int ret = prepare_device(bench, call);

	if (!ret)
		ret = ucv_snapshot(bench->fd, UCV_MASK(UCV_KIND_RESOURCE), &snapshot);
	set_read(bench, call, bench->text);
	memset(bench->text, 1, sizeof(bench->text));
	memset(bench->buf, 1, sizeof(bench->buf));
	if (!ret)
		ret = call_read(bench, call);
	set_read(bench, call, bench->buf);
	return ret;
}

static const char *check_read(struct bench *bench, const struct call *call, long ret)
{
	if (ret) {
		set_read(bench, call, bench->buf);
		ret = call_read(bench, call);
	}
	drop_fd(bench);
	return ret || memcmp(bench->text, bench->buf, sizeof(bench->buf)) ?
	       "the records differ" : NULL;
}

/* UCV_IOC_LISTEN with the flags arg */

static int prepare_listen(struct bench *bench, const struct call *call)
{
	memset(&bench->arg, 0, sizeof(bench->arg));
	bench->arg.listen.flags = call->arg;
	return prepare_device(bench, call);
}

static long call_listen(struct bench *bench, const struct call *call)
{
	(void)call;
	return result(ioctl(bench->fd, UCV_IOC_LISTEN, &bench->arg.listen));
}

static const char *wrong_refusals(struct bench *bench, int fd)
{
	if (ucv_agent_call(&bench->refused, ucv_do_refuse, REFUSALS, 0, 0) != REFUSALS)
		return "the agent was not refused";
	if (ucv_denials(fd, bench->refused.pid, NULL, 0) != REFUSALS)
		return "wrong number of denials";
	return NULL;
}

static const char *wrong_disarmed(void)
{
	if (ucv_status_number("denials_armed"))
		return "recording stays armed";
	if (ucv_has_probe_list() && ucv_probed("inc_ucount"))
		return "a kprobe is left";
	return NULL;
}

static const char *check_listen(struct bench *bench, const struct call *call, long ret)
{
	bool arms = call->arg & UCV_LISTEN_ARM;
	const char *wrong = NULL;

	/* A result that cannot be written does not undo the call. */
	if (ret && ret != -EFAULT && ucv_status_number("denials_armed"))
		wrong = "armed after an error";
	/* What a fresh module allocates once must not be there for the next fault. */
	if (!wrong && ret && !call->fresh)
		ret = ucv_listen(bench->fd, call->arg, &bench->arg.listen);
	if (!wrong && ret && !call->fresh)
		wrong = "listening fails without a fault";
	if (!wrong && !ret && arms)
		wrong = wrong_refusals(bench, bench->fd);
	drop_fd(bench);
	return wrong ? wrong : wrong_disarmed();
}

/* close() of the last file that is armed */

static int prepare_close(struct bench *bench, const struct call *call)
{
	struct ucv_listen listen;
	int ret = prepare_device(bench, call);

	return ret ? ret : ucv_listen(bench->fd, UCV_LISTEN_ARM, &listen);
}

static long call_close(struct bench *bench, const struct call *call)
{
	(void)call;
	return result(close(bench->fd));
}

static const char *check_close(struct bench *bench, const struct call *call, long ret)
{
	(void)call;
	(void)ret;
	bench->fd = -1;
	return wrong_disarmed();
}

/* read() of denials */

static int prepare_denials(struct bench *bench, const struct call *call)
{
	int ret = prepare_close(bench, call);

	if (!ret && ucv_agent_call(&bench->refused, ucv_do_refuse, REFUSALS, 0, 0) != REFUSALS)
		ret = -EIO;
	return ret;
}

static long call_read_fd(struct bench *bench, const struct call *call)
{
	return result(read(bench->fd, bench->buf, call->arg));
}

static const char *check_denials(struct bench *bench, const struct call *call, long ret)
{
	long nr = ret < 0 ? 0 : ret / (long)sizeof(struct ucv_denial);
	const char *wrong = NULL;

	(void)call;
	nr += ucv_denials(bench->fd, 0, NULL, 0);
	if (nr != REFUSALS)
		wrong = "a denial was lost, or read twice";
	if (!wrong)
		wrong = wrong_refusals(bench, bench->fd);
	drop_fd(bench);
	return wrong;
}

/* poll() of denials */

static long call_poll(struct bench *bench, const struct call *call)
{
	struct pollfd item = { .fd = bench->fd, .events = POLLIN };
	long ret = result(poll(&item, 1, -1));

	(void)call;
	return ret == 1 && item.revents != POLLIN ? -EPROTO : ret;
}

static const char *check_poll(struct bench *bench, const struct call *call, long ret)
{
	const char *wrong = call_poll(bench, call) == 1 ? NULL : "no denial to read";

	(void)ret;
	drop_fd(bench);
	return wrong;
}

/* The file of debugfs */

static long open_file(const struct call *call)
{
	char path[128];

	snprintf(path, sizeof(path), UCV_DEBUGFS "/%s", call->file);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static long call_open_file(struct bench *bench, const struct call *call)
{
	bench->fd = open_file(call);
	return result(bench->fd);
}

/* Reads a file from its start. Returns its length, or an error. */
static long read_all(int fd, char *buf, size_t size)
{
	size_t length = 0;
	ssize_t got = -1;

	if (lseek(fd, 0, SEEK_SET))
		return -errno;
	while (length < size && (got = read(fd, buf + length, size - length)) > 0)
		length += got;
	return got ? -EIO : (long)length;
}

static const char *check_open_file(struct bench *bench, const struct call *call, long ret)
{
	if (ret < 0)
		bench->fd = open_file(call);
	ret = read_all(bench->fd, bench->buf, sizeof(bench->buf));
	drop_fd(bench);
	return ret <= 0 || !strchr(bench->buf, '\n') ? "no text" : NULL;
}

static int prepare_file(struct bench *bench, const struct call *call)
{
	bench->fd = open_file(call);
	return bench->fd < 0 ? -errno : 0;
}

/* The line of the workload. */
static bool has_watches(const struct bench *bench)
{
	char line[128];

	snprintf(line, sizeof(line), "\n%u 1 %u inotify_watches %u ", bench->inum, FAULTS_UID,
		 NR_FILES);
	return strstr(bench->text, line);
}

/* Wherever the call has left the position, all of the text can be read, and again. */
static const char *check_file(struct bench *bench, const struct call *call, long ret)
{
	const char *wrong = NULL;
	long length;

	(void)ret;
	length = read_all(bench->fd, bench->text, sizeof(bench->text) - 1);
	bench->text[length > 0 ? length : 0] = '\0';
	if (length <= 0)
		wrong = "no text without a fault";
	else if (read_all(bench->fd, bench->buf, sizeof(bench->buf)) != length ||
		 memcmp(bench->text, bench->buf, length))
		wrong = "the text has changed";
	else if (!strcmp(call->file, "ucounts") && !has_watches(bench))
		wrong = "the watches are missing";
	drop_fd(bench);
	return wrong;
}

static long call_seek_file(struct bench *bench, const struct call *call)
{
	return result(lseek(bench->fd, call->arg, SEEK_SET));
}

/* The module parameter that arms */

static int prepare_always(struct bench *bench, const struct call *call)
{
	(void)call;
	bench->fd = open(ALWAYS, O_WRONLY | O_CLOEXEC);
	return bench->fd < 0 ? -errno : 0;
}

static long call_always(struct bench *bench, const struct call *call)
{
	(void)call;
	return result(write(bench->fd, "Y", 1));
}

static const char *check_always(struct bench *bench, const struct call *call, long ret)
{
	bool armed = ucv_read_number(ALWAYS);
	const char *wrong = armed == (ret > 0) ? NULL : "the parameter lies";

	(void)call;
	drop_fd(bench);
	if (ucv_write(ALWAYS, "Y") || ucv_write(ALWAYS, "N"))
		return "arming fails without a fault";
	return wrong ? wrong : wrong_disarmed();
}

/* The module itself, of this file */

static const char *module_path(void)
{
	static char path[256];
	struct utsname host;

	if (getenv("UCV_KO"))
		return getenv("UCV_KO");
	uname(&host);
	snprintf(path, sizeof(path), "/lib/modules/%s/extra/ucountview.ko", host.release);
	return path;
}

static long load(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	long ret;

	if (fd < 0)
		return -errno;
	ret = result(syscall(SYS_finit_module, fd, "", 0));
	close(fd);
	return ret;
}

static long unload(const char *name)
{
	return result(syscall(SYS_delete_module, name, O_NONBLOCK));
}

/* The last file may have been closed a moment ago. */
static int unload_soon(void)
{
	return UCV_SOON(!unload("ucountview")) ? 0 : -EBUSY;
}

/* The module is gone, and comes back with all that it had. */
static const char *wrong_load(struct bench *bench, bool loaded)
{
	struct ucv_info info = {};
	const char *wrong = NULL;
	int fd;

	if (!loaded && (!access(UCV_DEVICE_PATH, F_OK) || !access(UCV_DEBUGFS, F_OK)))
		return "a file is left of a module that is not loaded";
	if (!loaded && load(module_path()))
		return "loading fails without a fault";
	fd = ucv_open();
	if (fd < 0 || ioctl(fd, UCV_IOC_INFO, &info))
		wrong = "the device does not work";
	else if (info.features != bench->info.features || info.supported != bench->info.supported)
		wrong = "a feature is missing";
	close(fd);
	return wrong;
}

static int prepare_load(struct bench *bench, const struct call *call)
{
	(void)bench;
	(void)call;
	return unload_soon();
}

static const char *check_load(struct bench *bench, const struct call *call, long ret)
{
	const char *wrong = wrong_load(bench, !ret);

	(void)call;
	return wrong ? wrong : wrong_workload_now(bench);
}

static int prepare_unload(struct bench *bench, const struct call *call)
{
	(void)call;
	return wrong_load(bench, true) ? -EIO : 0;
}

static long call_load(struct bench *bench, const struct call *call)
{
	(void)bench;
	(void)call;
	return load(module_path());
}

static long call_unload(struct bench *bench, const struct call *call)
{
	(void)bench;
	(void)call;
	return unload("ucountview");
}

static const char *check_unload(struct bench *bench, const struct call *call, long ret)
{
	(void)call;
	return wrong_load(bench, ret);
}

/* Running a call with faults */

static bool listed(const int *errors, unsigned int nr, long ret)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (errors[i] && ret == -errors[i])
			return true;
	return false;
}

static long references(void)
{
	return ucv_read_number("/sys/module/ucountview/refcnt");
}

/* What one call had; counts the errors of call->must. */
static const char *judge(const struct call *call, long ret, unsigned int *seen)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(call->must); i++)
		seen[i] += call->must[i] && ret == -call->must[i];
	return ret >= 0 || listed(call->errors, ARRAY_SIZE(call->errors), ret) ?
	       NULL : "an error that is not documented";
}

static int begin(const struct call *call, enum ucv_faults mode, unsigned int nth)
{
	char text[16];
	int ret;

	if (!call->init)
		return ucv_faults_begin(mode, nth);
	ret = ucv_write(GATE "init_lasting", mode == UCV_FAULT_LASTING ? "1" : "0");
	snprintf(text, sizeof(text), "%u", nth);
	return ret ? ret : ucv_write(GATE "init_nth", text);
}

static bool end(const struct call *call, enum ucv_faults mode)
{
	if (!call->init)
		return ucv_faults_end(mode);
	ucv_write(GATE "init_nth", "0");
	return !ucv_read_number(GATE "init_left");
}

static const char *one_fault(struct bench *bench, const struct call *call, enum ucv_faults mode,
			     unsigned int nth, unsigned int *seen, bool *fault)
{
	const char *wrong, *worse;
	long ret;

	bench->fd = -1;
	if (call->prepare && call->prepare(bench, call))
		return "it cannot be prepared";
	if (begin(call, mode, nth))
		return "no fault can be injected";
	ret = call->call(bench, call);
	*fault = end(call, mode);
	wrong = judge(call, ret, seen);
	if (ret < 0 && !*fault)
		wrong = "an error without a fault";
	worse = call->check(bench, call, ret);
	if (wrong || worse)
		printf("# fault %u of %s, mode %u: %s\n", nth, call->name, mode, strerror(-ret));
	return wrong ? wrong : worse;
}

static void report(const char *name, const char *suffix, unsigned int count)
{
	printf("# faults: %s%s %u\n", name, suffix, count);
	fflush(stdout);
}

/* All faults of one mode. Returns what is wrong, or NULL. */
static const char *all_faults(struct bench *bench, const struct call *call, enum ucv_faults mode,
			      unsigned int *seen)
{
	static const char *const suffix[] = { "", "_lasting", "_pages" };
	const char *wrong = NULL;
	unsigned int nth;
	bool fault = true;

	if (ucv_faults_mode(mode))
		return "the mode cannot be set";
	if (call->fresh && (unload_soon() || load(module_path())))
		return "the module cannot be loaded anew";
	for (nth = 1; !wrong && fault; nth++) {
		if (nth > MAX_FAULTS)
			return "there is no end to the faults";
		wrong = one_fault(bench, call, mode, nth, seen, &fault);
	}
	report(call->name, suffix[mode], nth - 2);
	return wrong;
}

FIXTURE(faults) {
	struct bench *bench;
};

FIXTURE_VARIANT(faults) {
	struct call call;
};

#define HELPER		"ucv_planted_faults"

static long load_helper(void)
{
	struct utsname host;
	char path[256];

	if (!access(GATE "init_nth", W_OK))
		return 0;
	uname(&host);
	snprintf(path, sizeof(path), "/lib/modules/%s/extra/" HELPER ".ko", host.release);
	return load(path);
}

static int start_workload(struct bench *bench)
{
	struct ucv_agent *agent = &bench->agent;
	long ret = ucv_make_files(bench->dir, sizeof(bench->dir), NR_FILES);

	if (!ret)
		ret = ucv_agent_start(agent);
	if (!ret)
		ret = ucv_agent_enter(agent, NULL, FAULTS_UID, FAULTS_UID, 1);
	if (!ret)
		ret = ucv_agent_call(agent, ucv_do_unshare, CLONE_NEWNS, 0, 0);
	if (!ret)
		ret = ucv_agent_call(agent, ucv_do_inotify, INSTANCES, 0, 0);
	if (!ret)
		ret = ucv_agent_text(agent, ucv_do_watch, bench->dir, 0, 0, NR_FILES) - NR_FILES;
	bench->inum = ucv_userns_of(agent->pid);
	return ret ? ret : ucv_refused_start(&bench->refused, REFUSED_UID);
}

FIXTURE_SETUP(faults)
{
	const char *missing = ucv_faults_missing();
	struct bench *bench;
	int fd;

	self->bench = NULL;
	if (!getenv("UCV_FAULTS"))
		SKIP(return, "takes an hour or more: set UCV_FAULTS");
	if (missing)
		SKIP(return, "%s", missing);
	if (!ucv_has_debugfs())
		SKIP(return, "debugfs cannot be read");
	if (!ucv_feature(UCV_FEATURE_DENIALS) || !ucv_feature(UCV_FEATURE_GROUPS))
		SKIP(return, "the module has no denials or groups here");
	if (load_helper())
		SKIP(return, "there is no " HELPER ".ko");
	ASSERT_EQ(0, ucv_sysctl(ALWAYS, 0));
	bench = calloc(1, sizeof(*bench));
	ASSERT_NE(NULL, bench);
	self->bench = bench;
	fd = ucv_open();
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ioctl(fd, UCV_IOC_INFO, &bench->info));
	close(fd);
	ASSERT_EQ(0, start_workload(bench));
	ASSERT_EQ(0, ucv_faults_open());
	/* A page fault between the faults of the call would count, and fail again and again. */
	ASSERT_EQ(0, mlockall(MCL_CURRENT | MCL_FUTURE));
}

FIXTURE_TEARDOWN(faults)
{
	struct bench *bench = self->bench;

	if (!bench)
		return;
	ucv_faults_close();
	ucv_agent_stop(&bench->agent);
	ucv_agent_stop(&bench->refused);
	ucv_remove_files(bench->dir, NR_FILES);
	/* A reference that is left on a namespace or a group would leave it charged. */
	EXPECT_TRUE(UCV_SOON(!ucv_row_now(ucv_userns_of(getpid()), FAULTS_UID)));
	EXPECT_TRUE(UCV_SOON(!ucv_userns_now(bench->inum)));
	EXPECT_EQ(0, unload(HELPER));
	free(bench);
}

static const char *or_nothing(const char *wrong)
{
	return wrong ? wrong : "";
}

UCV_TEST_F(faults, each_fault_is_survived)
{
	const struct call *call = &variant->call;
	unsigned int seen[ARRAY_SIZE(call->must)] = {};
	struct bench *bench = self->bench;
	long before = references();
	unsigned int i;

	ASSERT_LE(0, before);
	ASSERT_STREQ("", or_nothing(wrong_workload_now(bench)));
	ASSERT_STREQ("", or_nothing(all_faults(bench, call, UCV_FAULT_ONCE, seen)));
	ASSERT_STREQ("", or_nothing(all_faults(bench, call, UCV_FAULT_LASTING, seen)));
	if (call->pages)
		ASSERT_STREQ("", or_nothing(all_faults(bench, call, UCV_FAULT_PAGES, seen)));
	for (i = 0; i < ARRAY_SIZE(seen); i++)
		EXPECT_TRUE(!call->must[i] || seen[i])
			TH_LOG("%s was never seen", strerror(call->must[i]));
	EXPECT_EQ(before, references());
	EXPECT_STREQ("", or_nothing(wrong_workload_now(bench)));
}

#define CALL(which, ...)	{ .call = { .name = which, __VA_ARGS__ } }

#define SNAPSHOT(kinds) .arg = (kinds), .prepare = prepare_snapshot, .call = call_snapshot, \
	.check = check_snapshot, .errors = { ENOMEM, EFAULT }, .must = { ENOMEM, EFAULT }

#define READ(size) .arg = (size), .prepare = prepare_read, .call = call_read, \
	.check = check_read, .errors = { EFAULT }, .must = { EFAULT }

#define OPEN_FILE(name) .file = (name), .call = call_open_file, .check = check_open_file, \
	.errors = { ENOMEM, EFAULT }, .must = { ENOMEM }

#define READ_FILE(name, size) .file = (name), .arg = (size), .prepare = prepare_file, \
	.call = call_read_fd, .check = check_file, .errors = { ENOMEM, EFAULT }, \
	.must = { ENOMEM, EFAULT }

#define LISTEN(flags) .arg = (flags), .prepare = prepare_listen, .call = call_listen, \
	.check = check_listen, .errors = { ENOMEM, EFAULT }

FIXTURE_VARIANT_ADD(faults, open)
	CALL("open", .call = call_open, .check = check_open, .errors = { ENOMEM, EFAULT },
	     .must = { ENOMEM });
FIXTURE_VARIANT_ADD(faults, info)
	CALL("info", .prepare = prepare_device, .call = call_info, .check = check_info,
	     .errors = { EFAULT }, .must = { EFAULT });
FIXTURE_VARIANT_ADD(faults, snapshot_resources)
	CALL("snapshot_resources", SNAPSHOT(UCV_MASK(UCV_KIND_RESOURCE)));
FIXTURE_VARIANT_ADD(faults, snapshot_userns)
	CALL("snapshot_userns", SNAPSHOT(UCV_MASK(UCV_KIND_USERNS)));
FIXTURE_VARIANT_ADD(faults, snapshot_ucounts)
	CALL("snapshot_ucounts", SNAPSHOT(UCV_MASK(UCV_KIND_UCOUNTS)));
FIXTURE_VARIANT_ADD(faults, snapshot_mounts)
	CALL("snapshot_mounts", SNAPSHOT(UCV_MASK(UCV_KIND_MNTNS)));
FIXTURE_VARIANT_ADD(faults, snapshot_denials)
	CALL("snapshot_denials", SNAPSHOT(UCV_MASK(UCV_KIND_DENIAL_COUNT)));
FIXTURE_VARIANT_ADD(faults, snapshot_holders)
	CALL("snapshot_holders",
	     SNAPSHOT(UCV_MASK(UCV_KIND_GROUP) | UCV_MASK(UCV_KIND_HOLDER)));
FIXTURE_VARIANT_ADD(faults, snapshot_all)
	CALL("snapshot_all", SNAPSHOT(UCV_MASK(UCV_NR_KINDS) - 1), .pages = true);
FIXTURE_VARIANT_ADD(faults, read_as_stored)
	CALL("read_as_stored", READ(sizeof(struct ucv_resource)));
FIXTURE_VARIANT_ADD(faults, read_truncated)
	CALL("read_truncated", READ(UCV_RECORD_SIZE_MIN));
FIXTURE_VARIANT_ADD(faults, read_padded)
	CALL("read_padded", READ(1024));
FIXTURE_VARIANT_ADD(faults, listen)
	CALL("listen", LISTEN(0), .must = { EFAULT });
FIXTURE_VARIANT_ADD(faults, listen_oldest)
	CALL("listen_oldest", LISTEN(UCV_LISTEN_OLDEST), .must = { EFAULT });
FIXTURE_VARIANT_ADD(faults, listen_first)
	CALL("listen_first", LISTEN(UCV_LISTEN_ARM), .must = { ENOMEM, EFAULT },
	     .fresh = true, .pages = true);
FIXTURE_VARIANT_ADD(faults, listen_armed)
	CALL("listen_armed", LISTEN(UCV_LISTEN_ARM), .must = { ENOMEM, EFAULT });
FIXTURE_VARIANT_ADD(faults, listen_close)
	CALL("listen_close", .prepare = prepare_close, .call = call_close,
	     .check = check_close);
FIXTURE_VARIANT_ADD(faults, read_denials)
	CALL("read_denials", .arg = 65536, .prepare = prepare_denials,
	     .call = call_read_fd, .check = check_denials, .errors = { EFAULT },
	     .must = { EFAULT });
FIXTURE_VARIANT_ADD(faults, poll_denials)
	CALL("poll_denials", .prepare = prepare_denials, .call = call_poll,
	     .check = check_poll, .errors = { ENOMEM, EFAULT }, .must = { EFAULT });
FIXTURE_VARIANT_ADD(faults, open_file_ucounts)
	CALL("open_file_ucounts", OPEN_FILE("ucounts"));
FIXTURE_VARIANT_ADD(faults, open_file_userns)
	CALL("open_file_userns", OPEN_FILE("userns"));
FIXTURE_VARIANT_ADD(faults, open_file_mounts)
	CALL("open_file_mounts", OPEN_FILE("mounts"));
FIXTURE_VARIANT_ADD(faults, open_file_denials)
	CALL("open_file_denials", OPEN_FILE("denials"));
FIXTURE_VARIANT_ADD(faults, open_file_denial_counts)
	CALL("open_file_denial_counts", OPEN_FILE("denial_counts"));
FIXTURE_VARIANT_ADD(faults, open_file_holders)
	CALL("open_file_holders", OPEN_FILE("holders"));
FIXTURE_VARIANT_ADD(faults, open_file_status)
	CALL("open_file_status", OPEN_FILE("status"));
FIXTURE_VARIANT_ADD(faults, read_file_ucounts)
	CALL("read_file_ucounts", READ_FILE("ucounts", 65536));
FIXTURE_VARIANT_ADD(faults, read_file_userns)
	CALL("read_file_userns", READ_FILE("userns", 65536));
FIXTURE_VARIANT_ADD(faults, read_file_mounts)
	CALL("read_file_mounts", READ_FILE("mounts", 65536));
FIXTURE_VARIANT_ADD(faults, read_file_denials)
	CALL("read_file_denials", READ_FILE("denials", 65536));
FIXTURE_VARIANT_ADD(faults, read_file_denial_counts)
	CALL("read_file_denial_counts", READ_FILE("denial_counts", 65536));
FIXTURE_VARIANT_ADD(faults, read_file_holders)
	CALL("read_file_holders", READ_FILE("holders", 65536));
FIXTURE_VARIANT_ADD(faults, read_file_status)
	CALL("read_file_status", READ_FILE("status", 65536));
FIXTURE_VARIANT_ADD(faults, read_file_in_parts)
	CALL("read_file_in_parts", READ_FILE("ucounts", 16));
FIXTURE_VARIANT_ADD(faults, seek_file)
	CALL("seek_file", .file = "ucounts", .arg = 100, .prepare = prepare_file,
	     .call = call_seek_file, .check = check_file, .errors = { ENOMEM },
	     .must = { ENOMEM });
FIXTURE_VARIANT_ADD(faults, set_parameter)
	CALL("set_parameter", .prepare = prepare_always, .call = call_always,
	     .check = check_always, .errors = { ENOMEM, EFAULT },
	     .must = { ENOMEM, EFAULT });
FIXTURE_VARIANT_ADD(faults, load)
	CALL("load", .prepare = prepare_load, .call = call_load, .check = check_load,
	     .errors = { ENOMEM }, .must = { ENOMEM }, .init = true);
FIXTURE_VARIANT_ADD(faults, unload)
	CALL("unload", .prepare = prepare_unload, .call = call_unload,
	     .check = check_unload, .errors = { EFAULT, ENOMEM }, .must = { EFAULT });

TEST_HARNESS_MAIN
