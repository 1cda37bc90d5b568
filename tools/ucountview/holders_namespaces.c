// SPDX-License-Identifier: GPL-2.0
/*
 * ucountview holders, for namespaces: who holds them, and how many are charged that nothing was
 * found to hold.
 *
 * The module knows which user a user or mount namespace is charged to. Of other namespaces the
 * kernel shows only the user namespace that owns them, where they are charged to the effective
 * uid of their creator: the user is known if there is only one who is charged for any.
 */
#include <stdlib.h>
#include <string.h>

#include "accounting.h"
#include "containers.h"
#include "format.h"
#include "holders_namespaces.h"
#include "namespaces.h"
#include "ucountview.h"

#define MAX_HOLDERS	64	/* in HOLDERS */

enum mode {
	BY_PROCESS,
	BY_COMMAND,
	BY_NAMESPACE,
	BY_USER,
	BY_UNIT,
};

static const struct {
	const char *name;
	const char *columns;
	const char *more;	/* added in JSON and raw output */
	const char *optional;	/* in raw output, FLAGS alone */
} modes[] = {
	[BY_PROCESS] = { "process", "PID,COMMAND,KIND,VIA,USERNS,LEVEL,USER,NAMESPACES,SHARED",
			 ",UID,MNTNS,PATH", "FLAGS," OPTIONAL_UNIT_COLUMNS },
	[BY_COMMAND] = { "command", "COMMAND,KIND,VIA,PROCESSES,NAMESPACES,SHARED,PID",
			 ",MNTNS,PATH", "FLAGS" },
	[BY_NAMESPACE] = { "namespace", "NS,KIND,USERNS,LEVEL,USER,PID,COMMAND,HOLDERS",
			   ",UID,VIA,PATH", "FLAGS," OPTIONAL_UNIT_COLUMNS },
	[BY_USER] = { "user", "KIND,USERNS,LEVEL,UID,USER,NAMESPACES,PROCESSES", "",
		      "FLAGS" },
	[BY_UNIT] = { "unit",
		      "UNIT,CONTAINER,KIND,VIA,PROCESSES,NAMESPACES,SHARED,PID,COMMAND",
		      ",MNTNS,PATH", "FLAGS" },
};

static const char * const vias[] = {
	[VIA_MEMBER] = "member",
	[VIA_OPEN] = "open",
	[VIA_MOUNT] = "mount",
	[VIA_CHILD] = "child",
};

/*
 * Namespaces of a type that a user namespace owns: those charged to a user, or to all of its
 * users (UCV_UID_UNMAPPED) where it is not known which of them are charged to whom.
 */
struct charges {
	struct counter_key key;
	enum namespace_type type;
	const struct ucv_userns *ns;
	long long charged;
	long long found;	/* with a holder */
	size_t users;		/* who are charged for any */
	__u32 uid;		/* one of them */
};

/* The key of a line, which all its holders share. Members that a mode does not use are 0. */
struct row_key {
	enum namespace_type type;
	enum ns_via via;
	__u32 tgid;
	__u32 by;		/* the mount namespace that has the mounts */
	__u32 ns;
	__u32 owner;
	__u32 uid;
	__u32 unit;		/* process_unit_number() */
	char comm[UCV_COMM_LEN];	/* zeroed after its end */
};

struct entry {
	struct row_key key;
	const struct ns_hold *hold;
};

struct row {
	struct row_key key;
	const struct entry *entries;	/* NULL: nothing holds them */
	size_t nr_entries;
	long long namespaces;
	long long shared;
	size_t processes;
	unsigned long long fds;
};

struct holders {
	const struct args *args;
	enum mode mode;
	bool narrow;		/* the plain table has no FLAGS and no PATH: COMMAND has them */
	bool wanted[NR_NS_TYPES];
	size_t resource[NR_NS_TYPES];
	struct snapshot snap;
	struct processes procs;
	struct namespaces found;
	struct countermap accounts;
	struct countermap charges;
	long long ownerless[NR_NS_TYPES];	/* found, but not where they are charged */
	struct entry *entries;
	size_t nr_entries;
	struct row *rows;
	size_t nr_rows;
};

