/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Read /proc: processes, their namespaces, open files and mounts; and the switches of kprobes.
 */
#ifndef _UCV_PROCFS_H
#define _UCV_PROCFS_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>
#include <uapi/ucountview.h>

/**
 * enum ns_type - a namespace type that arguments can name
 * @NS_USER: user namespaces
 * @NS_MNT: mount namespaces
 */
enum ns_type {
	NS_USER,
	NS_MNT,
};

/**
 * struct process - what a charge needs to know about a process
 * @pid: its PID, as this program's pid namespace sees it
 * @euid: its effective uid, as this program's user namespace sees it
 * @userns: inode number of its user namespace
 * @mntns: inode number of its mount namespace; 0 if it has exited
 */
struct process {
	unsigned int pid;
	__u32 euid;
	__u32 userns;
	__u32 mntns;
};

void process_read(struct process *process, unsigned int pid);
__u32 process_namespace(unsigned int pid, enum ns_type type);
bool process_maps_root(unsigned int pid);
const char *namespace_name(enum ns_type type);
__u32 namespace_of_fd(int fd, enum ns_type type, const char *name);

/**
 * struct seen_process - a process
 * @pid: its PID
 * @ppid: its parent's
 * @uid: its real uid, which its threads are charged to
 * @threads: number of threads
 * @userns: inode number of its user namespace
 * @mntns: inode number of its mount namespace; 0 if it has exited
 * @ours: it descends from this program
 * @kernel: it is a kernel thread
 * @comm: its command
 */
struct seen_process {
	unsigned int pid;
	unsigned int ppid;
	__u32 uid;
	unsigned int threads;
	__u32 userns;
	__u32 mntns;
	bool ours;
	bool kernel;
	char comm[UCV_COMM_LEN];
};

/**
 * struct processes - all of them
 * @list: sorted by PID
 * @nr: how many
 */
struct processes {
	struct seen_process *list;
	size_t nr;
};

/* Size of a namespace type's name, with its terminating NUL. */
#define NS_TYPE_LEN	16

/**
 * struct mount_line - the fields of a line of mountinfo that are used
 * @id: the mount
 * @parent: its parent
 * @root: root of the mount within the file system; truncated
 */
struct mount_line {
	unsigned int id;
	unsigned int parent;
	char root[64];
};

typedef void (*mount_visitor)(void *arg, const struct mount_line *mount);

/* Called for a descriptor: its directory, its name and the text of its link. */
typedef void (*fd_visitor)(void *arg, int dir, const char *name, const char *text);

void processes_check_viewpoint(void);
void processes_read(struct processes *procs);
void processes_free(struct processes *procs);
const struct seen_process *processes_find(const struct processes *procs, unsigned int pid);
bool namespace_in_text(const char *text, char type[NS_TYPE_LEN], __u32 *inum);
void process_visit_mounts(unsigned int pid, mount_visitor visit, void *arg);
void process_visit_fds(unsigned int pid, fd_visitor visit, void *arg);
void process_fds_warn(void);

/**
 * struct ns_file - a namespace, and a file that pins it
 * @type: index of its type, see ns_type_resource()
 * @inum: its inode number
 * @userns: inode number of the user namespace that owns it
 * @fd: the file; negative if it is closed
 * @ours: a process that descends from this program is in it or has it open
 */
struct ns_file {
	size_t type;
	__u32 inum;
	__u32 userns;
	int fd;
	bool ours;
};

/**
 * struct ns_files - all namespaces that were found
 * @list: each namespace once
 * @nr: how many
 */
struct ns_files {
	struct ns_file *list;
	size_t nr;
};

void ns_files_open(struct ns_files *files, const struct processes *procs);
void ns_files_let_go(struct ns_files *files);
void ns_files_close(struct ns_files *files);
struct ns_file *ns_files_find(const struct ns_files *files, size_t type, __u32 inum);
const char *ns_type_resource(size_t type);

/**
 * struct mount_tree - a mount namespace as a process in it sees it
 * @mntns: inode number of the mount namespace
 * @mounts: number of mounts, at least: those in mountinfo, and one above if that is hidden
 * @whole: the number is complete, as the process sees the root of the namespace
 */
struct mount_tree {
	__u32 mntns;
	long long mounts;
	bool whole;
};

/**
 * struct mount_trees - all mount namespaces that processes are in
 * @list: each mount namespace once
 * @nr: how many
 */
struct mount_trees {
	struct mount_tree *list;
	size_t nr;
};

void mount_trees_read(struct mount_trees *trees, const struct processes *procs);
void mount_trees_free(struct mount_trees *trees);

char *probes_trouble(void);

#endif /* _UCV_PROCFS_H */
