/* [producer] carry and [consumer] event_time: what a decoder takes from an event beside its row. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/decoder.h"
#include "tests/harness.h"
#include "tests/reading.h"

enum { MAX_CARRY = 8 };

struct fixture {
    struct path root, time, carry[MAX_CARRY];
    size_t carry_count;
    struct features features;
    struct decoder *decoder;
    uint8_t *value; /* of the last decode, which what is carried borrows from */
    float row[2];
};

static void parse(struct path *path, const char *text)
{
    struct err err = ERR_INIT;

    if (*text)
        ck_assert_int_eq(path_parse(path, text, strlen(text), &err), 0);
}

/* Features x (required) and y. carry: paths with blanks; root, time: "" for none. schema: NULL for
 * JSON, else with ' for ". */
static void init(struct fixture *f, const char *schema, const char *root, const char *carry,
                 const char *time)
{
    struct decoder_options options = {.max_value_bytes = 1000, .max_depth = 64};
    char *text = schema ? reading_quoted(schema) : NULL, words[200], *rest = words;
    struct err err = ERR_INIT;

    *f = (struct fixture){.decoder = NULL};
    parse(&f->root, root);
    parse(&f->time, time);
    snprintf(words, sizeof words, "%s", carry);
    for (char *word; (word = strsep(&rest, " "));)
        parse(&f->carry[f->carry_count++], word);
    f->features = EVENTS_FEATURES(NULL, "x = x : number, required", "y = y : number, optional");
    options.root = &f->root;
    options.event_time = &f->time;
    options.carry = f->carry;
    options.carry_count = f->carry_count;
    if (schema) {
        options.format = EVENT_AVRO;
        options.schema_file = harness_write(harness_folder(), "e.avsc", text, strlen(text));
    }
    ck_assert_msg(decoder_new(&f->decoder, &options, &f->features, &err) == 0, "%s", err.text);
    free(text);
}

static void release(struct fixture *f)
{
    decoder_free(f->decoder);
    features_release(&f->features);
    path_release(&f->root);
    path_release(&f->time);
    for (size_t i = 0; i < f->carry_count; i++)
        path_release(&f->carry[i]);
    free(f->value);
}

static const char *decode(struct fixture *f, const void *data, size_t len)
{
    int64_t id;

    free(f->value);
    f->value = events_exact(data, len);
    return events_outcome(decoder_decode(f->decoder, (struct slice){f->value, len}, f->row, &id));
}

/* What was carried, with | between; - for nothing. */
static const char *carried(struct fixture *f)
{
    static char out[1000];
    const struct carried *c = decoder_carried(f->decoder);
    size_t len = 0;

    for (size_t i = 0; i < f->carry_count; i++) {
        len += (size_t)sprintf(out + len, "%s%s", i ? "|" : "",
                               c[i].kind == CARRIED_NOTHING ? "-" : "");
        if (c[i].kind != CARRIED_NOTHING)
            len += carried_print(&c[i], out + len);
    }
    out[len] = '\0';
    return out;
}

/* carry, event with ' for ", what is carried */
static const char *const jsons[][3] = {
    {"id", "{'id':'UA1','x':1}", "UA1"},
    {"id", "{'x':1,'id':12.50}", "12.50"},
    {"id", "{'x':1,'id':-0}", "-0"},
    {"id", "{'x':1,'id':true}", "true"},
    {"id", "{'x':1,'id':false}", "false"},
    {"id", "{'x':1,'id':''}", ""},
    {"id", "{'x':1,'id':null}", "-"},
    {"id", "{'x':1}", "-"},
    {"id", "{'x':1,'id':{'a':1}}", "-"},
    {"id", "{'x':1,'id':[1]}", "-"},
    {"id", "{'x':1,'id':'\\u00e9\\'\\ud800'}", "\xc3\xa9\"\xef\xbf\xbd"},
    {"id c.d", "{'c':{'d':7},'x':1,'id':'a'}", "a|7"},
    {"c c.d", "{'c':{'d':7},'x':1}", "-|7"},
    {"c c.d", "{'c':3,'x':1}", "3|-"},
    {"l[1] m[\"k\"]", "{'l':[1,'b'],'m':{'k':2},'x':1}", "b|2"},
    {"x y", "{'x':1.0,'y':2}", "1.0|2"}, /* features too */
    {"x id", "{'x':1e0,'id':'a','z':{}}", "1e0|a"},
    /* A key that feeds no feature may come twice: the last one counts, with all below it. */
    {"id", "{'id':1,'x':1,'id':2}", "2"},
    {"id", "{'id':1,'x':1,'id':null}", "-"},
    {"c.d c.e", "{'c':{'d':1},'x':1,'c':{'e':2}}", "-|2"},
};

