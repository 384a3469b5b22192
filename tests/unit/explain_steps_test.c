/* What kscore explain says of real events is what the model's library says, and what it shows of
 * the event is what became the row. On a real topic: tests/broker/explain_test.c. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "pipeline/explain.h"
#include "tests/fixture.h"
#include "tests/harness.h"
#include "tests/reading.h"

static const char *const bundles[] = {"delay-1", "delay-2", "delay-lgbm", "delay-arr"};

enum { BUNDLES = 4 };

/* The value through it, as a file. */
static void explain(struct explanation *e, const struct config *config, const struct bundle *bundle,
                    const void *value, size_t len)
{
    struct explain_options o = {.config = config, .bundle = bundle, .timeout_ms = 1000};
    struct err err = ERR_INIT;

    o.file = harness_write(harness_folder(), "value", value, len);
    ck_assert_msg(explain_init(e, &o, &err) == 0, "%s", err.text);
}

/* A number that is shown is the row's when it is read as XGBoost reads: rounded once. */
static void check_feature(const struct explanation *e, size_t i, float want)
{
    const struct explain_feature *f = &e->features[i];
    double raw;

    if (isnan(want)) {
        ck_assert_int_ne(f->state, STATE_VALUE);
        ck_assert(isnan(e->row[i]));
        return;
    }
    ck_assert_bits(e->row[i], want);
    ck_assert_int_eq(f->state, STATE_VALUE);
    ck_assert_ptr_nonnull(f->path);
    if (e->bundle->features.items[i].type != FEATURE_NUMBER)
        return;
    ck_assert_uint_eq(number_parse((const char *)f->raw.data, f->raw.len, &raw), f->raw.len);
    ck_assert_bits((float)raw, want);
}

static void check_golden(const struct config *config, const struct bundle *bundle,
                         const struct golden *golden)
{
    size_t count = bundle->features.count;
    struct explanation e;
    double sum = 0;

    explain(&e, config, bundle, golden->event, golden->event_len);
    ck_assert_int_eq(e.outcome.kind, OUTCOME_SCORED);
    for (size_t i = 0; i < count; i++)
        check_feature(&e, i, golden->row[i]);
    if (model_is_float32(bundle->model))
        ck_assert_bits((float)e.margins[0], (float)golden->margins[0]);
    else
        ck_assert(e.margins[0] == golden->margins[0]);
    ck_assert_msg(e.contributions != NULL, "%s", e.contributions_trouble.text);
    for (size_t i = 0; i <= count; i++)
        sum += e.contributions[i];
    ck_assert(fabs(sum - e.margins[0]) < 1e-4 * (1 + fabs(sum)));
    explain_release(&e);
}

START_TEST(real_events_give_the_librarys_rows_and_margins)
{
    struct err err = ERR_INIT;
    struct config config;
    struct bundle *bundle;
    char path[400];
    size_t seen = 0;

    if (!harness_data()) {
        harness_skip("no real data");
        return;
    }
    snprintf(path, sizeof path, "%s/flights/models/%s", harness_data(), bundles[_i]);
    ck_assert_msg(bundle_load(&bundle, path, NULL, &err) == 0, "%s", err.text);
    fixture_config(&config, FIXTURE_CONFIG);
    for (size_t i = 0; i < bundle->golden_count; i++) {
        if (!bundle->goldens[i].event || !bundle->goldens[i].row)
            continue;
        check_golden(&config, bundle, &bundle->goldens[i]);
        seen++;
    }
    ck_assert_uint_gt(seen, 50);
    config_release(&config);
    bundle_free(bundle);
}
END_TEST

/* The schema decides once which path is taken: of a union's records also where the event has the
 * other one. Bundle: x = a.x | b. */
