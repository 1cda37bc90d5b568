// SPDX-License-Identifier: GPL-2.0
/*
 * The holders: each group is listed once, with the user it is charged to, its marks and
 * exactly the processes that hold it. Only the charges of groups that are in flight in a
 * socket are left unattributed.
 *
 * UCV_LARGE=N sets the number of watches of a large group, for slow machines.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/utsname.h>

#include "kselftest_harness.h"
#include "ucv_holders.h"

#define NR_FILES	64
#define HEADER		"GROUP KIND USERNS LEVEL UID MARKS FLAGS FD TID PID COMMAND FDS\n"
#define LOWEST_PID_MAX	400	/* the kernel's minimum is a little over 300 */
#define PID_MAX		"/proc/sys/kernel/pid_max"
#define MAX_WATCHES	"/proc/sys/fs/inotify/max_user_watches"
#define MAX_INSTANCES	"/proc/sys/fs/inotify/max_user_instances"
#define MAX_MARKS	"/proc/sys/fs/fanotify/max_user_marks"

FIXTURE(holders) {
	char dir[64];
	struct ucv_agent agent;
	struct ucv_held held;
	unsigned int init;	/* the initial user namespace's inode number */
	unsigned int uid;
};

FIXTURE_SETUP(holders)
{
	if (!ucv_feature(UCV_FEATURE_GROUPS))
		SKIP(return, "the module cannot walk groups here");
	self->init = ucv_userns_of(getpid());
	self->uid = UCV_UID + 500;
	ASSERT_NE(0U, self->init);
	ASSERT_EQ(0, ucv_make_files(self->dir, sizeof(self->dir), NR_FILES));
	ASSERT_EQ(0, ucv_agent_start(&self->agent));
	/* The agent changes its uid at times and must keep its capabilities. */
	ASSERT_EQ(0, ucv_agent_call(&self->agent, ucv_do_keep_caps, 0, 0, 0));
}

FIXTURE_TEARDOWN(holders)
{
	ucv_held_free(&self->held);
	ucv_agent_stop(&self->agent);
	ucv_remove_files(self->dir, NR_FILES);
	EXPECT_TRUE(UCV_SOON(!ucv_row_now(self->init, self->uid)));
}

/* Functions for agents. They return raw descriptors. */

static int add_watches(int fd, const char *dir, long first, long nr)
{
	char path[PATH_MAX];
	long i;

	for (i = 0; i < nr; i++) {
		snprintf(path, sizeof(path), "%s/%ld", dir, first + i);
		if (inotify_add_watch(fd, path, IN_MODIFY) < 0)
			return -errno;
	}
	return 0;
}

/* Makes an instance with b watches on files in text, as uid a. */
static long do_watcher(struct ucv_call *call)
{
	int fd, ret;

	if (setresuid(-1, call->a, 0))
		return -errno;
	fd = inotify_init1(IN_NONBLOCK);
	if (fd < 0)
		return -errno;
	ret = add_watches(fd, call->text, 0, call->b);
	if (ret || setresuid(-1, 0, -1))
		return ret ? ret : -errno;
	return fd;
}

static long do_close_raw(struct ucv_call *call)
{
	return close(call->a) ? -errno : 0;
}

static long do_send_raw(struct ucv_call *call)
{
	call->fd = call->a;
	return 0;
}

static long do_name(struct ucv_call *call)
{
	return prctl(PR_SET_NAME, call->text) ? -errno : 0;
}

/* Returns when the child has exited: until then it holds what it has inherited. */
static long do_kill(struct ucv_call *call)
{
	if (kill(call->a, SIGKILL))
		return -errno;
	/* ECHILD: nobody waits for a child of an agent, which ignores SIGCHLD. */
	if (waitpid(call->a, NULL, 0) < 0 && errno != ECHILD)
		return -errno;
	return 0;
}

static struct ucv_held *take(struct __test_metadata *_metadata, struct ucv_held *held)
{
	ucv_held_free(held);
	ASSERT_EQ(0, ucv_held_take(held));
	EXPECT_STREQ("", ucv_held_inconsistent(held));
	return held;
}

static void check_nothing_left(struct __test_metadata *_metadata,
			       const struct ucv_held *held, unsigned int inum,
			       unsigned int uid)
{
	EXPECT_EQ(0, ucv_left(held, inum, uid, "inotify_instances"));
	EXPECT_EQ(0, ucv_left(held, inum, uid, "inotify_watches"));
	if (ucv_resource(&held->table, "fanotify_marks") < 0)
		return;
	EXPECT_EQ(0, ucv_left(held, inum, uid, "fanotify_groups"));
	EXPECT_EQ(0, ucv_left(held, inum, uid, "fanotify_marks"));
}

static void check_group(struct __test_metadata *_metadata,
			const struct ucv_held *held,
			const struct ucv_group *group, unsigned int inum,
			unsigned int uid, unsigned long long marks,
			unsigned int nr_holders)
{
	ASSERT_NE(NULL, group);
	EXPECT_EQ(inum, held->table.userns[group->userns].inum);
	EXPECT_EQ(uid, group->uid);
	EXPECT_EQ(marks, group->marks);
	EXPECT_EQ(nr_holders, group->nr_holders);
}

/* True if a line of debugfs' holders contains @begin and ends with @end. */
static bool text_has(const char *text, const char *begin, const char *end)
{
	size_t length = strlen(end);
	const char *line, *eol;

	for (line = text; (eol = strchr(line, '\n')); line = eol + 1)
		if (strstr(line, begin) && strstr(line, begin) < eol &&
		    eol - line >= (long)length &&
		    !memcmp(eol - length, end, length))
			return true;
	return false;
}

