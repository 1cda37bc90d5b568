/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Shared by the selftests of ucountview: snapshots through the device, an independent
 * parser of debugfs, processes that run commands in their own user namespaces (agents),
 * and sysctls that are restored.
 *
 * Functions return a negative errno on failure unless noted otherwise.
 */
#ifndef _UCV_TEST_H
#define _UCV_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <unistd.h>

#include "ucountview.h"
#include "ucv_fork.h"

#define UCV_DEBUGFS		"/sys/kernel/debug/ucountview"
#define UCV_PARAMETERS		"/sys/module/ucountview/parameters"
#define UCV_ALL_KINDS		(UCV_MASK(UCV_KIND_RESOURCE) | \
				 UCV_MASK(UCV_KIND_USERNS) | \
				 UCV_MASK(UCV_KIND_UCOUNTS))

/* Base of the uids of the tests, used by no person, service or container. */
#define UCV_UID			1900000000U

/* Seconds until a hung test is stopped. Generous, as the machine may be emulated. */
#define UCV_TIMEOUT		1500

/* The most descriptors that testvm and most distributions allow. */
#define UCV_MOST_FDS		1048576

#define UCV_TEST_F(fixture, name) TEST_F_TIMEOUT(fixture, name, UCV_TIMEOUT)

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))
#endif

/* Missing from older headers of the C library and the kernel. */
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME		0x00000080
#endif
#ifndef CLONE_NEWCGROUP
#define CLONE_NEWCGROUP		0x02000000
#endif

/* In <linux/inotify.h>, which cannot be included together with <sys/inotify.h>. */
#ifndef INOTIFY_IOC_SETNEXTWD
#define INOTIFY_IOC_SETNEXTWD	_IOW('I', 0, __s32)
#endif

/*
 * Waits for what the kernel does asynchronously: it frees a namespace from a work item
 * after a grace period. True as soon as @condition is, false after ucv_tries() tries, 10 ms
 * apart.
 */
#define UCV_SOON(condition)	UCV_SOON_TRIES(condition, ucv_tries())

#define UCV_SOON_TRIES(condition, tries) ({		\
	int __tries = tries;				\
							\
	while (!(condition) && --__tries)		\
		usleep(10000);				\
	__tries > 0;					\
})

/* 30000, or UCV_TRIES of the environment, where a test is known to fail. */
int ucv_tries(void);

/* A complete snapshot. */
struct ucv_table {
	struct ucv_info info;
	struct ucv_snapshot snapshot;
	unsigned int nr_resources;
	unsigned int nr_userns;
	unsigned int nr_rows;
	struct ucv_resource *resources;
	struct ucv_userns *userns;
	struct ucv_ucounts *rows;
};

int ucv_open(void);
int ucv_snapshot(int fd, __u64 request, struct ucv_snapshot *snapshot);
int ucv_read(int fd, __u32 kind, __u32 record_size, __u64 first, void *buf,
	     size_t size, struct ucv_read *result);
int ucv_read_kind(int fd, __u32 kind, __u32 record_size, void **records);
int ucv_take(struct ucv_table *table);
int ucv_take_from(int fd, struct ucv_table *table);
int ucv_take_without_processes(int fd, struct ucv_table *table);
int ucv_take_more(int fd, __u64 more, struct ucv_table *table);
void ucv_free(struct ucv_table *table);

/* Lookups in a table. Counters are those of the row that new charges go to. */
int ucv_resource(const struct ucv_table *table, const char *name);
const struct ucv_userns *ucv_userns(const struct ucv_table *table, unsigned int inum);
const struct ucv_ucounts *ucv_row(const struct ucv_table *table,
				  unsigned int inum, unsigned int uid);
long long ucv_used(const struct ucv_table *table, unsigned int inum,
		   unsigned int uid, const char *resource);
long long ucv_limit(const struct ucv_table *table, unsigned int inum, const char *resource);
long long ucv_used_now(unsigned int inum, unsigned int uid, const char *resource);
bool ucv_row_now(unsigned int inum, unsigned int uid);
bool ucv_userns_now(unsigned int inum);
long ucv_rows_now(unsigned int inum);
bool ucv_feature(__u64 feature);
const char *ucv_inconsistent(const struct ucv_table *table);
bool ucv_tables_equal(const struct ucv_table *a, const struct ucv_table *b);

