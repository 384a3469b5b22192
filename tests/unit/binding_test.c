/* What is said of a schema before the first of its records: how each feature is bound, or why the
 * schema cannot serve the model. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/avro_schema.h"
#include "schemas/binding.h"
#include "tests/harness.h"
#include "tests/reading.h"

#define RECORD(fields) "{'type':'record','name':'R','fields':[" fields "]}"
#define FIELD(name, type) "{'name':'" name "','type':" type "}"
#define WEATHER                                                                                    \
    "['null',{'type':'record','name':'W','fields':["                                               \
    "{'name':'temp','type':['null','double']},{'name':'gust','type':'null'}]}]"

/* schema, feature, path that is taken (-1: none), words; usable unless they begin with "cannot". */
static const struct {
    const char *schema, *feature;
    int path;
    const char *words;
} rows[] = {
    {RECORD(FIELD("x", "'int'")), "x = x : number, required", 0, "1 features bound: x (int)"},
    {RECORD(FIELD("y", "['null','long']")), "x = y : number, optional", 0,
     "1 features bound: x <- y (null or long)"},
    {RECORD(FIELD("b", "'int'")), "x = a | b : number, required", 1,
     "1 features bound: x <- b (int)"},
    {RECORD(FIELD("w", WEATHER)), "x = w.temp : number, optional", 0,
     "1 features bound: x <- w.temp (null or double)"},
    {RECORD(FIELD("m", "{'type':'map','values':'float'}")), "x = m[\"k\"] : number, optional", 0,
     "1 features bound: x <- m[\"k\"] (float)"},
    {RECORD(FIELD("l", "{'type':'array','items':['int','string']}")), "x = l[0] : number, optional",
     0, "1 features bound: x <- l[0] (int or string)"},
    {"['null'," RECORD(FIELD("x", "'int'")) "]", "x = x : number, required", 0,
     "1 features bound: x (int)"},
    /* missing is an answer where it may be */
    {RECORD(FIELD("y", "'int'")), "x = x : number, optional", BINDING_MISSING,
     "0 features bound; missing: x"},
    {RECORD(FIELD("y", "'int'")), "x = a | b : number, default 3", BINDING_MISSING,
     "0 features bound; missing: x"},
    {RECORD(FIELD("w", WEATHER)), "x = w.gust : number, optional", BINDING_MISSING,
     "0 features bound; missing: x"},
    {RECORD(FIELD("w", "'null'")), "x = w.temp : number, optional", BINDING_MISSING,
     "0 features bound; missing: x"},
    {"'null'", "x = x : number, optional", BINDING_MISSING, "0 features bound; missing: x"},
    /* and where not, it is said, with what comes near */
    {RECORD(FIELD("y", "'int'")), "x = abc : number, required", BINDING_MISSING,
     "cannot serve the model: feature x: no field abc"},
    {RECORD(FIELD("distances", "'int'")), "x = distance | miles : number, required",
     BINDING_MISSING,
     "cannot serve the model: feature x: no field distance or miles; did you mean distances?"},
    {RECORD("{'name':'distance_miles','aliases':['dist','distance'],'type':'double'}"),
     "x = distance : number, required", BINDING_MISSING,
     "cannot serve the model: feature x: no field distance; field distance_miles has the alias "
     "distance: if it means the same, write \"distance | distance_miles\""},
    {RECORD("{'name':'y','aliases':['old_distance'],'type':'double'}"),
     "x = distance : number, required", BINDING_MISSING,
     "cannot serve the model: feature x: no field distance"},
    {RECORD(FIELD("w", WEATHER)), "x = w.temps : number, required", BINDING_MISSING,
     "cannot serve the model: feature x: no field w.temps; did you mean temp?"},
    {RECORD(FIELD("dest", "'string'")), "x = w.dess : number, required", BINDING_MISSING,
     "cannot serve the model: feature x: no field w.dess"},
    {RECORD(FIELD("wether", WEATHER)), "x = weather.temp | weather.t : number, required",
     BINDING_MISSING,
     "cannot serve the model: feature x: no field weather.temp or weather.t; did you mean wether?"},
    {RECORD(FIELD("miles", "'int'")), "x = distance | mile : number, required", BINDING_MISSING,
     "cannot serve the model: feature x: no field distance or mile; did you mean miles?"},
    {RECORD(FIELD("w", WEATHER)), "x = w.gust : number, required", BINDING_MISSING,
     "cannot serve the model: feature x: w.gust is always null"},
    {RECORD(FIELD("x", "'string'")), "x = x : number, optional", BINDING_MISSING,
     "cannot serve the model: feature x: x has the type string, but a number takes int, long, "
     "float or double"},
    {RECORD(FIELD("x", "'int'")), "x = x : boolean, optional", BINDING_MISSING,
     "cannot serve the model: feature x: x has the type int, but a boolean takes boolean"},
    {RECORD(FIELD("x", "['null','bytes']")), "x = x : category t.csv, optional, unknown as missing",
     BINDING_MISSING,
     "cannot serve the model: feature x: x has the type bytes, but a category takes string or "
     "enum"},
    {RECORD(FIELD("x", "'int'")), "x = x.y : number, optional", BINDING_MISSING,
     "cannot serve the model: feature x: x.y leads through the type int, which is no record or "
     "map"},
    {RECORD(FIELD("x", "{'type':'map','values':'int'}")), "x = x[0] : number, optional",
     BINDING_MISSING,
     "cannot serve the model: feature x: x[0] leads through the type map, which is no array"},
    {"'string'", "x = x : number, optional", BINDING_MISSING,
     "cannot serve the model: feature x: x leads through the type string, which is no record or "
     "map"},
};