static bool find_type(const char *resource, enum namespace_type *type)
{
	for (*type = 0; *type < NR_NS_TYPES; (*type)++) {
		if (!strcmp(namespace_resource(*type), resource))
			return true;
	}
	return false;
}

/**
 * holders_of_namespaces_wanted() - whether --resource names namespaces
 *
 * Exits if it names something else, too.
 */
bool holders_of_namespaces_wanted(const struct args *args)
{
	const struct resource_names *list = &args->resources;
	size_t namespaces = 0;
	enum namespace_type type;

	for (size_t i = 0; i < list->nr; i++)
		namespaces += find_type(list->names[i], &type);
	if (namespaces && namespaces < list->nr)
		die("namespaces and other resources cannot be selected together");
	return namespaces;
}

static enum mode find_mode(const char *by)
{
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		if (!strcmp(modes[i].name, by))
			return i;
	}
	die("invalid argument of --by: %s (process, command, namespace, user or unit)", by);
}

/* Whether a line is about users of all user namespaces. */
static bool of_all_users(const struct holders *h)
{
	return h->mode == BY_COMMAND || h->mode == BY_UNIT;
}

static unsigned int find_wanted(struct holders *h)
{
	const struct resource_names *list = &h->args->resources;
	bool wanted[UCV_MAX_RESOURCES];
	unsigned int mask = 0;
	enum namespace_type type;

	find_resources(h->args, &h->snap, false, wanted);
	for (size_t i = 0; i < list->nr; i++) {
		find_type(list->names[i], &type);
		h->wanted[type] = true;
		h->resource[type] = snapshot_resource(&h->snap, list->names[i]);
		mask |= NS_MASK(type);
	}
	return mask;
}

/* What is charged. */

static bool users_known(const struct holders *h, enum namespace_type type)
{
	return type == NS_USER ||
	       (type == NS_MNT && h->snap.taken.filled & UCV_MASK(UCV_KIND_MNTNS));
}

/* What is charged to the user at this very level, in both samples. */
static long long charged_here(const struct account *account)
{
	long long nr[NR_LOOKS];

	for (enum look look = LOOK_FIRST; look < NR_LOOKS; look++)
		nr[look] = account->nr[CHARGED][look] - account->nr[BELOW][look];
	return nr[LOOK_FIRST] < nr[LOOK_SECOND] ? nr[LOOK_FIRST] : nr[LOOK_SECOND];
}

static struct counter_key charges_key(const struct holders *h, enum namespace_type type,
				      const struct ucv_userns *ns, __u32 uid)
{
	return key_counter(ns, users_known(h, type) ? uid : UCV_UID_UNMAPPED, h->resource[type]);
}

static void add_charges(struct holders *h, const struct account *account, enum namespace_type type)
{
	const struct ucv_userns *ns = snapshot_find_userns(&h->snap, account->key.inum);
	long long charged = charged_here(account);
	struct charges *charges;

	if (!ns || account->key.uid == UCV_UID_UNMAPPED || charged <= 0)
		return;
	charges = countermap_at(&h->charges, charges_key(h, type, ns, account->key.uid),
				sizeof(*charges));
	charges->type = type;
	charges->ns = ns;
	charges->charged += charged;
	charges->users++;
	charges->uid = account->key.uid;
}

static struct charges *charges_of(const struct holders *h, const struct namespace *ns)
{
	const struct ucv_userns *owner = snapshot_find_userns(&h->snap, ns->owner);

	if (!owner)
		return NULL;
	return countermap_find(&h->charges, charges_key(h, ns->type, owner, ns->uid));
}

