// SPDX-License-Identifier: GPL-2.0
/*
 * ucountview mounts --by: what fills a mount namespace: its mounts, in groups, the biggest first.
 *
 * The lines of mountinfo are counted as they are read. What is kept is one member for each group,
 * in a tree: names are chosen by users, who must not be able to make the search slow.
 */
#define _GNU_SOURCE
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "charge.h"
#include "containers.h"
#include "format.h"
#include "mntns_view.h"
#include "mounts.h"
#include "procfs.h"
#include "text.h"
#include "ucountview.h"

enum by {
	BY_TYPE,
	BY_SOURCE,
	BY_DIRECTORY,
};

static const struct {
	const char *name;
	const char *columns;
} modes[] = {
	[BY_TYPE] = { "type", "TYPE,MOUNTS,USE%,MOUNTPOINT" },
	[BY_SOURCE] = { "source", "SOURCE,TYPE,MOUNTS,USE%,MOUNTPOINT" },
	[BY_DIRECTORY] = { "directory", "DIRECTORY,MOUNTS,USE%,MOUNTPOINT" },
};

/**
 * struct group - mounts with the same key, as mountinfo writes it
 * @key: a type; a device, a blank and the directory in it; a mount point
 * @nth: its number, in the order of mountinfo; texts are those of the first mount
 * @point: the mount point
 * @source: only if this is the mode
 */
struct group {
	char *key;
	size_t nth;
	size_t mounts;
	char *point;
	char *type;
	char *source;
};

/**
 * struct grouping - the mounts of a namespace as seen from a root directory
 * @seen: their number
 * @whole: the root mount of the namespace is among them
 */
struct grouping {
	enum by by;
	struct text key;
	void *tree;
	struct group **list;
	size_t nr;
	size_t seen;
	bool whole;
};

/* A line: a group, or what is not seen (@mounts alone). The texts are as they are to be shown. */
struct row {
	size_t mounts;
	char *type;
	char *source;
	char *directory;
	char *point;
};

struct rows {
	struct row *list;
	size_t nr;
};

static enum by find_mode(const char *by)
{
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		if (!strcmp(modes[i].name, by))
			return i;
	}
	die("invalid argument of --by: %s (type, source or directory)", by);
}

/* Groups */

static int compare_keys(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	return strcmp(x->key, y->key);
}

/* As findmnt writes it; "/" is not worth a mention. */
static char *source_text(const struct mount_line *line)
{
	char *source = mount_text(line->source), *root = mount_text(line->root), *text = source;

	if (strcmp(root, "/")) {
		text = xasprintf("%s[%s]", source, root);
		free(source);
	}
	free(root);
	return text;
}

/* The key of a mount; valid until the next one is asked for. */
static char *key_of(struct grouping *g, const struct mount_line *line)
{
	const char *key = g->by == BY_TYPE ? line->type : line->point;

	g->key.used = 0;
	if (g->by == BY_SOURCE) {
		text_add(&g->key, line->device, strlen(line->device));
		text_put(&g->key, ' ');
		key = line->root;
	}
	text_add(&g->key, key, strlen(key) + 1);
	return g->key.data;
}

static struct group *add_group(struct grouping *g, const struct mount_line *line)
{
	struct group *group = xcalloc(1, sizeof(*group));

	group->key = xstrdup(g->key.data);
	group->nth = g->nr;
	group->point = mount_text(line->point);
	group->type = mount_text(line->type);
	if (g->by == BY_SOURCE)
		group->source = source_text(line);
	tree_at(group, &g->tree, compare_keys);
	g->list = xgrow(g->list, g->nr, sizeof(*g->list));
	g->list[g->nr++] = group;
	return group;
}

static void add_mount(void *arg, const struct mount_line *line)
{
	struct grouping *g = arg;
	const struct group wanted = { .key = key_of(g, line) };
	struct group *group = tree_find(&wanted, &g->tree, compare_keys) ?: add_group(g, line);

	group->mounts++;
	g->seen++;
	g->whole |= line->id == line->parent;
}

