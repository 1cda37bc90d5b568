/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The tracepoints ucount_denied, mount_denied, rlimit_denied and depth_denied of ucountview,
 * for perf, trace-cmd and bpftrace. Their fields are those of struct ucv_denial
 * (include/uapi/ucountview.h), with the same names and units. They fire in the
 * refused thread; pid, tgid and comm are its own.
 *
 * Enabling one of them arms recording, which takes effect a moment later, see
 * ucv_denials_trace_reg().
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM ucountview

#if !defined(_TRACE_UCOUNTVIEW_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_UCOUNTVIEW_H

#include <linux/string.h>
#include <linux/tracepoint.h>

#include <uapi/ucountview.h>

#ifndef UCV_TRACE_REG
#define UCV_TRACE_REG
int ucv_denials_trace_reg(void);
void ucv_denials_trace_unreg(void);
#endif

TRACE_EVENT_FN(ucount_denied,
	       TP_PROTO(const struct ucv_denial *denial, const char *resource),
	       TP_ARGS(denial, resource),
	       TP_STRUCT__entry(__field(u64, seq)
				__field(u64, time_ns)
				__field(u64, caller_id)
				__field(u64, charged_id)
				__field(u64, userns_id)
				__field(s64, used)
				__field(s64, limit)
				__field(u32, pid)
				__field(u32, tgid)
				__field(u32, flags)
				__field(u32, caller_userns)
				__field(u32, caller_uid)
				__field(u32, charged_userns)
				__field(u32, charged_uid)
				__field(u32, charged_level)
				__field(u32, level)
				__field(u32, userns)
				__field(u32, uid)
				__field(u32, uid_in_ns)
				__array(char, comm, UCV_COMM_LEN)
				__array(char, resource, UCV_NAME_LEN)),
	       TP_fast_assign(__entry->seq = denial->seq;
			      __entry->time_ns = denial->time_ns;
			      __entry->caller_id = denial->caller_id;
			      __entry->charged_id = denial->charged_id;
			      __entry->userns_id = denial->userns_id;
			      __entry->used = denial->used;
			      __entry->limit = denial->limit;
			      __entry->pid = denial->pid;
			      __entry->tgid = denial->tgid;
			      __entry->flags = denial->flags;
			      __entry->caller_userns = denial->caller_userns;
			      __entry->caller_uid = denial->caller_uid;
			      __entry->charged_userns = denial->charged_userns;
			      __entry->charged_uid = denial->charged_uid;
			      __entry->charged_level = denial->charged_level;
			      __entry->level = denial->level;
			      __entry->userns = denial->userns;
			      __entry->uid = denial->uid;
			      __entry->uid_in_ns = denial->uid_in_ns;
			      memcpy(__entry->comm, denial->comm, UCV_COMM_LEN);
			      memcpy(__entry->resource, resource, UCV_NAME_LEN);),
	       TP_printk("pid=%u tgid=%u comm=%s resource=%s level=%u userns=%u uid=%u used=%lld limit=%lld charged_level=%u charged_userns=%u charged_uid=%u caller_userns=%u caller_uid=%u flags=0x%x",
			 __entry->pid, __entry->tgid, __entry->comm, __entry->resource,
			 __entry->level, __entry->userns, __entry->uid,
			 __entry->used, __entry->limit,
			 __entry->charged_level, __entry->charged_userns, __entry->charged_uid,
			 __entry->caller_userns, __entry->caller_uid, __entry->flags),
	       ucv_denials_trace_reg, ucv_denials_trace_unreg);

