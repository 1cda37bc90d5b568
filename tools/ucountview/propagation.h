/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mount namespaces that get copies of the mounts that a process makes, and may be full.
 */
#ifndef _UCV_PROPAGATION_H
#define _UCV_PROPAGATION_H

#include <stddef.h>

#include "snapshot.h"

/**
 * struct receiver - a mount namespace that gets copies
 * @ns: the namespace
 * @point: where the process mounts what is copied there: the first such directory in the order
 *	of mountinfo, printable; allocated
 * @more: number of other such directories
 * @target: the mount there that gets the copies, or that all which do are below, as its example
 *	process sees it; allocated. NULL if there is none, or if a shell would misread its name
 */
struct receiver {
	const struct ucv_mntns *ns;
	char *point;
	size_t more;
	char *target;
};

/**
 * struct propagation - what is known of the namespaces that are nearly full
 * @receivers: those that get copies
 * @unknown: those of which it cannot be read whether they do
 */
struct propagation {
	struct receiver *receivers;
	size_t nr_receivers;
	const struct ucv_mntns **unknown;
	size_t nr_unknown;
};

void propagation_find(struct propagation *p, const struct snapshot *snap, unsigned int pid,
		      const struct ucv_mntns *own, double ratio);
void propagation_free(struct propagation *p);

#endif /* _UCV_PROPAGATION_H */
