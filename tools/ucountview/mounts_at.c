// SPDX-License-Identifier: GPL-2.0
/*
 * ucountview mounts --at: what a new mount at a path makes in each mount namespace.
 *
 * A mount below a shared mount is copied to each other mount of its peer group and to the slaves of
 * that, and on from those that are shared to their peers and slaves; but only to those that have
 * the directory, as the root of a mount can be another one of the same file system. All copies are
 * counted before the first is made, each in its own namespace, and any namespace can refuse.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "charge.h"
#include "containers.h"
#include "format.h"
#include "mntns_view.h"
#include "mounts.h"
#include "peer_groups.h"
#include "procfs.h"
#include "ucountview.h"

#define COLUMNS		"MNTNS,NEW,MOUNTS,PENDING,LIMIT,FITS,PID,COMMAND"

/**
 * struct destination - where the new mount is
 * @mount: ID of the mount on which it is
 * @group: the peer group of that; 0 if it is not shared
 * @device: its file system, as in mountinfo
 * @rootfs: that is the one of the initramfs, which the root mounts of namespaces are of
 * @dir: the directory in the file system; NULL: the mount was not found
 */
struct destination {
	unsigned int mount;
	unsigned int group;
	char *device;
	bool rootfs;
	char *dir;
};

/* What one namespace gets. */
struct at_row {
	const struct ucv_mntns *ns;
	long long new;
	long long after;	/* its mounts, with those */
	bool unseen;		/* it may be more */
};

/* A mount that may get a copy. */
struct taker {
	size_t row;
	unsigned int group;	/* its own, or else the one that it is a slave of */
};

struct at {
	struct mntns_place place;
	struct destination to;
	struct peer_groups groups;
	struct at_row *rows;	/* one for each mount namespace of the snapshot */
	size_t nr_rows;
	struct taker *takers;
	size_t nr_takers;
	size_t row;		/* that of the namespace that is read */
	long long seen;		/* mounts of it */
	bool whole;		/* its root mount is among them */
};

/* The destination */

static void find_destination(void *arg, const struct mount_line *line)
{
	struct at *at = arg;
	char *root, *point;
	const char *below;

	if (line->id != at->place.mount || at->to.dir)
		return;
	root = mount_text(line->root);
	point = mount_text(line->point);
	below = mount_path_below(at->place.path, point);
	if (below) {
		at->to.mount = line->id;
		at->to.group = line->shared;
		at->to.device = xstrdup(line->device);
		at->to.rootfs = !strcmp(line->type, "rootfs");
		at->to.dir = xasprintf("%s%s", *below && !root[1] ? "" : root, below);
	}
	free(root);
	free(point);
}

static void find_place(struct at *at, const struct args *args, const struct ucv_mntns *ns, int fd)
{
	int error = mntns_find_place(fd, args->at, &at->place);

	if (error)
		die("%s, in mount namespace %u: %s", args->at, ns->inum, strerror(error));
	error = mntns_visit_mounts(fd, find_destination, at);
	if (error)
		die("cannot enter mount namespace %u: %s", ns->inum, strerror(error));
	if (!at->to.dir)
		die("%s, in mount namespace %u: %s", args->at, ns->inum,
		    "it cannot be reached from the root directory, or has just changed");
}

/* The mounts that may get copies */

static void add_taker(struct at *at, const struct mount_line *line)
{
	char *root = mount_text(line->root);

	if (mount_path_below(at->to.dir, root)) {
		at->takers = xgrow(at->takers, at->nr_takers, sizeof(*at->takers));
		at->takers[at->nr_takers++] = (struct taker){
			.row = at->row,
			.group = line->shared ? line->shared : line->master,
		};
	}
	free(root);
}

/* All mounts of a group, and of its slaves, are of the same file system. */
static void read_mount(void *arg, const struct mount_line *line)
{
	struct at *at = arg;

	at->seen++;
	at->whole |= line->id == line->parent;
	if (strcmp(line->device, at->to.device))
		return;
	peer_groups_add(&at->groups, line);
	if (line->id != at->to.mount && (line->shared || line->master))
		add_taker(at, line);
}

/*
 * The root mount of a namespace is hidden by another one, mostly. No copy is made there, as it is
 * of another file system, unless the system runs from its initramfs.
 */
static void read_namespace(struct at *at, int fd)
{
	struct at_row *row = &at->rows[at->row];
	bool hidden;

	at->seen = 0;
	at->whole = false;
	row->unseen = fd < 0 || mntns_visit_mounts(fd, read_mount, at);
	hidden = !at->whole && !at->to.rootfs;
	row->unseen |= at->seen + hidden < row->ns->mounts;
}

/* Follow the groups that a mount gets copies from upwards, to that of the destination. */
static void count_copy(struct at *at, const struct taker *taker)
{
	struct at_row *row = &at->rows[taker->row];
	unsigned int id = taker->group;
	bool lost = false;

	for (size_t level = 0; id && level < PEER_LEVELS_MAX; level++) {
		const struct peer_group *group = peer_groups_find(&at->groups, id);

		if (id == at->to.group) {
			row->new++;
			return;
		}
		lost |= peer_group_is_lost(group);
		id = group ? group->parent : 0;
	}
	row->unseen |= id || lost;
}

