/* JSON events through the scanner: the rules of model.ini. What is JSON at all: scan_grammar. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness.h"
#include "tests/reading.h"

/* One feature, x = RULE. */
static void rule_reading(struct reading *r, const char *rule)
{
    char folder[256], line[200];

    snprintf(folder, sizeof folder, "%s", harness_folder());
    harness_write(folder, "t.csv", BYTES("value,code\nA,0\n\xc3\xa9\"\\,1\n\xf0\x9f\x98\x80,2\n"));
    snprintf(line, sizeof line, "x = %s", rule);
    reading_json(r, EVENTS_FEATURES(folder, line));
}

#define TEXT "a : category t.csv, required, unknown as error"

/* rule, event (' for "), outcome, and the row when scored */
static const struct {
    const char *rule, *event, *outcome;
    double want;
} events[] = {
    /* numbers */
    {"a : number, required", "{'a':0.1}", "scored", 0.1},
    {"a : number, required", "{'a':-0.0}", "scored", -0.0},
    {"a : number, required", "{'a':-0}", "scored", 0},
    {"a : number, required", "{'a':16777217}", "scored", 16777216},
    {"a : number, required", "{'a':16777217.00000001}", "scored", 16777218},
    {"a : number, required", "{'a':1E2}", "scored", 100},
    {"a : number, required", "{'a':123456789012345678901234567890}", "scored",
     1.23456789012345678e29},
    {"a : number, required", "{'a':0.000000000000000000000000012345678901234567890}", "scored",
     1.23456789012345678e-26},
    {"a : number, required", "{'a':1e-400}", "scored", 0},
    /* 2^53 < digits: not exact as a double, and just beside the middle of two floats */
    {"a : number, required",
     "{'a':1.2320417761802673,'pad':'                                                  '}",
     "scored", 0x1.3b6718p0},
    {"a : number, required", "{'a':1e400}", "bind/not_finite 0", 0},
    {"a : number, optional", "{'a':-1e39}", "bind/not_finite 0", 0},
    {"a : number, default 1", "{'a':3.5e38}", "bind/not_finite 0", 0},
    {"a : number, optional", "{'a':true}", "bind/wrong_type 0", 0},
    {"a : number, optional", "{'a':'1'}", "bind/wrong_type 0", 0},
    {"a : number, optional", "{'a':{}}", "bind/wrong_type 0", 0},
    {"a : number, optional", "{'a':[1]}", "bind/wrong_type 0", 0},
    /* booleans, categories */
    {"a : boolean, required", "{'a':true}", "scored", 1},
    {"a : boolean, required", "{'a':false}", "scored", 0},
    {"a : boolean, required", "{'a':1}", "bind/wrong_type 0", 0},
    {"a : boolean, required", "{'a':'true'}", "bind/wrong_type 0", 0},
    {TEXT, "{'a':'A'}", "scored", 0},
    {TEXT, "{'a':'\\u0041'}", "scored", 0},
    {TEXT, "{'a':'\xc3\xa9\\\"\\\\'}", "scored", 1},
    {TEXT, "{'a':'\\u00E9\\u0022\\u005c'}", "scored", 1},
    {TEXT, "{'a':'\\ud83d\\uDE00'}", "scored", 2},
    {TEXT, "{'a':'\\ud83d'}", "bind/unknown_category 0", 0},
    {TEXT, "{'a':'\\ude00\\ud83d'}", "bind/unknown_category 0", 0},
    {TEXT, "{'a':'A '}", "bind/unknown_category 0", 0},
    {TEXT, "{'a':''}", "bind/unknown_category 0", 0},
    {TEXT, "{'a':'A\\u0000'}", "bind/unknown_category 0", 0},
    {TEXT, "{'a':'\\u0041\\u0041\\u0041\\u0041\\u0041\\u0041\\u0041\\u0041\\u0041'}",
     "bind/unknown_category 0", 0},
    {TEXT, "{'a':0}", "bind/wrong_type 0", 0},
    {"a : category t.csv, optional, unknown as missing", "{'a':'?'}", "scored", NAN},
    {"a : category t.csv, default 1, unknown as missing", "{'a':'\\ud83d'}", "scored", 1},
    /* missing */
    {"a : number, required", "{}", "bind/missing_field 0", 0},
    {"a : number, required", "{'a':null}", "bind/missing_field 0", 0},
    {"a : number, required", "{'A':1,'a ':1}", "bind/missing_field 0", 0},
    {"a : number, optional", "{}", "scored", NAN},
    {"a : number, default 0.1", "{'a':null}", "scored", 0.1},
    {"a.b.c : number, default 2", "{'a':{'b':null}}", "scored", 2},
    {"a.b.c : number, required", "{'a':{'b':{'d':1}}}", "bind/missing_field 0", 0},
    /* paths */
    {"a.b.c : number, required", "{'c':1,'a':{'c':2,'b':{'c':3}},'b':{'c':4}}", "scored", 3},
    {"a.b : number, optional", "{'a':1}", "bind/wrong_type 0", 0},
    {"a.b : number, optional", "{'a':[{'b':1}]}", "bind/wrong_type 0", 0},
    {"a.b : number, optional", "{'a':'b'}", "bind/wrong_type 0", 0},
    {"a.b : number, optional", "{'a':false}", "bind/wrong_type 0", 0},
    {"a.b : number, optional", "[]", "bind/wrong_type 0", 0},
    {"a.b : number, optional", "7", "bind/wrong_type 0", 0},
    {"a.b : number, optional", "null", "scored", NAN},
    {"a[1] : number, required", "{'a':[1,2,3]}", "scored", 2},
    {"a[1].b : number, required", "{'a':[{'b':1},{'b':2}]}", "scored", 2},
    {"a[1][0] : number, required", "{'a':[[1],[2]]}", "scored", 2},
    {"a[1] : number, optional", "{'a':[1]}", "scored", NAN},
    {"a[0] : number, optional", "{'a':[]}", "scored", NAN},
    {"a[0] : number, required", "{'a':[null]}", "bind/missing_field 0", 0},
    {"a[0] : number, optional", "{'a':{'0':1}}", "bind/wrong_type 0", 0},
    {"a[\"b.c\"] : number, required", "{'a':{'b.c':1}}", "scored", 1},
    {"a[\"\"] : number, required", "{'a':{'':1}}", "scored", 1},
    {"a[\"b\"] : number, required", "{'\\u0061':{'\\u0062':1}}", "scored", 1},
    {"a : number, required", "{ 'a'\t:\r\n1 }", "scored", 1},
    {"a[\"\xc3\xa9\"] : number, required", "{'a':{'\xc3\xa9':1}}", "scored", 1},
    {"a[\"\xc3\xa9\"] : number, required", "{'a':{'\\u00e9':1}}", "scored", 1},
    {"a[\"\xc3\xa9\"] : number, required", "{'a':{'\xc3\xa9':1,'\\u00e9':1}}", "decode/bad_json",
     0},
    /* alternatives: the first that the event has, wherever it stands */
    {"a | b : number, required", "{'b':2}", "scored", 2},
    {"a | b : number, required", "{'a':1,'b':2}", "scored", 1},
    {"a | b : number, required", "{'b':2,'a':1}", "scored", 1},
    {"a | b : number, optional", "{'b':2,'a':null}", "scored", NAN},
    {"a | b : number, required", "{'a':null,'b':2}", "bind/missing_field 0", 0},
    {"a | b : number, required", "{'b':'x','a':1}", "scored", 1},
    {"a | b : number, required", "{'a':'x','b':1}", "bind/wrong_type 0", 0},
    {"a.x | b : number, required", "{'a':{},'b':2}", "scored", 2},
    {"a.x | b : number, optional", "{'a':null,'b':2}", "scored", NAN},
    {"a.x | b : number, optional", "{'a':5,'b':2}", "bind/wrong_type 0", 0},
    {"a[2] | a[0] : number, required", "{'a':[1,2]}", "scored", 1},
    {"a[0] | b : number, optional", "{'a':null,'b':2}", "scored", NAN},
    {"a[0] | b : number, optional", "{'a':[],'b':2}", "scored", 2},
    {"a[0] | b : number, optional", "{'a':{},'b':2}", "bind/wrong_type 0", 0},
    {"a[2] | a[0] : number, required", "{'a':[1,2,3]}", "scored", 3},
    /* a key that feeds a feature comes once; others as often as they like */
    {"a : number, required", "{'a':1,'a':1}", "decode/bad_json", 0},
    {"a : number, required", "{'a':1,'\\u0061':1}", "decode/bad_json", 0},
    {"a : number, required", "{'a':null,'a':1}", "decode/bad_json", 0},
    {"a.b : number, required", "{'a':{'b':1},'a':{}}", "decode/bad_json", 0},
    {"a.b : number, required", "{'a':{'b':1,'b':1}}", "decode/bad_json", 0},
    {"a | b : number, required", "{'a':1,'b':1,'b':1}", "decode/bad_json", 0},
    {"a.b : number, required", "{'a':{'b':1},'b':1,'b':2,'z':0,'z':0}", "scored", 1},
    {"a[0].b : number, required", "{'a':[{'b':1},{'b':1,'b':2}]}", "scored", 1},
    {"a[0].b : number, required", "{'a':[{'b':1,'b':2}]}", "decode/bad_json", 0},
};

