// SPDX-License-Identifier: GPL-2.0
/* In a full tree: are mount namespaces in a tree of their own? Linux 6.11 to 6.17. */
#include <../fs/mount.h>

struct rb_node *ucv_probe(struct mnt_namespace *ns);
struct rb_node *ucv_probe(struct mnt_namespace *ns)
{
	return &ns->mnt_ns_tree_node;
}