START_TEST(json_fields_are_carried_as_they_stand)
{
    char *event = reading_quoted(jsons[_i][1]);
    struct fixture f;

    init(&f, NULL, "", jsons[_i][0], "");
    for (int again = 0; again < 2; again++) {
        ck_assert_str_eq(decode(&f, event, strlen(event)), "scored");
        ck_assert_str_eq(carried(&f), jsons[_i][2]);
        ck_assert_bits(f.row[0], 1);
        ck_assert_str_eq(decode(&f, BYTES("{\"x\":1}")), "scored"); /* nothing is left over */
        ck_assert_ptr_null(strpbrk(carried(&f), "23456789abcdefgh"));
    }
    release(&f);
    free(event);
}
END_TEST

START_TEST(a_key_that_feeds_a_feature_still_comes_once)
{
    struct fixture f;

    init(&f, NULL, "", "x", "");
    ck_assert_str_eq(decode(&f, BYTES("{\"x\":1,\"x\":1}")), "decode/bad_json");
    release(&f);
}
END_TEST

#define EVERY                                                                                      \
    "{'type':'record','name':'E','fields':["                                                       \
    "{'name':'s','type':'string'},{'name':'i','type':'int'},{'name':'l','type':'long'},"           \
    "{'name':'f','type':'float'},{'name':'d','type':'double'},{'name':'b','type':'boolean'},"      \
    "{'name':'e','type':{'type':'enum','name':'C','symbols':['UA','DL']}},"                        \
    "{'name':'h','type':{'type':'fixed','name':'H','size':2}},"                                    \
    "{'name':'x','type':'int'},{'name':'o','type':['null','bytes']}]}"
#define EVERY_VALUE "\4ab\3\x80\x02\0\0\xc0\x3f\0\0\0\0\0\0\xd0\xbf\1\2hi\2\2\4z\xff"

START_TEST(avro_fields_of_each_type_are_carried)
{
    struct fixture f;

    init(&f, EVERY, "", "s i l f d b e h", "");
    for (size_t cut = 0; cut < sizeof EVERY_VALUE - 1; cut++) {
        ck_assert_str_eq(decode(&f, EVERY_VALUE, cut), "decode/truncated");
        ck_assert_str_eq(decode(&f, BYTES(EVERY_VALUE)), "scored");
        ck_assert_str_eq(carried(&f), "ab|-2|128|1.5|-0.25|true|DL|hi");
        ck_assert_bits(f.row[0], 1);
    }
    release(&f);
    init(&f, EVERY, "", "o e x nothing", "");
    ck_assert_str_eq(decode(&f, BYTES(EVERY_VALUE)), "scored");
    ck_assert_str_eq(carried(&f), "z\xef\xbf\xbd|DL|1|-");
    release(&f);
}
END_TEST

/* schema, root, carry, event, outcome, carried */
static const struct {
    const char *schema, *root, *carry, *data;
    size_t len;
    const char *outcome, *carried;
} avros[] = {
    {"{'type':'record','name':'E','fields':[{'name':'x','type':'int'},{'name':'o','type':['null',"
     "'string','long',{'type':'record','name':'R','fields':[{'name':'k','type':'int'}]}]}]}",
     "", "o o.k", BYTES("\2\0"), "scored", "-|-"},
    {"{'type':'record','name':'E','fields':[{'name':'x','type':'int'},{'name':'o','type':['null',"
     "'string','long',{'type':'record','name':'R','fields':[{'name':'k','type':'int'}]}]}]}",
     "", "o o.k", BYTES("\2\4\6"), "scored", "3|-"},
    {"{'type':'record','name':'E','fields':[{'name':'x','type':'int'},{'name':'o','type':['null',"
     "'string','long',{'type':'record','name':'R','fields':[{'name':'k','type':'int'}]}]}]}",
     "", "o o.k", BYTES("\2\6\6"), "scored", "-|3"},
    {"{'type':'record','name':'E','fields':[{'name':'x','type':'int'},{'name':'m','type':{'type':"
     "'map','values':['null','string']}}]}",
     "", "m[\"k\"] m[\"j\"]", BYTES("\2\6\2k\2\2a\2j\2\2b\2k\0\0"), "scored", "-|b"},
    {"{'type':'record','name':'E','fields':[{'name':'x','type':'int'},{'name':'l','type':{'type':"
     "'array','items':'string'}}]}",
     "", "l[1] l", BYTES("\2\4\2a\2b\0"), "scored", "b|-"},
    {"{'type':'record','name':'E','fields':[{'name':'x','type':'int'},{'name':'e','type':{'type':"
     "'enum','name':'C','symbols':['A']}}]}",
     "", "e", BYTES("\2\2"), "decode/bad_enum", NULL},
    {"{'type':'record','name':'E','fields':[{'name':'after','type':['null',{'type':'record','name':"
     "'R','fields':[{'name':'x','type':'int'},{'name':'id','type':'string'}]}]}]}",
     "after", "id", BYTES("\2\2\4UA"), "scored", "UA"},
    {"{'type':'record','name':'E','fields':[{'name':'after','type':['null',{'type':'record','name':"
     "'R','fields':[{'name':'x','type':'int'},{'name':'id','type':'string'}]}]}]}",
     "after", "id", BYTES("\0"), "skipped", NULL},
};

