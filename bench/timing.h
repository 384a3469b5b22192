/* timing.h: CPU time of this thread, and medians. */
#ifndef BENCH_TIMING_H
#define BENCH_TIMING_H

/* Nanoseconds of CPU that the calling thread has used. */
double timing_cpu_ns(void);

/* Sorts values. count > 0. */
double timing_median(double *values, int count);

#endif
