// SPDX-License-Identifier: GPL-2.0
/*
 * The fuzzer's ioctls on the device, each with what include/uapi/ucountview.h says must come of
 * it: the error, and every member and record that is written.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "fuzz.h"

#define ALL_KINDS	(UCV_MASK(UCV_NR_KINDS) - 1)

/* An ioctl and its argument. */
struct call {
	unsigned int dir, type, nr, size;
	struct place place;
	union {
		unsigned char bytes[FUZZ_REGION];
		struct ucv_info info;
		struct ucv_snapshot snapshot;
		struct ucv_read read;
		struct ucv_listen listen;
	} in, out;
	struct place buf;	/* of UCV_IOC_READ */
	__u64 before;		/* time of the call */
};

/* The module's arguments, by number: the size that it knows, and the smallest that it accepts. */
static const struct {
	unsigned int size;
	unsigned int size_ver0;
} known[] = {
	[_IOC_NR(UCV_IOC_INFO)] = { sizeof(struct ucv_info), UCV_INFO_SIZE_VER0 },
	[_IOC_NR(UCV_IOC_SNAPSHOT)] = { sizeof(struct ucv_snapshot), UCV_SNAPSHOT_SIZE_VER0 },
	[_IOC_NR(UCV_IOC_READ)] = { sizeof(struct ucv_read), UCV_READ_SIZE_VER0 },
	[_IOC_NR(UCV_IOC_LISTEN)] = { sizeof(struct ucv_listen), UCV_LISTEN_SIZE_VER0 },
};

/* The kinds that a snapshot has if these are requested. */
static __u64 brought_by(__u64 request)
{
	const __u64 held = UCV_MASK(UCV_KIND_GROUP) | UCV_MASK(UCV_KIND_HOLDER);

	if (request & held)
		request |= held;
	if (request & (UCV_MASK(UCV_KIND_UCOUNTS) | UCV_MASK(UCV_KIND_MNTNS) | held))
		request |= UCV_MASK(UCV_KIND_USERNS);
	return request;
}

/* Choices */

static __u64 any_number(struct worker *w)
{
	static const __u64 numbers[] = {
		0, 1, 7, 8, 31, 32, 4096, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000,
		0x7fffffffffffffff, 0x8000000000000000, 0xffffffffffffffff,
	};

	return fuzz_one_in(w, 3) ? fuzz_random(w) : numbers[fuzz_below(w, ARRAY_SIZE(numbers))];
}

static unsigned int any_size(struct worker *w, unsigned int nr)
{
	unsigned int size = nr < ARRAY_SIZE(known) ? known[nr].size : 64;
	const unsigned int page = sysconf(_SC_PAGESIZE);

	if (!fuzz_one_in(w, 4))
		return size;
	switch (fuzz_below(w, 8)) {
	case 0:
		return nr < ARRAY_SIZE(known) ? known[nr].size_ver0 : 0;
	case 1:
		return size - fuzz_below(w, size);
	case 2:
		return size + 8;
	case 3:
		return size + fuzz_below(w, 200);
	case 4:
		return page & _IOC_SIZEMASK;
	case 5:
		return (page + 1) & _IOC_SIZEMASK;
	case 6:
		return 0;
	default:
		return fuzz_below(w, _IOC_SIZEMASK + 1);
	}
}

/* The VFS handles some ioctls of these types for any file. */
static unsigned int any_type(struct worker *w)
{
	unsigned int type = fuzz_below(w, 256);

	return strchr("Tf\x12X\x15\x94", type) ? UCV_IOC_MAGIC + 1 : type;
}

static void choose_request(struct worker *w, struct ucv_snapshot *snapshot)
{
	snapshot->request = fuzz_info.supported;
	if (fuzz_one_in(w, 3))
		snapshot->request = 1 + fuzz_below(w, ALL_KINDS);
	if (fuzz_one_in(w, 12))
		snapshot->request |= 1ULL << fuzz_below(w, 64);
	if (fuzz_one_in(w, 20))
		snapshot->request = any_number(w);
	if (fuzz_one_in(w, 3))
		snapshot->flags = UCV_SNAPSHOT_NO_PROCESSES;
	if (fuzz_one_in(w, 12))
		snapshot->flags = 1U << fuzz_below(w, 32);
	if (fuzz_one_in(w, 12))
		snapshot->reserved = 1U << fuzz_below(w, 32);
}

