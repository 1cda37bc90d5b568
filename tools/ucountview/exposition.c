// SPDX-License-Identifier: GPL-2.0
/*
 * Metrics in the text format of Prometheus, or in OpenMetrics. A family without samples is left
 * out, heading and all. Numbers are written as integers, so that all 64 bits of them are.
 */
#include <stdlib.h>
#include <string.h>

#include "exposition.h"

#define NSEC_PER_SEC	1000000000ULL

static void add(struct text *out, const char *string)
{
	text_add(out, string, strlen(string));
}

static const char *sample_suffix(const struct metric *metric)
{
	static const char * const suffixes[] = {
		[METRIC_GAUGE] = "",
		[METRIC_COUNTER] = "_total",
		[METRIC_INFO] = "_info",
	};

	return suffixes[metric->type];
}

/* OpenMetrics has a type for information. There, headings name the family, without the suffix. */
static const char *type_name(const struct exposition *ex)
{
	switch (ex->metric->type) {
	case METRIC_COUNTER:
		return "counter";
	case METRIC_INFO:
		return ex->openmetrics ? "info" : "gauge";
	default:
		return "gauge";
	}
}

static void add_heading(struct exposition *ex, const char *keyword, const char *text)
{
	add(&ex->out, "# ");
	add(&ex->out, keyword);
	text_put(&ex->out, ' ');
	add(&ex->out, ex->metric->name);
	if (!ex->openmetrics)
		add(&ex->out, sample_suffix(ex->metric));
	text_put(&ex->out, ' ');
	add(&ex->out, text);
	text_put(&ex->out, '\n');
}

/**
 * exposition_metric() - begin a family
 * @metric: valid until the next one is begun, or the end
 */
void exposition_metric(struct exposition *ex, const struct metric *metric)
{
	ex->metric = metric;
	ex->begun = false;
}

/**
 * exposition_sample() - begin a sample of the family; labels and then a value follow
 */
void exposition_sample(struct exposition *ex)
{
	if (!ex->begun) {
		add_heading(ex, "HELP", ex->metric->help);
		add_heading(ex, "TYPE", type_name(ex));
		if (ex->openmetrics && ex->metric->unit)
			add_heading(ex, "UNIT", ex->metric->unit);
	}
	ex->begun = true;
	ex->labels = 0;
	add(&ex->out, ex->metric->name);
	add(&ex->out, sample_suffix(ex->metric));
}

static void begin_label(struct exposition *ex, const char *name)
{
	text_put(&ex->out, ex->labels++ ? ',' : '{');
	add(&ex->out, name);
	add(&ex->out, "=\"");
}

/* Of ASCII, or one of those from U+0080 to U+009F, which terminals obey as well. */
static bool is_control(const unsigned char *c)
{
	return *c < ' ' || *c == 0x7f || (*c == 0xc2 && c[1] < 0xa0);
}

static void add_byte(struct text *out, unsigned char byte)
{
	static const char digits[] = "0123456789abcdef";
	const char escape[] = { '\\', 'x', digits[byte >> 4], digits[byte & 0xf] };

	text_add(out, escape, sizeof(escape));
}

/**
 * exposition_text() - what the value of a label is to whoever reads the metrics
 * @value: any bytes
 *
 * Both formats are UTF-8. Other bytes, and control characters, are written as in JSON: "\xff". So
 * different values can be the same to a reader, for whom their series are one.
 *
 * Return: the text, allocated.
 */
char *exposition_text(const char *value)
{
	const unsigned char *from = (const unsigned char *)value, *end = from + strlen(value);
	struct text out = { };
	char *text;

	while (from < end) {
		size_t length = utf8_length(from, end - from);
		bool plain = length && (*from == '\n' || !is_control(from));

		length = length ? length : 1;
		if (plain)
			text_add(&out, (const char *)from, length);
		for (size_t i = 0; !plain && i < length; i++)
			add_byte(&out, from[i]);
		from += length;
	}
	text = text_copy(&out);
	text_free(&out);
	return text;
}

static void add_escaped(struct text *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '\n') {
			add(out, "\\n");
			continue;
		}
		if (*text == '\\' || *text == '"')
			text_put(out, '\\');
		text_put(out, *text);
	}
}

/**
 * exposition_label() - add a label to the sample
 * @value: any bytes
 */
void exposition_label(struct exposition *ex, const char *name, const char *value)
{
	char *text = exposition_text(value);

	begin_label(ex, name);
	add_escaped(&ex->out, text);
	text_put(&ex->out, '"');
	free(text);
}

/**
 * exposition_label_number() - exposition_label() of a number
 */
void exposition_label_number(struct exposition *ex, const char *name, unsigned long long value)
{
	begin_label(ex, name);
	text_unsigned(&ex->out, value);
	text_put(&ex->out, '"');
}

static void end_labels(struct exposition *ex)
{
	if (ex->labels)
		text_put(&ex->out, '}');
	text_put(&ex->out, ' ');
}

/**
 * exposition_number() - end the sample with an integer
 */
void exposition_number(struct exposition *ex, long long value)
{
	end_labels(ex);
	text_number(&ex->out, value);
	text_put(&ex->out, '\n');
}

/**
 * exposition_unsigned() - exposition_number() of one that is not negative
 */
void exposition_unsigned(struct exposition *ex, unsigned long long value)
{
	end_labels(ex);
	text_unsigned(&ex->out, value);
	text_put(&ex->out, '\n');
}

/**
 * exposition_infinity() - end the sample with infinity
 */
void exposition_infinity(struct exposition *ex)
{
	end_labels(ex);
	add(&ex->out, "+Inf\n");
}

/**
 * exposition_seconds() - end the sample with a time in seconds, exactly
 * @ns: nanoseconds
 */
void exposition_seconds(struct exposition *ex, unsigned long long ns)
{
	unsigned long long fraction = ns % NSEC_PER_SEC;

	end_labels(ex);
	text_unsigned(&ex->out, ns / NSEC_PER_SEC);
	if (fraction)
		text_put(&ex->out, '.');
	for (unsigned long long digit = NSEC_PER_SEC / 10; fraction; digit /= 10) {
		text_put(&ex->out, '0' + fraction / digit);
		fraction %= digit;
	}
	text_put(&ex->out, '\n');
}

/**
 * exposition_end() - end the text, which is @ex->out; to be freed with text_free()
 */
void exposition_end(struct exposition *ex)
{
	if (ex->openmetrics)
		add(&ex->out, "# EOF\n");
}
