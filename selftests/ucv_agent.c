// SPDX-License-Identifier: GPL-2.0
/*
 * Agents: processes that run the functions they are sent, in their own user namespaces.
 * Also the functions they can be sent, and chains of agents.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mqueue.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <linux/securebits.h>

#include "ucv_test.h"

#define MAX_SOCKS	512

/* An agent exits when our end of its socket closes, so no other agent may inherit that. */
static int socks[MAX_SOCKS];
static unsigned int nr_socks;

static void remember_sock(int sock)
{
	if (nr_socks < MAX_SOCKS)
		socks[nr_socks++] = sock;
}

static void forget_sock(int sock)
{
	unsigned int i;

	for (i = 0; i < nr_socks; i++)
		if (socks[i] == sock)
			socks[i] = socks[--nr_socks];
}

static void close_socks(void)
{
	while (nr_socks)
		close(socks[--nr_socks]);
}

/* Passing descriptors */

/* Sends @size bytes, and @fd with them if >= 0. */
static int send_with(int sock, void *data, size_t size, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = {};
	struct iovec iov = { .iov_base = data, .iov_len = size };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *cmsg;

	if (fd >= 0) {
		msg.msg_control = control;
		msg.msg_controllen = sizeof(control);
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	}
	return sendmsg(sock, &msg, MSG_NOSIGNAL) == (ssize_t)size ? 0 : -EPIPE;
}

/* @fd becomes -1 if no descriptor comes with the @size bytes. */
static int receive_with(int sock, void *data, size_t size, int *fd)
{
	char control[CMSG_SPACE(sizeof(int))] = {};
	struct iovec iov = { .iov_base = data, .iov_len = size };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg;

	*fd = -1;
	if (recvmsg(sock, &msg, MSG_CMSG_CLOEXEC) != (ssize_t)size)
		return -EPIPE;
	cmsg = CMSG_FIRSTHDR(&msg);
	if (cmsg && cmsg->cmsg_type == SCM_RIGHTS)
		memcpy(fd, CMSG_DATA(cmsg), sizeof(int));
	return 0;
}

int ucv_send_fd(int sock, int fd)
{
	return send_with(sock, "", 1, fd);
}

/* Returns the descriptor. */
int ucv_receive_fd(int sock)
{
	char byte;
	int fd;

	return receive_with(sock, &byte, 1, &fd) || fd < 0 ? -EPIPE : fd;
}

static int flight[2];

/* Closes @fd while it is in a message that this process sends to itself. */
int ucv_launch(int fd)
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, flight))
		return -errno;
	if (ucv_send_fd(flight[0], fd))
		return -EPIPE;
	return close(fd) ? -errno : 0;
}

/* Receives that message. */
int ucv_land(void)
{
	return ucv_receive_fd(flight[1]);
}

/* What an agent sends back. */
struct answer {
	long ret;
	int error;
};

/*
 * A thread of the agent that makes its calls in place of the thread group leader, one at
 * a time.
 */
static struct worker {
	sem_t begin;
	sem_t end;
	struct ucv_call *call;
	long ret;
} worker;

static bool has_worker;

static void wait_for(sem_t *sem)
{
	while (sem_wait(sem))
		;
}

static void *work(void *unused)
{
	(void)unused;
	for (;;) {
		wait_for(&worker.begin);
		worker.ret = worker.call->fn(worker.call);
		sem_post(&worker.end);
	}
	return NULL;
}

static long call_worker(struct ucv_call *call)
{
	worker.call = call;
	sem_post(&worker.begin);
	wait_for(&worker.end);
	return worker.ret;
}

static long do_name(struct ucv_call *call)
{
	return prctl(PR_SET_NAME, call->text) ? -errno : syscall(SYS_gettid);
}

/* Returns the tid of the thread. */
long ucv_do_by_thread(struct ucv_call *call)
{
	struct ucv_call name = { .fn = do_name };
	pthread_t thread;

	if (sem_init(&worker.begin, 0, 0) || sem_init(&worker.end, 0, 0))
		return -errno;
	if (pthread_create(&thread, NULL, work, NULL))
		return -EAGAIN;
	has_worker = true;
	memcpy(name.text, call->text, sizeof(name.text));
	return call_worker(&name);
}