static void count_copies(struct at *at, const struct ucv_mntns *own, int own_fd)
{
	for (at->row = 0; at->row < at->nr_rows; at->row++) {
		const struct ucv_mntns *ns = at->rows[at->row].ns;
		int fd = ns == own ? own_fd : mntns_open(ns);

		read_namespace(at, fd);
		if (fd >= 0 && fd != own_fd)
			close(fd);
	}
	peer_groups_sort(&at->groups);
	for (size_t i = 0; i < at->nr_takers; i++)
		count_copy(at, &at->takers[i]);
}

/* Rows */

static struct counter counter_after(const struct at_row *row)
{
	struct counter now = counter_of_mounts(row->ns);

	return counter_with_limit(now.used + row->new, now.limit);
}

/* Those that get some come first, the one with the least capacity left then at the top. */
static int compare_rows(const void *a, const void *b)
{
	const struct at_row *x = a, *y = b;
	struct counter then = counter_after(x), other = counter_after(y);

	return COMPARE(!x->new, !y->new) ?: COMPARE(other.ratio, then.ratio) ?:
	       COMPARE(x->ns->id, y->ns->id);
}

static bool fits(const struct at_row *row)
{
	struct counter now = counter_of_mounts(row->ns);

	return counter_room(&now) >= row->new;
}

static void collect_rows(struct at *at, const struct snapshot *snap,
			 const struct ucv_mntns *own, int fd)
{
	size_t nr = 0;

	at->nr_rows = snap->nr_mntns;
	at->rows = xcalloc(at->nr_rows, sizeof(*at->rows));
	for (size_t i = 0; i < at->nr_rows; i++) {
		at->rows[i].ns = &snap->mntns[i];
		at->rows[i].new = at->rows[i].ns == own;
	}
	if (at->to.group)
		count_copies(at, own, fd);
	for (size_t i = 0; i < at->nr_rows; i++) {
		if (at->rows[i].new || at->rows[i].unseen)
			at->rows[nr++] = at->rows[i];
	}
	at->nr_rows = nr;
}

static void fill_row(struct table *tb, const struct snapshot *snap, const struct at_row *row)
{
	struct counter counter = counter_of_mounts(row->ns);
	bool fit = fits(row);

	table_line(tb, NULL);
	cells_mntns(tb, snap, row->ns);
	if (row->new)
		cell_number(tb, "NEW", row->new);
	cell_number(tb, "MOUNTS", row->ns->mounts);
	cell_number(tb, "PENDING", row->ns->pending);
	cells_limit(tb, &counter);
	cell_number(tb, "ROOM", counter_room(&counter));
	if (!fit || !row->unseen)
		cell_string(tb, "FITS", fit ? "yes" : "no");
	if (row->unseen)
		cell_string(tb, "FLAGS", "unseen");
	if (row->ns->pid != INIT_PID)
		cells_unit(tb, &unit_columns, row->ns->pid);
}

/* What the table does not say, for a person. */
static void print_summary(const struct at *at, const char *path)
{
	long long mounts = 0;
	size_t namespaces = 0, full = 0, unseen = 0;
	char *where = shell_quoted(path);

	for (size_t i = 0; i < at->nr_rows; i++) {
		mounts += at->rows[i].new;
		namespaces += at->rows[i].new > 0;
		full += !fits(&at->rows[i]);
		unseen += at->rows[i].unseen;
	}
	putchar('\n');
	print_wrapped(0, 4, "A new mount at %s makes %lld mount%s in %zu mount namespace%s%s.",
		      where, mounts, mounts == 1 ? "" : "s", namespaces,
		      namespaces == 1 ? "" : "s",
		      at->to.group ? "" : ": the mount there is not shared");
	if (mounts > 1)
		print_wrapped(0, 4, "%s makes as many for each of its mounts.",
			      "A tree of mounts (mount --rbind)");
	if (full)
		print_wrapped(0, 4, "It is refused with ENOSPC: it does not fit in %zu of them.",
			      full);
	if (unseen)
		print_wrapped(0, 4, "Not all mounts of %zu mount namespace%s %s: %s.", unseen,
			      unseen == 1 ? "" : "s", "(unseen) can be read",
			      "there may be more copies");
	free(where);
}

static void at_free(struct at *at)
{
	free(at->place.path);
	free(at->to.device);
	free(at->to.dir);
	free(at->rows);
	free(at->takers);
	peer_groups_free(&at->groups);
}

/**
 * mounts_at() - ucountview mounts --at
 *
 * Return: the exit status.
 */
int mounts_at(struct args *args, struct table *tb)
{
	bool summary = !tb->json && !tb->raw && !tb->output && !tb->output_all && !tb->noheadings;
	struct snapshot snap = { };
	const struct ucv_mntns *own;
	struct at at = { };
	size_t shown;
	int fd;

	if (*args->at != '/')
		die("not an absolute path: %s", args->at);
	table_open(tb, COLUMNS, tb->raw ? "FLAGS" : "FLAGS," OPTIONAL_UNIT_COLUMNS);
	args_look_up(args);
	snapshot_take(&snap, UCV_MASK(UCV_KIND_MNTNS), 0);
	own = mounts_target(args, &snap, &fd);
	find_place(&at, args, own, fd);
	collect_rows(&at, &snap, own, fd);
	shown = sort_rows(args, at.rows, at.nr_rows, sizeof(*at.rows), compare_rows);
	table_begin(tb);
	for (size_t i = 0; i < shown; i++)
		fill_row(tb, &snap, &at.rows[i]);
	table_print(tb);
	if (summary)
		print_summary(&at, args->at);
	close(fd);
	at_free(&at);
	snapshot_free(&snap);
	return EXIT_SUCCESS;
}
