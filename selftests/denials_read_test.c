// SPDX-License-Identifier: GPL-2.0
/*
 * Reading denials: read() and poll() on a file that listens. Each listener reads each record
 * once, complete, in order and at its own pace, and is woken for it. Failed calls lose no
 * record; all lost records are reported.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "ucv_denials.h"

#define SIZE		sizeof(struct ucv_denial)
#define READ_UID	(UCV_UID + 830)

FIXTURE(listener) {
	struct ucv_agent agent;		/* is refused on request */
	int fd;				/* listens, O_NONBLOCK */
	char *hole;			/* unmapped, after ROOM bytes of buffer */
	struct ucv_denial got[UCV_SOME_DENIALS];
};

#define ROOM		65536

FIXTURE_SETUP(listener)
{
	if (!ucv_feature(UCV_FEATURE_DENIALS))
		SKIP(return, "the module cannot tell of refusals here");
	ASSERT_EQ(0, ucv_refused_start(&self->agent, READ_UID));
	self->hole = ucv_before_a_hole(ROOM);
	self->fd = ucv_listener(UCV_LISTEN_ARM);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(listener)
{
	ucv_agent_stop(&self->agent);
	if (self->hole)
		close(self->fd);
}

static long refuse(struct ucv_agent *agent, long times)
{
	return ucv_agent_call(agent, ucv_do_refuse, times, 0, 0);
}

/* read() that returns a negative errno. */
static ssize_t read_from(int fd, void *buf, size_t size)
{
	ssize_t got = read(fd, buf, size);

	return got < 0 ? -errno : got;
}

/* The events that poll() reports without waiting. */
static int poll_now(int fd)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };

	return poll(&pollfd, 1, 0) < 0 ? -errno : pollfd.revents;
}

static __u64 next_of(int fd, __u32 flags)
{
	struct ucv_listen listen;

	return ucv_listen(fd, flags, &listen) ? 0 : listen.next;
}

/* Before UCV_IOC_LISTEN */

static void check_deaf(struct __test_metadata *_metadata, int fd)
{
	struct ucv_snapshot snapshot;
	char buf[4 * SIZE];

	EXPECT_EQ(-EINVAL, read_from(fd, buf, sizeof(buf)));
	EXPECT_EQ(POLLERR, poll_now(fd));
	ASSERT_EQ(0, ucv_snapshot(fd, UCV_ALL_KINDS, &snapshot));
	EXPECT_EQ(-EINVAL, read_from(fd, buf, sizeof(buf)));
	EXPECT_EQ(POLLERR, poll_now(fd));
	close(fd);
}

/* A file that does not listen, blocking or not, while others do. */
UCV_TEST_F(listener, read_before_listen_fails)
{
	ASSERT_EQ(1, refuse(&self->agent, 1));
	check_deaf(_metadata, ucv_open());
	check_deaf(_metadata, open(UCV_DEVICE_PATH, O_RDONLY | O_NONBLOCK));
}

/* A UCV_IOC_LISTEN that fails changes neither a listening file nor one that does not listen. */
UCV_TEST_F(listener, failed_listen_changes_nothing)
{
	struct ucv_listen listen;
	int deaf = ucv_open();
	unsigned int bit;

	ASSERT_EQ(2, refuse(&self->agent, 2));
	for (bit = 0; bit < 32; bit++) {
		listen = (struct ucv_listen) { .reserved = 1U << bit };
		EXPECT_EQ(-1, ioctl(self->fd, UCV_IOC_LISTEN, &listen));
		EXPECT_EQ(EINVAL, errno);
		if (bit < 2)
			continue;
		EXPECT_EQ(-EINVAL, ucv_listen(self->fd, 1U << bit, &listen));
		EXPECT_EQ(-EINVAL, ucv_listen(self->fd, UCV_LISTEN_OLDEST | 1U << bit, &listen));
		EXPECT_EQ(-EINVAL, ucv_listen(deaf, UCV_LISTEN_ARM | 1U << bit, &listen));
	}
	EXPECT_EQ(POLLERR, poll_now(deaf));
	EXPECT_EQ(2, ucv_denials(self->fd, self->agent.pid, self->got, UCV_SOME_DENIALS));
	close(deaf);
}

