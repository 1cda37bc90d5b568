// SPDX-License-Identifier: GPL-2.0
/*
 * The systemd unit and the container of a process, from its cgroup: cells, and the container that
 * an argument names. What a path means is in cgroup.c.
 *
 * Each process is read once and remembered: memory is needed for those that are asked for, at most
 * the length of a path each.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "containers.h"
#include "format.h"
#include "index.h"
#include "procfs.h"
#include "ucountview.h"

const struct unit_columns unit_columns = { "UNIT", "SLICE", "CONTAINER", "POD" };

/* A process that was asked for. */
struct known_process {
	unsigned int pid;
	bool dated;			/* @started is known */
	unsigned long long started;	/* nanoseconds of CLOCK_BOOTTIME; 0 if it has exited */
	struct cgroup_names names;
	unsigned int number;		/* see process_unit_number(); 0: there is none yet */
};

static struct index known;	/* by PID */
static struct known_process *processes;
static struct index numbers;	/* by the hash of a path */
static char **paths;		/* those that have numbers */

static void read_names(struct known_process *process)
{
	static int pids_known = -1;
	char *path;

	if (pids_known < 0)
		pids_known = processes_known();
	path = pids_known ? process_unit_cgroup(process->pid) : NULL;
	if (path)
		cgroup_parse(&process->names, path);
	free(path);
}

/* Valid until the next call. */
static struct known_process *known_process(unsigned int pid)
{
	size_t nth = index_find(&known, pid);

	if (nth != INDEX_NONE)
		return &processes[nth];
	nth = known.nr;
	processes = xgrow(processes, nth, sizeof(*processes));
	processes[nth] = (struct known_process){ .pid = pid };
	read_names(&processes[nth]);
	index_add(&known, pid, nth);
	return &processes[nth];
}

/**
 * process_names() - what the cgroup of a process names
 * @pid: as the module shows it; may have exited
 *
 * Return: the names, valid until the next call. None if PIDs in /proc are other ones, or if there
 * is no such process.
 */
const struct cgroup_names *process_names(unsigned int pid)
{
	return &known_process(pid)->names;
}

static unsigned long long started_at(struct known_process *process)
{
	if (!process->dated)
		process->started = process_started(process->pid);
	process->dated = true;
	return process->started;
}

/**
 * denied_process() - the process that was refused
 *
 * Return: its PID; 0 if it has exited, also if another process has that PID now.
 */
unsigned int denied_process(const struct ucv_denial *denial)
{
	__u32 pid = denial->tgid;
	unsigned long long started = pid ? started_at(known_process(pid)) : 0;

	return started && started <= denial->time_ns ? pid : 0;
}

static uint64_t hash_of(const char *text)
{
	uint64_t hash = 0xcbf29ce484222325ULL;

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3ULL;
	return hash;
}

/* The number of a path, which is freed; from 1 on. */
static unsigned int number_of(char *path)
{
	uint64_t hash = hash_of(path);
	size_t nth;

	while ((nth = index_find(&numbers, hash)) != INDEX_NONE && strcmp(paths[nth], path))
		hash++;
	if (nth != INDEX_NONE) {
		free(path);
		return nth + 1;
	}
	nth = numbers.nr;
	paths = xgrow(paths, nth, sizeof(*paths));
	paths[nth] = path;
	index_add(&numbers, hash, nth);
	return nth + 1;
}

/**
 * process_unit_number() - a number that processes of one unit and container share
 *
 * Users can have units of the same name: those are different ones.
 *
 * Return: the number, until process_names_forget(); 0 if the process is in none.
 */
unsigned int process_unit_number(unsigned int pid)
{
	struct known_process *process = known_process(pid);
	const struct cgroup_names *names = &process->names;
	size_t end = names->unit_end;

	if (end < names->container_end)
		end = names->container_end;
	if (end && !process->number)
		process->number = number_of(xasprintf("%.*s", (int)end, names->path));
	return process->number;
}

/**
 * process_names_forget() - read processes again that are asked for from now on
 */