/* Cut inside, it is no JSON; a number or nothing at the root may be cut and still be whole. */
START_TEST(events_are_bound_by_the_rules_and_each_beginning_of_one_is_refused)
{
    char *event = reading_quoted(events[_i].event);
    struct reading r;

    rule_reading(&r, events[_i].rule);
    reading_check_ends(&r, event, strlen(event),
                       (struct reading_ends){events[_i].outcome, "decode/bad_json",
                                             strcmp(events[_i].outcome, "decode/bad_json") == 0
                                                 ? "decode/bad_json"
                                                 : "decode/trailing_bytes"});
    if (isnan(events[_i].want))
        ck_assert(isnan(r.row[0]));
    else if (strcmp(events[_i].outcome, "scored") == 0)
        ck_assert_bits(r.row[0], (float)events[_i].want);
    reading_release(&r);
    free(event);
}
END_TEST

START_TEST(several_features_may_take_one_value_and_parts_of_it)
{
    static const char event[] = "{\"a\":{\"b\":2.5},\"c\":true}";
    struct reading r;

    reading_json(&r,
                 EVENTS_FEATURES(NULL, "v = a.b : number, required", "w = a.b : number, default 1",
                                 "x = c : boolean, required", "y = c | a.b : boolean, required",
                                 "z = d | a.b : number, required"));
    ck_assert_str_eq(reading_take(&r, BYTES(event)), "scored");
    ck_assert_mem_eq(r.row, ((float[]){2.5f, 2.5f, 1, 1, 2.5f}), 5 * sizeof(float));
    reading_release(&r);
    reading_json(&r, EVENTS_FEATURES(NULL, "v = a.b : number, required", "w = a : number, optional",
                                     "x = c.d : number, optional"));
    ck_assert_str_eq(reading_take(&r, BYTES(event)), "bind/wrong_type 1");
    reading_release(&r);
}
END_TEST