/* The size of reads */

UCV_TEST_F(listener, read_without_records_returns_eagain)
{
	char buf[4 * SIZE];

	EXPECT_EQ(0, poll_now(self->fd));
	EXPECT_EQ(-EAGAIN, read_from(self->fd, buf, sizeof(buf)));
	ASSERT_EQ(1, refuse(&self->agent, 1));
	EXPECT_EQ(POLLIN, poll_now(self->fd));
	EXPECT_EQ((ssize_t)SIZE, read_from(self->fd, buf, sizeof(buf)));
	EXPECT_EQ(0, poll_now(self->fd));
	EXPECT_EQ(-EAGAIN, read_from(self->fd, buf, sizeof(buf)));
}

/* Small buffers fail even if there is nothing to read, and also in blocking mode. */
UCV_TEST_F(listener, read_into_less_than_a_record_fails)
{
	int waiting = ucv_open();
	char buf[SIZE + 8];
	size_t size;

	ASSERT_NE(0ULL, next_of(waiting, 0));
	for (size = 0; size < SIZE; size += 5) {
		EXPECT_EQ(-EINVAL, read_from(self->fd, buf, size));
		EXPECT_EQ(-EINVAL, read_from(waiting, buf, size));
	}
	ASSERT_EQ(1, refuse(&self->agent, 1));
	memset(buf, 0x5a, sizeof(buf));
	for (size = 0; size < SIZE; size++)
		EXPECT_EQ(-EINVAL, read_from(self->fd, buf, size));
	for (size = 0; size < SIZE; size++)
		EXPECT_EQ(0x5a, buf[size]);
	EXPECT_EQ((ssize_t)SIZE, read_from(self->fd, buf, SIZE));
	EXPECT_EQ(0x5a, buf[SIZE]);
	EXPECT_EQ((ssize_t)SIZE, read_from(waiting, buf, SIZE));
	close(waiting);
}

/* Reads return as many whole records as fit and leave the rest of the buffer alone. */
UCV_TEST_F(listener, read_returns_whole_records_that_fit)
{
	struct ucv_denial buf[8], first;
	unsigned int nr, i;
	size_t spare;

	for (nr = 1; nr < 8; nr++) {
		spare = nr * (SIZE - 1) / 8;
		ASSERT_EQ(8, refuse(&self->agent, 8));
		memset(buf, 0x5a, sizeof(buf));
		ASSERT_EQ((ssize_t)(nr * SIZE), read_from(self->fd, buf, nr * SIZE + spare));
		for (i = 0; i < nr; i++) {
			EXPECT_EQ(SIZE, buf[i].size);
			EXPECT_EQ(buf[0].seq + i, buf[i].seq);
			EXPECT_EQ(0ULL, buf[i].lost);
		}
		EXPECT_STREQ("", ucv_denials_inconsistent(buf, nr));
		for (i = nr * SIZE; i < sizeof(buf); i++)
			ASSERT_EQ(0x5a, ((char *)buf)[i]);
		first = buf[0];
		ASSERT_EQ((ssize_t)((8 - nr) * SIZE), read_from(self->fd, buf, sizeof(buf)));
		EXPECT_EQ(first.seq + nr, buf[0].seq);
	}
}

UCV_TEST_F(listener, readv_scatters_records)
{
	struct ucv_denial buf[3];
	const struct iovec iov[] = {
		{ &buf[1], SIZE }, { &buf[0], SIZE }, { &buf[2], SIZE },
	};

	ASSERT_EQ(3, refuse(&self->agent, 3));
	ASSERT_EQ((ssize_t)(3 * SIZE), readv(self->fd, iov, 3));
	EXPECT_EQ(buf[1].seq + 1, buf[0].seq);
	EXPECT_EQ(buf[1].seq + 2, buf[2].seq);
}

