// SPDX-License-Identifier: GPL-2.0
/*
 * The programming interface: ioctls and read() on /dev/ucountview. Its arguments and
 * results are documented in include/uapi/ucountview.h.
 */
#include <linux/compat.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "chardev.h"
#include "collect.h"
#include "listener.h"
#include "snapshot.h"
#include "status.h"
#include "version.h"
#include "watchdog.h"

static_assert(sizeof(struct ucv_info) == UCV_INFO_SIZE_VER2);
static_assert(sizeof(struct ucv_snapshot) == UCV_SNAPSHOT_SIZE_VER0);
static_assert(sizeof(struct ucv_read) == UCV_READ_SIZE_VER0);
static_assert(sizeof(struct ucv_listen) == UCV_LISTEN_SIZE_VER2);
static_assert(offsetof(struct ucv_info, recording) == UCV_INFO_SIZE_VER0);
static_assert(offsetof(struct ucv_info, since_ns) == UCV_INFO_SIZE_VER1);
static_assert(offsetof(struct ucv_listen, recording) == UCV_LISTEN_SIZE_VER0);
static_assert(offsetof(struct ucv_listen, since_ns) == UCV_LISTEN_SIZE_VER1);
static_assert(sizeof(struct ucv_resource) >= UCV_RECORD_SIZE_MIN);
static_assert(UCV_USERNS_STRIDE >= UCV_RECORD_SIZE_MIN);
static_assert(UCV_UCOUNTS_STRIDE >= UCV_RECORD_SIZE_MIN);
static_assert(sizeof(struct ucv_mntns) >= UCV_RECORD_SIZE_MIN);
static_assert(sizeof(struct ucv_denial_count) >= UCV_RECORD_SIZE_MIN);
static_assert(sizeof(struct ucv_group) >= UCV_RECORD_SIZE_MIN);
static_assert(sizeof(struct ucv_holder) >= UCV_RECORD_SIZE_MIN);

/**
 * struct ucv_file - an open file
 * @lock: protects @snap; held while records are copied, so that a new snapshot of
 *	one thread does not free what another thread is reading
 * @snap: the snapshot, or NULL
 * @listener: its state as a listener
 */
struct ucv_file {
	struct mutex lock; /* protects snap */
	struct ucv_snap *snap;
	struct ucv_listener listener;
};

/*
 * Get an argument whose size may differ between the caller's header and this one.
 * Members that the caller does not know are zero.
 */
static int ucv_get_arg(void *to, size_t size, size_t size_ver0, void __user *from,
		       unsigned int cmd)
{
	size_t usize = _IOC_SIZE(cmd);

	if (usize < size_ver0)
		return -EINVAL;
	if (usize > PAGE_SIZE)
		return -E2BIG;
	return copy_struct_from_user(to, size, from, usize);
}

/* Return an argument, with zeroes in what the module does not know. */
static int ucv_put_arg(void __user *to, const void *from, size_t size, unsigned int cmd)
{
	size_t usize = _IOC_SIZE(cmd);

	if (copy_to_user(to, from, min(size, usize)))
		return -EFAULT;
	if (usize > size && clear_user(to + size, usize - size))
		return -EFAULT;
	return 0;
}

static long ucv_ioctl_info(void __user *arg, unsigned int cmd)
{
	struct ucv_info info;
	int ret;

	ret = ucv_get_arg(&info, sizeof(info), UCV_INFO_SIZE_VER0, arg, cmd);
	if (ret)
		return ret;
	memset(&info, 0, sizeof(info));
	info.supported = ucv_collect_supported();
	info.features = ucv_status_features();
	info.abi_version = UCV_ABI_VERSION;
	info.nr_resources = UCV_NR_RESOURCES;
	info.recording = ucv_watchdog_check_since(&info.since_ns);
	info.loaded_ns = ucv_status_loaded_ns();
	strscpy(info.version, UCV_MODULE_VERSION, sizeof(info.version));
	return ucv_put_arg(arg, &info, sizeof(info), cmd);
}

static void ucv_file_forget(struct ucv_file *uf)
{
	ucv_snap_free(uf->snap);
	uf->snap = NULL;
}

