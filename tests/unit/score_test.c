/* One piece: scores as a reader sees them, JSON through jansson, Avro through avro-c and its schema
 * file. */
#include <avro.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "producer/score.h"
#include "tests/harness.h"

#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct provenance plain = {"delay", "2", DIGEST, "abcdef012345", 0, SCORE_LIVE};

static const double three[] = {0.25, 1.0 / 3, -5e-324};

static const struct {
    struct record record;
    struct score score;
} cases[] = {
    {{.topic = "flights", .partition = 3, .offset = 41, .timestamp_ms = 1385856000000},
     {.value = 0.25, .decision = "watch", .schema_id = 7}},
    {{.topic = "a", .partition = 0, .offset = 0, .timestamp_ms = 0}, {.value = 0, .schema_id = 0}},
    {{.topic = "no-timestamp", .partition = 1, .offset = 1, .timestamp_ms = -1},
     {.value = -1.5, .schema_id = -1}},
    {{.topic = "far.away_", .partition = INT32_MAX, .offset = INT64_MAX, .timestamp_ms = INT64_MAX},
     {.value = 1.7976931348623157e308, .decision = "late", .schema_id = UINT32_MAX}},
    {{.topic = "small", .partition = 12, .offset = 1000000, .timestamp_ms = 999},
     {.value = 5e-324, .decision = "on time", .schema_id = 123456}},
    {{.topic = "third", .partition = 63, .offset = 64, .timestamp_ms = 8191},
     {.value = 1.0 / 3, .decision = "", .schema_id = 64}},
    {{.topic = "several", .partition = 0, .offset = 7, .timestamp_ms = 1},
     {.value = 1.0 / 3, .values = three, .value_count = 3, .schema_id = 64}},
};

enum { CASES = sizeof cases / sizeof cases[0] };

/* By enum score_mode. */
static const struct {
    struct provenance provenance;
    const char *name;
} modes[] = {{{"delay", "2", DIGEST, "abcdef012345", 0, SCORE_LIVE}, "live"},
             {{"delay", "2", DIGEST, "abcdef012345", 0, SCORE_REPLAY}, "replay"},
             {{"delay", "2", DIGEST, "abcdef012345", 0, SCORE_SHADOW}, "shadow"},
             {{"delay", "2", DIGEST, "abcdef012345", 0, SCORE_CORRECTION}, "correction"}};

enum { MODES = sizeof modes / sizeof modes[0] };

/* Encodes into a buffer of exactly the size that was promised, so that the sanitizer sees a breach.
 */
static char *encode(enum config_format format, const struct provenance *provenance,
                    const struct record *record, const struct score *score, size_t *len)
{
    struct score_encoder encoder;
    struct score timed = *score;
    size_t cap;
    char *out;

    timed.event_time_ms = record->timestamp_ms;

    score_encoder_init(&encoder, &(struct score_options){.format = format, .schema_id = 258},
                       provenance);
    cap = score_max_bytes(&encoder, record, &timed);
    out = malloc(cap);
    *len = score_encode(&encoder, record, &timed, out);
    ck_assert_uint_le(*len, cap);
    score_encoder_release(&encoder);
    return out;
}

static json_t *encode_json(const struct provenance *provenance, const struct record *record,
                           const struct score *score)
{
    json_error_t error;
    size_t len;
    char *out = encode(FORMAT_JSON, provenance, record, score, &len);
    json_t *json = json_loadb(out, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);

    ck_assert_msg(json != NULL, "%s: %.*s", error.text, (int)len, out);
    free(out);
    return json;
}

static void expect_text(const json_t *json, const char *name, const char *want)
{
    const json_t *got = json_object_get(json, name);

    ck_assert_ptr_nonnull(got);
    if (want)
        ck_assert_str_eq(json_string_value(got), want);
    else
        ck_assert(json_is_null(got));
}

static void expect_integer(const json_t *json, const char *name, int64_t want)
{
    ck_assert(json_is_integer(json_object_get(json, name)));
    ck_assert_int_eq(json_integer_value(json_object_get(json, name)), want);
}

