#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/mem.h"
#include "schemas/decoder.h"
#include "schemas/schema_folder.h"
#include "tests/harness.h"
#include "tests/reading.h"

enum { MAX_BYTES = 256 << 10 };

#define SCHEMA                                                                                     \
    "{\"type\":\"record\",\"name\":\"E\",\"fields\":[{\"name\":\"x\",\"type\":[\"null\","          \
    "\"double\"]},{\"name\":\"pad\",\"type\":\"bytes\"}]}"

struct fixture {
    char folder[256];
    struct features features;
    struct decoder *decoder;
    float row[2];
    int64_t id;
    struct outcome outcome;
};

static struct decoder_options options_of(const struct fixture *f, enum event_format format)
{
    bool is_avro = format == EVENT_AVRO;

    return (struct decoder_options){.format = format,
                                    .framing = is_avro ? FRAMING_CONFLUENT : FRAMING_NONE,
                                    .schemas = is_avro ? schema_folder_new(f->folder) : NULL,
                                    .max_value_bytes = MAX_BYTES,
                                    .max_depth = 64};
}

/* Features x (required) and y (which no schema has); schema 77 in the folder. */
static void init(struct fixture *f, enum event_format format)
{
    struct err err = ERR_INIT;
    struct decoder_options options;

    *f = (struct fixture){.decoder = NULL};
    snprintf(f->folder, sizeof f->folder, "%s", harness_folder());
    harness_write(f->folder, "77.avsc", BYTES(SCHEMA));
    f->features =
        EVENTS_FEATURES(NULL, "x = x : number, required", "y = a.y | y : number, default 5");
    options = options_of(f, format);
    ck_assert_msg(decoder_new(&f->decoder, &options, &f->features, &err) == 0, "%s", err.text);
}

static void release(struct fixture *f)
{
    decoder_free(f->decoder);
    features_release(&f->features);
}

static const char *decode(struct fixture *f, const void *data, size_t len)
{
    uint8_t *exact = data ? events_exact(data, len) : NULL;

    f->row[0] = f->row[1] = -1;
    f->outcome = decoder_decode(f->decoder, (struct slice){exact, len}, f->row, &f->id);
    free(exact);
    ck_assert_msg(f->row[1] != -1, "a row is left over"); /* overwritten whatever happens */
    return events_outcome(f->outcome);
}

#define GOOD "\0\0\0\0\x4d\x02\0\0\0\0\0\0\xf8\x3f\x00"

/* value, outcome, schema id */
static const struct {
    const char *data;
    size_t len;
    const char *outcome;
    int64_t id;
} frames[] = {
    {BYTES(""), "frame/too_short", SCHEMA_ID_NONE},
    {BYTES("\0"), "frame/too_short", SCHEMA_ID_NONE},
    {BYTES("\0\0\0\0"), "frame/too_short", SCHEMA_ID_NONE},
    {BYTES("\1"), "frame/bad_magic", SCHEMA_ID_NONE},
    {BYTES("{\"x\":1}"), "frame/bad_magic", SCHEMA_ID_NONE},
    {BYTES("\x01\0\0\0\x4d\x02\0\0\0\0\0\0\xf8\x3f\x00"), "frame/bad_magic", SCHEMA_ID_NONE},
    {BYTES("\x03\x00"
           "0123456789abcdef"),
     "frame/unsupported_framing", SCHEMA_ID_NONE}, /* Glue */
    {BYTES("\x03\x05"
           "0123456789abcdef"),
     "frame/unsupported_framing", SCHEMA_ID_NONE},
    {BYTES("\x03\x04"
           "0123456789abcdef"),
     "frame/bad_magic", SCHEMA_ID_NONE},
    {BYTES("\x03\x00"
           "0123456789abcde"),
     "frame/bad_magic", SCHEMA_ID_NONE},
    {BYTES("\xc3\x01"
           "01234567"),
     "frame/unsupported_framing", SCHEMA_ID_NONE}, /* single object */
    {BYTES("\xc3\x01"
           "0123456"),
     "frame/bad_magic", SCHEMA_ID_NONE},
    {BYTES("\0\0\0\0\x4d"), "decode/truncated", 77},
    {BYTES("\0\0\0\0\x4d\x00\x00"), "bind/missing_field 0", 77},
    {BYTES(GOOD), "scored", 77},
    {BYTES(GOOD "x"), "decode/trailing_bytes", 77},
    {BYTES("\0\xff\xff\xff\xff\x00"), "waiting", UINT32_MAX},
    {BYTES("\0\0\0\0\x4e\x00"), "waiting", 78},
    {NULL, 0, "skipped", SCHEMA_ID_NONE},
};