/* The position is in the record sequence; there is no file offset. */
UCV_TEST_F(listener, listener_cannot_seek)
{
	char buf[SIZE];

	ASSERT_EQ(1, refuse(&self->agent, 1));
	EXPECT_EQ(-1, pread(self->fd, buf, SIZE, 0));
	EXPECT_EQ(ESPIPE, errno);
	EXPECT_EQ(-1, lseek(self->fd, 0, SEEK_SET));
	EXPECT_EQ(ESPIPE, errno);
	EXPECT_EQ((ssize_t)SIZE, read_from(self->fd, buf, SIZE));
}

/* Snapshots and records of the same open file do not interfere. */
UCV_TEST_F(listener, listener_can_take_snapshots)
{
	struct ucv_table table;

	ASSERT_EQ(2, refuse(&self->agent, 2));
	ASSERT_EQ(0, ucv_take_from(self->fd, &table));
	EXPECT_CONSISTENT(&table);
	ucv_free(&table);
	EXPECT_EQ(2, ucv_denials(self->fd, self->agent.pid, self->got, UCV_SOME_DENIALS));
	EXPECT_STREQ("", ucv_denials_inconsistent(self->got, 2));
}

/* Bad buffers */

UCV_TEST_F(listener, read_into_unmapped_buffer_loses_no_record)
{
	static const long nowhere[] = { 0, -4096, LONG_MIN + 4096 };
	struct ucv_denial *end = (struct ucv_denial *)self->hole;
	unsigned int i;

	ASSERT_EQ(3, refuse(&self->agent, 3));
	for (i = 0; i < ARRAY_SIZE(nowhere); i++)
		EXPECT_EQ(-EFAULT, read_from(self->fd, (void *)nowhere[i], 4 * SIZE));
	EXPECT_EQ(-EFAULT, read_from(self->fd, end, SIZE));
	for (i = 8; i < SIZE; i += 8)
		EXPECT_EQ(-EFAULT, read_from(self->fd, self->hole - i, SIZE));
	EXPECT_EQ(POLLIN, poll_now(self->fd));
	ASSERT_EQ((ssize_t)(3 * SIZE), read_from(self->fd, end - 3, 3 * SIZE));
	EXPECT_STREQ("", ucv_denials_inconsistent(end - 3, 3));
	EXPECT_EQ(end[-3].seq + 2, end[-1].seq);
	EXPECT_EQ(0ULL, end[-3].lost);
}

UCV_TEST_F(listener, read_into_read_only_buffer_loses_no_record)
{
	char *buf = self->hole - ROOM;

	ASSERT_EQ(1, refuse(&self->agent, 1));
	ASSERT_EQ(0, mprotect(buf, 4096, PROT_READ));
	EXPECT_EQ(-EFAULT, read_from(self->fd, buf, SIZE));
	EXPECT_EQ(0, buf[0]);
	EXPECT_EQ(1, ucv_denials(self->fd, self->agent.pid, self->got, UCV_SOME_DENIALS));
}

/* Records copied before the fault are consumed, the others are not. */
UCV_TEST_F(listener, read_into_half_mapped_buffer_loses_no_record)
{
	struct ucv_denial *end = (struct ucv_denial *)self->hole;
	__u64 seq;

	ASSERT_EQ(5, refuse(&self->agent, 5));
	ASSERT_EQ((ssize_t)(2 * SIZE), read_from(self->fd, end - 2, 5 * SIZE));
	seq = end[-2].seq;
	EXPECT_EQ(seq + 1, end[-1].seq);
	EXPECT_EQ(-EFAULT, read_from(self->fd, self->hole - SIZE / 2, 3 * SIZE));
	ASSERT_EQ((ssize_t)(3 * SIZE), read_from(self->fd, end - 3, 3 * SIZE));
	EXPECT_EQ(seq + 2, end[-3].seq);
	EXPECT_EQ(0ULL, end[-3].lost);
}

