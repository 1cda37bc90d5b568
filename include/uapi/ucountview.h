/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/**
 * DOC: The ABI of /dev/ucountview, shared by the module and its userspace
 *
 * A reader opens the device read-only, takes a snapshot (UCV_IOC_SNAPSHOT) and
 * reads its records (UCV_IOC_READ), as often and in whatever portions it likes.
 * A snapshot belongs to the open file description: taking another one replaces
 * it, closing the file frees it. Nothing here changes the state of the kernel.
 *
 * A listener (UCV_IOC_LISTEN) is told of each denial, a charge that the kernel
 * refuses: it reads records (struct ucv_denial) with read() and waits for them
 * with poll(). One file can do both.
 *
 * Structures grow only at their end. The size of an ioctl argument is the one
 * encoded in the ioctl number. A caller with a smaller structure gets the
 * members it knows. A caller with a larger one gets zeroes in the members that
 * the module does not know, or E2BIG if it passed anything but zeroes there.
 * For records the caller chooses the stride (record_size), see struct ucv_read.
 *
 * Errors that every ioctl can return (the file remains usable after any of them):
 *
 * EFAULT
 *	the argument or a buffer is not mapped, or not writable
 * EINVAL
 *	the argument is smaller than its first version (..._SIZE_VER0), or has
 *	an unknown flag or a non-zero reserved member
 * E2BIG
 *	the argument has non-zero bytes beyond what the module knows, or is
 *	larger than a page
 * ENOTTY
 *	no such ioctl
 *
 * Errors of open():
 *
 * EACCES
 *	opened for writing, or the caller lacks the permission
 *
 * read() returns whole struct ucv_denial records, as many as are available and fit
 * in the buffer. Each advances the file's position in the ring. read() waits for the
 * first one, unless the file is O_NONBLOCK. Threads that share a file share its
 * position: each record goes to one of them. Errors of read():
 *
 * EINVAL
 *	UCV_IOC_LISTEN has not been called, or the buffer is too small for one
 *	record
 * EAGAIN
 *	no record is available, and the file is O_NONBLOCK
 * EINTR
 *	interrupted while waiting by a signal whose handler was installed
 *	without SA_RESTART
 * EFAULT
 *	the buffer is not mapped, or not writable; no record was consumed. If
 *	the fault is at a later record, the records before it are returned
 * ENOLINK
 *	no record is left, and recording is interrupted: it is armed, but the
 *	kernel's kprobes do not fire (see UCV_RECORDING_BLIND). Also returned
 *	once if recording was interrupted since the file was last told, and
 *	has resumed
 *
 * poll() reports POLLIN when a record can be read, and POLLERR if read() would
 * fail at once with EINVAL or ENOLINK.
 *
 * All integers are in native byte order. Every structure has the same layout for
 * 32-bit and 64-bit programs, with no padding between members or at the end.
 * Arguments and buffers need no alignment: the kernel copies them.
 */
#ifndef _UAPI_UCOUNTVIEW_H
#define _UAPI_UCOUNTVIEW_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* Raised by a change that a reader of the old ABI would misread. */
#define UCV_ABI_VERSION		1

#define UCV_DEVICE_PATH		"/dev/ucountview"

/**
 * enum ucv_kind - the kinds of records in a snapshot
 * @UCV_KIND_RESOURCE:	struct ucv_resource, the names of the counters
 * @UCV_KIND_USERNS:	struct ucv_userns, the user namespaces
 * @UCV_KIND_UCOUNTS:	struct ucv_ucounts, the counters
 * @UCV_KIND_MNTNS:	struct ucv_mntns, the mount namespaces and their counters
 * @UCV_KIND_DENIAL_COUNT: struct ucv_denial_count, the number of denials per limit
 * @UCV_KIND_GROUP:	struct ucv_group, the inotify and fanotify groups
 * @UCV_KIND_HOLDER:	struct ucv_holder, the processes that hold them open
 * @UCV_NR_KINDS:	number of kinds that this header knows; not a kind
 */
enum ucv_kind {
	UCV_KIND_RESOURCE	= 0,
	UCV_KIND_USERNS		= 1,
	UCV_KIND_UCOUNTS	= 2,
	UCV_KIND_MNTNS		= 3,
	UCV_KIND_DENIAL_COUNT	= 4,
	UCV_KIND_GROUP		= 5,
	UCV_KIND_HOLDER		= 6,
	UCV_NR_KINDS
};

/* The bit of a kind in the masks of struct ucv_info and struct ucv_snapshot. */
#define UCV_MASK(kind)		(1ULL << (kind))

/* Capacity of used[] and limit[]: one element for each resource, see struct ucv_resource. */
#define UCV_MAX_RESOURCES	32

#define UCV_NAME_LEN		32	/* bytes, with the terminating NUL */
#define UCV_COMM_LEN		16	/* bytes, with the terminating NUL */

