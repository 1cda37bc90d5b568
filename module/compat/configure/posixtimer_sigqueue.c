// SPDX-License-Identifier: GPL-2.0
/* Does a POSIX timer contain its signal? Since Linux 6.13; before, it allocates one. */
#include <linux/posix-timers.h>

bool ucv_probe(struct sigqueue *q);
bool ucv_probe(struct sigqueue *q)
{
	return posixtimer_init_sigqueue(q);
}
