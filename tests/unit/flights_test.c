/* Real events: the golden lines of the flights bundles, as JSON and as Avro in the three schema
 * versions, must give the rows that the reference reader gave. */
#include <avro.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "schemas/decoder.h"
#include "schemas/schema_folder.h"
#include "tests/events.h"
#include "tests/harness.h"

static const char *const versions[] = {"v1", "v2", "v3"};

static char *data_path(const char *rest)
{
    return file_join(harness_data(), rest);
}

static struct decoder *new_decoder(const struct features *features, enum event_format format,
                                   const char *folder)
{
    struct decoder_options options = {
        .format = format,
        .framing = format == EVENT_AVRO ? FRAMING_CONFLUENT : FRAMING_NONE,
        .schemas = format == EVENT_AVRO ? schema_folder_new(folder) : NULL,
        .max_value_bytes = 256 << 10,
        .max_depth = 64};
    struct decoder *decoder;
    struct err err = ERR_INIT;

    ck_assert_msg(decoder_new(&decoder, &options, features, &err) == 0, "%s", err.text);
    return decoder;
}

static void check_row(const struct features *features, const float *row, const json_t *want)
{
    ck_assert_uint_eq(json_array_size(want), features->count);
    for (size_t i = 0; i < features->count; i++) {
        const json_t *value = json_array_get(want, i);
        if (json_is_null(value))
            ck_assert_msg(isnan(row[i]), "feature %s", features->items[i].name);
        else
            ck_assert_bits(row[i], (float)json_number_value(value));
    }
}

/* Calls check for each golden line of a bundle. */
static void each_golden(const char *bundle,
                        void (*check)(struct decoder *d, const struct features *features,
                                      const json_t *golden),
                        struct decoder *d, const struct features *features)
{
    char *path = file_join(bundle, "golden.jsonl"), *text, *rest = NULL;
    struct err err = ERR_INIT;
    size_t len, count = 0;

    ck_assert_msg(file_read(path, 16 << 20, &text, &len, &err) == 0, "%s", err.text);
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        json_t *golden = json_loads(line, 0, NULL);
        ck_assert_ptr_nonnull(golden);
        check(d, features, golden);
        json_decref(golden);
        count++;
    }
    ck_assert_uint_ge(count, 64);
    free(text);
    free(path);
}

static void check_json(struct decoder *d, const struct features *features, const json_t *golden)
{
    char *text = json_dumps(json_object_get(golden, "event"), JSON_REAL_PRECISION(17));
    uint8_t *exact = events_exact(text, strlen(text));
    float row[64];
    int64_t id;
    struct outcome outcome = decoder_decode(d, (struct slice){exact, strlen(text)}, row, &id);

    ck_assert_str_eq(events_outcome(outcome), "scored");
    ck_assert_int_eq(id, SCHEMA_ID_NONE);
    check_row(features, row, json_object_get(golden, "row"));
    free(exact);
    free(text);
}

static void run_bundle(const char *name)
{
    char rest[64], *bundle;
    struct features features;
    struct decoder *decoder;

    snprintf(rest, sizeof rest, "flights/models/%s", name);
    bundle = data_path(rest);
    features = events_bundle_features(bundle);
    decoder = new_decoder(&features, EVENT_JSON, NULL);
    each_golden(bundle, check_json, decoder, &features);
    decoder_free(decoder);
    features_release(&features);
    free(bundle);
}

START_TEST(golden_events_as_json_give_their_rows)
{
    if (!harness_data()) {
        harness_skip("no flights data");
        return;
    }
    run_bundle("delay-1");
    run_bundle("delay-2");
    run_bundle("delay-lgbm");
    run_bundle("delay-arr");
}
END_TEST

/* ---- Avro */

/* Writes a JSON value as the schema has it; the writer is avro-c's, the walk is ours. */
static void fill(avro_value_t *out, const json_t *json)
{
    avro_value_t child;
    size_t count;

    switch (avro_value_get_type(out)) {
    case AVRO_UNION:
        ck_assert_int_eq(avro_value_set_branch(out, !json_is_null(json), &child), 0);
        fill(&child, json);
        return;
    case AVRO_RECORD:
        avro_value_get_size(out, &count);
        for (size_t i = 0; i < count; i++) {
            const char *name;
            avro_value_get_by_index(out, i, &child, &name);
            fill(&child, json_object_get(json, name));
        }
        return;
    case AVRO_ARRAY:
        for (size_t i = 0; i < json_array_size(json); i++) {
            avro_value_append(out, &child, NULL);
            fill(&child, json_array_get(json, i));
        }
        return;
    case AVRO_MAP: {
        const char *key;
        json_t *value;
        json_object_foreach((json_t *)json, key, value)
        {
            avro_value_add(out, key, &child, NULL, NULL);
            fill(&child, value);
        }
        return;
    }
    case AVRO_ENUM:
        avro_value_set_enum(
            out, avro_schema_enum_get_by_name(avro_value_get_schema(out), json_string_value(json)));
        return;
    case AVRO_STRING: avro_value_set_string(out, json_string_value(json)); return;
    case AVRO_INT32: avro_value_set_int(out, (int32_t)json_integer_value(json)); return;
    case AVRO_INT64: avro_value_set_long(out, json_integer_value(json)); return;
    case AVRO_FLOAT: avro_value_set_float(out, (float)json_number_value(json)); return;
    case AVRO_DOUBLE: avro_value_set_double(out, json_number_value(json)); return;
    case AVRO_BOOLEAN: avro_value_set_boolean(out, json_is_true(json)); return;
    default: avro_value_set_null(out); return;
    }
}

