/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The ABI of /dev/ucountview: the one header that the module and its readers
 * share.
 *
 * A reader opens the device read-only, takes a snapshot (UCV_IOC_SNAPSHOT) and
 * reads its records (UCV_IOC_READ), as often and in whatever portions it likes.
 * A snapshot belongs to the open file description: taking another one replaces
 * it, closing the file frees it. Nothing here changes the state of the kernel.
 *
 * A listener (UCV_IOC_LISTEN) is told of each charge that the kernel refuses: it
 * reads records (struct ucv_denial) with read() and waits for them with poll().
 * A file can do both.
 *
 * Sizes and versions
 *	Every structure may grow at its end in later versions, never elsewhere.
 *	The size of an argument is the one encoded in the ioctl number. A caller
 *	with a smaller structure gets the members it knows; a caller with a larger
 *	one gets zeroes in the members that the module does not know, and E2BIG if
 *	it passed anything but zeroes in them. Records likewise: the caller
 *	chooses the distance between records (record_size), see struct ucv_read.
 *
 * Errors that every ioctl can return
 *	EFAULT	the argument or a buffer is not mapped, or not writable
 *	EINVAL	the argument is smaller than its first version
 *		(..._SIZE_VER0), or holds an unknown flag or a non-zero reserved
 *		member
 *	E2BIG	the argument is larger than what the module knows and has
 *		non-zero bytes there, or is larger than a page
 *	ENOTTY	no such ioctl
 *	After any of them the file is as usable as before.
 *
 * Errors of open()
 *	EACCES	opened for writing, or by somebody without the permission
 *
 * read() gives whole records of struct ucv_denial, as many as there are and as
 * the buffer holds, each moving the file's position in the ring. It waits for the
 * first one, unless the file is O_NONBLOCK. Threads that share a file share its
 * position: each record goes to one of them. Errors of read():
 *	EINVAL	no UCV_IOC_LISTEN came first, or the buffer has no room for a
 *		record
 *	EAGAIN	there is none yet, and the file is O_NONBLOCK
 *	EINTR	a signal arrived while it waited, with a handler that does not ask
 *		for SA_RESTART
 *	EFAULT	the buffer is not mapped, or not writable; nothing has been read.
 *		If that is so from a later record on, those before it are returned
 *	ENOLINK	no record is left, and recording is interrupted: denials are being
 *		recorded for somebody, but the kernel's kprobes do not fire (see
 *		UCV_RECORDING_BLIND). Likewise once, when recording has been
 *		interrupted since the file was told last, and goes on
 * poll() reports POLLIN when a record can be read, and POLLERR if read() would
 * fail at once with EINVAL or ENOLINK.
 *
 * All integers are in the byte order of the machine. Every structure has the same
 * layout for 32-bit and 64-bit programs, with no padding between members or at the
 * end. Arguments and buffers may be at any address: the kernel copies them.
 */
#ifndef _UAPI_UCOUNTVIEW_H
#define _UAPI_UCOUNTVIEW_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* Raised when something changes that a reader of the old ABI would misread. */
#define UCV_ABI_VERSION		1

#define UCV_DEVICE_PATH		"/dev/ucountview"

/**
 * enum ucv_kind - the kinds of records that a snapshot can hold
 * @UCV_KIND_RESOURCE:	struct ucv_resource, what the counters are called
 * @UCV_KIND_USERNS:	struct ucv_userns, the user namespaces
 * @UCV_KIND_UCOUNTS:	struct ucv_ucounts, the counters
 * @UCV_KIND_MNTNS:	struct ucv_mntns, the mount namespaces and their counters
 * @UCV_KIND_DENIAL_COUNT: struct ucv_denial_count, what was refused, added up
 * @UCV_KIND_GROUP:	struct ucv_group, the inotify and fanotify groups
 * @UCV_KIND_HOLDER:	struct ucv_holder, the processes that hold them open
 * @UCV_NR_KINDS:	how many kinds this header knows; not a kind
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

/* Room for counters in a record: one for each resource, see struct ucv_resource. */
#define UCV_MAX_RESOURCES	32

