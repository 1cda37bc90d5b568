// SPDX-License-Identifier: GPL-2.0
/*
 * Unloading while the module is in use, by each kind of user: an open file in whatever state
 * refuses it (EAGAIN) and remains usable; what does not pin the module, such as a tracer that
 * has enabled its tracepoints or a thread inside of a probed function, lets it succeed.
 * load_test.sh and denials_load_test.sh unload at random times instead.
 *
 * Environment: UCV_KO, the module's file (default: the installed one); UCV_UNLOADS, how often
 * the module is loaded and unloaded in all (120).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <linux/userfaultfd.h>
#include <mqueue.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "ucv_mounts.h"
#include "ucv_test.h"

#define TRACING		"/sys/kernel/tracing"
#define EVENTS		TRACING "/events/ucountview"
#define PROBES		"/sys/kernel/debug/kprobes/list"
#define MAX_UTS		"/proc/sys/user/max_uts_namespaces"
#define MAX_INSTANCES	"/proc/sys/user/max_inotify_instances"

#define NR_TESTS	12	/* that unload; each does its share */
#define UNLOADS		120
#define FIRST_UID	1900030000U

/* Loading and unloading */

static bool is_loaded(void)
{
	return !access("/sys/module/ucountview", F_OK);
}

/* An uncompressed module: UCV_KO, or where installers put it. */
static const char *module_file(void)
{
	static const char * const dirs[] = { "extra", "updates", "updates/dkms" };
	static char path[256];
	struct utsname system;
	unsigned int i;

	if (getenv("UCV_KO"))
		return getenv("UCV_KO");
	uname(&system);
	for (i = 0; i < ARRAY_SIZE(dirs); i++) {
		snprintf(path, sizeof(path), "/lib/modules/%s/%s/ucountview.ko", system.release,
			 dirs[i]);
		if (!access(path, R_OK))
			return path;
	}
	return NULL;
}

static int load(const char *parameters)
{
	int fd = open(module_file(), O_RDONLY | O_CLOEXEC);
	int ret = syscall(SYS_finit_module, fd, parameters, 0) ? -errno : 0;

	close(fd);
	return ret;
}

static int unload(void)
{
	return syscall(SYS_delete_module, "ucountview", O_NONBLOCK) ? -errno : 0;
}

/* A closed file may pin the module for another moment. */
static int unload_soon(void)
{
	int ret = 0;

	return UCV_SOON((ret = unload()) != -EAGAIN) ? ret : -EAGAIN;
}

/* Is a function of the kernel's probed? (Debugfs shows the canary and its address as well.) */
static bool is_probed(void)
{
	char line[256];
	bool found = false;
	FILE *file = fopen(PROBES, "r");

	while (file && fgets(line, sizeof(line), file))
		found |= strstr(line, " inc_ucount+") || strstr(line, "[ucountview]");
	if (file)
		fclose(file);
	return found;
}

/* The name of something that is left after unloading, or "". */
static const char *left_behind(void)
{
	if (!access(UCV_DEVICE_PATH, F_OK))
		return "the device";
	if (!access(UCV_DEBUGFS, F_OK))
		return "debugfs";
	if (!access(EVENTS, F_OK))
		return "the tracepoints";
	return is_probed() ? "a probe" : "";
}

static long unloads(void)
{
	const char *number = getenv("UCV_UNLOADS");
	long all = number ? atol(number) : UNLOADS;

	return (all + NR_TESTS - 1) / NR_TESTS;
}

/*
 * Users of the module, each in a process of its own. begin() returns 0 once the module is in
 * use, 1 if the kernel lacks something, or else does not return, as the process sleeps in a
 * system call. end() returns 0 if all went on as if no process had tried to unload the module.
 */

#define USED_FD		100	/* descriptor of the system call that sleeps */
#define NO_CALL		(-1)	/* the user returns from begin() */

static int used;	/* a file */

static int use(int fd)
{
	if (fd < 0 || dup2(fd, USED_FD) != USED_FD || close(fd))
		return -1;
	used = USED_FD;
	return 0;
}

