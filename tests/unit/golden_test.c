/* Golden rows: a bundle that gives other bits than it must is refused, with file and line. */
#include <stdio.h>
#include <string.h>

#include "scoring/golden.h"
#include "tests/fixture.h"
#include "tests/harness.h"
#include "tests/models.h"

/* The fixture's bundle: x < 1 has the margin -0.5, the score 0.377540678. */
static int load(struct bundle **bundle, const char *goldens, size_t len, struct err *err)
{
    const char *folder = harness_folder();
    char copy[300];

    snprintf(copy, sizeof copy, "%s", folder);
    fixture_bundle(copy);
    harness_write(copy, "golden.jsonl", goldens, len);
    return bundle_load(bundle, copy, NULL, err);
}

static const char *refusal(const char *goldens, size_t len)
{
    static struct err err;
    struct bundle *bundle;

    err = (struct err)ERR_INIT;
    if (load(&bundle, goldens, len, &err) == 0) {
        bundle_free(bundle);
        return "";
    }
    ck_assert_int_eq(err.exit_code, EXIT_DATA);
    return strstr(err.text, "golden.jsonl:");
}

static const struct {
    const char *lines, *why; /* "": passes */
} cases[] = {
    {"", ""},
    {"\n\n", ""},
    {"{\"margin\":-0.5,\"score\":0.377540678,\"row\":[0]}\n", ""},
    {"{\"margin\":-0.5,\"row\":[0]}", ""},
    {"{\"score\":0.377540678,\"row\":[0]}\r\n", ""},
    {" {\"margin\":-5E-1 , \"row\":[null], \"shape\":\"v1\", \"tags\":[{}]}\n", ""},
    {"{\"margin\":0.5,\"row\":[1]}\n{\"margin\":-0.5,\"event\":{\"x\":1}}\n", ""},
    /* one bit of the margin, two units of the score */
    {"{\"margin\":-0.49999997,\"row\":[0]}\n",
     "golden.jsonl:1: the margin is -0.5, must be -0.49999997"},
    {"{\"margin\":-0.50000006,\"row\":[0]}\n",
     "golden.jsonl:1: the margin is -0.5, must be -0.50000006"},
    {"{\"score\":0.377540708,\"row\":[0]}\n", ""},
    {"{\"score\":0.377540648,\"row\":[0]}\n", ""},
    {"{\"score\":0.377540737,\"row\":[0]}\n",
     "golden.jsonl:1: the score is 0.377540678, must be 0.377540737"},
    {"{\"score\":0.377540618,\"row\":[0]}\n",
     "golden.jsonl:1: the score is 0.377540678, must be 0.377540618"},
    {"{\"score\":-0.377540678,\"row\":[0]}\n",
     "golden.jsonl:1: the score is 0.377540678, must be -0.377540678"},
    {"\n{\"margin\":-0.5,\"row\":[0]}\n\n{\"margin\":-0.5,\"row\":[1]}\n",
     "golden.jsonl:4: the margin is 0.5, must be -0.5"},
    {"{\"margin\":-0.5,\"row\":[0,1]}\n",
     "golden.jsonl:1: byte 24: not JSON, or a row that has not 1 numbers or nulls"},
    {"{\"margin\":-0.5,\"row\":[]}\n",
     "golden.jsonl:1: byte 23: not JSON, or a row that has not 1 numbers or nulls"},
    {"{\"margin\":-0.5,\"row\":[\"0\"]}\n",
     "golden.jsonl:1: byte 22: not JSON, or a row that has not 1 numbers or nulls"},
    {"{\"margin\":\"-0.5\",\"row\":[0]}\n",
     "golden.jsonl:1: byte 10: not JSON, or a row that has not 1 numbers or nulls"},
    {"{\"row\":[0]}\n", "golden.jsonl:1: needs a margin or a score, and a row or an event"},
    {"{\"margin\":-0.5}\n", "golden.jsonl:1: needs a margin or a score, and a row or an event"},
    {"{}\n", "golden.jsonl:1: needs a margin or a score, and a row or an event"},
    {"[]\n", "golden.jsonl:1: byte 0: not JSON, or a row that has not 1 numbers or nulls"},
    {"{\"margin\":NaN,\"row\":[0]}\n",
     "golden.jsonl:1: byte 10: not JSON, or a row that has not 1 numbers or nulls"},
    {"{\"margin\":-0.5,\"row\":[0]}x\n",
     "golden.jsonl:1: byte 25: not JSON, or a row that has not 1 numbers or nulls"},
};

