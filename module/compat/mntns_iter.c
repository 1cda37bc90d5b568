// SPDX-License-Identifier: GPL-2.0
/*
 * Mount namespaces: how all of them are found, and what pins each. See mntns.h.
 */
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/mount.h>
#include <linux/ns_common.h>
#include <linux/nsproxy.h>
#include <linux/proc_ns.h>
#include <linux/rbtree.h>
#include <linux/rculist.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/seqlock.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/user_namespace.h>

#include <uapi/linux/magic.h>

#include "compat/btf.h"
#include "compat/features.h"
#include "compat/files.h"
#include "compat/locks.h"
#include "compat/mntns.h"
#include "compat/mntns_layout.h"
#include "compat/ns_common.h"
#include "compat/symbols.h"
#include "section_timer.h"

#if UCV_HAVE_NS_TREE
#include <linux/nstree.h>
#endif

/* Namespaces visited before the lock, or the RCU read section, is left. */
#define UCV_MNTNS_BATCH		64

/* Cost in steps of a visit from a file, in addition to that of the file. */
#define UCV_MNTNS_STEPS		48

/* All of these are set at load and constant afterwards. */
static bool ucv_usable;
static const unsigned int *ucv_mount_max;
static const struct proc_ns_operations *ucv_mntns_ops;
static struct rb_root *ucv_tree; /* all namespaces by ID; or NULL */
static rwlock_t *ucv_tree_lock; /* the kernel's: protects the tree, if there is no list */
static struct list_head *ucv_list; /* all of the tree in its order, RCU-protected; or NULL */
static seqlock_t *ucv_list_lock; /* the kernel's: excludes changes of the tree and the list */
static struct super_block *ucv_nsfs;
static seqlock_t *ucv_mount_lock;

static struct mnt_namespace *ucv_mntns_of(struct ns_common *common)
{
	return (void *)common - ucv_mntns_layout.ns;
}

/* Read a namespace whose memory a lock or RCU pins. Returns false if it is dying. */
static bool ucv_mntns_read_live(struct mnt_namespace *ns, struct ucv_mntns_facts *facts)
{
	if (ucv_mntns_read(ns, facts))
		return false;
	smp_rmb(); /* read all of the above before the reference count */
	return !ucv_ns_is_dead(ucv_mntns_common(ns));
}

static int ucv_mntns_visit_one(struct mnt_namespace *ns, ucv_mntns_visit visit, void *arg)
{
	struct ucv_mntns_facts facts;

	return ucv_mntns_read_live(ns, &facts) ? visit(&facts, arg) : 0;
}

static struct list_head *ucv_list_next(struct list_head *node)
{
	return rcu_dereference(list_next_rcu(node));
}

static struct mnt_namespace *ucv_list_entry(struct list_head *node)
{
	return (void *)node - ucv_mntns_layout.list_node;
}

static struct mnt_namespace *ucv_tree_entry(struct rb_node *node)
{
	return (void *)node - ucv_mntns_layout.tree_node;
}

/* The first node with a higher ID. Whatever lock there is keeps the tree as it is. */
static struct rb_node *ucv_tree_after(u64 after)
{
	struct rb_node *node = ucv_tree->rb_node, *found = NULL;