/* The nodes are freed with the list. */
static void keep_node(void *node)
{
	(void)node;
}

static void grouping_free(struct grouping *g)
{
	tdestroy(g->tree, keep_node);
	for (size_t i = 0; i < g->nr; i++) {
		free(g->list[i]->key);
		free(g->list[i]->point);
		free(g->list[i]->type);
		free(g->list[i]->source);
		free(g->list[i]);
	}
	free(g->list);
	text_free(&g->key);
}

/* What is not seen of @mounts. The root mount of the namespace is hidden by another one, mostly. */
static long long unseen(const struct grouping *g, long long mounts)
{
	return mounts - (long long)g->seen - !g->whole;
}

/*
 * The mounts below the root directory of the namespace; if something is mounted on that, its
 * example process may still see more.
 */
static void read_mounts(struct grouping *g, const struct ucv_mntns *ns, int fd)
{
	struct grouping other = { .by = g->by };
	int error = mntns_visit_mounts(fd, add_mount, g);

	if (error)
		die("cannot enter mount namespace %u: %s", ns->inum, strerror(error));
	if (unseen(g, ns->mounts) > 0 && ns->pid && process_mntns(ns->pid) == ns->inum)
		process_visit_mounts(ns->pid, add_mount, &other);
	if (other.seen > g->seen) {
		struct grouping less = *g;

		*g = other;
		other = less;
	}
	grouping_free(&other);
}

/* Lines */

static void add_row(struct rows *rows, struct row row)
{
	rows->list = xgrow(rows->list, rows->nr, sizeof(*rows->list));
	rows->list[rows->nr++] = row;
}

/* Length of the directory that a mount point, which is not decoded, is in. */
static size_t directory_length(const char *point)
{
	const char *slash = strrchr(point, '/');

	return slash && slash > point ? (size_t)(slash - point) : 1;
}

static int compare_directories(const struct group *x, const struct group *y)
{
	size_t x_len = directory_length(x->key), y_len = directory_length(y->key);
	size_t len = x_len < y_len ? x_len : y_len;

	return memcmp(x->key, y->key, len) ?: COMPARE(x_len, y_len);
}

/* By directory, and in each as in mountinfo. */
static int compare_points(const void *a, const void *b)
{
	const struct group *x = *(const struct group *const *)a;
	const struct group *y = *(const struct group *const *)b;

	return compare_directories(x, y) ?: COMPARE(x->nth, y->nth);
}

static char *directory_text(const char *point)
{
	char *directory = xstrdup(point), *text;

	directory[directory_length(point)] = '\0';
	text = mount_text(directory);
	free(directory);
	return text;
}

/*
 * The mount points in one directory are a line. If more than half of the mounts are on one and the
 * same of them, that is what fills the namespace, and gets a line of its own.
 */
static void add_directory(struct rows *rows, struct group *const *points, size_t nr)
{
	const struct group *most = points[0], *first = NULL;
	size_t mounts = 0;

	for (size_t i = 0; i < nr; i++) {
		mounts += points[i]->mounts;
		if (points[i]->mounts > most->mounts)
			most = points[i];
	}
	if (most->mounts > 1 && most->mounts > mounts / 2) {
		add_row(rows, (struct row){
			.mounts = most->mounts,
			.directory = xstrdup(most->point),
			.point = xstrdup(most->point),
		});
		mounts -= most->mounts;
	} else {
		most = NULL;
	}
	for (size_t i = 0; i < nr && !first; i++)
		first = points[i] == most ? NULL : points[i];
	if (first)
		add_row(rows, (struct row){
			.mounts = mounts,
			.directory = directory_text(first->key),
			.point = xstrdup(first->point),
		});
}