static int has_snapshot(void)
{
	struct ucv_snapshot snapshot;

	return use(ucv_open()) || ucv_snapshot(used, UCV_ALL_KINDS, &snapshot) ? -1 : 0;
}

static int reads_snapshot(void)
{
	struct ucv_ucounts *rows;
	int nr = ucv_read_kind(used, UCV_KIND_UCOUNTS, sizeof(*rows), (void **)&rows);

	return nr > 0 ? 0 : -1;
}

static int listens(void)
{
	struct ucv_listen listen = { .flags = UCV_LISTEN_ARM };

	if (use(open(UCV_DEVICE_PATH, O_RDONLY)))
		return -1;
	if (ioctl(used, UCV_IOC_LISTEN, &listen))
		return errno == EOPNOTSUPP ? 1 : -1;
	return 0;
}

static int sleeps_in_read(void)
{
	struct ucv_denial denial;
	int ret = listens();

	if (!ret)
		read(used, &denial, sizeof(denial));
	return ret ? ret : -1;
}

static int sleeps_in_poll(void)
{
	struct pollfd poll = { .events = POLLIN };
	int ret = listens();

	poll.fd = used;
	if (!ret)
		ppoll(&poll, 1, NULL, NULL);
	return ret ? ret : -1;
}

/* The only descriptor is in a message. */
static int is_in_flight(void)
{
	int ret = has_snapshot();

	return ret ? ret : ucv_launch(used);
}

static int lands(void)
{
	used = ucv_land();
	return reads_snapshot();
}

static char some_text[16];

/* Read in part, and gone back. */
static int has_read_debugfs(void)
{
	if (access(UCV_DEBUGFS "/ucounts", R_OK))
		return 1;
	if (use(open(UCV_DEBUGFS "/ucounts", O_RDONLY)) || read(used, some_text, 10) != 10)
		return -1;
	return lseek(used, 5, SEEK_SET) == 5 ? 0 : -1;
}

static int reads_debugfs(void)
{
	char text[512];
	ssize_t got = read(used, text, 5);

	if (got != 5 || memcmp(text, some_text + 5, 5))
		return -1;
	while (got > 0)
		got = read(used, text, sizeof(text));
	return got;
}

/* Memory that a system call waits for when it writes there: nobody ever provides it. */
static void *missing_memory(void)
{
	struct uffdio_register memory = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct uffdio_api api = { .api = UFFD_API };
	size_t size = sysconf(_SC_PAGESIZE);
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);
	void *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memory.range.start = (unsigned long)page;
	memory.range.len = size;
	if (fd < 0 || page == MAP_FAILED || ioctl(fd, UFFDIO_API, &api) ||
	    ioctl(fd, UFFDIO_REGISTER, &memory))
		return NULL;
	return page;
}

static int sleeps_in_ioctl(void)
{
	struct ucv_read result;
	void *page = missing_memory();
	int ret = has_snapshot();

	if (ret || !page)
		return ret ? ret : 1;
	ucv_read(used, UCV_KIND_UCOUNTS, sizeof(struct ucv_ucounts), 0, page,
		 sizeof(struct ucv_ucounts), &result);
	return -1;
}

static int sleeps_in_debugfs(void)
{
	void *page = missing_memory();
	int ret = has_read_debugfs();

	if (ret || !page)
		return ret ? ret : 1;
	read(used, page, 100);
	return -1;
}

/* perf pins the module of its tracepoint. */
static int has_perf_event(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
		.config = ucv_read_number(EVENTS "/ucount_denied/id"),
	};

	if (access(EVENTS "/ucount_denied/id", R_OK))
		return 1;
	return use(syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC));
}

static int reads_perf_event(void)
{
	long long count;

	return read(used, &count, sizeof(count)) == sizeof(count) ? 0 : -1;
}

/* A user's process, and what it tells the test. */
struct user {
	pid_t pid;
	int status;	/* readable once begin() has returned */
	int go;		/* to end() */
};

static void be_user(struct user *user, int (*begin)(void), int (*end)(void))
{
	char byte = begin();

	if (write(user->status, &byte, 1) != 1 || byte || read(user->go, &byte, 1) != 1)
		_exit(2);
	_exit(end() ? 1 : 0);
}