/*
 * A limit of this value or more means unlimited: the kernel gives it to every new
 * user namespace, and its sysctls accept nothing larger.
 */
#define UCV_UNLIMITED		0x7fffffffLL

/* uid_in_ns, owner_in_parent: the user has no uid in the namespace. */
#define UCV_UID_UNMAPPED	0xffffffffU

/* parent: the initial user namespace has none. */
#define UCV_NO_INDEX		0xffffffffU

/**
 * enum ucv_resource_type - the kernel's two families of counters
 * @UCV_RESOURCE_UCOUNT: enum ucount_type. Charged in the caller's user namespace
 *	and in every ancestor; refused at the first level whose counter has
 *	reached the limit of that level's namespace. All kernels.
 * @UCV_RESOURCE_RLIMIT: enum rlimit_type. Compared with the RLIMIT_* of the
 *	calling process at its own level, and at every level above with the RLIMIT_*
 *	that the creator of the namespace below had when it was created. Linux 5.14
 *	and later.
 */
enum ucv_resource_type {
	UCV_RESOURCE_UCOUNT	= 0,
	UCV_RESOURCE_RLIMIT	= 1,
};

/**
 * enum ucv_unit - the unit of a counter
 * @UCV_UNIT_OBJECTS:	objects: namespaces, watches, processes, ...
 * @UCV_UNIT_BYTES:	bytes (rlimit_msgqueue)
 * @UCV_UNIT_PAGES:	pages of memory (rlimit_memlock)
 */
enum ucv_unit {
	UCV_UNIT_OBJECTS	= 0,
	UCV_UNIT_BYTES		= 1,
	UCV_UNIT_PAGES		= 2,
};

/**
 * struct ucv_resource - a counter; its record index is its index in used[] and limit[]
 * @name: the kernel's enumerator without %UCOUNT_, in lower case, NUL-terminated:
 *	"inotify_watches", "rlimit_nproc". All kernels. The set of resources depends
 *	on the kernel and its configuration, and is read from the running kernel.
 * @type: an enum ucv_resource_type
 * @unit: an enum ucv_unit
 */
struct ucv_resource {
	char	name[UCV_NAME_LEN];
	__u32	type;
	__u32	unit;
};

/* ucv_userns.flags */
#define UCV_USERNS_MAP_UNKNOWN	(1U << 0) /* uid map could not be read safely, see @flags */

/**
 * struct ucv_userns - a user namespace
 * @id: unique 64-bit ID, never reused. Linux 6.18 and later; 0 on older kernels.
 * @inum: inode number, as shown by "readlink /proc/PID/ns/user" and lsns. Reused
 *	after the namespace is gone.
 * @parent: index of the parent's record in this snapshot; UCV_NO_INDEX for the
 *	initial user namespace
 * @level: 0 for the initial user namespace, the parent's plus one for any other
 * @owner: effective uid of the creator, as seen in the initial user namespace. The
 *	namespace and what is charged in it count against the record (parent, @owner).
 * @owner_in_parent: the same user as seen in the parent, or UCV_UID_UNMAPPED
 * @flags: UCV_USERNS_*. UCV_USERNS_MAP_UNKNOWN: the uid map has more than five
 *	extents, and the kernel (before 6.0) has no safe way to read them. uid_in_ns
 *	in records of this namespace and owner_in_parent in those of its children are
 *	then UCV_UID_UNMAPPED.
 * @nr_ucounts: number of ucv_ucounts records of this snapshot that point here
 * @pid: some process in it, as seen in the initial pid namespace; 0 if it has none.
 *	Not necessarily the one that is charged.
 * @comm: command of that process, NUL-terminated; empty if @pid is 0
 * @reserved: zero
 * @limit: UCV_RESOURCE_UCOUNT: the limit that the kernel compares with the counter
 *	of every user in this namespace (user_namespace.ucount_max); UCV_UNLIMITED or
 *	more is none. UCV_RESOURCE_RLIMIT: the limit set when the namespace was
 *	created, which the kernel compares with the counter of (parent, @owner), in
 *	the unit of the RLIMIT (bytes for memlock). Zero beyond the last resource.
 */
struct ucv_userns {
	__aligned_u64	id;
	__u32	inum;
	__u32	parent;
	__u32	level;
	__u32	owner;
	__u32	owner_in_parent;
	__u32	flags;
	__u32	nr_ucounts;
	__u32	pid;
	char	comm[UCV_COMM_LEN];
	__aligned_u64	reserved[2];
	__s64	limit[UCV_MAX_RESOURCES];
};

/* ucv_ucounts.flags */
#define UCV_UCOUNTS_SHADOWED	(1U << 0) /* new charges go to another record, see @flags */