START_TEST(avro_fields_are_carried_from_unions_maps_lists_and_envelopes)
{
    struct fixture f;

    init(&f, avros[_i].schema, avros[_i].root, avros[_i].carry, "");
    for (int again = 0; again < 2; again++) {
        ck_assert_str_eq(decode(&f, avros[_i].data, avros[_i].len), avros[_i].outcome);
        if (avros[_i].carried)
            ck_assert_str_eq(carried(&f), avros[_i].carried);
    }
    release(&f);
}
END_TEST

#define TIMED(type)                                                                                \
    "{'type':'record','name':'E','fields':[{'name':'x','type':'int'},{'name':'t','type':" type "}" \
    "]"                                                                                            \
    "}"
#define LOGICAL(name) TIMED("{'type':'long','logicalType':'" name "'}")

/* schema (NULL: JSON with ' for "), event, milliseconds */
static const struct {
    const char *schema, *data;
    size_t len;
    int64_t ms;
} times[] = {
    {NULL, BYTES("{'x':1,'t':1385856000123}"), 1385856000123},
    {NULL, BYTES("{'x':1,'t':1385856000123.9}"), 1385856000123},
    {NULL, BYTES("{'x':1,'t':-1.5}"), -2},
    {NULL, BYTES("{'x':1,'t':1e300}"), EVENT_TIME_NONE},
    {NULL, BYTES("{'x':1,'t':'1385856000123'}"), EVENT_TIME_NONE},
    {NULL, BYTES("{'x':1,'t':true}"), EVENT_TIME_NONE},
    {NULL, BYTES("{'x':1,'t':null}"), EVENT_TIME_NONE},
    {NULL, BYTES("{'x':1,'t':{}}"), EVENT_TIME_NONE},
    {NULL, BYTES("{'x':1}"), EVENT_TIME_NONE},
    {TIMED("'long'"), BYTES("\2\xd0\x0f"), 1000},
    {LOGICAL("timestamp-millis"), BYTES("\2\xd0\x0f"), 1000},
    {LOGICAL("timestamp-micros"), BYTES("\2\xde\x0f"), 1},
    {LOGICAL("timestamp-micros"), BYTES("\2\1"), -1},
    {LOGICAL("timestamp-micros"), BYTES("\2\xcf\x0f"), -1},
    {LOGICAL("local-timestamp-micros"), BYTES("\2\xd0\x0f"), 1},
    {LOGICAL("timestamp-nanos"), BYTES("\2\x80\x89\x7a"), 1},
    {TIMED("['null',{'type':'long','logicalType':'timestamp-micros'}]"), BYTES("\2\2\xd0\x0f"), 1},
    {TIMED("['null',{'type':'long','logicalType':'timestamp-micros'}]"), BYTES("\2\0"),
     EVENT_TIME_NONE},
    {TIMED("'int'"), BYTES("\2\2"), EVENT_TIME_NONE},
    {TIMED("'string'"), BYTES("\2\2a"), EVENT_TIME_NONE},
};

START_TEST(the_time_of_an_event_is_in_milliseconds)
{
    char *event = times[_i].schema ? NULL : reading_quoted(times[_i].data);
    struct fixture f;

    init(&f, times[_i].schema, "", "t", "t");
    ck_assert_str_eq(decode(&f, event ? event : times[_i].data, times[_i].len), "scored");
    ck_assert_int_eq(decoder_event_time(f.decoder), times[_i].ms);
    release(&f);
    init(&f, times[_i].schema, "", "t", "");
    ck_assert_str_eq(decode(&f, event ? event : times[_i].data, times[_i].len), "scored");
    ck_assert_int_eq(decoder_event_time(f.decoder), EVENT_TIME_NONE); /* nobody asked */
    release(&f);
    free(event);
}
END_TEST

SUITE(carry)
{
    TCase *loops = harness_case(suite, "loops", NULL, 0);

    tcase_add_loop_test(loops, json_fields_are_carried_as_they_stand, 0,
                        sizeof jsons / sizeof jsons[0]);
    tcase_add_loop_test(loops, avro_fields_are_carried_from_unions_maps_lists_and_envelopes, 0,
                        sizeof avros / sizeof avros[0]);
    tcase_add_loop_test(loops, the_time_of_an_event_is_in_milliseconds, 0,
                        sizeof times / sizeof times[0]);
    CASE("types", avro_fields_of_each_type_are_carried,
         a_key_that_feeds_a_feature_still_comes_once);
}
