/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of refused charges share: listeners, what a record must say, who is
 * listening, and agents that are refused.
 *
 * Functions return a negative errno when they fail, unless it says otherwise.
 */
#ifndef _UCV_DENIALS_H
#define _UCV_DENIALS_H

#include "ucv_test.h"

#define UCV_ALWAYS_ON		UCV_PARAMETERS "/denials"

/* More than the tests that look at each record cause at a time. */
#define UCV_SOME_DENIALS	64

/* Listening */
int ucv_listen(int fd, __u32 flags, struct ucv_listen *listen);
int ucv_listener(__u32 flags);		/* a file of its own, O_NONBLOCK */
long ucv_denials(int fd, pid_t tgid, struct ucv_denial *denials, unsigned int room);
const char *ucv_denials_inconsistent(const struct ucv_denial *denials, long nr);

/*
 * What a record must say, as /proc and nsfs say it. Members that the functions do not
 * name are zero: a test fills in the rest.
 */
void ucv_wanted(struct ucv_denial *wanted, pid_t caller, const char *resource);
void ucv_wanted_charged(struct ucv_denial *wanted, pid_t inside, unsigned int level,
			unsigned int uid);
void ucv_wanted_refused(struct ucv_denial *wanted, pid_t inside, unsigned int level,
			unsigned int uid, unsigned int uid_in_ns);
const char *ucv_denial_differs(const struct ucv_denial *wanted, const struct ucv_denial *denial);
const char *ucv_denials_differ(int fd, pid_t tgid, long nr, const struct ucv_denial *wanted);
__u64 ucv_ns_id(pid_t pid, const char *ns);

/* What has been added up */
int ucv_denial_counts(struct ucv_denial_count **counts);
__u64 ucv_denials_by(unsigned int ns, unsigned int uid, const char *resource);

/* Who is listening: what the module says, and what the kernel does */
long long ucv_status_number(const char *key);
bool ucv_has_probe_list(void);
bool ucv_probed(const char *function);

/* An agent that may have no inotify instance, in a user namespace of its own. */
int ucv_refused_start(struct ucv_agent *agent, unsigned int uid);
long ucv_do_refuse(struct ucv_call *call);	/* a refused calls */

/* For the tests themselves: @tgid has been refused @nr times since this was last asked. */
#define EXPECT_DENIALS(nr, fd, tgid, wanted) \
	EXPECT_STREQ("", ucv_denials_differ(fd, tgid, nr, wanted))

#endif /* _UCV_DENIALS_H */
