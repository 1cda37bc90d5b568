// SPDX-License-Identifier: GPL-2.0
/*
 * The error that a program gets when a limit is reached, and the sysctl that is the limit: facts
 * about the kernel (5.10 to 7.3) that none of its interfaces tells.
 */
#include <errno.h>
#include <string.h>

#include "resource_info.h"
#include "ucountview.h"

/*
 * The fs.* sysctls and user.max_* of the initial user namespace are the same variables:
 * init_user_ns.ucount_max[]. Other user namespaces have no fs.* ones.
 */
static const struct resource_info table[] = {
	{ "inotify_instances", "inotify_init", EMFILE, "EMFILE",
	  "fs.inotify.max_user_instances" },
	{ "inotify_watches", "inotify_add_watch", ENOSPC, "ENOSPC",
	  "fs.inotify.max_user_watches" },
	{ "fanotify_groups", "fanotify_init", EMFILE, "EMFILE",
	  "fs.fanotify.max_user_groups" },
	{ "fanotify_marks", "fanotify_mark", ENOSPC, "ENOSPC",
	  "fs.fanotify.max_user_marks" },
	{ "mounts", "mount", ENOSPC, "ENOSPC", "fs.mount-max" },
	{ "binfmt_misc_interpreters", "write", ENOSPC, "ENOSPC", NULL },
};

static const struct resource_info namespaces = {
	"*_namespaces", "unshare", ENOSPC, "ENOSPC", NULL
};

/**
 * resource_info_find() - what is known about a resource
 * @resource: name of a resource of type UCV_RESOURCE_UCOUNT, or "mounts"
 *
 * Return: what is known, or NULL for an unknown resource.
 */
const struct resource_info *resource_info_find(const char *resource)
{
	const char *end = strrchr(resource, '_');

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		if (!strcmp(table[i].resource, resource))
			return &table[i];
	}
	return end && !strcmp(end, "_namespaces") ? &namespaces : NULL;
}

/**
 * resource_info_setting() - the sysctl that is a limit
 * @resource: name of a resource of type UCV_RESOURCE_UCOUNT, or "mounts"
 * @ns: the user namespace whose limit it is; NULL if it is the limit of all
 *
 * The user.* sysctls are those of the user namespace of the process that opens them;
 * their names follow from the resources'.
 *
 * Return: its name, allocated.
 */
char *resource_info_setting(const char *resource, const struct ucv_userns *ns)
{
	const struct resource_info *advice = resource_info_find(resource);

	if (advice && advice->sysctl && (!ns || ns->parent == UCV_NO_INDEX))
		return xstrdup(advice->sysctl);
	return xasprintf("user.max_%s", resource);
}
