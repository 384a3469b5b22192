/* scorer.c: time, schemas, decoding and scoring, as far as a pipeline asks for them. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/mem.h"
#include "pipeline/journaling.h"
#include "tests/model/world.h"

int __real_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_nanosleep(const struct timespec *pause, struct timespec *rest);

/* Check measures its own time with it. */
int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
    if (world.now_ms == 0)
        return __real_clock_gettime(clock, now);
    *now = (struct timespec){world.now_ms / 1000, world.now_ms % 1000 * 1000000};
    return 0;
}

int __wrap_nanosleep(const struct timespec *pause, struct timespec *rest)
{
    (void)rest;
    world_pass(pause->tv_sec * 1000 + pause->tv_nsec / 1000000 + 1);
    return 0;
}

/* ---- a decoder whose values say their offset */

struct decoder {
    int64_t event_time;
};

int pipeline_open_decoder(struct pipeline *p, struct err *err)
{
    (void)err;
    p->decoder = mem_alloc(1, sizeof *p->decoder);
    return 0;
}

void decoder_free(struct decoder *decoder)
{
    free(decoder);
}

void pipeline_say_schemas(struct pipeline *p)
{
    (void)p;
}

void decoder_poll(struct decoder *decoder, int64_t now_ms)
{
    (void)decoder, (void)now_ms;
}

void decoder_foresee(struct decoder *decoder, struct slice value, int64_t now_ms)
{
    (void)decoder, (void)value, (void)now_ms;
}

struct outcome decoder_decode(struct decoder *decoder, struct slice value, float *row,
                              int64_t *schema_id)
{
    int64_t offset;

    (void)decoder;
    if (!value.data)
        return (struct outcome){.kind = OUTCOME_SKIPPED};
    memcpy(&offset, value.data, sizeof offset);
    *schema_id = 1;
    if (record_needs_schema(offset) && !world.knows_schema)
        return (struct outcome){.kind = OUTCOME_WAITING};
    if (record_is_bad(offset))
        return outcome_dead(FAULT_DECODE_BAD_JSON, 0);
    *row = record_is_alert(offset);
    return outcome_scored();
}

int decoder_hand_over(const struct decoder *decoder, struct decoder *next, int64_t now_ms,
                      struct err *err)
{
    (void)decoder, (void)next, (void)now_ms, (void)err;
    return 0;
}

/* Parked as one that is being asked for, or as one that cannot be told. */
int decoder_learn(struct decoder *decoder, int64_t schema_id, int64_t now_ms, struct err *err)
{
    (void)decoder, (void)schema_id, (void)now_ms;
    if (world.knows_schema)
        return 0;
    return world_roll(2) ? 1 : err_dependency(err, "no registry");
}

void decoder_explain(const struct decoder *decoder, const struct outcome *outcome, char *out,
                     size_t cap)
{
    (void)decoder, (void)outcome;
    snprintf(out, cap, "bad");
}

const struct carried *decoder_carried(const struct decoder *decoder)
{
    (void)decoder;
    return NULL;
}

int64_t decoder_event_time(const struct decoder *decoder)
{
    return decoder->event_time;
}

/* ---- a model whose score is its feature */

size_t model_scratch_bytes(const struct model *model)
{
    (void)model;
    return 64;
}

size_t model_margin_count(const struct model *model)
{
    (void)model;
    return 1;
}

size_t model_score_count(const struct model *model)
{
    (void)model;
    return 1;
}

void model_score(const struct model *model, const float *rows, size_t count, double *margins,
                 double *scores, void *scratch)
{
    (void)model, (void)scratch;
    for (size_t i = 0; i < count; i++)
        margins[i] = scores[i] = (double)rows[i];
}

size_t bundle_decide(const struct bundle *bundle, double score)
{
    (void)bundle;
    return score > 0;
}

const char *bundle_decision_name(const struct bundle *bundle, size_t i)
{
    (void)bundle;
    return i ? "alert" : "pass";
}

bool shared_is_stopping(const struct shared *shared)
{
    return *shared->options->stop;
}

/* ---- no [journal] topic */

const char *journaling_profile(const struct journaling *journaling)
{
    (void)journaling;
    return NULL;
}

void journaling_put_profile(struct journaling *journaling, unsigned worker, uint32_t windows,
                            const char *text)
{
    (void)journaling;
    (void)worker;
    (void)windows;
    (void)text;
}