/**
 * struct ucv_ucounts - the counters of one user in one user namespace
 * @userns: index of the ucv_userns record in this snapshot
 * @uid: the user as seen in the initial user namespace
 * @uid_in_ns: the same user as seen in @userns, or UCV_UID_UNMAPPED
 * @flags: UCV_UCOUNTS_*. UCV_UCOUNTS_SHADOWED: the kernel has another record for
 *	the same namespace and user, and finds that one first. Earlier charges still
 *	count here, new charges go to the other record. Seen for root in the initial
 *	user namespace, on 5.14 and later.
 * @reserved: zero
 * @used: the counters, read in a single pass, including what descendant namespaces
 *	charge to this user. The value of a UCV_RESOURCE_RLIMIT counter can be
 *	negative for an instant. Zero beyond the last resource.
 */
struct ucv_ucounts {
	__u32	userns;
	__u32	uid;
	__u32	uid_in_ns;
	__u32	flags;
	__aligned_u64	reserved[2];
	__s64	used[UCV_MAX_RESOURCES];
};

/* ucv_mntns.flags */
#define UCV_MNTNS_UNCHARGED	(1ULL << 0) /* charged to no user; uid is UCV_UID_UNMAPPED */

/**
 * struct ucv_mntns - a mount namespace
 * @id: unique 64-bit ID, never reused. All kernels. Linux 6.11 and later also show
 *	it in NS_GET_MNTNS_ID and statmount().
 * @inum: inode number, as shown by "readlink /proc/PID/ns/mnt" and lsns
 * @userns: index of the ucv_userns record of the user namespace that owns it
 * @uid: the creator, as seen in the initial user namespace. The mount namespace
 *	counts as one of this user's mnt_namespaces in @userns. UCV_UID_UNMAPPED if no
 *	user is charged, see @flags.
 * @uid_in_ns: the same user as seen in @userns, or UCV_UID_UNMAPPED
 * @mounts: number of mounts, including the hidden root mount (which
 *	/proc/PID/mountinfo does not show and NS_MNT_GET_INFO does not count)
 * @pending: mounts reserved but not yet attached. Non-zero only while a mount is
 *	being attached or propagated.
 * @limit: fs.mount-max: a mount that would make @mounts + @pending exceed it fails
 *	with ENOSPC
 * @pid: process of some task in it, as seen in the initial pid namespace; 0 if it
 *	has none
 * @flags: UCV_MNTNS_*. UCV_MNTNS_UNCHARGED: charged to no user, as the initial
 *	mount namespace on 7.x.
 * @comm: command of that task, NUL-terminated; empty if @pid is 0
 * @reserved: zero
 *
 * Namespaces of detached mounts (open_tree(), fsmount()) are not recorded. Up to
 * Linux 6.10, neither are those pinned only by a file in flight in a socket, and one
 * that passes from one process to another during the walk may be missed.
 */
struct ucv_mntns {
	__aligned_u64	id;
	__u32	inum;
	__u32	userns;
	__u32	uid;
	__u32	uid_in_ns;
	__u32	mounts;
	__u32	pending;
	__u32	limit;
	__u32	pid;
	__aligned_u64	flags;
	char	comm[UCV_COMM_LEN];
	__aligned_u64	reserved[2];
};

/**
 * enum ucv_denial_type - the rule that refused the charge
 * @UCV_DENIAL_UCOUNT: a user's counter in a user namespace had reached the limit of
 *	that namespace (inc_ucount()). The caller got ENOSPC, EMFILE or another error,
 *	depending on the system call.
 * @UCV_DENIAL_MOUNT: a mount namespace would have held more than fs.mount-max
 *	mounts (count_mounts()). The caller got ENOSPC.
 * @UCV_DENIAL_RLIMIT: a counter of type UCV_RESOURCE_RLIMIT would have exceeded, or had
 *	exceeded, the limit at some level. Recorded are fork(), clone(), execve() and the
 *	threads that the kernel creates for a process, as io_uring's, which it may retry
 *	(rlimit_nproc, EAGAIN), the creation of a message queue (rlimit_msgqueue, EMFILE),
 *	shmctl(SHM_LOCK) (rlimit_memlock, ENOMEM), and queuing a realtime signal or
 *	timer_create() (rlimit_sigpending, EAGAIN). Not recorded is what a capability or
 *	real uid 0 let through. UCV_FEATURE_*_DENIALS says which are recorded.
 * @UCV_DENIAL_USERNS_DEPTH: a user namespace would have been nested too deep. The caller
 *	got ENOSPC; nothing was charged.
 * @UCV_DENIAL_PIDNS_DEPTH: likewise a pid namespace
 */
enum ucv_denial_type {
	UCV_DENIAL_UCOUNT	= 0,
	UCV_DENIAL_MOUNT	= 1,
	UCV_DENIAL_RLIMIT	= 2,
	UCV_DENIAL_USERNS_DEPTH	= 3,
	UCV_DENIAL_PIDNS_DEPTH	= 4,
};

/* ucv_denial.flags */
#define UCV_DENIAL_UNSURE	(1U << 0) /* no level was at its limit when sampled, see @flags */
#define UCV_DENIAL_USED_UNKNOWN	(1U << 1) /* one counter could not be read, see @flags */
#define UCV_DENIAL_ASKED_MORE	(1U << 2) /* asked is a lower bound, see @flags */