/* The kernel's own mount namespace is charged before Linux 6.19, and is not listed. */
static void forget_initial(struct holders *h)
{
	const struct ucv_mntns *mntns = snapshot_find_mntns(&h->snap, namespace_initial(NS_MNT));
	const struct ucv_userns *owner;
	struct charges *charges;

	if (!h->wanted[NS_MNT] || !mntns || mntns->flags & UCV_MNTNS_UNCHARGED)
		return;
	owner = &h->snap.userns[mntns->userns];
	charges = countermap_find(&h->charges, charges_key(h, NS_MNT, owner, mntns->uid));
	if (charges)
		charges->charged--;
}

static void count_charges(struct holders *h)
{
	for (size_t i = 0; i < h->accounts.nr; i++) {
		const struct account *account = h->accounts.list[i];

		for (enum namespace_type type = 0; type < NR_NS_TYPES; type++) {
			if (h->wanted[type] && account->key.resource == h->resource[type])
				add_charges(h, account, type);
		}
	}
	forget_initial(h);
	for (size_t i = 0; i < h->found.nr; i++) {
		const struct namespace *ns = h->found.list[i];
		struct charges *charges = charges_of(h, ns);

		if (!h->wanted[ns->type] || !ns->nr_holds || ns->uncharged)
			continue;
		if (charges)
			charges->found++;
		else if (!snapshot_find_userns(&h->snap, ns->owner))
			h->ownerless[ns->type]++;
	}
}

/* The charged user, UCV_UID_UNMAPPED if it can be one of several. */
static __u32 user_of(const struct charges *charges)
{
	return charges->users == 1 ? charges->uid : UCV_UID_UNMAPPED;
}

/* A user for whom some namespaces of @charges may be charged. */
static bool may_be_charged(const struct holders *h, const struct charges *charges, __u32 uid)
{
	const struct account *account = countermap_find(&h->accounts,
		key_counter(charges->ns, uid, h->resource[charges->type]));

	if (charges->key.uid != UCV_UID_UNMAPPED)
		return charges->uid == uid;
	return account && charged_here(account) > 0;
}

static bool wants_charges(const struct holders *h, const struct charges *charges)
{
	const struct args *args = h->args;

	if (!charges)
		return !args->user && !args->userns;
	if (args->userns && charges->ns->inum != args->userns_inum)
		return false;
	return !args->user || may_be_charged(h, charges, args->uid);
}

/* Lines. */

static struct row_key key_of(const struct holders *h, const struct ns_hold *hold)
{
	const struct charges *charges = charges_of(h, hold->ns);
	struct row_key key = { .type = hold->ns->type };

	if (h->mode == BY_PROCESS || of_all_users(h))
		key.via = hold->via;
	if (h->mode == BY_PROCESS && hold->proc)
		key.tgid = hold->proc->pid;
	if (hold->via == VIA_MOUNT && (h->mode == BY_PROCESS || of_all_users(h)))
		key.by = hold->by;
	if (h->mode == BY_NAMESPACE)
		key.ns = hold->ns->inum;
	if (h->mode == BY_UNIT) {
		if (hold->proc && hold->via != VIA_MOUNT)
			key.unit = process_unit_number(hold->proc->pid);
		return key;
	}
	if (h->mode == BY_COMMAND) {
		if (hold->proc && hold->via != VIA_MOUNT)
			snprintf(key.comm, sizeof(key.comm), "%s", hold->proc->comm);
		return key;
	}
	key.owner = hold->ns->owner;
	key.uid = charges ? user_of(charges) : hold->ns->uid;
	return key;
}

static bool is_of_chosen(const struct holders *h, const struct ns_hold *hold)
{
	if (!names_processes(h->args))
		return true;
	return (hold->via == VIA_MEMBER || hold->via == VIA_OPEN) &&
	       wants_process(h->args, hold->proc->pid);
}

/* Mark the namespaces that the options choose. */
static void choose_namespaces(struct holders *h)
{
	for (size_t i = 0; i < h->found.nr_holds; i++) {
		struct ns_hold *hold = &h->found.holds[i];

		if (is_of_chosen(h, hold))
			hold->ns->chosen = true;
	}
	for (size_t i = 0; i < h->found.nr; i++) {
		struct namespace *ns = h->found.list[i];

		ns->chosen &= h->wanted[ns->type] && wants_charges(h, charges_of(h, ns));
	}
}

