// SPDX-License-Identifier: GPL-2.0
/*
 * What the selftests of ucountview share; ucv_test.h says what there is. This file
 * tests nothing.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <linux/securebits.h>

#include "ucv_test.h"

/* Snapshots */

int ucv_open(void)
{
	int fd = open(UCV_DEVICE_PATH, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int ucv_snapshot(int fd, __u64 request, struct ucv_snapshot *snapshot)
{
	memset(snapshot, 0, sizeof(*snapshot));
	snapshot->request = request;
	return ioctl(fd, UCV_IOC_SNAPSHOT, snapshot) ? -errno : 0;
}

int ucv_read(int fd, __u32 kind, __u32 record_size, __u64 first, void *buf,
	     size_t size, struct ucv_read *result)
{
	memset(result, 0, sizeof(*result));
	result->kind = kind;
	result->record_size = record_size;
	result->first = first;
	result->buf = (uintptr_t)buf;
	result->buf_size = size;
	return ioctl(fd, UCV_IOC_READ, result) ? -errno : 0;
}

/* All records of a kind in memory of their own; their number, or an error. */
static int read_kind(int fd, __u32 kind, __u32 record_size, void **records)
{
	struct ucv_read result;
	size_t size;
	int ret;

	ret = ucv_read(fd, kind, record_size, 0, NULL, 0, &result);
	if (ret)
		return ret;
	size = result.total * record_size;
	*records = calloc(result.total + 1, record_size);
	if (!*records)
		return -ENOMEM;
	ret = ucv_read(fd, kind, record_size, 0, *records, size, &result);
	if (!ret && result.nr != result.total)
		ret = -EIO;
	return ret ? ret : (int)result.nr;
}

static int read_kinds(int fd, struct ucv_table *table)
{
	int nr;

	nr = read_kind(fd, UCV_KIND_RESOURCE, sizeof(struct ucv_resource),
		       (void **)&table->resources);
	if (nr < 0)
		return nr;
	table->nr_resources = nr;
	nr = read_kind(fd, UCV_KIND_USERNS, sizeof(struct ucv_userns),
		       (void **)&table->userns);
	if (nr < 0)
		return nr;
	table->nr_userns = nr;
	nr = read_kind(fd, UCV_KIND_UCOUNTS, sizeof(struct ucv_ucounts),
		       (void **)&table->rows);
	if (nr < 0)
		return nr;
	table->nr_rows = nr;
	return 0;
}

int ucv_take_from(int fd, struct ucv_table *table)
{
	int ret;

	memset(table, 0, sizeof(*table));
	if (ioctl(fd, UCV_IOC_INFO, &table->info))
		return -errno;
	ret = ucv_snapshot(fd, UCV_ALL_KINDS, &table->snapshot);
	if (!ret)
		ret = read_kinds(fd, table);
	if (ret)
		ucv_free(table);
	return ret;
}

int ucv_take(struct ucv_table *table)
{
	int fd = ucv_open();
	int ret;

	memset(table, 0, sizeof(*table));
	if (fd < 0)
		return fd;
	ret = ucv_take_from(fd, table);
	close(fd);
	return ret;
}

void ucv_free(struct ucv_table *table)
{
	free(table->resources);
	free(table->userns);
	free(table->rows);
	memset(table, 0, sizeof(*table));
}

int ucv_resource(const struct ucv_table *table, const char *name)
{
	unsigned int i;

	for (i = 0; i < table->nr_resources; i++)
		if (!strcmp(table->resources[i].name, name))
			return i;
	return -ENOENT;
}

const struct ucv_userns *ucv_userns(const struct ucv_table *table,
				    unsigned int inum)
{
	unsigned int i;

	for (i = 0; i < table->nr_userns; i++)
		if (table->userns[i].inum == inum)
			return &table->userns[i];
	return NULL;
}

const struct ucv_ucounts *ucv_row(const struct ucv_table *table,
				  unsigned int inum, unsigned int uid)
{
	unsigned int i;

	for (i = 0; i < table->nr_rows; i++) {
		const struct ucv_ucounts *row = &table->rows[i];

		if (row->uid == uid && !(row->flags & UCV_UCOUNTS_SHADOWED) &&
		    row->userns < table->nr_userns &&
		    table->userns[row->userns].inum == inum)
			return row;
	}
	return NULL;
}

/* 0 without a row: nothing is charged then. */
long long ucv_used(const struct ucv_table *table, unsigned int inum,
		   unsigned int uid, const char *resource)
{
	const struct ucv_ucounts *row = ucv_row(table, inum, uid);
	int i = ucv_resource(table, resource);

	if (i < 0)
		return i;
	return row ? row->used[i] : 0;
}

long long ucv_limit(const struct ucv_table *table, unsigned int inum,
		    const char *resource)
{
	const struct ucv_userns *userns = ucv_userns(table, inum);
	int i = ucv_resource(table, resource);

	return userns && i >= 0 ? userns->limit[i] : -ENOENT;
}

long long ucv_used_now(unsigned int inum, unsigned int uid,
		       const char *resource)
{
	struct ucv_table table;
	long long used;
	int ret;

	ret = ucv_take(&table);
	if (ret)
		return ret;
	used = ucv_used(&table, inum, uid, resource);
	ucv_free(&table);
	return used;
}

bool ucv_row_now(unsigned int inum, unsigned int uid)
{
	struct ucv_table table;
	bool found;

	if (ucv_take(&table))
		return true;
	found = ucv_row(&table, inum, uid);
	ucv_free(&table);
	return found;
}

bool ucv_userns_now(unsigned int inum)
{
	struct ucv_table table;
	bool found;

	if (ucv_take(&table))
		return true;
	found = ucv_userns(&table, inum);
	ucv_free(&table);
	return found;
}

/* Any user's; an error as well. */
long ucv_rows_now(unsigned int inum)
{
	const struct ucv_userns *userns;
	struct ucv_table table;
	long rows;

	rows = ucv_take(&table);
	if (rows)
		return rows;
	userns = ucv_userns(&table, inum);
	if (userns)
		rows = userns->nr_ucounts;
	ucv_free(&table);
	return rows;
}

bool ucv_feature(__u64 feature)
{
	struct ucv_info info = {};
	int fd = ucv_open();
	bool has;

	if (fd < 0)
		return false;
	has = !ioctl(fd, UCV_IOC_INFO, &info) && (info.features & feature);
	close(fd);
	return has;
}

static const char *bad_userns(const struct ucv_table *table, unsigned int i)
{
	const struct ucv_userns *userns = &table->userns[i];
	unsigned int rows = 0, j;

	if (userns->parent == UCV_NO_INDEX) {
		if (userns->level)
			return "a namespace has no parent";
	} else if (userns->parent >= table->nr_userns) {
		return "a parent's index is out of range";
	} else if (userns->level != table->userns[userns->parent].level + 1) {
		return "a namespace is not one level below its parent";
	}
	if (!userns->inum)
		return "a namespace has no inode number";
	if (userns->reserved[0] || userns->reserved[1])
		return "a reserved member of a namespace is set";
	for (j = 0; j < table->nr_rows; j++)
		rows += table->rows[j].userns == i;
	if (rows != userns->nr_ucounts)
		return "nr_ucounts is not the number of rows";
	for (j = table->nr_resources; j < UCV_MAX_RESOURCES; j++)
		if (userns->limit[j])
			return "a limit is set beyond the last resource";
	return NULL;
}

static const char *bad_row(const struct ucv_table *table, unsigned int i)
{
	const struct ucv_ucounts *row = &table->rows[i];
	unsigned int j;

	if (row->userns >= table->nr_userns)
		return "a row's namespace index is out of range";
	if (row->reserved[0] || row->reserved[1])
		return "a reserved member of a row is set";
	if (row->flags & ~UCV_UCOUNTS_SHADOWED)
		return "a row has an unknown flag";
	for (j = 0; j < table->nr_resources; j++)
		if (table->resources[j].type == UCV_RESOURCE_UCOUNT &&
		    row->used[j] < 0)
			return "a counter is negative";
	for (; j < UCV_MAX_RESOURCES; j++)
		if (row->used[j])
			return "a counter is set beyond the last resource";
	return NULL;
}

static int compare_rows(const void *a, const void *b)
{
	const struct ucv_ucounts *const *x = a;
	const struct ucv_ucounts *const *y = b;

	if ((*x)->userns != (*y)->userns)
		return (*x)->userns < (*y)->userns ? -1 : 1;
	if ((*x)->uid != (*y)->uid)
		return (*x)->uid < (*y)->uid ? -1 : 1;
	return 0;
}

/* One row for a namespace and user, but for those that say they are hidden. */
static const char *bad_twins(const struct ucv_table *table)
{
	const struct ucv_ucounts **sorted;
	const char *bad = NULL;
	unsigned int nr = 0, i;

	sorted = calloc(table->nr_rows + 1, sizeof(*sorted));
	if (!sorted)
		return "no memory";
	for (i = 0; i < table->nr_rows; i++)
		if (!(table->rows[i].flags & UCV_UCOUNTS_SHADOWED))
			sorted[nr++] = &table->rows[i];
	qsort(sorted, nr, sizeof(*sorted), compare_rows);
	for (i = 1; i < nr; i++)
		if (!compare_rows(&sorted[i - 1], &sorted[i]))
			bad = "a namespace and user have two rows";
	free(sorted);
	return bad;
}

/* What is wrong with a snapshot at any time, busy or quiet; NULL if nothing is. */
const char *ucv_inconsistent(const struct ucv_table *table)
{
	unsigned int roots = 0, i;
	const char *bad;

	for (i = 0; i < table->nr_rows; i++) {
		bad = bad_row(table, i);
		if (bad)
			return bad;
	}
	for (i = 0; i < table->nr_userns; i++) {
		bad = bad_userns(table, i);
		if (bad)
			return bad;
		roots += !table->userns[i].level;
	}
	if (roots != 1)
		return "there is not one initial namespace";
	if (table->nr_resources != table->info.nr_resources)
		return "nr_resources is not the number of resources";
	if (table->snapshot.end_ns < table->snapshot.start_ns)
		return "the walk ended before it began";
	return bad_twins(table);
}

bool ucv_tables_equal(const struct ucv_table *a, const struct ucv_table *b)
{
	return a->nr_userns == b->nr_userns && a->nr_rows == b->nr_rows &&
	       !memcmp(a->userns, b->userns,
		       a->nr_userns * sizeof(*a->userns)) &&
	       !memcmp(a->rows, b->rows, a->nr_rows * sizeof(*a->rows));
}

/* Files */

int ucv_write(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, value, strlen(value)) != (ssize_t)strlen(value))
		ret = -errno;
	close(fd);
	return ret;
}