/**
 * struct ucv_denial - a refused charge, as returned by read()
 * @size: bytes from the start of this record to the start of the next one in the
 *	buffer. Later modules may have longer records.
 * @type: an enum ucv_denial_type
 * @seq: sequence number of this denial, from 1 since the module was loaded
 * @lost: denials between the previous record that this file read and this one,
 *	overwritten in the ring before they were read (an overrun)
 * @time_ns: time of the refusal, nanoseconds of CLOCK_BOOTTIME
 * @pid: the refused thread, as seen in the initial pid namespace
 * @tgid: its process
 * @comm: its command, NUL-terminated
 * @flags: UCV_DENIAL_*. UCV_DENIAL_UNSURE: when the counters were sampled, right
 *	after the refusal, no level was at its limit: another thread had released
 *	something concurrently, or memory had run out. @level and the members that
 *	belong to it then describe the level with the least headroom. (Without the
 *	flag, another level can have refused only if a second charge, itself about to
 *	be refused at a level above, was in progress at the same moment.)
 *	UCV_DENIAL_USED_UNKNOWN: the counter where the charge began could not be
 *	read without blocking (PREEMPT_RT before Linux 6.15). That level is assumed to
 *	have refused, with @used equal to @limit, unless a level above was full.
 *	UCV_DENIAL_ASKED_MORE: @asked is where counting stopped; 0 if this kernel
 *	provides no way to count. For UCV_DENIAL_RLIMIT: more than fits in @asked.
 * @resource: index of the ucv_resource record; UCV_NO_INDEX for UCV_DENIAL_MOUNT,
 *	UCV_DENIAL_USERNS_DEPTH and UCV_DENIAL_PIDNS_DEPTH
 * @caller_id: unique 64-bit ID of the thread's user namespace. Linux 6.18 and later;
 *	0 on older kernels. The same goes for @charged_id and @userns_id.
 * @caller_userns: its inode number
 * @caller_uid: the thread's effective uid, as seen in the initial user namespace
 * @charged_id: the user namespace where the charge began: for inotify and fanotify,
 *	that of the task that opened the file. For UCV_DENIAL_MOUNT, @charged_id,
 *	@charged_userns and @charged_uid are the user namespace and uid that the mount
 *	namespace is charged to, as in struct ucv_mntns. For a signal, they are those of
 *	the receiver. For a new user namespace that is refused with its first process
 *	(clone(CLONE_NEWUSER)), it is that namespace, which is gone by now. For
 *	UCV_DENIAL_USERNS_DEPTH it is the parent, for UCV_DENIAL_PIDNS_DEPTH the owner
 *	of the namespace that was not created.
 * @charged_userns: its inode number
 * @charged_uid: the user to be charged there, as seen in the initial user namespace;
 *	UCV_UID_UNMAPPED if no user is
 * @charged_level: the level of that namespace, 0 for the initial one
 * @level: the level that refused: @charged_level or that of an ancestor. For
 *	UCV_DENIAL_MOUNT, UCV_DENIAL_USERNS_DEPTH and UCV_DENIAL_PIDNS_DEPTH,
 *	@charged_level.
 * @userns_id: the user namespace whose limit refused
 * @userns: its inode number
 * @uid: the user whose counter there had reached the limit, as seen in the initial
 *	user namespace
 * @uid_in_ns: the same user as seen in @userns, or UCV_UID_UNMAPPED
 * @pending: UCV_DENIAL_MOUNT: mounts reserved but not yet attached, all by the refused
 *	call itself: the mount and its copies in this namespace; otherwise 0
 * @used: the counter at that moment, without @asked; for UCV_DENIAL_MOUNT, the mounts in
 *	the mount namespace, as ucv_mntns.mounts; for UCV_DENIAL_USERNS_DEPTH and
 *	UCV_DENIAL_PIDNS_DEPTH, the nesting depth of the parent: 0 is the initial namespace
 * @limit: the limit that it was compared with. UCV_DENIAL_RLIMIT: in the unit of the
 *	counter at @charged_level (RLIMIT_* of the process), and as struct ucv_userns has
 *	it at a level above, in bytes for rlimit_memlock: the kernel compares that with
 *	a number of pages. UCV_DENIAL_USERNS_DEPTH and UCV_DENIAL_PIDNS_DEPTH: the deepest
 *	level that the kernel creates.
 * @mntns_id: UCV_DENIAL_MOUNT: ID of the mount namespace, as ucv_mntns.id;
 *	otherwise 0
 * @mntns: UCV_DENIAL_MOUNT: its inode number; otherwise 0
 * @asked: how many more were asked for: 1, or the size of the tree of mounts to be
 *	attached, or bytes or pages, see enum ucv_unit; 0 for execve(), which is refused
 *	after set*id() has exceeded the limit
 * @reserved: zero
 */
