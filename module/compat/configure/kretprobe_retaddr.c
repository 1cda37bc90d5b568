// SPDX-License-Identifier: GPL-2.0
/* Does a function tell where a kretprobe's function returns to? Since Linux 5.18. */
#include <linux/kprobes.h>

unsigned long ucv_probe(struct kretprobe_instance *ri);
unsigned long ucv_probe(struct kretprobe_instance *ri)
{
	return get_kretprobe_retaddr(ri);
}
