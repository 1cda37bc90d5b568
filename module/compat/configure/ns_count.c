// SPDX-License-Identifier: GPL-2.0
/* Is the reference count a member of struct ns_common? Linux 5.11 to 6.17. */
#include <linux/ns_common.h>

refcount_t *ucv_probe(struct ns_common *ns);
refcount_t *ucv_probe(struct ns_common *ns)
{
	return &ns->count;
}