void process_names_forget(void)
{
	for (size_t i = 0; i < known.nr; i++)
		cgroup_names_free(&processes[i].names);
	for (size_t i = 0; i < numbers.nr; i++)
		free(paths[i]);
	free(processes);
	free(paths);
	processes = NULL;
	paths = NULL;
	index_free(&known);
	index_free(&numbers);
}

/* The first ID in a unit's name; NULL if there is none. */
static const char *id_in(const char *name)
{
	for (const char *c = name; *c; c++) {
		size_t digits = strspn(c, "0123456789abcdef");

		if (digits == CONTAINER_ID_LENGTH)
			return c;
		c += digits ? digits - 1 : 0;
	}
	return NULL;
}

/**
 * unit_text() - the unit, for a table: an ID in it is shortened, as "*", which systemctl takes
 *
 * Return: the text, allocated; NULL if there is none.
 */
char *unit_text(const struct cgroup_names *names)
{
	const char *id = names->unit ? id_in(names->unit) : NULL;

	if (!id)
		return names->unit ? xstrdup(names->unit) : NULL;
	return xasprintf("%.*s*%s", (int)(id - names->unit) + CONTAINER_ID_SHORT, names->unit,
			 id + CONTAINER_ID_LENGTH);
}

/**
 * container_text() - the container, for a table: an ID as short as docker and podman show it
 *
 * Return: the text, allocated; NULL if there is none.
 */
char *container_text(const struct cgroup_names *names)
{
	if (!names->container)
		return NULL;
	return xasprintf("%.*s", names->by_id ? CONTAINER_ID_SHORT : (int)strlen(names->container),
			 names->container);
}

/**
 * shows_unit() - whether some of the columns are shown: if not, no process need be read
 */
bool shows_unit(struct table *tb, const struct unit_columns *columns)
{
	return table_shows(tb, columns->unit) || table_shows(tb, columns->container) ||
	       (columns->slice && table_shows(tb, columns->slice)) ||
	       (columns->pod && table_shows(tb, columns->pod));
}

static void fill(struct table *tb, const char *name, const char *text)
{
	if (name && text)
		cell_string(tb, name, text);
}

/**
 * cells_unit() - write the cells of a process
 * @pid: as the module shows it; 0 if there is none
 */
void cells_unit(struct table *tb, const struct unit_columns *columns, unsigned int pid)
{
	const struct cgroup_names *names;

	if (!pid || !shows_unit(tb, columns))
		return;
	names = process_names(pid);
	fill(tb, columns->slice, names->slice);
	fill(tb, columns->pod, names->pod);
	if (tb->json || tb->raw) {
		fill(tb, columns->unit, names->unit);
		fill(tb, columns->container, names->container);
		return;
	}
	cell_text(tb, columns->unit, unit_text(names));
	cell_text(tb, columns->container, container_text(names));
}

/* The text of a name, which whoever made the cgroup has chosen, for a sentence; allocated. */
static char *printable(char *text)
{
	for (char *c = text; c && *c; c++)
		*c = isprint((unsigned char)*c) ? *c : '?';
	return text;
}

/**
 * process_where() - in which container and unit a process is
 *
 * Return: a phrase, allocated; NULL if it is in neither.
 */
char *process_where(unsigned int pid)
{
	const struct cgroup_names *names = process_names(pid);
	char *container = printable(container_text(names)), *unit = unit_text(names), *text = NULL;

	if (container)
		text = list_add(text, ", ", "container %s", container);
	if (names->pod)
		text = list_add(text, ", ", "pod %s", names->pod);
	if (unit)
		text = list_add(text, ", ", "systemd unit %s", unit);
	free(container);
	free(unit);
	return text;
}

/* How an argument names a container. */
enum match {
	OTHER,
	BEGINS,		/* as its ID does */
	SAME,		/* as its name, its ID or the path of its cgroup */
};

/* A container that an argument may mean. */
struct candidate {
	char *path;
	char *text;			/* as a table has it */
	unsigned int first;
	unsigned long long started;	/* when @first did */
};

