#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "schemas/avro_schema.h"
#include "tests/harness.h"
#include "tests/reading.h"

/* Parses text (' for ") from a copy of exactly its length; NULL and the words in err. */
static struct avro_schema *parse(const char *text, struct err *err)
{
    char *quoted = reading_quoted(text);
    uint8_t *exact = events_exact(quoted, strlen(quoted));
    struct avro_schema *schema;
    int result;

    *err = (struct err)ERR_INIT;
    result = avro_schema_parse(&schema, (const char *)exact, strlen(quoted), err);
    ck_assert_int_eq(result, schema ? 0 : -1);
    ck_assert_int_eq(err_is_set(err), schema == NULL);
    free(exact);
    free(quoted);
    return schema;
}

#define RECORD(fields) "{'type':'record','name':'R','fields':[" fields "]}"
#define FIELD(name, type) "{'name':'" name "','type':" type "}"

/* text, the root's kind, the least bytes of a value, how it is printed */
static const struct {
    const char *text;
    enum schema_kind kind;
    uint64_t min_size;
    const char *print;
} good[] = {
    {"'null'", SCHEMA_NULL, 0, "null"},
    {"'boolean'", SCHEMA_BOOLEAN, 1, "boolean"},
    {" 'int' ", SCHEMA_INT, 1, "int"},
    {"{'type':'long'}", SCHEMA_LONG, 1, "long"},
    {"{'type':{'type':'float'}}", SCHEMA_FLOAT, 4, "float"},
    {"{'type':'double','logicalType':'no-such-type','x':[1]}", SCHEMA_DOUBLE, 8, "double"},
    {"'bytes'", SCHEMA_BYTES, 1, "bytes"},
    {"'string'", SCHEMA_STRING, 1, "string"},
    {"{'type':'fixed','name':'F','size':16}", SCHEMA_FIXED, 16, "fixed F"},
    {"{'type':'fixed','name':'F','size':0}", SCHEMA_FIXED, 0, "fixed F"},
    {"{'type':'enum','name':'E','namespace':'a.b','symbols':['A','_9E']}", SCHEMA_ENUM, 1,
     "enum a.b.E"},
    {"{'type':'array','items':'double'}", SCHEMA_ARRAY, 1, "array"},
    {"{'type':'map','values':{'type':'map','values':'null'}}", SCHEMA_MAP, 1, "map"},
    {"['null','double']", SCHEMA_UNION, 1, "union [null, double]"},
    {"['null'," RECORD("") ",{'type':'fixed','name':'x.F','size':1}]", SCHEMA_UNION, 1,
     "union [null, R, x.F]"},
    {RECORD(""), SCHEMA_RECORD, 0, "record R"},
    {"{'type':'error','name':'R','fields':[]}", SCHEMA_RECORD, 0, "record R"},
    {RECORD(FIELD("a", "'double'") "," FIELD("b", "['null','R']") "," FIELD("c", "'string'")),
     SCHEMA_RECORD, 10, "record R"},
    {RECORD(FIELD("a", "{'type':'array','items':'R'}")), SCHEMA_RECORD, 1, "record R"},
    {RECORD(FIELD("a", "{'type':'fixed','name':'F','size':1073741824}") "," FIELD("b", "'F'")),
     SCHEMA_RECORD, 1ull << 31, "record R"},
    {RECORD("{'name':'a','type':'bytes','default':'\\u0000\\u00ff'}"), SCHEMA_RECORD, 1,
     "record R"},
    {RECORD("{'name':'a','type':'double','default':123456789012345678901234567890}"), SCHEMA_RECORD,
     8, "record R"},
    {RECORD("{'name':'a','type':'int','default':'not an int','order':'x','doc':7}"), SCHEMA_RECORD,
     1, "record R"},
};

START_TEST(what_avro_allows_is_read)
{
    struct err err;
    struct avro_schema *s = parse(good[_i].text, &err);
    char text[100];

    ck_assert_msg(s != NULL, "%s: %s", good[_i].text, err.text);
    ck_assert_int_eq(s->types[s->root].kind, good[_i].kind);
    ck_assert_uint_eq(s->types[s->root].min_size, good[_i].min_size);
    schema_type_print(s, s->root, text, sizeof text);
    ck_assert_str_eq(text, good[_i].print);
    schema_type_print(s, s->root, text, 4);
    ck_assert_uint_le(strlen(text), 3);
    avro_schema_free(s);
}
END_TEST

