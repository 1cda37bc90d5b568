// SPDX-License-Identifier: GPL-2.0
/*
 * Mount namespaces: where their members are, from BTF or fs/mount.h, and reading them.
 * See mntns.h.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/mount.h>
#include <linux/ns_common.h>
#include <linux/rbtree.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/user_namespace.h>

#include <uapi/ucountview.h>

#include "compat/btf.h"
#include "compat/features.h"
#include "compat/mntns.h"
#include "compat/mntns_layout.h"
#include "compat/ns_common.h"

struct ucv_mntns_layout ucv_mntns_layout;

/* One member: its structure's tag, name, type and size, and where its offset goes. */
struct ucv_member {
	const char *tag;
	const char *name;
	const char *type;
	u32 size;
	u32 *offset;
};

static int ucv_layout_member(const struct ucv_btf *btf, const struct ucv_member *member)
{
	struct ucv_btf_member found;

	if (ucv_btf_member(btf, member->tag, member->name, &found))
		return -ENOENT;
	if (found.size != member->size || strcmp(found.tag, member->type)) {
		pr_warn("mounts are not available: %s.%s is %s of %u bytes in this kernel, not %s of %u bytes\n",
			member->tag, member->name, found.tag, found.size, member->type,
			member->size);
		return -EINVAL;
	}
	*member->offset = found.offset;
	return 0;
}

static void ucv_layout_lacks(const struct ucv_member *member)
{
	pr_warn("mounts are not available: no %s.%s in the kernel's BTF\n", member->tag,
		member->name);
}

static int ucv_layout_needed(const struct ucv_btf *btf, const struct ucv_member *member)
{
	int ret = ucv_layout_member(btf, member);

	if (ret == -ENOENT)
		ucv_layout_lacks(member);
	return ret;
}

static int ucv_layout_id(const struct ucv_btf *btf, struct ucv_mntns_layout *layout)
{
	const struct ucv_member seq = { "mnt_namespace", "seq", "u64", sizeof(u64),
					&layout->id };

	if (!UCV_NS_HAS_ID)
		return ucv_layout_needed(btf, &seq);
	layout->id = layout->ns + UCV_NS_ID_OFFSET;
	return 0;
}

static int ucv_layout_from_btf(const struct ucv_btf *btf, struct ucv_mntns_layout *layout)
{
	const struct ucv_member needed[] = {
		{ "mnt_namespace", "ns", "ns_common", sizeof(struct ns_common), &layout->ns },
		{ "mnt_namespace", "user_ns", "user_namespace", sizeof(void *), &layout->user_ns },
		{ "mnt_namespace", "ucounts", "ucounts", sizeof(void *), &layout->ucounts },
		{ "mnt_namespace", "pending_mounts", "unsigned int", sizeof(int),
		  &layout->pending },
		{ "mount", "mnt", "vfsmount", sizeof(struct vfsmount), &layout->vfsmount },
	};
	const struct ucv_member optional[] = {
		{ "mnt_namespace", "mnt_ns_tree_node", "rb_node", sizeof(struct rb_node),
		  &layout->tree_node },
		{ "mnt_namespace", "mnt_ns_list", "list_head", sizeof(struct list_head),
		  &layout->list_node },
		{ "mnt_namespace", "mnt_ns_rcu", "callback_head", sizeof(struct rcu_head),
		  &layout->rcu },
		{ "mount", "mnt_instance", "list_head", sizeof(struct list_head),
		  &layout->instance },
		{ "mount", "mnt_parent", "mount", sizeof(void *), &layout->parent },
		{ "mount", "mnt_mounts", "list_head", sizeof(struct list_head),
		  &layout->children },
		{ "mount", "mnt_child", "list_head", sizeof(struct list_head),
		  &layout->sibling },
	};
	/* "mounts" was the number until nr_mounts was added, and is a tree since. */
	const struct ucv_member nr_mounts = { "mnt_namespace", "nr_mounts", "unsigned int",
					      sizeof(int), &layout->mounts };
	const struct ucv_member mounts = { "mnt_namespace", "mounts", "unsigned int",
					   sizeof(int), &layout->mounts };
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(needed); i++) {
		ret = ucv_layout_needed(btf, &needed[i]);
		if (ret)
			return ret;
	}
	ret = ucv_layout_id(btf, layout);
	if (ret)
		return ret;
	for (i = 0; i < ARRAY_SIZE(optional); i++) {
		ret = ucv_layout_member(btf, &optional[i]);
		if (ret && ret != -ENOENT)
			return ret;
	}
	ret = ucv_layout_member(btf, &nr_mounts);
	if (ret == -ENOENT)
		ret = ucv_layout_member(btf, &mounts);
	if (ret == -ENOENT)
		ucv_layout_lacks(&nr_mounts);
	return ret;
}