START_TEST(of_several_faults_the_first_in_the_order_of_the_model_is_told)
{
    struct reading r;

    reading_json(&r, EVENTS_FEATURES(NULL, "x = x : number, required", "y = y : number, required",
                                     "z = z : number, required"));
    ck_assert_str_eq(reading_take(&r, BYTES("{\"z\":\"\",\"y\":1e99}")), "bind/missing_field 0");
    ck_assert_str_eq(reading_take(&r, BYTES("{\"z\":\"\",\"y\":1e99,\"x\":1}")),
                     "bind/not_finite 1");
    ck_assert_str_eq(reading_take(&r, BYTES("{\"z\":\"\",\"y\":1,\"x\":1}")), "bind/wrong_type 2");
    ck_assert_str_eq(reading_take(&r, BYTES("{\"z\":\"\",\"y\":1,\"x\":1")), "decode/bad_json");
    ck_assert_str_eq(reading_take(&r, BYTES("{\"z\":3,\"y\":2,\"x\":1}")), "scored");
    reading_release(&r);
}
END_TEST

static unsigned roll(uint64_t *state, unsigned sides)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(*state >> 33) % sides;
}

/* A JSON number: up to 22 digits, up to 28 behind the point, now and then an exponent. */
static void make_number(uint64_t *state, char *out)
{
    unsigned whole = 1 + roll(state, roll(state, 2) ? 4 : 22), fraction = roll(state, 29);
    char *o = out;

    if (roll(state, 2))
        *o++ = '-';
    for (unsigned i = 0; i < whole; i++)
        *o++ = (char)('0' + (i == 0 && whole > 1 ? 1 + roll(state, 9) : roll(state, 10)));
    if (fraction)
        *o++ = '.';
    for (unsigned i = 0; i < fraction; i++)
        *o++ = (char)('0' + roll(state, 10));
    if (roll(state, 8) == 0)
        o += sprintf(o, "%c%d", roll(state, 2) ? 'e' : 'E', (int)roll(state, 80) - 50);
    *o = '\0';
}