static void agent_loop(int sock)
{
	struct answer answer;
	struct ucv_call call;

	has_worker = false;
	close_socks();
	signal(SIGCHLD, SIG_IGN);
	while (recv(sock, &call, sizeof(call), 0) == sizeof(call)) {
		call.fd = -1;
		call.error = 0;
		call.sock = sock;
		answer.ret = has_worker ? call_worker(&call) : call.fn(&call);
		answer.error = call.error;
		/* Other agents write to this one's files in /proc. */
		prctl(PR_SET_DUMPABLE, 1);
		if (send_with(sock, &answer, sizeof(answer), call.fd))
			break;
	}
	_exit(0);
}

int ucv_agent_start(struct ucv_agent *agent)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -errno;
	agent->pid = fork();
	if (agent->pid < 0)
		return -errno;
	if (!agent->pid) {
		close(pair[0]);
		agent_loop(pair[1]);
	}
	close(pair[1]);
	agent->sock = pair[0];
	remember_sock(agent->sock);
	return 0;
}

/* In the agent: forks another agent, which holds what this one holds, and sends its socket back. */
static long do_spawn(struct ucv_call *call)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -errno;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (!pid) {
		close(call->sock);
		close(pair[0]);
		agent_loop(pair[1]);
	}
	close(pair[1]);
	call->fd = pair[0];
	return pid;
}

/* Has the agent make a call. Sets @call's fd, -1 if none is sent back, and error. */
long ucv_agent_ask(struct ucv_agent *agent, struct ucv_call *call)
{
	struct answer answer;

	if (send(agent->sock, call, sizeof(*call), MSG_NOSIGNAL) != sizeof(*call) ||
	    receive_with(agent->sock, &answer, sizeof(answer), &call->fd))
		return -EPIPE;
	call->error = answer.error;
	return answer.ret;
}

long ucv_agent_text(struct ucv_agent *agent, long (*fn)(struct ucv_call *call),
		    const char *text, long a, long b, long c)
{
	struct ucv_call call = { .fn = fn, .a = a, .b = b, .c = c, .fd = -1 };
	long ret;

	snprintf(call.text, sizeof(call.text), "%s", text);
	ret = ucv_agent_ask(agent, &call);
	if (call.fd >= 0)
		close(call.fd);
	return ret;
}

long ucv_agent_call(struct ucv_agent *agent, long (*fn)(struct ucv_call *call),
		    long a, long b, long c)
{
	return ucv_agent_text(agent, fn, "", a, b, c);
}

/* Returns the descriptor that @fn sends back. */
int ucv_agent_fd(struct ucv_agent *agent, long (*fn)(struct ucv_call *call), long a)
{
	struct ucv_call call = { .fn = fn, .a = a };
	long ret = ucv_agent_ask(agent, &call);

	if (ret < 0)
		return ret;
	return call.fd >= 0 ? call.fd : -EBADF;
}

int ucv_agent_spawn(struct ucv_agent *parent, struct ucv_agent *agent)
{
	struct ucv_call call = { .fn = do_spawn };
	long ret = ucv_agent_ask(parent, &call);

	if (ret < 0)
		return ret;
	agent->pid = ret;
	agent->sock = call.fd;
	remember_sock(call.fd);
	return 0;
}

/* Returns after the process has exited and released what it held. */
void ucv_agent_stop(struct ucv_agent *agent)
{
	if (!agent->pid)
		return;
	ucv_agent_call(agent, ucv_do_exit, 0, 0, 0);
	forget_sock(agent->sock);
	close(agent->sock);
	if (waitpid(agent->pid, NULL, 0) < 0)
		UCV_SOON(kill(agent->pid, 0) && errno == ESRCH);
	agent->pid = 0;
}