/* By line, then by namespace, then by holder. */
static int compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	const struct process *p = x->hold->proc, *q = y->hold->proc;

	return memcmp(&x->key, &y->key, sizeof(x->key)) ?:
	       COMPARE(x->hold->ns->inum, y->hold->ns->inum) ?:
	       COMPARE(x->hold->via, y->hold->via) ?:
	       COMPARE(p ? p->pid : 0, q ? q->pid : 0) ?: COMPARE(x->hold->by, y->hold->by);
}

static void collect_entries(struct holders *h)
{
	h->entries = xreallocarray(NULL, h->found.nr_holds, sizeof(*h->entries));
	for (size_t i = 0; i < h->found.nr_holds; i++) {
		const struct ns_hold *hold = &h->found.holds[i];

		if (!hold->ns->chosen || (h->mode == BY_PROCESS && !is_of_chosen(h, hold)))
			continue;
		h->entries[h->nr_entries++] = (struct entry){
			.key = key_of(h, hold),
			.hold = hold,
		};
	}
	qsort(h->entries, h->nr_entries, sizeof(*h->entries), compare_entries);
}

static int compare_pids(const void *a, const void *b)
{
	return COMPARE(*(const unsigned int *)a, *(const unsigned int *)b);
}

static size_t count_processes(const struct entry *entries, size_t nr)
{
	unsigned int *pids = xreallocarray(NULL, nr, sizeof(*pids));
	size_t nr_pids = 0, processes = 0;

	for (size_t i = 0; i < nr; i++) {
		if (entries[i].hold->via == VIA_MEMBER || entries[i].hold->via == VIA_OPEN)
			pids[nr_pids++] = entries[i].hold->proc->pid;
	}
	qsort(pids, nr_pids, sizeof(*pids), compare_pids);
	for (size_t i = 0; i < nr_pids; i++)
		processes += !i || pids[i] != pids[i - 1];
	free(pids);
	return processes;
}

static void add_row(struct holders *h, const struct row *row)
{
	h->rows = xgrow(h->rows, h->nr_rows, sizeof(*h->rows));
	h->rows[h->nr_rows++] = *row;
}

/* Add a line for sorted entries with the same key. A namespace is counted once. */
static void add_up(struct holders *h, const struct entry *entries, size_t nr)
{
	struct row row = {
		.key = entries[0].key,
		.entries = entries,
		.nr_entries = nr,
		.processes = count_processes(entries, nr),
	};

	for (size_t i = 0, first = 0; i < nr; i++) {
		const struct namespace *ns = entries[i].hold->ns;

		if (entries[i].hold->via == VIA_OPEN)
			row.fds += entries[i].hold->nr;
		if (i + 1 < nr && entries[i + 1].hold->ns == ns)
			continue;
		row.namespaces++;
		row.shared += ns->nr_holds > i + 1 - first;
		first = i + 1;
	}
	add_row(h, &row);
}

/*
 * A line for each user, or by command or unit one for all. What is held belongs to no process here.
 */
static void collect_unattributed(struct holders *h)
{
	struct row sums[NR_NS_TYPES] = { };

	for (size_t i = 0; i < h->charges.nr; i++) {
		const struct charges *charges = h->charges.list[i];
		struct row row = {
			.key = {
				.type = charges->type,
				.owner = charges->ns->inum,
				.uid = user_of(charges),
			},
			.namespaces = charges->charged - charges->found,
		};

		if (row.namespaces <= 0 || !wants_charges(h, charges))
			continue;
		if (!of_all_users(h))
			add_row(h, &row);
		sums[charges->type].namespaces += row.namespaces;
	}
	for (enum namespace_type type = 0; of_all_users(h) && type < NR_NS_TYPES; type++) {
		sums[type].key.type = type;
		if (sums[type].namespaces)
			add_row(h, &sums[type]);
	}
}

