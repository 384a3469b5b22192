/* score_csv.h: one score as a line of CSV (RFC 4180), for files.
 *
 * A heading, then the fields of schemas/score.avsc in their order: the model's several outputs in
 * one column, with blanks between them; each carried field in a column of its own, named by its
 * path; no reasons. What is null, or absent, is empty.
 *
 * Owns its texts. Thread: the owner's.
 */
#ifndef PRODUCER_SCORE_CSV_H
#define PRODUCER_SCORE_CSV_H

#include "producer/score.h"

struct score_csv {
    struct score_encoder encoder; /* of JSON: its options, and ids */
    char *source;                 /* model, version, digest and run */
    size_t source_len;
    enum score_mode mode;
};

/* options->format is not looked at. */
void score_csv_init(struct score_csv *csv, const struct score_options *options,
                    const struct provenance *provenance);
void score_csv_release(struct score_csv *csv);

/* The first line with its end, new. */
char *score_csv_heading(const struct path *carry, size_t carry_count);

/* How much room score_csv_encode needs at most, and a line with its end; returns the length. */
size_t score_csv_max_bytes(const struct score_csv *csv, const struct record *record,
                           const struct score *score);
size_t score_csv_encode(const struct score_csv *csv, const struct record *record,
                        const struct score *score, char *out);

#endif
