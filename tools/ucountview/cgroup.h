/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The path of a cgroup: the systemd unit and the container that it names.
 */
#ifndef _UCV_CGROUP_H
#define _UCV_CGROUP_H

#include <stdbool.h>
#include <stddef.h>

/**
 * struct cgroup_names - what a path names; NULL where it names none
 * @unit: systemd unit, as systemd writes it
 * @slice: the slice that the unit is in
 * @manager: unit of the user manager that @unit is one of; NULL: it is one of the system's
 * @container: ID of a container, or its name where the runtime uses that
 * @by_id: @container is an ID
 * @pod: UID of a Kubernetes pod
 * @path: the path
 * @unit_end: where the unit's part of it ends; 0 if there is none
 * @container_end: likewise of the container
 */
struct cgroup_names {
	char *unit;
	char *slice;
	char *manager;
	char *container;
	bool by_id;
	char *pod;
	char *path;
	size_t unit_end;
	size_t container_end;
};

#define CONTAINER_ID_LENGTH	64
#define CONTAINER_ID_SHORT	12

void cgroup_parse(struct cgroup_names *names, const char *path);
void cgroup_names_free(struct cgroup_names *names);

#endif /* _UCV_CGROUP_H */