/* Largest first. */
static int compare_rows(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	return COMPARE(y->namespaces, x->namespaces) ?: COMPARE(x->key.type, y->key.type) ?:
	       COMPARE(!x->entries, !y->entries) ?: COMPARE(x->key.via, y->key.via) ?:
	       COMPARE(x->key.tgid, y->key.tgid) ?: COMPARE(x->key.ns, y->key.ns) ?:
	       memcmp(&x->key, &y->key, sizeof(x->key));
}

static void collect_rows(struct holders *h)
{
	choose_namespaces(h);
	collect_entries(h);
	for (size_t i = 0, first = 0; i < h->nr_entries; i++) {
		if (i + 1 < h->nr_entries && !memcmp(&h->entries[i].key, &h->entries[i + 1].key,
						     sizeof(h->entries[i].key)))
			continue;
		add_up(h, &h->entries[first], i + 1 - first);
		first = i + 1;
	}
	if (!names_processes(h->args))
		collect_unattributed(h);
	h->nr_rows = sort_rows(h->args, h->rows, h->nr_rows, sizeof(*h->rows), compare_rows);
}

/* "203", "203/210" for its thread, "203:5*12" for descriptors, "1:/path", or "net:4026532200" */
static char *add_holder(char *text, const struct ns_hold *hold)
{
	switch (hold->via) {
	case VIA_MEMBER:
		if (hold->tid == hold->proc->pid)
			return list_add(text, ",", "%u", hold->tid);
		return list_add(text, ",", "%u/%u", hold->proc->pid, hold->tid);
	case VIA_OPEN:
		if (hold->nr < 2)
			return list_add(text, ",", "%u:%u", hold->proc->pid, hold->fd);
		return list_add(text, ",", "%u:%u*%u", hold->proc->pid, hold->fd, hold->nr);
	case VIA_MOUNT:
		return list_add(text, ",", "%u:%s", hold->proc->pid, hold->path);
	case VIA_CHILD:
		return list_add(text, ",", "%s:%u", namespace_link(hold->by_type), hold->by);
	}
	return text;
}

static char *holders_text(const struct row *row)
{
	char *text = NULL;

	for (size_t i = 0; i < row->nr_entries && i < MAX_HOLDERS; i++)
		text = add_holder(text, row->entries[i].hold);
	if (row->nr_entries <= MAX_HOLDERS)
		return text;
	return list_add(text, ",", "+%zu", row->nr_entries - MAX_HOLDERS);
}

/* A line about a user is about no process. The narrow table has a mount's path as its command. */
static void fill_holder(const struct holders *h, struct table *tb, const struct row *row)
{
	const struct ns_hold *hold = row->entries ? row->entries[0].hold : NULL;

	if (!hold && h->narrow)
		cell(tb, "COMMAND", "unattributed");
	if (!hold || h->mode == BY_USER)
		return;
	cell_string(tb, "VIA", vias[hold->via]);
	if (hold->proc) {
		cell_number(tb, "PID", hold->proc->pid);
		if (h->narrow && hold->path)
			cell_string(tb, "COMMAND", hold->path);
		else
			cell_command(tb, hold->proc->comm);
		if (hold->via != VIA_MOUNT || hold->proc->pid != INIT_PID)
			cells_unit(tb, &unit_columns, hold->proc->pid);
	}
	if (hold->path) {
		cell_number(tb, "MNTNS", hold->by);
		cell_string(tb, "PATH", hold->path);
	}
	if (h->mode == BY_NAMESPACE && table_shows(tb, "HOLDERS"))
		cell_text(tb, "HOLDERS", holders_text(row));
}

static void fill_user(const struct holders *h, struct table *tb, const struct row *row)
{
	const struct ucv_userns *ns = snapshot_find_userns(&h->snap, row->key.owner);

	if (of_all_users(h))
		return;
	cell_nonzero(tb, "USERNS", row->key.owner);
	if (ns)
		cell_number(tb, "LEVEL", ns->level);
	cell_uid(tb, "UID", row->key.uid);
	cell_user(tb, row->key.uid);
}