START_TEST(each_line_passes_or_is_said)
{
    ck_assert_str_eq(refusal(cases[_i].lines, strlen(cases[_i].lines)), cases[_i].why);
}
END_TEST

START_TEST(events_are_kept_as_they_are_written)
{
    static const char text[] =
        "{\"margin\":-0.5,\"event\": {\"x\": 0, \"y\":[1,{}]} ,\"row\":[0]}\n"
        "{\"margin\":0.5,\"row\":[7]}\n";
    struct err err = ERR_INIT;
    struct bundle *b;

    ck_assert_msg(load(&b, text, sizeof text - 1, &err) == 0, "%s", err.text);
    ck_assert_uint_eq(b->golden_count, 2);
    ck_assert_str_eq(b->goldens[0].event, "{\"x\": 0, \"y\":[1,{}]}");
    ck_assert_uint_eq(b->goldens[0].event_len, strlen(b->goldens[0].event));
    ck_assert_ptr_null(b->goldens[1].event);
    ck_assert_int_eq(b->goldens[1].line, 2);
    ck_assert_bits(b->goldens[1].row[0], 7);
    bundle_free(b);
}
END_TEST

/* What pipeline/ asks for events: with a margin that differs in one bit. */
START_TEST(an_event_that_gives_other_bits_is_said_with_its_line)
{
    static const char text[] = "\n{\"margin\":-0.5,\"event\":{\"x\":0}}\n";
    struct err err = ERR_INIT;
    struct bundle *b;

    ck_assert_int_eq(load(&b, text, sizeof text - 1, &err), 0);
    ck_assert_int_eq(golden_compare(b, &b->goldens[0], &(double){-0.5}, &(double){0.1}, &err), 0);
    ck_assert_int_ne(
        golden_compare(b, &b->goldens[0], &(double){(double)-0.49999997f}, &(double){0.1}, &err),
        0);
    ck_assert_ptr_nonnull(
        strstr(err.text, "golden.jsonl:2: the margin is -0.49999997, must be -0.5"));
    bundle_free(b);
}
END_TEST

START_TEST(a_file_cut_at_every_byte_loads_or_says_its_line)
{
    static const char text[] = "{\"margin\":-0.5,\"score\":0.377540678,\"row\":[0]}\n"
                               "{\"margin\":0.5,\"row\":[1],\"event\":{\"x\":1}}\n";
    const char *first_end = strchr(text, '\n');

    for (size_t len = 1; len < sizeof text - 2; len++) {
        bool is_whole = len == (size_t)(first_end - text) || text + len == first_end + 1;
        const char *why = refusal(text, len);
        ck_assert_msg((why[0] == '\0') == is_whole, "%zu: %s", len, why);
        if (!is_whole)
            ck_assert_int_eq(why[13], text + len > first_end ? '2' : '1');
    }
}
END_TEST

SUITE(golden)
{
    TCase *loop;

    CASE("events", events_are_kept_as_they_are_written,
         an_event_that_gives_other_bits_is_said_with_its_line);
    CASE("damage", a_file_cut_at_every_byte_loads_or_says_its_line);
    loop = harness_case(suite, "lines", NULL, 0);
    tcase_add_loop_test(loop, each_line_passes_or_is_said, 0, sizeof cases / sizeof cases[0]);
}
