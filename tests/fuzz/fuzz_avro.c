/* A schema's text, a NUL, and an Avro value of that schema: the plan reads it, and the text for
 * people, and neither calls damage what the other takes. */
#include "core/json.h"
#include "core/text.h"
#include "schemas/avro_text.h"
#include "schemas/plan.h"
#include "tests/fuzz/decoding.h"

/* The plan of the schema for the features, or NULL. */
static struct plan *compile(const struct avro_schema *schema)
{
    struct err err = ERR_INIT;
    struct plan *plan = NULL;
    size_t said;
    char *words;
    FILE *say = open_memstream(&words, &said);

    plan_compile(&plan, schema, decoding_features(), say, &err);
    fclose(say);
    free(words);
    return plan;
}

/* The first outcome of the value. */
static struct outcome decode(const struct plan *plan, struct slice value, size_t from)
{
    float row[DECODING_FEATURES], again[DECODING_FEATURES];
    struct plan_scratch scratch;
    struct outcome first;

    plan_scratch_init(&scratch, decoding_features(), 64);
    first = plan_run(plan, &scratch, value, from, row);
    decoding_check(first, row, value.len);
    if (first.kind == OUTCOME_SCORED)
        decoding_check_carried(scratch.bind.carried);
    plan_run(plan, &scratch, (struct slice){value.data, from + (value.len - from) / 2}, from,
             again);
    decoding_check_again(first, row, plan_run(plan, &scratch, value, from, again), again);
    plan_scratch_release(&scratch);
    return first;
}

static bool is_json(const char *text, size_t len)
{
    struct json json;

    json_init(&json, text, len, AVRO_TEXT_MAX_DEPTH);
    json_skip(&json);
    return json_end(&json) && utf8_is_valid((const uint8_t *)text, len);
}

/* The two differ in what they bound, and UTF-8 is the plan's to ask for. */
static bool is_bound(enum fault fault)
{
    return fault == FAULT_DECODE_TOO_DEEP || fault == FAULT_DECODE_BAD_UTF8;
}

static void check_text(const struct avro_schema *schema, struct slice value, size_t from,
                       struct outcome outcome)
{
    enum { MAX_BYTES = 1 << 16 };
    struct avro_text text = {0};
    enum avro_text_end end = avro_text_print(&text, schema, value, from, MAX_BYTES);
    bool is_damaged = strcmp(fault_stage((enum fault)outcome.fault), "decode") == 0;

    fuzz_expect(text.len <= MAX_BYTES && text.at <= value.len, "text and place are in bounds");
    fuzz_expect((end == AVRO_TEXT_DAMAGED) == (text.fault != FAULT_NONE), "damage has a name");
    if (end == AVRO_TEXT_WHOLE) {
        fuzz_expect(is_json(text.data, text.len), "the text is JSON");
        fuzz_expect(!is_damaged || is_bound((enum fault)outcome.fault),
                    "what is read whole is whole to the plan");
    } else if (end == AVRO_TEXT_DAMAGED) {
        fuzz_expect(is_damaged || is_bound(text.fault), "what is damaged is so to the plan");
    }
    avro_text_release(&text);
}

FUZZ(avro)
{
    const uint8_t *stop = len ? memchr(data, '\0', len) : NULL;
    struct err err = ERR_INIT;
    struct avro_schema *schema;
    struct plan *plan;

    if (!stop || avro_schema_parse(&schema, (const char *)data, (size_t)(stop - data), &err) != 0)
        return;
    plan = compile(schema);
    if (plan) {
        size_t from = (size_t)(stop + 1 - data);
        struct slice value = {data, len};
        check_text(schema, value, from, decode(plan, value, from));
    }
    plan_free(plan);
    avro_schema_free(schema);
}