TRACE_EVENT_FN(mount_denied,
	       TP_PROTO(const struct ucv_denial *denial),
	       TP_ARGS(denial),
	       TP_STRUCT__entry(__field(u64, seq)
				__field(u64, time_ns)
				__field(u64, caller_id)
				__field(u64, charged_id)
				__field(u64, mntns_id)
				__field(s64, used)
				__field(s64, limit)
				__field(u32, pid)
				__field(u32, tgid)
				__field(u32, flags)
				__field(u32, caller_userns)
				__field(u32, caller_uid)
				__field(u32, charged_userns)
				__field(u32, charged_uid)
				__field(u32, charged_level)
				__field(u32, mntns)
				__field(u32, pending)
				__field(u32, asked)
				__array(char, comm, UCV_COMM_LEN)),
	       TP_fast_assign(__entry->seq = denial->seq;
			      __entry->time_ns = denial->time_ns;
			      __entry->caller_id = denial->caller_id;
			      __entry->charged_id = denial->charged_id;
			      __entry->mntns_id = denial->mntns_id;
			      __entry->used = denial->used;
			      __entry->limit = denial->limit;
			      __entry->pid = denial->pid;
			      __entry->tgid = denial->tgid;
			      __entry->flags = denial->flags;
			      __entry->caller_userns = denial->caller_userns;
			      __entry->caller_uid = denial->caller_uid;
			      __entry->charged_userns = denial->charged_userns;
			      __entry->charged_uid = denial->charged_uid;
			      __entry->charged_level = denial->charged_level;
			      __entry->mntns = denial->mntns;
			      __entry->pending = denial->pending;
			      __entry->asked = denial->asked;
			      memcpy(__entry->comm, denial->comm, UCV_COMM_LEN);),
	       TP_printk("pid=%u tgid=%u comm=%s mntns=%u mounts=%lld pending=%u asked=%u limit=%lld charged_level=%u charged_userns=%u charged_uid=%u caller_userns=%u caller_uid=%u flags=0x%x",
			 __entry->pid, __entry->tgid, __entry->comm, __entry->mntns,
			 __entry->used, __entry->pending, __entry->asked, __entry->limit,
			 __entry->charged_level, __entry->charged_userns, __entry->charged_uid,
			 __entry->caller_userns, __entry->caller_uid, __entry->flags),
	       ucv_denials_trace_reg, ucv_denials_trace_unreg);

/* Refused by a counter of a resource limit (rlimit_denied), or by nesting depth. */
DECLARE_EVENT_CLASS(asked_denied,
		    TP_PROTO(const struct ucv_denial *denial, const char *resource),
		    TP_ARGS(denial, resource),
		    TP_STRUCT__entry(__field(u64, seq)
				     __field(u64, time_ns)
				     __field(u64, caller_id)
				     __field(u64, charged_id)
				     __field(u64, userns_id)
				     __field(s64, used)
				     __field(s64, limit)
				     __field(u32, pid)
				     __field(u32, tgid)
				     __field(u32, flags)
				     __field(u32, caller_userns)
				     __field(u32, caller_uid)
				     __field(u32, charged_userns)
				     __field(u32, charged_uid)
				     __field(u32, charged_level)
				     __field(u32, level)
				     __field(u32, userns)
				     __field(u32, uid)
				     __field(u32, uid_in_ns)
				     __field(u32, asked)
				     __array(char, comm, UCV_COMM_LEN)
				     __array(char, resource, UCV_NAME_LEN)),
		    TP_fast_assign(__entry->seq = denial->seq;
				   __entry->time_ns = denial->time_ns;
				   __entry->caller_id = denial->caller_id;
				   __entry->charged_id = denial->charged_id;
				   __entry->userns_id = denial->userns_id;
				   __entry->used = denial->used;
				   __entry->limit = denial->limit;
				   __entry->pid = denial->pid;
				   __entry->tgid = denial->tgid;
				   __entry->flags = denial->flags;
				   __entry->caller_userns = denial->caller_userns;
				   __entry->caller_uid = denial->caller_uid;
				   __entry->charged_userns = denial->charged_userns;
				   __entry->charged_uid = denial->charged_uid;
				   __entry->charged_level = denial->charged_level;
				   __entry->level = denial->level;
				   __entry->userns = denial->userns;
				   __entry->uid = denial->uid;
				   __entry->uid_in_ns = denial->uid_in_ns;
				   __entry->asked = denial->asked;
				   memcpy(__entry->comm, denial->comm, UCV_COMM_LEN);
				   strscpy(__entry->resource, resource, UCV_NAME_LEN);),
		    TP_printk("pid=%u tgid=%u comm=%s resource=%s level=%u userns=%u uid=%u used=%lld asked=%u limit=%lld charged_level=%u charged_userns=%u charged_uid=%u caller_userns=%u caller_uid=%u flags=0x%x",
			      __entry->pid, __entry->tgid, __entry->comm, __entry->resource,
			      __entry->level, __entry->userns, __entry->uid,
			      __entry->used, __entry->asked, __entry->limit,
			      __entry->charged_level, __entry->charged_userns, __entry->charged_uid,
			      __entry->caller_userns, __entry->caller_uid, __entry->flags));

DEFINE_EVENT_FN(asked_denied, rlimit_denied,
		TP_PROTO(const struct ucv_denial *denial, const char *resource),
		TP_ARGS(denial, resource),
		ucv_denials_trace_reg, ucv_denials_trace_unreg);

DEFINE_EVENT_FN(asked_denied, depth_denied,
		TP_PROTO(const struct ucv_denial *denial, const char *resource),
		TP_ARGS(denial, resource),
		ucv_denials_trace_reg, ucv_denials_trace_unreg);

#endif /* _TRACE_UCOUNTVIEW_H */

/* This part must be outside protection */
#include <trace/define_trace.h>