/* text: path, newline, value */
long ucv_do_write(struct ucv_call *call)
{
	char *value = strchr(call->text, '\n');

	if (!value)
		return -EINVAL;
	*value++ = '\0';
	return ucv_write(call->text, value);
}

/* Writes from this process if @agent is NULL. */
int ucv_agent_write(struct ucv_agent *agent, const char *path, const char *value)
{
	char text[sizeof(((struct ucv_call *)0)->text)];

	if (!agent)
		return ucv_write(path, value);
	if (snprintf(text, sizeof(text), "%s\n%s", path, value) >= (int)sizeof(text))
		return -E2BIG;
	return ucv_agent_text(agent, ucv_do_write, text, 0, 0, 0);
}

/*
 * Writes @agent's uid map from @mapper, which is in the parent namespace (NULL: this
 * process). Maps group 0, too: the kernel requires both IDs of the creator of a user
 * namespace to be mapped.
 */
int ucv_agent_map(struct ucv_agent *agent, struct ucv_agent *mapper, const char *map)
{
	char path[64];
	int ret;

	snprintf(path, sizeof(path), "/proc/%d/gid_map", agent->pid);
	ret = ucv_agent_write(mapper, path, "0 0 1");
	if (ret)
		return ret;
	snprintf(path, sizeof(path), "/proc/%d/uid_map", agent->pid);
	return ucv_agent_write(mapper, path, map);
}

/* Moves @agent into a new user namespace with @map. */
int ucv_agent_userns(struct ucv_agent *agent, struct ucv_agent *mapper, const char *map)
{
	long ret = ucv_agent_call(agent, ucv_do_unshare, CLONE_NEWUSER, 0, 0);

	return ret ? (int)ret : ucv_agent_map(agent, mapper, map);
}

/*
 * Makes @agent root of a new user namespace, which uid @owner creates: uids 0.. there are
 * @first.. in the namespace of @mapper.
 */
int ucv_agent_enter(struct ucv_agent *agent, struct ucv_agent *mapper, unsigned int owner,
		    unsigned int first, unsigned int nr)
{
	char map[64];
	long ret;

	ret = ucv_agent_call(agent, ucv_do_uids, -1, owner, 0);
	if (ret)
		return ret;
	snprintf(map, sizeof(map), "0 %u %u", first, nr);
	ret = ucv_agent_userns(agent, mapper, map);
	return ret ? ret : ucv_agent_call(agent, ucv_do_uids, 0, 0, 0);
}

unsigned int ucv_ns_of(pid_t pid, const char *ns)
{
	struct stat status;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, ns);
	return stat(path, &status) ? 0 : status.st_ino;
}

unsigned int ucv_userns_of(pid_t pid)
{
	return ucv_ns_of(pid, "user");
}

/* The functions that agents are sent. Each process has its own descriptors in held[]. */

#define MAX_HELD	1024

static int held[MAX_HELD];
static int nr_held;
static int last_watch[MAX_HELD];

static long hold(int fd)
{
	if (fd < 0)
		return -errno;
	if (nr_held == MAX_HELD) {
		close(fd);
		return -ENFILE;
	}
	held[nr_held] = fd;
	last_watch[nr_held] = 0;
	return nr_held++;
}

long ucv_do_uids(struct ucv_call *call)
{
	return setresuid(call->a, call->b, call->c) ? -errno : 0;
}

long ucv_do_keep_caps(struct ucv_call *call)
{
	(void)call;
	return prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0) ?
	       -errno : 0;
}

long ucv_do_unshare(struct ucv_call *call)
{
	return unshare(call->a) ? -errno : 0;
}

