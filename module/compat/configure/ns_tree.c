// SPDX-License-Identifier: GPL-2.0
/* Are all namespaces of a type on an RCU-protected list? Since Linux 6.19, in this form. */
#include <linux/nstree.h>
#include <linux/user_namespace.h>

struct list_head *ucv_probe(struct ns_common *ns, struct ns_tree_root *root);
struct list_head *ucv_probe(struct ns_common *ns, struct ns_tree_root *root)
{
	ns->ns_tree_node.ns_list_entry = root->ns_list_head;
	return &ns->ns_tree_node.ns_list_entry;
}
