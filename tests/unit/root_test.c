/* [consumer] root: the event inside an envelope, in JSON and in Avro: Kafka Connect's, Debezium's,
 * CloudEvents'. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/decoder.h"
#include "tests/harness.h"
#include "tests/reading.h"

struct fixture {
    struct path root;
    struct features features;
    struct decoder *decoder;
    float row[2];
    struct outcome outcome;
};

/* Features x (required) and y (default 5) below root. schema: NULL for JSON, else with ' for ". */
static int init(struct fixture *f, const char *root, const char *schema, struct err *err)
{
    struct decoder_options options = {.max_value_bytes = 1000, .max_depth = 64};
    char *text = schema ? reading_quoted(schema) : NULL;

    *f = (struct fixture){.decoder = NULL};
    ck_assert_int_eq(path_parse(&f->root, root, strlen(root), err), 0);
    f->features =
        EVENTS_FEATURES(NULL, "x = x : number, required", "y = y | o.y : number, default 5");
    options.root = &f->root;
    if (schema) {
        options.format = EVENT_AVRO;
        options.schema_file = harness_write(harness_folder(), "e.avsc", text, strlen(text));
    }
    free(text);
    return decoder_new(&f->decoder, &options, &f->features, err);
}

static void release(struct fixture *f)
{
    decoder_free(f->decoder);
    features_release(&f->features);
    path_release(&f->root);
}

static const char *decode(struct fixture *f, const void *data, size_t len)
{
    uint8_t *exact = events_exact(data, len);
    int64_t id;

    f->row[0] = f->row[1] = -1;
    f->outcome = decoder_decode(f->decoder, (struct slice){exact, len}, f->row, &id);
    ck_assert(f->row[0] != -1 && f->row[1] != -1); /* overwritten whatever happens */
    free(exact);
    return events_outcome(f->outcome);
}

#define MISSING_ROOT "bind/missing_field 65535"
#define WRONG_ROOT "bind/wrong_type 65535"

/* root, event with ' for ", outcome, y */
static const struct {
    const char *root, *event, *outcome;
    float y;
} jsons[] = {
    {"payload", "{'schema':{'x':1},'payload':{'x':1,'y':2}}", "scored", 2},
    {"payload", "{'payload':{'x':1},'schema':{}}", "scored", 5},
    {"payload", "{'payload':{'o':{'y':3},'x':1}}", "scored", 3},
    {"payload", "{'x':1,'y':2}", MISSING_ROOT, 0},
    {"payload", "{}", MISSING_ROOT, 0},
    {"payload", "{'payload':null}", "skipped", 0},
    {"payload", "null", "skipped", 0},
    {"payload", "{'payload':1}", WRONG_ROOT, 0},
    {"payload", "{'payload':'x'}", WRONG_ROOT, 0},
    {"payload", "{'payload':true}", WRONG_ROOT, 0},
    {"payload", "{'payload':[{'x':1}]}", WRONG_ROOT, 0},
    {"payload", "[{'payload':{'x':1}}]", WRONG_ROOT, 0},
    {"payload", "7", WRONG_ROOT, 0},
    {"payload", "{'payload':{}}", "bind/missing_field 0", 0},
    {"payload", "{'payload':{'x':'1'}}", "bind/wrong_type 0", 0},
    {"payload", "{'payload':null,'payload':{'x':1}}", "decode/bad_json", 0},
    {"payload", "{'payload':null", "decode/bad_json", 0},
    {"payload", "{'payload':null}x", "decode/trailing_bytes", 0},
    {"payload.after", "{'payload':{'before':{'x':9},'after':{'x':1,'y':2},'op':'c'}}", "scored", 2},
    {"payload.after", "{'payload':{'before':{'x':1},'after':null,'op':'d'}}", "skipped", 0},
    {"payload.after", "{'payload':null}", "skipped", 0},
    {"payload.after", "{'payload':{'op':'d'}}", MISSING_ROOT, 0},
    {"payload.after", "{'payload':7}", WRONG_ROOT, 0},
    {"after", "{'before':null,'after':{'y':2,'x':1},'source':{'x':3}}", "scored", 2},
    {"after", "{'before':{'x':1},'after':null,'op':'d','ts_ms':1}", "skipped", 0},
    {"data", "{'specversion':'1.0','id':'a','data':{'x':1,'y':2}}", "scored", 2},
    {"data", "{'specversion':'1.0','data_base64':'eA=='}", MISSING_ROOT, 0},
    {"a[1]", "{'a':[0,{'x':1,'y':2}]}", "scored", 2},
    {"a[1]", "{'a':[0]}", MISSING_ROOT, 0},
    {"a[1]", "{'a':{}}", WRONG_ROOT, 0},
    {"m[\"the key\"]", "{'m':{'the key':{'x':1}}}", "scored", 5},
};