static void choose_read(struct worker *w, struct call *call)
{
	struct ucv_read *read = &call->in.read;

	read->kind = fuzz_below(w, UCV_NR_KINDS);
	read->record_size = fuzz_record_size(read->kind);
	if (fuzz_one_in(w, 3))
		read->record_size = 8 * fuzz_below(w, 530);
	if (fuzz_one_in(w, 15))
		read->record_size = any_number(w);
	if (fuzz_one_in(w, 15))
		read->kind = any_number(w);
	read->first = fuzz_one_in(w, 3) ? fuzz_below(w, 40) : 0;
	if (fuzz_one_in(w, 15))
		read->first = any_number(w);
	read->buf_size = fuzz_below(w, FUZZ_REGION / 2);
	call->buf = fuzz_place(w, &w->memory[1], read->buf_size);
	if (fuzz_one_in(w, 8))
		read->buf_size = fuzz_below(w, 1ULL + read->record_size);
	if (fuzz_one_in(w, 15))
		read->buf_size = any_number(w);
	read->buf = (uintptr_t)call->buf.at;
	if (fuzz_one_in(w, 12))
		read->flags = 1U << fuzz_below(w, 32);
	/* members that are only written */
	read->nr = fuzz_random(w);
	read->total = fuzz_random(w);
}

static void choose_listen(struct worker *w, struct ucv_listen *listen)
{
	listen->flags = fuzz_below(w, 4);
	if (fuzz_one_in(w, 12))
		listen->flags |= 1U << fuzz_below(w, 32);
	if (fuzz_one_in(w, 12))
		listen->reserved = 1U << fuzz_below(w, 32);
	listen->armed = fuzz_random(w);
	listen->next = fuzz_random(w);
	listen->seen = fuzz_random(w);
}

static void choose(struct worker *w, struct call *call)
{
	static const unsigned char often[] = {
		_IOC_NR(UCV_IOC_INFO), _IOC_NR(UCV_IOC_LISTEN), _IOC_NR(UCV_IOC_LISTEN),
		_IOC_NR(UCV_IOC_SNAPSHOT), _IOC_NR(UCV_IOC_SNAPSHOT), _IOC_NR(UCV_IOC_SNAPSHOT),
		_IOC_NR(UCV_IOC_READ), _IOC_NR(UCV_IOC_READ), _IOC_NR(UCV_IOC_READ),
		_IOC_NR(UCV_IOC_READ), _IOC_NR(UCV_IOC_READ),
	};
	unsigned int i;

	call->nr = often[fuzz_below(w, ARRAY_SIZE(often))];
	if (fuzz_one_in(w, 20))
		call->nr = fuzz_below(w, 256);
	call->type = fuzz_one_in(w, 30) ? any_type(w) : UCV_IOC_MAGIC;
	call->dir = fuzz_one_in(w, 30) ? fuzz_below(w, 4) : _IOC_READ | _IOC_WRITE;
	call->size = any_size(w, call->nr);
	memset(&call->in, 0, sizeof(call->in));
	if (call->nr == _IOC_NR(UCV_IOC_INFO))
		memset(&call->in.info, fuzz_random(w), sizeof(call->in.info));
	if (call->nr == _IOC_NR(UCV_IOC_SNAPSHOT))
		choose_request(w, &call->in.snapshot);
	if (call->nr == _IOC_NR(UCV_IOC_READ))
		choose_read(w, call);
	if (call->nr == _IOC_NR(UCV_IOC_LISTEN))
		choose_listen(w, &call->in.listen);
	if (fuzz_one_in(w, 20))
		for (i = fuzz_below(w, 4); i; i--)
			call->in.bytes[fuzz_below(w, call->size + 1)] = fuzz_random(w);
	if (call->nr == _IOC_NR(UCV_IOC_READ)) /* where it is known what may be written */
		call->in.read.buf = (uintptr_t)call->buf.at;
	call->place = fuzz_place(w, &w->memory[0], call->size);
}