static const char *id_of(const struct record *r)
{
    static char id[400];

    snprintf(id, sizeof id, "%s-%d-%lld-0123456789ab", r->topic, r->partition,
             (long long)r->offset);
    return id;
}

static const char *schema_id_of(const struct score *s)
{
    static char text[24];

    snprintf(text, sizeof text, "%lld", (long long)s->schema_id);
    return s->schema_id >= 0 ? text : NULL;
}

#define TEXT(literal)                                                                              \
    {                                                                                              \
        .kind = CARRIED_TEXT, .len = sizeof(literal) - 1, .text = (literal)                        \
    }

/* What was carried, and its text. */
static const struct {
    struct carried carried;
    const char *text;
} carries[] = {
    {TEXT("UA1545"), "UA1545"},
    {TEXT(""), ""},
    {TEXT("\"\\\n\xc3\xa9"), "\"\\\n\xc3\xa9"},
    {TEXT("a\xff\xc3z\xed\xa0\x80"),
     "a\xef\xbf\xbd\xef\xbf\xbdz\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
    {{.kind = CARRIED_ESCAPED, .len = 16, .text = "\\u0041\\t\\\"\\ud800"}, "A\t\"\xef\xbf\xbd"},
    {{.kind = CARRIED_INTEGER, .integer = INT64_MIN}, "-9223372036854775808"},
    {{.kind = CARRIED_FLOAT, .number = (double)0.1f}, "0.1"},
    {{.kind = CARRIED_FLOAT, .number = (double)16777216.0f}, "16777216"},
    {{.kind = CARRIED_FLOAT, .number = INFINITY}, "Infinity"},
    {{.kind = CARRIED_DOUBLE, .number = 0.1}, "0.1"},
    {{.kind = CARRIED_DOUBLE, .number = -INFINITY}, "-Infinity"},
    {{.kind = CARRIED_DOUBLE, .number = NAN}, "NaN"},
    {{.kind = CARRIED_NOTHING}, NULL},
};

enum { CARRIES = sizeof carries / sizeof carries[0] };

/* Encodes a score with all of them, under k0, k"1, k"2, ... in exactly the promised room. */
static char *encode_carries(enum config_format format, size_t *len)
{
    struct path paths[CARRIES] = {{0}};
    struct carried carried[CARRIES];
    char names[CARRIES][8];
    struct score score = {.schema_id = -1, .carried = carried};
    struct score_options options = {
        .format = format, .schema_id = 258, .carry = paths, .carry_count = CARRIES};
    struct score_encoder encoder;
    char *out;

    for (size_t i = 0; i < CARRIES; i++) {
        snprintf(names[i], sizeof names[i], "k\"%zu", i);
        paths[i].text = names[i];
        carried[i] = carries[i].carried;
    }
    score_encoder_init(&encoder, &options, &plain);
    out = malloc(score_max_bytes(&encoder, &cases[0].record, &score));
    *len = score_encode(&encoder, &cases[0].record, &score, out);
    ck_assert_uint_le(*len, score_max_bytes(&encoder, &cases[0].record, &score));
    ck_assert_uint_le(score_min_bytes(&encoder, &score), *len);
    score_encoder_release(&encoder);
    return out;
}

START_TEST(carried_fields_are_text_in_json)
{
    size_t len, count = 0;
    char *out = encode_carries(FORMAT_JSON, &len);
    json_t *json = json_loadb(out, len, JSON_REJECT_DUPLICATES, NULL), *carry;

    ck_assert_ptr_nonnull(json);
    carry = json_object_get(json, "carry");
    for (size_t i = 0; i < CARRIES; i++) {
        char name[8];
        snprintf(name, sizeof name, "k\"%zu", i);
        count += carries[i].text != NULL;
        if (carries[i].text)
            expect_text(carry, name, carries[i].text);
    }
    ck_assert_uint_eq(json_object_size(carry), count);
    json_decref(json);
    free(out);
}
END_TEST

START_TEST(a_fingerprint_is_printed_in_hex)
{
    static const struct score score = {.value = 0.5, .schema_id = 0x0123456789abcdef};
    static const enum config_format formats[] = {FORMAT_JSON, FORMAT_AVRO};

    for (size_t i = 0; i < 2; i++) {
        struct score_options options = {.format = formats[i], .has_fingerprints = true};
        struct score_encoder encoder;
        char out[2048];
        size_t len;
        score_encoder_init(&encoder, &options, &plain);
        ck_assert_uint_le(score_max_bytes(&encoder, &cases[0].record, &score), sizeof out);
        len = score_encode(&encoder, &cases[0].record, &score, out);
        ck_assert_ptr_nonnull(memmem(out, len, "0123456789abcdef", 16));
        score_encoder_release(&encoder);
    }
}
END_TEST

START_TEST(json_has_every_field)
{
    const struct record *r = &cases[_i].record;
    const struct score *s = &cases[_i].score;
    json_t *json = encode_json(&plain, r, s);

    ck_assert_uint_eq(json_object_size(json), 16);
    expect_text(json, "id", id_of(r));
    expect_text(json, "topic", r->topic);
    expect_integer(json, "partition", r->partition);
    expect_integer(json, "offset", r->offset);
    expect_integer(json, "event_time", r->timestamp_ms);
    expect_text(json, "schema_id", schema_id_of(s));
    expect_text(json, "model", "delay");
    expect_text(json, "version", "2");
    expect_text(json, "digest", DIGEST);
    expect_text(json, "run", "abcdef012345");
    ck_assert(json_number_value(json_object_get(json, "score")) == s->value);
    ck_assert(json_is_array(json_object_get(json, "scores")));
    ck_assert_uint_eq(json_array_size(json_object_get(json, "scores")), s->value_count);
    for (size_t i = 0; i < s->value_count; i++)
        ck_assert(json_number_value(json_array_get(json_object_get(json, "scores"), i)) ==
                  s->values[i]);
    expect_text(json, "decision", s->decision);
    expect_text(json, "mode", "live");
    ck_assert(json_is_null(json_object_get(json, "reasons")));
    ck_assert(json_is_object(json_object_get(json, "carry")));
    ck_assert_uint_eq(json_object_size(json_object_get(json, "carry")), 0);
    json_decref(json);
}
END_TEST

START_TEST(json_says_why_it_was_scored)
{
    json_t *json = encode_json(&modes[_i].provenance, &cases[0].record, &cases[0].score);

    expect_text(json, "mode", modes[_i].name);
    json_decref(json);
}
END_TEST

static const struct {
    double value;
    const char *text;
} numbers[] = {
    {0.1, "\"score\":0.1,"},
    {(double)0.1f, "\"score\":0.10000000149011612,"},
    {1.0 / 3, "\"score\":0.3333333333333333,"},
    {1, "\"score\":1.0,"},
    {-2.5, "\"score\":-2.5,"},
};

START_TEST(json_numbers_are_the_shortest_that_read_back)
{
    struct score score = {.value = numbers[_i].value, .schema_id = -1};
    size_t len;
    char *out = encode(FORMAT_JSON, &plain, &cases[0].record, &score, &len);

    ck_assert_msg(memmem(out, len, numbers[_i].text, strlen(numbers[_i].text)) != NULL,
                  "%s in %.*s", numbers[_i].text, (int)len, out);
    free(out);
}
END_TEST

START_TEST(json_escapes_what_a_bundle_calls_itself)
{
    static const struct provenance odd = {"a\"b\\c\n\x01", "2\t\xc3\xa9", DIGEST, "abcdef012345", 0,
                                          SCORE_LIVE};
    struct score score = {.value = 0.5, .decision = "say \"no\"\n", .schema_id = -1};
    json_t *json = encode_json(&odd, &cases[0].record, &score);

    expect_text(json, "model", odd.model);
    expect_text(json, "version", odd.version);
    expect_text(json, "decision", score.decision);
    json_decref(json);
}
END_TEST

/* A decision is a text of model.ini, and a line there may be long. */
START_TEST(names_of_any_length_fit)
{
    enum { LEN = 5000 };
    char *decision = malloc(LEN + 1), topic[250];
    struct record record = cases[0].record;
    struct score score = {
        .value = -1.2345678901234567e-300, .decision = decision, .schema_id = UINT32_MAX};

    memset(decision, _i == 0 ? '\x01' : 'x', LEN);
    decision[LEN] = '\0';
    memset(topic, 't', 249);
    topic[249] = '\0';
    record.topic = topic;
    record.partition = INT32_MIN;
    record.offset = record.timestamp_ms = INT64_MIN;
    for (int format = FORMAT_JSON; format <= FORMAT_AVRO; format++) {
        struct provenance provenance = {decision, decision, DIGEST, "abcdef012345", 0, SCORE_LIVE};
        size_t len;
        char *out = encode((enum config_format)format, &provenance, &record, &score, &len);
        ck_assert_uint_gt(len, 3 * LEN);
        free(out);
    }
    free(decision);
}
END_TEST

static avro_schema_t schema;

/* avro-c keeps one error text for all threads, and this program has one thread. */
static void load_schema(void)
{
    struct err err = ERR_INIT;
    char *text;
    size_t len;

    ck_assert_msg(file_read("schemas/score.avsc", 1 << 20, &text, &len, &err) == 0, "%s", err.text);
    ck_assert_msg(avro_schema_from_json_length(text, len, &schema) == 0, "%s", avro_strerror());
    free(text);
}

static void drop_schema(void)
{
    avro_schema_decref(schema);
}

static avro_value_t field(const avro_value_t *record, const char *name)
{
    avro_value_t value;

    ck_assert_msg(avro_value_get_by_name(record, name, &value, NULL) == 0, "%s", name);
    return value;
}

static void expect_avro_text(const avro_value_t *record, const char *name, const char *want)
{
    avro_value_t value = field(record, name), branch;
    const char *text;
    size_t size;

    if (avro_value_get_type(&value) == AVRO_UNION) {
        ck_assert_int_eq(avro_value_get_current_branch(&value, &branch), 0);
        value = branch;
    }
    if (!want) {
        ck_assert_int_eq(avro_value_get_type(&value), AVRO_NULL);
        return;
    }
    ck_assert_int_eq(avro_value_get_string(&value, &text, &size), 0);
    ck_assert_str_eq(text, want);
}

static void expect_avro_size(const avro_value_t *record, const char *name, size_t want)
{
    avro_value_t value = field(record, name);
    size_t size = 1;

    avro_value_get_size(&value, &size);
    ck_assert_uint_eq(size, want);
}

static void expect_avro_scores(const avro_value_t *record, const struct score *s)
{
    avro_value_t value = field(record, "scores"), item;

    expect_avro_size(record, "scores", s->value_count);
    for (size_t i = 0; i < s->value_count; i++) {
        double number;
        avro_value_get_by_index(&value, i, &item, NULL);
        avro_value_get_double(&item, &number);
        ck_assert(number == s->values[i]);
    }
}

static void expect_avro(const avro_value_t *v, const struct record *r, const struct score *s)
{
    avro_value_t value;
    int32_t partition;
    int64_t offset, event_time;
    double score;
    int mode, branch;

    expect_avro_text(v, "id", id_of(r));
    expect_avro_text(v, "topic", r->topic);
    value = field(v, "partition");
    avro_value_get_int(&value, &partition);
    ck_assert_int_eq(partition, r->partition);
    value = field(v, "offset");
    avro_value_get_long(&value, &offset);
    ck_assert_int_eq(offset, r->offset);
    value = field(v, "event_time");
    avro_value_get_long(&value, &event_time);
    ck_assert_int_eq(event_time, r->timestamp_ms);
    expect_avro_text(v, "schema_id", schema_id_of(s));
    expect_avro_text(v, "model", "delay");
    expect_avro_text(v, "version", "2");
    expect_avro_text(v, "digest", DIGEST);
    expect_avro_text(v, "run", "abcdef012345");
    value = field(v, "score");
    avro_value_get_double(&value, &score);
    ck_assert(score == s->value);
    expect_avro_scores(v, s);
    expect_avro_text(v, "decision", s->decision);
    value = field(v, "mode");
    avro_value_get_enum(&value, &mode);
    ck_assert_int_eq(mode, 0);
    value = field(v, "reasons");
    avro_value_get_discriminant(&value, &branch);
    ck_assert_int_eq(branch, 0);
    expect_avro_size(v, "carry", 0);
}

/* The score behind the frame, to its last byte. */
static avro_value_t read_avro(const char *data, size_t len)
{
    avro_value_iface_t *class = avro_generic_class_from_schema(schema);
    avro_reader_t reader = avro_reader_memory(data + 5, (int64_t)len - 5);
    avro_value_t value;
    char rest;

    ck_assert_int_eq(memcmp(data, "\0\0\0\1\2", 5), 0); /* magic, and 258 */
    avro_generic_value_new(class, &value);
    ck_assert_msg(avro_value_read(reader, &value) == 0, "%s", avro_strerror());
    ck_assert_msg(avro_read(reader, &rest, 1) != 0, "bytes are left");
    avro_value_iface_decref(class);
    avro_reader_free(reader);
    return value;
}

START_TEST(avro_has_every_field_behind_the_frame)
{
    size_t len;
    char *out = encode(FORMAT_AVRO, &plain, &cases[_i].record, &cases[_i].score, &len);
    avro_value_t value = read_avro(out, len);

    expect_avro(&value, &cases[_i].record, &cases[_i].score);
    avro_value_decref(&value);
    free(out);
}
END_TEST

START_TEST(avro_says_why_it_was_scored)
{
    size_t len;
    char *out = encode(FORMAT_AVRO, &modes[_i].provenance, &cases[0].record, &cases[0].score, &len);
    avro_value_t value = read_avro(out, len), mode = field(&value, "mode");
    avro_schema_t symbols = avro_value_get_schema(&mode);
    int at;

    avro_value_get_enum(&mode, &at);
    ck_assert_str_eq(avro_schema_enum_get(symbols, at), modes[_i].name);
    avro_value_decref(&value);
    free(out);
}
END_TEST

START_TEST(carried_fields_are_text_in_avro)
{
    size_t len, size, count = 0;
    char *out = encode_carries(FORMAT_AVRO, &len);
    avro_value_t value = read_avro(out, len), carry = field(&value, "carry");

    for (size_t i = 0; i < CARRIES; i++) {
        char name[8];
        snprintf(name, sizeof name, "k\"%zu", i);
        count += carries[i].text != NULL;
        if (carries[i].text)
            expect_avro_text(&carry, name, carries[i].text);
    }
    ck_assert_int_eq(avro_value_get_size(&carry, &size), 0);
    ck_assert_uint_eq(size, count);
    avro_value_decref(&value);
    free(out);
}
END_TEST

SUITE(score)
{
    TCase *tcase;

    tcase = CASE("json", json_escapes_what_a_bundle_calls_itself, carried_fields_are_text_in_json,
                 a_fingerprint_is_printed_in_hex);
    tcase_add_loop_test(tcase, json_has_every_field, 0, CASES);
    tcase_add_loop_test(tcase, json_says_why_it_was_scored, 0, MODES);
    tcase_add_loop_test(tcase, json_numbers_are_the_shortest_that_read_back, 0,
                        sizeof numbers / sizeof numbers[0]);
    tcase = harness_case(suite, "room", NULL, 0);
    tcase_add_loop_test(tcase, names_of_any_length_fit, 0, 2);
    tcase = harness_case(suite, "avro", NULL, 0);
    tcase_add_checked_fixture(tcase, load_schema, drop_schema);
    tcase_add_test(tcase, carried_fields_are_text_in_avro);
    tcase_add_loop_test(tcase, avro_has_every_field_behind_the_frame, 0, CASES);
    tcase_add_loop_test(tcase, avro_says_why_it_was_scored, 0, MODES);
}