/* The first story: the editor that holds four of the sixteen watches. */
UCV_TEST_F(holders, instance_is_held_by_its_process)
{
	const struct ucv_holder *holder;
	const struct ucv_group *group;
	char begin[128], end[64];
	char *text;
	long fd;

	fd = ucv_agent_text(&self->agent, do_watcher, self->dir, self->uid, 4, 0);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ucv_agent_text(&self->agent, do_name, "my editor", 0, 0, 0));
	take(_metadata, &self->held);
	holder = ucv_holder(&self->held, self->agent.pid, 0, fd);
	ASSERT_NE(NULL, holder);
	EXPECT_STREQ("my editor", holder->comm);
	group = &self->held.groups[holder->group];
	check_group(_metadata, &self->held, group, self->init, self->uid, 4, 1);
	EXPECT_EQ((__u32)UCV_GROUP_INOTIFY, group->type);
	EXPECT_EQ(0U, group->flags);
	EXPECT_EQ(self->uid, group->uid_in_ns);
	EXPECT_EQ(1U, ucv_groups_of(&self->held, self->init, self->uid));
	check_nothing_left(_metadata, &self->held, self->init, self->uid);

	if (!ucv_has_debugfs())
		SKIP(return, "debugfs cannot be read");
	text = ucv_slurp(UCV_DEBUGFS "/holders", NULL);
	ASSERT_NE(NULL, text);
	EXPECT_EQ(text, strstr(text, HEADER));
	snprintf(begin, sizeof(begin), " inotify %u 0 %u 4 - ", self->init, self->uid);
	snprintf(end, sizeof(end), " %ld - %d my\\040editor 1", fd, self->agent.pid);
	EXPECT_TRUE(text_has(text, begin, end))
		TH_LOG("%s", text);
	free(text);
}

/* One group, held by a process and its child, and then by only the child. */
UCV_TEST_F(holders, instance_is_shared_by_fork)
{
	const struct ucv_holder *parent, *child;
	long fd, pid;

	fd = ucv_agent_text(&self->agent, do_watcher, self->dir, self->uid, 5, 0);
	ASSERT_LE(0, fd);
	pid = ucv_agent_call(&self->agent, ucv_do_fork, 1, 0, 0);
	ASSERT_LT(0, pid);
	take(_metadata, &self->held);
	parent = ucv_holder(&self->held, self->agent.pid, 0, fd);
	child = ucv_holder(&self->held, pid, 0, fd);
	ASSERT_NE(NULL, parent);
	ASSERT_NE(NULL, child);
	EXPECT_EQ(parent->group, child->group);
	check_group(_metadata, &self->held, &self->held.groups[child->group],
		    self->init, self->uid, 5, 2);
	EXPECT_EQ(1U, ucv_groups_of(&self->held, self->init, self->uid));

	ASSERT_EQ(0, ucv_agent_call(&self->agent, do_close_raw, fd, 0, 0));
	take(_metadata, &self->held);
	EXPECT_EQ(NULL, ucv_holder(&self->held, self->agent.pid, 0, fd));
	check_group(_metadata, &self->held,
		    ucv_group_held(&self->held, pid, 0, fd), self->init,
		    self->uid, 5, 1);
	check_nothing_left(_metadata, &self->held, self->init, self->uid);
	ASSERT_EQ(0, ucv_agent_call(&self->agent, do_kill, pid, 0, 0));
}

/* Passed through a socket to a process of another user; the charge stays the same. */
UCV_TEST_F(holders, passed_instance_stays_charged)
{
	long fd;
	int here;

	fd = ucv_agent_text(&self->agent, do_watcher, self->dir, self->uid, 6, 0);
	ASSERT_LE(0, fd);
	here = ucv_agent_fd(&self->agent, do_send_raw, fd);
	ASSERT_LE(0, here);
	take(_metadata, &self->held);
	check_group(_metadata, &self->held,
		    ucv_group_held(&self->held, getpid(), 0, here), self->init,
		    self->uid, 6, 2);
	EXPECT_EQ(1U, ucv_groups_of(&self->held, self->init, self->uid));

	ASSERT_EQ(0, ucv_agent_call(&self->agent, do_close_raw, fd, 0, 0));
	take(_metadata, &self->held);
	check_group(_metadata, &self->held,
		    ucv_group_held(&self->held, getpid(), 0, here), self->init,
		    self->uid, 6, 1);
	close(here);
	take(_metadata, &self->held);
	EXPECT_EQ(0U, ucv_groups_of(&self->held, self->init, self->uid));
	EXPECT_USED(0, self->init, self->uid, "inotify_instances");
}

#define NR_COPIES	700

/* In the agent: copies descriptor a to b, b + c, b + 2c ... */
static long do_copies(struct ucv_call *call)
{
	const struct rlimit limit = { UCV_MOST_FDS, UCV_MOST_FDS };
	long i;

	if (setrlimit(RLIMIT_NOFILE, &limit))
		return -errno;
	for (i = 0; i < NR_COPIES; i++)
		if (dup2(call->a, call->b + i * call->c) < 0)
			return -errno;
	return 0;
}

/*
 * Many descriptors of one group in one process: consecutive, scattered, and at the end of a
 * table of the maximum size. There is one holder, with their number.
 */
UCV_TEST_F(holders, copies_of_a_descriptor_are_one_holder)
{
	const struct ucv_holder *holder;
	long fd, other;

	fd = ucv_agent_text(&self->agent, do_watcher, self->dir, self->uid, 2, 0);
	ASSERT_LE(0, fd);
	other = ucv_agent_text(&self->agent, do_watcher, self->dir, self->uid, 1, 0);
	ASSERT_LT(fd, other);
	ASSERT_EQ(0, ucv_agent_call(&self->agent, do_copies, fd, 1000, 1));
	ASSERT_EQ(0, ucv_agent_call(&self->agent, do_copies, fd, 10001, 130));
	ASSERT_EQ(0, ucv_agent_call(&self->agent, do_copies, other, 10000, 130));
	ASSERT_EQ(0, ucv_agent_call(&self->agent, do_copies, other, UCV_MOST_FDS - NR_COPIES, 1));
	take(_metadata, &self->held);
	holder = ucv_holder(&self->held, self->agent.pid, 0, fd);
	ASSERT_NE(NULL, holder);
	EXPECT_EQ(2U * NR_COPIES + 1, holder->nr_fds);
	check_group(_metadata, &self->held, &self->held.groups[holder->group],
		    self->init, self->uid, 2, 1);
	holder = ucv_holder(&self->held, self->agent.pid, 0, other);
	ASSERT_NE(NULL, holder);
	EXPECT_EQ(2U * NR_COPIES + 1, holder->nr_fds);
	check_group(_metadata, &self->held, &self->held.groups[holder->group],
		    self->init, self->uid, 1, 1);
	EXPECT_EQ(2U, ucv_groups_of(&self->held, self->init, self->uid));
	EXPECT_EQ(2U, ucv_holders_of(&self->held, self->init, self->uid));
}

