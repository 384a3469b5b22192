/* Avro values through compiled plans: every type is read, or skipped, or refused. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness.h"
#include "tests/reading.h"

/* The record {a: TYPE, z: double}, and the features that are asked of it. */
static void record_reading(struct reading *r, const char *type, const char *feature)
{
    char schema[2000], line[200], folder[256];

    snprintf(folder, sizeof folder, "%s", harness_folder());
    harness_write(folder, "t.csv", BYTES("value,code\nA,0\nB,1\n\xc3\xa9,2\n"));
    snprintf(schema, sizeof schema,
             "{'type':'record','name':'E','fields':[{'name':'a','type':%s},"
             "{'name':'z','type':'double'}]}",
             type);
    snprintf(line, sizeof line, "a = %s", feature ? feature : "");
    reading_avro(r, schema,
                 feature ? EVENTS_FEATURES(folder, "z = z : number, required", line)
                         : EVENTS_FEATURES(folder, "z = z : number, required"));
}

/* a's bytes and 2.5 behind them. */
static struct event record_value(const char *data, size_t len)
{
    struct event e = {0};

    event_bytes(&e, data, len);
    event_double(&e, 2.5);
    return e;
}

#define LIST                                                                                       \
    "{'type':'record','name':'L','fields':[{'name':'v','type':'int'},"                             \
    "{'name':'next','type':['null','L']}]}"
#define ENUM "{'type':'enum','name':'S','symbols':['B','A','C']}"