/* A line of the debugfs files ucounts and userns. */
struct ucv_text_row {
	unsigned int userns;
	unsigned int level;
	unsigned int uid;
	char resource[UCV_NAME_LEN];
	long long used;
	char limit[24];
};

struct ucv_text_userns {
	unsigned int userns;
	char parent[16];
	unsigned int level;
	unsigned int owner;
	unsigned int rows;
	char pid[16];
	char comm[64];
};

struct ucv_text {
	unsigned int nr_rows;
	unsigned int nr_userns;
	struct ucv_text_row *rows;
	struct ucv_text_userns *userns;
};

bool ucv_has_debugfs(void);
char *ucv_slurp(const char *path, size_t *length);
int ucv_text_take(struct ucv_text *text);
void ucv_text_free(struct ucv_text *text);
const struct ucv_text_row *ucv_text_row(const struct ucv_text *text,
					unsigned int inum, unsigned int uid,
					const char *resource);
int ucv_status(const char *key, char *value, size_t size);

/* Files of one line. Sysctls are restored when the program ends. */
int ucv_write(const char *path, const char *value);
long long ucv_read_number(const char *path);
int ucv_sysctl(const char *path, long long value);
void ucv_sysctls_back(void);

/* CLOCK_BOOTTIME in nanoseconds, and the end of @size bytes of memory with a hole behind. */
unsigned long long ucv_boottime(void);
char *ucv_before_a_hole(size_t size);
/* For root: whether the kernel has fanotify. */
bool ucv_has_fanotify(void);
/* The letter in /proc/PID/stat; 0 if there is no such process. */
char ucv_state_of(pid_t pid);
/* Children: kills them and waits for them. */
void ucv_kill_all(pid_t *pids, unsigned int nr);
long ucv_churn(long nr);

/* A directory with world-readable files 0, 1, 2 ... */
int ucv_make_files(char *dir, size_t size, unsigned int nr);
void ucv_remove_files(const char *dir, unsigned int nr);

/*
 * An agent is a process that calls the functions it is sent, one at a time, and sends
 * back their return values. It runs the program's own image, so functions and constant
 * strings have the same addresses in it.
 */
struct ucv_agent {
	pid_t pid;
	int sock;
};

struct ucv_call {
	long (*fn)(struct ucv_call *call);
	long a;
	long b;
	long c;
	char text[1024];
	int sock;		/* in the agent: its end of the socket */
	int fd;			/* sent back with the answer, if >= 0 */
	int error;		/* sent back: the errno after which a part was left undone */
};

void ucv_stay(void);	/* in a child of ucv_fork(); does not return */
int ucv_agent_start(struct ucv_agent *agent);
int ucv_agent_spawn(struct ucv_agent *parent, struct ucv_agent *agent);
void ucv_agent_stop(struct ucv_agent *agent);
long ucv_agent_ask(struct ucv_agent *agent, struct ucv_call *call);
long ucv_agent_call(struct ucv_agent *agent, long (*fn)(struct ucv_call *call),
		    long a, long b, long c);
long ucv_agent_text(struct ucv_agent *agent, long (*fn)(struct ucv_call *call),
		    const char *text, long a, long b, long c);
int ucv_agent_fd(struct ucv_agent *agent, long (*fn)(struct ucv_call *call), long a);
int ucv_agent_write(struct ucv_agent *agent, const char *path, const char *value);
int ucv_agent_map(struct ucv_agent *agent, struct ucv_agent *mapper, const char *map);
int ucv_agent_userns(struct ucv_agent *agent, struct ucv_agent *mapper, const char *map);
int ucv_agent_enter(struct ucv_agent *agent, struct ucv_agent *mapper, unsigned int owner,
		    unsigned int first, unsigned int nr);
unsigned int ucv_userns_of(pid_t pid);
unsigned int ucv_ns_of(pid_t pid, const char *ns);