/*
 * More processes hold a group than are recorded: their number is exact, and so are the
 * records of other groups.
 */
UCV_TEST_F(holders, number_of_holders_is_exact_beyond_the_recorded)
{
	const unsigned int nr = UCV_GROUP_MAX_HOLDERS + 10;
	const struct ucv_group *group;
	struct ucv_agent alone;
	unsigned int i;
	long fd, pid;

	ASSERT_EQ(0, ucv_agent_start(&alone));
	ASSERT_EQ(0, ucv_agent_call(&alone, ucv_do_keep_caps, 0, 0, 0));
	fd = ucv_agent_text(&self->agent, do_watcher, self->dir, self->uid, 5, 0);
	ASSERT_LE(0, fd);
	for (i = 1; i < nr; i++) {
		pid = ucv_agent_call(&self->agent, ucv_do_fork, 1, 0, 0);
		ASSERT_LT(0, pid);
	}
	take(_metadata, &self->held);
	group = ucv_group_held(&self->held, self->agent.pid, 0, fd);
	check_group(_metadata, &self->held, group, self->init, self->uid, 5, nr);
	EXPECT_EQ((__u32)UCV_GROUP_MORE_HOLDERS, group->flags);
	EXPECT_EQ(nr, group->nr_fds);
	EXPECT_EQ((unsigned int)UCV_GROUP_MAX_HOLDERS,
		  ucv_holders_of(&self->held, self->init, self->uid));
	check_nothing_left(_metadata, &self->held, self->init, self->uid);

	fd = ucv_agent_text(&alone, do_watcher, self->dir, self->uid, 3, 0);
	ASSERT_LE(0, fd);
	take(_metadata, &self->held);
	group = ucv_group_held(&self->held, alone.pid, 0, fd);
	check_group(_metadata, &self->held, group, self->init, self->uid, 3, 1);
	EXPECT_EQ(0U, group->flags);
	ucv_agent_stop(&alone);
}

/* Threads */

#define NR_THREADS	3

/* Shared with a multithreaded process, which stores its tids here. */
struct threads {
	atomic_int tid[NR_THREADS];
	atomic_int nr;
	atomic_int fd;		/* opened by a thread with its own file table */
	bool alone;		/* the first thread exits */
	char dir[64];
	unsigned int uid;
};

static struct threads *threads;

static int thread_watcher(unsigned int uid, const char *dir, long nr)
{
	int fd;

	/* The system call changes only this thread; the C library would change all threads. */
	if (syscall(SYS_setresuid, -1, uid, -1))
		return -errno;
	fd = inotify_init1(IN_NONBLOCK);
	if (fd < 0)
		return -errno;
	return add_watches(fd, dir, 0, nr) ? -EIO : fd;
}

static void *own_table(void *arg)
{
	threads->fd = unshare(CLONE_FILES) ? -errno :
		      thread_watcher(threads->uid, threads->dir, 3);
	threads->tid[(long)arg] = gettid();
	threads->nr++;
	for (;;)
		pause();
	return NULL;
}

static void *common_table(void *arg)
{
	threads->tid[(long)arg] = gettid();
	threads->nr++;
	for (;;)
		pause();
	return NULL;
}

/* Thread 0 has its own file table, unless the first thread is to exit. */
static long do_threads(struct ucv_call *call)
{
	pthread_t thread;
	pid_t pid = ucv_fork();
	long i;

	(void)call;
	if (pid)
		return pid < 0 ? -errno : pid;
	for (i = 0; i < NR_THREADS; i++)
		if (pthread_create(&thread, NULL, i || threads->alone ?
				   common_table : own_table, (void *)i))
			_exit(1);
	if (threads->alone)
		syscall(SYS_exit, 0);
	ucv_stay();
	return 0;
}

static long start_threads(struct __test_metadata *_metadata,
			  struct ucv_agent *agent, const char *dir,
			  unsigned int uid, bool alone)
{
	long pid;

	/* Mapped before the agent was started, see map_threads(). */
	memset(threads, 0, sizeof(*threads));
	threads->uid = uid;
	threads->alone = alone;
	snprintf(threads->dir, sizeof(threads->dir), "%s", dir);
	pid = ucv_agent_call(agent, do_threads, 0, 0, 0);
	ASSERT_LT(0, pid);
	ASSERT_TRUE(UCV_SOON(threads->nr == NR_THREADS));
	return pid;
}

