// SPDX-License-Identifier: GPL-2.0
/*
 * Is a user namespace freed after an RCU grace period? Since Linux 6.18 ("ns: use RCU
 * ..."): kfree_rcu() of every namespace uses this member.
 */
#include <linux/user_namespace.h>

struct rcu_head *ucv_probe(struct user_namespace *ns);
struct rcu_head *ucv_probe(struct user_namespace *ns)
{
	return &ns->ns.ns_rcu;
}
