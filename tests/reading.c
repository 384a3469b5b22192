#include "tests/reading.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

char *reading_quoted(const char *text)
{
    char *out = mem_copy_text(text, strlen(text));

    for (char *p = out; *p; p++)
        if (*p == '\'')
            *p = '"';
    return out;
}

void reading_avro(struct reading *r, const char *schema, struct features features)
{
    char *text = reading_quoted(schema);
    struct avro_schema *parsed;
    struct err err = ERR_INIT;
    size_t len;
    FILE *say;

    ck_assert_uint_le(features.count, READING_MAX_FEATURES);
    *r = (struct reading){.features = features};
    say = open_memstream(&r->words, &len);
    ck_assert_msg(avro_schema_parse(&parsed, text, strlen(text), &err) == 0, "%s: %s", text,
                  err.text);
    plan_compile(&r->plan, parsed, &r->features, say, &err);
    ck_assert_int_eq(err_is_set(&err), r->plan == NULL);
    fclose(say);
    avro_schema_free(parsed);
    free(text);
    plan_scratch_init(&r->scratch, &r->features, READING_MAX_DEPTH);
}

void reading_json(struct reading *r, struct features features)
{
    ck_assert_uint_le(features.count, READING_MAX_FEATURES);
    *r = (struct reading){.features = features};
    r->scan = scan_new(&r->features, READING_MAX_DEPTH);
}

void reading_release(struct reading *r)
{
    if (r->scan)
        scan_free(r->scan);
    else
        plan_scratch_release(&r->scratch);
    plan_free(r->plan);
    features_release(&r->features);
    free(r->words);
}

const char *reading_take(struct reading *r, const void *data, size_t len)
{
    uint8_t *exact = events_exact(data, len);
    struct slice value = {exact, len};
    struct outcome outcome;

    if (r->scan) {
        outcome = scan_run(r->scan, value, r->row);
    } else {
        if (!r->plan)
            ck_abort_msg("%s", r->words);
        outcome = plan_run(r->plan, &r->scratch, value, 0, r->row);
    }
    if (outcome.at > len)
        ck_abort_msg("byte %u of %zu", outcome.at, len);
    free(exact);
    return events_outcome(outcome);
}

static void check_whole(struct reading *r, const void *data, size_t len, const char *want,
                        const float *row)
{
    ck_assert_str_eq(reading_take(r, data, len), want);
    ck_assert_mem_eq(r->row, row, r->features.count * sizeof *row);
}

void reading_check_ends(struct reading *r, const void *data, size_t len, struct reading_ends want)
{
    float row[READING_MAX_FEATURES];
    uint8_t *longer = malloc(len + 1);

    ck_assert_str_eq(reading_take(r, data, len), want.whole);
    memcpy(row, r->row, sizeof row);
    for (size_t cut = 0; cut < len; cut++) {
        const char *got = reading_take(r, data, cut);
        ck_assert_msg(strcmp(got, want.cut) == 0, "%zu of %zu bytes: %s", cut, len, got);
        check_whole(r, data, len, want.whole, row);
    }
    memcpy(longer, data, len);
    longer[len] = 'x';
    ck_assert_str_eq(reading_take(r, longer, len + 1), want.more);
    check_whole(r, data, len, want.whole, row);
    free(longer);
}
