#include "pipeline/explain.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/carried.h"
#include "core/json.h"
#include "core/json_path.h"
#include "core/mem.h"
#include "pipeline/explaining.h"
#include "pipeline/origin.h"
#include "pipeline/schemas.h"
#include "schemas/bind.h"
#include "schemas/decoder.h"
#include "schemas/frame.h"
#include "schemas/rooted.h"

/* ---- decoding: as run does it */

static size_t frame_bytes(const struct explanation *e)
{
    if (!e->record.value.data || strcmp(fault_stage((enum fault)e->outcome.fault), "frame") == 0 ||
        e->outcome.fault == FAULT_FETCH_TOO_LARGE)
        return 0;
    switch ((enum config_framing)e->config->framing) {
    case CONFIG_FRAMING_NONE: break;
    case CONFIG_FRAMING_CONFLUENT:
    case CONFIG_FRAMING_JSON_SCHEMA: return FRAME_CONFLUENT_BYTES;
    case CONFIG_FRAMING_SINGLE_OBJECT: return FRAME_SINGLE_OBJECT_BYTES;
    }
    return 0;
}

static void take_extras(struct explanation *e, const struct decoder *decoder)
{
    const struct carried *carried = decoder_carried(decoder);

    e->event_time_ms = decoder_event_time(decoder);
    for (size_t i = 0; i < e->config->carry_count; i++) {
        e->carries[i].path = e->config->carry[i].text;
        if (e->outcome.kind != OUTCOME_SCORED || carried[i].kind == CARRIED_NOTHING)
            continue;
        e->carries[i].text = mem_alloc(carried_max(&carried[i]) + 1, 1);
        carried_print(&carried[i], e->carries[i].text);
    }
}

static int decode(struct explanation *e, int timeout_ms, struct err *err)
{
    struct slice value = e->record.value;
    struct decoder *decoder;

    if (schemas_decoder_now(&decoder, e->config, &e->bundle->features, timeout_ms, err) != 0)
        return -1;
    e->outcome = decoder_decode(decoder, value, e->row, &e->schema_number);
    if (e->outcome.kind == OUTCOME_WAITING &&
        schemas_learn(decoder, e->schema_number, timeout_ms, &e->schema_trouble) == 0)
        e->outcome = decoder_decode(decoder, value, e->row, &e->schema_number);
    if (e->outcome.kind == OUTCOME_DEAD)
        decoder_explain(decoder, &e->outcome, e->message, sizeof e->message);
    e->frame_bytes = frame_bytes(e);
    if (e->schema_number != SCHEMA_ID_NONE)
        schema_id_print(e->schema_id, e->schema_number, config_has_fingerprints(e->config));
    take_extras(e, decoder);
    decoder_free(decoder);
    return 0;
}

/* ---- the schema, and the value as text */

static void find_schema(struct explanation *e, int timeout_ms)
{
    bool is_named = *e->schema_id && !*e->config->fixed_schema;
    struct contract_options options = {.config = e->config,
                                       .bundle = e->bundle,
                                       .id = is_named ? e->schema_id : NULL,
                                       .timeout_ms = timeout_ms};
    struct err trouble = ERR_INIT;

    if (e->config->format == FORMAT_JSON || (!is_named && !*e->config->fixed_schema))
        return;
    if (contract_init(&e->contract, &options, &trouble) == 0) {
        trouble = e->contract.trouble;
        if (e->contract.schema_count)
            e->schema = &e->contract.schemas[0];
    }
    if (!e->schema && !err_is_set(&e->schema_trouble))
        e->schema_trouble = trouble;
}

static void read_value(struct explanation *e)
{
    struct slice value = e->record.value;

    if (!value.data || e->outcome.fault == FAULT_FETCH_TOO_LARGE)
        return;
    if (e->config->format == FORMAT_JSON) {
        e->json = (struct slice){value.data + e->frame_bytes, value.len - e->frame_bytes};
    } else if (e->schema && e->schema->schema) {
        avro_text_print(&e->text, e->schema->schema, value, e->frame_bytes, EXPLAIN_MAX_TEXT);
        e->json = (struct slice){(const uint8_t *)e->text.data, e->text.len};
    }
}

/* ---- features */

/* With Avro the schema decides which path is taken, once; else the first that the event has. */
static void find_raw(const struct explanation *e, size_t i, struct explain_feature *out)
{
    const struct feature *f = &e->rooted.items[i];
    const struct binding *binding = e->schema ? e->schema->binding : NULL;
    size_t first = 0, last = f->path_count;

    if (!e->json.data)
        return;
    if (binding && binding->items[i].kind != BOUND_FIELD)
        return;
    if (binding) {
        first = (size_t)binding->items[i].path;
        last = first + 1;
    }
    for (size_t k = first; k < last && !out->raw.data; k++) {
        if (json_path_find(e->json, &f->paths[k], &out->raw) || binding)
            out->path = f->paths[k].text;
    }
}

/* NaN is a text in the JSON of Avro. */
static bool is_missing(const struct feature *f, struct slice raw)
{
    return !raw.data || slice_equals(raw, "null", 4) ||
           (f->type == FEATURE_NUMBER && slice_equals(raw, "\"NaN\"", 5));
}