static avro_value_iface_t *ifaces[3];

static size_t encode(uint8_t *out, size_t cap, size_t version, const json_t *event)
{
    avro_writer_t writer = avro_writer_memory((char *)out + 5, (int64_t)cap - 5);
    avro_value_t value;
    size_t len;

    memcpy(out, (uint8_t[]){0, 0, 0, 0, (uint8_t)(7 + version)}, 5);
    avro_generic_value_new(ifaces[version], &value);
    fill(&value, event);
    ck_assert_int_eq(avro_value_write(writer, &value), 0);
    len = 5 + (size_t)avro_writer_tell(writer);
    avro_value_decref(&value);
    avro_writer_free(writer);
    return len;
}

/* Truncated at every byte, and with bytes behind: dead, and the good one after it is good. */
static void check_damaged(struct decoder *d, const uint8_t *data, size_t len)
{
    float row[64];
    int64_t id;

    for (size_t cut = 0; cut < len; cut++) {
        uint8_t *exact = events_exact(data, cut);
        struct outcome o = decoder_decode(d, (struct slice){exact, cut}, row, &id);
        ck_assert_str_eq(events_outcome(o), cut < 5 ? "frame/too_short" : "decode/truncated");
        free(exact);
    }
    uint8_t *longer = events_exact(data, len + 2);
    memcpy(longer + len, "}{", 2);
    ck_assert_str_eq(events_outcome(decoder_decode(d, (struct slice){longer, len + 2}, row, &id)),
                     "decode/trailing_bytes");
    free(longer);
}

static void check_avro(struct decoder *d, const struct features *features, const json_t *golden)
{
    static uint8_t data[1 << 16];
    const char *shape = json_string_value(json_object_get(golden, "shape"));
    const json_t *event = json_object_get(golden, "event");
    size_t version = (size_t)(shape[1] - '1'), len = encode(data, sizeof data, version, event);
    float row[64];
    int64_t id;
    struct outcome o;

    check_damaged(d, data, len);
    o = decoder_decode(d, (struct slice){data, len}, row, &id);
    ck_assert_str_eq(events_outcome(o), "scored");
    ck_assert_int_eq(id, (int64_t)(7 + version));
    check_row(features, row, json_object_get(golden, "row"));
}

static void learn_schemas(const char *folder)
{
    for (size_t i = 0; i < 3; i++) {
        char rest[64], name[16], *path, *text;
        struct err err = ERR_INIT;
        avro_schema_t schema;
        size_t len;
        snprintf(rest, sizeof rest, "flights/schemas/flight-%s.avsc", versions[i]);
        path = data_path(rest);
        ck_assert_msg(file_read(path, 1 << 20, &text, &len, &err) == 0, "%s", err.text);
        snprintf(name, sizeof name, "%zu.avsc", 7 + i);
        harness_write(folder, name, text, len);
        ck_assert_int_eq(avro_schema_from_json_length(text, len, &schema), 0);
        ifaces[i] = avro_generic_class_from_schema(schema);
        avro_schema_decref(schema);
        free(text);
        free(path);
    }
}

static void count_usable(void *arg, int64_t schema_id, bool usable, const char *text)
{
    if (getenv("KSCORE_TEST_SAY"))
        printf("%lld %d %s\n", (long long)schema_id, usable, text);
    *(size_t *)arg += usable;
}

START_TEST(golden_events_as_avro_of_three_schema_versions_give_their_rows)
{
    char *bundle;
    char folder[256];
    struct features features;
    struct decoder *decoder;
    size_t usable = 0;

    if (!harness_data()) {
        harness_skip("no flights data");
        return;
    }
    snprintf(folder, sizeof folder, "%s", harness_folder());
    learn_schemas(folder);
    bundle = data_path("flights/models/delay-2");
    features = events_bundle_features(bundle);
    decoder = new_decoder(&features, EVENT_AVRO, folder);
    decoder_report(decoder, count_usable, &usable);
    ck_assert_uint_eq(usable, 3);
    each_golden(bundle, check_avro, decoder, &features);
    decoder_free(decoder);
    features_release(&features);
    for (size_t i = 0; i < 3; i++)
        avro_value_iface_decref(ifaces[i]);
    free(bundle);
}
END_TEST

SUITE(flights)
{
    CASE("golden", golden_events_as_json_give_their_rows,
         golden_events_as_avro_of_three_schema_versions_give_their_rows);
}
