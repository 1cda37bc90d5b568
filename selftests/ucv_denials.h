/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Shared by the tests of refused charges: listeners, expected records, the state of the
 * listeners, and agents that are refused.
 *
 * Functions return a negative errno on failure unless noted otherwise.
 */
#ifndef _UCV_DENIALS_H
#define _UCV_DENIALS_H

#include "ucv_test.h"

#define UCV_ALWAYS_ON		UCV_PARAMETERS "/denials"

/* More records than a test that checks each of them causes at a time. */
#define UCV_SOME_DENIALS	64

/* Listening */
int ucv_listen(int fd, __u32 flags, struct ucv_listen *listen);
int ucv_listener(__u32 flags);		/* opens the device, O_NONBLOCK */
bool ucv_seen(const char *resource);	/* its charges have hit a probe, see UCV_SEEN() */
long ucv_denials(int fd, pid_t tgid, struct ucv_denial *denials, unsigned int room);
const char *ucv_denials_inconsistent(const struct ucv_denial *denials, long nr);

/*
 * The expected record, filled in from /proc and nsfs. Members that these functions do not
 * set are zero; a test sets the rest.
 */
void ucv_wanted(struct ucv_denial *wanted, pid_t caller, const char *resource);
void ucv_wanted_charged(struct ucv_denial *wanted, pid_t inside, unsigned int level,
			unsigned int uid);
void ucv_wanted_refused(struct ucv_denial *wanted, pid_t inside, unsigned int level,
			unsigned int uid, unsigned int uid_in_ns);
const char *ucv_denial_differs(const struct ucv_denial *wanted, const struct ucv_denial *denial);
const char *ucv_denials_differ(int fd, pid_t tgid, long nr, const struct ucv_denial *wanted);
__u64 ucv_ns_id(pid_t pid, const char *ns);

/* Totals per limit */
int ucv_denial_counts(struct ucv_denial_count **counts);
__u64 ucv_denials_by(unsigned int ns, unsigned int uid, const char *resource);

/* Listeners, as counted by the module, and kprobes, as listed by the kernel */
long long ucv_status_number(const char *key);
bool ucv_has_probe_list(void);
bool ucv_probed(const char *function);

/* An agent in its own user namespace, where the limit of inotify instances is 0. */
int ucv_refused_start(struct ucv_agent *agent, unsigned int uid);
long ucv_do_refuse(struct ucv_call *call);	/* makes a calls that are refused */

/* For test code: @tgid has been refused @nr times since the last check. */
#define EXPECT_DENIALS(nr, fd, tgid, wanted) \
	EXPECT_STREQ("", ucv_denials_differ(fd, tgid, nr, wanted))

#endif /* _UCV_DENIALS_H */