long ucv_do_inotify(struct ucv_call *call)
{
	long first = nr_held;
	long ret, i;

	for (i = 0; i < call->a; i++) {
		ret = hold(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
		if (ret < 0)
			return ret;
	}
	return first;
}

/* The instances stay until the process exits. */
long ucv_do_inotify_users(struct ucv_call *call)
{
	long i;

	for (i = 0; i < call->b; i++)
		if (seteuid(call->a + i) || inotify_init1(IN_CLOEXEC) < 0 || seteuid(0))
			return -errno;
	return call->b;
}

/* Of several things @done were done and the next one failed. Returns their number or the error. */
static long part(struct ucv_call *call, long done)
{
	call->error = errno;
	return done ? done : -errno;
}

/* Returns the number of watches added, or the error if the first one fails. */
long ucv_do_watch(struct ucv_call *call)
{
	char path[PATH_MAX];
	long i;
	int wd;

	for (i = 0; i < call->c; i++) {
		snprintf(path, sizeof(path), "%s/%ld", call->text, call->b + i);
		wd = inotify_add_watch(held[call->a], path, IN_MODIFY);
		if (wd < 0)
			return part(call, i);
		last_watch[call->a] = wd;
	}
	return i;
}

/* Returns the number of refusals. */
long ucv_do_insist(struct ucv_call *call)
{
	long refused = 0, i;

	for (i = 0; i < call->b; i++)
		refused += inotify_add_watch(held[call->a], call->text, IN_MODIFY) < 0;
	return refused;
}

long ucv_do_unwatch(struct ucv_call *call)
{
	long i;

	for (i = 0; i < call->b; i++)
		if (inotify_rm_watch(held[call->a], last_watch[call->a]--))
			return -errno;
	return i;
}

long ucv_do_fanotify(struct ucv_call *call)
{
	return hold(fanotify_init(call->a, O_RDONLY | O_CLOEXEC));
}

static long mark_files(struct ucv_call *call, unsigned int flags)
{
	char path[PATH_MAX];
	long i;

	for (i = 0; i < call->c; i++) {
		snprintf(path, sizeof(path), "%s/%ld", call->text, call->b + i);
		if (fanotify_mark(held[call->a], flags, FAN_OPEN, AT_FDCWD, path))
			return part(call, i);
	}
	return i;
}

long ucv_do_mark(struct ucv_call *call)
{
	return mark_files(call, FAN_MARK_ADD);
}

long ucv_do_unmark(struct ucv_call *call)
{
	return mark_files(call, FAN_MARK_REMOVE);
}

long ucv_do_close(struct ucv_call *call)
{
	if (call->a >= 0) {
		close(held[call->a]);
		held[call->a] = -1;
		return 0;
	}
	while (nr_held)
		close(held[--nr_held]);
	return 0;
}

long ucv_do_get_fd(struct ucv_call *call)
{
	call->fd = held[call->a];
	return 0;
}

long ucv_do_open(struct ucv_call *call)
{
	int fd = open(call->text, call->a | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

/* For a descriptor that the agent did not open. */
long ucv_do_hold(struct ucv_call *call)
{
	return hold(dup(call->a));
}

long ucv_do_launch(struct ucv_call *call)
{
	int fd = held[call->a];

	held[call->a] = -1;
	return ucv_launch(fd);
}

long ucv_do_copy(struct ucv_call *call)
{
	const struct rlimit limit = { UCV_MOST_FDS, UCV_MOST_FDS };
	long i;

	if (setrlimit(RLIMIT_NOFILE, &limit))
		return -errno;
	for (i = 0; i < call->b; i++)
		if (fcntl(held[call->a], F_DUPFD_CLOEXEC, 0) < 0)
			return part(call, i);
	return i;
}

/* Charges of rlimits */

long ucv_do_rlimit(struct ucv_call *call)
{
	const struct rlimit limit = { call->a, call->b };
	static const struct {
		const char *name;
		int resource;
	} limits[] = {
		{ "memlock", RLIMIT_MEMLOCK }, { "msgqueue", RLIMIT_MSGQUEUE },
		{ "nofile", RLIMIT_NOFILE }, { "nproc", RLIMIT_NPROC },
		{ "sigpending", RLIMIT_SIGPENDING },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(limits); i++)
		if (!strcmp(limits[i].name, call->text))
			return setrlimit(limits[i].resource, &limit) ? -errno : 0;
	return -EINVAL;
}

/* They stay pending, as the signal is blocked. */
long ucv_do_signals(struct ucv_call *call)
{
	union sigval value = {};
	sigset_t blocked;
	long i;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	for (i = 0; i < call->a; i++)
		if (sigqueue(getpid(), SIGRTMIN, value))
			return part(call, i);
	return i;
}

/* Its messages are of one byte. It goes with the process. */
long ucv_do_queue(struct ucv_call *call)
{
	struct mq_attr attr = { .mq_maxmsg = call->a, .mq_msgsize = 1 };
	static unsigned int nr;
	char name[32];
	long fd;

	snprintf(name, sizeof(name), "ucv-%d-%u", getpid(), nr++);
	fd = syscall(SYS_mq_open, name, O_RDWR | O_CREAT | O_EXCL, 0600, &attr);
	if (fd < 0)
		return -errno;
	syscall(SYS_mq_unlink, name);
	return 0;
}

/* The segment goes with the process. */
long ucv_do_lock(struct ucv_call *call)
{
	int id = shmget(IPC_PRIVATE, call->a * sysconf(_SC_PAGESIZE), 0600);
	long ret = 0;

	if (id < 0 || shmat(id, NULL, 0) == (void *)-1)
		return -errno;
	if (shmctl(id, SHM_LOCK, NULL))
		ret = -errno;
	shmctl(id, IPC_RMID, NULL);
	return ret;
}

long ucv_do_unshare_users(struct ucv_call *call)
{
	(void)call;
	return unshare(CLONE_NEWUSER) ? -errno : 0;
}

void ucv_stay(void)
{
	for (;;)
		pause();
}

/* Returns the pid of the last child. */
long ucv_do_fork(struct ucv_call *call)
{
	pid_t pid = -1;
	long i;

	for (i = 0; i < call->a; i++) {
		pid = ucv_fork();
		if (pid < 0)
			return -errno;
		if (!pid)
			ucv_stay();
	}
	return pid;
}

long ucv_do_exit(struct ucv_call *call)
{
	_exit(call->a);
}

/* Chains of user namespaces */

static int chain_link(struct ucv_chain *chain, struct ucv_agent *root, int level)
{
	struct ucv_agent *above = level > 1 ? &chain->agent[level - 1] : NULL;
	struct ucv_agent *agent = &chain->agent[level];
	long ret;

	ret = ucv_agent_spawn(above ? above : root, agent);
	if (!ret)
		ret = ucv_agent_enter(agent, above, above ? 10U + level : ucv_owner(1),
				      above ? 100 : ucv_base(1), 2000 - 100 * level);
	chain->inum[level] = ucv_userns_of(agent->pid);
	return ret;
}

int ucv_chain_start(struct ucv_chain *chain, struct ucv_agent *root, int depth)
{
	int level, ret = 0;

	memset(chain, 0, sizeof(*chain));
	chain->inum[0] = ucv_userns_of(getpid());
	for (level = 1; level <= depth && !ret; level++)
		ret = chain_link(chain, root, level);
	return ret;
}

/* True once the last of it is freed, so that later tests do not find it. */
bool ucv_chain_stop(struct ucv_chain *chain)
{
	int level;

	for (level = UCV_DEPTH; level > 0; level--)
		ucv_agent_stop(&chain->agent[level]);
	return UCV_SOON(!ucv_row_now(chain->inum[0], ucv_owner(1)));
}

/* Makes @instances inotify instances as @uid of @level, the first with @watches watches. */
int ucv_chain_charge(struct ucv_chain *chain, int level, unsigned int uid,
		     long instances, const char *dir, long watches)
{
	struct ucv_agent *agent = &chain->agent[level];
	long first, ret;

	ret = ucv_agent_call(agent, ucv_do_uids, -1, uid, 0);
	if (ret)
		return ret;
	first = ucv_agent_call(agent, ucv_do_inotify, instances, 0, 0);
	if (first < 0)
		return first;
	ret = ucv_agent_text(agent, ucv_do_watch, dir, first, 0, watches);
	if (ret != watches)
		return ret < 0 ? ret : -EIO;
	return ucv_agent_call(agent, ucv_do_uids, -1, 0, -1);
}