static void add_directories(struct rows *rows, struct grouping *g)
{
	size_t first = 0;

	if (g->nr)
		qsort(g->list, g->nr, sizeof(*g->list), compare_points);
	for (size_t i = 1; i <= g->nr; i++) {
		if (i < g->nr && !compare_directories(g->list[first], g->list[i]))
			continue;
		add_directory(rows, &g->list[first], i - first);
		first = i;
	}
}

/* The lines take the texts of the groups. */
static void add_groups(struct rows *rows, struct grouping *g)
{
	for (size_t i = 0; i < g->nr; i++) {
		struct group *group = g->list[i];

		add_row(rows, (struct row){
			.mounts = group->mounts,
			.type = group->type,
			.source = group->source,
			.point = group->point,
		});
		group->type = NULL;
		group->source = NULL;
		group->point = NULL;
	}
}

/* The most mounts first, then by name; of directories, that above the others. */
static int compare_rows(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	const char *x_name = x->directory ?: x->source ?: x->type ?: "";
	const char *y_name = y->directory ?: y->source ?: y->type ?: "";

	return COMPARE(y->mounts, x->mounts) ?: strcmp(x_name, y_name) ?:
	       strcmp(x->point ?: "", y->point ?: "");
}

static void rows_free(struct rows *rows)
{
	for (size_t i = 0; i < rows->nr; i++) {
		free(rows->list[i].type);
		free(rows->list[i].source);
		free(rows->list[i].directory);
		free(rows->list[i].point);
	}
	free(rows->list);
}

static void cell_optional(struct table *tb, const char *name, const char *text)
{
	if (text)
		cell_string(tb, name, text);
}

static void fill_row(struct table *tb, const struct snapshot *snap, const struct ucv_mntns *ns,
		     const struct row *row)
{
	struct counter counter = counter_of_mounts(ns);

	counter = counter_with_limit(row->mounts, counter.limit);
	table_line(tb, NULL);
	cells_mntns(tb, snap, ns);
	cell_optional(tb, "TYPE", row->type);
	cell_optional(tb, "SOURCE", row->source);
	cell_optional(tb, "DIRECTORY", row->directory);
	cell_number(tb, "MOUNTS", row->mounts);
	cells_limit(tb, &counter);
	cell_optional(tb, "MOUNTPOINT", row->point);
	if (!row->point)
		cell_string(tb, "FLAGS", "unseen");
	if (ns->pid != INIT_PID)
		cells_unit(tb, &unit_columns, ns->pid);
}

/**
 * mounts_by() - ucountview mounts --by
 *
 * Return: the exit status.
 */
int mounts_by(struct args *args, struct table *tb)
{
	struct grouping g = { .by = find_mode(args->by) };
	struct snapshot snap = { };
	struct rows rows = { };
	const struct ucv_mntns *ns;
	long long left;
	size_t shown;
	int fd;

	table_open(tb, modes[g.by].columns, "FLAGS");
	args_look_up(args);
	snapshot_take(&snap, UCV_MASK(UCV_KIND_MNTNS), 0);
	ns = mounts_target(args, &snap, &fd);
	read_mounts(&g, ns, fd);
	left = unseen(&g, ns->mounts);
	if (g.by == BY_DIRECTORY)
		add_directories(&rows, &g);
	else
		add_groups(&rows, &g);
	if (left > 0)
		add_row(&rows, (struct row){ .mounts = left });
	shown = sort_rows(args, rows.list, rows.nr, sizeof(*rows.list), compare_rows);
	table_begin(tb);
	for (size_t i = 0; i < shown; i++)
		fill_row(tb, &snap, ns, &rows.list[i]);
	table_print(tb);
	if (left > 0)
		note("%lld of the %u mounts of mount namespace %u are not seen: %s", left,
		     ns->mounts, ns->inum, "what is mounted on the root directory hides them");
	close(fd);
	rows_free(&rows);
	grouping_free(&g);
	snapshot_free(&snap);
	return EXIT_SUCCESS;
}
