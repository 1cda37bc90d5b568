// SPDX-License-Identifier: GPL-2.0
/* Does a namespace have a unique 64-bit ID (ns_id)? Since Linux 6.18. */
#include <linux/user_namespace.h>

u64 ucv_probe(struct user_namespace *ns);
u64 ucv_probe(struct user_namespace *ns)
{
	return ns->ns.ns_id;
}