/* Waiting */

/* Shared with a child that waits. */
struct waiter {
	int fd;
	int how;
	int ret;		/* of read(), poll() ... */
	int signalled;
	struct ucv_denial denial;
};

enum { BY_READ, BY_POLL, BY_EPOLL, BY_EDGE, NR_WAYS };

static struct waiter *share_waiter(int fd, int how)
{
	struct waiter *waiter = mmap(NULL, sizeof(*waiter), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (waiter == MAP_FAILED)
		exit(1);
	waiter->fd = fd;
	waiter->how = how;
	return waiter;
}

static int wait_by_epoll(int fd, __u32 edge)
{
	struct epoll_event event = { .events = EPOLLIN | edge };
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
		return -errno;
	return epoll_wait(epoll, &event, 1, -1) < 0 ? -errno : (int)event.events;
}

static int wait_by_poll(int fd)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };

	return poll(&pollfd, 1, -1) < 0 ? -errno : pollfd.revents;
}

static int wait_for_denial(struct waiter *waiter)
{
	switch (waiter->how) {
	case BY_POLL:
		return wait_by_poll(waiter->fd);
	case BY_EPOLL:
		return wait_by_epoll(waiter->fd, 0);
	case BY_EDGE:
		return wait_by_epoll(waiter->fd, EPOLLET);
	default:
		return read_from(waiter->fd, &waiter->denial, SIZE);
	}
}

static pid_t start_waiter(struct waiter *waiter)
{
	pid_t pid = ucv_fork();

	if (pid)
		return pid;
	waiter->ret = wait_for_denial(waiter);
	_exit(0);
}

#define ASSERT_ASLEEP(pid) ASSERT_TRUE(UCV_SOON(ucv_state_of(pid) == 'S'))

/* True if the child exited by itself; otherwise it is killed. Reaps it. */
static bool has_ended(pid_t pid)
{
	bool ended = UCV_SOON(ucv_state_of(pid) == 'Z');
	int status;

	if (!ended)
		kill(pid, SIGKILL);
	return waitpid(pid, &status, 0) == pid && ended && !status;
}

/* One waiter that sleeps in each way, after a record that it is not to read. */
FIXTURE(waiter) {
	struct ucv_agent agent;
	int fd;				/* keeps denials recorded */
	struct waiter *waiter;
	pid_t pid;
};

FIXTURE_VARIANT(waiter) {
	int how;
};

FIXTURE_VARIANT_ADD(waiter, read) { .how = BY_READ };
FIXTURE_VARIANT_ADD(waiter, poll) { .how = BY_POLL };
FIXTURE_VARIANT_ADD(waiter, epoll) { .how = BY_EPOLL };
FIXTURE_VARIANT_ADD(waiter, epoll_edge) { .how = BY_EDGE };

FIXTURE_SETUP(waiter)
{
	if (!ucv_feature(UCV_FEATURE_DENIALS))
		SKIP(return, "the module cannot tell of refusals here");
	ASSERT_EQ(0, ucv_refused_start(&self->agent, READ_UID));
	self->fd = ucv_listener(UCV_LISTEN_ARM);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(1, refuse(&self->agent, 1));
	self->waiter = share_waiter(ucv_open(), variant->how);
	ASSERT_NE(0ULL, next_of(self->waiter->fd, 0));
	self->pid = start_waiter(self->waiter);
	ASSERT_LT(0, self->pid);
	ASSERT_ASLEEP(self->pid);
}

FIXTURE_TEARDOWN(waiter)
{
	if (!self->pid)
		return;
	ucv_agent_stop(&self->agent);
	close(self->waiter->fd);
	close(self->fd);
}