static bool is_unknown(const struct feature *f, struct slice raw)
{
    struct json j;
    struct json_text text;
    bool is_found;
    char *plain;

    json_init(&j, (const char *)raw.data, raw.len, 1);
    if (f->type != FEATURE_CATEGORY || !json_take_string(&j, &text))
        return false;
    plain = mem_alloc(text.len, 1);
    is_found = category_find(f->table, plain, json_unescape(&text, plain)) >= 0;
    free(plain);
    return !is_found;
}

static void look_at_features(struct explanation *e)
{
    bool is_read = outcome_is_judged(e->outcome) || e->outcome.fault == FAULT_SCORE_NOT_FINITE;

    for (size_t i = 0; i < e->bundle->features.count; i++) {
        const struct feature *f = &e->bundle->features.items[i];
        struct explain_feature *out = &e->features[i];
        find_raw(e, i, out);
        out->fault = bind_fault_of(e->row[i]);
        out->state = !is_read                   ? STATE_UNREAD
                     : out->fault != FAULT_NONE ? STATE_FAULT
                     : is_missing(f, out->raw)  ? STATE_MISSING
                     : is_unknown(f, out->raw)  ? STATE_UNKNOWN
                                                : STATE_VALUE;
    }
}

/* ---- the score */

/* Which margin is explained: that of the score, or of the class that is the score. */
static size_t choose_margin(const struct explanation *e)
{
    size_t count = model_margin_count(e->bundle->model);

    if (count == e->bundle->output_count)
        return e->bundle->output_index;
    return e->value >= 0 && e->value < (double)count ? (size_t)e->value : 0;
}

static void contribute(struct explanation *e)
{
    const struct model *model = e->bundle->model;
    size_t width = model_feature_count(model) + 1;
    double *all;

    if (model_contributions_check(model, &e->contributions_trouble) != 0)
        return;
    all = mem_alloc(model_margin_count(model) * width, sizeof *all);
    e->contributions = mem_alloc(width, sizeof *e->contributions);
    model_contributions(model, e->row, all);
    memcpy(e->contributions, all + e->margin_index * width, width * sizeof *all);
    free(all);
}

static void score(struct explanation *e)
{
    const struct model *model = e->bundle->model;
    void *scratch = mem_alloc_aligned(model_scratch_bytes(model), 1);
    const double *outputs;

    e->margins = mem_alloc(model_margin_count(model), sizeof *e->margins);
    e->scores = mem_alloc(model_score_count(model), sizeof *e->scores);
    model_score(model, e->row, 1, e->margins, e->scores, scratch);
    free(scratch);
    outputs = bundle_outputs(e->bundle, e->margins, e->scores, 0);
    if (!bundle_is_finite(e->bundle, outputs)) {
        e->outcome = outcome_dead(FAULT_SCORE_NOT_FINITE, 0);
        snprintf(e->message, sizeof e->message, "%s", fault_help(FAULT_SCORE_NOT_FINITE));
        return;
    }
    e->value = outputs[e->bundle->output_index];
    e->decision = bundle_decision(e->bundle, e->value);
    e->margin_index = choose_margin(e);
    contribute(e);
}

bool explain_is_broken(const struct explanation *e)
{
    for (size_t i = 0; i < e->published_count; i++)
        if (e->published[i].kind != PUBLISHED_DEAD && e->published[i].is_same_bundle &&
            !e->published[i].is_equal)
            return true;
    return false;
}

/* ---- life */

static void make_room(struct explanation *e)
{
    size_t count = e->bundle->features.count;

    e->features = mem_alloc(count, sizeof *e->features);
    e->row = mem_alloc_aligned(count, sizeof *e->row);
    e->carries = mem_alloc(e->config->carry_count, sizeof *e->carries);
    rooted_init(&e->rooted, &e->bundle->features,
                &(struct rooted_options){.root = &e->config->root});
}

int explain_init(struct explanation *e, const struct explain_options *o, struct err *err)
{
    *e = (struct explanation){.config = o->config,
                              .bundle = o->bundle,
                              .schema_number = SCHEMA_ID_NONE,
                              .schema_trouble = ERR_INIT,
                              .contributions_trouble = ERR_INIT,
                              .event_time_ms = EVENT_TIME_NONE};
    make_room(e);
    if (explain_read(e, o, err) != 0 || decode(e, o->timeout_ms, err) != 0) {
        explain_release(e);
        return -1;
    }
    find_schema(e, o->timeout_ms);
    read_value(e);
    if (e->outcome.kind == OUTCOME_SCORED)
        score(e);
    look_at_features(e);
    if (e->record.topic)
        explain_search(e, o->timeout_ms);
    return 0;
}

void explain_release(struct explanation *e)
{
    explain_record_release(&e->record);
    explain_record_release(&e->letter);
    if (e->contract.config)
        contract_release(&e->contract);
    for (size_t i = 0; i < e->config->carry_count; i++)
        free(e->carries[i].text);
    free(e->carries);
    free(e->features);
    free(e->row);
    free(e->margins);
    free(e->scores);
    free(e->contributions);
    free(e->published);
    rooted_release(&e->rooted);
    avro_text_release(&e->text);
    *e = (struct explanation){0};
}
