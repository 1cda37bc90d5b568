// SPDX-License-Identifier: GPL-2.0
/*
 * Not a test: writes all that the module's ioctls and read() return to standard output, as it is
 * in memory: every argument, every record of every kind, padded, and the denials in the ring.
 * Everything begins at a multiple of eight bytes.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "ucountview.h"

#define RECORD_SIZE	512	/* more than any record has */

static void die(const char *what)
{
	fprintf(stderr, "dump_records: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void put(const void *data, size_t size)
{
	if (size % 8)
		die("a size that is no multiple of 8");
	if (fwrite(data, 1, size, stdout) != size)
		die("standard output");
}

static void put_kind(int fd, __u32 kind)
{
	struct ucv_read read = { .kind = kind, .record_size = RECORD_SIZE };
	char *records;

	if (ioctl(fd, UCV_IOC_READ, &read))
		die("UCV_IOC_READ without a buffer");
	read.buf_size = read.total * read.record_size;
	records = calloc(read.total + 1, read.record_size);
	if (!records)
		die("memory");
	read.buf = (uintptr_t)records;
	if (ioctl(fd, UCV_IOC_READ, &read))
		die("UCV_IOC_READ");
	put(records, read.buf_size);
	free(records);
	put(&read, sizeof(read));
}

static void put_denials(int fd)
{
	struct ucv_listen listen = { .flags = UCV_LISTEN_OLDEST };
	static char buf[1 << 20];
	ssize_t got;

	if (ioctl(fd, UCV_IOC_LISTEN, &listen)) {
		if (errno != EOPNOTSUPP)
			die("UCV_IOC_LISTEN");
		return;
	}
	put(&listen, sizeof(listen));
	while ((got = read(fd, buf, sizeof(buf))) > 0)
		put(buf, got);
	if (errno != EAGAIN)
		die("read");
}

int main(void)
{
	int fd = open(UCV_DEVICE_PATH, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct ucv_snapshot snapshot = {};
	struct ucv_info info = {};
	__u32 kind;

	if (fd < 0)
		die("open " UCV_DEVICE_PATH);
	if (ioctl(fd, UCV_IOC_INFO, &info))
		die("UCV_IOC_INFO");
	put(&info, sizeof(info));
	snapshot.request = info.supported;
	if (ioctl(fd, UCV_IOC_SNAPSHOT, &snapshot))
		die("UCV_IOC_SNAPSHOT");
	put(&snapshot, sizeof(snapshot));
	for (kind = 0; kind < UCV_NR_KINDS; kind++)
		if (snapshot.filled & UCV_MASK(kind))
			put_kind(fd, kind);
	put_denials(fd);
	return fflush(stdout) ? 1 : 0;
}
