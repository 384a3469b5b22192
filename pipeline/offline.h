/* offline.h: scores rows or events from a stream without Kafka: `kscore score`.
 *
 * The same decoder and model as `run`, 1,024 rows at a time; memory does not depend on the length
 * of the input; lines are at most 16 MiB long, blocks of an Avro container file 64 MiB. A bad line
 * or record is reported with its number, the rest is scored.
 */
#ifndef PIPELINE_OFFLINE_H
#define PIPELINE_OFFLINE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "core/err.h"

enum offline_input { INPUT_JSONL, INPUT_CSV, INPUT_AVRO, INPUT_F32LE };
enum offline_values {
    VALUES_PREDICTION,    /* what the library's own predict returns */
    VALUES_MARGIN,        /* the sum before the link */
    VALUES_CONTRIBUTIONS, /* how much each feature moved each margin, and the bias */
};
enum offline_output { OUTPUT_AS_JSONL, OUTPUT_AS_CSV, OUTPUT_AS_F32LE, OUTPUT_AS_F64LE };

struct offline_options {
    const char *model_path; /* a bundle (folder) or a bare model file */
    FILE *in;               /* a file or a pipe of which nothing was read yet */
    FILE *out, *errors;
    enum offline_input input;
    enum offline_output output;
    size_t columns; /* F32LE: floats per row; 0 = as many as the model has features */
    int64_t rounds; /* model_options.rounds */
    enum offline_values values;
    /* Called now and then with the bytes and rows taken so far; may be NULL. */
    void (*progress)(void *arg, uint64_t bytes, uint64_t rows);
    void *progress_arg;
};

/* Rows scored and lines, records or blocks refused so far. */
struct offline_counts {
    uint64_t rows, bad;
};

/* 0, or -1 with EXIT_DATA (bundle, model, or a broken stream of rows or blocks), EXIT_IO,
 * EXIT_USAGE. Bad lines are no error here: the caller looks at counts->bad. */
int offline_score(const struct offline_options *options, struct offline_counts *counts,
                  struct err *err);

#endif
