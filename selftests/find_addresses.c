// SPDX-License-Identifier: GPL-2.0
/*
 * Not a test: prints the kernel addresses in standard input, and exits with 1 if there are any.
 *
 *	find_addresses ranges			prints where the kernel and the modules are
 *	find_addresses text RANGES...		finds numbers, hexadecimal or decimal
 *	find_addresses records RANGES...	finds addresses in what the device returns
 *
 * The ranges are those that the first form prints, which needs a /proc/kallsyms with addresses
 * (kernel.kptr_restrict below 2). Exits with 4 if addresses cannot be told from other numbers on
 * this architecture.
 *
 * Two rules, so that nothing else is taken for an address:
 *
 * - Where the kernel and the modules lie, which is known to the byte, any eight bytes of records
 *   at any offset are searched.
 * - Elsewhere, in the rest of the kernel's half of the address space, eight bytes of records are
 *   an address if they are aligned, as each 64-bit member and each pointer is. If their upper half
 *   is all ones they are not: it is a member of four bytes, UCV_NO_INDEX or UCV_UID_UNMAPPED.
 *   What else is in the upper half of an aligned word is no larger than the inode number of a
 *   namespace (0xf0000000 and a little more).
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/types.h>

struct range {
	__u64 first;
	__u64 last;
};

/* The kernel's half of the address space, without the part whose upper half is all ones. */
#if defined(__x86_64__) || defined(__aarch64__) || defined(__riscv)
static const struct range half = { 0xff00000000000000, 0xfffffffeffffffff };
#elif defined(__powerpc64__)
static const struct range half = { 0xc000000000000000, 0xcfffffffffffffff };
#else
static const struct range half;
#endif

static struct range image;	/* of the kernel */
static struct range modules;
static bool found;

static bool within(const struct range *range, __u64 value)
{
	return value >= range->first && value <= range->last;
}

static bool is_code(__u64 value)
{
	return within(&image, value) || within(&modules, value);
}

static void report(__u64 value, size_t at)
{
	printf("0x%llx at byte %zu\n", (unsigned long long)value, at);
	found = true;
}

static void read_image(void)
{
	unsigned long long address;
	char line[512], name[128];
	FILE *file = fopen("/proc/kallsyms", "r");

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%llx %*c %127s", &address, name) != 2)
			continue;
		if (!strcmp(name, "_text") || (!strcmp(name, "_stext") && !image.first))
			image.first = address;
		if (!strcmp(name, "_end"))
			image.last = address;
	}
	if (file)
		fclose(file);
	if (!image.first || image.last <= image.first) {
		fprintf(stderr, "find_addresses: /proc/kallsyms shows no addresses\n");
		exit(2);
	}
}

/* /proc/modules shows where the code of each is. Its data is not far from that. */
static void read_modules(void)
{
	const __u64 around = 16 << 20;
	unsigned long long address, size;
	char line[512];
	FILE *file = fopen("/proc/modules", "r");

	modules.first = -1;
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%*s %llu %*s %*s %*s %llx", &size, &address) != 2 || !address)
			continue;
		if (modules.first > address - around)
			modules.first = address - around;
		if (modules.last < address + size + around)
			modules.last = address + size + around;
	}
	if (file)
		fclose(file);
}

static int print_ranges(void)
{
	read_image();
	read_modules();
	printf("0x%llx 0x%llx 0x%llx 0x%llx\n", (unsigned long long)image.first,
	       (unsigned long long)image.last, (unsigned long long)modules.first,
	       (unsigned long long)modules.last);
	return 0;
}

/* 16 hexadecimal digits that begin with eight f, unless they are a small negative number. */
static bool is_high(__u64 value, size_t digits)
{
	return digits == 16 && value > half.last && half.last >> 32 == 0xfffffffe &&
	       value < (__u64)-0x1000000;
}

static void check_number(const char *text, size_t digits, bool negative, size_t at)
{
	char number[24];
	__u64 value;
	char *end;

	if (digits >= sizeof(number))
		return;
	memcpy(number, text, digits);
	number[digits] = '\0';
	value = strtoull(number, NULL, 16);
	if (digits <= 16 && (is_code(value) || within(&half, value) || is_high(value, digits)))
		report(value, at);
	value = strtoull(number, &end, 10);
	if (negative)
		value = -value;
	if (!*end && (is_code(value) || within(&half, value)))
		report(value, at);
}

static void search_text(const char *text, size_t size)
{
	size_t at, start;

	for (at = 0; at < size; at++) {
		for (start = at; at < size && isxdigit((unsigned char)text[at]); at++)
			;
		if (at > start)
			check_number(text + start, at - start,
				     start && text[start - 1] == '-', start);
	}
}

static void search_records(const char *records, size_t size)
{
	__u64 value;
	size_t at;

	for (at = 0; at + sizeof(value) <= size; at++) {
		memcpy(&value, records + at, sizeof(value));
		if (is_code(value) || (at % sizeof(value) == 0 && within(&half, value)))
			report(value, at);
	}
}

int main(int argc, char **argv)
{
	size_t size = 0, room = 1 << 20, got;
	char *input = malloc(room);

	if (!half.last)
		return 4;
	if (argc == 2 && !strcmp(argv[1], "ranges"))
		return print_ranges();
	if (argc != 6 || !input)
		return 2;
	image = (struct range){ strtoull(argv[2], NULL, 0), strtoull(argv[3], NULL, 0) };
	modules = (struct range){ strtoull(argv[4], NULL, 0), strtoull(argv[5], NULL, 0) };
	while ((got = fread(input + size, 1, room - size, stdin))) {
		size += got;
		if (size == room)
			input = realloc(input, room *= 2);
		if (!input)
			return 2;
	}
	if (!strcmp(argv[1], "records"))
		search_records(input, size);
	else
		search_text(input, size);
	return found;
}