/* All of them, which match the argument equally well. */
struct candidates {
	const char *wanted;
	enum match match;
	struct candidate *list;
	struct index by_path;		/* by the number of the path */
	size_t nr;
};

static void candidates_free(struct candidates *all)
{
	for (size_t i = 0; i < all->nr; i++) {
		free(all->list[i].path);
		free(all->list[i].text);
	}
	free(all->list);
	index_free(&all->by_path);
	all->list = NULL;
	all->nr = 0;
}

static bool has_path(const struct cgroup_names *names, const char *path)
{
	return strlen(path) == names->container_end &&
	       !strncmp(path, names->path, names->container_end);
}

static enum match match(const struct cgroup_names *names, const char *wanted)
{
	if (!names->container)
		return OTHER;
	/* A path is that of one container; a name can have slashes, escaped in that of its unit. */
	if (*wanted == '/')
		return has_path(names, wanted) ? SAME : OTHER;
	if (!strcmp(names->container, wanted))
		return SAME;
	return names->by_id && !strncmp(names->container, wanted, strlen(wanted)) ? BEGINS : OTHER;
}

static char *container_path(const struct cgroup_names *names)
{
	return xasprintf("%.*s", (int)names->container_end, names->path);
}

/* The candidate with this path, or a new one. */
static struct candidate *candidate_at(struct candidates *all, const struct cgroup_names *names)
{
	unsigned int number = number_of(container_path(names));
	size_t nth = index_find(&all->by_path, number);

	if (nth != INDEX_NONE)
		return &all->list[nth];
	all->list = xgrow(all->list, all->nr, sizeof(*all->list));
	all->list[all->nr] = (struct candidate){ .path = container_path(names) };
	index_add(&all->by_path, number, all->nr);
	return &all->list[all->nr++];
}

static void consider(struct candidates *all, unsigned int pid)
{
	struct known_process *process = known_process(pid);
	enum match matches = match(&process->names, all->wanted);
	struct candidate *candidate;

	if (matches == OTHER || matches < all->match || !started_at(process))
		return;
	if (matches > all->match)
		candidates_free(all);
	all->match = matches;
	candidate = candidate_at(all, &process->names);
	if (candidate->first && candidate->started <= started_at(process))
		return;
	candidate->first = pid;
	candidate->started = started_at(process);
	free(candidate->text);
	candidate->text = printable(container_text(&process->names));
}

/* How many are listed if there are several. */
#define MAX_LISTED	4

static void __noreturn several_match(const struct candidates *all)
{
	char *list = NULL;

	/* Of the same name or ID are different ones whose cgroups have different parents. */
	for (size_t i = 0; i < all->nr && i < MAX_LISTED; i++)
		list = list_add(list, ", ", "%s", all->match == SAME ?
				printable(all->list[i].path) : all->list[i].text);
	die("ambiguous container: %s (%zu match: %s%s)", all->wanted, all->nr, list,
	    all->nr > MAX_LISTED ? ", ..." : "");
}

/**
 * container_find() - find the container that an argument names
 * @container: out; the path is allocated
 * @text: its name, its ID, how no other container's ID begins, or the path of its cgroup
 *
 * Exits if there is none, or more than one.
 */
void container_find(struct container *container, const char *text)
{
	struct candidates all = { .wanted = text };
	struct processes procs = { };

	processes_check_viewpoint();
	if (!*text)
		die("no container given");
	processes_read(&procs);
	for (size_t i = 0; i < procs.nr; i++)
		consider(&all, procs.list[i].pid);
	processes_free(&procs);
	if (!all.nr)
		die("no such container: %s", text);
	if (all.nr > 1)
		several_match(&all);
	container->path = xstrdup(all.list[0].path);
	container->first = all.list[0].first;
	candidates_free(&all);
}

/**
 * container_has() - whether a process is in a container
 * @pid: may have exited: it is not in it then
 */
bool container_has(const struct container *container, unsigned int pid)
{
	const struct cgroup_names *names = pid ? process_names(pid) : NULL;

	return names && names->container && has_path(names, container->path);
}
