// SPDX-License-Identifier: GPL-2.0
/*
 * Prints the frequency of this machine's time stamp counter in kHz, by the monotonic clock.
 */
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <x86intrin.h>

#define TRIES		1000
#define NSEC_PER_SEC	1000000000LL

struct sample {
	uint64_t tsc;
	int64_t ns;
};

/* The closest pair of readings: in the others this program may have been preempted. */
static struct sample take(void)
{
	uint64_t least = UINT64_MAX;
	struct sample best = {};

	for (int i = 0; i < TRIES; i++) {
		uint64_t before = __rdtsc(), after;
		struct timespec now;

		clock_gettime(CLOCK_MONOTONIC, &now);
		after = __rdtsc();
		if (after - before >= least)
			continue;
		least = after - before;
		best.tsc = before + least / 2;
		best.ns = now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
	}
	return best;
}

int main(void)
{
	const struct timespec pause = { .tv_nsec = NSEC_PER_SEC / 4 };
	struct sample first = take(), last;

	nanosleep(&pause, NULL);
	last = take();
	printf("%.0f\n", (double)(last.tsc - first.tsc) * 1000000 / (last.ns - first.ns));
	return 0;
}
