/* A schema's text, a NUL, and an Avro value of that schema. */
#include "schemas/plan.h"
#include "tests/fuzz/decoding.h"

/* The plan of the schema for the features, or NULL. */
static struct plan *compile(const char *text, size_t len)
{
    struct err err = ERR_INIT;
    struct avro_schema *schema;
    struct plan *plan = NULL;
    size_t said;
    char *words;
    FILE *say;

    if (avro_schema_parse(&schema, text, len, &err) != 0)
        return NULL;
    say = open_memstream(&words, &said);
    plan_compile(&plan, schema, decoding_features(), say, &err);
    fclose(say);
    free(words);
    avro_schema_free(schema);
    return plan;
}

FUZZ(avro)
{
    const uint8_t *stop = len ? memchr(data, '\0', len) : NULL;
    struct plan *plan = stop ? compile((const char *)data, (size_t)(stop - data)) : NULL;
    float row[DECODING_FEATURES], again[DECODING_FEATURES];
    struct plan_scratch scratch;

    if (!plan)
        return;
    plan_scratch_init(&scratch, decoding_features(), 64);
    struct slice value = {data, len};
    size_t from = (size_t)(stop + 1 - data);
    struct outcome first = plan_run(plan, &scratch, value, from, row);
    decoding_check(first, row, len);
    if (first.kind == OUTCOME_SCORED)
        decoding_check_carried(scratch.bind.carried);
    plan_run(plan, &scratch, (struct slice){data, from + (len - from) / 2}, from, again);
    decoding_check_again(first, row, plan_run(plan, &scratch, value, from, again), again);
    plan_scratch_release(&scratch);
    plan_free(plan);
}