struct ucv_denial {
	__u32	size;
	__u32	type;
	__aligned_u64	seq;
	__aligned_u64	lost;
	__aligned_u64	time_ns;
	__u32	pid;
	__u32	tgid;
	char	comm[UCV_COMM_LEN];
	__u32	flags;
	__u32	resource;
	__aligned_u64	caller_id;
	__u32	caller_userns;
	__u32	caller_uid;
	__aligned_u64	charged_id;
	__u32	charged_userns;
	__u32	charged_uid;
	__u32	charged_level;
	__u32	level;
	__aligned_u64	userns_id;
	__u32	userns;
	__u32	uid;
	__u32	uid_in_ns;
	__u32	pending;
	__s64	used;
	__s64	limit;
	__aligned_u64	mntns_id;
	__u32	mntns;
	__u32	asked;
	__aligned_u64	reserved[2];
};

/* ucv_denial_count.flags */
#define UCV_DENIAL_COUNT_OTHERS	(1U << 0) /* sum of the evicted counts, see @flags */

/**
 * struct ucv_denial_count - number of denials of one limit
 * @ns_id: the namespace that refused, as ucv_denial.userns_id; for
 *	UCV_DENIAL_MOUNT, as ucv_denial.mntns_id
 * @ns: its inode number, likewise
 * @uid: the user whose counter there had reached the limit, as seen in the initial
 *	user namespace. For UCV_DENIAL_MOUNT, ucv_denial.charged_uid.
 * @type: an enum ucv_denial_type
 * @resource: as ucv_denial.resource
 * @level: the level that refused, as ucv_denial.level
 * @flags: UCV_DENIAL_COUNT_*. UCV_DENIAL_COUNT_OTHERS: the sum of the counts evicted
 *	from the full table, of all types; only @denials and @last_ns are meaningful.
 * @denials: number of denials while recording was armed
 * @last_ns: time of the last one, nanoseconds of CLOCK_BOOTTIME
 * @reserved: zero
 */
struct ucv_denial_count {
	__aligned_u64	ns_id;
	__u32	ns;
	__u32	uid;
	__u32	type;
	__u32	resource;
	__u32	level;
	__u32	flags;
	__aligned_u64	denials;
	__aligned_u64	last_ns;
	__aligned_u64	reserved[2];
};

/**
 * enum ucv_group_type - the system call that created a group
 * @UCV_GROUP_INOTIFY: inotify_init(); its marks are the watches
 * @UCV_GROUP_FANOTIFY: fanotify_init()
 */
enum ucv_group_type {
	UCV_GROUP_INOTIFY	= 0,
	UCV_GROUP_FANOTIFY	= 1,
};

/* ucv_group.flags */
#define UCV_GROUP_UNLIMITED_QUEUE (1U << 0) /* created with FAN_UNLIMITED_QUEUE */
#define UCV_GROUP_UNLIMITED_MARKS (1U << 1) /* its marks are charged to no user, see @flags */
#define UCV_GROUP_LAGGING	(1U << 2) /* marks may be slightly too high, see @flags */
#define UCV_GROUP_CLOSED	(1U << 3) /* closed during the walk, see @flags */
#define UCV_GROUP_MORE_HOLDERS	(1U << 4) /* not all holders are recorded, see @flags */

/* At most this many holders of a group are recorded: those with the lowest pids. */
#define UCV_GROUP_MAX_HOLDERS	64

/**
 * struct ucv_group - an inotify or fanotify group, created by one inotify_init() or
 *	fanotify_init(), however many descriptors refer to it now
 * @type: an enum ucv_group_type
 * @flags: UCV_GROUP_*. UCV_GROUP_UNLIMITED_MARKS: created with FAN_UNLIMITED_MARKS;
 *	the kernel does not charge its marks, so they are in @marks but in no
 *	ucv_ucounts record. UCV_GROUP_LAGGING: a fanotify group of more than
 *	1024 marks, or one whose list of marks was locked by its owner; @marks
 *	may include recently removed marks that the kernel has not destroyed yet.
 *	UCV_GROUP_CLOSED: the last descriptor was closed after the group was found and
 *	before its marks were counted; @marks is 0. UCV_GROUP_MORE_HOLDERS:
 *	@nr_holders is larger than UCV_GROUP_MAX_HOLDERS, and only that many have a
 *	ucv_holder record.
 * @userns: index of the ucv_userns record of the namespace that it is charged to:
 *	that of its creator, no matter which process holds it now
 * @uid: the user that it is charged to there, as seen in the initial user namespace:
 *	the effective uid of its creator
 * @uid_in_ns: the same user as seen in @userns, or UCV_UID_UNMAPPED
 * @nr_holders: number of holders, see struct ucv_holder; one or more
 * @group_resource: index of the ucv_resource record of the counter that counts the
 *	group: inotify_instances or fanotify_groups
 * @mark_resource: likewise for its marks: inotify_watches or fanotify_marks
 * @marks: number of watches or marks. Those added or removed during the count may or
 *	may not be counted; a watch replaced by another one may be counted twice.
 * @nr_fds: number of descriptors, of all holders together
 * @reserved: zero
 *
 * A group is identified only by its index in the snapshot: the kernel has no ID for it.
 *
 * What (@userns, @uid) is charged for a group and its marks is also charged to the
 * owner of @userns in the parent namespace, and so on up to the initial one. So a
 * counter is explained by the groups charged to its namespace and user, and by all
 * groups in the child namespaces that this user owns and in their descendants.
 *
 * The rest of the counter is unattributed: groups that no process holds open are not
 * found. These are groups pinned only by a file in flight in a socket or registered
 * with io_uring, and groups being destroyed. The counters are read before the files,
 * so on a busy system the difference may be too large, or negative, by what changes in
 * between.
 *
 * A walk pins each group that it has found. If one is closed during the walk, its marks
 * are uncharged at once, the group itself a moment later.
 */
