/* What stands before a value, for every [consumer] framing: read, or named and refused, and never
 * guessed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "schemas/decoder.h"
#include "schemas/schema_fingerprints.h"
#include "schemas/schema_folder.h"
#include "tests/harness.h"
#include "tests/reading.h"

#define SCHEMA                                                                                     \
    "{\"type\":\"record\",\"name\":\"E\",\"fields\":[{\"name\":\"x\",\"type\":[\"null\","          \
    "\"double\"]},{\"name\":\"pad\",\"type\":\"bytes\"}]}"
#define FINGERPRINT "\x5f\xb7\x24\xb3\x0e\x39\xba\x7f"
#define BODY "\x02\0\0\0\0\0\0\xf8\x3f\x00"
#define SINGLE "\xc3\x01" FINGERPRINT BODY
#define JSON "{\"x\":1.5}"
#define GLUE                                                                                       \
    "\x03\x00"                                                                                     \
    "0123456789abcdef" /* no body: what comes in front is enough */
#define GLUE_ZLIB                                                                                  \
    "\x03\x05"                                                                                     \
    "0123456789abcdef"

enum { NO_ID = SCHEMA_ID_NONE };
static const int64_t fingerprint = 0x7fba390eb324b75f;

struct fixture {
    char folder[256];
    struct features features;
    struct decoder *decoder;
    float row[1];
    int64_t id;
};

static void init(struct fixture *f, enum event_format format, enum event_framing framing)
{
    struct decoder_options options = {
        .format = format, .framing = framing, .max_value_bytes = 1000, .max_depth = 64};
    char path[300];
    struct err err = ERR_INIT;

    *f = (struct fixture){.decoder = NULL};
    snprintf(f->folder, sizeof f->folder, "%s", harness_folder());
    snprintf(path, sizeof path, "%s", harness_write(f->folder, "77.avsc", BYTES(SCHEMA)));
    if (format == EVENT_AVRO && framing != FRAMING_NONE)
        options.schemas = framing == FRAMING_SINGLE_OBJECT ? schema_fingerprints_new(f->folder)
                                                           : schema_folder_new(f->folder);
    options.schema_file = path;
    f->features = EVENTS_FEATURES(NULL, "x = x : number, required");
    ck_assert_msg(decoder_new(&f->decoder, &options, &f->features, &err) == 0, "%s", err.text);
}

static void release(struct fixture *f)
{
    decoder_free(f->decoder);
    features_release(&f->features);
}

static struct outcome outcome_of(struct fixture *f, const void *data, size_t len)
{
    uint8_t *exact = events_exact(data, len);
    struct outcome outcome;

    f->row[0] = -1;
    outcome = decoder_decode(f->decoder, (struct slice){exact, len}, f->row, &f->id);
    ck_assert(f->row[0] != -1); /* overwritten whatever happens */
    free(exact);
    return outcome;
}

static const char *decode(struct fixture *f, const void *data, size_t len)
{
    return events_outcome(outcome_of(f, data, len));
}

/* What is right under each framing, and its id. */
static const struct {
    enum event_format format;
    enum event_framing framing;
    const char *good;
    size_t len, frame_len;
    int64_t id;
} framings[] = {
    {EVENT_AVRO, FRAMING_CONFLUENT, BYTES("\0\0\0\0\x4d" BODY), 5, 77},
    {EVENT_AVRO, FRAMING_SINGLE_OBJECT, BYTES(SINGLE), 10, 0x7fba390eb324b75f},
    {EVENT_AVRO, FRAMING_NONE, BYTES(BODY), 0, 0x7fba390eb324b75f},
    {EVENT_JSON, FRAMING_JSON_SCHEMA, BYTES("\0\xff\xff\xff\xff" JSON), 5, UINT32_MAX},
    {EVENT_JSON, FRAMING_NONE, BYTES(JSON), 0, NO_ID},
};

enum { FRAMINGS = sizeof framings / sizeof framings[0] };

static void expect_good(struct fixture *f, int i)
{
    ck_assert_str_eq(decode(f, framings[i].good, framings[i].len), "scored");
    ck_assert_bits(f->row[0], 1.5);
    ck_assert_int_eq(f->id, framings[i].id);
}

START_TEST(a_value_cut_anywhere_is_one_dead_letter_and_leaves_no_trace)
{
    struct fixture f;

    init(&f, framings[_i].format, framings[_i].framing);
    for (size_t cut = 0; cut < framings[_i].len; cut++) {
        bool is_json = framings[_i].format == EVENT_JSON;
        const char *want = cut < framings[_i].frame_len ? "frame/too_short"
                           : is_json                    ? "decode/bad_json"
                                                        : "decode/truncated";
        ck_assert_str_eq(decode(&f, framings[_i].good, cut), want);
        expect_good(&f, _i);
    }
    release(&f);
}
END_TEST