START_TEST(json_is_read_below_its_root)
{
    struct fixture f;
    struct err err = ERR_INIT;
    char *event = reading_quoted(jsons[_i].event);

    ck_assert_int_eq(init(&f, jsons[_i].root, NULL, &err), 0);
    for (int again = 0; again < 2; again++) {
        ck_assert_str_eq(decode(&f, event, strlen(event)), jsons[_i].outcome);
        if (f.outcome.kind == OUTCOME_SCORED) {
            ck_assert_bits(f.row[0], 1);
            ck_assert_bits(f.row[1], jsons[_i].y);
        }
        decode(&f, BYTES("{\"payload\":null}"));
        decode(&f, BYTES("{}"));
    }
    release(&f);
    free(event);
}
END_TEST

/* A record of two ints, in an envelope. */
#define ROW                                                                                        \
    "{'type':'record','name':'Row','fields':[{'name':'x','type':'int'},"                           \
    "{'name':'y','type':'int'}]}"
#define ENVELOPE(type)                                                                             \
    "{'type':'record','name':'E','fields':[{'name':'op','type':'string'},{'name':'after','type'"   \
    ":" type "},{'name':'ts','type':'long'}]}"
#define OPTIONAL_ROW ENVELOPE("['null'," ROW "]")
#define NESTED                                                                                     \
    "{'type':'record','name':'P','fields':[{'name':'payload','type':['null'," OPTIONAL_ROW "]}]}"
#define MAPPED ENVELOPE("{'type':'map','values':['null'," ROW "]}")
#define LISTED ENVELOPE("{'type':'array','items':['null'," ROW "]}")
#define VARIED ENVELOPE("['null'," ROW ",'string',{'type':'map','values':'int'}]")
#define EITHER                                                                                     \
    "[{'type':'record','name':'A','fields':[{'name':'after','type':" ROW "}]},"                    \
    "{'type':'record','name':'B','fields':[{'name':'x','type':'int'}]}]"

/* root, schema, event, outcome, y */
static const struct {
    const char *root, *schema, *data;
    size_t len;
    const char *outcome;
    float y;
} avros[] = {
    {"after", ENVELOPE(ROW), BYTES("\2c\2\4\x10"), "scored", 2},
    {"after", OPTIONAL_ROW, BYTES("\2c\2\2\4\x10"), "scored", 2},
    {"after", OPTIONAL_ROW, BYTES("\2d\0\x10"), "skipped", 0},
    {"after", OPTIONAL_ROW, BYTES("\2d\4\x10"), "decode/bad_union", 0},
    {"after", OPTIONAL_ROW, BYTES("\2d\0"), "decode/truncated", 0},
    {"after", OPTIONAL_ROW, BYTES("\2d\0\x10x"), "decode/trailing_bytes", 0},
    {"payload.after", NESTED, BYTES("\2\2c\2\2\4\x10"), "scored", 2},
    {"payload.after", NESTED, BYTES("\2\2d\0\x10"), "skipped", 0},
    {"payload.after", NESTED, BYTES("\0"), "skipped", 0},
    {"after[\"k\"]", MAPPED, BYTES("\2c\4\2j\2\6\6\2k\2\2\4\0\x10"), "scored", 2},
    {"after[\"k\"]", MAPPED, BYTES("\2c\4\2k\0\2k\2\2\4\0\x10"), "scored", 2}, /* the last counts */
    {"after[\"k\"]", MAPPED, BYTES("\2c\4\2k\2\2\4\2k\0\0\x10"), "skipped", 0},
    {"after[\"k\"]", MAPPED, BYTES("\2c\2\2j\2\2\4\0\x10"), MISSING_ROOT, 0},
    {"after[\"k\"]", MAPPED, BYTES("\2c\0\x10"), MISSING_ROOT, 0},
    {"after[1]", LISTED, BYTES("\2c\4\0\2\2\4\0\x10"), "scored", 2},
    {"after[1]", LISTED, BYTES("\2c\4\2\2\4\0\0\x10"), "skipped", 0},
    {"after[1]", LISTED, BYTES("\2c\2\2\2\4\0\x10"), MISSING_ROOT, 0},
    {"after", VARIED, BYTES("\2c\2\2\4\x10"), "scored", 2},
    {"after", VARIED, BYTES("\2c\0\x10"), "skipped", 0},
    {"after", VARIED, BYTES("\2c\4\2s\x10"), WRONG_ROOT, 0},
    {"after", VARIED, BYTES("\2c\6\4\2x\2\2y\4\0\x10"), "scored", 2},
    {"after", VARIED, BYTES("\2c\6\0\x10"), "bind/missing_field 0", 0},
    {"after", EITHER, BYTES("\0\2\4"), "scored", 2},
    {"after", EITHER, BYTES("\2\2"), MISSING_ROOT, 0},
};

