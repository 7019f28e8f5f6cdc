/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tsc-khz: prints the rate of this machine's time stamp counter in kHz, rounded to whole MHz.
 *
 * Software emulation gives the hosts this machine's counter. A host that has to measure its rate by itself measures wrong when the
 * machine is busy, and its clock then runs at several times the speed; so it is told (Linux: tsc_early_khz). Nothing is printed where
 * there is no such counter.
 */
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#if defined(__x86_64__)
#include <x86intrin.h>

#define SAMPLES 5
#define SAMPLE_NS 100000000L

/* Nanoseconds of a clock that nothing adjusts. */
static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return t.tv_sec * 1000000000L + t.tv_nsec;
}

/* One measurement in kHz. Being interrupted between the two clocks only makes it a little wrong: the samples vote. */
static int64_t sample(void)
{
	int64_t begin = now_ns(), counter = (int64_t)__rdtsc(), ns;

	nanosleep(&(struct timespec){ .tv_nsec = SAMPLE_NS }, NULL);
	ns = now_ns() - begin;
	return ((int64_t)__rdtsc() - counter) * 1000000 / ns;
}

int main(void)
{
	int64_t samples[SAMPLES];

	for (int i = 0; i < SAMPLES; i++) {
		int64_t khz = sample();
		int at = i;

		for (; at > 0 && samples[at - 1] > khz; at--)
			samples[at] = samples[at - 1];
		samples[at] = khz;
	}
	printf("%lld\n", (long long)((samples[SAMPLES / 2] + 500) / 1000 * 1000));
	return 0;
}
#else
int main(void)
{
	return 0;
}
#endif
