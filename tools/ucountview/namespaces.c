// SPDX-License-Identifier: GPL-2.0
/*
 * Namespaces of all types, and what keeps each of them.
 *
 * Each process is read once, and so are the mounts of each mount namespace, through the process
 * with the lowest PID in it. What is held in another way is not found: by a socket, by a file in
 * flight, by a mount in a mount namespace without a process, by a descriptor of a thread that has
 * a file table of its own.
 *
 * Nothing is pinned. A namespace that is gone before all of it was read is as good as not found.
 */
#define _GNU_SOURCE
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "namespaces.h"
#include "ucountview.h"

#define MAX_FUSE	64

struct reader {
	struct namespaces *found;
	unsigned int wanted;		/* NS_MASK() of the types to collect */
	__u32 initial[NR_NS_TYPES];
	const struct process *proc;	/* the one that is being read */
	enum ns_via via;
	char *fuse[MAX_FUSE];		/* mount points of file systems in user space */
	size_t nr_fuse;			/* can be more */
};

/* Inode numbers are unique among all types. */
static int compare_inums(const void *a, const void *b)
{
	const struct namespace *x = a, *y = b;

	return COMPARE(x->inum, y->inum);
}

static struct namespace *find(const struct namespaces *found, __u32 inum)
{
	const struct namespace wanted = { .inum = inum };

	return tree_find(&wanted, &found->tree, compare_inums);
}

static struct namespace *get(struct namespaces *found, enum namespace_type type, __u32 inum)
{
	struct namespace *ns = find(found, inum);

	if (ns)
		return ns;
	ns = xcalloc(1, sizeof(*ns));
	ns->type = type;
	ns->inum = inum;
	ns->uid = UCV_UID_UNMAPPED;
	tree_at(ns, &found->tree, compare_inums);
	found->list = xgrow(found->list, found->nr, sizeof(*found->list));
	found->list[found->nr++] = ns;
	return ns;
}

/* What a process or a mount namespace holds in the same way is found one after the other. */
static struct ns_hold *hold(struct namespaces *found, const struct ns_hold *new)
{
	struct ns_hold *last = new->ns->last ? &found->holds[new->ns->last - 1] : NULL;

	if (last && last->via == new->via && last->proc == new->proc && last->by == new->by) {
		last->nr += new->nr;
		return last;
	}
	found->holds = xgrow(found->holds, found->nr_holds, sizeof(*found->holds));
	found->holds[found->nr_holds++] = *new;
	new->ns->last = found->nr_holds;
	new->ns->nr_holds++;
	return &found->holds[found->nr_holds - 1];
}

/* Each parent is read, too: what holds it may be nothing but its child. Closes @fd. */
static void read_relatives(struct reader *r, struct namespace *ns, int fd)
{
	while (ns && !ns->owner && fd >= 0) {
		struct ns_relatives relatives = namespace_relatives(fd, ns->type);
		struct namespace *parent = NULL;

		close(fd);
		fd = relatives.parent;
		if (relatives.inum != ns->inum)
			break;
		ns->owner = relatives.owner;
		ns->uid = relatives.uid;
		if (fd >= 0)
			ns->parent = namespace_inum(fd);
		if (ns->parent && ns->parent != r->initial[ns->type])
			parent = get(r->found, ns->type, ns->parent);
		ns = parent;
	}
	if (fd >= 0)
		close(fd);
}

static bool is_wanted(const struct reader *r, const char *text, struct ns_link *link)
{
	return ns_link_parse(text, link) && r->wanted & NS_MASK(link->type) &&
	       link->inum != r->initial[link->type];
}

static void read_file(void *arg, int dir, const char *name, const char *text)
{
	struct reader *r = arg;
	struct ns_hold new = { .via = r->via, .proc = r->proc, .nr = 1 };
	struct ns_link link;

	if (!is_wanted(r, text, &link))
		return;
	new.ns = get(r->found, link.type, link.inum);
	if (!new.ns->owner)
		read_relatives(r, new.ns, namespace_open(dir, name));
	if (r->via == VIA_MEMBER)
		new.tid = strtoul(name, NULL, 10);
	else
		new.fd = strtoul(name, NULL, 10);
	hold(r->found, &new);
}

static void add_fuse(struct reader *r, const char *point)
{
	if (r->nr_fuse < MAX_FUSE)
		r->fuse[r->nr_fuse] = xstrdup(point);
	r->nr_fuse++;
}

static void forget_fuse(struct reader *r)
{
	for (size_t i = 0; i < r->nr_fuse && i < MAX_FUSE; i++)
		free(r->fuse[i]);
	r->nr_fuse = 0;
}

/* May take a path for one below that is not. */
static bool below_fuse(const struct reader *r, const char *path)
{
	for (size_t i = 0; i < r->nr_fuse && i < MAX_FUSE; i++) {
		if (!strncmp(path, r->fuse[i], strlen(r->fuse[i])))
			return true;
	}
	return r->nr_fuse > MAX_FUSE;
}

static void read_mount(void *arg, const struct mount_line *mount)
{
	struct reader *r = arg;
	struct ns_hold new = {
		.via = VIA_MOUNT,
		.proc = r->proc,
		.nr = 1,
		.by = r->proc->mntns,
	};
	struct ns_hold *added;
	struct ns_link link;

	if (!strncmp(mount->type, "fuse", strlen("fuse")))
		add_fuse(r, mount->point);
	if (!is_wanted(r, mount->root, &link))
		return;
	new.ns = get(r->found, link.type, link.inum);
	if (!new.ns->owner)
		read_relatives(r, new.ns, process_open_mount(r->proc->pid, mount->point,
							     below_fuse(r, mount->point)));
	added = hold(r->found, &new);
	if (!added->path)
		added->path = xstrdup(mount->point);
}