/* text, words of the refusal */
static const char *const bad[][2] = {
    {"", "not JSON"},
    {"{", "not JSON: line 1"},
    {"'int' 7", "not JSON"},
    {"{'type':'int','type':'int'}", "not JSON"},
    {"7", "a type is a name, a list of branches or an object"},
    {"null", "a type is a name"},
    {"{}", "without \"type\""},
    {"{'type':7}", "a type is a name"},
    {"'Unknown'", "type Unknown is not defined before it is used"},
    {"''", "an empty name"},
    {"'int\\u0000'", "a type is a name"},
    {"{'type':'fixed','name':'F\\u0000','size':1}", "a fixed without a name"},
    {"{'type':'enum','name':'E','symbols':['A','\\u0000']}", "symbol 1 is no text"},
    {RECORD("{'name':'a\\u0000','type':'int'}"), "without a name or a type"},
    {"'record'", "type record is not defined"},
    {"{'type':'record','fields':[]}", "a record without a name"},
    {"{'type':'record','name':7,'fields':[]}", "a record without a name"},
    {"{'type':'record','name':'','fields':[]}", "an empty name"},
    {"{'type':'record','name':'int','fields':[]}", "the name of a primitive type"},
    {"{'type':'record','name':'R'}", "record R without fields"},
    {"{'type':'record','name':'R','fields':{}}", "record R without fields"},
    {RECORD("7"), "a field of record R without a name or a type"},
    {RECORD("{'name':'a'}"), "a field of record R without a name or a type"},
    {RECORD("{'type':'int'}"), "a field of record R without a name or a type"},
    {RECORD(FIELD("a", "'int'") "," FIELD("a", "'int'")), "record R has two fields a"},
    {RECORD(FIELD("a", "'X'") "," FIELD("b", "{'type':'enum','name':'X','symbols':[]}")),
     "field a: type X is not defined before"},
    {RECORD(FIELD("a", "{'type':'fixed','name':'R','size':1}")), "type R is defined twice"},
    {RECORD(FIELD("a", "{'type':'array','items':{'type':'map','values':'X'}}")),
     "field a: items: values: type X"},
    {"{'type':'enum','symbols':[]}", "a enum without a name"},
    {"{'type':'enum','name':'E'}", "enum E without symbols"},
    {"{'type':'enum','name':'E','symbols':['A','B','A']}", "symbol 2 is no text or comes twice"},
    {"{'type':'enum','name':'E','symbols':[7]}", "symbol 0 is no text"},
    {"{'type':'fixed','name':'F'}", "size must be an integer"},
    {"{'type':'fixed','name':'F','size':-1}", "size must be an integer from 0"},
    {"{'type':'fixed','name':'F','size':1073741825}", "size must be an integer"},
    {"{'type':'fixed','name':'F','size':1.5}", "size must be an integer"},
    {"{'type':'array'}", "an array without items"},
    {"{'type':'map','items':'int'}", "a map without values"},
    {"[]", "a union without branches"},
    {"['int',['null']]", "a union directly inside a union"},
    {"['int','string','int']", "a union with two branches int"},
    {"[{'type':'array','items':'int'},{'type':'array','items':'long'}]", "two branches array"},
    {RECORD(FIELD("a", "'R'")), "record R contains itself without end"},
    {RECORD(FIELD("a", "['R']")), "record R contains itself without end"},
    {RECORD(FIELD("a", "{'type':'record','name':'S','fields':[" FIELD("b", "['R','S']") "]}")),
     "contains itself without end"},
};

START_TEST(what_avro_forbids_is_refused_in_words)
{
    struct err err;
    struct avro_schema *s = parse(bad[_i][0], &err);

    ck_assert_msg(s == NULL, "%s", bad[_i][0]);
    ck_assert_msg(strstr(err.text, bad[_i][1]) != NULL, "%s: %s", bad[_i][0], err.text);
    ck_assert_int_eq(err.kind, ERR_FATAL);
    ck_assert_int_eq(err.exit_code, EXIT_DATA);
}
END_TEST

START_TEST(a_name_is_looked_for_in_the_space_around_it)
{
    static const char *const found[] = {"'F'", "'a.b.F'", "'.F'", "'G'", "'c.G'"};
    struct err err;

    for (size_t i = 0; i < sizeof found / sizeof found[0]; i++) {
        char text[600];
        struct avro_schema *s;
        snprintf(text, sizeof text,
                 "{'type':'record','name':'a.b.R','namespace':'ignored','fields':["
                 "{'name':'f','type':{'type':'fixed','name':'F','size':1}},"
                 "{'name':'g','type':{'type':'record','name':'G','namespace':'c','fields':[]}},"
                 "{'name':'x','type':%s}]}",
                 found[i]);
        s = parse(text, &err);
        /* Neither a leading dot nor the name of another space is one of this space. */
        if (i == 2 || i == 3) {
            ck_assert_ptr_null(s);
            continue;
        }
        ck_assert_msg(s != NULL, "%s", err.text);
        const struct schema_type *r = &s->types[s->root];
        ck_assert_str_eq(r->name, "a.b.R");
        ck_assert_int_eq(r->fields[2].type, r->fields[i < 4 ? 0 : 1].type);
        ck_assert(s->types[r->fields[2].type].is_reused);
        ck_assert(!s->types[r->fields[i < 4 ? 1 : 0].type].is_reused);
        avro_schema_free(s);
    }
}
END_TEST

