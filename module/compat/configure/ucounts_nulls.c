// SPDX-License-Identifier: GPL-2.0
/* Is the ucounts table made of nulls lists, with RCU lookups? Since Linux 6.15. */
#include <linux/user_namespace.h>

struct hlist_nulls_node *ucv_probe(struct ucounts *ucounts);
struct hlist_nulls_node *ucv_probe(struct ucounts *ucounts)
{
	return &ucounts->node;
}
