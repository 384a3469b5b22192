/* Hostile Avro values: one outcome each, in time and memory that do not follow what they claim. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness.h"
#include "tests/reading.h"

/* Two records, one with an array that can feed nothing where the other's can. */
#define ARRAYS                                                                                     \
    "[{'type':'record','name':'P','fields':[{'name':'l','type':{'type':'array','items':'null'}}]}" \
    ","                                                                                            \
    "{'type':'record','name':'Q','fields':[{'name':'l','type':{'type':'array','items':'int'}}]}]"
#define LIST "{'type':'record','name':'L','fields':[{'name':'next','type':['null','L']}]}"

/* The record {a: TYPE}, read by feature or, where that is NULL, skipped. */
static void damaged_reading(struct reading *r, const char *type, const char *feature)
{
    char schema[1000], line[100], folder[256];

    snprintf(folder, sizeof folder, "%s", harness_folder());
    harness_write(folder, "t.csv", BYTES("value,code\nA,0\n"));
    snprintf(schema, sizeof schema,
             "{'type':'record','name':'E','fields':[{'name':'a','type':%s}]}", type);
    snprintf(line, sizeof line, "a = %s", feature ? feature : "other : number, optional");
    reading_avro(r, schema, EVENTS_FEATURES(folder, line));
}

#define NUMBER "a : number, optional"
#define TEXT "a : category t.csv, optional, unknown as missing"

