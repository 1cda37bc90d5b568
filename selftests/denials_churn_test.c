// SPDX-License-Identifier: GPL-2.0
/*
 * Hundreds of thousands of denials from several threads at once, while listeners read, are
 * stopped, and are opened and closed. Each thread counts its refused calls; the records that
 * a listener reads, plus those reported as lost, must add up to that count.
 *
 * UCV_DENIALS=N sets the size of a burst (100000); UCV_CHURN=N multiplies how often listeners
 * are opened and closed. Nothing depends on timing.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "ucv_denials.h"

#define MOUNT_MAX	"/proc/sys/fs/mount-max"
#define MAX_UTS		"/proc/sys/user/max_uts_namespaces"
#define CHURN_UID	(UCV_UID + 850)
#define NR_READERS	3

/* A refused mount waits for an RCU grace period, so there are fewer of these. */
#define NR_THREADS	8
#define NR_MOUNTERS	2
#define FEWER_MOUNTS	100

/* The kinds of calls that threads are refused. */
enum { INSTANCE, UTS, MOUNT, NR_REFUSALS };

/* What one listener has read. */
struct heard {
	__u64 first;		/* the expected number of its first record */
	__u64 last;
	__u64 delivered;
	__u64 lost;
	const char *bad;
	int listens;
};

/* Shared by the test and all its processes. */
static struct shared {
	char dir[64];
	long refused[NR_REFUSALS];
	__u64 end;		/* the number of the last record, once it is known */
	int done;
	struct heard heard[NR_READERS];
} *shared;

FIXTURE(churn) {
	struct ucv_agent agent;		/* its threads are refused */
	pid_t reader[NR_READERS];
	struct ucv_listen listen;	/* before anything was refused */
	int fd;
};

static long env_number(const char *name, long otherwise)
{
	const char *text = getenv(name);

	return text && atol(text) > 0 ? atol(text) : otherwise;
}

/* In the agent: a private mount namespace, and a limit of 0 for UTS namespaces. */
static long do_enter(struct ucv_call *call)
{
	(void)call;
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return -errno;
	return ucv_write(MAX_UTS, "0");
}

FIXTURE_SETUP(churn)
{
	if (!ucv_feature(UCV_FEATURE_DENIALS))
		SKIP(return, "the module cannot tell of refusals here");
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)shared);
	ASSERT_EQ(0, ucv_make_files(shared->dir, sizeof(shared->dir), 0));
	ASSERT_EQ(0, ucv_refused_start(&self->agent, CHURN_UID));
	ASSERT_EQ(0, ucv_agent_call(&self->agent, do_enter, 0, 0, 0));
	if (ucv_feature(UCV_FEATURE_MNT_DENIALS))
		ASSERT_EQ(0, ucv_sysctl(MOUNT_MAX, 1));
	self->fd = ucv_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, ucv_listen(self->fd, 0, &self->listen));
}

FIXTURE_TEARDOWN(churn)
{
	unsigned int i;

	if (!shared)
		return;
	ucv_sysctls_back();
	for (i = 0; i < NR_READERS; i++) {
		if (self->reader[i] <= 0)
			continue;
		kill(self->reader[i], SIGKILL);
		waitpid(self->reader[i], NULL, 0);
	}
	ucv_agent_stop(&self->agent);
	ucv_remove_files(shared->dir, 0);
	close(self->fd);
}

/* Refusals */

static bool refused_once(int kind)
{
	switch (kind) {
	case INSTANCE:
		return inotify_init1(IN_CLOEXEC) < 0 && errno == EMFILE;
	case UTS:
		return unshare(CLONE_NEWUTS) < 0 && errno == ENOSPC;
	default:
		return mount(shared->dir, shared->dir, NULL, MS_BIND, NULL) < 0 &&
		       errno == ENOSPC;
	}
}

struct thread {
	pthread_t thread;
	int kind;
	long times;
};

static void *refused_often(void *arg)
{
	struct thread *thread = arg;
	long i;

	for (i = 0; i < thread->times && refused_once(thread->kind); i++)
		;
	__atomic_fetch_add(&shared->refused[thread->kind], i, __ATOMIC_RELAXED);
	return NULL;
}

/*
 * In the agent: its threads are refused about a charges of counters, and some mounts; b is
 * the number of kinds. Returns the intended number of refusals.
 */