static const struct {
    const char *event;
    size_t len;
    const char *path;
    const char *raw; /* NULL: nothing is there */
    enum explain_state state;
} unions[] = {
    {BYTES("\0\2\6"), "a.x", "1", STATE_VALUE},
    {BYTES("\2\6"), "a.x", NULL, STATE_MISSING},
    {BYTES("\4\6"), "a.x", "null", STATE_MISSING},
};

START_TEST(the_schema_says_which_path_is_taken)
{
    static const char schema[] =
        "{'type':'record','name':'E','fields':[{'name':'a','type':["
        "{'type':'record','name':'A','fields':[{'name':'x','type':'int'}]},"
        "{'type':'record','name':'B','fields':[]},'null']},{'name':'b','type':'int'}]}";
    char folder[300], path[400], text[600], *quoted = reading_quoted(schema);
    struct features features = EVENTS_FEATURES(NULL, "x = a.x | b : number, optional");
    struct err err = ERR_INIT;
    struct config config;
    struct bundle *bundle;
    struct explanation e;

    snprintf(folder, sizeof folder, "%s", harness_folder());
    fixture_bundle(folder);
    ck_assert_int_eq(bundle_load(&bundle, folder, NULL, &err), 0);
    features_release(&bundle->features);
    bundle->features = features;
    snprintf(path, sizeof path, "%s", harness_write(folder, "e.avsc", quoted, strlen(quoted)));
    snprintf(text, sizeof text, "consumer.schema=%s", path);
    ck_assert_msg(config_parse(&config, "k.ini", FIXTURE_CONFIG, strlen(FIXTURE_CONFIG),
                               &(struct config_overrides){
                                   (const char *const[]){"consumer.format=avro", text}, 2},
                               &err) == 0,
                  "%s", err.text);
    explain(&e, &config, bundle, unions[_i].event, unions[_i].len);
    ck_assert_int_eq(e.outcome.kind, OUTCOME_SCORED);
    ck_assert_str_eq(e.features[0].path, unions[_i].path);
    ck_assert_int_eq(e.features[0].state, unions[_i].state);
    ck_assert_int_eq(e.features[0].raw.data != NULL, unions[_i].raw != NULL);
    if (unions[_i].raw)
        ck_assert(slice_equals(e.features[0].raw, unions[_i].raw, strlen(unions[_i].raw)));
    explain_release(&e);
    config_release(&config);
    bundle_free(bundle);
    free(quoted);
}
END_TEST

/* A value that is cut at any byte is shown as far as it goes, and nothing is read beyond. */
START_TEST(a_value_cut_at_any_byte_is_explained)
{
    static const char event[] = "{\"y\":[1,{\"x\":2}],\"x\":0.5,\"z\":\"\\u00e9\"}";
    struct config config;
    struct bundle *bundle;
    struct err err = ERR_INIT;
    struct explanation e;
    char folder[300];

    snprintf(folder, sizeof folder, "%s", harness_folder());
    fixture_bundle(folder);
    ck_assert_int_eq(bundle_load(&bundle, folder, NULL, &err), 0);
    fixture_config(&config, FIXTURE_CONFIG);
    for (size_t len = 0; len < sizeof event; len++) {
        explain(&e, &config, bundle, event, len);
        ck_assert_int_eq(e.outcome.kind, len == sizeof event - 1 ? OUTCOME_SCORED : OUTCOME_DEAD);
        ck_assert_msg((e.features[0].raw.data != NULL) == (len > 24), "%zu: %.*s", len,
                      (int)e.features[0].raw.len, e.features[0].raw.data);
        explain_release(&e);
    }
    config_release(&config);
    bundle_free(bundle);
}
END_TEST

SUITE(explain_steps)
{
    TCase *tcase = CASE("cut", a_value_cut_at_any_byte_is_explained);

    tcase_add_loop_test(tcase, the_schema_says_which_path_is_taken, 0, 3);
    tcase_add_loop_test(harness_case(suite, "real", NULL, 0),
                        real_events_give_the_librarys_rows_and_margins, 0, BUNDLES);
}