START_TEST(glue_is_refused_by_name_under_each_framing)
{
    static const struct slice glues[] = {{(const uint8_t *)GLUE, 18},
                                         {(const uint8_t *)GLUE_ZLIB, 18},
                                         {(const uint8_t *)GLUE BODY, sizeof GLUE BODY - 1}};
    struct fixture f;

    init(&f, framings[_i].format, framings[_i].framing);
    for (size_t i = 0; i < sizeof glues / sizeof glues[0]; i++) {
        struct outcome o = outcome_of(&f, glues[i].data, glues[i].len);
        char text[200];
        ck_assert_str_eq(events_outcome(o), "frame/unsupported_framing");
        decoder_explain(f.decoder, &o, text, sizeof text);
        ck_assert_ptr_nonnull(strstr(text, "AWS Glue"));
        expect_good(&f, _i);
    }
    release(&f);
}
END_TEST

#define NOT_GLUE                                                                                   \
    "\x03\x04"                                                                                     \
    "0123456789abcdef"
#define SHORT_GLUE                                                                                 \
    "\x03\x00"                                                                                     \
    "0123456789abcde"

/* A value, and what it is under each of `framings`. */
static const struct {
    const char *data;
    size_t len;
    const char *outcomes[FRAMINGS];
} strangers[] = {
    {BYTES("\0\0\0\0\x4d" BODY),
     {"scored", "frame/bad_magic", "decode/trailing_bytes", "decode/bad_json", "decode/bad_json"}},
    {BYTES(SINGLE),
     {"frame/unsupported_framing", "scored", "decode/bad_union", "frame/unsupported_framing",
      "decode/bad_json"}},
    {BYTES("\xc3\x02" FINGERPRINT BODY),
     {"frame/bad_magic", "frame/bad_magic", "decode/bad_union", "frame/bad_magic",
      "decode/bad_json"}},
    {BYTES("\xc3\x01"
           "01234567" BODY),
     {"frame/unsupported_framing", "waiting", "decode/bad_union", "frame/unsupported_framing",
      "decode/bad_json"}},
    {BYTES(BODY),
     {"frame/bad_magic", "frame/bad_magic", "scored", "frame/bad_magic", "decode/bad_json"}},
    {BYTES("\0\0\0\0\x4d" JSON),
     {"decode/bad_union", "frame/bad_magic", "decode/trailing_bytes", "scored", "decode/bad_json"}},
    {BYTES(JSON),
     {"frame/bad_magic", "frame/bad_magic", "decode/bad_union", "frame/bad_magic", "scored"}},
    {BYTES(NOT_GLUE),
     {"frame/bad_magic", "frame/bad_magic", "decode/bad_union", "frame/bad_magic",
      "decode/bad_json"}},
    {BYTES(SHORT_GLUE),
     {"frame/bad_magic", "frame/bad_magic", "decode/bad_union", "frame/bad_magic",
      "decode/bad_json"}},
};

START_TEST(no_framing_is_guessed)
{
    struct fixture f;

    init(&f, framings[_i].format, framings[_i].framing);
    for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++) {
        const char *got = decode(&f, strangers[i].data, strangers[i].len);
        ck_assert_msg(strcmp(got, strangers[i].outcomes[_i]) == 0, "value %zu: %s, not %s", i, got,
                      strangers[i].outcomes[_i]);
        expect_good(&f, _i);
    }
    release(&f);
}
END_TEST

/* Avro that only looks like Glue's frame is read: an int of -2, an empty text, 16 bytes more. */
START_TEST(a_value_that_can_be_read_is_never_taken_for_glue)
{
    static const char schema[] =
        "{\"type\":\"record\",\"name\":\"E\",\"fields\":[{\"name\":\"x\","
        "\"type\":\"int\"},{\"name\":\"s\",\"type\":\"string\"},{\"name\":"
        "\"f\",\"type\":{\"type\":\"fixed\",\"name\":\"F\",\"size\":16}}]}";
    struct fixture f;
    struct err err = ERR_INIT;
    struct decoder_options options = {
        .format = EVENT_AVRO, .max_value_bytes = 1000, .max_depth = 64};

    init(&f, EVENT_JSON, FRAMING_NONE);
    decoder_free(f.decoder);
    options.schema_file = harness_write(f.folder, "e.avsc", BYTES(schema));
    ck_assert_msg(decoder_new(&f.decoder, &options, &f.features, &err) == 0, "%s", err.text);
    ck_assert_str_eq(decode(&f, GLUE, 18), "scored");
    ck_assert_bits(f.row[0], -2);
    ck_assert_str_eq(decode(&f, GLUE BODY, sizeof GLUE BODY - 1), "frame/unsupported_framing");
    release(&f);
}
END_TEST