UCV_TEST_F(waiter, refusal_wakes_the_waiter)
{
	struct ucv_denial *denial = &self->waiter->denial;

	ASSERT_EQ(1, refuse(&self->agent, 1));
	ASSERT_TRUE(has_ended(self->pid));
	if (variant->how == BY_READ) {
		EXPECT_EQ((int)SIZE, self->waiter->ret);
	} else {
		EXPECT_EQ(POLLIN, self->waiter->ret);
		/* It has only polled, and this process shares the file. */
		EXPECT_EQ((ssize_t)SIZE, read_from(self->waiter->fd, denial, SIZE));
	}
	EXPECT_STREQ("", ucv_denials_inconsistent(denial, 1));
	EXPECT_EQ((__u32)self->agent.pid, denial->tgid);
}

UCV_TEST_F(waiter, waiter_can_be_killed)
{
	int status;

	ASSERT_EQ(0, kill(self->pid, SIGKILL));
	ASSERT_EQ(self->pid, waitpid(self->pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
}

/* The oldest record exists, so there is something to read at the new position. */
UCV_TEST_F(waiter, position_set_to_the_oldest_record_wakes_the_waiter)
{
	__u64 oldest = next_of(self->waiter->fd, UCV_LISTEN_OLDEST);

	ASSERT_TRUE(has_ended(self->pid));
	if (variant->how != BY_READ)
		EXPECT_EQ((ssize_t)SIZE, read_from(self->waiter->fd, &self->waiter->denial, SIZE));
	EXPECT_EQ(oldest, self->waiter->denial.seq);
	EXPECT_EQ(0ULL, self->waiter->denial.lost);
}

/* Many at once, each with its own open file. */
UCV_TEST_F(listener, refusal_wakes_all_waiters)
{
	struct waiter *waiter[2 * NR_WAYS];
	pid_t pid[2 * NR_WAYS];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(waiter); i++) {
		waiter[i] = share_waiter(ucv_open(), i % NR_WAYS);
		ASSERT_NE(0ULL, next_of(waiter[i]->fd, 0));
		pid[i] = start_waiter(waiter[i]);
	}
	for (i = 0; i < ARRAY_SIZE(waiter); i++)
		ASSERT_ASLEEP(pid[i]);
	ASSERT_EQ(1, refuse(&self->agent, 1));
	for (i = 0; i < ARRAY_SIZE(waiter); i++) {
		ASSERT_TRUE(has_ended(pid[i]));
		close(waiter[i]->fd);
	}
}

/* A sleeper sleeps on when the last armed file is closed, and is woken after the next arms. */
UCV_TEST_F(listener, waiter_sleeps_while_nothing_is_recorded)
{
	struct waiter *waiter = share_waiter(ucv_open(), BY_READ);
	pid_t pid;
	int fd;

	ASSERT_NE(0ULL, next_of(waiter->fd, 0));
	/* Before fork(), or the child would keep it open. */
	close(self->fd);
	pid = start_waiter(waiter);
	ASSERT_ASLEEP(pid);
	fd = ucv_listener(UCV_LISTEN_ARM);
	ASSERT_LE(0, fd);
	close(fd);
	ASSERT_EQ(3, refuse(&self->agent, 3));
	fd = ucv_listener(UCV_LISTEN_ARM);
	ASSERT_LE(0, fd);
	ASSERT_ASLEEP(pid);
	ASSERT_EQ(1, refuse(&self->agent, 1));
	ASSERT_TRUE(has_ended(pid));
	EXPECT_EQ((int)SIZE, waiter->ret);
	EXPECT_EQ(0ULL, waiter->denial.lost);
	EXPECT_EQ(1, ucv_denials(fd, self->agent.pid, self->got, UCV_SOME_DENIALS));
	EXPECT_EQ(self->got[0].seq, waiter->denial.seq);
	close(waiter->fd);
	self->fd = fd;
}

/* epoll registers its wait entry once; a file may begin to listen after that. */
UCV_TEST_F(listener, file_can_listen_after_epoll)
{
	struct epoll_event event = { .events = EPOLLIN };
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	int fd = open(UCV_DEVICE_PATH, O_RDONLY | O_CLOEXEC);
	struct ucv_listen listen;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
	ASSERT_EQ(1, epoll_wait(epoll, &event, 1, 0));
	EXPECT_EQ((__u32)EPOLLERR, event.events);
	ASSERT_EQ(0, ucv_listen(fd, UCV_LISTEN_ARM, &listen));
	EXPECT_EQ(0, epoll_wait(epoll, &event, 1, 0));
	ASSERT_EQ(1, refuse(&self->agent, 1));
	/* The wakeup may come after the record. */
	ASSERT_EQ(1, epoll_wait(epoll, &event, 1, 60000));
	EXPECT_EQ((__u32)EPOLLIN, event.events);
	close(epoll);
	close(fd);
}

static struct waiter *signalled;

static void on_signal(int sig)
{
	(void)sig;
	__atomic_store_n(&signalled->signalled, 1, __ATOMIC_RELEASE);
}

/* Starts a child that sleeps in read() and has a handler for SIGUSR1. */
static pid_t start_interruptible(struct waiter *waiter, int flags)
{
	const struct sigaction action = { .sa_handler = on_signal, .sa_flags = flags };
	pid_t pid = ucv_fork();

	if (pid)
		return pid;
	signalled = waiter;
	sigaction(SIGUSR1, &action, NULL);
	waiter->ret = wait_for_denial(waiter);
	_exit(0);
}

/* A signal ends the wait and loses no record. */
UCV_TEST_F(listener, signal_interrupts_read)
{
	struct waiter *waiter = share_waiter(ucv_open(), BY_READ);
	pid_t pid;

	ASSERT_NE(0ULL, next_of(waiter->fd, 0));
	pid = start_interruptible(waiter, 0);
	ASSERT_ASLEEP(pid);
	ASSERT_EQ(0, kill(pid, SIGUSR1));
	ASSERT_TRUE(has_ended(pid));
	EXPECT_EQ(-EINTR, waiter->ret);
	ASSERT_EQ(1, refuse(&self->agent, 1));
	EXPECT_EQ((ssize_t)SIZE, read_from(waiter->fd, &waiter->denial, SIZE));
	EXPECT_EQ(0ULL, waiter->denial.lost);
	close(waiter->fd);
}

/* A signal with SA_RESTART does not end the wait. */
UCV_TEST_F(listener, interrupted_read_is_restarted)
{
	struct waiter *waiter = share_waiter(ucv_open(), BY_READ);
	pid_t pid;

	ASSERT_NE(0ULL, next_of(waiter->fd, 0));
	pid = start_interruptible(waiter, SA_RESTART);
	ASSERT_ASLEEP(pid);
	ASSERT_EQ(0, kill(pid, SIGUSR1));
	ASSERT_TRUE(UCV_SOON(__atomic_load_n(&waiter->signalled, __ATOMIC_ACQUIRE)));
	ASSERT_ASLEEP(pid);
	ASSERT_EQ(1, refuse(&self->agent, 1));
	ASSERT_TRUE(has_ended(pid));
	EXPECT_EQ((int)SIZE, waiter->ret);
	close(waiter->fd);
}

/* Positions */

/* Two listeners read the same records, whenever each reads. */
UCV_TEST_F(listener, each_listener_reads_all_records)
{
	struct ucv_denial others[UCV_SOME_DENIALS];
	int other = ucv_listener(UCV_LISTEN_ARM);
	long nr = 0, i;

	ASSERT_LE(0, other);
	for (i = 1; i <= 6; i++) {
		ASSERT_EQ(i, refuse(&self->agent, i));
		ASSERT_EQ(i, ucv_denials(other, self->agent.pid, &others[nr], i));
		nr += i;
	}
	ASSERT_EQ(nr, ucv_denials(self->fd, self->agent.pid, self->got, nr));
	EXPECT_STREQ("", ucv_denials_inconsistent(self->got, nr));
	EXPECT_EQ(0, memcmp(self->got, others, nr * SIZE));
	close(other);
}

/* An open file has one position, shared by all its descriptors and processes. */
UCV_TEST_F(listener, open_file_has_one_position)
{
	struct waiter *waiter = share_waiter(self->fd, BY_READ);
	int duplicate = dup(self->fd);
	struct ucv_denial denial;
	__u64 seq;
	pid_t pid;

	ASSERT_LE(0, duplicate);
	ASSERT_EQ(3, refuse(&self->agent, 3));
	ASSERT_EQ((ssize_t)SIZE, read_from(self->fd, &denial, SIZE));
	seq = denial.seq;
	ASSERT_EQ((ssize_t)SIZE, read_from(duplicate, &denial, SIZE));
	EXPECT_EQ(seq + 1, denial.seq);
	pid = start_waiter(waiter);
	ASSERT_TRUE(has_ended(pid));
	EXPECT_EQ((int)SIZE, waiter->ret);
	EXPECT_EQ(seq + 2, waiter->denial.seq);
	EXPECT_EQ(-EAGAIN, read_from(self->fd, &denial, SIZE));
	close(duplicate);
}

/* Each UCV_IOC_LISTEN sets the position, to the next or to the oldest record. */
UCV_TEST_F(listener, listen_sets_the_position)
{
	struct ucv_listen listen;
	struct ucv_denial denial;
	__u64 first;
	int late;

	first = next_of(self->fd, 0);
	ASSERT_EQ(4, refuse(&self->agent, 4));
	ASSERT_EQ(0, ucv_listen(self->fd, 0, &listen));
	EXPECT_EQ(first + 4, listen.next);
	EXPECT_EQ(first + 3, listen.total);
	EXPECT_EQ(-EAGAIN, read_from(self->fd, &denial, SIZE));

	late = ucv_listener(0);
	EXPECT_EQ(-EAGAIN, read_from(late, &denial, SIZE));
	ASSERT_EQ(0, ucv_listen(late, UCV_LISTEN_OLDEST, &listen));
	EXPECT_GE(first, listen.next);
	EXPECT_EQ(first + 3, listen.total);
	ASSERT_EQ((ssize_t)SIZE, read_from(late, &denial, SIZE));
	EXPECT_EQ(listen.next, denial.seq);
	EXPECT_EQ(0ULL, denial.lost);
	ASSERT_EQ(4, ucv_denials(late, self->agent.pid, self->got, UCV_SOME_DENIALS) +
		  (denial.tgid == (__u32)self->agent.pid));
	/* And once more. */
	ASSERT_EQ(0, ucv_listen(late, UCV_LISTEN_OLDEST, &listen));
	EXPECT_EQ(4, ucv_denials(late, self->agent.pid, self->got, UCV_SOME_DENIALS));
	EXPECT_EQ(first + 3, self->got[3].seq);
	close(late);
}

/* A file that does not arm reads what is recorded while other files are armed. */
UCV_TEST_F(listener, unarmed_file_reads_what_others_record)
{
	int watcher = ucv_listener(0);

	ASSERT_LE(0, watcher);
	ASSERT_EQ(3, refuse(&self->agent, 3));
	close(self->fd);
	self->fd = -1;
	ASSERT_EQ(2, refuse(&self->agent, 2));
	EXPECT_EQ(POLLIN, poll_now(watcher));
	EXPECT_EQ(3, ucv_denials(watcher, self->agent.pid, self->got, UCV_SOME_DENIALS));
	EXPECT_STREQ("", ucv_denials_inconsistent(self->got, 3));
	EXPECT_EQ(0, poll_now(watcher));
	/* Late listeners can still read them. */
	ASSERT_NE(0ULL, next_of(watcher, UCV_LISTEN_OLDEST));
	EXPECT_EQ(3, ucv_denials(watcher, self->agent.pid, self->got, UCV_SOME_DENIALS));
	close(watcher);
}

/* The ring */

/* Reads all available records and counts them and the lost ones. */
static void drain(struct __test_metadata *_metadata, int fd, __u64 *delivered, __u64 *lost)
{
	struct ucv_denial buf[16];
	__u64 last = 0;
	ssize_t got;
	long i;

	*delivered = 0;
	*lost = 0;
	while ((got = read_from(fd, buf, sizeof(buf))) > 0) {
		ASSERT_STREQ("", ucv_denials_inconsistent(buf, got / SIZE));
		for (i = 0; i < got / (ssize_t)SIZE; i++) {
			/* lost is the gap in the sequence numbers. */
			if (last)
				ASSERT_EQ(last + 1 + buf[i].lost, buf[i].seq);
			last = buf[i].seq;
			*lost += buf[i].lost;
			*delivered += 1;
		}
	}
	EXPECT_EQ(-EAGAIN, got);
}

/* Exactly the records beyond the capacity of the ring are lost, and reported once. */
UCV_TEST_F(listener, overrun_loses_the_oldest_records)
{
	static const unsigned int more[] = { 0, 1, 100 };
	__u64 delivered, lost, first;
	struct ucv_listen listen;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(more); i++) {
		ASSERT_EQ(0, ucv_listen(self->fd, 0, &listen));
		ASSERT_LT(0U, listen.capacity);
		first = listen.next;
		ASSERT_EQ((long)listen.capacity + more[i],
			  refuse(&self->agent, listen.capacity + more[i]));
		drain(_metadata, self->fd, &delivered, &lost);
		EXPECT_EQ(more[i], lost);
		EXPECT_EQ(listen.capacity, delivered);
		ASSERT_EQ(0, ucv_listen(self->fd, UCV_LISTEN_OLDEST, &listen));
		EXPECT_EQ(first + more[i], listen.next);
		/* A listener that starts with the oldest record has not lost earlier ones. */
		drain(_metadata, self->fd, &delivered, &lost);
		EXPECT_EQ(0ULL, lost);
		EXPECT_EQ(listen.capacity, delivered);
	}
}