static void user_start(struct user *user, int (*begin)(void), int (*end)(void))
{
	int status[2], go[2];

	if (pipe2(status, O_CLOEXEC) || pipe2(go, O_CLOEXEC))
		_exit(1);
	user->status = status[1];
	user->go = go[0];
	user->pid = ucv_fork();
	if (!user->pid)
		be_user(user, begin, end);
	close(status[1]);
	close(go[0]);
	user->status = status[0];
	user->go = go[1];
}

static void user_stop(struct user *user)
{
	if (user->pid <= 0)
		return;
	kill(user->pid, SIGKILL);
	waitpid(user->pid, NULL, 0);
	close(user->status);
	close(user->go);
	user->pid = 0;
}

/* Does the process sleep in this system call, with USED_FD as its argument? */
static bool sleeps_in(pid_t pid, long nr)
{
	char path[64], line[256] = "";
	unsigned long first = 0;
	long now = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/syscall", pid);
	file = fopen(path, "r");
	if (!file)
		return false;
	if (fgets(line, sizeof(line), file))
		sscanf(line, "%ld %lx", &now, &first);
	fclose(file);
	/* the first argument of ppoll() is a pointer */
	return now == nr && (nr == SYS_ppoll || first == USED_FD) && ucv_state_of(pid) != 'R';
}

/* 0 once the module is in use, 1 if the kernel lacks something, -1 if that failed. */
static int user_begins(struct user *user, long call)
{
	struct pollfd status = { .fd = user->status, .events = POLLIN };
	char byte;
	int i;

	for (i = 0; i < 30000; i++) {
		if (poll(&status, 1, 10) == 1)
			return read(user->status, &byte, 1) == 1 ? byte : -1;
		if (call != NO_CALL && sleeps_in(user->pid, call))
			return 0;
	}
	return -1;
}

static int user_ends(struct user *user)
{
	int status;

	if (write(user->go, "", 1) != 1 || waitpid(user->pid, &status, 0) != user->pid)
		return -1;
	user->pid = 0;
	close(user->status);
	close(user->go);
	return status;
}

/* Users that pin the module */

FIXTURE(pinned) {
	struct user user;
	bool was_loaded;
};

FIXTURE_VARIANT(pinned) {
	int (*begin)(void);
	int (*end)(void);	/* NULL: begin() does not return */
	long call;		/* what it then sleeps in */
};

FIXTURE_VARIANT_ADD(pinned, snapshot) { .begin = has_snapshot, .end = reads_snapshot };
FIXTURE_VARIANT_ADD(pinned, snapshot_in_flight) { .begin = is_in_flight, .end = lands };
FIXTURE_VARIANT_ADD(pinned, sleeping_ioctl) { .begin = sleeps_in_ioctl, .call = SYS_ioctl };
FIXTURE_VARIANT_ADD(pinned, sleeping_read) { .begin = sleeps_in_read, .call = SYS_read };
FIXTURE_VARIANT_ADD(pinned, sleeping_poll) { .begin = sleeps_in_poll, .call = SYS_ppoll };
FIXTURE_VARIANT_ADD(pinned, debugfs) { .begin = has_read_debugfs, .end = reads_debugfs };
FIXTURE_VARIANT_ADD(pinned, sleeping_debugfs) { .begin = sleeps_in_debugfs, .call = SYS_read };
FIXTURE_VARIANT_ADD(pinned, perf_event) { .begin = has_perf_event, .end = reads_perf_event };

static void __attribute__((constructor)) show_progress(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
}

/* Why the tests cannot run, or NULL. */
static const char *cannot_run(bool *was_loaded)
{
	*was_loaded = is_loaded();
	if (geteuid())
		return "needs root";
	if (!module_file())
		return "there is no ucountview.ko: set UCV_KO";
	if (*was_loaded && unload_soon())
		return "the module is in use";
	return NULL;
}

static void restore(bool was_loaded)
{
	if (is_loaded() && !was_loaded)
		unload_soon();
	else if (!is_loaded() && was_loaded && load(""))
		fputs("# cannot load the module\n", stderr);
}