/* type, bytes, the feature that takes it, what it becomes */
static const struct {
    const char *type, *data;
    size_t len;
    const char *feature;
    double want;
} values[] = {
    {"'int'", BYTES("\x0d"), "a : number, required", -7},
    {"'int'", BYTES("\xff\xff\xff\xff\x0f"), "a : number, required", -2147483648.0},
    {"'long'", BYTES("\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "a : number, required", 0x1p63},
    {"'long'", BYTES("\x82\x80\x80\x10"), "a : number, required", 16777217},
    {"'float'", BYTES("\x00\x00\xc0\x3f"), "a : number, required", 1.5},
    {"'float'", BYTES("\x00\x00\xc0\x7f"), "a : number, optional", NAN},
    {"'float'", BYTES("\x01\x00\x80\x7f"), "a : number, default 3", 3},
    {"'double'", BYTES("\x9a\x99\x99\x99\x99\x99\xb9\x3f"), "a : number, required", 0.1},
    {"'double'", BYTES("\x00\x00\x00\x00\x00\x00\xf8\x7f"), "a : number, optional", NAN},
    {"'boolean'", BYTES("\x01"), "a : boolean, required", 1},
    {"'string'",
     BYTES("\x02"
           "B"),
     "a : category t.csv, required, unknown as error", 1},
    {"'string'", BYTES("\x04\xc3\xa9"), "a : category t.csv, required, unknown as error", 2},
    {"'string'",
     BYTES("\x02"
           "x"),
     "a : category t.csv, required, unknown as missing", NAN},
    {ENUM, BYTES("\x02"), "a : category t.csv, required, unknown as error", 0},
    {ENUM, BYTES("\x04"), "a : category t.csv, default 2, unknown as missing", 2},
    {"{'type':'int','logicalType':'date'}", BYTES("\xa0\x9c\x01"), "a : number, required", 10000},
    {"{'type':'long','logicalType':'timestamp-millis'}", BYTES("\xd0\x0f"), "a : number, required",
     1000},
    {"{'type':{'type':'int'}}", BYTES("\x0e"), "a : number, required", 7},
    {"['null','double']", BYTES("\x00"), "a : number, optional", NAN},
    {"['null','float']", BYTES("\x02\x00\x00\xc0\x3f"), "a : number, optional", 1.5},
    {"['long','null']", BYTES("\x00\x0e"), "a : number, required", 7},
    {"['int','null']", BYTES("\x02"), "a : number, default 0.5", 0.5},
    {"['null'," ENUM "]", BYTES("\x02\x00"), "a : category t.csv, required, unknown as error", 1},
    {"['string','null','int','double']", BYTES("\x04\x0e"), "a : number, optional", 7},
    {"['string','null','int','double']", BYTES("\x02"), "a : number, optional", NAN},
    {"['null']", BYTES("\x00"), "a : number, optional", NAN},
    {"'null'", BYTES(""), "a : number, optional", NAN},
    {LIST, BYTES("\x0e\x02\x10\x02\x12\x00"), "a.next.next.v : number, optional", 9},
    {LIST, BYTES("\x0e\x02\x10\x00"), "a.next.next.v : number, optional", NAN},
    {"{'type':'record','name':'R','fields':[{'name':'s','type':'string'},"
     "{'name':'i','type':{'type':'record','name':'I','fields':[{'name':'n','type':'int'}]}},"
     "{'name':'again','type':'I'}]}",
     BYTES("\x06"
           "abc"
           "\x0e\x10"),
     "a.again.n : number, required", 8},
    {"{'type':'array','items':'int'}", BYTES("\x04\x0e\x10\x00"), "a[1] : number, optional", 8},
    {"{'type':'array','items':'int'}", BYTES("\x02\x0e\x01\x02\x10\x00"), "a[1] : number, required",
     8},
    {"{'type':'array','items':'int'}", BYTES("\x00"), "a[0] : number, default 4", 4},
    {"{'type':'array','items':['null','int']}", BYTES("\x04\x00\x02\x0e\x00"),
     "a[1] : number, optional", 7},
    {"{'type':'array','items':{'type':'array','items':'int'}}",
     BYTES("\x04\x02\x0e\x00\x04\x10\x12\x00\x00"), "a[1][1] : number, optional", 9},
    {"{'type':'array','items':'double'}", BYTES("\x02\x00\x00\x00\x00\x00\x00\xf8\x3f\x00"),
     "a[0] : number, optional", 1.5},
    {"{'type':'map','values':'int'}", BYTES("\x04\x02x\x0e\x02y\x10\x00"),
     "a[\"y\"] : number, optional", 8},
    {"{'type':'map','values':'int'}", BYTES("\x01\x06\x02y\x10\x00"), "a.y : number, optional", 8},
    {"{'type':'map','values':'int'}", BYTES("\x04\x02y\x0e\x02y\x10\x00"), "a.y : number, optional",
     8},
    {"{'type':'map','values':['null','int']}", BYTES("\x04\x02y\x02\x0e\x02y\x00\x00"),
     "a.y : number, default 3", 3},
    {"{'type':'map','values':" LIST "}", BYTES("\x02\x02k\x0e\x02\x10\x00\x00"),
     "a[\"k\"].next.v : number, optional", 8},
    /* What no feature can take is skipped, whatever it is. */
    {"'bytes'", BYTES("\x06\x00\xff\x80"), NULL, 0},
    {"{'type':'fixed','name':'F','size':3}", BYTES("abc"), NULL, 0},
    {"{'type':'fixed','name':'F','size':0}", BYTES(""), NULL, 0},
    {"{'type':'bytes','logicalType':'decimal','precision':4}", BYTES("\x02\x7f"), NULL, 0},
    {"{'type':'record','name':'N','fields':[]}", BYTES(""), NULL, 0},
    {"{'type':'array','items':'null'}", BYTES("\x06\x00"), NULL, 0},
    {"{'type':'array','items':'string'}", BYTES("\x04\x02x\x00\x00"), NULL, 0},
    {"{'type':'map','values':'bytes'}", BYTES("\x02\x02x\x02y\x00"), NULL, 0},
    {"['null','bytes',{'type':'array','items':'boolean'}]", BYTES("\x04\x04\x00\x01\x00"), NULL, 0},
};

static const struct reading_ends whole_ends = {"scored", "decode/truncated",
                                               "decode/trailing_bytes"};

START_TEST(each_type_is_read_and_each_beginning_of_it_is_truncated)
{
    struct event e = record_value(values[_i].data, values[_i].len);
    struct reading r;

    record_reading(&r, values[_i].type, values[_i].feature);
    reading_check_ends(&r, e.data, e.len, whole_ends);
    ck_assert_bits(r.row[0], 2.5f);
    if (values[_i].feature && isnan(values[_i].want))
        ck_assert_msg(isnan(r.row[1]), "%s: %g", values[_i].type, (double)r.row[1]);
    else if (values[_i].feature)
        ck_assert_bits(r.row[1], (float)values[_i].want);
    reading_release(&r);
    event_release(&e);
}
END_TEST

START_TEST(each_type_is_skipped_and_each_beginning_of_it_is_truncated)
{
    struct event e = record_value(values[_i].data, values[_i].len);
    struct reading r;

    record_reading(&r, values[_i].type, NULL);
    reading_check_ends(&r, e.data, e.len, whole_ends);
    ck_assert_bits(r.row[0], 2.5f);
    reading_release(&r);
    event_release(&e);
}
END_TEST

/* type, bytes, feature, outcome; the feature's number is 1 */
static const struct {
    const char *type, *data;
    size_t len;
    const char *feature, *outcome;
} unbindable[] = {
    {"['null','int']", BYTES("\x00"), "a : number, required", "bind/missing_field 1"},
    {"'double'", BYTES("\x00\x00\x00\x00\x00\x00\xf8\x7f"), "a : number, required",
     "bind/missing_field 1"},
    {"'double'", BYTES("\x00\x00\x00\x00\x00\x00\xf0\x7f"), "a : number, optional",
     "bind/not_finite 1"},
    {"'double'", BYTES("\x00\x00\x00\x00\x00\x00\xf0\x47"), "a : number, optional",
     "bind/not_finite 1"}, /* 2^128 */
    {"'float'", BYTES("\x00\x00\x80\xff"), "a : number, default 1", "bind/not_finite 1"},
    {"['int','string']",
     BYTES("\x02\x02"
           "7"),
     "a : number, optional", "bind/wrong_type 1"},
    {"['int','boolean']", BYTES("\x02\x01"), "a : number, optional", "bind/wrong_type 1"},
    {"['boolean','int']", BYTES("\x02\x02"), "a : boolean, optional", "bind/wrong_type 1"},
    {"['string','int']", BYTES("\x02\x02"), "a : category t.csv, optional, unknown as missing",
     "bind/wrong_type 1"},
    {"['int','bytes']",
     BYTES("\x02\x02"
           "7"),
     "a : number, optional", "bind/wrong_type 1"},
    {"[{'type':'map','values':'int'},'int']", BYTES("\x02\x0e"), "a.y : number, optional",
     "bind/wrong_type 1"},
    {"[{'type':'array','items':'int'},{'type':'map','values':'int'}]", BYTES("\x02\x00"),
     "a[0] : number, optional", "bind/wrong_type 1"},
    {"'string'",
     BYTES("\x02"
           "x"),
     "a : category t.csv, required, unknown as error", "bind/unknown_category 1"},
    {"'string'", BYTES("\x00"), "a : category t.csv, optional, unknown as error",
     "bind/unknown_category 1"},
    {ENUM, BYTES("\x04"), "a : category t.csv, optional, unknown as error",
     "bind/unknown_category 1"},
    {"{'type':'array','items':'int'}", BYTES("\x02\x0e\x00"), "a[1] : number, required",
     "bind/missing_field 1"},
    {"{'type':'map','values':'int'}", BYTES("\x02\x02x\x0e\x00"), "a.y : number, required",
     "bind/missing_field 1"},
    {LIST, BYTES("\x0e\x00"), "a.next.v : number, required", "bind/missing_field 1"},
};

START_TEST(what_cannot_be_bound_says_why_and_only_when_the_whole_value_is_sound)
{
    struct event e = record_value(unbindable[_i].data, unbindable[_i].len);
    struct reading r;

    record_reading(&r, unbindable[_i].type, unbindable[_i].feature);
    reading_check_ends(
        &r, e.data, e.len,
        (struct reading_ends){unbindable[_i].outcome, "decode/truncated", "decode/trailing_bytes"});
    reading_release(&r);
    event_release(&e);
}
END_TEST

/* Behind a double: the byte that says so. */
static const struct {
    const char *type, *data;
    size_t len;
    const char *feature;
} nulls[] = {
    {"['null','int']", BYTES("\x00"), "a : number, required"},
    {"['double','null']", BYTES("\x02"), "a : number, required"},
    {"['null','boolean']", BYTES("\x00"), "a : boolean, required"},
    {"['null'," ENUM "]", BYTES("\x00"), "a : category t.csv, required, unknown as error"},
    {"['int','null','string']", BYTES("\x02"), "a : number, required"},
    {"['null'," LIST "]", BYTES("\x00"), "a.v : number, required"},
    {LIST, BYTES("\x0e\x00"), "a.next.v : number, required"},
};

START_TEST(a_null_where_a_value_must_be_is_told_with_its_byte)
{
    char schema[2000], line[200], folder[256];
    struct event e = {0};
    struct outcome outcome;
    struct reading r;

    snprintf(folder, sizeof folder, "%s", harness_folder());
    harness_write(folder, "t.csv", BYTES("value,code\nA,0\nB,1\nC,2\n"));
    snprintf(schema, sizeof schema,
             "{'type':'record','name':'E','fields':[{'name':'z','type':'double'},"
             "{'name':'a','type':%s},{'name':'y','type':'int'}]}",
             nulls[_i].type);
    snprintf(line, sizeof line, "a = %s", nulls[_i].feature);
    reading_avro(
        &r, schema,
        EVENTS_FEATURES(folder, "z = z : number, required", line, "y = y : number, required"));
    event_double(&e, 2.5);
    event_bytes(&e, nulls[_i].data, nulls[_i].len);
    event_long(&e, 7);
    outcome = plan_run(r.plan, &r.scratch, (struct slice){e.data, e.len}, 0, r.row);
    ck_assert_int_eq(outcome.fault, FAULT_BIND_MISSING_FIELD);
    ck_assert_uint_eq(outcome.feature, 1);
    ck_assert_uint_eq(outcome.at, 8 + nulls[_i].len - 1);
    ck_assert_bits(r.row[2], 7.0f);
    reading_release(&r);
    event_release(&e);
}
END_TEST

START_TEST(of_several_faults_the_first_in_the_order_of_the_model_is_told)
{
    struct event e = {0};
    struct reading r;

    reading_avro(&r,
                 "{'type':'record','name':'E','fields':[{'name':'x','type':'double'},"
                 "{'name':'y','type':['null','int']},{'name':'z','type':'float'}]}",
                 EVENTS_FEATURES(NULL, "z = z : number, required", "y = y : number, required",
                                 "x = x : number, required"));
    event_double(&e, INFINITY);
    event_long(&e, 0);
    event_float(&e, 1);
    ck_assert_str_eq(reading_take(&r, e.data, e.len), "bind/missing_field 1");
    event_release(&e);
    reading_release(&r);
}
END_TEST

START_TEST(several_features_may_take_one_value)
{
    struct event e = {0};
    struct reading r;

    reading_avro(&r,
                 "{'type':'record','name':'E','fields':[{'name':'x','type':['null','double']},"
                 "{'name':'m','type':{'type':'map','values':'double'}},"
                 "{'name':'y','type':'double'}]}",
                 EVENTS_FEATURES(NULL, "a = x : number, optional", "b = x : number, default 9",
                                 "c = m.k : number, optional", "d = m.k : number, required",
                                 "e = y : number, optional", "f = y : number, optional"));
    event_long(&e, 1);
    event_double(&e, 1.5);
    event_long(&e, 1);
    event_text(&e, "k");
    event_double(&e, 2.5);
    event_long(&e, 0);
    event_double(&e, 3.5);
    reading_check_ends(&r, e.data, e.len, whole_ends);
    for (size_t i = 0; i < 6; i++)
        ck_assert_bits(r.row[i], (float)(1.5 + (double)(i / 2)));
    event_release(&e);
    reading_release(&r);
}
END_TEST

/* 9 doubles in a row become one operation that writes four at a time. */
START_TEST(doubles_side_by_side_are_each_judged)
{
    enum { DOUBLES = 9 };
    char schema[1000] = "{'type':'record','name':'E','fields':[", lines[DOUBLES][40];
    const char *features[DOUBLES];
    struct event e = {0};
    struct reading r;

    for (size_t i = 0; i < DOUBLES; i++) {
        snprintf(schema + strlen(schema), 60, "%s{'name':'f%zu','type':'double'}", i ? "," : "", i);
        snprintf(lines[i], sizeof lines[i], "f%zu = f%zu : number, %s", i, i,
                 i % 2 ? "optional" : "required");
        features[i] = lines[i];
        event_double(&e, (double)i);
    }
    reading_avro(&r, strcat(schema, "]}"), events_features(NULL, features, DOUBLES));
    ck_assert_uint_eq(plan_op_count(r.plan), 2);
    for (size_t i = 0; i < DOUBLES; i++) {
        static const double odd[] = {INFINITY, -1e39, NAN};
        for (size_t k = 0; k < 3; k++) {
            char want[40];
            memcpy(e.data + 8 * i, &odd[k], 8);
            snprintf(want, sizeof want, "bind/%s %zu", k < 2 ? "not_finite" : "missing_field", i);
            ck_assert_str_eq(reading_take(&r, e.data, e.len), k == 2 && i % 2 ? "scored" : want);
        }
        memcpy(e.data + 8 * i, &(double){(double)i}, 8);
        reading_check_ends(&r, e.data, e.len, whole_ends);
        for (size_t k = 0; k < DOUBLES; k++)
            ck_assert_bits(r.row[k], (float)k);
    }
    event_release(&e);
    reading_release(&r);
}
END_TEST

START_TEST(arrays_and_maps_may_stand_in_one_place)
{
    static const char schema[] = "{'type':'record','name':'E','fields':[{'name':'a','type':["
                                 "{'type':'array','items':'int'},{'type':'map','values':'int'}]}]}";
    struct features all =
        EVENTS_FEATURES(NULL, "i = a[0] : number, optional", "j = a[1] : number, optional",
                        "k = a.k : number, optional");
    struct features items =
        EVENTS_FEATURES(NULL, "i = a[0] : number, optional", "j = a[1] : number, optional");
    struct reading r;

    reading_avro(&r, schema, all);
    ck_assert_str_eq(reading_take(&r, BYTES("\x00\x04\x0e\x10\x00")), "bind/wrong_type 2");
    ck_assert_str_eq(reading_take(&r, BYTES("\x02\x02\x02k\x10\x00")), "bind/wrong_type 0");
    reading_release(&r);
    reading_avro(&r, schema, items);
    reading_check_ends(&r, BYTES("\x00\x04\x0e\x10\x00"), whole_ends);
    ck_assert_bits(r.row[0], 7);
    ck_assert_bits(r.row[1], 8);
    reading_release(&r);
}
END_TEST

/* A schema has the one name or the other, and each takes the first that is there. */
START_TEST(the_first_path_that_the_schema_has_is_taken)
{
    static const char *const schemas[] = {
        "{'type':'record','name':'E','fields':[{'name':'new','type':['null','int']},"
        "{'name':'old','type':'int'}]}",
        "{'type':'record','name':'E','fields':[{'name':'pad','type':['null','int']},"
        "{'name':'old','type':'int'}]}"};

    for (size_t i = 0; i < 2; i++) {
        struct reading r;
        reading_avro(&r, schemas[i], EVENTS_FEATURES(NULL, "x = new | old : number, optional"));
        ck_assert_str_eq(reading_take(&r, "\x02\x0e\x10", 3), "scored");
        ck_assert_bits(r.row[0], i == 0 ? 7 : 8);
        ck_assert_str_eq(reading_take(&r, "\x00\x10", 2), "scored");
        if (i == 0)
            ck_assert(isnan(r.row[0])); /* null is an answer */
        else
            ck_assert_bits(r.row[0], 8);
        reading_release(&r);
    }
}
END_TEST

SUITE(plan)
{
    TCase *loops = harness_case(suite, "types", NULL, 0);

    tcase_add_loop_test(loops, each_type_is_read_and_each_beginning_of_it_is_truncated, 0,
                        sizeof values / sizeof values[0]);
    tcase_add_loop_test(loops, each_type_is_skipped_and_each_beginning_of_it_is_truncated, 0,
                        sizeof values / sizeof values[0]);
    loops = harness_case(suite, "faults", NULL, 0);
    tcase_add_loop_test(loops, what_cannot_be_bound_says_why_and_only_when_the_whole_value_is_sound,
                        0, sizeof unbindable / sizeof unbindable[0]);
    tcase_add_loop_test(loops, a_null_where_a_value_must_be_is_told_with_its_byte, 0,
                        sizeof nulls / sizeof nulls[0]);
    CASE("order", of_several_faults_the_first_in_the_order_of_the_model_is_told,
         several_features_may_take_one_value, doubles_side_by_side_are_each_judged,
         arrays_and_maps_may_stand_in_one_place, the_first_path_that_the_schema_has_is_taken);
}
