// SPDX-License-Identifier: GPL-2.0
/* In a full tree: are mount namespaces freed after a grace period? Linux 6.14 to 6.17. */
#include <../fs/mount.h>

struct rcu_head *ucv_probe(struct mnt_namespace *ns);
struct rcu_head *ucv_probe(struct mnt_namespace *ns)
{
	return &ns->mnt_ns_rcu;
}
