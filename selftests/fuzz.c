// SPDX-License-Identifier: GPL-2.0
/*
 * Not a test: the program that fuzz_test.sh runs. Threads of several processes make random
 * operations on /dev/ucountview and on the files in debugfs, and check what comes of each. Built
 * for 32-bit programs, too, as abi32_fuzz.
 *
 *	fuzz SEED OPERATIONS
 *
 * The seed, the process, the thread and the number of an operation determine it in full, so the
 * same seed repeats all operations; only the order between threads is the scheduler's. Exits with
 * 1, and a message, at the first operation that does not do what is documented.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz.h"
#include "ucv_fork.h"

#define PROCESSES	2
#define THREADS		3
#define LIMIT	"/sys/module/ucountview/parameters/max_snapshot_kib"
#define ALWAYS	"/sys/module/ucountview/parameters/denials"

struct ucv_info fuzz_info;
bool fuzz_has_denials;
struct slot fuzz_shared[NR_SLOT_TYPES][SLOTS];

static __u64 seed;
static unsigned long operations;	/* of each thread */
static struct worker workers[THREADS];
static pid_t tids[THREADS];

/* Shared by all processes. */
static struct shared {
	int failed;
	unsigned long done[16];		/* operations of each kind */
	unsigned long records;
	unsigned long denials;
} *shared;

void fuzz_count_record(void)
{
	__atomic_fetch_add(&shared->records, 1, __ATOMIC_RELAXED);
}

void fuzz_count_denial(void)
{
	__atomic_fetch_add(&shared->denials, 1, __ATOMIC_RELAXED);
}

/* Random choices: splitmix64 */

__u64 fuzz_random(struct worker *w)
{
	__u64 z = w->random += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

__u64 fuzz_below(struct worker *w, __u64 bound)
{
	return fuzz_random(w) % bound;
}

bool fuzz_one_in(struct worker *w, unsigned int n)
{
	return !fuzz_below(w, n);
}

static void begin(struct worker *w, unsigned long op)
{
	w->op = op;
	w->random = seed;
	w->random = fuzz_random(w) ^ ((__u64)w->process << 56 | (__u64)w->thread << 48 | op);
	w->what[0] = '\0';
}

/* Findings */

void fuzz_describe(struct worker *w, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(w->what, sizeof(w->what), format, args);
	va_end(args);
}

void fuzz_fail(struct worker *w, const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (!__atomic_exchange_n(&shared->failed, 1, __ATOMIC_ACQ_REL))
		dprintf(STDERR_FILENO,
			"seed %llu, process %u, thread %u, operation %lu: %s: %s\n",
			(unsigned long long)seed, w->process, w->thread, w->op, w->what, text);
	_exit(1);
}

void fuzz_expect(struct worker *w, const struct slot *slot, int error, const int *allowed,
		 size_t nr)
{
	char text[256] = "";
	size_t i;

	if (slot && slot->shared && error == EBADF)
		return;
	for (i = 0; i < nr; i++) {
		if (allowed[i] == error)
			return;
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s %s",
			 i ? " or" : "", allowed[i] ? strerror(allowed[i]) : "success");
	}
	fuzz_fail(w, "%s, expected%s", error ? strerror(error) : "success", text);
}

/* Operations on one of a thread's slots */

enum operation {
	OPEN, CLOSE, IOCTL, READ, POLL, SEEK, DUP, FCNTL, REFUSED, FORK, KILL, PARAMETER,
	NR_KINDS_OF_OPERATIONS
};

static const char *const kind_names[] = {
	"open", "close", "ioctl", "read", "poll", "lseek", "dup", "fcntl", "refused", "fork",
	"kill", "parameter",
};

static enum operation choose_kind(struct worker *w)
{
	static const unsigned char often[] = {
		OPEN, OPEN, OPEN, CLOSE, IOCTL, IOCTL, IOCTL, IOCTL, IOCTL, IOCTL, IOCTL, IOCTL,
		IOCTL, IOCTL, IOCTL, IOCTL, READ, READ, READ, READ, READ, POLL, POLL, SEEK, DUP,
		FCNTL, REFUSED,
	};

	if (fuzz_one_in(w, 150))
		return FORK + fuzz_below(w, 3);
	return often[fuzz_below(w, ARRAY_SIZE(often))];
}

static void on_slot(struct worker *w, enum operation kind, struct slot *slot, bool device)
{
	switch (kind) {
	case OPEN:
		device ? fuzz_open_device(w, slot) : fuzz_open_text(w, slot);
		break;
	case CLOSE:
		fuzz_close(w, slot);
		break;
	case IOCTL:
		fuzz_ioctl(w, slot);
		break;
	case READ:
		device ? fuzz_read_denials(w, slot) : fuzz_read_text(w, slot);
		break;
	case POLL:
		fuzz_poll(w, slot, device);
		break;
	case SEEK:
		device ? fuzz_refused(w, slot, true) : fuzz_seek_text(w, slot);
		break;
	case DUP:
		fuzz_dup(w, slot);
		break;
	case FCNTL:
		fuzz_fcntl(w, slot);
		break;
	default:
		fuzz_refused(w, slot, device);
	}
}