FIXTURE_SETUP(pinned)
{
	const char *why = cannot_run(&self->was_loaded);

	if (why)
		SKIP(return, "%s", why);
}

FIXTURE_TEARDOWN(pinned)
{
	user_stop(&self->user);
	restore(self->was_loaded);
}

UCV_TEST_F(pinned, unload_is_refused)
{
	long n = unloads(), i;
	int attempt, ret;

	for (i = 0; i < n; i++) {
		ASSERT_EQ(0, load(""));
		user_start(&self->user, variant->begin, variant->end);
		ret = user_begins(&self->user, variant->end ? NO_CALL : variant->call);
		if (ret > 0)
			SKIP(return, "the kernel lacks what this needs");
		ASSERT_EQ(0, ret);
		for (attempt = 0; attempt < 5; attempt++)
			ASSERT_EQ(-EAGAIN, unload());
		ASSERT_TRUE(is_loaded());
		if (variant->end)
			ASSERT_EQ(0, user_ends(&self->user));
		user_stop(&self->user);
		ASSERT_EQ(0, unload_soon());
		ASSERT_STREQ("", left_behind());
	}
	printf("# unloads: %ld, each refused 5 times before\n", n);
}

/* Users that do not pin it */

FIXTURE(free) {
	pid_t worker[8];
	unsigned int nr_workers;
	bool was_loaded;
};

FIXTURE_SETUP(free)
{
	const char *why = cannot_run(&self->was_loaded);

	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, load(""));
	if (!ucv_feature(UCV_FEATURE_DENIALS) || !ucv_has_debugfs())
		SKIP(return, "denials cannot be recorded here, or debugfs cannot be read");
	ASSERT_EQ(0, ucv_sysctl(MAX_UTS, 0));
	ASSERT_EQ(0, ucv_sysctl(MAX_INSTANCES, 0));
	ASSERT_EQ(0, unload_soon());
}

FIXTURE_TEARDOWN(free)
{
	ucv_kill_all(self->worker, self->nr_workers);
	ucv_sysctls_back();
	restore(self->was_loaded);
}

/* In a child of start(): its parent. */
static pid_t test;

static pid_t start(void (*work)(void))
{
	const pid_t self = getpid();
	pid_t pid = ucv_fork();

	if (!pid) {
		test = self;
		for (;;)
			work();
	}
	return pid;
}

static void be_refused_uts(void)
{
	if (unshare(CLONE_NEWUTS) != -1 || errno != ENOSPC)
		_exit(1);
}

/* The first charge of a user allocates memory inside of the probed function, and may sleep. */
static void be_refused_as_another(void)
{
	static unsigned int uid = FIRST_UID;

	if (syscall(SYS_setresuid, -1, uid++, 0) || inotify_init1(0) != -1 || errno != EMFILE ||
	    syscall(SYS_setresuid, -1, 0, -1))
		_exit(1);
	ucv_end_with(test);
}

/* Likewise. Refused by the user's RLIMIT_MSGQUEUE, which is in the kernel's probed code. */
static void be_refused_queue(void)
{
	const struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_MSGQUEUE, &none) ||
	    mq_open("/unload", O_CREAT | O_RDWR, 0600, NULL) != (mqd_t)-1)
		_exit(1);
}

/* The deepest user namespace that there can be, and one more. */
static void be_refused_depth(void)
{
	static bool nested;
	int i;

	for (i = 0; i < 34 && !nested; i++) {
		if (unshare(CLONE_NEWUSER))
			break;
		ucv_write("/proc/self/setgroups", "deny");
		ucv_write("/proc/self/uid_map", "0 0 1");
		ucv_write("/proc/self/gid_map", "0 0 1");
	}
	nested = true;
	if (unshare(CLONE_NEWUSER) != -1)
		_exit(1);
}