/* Free the old snapshot first, so that a file never pins two. */
static int ucv_file_retake(struct ucv_file *uf, struct ucv_snapshot *out)
{
	struct ucv_snap *snap;

	ucv_file_forget(uf);
	snap = ucv_collect(out->request, out->flags);
	if (IS_ERR(snap))
		return PTR_ERR(snap);
	uf->snap = snap;
	out->supported = ucv_collect_supported();
	out->filled = snap->filled;
	out->start_ns = snap->start_ns;
	out->end_ns = snap->end_ns;
	out->hold_max_ns = snap->timer.max_ns;
	return 0;
}

static long ucv_ioctl_snapshot(struct ucv_file *uf, void __user *arg, unsigned int cmd)
{
	struct ucv_snapshot snapshot;
	int ret;

	ret = ucv_get_arg(&snapshot, sizeof(snapshot), UCV_SNAPSHOT_SIZE_VER0, arg, cmd);
	if (ret)
		return ret;
	if (!snapshot.request || snapshot.request & ~(UCV_MASK(UCV_NR_KINDS) - 1))
		return -EINVAL;
	if (snapshot.flags & ~UCV_SNAPSHOT_NO_PROCESSES || snapshot.reserved)
		return -EINVAL;
	if (snapshot.request & ~ucv_collect_supported())
		return -EOPNOTSUPP;

	if (mutex_lock_killable(&uf->lock))
		return -EINTR;
	ret = ucv_file_retake(uf, &snapshot);
	if (!ret)
		ret = ucv_put_arg(arg, &snapshot, sizeof(snapshot), cmd);
	if (ret)
		ucv_file_forget(uf);
	mutex_unlock(&uf->lock);
	return ret;
}

