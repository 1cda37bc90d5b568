/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Metrics in the text format of Prometheus, or in OpenMetrics.
 */
#ifndef _UCV_EXPOSITION_H
#define _UCV_EXPOSITION_H

#include <stdbool.h>
#include <stddef.h>

#include "text.h"

enum metric_type {
	METRIC_GAUGE,
	METRIC_COUNTER,
	METRIC_INFO,	/* always 1; the labels are what it tells */
};

/**
 * struct metric - a metric family
 * @name: without the suffix that the type gives it
 * @unit: a base unit, which @name ends in; NULL: none
 * @help: one line, without a backslash or a quotation mark
 */
struct metric {
	const char *name;
	enum metric_type type;
	const char *unit;
	const char *help;
};

/**
 * struct exposition - metrics as text
 * @openmetrics: in OpenMetrics 1.0, otherwise in the text format 0.0.4 of Prometheus
 * @metric: the family of the samples that are added
 * @begun: it has one, so its heading is written
 * @labels: labels of the present sample
 * @out: the text
 */
struct exposition {
	bool openmetrics;
	const struct metric *metric;
	bool begun;
	size_t labels;
	struct text out;
};

void exposition_metric(struct exposition *ex, const struct metric *metric);
void exposition_sample(struct exposition *ex);
char *exposition_text(const char *value);
void exposition_label(struct exposition *ex, const char *name, const char *value);
void exposition_label_number(struct exposition *ex, const char *name, unsigned long long value);
void exposition_number(struct exposition *ex, long long value);
void exposition_unsigned(struct exposition *ex, unsigned long long value);
void exposition_infinity(struct exposition *ex);
void exposition_seconds(struct exposition *ex, unsigned long long ns);
void exposition_end(struct exposition *ex);

#endif /* _UCV_EXPOSITION_H */
