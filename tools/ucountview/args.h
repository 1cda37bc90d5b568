/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Arguments that name something: users, processes, namespaces, resources.
 */
#ifndef _UCV_ARGS_H
#define _UCV_ARGS_H

#include <stdbool.h>
#include <stddef.h>

#include "process.h"
#include "snapshot.h"

/**
 * struct resource_names - resources named by options
 * @names: the names, as given
 * @nr: how many
 * @mounts: whether MOUNTS_NAME was named, which is not among @names
 *
 * If nothing is named, all resources are meant.
 */
struct resource_names {
	const char **names;
	size_t nr;
	bool mounts;
};

/* What limits mounts; no resource of the records, as it is not charged to users. */
#define MOUNTS_NAME	"mounts"

void args_end(int argc, char **argv);
unsigned int arg_number(const char *what, const char *text, unsigned int min, unsigned int max);
double arg_ratio(const char *text);
double arg_seconds(const char *text);
unsigned int arg_pid(const char *text);
__u32 arg_user(const char *text);
__u32 arg_namespace(enum ns_type type, const char *text);
void arg_resource(struct resource_names *list, const char *text);
void arg_resource_or_mounts(struct resource_names *list, const char *text);
void find_resources(const struct resource_names *list, const struct snapshot *snap,
		    bool wanted[UCV_MAX_RESOURCES]);
void find_limited_resources(const struct resource_names *list, const struct snapshot *snap,
			    bool wanted[UCV_MAX_RESOURCES]);
bool wants_mounts(const struct resource_names *list);

#endif /* _UCV_ARGS_H */