static void __attribute__((constructor)) map_threads(void)
{
	threads = mmap(NULL, sizeof(*threads), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

/*
 * A thread that unshared the file table holds what was open then and what it has opened
 * since; the other threads share the table of the process, which counts once.
 */
UCV_TEST_F(holders, thread_with_its_own_file_table_is_a_holder)
{
	const struct ucv_holder *common, *own;
	unsigned int i;
	long fd, pid;

	fd = ucv_agent_text(&self->agent, do_watcher, self->dir, self->uid, 2, 0);
	ASSERT_LE(0, fd);
	pid = start_threads(_metadata, &self->agent, self->dir, self->uid, false);
	ASSERT_LE(0, threads->fd);
	ASSERT_EQ(0, ucv_agent_call(&self->agent, do_close_raw, fd, 0, 0));
	take(_metadata, &self->held);

	common = ucv_holder(&self->held, pid, 0, fd);
	own = ucv_holder(&self->held, pid, threads->tid[0], fd);
	ASSERT_NE(NULL, common);
	ASSERT_NE(NULL, own);
	EXPECT_EQ(common->group, own->group);
	check_group(_metadata, &self->held, &self->held.groups[own->group],
		    self->init, self->uid, 2, 2);
	check_group(_metadata, &self->held,
		    ucv_group_held(&self->held, pid, threads->tid[0], threads->fd),
		    self->init, self->uid, 3, 1);
	EXPECT_EQ(NULL, ucv_holder(&self->held, pid, 0, threads->fd));
	for (i = 1; i < NR_THREADS; i++)
		EXPECT_EQ(NULL, ucv_holder(&self->held, pid, threads->tid[i], fd));
	check_nothing_left(_metadata, &self->held, self->init, self->uid);
	ASSERT_EQ(0, ucv_agent_call(&self->agent, do_kill, pid, 0, 0));
}

/* The first thread has exited; three others share the table, which counts once. */
UCV_TEST_F(holders, process_without_first_thread_is_a_holder)
{
	unsigned int i;
	long fd, pid;

	fd = ucv_agent_text(&self->agent, do_watcher, self->dir, self->uid, 7, 0);
	ASSERT_LE(0, fd);
	pid = start_threads(_metadata, &self->agent, self->dir, self->uid, true);
	ASSERT_TRUE(UCV_SOON(ucv_state_of(pid) == 'Z'));
	ASSERT_EQ(0, ucv_agent_call(&self->agent, do_close_raw, fd, 0, 0));
	take(_metadata, &self->held);
	check_group(_metadata, &self->held,
		    ucv_group_held(&self->held, pid, threads->tid[0], fd),
		    self->init, self->uid, 7, 1);
	EXPECT_EQ(NULL, ucv_holder(&self->held, pid, 0, fd));
	for (i = 1; i < NR_THREADS; i++)
		EXPECT_EQ(NULL, ucv_holder(&self->held, pid, threads->tid[i], fd));
	ASSERT_EQ(0, ucv_agent_call(&self->agent, do_kill, pid, 0, 0));
}

/*
 * After pids wrap around, threads have lower numbers than their process. The table still
 * counts once, as that of the process.
 */
UCV_TEST_F(holders, thread_ids_may_be_below_the_pid)
{
	const long long pid_max = ucv_read_number(PID_MAX);
	long fd, pid, tries;

	fd = ucv_agent_text(&self->agent, do_watcher, self->dir, self->uid, 2, 0);
	ASSERT_LE(0, fd);
	for (tries = 0; tries < 50; tries++) {
		do {
			pid = ucv_agent_call(&self->agent, ucv_do_fork, 1, 0, 0);
			ASSERT_LT(0, pid);
			ucv_agent_call(&self->agent, do_kill, pid, 0, 0);
		} while (pid < LOWEST_PID_MAX);
		ASSERT_EQ(0, ucv_sysctl(PID_MAX, pid + 2));
		pid = start_threads(_metadata, &self->agent, self->dir, self->uid, false);
		ASSERT_EQ(0, ucv_sysctl(PID_MAX, pid_max));
		if (threads->tid[1] < pid && threads->tid[2] < pid)
			break;
		ucv_agent_call(&self->agent, do_kill, pid, 0, 0);
	}
	ASSERT_GT(50, tries);
	take(_metadata, &self->held);
	EXPECT_NE(NULL, ucv_holder(&self->held, pid, 0, fd));
	EXPECT_NE(NULL, ucv_holder(&self->held, pid, threads->tid[0], fd));
	EXPECT_EQ(NULL, ucv_holder(&self->held, pid, threads->tid[1], fd));
	EXPECT_EQ(NULL, ucv_holder(&self->held, pid, threads->tid[2], fd));
	check_group(_metadata, &self->held,
		    ucv_group_held(&self->held, pid, 0, fd), self->init,
		    self->uid, 2, 3);
	ASSERT_EQ(0, ucv_agent_call(&self->agent, do_kill, pid, 0, 0));
}

/* Pids are those of the initial pid namespace. */
UCV_TEST_F(holders, holder_has_the_initial_pid)
{
	long fd, pid;

	fd = ucv_agent_text(&self->agent, do_watcher, self->dir, self->uid, 8, 0);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ucv_agent_call(&self->agent, ucv_do_unshare, CLONE_NEWPID, 0, 0));
	pid = ucv_agent_call(&self->agent, ucv_do_fork, 1, 0, 0);
	ASSERT_LT(1, pid);
	ASSERT_EQ(0, ucv_agent_call(&self->agent, do_close_raw, fd, 0, 0));
	take(_metadata, &self->held);
	check_group(_metadata, &self->held,
		    ucv_group_held(&self->held, pid, 0, fd), self->init,
		    self->uid, 8, 1);
	ASSERT_EQ(0, ucv_agent_call(&self->agent, do_kill, pid, 0, 0));
}

/* An exited process, not yet reaped, holds nothing. */
UCV_TEST_F(holders, zombie_holds_nothing)
{
	struct ucv_agent agent;
	long fd;

	ASSERT_EQ(0, ucv_agent_start(&agent));
	ASSERT_EQ(0, ucv_agent_call(&agent, ucv_do_keep_caps, 0, 0, 0));
	fd = ucv_agent_text(&agent, do_watcher, self->dir, self->uid, 3, 0);
	ASSERT_LE(0, fd);
	/* A zombie until it is waited for. */
	kill(agent.pid, SIGKILL);
	ASSERT_TRUE(UCV_SOON(ucv_state_of(agent.pid) == 'Z'));
	take(_metadata, &self->held);
	EXPECT_EQ(NULL, ucv_holder(&self->held, agent.pid, 0, fd));
	EXPECT_EQ(0U, ucv_groups_of(&self->held, self->init, self->uid));
	ucv_agent_stop(&agent);
	EXPECT_USED(0, self->init, self->uid, "inotify_watches");
}

/* fanotify */

static long do_group(struct ucv_call *call)
{
	char path[PATH_MAX];
	long i;
	int fd;

	if (setresuid(-1, call->a, 0))
		return -errno;
	fd = fanotify_init(call->c | FAN_NONBLOCK, O_RDONLY);
	if (fd < 0)
		return -errno;
	for (i = 0; i < call->b; i++) {
		snprintf(path, sizeof(path), "%s/%ld", call->text, i);
		if (fanotify_mark(fd, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, path))
			return -errno;
	}
	return setresuid(-1, 0, -1) ? -errno : fd;
}

static long do_unmark_raw(struct ucv_call *call)
{
	char path[PATH_MAX];
	long i;

	for (i = 0; i < call->c; i++) {
		snprintf(path, sizeof(path), "%s/%ld", call->text, call->b + i);
		if (fanotify_mark(call->a, FAN_MARK_REMOVE, FAN_OPEN, AT_FDCWD, path))
			return -errno;
	}
	return 0;
}

UCV_TEST_F(holders, fanotify_groups_and_marks_are_counted)
{
	const unsigned int flags[] = {
		0, FAN_UNLIMITED_QUEUE, FAN_UNLIMITED_MARKS,
		FAN_UNLIMITED_QUEUE | FAN_UNLIMITED_MARKS,
	};
	const struct ucv_group *group;
	unsigned int i;
	long fd[4];

	if (!ucv_has_fanotify())
		SKIP(return, "the kernel has no fanotify");
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		fd[i] = ucv_agent_text(&self->agent, do_group, self->dir,
				       self->uid, 10 + i,
				       FAN_CLASS_NOTIF | flags[i]);
		ASSERT_LE(0, fd[i]);
	}
	take(_metadata, &self->held);
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		group = ucv_group_held(&self->held, self->agent.pid, 0, fd[i]);
		check_group(_metadata, &self->held, group, self->init, self->uid, 10 + i, 1);
		EXPECT_EQ((__u32)UCV_GROUP_FANOTIFY, group->type);
		EXPECT_EQ((i & 1 ? UCV_GROUP_UNLIMITED_QUEUE : 0) |
			  (i & 2 ? UCV_GROUP_UNLIMITED_MARKS : 0),
			  group->flags);
	}
	EXPECT_EQ(4LL, ucv_used(&self->held.table, self->init, self->uid, "fanotify_groups"));
	EXPECT_EQ(21LL, ucv_used(&self->held.table, self->init, self->uid, "fanotify_marks"));
	check_nothing_left(_metadata, &self->held, self->init, self->uid);

	ASSERT_EQ(0, ucv_agent_text(&self->agent, do_unmark_raw, self->dir, fd[0], 2, 6));
	take(_metadata, &self->held);
	check_group(_metadata, &self->held,
		    ucv_group_held(&self->held, self->agent.pid, 0, fd[0]),
		    self->init, self->uid, 4, 1);
	check_nothing_left(_metadata, &self->held, self->init, self->uid);
}