START_TEST(fields_are_found_by_name_and_keep_their_aliases_for_hints)
{
    struct err err;
    struct avro_schema *s =
        parse(RECORD("{'name':'a','aliases':['old',7,'older'],'type':'int'}," FIELD("b", "'long'")),
              &err);
    const struct schema_type *r = &s->types[s->root];

    ck_assert_int_eq(schema_field_find(r, "a"), 0);
    ck_assert_int_eq(schema_field_find(r, "b"), 1);
    ck_assert_int_eq(schema_field_find(r, "old"), SCHEMA_NONE);
    ck_assert_str_eq(r->fields[0].aliases, "old, older");
    ck_assert_ptr_null(r->fields[1].aliases);
    avro_schema_free(s);
}
END_TEST

START_TEST(a_schema_cut_at_every_byte_is_refused)
{
    static const char whole[] =
        RECORD(FIELD("a", "['null',{'type':'enum','name':'E','symbols':['A']}]") "," FIELD(
            "b", "{'type':'array','items':{'type':'fixed','name':'F','size':3}}"));
    char text[sizeof whole];
    struct err err;
    struct avro_schema *s;

    for (size_t len = 0; len < sizeof whole - 1; len++) {
        memcpy(text, whole, len);
        text[len] = '\0';
        ck_assert_msg(parse(text, &err) == NULL, "%zu bytes", len);
    }
    s = parse(whole, &err);
    ck_assert_ptr_nonnull(s);
    avro_schema_free(s);
}
END_TEST

START_TEST(a_name_may_have_1023_bytes)
{
    char text[3000];
    struct err err;

    for (int len = 1023; len <= 1024; len++) {
        struct avro_schema *s;
        snprintf(text, sizeof text, "{'type':'fixed','name':'%0*d','size':1}", len, 7);
        s = parse(text, &err);
        ck_assert_int_eq(s != NULL, len == 1023);
        ck_assert_str_eq(err.text, s ? "" : "a name of more than 1023 bytes");
        avro_schema_free(s);
    }
}
END_TEST

/* open, levels times; then the text inside; then close, levels times. */
static char *nested(const char *open, const char *inside, const char *close, size_t levels)
{
    char *text;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    for (size_t i = 0; i < levels; i++)
        fputs(open, out);
    fputs(inside, out);
    for (size_t i = 0; i < levels; i++)
        fputs(close, out);
    fclose(out);
    return text;
}

START_TEST(types_may_be_nested_in_64_levels)
{
    static const size_t levels[] = {63, 64, 1000, 20000};
    struct err err;

    for (size_t i = 0; i < 4; i++) {
        char *arrays = nested("{'type':'array','items':", "'int'", "}", levels[i]);
        char *objects = nested("{'type':", "'int'", "}", levels[i] + 1);
        struct avro_schema *a = parse(arrays, &err), *o = parse(objects, &err);
        ck_assert_int_eq(a != NULL, i == 0);
        ck_assert_int_eq(o != NULL, i == 0);
        avro_schema_free(a);
        avro_schema_free(o);
        free(arrays);
        free(objects);
    }
}
END_TEST

START_TEST(a_schema_of_more_than_a_mebibyte_is_not_looked_at)
{
    char *text = mem_alloc(SCHEMA_MAX_BYTES + 2, 1);
    struct avro_schema *s;
    struct err err;

    memset(text, ' ', SCHEMA_MAX_BYTES + 1);
    memcpy(text, "'int'", 5);
    ck_assert_ptr_null(parse(text, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "at most 1048576"));
    text[SCHEMA_MAX_BYTES] = '\0';
    s = parse(text, &err);
    ck_assert_ptr_nonnull(s);
    avro_schema_free(s);
    free(text);
}
END_TEST

/* Each record holds the one before it twice: 2^60 bytes at least, in 60 lines. */
START_TEST(least_sizes_grow_without_overflowing)
{
    char *text;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    struct avro_schema *s;
    struct err err;

    fputs("{'type':'record','name':'All','fields':[{'name':'r0','type':"
          "{'type':'record','name':'R0','fields':[{'name':'x','type':'double'}]}}",
          out);
    for (int i = 1; i < 70; i++)
        fprintf(out,
                ",{'name':'r%d','type':{'type':'record','name':'R%d','fields':["
                "{'name':'a','type':'R%d'},{'name':'b','type':'R%d'}]}}",
                i, i, i - 1, i - 1);
    fputs("]}", out);
    fclose(out);
    s = parse(text, &err);
    ck_assert_msg(s != NULL, "%s", err.text);
    ck_assert_uint_eq(s->types[s->root].min_size, UINT64_MAX);
    avro_schema_free(s);
    free(text);
}
END_TEST

SUITE(avro_schema)
{
    TCase *loops = harness_case(suite, "tables", NULL, 0);

    tcase_add_loop_test(loops, what_avro_allows_is_read, 0, sizeof good / sizeof good[0]);
    tcase_add_loop_test(loops, what_avro_forbids_is_refused_in_words, 0,
                        sizeof bad / sizeof bad[0]);
    CASE("names", a_name_is_looked_for_in_the_space_around_it,
         fields_are_found_by_name_and_keep_their_aliases_for_hints);
    CASE("bounds", a_schema_cut_at_every_byte_is_refused, types_may_be_nested_in_64_levels,
         a_name_may_have_1023_bytes, a_schema_of_more_than_a_mebibyte_is_not_looked_at,
         least_sizes_grow_without_overflowing);
}