/* A second overrun, after some have been read. */
UCV_TEST_F(listener, second_overrun_is_reported)
{
	struct ucv_listen listen;
	struct ucv_denial buf[10];
	__u64 delivered, lost;

	ASSERT_EQ(0, ucv_listen(self->fd, 0, &listen));
	ASSERT_EQ((long)listen.capacity + 7, refuse(&self->agent, listen.capacity + 7));
	ASSERT_EQ((ssize_t)(10 * SIZE), read_from(self->fd, buf, sizeof(buf)));
	EXPECT_EQ(7ULL, buf[0].lost);
	EXPECT_EQ(0ULL, buf[9].lost);
	EXPECT_EQ(listen.next + 16, buf[9].seq);
	ASSERT_EQ(30, refuse(&self->agent, 30));
	/* 20 of the 30 have overwritten unread records. */
	drain(_metadata, self->fd, &delivered, &lost);
	EXPECT_EQ(20ULL, lost);
	EXPECT_EQ(listen.capacity, delivered);
}

/* The totals in struct ucv_listen and in debugfs. */
UCV_TEST_F(listener, listen_and_debugfs_report_totals)
{
	struct ucv_listen before, after;
	int fd = ucv_open();

	ASSERT_EQ(0, ucv_listen(fd, 0, &before));
	ASSERT_EQ(9, refuse(&self->agent, 9));
	ASSERT_EQ(0, ucv_listen(fd, 0, &after));
	EXPECT_EQ(before.total + 9, after.total);
	EXPECT_EQ(before.missed, after.missed);
	EXPECT_EQ(before.capacity, after.capacity);
	EXPECT_EQ(before.armed, after.armed);
	EXPECT_LE(1U, after.armed);
	if (!ucv_has_debugfs())
		return;
	EXPECT_EQ((long long)after.total, ucv_status_number("denials"));
	EXPECT_EQ((long long)after.missed, ucv_status_number("denials_missed"));
	EXPECT_EQ((long long)after.armed, ucv_status_number("denials_armed"));
	close(fd);
}

TEST_HARNESS_MAIN
