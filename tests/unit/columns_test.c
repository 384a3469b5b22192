/* CSV lines become the JSON events that the decoder judges. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/columns.h"
#include "scoring/bundle.h"
#include "tests/events.h"
#include "tests/fixture.h"
#include "tests/harness.h"

static struct features features;
static struct columns columns;

static void open_columns(void)
{
    features = EVENTS_FEATURES(NULL, "x = x | old.x : number, required",
                               "is_late = is_late : boolean, required",
                               "temp = weather.temp : number, optional");
    columns_init(&columns, &features);
}

static void close_columns(void)
{
    columns_release(&columns);
    features_release(&features);
}

static int read_heading(const char *line, struct err *err)
{
    return columns_read_heading(&columns, line, strlen(line), err);
}

static const struct {
    const char *heading, *line, *event; /* event NULL: the line does not match the heading */
} lines[] = {
    {"x,is_late,weather.temp", "1,true,73.9", "{\"x\":1,\"is_late\":true,\"weather.temp\":73.9}"},
    {"weather.temp,x", "73.9,1", "{\"weather.temp\":73.9,\"x\":1}"},
    {"x,is_late,weather.temp", "1,,", "{\"x\":1,\"is_late\":null,\"weather.temp\":null}"},
    {"x,weather.temp", "nan,NaN", "{\"x\":null,\"weather.temp\":null}"},
    {"old.x", "-2.5e3", "{\"old.x\":-2.5e3}"},
    {"other,x", "anything,1", "{\"x\":1}"},
    {"other,x,other", "\"a,\"\"b\",1,", "{\"x\":1}"},
    {"\"x\",\"is_late\"", "\"1\",\"false\"", "{\"x\":1,\"is_late\":false}"},
    /* What is no number or boolean stays a text, for the decoder to refuse. */
    {"x,is_late", "1.,TRUE", "{\"x\":\"1.\",\"is_late\":\"TRUE\"}"},
    {"x,is_late", " 1,0", "{\"x\":\" 1\",\"is_late\":\"0\"}"},
    {"x", "a\"b\\c\t", "{\"x\":\"a\\\"b\\\\c\\t\"}"},
    {"x", "1,\"y\":2", NULL},
    {"x", "\xff", "{\"x\":\"\xef\xbf\xbd\"}"},
    {"x", "", "{\"x\":null}"},
    {"x,is_late", "1", NULL},
    {"x,is_late", "1,true,2", NULL},
    {"x,is_late", "1,\"true", NULL},
    {"x,is_late", "\"1\"2,true", NULL},
    {"x", "\"", NULL},
    /* Spreadsheets begin a file with a byte order mark. */
    {"\xef\xbb\xbfx,is_late", "1,true", "{\"x\":1,\"is_late\":true}"},
};

START_TEST(a_line_becomes_an_event)
{
    struct err err = ERR_INIT;
    struct slice event;
    size_t len = strlen(lines[_i].line);
    uint8_t *line = events_exact(lines[_i].line, len);
    bool is_event;

    ck_assert_msg(read_heading(lines[_i].heading, &err) == 0, "%s", err.text);
    is_event = columns_to_json(&columns, (const char *)line, len, &event);
    free(line);
    ck_assert(is_event == (lines[_i].event != NULL));
    if (is_event)
        ck_assert_msg(slice_equals(event, lines[_i].event, strlen(lines[_i].event)), "%.*s",
                      (int)event.len, (const char *)event.data);
}
END_TEST

START_TEST(lines_of_any_length_follow_each_other)
{
    enum { LEN = 100000 };
    struct err err = ERR_INIT;
    struct slice event;
    char *line = malloc(LEN);

    ck_assert_int_eq(read_heading("other,x", &err), 0);
    memset(line, '\x01', LEN);
    memcpy(line + LEN - 2, ",1", 2);
    for (int i = 0; i < 2; i++) {
        ck_assert(columns_to_json(&columns, line, LEN, &event));
        ck_assert(slice_equals(event, "{\"x\":1}", 7));
        ck_assert(columns_to_json(&columns, "a,2", 3, &event));
        ck_assert(slice_equals(event, "{\"x\":2}", 7));
    }
    memcpy(line, "a,", 2);
    line[LEN - 2] = '\x01';
    line[LEN - 1] = '\x01';
    ck_assert(columns_to_json(&columns, line, LEN, &event));
    ck_assert_uint_eq(event.len, (LEN - 2) * 6 + 8); /* each byte is escaped as \u0001 */
    free(line);
}
END_TEST

static const struct {
    const char *heading, *want;
} faults[] = {
    {"", "CSV heading: no column feeds a feature; the first line names them, such as x"},
    {"a,b", "CSV heading: no column feeds a feature; the first line names them, such as x"},
    {"x,x", "CSV heading: column \"x\" comes twice"},
    {"x,\"y", "CSV heading: a quote is not closed"},
};

START_TEST(a_heading_that_cannot_be_is_said)
{
    struct err err = ERR_INIT;

    ck_assert_int_eq(read_heading(faults[_i].heading, &err), -1);
    ck_assert_int_eq(err.exit_code, EXIT_DATA);
    ck_assert_str_eq(err.text, faults[_i].want);
}
END_TEST

START_TEST(a_bare_model_takes_its_own_feature_names)
{
    const char *folder = harness_folder();
    struct err err = ERR_INIT;
    struct features own = {0};
    struct bundle *bundle;

    fixture_bundle(folder);
    ck_assert_msg(bundle_load(&bundle, folder, NULL, &err) == 0, "%s", err.text);
    columns_of_model(&own, bundle->model);
    ck_assert_uint_eq(own.count, 1);
    ck_assert_str_eq(own.items[0].name, "x");
    ck_assert_int_eq(own.items[0].type, FEATURE_NUMBER);
    ck_assert(isnan(own.items[0].missing));
    features_release(&own);
    bundle_free(bundle);
}
END_TEST

SUITE(columns)
{
    TCase *tcase;

    tcase = CASE("lines", lines_of_any_length_follow_each_other);
    tcase_add_checked_fixture(tcase, open_columns, close_columns);
    tcase_add_loop_test(tcase, a_line_becomes_an_event, 0, sizeof lines / sizeof lines[0]);
    tcase = harness_case(suite, "heading", NULL, 0);
    tcase_add_checked_fixture(tcase, open_columns, close_columns);
    tcase_add_loop_test(tcase, a_heading_that_cannot_be_is_said, 0,
                        sizeof faults / sizeof faults[0]);
    CASE("model", a_bare_model_takes_its_own_feature_names);
}