static void be_killed(void)
{
	pid_t pid = ucv_fork();

	if (!pid)
		ucv_stay();
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* The denials recorded so far. */
static long long denials(void)
{
	char value[32] = "";

	return ucv_status("denials", value, sizeof(value)) ? -1 : atoll(value);
}

static bool workers_live(const pid_t *worker, unsigned int nr)
{
	while (nr--)
		if (waitpid(worker[nr], NULL, WNOHANG))
			return false;
	return true;
}

/* Nothing pins the module while the probes fire on all CPUs, so the first attempt succeeds. */
UCV_TEST_F(free, unload_succeeds_while_probes_fire)
{
	static void (* const works[])(void) = {
		be_refused_uts, be_refused_as_another, be_refused_queue, be_refused_depth,
		be_killed, be_refused_uts,
	};
	long n = unloads(), i;

	for (i = 0; i < (long)ARRAY_SIZE(works); i++)
		self->worker[self->nr_workers++] = start(works[i]);
	for (i = 0; i < n; i++) {
		ASSERT_EQ(0, load("denials=1"));
		ASSERT_TRUE(UCV_SOON(denials() > 0));
		ASSERT_EQ(0, unload());
		ASSERT_STREQ("", left_behind());
	}
	EXPECT_TRUE(workers_live(self->worker, self->nr_workers));
	printf("# unloads: %ld\n", n);
}

static bool is_armed(void)
{
	char value[32] = "";

	return !ucv_status("denials_armed", value, sizeof(value)) && !strcmp(value, "1");
}

/* Reads what is traced; sleeps in between. */
static void read_trace(void)
{
	static int fd = -1;
	char text[4096];

	if (fd < 0)
		fd = open(TRACING "/trace_pipe", O_RDONLY);
	if (fd < 0 || (read(fd, text, sizeof(text)) < 0 && errno != EINTR))
		_exit(1);
}

/* Has the kernel format some of what is left in the buffer, without the module. */
static long read_some(const char *path)
{
	int fd = open(path, O_RDONLY), i;
	char text[4096];
	long all = 0;

	for (i = 0; i < 16; i++)
		all += read(fd, text, sizeof(text));
	close(fd);
	return all;
}

static bool write_soon(const char *path, const char *value)
{
	return UCV_SOON(!ucv_write(path, value));
}

/* As Documentation/design.rst says: an enabled tracepoint does not pin the module. */
UCV_TEST_F(free, unload_succeeds_while_a_tracer_uses_tracepoints)
{
	long n = unloads(), i;

	if (access(TRACING "/trace_pipe", R_OK))
		SKIP(return, "there is no tracefs");
	self->worker[self->nr_workers++] = start(be_refused_uts);
	self->worker[self->nr_workers++] = start(be_refused_as_another);
	self->worker[self->nr_workers++] = start(read_trace);
	for (i = 0; i < n; i++) {
		ASSERT_EQ(0, load(""));
		ASSERT_TRUE(write_soon(EVENTS "/enable", "1"));
		ASSERT_TRUE(UCV_SOON(is_armed() && denials() > 0));
		ASSERT_EQ(0, unload());
		ASSERT_STREQ("", left_behind());
		ASSERT_LT(0, read_some(TRACING "/trace"));
	}
	EXPECT_TRUE(workers_live(self->worker, self->nr_workers));
	printf("# unloads: %ld\n", n);
}

/* A tracer that enables and disables all the time, as unloading disables as well. */
static void flip_tracepoints(void)
{
	ucv_write(EVENTS "/enable", "1");
	ucv_write(EVENTS "/enable", "0");
}

UCV_TEST_F(free, unload_while_tracepoints_are_enabled_and_disabled)
{
	long n = unloads(), i;

	if (access(TRACING "/trace_pipe", R_OK))
		SKIP(return, "there is no tracefs");
	self->worker[self->nr_workers++] = start(be_refused_uts);
	self->worker[self->nr_workers++] = start(flip_tracepoints);
	self->worker[self->nr_workers++] = start(flip_tracepoints);
	for (i = 0; i < n; i++) {
		ASSERT_EQ(0, load(i % 2 ? "denials=1" : ""));
		sched_yield();
		ASSERT_EQ(0, unload_soon());
		ASSERT_STREQ("", left_behind());
	}
	EXPECT_TRUE(workers_live(self->worker, self->nr_workers));
	printf("# unloads: %ld\n", n);
}

/*
 * A thread that is preempted inside of a probed function: the kernel then returns into the
 * kretprobe's trampoline after the module is gone. The thread runs only when its CPU has
 * nothing else to do, and the hog takes that CPU from it until it is where it should be.
 */
struct hog {
	pid_t pid;
	int *busy;	/* shared */
};

static void pin_to(int cpu, int policy, int priority)
{
	struct sched_param parameters = { .sched_priority = priority };
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) || sched_setscheduler(0, policy, &parameters))
		_exit(1);
}

