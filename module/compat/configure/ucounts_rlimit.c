// SPDX-License-Identifier: GPL-2.0
/* Do the rlimit counters have an array of their own? Since Linux 6.0. */
#include <linux/user_namespace.h>

atomic_long_t *ucv_probe(struct ucounts *ucounts);
atomic_long_t *ucv_probe(struct ucounts *ucounts)
{
	return &ucounts->rlimit[UCOUNT_RLIMIT_COUNTS - 1];
}
