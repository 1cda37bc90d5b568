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

enum {
	COL_USERNS,
	COL_NSID,
	COL_PARENT,
	COL_LEVEL,
	COL_OWNER,
	COL_OWNERNS,
	COL_USER,
	COL_ROWS,
	COL_PID,
	COL_COMMAND,
	COL_LIMITS,
	COL_FLAGS,
};

static const struct column columns[] = {
	[COL_USERNS]  = NUMBER("USERNS", "inode number, as in /proc/PID/ns/user"),
	[COL_NSID]    = NUMBER("NSID",
			       "identifier that is never used again (Linux 6.18 and later)"),
	[COL_PARENT]  = NUMBER("PARENT", "inode number of the parent"),
	[COL_LEVEL]   = NUMBER("LEVEL",
			       "0 for the initial user namespace, 1 for its children, ..."),
	[COL_OWNER]   = NUMBER("OWNER", "uid of the creator, who pays for it in the parent"),
	[COL_OWNERNS] = NUMBER("OWNERNS", "the same as the parent sees it"),
	[COL_USER]    = NAME("USER", "name of the creator"),
	[COL_ROWS]    = NUMBER("ROWS", "how many users have counters in it"),
	[COL_PID]     = NUMBER("PID", "example of a process in it"),
	[COL_COMMAND] = NAME("COMMAND", "command of PID"),
	[COL_LIMITS]  = TEXT("LIMITS",
			     "limits set in it: resource=limit,... (not of the initial one)"),
	[COL_FLAGS]   = TEXT("FLAGS", "map-unknown: uids in it cannot be told on this kernel"),
};

static const size_t default_columns[] = {
	COL_USERNS, COL_PARENT, COL_LEVEL, COL_OWNER, COL_ROWS, COL_PID, COL_COMMAND,
};

struct userns {
	struct table table;
	struct watch watch;
	struct snapshot snap;
};

static void print_help(const struct table *tb)
{
	fputs("\nUsage:\n"
	      " ucountview userns [options]\n"
	      "\nList user namespaces.\n"
	      "\nOptions:\n"
	      " -T, --tree             show which namespace is whose parent\n"
	      WATCH_OPTIONS_HELP
	      TABLE_OPTIONS_HELP, stdout);
	table_help_columns(tb, stdout);
	fputs("\nExamples:\n"
	      " ucountview userns --tree\n"
	      " ucountview userns -J -o USERNS,OWNER,ROWS\n"
	      "\nFor more details see ucountview(8).\n", stdout);
}

static void parse_options(struct userns *u, int argc, char **argv)
{
	static const struct option options[] = {
		{ "tree", no_argument, NULL, 'T' },
		{ }
	};
	static const struct option * const groups[] = { options, watch_options, NULL };
	int opt;

	while ((opt = table_getopt(&u->table, argc, argv, groups)) != -1) {
		switch (opt) {
		case 'T':
			u->table.tree = true;
			break;
		case 'h':
			print_help(&u->table);
			exit(EXIT_SUCCESS);
		default:
			watch_option(&u->watch, opt, optarg);
		}
	}
	args_end(argc, argv);
}

/*
 * A new user namespace has no limits, so those it has were set. The initial one gets all of its
 * limits from the kernel; they would say nothing here.
 */
static bool limit_was_set(const struct snapshot *snap, const struct ucv_userns *ns,
			  size_t resource)
{
	return ns->parent != UCV_NO_INDEX &&
	       snap->resources[resource].type == UCV_RESOURCE_UCOUNT &&
	       ns->limit[resource] < UCV_UNLIMITED;
}

static char *limits_text(const struct snapshot *snap, const struct ucv_userns *ns)
{
	char *text = NULL, *longer;

	for (size_t i = 0; i < snap->nr_resources; i++) {
		if (!limit_was_set(snap, ns, i))
			continue;
		longer = xasprintf("%s%s%s=%lld", text ? text : "", text ? "," : "",
				   snap->resources[i].name, ns->limit[i]);
		free(text);
		text = longer;
	}
	return text;
}

