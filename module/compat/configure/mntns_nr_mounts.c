// SPDX-License-Identifier: GPL-2.0
/* In a full tree: is the number of mounts called nr_mounts? Since Linux 6.8. */
#include <../fs/mount.h>

unsigned int *ucv_probe(struct mnt_namespace *ns);
unsigned int *ucv_probe(struct mnt_namespace *ns)
{
	return &ns->nr_mounts;
}