static unsigned long long marks_now(pid_t pid, int fd)
{
	const struct ucv_group *group;
	unsigned long long marks = ~0ULL;
	struct ucv_held held;

	if (ucv_held_take(&held))
		return marks;
	group = ucv_group_held(&held, pid, 0, fd);
	if (group)
		marks = group->marks;
	ucv_held_free(&held);
	return marks;
}

/* More marks than are counted individually; the number is still exact. */
UCV_TEST_F(holders, marks_of_a_large_group_are_counted)
{
	const long nr = 2500, less = 1000;
	const struct ucv_group *group;
	char dir[64];
	long fd;

	if (!ucv_has_fanotify())
		SKIP(return, "the kernel has no fanotify");
	ASSERT_EQ(0, ucv_sysctl(MAX_MARKS, 100000));
	ASSERT_EQ(0, ucv_make_files(dir, sizeof(dir), nr));
	fd = ucv_agent_text(&self->agent, do_group, dir, self->uid, nr, FAN_CLASS_NOTIF);
	ASSERT_LE(0, fd);
	take(_metadata, &self->held);
	group = ucv_group_held(&self->held, self->agent.pid, 0, fd);
	check_group(_metadata, &self->held, group, self->init, self->uid, nr, 1);
	EXPECT_EQ(UCV_GROUP_LAGGING, group->flags);
	check_nothing_left(_metadata, &self->held, self->init, self->uid);

	/* The kernel destroys marks asynchronously, and until then the number lags. */
	ASSERT_EQ(0, ucv_agent_text(&self->agent, do_unmark_raw, dir, fd, 0, less));
	EXPECT_LE((unsigned long long)nr - less, marks_now(self->agent.pid, fd));
	EXPECT_TRUE(UCV_SOON(marks_now(self->agent.pid, fd) == (unsigned long long)nr - less));
	EXPECT_EQ(0, ucv_left_now(self->init, self->uid, "fanotify_marks"));

	/* As many as are counted individually. */
	ASSERT_EQ(0, ucv_agent_text(&self->agent, do_unmark_raw, dir, fd, less, nr - less - 1024));
	take(_metadata, &self->held);
	group = ucv_group_held(&self->held, self->agent.pid, 0, fd);
	check_group(_metadata, &self->held, group, self->init, self->uid, 1024, 1);
	EXPECT_EQ(0U, group->flags);
	ucv_remove_files(dir, nr);
}

