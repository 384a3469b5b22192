/* An Avro value as JSON text: every type, damage, hostile counts, and avro-c's own JSON. */
#include <avro.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/avro_text.h"
#include "schemas/score_schema.h"
#include "tests/events.h"
#include "tests/harness.h"
#include "tests/reading.h"

enum { MAX_TEXT = 1 << 16 };

static struct avro_schema *parse(const char *quoted)
{
    char *text = reading_quoted(quoted);
    struct err err = ERR_INIT;
    struct avro_schema *schema;

    ck_assert_msg(avro_schema_parse(&schema, text, strlen(text), &err) == 0, "%s", err.text);
    free(text);
    return schema;
}

/* "decode/truncated 5" (with the place), "cut TEXT" or the text: static buffer. A copy of exactly
 * len bytes is read. */
static const char *print(const struct avro_schema *schema, const void *data, size_t len, size_t max)
{
    static char out[MAX_TEXT + 100];
    struct avro_text text = {0};
    uint8_t *exact = events_exact(data, len);
    enum avro_text_end end = avro_text_print(&text, schema, (struct slice){exact, len}, 0, max);

    ck_assert_uint_le(text.len, max);
    if (end == AVRO_TEXT_DAMAGED)
        snprintf(out, sizeof out, "%s %zu", fault_reason(text.fault), text.at);
    else
        snprintf(out, sizeof out, "%s%.*s", end == AVRO_TEXT_CUT ? "cut " : "", (int)text.len,
                 text.data);
    free(exact);
    avro_text_release(&text);
    return out;
}

#define ENUM "{'type':'enum','name':'E','symbols':['A','B']}"
#define LIST                                                                                       \
    "{'type':'record','name':'L','fields':[{'name':'v','type':'int'},"                             \
    "{'name':'next','type':['null','L']}]}"

