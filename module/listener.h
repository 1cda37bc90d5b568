/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Listeners: files that read denials as they happen.
 */
#ifndef UCV_LISTENER_H
#define UCV_LISTENER_H

#include <linux/atomic.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/types.h>

#include <uapi/ucountview.h>

/**
 * struct ucv_listener - the listening part of an open file
 * @lock: serializes changes of @next and @told, and protects @armed; not held while
 *	waiting
 * @next: sequence number of the record to read next; 0 until the file listens. Waiters
 *	read it without the lock.
 * @told: interruptions of recording that the reader has been told of; likewise
 * @armed: the file is a user of recording
 */
struct ucv_listener {
	struct mutex lock; /* changes of next and told; armed */
	atomic64_t next;
	atomic64_t told;
	bool armed;
};

void ucv_listener_init(struct ucv_listener *listener);
void ucv_listener_exit(struct ucv_listener *listener);
int ucv_listener_start(struct ucv_listener *listener, struct ucv_listen *args);
ssize_t ucv_listener_read(struct ucv_listener *listener, char __user *buf, size_t size,
			  bool nonblock);
__poll_t ucv_listener_poll(struct ucv_listener *listener, struct file *file,
			   struct poll_table_struct *wait);

#endif