#define UCV_NAME_LEN		32	/* bytes, with the terminating NUL */
#define UCV_COMM_LEN		16	/* bytes, with the terminating NUL */

/*
 * A limit of this value or more is no limit: the kernel gives it to every new
 * user namespace, and its sysctls take nothing larger.
 */
#define UCV_UNLIMITED		0x7fffffffLL

/* uid_in_ns, owner_in_parent: the namespace has no uid for this user. */
#define UCV_UID_UNMAPPED	0xffffffffU

/* parent: the initial user namespace has none. */
#define UCV_NO_INDEX		0xffffffffU

/**
 * enum ucv_resource_type - which of the kernel's two families a counter is of
 * @UCV_RESOURCE_UCOUNT: enum ucount_type. Charged in the caller's user namespace
 *	and in every ancestor; refused at the first level whose counter has
 *	reached the limit of that level's namespace. All kernels.
 * @UCV_RESOURCE_RLIMIT: enum rlimit_type. Compared with the RLIMIT_* of the
 *	calling process at its own level, and at every level above with what was
 *	the creator's RLIMIT_* when the namespace below was made. Linux 5.14 and
 *	later.
 */
enum ucv_resource_type {
	UCV_RESOURCE_UCOUNT	= 0,
	UCV_RESOURCE_RLIMIT	= 1,
};

/**
 * enum ucv_unit - what a counter counts
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
 * struct ucv_resource - a counter's name; its index is the place in used[] and
 *	limit[]
 * @name: the kernel's own enumerator without UCOUNT_, in lower case:
 *	"inotify_watches", "rlimit_nproc"; NUL-terminated. All kernels; which
 *	resources there are depends on the kernel and its configuration, and
 *	comes from the running kernel.
 * @type: an enum ucv_resource_type
 * @unit: an enum ucv_unit
 */
struct ucv_resource {
	char	name[UCV_NAME_LEN];
	__u32	type;
	__u32	unit;
};

/* ucv_userns.flags */
#define UCV_USERNS_MAP_UNKNOWN	(1U << 0) /* uid map could not be read safely, see there */

/**
 * struct ucv_userns - a user namespace
 * @id: the 64-bit identifier that is never used again. Linux 6.18 and later;
 *	0 on others.
 * @inum: inode number, as "readlink /proc/PID/ns/user" and lsns show it. Used
 *	again after the namespace is gone.
 * @parent: index of the parent's record in this snapshot; UCV_NO_INDEX for the
 *	initial user namespace
 * @level: 0 for the initial user namespace, one more for each generation
 * @owner: who created it (the creator's effective uid), as the initial user
 *	namespace sees it. The namespace and what is charged in it count against
 *	the record (parent, @owner).
 * @owner_in_parent: the same user as the parent sees it, or UCV_UID_UNMAPPED
 * @flags: UCV_USERNS_*. UCV_USERNS_MAP_UNKNOWN: the map has more than five
 *	extents and the kernel (before 6.0) gives no safe way to read them;
 *	uid_in_ns and owner_in_parent are then UCV_UID_UNMAPPED.
 * @nr_ucounts: how many ucv_ucounts records of this snapshot point here
 * @pid: an example of a process in it, as the initial pid namespace sees it; 0
 *	if it has none. It need not be the one that is charged.
 * @comm: that process's command, NUL-terminated; empty if @pid is 0
 * @reserved: zero
 * @limit: for a resource of type UCV_RESOURCE_UCOUNT, the limit that the kernel
 *	compares with the counter of every user in this namespace
 *	(user_namespace.ucount_max); UCV_UNLIMITED or more is none. For
 *	UCV_RESOURCE_RLIMIT, the limit set when the namespace was made, which the
 *	kernel compares with the counter of (parent, @owner), in the unit of the
 *	RLIMIT (bytes for memlock). Zero beyond the last resource.
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
#define UCV_UCOUNTS_SHADOWED	(1U << 0) /* not the one new charges go to, see there */