static long do_burst(struct ucv_call *call)
{
	const long times = call->a / (NR_THREADS - NR_MOUNTERS) + 1;
	struct thread thread[NR_THREADS];
	long i, wanted = 0;

	for (i = 0; i < NR_THREADS; i++) {
		thread[i].kind = i < NR_MOUNTERS && call->b > MOUNT ? MOUNT : i % MOUNT;
		thread[i].times = thread[i].kind == MOUNT ? times / FEWER_MOUNTS : times;
		wanted += thread[i].times;
		if (pthread_create(&thread[i].thread, NULL, refused_often, &thread[i]))
			return -EAGAIN;
	}
	for (i = 0; i < NR_THREADS; i++)
		pthread_join(thread[i].thread, NULL);
	return wanted;
}

/* Large enough in any case to overrun the ring. */
static long burst_size(const struct ucv_listen *listen)
{
	const long size = env_number("UCV_DENIALS", 100000);

	return size < 3L * listen->capacity ? 3L * listen->capacity : size;
}

static long nr_kinds(void)
{
	return ucv_feature(UCV_FEATURE_MNT_DENIALS) ? NR_REFUSALS : MOUNT;
}

/* Returns the number of refusals, as counted by the threads. */
static __u64 burst(struct __test_metadata *_metadata, struct ucv_agent *agent, long size)
{
	long wanted, refused = 0;
	int i;

	memset(shared->refused, 0, sizeof(shared->refused));
	wanted = ucv_agent_call(agent, do_burst, size, nr_kinds(), 0);
	for (i = 0; i < NR_REFUSALS; i++)
		refused += shared->refused[i];
	EXPECT_LT(0, refused);
	EXPECT_EQ(wanted, refused);
	return refused;
}

/* Listeners */

/* Returns what is wrong with @denial as the record after those in @heard, or NULL. */
static const char *hear(struct heard *heard, const struct ucv_denial *denial)
{
	const __u64 expected = (heard->last ? heard->last + 1 : heard->first) + denial->lost;

	if (denial->size != sizeof(*denial))
		return "a record has another size";
	if (denial->seq < expected)
		return "a record came twice, or too late";
	if (denial->seq > expected)
		return "a record is missing, and not said to be lost";
	heard->last = denial->seq;
	heard->lost += denial->lost;
	heard->delivered++;
	return NULL;
}

/* Reads available records. False if there are none, or on a failure. */
static bool hear_some(int fd, struct heard *heard)
{
	static struct ucv_denial buf[32];
	ssize_t got = read(fd, buf, sizeof(buf));
	unsigned int i, nr;

	if (got < 0) {
		if (errno != EAGAIN)
			heard->bad = "read() failed";
		return false;
	}
	nr = got / sizeof(buf[0]);
	if (*ucv_denials_inconsistent(buf, nr))
		heard->bad = ucv_denials_inconsistent(buf, nr);
	for (i = 0; i < nr && !heard->bad; i++)
		heard->bad = hear(heard, &buf[i]);
	return !heard->bad;
}

/* Reads records as they arrive; polls shared->end for the number of the last one. */
static void hear_all(int fd, struct heard *heard)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };
	__u64 end = 0;

	while (!heard->bad && (!end || heard->last < end)) {
		poll(&pollfd, 1, 100);
		while (hear_some(fd, heard))
			;
		end = __atomic_load_n(&shared->end, __ATOMIC_ACQUIRE);
	}
}

static pid_t start_reader(struct heard *heard)
{
	struct ucv_listen listen;
	pid_t pid = fork();
	int fd;

	if (pid)
		return pid;
	memset(heard, 0, sizeof(*heard));
	fd = open(UCV_DEVICE_PATH, O_RDONLY | O_NONBLOCK);
	if (fd < 0 || ucv_listen(fd, UCV_LISTEN_ARM, &listen))
		_exit(1);
	heard->first = listen.next;
	__atomic_store_n(&heard->listens, 1, __ATOMIC_RELEASE);
	hear_all(fd, heard);
	_exit(0);
}

static bool is_set(const int *flag)
{
	return __atomic_load_n(flag, __ATOMIC_ACQUIRE);
}

static void stop_and_wait(struct __test_metadata *_metadata, pid_t pid)
{
	int status;

	ASSERT_EQ(0, kill(pid, SIGSTOP));
	ASSERT_EQ(pid, waitpid(pid, &status, WUNTRACED));
	ASSERT_TRUE(WIFSTOPPED(status));
}