static void be_refused_at_rest(void)
{
	pin_to(1, SCHED_IDLE, 0);
	for (;;) {
		be_refused_as_another();
		be_refused_queue();
	}
}

static void be_hog(int *busy)
{
	pin_to(1, SCHED_FIFO, 1);
	for (;;) {
		while (__atomic_load_n(busy, __ATOMIC_RELAXED))
			;
		usleep(1000);
	}
}

/*
 * Linux 5.18 to 6.8 log a warning if somebody reads the stack of a thread that is inside of a
 * probed function and not asleep: a check of the kernel's that later ones do without.
 */
static bool stacks_cause_warnings(void)
{
	return ucv_kernel_has(5, 18) && !ucv_kernel_has(6, 9);
}

static bool is_inside(pid_t pid)
{
	static const char * const functions[] = { " inc_ucount+", " mqueue_get_inode+" };
	char path[64], *stack;
	bool inside = false;
	unsigned int i;

	snprintf(path, sizeof(path), "/proc/%d/stack", pid);
	stack = ucv_slurp(path, NULL);
	for (i = 0; stack && i < ARRAY_SIZE(functions); i++)
		inside |= !!strstr(stack, functions[i]);
	free(stack);
	return inside;
}

/* Let the thread go on, and take its CPU, until it is inside. */
static bool stop_inside(pid_t pid, int *busy)
{
	int i;

	for (i = 0; i < 300; i++) {
		__atomic_store_n(busy, 0, __ATOMIC_RELAXED);
		usleep(500 + i * 37 % 1000);
		__atomic_store_n(busy, 1, __ATOMIC_RELAXED);
		usleep(3000);
		if (is_inside(pid))
			return true;
	}
	return false;
}

/* In the child: unloading may wait for the thread, so it must not be this that frees it. */
static pid_t unload_in_child(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(unload_soon() ? 1 : 0);
	return pid;
}

UCV_TEST_F(free, unload_while_a_thread_is_inside_a_probed_function)
{
	long n = unloads(), i, inside = 0, waited = 0;
	pid_t child, pid;
	bool done;
	int *busy, status;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "needs two CPUs");
	if (access("/proc/self/stack", R_OK))
		SKIP(return, "the kernel shows no stacks");
	if (stacks_cause_warnings())
		SKIP(return, "the kernel warns of a look at a stack with a probed function");
	busy = mmap(NULL, sizeof(*busy), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, busy);
	pid = start(be_refused_at_rest);
	self->worker[self->nr_workers++] = pid;
	self->worker[self->nr_workers] = ucv_fork();
	if (!self->worker[self->nr_workers])
		be_hog(busy);
	self->nr_workers++;
	for (i = 0; i < n; i++) {
		ASSERT_EQ(0, load("denials=1"));
		inside += stop_inside(pid, busy);
		child = unload_in_child();
		done = UCV_SOON_TRIES(waitpid(child, &status, WNOHANG), 100);
		*busy = 0;
		waited += !done;
		if (!done)
			ASSERT_EQ(child, waitpid(child, &status, 0));
		ASSERT_EQ(0, status);
		ASSERT_STREQ("", left_behind());
		ASSERT_TRUE(workers_live(self->worker, self->nr_workers));
	}
	printf("# unloads: %ld, with a thread inside: %ld, waited for it: %ld\n", n, inside,
	       waited);
	if (!inside)
		SKIP(return, "the thread was never inside");
}

TEST_HARNESS_MAIN