/* type, bytes, a feature that reads it (it is skipped too), outcome */
static const struct {
    const char *type, *data;
    size_t len;
    const char *feature, *outcome;
} damages[] = {
    {"'int'", BYTES("\x80\x80\x80\x80\x10"), NUMBER, "decode/bad_varint"}, /* 2^32 */
    {"'int'", BYTES("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), NUMBER, "decode/bad_varint"},
    {"'long'", BYTES("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), NUMBER, "decode/bad_varint"},
    {"'long'", BYTES("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00"), NUMBER, "decode/bad_varint"},
    {"['null','int']", BYTES("\x02\x80\x80\x80\x80\x10"), NUMBER, "decode/bad_varint"},
    {"['null','int']", BYTES("\x04\x00"), NUMBER, "decode/bad_union"},
    {"['null','double']", BYTES("\x01\x00"), NUMBER, "decode/bad_union"},
    {"['null','long']", BYTES("\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"), NUMBER,
     "decode/bad_union"},
    {"['null','string']", BYTES("\x04\x00"), TEXT, "decode/bad_union"},
    {"['null','int','string']", BYTES("\x06\x00"), NUMBER, "decode/bad_union"},
    {"['null','int','string']", BYTES("\x03\x00"), NUMBER, "decode/bad_union"},
    {"['int','string']", BYTES("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f"), NUMBER,
     "decode/bad_varint"},
    {"{'type':'enum','name':'S','symbols':['A','B']}", BYTES("\x04"), TEXT, "decode/bad_enum"},
    {"{'type':'enum','name':'S','symbols':['A','B']}", BYTES("\x01"), TEXT, "decode/bad_enum"},
    {"{'type':'enum','name':'S','symbols':['A','B']}", BYTES("\xd0\x0f"), TEXT, "decode/bad_enum"},
    {"{'type':'enum','name':'S','symbols':[]}", BYTES("\x00"), NULL, "decode/bad_enum"},
    {"'boolean'", BYTES("\x02"), "a : boolean, optional", "decode/bad_boolean"},
    {"'boolean'", BYTES("\xff"), "a : boolean, optional", "decode/bad_boolean"},
    {"'string'", BYTES("\x01"), TEXT, "decode/bad_length"},
    {"'string'", BYTES("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), TEXT, "decode/bad_length"},
    {"'string'", BYTES("\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"), TEXT, "decode/truncated"},
    {"'string'",
     BYTES("\x80\x80\x80\x01"
           "x"),
     TEXT, "decode/truncated"},
    {"'bytes'", BYTES("\x03"), NULL, "decode/bad_length"},
    {"'bytes'", BYTES("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x02"), NULL, "decode/bad_varint"},
    {"{'type':'fixed','name':'F','size':1073741824}", BYTES("abc"), NULL, "decode/truncated"},
    /* blocks: how many items, and where they end */
    {"{'type':'array','items':'int'}", BYTES("\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00"),
     "a[0] : number, optional", "decode/truncated"},
    {"{'type':'array','items':'int'}", BYTES("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00"),
     "a[0] : number, optional", "decode/bad_length"},
    {"{'type':'array','items':'int'}", BYTES("\x01\x01\x0e\x00"), "a[0] : number, optional",
     "decode/bad_length"}, /* size -1 */
    {"{'type':'array','items':'int'}",
     BYTES("\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x0e\x00"), "a[0] : number, optional",
     "decode/bad_length"},
    {"{'type':'array','items':'int'}", BYTES("\x01\x04\x0e\x00"), "a[0] : number, optional",
     "decode/bad_length"}, /* a byte too many */
    {"{'type':'array','items':'int'}", BYTES("\x03\x02\x0e\x10\x00"), "a[0] : number, optional",
     "decode/bad_length"}, /* two items in one byte */
    {"{'type':'array','items':'int'}", BYTES("\x01\x08\x0e\x00"), "a[0] : number, optional",
     "decode/truncated"},
    {"{'type':'array','items':'double'}", BYTES("\x01\x12zzzzzzzzz\x00"), "a[0] : number, optional",
     "decode/bad_length"},
    {"{'type':'array','items':'double'}", BYTES("\x80\x80\x80\x80\x80\x80\x80\x80\x40"),
     "a[0] : number, optional", "decode/truncated"}, /* 2^61 doubles are 2^64 bytes */
    {"{'type':'array','items':'null'}", BYTES("\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00"), NULL,
     "decode/bad_length"},
    {"{'type':'array','items':'null'}", BYTES("\x80\xda\xc4\x09\x02\x00"), NULL,
     "decode/bad_length"}, /* ten million and one */
    {"{'type':'map','values':'null'}", BYTES("\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00"), NULL,
     "decode/truncated"},
    {"{'type':'map','values':'int'}", BYTES("\x02\x01\x00"), "a.k : number, optional",
     "decode/bad_length"},
    {"{'type':'map','values':'int'}", BYTES("\x02\x40k\x0e\x00"), "a.k : number, optional",
     "decode/truncated"},
    {"{'type':'map','values':'int'}",
     BYTES("\x02\x02k\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f\x00"), "a.k : number, optional",
     "decode/bad_varint"},
    {ARRAYS, BYTES("\x00\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00"), "a.l[0] : number, optional",
     "decode/bad_length"},
};

static void check_damage(int i, const char *feature)
{
    struct reading r;
    const char *got;

    damaged_reading(&r, damages[i].type, feature);
    got = reading_take(&r, damages[i].data, damages[i].len);
    ck_assert_msg(strcmp(got, damages[i].outcome) == 0, "%s for %s: %s, not %s", damages[i].type,
                  feature ? feature : "nothing", got, damages[i].outcome);
    reading_release(&r);
}

START_TEST(damage_is_named_whether_the_value_is_read_or_skipped)
{
    check_damage(_i, NULL);
    if (damages[_i].feature)
        check_damage(_i, damages[_i].feature);
}
END_TEST

START_TEST(text_must_be_utf8_only_where_a_feature_takes_it)
{
    static const char *const bad[] = {"\x04\xff\xfe",         "\x02\x80",
                                      "\x04\xc0\x80",         "\x06\xed\xa0\x80",
                                      "\x08\xf5\x80\x80\x80", "\x02\xc3"};
    struct reading read, skip;

    damaged_reading(&read, "'string'", TEXT);
    damaged_reading(&skip, "'string'", NULL);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_str_eq(reading_take(&read, bad[i], strlen(bad[i])), "decode/bad_utf8");
        ck_assert_str_eq(reading_take(&skip, bad[i], strlen(bad[i])), "scored");
        ck_assert_str_eq(reading_take(&read,
                                      "\x02"
                                      "A",
                                      2),
                         "scored");
        ck_assert_bits(read.row[0], 0);
    }
    reading_release(&read);
    reading_release(&skip);
}
END_TEST

/* The root is one level, and each record and each array below it. */
static const struct {
    const char *type;
    size_t deepest; /* records inside one another */
    size_t ending;  /* bytes that end each but the innermost: none, or the end of its array */
} holders[] = {
    {LIST, 63, 0},
    {"{'type':'record','name':'T','fields':[{'name':'t','type':{'type':'array','items':'T'}}]}", 31,
     1},
};

START_TEST(values_that_hold_themselves_end_at_64_levels)
{
    enum { LEVELS = 20000 };
    char *value = calloc(2 * LEVELS, 1);
    struct reading r;

    damaged_reading(&r, holders[_i].type, NULL);
    for (size_t levels = 1; levels < 70; levels++) {
        size_t len = levels + (levels - 1) * holders[_i].ending;
        memset(value, 0, len);
        memset(value, 2, levels - 1);
        ck_assert_str_eq(reading_take(&r, value, len),
                         levels <= holders[_i].deepest ? "scored" : "decode/too_deep");
    }
    memset(value, 2, LEVELS);
    ck_assert_str_eq(reading_take(&r, value, LEVELS), "decode/too_deep");
    ck_assert_str_eq(reading_take(&r, value, 2 * LEVELS), "decode/too_deep");
    ck_assert_str_eq(reading_take(&r, "", 1), "scored");
    reading_release(&r);
    free(value);
}
END_TEST

/* A map may say a key again and again, and each time claim items that have no bytes. */
START_TEST(claims_that_cost_no_bytes_cost_no_time)
{
    enum { KEYS = 20000 };
    struct event e = {0};
    struct reading r;

    damaged_reading(&r, "{'type':'map','values':" ARRAYS "}", "a.k.l[0] : number, optional");
    event_long(&e, KEYS);
    for (int i = 0; i < KEYS; i++) {
        event_text(&e, "k");
        event_long(&e, 0);
        event_long(&e, 10000000);
        event_long(&e, 0);
    }
    event_long(&e, 0);
    ck_assert_str_eq(reading_take(&r, e.data, e.len), "scored");
    event_release(&e);
    reading_release(&r);
}
END_TEST

/* Random bytes: an outcome each, and a good value before and after that reads the same. */
START_TEST(noise_leaves_no_trace)
{
    static const char good[] = "\x02\x06"
                               "abc"
                               "\x04\x02x\x0e\x02y\x10\x00\x02\x02\x00\x00\xc0\x3f";
    struct reading r;
    uint64_t state = 1;

    reading_avro(&r,
                 "{'type':'record','name':'E','fields':["
                 "{'name':'s','type':['null','string']},"
                 "{'name':'m','type':{'type':'map','values':'int'}},"
                 "{'name':'f','type':['null',{'type':'record','name':'F','fields':["
                 "{'name':'f','type':['null','float']}]}]}]}",
                 EVENTS_FEATURES(NULL, "y = m.y : number, required", "f = f.f : number, optional"));
    for (int i = 0; i < 3000; i++) {
        char noise[sizeof good - 1];
        memcpy(noise, good, sizeof noise);
        for (int k = 0; k < 3; k++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            noise[(state >> 33) % sizeof noise] = (char)(state >> 56);
        }
        reading_take(&r, noise, sizeof noise);
        ck_assert_str_eq(reading_take(&r, good, sizeof good - 1), "scored");
        ck_assert_bits(r.row[0], 8);
        ck_assert_bits(r.row[1], 1.5);
    }
    reading_release(&r);
}
END_TEST

SUITE(plan_damage)
{
    TCase *loops = harness_case(suite, "bytes", NULL, 0);

    tcase_add_loop_test(loops, damage_is_named_whether_the_value_is_read_or_skipped, 0,
                        sizeof damages / sizeof damages[0]);
    CASE("text", text_must_be_utf8_only_where_a_feature_takes_it);
    loops = harness_case(suite, "depth", NULL, 0);
    tcase_add_loop_test(loops, values_that_hold_themselves_end_at_64_levels, 0,
                        sizeof holders / sizeof holders[0]);
    CASE("size", claims_that_cost_no_bytes_cost_no_time);
    CASE("trace", noise_leaves_no_trace);
}
