// SPDX-License-Identifier: GPL-2.0
/*
 * ucountview userns: list the user namespaces.
 */
#include <stdlib.h>

#include "containers.h"
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
	UNIT_COLUMN("PID"),
	SLICE_COLUMN,
	CONTAINER_COLUMN("PID"),
	POD_COLUMN,
	{ }
};

static const struct opt options[] = {
	{ 'T', "tree", NULL, "draw a tree in the first column" },
	{ 'u', "user", "user", "only those created by this user (uid or name)" },
	{ OPT_TOP, "top", "num", "only those with the most ROWS" },
	WATCH_OPTION,
	COUNT_OPTION,
	{ }
};

struct userns {
	const struct args *args;
	struct table *tb;
	struct snapshot snap;
	const struct ucv_userns **rows;		/* those to show, in this order */
	size_t nr_rows;
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
	cell_number(tb, "ROWS", ns->nr_ucounts);
	cell_text(tb, "LIMITS", limits_text(snap, ns));
	cell_flags(tb, ns->flags, flags);
	if (ns->parent != UCV_NO_INDEX)	/* the processes of the initial one are of all units */
		cells_unit(tb, &unit_columns, ns->pid);
}

/* By level, so that parents come first; then by ID or inode number, roughly by age. */
static int compare(const void *a, const void *b)
{
	const struct ucv_userns *x = *(const struct ucv_userns *const *)a;
	const struct ucv_userns *y = *(const struct ucv_userns *const *)b;

	return COMPARE(x->level, y->level) ?: COMPARE(x->id, y->id) ?: COMPARE(x->inum, y->inum);
}

static int compare_users(const void *a, const void *b)
{
	const struct ucv_userns *x = *(const struct ucv_userns *const *)a;
	const struct ucv_userns *y = *(const struct ucv_userns *const *)b;

	return COMPARE(y->nr_ucounts, x->nr_ucounts) ?: compare(a, b);
}

static void forget(struct userns *u)
{
	free(u->rows);
	u->rows = NULL;
	u->nr_rows = 0;
	snapshot_free(&u->snap);
	process_names_forget();
}

static void take(void *command, unsigned int round)
{
	struct userns *u = command;

	(void)round;
	forget(u);
	snapshot_take(&u->snap,
		      UCV_MASK(UCV_KIND_RESOURCE) | UCV_MASK(UCV_KIND_USERNS) |
		      UCV_MASK(UCV_KIND_UCOUNTS), 0);
	u->rows = xreallocarray(NULL, u->snap.nr_userns, sizeof(*u->rows));
	for (size_t i = 0; i < u->snap.nr_userns; i++) {
		const struct ucv_userns *ns = &u->snap.userns[i];

		if (wants_user(u->args, ns->owner, ns))
			u->rows[u->nr_rows++] = ns;
	}
	u->nr_rows = sort_rows(u->args, u->rows, u->nr_rows, sizeof(*u->rows),
			       u->args->top ? compare_users : compare);
}

/* The line of the closest ancestor that has one: --user may leave out the parent. */
static struct libscols_line *line_above(const struct userns *u, struct libscols_line **lines,
					const struct ucv_userns *ns)
{
	struct libscols_line *line = NULL;

	if (!u->tb->tree)
		return NULL;
	while (!line && (ns = snapshot_parent(&u->snap, ns)))
		line = lines[ns - u->snap.userns];
	return line;
}

static void fill(void *command)
{
	struct userns *u = command;
	struct libscols_line **lines = xcalloc(u->snap.nr_userns, sizeof(*lines));

	for (size_t i = 0; i < u->nr_rows; i++) {
		const struct ucv_userns *ns = u->rows[i];

		lines[ns - u->snap.userns] = table_line(u->tb, line_above(u, lines, ns));
		fill_row(u->tb, &u->snap, ns);
	}
	free(lines);
}

static int run(struct args *args, struct table *tb)
{
	struct userns u = { .args = args, .tb = tb };

	if (tb->tree && args->top)
		die("mutually exclusive arguments: --tree --top");
	table_open(tb, COLUMNS, tb->raw ? "LIMITS" : "LIMITS," OPTIONAL_UNIT_COLUMNS);
	args_look_up(args);
	watch_run(args, tb, take, fill, &u);
	forget(&u);
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
		" ucountview userns -u alice\n"
		" ucountview userns -J -o USERNS,OWNER,ROWS\n",
	.run = run,
};
