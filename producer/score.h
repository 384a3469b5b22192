/* score.h: one score record, encoded as JSON or as Avro in Confluent framing (schemas/score.avsc).
 *
 * Both name where the score comes from in the value itself: every Kafka header costs more CPU than
 * the scoring. The id <topic>-<partition>-<offset>-<first 12 hex of the bundle's digest> is the
 * same whenever the same bundle scores the same record.
 *
 * An encoder holds what is equal in all scores of a bundle, ready to copy. It owns its texts.
 * Thread: the worker's.
 */
#ifndef PRODUCER_SCORE_H
#define PRODUCER_SCORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/carried.h"
#include "core/config.h"
#include "core/record.h"
#include "core/schema_id.h"

/* Why an event was scored. Only what is live bears its event's time as its record's. */
enum score_mode { SCORE_LIVE, SCORE_REPLAY, SCORE_SHADOW, SCORE_CORRECTION };

/* "live", "replay", ... */
const char *score_mode_name(enum score_mode mode);

/* Who scored: borrowed texts, copied by score_encoder_init. */
struct provenance {
    const char *model, *version;
    const char *digest; /* of the bundle, 64 hex */
    const char *run;    /* of build and configuration, 12 hex */
    unsigned worker;    /* of its process; in dead letters */
    enum score_mode mode;
};

struct score_options {
    enum config_format format;
    int32_t schema_id;        /* Avro: in the frame */
    bool has_fingerprints;    /* events' schema ids are fingerprints, printed in hex */
    const struct path *carry; /* carry_count; their texts are copied */
    size_t carry_count;
};

/* A key of the carried fields, encoded. */
struct carry_name {
    char *text;
    size_t len;
};

struct score_encoder {
    struct score_options options;
    struct carry_name *names; /* options.carry_count */
    char digest_tail[14];     /* "-" and the first 12 hex */
    char *source;             /* the fields model, version, digest, run, encoded */
    size_t source_len;
    char tail[64]; /* tail_len: mode, and what is in front of the carried fields */
    size_t tail_len;
};

struct score {
    double value;
    const double *values; /* value_count: all of the model's outputs, where there are several */
    size_t value_count;
    const char *decision; /* NULL when the bundle names none */
    int64_t schema_id;    /* of the event; SCHEMA_ID_NONE when it had none */
    int64_t event_time_ms;
    const struct carried *carried; /* options.carry_count of the encoder */
    const struct header *headers;  /* header_count: of the score's record */
    size_t header_count;
    bool is_alert; /* goes to the topic of the alerts, too: it must fit there as well */
};

void score_encoder_init(struct score_encoder *encoder, const struct score_options *options,
                        const struct provenance *provenance);
void score_encoder_release(struct score_encoder *encoder);

/* How much room score_encode needs at most for this score. */
size_t score_max_bytes(const struct score_encoder *encoder, const struct record *record,
                       const struct score *score);

/* No encoding is shorter than this: what passes a limit already here need not be encoded. */
size_t score_min_bytes(const struct score_encoder *encoder, const struct score *score);

/* "<topic>-<partition>-<offset>-<digest>" into out, of SCORE_ID_MAX; returns the length. */
enum { SCORE_ID_MAX = 249 + 11 + 20 + 16 };
size_t score_print_id(const struct score_encoder *encoder, const struct record *record, char *out);

/* Encodes into out; returns the length. */
size_t score_encode(const struct score_encoder *encoder, const struct record *record,
                    const struct score *score, char *out);

#endif
