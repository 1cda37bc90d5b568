// SPDX-License-Identifier: GPL-2.0
/*
 * ucountview userns: list the user namespaces.
 */
#include <stdlib.h>

#include "format.h"
#include "options.h"
#include "snapshot.h"
#include "table.h"
#include "ucountview.h"
#include "watch.h"

#define COLUMNS	"USERNS,PARENT,LEVEL,OWNER,ROWS,PID,COMMAND"

static const struct column columns[] = {
	NUMBER("USERNS", "inode number, as in /proc/PID/ns/user"),
	NUMBER("NSID", "unique 64-bit ID (Linux 6.18 and later)"),
	NUMBER("PARENT", "inode number of the parent"),
	NUMBER("LEVEL", "0 for the initial user namespace, 1 for its children, ..."),
	NUMBER("OWNER", "uid of the creator, charged for it in the parent"),
	NUMBER("OWNERNS", "the same as seen in the parent"),
	NAME("USER", "name of the creator"),
	NUMBER("ROWS", "number of users with counters in it"),
	NUMBER("PID", "example of a process in it"),
	NAME("COMMAND", "command of PID"),
	TEXT("LIMITS", "limits set in it: resource=limit,... (not of the initial one)"),
	TEXT("FLAGS", "map-unknown: its uid map cannot be read on this kernel"),
	{ }
};

static const struct opt options[] = {
	{ 'T', "tree", NULL, "draw a tree in the first column" },
	WATCH_OPTION,
	COUNT_OPTION,
	{ }
};

struct userns {
	struct table *tb;
	struct snapshot snap;
};

/*
 * A new user namespace has no limits, so those it has were set. The initial one gets all of its
 * limits from the kernel; they would say nothing here.
 */
static char *limits_text(const struct snapshot *snap, const struct ucv_userns *ns)
{
	char *text = NULL;

	for (size_t i = 0; ns->parent != UCV_NO_INDEX && i < snap->nr_resources; i++) {
		if (snap->resources[i].type == UCV_RESOURCE_UCOUNT &&
		    ns->limit[i] < UCV_UNLIMITED)
			text = list_add(text, ",", "%s=%lld", snap->resources[i].name,
					ns->limit[i]);
	}
	return text;
}

static void fill_row(struct table *tb, const struct snapshot *snap, const struct ucv_userns *ns)
{
	static const struct flag_name flags[] = { { UCV_USERNS_MAP_UNKNOWN, "map-unknown" }, { } };

	cells_userns(tb, snap, ns);
	if (ns->parent != UCV_NO_INDEX)
		cell_uid(tb, "OWNERNS", ns->owner_in_parent);
	cell_user(tb, ns->owner);
	cell(tb, "ROWS", "%u", ns->nr_ucounts);
	cell_text(tb, "LIMITS", limits_text(snap, ns));
	cell_flags(tb, ns->flags, flags);
}

static const struct snapshot *sorting;

/* By level, so that parents come first; then by ID or inode number, roughly by age. */
static int compare(const void *a, const void *b)
{
	const struct ucv_userns *x = &sorting->userns[*(const size_t *)a];
	const struct ucv_userns *y = &sorting->userns[*(const size_t *)b];

	return COMPARE(x->level, y->level) ?: COMPARE(x->id, y->id) ?: COMPARE(x->inum, y->inum);
}

static size_t *sorted(const struct snapshot *snap)
{
	size_t *order = xreallocarray(NULL, snap->nr_userns, sizeof(*order));

	for (size_t i = 0; i < snap->nr_userns; i++)
		order[i] = i;
	sorting = snap;
	qsort(order, snap->nr_userns, sizeof(*order), compare);
	return order;
}

static void take(void *command, unsigned int round)
{
	struct userns *u = command;

	(void)round;
	snapshot_free(&u->snap);
	snapshot_take(&u->snap,
		      UCV_MASK(UCV_KIND_RESOURCE) | UCV_MASK(UCV_KIND_USERNS) |
		      UCV_MASK(UCV_KIND_UCOUNTS), 0);
}

static void fill(void *command)
{
	struct userns *u = command;
	const struct snapshot *snap = &u->snap;
	struct libscols_line **lines = xreallocarray(NULL, snap->nr_userns, sizeof(*lines));
	size_t *order = sorted(snap);

	for (size_t i = 0; i < snap->nr_userns; i++) {
		const struct ucv_userns *ns = &snap->userns[order[i]];
		bool child = u->tb->tree && ns->parent != UCV_NO_INDEX;

		lines[order[i]] = table_line(u->tb, child ? lines[ns->parent] : NULL);
		fill_row(u->tb, snap, ns);
	}
	free(order);
	free(lines);
}

static int run(struct args *args, struct table *tb)
{
	struct userns u = { .tb = tb };

	table_open(tb, COLUMNS, "LIMITS");
	watch_run(args, tb, take, fill, &u);
	snapshot_free(&u.snap);
	return EXIT_SUCCESS;
}

const struct command cmd_userns = {
	.name = "userns",
	.summary = "user namespaces",
	.synopsis = " ucountview userns [options]",
	.about = "List user namespaces.",
	.options = options,
	.columns = columns,
	.notes =
		"\nExamples:\n"
		" ucountview userns --tree\n"
		" ucountview userns -J -o USERNS,OWNER,ROWS\n",
	.run = run,
};
