/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Read /proc: processes, their namespaces, open files and mounts; and the switches of kprobes.
 */
#ifndef _UCV_PROCFS_H
#define _UCV_PROCFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>
#include <linux/types.h>
#include <uapi/ucountview.h>

/* Types of namespaces: two that arguments can name, then those that the module does not list. */
enum namespace_type {
	NS_USER,
	NS_MNT,
	NS_CGROUP,
	NS_IPC,
	NS_NET,
	NS_PID,
	NS_TIME,
	NS_UTS,
	NR_NS_TYPES,
};

#define NS_MASK(type)	(1U << (type))

/* A namespace, by the text of its link: "net:[4026531840]". */
struct ns_link {
	enum namespace_type type;
	__u32 inum;
};

/**
 * struct ns_relatives - what an open namespace tells about itself; 0 where it does not
 * @inum: its inode number
 * @owner: that of the user namespace that owns it; of a user namespace: its parent
 * @uid: creator of a user namespace; UCV_UID_UNMAPPED for other types
 * @parent: parent of a pid namespace, open; negative if there is none or it is not shown
 */
struct ns_relatives {
	__u32 inum;
	__u32 owner;
	__u32 uid;
	int parent;
};

bool ns_link_parse(const char *text, struct ns_link *link);
const char *namespace_name(enum namespace_type type);
const char *namespace_link(enum namespace_type type);
const char *namespace_resource(enum namespace_type type);
__u32 namespace_initial(enum namespace_type type);
__u32 namespace_inum(int fd);
int namespace_open(int dir, const char *name);
struct ns_relatives namespace_relatives(int fd, enum namespace_type type);
__u32 namespace_of_fd(int fd, enum namespace_type type, const char *name);

int proc_open(void);
unsigned int mount_of_fd(int fd);

/* In the initial namespaces: as an example of a process there, it says nothing of the others. */
#define INIT_PID	1

/**
 * struct process - a process, in the numbers of this program's namespaces
 * @uid: its real uid, which its threads are charged to
 * @euid: its effective uid, which other charges go to
 * @userns: inode number of its user namespace
 * @mntns: likewise of its mount namespace; 0 if it has exited
 * @ours: it descends from this program
 * @kernel: it is a kernel thread
 */
struct process {
	unsigned int pid;
	unsigned int ppid;
	__u32 uid;
	__u32 euid;
	unsigned int threads;
	__u32 userns;
	__u32 mntns;
	bool ours;
	bool kernel;
	char comm[UCV_COMM_LEN];
};

void process_read(struct process *proc, unsigned int pid);
int process_open_namespace(unsigned int pid, enum namespace_type type);
__u32 process_namespace(unsigned int pid, enum namespace_type type);
int process_open_mntns(unsigned int pid, __u32 inum);
__u32 process_mntns(unsigned int pid);
bool process_maps_root(unsigned int pid);
unsigned long long process_caps(unsigned int pid);
long long process_limit(unsigned int pid, const char *name);
unsigned long long process_started(unsigned int pid);
unsigned int process_nr_fds(unsigned int pid);
unsigned int process_pidns_level(unsigned int pid);
char *process_cgroup(unsigned int pid, const char *controller);
char *process_unit_cgroup(unsigned int pid);

bool kernel_setting(const char *name, long long *value);
bool kernel_files(long long *used, long long *limit);
bool kernel_threads(long long *used);

/* The fields of a line of mountinfo that are used; the texts are valid during the visit. */
struct mount_line {
	unsigned int id;
	unsigned int parent;
	const char *device;	/* the file system's: "98:0" */
	const char *root;	/* of the mount within the file system; of nsfs: as a link's text */
	const char *point;	/* where it is mounted, with octal escapes */
	unsigned int shared;	/* its peer group; 0 if it is in none */
	unsigned int master;	/* the group that it is a slave of; 0 if it is of none */
	unsigned int from;	/* the nearest group above @master that is shown, if that is not */
	const char *type;	/* of the file system */
	const char *source;	/* what it is on, as that says; with octal escapes */
};

typedef void (*mount_visitor)(void *arg, const struct mount_line *mount);

/* Called for a descriptor: its directory, its name and the text of its link. */
typedef void (*fd_visitor)(void *arg, int dir, const char *name, const char *text);

void mountinfo_visit(FILE *file, mount_visitor visit, void *arg);
void process_visit_mounts(unsigned int pid, mount_visitor visit, void *arg);
void process_visit_namespaces(unsigned int pid, unsigned int wanted, fd_visitor visit, void *arg);
void process_visit_fds(unsigned int pid, fd_visitor visit, void *arg);
void process_fds_warn(void);
char *mount_text(const char *field);
const char *mount_path_below(const char *path, const char *dir);
int process_open_mount(unsigned int pid, const char *point, bool may_hang);

/* All processes, sorted by PID. */
struct processes {
	struct process *list;
	size_t nr;
};

bool processes_known(void);
void processes_check_viewpoint(void);
void processes_read(struct processes *procs);
void processes_free(struct processes *procs);
const struct process *processes_find(const struct processes *procs, unsigned int pid);

/**
 * struct ns_file - a namespace of a type that the module does not list, and a file that pins it
 * @resource: what it is charged to
 * @userns: inode number of the user namespace that owns it
 * @fd: the file; negative if it is closed
 * @ours: a process that descends from this program is in it or has it open
 */
struct ns_file {
	const char *resource;
	__u32 inum;
	__u32 userns;
	int fd;
	bool ours;
};

/* All that were found, each once. */
struct ns_files {
	struct ns_file *list;
	size_t nr;
};

void ns_files_open(struct ns_files *files, const struct processes *procs);
void ns_files_let_go(struct ns_files *files);
void ns_files_close(struct ns_files *files);
struct ns_file *ns_files_find(const struct ns_files *files, const char *resource, __u32 inum);
bool ns_files_hold(const char *resource);

/**
 * struct mount_tree - a mount namespace as it is seen from a root directory (@dev, @ino)
 * @mntns: its inode number
 * @mounts: number of mounts, at least: those in mountinfo, and one above if that is hidden
 * @whole: the number is complete, as the root of the namespace is seen
 */
struct mount_tree {
	__u32 mntns;
	dev_t dev;
	ino_t ino;
	long long mounts;
	bool whole;
};

/* All that processes see, each once. */
struct mount_trees {
	struct mount_tree *list;
	size_t nr;
};

void mount_trees_read(struct mount_trees *trees, const struct processes *procs);

char *probes_trouble(void);

#endif /* _UCV_PROCFS_H */