struct ucv_group {
	__u32	type;
	__u32	flags;
	__u32	userns;
	__u32	uid;
	__u32	uid_in_ns;
	__u32	nr_holders;
	__u32	group_resource;
	__u32	mark_resource;
	__aligned_u64	marks;
	__aligned_u64	nr_fds;
	__aligned_u64	reserved;
};

/**
 * struct ucv_holder - a process that holds a group open
 * @group: index of the ucv_group record in this snapshot
 * @tgid: the process, as seen in the initial pid namespace
 * @tid: 0 if the group is held in the file table of the process, which is that of
 *	the thread group leader. Otherwise a thread with another table, because it
 *	left the common one (unshare(CLONE_FILES), or clone() without CLONE_FILES) or
 *	because the leader has exited. If several threads share that table, the one
 *	with the lowest tid.
 * @fd: the lowest of its descriptors
 * @comm: command of the process, or of thread @tid, NUL-terminated
 * @nr_fds: number of descriptors; one or more. Those opened or closed during the count
 *	may or may not be counted.
 * @padding: zero
 * @reserved: zero
 *
 * A process that holds a group in two file tables is two holders. So are two
 * processes that share one table. A process that exists throughout the walk with
 * the descriptor open is found. A holder may be missed when the descriptor passes from
 * one process to another during the walk, and may be found twice, the second time as a
 * thread, when another thread exits during the walk.
 */
struct ucv_holder {
	__u32	group;
	__u32	tgid;
	__u32	tid;
	__u32	fd;
	char	comm[UCV_COMM_LEN];
	__u32	nr_fds;
	__u32	padding;
	__aligned_u64	reserved;
};

/* ucv_info.features: the features of the running kernel that the module uses */
#define UCV_FEATURE_RLIMITS	(1ULL << 0) /* has the rlimit counters */
#define UCV_FEATURE_LOCKLESS	(1ULL << 1) /* the counters are walked under RCU alone */
#define UCV_FEATURE_NS_ID	(1ULL << 2) /* has unique 64-bit namespace IDs */
#define UCV_FEATURE_BTF		(1ULL << 3) /* has BTF; the names come from it */
#define UCV_FEATURE_NS_PINNED	(1ULL << 4) /* counters pin their namespace */
#define UCV_FEATURE_MNTNS	(1ULL << 5) /* mount namespaces can be walked */
#define UCV_FEATURE_MNTNS_LISTED (1ULL << 6) /* ... and the kernel lists them all */
#define UCV_FEATURE_DENIALS	(1ULL << 7) /* inc_ucount() can be probed for refused charges */
#define UCV_FEATURE_MNT_DENIALS	(1ULL << 8) /* ... and count_mounts() for refused mounts */
#define UCV_FEATURE_GROUPS	(1ULL << 9) /* groups and their holders can be walked */
/* Denials of type UCV_DENIAL_RLIMIT are recorded for this counter: */
#define UCV_FEATURE_NPROC_DENIALS	(1ULL << 10)
#define UCV_FEATURE_MSGQUEUE_DENIALS	(1ULL << 11)
#define UCV_FEATURE_MEMLOCK_DENIALS	(1ULL << 12)
#define UCV_FEATURE_SIGPENDING_DENIALS	(1ULL << 13)
/* Denials of this type are recorded: */
#define UCV_FEATURE_USERNS_DEPTH_DENIALS (1ULL << 14)
#define UCV_FEATURE_PIDNS_DEPTH_DENIALS	(1ULL << 15)

/*
 * ucv_info.recording, ucv_listen.recording: whether denials are being recorded. Neither
 * bit: recording is not armed. The state is not looked up but tested, by calling a
 * function of the module that has a kprobe.
 */
#define UCV_RECORDING_ON	(1ULL << 0) /* armed, and kprobes fire */
#define UCV_RECORDING_BLIND	(1ULL << 1) /* armed, but kprobes do not fire:
					     * /sys/kernel/debug/kprobes/enabled or
					     * the sysctl kernel.ftrace_enabled is 0
					     */