static void some_operation(struct worker *w, enum operation kind, bool only_shared)
{
	const bool device = kind == IOCTL || fuzz_one_in(w, 2);
	const unsigned int n = fuzz_below(w, SLOTS);
	const int type = device ? SLOT_DEVICE : SLOT_TEXT;

	on_slot(w, kind, only_shared || fuzz_one_in(w, 3) ? &fuzz_shared[type][n] :
		&w->slots[type][n], device);
}

/* Processes that come and go */

static void interrupt_often(void)
{
	const struct itimerval often = { { 0, 2000 }, { 0, 2000 } };

	setitimer(ITIMER_REAL, &often, NULL);
}

static void wait_for(struct worker *w, pid_t pid, int expected)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			fuzz_fail(w, "waitpid: %s", strerror(errno));
	if (status != expected)
		fuzz_fail(w, "a child ended with status 0x%x", status);
}

/* Returns 0 in the child. */
static pid_t fork_child(struct worker *w)
{
	pid_t pid = ucv_fork();

	if (pid < 0)
		fuzz_fail(w, "fork: %s", strerror(errno));
	return pid;
}

/* A child that uses the descriptors which it has inherited. */
static void do_fork(struct worker *w)
{
	unsigned int n = fuzz_below(w, 8);
	pid_t pid;

	fuzz_describe(w, "fork()");
	pid = fork_child(w);
	if (pid) {
		wait_for(w, pid, 0);
		return;
	}
	interrupt_often();
	while (n--)
		some_operation(w, choose_kind(w) % FORK, true);
	_exit(0);
}

/* A child that is killed while it takes and reads snapshots. */
static void do_kill(struct worker *w)
{
	const useconds_t rest = fuzz_below(w, 4000);
	pid_t pid;
	int fd;

	fuzz_describe(w, "kill after %u us", rest);
	pid = fork_child(w);
	if (pid) {
		usleep(rest);
		kill(pid, SIGKILL);
		wait_for(w, pid, SIGKILL);
		return;
	}
	fd = open(UCV_DEVICE_PATH, O_RDONLY | O_CLOEXEC);
	for (;;) {
		struct ucv_snapshot snapshot = { .request = fuzz_info.supported };
		struct ucv_listen listen = { .flags = UCV_LISTEN_ARM };

		ioctl(fd, UCV_IOC_SNAPSHOT, &snapshot);
		ioctl(fd, UCV_IOC_LISTEN, &listen);
	}
}

/* Returns an errno. */
static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), ret;

	if (fd < 0)
		return errno;
	ret = write(fd, text, strlen(text)) < 0 ? errno : 0;
	close(fd);
	return ret;
}

static void do_parameter(struct worker *w)
{
	static const struct {
		const char *path;
		const char *value;
		int error;
	} writes[] = {
		{ LIMIT, "0", 0 }, { LIMIT, "1", 0 }, { LIMIT, "40", 0 }, { LIMIT, "400", 0 },
		{ LIMIT, "", 0 }, { LIMIT, "-1", EINVAL }, { LIMIT, "x", EINVAL },
		{ LIMIT, "99999999999", ERANGE },
		{ ALWAYS, "N", 0 }, { ALWAYS, "0", 0 }, { ALWAYS, "maybe", EINVAL },
		{ ALWAYS, "Y", 0 }, { ALWAYS, "1", 0 }, /* the last two */
	};
	const unsigned int i = fuzz_below(w, ARRAY_SIZE(writes) - (fuzz_has_denials ? 0 : 2));

	fuzz_describe(w, "%s to %s", writes[i].value, writes[i].path);
	FUZZ_EXPECT(w, NULL, write_text(writes[i].path, writes[i].value), writes[i].error);
	usleep(fuzz_below(w, 500));
	FUZZ_EXPECT(w, NULL, write_text(LIMIT, "65536"), 0);
}

static void operate(struct worker *w)
{
	enum operation kind = choose_kind(w);

	switch (kind) {
	case FORK:
		do_fork(w);
		break;
	case KILL:
		do_kill(w);
		break;
	case PARAMETER:
		do_parameter(w);
		break;
	default:
		some_operation(w, kind, false);
	}
	__atomic_fetch_add(&shared->done[kind], 1, __ATOMIC_RELAXED);
}

