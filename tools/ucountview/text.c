// SPDX-License-Identifier: GPL-2.0
/*
 * Text that grows, without an allocation for each piece.
 */
#include <stdio.h>
#include <stdlib.h>

#include "text.h"

/* Enough for a number or a name. */
#define SHORT_TEXT	64

/**
 * text_grow() - see text_room()
 */
void text_grow(struct text *text, size_t more)
{
	size_t size = text->size ? text->size : SHORT_TEXT;

	while (size - text->used < more) {
		if (size > (size_t)-1 / 2)
			die("out of memory");
		size *= 2;
	}
	text->data = xreallocarray(text->data, size, 1);
	text->size = size;
}

/**
 * text_unsigned() - add a number in decimal
 */
void text_unsigned(struct text *text, unsigned long long number)
{
	char digits[SHORT_TEXT], *first = digits + sizeof(digits);

	do {
		*--first = '0' + number % 10;
		number /= 10;
	} while (number);
	text_add(text, first, digits + sizeof(digits) - first);
}

/**
 * text_number() - text_unsigned() of a number that may be negative
 */
void text_number(struct text *text, long long number)
{
	if (number < 0)
		text_put(text, '-');
	text_unsigned(text, number < 0 ? 0ULL - number : (unsigned long long)number);
}

/**
 * text_vprintf() - add what vprintf() would print
 */
void text_vprintf(struct text *text, const char *fmt, va_list ap)
{
	size_t room = SHORT_TEXT;

	for (;;) {
		char *to = text_room(text, room);
		va_list again;
		int length;

		va_copy(again, ap);
		length = vsnprintf(to, room, fmt, again);
		va_end(again);
		if (length < 0)
			die("out of memory");
		if ((size_t)length < room) {
			text->used += length;
			return;
		}
		room = (size_t)length + 1;
	}
}

/**
 * utf8_length() - length of a UTF-8 character
 * @s: its first byte
 * @left: bytes from there on, at least 1
 *
 * Return: the length, or 0 if the bytes are not valid UTF-8: one such byte makes all of a JSON text
 * invalid.
 */
size_t utf8_length(const unsigned char *s, size_t left)
{
	size_t length = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 :
			s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;

	if (length > left)
		return 0;
	for (size_t i = 1; i < length; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	}
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return length;
}

/**
 * text_copy() - the text as a string
 *
 * Return: the string, allocated.
 */
char *text_copy(const struct text *text)
{
	char *copy = xreallocarray(NULL, text->used + 1, 1);

	if (text->used)
		memcpy(copy, text->data, text->used);
	copy[text->used] = '\0';
	return copy;
}

/**
 * text_free() - free the text, which is empty and usable afterwards
 */
void text_free(struct text *text)
{
	free(text->data);
	memset(text, 0, sizeof(*text));
}
