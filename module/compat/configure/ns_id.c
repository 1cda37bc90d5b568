// SPDX-License-Identifier: GPL-2.0
/* Has a namespace a 64-bit identifier that is never used again? Since Linux 6.18. */
#include <linux/user_namespace.h>

u64 ucv_probe(struct user_namespace *ns);
u64 ucv_probe(struct user_namespace *ns)
{
	return ns->ns.ns_id;
}
