/* What stands at a path of a JSON text; and that it is what the scanner takes. */
#include <stdlib.h>
#include <string.h>

#include "core/json_path.h"
#include "tests/harness.h"
#include "tests/reading.h"

/* path, text with ' for ", value or NULL */
static const char *const cases[][3] = {
    {"x", "{'x':1}", "1"},
    {"x", "{ 'a' : [1,{'x':2}], 'x' :\t1.50 }", "1.50"},
    {"x", "{'y':1}", NULL},
    {"x", "{}", NULL},
    {"x", "{'x':1,'x':2}", "2"},
    {"a.b", "{'a':{'b':'t\\u0041'}}", "'t\\u0041'"},
    {"a.b", "{'a':null}", "null"},
    {"a.b", "{'a':7}", "7"},
    {"a.b", "{'a':[{'b':1}]}", "[{'b':1}]"},
    {"a.b", "{'a':{'c':1}}", NULL},
    {"a[1]", "{'a':[1, 2 ,3]}", "2"},
    {"a[3]", "{'a':[1,2,3]}", NULL},
    {"a[1].b[0]", "{'a':[1,{'b':[{}]}]}", "{}"},
    {"a[\"k.l\"]", "{'a':{'k.l':true}}", "true"},
    {"x", "{'\\u0078':1}", "1"},
    {"x", "{'x':1,'y':", "1"},
    {"x", "{'y':[1,2},'x':1}", NULL},
    {"x", "{'x':[1,2", NULL},
    {"a.x", "{'a':{'x':3,'y':", "3"},
    {"a.x", "{'a':{'x':3}", "3"},
    {"x", "{'x':12", NULL},
    {"x", "{'x':1.", NULL},
    {"x", "{'x':1e+", NULL},
    {"x", "{'x':true", "true"},
    {"x", "7", "7"},
    {"x", "", NULL},
};

enum { CASES = sizeof cases / sizeof cases[0] };

START_TEST(a_path_leads_to_its_text)
{
    char *text = reading_quoted(cases[_i][1]),
         *want = cases[_i][2] ? reading_quoted(cases[_i][2]) : NULL;
    size_t len = strlen(text);
    uint8_t *exact = events_exact(text, len);
    struct err err = ERR_INIT;
    struct slice value;
    struct path path;

    ck_assert_int_eq(path_parse(&path, cases[_i][0], strlen(cases[_i][0]), &err), 0);
    value.data = NULL;
    ck_assert_int_eq(json_path_find((struct slice){exact, len}, &path, &value), want != NULL);
    ck_assert_int_eq(value.data != NULL, want != NULL);
    if (want)
        ck_assert_msg(slice_equals(value, want, strlen(want)), "%.*s", (int)value.len, value.data);
    for (size_t cut = 0; cut < len; cut++) {
        uint8_t *part = events_exact(text, cut);
        if (json_path_find((struct slice){part, cut}, &path, &value))
            ck_assert(value.data >= part && value.data + value.len <= part + cut);
        free(part);
    }
    path_release(&path);
    free(exact);
    free(text);
    free(want);
}
END_TEST

SUITE(json_path)
{
    tcase_add_loop_test(harness_case(suite, "paths", NULL, 0), a_path_leads_to_its_text, 0, CASES);
}