/**
 * struct ucv_ucounts - the counters of one user in one user namespace
 * @userns: index of the ucv_userns record in this snapshot
 * @uid: the user as the initial user namespace sees it
 * @uid_in_ns: the same user as the user namespace itself sees it, or
 *	UCV_UID_UNMAPPED
 * @flags: UCV_UCOUNTS_*. UCV_UCOUNTS_SHADOWED: the kernel holds another record
 *	for the same namespace and user, which it finds first; what was charged
 *	here before still counts here, new charges go to the other one. Seen for
 *	root in the initial user namespace, on 5.14 and later.
 * @reserved: zero
 * @used: the counters, all read together, including what descendant namespaces
 *	charge to this user. The value of an UCV_RESOURCE_RLIMIT counter can be
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
#define UCV_MNTNS_UNCHARGED	(1ULL << 0) /* charged to nobody; uid is UCV_UID_UNMAPPED */

/**
 * struct ucv_mntns - a mount namespace
 * @id: a 64-bit identifier that is never used again. Linux 6.11 and later show it
 *	elsewhere, too: NS_GET_MNTNS_ID, statmount(). All kernels.
 * @inum: inode number, as "readlink /proc/PID/ns/mnt" and lsns show it
 * @userns: index of the ucv_userns record of the user namespace that owns it
 * @uid: who made it, as the initial user namespace sees it. It counts as one of
 *	this user's mnt_namespaces in @userns. UCV_UID_UNMAPPED if it is charged to
 *	nobody, see @flags.
 * @uid_in_ns: the same user as @userns sees it, or UCV_UID_UNMAPPED
 * @mounts: the mounts in it, the hidden root mount included (which
 *	/proc/PID/mountinfo does not show and NS_MNT_GET_INFO does not count)
 * @pending: mounts that are reserved but not attached yet. Other than 0 only
 *	while a mount is being attached or propagated.
 * @limit: fs.mount-max: a mount that would make @mounts + @pending larger is
 *	refused with ENOSPC
 * @pid: an example of a task in it, its process as the initial pid namespace
 *	sees it; 0 if it has none
 * @flags: UCV_MNTNS_*. UCV_MNTNS_UNCHARGED: charged to nobody. The initial mount
 *	namespace is on 7.x.
 * @comm: that task's command, NUL-terminated; empty if @pid is 0
 * @reserved: zero
 *
 * Namespaces of detached mounts (open_tree(), fsmount()) are not among them. Up
 * to Linux 6.10 neither are those kept by nothing but a file in flight in a
 * socket, and one may be missed that passes from one process to another during
 * the walk.
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
 * enum ucv_denial_type - which of the kernel's two rules refused
 * @UCV_DENIAL_UCOUNT: a counter of some user in some user namespace had reached
 *	the limit of that namespace (inc_ucount()). The caller was told ENOSPC,
 *	EMFILE or another error, as the system call has it.
 * @UCV_DENIAL_MOUNT: a mount namespace would have held more than fs.mount-max
 *	mounts (count_mounts()). The caller was told ENOSPC.
 */
enum ucv_denial_type {
	UCV_DENIAL_UCOUNT	= 0,
	UCV_DENIAL_MOUNT	= 1,
};

/* ucv_denial.flags */
#define UCV_DENIAL_UNSURE	(1U << 0) /* no level was at its limit any more, see there */
#define UCV_DENIAL_USED_UNKNOWN	(1U << 1) /* one counter could not be read, see there */
#define UCV_DENIAL_ASKED_MORE	(1U << 2) /* asked for at least so many, see there */

