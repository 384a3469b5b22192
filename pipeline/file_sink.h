/* file_sink.h: the sink of kscore replay that writes files: scores as JSON lines, CSV or an Avro
 * container, dead letters as JSON lines.
 *
 * struct score_files are what all workers write to; each has a sink of its own, which hands over a
 * batch when it is finished. Lines of a partition stay in the order of their offsets; those of
 * several partitions come as they are read.
 */
#ifndef PIPELINE_FILE_SINK_H
#define PIPELINE_FILE_SINK_H

#include "core/config.h"
#include "pipeline/out_file.h"
#include "pipeline/sink.h"
#include "schemas/container_out.h"

enum file_format { FILE_JSONL, FILE_CSV, FILE_AVRO };

/* A score that is longer is encode/too_large, as for a topic of Kafka's usual limit. */
enum { FILE_SCORE_MAX = 1000000 };

struct score_files {
    enum file_format format; /* of the scores */
    struct out_file scores, dead;
    char mark[CONTAINER_OUT_MARK]; /* Avro: ends each block */
};

struct score_files_options {
    const struct config *config;
    enum file_format format;
    const char *score_path, *dead_path; /* borrowed; NULL: there is none */
    int64_t score_bytes, dead_bytes;    /* how long they are so far; 0: new */
};

/* Opens them, and writes what stands in front of a new one. Errors: as out_file_open.
 * score_files_close in either case. */
int score_files_open(struct score_files *files, const struct score_files_options *options,
                     struct err *err);

/* Borrows all three, and the provenance's texts. */
struct sink *file_sink_new(struct score_files *files, const struct config *config,
                           const struct provenance *provenance);

/* As out_file_sync, both. */
int score_files_sync(struct score_files *files, struct err *err);
void score_files_close(struct score_files *files);

#endif
