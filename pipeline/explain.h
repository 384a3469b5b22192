/* explain.h: one record, every step that run takes with it, and what was published for it.
 *
 *   record -> frame -> schema -> features -> row -> margin -> score -> decision
 *                                                             published: equal bit for bit?
 *
 * Decoder, schemas and model are those of run, outside of any group; nothing is committed. A dead
 * letter leads to its origin; where that is gone, its own bytes are explained. What was published
 * is looked for by the source's coordinates, from the record's time on, within bounds.
 *
 * Plain data to print from, all of it hostile: whoever prints must use visible_print. Owns
 * everything below it, borrows configuration and bundle. Thread: the owner's.
 */
#ifndef PIPELINE_EXPLAIN_H
#define PIPELINE_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/config.h"
#include "core/err.h"
#include "core/outcome.h"
#include "core/record.h"
#include "core/schema_id.h"
#include "pipeline/contract.h"
#include "schemas/avro_text.h"
#include "scoring/bundle.h"

enum {
    EXPLAIN_MAX_PUBLISHED = 32,
    EXPLAIN_MAX_SEARCHED = 200000, /* records of each topic that is searched */
    EXPLAIN_MAX_TEXT = 4 << 20     /* of an Avro value as JSON */
};

struct explain_options {
    const struct config *config;
    const struct bundle *bundle;
    const char *file; /* holds the value, "-": standard input; NULL: it is read from Kafka */
    const char *topic;
    int32_t partition;
    int64_t offset;
    int timeout_ms; /* for each that is asked: registry, brokers, one search */
};

/* A copy that owns all its bytes; topic NULL: of a file. */
struct explain_record {
    char *topic;
    int32_t partition;
    int64_t offset, timestamp_ms; /* timestamp -1: none */
    struct slice key, value;
    struct header *headers;
    size_t header_count;
};

enum explain_origin {
    ORIGIN_SELF,    /* the record that was asked for is no dead letter */
    ORIGIN_FOUND,   /* it is one, and its origin was read */
    ORIGIN_GONE,    /* the letter's own bytes: origin_why */
    ORIGIN_CHANGED, /* the same: at its origin stands another record */
};

enum explain_state {
    STATE_VALUE,
    STATE_MISSING,
    STATE_UNKNOWN, /* a category that no table has, taken as missing */
    STATE_FAULT,   /* what makes it a dead letter */
    STATE_UNREAD,  /* decoding did not come to an end */
};

struct explain_feature {
    const char *path; /* that is taken, with the root in front; NULL: none is there */
    struct slice raw; /* what stands there, as JSON text; data NULL: nothing */
    enum explain_state state;
    enum fault fault; /* STATE_FAULT */
};

struct explain_carry {
    const char *path;
    char *text; /* NULL: nothing to carry */
};

enum published_kind { PUBLISHED_SCORE, PUBLISHED_ALERT, PUBLISHED_DEAD };

/* One outcome that lies in a topic of the configuration. Texts are cut to their room. */
struct published {
    enum published_kind kind;
    int32_t partition;
    int64_t offset, timestamp_ms;
    char model[64], version[64], digest[SHA256_HEX + 1], run[16], mode[16];
    double value;                             /* a score's */
    char decision[64];                        /* "": none */
    char stage[16], reason[32], message[512]; /* a dead letter's */
    bool is_same_bundle, is_equal; /* equal: score, all scores and decision, bit for bit */
};

/* How one topic was searched. */
struct explain_search {
    const char *topic; /* NULL: there is none */
    uint64_t records;  /* that were looked at */
    bool is_cut;       /* there are more */
    struct err trouble;
};

/* Where the group stands in the record's partition: what is not done has no outcome yet. */
struct explain_group {
    bool is_asked;     /* the record lies in a topic that the configuration reads */
    int64_t committed; /* the first offset that is not done; -1: nothing is committed */
    struct err trouble;
};

struct explanation {
    const struct config *config;
    const struct bundle *bundle;
    struct explain_record record, letter; /* letter: unless ORIGIN_SELF, what was asked for */
    enum explain_origin origin;
    char origin_why[400];

    size_t frame_bytes; /* of the value; 0: there is no frame, or it is bad */
    int64_t schema_number;
    char schema_id[SCHEMA_ID_TEXT_MAX]; /* "": it names none */
    struct contract contract;
    const struct contract_schema *schema; /* of the contract; NULL: none, schema_trouble says why */
    struct err schema_trouble;
    struct slice json;      /* the value without its frame, as far as it can be read */
    struct avro_text text;  /* Avro's */
    struct features rooted; /* the bundle's, with the root in front */

    struct outcome outcome; /* WAITING: its schema could not be had, schema_trouble says why */
    char message[512];      /* DEAD: as in a dead letter */
    struct explain_feature *features; /* bundle->features.count, as the next */
    float *row;
    int64_t event_time_ms; /* EVENT_TIME_NONE: the record's */
    struct explain_carry *carries;

    double *margins, *scores; /* SCORED */
    double value;             /* the score; margin is that of margin_index */
    const char *decision;
    size_t margin_index;
    double *contributions; /* to that margin: features.count + 1, the bias last; NULL: why */
    struct err contributions_trouble;

    struct published *published; /* the order of the topics */
    size_t published_count;
    struct explain_search searches[3]; /* by enum published_kind */
    struct explain_group group;
};

/* Errors: nothing at that place EXIT_DATA, missing topic 78, denied 77, unreadable file 74, no
 * answer ERR_DEPENDENCY; those of schemas_open. Nothing is left behind then. */
int explain_init(struct explanation *explanation, const struct explain_options *options,
                 struct err *err);
void explain_release(struct explanation *explanation);

/* The last header of that name; data NULL: there is none. */
struct slice explain_header(const struct explain_record *record, const char *name);

/* The same bundle published a score that is another than it gives now: a promise is broken. */
bool explain_is_broken(const struct explanation *explanation);

#endif