/* Loads the module that plants faults, see planted/. Returns a negative errno on failure. */
static int load_planted(void)
{
	const char *path = getenv("UCV_PLANTED");
	char beside[PATH_MAX];
	struct utsname name;
	int fd, ret;

	uname(&name);
	snprintf(beside, sizeof(beside), "/lib/modules/%s/extra/ucv_planted.ko", name.release);
	fd = open(path ? path : beside, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = syscall(SYS_finit_module, fd, "", 0) ? -errno : 0;
	close(fd);
	return ret;
}

static bool marks_are_locked(void)
{
	char *text = ucv_slurp("/sys/module/ucv_planted/parameters/lock", NULL);
	bool locked = text && *text == 'Y';

	free(text);
	return locked;
}

/*
 * The owner of the lock of a list of marks does not run. A snapshot does not wait for the
 * lock, and the number of marks is exact.
 */
UCV_TEST_F(holders, snapshot_does_not_wait_for_a_locked_group)
{
	const struct ucv_group *group;
	char text[16];
	int fd, ret, dir, i;

	if (!ucv_has_fanotify())
		SKIP(return, "the kernel has no fanotify");
	dir = open(self->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ASSERT_LE(0, dir);
	fd = fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC, O_RDONLY);
	ASSERT_LE(0, fd);
	for (i = 0; i < 12; i++) {
		snprintf(text, sizeof(text), "%d", i);
		ASSERT_EQ(0, fanotify_mark(fd, FAN_MARK_ADD, FAN_OPEN, dir, text));
	}
	ret = load_planted();
	if (ret)
		SKIP(return, "there is no ucv_planted.ko (%d)", ret);
	snprintf(text, sizeof(text), "%d", fd);
	ASSERT_EQ(0, ucv_write("/sys/module/ucv_planted/parameters/lock", text));
	EXPECT_TRUE(marks_are_locked());
	take(_metadata, &self->held);
	EXPECT_TRUE(marks_are_locked())
		TH_LOG("the snapshot waited until the lock was free");
	group = ucv_group_held(&self->held, getpid(), 0, fd);
	check_group(_metadata, &self->held, group, self->init, 0, 12, 1);
	EXPECT_EQ(UCV_GROUP_LAGGING, group->flags);

	ASSERT_EQ(0, syscall(SYS_delete_module, "ucv_planted", O_NONBLOCK));
	take(_metadata, &self->held);
	group = ucv_group_held(&self->held, getpid(), 0, fd);
	check_group(_metadata, &self->held, group, self->init, 0, 12, 1);
	EXPECT_EQ(0U, group->flags);
	close(fd);
	close(dir);
}

/* A large group, while watches are added to it and removed */

#define NR_EXTRA	32
#define NR_CHANGERS	2

struct large {
	int fd;
	atomic_bool stop;
	atomic_long added;	/* number of watches since the start */
};

struct changer {
	struct large *large;
	const char *dir;
	unsigned int first;	/* of its own files */
};

/* Holds up to its share of the extra watches at a time. */
static void *change_watches(void *arg)
{
	struct changer *changer = arg;
	const unsigned int mine = NR_EXTRA / NR_CHANGERS;
	int wd[NR_EXTRA] = {};
	char path[PATH_MAX];
	unsigned int n, i;

	for (n = 0; !changer->large->stop; n++) {
		i = n % mine;
		if (wd[i])
			inotify_rm_watch(changer->large->fd, wd[i]);
		snprintf(path, sizeof(path), "%s/%u", changer->dir, changer->first + i);
		changer->large->added++;
		wd[i] = inotify_add_watch(changer->large->fd, path, IN_MODIFY);
	}
	return NULL;
}

static long large_number(void)
{
	const char *text = getenv("UCV_LARGE");

	return text && atol(text) > 0 ? atol(text) : 100000;
}

static int make_dirs(const char *dir, int fd, long nr)
{
	char path[PATH_MAX];
	long i;

	for (i = 0; i < nr; i++) {
		snprintf(path, sizeof(path), "%s/%ld", dir, i);
		if (mkdir(path, 0755))
			return -errno;
		if (inotify_add_watch(fd, path, IN_MODIFY) != i + 1)
			return -errno;
	}
	return 0;
}

UCV_TEST_F(holders, watches_of_a_large_instance_are_counted)
{
	struct changer changer[NR_CHANGERS];
	struct large large = {};
	pthread_t thread[NR_CHANGERS];
	const struct ucv_group *group;
	long nr = large_number(), added;
	unsigned int i;
	char dir[64];

	ASSERT_EQ(0, ucv_make_files(dir, sizeof(dir), 0));
	ASSERT_EQ(0, mount("tmpfs", dir, "tmpfs", 0, "nr_inodes=0"));
	ASSERT_EQ(0, ucv_sysctl(MAX_WATCHES, nr + 100000));
	large.fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	ASSERT_LE(0, large.fd);
	ASSERT_EQ(0, make_dirs(dir, large.fd, nr));
	take(_metadata, &self->held);
	group = ucv_group_held(&self->held, getpid(), 0, large.fd);
	ASSERT_NE(NULL, group);
	EXPECT_EQ((unsigned long long)nr, group->marks);
	EXPECT_EQ(0, ucv_left(&self->held, self->init, 0, "inotify_watches"));
	TH_LOG("%ld watches: %llu us for the walk, at most %llu us in one go",
	       nr, (self->held.table.snapshot.end_ns - self->held.table.snapshot.start_ns) / 1000,
	       self->held.table.snapshot.hold_max_ns / 1000);

	for (i = 0; i < NR_CHANGERS; i++) {
		changer[i].large = &large;
		changer[i].dir = self->dir;
		changer[i].first = i * (NR_EXTRA / NR_CHANGERS);
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, change_watches, &changer[i]));
	}
	/* Until each extra watch has been added once, and one more. */
	ASSERT_TRUE(UCV_SOON(large.added > NR_EXTRA));
	for (i = 0; i < 20; i++) {
		added = large.added;
		take(_metadata, &self->held);
		group = ucv_group_held(&self->held, getpid(), 0, large.fd);
		ASSERT_NE(NULL, group);
		EXPECT_LE((unsigned long long)nr, group->marks);
		EXPECT_GE((unsigned long long)nr + NR_EXTRA + large.added - added, group->marks);
	}
	large.stop = true;
	for (i = 0; i < NR_CHANGERS; i++)
		pthread_join(thread[i], NULL);
	close(large.fd);
	umount2(dir, MNT_DETACH);
	rmdir(dir);
}

