/* A schema's text: read, or refused in words; what compiles reads a few values. */
#include "schemas/plan.h"
#include "tests/fuzz/decoding.h"

/* Values of one byte again and again: nulls and empty things, second branches, nonsense. */
static void run_plan(const struct plan *plan)
{
    static const uint8_t fillings[] = {0, 2, 0xff};
    struct plan_scratch scratch;
    float row[DECODING_FEATURES];
    uint8_t value[256];

    plan_scratch_init(&scratch, decoding_features(), 64);
    for (size_t i = 0; i < sizeof fillings; i++) {
        memset(value, fillings[i], sizeof value);
        struct slice slice = {value, sizeof value};
        decoding_check(plan_run(plan, &scratch, slice, 0, row), row, sizeof value);
    }
    plan_scratch_release(&scratch);
}

FUZZ(schema)
{
    struct err err = ERR_INIT;
    struct avro_schema *schema;
    struct plan *plan;
    char text[64], *words;
    size_t said;
    FILE *say;

    if (avro_schema_parse(&schema, (const char *)data, len, &err) != 0) {
        fuzz_expect(!schema && err_is_set(&err) && err.text[0] != '\0', "a refusal has words");
        return;
    }
    schema_type_print(schema, schema->root, text, sizeof text);
    fuzz_expect(text[0] != '\0', "a type has a name");
    say = open_memstream(&words, &said);
    if (plan_compile(&plan, schema, decoding_features(), say, &err) == 0)
        run_plan(plan);
    fclose(say);
    fuzz_expect(said != 0, "there is something to say of every schema");
    plan_free(plan);
    free(words);
    avro_schema_free(schema);
}
