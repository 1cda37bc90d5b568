// SPDX-License-Identifier: GPL-2.0
/*
 * Not a test: the 32-bit program that abi32_test runs. It passes arguments and buffers whose
 * addresses are multiples of four but not of eight, as on the stack of a 32-bit program. It
 * writes the raw results to standard output.
 *
 *	abi32_reader info		struct ucv_info
 *	abi32_reader records KIND SIZE	struct ucv_snapshot of only that kind, struct
 *					ucv_read, and all records, SIZE bytes each
 *	abi32_reader denials TGID NR	struct ucv_listen, as soon as it listens; then the
 *					next NR records of process TGID
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "abi_layout.h"

static_assert(sizeof(void *) == 4, "to be built with -m32");

static void die(const char *what)
{
	fprintf(stderr, "abi32_reader: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Memory that is aligned to four bytes but not to eight. */
static char *room(size_t size)
{
	char *memory = aligned_alloc(8, (size + 15) / 8 * 8);

	if (!memory)
		die("memory");
	memset(memory, 0, size + 4);
	return memory + 4;
}

static void put(const void *data, size_t size)
{
	if (fwrite(data, 1, size, stdout) != size || fflush(stdout))
		die("standard output");
}

static void call(int fd, unsigned long request, void *arg, const char *what)
{
	if (ioctl(fd, request, arg))
		die(what);
	put(arg, _IOC_SIZE(request));
}

static void put_records(int fd, __u32 kind, __u32 record_size)
{
	struct ucv_snapshot snapshot = { .request = UCV_MASK(kind) };
	struct ucv_read read = { .kind = kind, .record_size = record_size };
	char *arg = room(sizeof(snapshot)), *records;

	memcpy(arg, &snapshot, sizeof(snapshot));
	call(fd, UCV_IOC_SNAPSHOT, arg, "UCV_IOC_SNAPSHOT");
	arg = room(sizeof(read));
	memcpy(arg, &read, sizeof(read));
	if (ioctl(fd, UCV_IOC_READ, arg))
		die("UCV_IOC_READ without a buffer");
	memcpy(&read, arg, sizeof(read));
	read.buf_size = read.total * record_size;
	records = room(read.buf_size);
	read.buf = (uintptr_t)records;
	memcpy(arg, &read, sizeof(read));
	call(fd, UCV_IOC_READ, arg, "UCV_IOC_READ");
	put(records, read.buf_size);
}

static void put_denials(int fd, __u32 tgid, long nr)
{
	struct ucv_listen listen = { .flags = UCV_LISTEN_ARM };
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };
	char *arg = room(sizeof(listen));
	struct ucv_denial denial;
	char *record = room(sizeof(denial));

	memcpy(arg, &listen, sizeof(listen));
	call(fd, UCV_IOC_LISTEN, arg, "UCV_IOC_LISTEN");
	while (nr) {
		if (poll(&pollfd, 1, -1) != 1 || pollfd.revents != POLLIN)
			die("poll");
		if (read(fd, record, sizeof(denial)) != sizeof(denial))
			die("read");
		memcpy(&denial, record, sizeof(denial));
		if (denial.tgid != tgid)
			continue;
		put(&denial, sizeof(denial));
		nr--;
	}
}

int main(int argc, char **argv)
{
	int fd = open(UCV_DEVICE_PATH, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die("open " UCV_DEVICE_PATH);
	if (argc == 2 && !strcmp(argv[1], "info"))
		call(fd, UCV_IOC_INFO, room(sizeof(struct ucv_info)), "UCV_IOC_INFO");
	else if (argc == 4 && !strcmp(argv[1], "records"))
		put_records(fd, strtoul(argv[2], NULL, 10), strtoul(argv[3], NULL, 10));
	else if (argc == 4 && !strcmp(argv[1], "denials"))
		put_denials(fd, strtoul(argv[2], NULL, 10), atol(argv[3]));
	else
		return 2;
	return 0;
}