/* Copy records as they are stored. */
static int ucv_put_stored(const struct ucv_array *records, u32 first, u32 nr, u8 __user *to)
{
	u32 run;

	for (; nr; nr -= run, first += run, to += run * records->stride) {
		run = min(nr, ucv_array_run(records, first));
		if (copy_to_user(to, ucv_array_at(records, first), run * records->stride))
			return -EFAULT;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

static_assert(UCV_RECORD_SIZE_MAX <= UCV_CHUNK_BYTES);

/*
 * Copy records padded or truncated to the size that the caller asked for, as many at a time as fit
 * into @bounce. It is zeroed, and what pads a record there stays zero.
 */
static int ucv_put_resized(const struct ucv_array *records, u32 first, u32 nr, u8 __user *to,
			   size_t record_size, u8 *bounce)
{
	size_t copied = min(records->stride, record_size);
	u32 i, batch;

	for (; nr; nr -= batch, first += batch, to += batch * record_size) {
		batch = min_t(u32, nr, UCV_CHUNK_BYTES / record_size);
		for (i = 0; i < batch; i++)
			memcpy(bounce + i * record_size, ucv_array_at(records, first + i), copied);
		if (copy_to_user(to, bounce, batch * record_size))
			return -EFAULT;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

static int ucv_put_records(const struct ucv_array *records, u32 first, u32 nr,
			   u8 __user *to, size_t record_size)
{
	u8 *bounce;
	int ret;

	if (record_size == records->stride)
		return ucv_put_stored(records, first, nr, to);
	bounce = kvzalloc(UCV_CHUNK_BYTES, GFP_KERNEL_ACCOUNT);
	if (!bounce)
		return -ENOMEM;
	ret = ucv_put_resized(records, first, nr, to, record_size, bounce);
	kvfree(bounce);
	return ret;
}

static bool ucv_read_is_valid(const struct ucv_read *args)
{
	return args->kind < UCV_NR_KINDS && !args->flags &&
	       args->record_size >= UCV_RECORD_SIZE_MIN &&
	       args->record_size <= UCV_RECORD_SIZE_MAX &&
	       IS_ALIGNED(args->record_size, sizeof(u64));
}

static int ucv_file_read(struct ucv_file *uf, struct ucv_read *args)
{
	const struct ucv_array *records;
	u64 room = args->buf_size;

	if (!uf->snap || !(uf->snap->filled & UCV_MASK(args->kind)))
		return -ENODATA;
	records = &uf->snap->records[args->kind];
	args->total = records->nr;
	args->nr = 0;
	if (args->first >= args->total || !args->buf_size)
		return 0;
	do_div(room, args->record_size);
	if (!room)
		return -EMSGSIZE;
	args->nr = min_t(u64, room, args->total - args->first);
	return ucv_put_records(records, args->first, args->nr,
			       u64_to_user_ptr(args->buf), args->record_size);
}

static long ucv_ioctl_read(struct ucv_file *uf, void __user *arg, unsigned int cmd)
{
	struct ucv_read args;
	int ret;

	ret = ucv_get_arg(&args, sizeof(args), UCV_READ_SIZE_VER0, arg, cmd);
	if (ret)
		return ret;
	if (!ucv_read_is_valid(&args))
		return -EINVAL;

	if (mutex_lock_killable(&uf->lock))
		return -EINTR;
	ret = ucv_file_read(uf, &args);
	mutex_unlock(&uf->lock);
	return ret ? ret : ucv_put_arg(arg, &args, sizeof(args), cmd);
}

static long ucv_ioctl_listen(struct ucv_file *uf, void __user *arg, unsigned int cmd)
{
	struct ucv_listen args;
	int ret;

	ret = ucv_get_arg(&args, sizeof(args), UCV_LISTEN_SIZE_VER0, arg, cmd);
	if (ret)
		return ret;
	if (args.flags & ~(UCV_LISTEN_ARM | UCV_LISTEN_OLDEST) || args.reserved)
		return -EINVAL;
	ret = ucv_listener_start(&uf->listener, &args);
	return ret ? ret : ucv_put_arg(arg, &args, sizeof(args), cmd);
}

static long ucv_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct ucv_file *uf = file->private_data;
	void __user *uarg = (void __user *)arg;

	if (_IOC_TYPE(cmd) != UCV_IOC_MAGIC || _IOC_DIR(cmd) != (_IOC_READ | _IOC_WRITE))
		return -ENOTTY;
	/* The size is not compared: it tells which version the caller knows. */
	switch (_IOC_NR(cmd)) {
	case _IOC_NR(UCV_IOC_INFO):
		return ucv_ioctl_info(uarg, cmd);
	case _IOC_NR(UCV_IOC_SNAPSHOT):
		return ucv_ioctl_snapshot(uf, uarg, cmd);
	case _IOC_NR(UCV_IOC_READ):
		return ucv_ioctl_read(uf, uarg, cmd);
	case _IOC_NR(UCV_IOC_LISTEN):
		return ucv_ioctl_listen(uf, uarg, cmd);
	default:
		return -ENOTTY;
	}
}

static ssize_t ucv_read(struct file *file, char __user *buf, size_t size, loff_t *pos)
{
	struct ucv_file *uf = file->private_data;

	return ucv_listener_read(&uf->listener, buf, size, file->f_flags & O_NONBLOCK);
}

static __poll_t ucv_poll(struct file *file, poll_table *wait)
{
	struct ucv_file *uf = file->private_data;

	return ucv_listener_poll(&uf->listener, file, wait);
}

static int ucv_open(struct inode *inode, struct file *file)
{
	struct ucv_file *uf;

	if (file->f_mode & FMODE_WRITE)
		return -EACCES;
	uf = kzalloc(sizeof(*uf), GFP_KERNEL_ACCOUNT);
	if (!uf)
		return -ENOMEM;
	mutex_init(&uf->lock);
	ucv_listener_init(&uf->listener);
	file->private_data = uf;
	return stream_open(inode, file);
}

static int ucv_release(struct inode *inode, struct file *file)
{
	struct ucv_file *uf = file->private_data;

	/* The last reference is gone, so neither ioctl() nor read() is in progress. */
	ucv_listener_exit(&uf->listener);
	ucv_snap_free(uf->snap);
	mutex_destroy(&uf->lock);
	kfree(uf);
	return 0;
}

static const struct file_operations ucv_fops = {
	.owner		= THIS_MODULE,
	.open		= ucv_open,
	.release	= ucv_release,
	.read		= ucv_read,
	.poll		= ucv_poll,
	.unlocked_ioctl	= ucv_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
};

static struct miscdevice ucv_miscdev = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= UCV_MODULE_NAME,
	.fops	= &ucv_fops,
	.mode	= 0400,
};

/**
 * ucv_chardev_init() - register the device
 *
 * Context: process context, at load, when all else is ready.
 * Return: 0 or a negative error
 */
int ucv_chardev_init(void)
{
	return misc_register(&ucv_miscdev);
}

/**
 * ucv_chardev_exit() - unregister the device
 *
 * Context: process context, at unload. No file is open any more: each pins the
 *	module.
 */
void ucv_chardev_exit(void)
{
	misc_deregister(&ucv_miscdev);
}