static void number_slots(struct slot slots[NR_SLOT_TYPES][SLOTS], unsigned int owner)
{
	unsigned int type, i;

	for (type = 0; type < NR_SLOT_TYPES; type++)
		for (i = 0; i < SLOTS; i++) {
			slots[type][i].fd = FIRST_FD + (owner * NR_SLOT_TYPES + type) * SLOTS + i;
			slots[type][i].shared = !owner;
		}
}

static void *work(void *arg)
{
	struct worker *w = arg;
	unsigned long op;

	__atomic_store_n(&tids[w->thread - 1], syscall(SYS_gettid), __ATOMIC_RELEASE);
	for (op = 1; op <= operations; op++) {
		if (__atomic_load_n(&shared->failed, __ATOMIC_RELAXED))
			break;
		begin(w, op);
		operate(w);
	}
	__atomic_store_n(&tids[w->thread - 1], 0, __ATOMIC_RELEASE);
	return NULL;
}

/* Interrupts the threads until all have ended. */
static void interrupt_threads(void)
{
	unsigned int round = 0, i;
	bool busy = true;
	pid_t tid;

	while (busy) {
		usleep(1000);
		busy = false;
		for (i = 0; i < THREADS; i++) {
			tid = __atomic_load_n(&tids[i], __ATOMIC_ACQUIRE);
			busy |= tid != 0;
			if (tid > 0)
				syscall(SYS_tgkill, getpid(), tid,
					(round + i) % 3 ? SIGUSR1 : SIGUSR2);
		}
		round++;
	}
}

static void nothing(int sig)
{
	(void)sig;
}

static void fuzz_process(unsigned int process)
{
	struct sigaction action = { .sa_handler = nothing };
	pthread_t threads[THREADS];
	unsigned int i;

	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGALRM, &action, NULL);
	action.sa_flags = SA_RESTART;
	sigaction(SIGUSR2, &action, NULL);
	number_slots(fuzz_shared, 0);
	for (i = 0; i < THREADS; i++) {
		workers[i].process = process;
		workers[i].thread = i + 1;
		number_slots(workers[i].slots, i + 1);
		tids[i] = -1;
		if (fuzz_memory_init(&workers[i].memory[0]) ||
		    fuzz_memory_init(&workers[i].memory[1]) ||
		    pthread_create(&threads[i], NULL, work, &workers[i]))
			fuzz_fail(&workers[i], "cannot start: %s", strerror(errno));
	}
	interrupt_threads();
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	_exit(shared->failed);
}

/* A process that is refused now and then, in a user namespace whose limit is 0. */
static void be_refused(void)
{
	if (unshare(CLONE_NEWUSER) || write_text("/proc/sys/user/max_uts_namespaces", "0"))
		_exit(1);
	for (;;) {
		unshare(CLONE_NEWUTS);
		usleep(5000);
	}
}

static void print_results(void)
{
	unsigned long sum = 0;
	unsigned int i;

	printf("of them:");
	for (i = 0; i < NR_KINDS_OF_OPERATIONS; i++) {
		printf(" %lu %s%s", shared->done[i], kind_names[i],
		       i + 1 < NR_KINDS_OF_OPERATIONS ? "," : "\n");
		sum += shared->done[i];
	}
	printf("checked: %lu records, %lu denials\n", shared->records, shared->denials);
	printf("fuzzed: %lu operations\n", sum);
}

static bool prepare(void)
{
	int fd = open(UCV_DEVICE_PATH, O_RDONLY | O_CLOEXEC);
	int ret = fd < 0 ? -1 : ioctl(fd, UCV_IOC_INFO, &fuzz_info);

	close(fd);
	fuzz_has_denials = fuzz_info.features & UCV_FEATURE_DENIALS;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	return !ret && shared != MAP_FAILED && fuzz_text_init();
}

int main(int argc, char **argv)
{
	pid_t refused, pids[PROCESSES];
	int bad = 0, status;
	unsigned int i;

	if (argc != 3) {
		fprintf(stderr, "usage: fuzz SEED OPERATIONS\n");
		return 2;
	}
	seed = strtoull(argv[1], NULL, 0);
	operations = strtoul(argv[2], NULL, 0) / (PROCESSES * THREADS) + 1;
	if (!prepare()) {
		fprintf(stderr, "fuzz: there is no module, or no debugfs\n");
		return 1;
	}
	refused = ucv_fork();
	if (!refused)
		be_refused();
	for (i = 0; i < PROCESSES; i++) {
		pids[i] = ucv_fork();
		if (!pids[i])
			fuzz_process(i);
	}
	for (i = 0; i < PROCESSES; i++)
		if (waitpid(pids[i], &status, 0) != pids[i] || status)
			bad = 1;
	kill(refused, SIGKILL);
	waitpid(refused, NULL, 0);
	print_results();
	return bad;
}