START_TEST(the_frame_is_judged_before_anything_else)
{
    struct fixture f;

    init(&f, EVENT_AVRO);
    ck_assert_str_eq(decode(&f, frames[_i].data, frames[_i].len), frames[_i].outcome);
    ck_assert_int_eq(f.id, frames[_i].id);
    ck_assert_str_eq(decode(&f, BYTES(GOOD)), "scored");
    ck_assert_bits(f.row[0], 1.5);
    ck_assert_bits(f.row[1], 5);
    release(&f);
}
END_TEST

START_TEST(a_json_value_has_no_frame_and_null_is_skipped)
{
    struct fixture f;

    init(&f, EVENT_JSON);
    ck_assert_str_eq(decode(&f, BYTES("{\"x\":1.5}")), "scored");
    ck_assert_bits(f.row[0], 1.5);
    ck_assert_bits(f.row[1], 5);
    ck_assert_int_eq(f.id, SCHEMA_ID_NONE);
    ck_assert_str_eq(decode(&f, NULL, 0), "skipped");
    ck_assert_str_eq(decode(&f, "", 0), "decode/bad_json");
    ck_assert_str_eq(decode(&f, BYTES(GOOD)), "decode/bad_json");
    ck_assert_str_eq(decode(&f, BYTES("null")), "bind/missing_field 0");
    ck_assert_str_eq(decode(&f, BYTES("{\"y\":2,\"x\":1}")), "scored");
    ck_assert_bits(f.row[1], 2);
    release(&f);
}
END_TEST

START_TEST(a_value_may_have_256_kib_and_not_a_byte_more)
{
    char *value = mem_alloc(10 << 20, 1);
    struct fixture f;

    init(&f, EVENT_JSON);
    memset(value, ' ', 10 << 20);
    memcpy(value, "{\"x\":1}", 7);
    ck_assert_str_eq(decode(&f, value, MAX_BYTES), "scored");
    ck_assert_str_eq(decode(&f, value, MAX_BYTES + 1), "fetch/too_large");
    ck_assert_str_eq(decode(&f, value, 10 << 20), "fetch/too_large");
    release(&f);
    init(&f, EVENT_AVRO);
    memcpy(value, GOOD, sizeof GOOD - 2);
    memcpy(value + sizeof GOOD - 2, "\xd8\xff\x1f", 3); /* the pad: what is left of 256 KiB */
    ck_assert_str_eq(decode(&f, value, MAX_BYTES), "decode/trailing_bytes");
    memcpy(value + sizeof GOOD - 2, "\xde\xff\x1f", 3);
    ck_assert_str_eq(decode(&f, value, MAX_BYTES), "scored");
    ck_assert_str_eq(decode(&f, value, MAX_BYTES + 1), "fetch/too_large");
    ck_assert_int_eq(f.id, SCHEMA_ID_NONE); /* nothing of it was looked at */
    release(&f);
    free(value);
}
END_TEST

static int learn(struct fixture *f, int64_t id, struct err *err)
{
    *err = (struct err)ERR_INIT;
    return decoder_learn(f->decoder, id, clock_ms(), err);
}