/**
 * struct ucv_denial - a charge that the kernel refused, as read() gives it
 * @size: bytes from the start of this record to the start of the next in the
 *	buffer. A later module may have longer records.
 * @type: an enum ucv_denial_type
 * @seq: the number of this denial, counted from 1 since the module was loaded
 * @lost: denials between the record that this file read before and this one: the
 *	ring had been overwritten (an overrun)
 * @time_ns: when it was refused, nanoseconds of CLOCK_BOOTTIME
 * @pid: the thread that was refused, as the initial pid namespace sees it
 * @tgid: its process
 * @comm: its command, NUL-terminated
 * @flags: UCV_DENIAL_*. UCV_DENIAL_UNSURE: when the counters were looked at, right
 *	after the refusal, none of the levels was at its limit: another thread had
 *	given something back meanwhile, or memory had run out. @level and what
 *	belongs to it then tell of the level with the least room. (Without the flag
 *	another level can have refused only if a second charge, itself about to be
 *	refused above, was under way at the same moment.)
 *	UCV_DENIAL_USED_UNKNOWN: the counter where the charge began could not be
 *	read without waiting (PREEMPT_RT before Linux 6.15). It is taken to have
 *	refused, with @used as large as @limit, unless a level above was full.
 *	UCV_DENIAL_ASKED_MORE: @asked is where the counting ended; 0 if it cannot
 *	be counted on this kernel.
 * @resource: index of the ucv_resource record; UCV_NO_INDEX for UCV_DENIAL_MOUNT
 * @caller_id: the user namespace that the thread is in: the identifier that is
 *	never used again. Linux 6.18 and later; 0 on others, as for the other two.
 * @caller_userns: its inode number
 * @caller_uid: the thread's effective uid, as the initial user namespace sees it
 * @charged_id: the user namespace where the charge began, which is that of
 *	whoever opened the inotify or fanotify file. For UCV_DENIAL_MOUNT the
 *	three @charged_ members are the user namespace and uid that the mount
 *	namespace is charged to, as in struct ucv_mntns.
 * @charged_userns: its inode number
 * @charged_uid: the user to be charged there, as the initial user namespace sees
 *	it; UCV_UID_UNMAPPED for nobody
 * @charged_level: the level of that namespace, 0 for the initial one
 * @level: the level that refused: @charged_level or one above it. For
 *	UCV_DENIAL_MOUNT @charged_level.
 * @userns_id: the user namespace whose limit refused
 * @userns: its inode number
 * @uid: the user whose counter there had reached the limit, as the initial user
 *	namespace sees it
 * @uid_in_ns: the same user as @userns sees it, or UCV_UID_UNMAPPED
 * @pending: UCV_DENIAL_MOUNT: mounts reserved and not attached yet; otherwise 0
 * @used: the counter at that moment; for UCV_DENIAL_MOUNT the mounts in the mount
 *	namespace, as ucv_mntns.mounts
 * @limit: what it was compared with
 * @mntns_id: UCV_DENIAL_MOUNT: the mount namespace's identifier, as ucv_mntns.id;
 *	otherwise 0
 * @mntns: UCV_DENIAL_MOUNT: its inode number; otherwise 0
 * @asked: how many more were asked for: 1, or the size of the tree of mounts that
 *	was to be attached
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
#define UCV_DENIAL_COUNT_OTHERS	(1U << 0) /* all that had to give way, see there */

/**
 * struct ucv_denial_count - how often one limit refused
 * @ns_id: the namespace that refused, as ucv_denial.userns_id; for
 *	UCV_DENIAL_MOUNT as ucv_denial.mntns_id
 * @ns: its inode number, likewise
 * @uid: the user whose counter had reached the limit there, as the initial user
 *	namespace sees it. For UCV_DENIAL_MOUNT ucv_denial.charged_uid.
 * @type: an enum ucv_denial_type
 * @resource: index of the ucv_resource record; UCV_NO_INDEX for UCV_DENIAL_MOUNT
 * @level: the level that refused, as ucv_denial.level
 * @flags: UCV_DENIAL_COUNT_*. UCV_DENIAL_COUNT_OTHERS: the sum of those for which
 *	there is no room any more, of both types; only @denials and @last_ns mean
 *	anything.
 * @denials: how many, while somebody was listening
 * @last_ns: when the last one was, nanoseconds of CLOCK_BOOTTIME
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
 * enum ucv_group_type - which system call made a group
 * @UCV_GROUP_INOTIFY: inotify_init(); its marks are the watches
 * @UCV_GROUP_FANOTIFY: fanotify_init()
 */
enum ucv_group_type {
	UCV_GROUP_INOTIFY	= 0,
	UCV_GROUP_FANOTIFY	= 1,
};