static void wait_for_reader(struct __test_metadata *_metadata, pid_t *reader)
{
	int status;

	EXPECT_EQ(*reader, waitpid(*reader, &status, 0));
	EXPECT_EQ(0, status);
	*reader = 0;
}

/* Two readers run and one is stopped; for each, delivered and lost records add up. */
UCV_TEST_F(churn, burst_is_delivered_or_counted_as_lost)
{
	const unsigned int userns = ucv_userns_of(self->agent.pid);
	const unsigned int mntns = ucv_ns_of(self->agent.pid, "mnt");
	__u64 instances = ucv_denials_by(userns, CHURN_UID, "inotify_instances");
	__u64 uts = ucv_denials_by(userns, CHURN_UID, "uts_namespaces");
	__u64 mounts = ucv_denials_by(mntns, CHURN_UID, NULL);
	struct ucv_listen after;
	__u64 refused;
	int i;

	for (i = 0; i < NR_READERS; i++) {
		self->reader[i] = start_reader(&shared->heard[i]);
		ASSERT_LT(0, self->reader[i]);
		ASSERT_TRUE(UCV_SOON(is_set(&shared->heard[i].listens)));
	}
	stop_and_wait(_metadata, self->reader[0]);
	refused = burst(_metadata, &self->agent, burst_size(&self->listen));
	ASSERT_LT(self->listen.capacity, refused);
	ASSERT_EQ(0, ucv_listen(self->fd, 0, &after));
	EXPECT_EQ(refused, after.total - self->listen.total);
	EXPECT_EQ(self->listen.missed, after.missed);
	EXPECT_EQ(self->listen.capacity, after.capacity);
	__atomic_store_n(&shared->end, after.total, __ATOMIC_RELEASE);
	ASSERT_EQ(0, kill(self->reader[0], SIGCONT));
	for (i = 0; i < NR_READERS; i++) {
		const struct heard *heard = &shared->heard[i];

		wait_for_reader(_metadata, &self->reader[i]);
		EXPECT_EQ(NULL, heard->bad)
			TH_LOG("reader %d: %s", i, heard->bad);
		EXPECT_EQ(refused, heard->delivered + heard->lost);
		EXPECT_LE(after.capacity, heard->delivered);
		TH_LOG("reader %d: %llu of %llu, %llu lost", i, heard->delivered, refused,
		       heard->lost);
	}
	EXPECT_LT(0ULL, shared->heard[0].lost);

	/* The counts per limit add up, too. */
	EXPECT_EQ(instances + shared->refused[INSTANCE],
		  ucv_denials_by(userns, CHURN_UID, "inotify_instances"));
	EXPECT_EQ(uts + shared->refused[UTS], ucv_denials_by(userns, CHURN_UID, "uts_namespaces"));
	EXPECT_EQ(mounts + shared->refused[MOUNT], ucv_denials_by(mntns, CHURN_UID, NULL));
}

/* Threads that share a file: each record goes to one of them. */

struct sharer {
	pthread_t thread;
	int fd;
	__u64 first;
	unsigned char *seen;	/* one for each sequence number */
	__u64 room;
	__u64 delivered;
	__u64 lost;
	const char *bad;
};

static void note_record(struct sharer *sharer, const struct ucv_denial *denial)
{
	const __u64 at = denial->seq - sharer->first;

	if (at >= sharer->room)
		sharer->bad = "a record is none of ours";
	else if (__atomic_fetch_add(&sharer->seen[at], 1, __ATOMIC_RELAXED))
		sharer->bad = "a record came twice";
	sharer->lost += denial->lost;
	sharer->delivered++;
}

static void *read_shared(void *arg)
{
	struct sharer *sharer = arg;
	struct pollfd pollfd = { .fd = sharer->fd, .events = POLLIN };
	struct ucv_denial buf[5];
	ssize_t got, at;
	bool done;

	do {
		done = is_set(&shared->done);
		poll(&pollfd, 1, 100);
		while ((got = read(sharer->fd, buf, sizeof(buf))) > 0)
			for (at = 0; at < got / (ssize_t)sizeof(buf[0]) && !sharer->bad; at++)
				note_record(sharer, &buf[at]);
		if (errno != EAGAIN)
			sharer->bad = "read() failed";
	} while (!done && !sharer->bad);
	return NULL;
}

