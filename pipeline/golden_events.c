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

static int check_one(const struct bundle *bundle, struct decoder *decoder,
                     const struct golden *golden, float *row, void *scratch, struct err *err)
{
    struct slice event = {(const uint8_t *)golden->event, golden->event_len};
    struct outcome outcome;
    int64_t schema_id;
    double margin, score;
    char why[200];

    outcome = decoder_decode(decoder, event, row, &schema_id);
    if (outcome.kind != OUTCOME_SCORED) {
        decoder_explain(decoder, &outcome, why, sizeof why);
        return err_fatal(err, EXIT_DATA,
                         "%s/golden.jsonl:%d: the event cannot be scored: %s/%s: %s", bundle->path,
                         golden->line, fault_stage((enum fault)outcome.fault),
                         fault_reason((enum fault)outcome.fault), why);
    }
    if (check_row(bundle, golden, row, err) != 0)
        return -1;
    model_score(bundle->model, row, 1, &margin, &score, scratch);
    return golden_compare(bundle, golden, margin, score, err);
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
    float *row = mem_alloc(bundle->features.count + 1, sizeof *row);
    void *scratch = mem_alloc_aligned(model_scratch_bytes(bundle->model), 1);
    struct decoder *decoder;
    int result = golden_events_decoder(&decoder, bundle, err);

    for (size_t i = 0; i < bundle->golden_count && result == 0; i++)
        if (bundle->goldens[i].event)
            result = check_one(bundle, decoder, &bundle->goldens[i], row, scratch, err);
    decoder_free(decoder);
    free(scratch);
    free(row);
    return result;
}