/* ucv_group.flags */
#define UCV_GROUP_UNLIMITED_QUEUE (1U << 0) /* made with FAN_UNLIMITED_QUEUE */
#define UCV_GROUP_UNLIMITED_MARKS (1U << 1) /* its marks are charged to nobody, see there */
#define UCV_GROUP_LAGGING	(1U << 2) /* marks may be a little too high, see there */
#define UCV_GROUP_CLOSED	(1U << 3) /* closed during the walk, see there */
#define UCV_GROUP_MORE_HOLDERS	(1U << 4) /* not all holders are recorded, see there */

/* How many holders of a group are recorded; those with the lowest numbers. */
#define UCV_GROUP_MAX_HOLDERS	64

/**
 * struct ucv_group - an inotify or fanotify group, which is what the descriptors
 *	that inotify_init() or fanotify_init() returned stand for, however many
 *	there are of them by now
 * @type: an enum ucv_group_type
 * @flags: UCV_GROUP_*. UCV_GROUP_UNLIMITED_MARKS: made with FAN_UNLIMITED_MARKS;
 *	the kernel counts its marks nowhere, so they are in @marks but in no
 *	ucv_ucounts record. UCV_GROUP_LAGGING: a fanotify group of more than a
 *	thousand marks, or one whose list of marks was locked by its owner; @marks
 *	may include some that were removed in the last moments and that the kernel
 *	has not destroyed yet. UCV_GROUP_CLOSED: the last descriptor was closed
 *	between the moment when the group was found and the one when its marks would
 *	have been counted; @marks is 0. UCV_GROUP_MORE_HOLDERS: @nr_holders is larger
 *	than UCV_GROUP_MAX_HOLDERS, and only so many have an ucv_holder record.
 * @userns: index of the ucv_userns record of the namespace that it is charged to:
 *	that of whoever made it, whoever holds it now
 * @uid: the user that it is charged to there, as the initial user namespace sees
 *	it: the effective uid of whoever made it
 * @uid_in_ns: the same user as @userns sees it, or UCV_UID_UNMAPPED
 * @nr_holders: how many hold it, see struct ucv_holder; one or more
 * @group_resource: index of the ucv_resource record of the counter in which the
 *	group is one: inotify_instances or fanotify_groups
 * @mark_resource: likewise for its marks: inotify_watches or fanotify_marks
 * @marks: the watches or marks in it. Those that are added or removed while they
 *	are counted may be counted or not; a watch that is replaced by another
 *	one meanwhile may count twice.
 * @nr_fds: the descriptors by which it is held, of all holders together
 * @reserved: zero
 *
 * Its index in the snapshot is all that names a group: the kernel has no number
 * for it.
 *
 * What (@userns, @uid) is charged for a group and its marks, the owner of @userns
 * is charged in the parent namespace as well, and so on up to the initial one. So
 * what the groups of a snapshot explain of a counter is the sum over the groups
 * that are charged to its namespace and user, and over those in all namespaces
 * below that the user owns, or whose owners' namespaces the user owns.
 *
 * What is left of the counter is unattributed: groups that no process holds open
 * are not found. Such are those kept by nothing but a file in flight in a socket
 * or registered with io_uring, and those that are being taken apart. The counters
 * are read before the files, so on a busy system the difference may be too large
 * or below zero by what changes meanwhile.
 *
 * While a walk is under way it pins each group that it has found: the marks of one
 * that is closed are uncharged at once, the group itself a moment later.
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
 * @tgid: the process, as the initial pid namespace sees it
 * @tid: 0 if the group is held in the file table of the process, which is that of
 *	its first thread. Otherwise a thread whose table is another, because it left
 *	the common one (unshare(CLONE_FILES), or clone() without CLONE_FILES) or
 *	because the first thread has ended. Of several threads with the same table it
 *	is the one with the lowest number.
 * @fd: the lowest of its descriptors, as an example
 * @comm: the command of the process, or of thread @tid, NUL-terminated
 * @nr_fds: by how many descriptors; one or more. Those that are opened or closed
 *	while they are counted may be counted or not.
 * @padding: zero
 * @reserved: zero
 *
 * A process that holds a group in two file tables is two holders. So are two
 * processes that share one table. A process that exists throughout the walk with
 * the descriptor open is found; one may be missed when the descriptor passes from
 * one process to another meanwhile, and one may be found a second time, as a thread,
 * when another thread ends meanwhile.
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

/* ucv_info.features: what of the running kernel the module uses */
#define UCV_FEATURE_RLIMITS	(1ULL << 0) /* has the rlimit counters */
#define UCV_FEATURE_LOCKLESS	(1ULL << 1) /* walks the counters under RCU alone */
#define UCV_FEATURE_NS_ID	(1ULL << 2) /* has 64-bit namespace identifiers */
#define UCV_FEATURE_BTF		(1ULL << 3) /* has BTF; the names come from it */
#define UCV_FEATURE_NS_PINNED	(1ULL << 4) /* counters keep their namespace alive */
#define UCV_FEATURE_MNTNS	(1ULL << 5) /* mount namespaces can be walked */
#define UCV_FEATURE_MNTNS_LISTED (1ULL << 6) /* ... and the kernel lists them all */
#define UCV_FEATURE_DENIALS	(1ULL << 7) /* inc_ucount() can be probed for refused charges */
#define UCV_FEATURE_MNT_DENIALS	(1ULL << 8) /* ... and count_mounts() for refused mounts */
#define UCV_FEATURE_GROUPS	(1ULL << 9) /* groups and their holders can be walked */