START_TEST(the_place_of_a_fault_counts_from_the_frame_on)
{
    struct fixture f;
    struct outcome o;

    init(&f, EVENT_JSON, FRAMING_JSON_SCHEMA);
    o = outcome_of(&f, BYTES("\0\0\0\0\x07{\"x\":true}"));
    ck_assert_str_eq(events_outcome(o), "bind/wrong_type 0");
    ck_assert_uint_eq(o.at, 10);
    ck_assert_int_eq(f.id, 7);
    release(&f);
}
END_TEST

START_TEST(a_fingerprint_is_found_when_its_schema_comes_later)
{
    struct fixture f;
    struct err err = ERR_INIT;
    int64_t now_ms = clock_ms() + 600000;
    char path[300];

    init(&f, EVENT_AVRO, FRAMING_SINGLE_OBJECT);
    decoder_free(f.decoder);
    snprintf(path, sizeof path, "%s", f.folder);
    unlink(harness_write(f.folder, "77.avsc", "", 0));
    ck_assert_int_eq(decoder_new(&f.decoder,
                                 &(struct decoder_options){.format = EVENT_AVRO,
                                                           .framing = FRAMING_SINGLE_OBJECT,
                                                           .schemas = schema_fingerprints_new(path),
                                                           .max_value_bytes = 1000,
                                                           .max_depth = 64},
                                 &f.features, &err),
                     0);
    ck_assert_str_eq(decode(&f, BYTES(SINGLE)), "waiting");
    ck_assert_int_eq(f.id, fingerprint);
    ck_assert_int_eq(decoder_learn(f.decoder, f.id, now_ms, &err), 0);
    ck_assert_str_eq(decode(&f, BYTES(SINGLE)), "schema/unknown_schema_id");
    harness_write(f.folder, "any-name.avsc", BYTES(SCHEMA));
    ck_assert_int_eq(decoder_learn(f.decoder, f.id, now_ms + 1000, &err), 0);
    ck_assert_str_eq(decode(&f, BYTES(SINGLE)), "scored");
    release(&f);
}
END_TEST

/* the fixed schema's text (NULL: no file), exit code, words */
static const struct {
    const char *text;
    enum exit_code code;
    const char *words;
} fixed[] = {
    {NULL, EXIT_IO, "No such file"},
    {"{", EXIT_DATA, "not JSON"},
    {"\"string\"", EXIT_DATA, "cannot serve the model: feature x"},
    {"{\"type\":\"record\",\"name\":\"E\",\"fields\":[]}", EXIT_DATA, "no field x"},
};

START_TEST(a_fixed_schema_that_cannot_serve_stops_the_start)
{
    char path[300];

    snprintf(path, sizeof path, "%s/e.avsc", harness_folder());
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++) {
        struct decoder_options options = {
            .format = EVENT_AVRO, .schema_file = path, .max_value_bytes = 1000, .max_depth = 64};
        struct features features = EVENTS_FEATURES(NULL, "x = x : number, required");
        struct err err = ERR_INIT;
        struct decoder *decoder;
        if (fixed[i].text) {
            char *slash = strrchr(path, '/');
            *slash = '\0';
            harness_write(path, "e.avsc", fixed[i].text, strlen(fixed[i].text));
            *slash = '/';
        }
        ck_assert_int_eq(decoder_new(&decoder, &options, &features, &err), -1);
        ck_assert_ptr_null(decoder);
        ck_assert_int_eq(err.exit_code, fixed[i].code);
        ck_assert_msg(strstr(err.text, fixed[i].words) && strstr(err.text, path), "%s", err.text);
        features_release(&features);
    }
}
END_TEST

static void say(void *arg, int64_t schema_id, bool usable, const char *text)
{
    ck_assert_int_eq(schema_id, fingerprint);
    ck_assert(usable);
    snprintf(arg, 600, "%s", text);
}

START_TEST(a_fixed_schema_is_said_once)
{
    char said[600] = "";
    struct fixture f;

    init(&f, EVENT_AVRO, FRAMING_NONE);
    decoder_report(f.decoder, say, said);
    ck_assert_msg(strstr(said, "77.avsc: 1 features bound: x (null or double)") != NULL, "%s",
                  said);
    said[0] = '\0';
    decoder_report(f.decoder, say, said);
    ck_assert_str_eq(said, "");
    release(&f);
}
END_TEST

SUITE(framing)
{
    TCase *loops = harness_case(suite, "each", NULL, 0);

    tcase_add_loop_test(loops, a_value_cut_anywhere_is_one_dead_letter_and_leaves_no_trace, 0,
                        FRAMINGS);
    tcase_add_loop_test(loops, glue_is_refused_by_name_under_each_framing, 0, FRAMINGS);
    tcase_add_loop_test(loops, no_framing_is_guessed, 0, FRAMINGS);
    CASE("values", a_value_that_can_be_read_is_never_taken_for_glue,
         the_place_of_a_fault_counts_from_the_frame_on);
    CASE("schemas", a_fingerprint_is_found_when_its_schema_comes_later,
         a_fixed_schema_that_cannot_serve_stops_the_start, a_fixed_schema_is_said_once);
}
