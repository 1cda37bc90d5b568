/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Text that grows, without an allocation for each piece.
 */
#ifndef _UCV_TEXT_H
#define _UCV_TEXT_H

#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include "ucountview.h"

/**
 * struct text - bytes that are added to at the end
 * @data: the bytes, without a terminating null; NULL until there are any
 * @used: their number
 * @size: the capacity
 */
struct text {
	char *data;
	size_t used;
	size_t size;
};

void text_grow(struct text *text, size_t more);
void text_unsigned(struct text *text, unsigned long long number);
void text_number(struct text *text, long long number);
void text_vprintf(struct text *text, const char *fmt, va_list ap) __printf(2, 0);
size_t utf8_length(const unsigned char *s, size_t left);
char *text_copy(const struct text *text);
void text_free(struct text *text);

/**
 * text_room() - have room for @more bytes after the present ones
 *
 * Return: where they go; adding them to @text->used is up to the caller.
 */
static inline char *text_room(struct text *text, size_t more)
{
	if (text->size - text->used < more)
		text_grow(text, more);
	return text->data + text->used;
}

/**
 * text_add() - add @nr bytes
 */
static inline void text_add(struct text *text, const char *bytes, size_t nr)
{
	memcpy(text_room(text, nr), bytes, nr);
	text->used += nr;
}

/**
 * text_put() - add one byte
 */
static inline void text_put(struct text *text, char byte)
{
	*text_room(text, 1) = byte;
	text->used++;
}

#endif /* _UCV_TEXT_H */