/*
 * A process can choose the number of its next watch descriptor, where the kernel is built for
 * checkpoints, and so where the next watch is in the IDR.
 */
static int add_watch_at(int fd, const char *dir, int i, int wd)
{
	char path[PATH_MAX];

	if (wd && ioctl(fd, INOTIFY_IOC_SETNEXTWD, wd) && errno != ENOTTY)
		return -1;
	snprintf(path, sizeof(path), "%s/%d", dir, i);
	return inotify_add_watch(fd, path, IN_MODIFY);
}

UCV_TEST_F(holders, watches_with_gaps_are_counted)
{
	const struct ucv_group *group;
	unsigned long long marks = NR_FILES;
	int wd[NR_FILES], fd, i;

	fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	ASSERT_LE(0, fd);
	/* In pairs, each second of which is in two leaves: 63 and 64. */
	for (i = 0; i < NR_FILES; i++) {
		wd[i] = add_watch_at(fd, self->dir, i, i % 2 ? 0 : (i << 24) + (i % 4 ? 63 : 1));
		ASSERT_LT(0, wd[i]);
	}
	take(_metadata, &self->held);
	group = ucv_group_held(&self->held, getpid(), 0, fd);
	ASSERT_NE(NULL, group);
	EXPECT_EQ(marks, group->marks);
	for (i = 0; i < NR_FILES; i += 3, marks--)
		ASSERT_EQ(0, inotify_rm_watch(fd, wd[i]));
	take(_metadata, &self->held);
	group = ucv_group_held(&self->held, getpid(), 0, fd);
	ASSERT_NE(NULL, group);
	EXPECT_EQ(marks, group->marks);
	EXPECT_EQ(0, ucv_left(&self->held, self->init, 0, "inotify_watches"));
	close(fd);
}

/* Groups that only a message in a socket holds */

static long do_launch_raw(struct ucv_call *call)
{
	return ucv_launch(call->a);
}

static long do_land_raw(struct ucv_call *call)
{
	(void)call;
	return ucv_land();
}

static void check_in_flight(struct __test_metadata *_metadata,
			    unsigned int init, unsigned int uid, bool flying)
{
	char *text, line[128];

	if (!ucv_has_debugfs())
		return;
	text = ucv_slurp(UCV_DEBUGFS "/holders", NULL);
	ASSERT_NE(NULL, text);
	snprintf(line, sizeof(line),
		 "- inotify_watches %u 0 %u 9 unattributed - - - - -", init, uid);
	EXPECT_EQ(flying, text_has(text, line, line));
	snprintf(line, sizeof(line),
		 "- inotify_instances %u 0 %u 1 unattributed - - - - -", init,
		 uid);
	EXPECT_EQ(flying, text_has(text, line, line));
	free(text);
}

UCV_TEST_F(holders, instance_in_flight_is_unattributed)
{
	long fd, other;

	fd = ucv_agent_text(&self->agent, do_watcher, self->dir, self->uid, 9, 0);
	ASSERT_LE(0, fd);
	other = ucv_agent_text(&self->agent, do_watcher, self->dir, self->uid, 4, 0);
	ASSERT_LE(0, other);
	ASSERT_EQ(0, ucv_agent_call(&self->agent, do_launch_raw, fd, 0, 0));
	take(_metadata, &self->held);
	EXPECT_EQ(1U, ucv_groups_of(&self->held, self->init, self->uid));
	EXPECT_EQ(1, ucv_left(&self->held, self->init, self->uid, "inotify_instances"));
	EXPECT_EQ(9, ucv_left(&self->held, self->init, self->uid, "inotify_watches"));
	check_in_flight(_metadata, self->init, self->uid, true);

	fd = ucv_agent_call(&self->agent, do_land_raw, 0, 0, 0);
	ASSERT_LE(0, fd);
	take(_metadata, &self->held);
	check_group(_metadata, &self->held,
		    ucv_group_held(&self->held, self->agent.pid, 0, fd),
		    self->init, self->uid, 9, 1);
	check_nothing_left(_metadata, &self->held, self->init, self->uid);
	check_in_flight(_metadata, self->init, self->uid, false);
}

/* In nested namespaces the remainder is shown at its own level only. */
UCV_TEST_F(holders, instance_in_flight_is_unattributed_at_its_level)
{
	struct ucv_chain chain;
	char *text, line[128];
	unsigned int uid;
	int level;
	long fd;

	ASSERT_EQ(0, ucv_chain_start(&chain, &self->agent, 2));
	uid = ucv_base(2) + 4;
	fd = ucv_agent_text(&chain.agent[2], do_watcher, self->dir, 4, 6, 0);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ucv_agent_call(&chain.agent[2], do_launch_raw, fd, 0, 0));
	take(_metadata, &self->held);
	EXPECT_EQ(6, ucv_left(&self->held, chain.inum[2], uid, "inotify_watches"));
	for (level = 1; level <= 2; level++)
		EXPECT_EQ(6, ucv_left(&self->held, chain.inum[level - 1],
				      ucv_owner(level), "inotify_watches"));
	if (ucv_has_debugfs()) {
		text = ucv_slurp(UCV_DEBUGFS "/holders", NULL);
		ASSERT_NE(NULL, text);
		snprintf(line, sizeof(line),
			 "- inotify_watches %u 2 %u 6 unattributed - - - - -",
			 chain.inum[2], uid);
		EXPECT_TRUE(text_has(text, line, line));
		for (level = 1; level <= 2; level++) {
			snprintf(line, sizeof(line), " %u %d %u 6 ",
				 chain.inum[level - 1], level - 1,
				 ucv_owner(level));
			EXPECT_EQ(NULL, strstr(text, line));
		}
		free(text);
	}
	EXPECT_TRUE(ucv_chain_stop(&chain));
}