static const struct {
    const char *schema, *data;
    size_t len;
    const char *want;
} known[] = {
    {"'null'", BYTES(""), "null"},
    {"'boolean'", BYTES("\1"), "true"},
    {"'boolean'", BYTES("\0"), "false"},
    {"'int'", BYTES("\x01"), "-1"},
    {"'int'", BYTES("\xff\xff\xff\xff\x0f"), "-2147483648"},
    {"'long'", BYTES("\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "9223372036854775807"},
    {"{'type':'long','logicalType':'timestamp-millis'}", BYTES("\x02"), "1"},
    {"'float'", BYTES("\xcd\xcc\xcc\x3d"), "0.1"},
    {"'float'", BYTES("\xff\xff\x7f\x7f"), "3.4028235e38"},
    {"'float'", BYTES("\x01\0\0\0"), "1e-45"},
    {"'float'", BYTES("\0\0\0\x80"), "-0.0"},
    {"'float'", BYTES("\0\0\xc0\x7f"), "\"NaN\""},
    {"'double'", BYTES("\x9a\x99\x99\x99\x99\x99\xb9\x3f"), "0.1"},
    {"'double'", BYTES("\0\0\0\0\0\0\xf0\x7f"), "\"Infinity\""},
    {"'double'", BYTES("\0\0\0\0\0\0\xf0\xff"), "\"-Infinity\""},
    {"'bytes'", BYTES("\x08\0a\"\xff"), "\"\\u0000a\\u0022\\u00ff\""},
    {"'string'", BYTES("\x0a\x1b\"\xc3\xa9\xff"), "\"\\u001b\\\"\xc3\xa9\xef\xbf\xbd\""},
    {"'string'", BYTES("\0"), "\"\""},
    {"{'type':'fixed','name':'F','size':2}", BYTES("\x80z"), "\"\\u0080z\""},
    {ENUM, BYTES("\x02"), "\"B\""},
    {"['null','int']", BYTES("\x02\x0e"), "7"},
    {"['null','int']", BYTES("\0"), "null"},
    {"{'type':'array','items':'int'}", BYTES("\0"), "[]"},
    {"{'type':'array','items':'int'}", BYTES("\x02\x02\x03\x04\x04\x06\0"), "[1,2,3]"},
    {"{'type':'map','values':'boolean'}", BYTES("\x04\x02k\x01\x02l\0\0"),
     "{\"k\":true,\"l\":false}"},
    {LIST, BYTES("\x02\x02\x04\0"), "{\"v\":1,\"next\":{\"v\":2,\"next\":null}}"},
    {"{'type':'record','name':'N','fields':[]}", BYTES(""), "{}"},
    /* not what the schema says */
    {"'boolean'", BYTES("\2"), "bad_boolean 0"},
    {"'int'", BYTES("\x80\x80\x80\x80\x10"), "bad_varint 5"},
    {"'null'", BYTES("x"), "trailing_bytes 0"},
    {"'string'", BYTES("\1"), "bad_length 1"},
    {"'string'", BYTES("\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "truncated 10"},
    {ENUM, BYTES("\x04"), "bad_enum 1"},
    {"['null','int']", BYTES("\x04"), "bad_union 1"},
    {"{'type':'fixed','name':'F','size':1073741824}", BYTES("abc"), "truncated 0"},
    {"{'type':'array','items':'int'}", BYTES("\x03\x06\x02\x04\x06\0"), "bad_length 4"},
    {"{'type':'array','items':'double'}", BYTES("\x80\x80\x80\x80\x80\x80\x80\x80\x40"),
     "truncated 9"},
    {"{'type':'map','values':'null'}", BYTES("\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01\0"),
     "truncated 10"},
    {"{'type':'record','name':'T','fields':[{'name':'t','type':{'type':'array','items':'T'}}]}",
     BYTES("\x02\x02\x02"), "truncated 3"},
};

START_TEST(every_type_is_written_as_json_or_its_damage_named)
{
    struct avro_schema *schema = parse(known[_i].schema);

    ck_assert_str_eq(print(schema, known[_i].data, known[_i].len, MAX_TEXT), known[_i].want);
    avro_schema_free(schema);
}
END_TEST

START_TEST(a_value_cut_anywhere_is_truncated_and_one_byte_more_trails)
{
    static const char value[] = "\x02\x04"
                                "ab"
                                "\x01\x02\x0e\0\x02\x02k\0\0\0\0\0\0\xf0\x3f\0z!";
    struct avro_schema *schema =
        parse("{'type':'record','name':'R','fields':[{'name':'s','type':['null','string']},"
              "{'name':'a','type':{'type':'array','items':'int'}},"
              "{'name':'m','type':{'type':'map','values':'double'}},"
              "{'name':'f','type':{'type':'fixed','name':'F','size':1}}]}");
    size_t whole = sizeof value - 2;

    for (size_t len = 0; len < whole; len++)
        ck_assert_msg(strncmp(print(schema, value, len, MAX_TEXT), "truncated ", 10) == 0,
                      "%zu bytes: %s", len, print(schema, value, len, MAX_TEXT));
    ck_assert_str_eq(print(schema, value, whole, MAX_TEXT),
                     "{\"s\":\"ab\",\"a\":[7],\"m\":{\"k\":1.0},\"f\":\"z\"}");
    ck_assert_str_eq(print(schema, value, whole + 1, MAX_TEXT), "trailing_bytes 21");
    avro_schema_free(schema);
}
END_TEST

/* Items without bytes, and names that are longer than what they name. */
START_TEST(what_claims_much_in_few_bytes_is_cut)
{
    static const char claims[] = "\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01\0";
    struct avro_schema *nulls = parse("{'type':'array','items':'null'}");
    struct avro_schema *names = parse("{'type':'array','items':{'type':'record','name':'R',"
                                      "'fields':[{'name':'a_long_name','type':'null'}]}}");
    struct avro_schema *string = parse("'string'"), *bytes = parse("'bytes'");

    ck_assert_str_eq(print(nulls, claims, sizeof claims - 1, 12), "cut [null,null,n");
    ck_assert_str_eq(print(names, claims, sizeof claims - 1, 8), "cut [{\"a_lon");
    ck_assert_str_eq(print(string,
                           "\x10"
                           "abcdefgh",
                           9, 9),
                     "cut \"abcdefgh");
    ck_assert_str_eq(print(string,
                           "\x10"
                           "abcdefgh",
                           9, 10),
                     "\"abcdefgh\"");
    ck_assert_str_eq(print(bytes,
                           "\x10"
                           "abcdefgh",
                           9, 4),
                     "cut \"abc");
    avro_schema_free(nulls);
    avro_schema_free(names);
    avro_schema_free(string);
    avro_schema_free(bytes);
}
END_TEST

START_TEST(values_that_hold_themselves_end_at_their_depth)
{
    enum { LEVELS = AVRO_TEXT_MAX_DEPTH };
    struct avro_schema *schema = parse(LIST);
    struct event e = {0};

    for (int i = 0; i < LEVELS - 1; i++)
        event_bytes(&e, "\0\x02", 2);
    event_bytes(&e, "\0\0", 2);
    ck_assert_ptr_nonnull(strstr(print(schema, e.data, e.len, MAX_TEXT), "\"next\":null"));
    e.len--;
    event_bytes(&e, "\x02\0\0", 3);
    ck_assert_ptr_nonnull(strstr(print(schema, e.data, e.len, MAX_TEXT), "too_deep"));
    event_release(&e);
    avro_schema_free(schema);
}
END_TEST

/* ---- avro-c writes it and says it in JSON; a schema without unions, whose JSON is Avro's own */

#define ALL                                                                                        \
    "{'type':'record','name':'R','fields':[{'name':'b','type':'boolean'},"                         \
    "{'name':'i','type':'int'},{'name':'l','type':'long'},{'name':'d','type':'double'},"           \
    "{'name':'s','type':'string'},{'name':'y','type':'bytes'},{'name':'e','type':" ENUM "},"       \
    "{'name':'x','type':{'type':'fixed','name':'X','size':3}},"                                    \
    "{'name':'a','type':{'type':'array','items':{'type':'map','values':'long'}}}]}"

static uint64_t roll(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 20;
}

static avro_value_t *field_of(avro_value_t *record, const char *name, avro_value_t *field)
{
    ck_assert_int_eq(avro_value_get_by_name(record, name, field, NULL), 0);
    return field;
}

static void fill(avro_value_t *record, uint64_t *state)
{
    static char text[] = "ABC\x01\x7f\xc3\xa9xyz";
    avro_value_t field, map, item;
    char key[2] = "a";

    avro_value_set_boolean(field_of(record, "b", &field), roll(state) & 1);
    avro_value_set_int(field_of(record, "i", &field), (int32_t)roll(state));
    avro_value_set_long(field_of(record, "l", &field), (int64_t)(roll(state) << 20 ^ roll(state)));
    avro_value_set_double(field_of(record, "d", &field), (double)(int64_t)roll(state) / 1e9);
    avro_value_set_string(field_of(record, "s", &field), text + roll(state) % 5);
    avro_value_set_bytes(field_of(record, "y", &field), text, roll(state) % sizeof text);
    avro_value_set_enum(field_of(record, "e", &field), roll(state) & 1);
    avro_value_set_fixed(field_of(record, "x", &field), text + roll(state) % 5, 3);
    field_of(record, "a", &field);
    for (uint64_t count = roll(state) % 4; count > 0; count--) {
        avro_value_append(&field, &map, NULL);
        for (key[0] = 'a'; (uint64_t)key[0] < 'a' + roll(state) % 3; key[0]++) {
            avro_value_add(&map, key, &item, NULL, NULL);
            avro_value_set_long(&item, (int64_t)roll(state));
        }
    }
}

START_TEST(avro_c_says_the_same_of_what_it_wrote)
{
    enum { VALUES = 200, ROOM = 4096 };
    struct avro_schema *schema = parse(ALL);
    char *text = reading_quoted(ALL), data[ROOM], *want;
    uint64_t state = 1;
    avro_schema_t theirs;
    avro_value_iface_t *iface;

    ck_assert_int_eq(avro_schema_from_json_length(text, strlen(text), &theirs), 0);
    iface = avro_generic_class_from_schema(theirs);
    for (int i = 0; i < VALUES; i++) {
        avro_writer_t writer = avro_writer_memory(data, sizeof data);
        avro_value_t value;
        json_t *a, *b;
        avro_generic_value_new(iface, &value);
        fill(&value, &state);
        ck_assert_int_eq(avro_value_write(writer, &value), 0);
        ck_assert_int_eq(avro_value_to_json(&value, 1, &want), 0);
        a = json_loads(print(schema, data, (size_t)avro_writer_tell(writer), MAX_TEXT),
                       JSON_ALLOW_NUL, NULL);
        b = json_loads(want, JSON_ALLOW_NUL, NULL);
        ck_assert_msg(a && json_equal(a, b), "%s, not %s",
                      print(schema, data, (size_t)avro_writer_tell(writer), MAX_TEXT), want);
        json_decref(a);
        json_decref(b);
        free(want);
        avro_value_decref(&value);
        avro_writer_free(writer);
    }
    avro_value_iface_decref(iface);
    avro_schema_decref(theirs);
    free(text);
    avro_schema_free(schema);
}
END_TEST

START_TEST(the_schema_of_scores_is_carried_inside)
{
    struct avro_schema *schema = score_schema_new();

    ck_assert_str_eq(schema->types[schema->root].name, "kscore.Score");
    ck_assert_int_eq(schema_field_find(&schema->types[schema->root], "id"), 0);
    avro_schema_free(schema);
}
END_TEST

SUITE(avro_text)
{
    TCase *loops = harness_case(suite, "types", NULL, 0);

    tcase_add_loop_test(loops, every_type_is_written_as_json_or_its_damage_named, 0,
                        sizeof known / sizeof known[0]);
    CASE("damage", a_value_cut_anywhere_is_truncated_and_one_byte_more_trails);
    CASE("bounds", what_claims_much_in_few_bytes_is_cut,
         values_that_hold_themselves_end_at_their_depth);
    CASE("oracle", avro_c_says_the_same_of_what_it_wrote);
    CASE("scores", the_schema_of_scores_is_carried_inside);
}