	if (ucv_list)
		lockdep_assert_held(&ucv_list_lock->lock);
	else
		lockdep_assert_held_read(ucv_tree_lock);
	while (node) {
		if (ucv_mntns_id(ucv_tree_entry(node)) > after) {
			found = node;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return found;
}

/*
 * The first node of the list with a higher ID, or its head. Writers are excluded for a
 * look-up only: what is in the tree then is on the list, and RCU pins it from then on.
 */
static struct list_head *ucv_list_after(u64 after)
{
	struct rb_node *node;

	RCU_LOCKDEP_WARN(!rcu_read_lock_held(), "the namespace found is pinned by RCU");
	read_seqlock_excl(ucv_list_lock);
	node = ucv_tree_after(after);
	read_sequnlock_excl(ucv_list_lock);
	if (!node)
		return ucv_list;
	return (void *)ucv_tree_entry(node) + ucv_mntns_layout.list_node;
}

/*
 * Visit one batch and leave its end in *after. RCU pins each namespace on the list, which
 * is freed a grace period after its removal; the next one of one that has been removed is
 * still a way back to the list, which is in the order of IDs. A batch does not end with a
 * dying one, which may have no ID any more: in 6.18 its rcu_head is in the same place.
 */
static int ucv_visit_list_batch(u64 *after, ucv_mntns_visit visit, void *arg,
				struct ucv_section_timer *timer)
{
	struct ucv_mntns_facts facts;
	struct list_head *node;
	unsigned int n = 0;
	int ret = 0;

	rcu_read_lock();
	ucv_section_begin(timer);
	for (node = ucv_list_after(*after); node != ucv_list && n < UCV_MNTNS_BATCH && !ret;
	     node = ucv_list_next(node)) {
		if (!ucv_mntns_read_live(ucv_list_entry(node), &facts))
			continue;
		n++;
		ret = visit(&facts, arg);
		if (!ret)
			*after = facts.id;
	}
	ucv_section_end(timer);
	rcu_read_unlock();
	return ret ? ret : node != ucv_list ? -EAGAIN : 0;
}

/* The same without a list. Nothing leaves the tree under its lock. */
static int ucv_visit_tree_batch(u64 *after, ucv_mntns_visit visit, void *arg,
				struct ucv_section_timer *timer)
{
	struct rb_node *node;
	unsigned int n = 0;
	int ret = 0;

	read_lock(ucv_tree_lock);
	ucv_section_begin(timer);
	for (node = ucv_tree_after(*after); node && n < UCV_MNTNS_BATCH && !ret;
	     node = rb_next(node), n++) {
		ret = ucv_mntns_visit_one(ucv_tree_entry(node), visit, arg);
		if (!ret)
			*after = ucv_mntns_id(ucv_tree_entry(node));
	}
	ucv_section_end(timer);
	read_unlock(ucv_tree_lock);
	return ret ? ret : node ? -EAGAIN : 0;
}

/**
 * ucv_mntns_visit_listed() - visit the mount namespaces that the kernel lists
 * @after: only those with a higher ID
 * @visit: called for each at most once, in the order of their IDs
 * @arg: for @visit
 * @timer: records how long the lock or RCU is held
 *
 * Context: process context, no locks held, ucv_mntns_listed() is true. May sleep.
 * Return: 0, or what @visit returned to stop
 */
int ucv_mntns_visit_listed(u64 after, ucv_mntns_visit visit, void *arg,
			   struct ucv_section_timer *timer)
{
	int ret;

	do {
		ret = ucv_list ? ucv_visit_list_batch(&after, visit, arg, timer) :
				 ucv_visit_tree_batch(&after, visit, arg, timer);
		cond_resched();
	} while (ret == -EAGAIN);
	return ret;
}

/**
 * ucv_mntns_visit_task() - visit the mount namespace of a task
 * @task: pinned by the caller's RCU read section
 * @visit: called for it, unless the task is exiting
 * @arg: for @visit
 *
 * task_lock() pins the task's nsproxy, which pins the namespace.
 *
 * Context: any. Takes task_lock().
 * Return: 0, or what @visit returned to stop
 */
int ucv_mntns_visit_task(struct task_struct *task, ucv_mntns_visit visit, void *arg)
{
	int ret = 0;

	RCU_LOCKDEP_WARN(!rcu_read_lock_held(), "the task is pinned by RCU");
	task_lock(task);
	if (task->nsproxy && task->nsproxy->mnt_ns)
		ret = ucv_mntns_visit_one(task->nsproxy->mnt_ns, visit, arg);
	task_unlock(task);
	return ret;
}

/* The mount namespace of an nsfs inode; NULL if the inode is anything else. */
static struct mnt_namespace *ucv_mntns_of_inode(const struct inode *inode)
{
	struct ns_common *common;

	if (!inode || inode->i_sb != ucv_nsfs)
		return NULL;
	common = inode->i_private;
	if (!common || common->ops != ucv_mntns_ops)
		return NULL;
	return ucv_mntns_of(common);
}

/* The arguments of ucv_mntns_visit_files() for its callback. */
struct ucv_mntns_request {
	struct ucv_files_pos *pos;
	ucv_mntns_visit visit;
	void *arg;
};

/* A ucv_file_visit. */
static int ucv_mntns_visit_file(struct file *file, unsigned int fd, unsigned int nr, void *arg)
{
	const struct ucv_mntns_request *request = arg;
	struct mnt_namespace *ns = ucv_mntns_of_inode(file_inode(file));

	if (!ns)
		return 0;
	ucv_files_use_steps(request->pos, UCV_MNTNS_STEPS);
	return ucv_mntns_visit_one(ns, request->visit, request->arg);
}

/**
 * ucv_mntns_visit_files() - visit the mount namespaces that a task has open
 * @task: pinned by the caller's RCU read section
 * @pos: in: the first descriptor to visit; out: where to resume
 * @visit: called for each
 * @arg: for @visit
 *
 * Does a bounded amount of work, see ucv_files_visit(). The file table's lock pins the
 * file, the file its inode, and the inode the namespace.
 *
 * Context: any but with a file table's lock held. Takes task_lock().
 * Return: 0 if all files have been visited, -EAGAIN if there may be more, or what
 *	@visit returned to stop
 */
int ucv_mntns_visit_files(struct task_struct *task, struct ucv_files_pos *pos,
			  ucv_mntns_visit visit, void *arg)
{
	struct ucv_mntns_request request = { .pos = pos, .visit = visit, .arg = arg };

	return ucv_files_visit(task, pos, ucv_mntns_visit_file, &request);
}

/**
 * ucv_mntns_visit_binds() - visit the mount namespaces that bind mounts pin
 * @visit: called for each; for some more than once
 * @arg: for @visit
 * @timer: records how long the lock is held
 *
 * mount_lock pins the list of nsfs mounts; a mount on it pins its root, the root its
 * inode, and the inode the namespace.
 *
 * Context: process context, no locks held.
 * Return: 0, or what @visit returned to stop
 */
int ucv_mntns_visit_binds(ucv_mntns_visit visit, void *arg, struct ucv_section_timer *timer)
{
	struct list_head *pos, *mounts = ucv_sb_mounts(ucv_nsfs);
	int ret = 0;

	if (!mounts)
		return 0;
	read_seqlock_excl(ucv_mount_lock);
	ucv_section_begin(timer);
	list_for_each(pos, mounts) {
		const struct vfsmount *mnt = (void *)pos - ucv_mntns_layout.instance +
					     ucv_mntns_layout.vfsmount;
		struct mnt_namespace *ns = ucv_mntns_of_inode(d_inode(mnt->mnt_root));

		ret = ns ? ucv_mntns_visit_one(ns, visit, arg) : 0;
		if (ret)
			break;
	}
	ucv_section_end(timer);
	read_sequnlock_excl(ucv_mount_lock);
	return ret;
}

/**
 * ucv_mntns_available() - can mount namespaces be walked on this kernel?
 *
 * Return: false if something is missing; the log says what
 */
bool ucv_mntns_available(void)
{
	return ucv_usable;
}

/**
 * ucv_mntns_listed() - does the kernel list all its mount namespaces?
 *
 * Return: true for ucv_mntns_visit_listed(); false if they must be found through
 *	their holders
 */
bool ucv_mntns_listed(void)
{
	return ucv_tree;
}

/**
 * ucv_mntns_limit() - maximum number of mounts in a mount namespace
 *
 * Return: fs.mount-max
 */
u32 ucv_mntns_limit(void)
{
	return READ_ONCE(*ucv_mount_max);
}

/* A list is looked up in by its tree, while its lock excludes writers. */
static int ucv_use_list(struct rb_root *tree, struct list_head *list, seqlock_t *lock)
{
	if (!tree || !list || !lock)
		return -ENOENT;
	if (!ucv_seqlock_works(lock)) {
		pr_warn("mounts are not available: self-test of the lock of mnt_ns_tree failed: cannot take it as a seqlock\n");
		return -EOPNOTSUPP;
	}
	ucv_tree = tree;
	ucv_list = list;
	ucv_list_lock = lock;
	return 0;
}

/*
 * Choose how to enumerate mount namespaces. The name of a lock does not tell its type, and
 * mnt_ns_tree_lock has had two. The members that came with each form do: see mntns.h.
 */
#if UCV_HAVE_NS_TREE

static int ucv_find_all(const struct ucv_btf *btf)
{
	struct ns_tree_root *root;

	if (btf && (UCV_BTF_EXPECT(btf, ns_tree_root, ns_list_head) ||
		    UCV_BTF_EXPECT(btf, ns_tree_root, ns_rb)))
		return -EOPNOTSUPP;
	root = ucv_symbol("mnt_ns_tree", sizeof(*root));
	if (!root)
		return -ENOENT;
	ucv_mntns_layout.list_node = ucv_mntns_layout.ns +
			       offsetof(struct ns_common, ns_tree_node.ns_list_entry);
	ucv_mntns_layout.tree_node = ucv_mntns_layout.ns +
			       offsetof(struct ns_common, ns_tree_node.ns_node);
	return ucv_use_list(&root->ns_rb, &root->ns_list_head,
			    ucv_symbol("ns_tree_lock", sizeof(seqlock_t)));
}

#elif UCV_HAVE_NS_LIST_NODE

static int ucv_find_all(const struct ucv_btf *btf)
{
	struct ucv_btf_member head, root, lock;
	void *tree;

	if (!btf || ucv_btf_member(btf, "ns_tree", "ns_list", &head) ||
	    strcmp(head.tag, "list_head") ||
	    ucv_btf_member(btf, "ns_tree", "ns_tree", &root) || strcmp(root.tag, "rb_root") ||
	    ucv_btf_member(btf, "ns_tree", "ns_tree_lock", &lock) ||
	    lock.size != sizeof(seqlock_t)) {
		pr_warn("mounts are not available: no ns_list, ns_tree or ns_tree_lock of ns_tree in the kernel's BTF\n");
		return -EOPNOTSUPP;
	}
	tree = ucv_symbol("mnt_ns_tree", max3(head.offset + head.size, root.offset + root.size,
					      lock.offset + lock.size));
	if (!tree)
		return -ENOENT;
	ucv_mntns_layout.list_node = ucv_mntns_layout.ns + offsetof(struct ns_common, ns_list_node);
	ucv_mntns_layout.tree_node = ucv_mntns_layout.ns + offsetof(struct ns_common, ns_tree_node);
	return ucv_use_list(tree + root.offset, tree + head.offset, tree + lock.offset);
}

#else

static int ucv_find_nsfs(void)
{
	struct vfsmount **mnt = ucv_symbol("nsfs_mnt", sizeof(*mnt));
	struct super_block *sb;
	unsigned long magic;

	ucv_mount_lock = ucv_symbol("mount_lock", sizeof(*ucv_mount_lock));
	if (!mnt || !ucv_mount_lock)
		return -ENOENT;
	if (get_kernel_nofault(sb, &(*mnt)->mnt_sb) || get_kernel_nofault(magic, &sb->s_magic) ||
	    magic != NSFS_MAGIC) {
		pr_warn("mounts are not available: nsfs_mnt self-test failed: it is not the mount of nsfs\n");
		return -EOPNOTSUPP;
	}
	if (!ucv_seqlock_works(ucv_mount_lock)) {
		pr_warn("mounts are not available: mount_lock self-test failed: cannot take it as a seqlock\n");
		return -EOPNOTSUPP;
	}
	ucv_nsfs = sb;
	return 0;
}

static int ucv_find_tree(void)
{
	ucv_tree = ucv_symbol("mnt_ns_tree", sizeof(*ucv_tree));
	ucv_tree_lock = ucv_symbol("mnt_ns_tree_lock", sizeof(*ucv_tree_lock));
	if (!ucv_tree || !ucv_tree_lock)
		return -ENOENT;
	if (!ucv_rwlock_works(ucv_tree_lock)) {
		pr_warn("mounts are not available: mnt_ns_tree_lock self-test failed: cannot take it as a rwlock\n");
		return -EOPNOTSUPP;
	}
	return 0;
}

static int ucv_find_all(const struct ucv_btf *btf)
{
	bool has_tree = ucv_mntns_layout.tree_node != UCV_ABSENT;
	bool has_list = ucv_mntns_layout.list_node != UCV_ABSENT;
	bool has_rcu = ucv_mntns_layout.rcu != UCV_ABSENT;

	if (has_tree && has_list && has_rcu)
		return ucv_use_list(ucv_symbol("mnt_ns_tree", sizeof(struct rb_root)),
				    ucv_symbol("mnt_ns_list", sizeof(struct list_head)),
				    ucv_symbol("mnt_ns_tree_lock", sizeof(seqlock_t)));
	if (has_tree && !has_list && !has_rcu)
		return ucv_find_tree();
	if (UCV_SB_HAS_LIST && ucv_mntns_layout.instance != UCV_ABSENT && !has_list && !has_rcu &&
	    !ucv_symbol_optional("mnt_ns_tree") && !ucv_symbol_optional("mnt_ns_list"))
		return btf && ucv_files_check_layout(btf) ? -EOPNOTSUPP : ucv_find_nsfs();
	pr_warn("mounts are not available: unsupported struct mnt_namespace (with%s%s%s)\n",
		has_tree ? " mnt_ns_tree_node" : "", has_list ? " mnt_ns_list" : "",
		has_rcu ? " mnt_ns_rcu" : "");
	return -EOPNOTSUPP;
}

#endif

/* A ucv_mntns_visit: is this the namespace described by @arg? */
static int ucv_mntns_compare(const struct ucv_mntns_facts *facts, void *arg)
{
	const struct ucv_mntns_facts *wanted = arg;

	return facts->id == wanted->id && facts->inum == wanted->inum &&
	       facts->user_ns == wanted->user_ns ? 1 : -ENOENT;
}

/*
 * The initial mount namespace must look like one, and be found by enumeration. The nsproxy
 * of the first task, which never leaves it, pins it.
 */
static bool ucv_mntns_selftest(void)
{
	struct mnt_namespace *ns = init_task.nsproxy->mnt_ns;
	struct ucv_mntns_facts facts;
	struct ucv_section_timer timer = {};

	if (ucv_mntns_common(ns)->ops != ucv_mntns_ops || ucv_mntns_read(ns, &facts))
		return false;
	if (!facts.id || !facts.mounts || facts.user_ns != &init_user_ns)
		return false;
	if (!ucv_mntns_listed())
		return true;
	return ucv_mntns_visit_listed(facts.id - 1, ucv_mntns_compare, &facts, &timer) == 1;
}

/**
 * ucv_mntns_init() - find out how to enumerate mount namespaces
 * @btf: from ucv_btf_open(), or NULL if the kernel has none
 *
 * If it is not possible, one line in the log says why, and all else works.
 *
 * Context: process context, at load.
 */
void ucv_mntns_init(const struct ucv_btf *btf)
{
	if (ucv_mntns_find_layout(btf))
		return;
	ucv_mount_max = ucv_symbol("sysctl_mount_max", sizeof(*ucv_mount_max));
	ucv_mntns_ops = ucv_symbol("mntns_operations", sizeof(*ucv_mntns_ops));
	if (!ucv_mount_max || !ucv_mntns_ops || ucv_find_all(btf))
		return;
	if (!ucv_mntns_selftest()) {
		pr_warn("mounts are not available: self-test failed: initial mount namespace not found, or its members are implausible\n");
		return;
	}
	ucv_usable = true;
}