START_TEST(an_unknown_id_waits_until_it_was_asked_for)
{
    static const char value[] = "\0\0\0\0\x4e\x02\0\0\0\0\0\0\xf8\x3f\x00";
    struct fixture f;
    struct err err;

    init(&f, EVENT_AVRO);
    ck_assert_str_eq(decode(&f, BYTES(value)), "waiting");
    ck_assert_str_eq(decode(&f, BYTES(value)), "waiting");
    ck_assert_int_eq(learn(&f, 78, &err), 0);
    ck_assert_str_eq(decode(&f, BYTES(value)), "schema/unknown_schema_id");
    harness_write(f.folder, "79.avsc", BYTES(SCHEMA));
    ck_assert_int_eq(learn(&f, 79, &err), 0);
    ck_assert_str_eq(decode(&f, BYTES("\0\0\0\0\x4f\x02\0\0\0\0\0\0\xf8\x3f\x00")), "scored");
    ck_assert_bits(f.row[0], 1.5);
    harness_write(f.folder, "80.avsc", BYTES(SCHEMA));
    decoder_foresee(f.decoder, (struct slice){(const uint8_t *)"\0\0\0\0\x50", 5}, clock_ms());
    ck_assert_uint_eq(decoder_schema_count(f.decoder), 3);
    for (int64_t id = -1; id <= (int64_t)1 << 32; id += ((int64_t)1 << 32) + 1)
        ck_assert_int_eq(learn(&f, id, &err), 0); /* no id of a frame */
    release(&f);
}
END_TEST

static void say(void *arg, int64_t schema_id, bool usable, const char *text)
{
    snprintf(arg, 400, "%lld %d %s", (long long)schema_id, usable, text);
}

START_TEST(what_a_schema_cannot_serve_is_said_before_its_first_record)
{
    char said[400] = "";
    struct fixture f;
    struct err err;

    init(&f, EVENT_AVRO);
    decoder_report(f.decoder, say, said);
    ck_assert_str_eq(said, "77 1 schema 77 (E): 1 features bound: x (null or double); missing: y");
    harness_write(f.folder, "79.avsc", BYTES("{\"type\":\"record\",\"name\":\"E\",\"fields\":[]}"));
    ck_assert_int_eq(learn(&f, 79, &err), 0);
    decoder_report(f.decoder, say, said);
    ck_assert_str_eq(said, "79 0 schema 79 (E): cannot serve the model: feature x: no field x");
    ck_assert_str_eq(decode(&f, BYTES("\0\0\0\0\x4f")), "schema/unusable_schema");
    ck_assert_int_eq(f.id, 79);
    said[0] = '\0';
    decoder_report(f.decoder, say, said);
    ck_assert_str_eq(said, "");
    release(&f);
}
END_TEST

/* value, what a dead letter says of it */
static const char *const words[][2] = {
    {"{\"x\":true}", "field x (feature x), byte 5: a value of a type that the feature does not "
                     "take"},
    {"{}", "field x (feature x): a required feature is absent or null"},
    {"{\"x\":1,\"y\":\"\"}",
     "field a.y | y (feature y), byte 11: a value of a type that the feature does not take"},
    {"{\"x\":1", "byte 6: not JSON (RFC 8259), not UTF-8, or a key that feeds a feature comes "
                 "twice"},
};

START_TEST(a_failure_is_explained_without_the_value)
{
    struct fixture f;
    char text[300];

    init(&f, EVENT_JSON);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        decode(&f, words[i][0], strlen(words[i][0]));
        decoder_explain(f.decoder, &f.outcome, text, sizeof text);
        ck_assert_str_eq(text, words[i][1]);
        for (size_t cap = 1; cap < 100; cap++) {
            char *exact = mem_alloc(cap, 1);
            decoder_explain(f.decoder, &f.outcome, exact, cap);
            ck_assert_uint_lt(strlen(exact), cap);
            ck_assert_mem_eq(exact, words[i][1], strlen(exact));
            free(exact);
        }
        decoder_explain(f.decoder, &f.outcome, NULL, 0);
    }
    release(&f);
}
END_TEST

