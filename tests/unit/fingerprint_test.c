/* Cases of Apache Avro's own share/test/data/schema-tests.txt, where Java computed the
 * fingerprints; the union without branches is left out, it is no schema here. */
#include <stdlib.h>
#include <string.h>

#include "core/schema_id.h"
#include "schemas/fingerprint.h"
#include "tests/harness.h"
#include "tests/reading.h"

/* schema and canonical form with ' for ", fingerprint */
static const struct {
    const char *schema, *canonical;
    int64_t fingerprint;
} cases[] = {
    {"'null'", "'null'", 7195948357588979594},
    {"{'type':'null'}", "'null'", 7195948357588979594},
    {"'boolean'", "'boolean'", -6970731678124411036},
    {"'int'", "'int'", 8247732601305521295},
    {"'long'", "'long'", -3434872931120570953},
    {"{'type':'long','logicalType':'timestamp-micros'}", "'long'", -3434872931120570953},
    {"'float'", "'float'", 5583340709985441680},
    {"'double'", "'double'", -8181574048448539266},
    {"'bytes'", "'bytes'", 5746618253357095269},
    {"'string'", "'string'", -8142146995180207161},
    {"[ 'int'  ]", "['int']", -5232228896498058493},
    {"[ 'int' , {'type':'boolean'} ]", "['int','boolean']", 5392556393470105090},
    {"{'fields':[], 'type':'record', 'name':'foo'}", "{'name':'foo','type':'record','fields':[]}",
     -4824392279771201922},
    {"{'fields':[], 'type':'record', 'name':'foo', 'namespace':'x.y'}",
     "{'name':'x.y.foo','type':'record','fields':[]}", 5916914534497305771},
    {"{'fields':[], 'type':'record', 'name':'a.b.foo', 'namespace':'x.y'}",
     "{'name':'a.b.foo','type':'record','fields':[]}", -4616218487480524110},
    {"{'fields':[], 'type':'record', 'name':'foo', 'doc':'foo', 'aliases':['foo','bar']}",
     "{'name':'foo','type':'record','fields':[]}", -4824392279771201922},
    {"{'fields':[{'type':{'type':'boolean'}, 'name':'f1'}], 'type':'record', 'name':'foo'}",
     "{'name':'foo','type':'record','fields':[{'name':'f1','type':'boolean'}]}",
     7843277075252814651},
    {"{ 'fields':[{'type':'boolean', 'aliases':[], 'name':'f1', 'default':'true'},\n"
     " {'order':'descending','name':'f2','doc':'Hello','type':'int'}],\n"
     " 'type':'record', 'name':'foo'\n}\n",
     "{'name':'foo','type':'record','fields':[{'name':'f1','type':'boolean'},"
     "{'name':'f2','type':'int'}]}",
     -4860222112080293046},
    {"{'type':'enum', 'name':'foo', 'symbols':['A1']}",
     "{'name':'foo','type':'enum','symbols':['A1']}", -6342190197741309591},
    {"{'namespace':'x.y.z', 'type':'enum', 'name':'foo', 'doc':'foo bar', 'symbols':['A1', 'A2']}",
     "{'name':'x.y.z.foo','type':'enum','symbols':['A1','A2']}", -4448647247586288245},
    {"{'name':'foo','type':'fixed','size':15}", "{'name':'foo','type':'fixed','size':15}",
     1756455273707447556},
    {"{'namespace':'x.y.z', 'type':'fixed', 'name':'foo', 'doc':'foo bar', 'size':32}",
     "{'name':'x.y.z.foo','type':'fixed','size':32}", -3064184465700546786},
    {"{ 'items':{'type':'null'}, 'type':'array'}", "{'type':'array','items':'null'}",
     -589620603366471059},
    {"{ 'values':'string', 'type':'map'}", "{'type':'map','values':'string'}",
     -8732877298790414990},
    {"{'name':'PigValue','type':'record',\n"
     "'fields':[{'name':'value', 'type':['null', 'int', 'long', 'PigValue']}]}\n",
     "{'name':'PigValue','type':'record','fields':[{'name':'value','type':['null','int','long',"
     "'PigValue']}]}",
     -1759257747318642341},
};

START_TEST(canonical_form_and_fingerprint_are_those_of_java)
{
    char *schema_text = reading_quoted(cases[_i].schema);
    char *want = reading_quoted(cases[_i].canonical), *got;
    struct err err = ERR_INIT;
    struct avro_schema *schema;
    size_t len;

    ck_assert_msg(avro_schema_parse(&schema, schema_text, strlen(schema_text), &err) == 0, "%s",
                  err.text);
    got = canonical_form(schema, &len);
    ck_assert_str_eq(got, want);
    ck_assert_uint_eq(len, strlen(want));
    ck_assert_int_eq((int64_t)fingerprint_of(schema), cases[_i].fingerprint);
    avro_schema_free(schema);
    free(schema_text);
    free(want);
    free(got);
}
END_TEST

/* id, is a fingerprint, text */
static const struct {
    int64_t id;
    bool is_fingerprint;
    const char *text;
} ids[] = {
    {0, false, "0"},
    {UINT32_MAX, false, "4294967295"},
    {0, true, "0000000000000000"},
    {7195948357588979594, true, "63dd24e7cc258f8a"},
    {-3434872931120570953, true, "d054e14493f41db7"},
};

START_TEST(an_id_is_decimal_and_a_fingerprint_hex)
{
    char text[SCHEMA_ID_TEXT_MAX];

    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        ck_assert_uint_eq(schema_id_print(text, ids[i].id, ids[i].is_fingerprint),
                          strlen(ids[i].text));
        ck_assert_str_eq(text, ids[i].text);
    }
}
END_TEST

SUITE(fingerprint)
{
    TCase *loops = harness_case(suite, "java", NULL, 0);

    tcase_add_loop_test(loops, canonical_form_and_fingerprint_are_those_of_java, 0,
                        sizeof cases / sizeof cases[0]);
    CASE("text", an_id_is_decimal_and_a_fingerprint_hex);
}
