// SPDX-License-Identifier: GPL-2.0
/*
 * Listeners: files that read denials as they happen, each at its own pace.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include "arming.h"
#include "compat/kretprobes.h"
#include "denials.h"
#include "listener.h"
#include "watchdog.h"

/**
 * ucv_listener_init() - initialize a file that does not listen yet
 * @listener: of a new file
 */
void ucv_listener_init(struct ucv_listener *listener)
{
	mutex_init(&listener->lock);
	atomic64_set(&listener->next, 0);
	atomic64_set(&listener->told, 0);
	listener->armed = false;
}

/**
 * ucv_listener_exit() - stop listening, as the file is closed
 * @listener: of a file that is not in use any more
 *
 * Context: process context, no locks held. Sleeps.
 */
void ucv_listener_exit(struct ucv_listener *listener)
{
	if (listener->armed)
		ucv_disarm();
	mutex_destroy(&listener->lock);
}

static int ucv_listener_arm(struct ucv_listener *listener)
{
	int ret;

	lockdep_assert_held(&listener->lock);
	if (listener->armed)
		return ucv_watchdog_check() == UCV_RECORDING_BLIND ? -ENOLINK : 0;
	ret = ucv_arm();
	listener->armed = !ret;
	return ret;
}

/**
 * ucv_listener_start() - UCV_IOC_LISTEN
 * @listener: of the file
 * @args: in and out; its flags have been checked
 *
 * Context: process context, no locks held. Sleeps.
 * Return: 0 or an error that UCV_IOC_LISTEN documents
 */
int ucv_listener_start(struct ucv_listener *listener, struct ucv_listen *args)
{
	struct ucv_denial oldest;
	bool again = false;
	int ret = 0;

	if (!ucv_kretprobes_ucount())
		return -EOPNOTSUPP;
	if (mutex_lock_killable(&listener->lock))
		return -EINTR;
	/* Take the position first: what is refused once the file is armed is not skipped. */
	args->next = ucv_denials_total() + 1;
	if (args->flags & UCV_LISTEN_ARM)
		ret = ucv_listener_arm(listener);
	if (!ret) {
		if (args->flags & UCV_LISTEN_OLDEST) {
			args->next = 1;
			ucv_denials_get(&args->next, &oldest);
		}
		again = atomic64_xchg(&listener->next, args->next);
		args->armed = ucv_armed(&args->missed);
		args->capacity = ucv_denials_capacity();
		args->total = ucv_denials_total();
		args->recording = ucv_watchdog_check_since(&args->since_ns);
		args->seen = ucv_kretprobes_seen();
		args->interruptions = ucv_watchdog_interruptions();
		atomic64_set(&listener->told, args->interruptions);
	}
	mutex_unlock(&listener->lock);
	if (again) /* a waiter may have something to read now */
		wake_up_interruptible_poll(&ucv_denials_wait, EPOLLIN | EPOLLRDNORM);
	return ret;
}

/* Copy the records that are available and fit; each advances the position. */
static ssize_t ucv_listener_copy(struct ucv_listener *listener, char __user *buf, size_t size)
{
	struct ucv_denial denial;
	ssize_t copied = 0;
	u64 next, seq;

	while (size - copied >= sizeof(denial)) {
		next = atomic64_read(&listener->next);
		seq = next;
		if (!ucv_denials_get(&seq, &denial))
			break;
		denial.lost = seq - next;
		if (copy_to_user(buf + copied, &denial, sizeof(denial)))
			return copied ? copied : -EFAULT;
		atomic64_set(&listener->next, seq + 1);
		copied += sizeof(denial);
		if (fatal_signal_pending(current))
			break;
		cond_resched();
	}
	return copied;
}

/* Have more interruptions been noticed than the reader has been told of? */
static bool ucv_listener_has_events(const struct ucv_listener *listener)
{
	return ucv_watchdog_interruptions() != (u64)atomic64_read(&listener->told);
}

/* Would read() wait in vain, or may the reader have missed something? */
static bool ucv_listener_interrupted(const struct ucv_listener *listener)
{
	return ucv_watchdog_check() == UCV_RECORDING_BLIND || ucv_listener_has_events(listener);
}

static bool ucv_listener_has_more(const struct ucv_listener *listener)
{
	return ucv_denials_total() >= (u64)atomic64_read(&listener->next);
}

/* Returns bytes, an error, or 0 if read() has to wait for a record. */
static ssize_t ucv_listener_take(struct ucv_listener *listener, char __user *buf, size_t size)
{
	ssize_t ret;

	lockdep_assert_held(&listener->lock);
	if (!atomic64_read(&listener->next))
		return -EINVAL;
	ret = ucv_listener_copy(listener, buf, size);
	if (ret || !ucv_listener_interrupted(listener))
		return ret;
	atomic64_set(&listener->told, ucv_watchdog_interruptions());
	return -ENOLINK;
}

/**
 * ucv_listener_read() - read() on the device
 * @listener: of the file
 * @buf: destination
 * @size: its size in bytes
 * @nonblock: do not wait for a record
 *
 * Context: process context, no locks held. Sleeps.
 * Return: bytes, or an error that include/uapi/ucountview.h documents
 */
ssize_t ucv_listener_read(struct ucv_listener *listener, char __user *buf, size_t size,
			  bool nonblock)
{
	ssize_t ret;

	if (size < sizeof(struct ucv_denial))
		return -EINVAL;
	size = min_t(size_t, size, MAX_RW_COUNT);
	do {
		if (mutex_lock_interruptible(&listener->lock))
			return -ERESTARTSYS;
		ret = ucv_listener_take(listener, buf, size);
		mutex_unlock(&listener->lock);
		if (ret)
			return ret;
		if (nonblock)
			return -EAGAIN;
		ret = wait_event_interruptible(ucv_denials_wait,
					       ucv_listener_has_more(listener) ||
					       ucv_listener_has_events(listener));
	} while (!ret);
	return ret;
}

/**
 * ucv_listener_poll() - poll() on the device
 * @listener: of the file
 * @file: the file
 * @wait: poll table of the caller
 *
 * Context: process context, no locks held. Sleeps.
 * Return: EPOLLIN if read() would return a record, EPOLLERR if it would fail at once
 */
__poll_t ucv_listener_poll(struct ucv_listener *listener, struct file *file,
			   struct poll_table_struct *wait)
{
	/* Wait in any case: epoll asks once, and the file may listen later. */
	poll_wait(file, &ucv_denials_wait, wait);
	if (!atomic64_read(&listener->next))
		return EPOLLERR;
	if (ucv_listener_has_more(listener))
		return EPOLLIN | EPOLLRDNORM;
	return ucv_listener_interrupted(listener) ? EPOLLERR : 0;
}
