// SPDX-License-Identifier: GPL-2.0
/*
 * The systemd unit, the container and the pod that the path of a cgroup names, by the documented
 * naming of each program and nothing else:
 *
 * systemd: docs/CGROUP_DELEGATION.md. Slices are above the unit; below a unit that is not a user
 *	manager, whoever it was delegated to chooses the names. An underscore at the start of a name
 *	is an escape. A machine is in machine-NAME.scope (machine_start_scope() in
 *	src/machine/machine.c), or in the service systemd-nspawn@NAME.service.
 * podman: libpod-ID.scope, libpod-ID below /libpod_parent (libpod/container.go), and
 *	libpod-payload-ID in the unit's cgroup with --cgroups=split, as Quadlet does
 *	(podman-run(1)). libpod-conmon-ID.scope is the monitor, outside of the container.
 * docker: docker-ID.scope, or /docker/ID (docs.docker.com/engine/containers/runmetrics;
 *	newCgroupParent() in moby's cmd/dockerd/daemon_systemd_unix.go).
 * containerd: cri-containerd-ID.scope, or PARENT/ID; getCgroupsPath() of its CRI plugin passes
 *	SLICE:cri-containerd:ID, which is one directory if runc does not use systemd.
 * nerdctl: nerdctl-ID.scope (generateCgroupPath() in its cmd/nerdctl).
 * CRI-O: crio-ID.scope or crio-ID (scopePrefix in internal/config/cgmgr).
 * Kubernetes: kubepods.slice/kubepods-QOS.slice/kubepods-QOS-podUID.slice with underscores in UID,
 *	or /kubepods/QOS/podUID (pkg/kubelet/cm/cgroup_manager_linux.go).
 * LXC: lxc.payload.NAME since 4.0 (src/lxc/cgroups/cgroup.h), lxc.payload/NAME in 3.1, and lxc/NAME
 *	before. lxc.monitor.NAME is outside of the container.
 *
 * The outermost container counts: it is the one that the programs on this host know.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "cgroup.h"
#include "ucountview.h"

/* The parts of the path that have been read are about: */
enum stage {
	SYSTEM_MANAGER,		/* units of the system's systemd */
	USER_MANAGER,		/* units of a user's one */
	DELEGATED,		/* what the unit has made */
};

struct parser {
	struct cgroup_names *names;
	enum stage stage;
	const char *parent;	/* the part before */
	size_t end;		/* of this part in the path */
};

static bool starts_with(const char *text, const char *start)
{
	return !strncmp(text, start, strlen(start));
}

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), length_end = strlen(end);

	return length > length_end && !strcmp(text + length - length_end, end);
}

static bool only_has(const char *text, const char *allowed)
{
	return *text && !text[strspn(text, allowed)];
}

static void set_name(char **name, char *text)
{
	free(*name);
	*name = text;
}

/* As systemd's unit_name_is_valid(): other names are not those of units. */
static bool is_unit(const char *name, const char *suffix)
{
	static const char allowed[] =
		"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ:-_.\\@";

	return ends_with(name, suffix) && only_has(name, allowed) && name[0] != '@';
}

/* A unit that processes are in. */
static bool is_process_unit(const char *name)
{
	static const char * const suffixes[] = {
		".service", ".scope", ".socket", ".mount", ".swap",
	};

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		if (is_unit(name, suffixes[i]))
			return true;
	}
	return false;
}

static void take_unit(struct parser *p, const char *part)
{
	const char *name = part + (part[0] == '_');

	if (p->stage == DELEGATED)
		return;
	if (is_unit(name, ".slice")) {
		set_name(&p->names->slice, xstrdup(name));
		return;
	}
	if (!is_process_unit(name)) {
		p->stage = DELEGATED;
		return;
	}
	/* The user's manager itself, which is named better by the unit above. */
	if (p->stage == USER_MANAGER && !strcmp(name, "init.scope"))
		return;
	if (p->stage == USER_MANAGER) {
		p->names->manager = p->names->unit;
		p->names->unit = NULL;
	}
	set_name(&p->names->unit, xstrdup(name));
	p->names->unit_end = p->end;
	if (p->stage == SYSTEM_MANAGER && starts_with(name, "user@") &&
	    ends_with(name, ".service"))
		p->stage = USER_MANAGER;
	else
		p->stage = DELEGATED;
}

/* The value of the two digits of \xNN; 0 if it is something else. */
static int escaped_byte(const char *text)
{
	static const char digits[] = "0123456789abcdef";
	const char *high, *low;

	if (text[0] != '\\' || text[1] != 'x' || !text[2] || !text[3])
		return 0;
	high = strchr(digits, text[2]);
	low = strchr(digits, text[3]);
	return high && low ? (high - digits) << 4 | (low - digits) : 0;
}

/* @length bytes of systemd's unit_name_escape(), the other way round. */
static char *unescaped(const char *text, size_t length)
{
	char *copy = xasprintf("%.*s", (int)length, text), *to = copy;

	for (const char *from = copy; *from; to++) {
		int byte = escaped_byte(from);

		*to = byte ?: *from;
		from += byte ? 4 : 1;
	}
	*to = '\0';
	return copy;
}

