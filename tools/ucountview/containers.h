/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The systemd unit and the container of a process: the columns UNIT, SLICE, CONTAINER and POD, and
 * --container.
 */
#ifndef _UCV_CONTAINERS_H
#define _UCV_CONTAINERS_H

#include <stdbool.h>
#include <uapi/ucountview.h>

#include "cgroup.h"
#include "table.h"

/* The columns, for a command's list; @of: the process. */
#define UNIT_COLUMN(of)		SPARE_NAME("UNIT", "systemd unit of " of)
#define SLICE_COLUMN		NAME("SLICE", "slice of that unit")
#define CONTAINER_COLUMN(of)	TEXT("CONTAINER", "container of " of ": its ID, or its name")
#define POD_COLUMN		TEXT("POD", "UID of its Kubernetes pod")

/* Those that are shown without being asked for if there is something to show. */
#define OPTIONAL_UNIT_COLUMNS	"UNIT,CONTAINER"

/**
 * struct unit_columns - the names of the columns; NULL where a command has none
 */
struct unit_columns {
	const char *unit;
	const char *slice;
	const char *container;
	const char *pod;
};

extern const struct unit_columns unit_columns;

const struct cgroup_names *process_names(unsigned int pid);
unsigned int denied_process(const struct ucv_denial *denial);
unsigned int process_unit_number(unsigned int pid);
void process_names_forget(void);
char *container_text(const struct cgroup_names *names);
char *unit_text(const struct cgroup_names *names);
char *process_where(unsigned int pid);
bool shows_unit(struct table *tb, const struct unit_columns *columns);
void cells_unit(struct table *tb, const struct unit_columns *columns, unsigned int pid);

/**
 * struct container - one that an argument names
 * @path: the path of its cgroup
 * @first: its process that has existed longest
 */
struct container {
	char *path;
	unsigned int first;
};

void container_find(struct container *container, const char *text);
bool container_has(const struct container *container, unsigned int pid);

#endif /* _UCV_CONTAINERS_H */