/*
 * ucv_listen.seen: the charges that have hit a probe since the module was loaded, refused
 * or not: a bit for each resource by index, and one each for mounts and the nesting of
 * user and pid namespaces. A compiler may inline or
 * clone a function into one of its callers, whose refusals are then not recorded. A set
 * bit verifies that refusals of such charges are recorded; without it, the absence of
 * denials is not verified.
 */
#define UCV_SEEN(resource)	(1ULL << (resource))
#define UCV_SEEN_MOUNTS		(1ULL << 63)
#define UCV_SEEN_USERNS_DEPTH	(1ULL << 62)
#define UCV_SEEN_PIDNS_DEPTH	(1ULL << 61)

/**
 * struct ucv_info - UCV_IOC_INFO: the module's version and what it supports
 * @supported: out: UCV_MASK() of every kind that UCV_IOC_SNAPSHOT accepts here
 * @features: out: UCV_FEATURE_*
 * @abi_version: out: UCV_ABI_VERSION of the module
 * @nr_resources: out: number of ucv_resource records
 * @version: out: the module's version, NUL-terminated
 * @recording: out: UCV_RECORDING_*
 * @since_ns: out: as ucv_listen.since_ns
 * @loaded_ns: out: when the module was loaded, nanoseconds of CLOCK_BOOTTIME
 *
 * The caller need not initialize members: all are written. (Bytes beyond those that
 * the module knows must be zero.)
 */
struct ucv_info {
	__aligned_u64	supported;
	__aligned_u64	features;
	__u32	abi_version;
	__u32	nr_resources;
	char	version[UCV_NAME_LEN];
	__aligned_u64	recording;
	__aligned_u64	since_ns;
	__aligned_u64	loaded_ns;
};

#define UCV_INFO_SIZE_VER0	56	/* bytes */
#define UCV_INFO_SIZE_VER1	64	/* with recording */
#define UCV_INFO_SIZE_VER2	80	/* with since_ns and loaded_ns */

/*
 * Look at no process that need not be looked at: @pid and @comm of struct ucv_userns and
 * struct ucv_mntns are empty, and a user namespace that nothing but processes leads to
 * (no counter, mount namespace, group or other user namespace) is left out. Where the
 * kernel does not list its mount namespaces and UCV_KIND_MNTNS is requested, it has no effect.
 */
#define UCV_SNAPSHOT_NO_PROCESSES	(1U << 0)

/**
 * struct ucv_snapshot - UCV_IOC_SNAPSHOT: read the kernel's tables
 * @request: in: UCV_MASK() of the kinds wanted. UCV_KIND_UCOUNTS, UCV_KIND_MNTNS,
 *	UCV_KIND_GROUP and UCV_KIND_HOLDER imply UCV_KIND_USERNS, since their records
 *	point there; the last two also imply each other.
 * @flags: in: UCV_SNAPSHOT_*
 * @reserved: in: zero
 * @supported: out: as in struct ucv_info
 * @filled: out: UCV_MASK() of the kinds in the snapshot
 * @start_ns: out: when the walk began, nanoseconds of CLOCK_BOOTTIME
 * @end_ns: out: when it ended. Snapshots are not atomic: the records were read one
 *	after the other between the two, each ucv_ucounts record in a single pass.
 * @hold_max_ns: out: the longest time that this walk held a lock or stayed in an RCU
 *	read-side critical section, in nanoseconds; includes interrupts and, under RCU
 *	on a preemptible kernel, other tasks that ran meanwhile
 *
 * Replaces the file's snapshot. If the argument is rejected (EINVAL, E2BIG,
 * EOPNOTSUPP, or EFAULT on reading it), the old snapshot stays; after any later failure
 * the file has none.
 *
 * Errors: EINVAL (also: @request is empty or has unknown bits), EOPNOTSUPP (a kind
 * is not available on this kernel; the reason was logged when the module was loaded),
 * EFBIG (the snapshot would exceed the module parameter max_snapshot_kib), ENOMEM,
 * EINTR (a fatal signal arrived)
 */
struct ucv_snapshot {
	__aligned_u64	request;
	__u32	flags;
	__u32	reserved;
	__aligned_u64	supported;
	__aligned_u64	filled;
	__aligned_u64	start_ns;
	__aligned_u64	end_ns;
	__aligned_u64	hold_max_ns;
};

#define UCV_SNAPSHOT_SIZE_VER0	56	/* bytes */

