/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Shared by the files of fuzz: random choices that depend on nothing but the seed, memory
 * whose surroundings are checked, descriptors, and findings.
 */
#ifndef _FUZZ_H
#define _FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "ucountview.h"

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))
#endif

/*
 * Descriptors. A number is always that of the same file, whatever is closed and opened, so an
 * operation that comes too late sees EBADF and never another file.
 */
enum { SLOT_DEVICE, SLOT_TEXT, NR_SLOT_TYPES };

#define SLOTS		2	/* of a type that a thread has for itself, or that all share */
#define FIRST_FD	600

/*
 * What is known of a file that only one thread uses. Of a shared one nothing is known, except
 * that its errors are documented.
 */
struct slot {
	int fd;
	bool shared;
	bool open;
	bool path;		/* O_PATH */
	bool nonblock;
	bool listens;
	bool armed;
	__u64 filled;		/* the kinds in its snapshot; 0: there is none */
	__u64 total[UCV_NR_KINDS];
	unsigned int known;	/* a bit for each element of @total that has been seen */
	__u64 last_seq;		/* of the last record that read() returned */
	int file;		/* which debugfs file */
	loff_t position;
};

/* Memory of a thread. Before and behind each region is a hole. */
struct memory {
	char *region;		/* FUZZ_REGION bytes */
	char *read_only;	/* FUZZ_REGION bytes */
	char *twin;		/* the same ones, writable */
};

/* A thread that makes operations. */
struct worker {
	unsigned int process;
	unsigned int thread;	/* from 1 */
	unsigned long op;	/* number of the operation */
	__u64 random;	/* state, set anew for each operation */
	char what[160];		/* the operation, for messages */
	struct memory memory[2]; /* for an argument, and for the buffer it points to */
	struct slot slots[NR_SLOT_TYPES][SLOTS];
};

/* What the module and the kernel have, read before the start. */
extern struct ucv_info fuzz_info;
extern bool fuzz_has_denials;
/* How many records of snapshots and denials have been checked, by all processes. */
void fuzz_count_record(void);
void fuzz_count_denial(void);
extern struct slot fuzz_shared[NR_SLOT_TYPES][SLOTS];

/* Random choices */
__u64 fuzz_random(struct worker *w);
__u64 fuzz_below(struct worker *w, __u64 bound);
bool fuzz_one_in(struct worker *w, unsigned int n);

/* Memory */
#define FUZZ_REGION	16384
#define FUZZ_GUARD	0xa5

/* A buffer to pass to the kernel. */
struct place {
	char *at;
	char *fill;		/* where to write what it is to contain; NULL: nothing is mapped */
	size_t room;		/* bytes from there that can be read */
	bool writable;
	const struct memory *memory;
};

int fuzz_memory_init(struct memory *memory);
struct place fuzz_place(struct worker *w, const struct memory *memory, size_t size);
void fuzz_fill(const struct place *place, const void *bytes, size_t size);
/*
 * Nothing but the first @size bytes at @place was written. Restores the guard in the first
 * @filled bytes.
 */
void fuzz_check_guard(struct worker *w, const struct place *place, size_t size, size_t filled);

/* Findings: print what happened and end the program. */
#ifndef __printf
#define __printf(a, b)	__attribute((format(printf, a, b)))
#endif
#ifndef __noreturn
#define __noreturn	__attribute((noreturn))
#endif

__noreturn __printf(2, 3) void fuzz_fail(struct worker *w, const char *format, ...);
__printf(2, 3) void fuzz_describe(struct worker *w, const char *format, ...);

/*
 * One of these errors, or 0, must have been returned; of a file that is shared also EBADF, as
 * another thread may have closed it.
 */
#define FUZZ_EXPECT(w, slot, error, ...) \
	fuzz_expect(w, slot, error, (const int []){ __VA_ARGS__ }, \
		    sizeof((const int []){ __VA_ARGS__ }) / sizeof(int))
void fuzz_expect(struct worker *w, const struct slot *slot, int error, const int *allowed,
		 size_t nr);

/* What is returned */
__u64 fuzz_boottime(void);
bool fuzz_is_zero(const void *bytes, size_t size);
/* What must not be in a record of this kind that was read with @size bytes; NULL: nothing. */
const char *fuzz_bad_record(__u32 kind, const void *record, size_t size);
const char *fuzz_bad_denial(const struct ucv_denial *denial);
size_t fuzz_record_size(__u32 kind);

/* Operations on the device and on files in debugfs */
void fuzz_close(struct worker *w, struct slot *slot);
void fuzz_dup(struct worker *w, struct slot *slot);
void fuzz_poll(struct worker *w, struct slot *slot, bool device);
void fuzz_fcntl(struct worker *w, struct slot *slot);
void fuzz_refused(struct worker *w, struct slot *slot, bool device);
/* Puts a new descriptor, opened with @flags, into its slot. */
void fuzz_install(struct worker *w, struct slot *slot, int fd, int flags);

/* Operations on one of them */
void fuzz_open_device(struct worker *w, struct slot *slot);
void fuzz_ioctl(struct worker *w, struct slot *slot);
void fuzz_read_denials(struct worker *w, struct slot *slot);
int fuzz_text_init(void);
void fuzz_open_text(struct worker *w, struct slot *slot);
void fuzz_read_text(struct worker *w, struct slot *slot);
void fuzz_seek_text(struct worker *w, struct slot *slot);

#endif /* _FUZZ_H */