/* Descriptors in messages (SCM_RIGHTS). A launched one is only in a message until it lands. */
int ucv_send_fd(int sock, int fd);
int ucv_receive_fd(int sock);
int ucv_launch(int fd);
int ucv_land(void);

/*
 * Functions for agents; a, b, c and text are members of the call. An agent numbers the
 * descriptors it opens 0, 1, 2 ...
 */
long ucv_do_write(struct ucv_call *call);	/* text: path, newline, what to write */
long ucv_do_uids(struct ucv_call *call);	/* setresuid(a, b, c) */
long ucv_do_keep_caps(struct ucv_call *call);	/* setresuid() keeps them */
long ucv_do_unshare(struct ucv_call *call);	/* unshare(a) */
long ucv_do_inotify(struct ucv_call *call);	/* a instances; returns the first one's number */
long ucv_do_inotify_users(struct ucv_call *call); /* an instance for each of b users from a on */
long ucv_do_watch(struct ucv_call *call);	/* instance a: files b .. b+c-1 of text */
long ucv_do_insist(struct ucv_call *call);	/* instance a: tries b times to watch text */
long ucv_do_unwatch(struct ucv_call *call);	/* instance a: removes the last b watches */
long ucv_do_fanotify(struct ucv_call *call);	/* fanotify_init(a) */
long ucv_do_mark(struct ucv_call *call);	/* group a: files b .. b+c-1 of text */
long ucv_do_unmark(struct ucv_call *call);	/* group a: files b .. b+c-1 of text */
long ucv_do_close(struct ucv_call *call);	/* descriptor a; all if negative */
long ucv_do_get_fd(struct ucv_call *call);	/* sends descriptor a back */
long ucv_do_open(struct ucv_call *call);	/* open(text, a) and close */
long ucv_do_hold(struct ucv_call *call);	/* numbers a copy of fd a, opened elsewhere */
long ucv_do_launch(struct ucv_call *call);	/* ucv_launch() of descriptor a */
long ucv_do_copy(struct ucv_call *call);	/* b more copies of descriptor a */
long ucv_do_rlimit(struct ucv_call *call);	/* of the name in text, to a and b */
long ucv_do_signals(struct ucv_call *call);	/* queues a signals to itself */
long ucv_do_queue(struct ucv_call *call);	/* a message queue of a messages */
long ucv_do_lock(struct ucv_call *call);	/* locks a pages of shared memory */
long ucv_do_unshare_users(struct ucv_call *call);	/* into a user namespace without maps */
long ucv_do_fork(struct ucv_call *call);	/* a children, which hold what it holds */
long ucv_do_by_thread(struct ucv_call *call);	/* a thread named text makes the calls */
long ucv_do_exit(struct ucv_call *call);	/* _exit(a) */

/*
 * A chain of user namespaces. Level k maps its uids 0.. to ucv_base(k).. of the
 * initial namespace, and is owned by ucv_owner(k): uid 10 + k of the level above.
 */
#define UCV_DEPTH		5

static inline unsigned int ucv_base(int level)
{
	return UCV_UID + 1000 + 100 * level;
}

static inline unsigned int ucv_owner(int level)
{
	return (level == 1 ? UCV_UID : ucv_base(level - 1)) + 10 + level;
}

struct ucv_chain {
	struct ucv_agent agent[UCV_DEPTH + 1];	/* [level]; [0] is not used */
	unsigned int inum[UCV_DEPTH + 1];	/* [0]: the initial namespace */
};

int ucv_chain_start(struct ucv_chain *chain, struct ucv_agent *root, int depth);
int ucv_chain_charge(struct ucv_chain *chain, int level, unsigned int uid,
		     long instances, const char *dir, long watches);
bool ucv_chain_stop(struct ucv_chain *chain);

/* For test code; these use the macros of kselftest_harness.h. */

/* One counter of a new snapshot. */
#define EXPECT_USED(expected, inum, uid, resource) \
	EXPECT_EQ((long long)(expected), ucv_used_now(inum, uid, resource))

#define EXPECT_CONSISTENT(table) \
	EXPECT_STREQ("", ucv_inconsistent(table))

#endif /* _UCV_TEST_H */