static void spoil(struct decoder_options *o, int how)
{
    switch (how) {
    case 0: o->format = EVENT_JSON; break;
    case 1: o->framing = FRAMING_JSON_SCHEMA; break;
    case 2: o->schemas = NULL; break;
    case 3: o->max_depth = 0; break;
    case 4: o->max_depth = UINT32_MAX; break;
    case 5: o->framing = FRAMING_NONE; break;
    default: o->schemas = schema_folder_new("/dev/null/none");
    }
}

START_TEST(options_that_cannot_be_stop_the_start)
{
    for (int how = 0; how <= 6; how++) {
        struct err err = ERR_INIT;
        struct decoder_options options;
        struct schema_source *schemas;
        struct decoder *decoder;
        struct fixture f;
        init(&f, EVENT_AVRO);
        options = options_of(&f, EVENT_AVRO);
        schemas = options.schemas;
        spoil(&options, how);
        ck_assert_int_eq(decoder_new(&decoder, &options, &f.features, &err), -1);
        ck_assert_ptr_null(decoder);
        if (options.schemas && options.schemas != schemas) /* it is still ours */
            options.schemas->free(options.schemas);
        schemas->free(schemas);
        ck_assert_int_eq(err.exit_code, how < 6 ? EXIT_CONFIGURATION : EXIT_IO);
        release(&f);
    }
}
END_TEST

START_TEST(a_model_may_have_65534_features)
{
    struct decoder_options options = {
        .format = EVENT_JSON, .max_value_bytes = MAX_BYTES, .max_depth = 64};
    struct features features = {.count = OUTCOME_NO_FEATURE};
    struct err err = ERR_INIT;
    struct decoder *decoder;

    ck_assert_int_eq(decoder_new(&decoder, &options, &features, &err), -1);
    ck_assert_str_eq(err.text, "a model with 65535 features, at most 65534 are served");
}
END_TEST

static struct decoder *fixed_decoder(struct fixture *f, const char *schema, size_t len)
{
    struct decoder_options options = options_of(f, EVENT_JSON);
    struct decoder *decoder;
    struct err err = ERR_INIT;

    options.format = EVENT_AVRO;
    options.schema_file = harness_write(f->folder, "fixed.avsc", schema, len);
    ck_assert_msg(decoder_new(&decoder, &options, &f->features, &err) == 0, "%s", err.text);
    return decoder;
}

START_TEST(a_fixed_schema_that_changed_is_not_taken_over)
{
    static const char other[] = "{\"type\":\"record\",\"name\":\"E\",\"fields\":[{\"name\":"
                                "\"x\",\"type\":\"double\"}]}";
    struct fixture f;
    struct err err = ERR_INIT;
    struct decoder *live, *same, *changed;

    init(&f, EVENT_JSON);
    live = fixed_decoder(&f, BYTES(SCHEMA));
    same = fixed_decoder(&f, BYTES(SCHEMA));
    changed = fixed_decoder(&f, BYTES(other));
    ck_assert_int_eq(decoder_hand_over(live, same, clock_ms(), &err), 0);
    ck_assert_int_eq(decoder_hand_over(live, changed, clock_ms(), &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "[consumer] schema has changed"));
    ck_assert_int_eq(decoder_hand_over(f.decoder, f.decoder, clock_ms(), &err), 0); /* JSON */
    decoder_free(live);
    decoder_free(same);
    decoder_free(changed);
    release(&f);
}
END_TEST

SUITE(decoder)
{
    TCase *loops = harness_case(suite, "frames", NULL, 0);

    tcase_add_loop_test(loops, the_frame_is_judged_before_anything_else, 0,
                        sizeof frames / sizeof frames[0]);
    CASE("values", a_json_value_has_no_frame_and_null_is_skipped,
         a_value_may_have_256_kib_and_not_a_byte_more);
    CASE("schemas", an_unknown_id_waits_until_it_was_asked_for,
         what_a_schema_cannot_serve_is_said_before_its_first_record);
    CASE("words", a_failure_is_explained_without_the_value, options_that_cannot_be_stop_the_start,
         a_model_may_have_65534_features);
    CASE("hand over", a_fixed_schema_that_changed_is_not_taken_over);
}