/*
 * Two hundred processes of three users in two nested namespaces. Each opens an instance with
 * watches, and every fourth also holds that of the previous process.
 */
#define NR_PROCESSES	100	/* in each namespace */
#define NR_USERS	3

static long crowd_watches(long i)
{
	return i % 7 + 1;
}

static bool shares(long i)
{
	return i % 4 == 3;
}

/* In the agent: forks all of them; the last instance stays open in the agent, too. */
static long do_crowd(struct ucv_call *call)
{
	struct ucv_call watcher = *call, one = { .a = 1 };
	long i, fd = -1, before;

	for (i = 0; i < NR_PROCESSES; i++) {
		before = fd;
		watcher.a = 3 + i % NR_USERS;
		watcher.b = crowd_watches(i);
		if (!shares(i) && before >= 0) {
			close(before);
			before = -1;
		}
		fd = do_watcher(&watcher);
		if (fd < 0)
			return fd;
		if (ucv_do_fork(&one) < 0)
			return -EAGAIN;
		if (before >= 0)
			close(before);
	}
	return fd;
}

static void check_crowd(struct __test_metadata *_metadata,
			const struct ucv_held *held, unsigned int inum,
			int level, bool last_here)
{
	long long watches[NR_USERS] = {}, instances[NR_USERS] = {};
	unsigned int holders[NR_USERS] = {};
	long i;

	for (i = 0; i < NR_PROCESSES; i++) {
		watches[i % NR_USERS] += crowd_watches(i);
		instances[i % NR_USERS]++;
		holders[i % NR_USERS]++;
		if (i + 1 < NR_PROCESSES && shares(i + 1))
			holders[i % NR_USERS]++;
	}
	/* The agent holds the last instance, too, and so does this process if @last_here. */
	holders[(NR_PROCESSES - 1) % NR_USERS] += 1 + last_here;
	for (i = 0; i < NR_USERS; i++) {
		unsigned int uid = ucv_base(level) + 3 + i;

		EXPECT_EQ(instances[i], ucv_used(&held->table, inum, uid, "inotify_instances"));
		EXPECT_EQ(watches[i], ucv_used(&held->table, inum, uid, "inotify_watches"));
		EXPECT_EQ(instances[i], ucv_groups_of(held, inum, uid));
		EXPECT_EQ(holders[i], ucv_holders_of(held, inum, uid));
		check_nothing_left(_metadata, held, inum, uid);
	}
}

UCV_TEST_F(holders, holders_of_a_crowd_are_exact)
{
	struct ucv_chain chain;
	long fd[3];
	int level, here;

	/* All of them are charged to one user of the initial namespace. */
	ASSERT_EQ(0, ucv_sysctl(MAX_INSTANCES, 4 * NR_PROCESSES));
	ASSERT_EQ(0, ucv_chain_start(&chain, &self->agent, 2));
	for (level = 1; level <= 2; level++) {
		fd[level] = ucv_agent_text(&chain.agent[level], do_crowd, self->dir, 0, 0, 0);
		ASSERT_LE(0, fd[level]);
	}
	here = ucv_agent_fd(&chain.agent[2], do_send_raw, fd[2]);
	ASSERT_LE(0, here);
	take(_metadata, &self->held);
	for (level = 1; level <= 2; level++) {
		check_crowd(_metadata, &self->held, chain.inum[level], level, level == 2);
		check_nothing_left(_metadata, &self->held, chain.inum[level - 1], ucv_owner(level));
	}
	check_group(_metadata, &self->held,
		    ucv_group_held(&self->held, getpid(), 0, here),
		    chain.inum[2],
		    ucv_base(2) + 3 + (NR_PROCESSES - 1) % NR_USERS,
		    crowd_watches(NR_PROCESSES - 1), 3);
	EXPECT_EQ(3U + (NR_PROCESSES - 1) % NR_USERS,
		  ucv_group_held(&self->held, getpid(), 0, here)->uid_in_ns);
	close(here);
	EXPECT_TRUE(ucv_chain_stop(&chain));
}

/* A snapshot whose memory bound is too small for the holders fails as a whole. */
UCV_TEST_F(holders, snapshot_without_room_for_holders_fails)
{
	struct ucv_snapshot snapshot;
	int device = ucv_open(), ret = -EFBIG;
	long fd, kib;

	ASSERT_LE(0, device);
	fd = ucv_agent_text(&self->agent, do_watcher, self->dir, self->uid, 2, 0);
	ASSERT_LE(0, fd);
	/* The least that suffices for user namespaces, which snapshots of groups include. */
	for (kib = 4; ret == -EFBIG && kib < 65536; kib += 4) {
		ASSERT_EQ(0, ucv_sysctl(UCV_PARAMETERS "/max_snapshot_kib", kib));
		ret = ucv_snapshot(device, UCV_MASK(UCV_KIND_USERNS), &snapshot);
	}
	EXPECT_EQ(0, ret);
	EXPECT_EQ(-EFBIG, ucv_snapshot(device, UCV_MASK(UCV_KIND_GROUP), &snapshot));
	ASSERT_EQ(0, ucv_sysctl(UCV_PARAMETERS "/max_snapshot_kib", 65536));
	EXPECT_EQ(0, ucv_snapshot(device, UCV_MASK(UCV_KIND_GROUP), &snapshot));
	close(device);
	/* No reference has leaked: the instance is freed with its last descriptor. */
	ucv_agent_stop(&self->agent);
	EXPECT_TRUE(UCV_SOON(!ucv_used_now(self->init, self->uid, "inotify_instances")));
}

TEST_HARNESS_MAIN
