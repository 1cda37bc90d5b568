// SPDX-License-Identifier: GPL-2.0
/*
 * Listeners: files that read denials as they happen, each at its own pace.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include "arming.h"
#include "denials.h"
#include "kernel/hooks.h"
#include "listener.h"

/**
 * ucv_listener_init() - begin as a file that does not listen
 * @listener: of a new file
 */
void ucv_listener_init(struct ucv_listener *listener)
{
	mutex_init(&listener->lock);
	listener->next = 0;
	listener->armed = false;
}

/**
 * ucv_listener_exit() - the file is closed
 * @listener: of a file that nobody uses any more
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

	if (listener->armed)
		return 0;
	ret = ucv_arm();
	listener->armed = !ret;
	return ret;
}

/**
 * ucv_listener_start() - UCV_IOC_LISTEN
 * @listener: of the file
 * @args: in and out, the flags checked
 *
 * Context: process context, no locks held. Sleeps.
 * Return: 0 or an error that UCV_IOC_LISTEN documents
 */
int ucv_listener_start(struct ucv_listener *listener, struct ucv_listen *args)
{
	struct ucv_denial oldest;
	int ret = 0;

	if (!ucv_hooks_ucount())
		return -EOPNOTSUPP;
	if (mutex_lock_killable(&listener->lock))
		return -EINTR;
	/* First the position: what is refused once it is armed is not passed over. */
	args->next = ucv_denials_total() + 1;
	if (args->flags & UCV_LISTEN_ARM)
		ret = ucv_listener_arm(listener);
	if (!ret) {
		if (args->flags & UCV_LISTEN_OLDEST) {
			args->next = 1;
			ucv_denials_get(&args->next, &oldest);
		}
		listener->next = args->next;
		args->armed = ucv_armed(&args->missed);
		args->capacity = UCV_DENIALS_RING;
		args->total = ucv_denials_total();
	}
	mutex_unlock(&listener->lock);
	return ret;
}

/* Copy what there is and fits; the position moves with each record. */
static ssize_t ucv_listener_copy(struct ucv_listener *listener, char __user *buf, size_t size)
{
	struct ucv_denial denial;
	ssize_t copied = 0;
	u64 seq;

	while (size - copied >= sizeof(denial)) {
		seq = listener->next;
		if (!ucv_denials_get(&seq, &denial))
			break;
		denial.lost = seq - listener->next;
		if (copy_to_user(buf + copied, &denial, sizeof(denial)))
			return copied ? copied : -EFAULT;
		listener->next = seq + 1;
		copied += sizeof(denial);
		if (fatal_signal_pending(current))
			break;
		cond_resched();
	}
	return copied;
}

/* The position of a file that listens, or 0. */
static u64 ucv_listener_next(struct ucv_listener *listener)
{
	u64 next;

	mutex_lock(&listener->lock);
	next = listener->next;
	mutex_unlock(&listener->lock);
	return next;
}

/**
 * ucv_listener_read() - read() on the device
 * @listener: of the file
 * @buf: where to
 * @size: bytes there
 * @nonblock: do not wait if there is nothing
 *
 * Context: process context, no locks held. Sleeps.
 * Return: bytes, or an error that the ABI documents
 */
ssize_t ucv_listener_read(struct ucv_listener *listener, char __user *buf, size_t size,
			  bool nonblock)
{
	ssize_t ret;
	u64 next;

	if (size < sizeof(struct ucv_denial))
		return -EINVAL;
	size = min_t(size_t, size, MAX_RW_COUNT);
	do {
		if (mutex_lock_interruptible(&listener->lock))
			return -ERESTARTSYS;
		next = listener->next;
		ret = next ? ucv_listener_copy(listener, buf, size) : -EINVAL;
		mutex_unlock(&listener->lock);
		if (ret)
			return ret;
		if (nonblock)
			return -EAGAIN;
		ret = wait_event_interruptible(ucv_denials_wait, ucv_denials_total() >= next);
	} while (!ret);
	return ret;
}

/**
 * ucv_listener_poll() - poll() on the device
 * @listener: of the file
 * @file: the file
 * @wait: as poll() hands it out
 *
 * Context: process context, no locks held. Sleeps.
 * Return: EPOLLIN if read() would not wait, EPOLLERR if the file does not listen
 */
__poll_t ucv_listener_poll(struct ucv_listener *listener, struct file *file,
			   struct poll_table_struct *wait)
{
	u64 next = ucv_listener_next(listener);

	if (!next)
		return EPOLLERR;
	poll_wait(file, &ucv_denials_wait, wait);
	return ucv_denials_total() >= next ? EPOLLIN | EPOLLRDNORM : 0;
}