/**
 * struct ucv_read - UCV_IOC_READ: copy records of the file's snapshot
 * @kind: in: an enum ucv_kind
 * @record_size: in: bytes from the start of one record to the start of the next
 *	in the buffer: a multiple of eight, at least UCV_RECORD_SIZE_MIN, at most
 *	UCV_RECORD_SIZE_MAX; sizeof() of the record's structure as the caller
 *	knows it. Shorter records are padded with zeroes, longer ones are truncated.
 * @first: in: index of the first record wanted
 * @buf: in: address of the buffer
 * @buf_size: in: its size in bytes. As many whole records as fit are written. 0
 *	writes none and only returns @total.
 * @flags: in: zero
 * @nr: out: number of records written; 0 if @first is @total or more
 * @total: out: number of records of @kind in the snapshot
 *
 * Errors: EINVAL (also: no such kind, a bad @record_size), ENODATA (the file has
 * no snapshot, or its snapshot does not hold this kind), EMSGSIZE (the buffer is not
 * empty but too small for a single record), ENOMEM (only if @record_size is not the
 * size that the module has: sizeof(), or for records with an array its members up to
 * nr_resources of struct ucv_info), EFAULT (part of the buffer may have been written)
 */
struct ucv_read {
	__u32	kind;
	__u32	record_size;
	__aligned_u64	first;
	__aligned_u64	buf;
	__aligned_u64	buf_size;
	__u32	flags;
	__u32	nr;
	__aligned_u64	total;
};

#define UCV_READ_SIZE_VER0	48	/* bytes */

/* ucv_listen.flags */
#define UCV_LISTEN_ARM		(1U << 0) /* record denials until this file is closed */
#define UCV_LISTEN_OLDEST	(1U << 1) /* begin with the oldest record in the ring */

/**
 * struct ucv_listen - UCV_IOC_LISTEN: make read() return denials
 * @flags: in: UCV_LISTEN_*. Without UCV_LISTEN_ARM the file sees only what is, or was,
 *	recorded on behalf of others; without UCV_LISTEN_OLDEST, only what is refused
 *	from now on. An armed file stays armed.
 * @reserved: in: zero
 * @armed: out: number of files, tracers and settings that arm recording at present,
 *	this file included if it is armed
 * @capacity: out: capacity of the ring, in records
 * @next: out: the sequence number of the record that read() returns next, unless it is
 *	overwritten first
 * @total: out: denials recorded since the module was loaded
 * @missed: out: missed probe hits since the module was loaded: too many threads were in a
 *	probed function at once (maxactive exhausted), or the CPU was in the handler of
 *	another kprobe. Any of them may have been refused.
 * @recording: out: UCV_RECORDING_*
 * @seen: out: UCV_SEEN() of each resource, and the other UCV_SEEN_*
 * @interruptions: out: how often recording was found to be interrupted
 *	(UCV_RECORDING_BLIND) since the module was loaded. Refusals during an
 *	interruption are neither in @total nor in @missed. The module checks once a
 *	second while recording is armed, and on each query; an interruption between two
 *	checks is not counted.
 * @since_ns: out: since when denials are recorded (UCV_RECORDING_ON), or else are
 *	not, nanoseconds of CLOCK_BOOTTIME. If recording was interrupted, and then perhaps
 *	disarmed: when the kprobes were last seen to fire. 0 if recording has never been
 *	armed since the module was loaded.
 *
 * May be repeated; each call sets the position anew. If the result cannot be written
 * (EFAULT), the call has taken effect all the same.
 *
 * Errors: EINVAL (also: unknown @flags), EOPNOTSUPP (denials cannot be recorded on this
 * kernel; the reason was logged when the module was loaded), ENOLINK (UCV_LISTEN_ARM:
 * the kernel's kprobes do not fire, see UCV_RECORDING_BLIND), ENOMEM, EINTR (a fatal
 * signal arrived), or an error from registering the kprobes
 */
struct ucv_listen {
	__u32	flags;
	__u32	reserved;
	__u32	armed;
	__u32	capacity;
	__aligned_u64	next;
	__aligned_u64	total;
	__aligned_u64	missed;
	__aligned_u64	recording;
	__aligned_u64	seen;
	__aligned_u64	interruptions;
	__aligned_u64	since_ns;
};

#define UCV_LISTEN_SIZE_VER0	40	/* bytes */
#define UCV_LISTEN_SIZE_VER1	64	/* with recording, seen and interruptions */
#define UCV_LISTEN_SIZE_VER2	72	/* with since_ns */
#define UCV_RECORD_SIZE_MIN	32	/* bytes */
#define UCV_RECORD_SIZE_MAX	4096	/* bytes */

#define UCV_IOC_MAGIC		0xc5

#define UCV_IOC_INFO		_IOWR(UCV_IOC_MAGIC, 0x00, struct ucv_info)
#define UCV_IOC_SNAPSHOT	_IOWR(UCV_IOC_MAGIC, 0x01, struct ucv_snapshot)
#define UCV_IOC_READ		_IOWR(UCV_IOC_MAGIC, 0x02, struct ucv_read)
#define UCV_IOC_LISTEN		_IOWR(UCV_IOC_MAGIC, 0x03, struct ucv_listen)

#endif /* _UAPI_UCOUNTVIEW_H */