static char *cell(const void *taken, const void *row, size_t column)
{
	const struct snapshot *snap = taken;
	const struct ucv_userns *ns = row;
	const struct ucv_userns *parent = snapshot_parent(snap, ns);

	switch (column) {
	case COL_USERNS:
		return xasprintf("%u", ns->inum);
	case COL_NSID:
		return number_text(ns->id);
	case COL_PARENT:
		return parent ? xasprintf("%u", parent->inum) : NULL;
	case COL_LEVEL:
		return xasprintf("%u", ns->level);
	case COL_OWNER:
		return uid_text(ns->owner);
	case COL_OWNERNS:
		return parent ? uid_text(ns->owner_in_parent) : NULL;
	case COL_USER:
		return xstrdup(user_name(ns->owner));
	case COL_ROWS:
		return xasprintf("%u", ns->nr_ucounts);
	case COL_PID:
		return number_text(ns->pid);
	case COL_COMMAND:
		return name_text(ns->comm);
	case COL_LIMITS:
		return limits_text(snap, ns);
	case COL_FLAGS:
		return ns->flags & UCV_USERNS_MAP_UNKNOWN ? xstrdup("map-unknown") : NULL;
	}
	return NULL;
}

static const struct snapshot *sorting;

/* By level, so that parents come first; then by ID or inode number, roughly by age. */
static int compare(const void *a, const void *b)
{
	const struct ucv_userns *x = &sorting->userns[*(const size_t *)a];
	const struct ucv_userns *y = &sorting->userns[*(const size_t *)b];

	if (x->level != y->level)
		return x->level < y->level ? -1 : 1;
	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return x->inum < y->inum ? -1 : x->inum > y->inum;
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

static void add_lines(struct table *tb, const struct snapshot *snap)
{
	struct libscols_line **lines = xreallocarray(NULL, snap->nr_userns, sizeof(*lines));
	size_t *order = sorted(snap);

	table_begin(tb);
	for (size_t i = 0; i < snap->nr_userns; i++) {
		const struct ucv_userns *ns = &snap->userns[order[i]];
		struct libscols_line *parent = NULL;

		if (tb->tree && ns->parent != UCV_NO_INDEX)
			parent = lines[ns->parent];
		lines[order[i]] = table_line(tb, parent, cell, snap, ns);
	}
	free(order);
	free(lines);
}

/* JSON and raw output always have LIMITS; the plain table only if it is not empty. */
static void open_table(struct table *tb)
{
	table_open(tb, default_columns, ARRAY_SIZE(default_columns));
	if (tb->json || tb->raw)
		table_show_also(tb, COL_LIMITS);
}

static void show_limits(struct userns *u)
{
	for (size_t i = 0; i < u->snap.nr_userns; i++) {
		for (size_t res = 0; res < u->snap.nr_resources; res++) {
			if (limit_was_set(&u->snap, &u->snap.userns[i], res))
				table_show_also(&u->table, COL_LIMITS);
		}
	}
}

static void take(void *command)
{
	struct userns *u = command;

	snapshot_free(&u->snap);
	snapshot_take(&u->snap,
		      UCV_MASK(UCV_KIND_RESOURCE) | UCV_MASK(UCV_KIND_USERNS) |
		      UCV_MASK(UCV_KIND_UCOUNTS), 0);
	show_limits(u);
}

static void fill(void *command)
{
	struct userns *u = command;

	add_lines(&u->table, &u->snap);
}

/**
 * cmd_userns() - ucountview userns
 * @argc: number of arguments
 * @argv: the arguments, the program's name first
 *
 * Return: the exit status.
 */
int cmd_userns(int argc, char **argv)
{
	struct userns u = {
		.table = {
			.name = "userns",
			.columns = columns,
			.nr_columns = ARRAY_SIZE(columns),
		},
	};

	parse_options(&u, argc, argv);
	open_table(&u.table);
	watch_run(&u.watch, &u.table, take, fill, &u);
	snapshot_free(&u.snap);
	table_close(&u.table);
	return EXIT_SUCCESS;
}