static void fill_row(const struct holders *h, struct table *tb, const struct row *row)
{
	table_line(tb, NULL);
	fill_holder(h, tb, row);
	cell_string(tb, "KIND", namespace_link(row->key.type));
	cell_nonzero(tb, "NS", row->key.ns);
	fill_user(h, tb, row);
	cell_number(tb, "NAMESPACES", row->namespaces);
	cell_number(tb, "SHARED", row->shared);
	cell(tb, "PROCESSES", "%zu", row->processes);
	cell_unsigned(tb, "FDS", row->fds);
	if (!row->entries && !h->narrow)
		cell(tb, "FLAGS", "unattributed");
}

/* How many of those charged were found; the difference is in the table as unattributed. */
static void print_total(const struct holders *h, enum namespace_type type)
{
	long long charged = 0, found = 0;

	for (size_t i = 0; i < h->charges.nr; i++) {
		const struct charges *charges = h->charges.list[i];

		if (charges->type != type || !wants_charges(h, charges))
			continue;
		charged += charges->charged;
		found += charges->found < charges->charged ? charges->found : charges->charged;
	}
	printf("%s: %lld charged, holders of %lld found.\n", namespace_resource(type), charged,
	       found);
	if (h->ownerless[type] && wants_charges(h, NULL))
		printf("%s: %lld of those without holders are listed, but with unknown owner.\n",
		       namespace_resource(type), h->ownerless[type]);
}

static void print_totals(const struct holders *h, const struct table *tb)
{
	if (names_processes(h->args) || tb->json || tb->raw || tb->noheadings)
		return;
	putchar('\n');
	for (enum namespace_type type = 0; type < NR_NS_TYPES; type++) {
		if (h->wanted[type])
			print_total(h, type);
	}
}

static void open_table(struct holders *h, struct table *tb)
{
	bool more = tb->json || tb->raw;
	char *columns = xasprintf("%s%s", modes[h->mode].columns, more ? modes[h->mode].more : "");

	table_open(tb, columns, tb->raw ? "FLAGS" : modes[h->mode].optional);
	free(columns);
	h->narrow = table_hides(tb, "FLAGS") && table_shows(tb, "COMMAND");
}

/* What exists in both samples was there while /proc was read. */
static void take(struct holders *h)
{
	unsigned int mask;

	for (enum look look = LOOK_FIRST; look < NR_LOOKS; look++) {
		snapshot_take(&h->snap, UCV_MASK(UCV_KIND_RESOURCE) | UCV_MASK(UCV_KIND_UCOUNTS),
			      UCV_MASK(UCV_KIND_MNTNS));
		accounts_add_snapshot(&h->accounts, &h->snap, look, true);
		if (look != LOOK_FIRST)
			continue;
		args_check(h->args, &h->snap);
		mask = find_wanted(h);
		processes_read(&h->procs);
		namespaces_read(&h->found, &h->procs, mask);
		snapshot_free(&h->snap);
	}
	namespaces_complete(&h->found, &h->snap);
	count_charges(h);
}

/**
 * holders_of_namespaces() - ucountview holders, if --resource names namespaces
 *
 * Return: the exit status.
 */
int holders_of_namespaces(struct args *args, struct table *tb)
{
	struct holders h = { .args = args, .mode = find_mode(args->by ?: "process") };

	open_table(&h, tb);
	processes_check_viewpoint();
	args_look_up(args);
	take(&h);
	collect_rows(&h);
	table_begin(tb);
	for (size_t i = 0; i < h.nr_rows; i++)
		fill_row(&h, tb, &h.rows[i]);
	table_print(tb);
	print_totals(&h, tb);
	process_fds_warn();
	free(h.entries);
	free(h.rows);
	countermap_free(&h.accounts);
	countermap_free(&h.charges);
	namespaces_free(&h.found);
	processes_free(&h.procs);
	snapshot_free(&h.snap);
	return EXIT_SUCCESS;
}