/* What must come of it */

/* Errors that are found before the module looks at the members. Returns how many can come. */
static unsigned int early_errors(const struct call *call, int errors[2])
{
	const unsigned int nr = call->nr, size = call->size;
	unsigned int n = 0, tail;

	if (call->type != UCV_IOC_MAGIC || call->dir != (_IOC_READ | _IOC_WRITE) ||
	    nr >= ARRAY_SIZE(known))
		errors[n++] = ENOTTY;
	else if (size < known[nr].size_ver0)
		errors[n++] = EINVAL;
	else if (size > (unsigned int)sysconf(_SC_PAGESIZE))
		errors[n++] = E2BIG;
	if (n)
		return n;
	/* Members that the module does not know come first, up to where nothing is mapped. */
	if (size > known[nr].size && call->place.room > known[nr].size) {
		tail = (size < call->place.room ? size : call->place.room) - known[nr].size;
		if (!fuzz_is_zero(call->in.bytes + known[nr].size, tail))
			errors[n++] = E2BIG;
	}
	/* Behind a hole before the region is the guard. */
	if (size > known[nr].size && !call->place.room)
		errors[n++] = E2BIG;
	if (call->place.room < size)
		errors[n++] = EFAULT;
	return n;
}

/* The argument that the module sees: what is beyond the caller's is zero. */
static void cut_argument(struct call *call)
{
	memset(call->in.bytes + call->size, 0, sizeof(call->in.bytes) - call->size);
}

static void check_info(struct worker *w, const struct call *call)
{
	const struct ucv_info *info = &call->out.info;
	const size_t same = offsetof(struct ucv_info, recording);

	if (memcmp(info, &fuzz_info, same))
		fuzz_fail(w, "what the module supports has changed");
	if (call->size >= UCV_INFO_SIZE_VER1 &&
	    info->recording & ~(UCV_RECORDING_ON | UCV_RECORDING_BLIND))
		fuzz_fail(w, "recording has unknown bits");
	if (call->size >= UCV_INFO_SIZE_VER2 && info->loaded_ns != fuzz_info.loaded_ns)
		fuzz_fail(w, "the module was loaded at another time");
}

static void do_info(struct worker *w, struct slot *slot, struct call *call, int error)
{
	(void)slot;
	FUZZ_EXPECT(w, slot, error, call->place.writable ? 0 : EFAULT);
}

static void do_snapshot(struct worker *w, struct slot *slot, struct call *call, int error)
{
	const struct ucv_snapshot *in = &call->in.snapshot;

	if (!in->request || in->request & ~ALL_KINDS ||
	    in->flags & ~UCV_SNAPSHOT_NO_PROCESSES || in->reserved) {
		FUZZ_EXPECT(w, slot, error, EINVAL);
		return;
	}
	if (in->request & ~fuzz_info.supported) {
		FUZZ_EXPECT(w, slot, error, EOPNOTSUPP);
		return;
	}
	if (call->place.writable)
		FUZZ_EXPECT(w, slot, error, 0, EFBIG, ENOMEM);
	else
		FUZZ_EXPECT(w, slot, error, EFAULT, EFBIG, ENOMEM);
	if (!slot->shared) {
		slot->known = 0;
		slot->filled = error ? 0 : brought_by(in->request);
	}
}

static void check_snapshot(struct worker *w, const struct call *call)
{
	const struct ucv_snapshot *in = &call->in.snapshot, *out = &call->out.snapshot;

	if (out->request != in->request || out->flags != in->flags || out->reserved)
		fuzz_fail(w, "the request was changed");
	if (out->supported != fuzz_info.supported)
		fuzz_fail(w, "other kinds are supported than before");
	if (out->filled != brought_by(in->request))
		fuzz_fail(w, "the snapshot has other kinds, 0x%llx",
			  (unsigned long long)out->filled);
	if (out->start_ns < call->before || out->end_ns < out->start_ns ||
	    out->end_ns > fuzz_boottime())
		fuzz_fail(w, "the snapshot's times are not those of the call");
	if (out->hold_max_ns > out->end_ns - out->start_ns)
		fuzz_fail(w, "a section was longer than the walk");
}

