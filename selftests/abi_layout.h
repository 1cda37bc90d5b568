/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sizes, alignments and member offsets of the ABI. They do not depend on the word size of the
 * program that includes this file and never change: members are only added. Reserved members
 * are omitted, as new members take their place.
 */
#ifndef _ABI_LAYOUT_H
#define _ABI_LAYOUT_H

#include <assert.h>
#include <stdalign.h>
#include <stddef.h>

#include "ucountview.h"

#define UCV_SIZE(type, size) \
	static_assert(sizeof(struct type) == (size), "size of " #type)

#define UCV_ALIGN(type, align) \
	static_assert(alignof(struct type) == (align), "alignment of " #type)

#define UCV_AT(type, member, offset) \
	static_assert(offsetof(struct type, member) == (offset), #type "." #member)

UCV_SIZE(ucv_resource, 40);
UCV_ALIGN(ucv_resource, 4);
UCV_AT(ucv_resource, name, 0);
UCV_AT(ucv_resource, type, 32);
UCV_AT(ucv_resource, unit, 36);

UCV_SIZE(ucv_userns, 328);
UCV_ALIGN(ucv_userns, 8);
UCV_AT(ucv_userns, id, 0);
UCV_AT(ucv_userns, inum, 8);
UCV_AT(ucv_userns, parent, 12);
UCV_AT(ucv_userns, level, 16);
UCV_AT(ucv_userns, owner, 20);
UCV_AT(ucv_userns, owner_in_parent, 24);
UCV_AT(ucv_userns, flags, 28);
UCV_AT(ucv_userns, nr_ucounts, 32);
UCV_AT(ucv_userns, pid, 36);
UCV_AT(ucv_userns, comm, 40);
UCV_AT(ucv_userns, limit, 72);

UCV_SIZE(ucv_ucounts, 288);
UCV_ALIGN(ucv_ucounts, 8);
UCV_AT(ucv_ucounts, userns, 0);
UCV_AT(ucv_ucounts, uid, 4);
UCV_AT(ucv_ucounts, uid_in_ns, 8);
UCV_AT(ucv_ucounts, flags, 12);
UCV_AT(ucv_ucounts, used, 32);

UCV_SIZE(ucv_mntns, 80);
UCV_ALIGN(ucv_mntns, 8);
UCV_AT(ucv_mntns, id, 0);
UCV_AT(ucv_mntns, inum, 8);
UCV_AT(ucv_mntns, userns, 12);
UCV_AT(ucv_mntns, uid, 16);
UCV_AT(ucv_mntns, uid_in_ns, 20);
UCV_AT(ucv_mntns, mounts, 24);
UCV_AT(ucv_mntns, pending, 28);
UCV_AT(ucv_mntns, limit, 32);
UCV_AT(ucv_mntns, pid, 36);
UCV_AT(ucv_mntns, flags, 40);
UCV_AT(ucv_mntns, comm, 48);

UCV_SIZE(ucv_denial, 176);
UCV_ALIGN(ucv_denial, 8);
UCV_AT(ucv_denial, size, 0);
UCV_AT(ucv_denial, type, 4);
UCV_AT(ucv_denial, seq, 8);
UCV_AT(ucv_denial, lost, 16);
UCV_AT(ucv_denial, time_ns, 24);
UCV_AT(ucv_denial, pid, 32);
UCV_AT(ucv_denial, tgid, 36);
UCV_AT(ucv_denial, comm, 40);
UCV_AT(ucv_denial, flags, 56);
UCV_AT(ucv_denial, resource, 60);
UCV_AT(ucv_denial, caller_id, 64);
UCV_AT(ucv_denial, caller_userns, 72);
UCV_AT(ucv_denial, caller_uid, 76);
UCV_AT(ucv_denial, charged_id, 80);
UCV_AT(ucv_denial, charged_userns, 88);
UCV_AT(ucv_denial, charged_uid, 92);
UCV_AT(ucv_denial, charged_level, 96);
UCV_AT(ucv_denial, level, 100);
UCV_AT(ucv_denial, userns_id, 104);
UCV_AT(ucv_denial, userns, 112);
UCV_AT(ucv_denial, uid, 116);
UCV_AT(ucv_denial, uid_in_ns, 120);
UCV_AT(ucv_denial, pending, 124);
UCV_AT(ucv_denial, used, 128);
UCV_AT(ucv_denial, limit, 136);
UCV_AT(ucv_denial, mntns_id, 144);
UCV_AT(ucv_denial, mntns, 152);
UCV_AT(ucv_denial, asked, 156);

UCV_SIZE(ucv_denial_count, 64);
UCV_ALIGN(ucv_denial_count, 8);
UCV_AT(ucv_denial_count, ns_id, 0);
UCV_AT(ucv_denial_count, ns, 8);
UCV_AT(ucv_denial_count, uid, 12);
UCV_AT(ucv_denial_count, type, 16);
UCV_AT(ucv_denial_count, resource, 20);
UCV_AT(ucv_denial_count, level, 24);
UCV_AT(ucv_denial_count, flags, 28);
UCV_AT(ucv_denial_count, denials, 32);
UCV_AT(ucv_denial_count, last_ns, 40);

UCV_SIZE(ucv_group, 56);
UCV_ALIGN(ucv_group, 8);
UCV_AT(ucv_group, type, 0);
UCV_AT(ucv_group, flags, 4);
UCV_AT(ucv_group, userns, 8);
UCV_AT(ucv_group, uid, 12);
UCV_AT(ucv_group, uid_in_ns, 16);
UCV_AT(ucv_group, nr_holders, 20);
UCV_AT(ucv_group, group_resource, 24);
UCV_AT(ucv_group, mark_resource, 28);
UCV_AT(ucv_group, marks, 32);
UCV_AT(ucv_group, nr_fds, 40);

UCV_SIZE(ucv_holder, 48);
UCV_ALIGN(ucv_holder, 8);
UCV_AT(ucv_holder, group, 0);
UCV_AT(ucv_holder, tgid, 4);
UCV_AT(ucv_holder, tid, 8);
UCV_AT(ucv_holder, fd, 12);
UCV_AT(ucv_holder, comm, 16);
UCV_AT(ucv_holder, nr_fds, 32);

UCV_SIZE(ucv_info, 80);
UCV_ALIGN(ucv_info, 8);
UCV_AT(ucv_info, supported, 0);
UCV_AT(ucv_info, features, 8);
UCV_AT(ucv_info, abi_version, 16);
UCV_AT(ucv_info, nr_resources, 20);
UCV_AT(ucv_info, version, 24);
UCV_AT(ucv_info, recording, 56);
UCV_AT(ucv_info, since_ns, 64);
UCV_AT(ucv_info, loaded_ns, 72);

UCV_SIZE(ucv_snapshot, 56);
UCV_ALIGN(ucv_snapshot, 8);
UCV_AT(ucv_snapshot, request, 0);
UCV_AT(ucv_snapshot, flags, 8);
UCV_AT(ucv_snapshot, reserved, 12);
UCV_AT(ucv_snapshot, supported, 16);
UCV_AT(ucv_snapshot, filled, 24);
UCV_AT(ucv_snapshot, start_ns, 32);
UCV_AT(ucv_snapshot, end_ns, 40);
UCV_AT(ucv_snapshot, hold_max_ns, 48);

UCV_SIZE(ucv_read, 48);
UCV_ALIGN(ucv_read, 8);
UCV_AT(ucv_read, kind, 0);
UCV_AT(ucv_read, record_size, 4);
UCV_AT(ucv_read, first, 8);
UCV_AT(ucv_read, buf, 16);
UCV_AT(ucv_read, buf_size, 24);
UCV_AT(ucv_read, flags, 32);
UCV_AT(ucv_read, nr, 36);
UCV_AT(ucv_read, total, 40);

UCV_SIZE(ucv_listen, 72);
UCV_ALIGN(ucv_listen, 8);
UCV_AT(ucv_listen, flags, 0);
UCV_AT(ucv_listen, reserved, 4);
UCV_AT(ucv_listen, armed, 8);
UCV_AT(ucv_listen, capacity, 12);
UCV_AT(ucv_listen, next, 16);
UCV_AT(ucv_listen, total, 24);
UCV_AT(ucv_listen, missed, 32);
UCV_AT(ucv_listen, recording, 40);
UCV_AT(ucv_listen, seen, 48);
UCV_AT(ucv_listen, interruptions, 56);
UCV_AT(ucv_listen, since_ns, 64);

#endif /* _ABI_LAYOUT_H */
