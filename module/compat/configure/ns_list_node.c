// SPDX-License-Identifier: GPL-2.0
/* Are all namespaces of a type on an RCU-protected list? Linux 6.18, in this form. */
#include <linux/user_namespace.h>

struct list_head *ucv_probe(struct user_namespace *ns);
struct list_head *ucv_probe(struct user_namespace *ns)
{
	return &ns->ns.ns_list_node;
}
