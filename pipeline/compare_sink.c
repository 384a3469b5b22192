#include "pipeline/compare_sink.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "consumer/ring.h"
#include "core/mem.h"

enum { FULL = 1 << 17 /* fates */ };

/* One that waits for its batch, with what has no number yet; outputs follow. */
struct held {
    const char *decision; /* the bundle's, or NULL */
    int64_t schema_id;
    enum fault fault;
    struct fate fate;
};

/* What was numbered last: the next is mostly the same. */
struct known {
    const char *decision;
    int64_t schema_id;
    uint16_t decision_word, schema_word, model_word;
    uint16_t faults[FAULT_COUNT]; /* 0: not yet */
};

struct compare_sink {
    struct sink sink;
    struct compare_target target;
    const struct provenance *provenance;
    const size_t *parts;
    bool has_fingerprints;
    char *held; /* count of held_bytes each */
    size_t held_bytes, count, cap;
    size_t ends[RING_SLOTS]; /* of each batch: how many are in front of its end */
    size_t batch_count;
    struct known known;
};

static struct held *held_at(const struct compare_sink *s, size_t i)
{
    return (struct held *)(s->held + i * s->held_bytes);
}

/* Room for one more. Not for each record: it grows to what a few batches need, and stays. */
static struct held *take(struct compare_sink *s, const struct record *record, int64_t schema_id)
{
    struct held *h;

    if (s->count == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 1024;
        s->held = mem_resize(s->held, s->cap, s->held_bytes);
    }
    h = held_at(s, s->count++);
    memset(h, 0, s->held_bytes);
    h->schema_id = schema_id;
    h->fate.part = (uint32_t)s->parts[record->part];
    h->fate.offset = record->offset;
    h->fate.side = (uint8_t)s->target.side;
    return h;
}

static enum sent take_score(struct sink *sink, const struct record *record,
                            const struct score *score)
{
    struct compare_sink *s = (struct compare_sink *)sink;
    struct held *h = take(s, record, score->schema_id);

    h->decision = score->decision;
    h->fate.kind = FATE_SCORE;
    h->fate.score = score->value;
    h->fate.event_time_ms = score->event_time_ms;
    h->fate.output_count = (uint32_t)score->value_count;
    if (score->value_count > 0)
        memcpy(h->fate.outputs, score->values, score->value_count * sizeof(double));
    return SENT_HELD;
}

static void take_dead(struct sink *sink, const struct record *record,
                      const struct dead_letter *letter)
{
    struct compare_sink *s = (struct compare_sink *)sink;
    struct held *h = take(s, record, letter->schema_id);

    h->fault = letter->fault;
    h->fate.kind = FATE_DEAD;
    h->fate.event_time_ms = record->timestamp_ms;
}

static void end(struct sink *sink)
{
    struct compare_sink *s = (struct compare_sink *)sink;

    assert(s->batch_count < RING_SLOTS);
    s->ends[s->batch_count++] = s->count;
}

/* ---- numbers for names; under the replay's lock */

static uint16_t schema_word(struct compare_sink *s, int64_t id)
{
    char text[SCHEMA_ID_TEXT_MAX];

    if (id == SCHEMA_ID_NONE)
        return WORDS_NONE;
    if (id != s->known.schema_id) {
        schema_id_print(text, id, s->has_fingerprints);
        s->known.schema_id = id;
        s->known.schema_word = (uint16_t)words_add(&s->target.fates->schemas, slice_of(text));
    }
    return s->known.schema_word;
}

static uint16_t decision_word(struct compare_sink *s, const char *decision)
{
    if (!decision)
        return WORDS_NONE;
    if (decision != s->known.decision) {
        s->known.decision = decision;
        s->known.decision_word =
            (uint16_t)words_add(&s->target.fates->decisions, slice_of(decision));
    }
    return s->known.decision_word;
}

static uint16_t fault_word(struct compare_sink *s, enum fault fault)
{
    uint16_t *word = &s->known.faults[fault];

    if (*word == 0)
        *word = (uint16_t)fates_fault(s->target.fates, slice_of(fault_stage(fault)),
                                      slice_of(fault_reason(fault)));
    return *word;
}

static int add(struct compare_sink *s, const struct held *h, struct err *err)
{
    struct fates *f = s->target.fates;

    memcpy(f->room, &h->fate, fate_bytes(f));
    f->room->schema = schema_word(s, h->schema_id);
    f->room->model = s->known.model_word;
    f->room->word =
        h->fate.kind == FATE_SCORE ? decision_word(s, h->decision) : fault_word(s, h->fault);
    return fates_add(f, err);
}

static void learn_model(struct compare_sink *s)
{
    const struct provenance *p = s->provenance;

    if (s->known.model_word == 0)
        s->known.model_word = (uint16_t)fates_model(s->target.fates, slice_of(p->model),
                                                    slice_of(p->version), slice_of(p->digest));
}

static int keep(struct sink *sink, size_t batches, struct err *err)
{
    struct compare_sink *s = (struct compare_sink *)sink;
    size_t count;

    if (batches == 0)
        return 0;
    learn_model(s);
    count = s->ends[batches - 1];
    for (size_t i = 0; i < count; i++)
        if (add(s, held_at(s, i), err) != 0)
            return -1;
    s->count -= count;
    if (s->count > 0)
        memmove(s->held, s->held + count * s->held_bytes, s->count * s->held_bytes);
    s->batch_count -= batches;
    for (size_t i = 0; i < s->batch_count; i++)
        s->ends[i] = s->ends[i + batches] - count;
    return 0;
}

static void drop(struct sink *sink)
{
    struct compare_sink *s = (struct compare_sink *)sink;

    s->count = s->batch_count = 0;
}

static bool is_full(const struct sink *sink)
{
    return ((const struct compare_sink *)sink)->count >= FULL;
}

static void free_sink(struct sink *sink)
{
    struct compare_sink *s = (struct compare_sink *)sink;

    free(s->held);
    free(s);
}

struct sink *compare_sink_new(const struct compare_target *target, const struct config *config,
                              const struct provenance *provenance, const size_t *parts)
{
    struct compare_sink *s = mem_alloc(1, sizeof *s);

    s->sink = (struct sink){.takes_scores = true,
                            .takes_dead = true,
                            .score = take_score,
                            .dead = take_dead,
                            .end = end,
                            .keep = keep,
                            .drop = drop,
                            .is_full = is_full,
                            .free = free_sink};
    s->target = *target;
    s->provenance = provenance;
    s->parts = parts;
    s->has_fingerprints = config_has_fingerprints(config);
    s->held_bytes = sizeof(struct held) + target->fates->output_cap * sizeof(double);
    s->known.schema_id = SCHEMA_ID_NONE;
    return &s->sink;
}