static bool read_is_valid(const struct ucv_read *in)
{
	return in->kind < UCV_NR_KINDS && !in->flags && !(in->record_size % 8) &&
	       in->record_size >= UCV_RECORD_SIZE_MIN && in->record_size <= UCV_RECORD_SIZE_MAX;
}

static void do_read(struct worker *w, struct slot *slot, struct call *call, int error)
{
	const struct ucv_read *in = &call->in.read;
	bool some, total_known;

	if (!read_is_valid(in)) {
		FUZZ_EXPECT(w, slot, error, EINVAL);
		return;
	}
	if (slot->shared) {
		FUZZ_EXPECT(w, slot, error, 0, ENODATA, EMSGSIZE, EFAULT, ENOMEM);
		return;
	}
	if (!(slot->filled & UCV_MASK(in->kind))) {
		FUZZ_EXPECT(w, slot, error, ENODATA);
		return;
	}
	total_known = slot->known & 1U << in->kind;
	some = in->buf_size && (!total_known || in->first < slot->total[in->kind]);
	if (some && in->buf_size < in->record_size && total_known)
		FUZZ_EXPECT(w, slot, error, EMSGSIZE);
	else if (some && in->buf_size < in->record_size)
		FUZZ_EXPECT(w, slot, error, EMSGSIZE, call->place.writable ? 0 : EFAULT);
	else if (some && total_known && (!call->buf.writable || call->buf.room < in->record_size))
		FUZZ_EXPECT(w, slot, error, EFAULT, ENOMEM);
	else if (!call->place.writable)
		FUZZ_EXPECT(w, slot, error, EFAULT, ENOMEM);
	else if (some && call->buf.writable && in->buf_size <= call->buf.room)
		FUZZ_EXPECT(w, slot, error, 0, ENOMEM);
	else if (some)
		FUZZ_EXPECT(w, slot, error, 0, EFAULT, ENOMEM);
	else
		FUZZ_EXPECT(w, slot, error, 0);
}

static void check_records(struct worker *w, const struct call *call)
{
	const struct ucv_read *in = &call->in.read;
	char record[UCV_RECORD_SIZE_MAX];
	const char *bad;
	__u32 i;

	for (i = 0; i < call->out.read.nr; i++) {
		fuzz_count_record();
		memcpy(record, call->buf.at + (size_t)i * in->record_size, in->record_size);
		bad = fuzz_bad_record(in->kind, record, in->record_size);
		if (bad)
			fuzz_fail(w, "record %llu has %s that must not be",
				  (unsigned long long)in->first + i, bad);
	}
}

static void check_read(struct worker *w, struct slot *slot, struct call *call)
{
	const struct ucv_read *in = &call->in.read, *out = &call->out.read;
	const __u64 room = in->buf_size / in->record_size;
	__u64 nr = in->first < out->total ? out->total - in->first : 0;

	if (nr > room)
		nr = room;
	if (out->kind != in->kind || out->record_size != in->record_size ||
	    out->first != in->first || out->buf != in->buf || out->buf_size != in->buf_size ||
	    out->flags)
		fuzz_fail(w, "the request was changed");
	if (out->nr != nr)
		fuzz_fail(w, "%u records of %llu, expected %llu", out->nr,
			  (unsigned long long)out->total, (unsigned long long)nr);
	if (nr && (!call->buf.writable || nr * in->record_size > call->buf.room))
		fuzz_fail(w, "%llu records were written where they cannot be",
			  (unsigned long long)nr);
	if (!slot->shared && slot->known & 1U << in->kind && slot->total[in->kind] != out->total)
		fuzz_fail(w, "the snapshot has %llu records now, and had %llu",
			  (unsigned long long)out->total,
			  (unsigned long long)slot->total[in->kind]);
	if (!slot->shared) {
		slot->total[in->kind] = out->total;
		slot->known |= 1U << in->kind;
	}
	check_records(w, call);
}