#if UCV_HAVE_FS_MOUNT_H

#include <../fs/mount.h>

static int ucv_layout_from_header(struct ucv_mntns_layout *layout)
{
	layout->ns = offsetof(struct mnt_namespace, ns);
	layout->user_ns = offsetof(struct mnt_namespace, user_ns);
	layout->ucounts = offsetof(struct mnt_namespace, ucounts);
	layout->id = offsetof(struct mnt_namespace, UCV_MNTNS_ID);
	layout->pending = offsetof(struct mnt_namespace, pending_mounts);
	layout->vfsmount = offsetof(struct mount, mnt);
	layout->parent = offsetof(struct mount, mnt_parent);
	layout->children = offsetof(struct mount, mnt_mounts);
	layout->sibling = offsetof(struct mount, mnt_child);
	layout->instance = UCV_MOUNT_INSTANCE;
	static_assert(sizeof(((struct mnt_namespace *)NULL)->pending_mounts) == sizeof(int));
#if UCV_HAVE_MNTNS_NR_MOUNTS
	static_assert(sizeof(((struct mnt_namespace *)NULL)->nr_mounts) == sizeof(int));
	layout->mounts = offsetof(struct mnt_namespace, nr_mounts);
#else
	static_assert(sizeof(((struct mnt_namespace *)NULL)->mounts) == sizeof(int));
	layout->mounts = offsetof(struct mnt_namespace, mounts);
#endif
#if UCV_HAVE_MNTNS_TREE_NODE
	layout->tree_node = offsetof(struct mnt_namespace, mnt_ns_tree_node);
#endif
#if UCV_HAVE_MNTNS_LIST
	layout->list_node = offsetof(struct mnt_namespace, mnt_ns_list);
#endif
#if UCV_HAVE_MNTNS_RCU
	layout->rcu = offsetof(struct mnt_namespace, mnt_ns_rcu);
#endif
	if (ucv_btf_trouble())
		pr_warn("%s; using the layout of mounts in fs/mount.h\n", ucv_btf_trouble());
	return 0;
}

#else

static int ucv_layout_from_header(struct ucv_mntns_layout *layout)
{
	if (ucv_btf_trouble())
		pr_warn("mounts are not available: %s\n", ucv_btf_trouble());
	else
		pr_info("mounts are not available: no BTF; the kernel needs CONFIG_DEBUG_INFO_BTF, or the module a build in a full kernel tree\n");
	return -EOPNOTSUPP;
}

#endif

/**
 * ucv_mntns_find_layout() - find the members
 * @btf: from ucv_btf_open(), or NULL if the kernel has none
 *
 * Context: process context, at load.
 * Return: 0, or a negative error after a line in the log that says why
 */
int ucv_mntns_find_layout(const struct ucv_btf *btf)
{
	memset32((u32 *)&ucv_mntns_layout, UCV_ABSENT, sizeof(ucv_mntns_layout) / sizeof(u32));
	return btf ? ucv_layout_from_btf(btf, &ucv_mntns_layout) :
		     ucv_layout_from_header(&ucv_mntns_layout);
}

/* The user that a namespace is charged to. mntns.h says why it is read this way. */
static int ucv_mntns_charged(struct mnt_namespace *ns, struct ucv_mntns_facts *facts)
{
	struct ucounts *ucounts = *(struct ucounts **)((void *)ns + ucv_mntns_layout.ucounts);
	kuid_t uid;

	facts->charged = ucounts;
	facts->uid = UCV_UID_UNMAPPED;
	if (!ucounts)
		return 0;
	if (get_kernel_nofault(uid, &ucounts->uid))
		return -EFAULT;
	facts->uid = __kuid_val(uid);
	return 0;
}

/**
 * ucv_mntns_read() - read the state of a mount namespace
 * @ns: its memory is pinned by the caller: by a lock, RCU or a reference
 * @facts: out
 *
 * Context: any. Does not sleep.
 * Return: 0, or -EFAULT if it is dying
 */
int ucv_mntns_read(struct mnt_namespace *ns, struct ucv_mntns_facts *facts)
{
	if (ucv_mntns_charged(ns, facts))
		return -EFAULT;
	facts->id = ucv_mntns_id(ns);
	facts->inum = ucv_mntns_common(ns)->inum;
	/* Written plainly under namespace_sem, which a walk does not take: two samples. */
	facts->mounts = data_race(READ_ONCE(*(u32 *)((void *)ns + ucv_mntns_layout.mounts)));
	/* Likewise. */
	facts->pending = data_race(READ_ONCE(*(u32 *)((void *)ns + ucv_mntns_layout.pending)));
	facts->user_ns = *(struct user_namespace **)((void *)ns + ucv_mntns_layout.user_ns);
	return 0;
}