static void set_container(struct parser *p, char *name, bool by_id)
{
	p->names->container = name;
	p->names->by_id = by_id;
	p->names->container_end = p->end;
}

/* @length digits of an ID, which nothing but @end follows. */
static bool is_id(const char *text, const char *end)
{
	return strspn(text, "0123456789abcdef") == CONTAINER_ID_LENGTH &&
	       !strcmp(text + CONTAINER_ID_LENGTH, end);
}

/* The ID in a part of the path; NULL if there is none. */
static const char *find_id(const struct parser *p, const char *part)
{
	static const char * const prefixes[] = {
		"libpod-", "libpod-payload-", "docker-", "cri-containerd-", "crio-", "nerdctl-",
	};
	const char *colon = strchr(part, ':'), *last = strrchr(part, ':');

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		const char *id = part + strlen(prefixes[i]);

		if (starts_with(part, prefixes[i]) && (is_id(id, ".scope") || is_id(id, "")))
			return id;
	}
	/* There, an ID alone is that of a pod of podman's. */
	if (is_id(part, "") && strcmp(p->parent, "libpod_parent"))
		return part;
	return last != colon && is_id(last + 1, "") ? last + 1 : NULL;
}

/* @part begins with @before, ends with @after and has a name between. */
static bool take_machine(struct parser *p, const char *part, const char *before, const char *after)
{
	size_t length = strlen(part), around = strlen(before) + strlen(after);

	if (!starts_with(part, before) || !ends_with(part, after) || length <= around)
		return false;
	set_container(p, unescaped(part + strlen(before), length - around), false);
	return true;
}

static void take_container(struct parser *p, const char *part)
{
	static const char payload[] = "lxc.payload.";
	const char *id = find_id(p, part);

	if (p->names->container)
		return;
	if (id)
		set_container(p, xasprintf("%.*s", CONTAINER_ID_LENGTH, id), true);
	else if (starts_with(part, payload) && part[strlen(payload)])
		set_container(p, xstrdup(part + strlen(payload)), false);
	else if (!strcmp(p->parent, "lxc.payload") || !strcmp(p->parent, "lxc"))
		set_container(p, xstrdup(part), false);
	else if (!take_machine(p, part, "machine-", ".scope"))
		take_machine(p, part, "systemd-nspawn@", ".service");
}

/* The UID after "pod", where @length bytes of it are, with dashes. */
static void set_pod(struct parser *p, const char *text, size_t length)
{
	char *uid = xasprintf("%.*s", (int)length, text);

	for (char *c = uid; *c; c++)
		*c = *c == '_' ? '-' : *c;
	if (only_has(uid, "0123456789abcdef-"))
		set_name(&p->names->pod, uid);
	else
		free(uid);
}

static void take_pod(struct parser *p, const char *part)
{
	const char *slice = strstr(part, ".slice"), *dash;

	if (p->names->container || p->names->pod)
		return;
	if (starts_with(part, "pod") &&
	    (!strcmp(p->parent, "kubepods") || !strcmp(p->parent, "burstable") ||
	     !strcmp(p->parent, "besteffort"))) {
		set_pod(p, part + 3, strlen(part + 3));
		return;
	}
	if (!slice || !strstr(part, "kubepods"))
		return;
	dash = memrchr(part, '-', slice - part);
	if (dash && starts_with(dash, "-pod"))
		set_pod(p, dash + 4, slice - dash - 4);
}

/* What the kernel adds to the path of a cgroup that was removed. */
static void cut_deleted(char *path)
{
	static const char deleted[] = " (deleted)";

	if (ends_with(path, deleted))
		path[strlen(path) - strlen(deleted)] = '\0';
}

/**
 * cgroup_parse() - what a path names
 * @names: out; free with cgroup_names_free()
 * @path: as in /proc/PID/cgroup. Where the hierarchy is above this program's cgroup namespace it
 *	begins with "/..", which names nothing.
 */
void cgroup_parse(struct cgroup_names *names, const char *path)
{
	struct parser p = { .names = names, .parent = "" };
	char *copy, *rest, *part;

	*names = (struct cgroup_names){ .path = xstrdup(path) };
	cut_deleted(names->path);
	copy = xstrdup(names->path);
	rest = copy;
	while ((part = strsep(&rest, "/"))) {
		if (!*part || !strcmp(part, ".."))
			continue;
		p.end = part + strlen(part) - copy;
		take_unit(&p, part);
		take_pod(&p, part);
		take_container(&p, part);
		p.parent = part;
	}
	free(copy);
}

/**
 * cgroup_names_free() - free what cgroup_parse() found
 */
void cgroup_names_free(struct cgroup_names *names)
{
	free(names->unit);
	free(names->slice);
	free(names->manager);
	free(names->container);
	free(names->pod);
	free(names->path);
	*names = (struct cgroup_names){ };
}