/*
 * ucv_info.recording, ucv_listen.recording: whether denials are recorded at this
 * moment. Neither: nobody has them recorded. It is tried, not looked up: a probed
 * function of the module is called.
 */
#define UCV_RECORDING_ON	(1ULL << 0) /* they are: kprobes fire */
#define UCV_RECORDING_BLIND	(1ULL << 1) /* somebody has them recorded, but kprobes do not
					     * fire: /sys/kernel/debug/kprobes/enabled or
					     * the sysctl kernel.ftrace_enabled is 0
					     */

/*
 * ucv_listen.seen: the charges that have passed a probe since the module was loaded,
 * refused or not: a bit for each resource by index, and one for mounts. A compiler may
 * inline or clone a function into one of its callers, whose refusals are then not
 * recorded. What has been seen is verified to be recorded; without its bit, that
 * nothing was refused is not verified.
 */
#define UCV_SEEN(resource)	(1ULL << (resource))
#define UCV_SEEN_MOUNTS		(1ULL << 63)

/**
 * struct ucv_info - UCV_IOC_INFO: what module this is
 * @supported: out: UCV_MASK() of every kind that UCV_IOC_SNAPSHOT takes here
 * @features: out: UCV_FEATURE_*
 * @abi_version: out: UCV_ABI_VERSION of the module
 * @nr_resources: out: number of ucv_resource records
 * @version: out: the module's version, NUL-terminated
 * @recording: out: UCV_RECORDING_*
 *
 * Members need not be initialised by the caller: all are written. (What lies
 * beyond those that the module knows must be zero.)
 */
struct ucv_info {
	__aligned_u64	supported;
	__aligned_u64	features;
	__u32	abi_version;
	__u32	nr_resources;
	char	version[UCV_NAME_LEN];
	__aligned_u64	recording;
};

#define UCV_INFO_SIZE_VER0	56	/* bytes */
#define UCV_INFO_SIZE_VER1	64	/* with recording */