START_TEST(avro_is_read_below_its_root)
{
    struct fixture f;
    struct err err = ERR_INIT;

    ck_assert_msg(init(&f, avros[_i].root, avros[_i].schema, &err) == 0, "%s", err.text);
    ck_assert_str_eq(decode(&f, avros[_i].data, avros[_i].len), avros[_i].outcome);
    if (f.outcome.kind == OUTCOME_SCORED) {
        ck_assert_bits(f.row[0], 1);
        ck_assert_bits(f.row[1], avros[_i].y);
    }
    for (size_t cut = 0; cut < avros[_i].len; cut++) {
        ck_assert_str_ne(decode(&f, avros[_i].data, cut), "scored");
        ck_assert_str_eq(decode(&f, avros[_i].data, avros[_i].len), avros[_i].outcome);
    }
    release(&f);
}
END_TEST

/* root, schema, words */
static const char *const unusable[][3] = {
    {"payload", ENVELOPE(ROW), "cannot serve the model: root: no field payload"},
    {"aftr", ENVELOPE(ROW), "root: no field aftr; did you mean after?"},
    {"op", ENVELOPE(ROW),
     "root: op has the type string, but features are fields of a record or "
     "a map"},
    {"op.after", ENVELOPE(ROW),
     "root: op.after leads through the type string, which is no record "
     "or map"},
    {"after", ENVELOPE("'null'"), "root: after is always null"},
    {"after", ENVELOPE("{'type':'array','items':" ROW "}"), "root: after has the type array"},
    {"after.x", ENVELOPE(ROW), "root: after.x has the type int"},
};

START_TEST(a_schema_without_the_root_cannot_serve)
{
    for (size_t i = 0; i < sizeof unusable / sizeof unusable[0]; i++) {
        struct fixture f;
        struct err err = ERR_INIT;
        ck_assert_int_eq(init(&f, unusable[i][0], unusable[i][1], &err), -1);
        ck_assert_msg(strstr(err.text, unusable[i][2]) != NULL, "%s", err.text);
        ck_assert_ptr_null(strstr(err.text, "feature x"));
        release(&f);
    }
}
END_TEST

/* root, event, words */
static const char *const words[][3] = {
    {"payload", "{}", "root payload: absent"},
    {"payload.after", "{\"payload\":7}",
     "root payload.after, byte 11: neither a record nor an object"},
    {"payload", "{\"payload\":{}}",
     "field payload.x (feature x): a required feature is absent or null"},
};

START_TEST(a_failure_names_the_root)
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        struct fixture f;
        struct err err = ERR_INIT;
        char text[300];
        ck_assert_int_eq(init(&f, words[i][0], NULL, &err), 0);
        decode(&f, words[i][1], strlen(words[i][1]));
        decoder_explain(f.decoder, &f.outcome, text, sizeof text);
        ck_assert_str_eq(text, words[i][2]);
        decoder_explain(f.decoder, &f.outcome, text, 4);
        ck_assert_uint_eq(strlen(text), 3);
        release(&f);
    }
}
END_TEST

SUITE(root)
{
    TCase *loops = harness_case(suite, "envelopes", NULL, 0);

    tcase_add_loop_test(loops, json_is_read_below_its_root, 0, sizeof jsons / sizeof jsons[0]);
    tcase_add_loop_test(loops, avro_is_read_below_its_root, 0, sizeof avros / sizeof avros[0]);
    CASE("words", a_schema_without_the_root_cannot_serve, a_failure_names_the_root);
}