/* The whole of a file that has no size, as text; NULL on an error. */
char *ucv_slurp(const char *path, size_t *length)
{
	size_t room = 65536, used = 0;
	char *text = malloc(room);
	ssize_t got = -1;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	while (fd >= 0 && text) {
		got = read(fd, text + used, room - used - 1);
		if (got <= 0)
			break;
		used += got;
		if (room - used < 4096)
			text = realloc(text, room *= 2);
	}
	if (fd >= 0)
		close(fd);
	if (got < 0 || !text) {
		free(text);
		return NULL;
	}
	text[used] = '\0';
	if (length)
		*length = used;
	return text;
}

/* -1 if it cannot be read: no limit or counter is negative. */
long long ucv_read_number(const char *path)
{
	char *text = ucv_slurp(path, NULL);
	long long value = -1;

	if (text)
		sscanf(text, "%lld", &value);
	free(text);
	return value;
}

int ucv_make_files(char *dir, size_t size, unsigned int nr)
{
	const char *tmp = getenv("TMPDIR");
	char path[PATH_MAX];
	unsigned int i;
	int fd;

	snprintf(dir, size, "%s/ucountview.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(dir) || chmod(dir, 0755))
		return -errno;
	for (i = 0; i < nr; i++) {
		snprintf(path, sizeof(path), "%s/%u", dir, i);
		fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		if (fd < 0 || fchmod(fd, 0644))
			return -errno;
		close(fd);
	}
	return 0;
}

void ucv_remove_files(const char *dir, unsigned int nr)
{
	char path[PATH_MAX];
	unsigned int i;

	for (i = 0; i < nr; i++) {
		snprintf(path, sizeof(path), "%s/%u", dir, i);
		unlink(path);
	}
	rmdir(dir);
}

/*
 * Sysctls. A test is a child of the program, and can be killed: so the values to
 * put back are kept in memory that it shares, and the program does it at its end.
 */
#define MAX_SYSCTLS	64

static struct saved {
	unsigned int nr;
	struct {
		char path[96];
		long long value;
	} sysctl[MAX_SYSCTLS];
} *saved;

static pid_t program;

static void restore_sysctls(void)
{
	char value[24];
	unsigned int i;

	if (getpid() != program)
		return;
	for (i = 0; i < saved->nr; i++) {
		snprintf(value, sizeof(value), "%lld", saved->sysctl[i].value);
		ucv_write(saved->sysctl[i].path, value);
	}
}

static void restore_and_die(int sig)
{
	restore_sysctls();
	signal(sig, SIG_DFL);
	raise(sig);
}

static int save_sysctl(const char *path)
{
	unsigned int i;

	for (i = 0; i < saved->nr; i++)
		if (!strcmp(saved->sysctl[i].path, path))
			return 0;
	if (i == MAX_SYSCTLS)
		return -ENOSPC;
	snprintf(saved->sysctl[i].path, sizeof(saved->sysctl[i].path), "%s",
		 path);
	saved->sysctl[i].value = ucv_read_number(path);
	if (saved->sysctl[i].value < 0)
		return -ENOENT;
	saved->nr++;
	return 0;
}

int ucv_sysctl(const char *path, long long value)
{
	char text[24];
	int ret;

	ret = save_sysctl(path);
	if (ret)
		return ret;
	snprintf(text, sizeof(text), "%lld", value);
	return ucv_write(path, text);
}

/* debugfs */

bool ucv_has_debugfs(void)
{
	return !access(UCV_DEBUGFS "/ucounts", R_OK);
}

/* Checks the header line and counts the lines after it; -EBADMSG if it differs. */
static int text_lines(const char *text, const char *header)
{
	const char *end = strchr(text, '\n');
	char word[32], wanted[32];
	int lines = 0, n, m;

	while (sscanf(header, "%31s%n", wanted, &m) == 1) {
		if (sscanf(text, "%31s%n", word, &n) != 1 || text + n > end ||
		    strcmp(word, wanted))
			return -EBADMSG;
		text += n;
		header += m;
	}
	if (!end || text + strspn(text, " \t") != end)
		return -EBADMSG;
	for (text = end + 1; *text; text = end + 1) {
		end = strchr(text, '\n');
		if (!end)
			return -EBADMSG;
		lines++;
	}
	return lines;
}

static bool parse_row(const char *line, struct ucv_text_row *row)
{
	int n = 0;

	return sscanf(line, "%u %u %u %31s %lld %23s%n", &row->userns,
		      &row->level, &row->uid, row->resource, &row->used,
		      row->limit, &n) == 6 && line[n] == '\n';
}

static bool parse_userns(const char *line, struct ucv_text_userns *userns)
{
	int n = 0;

	return sscanf(line, "%u %15s %u %u %u %15s %63[^\n]%n", &userns->userns,
		      userns->parent, &userns->level, &userns->owner,
		      &userns->rows, userns->pid, userns->comm, &n) == 7 &&
	       line[n] == '\n';
}

static int take_rows(struct ucv_text *text)
{
	char *all = ucv_slurp(UCV_DEBUGFS "/ucounts", NULL);
	const char *line = all;
	int lines, i;

	if (!all)
		return -errno;
	lines = text_lines(all, "USERNS LEVEL UID RESOURCE USED LIMIT");
	text->rows = calloc(lines < 0 ? 1 : lines + 1, sizeof(*text->rows));
	for (i = 0; i < lines; i++) {
		line = strchr(line, '\n') + 1;
		if (!parse_row(line, &text->rows[i]))
			lines = -EBADMSG;
	}
	free(all);
	text->nr_rows = lines < 0 ? 0 : lines;
	return lines < 0 ? lines : 0;
}

static int take_userns(struct ucv_text *text)
{
	char *all = ucv_slurp(UCV_DEBUGFS "/userns", NULL);
	const char *line = all;
	int lines, i;

	if (!all)
		return -errno;
	lines = text_lines(all, "USERNS PARENT LEVEL OWNER ROWS PID COMMAND");
	text->userns = calloc(lines < 0 ? 1 : lines + 1, sizeof(*text->userns));
	for (i = 0; i < lines; i++) {
		line = strchr(line, '\n') + 1;
		if (!parse_userns(line, &text->userns[i]))
			lines = -EBADMSG;
	}
	free(all);
	text->nr_userns = lines < 0 ? 0 : lines;
	return lines < 0 ? lines : 0;
}

int ucv_text_take(struct ucv_text *text)
{
	int ret;

	memset(text, 0, sizeof(*text));
	ret = take_rows(text);
	if (!ret)
		ret = take_userns(text);
	if (ret)
		ucv_text_free(text);
	return ret;
}

void ucv_text_free(struct ucv_text *text)
{
	free(text->rows);
	free(text->userns);
	memset(text, 0, sizeof(*text));
}

const struct ucv_text_row *ucv_text_row(const struct ucv_text *text,
					unsigned int inum, unsigned int uid,
					const char *resource)
{
	unsigned int i;

	for (i = 0; i < text->nr_rows; i++)
		if (text->rows[i].userns == inum && text->rows[i].uid == uid &&
		    !strcmp(text->rows[i].resource, resource))
			return &text->rows[i];
	return NULL;
}

/* The value of a "key: value" line of debugfs' status. */
int ucv_status(const char *key, char *value, size_t size)
{
	char *all = ucv_slurp(UCV_DEBUGFS "/status", NULL);
	size_t length = strlen(key);
	int ret = -ENOENT;
	char *line, *rest;

	if (!all)
		return -errno;
	for (line = strtok_r(all, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest)) {
		if (strncmp(line, key, length) || line[length] != ':')
			continue;
		line += length + 1;
		snprintf(value, size, "%s", line + strspn(line, " \t"));
		ret = 0;
	}
	free(all);
	return ret;
}

/* Agents */

#define MAX_SOCKS	512

/* An agent must not keep the others' sockets open: they end when we do. */
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

/* Sends @ret, and @fd with it if there is one. */
static int send_answer(int sock, long ret, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = {};
	struct iovec iov = { .iov_base = &ret, .iov_len = sizeof(ret) };
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
	return sendmsg(sock, &msg, MSG_NOSIGNAL) == sizeof(ret) ? 0 : -EPIPE;
}

static long receive_answer(int sock, int *fd)
{
	char control[CMSG_SPACE(sizeof(int))] = {};
	long ret;
	struct iovec iov = { .iov_base = &ret, .iov_len = sizeof(ret) };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg;

	*fd = -1;
	if (recvmsg(sock, &msg, MSG_CMSG_CLOEXEC) != sizeof(ret))
		return -EPIPE;
	cmsg = CMSG_FIRSTHDR(&msg);
	if (cmsg && cmsg->cmsg_type == SCM_RIGHTS)
		memcpy(fd, CMSG_DATA(cmsg), sizeof(int));
	return ret;
}

static void __attribute__((noreturn)) agent_loop(int sock)
{
	struct ucv_call call;
	long ret;

	close_socks();
	signal(SIGCHLD, SIG_IGN);
	while (recv(sock, &call, sizeof(call), 0) == sizeof(call)) {
		call.fd = -1;
		call.sock = sock;
		ret = call.fn(&call);
		/* Other agents write to files in /proc of this one. */
		prctl(PR_SET_DUMPABLE, 1);
		if (send_answer(sock, ret, call.fd))
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

/* In the agent: a child that is an agent too, its socket sent back. */
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
		ucv_do_close(&(struct ucv_call) { .a = -1 });
		agent_loop(pair[1]);
	}
	close(pair[1]);
	call->fd = pair[0];
	return pid;
}

static long call_agent(struct ucv_agent *agent, struct ucv_call *call, int *fd)
{
	if (send(agent->sock, call, sizeof(*call), MSG_NOSIGNAL) !=
	    sizeof(*call))
		return -EPIPE;
	return receive_answer(agent->sock, fd);
}

long ucv_agent_text(struct ucv_agent *agent, long (*fn)(struct ucv_call *call),
		    const char *text, long a, long b, long c)
{
	struct ucv_call call = { .fn = fn, .a = a, .b = b, .c = c };
	int fd;
	long ret;

	snprintf(call.text, sizeof(call.text), "%s", text);
	ret = call_agent(agent, &call, &fd);
	if (fd >= 0)
		close(fd);
	return ret;
}

long ucv_agent_call(struct ucv_agent *agent, long (*fn)(struct ucv_call *call),
		    long a, long b, long c)
{
	return ucv_agent_text(agent, fn, "", a, b, c);
}

/* The descriptor that @fn sends back. */
int ucv_agent_fd(struct ucv_agent *agent, long (*fn)(struct ucv_call *call),
		 long a)
{
	struct ucv_call call = { .fn = fn, .a = a };
	long ret;
	int fd;

	ret = call_agent(agent, &call, &fd);
	if (ret < 0)
		return ret;
	return fd >= 0 ? fd : -EBADF;
}

int ucv_agent_spawn(struct ucv_agent *parent, struct ucv_agent *agent)
{
	struct ucv_call call = { .fn = do_spawn };
	long ret;
	int fd;

	ret = call_agent(parent, &call, &fd);
	if (ret < 0)
		return ret;
	agent->pid = ret;
	agent->sock = fd;
	remember_sock(fd);
	return 0;
}

/* Returns when the process is gone, and with it what it held. */
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
static long do_write(struct ucv_call *call)
{
	char *value = strchr(call->text, '\n');

	if (!value)
		return -EINVAL;
	*value++ = '\0';
	return ucv_write(call->text, value);
}

/* In this process if @agent is NULL. */
int ucv_agent_write(struct ucv_agent *agent, const char *path,
		    const char *value)
{
	char text[sizeof(((struct ucv_call *)0)->text)];

	if (!agent)
		return ucv_write(path, value);
	if (snprintf(text, sizeof(text), "%s\n%s", path, value) >=
	    (int)sizeof(text))
		return -E2BIG;
	return ucv_agent_text(agent, do_write, text, 0, 0, 0);
}

/*
 * Writes @agent's uid map from @mapper, which is in the parent namespace (NULL:
 * this process). Group 0 is mapped too: the kernel wants the creator of a user
 * namespace to have both.
 */
int ucv_agent_map(struct ucv_agent *agent, struct ucv_agent *mapper,
		  const char *map)
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
int ucv_agent_userns(struct ucv_agent *agent, struct ucv_agent *mapper,
		     const char *map)
{
	long ret = ucv_agent_call(agent, ucv_do_unshare, CLONE_NEWUSER, 0, 0);

	return ret ? (int)ret : ucv_agent_map(agent, mapper, map);
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

/* What agents are sent. Each process has descriptors of its own in held[]. */

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

/* The number of watches added; the error if the first already fails. */
long ucv_do_watch(struct ucv_call *call)
{
	char path[PATH_MAX];
	long i;
	int wd;

	for (i = 0; i < call->c; i++) {
		snprintf(path, sizeof(path), "%s/%ld", call->text, call->b + i);
		wd = inotify_add_watch(held[call->a], path, IN_MODIFY);
		if (wd < 0)
			return i ? i : -errno;
		last_watch[call->a] = wd;
	}
	return i;
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
		if (fanotify_mark(held[call->a], flags, FAN_OPEN, AT_FDCWD,
				  path))
			return i ? i : -errno;
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

long ucv_do_exit(struct ucv_call *call)
{
	_exit(call->a);
}

/* Chains of user namespaces */

static int chain_link(struct ucv_chain *chain, struct ucv_agent *root,
		      int level)
{
	struct ucv_agent *above = level > 1 ? &chain->agent[level - 1] : NULL;
	struct ucv_agent *agent = &chain->agent[level];
	char map[64];
	long ret;

	ret = ucv_agent_spawn(above ? above : root, agent);
	if (ret)
		return ret;
	ret = ucv_agent_call(agent, ucv_do_uids, -1,
			     above ? 10 + level : (long)UCV_OWNER(1), 0);
	if (ret)
		return ret;
	snprintf(map, sizeof(map), "0 %u %u", above ? 100 : UCV_BASE(1),
		 2000 - 100 * level);
	ret = ucv_agent_userns(agent, above, map);
	if (ret)
		return ret;
	chain->inum[level] = ucv_userns_of(agent->pid);
	return ucv_agent_call(agent, ucv_do_uids, 0, 0, 0);
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

/* True when the last of it is gone, so that nobody finds what it left. */
bool ucv_chain_stop(struct ucv_chain *chain)
{
	int level;

	for (level = UCV_DEPTH; level > 0; level--)
		ucv_agent_stop(&chain->agent[level]);
	return UCV_SOON(!ucv_row_now(chain->inum[0], UCV_OWNER(1)));
}

/* @instances inotify instances by uid @uid of that level, the first with watches. */
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

/* Before main(): what no test can do without. */

static void __attribute__((noreturn)) skip_all(const char *reason)
{
	printf("TAP version 13\n1..0 # SKIP %s\n", reason);
	fflush(stdout);
	_exit(4);
}

static void __attribute__((constructor)) prepare(void)
{
	static const int signals[] = { SIGHUP, SIGINT, SIGTERM };
	unsigned int i;

	if (geteuid())
		skip_all("this test needs root");
	if (access(UCV_DEVICE_PATH, F_OK))
		skip_all("there is no " UCV_DEVICE_PATH
			 ": load the module ucountview");
	if (access("/sys/kernel/debug/ucountview", F_OK))
		mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
	program = getpid();
	saved = mmap(NULL, sizeof(*saved), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (saved == MAP_FAILED)
		skip_all("no memory");
	atexit(restore_sysctls);
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		signal(signals[i], restore_and_die);
}