/* By mount namespace, and within it by PID; kernel threads last. */
static int compare_mntns(const void *a, const void *b)
{
	const struct process *x = *(const struct process *const *)a;
	const struct process *y = *(const struct process *const *)b;

	return COMPARE(x->mntns, y->mntns) ?: COMPARE(x->kernel, y->kernel) ?:
	       COMPARE(x->pid, y->pid);
}

static void read_mounts(struct reader *r, const struct processes *procs)
{
	const struct process **sorted = xreallocarray(NULL, procs->nr, sizeof(*sorted));

	for (size_t i = 0; i < procs->nr; i++)
		sorted[i] = &procs->list[i];
	qsort(sorted, procs->nr, sizeof(*sorted), compare_mntns);
	for (size_t i = 0; i < procs->nr; i++) {
		r->proc = sorted[i];
		if (!r->proc->mntns || (i && sorted[i - 1]->mntns == r->proc->mntns))
			continue;
		process_visit_mounts(r->proc->pid, read_mount, r);
		forget_fuse(r);
	}
	free(sorted);
}

/**
 * namespaces_read() - find namespaces, and the processes, descriptors and mounts that hold them
 * @found: out; free with namespaces_free()
 * @procs: the processes; must live as long as @found
 * @wanted: NS_MASK() of the types. What a user namespace owns holds it: with NS_USER, all types
 *	are read.
 */
void namespaces_read(struct namespaces *found, const struct processes *procs, unsigned int wanted)
{
	struct reader r = { .found = found, .wanted = wanted };

	memset(found, 0, sizeof(*found));
	if (wanted & NS_MASK(NS_USER))
		r.wanted = ~0U;
	for (enum namespace_type type = 0; type < NR_NS_TYPES; type++)
		r.initial[type] = namespace_initial(type);
	for (size_t i = 0; i < procs->nr; i++) {
		r.proc = &procs->list[i];
		r.via = VIA_MEMBER;
		process_visit_namespaces(r.proc->pid, r.wanted, read_file, &r);
		r.via = VIA_OPEN;
		process_visit_fds(r.proc->pid, read_file, &r);
	}
	read_mounts(&r, procs);
}

/* The initial namespaces are not among those found. */
static void hold_by(struct namespaces *found, struct namespace *ns, enum namespace_type type,
		    __u32 child)
{
	if (ns)
		hold(found, &(struct ns_hold){
			.ns = ns,
			.via = VIA_CHILD,
			.nr = 1,
			.by = child,
			.by_type = type,
		});
}

static struct namespace *get_userns(struct namespaces *found, const struct ucv_userns *userns)
{
	return userns->level ? get(found, NS_USER, userns->inum) : NULL;
}

/* Take the charged user from the snapshot, where that has the namespace. */
static void complete(struct namespace *ns, const struct snapshot *snap)
{
	const struct ucv_userns *userns = snapshot_find_userns(snap, ns->inum);
	const struct ucv_mntns *mntns = snapshot_find_mntns(snap, ns->inum);

	if (ns->type == NS_USER && userns && userns->level) {
		ns->owner = snapshot_parent(snap, userns)->inum;
		ns->uid = userns->owner;
	} else if (ns->type == NS_MNT && mntns) {
		ns->owner = snap->userns[mntns->userns].inum;
		ns->uid = mntns->uid;
		ns->uncharged = mntns->flags & UCV_MNTNS_UNCHARGED;
	}
}

/**
 * namespaces_complete() - add what the module knows: users that are charged, parents and owners
 * @snap: a snapshot; its mount namespaces are used if it has them
 *
 * A child or owned namespace holds its user namespace even if nothing is found that holds itself.
 */
void namespaces_complete(struct namespaces *found, const struct snapshot *snap)
{
	for (size_t i = 0; i < snap->nr_userns; i++) {
		const struct ucv_userns *parent = snapshot_parent(snap, &snap->userns[i]);

		if (parent)
			hold_by(found, get_userns(found, parent), NS_USER, snap->userns[i].inum);
	}
	for (size_t i = 0; i < snap->nr_mntns; i++)
		hold_by(found, get_userns(found, &snap->userns[snap->mntns[i].userns]), NS_MNT,
			snap->mntns[i].inum);
	for (size_t i = 0; i < found->nr; i++) {
		struct namespace *ns = found->list[i];
		const struct ucv_userns *owner;

		complete(ns, snap);
		if (ns->parent)
			hold_by(found, find(found, ns->parent), ns->type, ns->inum);
		owner = snapshot_find_userns(snap, ns->owner);
		if (ns->type != NS_USER && owner && !snapshot_find_mntns(snap, ns->inum))
			hold_by(found, get_userns(found, owner), ns->type, ns->inum);
	}
}

/* The nodes are freed with the list. */
static void keep_node(void *node)
{
	(void)node;
}

/**
 * namespaces_free() - free what namespaces_read() filled
 */
void namespaces_free(struct namespaces *found)
{
	tdestroy(found->tree, keep_node);
	for (size_t i = 0; i < found->nr_holds; i++)
		free(found->holds[i].path);
	for (size_t i = 0; i < found->nr; i++)
		free(found->list[i]);
	free(found->holds);
	free(found->list);
	memset(found, 0, sizeof(*found));
}
