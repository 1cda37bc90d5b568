// SPDX-License-Identifier: GPL-2.0
/* Do the headers compile at all? */
#include <linux/cred.h>
#include <linux/sched.h>
#include <linux/user_namespace.h>

int ucv_probe(void);
int ucv_probe(void)
{
	return init_user_ns.level + UCOUNT_COUNTS;
}