UCV_TEST_F(churn, threads_share_one_listener)
{
	struct sharer sharer[4] = {};
	struct ucv_listen listen;
	__u64 refused, sum = 0;
	unsigned char *seen;
	unsigned int i;
	int fd;

	seen = calloc(1, 2 * burst_size(&self->listen));
	ASSERT_NE(NULL, seen);
	fd = ucv_listener(UCV_LISTEN_ARM);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ucv_listen(fd, 0, &listen));
	for (i = 0; i < ARRAY_SIZE(sharer); i++) {
		sharer[i].fd = fd;
		sharer[i].first = listen.next;
		sharer[i].seen = seen;
		sharer[i].room = 2 * burst_size(&self->listen);
		ASSERT_EQ(0, pthread_create(&sharer[i].thread, NULL, read_shared, &sharer[i]));
	}
	refused = burst(_metadata, &self->agent, burst_size(&self->listen));
	__atomic_store_n(&shared->done, 1, __ATOMIC_RELEASE);
	for (i = 0; i < ARRAY_SIZE(sharer); i++) {
		pthread_join(sharer[i].thread, NULL);
		EXPECT_EQ(NULL, sharer[i].bad)
			TH_LOG("%s", sharer[i].bad);
		TH_LOG("thread %u: %llu, %llu lost", i, sharer[i].delivered, sharer[i].lost);
		sum += sharer[i].delivered + sharer[i].lost;
	}
	EXPECT_EQ(refused, sum);
	close(fd);
}

/* Memory */

static long long mem_available(void)
{
	char *text = ucv_slurp("/proc/meminfo", NULL);
	char *at = text ? strstr(text, "MemAvailable:") : NULL;
	long long kib = at ? atoll(at + strlen("MemAvailable:")) : -1;

	free(text);
	return kib;
}

/*
 * The first burst allocates all that bursts need. If later bursts leaked their records, it
 * would show every time; other activity on the system may also use memory, but not every
 * time.
 */
UCV_TEST_F(churn, denials_leak_no_memory)
{
	const long size = burst_size(&self->listen);
	const long long kept = size * sizeof(struct ucv_denial) / 1024;
	int fd = ucv_listener(UCV_LISTEN_ARM);
	long long before, less = 0;
	struct ucv_listen after;
	int tries;

	ASSERT_LE(0, fd);
	burst(_metadata, &self->agent, size);
	for (tries = 0; tries < 3; tries++) {
		before = mem_available();
		ASSERT_LT(0, before);
		burst(_metadata, &self->agent, size);
		less = before - mem_available();
		TH_LOG("%lld KiB less after a burst of %lld KiB", less, kept);
		if (less < kept / 2)
			break;
	}
	EXPECT_LT(less, kept / 2);
	ASSERT_EQ(0, ucv_listen(self->fd, 0, &after));
	EXPECT_EQ(self->listen.capacity, after.capacity);
	close(fd);
}

/* Listeners that are opened and closed */

#define NR_CHURNERS	4
#define NR_ROUNDS	25
#define PER_ROUND	3

/*
 * In a process of the initial namespaces, where the limit of UTS namespaces is 0: while it
 * listens, its refusals are recorded, whatever is armed or disarmed concurrently.
 */
static const char *churn_once(void)
{
	struct ucv_denial denial = {};
	int fd, own = 0, i;
	__u64 last = 0;
	bool lost = false;

	fd = ucv_listener(UCV_LISTEN_ARM);
	if (fd < 0)
		return "a listener was turned away";
	for (i = 0; i < PER_ROUND; i++)
		if (!refused_once(UTS))
			return "it was not refused";
	while (read(fd, &denial, sizeof(denial)) == sizeof(denial)) {
		if (*ucv_denials_inconsistent(&denial, 1))
			return ucv_denials_inconsistent(&denial, 1);
		if (last && denial.seq != last + 1 + denial.lost)
			return "numbers were left out, and not said to be lost";
		last = denial.seq;
		lost |= denial.lost;
		own += denial.tgid == (__u32)getpid();
		/* The other processes are refused all the time. */
		if (own == PER_ROUND)
			break;
	}
	close(fd);
	return lost || own == PER_ROUND ? NULL : "a refusal was not told";
}

static pid_t start_churner(long rounds)
{
	const char *bad = NULL;
	pid_t pid = fork();

	if (pid)
		return pid;
	while (rounds-- && !bad)
		bad = churn_once();
	if (bad)
		fprintf(stderr, "# %s\n", bad);
	_exit(bad ? 1 : 0);
}