/* Far from the event's end, where eight digits are taken at a time, and near it. */
START_TEST(numbers_are_those_of_strtod_to_the_last_bit)
{
    uint64_t state = 11;
    struct reading r;

    reading_json(&r, EVENTS_FEATURES(NULL, "a = a : number, required", "b = b : number, required"));
    for (int i = 0; i < 30000; i++) {
        char number[100], event[300];
        float want;
        make_number(&state, number);
        want = strcmp(number, "-0") == 0 ? 0 : (float)strtod(number, NULL);
        snprintf(event, sizeof event, "{\"a\":%s,%60s\"b\":%s}", number, "", number);
        const char *got = reading_take(&r, event, strlen(event));
        if (strcmp(got, isinf(want) ? "bind/not_finite 0" : "scored") != 0)
            ck_abort_msg("%s: %s", event, got);
        if (isinf(want))
            continue;
        ck_assert_bits(r.row[0], want);
        ck_assert_bits(r.row[1], want);
    }
    reading_release(&r);
}
END_TEST

START_TEST(a_path_goes_no_deeper_than_events_may)
{
    static const char *const deep[] = {"{\"a\":{\"b\":1}}", "{\"l\":[1]}", "{\"z\":[]}"};
    struct features features =
        EVENTS_FEATURES(NULL, "b = a.b : number, optional", "l = l[0] : number, optional");
    struct scan *scan = scan_new(&features, 1);
    float row[2];

    for (size_t i = 0; i < 3; i++)
        ck_assert_str_eq(events_outcome(scan_run(scan, slice_of(deep[i]), row)), "decode/too_deep");
    ck_assert_str_eq(events_outcome(scan_run(scan, slice_of("{\"a\":null}"), row)), "scored");
    scan_free(scan);
    features_release(&features);
}
END_TEST

enum { KEYS = 20 };

/* Names of all lengths around the 32 bytes that are compared at once; some share beginnings. */
static void name_of(size_t i, char out[64])
{
    memset(out, (int)('a' + i % 3), 64);
    snprintf(out + 2 * i, 64 - 2 * i, "%zu", i);
}

START_TEST(keys_may_come_in_any_order_each_time)
{
    char lines[KEYS][160], name[64], event[KEYS * 80];
    const char *list[KEYS];
    size_t order[KEYS];
    struct reading r;
    uint64_t state = 7;

    for (size_t i = 0; i < KEYS; i++) {
        name_of(i, name);
        snprintf(lines[i], sizeof lines[i], "f%zu = %s : number, required", i, name);
        list[i] = lines[i];
        order[i] = i;
    }
    reading_json(&r, events_features(NULL, list, KEYS));
    for (int round = 0; round < 300; round++) {
        size_t len = 0;
        for (size_t i = 0; i < KEYS; i++) {
            size_t k = roll(&state, KEYS), swap = order[i];
            order[i] = order[k];
            order[k] = swap;
        }
        for (size_t i = 0; i < KEYS; i++) {
            name_of(order[i], name);
            len += (size_t)sprintf(event + len, "%s\"%s\"%s:%zu", i ? "," : "{", name,
                                   round % 3 ? "" : " ", order[i]);
        }
        event[len++] = '}';
        ck_assert_str_eq(reading_take(&r, event, len), "scored");
        for (size_t i = 0; i < KEYS; i++)
            ck_assert_bits(r.row[i], (float)i);
    }
    reading_release(&r);
}
END_TEST

SUITE(scan)
{
    TCase *loops = harness_case(suite, "rules", NULL, 0);

    tcase_add_loop_test(loops, events_are_bound_by_the_rules_and_each_beginning_of_one_is_refused,
                        0, sizeof events / sizeof events[0]);
    CASE("numbers", numbers_are_those_of_strtod_to_the_last_bit);
    CASE("order", several_features_may_take_one_value_and_parts_of_it,
         of_several_faults_the_first_in_the_order_of_the_model_is_told,
         a_path_goes_no_deeper_than_events_may, keys_may_come_in_any_order_each_time);
}