static void do_listen(struct worker *w, struct slot *slot, struct call *call, int error)
{
	const struct ucv_listen *in = &call->in.listen;

	if (in->flags & ~(UCV_LISTEN_ARM | UCV_LISTEN_OLDEST) || in->reserved) {
		FUZZ_EXPECT(w, slot, error, EINVAL);
		return;
	}
	if (!fuzz_has_denials) {
		FUZZ_EXPECT(w, slot, error, EOPNOTSUPP);
		return;
	}
	if (call->place.writable)
		FUZZ_EXPECT(w, slot, error, 0, ENOMEM);
	else
		FUZZ_EXPECT(w, slot, error, EFAULT, ENOMEM);
	if (error == ENOMEM)
		return;
	if (!slot->shared) {
		slot->listens = true;
		slot->armed |= in->flags & UCV_LISTEN_ARM;
		slot->last_seq = 0;
	}
}

static void check_listen(struct worker *w, const struct slot *slot, const struct call *call)
{
	const struct ucv_listen *in = &call->in.listen, *out = &call->out.listen;

	if (out->flags != in->flags || out->reserved)
		fuzz_fail(w, "the request was changed");
	if (!out->capacity || !out->next || out->next > out->total + 1)
		fuzz_fail(w, "it listens at %llu of %llu", (unsigned long long)out->next,
			  (unsigned long long)out->total);
	if (!slot->shared && slot->armed && !out->armed)
		fuzz_fail(w, "it is not armed");
	if (call->size >= UCV_LISTEN_SIZE_VER1 && slot->armed && !slot->shared &&
	    !out->recording)
		fuzz_fail(w, "it is armed and records nothing");
}

static void check_out(struct worker *w, struct slot *slot, struct call *call)
{
	const unsigned int size = known[call->nr].size;

	memset(&call->out, 0, sizeof(call->out));
	memcpy(call->out.bytes, call->place.at, call->size);
	if (call->size > size && !fuzz_is_zero(call->out.bytes + size, call->size - size))
		fuzz_fail(w, "a member that the module does not know was written");
	switch (call->nr) {
	case _IOC_NR(UCV_IOC_INFO):
		check_info(w, call);
		break;
	case _IOC_NR(UCV_IOC_SNAPSHOT):
		check_snapshot(w, call);
		break;
	case _IOC_NR(UCV_IOC_READ):
		check_read(w, slot, call);
		break;
	default:
		check_listen(w, slot, call);
		break;
	}
}

/* Returns the number of bytes of the buffer of UCV_IOC_READ that may have been written. */
static size_t written(const struct call *call, int error)
{
	const struct ucv_read *in = &call->in.read;

	if (!error)
		return (size_t)call->out.read.nr * in->record_size;
	return error == EFAULT ? call->buf.room : 0;
}

void fuzz_ioctl(struct worker *w, struct slot *slot)
{
	static void (*const expect[])(struct worker *, struct slot *, struct call *, int) = {
		do_info, do_snapshot, do_read, do_listen,
	};
	static __thread struct call call;
	int errors[2], error, ret;
	unsigned int nr;

	memset(&call.buf, 0, sizeof(call.buf));
	choose(w, &call);
	fuzz_describe(w, "ioctl(%d, dir %u type 0x%x nr %u size %u, %p)", slot->fd, call.dir,
		      call.type, call.nr, call.size, call.place.at);
	fuzz_fill(&call.place, call.in.bytes, call.size);
	call.before = fuzz_boottime();
	ret = ioctl(slot->fd, _IOC(call.dir, call.type, call.nr, call.size), call.place.at);
	error = ret ? errno : 0;
	if (ret > 0)
		fuzz_fail(w, "it returned %d", ret);
	if (slot->shared && error == EBADF) {
		fuzz_check_guard(w, &call.place, 0, call.size);
		return;
	}
	nr = early_errors(&call, errors);
	if (!slot->open && !slot->shared) {
		errors[0] = EBADF;
		nr = 1;
	}
	if (nr) {
		fuzz_expect(w, slot, error, errors, nr);
	} else {
		cut_argument(&call);
		expect[call.nr](w, slot, &call, error);
		if (!error)
			check_out(w, slot, &call);
		if (call.nr == _IOC_NR(UCV_IOC_READ) && call.buf.memory)
			fuzz_check_guard(w, &call.buf, written(&call, error), 0);
	}
	fuzz_check_guard(w, &call.place, 0, call.size);
}