/* Toggles the module parameter. */
static pid_t start_switcher(long rounds)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	while (rounds--)
		if (ucv_write(UCV_ALWAYS_ON, rounds % 2 ? "Y" : "N"))
			_exit(1);
	_exit(0);
}

/* In the agent: threads that are refused until told to stop. */
static void *refused_until_done(void *arg)
{
	struct thread *thread = arg;
	long i;

	for (i = 0; !is_set(&shared->done) && refused_once(thread->kind); i++)
		;
	__atomic_fetch_add(&shared->refused[thread->kind], i, __ATOMIC_RELAXED);
	return NULL;
}

static struct thread endless[NR_REFUSALS];

static long do_begin(struct ucv_call *call)
{
	long i;

	for (i = 0; i < call->a; i++) {
		endless[i].kind = i;
		if (pthread_create(&endless[i].thread, NULL, refused_until_done, &endless[i]))
			return -EAGAIN;
	}
	return 0;
}

static long do_end(struct ucv_call *call)
{
	long i;

	for (i = 0; i < call->a; i++)
		pthread_join(endless[i].thread, NULL);
	return 0;
}

/* Runs churners and a switcher to completion, while an agent's threads are refused. */
static void churn_listeners(struct __test_metadata *_metadata, struct ucv_agent *agent)
{
	const long rounds = NR_ROUNDS * env_number("UCV_CHURN", 1);
	pid_t churner[NR_CHURNERS + 1];
	int status, i;

	ASSERT_EQ(0, ucv_sysctl(UCV_ALWAYS_ON, 0));
	ASSERT_EQ(0, ucv_sysctl(MAX_UTS, 0));
	ASSERT_EQ(0, ucv_agent_call(agent, do_begin, nr_kinds(), 0, 0));
	churner[NR_CHURNERS] = start_switcher(rounds);
	for (i = 0; i < NR_CHURNERS; i++)
		churner[i] = start_churner(rounds);
	for (i = 0; i <= NR_CHURNERS; i++) {
		EXPECT_EQ(churner[i], waitpid(churner[i], &status, 0));
		EXPECT_EQ(0, status);
	}
	__atomic_store_n(&shared->done, 1, __ATOMIC_RELEASE);
	ASSERT_EQ(0, ucv_agent_call(agent, do_end, nr_kinds(), 0, 0));
	ASSERT_EQ(0, ucv_write(UCV_ALWAYS_ON, "N"));
	for (i = 0; i < nr_kinds(); i++)
		EXPECT_LT(0, shared->refused[i]);
}

/* At times no file listens, so the probes are registered and unregistered repeatedly. */
UCV_TEST_F(churn, listeners_come_and_go_during_denials)
{
	long long armed = ucv_status_number("denials_armed");
	struct ucv_listen after;

	churn_listeners(_metadata, &self->agent);
	ASSERT_EQ(0, ucv_listen(self->fd, 0, &after));
	EXPECT_EQ(self->listen.missed, after.missed);
	if (armed)
		return;
	EXPECT_EQ(0U, after.armed);
	if (ucv_has_probe_list())
		EXPECT_FALSE(ucv_probed("inc_ucount") || ucv_probed("count_mounts"));
}

/* One listener stays armed; the others do not make it miss a record. */
UCV_TEST_F(churn, lasting_listener_misses_nothing)
{
	const long own = NR_CHURNERS * NR_ROUNDS * PER_ROUND * env_number("UCV_CHURN", 1);
	struct heard *heard = &shared->heard[0];
	struct ucv_listen after;
	__u64 refused;

	self->reader[0] = start_reader(heard);
	ASSERT_TRUE(UCV_SOON(is_set(&heard->listens)));
	churn_listeners(_metadata, &self->agent);
	ASSERT_EQ(0, ucv_listen(self->fd, 0, &after));
	refused = shared->refused[INSTANCE] + shared->refused[UTS] + shared->refused[MOUNT];
	EXPECT_EQ(refused + own, after.total - self->listen.total);
	__atomic_store_n(&shared->end, after.total, __ATOMIC_RELEASE);
	wait_for_reader(_metadata, &self->reader[0]);
	EXPECT_EQ(NULL, heard->bad)
		TH_LOG("%s", heard->bad);
	EXPECT_EQ(refused + own, heard->delivered + heard->lost);
	TH_LOG("%llu of %llu, %llu lost", heard->delivered, refused + own, heard->lost);
}

TEST_HARNESS_MAIN