START_TEST(each_schema_is_answered_in_words)
{
    char *text = reading_quoted(rows[_i].schema), *words, folder[256];
    bool usable = strncmp(rows[_i].words, "cannot", 6) != 0;
    struct avro_schema *schema;
    struct features features;
    struct err err = ERR_INIT;
    struct binding *binding;
    size_t len;
    FILE *say = open_memstream(&words, &len);

    snprintf(folder, sizeof folder, "%s", harness_folder());
    harness_write(folder, "t.csv", BYTES("value,code\nA,0\n"));
    features = EVENTS_FEATURES(folder, rows[_i].feature);
    ck_assert_msg(avro_schema_parse(&schema, text, strlen(text), &err) == 0, "%s", err.text);
    binding = binding_new(schema, &features);
    binding_print(binding, &features, say);
    fclose(say);
    ck_assert_str_eq(words, rows[_i].words);
    ck_assert_int_eq(binding_is_usable(binding), usable);
    ck_assert_int_eq(binding->items[0].path, rows[_i].path);
    binding_free(binding);
    features_release(&features);
    avro_schema_free(schema);
    free(words);
    free(text);
}
END_TEST

START_TEST(all_that_is_wrong_is_said_at_once)
{
    struct reading r;

    reading_avro(&r, RECORD(FIELD("a", "'int'") "," FIELD("b", "'bytes'")),
                 EVENTS_FEATURES(NULL, "a = a : number, required", "b = b : number, optional",
                                 "c = currency : number, required", "d = d : number, optional"));
    ck_assert_ptr_null(r.plan);
    ck_assert_str_eq(r.words,
                     "cannot serve the model: feature b: b has the type bytes, but a "
                     "number takes int, long, float or double; feature c: no field currency");
    reading_release(&r);
}
END_TEST

/* Sixty fields of one record type with 1,600 fields, a feature in each: 96,000 operations. */
START_TEST(a_schema_that_takes_too_many_operations_is_unusable)
{
    enum { FIELDS = 1600, GROUPS = 60 };
    char *schema, lines[GROUPS][60];
    const char *list[GROUPS];
    size_t len;
    FILE *out = open_memstream(&schema, &len);
    struct reading r;

    fprintf(out, "{'type':'record','name':'R','fields':[{'name':'g0','type':"
                 "{'type':'record','name':'G','fields':[{'name':'x','type':'boolean'}");
    for (int i = 0; i < FIELDS; i++)
        fprintf(out, ",{'name':'f%d','type':'string'}", i);
    fprintf(out, "]}}");
    for (int i = 0; i < GROUPS; i++) {
        if (i)
            fprintf(out, ",{'name':'g%d','type':'G'}", i);
        snprintf(lines[i], sizeof lines[i], "x%d = g%d.x : boolean, required", i, i);
        list[i] = lines[i];
    }
    fprintf(out, "]}");
    fclose(out);
    reading_avro(&r, schema, events_features(NULL, list, GROUPS));
    ck_assert_ptr_null(r.plan);
    ck_assert_ptr_nonnull(strstr(r.words, "; but reading it takes more than 65536 operations"));
    reading_release(&r);
    free(schema);
}
END_TEST

SUITE(binding)
{
    TCase *loops = harness_case(suite, "words", NULL, 0);

    tcase_add_loop_test(loops, each_schema_is_answered_in_words, 0, sizeof rows / sizeof rows[0]);
    CASE("all", all_that_is_wrong_is_said_at_once,
         a_schema_that_takes_too_many_operations_is_unusable);
}
