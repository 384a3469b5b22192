#include "pipeline/golden_events.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "scoring/golden.h"

static bool is_same(float a, float b)
{
    return (isnan(a) && isnan(b)) || memcmp(&a, &b, sizeof a) == 0;
}

static int check_row(const struct bundle *bundle, const struct golden *golden, const float *row,
                     struct err *err)
{
    for (size_t i = 0; golden->row && i < bundle->features.count; i++)
        if (!is_same(row[i], golden->row[i]))
            return err_fatal(
                err, EXIT_DATA,
                "%s/golden.jsonl:%d: the event gives %.9g for feature %s, its row says %.9g",
                bundle->path, golden->line, (double)row[i], bundle->features.items[i].name,
                (double)golden->row[i]);
    return 0;
}

/* For one row, and what the model makes of it. */
struct room {
    float *row;
    double *margins, *scores;
    void *scratch;
};

static int check_one(const struct bundle *bundle, struct decoder *decoder,
                     const struct golden *golden, struct room *room, struct err *err)
{
    struct slice event = {(const uint8_t *)golden->event, golden->event_len};
    struct outcome outcome;
    int64_t schema_id;
    char why[200];

    outcome = decoder_decode(decoder, event, room->row, &schema_id);
    if (outcome.kind != OUTCOME_SCORED) {
        decoder_explain(decoder, &outcome, why, sizeof why);
        return err_fatal(err, EXIT_DATA,
                         "%s/golden.jsonl:%d: the event cannot be scored: %s/%s: %s", bundle->path,
                         golden->line, fault_stage((enum fault)outcome.fault),
                         fault_reason((enum fault)outcome.fault), why);
    }
    if (check_row(bundle, golden, room->row, err) != 0)
        return -1;
    model_score(bundle->model, room->row, 1, room->margins, room->scores, room->scratch);
    return golden_compare(bundle, golden, room->margins, room->scores, err);
}

int golden_events_decoder(struct decoder **decoder, const struct bundle *bundle, struct err *err)
{
    struct decoder_options options = {.format = EVENT_JSON,
                                      .framing = FRAMING_NONE,
                                      .max_value_bytes = 16 << 20,
                                      .max_depth = 64};

    return decoder_new(decoder, &options, &bundle->features, err);
}

int golden_events_run(const struct bundle *bundle, struct err *err)
{
    const struct model *model = bundle->model;
    struct room room = {mem_alloc(bundle->features.count + 1, sizeof(float)),
                        mem_alloc(model_margin_count(model), sizeof(double)),
                        mem_alloc(model_score_count(model), sizeof(double)),
                        mem_alloc_aligned(model_scratch_bytes(model), 1)};
    struct decoder *decoder;
    int result = golden_events_decoder(&decoder, bundle, err);

    for (size_t i = 0; i < bundle->golden_count && result == 0; i++)
        if (bundle->goldens[i].event)
            result = check_one(bundle, decoder, &bundle->goldens[i], &room, err);
    decoder_free(decoder);
    free(room.row);
    free(room.margins);
    free(room.scores);
    free(room.scratch);
    return result;
}