/**
 * struct ucv_snapshot - UCV_IOC_SNAPSHOT: read the kernel's tables
 * @request: in: UCV_MASK() of the kinds wanted. Asking for UCV_KIND_UCOUNTS or
 *	UCV_KIND_MNTNS brings UCV_KIND_USERNS too, since their records point there;
 *	UCV_KIND_GROUP and UCV_KIND_HOLDER bring each other as well.
 * @flags: in: zero
 * @reserved: in: zero
 * @supported: out: as in struct ucv_info
 * @filled: out: UCV_MASK() of the kinds that the snapshot holds
 * @start_ns: out: when the walk began, nanoseconds of CLOCK_BOOTTIME
 * @end_ns: out: when it ended. The records were read one after the other between
 *	the two; each ucv_ucounts record was read at one instant.
 * @hold_max_ns: out: the longest time this walk held a lock or an RCU read
 *	section, in nanoseconds
 *
 * Replaces the file's snapshot. An argument that is refused (EINVAL, E2BIG,
 * EOPNOTSUPP, EFAULT when it is read) leaves the old one; if anything fails after
 * that, the file has none.
 *
 * Errors: EINVAL (also: @request is empty or has unknown bits), EOPNOTSUPP (a kind
 * that is not available on this kernel: the log said why when the module was
 * loaded), EFBIG (the snapshot would exceed the module parameter
 * max_snapshot_kib), ENOMEM, EINTR (a fatal signal arrived)
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
 *	knows it. A record that is shorter is padded with zeroes, one that is
 *	longer is cut.
 * @first: in: index of the first record wanted
 * @buf: in: address of the buffer
 * @buf_size: in: its size in bytes. As many whole records as fit are written. 0
 *	writes none and just tells @total.
 * @flags: in: zero
 * @nr: out: number of records written; 0 if @first is @total or more
 * @total: out: number of records of that kind in the snapshot
 *
 * Errors: EINVAL (also: no such kind, a bad @record_size), ENODATA (the file has
 * no snapshot, or it does not hold this kind), EMSGSIZE (the buffer is not empty
 * but has no room for a single record), EFAULT (some of the buffer may have
 * been written)
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
#define UCV_LISTEN_ARM		(1U << 0) /* have denials recorded until this file is closed */
#define UCV_LISTEN_OLDEST	(1U << 1) /* begin with the oldest record there is */

/**
 * struct ucv_listen - UCV_IOC_LISTEN: make read() give denials
 * @flags: in: UCV_LISTEN_*. Without UCV_LISTEN_ARM the file sees what is recorded
 *	because of others, and what was; without UCV_LISTEN_OLDEST it sees what is
 *	refused from now on. A file that is armed stays armed.
 * @reserved: in: zero
 * @armed: out: files, tracers and settings that have denials recorded at present,
 *	this file included
 * @capacity: out: how many records the ring holds
 * @next: out: the sequence number of the record that read() gives next, if it is
 *	not overwritten before
 * @total: out: denials recorded since the module was loaded
 * @missed: out: calls that could not be looked at, because too many threads were in
 *	one at once or the CPU was in the handler of another kprobe, and may have been
 *	refused, since the module was loaded
 * @recording: out: UCV_RECORDING_*
 * @seen: out: UCV_SEEN() of each resource, and UCV_SEEN_MOUNTS, see there
 * @interruptions: out: how often recording was found to be interrupted
 *	(UCV_RECORDING_BLIND) since the module was loaded. What is refused during an
 *	interruption is neither in @total nor in @missed. It is looked for once a second
 *	while denials are recorded, and whenever somebody asks; one that nobody has
 *	noticed is not counted.
 *
 * May be repeated; each time the position is set anew. If the answer cannot be
 * written (EFAULT), what was asked for has been done all the same.
 *
 * Errors: EINVAL (also: unknown @flags), EOPNOTSUPP (this kernel cannot be
 * listened to: the log said why when the module was loaded), ENOLINK
 * (UCV_LISTEN_ARM: the kernel's kprobes do not fire, see UCV_RECORDING_BLIND), ENOMEM,
 * EINTR (a fatal signal arrived), or what the kernel's kprobes returned
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
};

#define UCV_LISTEN_SIZE_VER0	40	/* bytes */
#define UCV_LISTEN_SIZE_VER1	64	/* with recording, seen and interruptions */
#define UCV_RECORD_SIZE_MIN	32	/* bytes */
#define UCV_RECORD_SIZE_MAX	4096	/* bytes */

#define UCV_IOC_MAGIC		0xc5

#define UCV_IOC_INFO		_IOWR(UCV_IOC_MAGIC, 0x00, struct ucv_info)
#define UCV_IOC_SNAPSHOT	_IOWR(UCV_IOC_MAGIC, 0x01, struct ucv_snapshot)
#define UCV_IOC_READ		_IOWR(UCV_IOC_MAGIC, 0x02, struct ucv_read)
#define UCV_IOC_LISTEN		_IOWR(UCV_IOC_MAGIC, 0x03, struct ucv_listen)

#endif /* _UAPI_UCOUNTVIEW_H */
