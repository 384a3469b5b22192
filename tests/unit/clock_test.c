#include <inttypes.h>
#include <string.h>

#include "core/clock.h"
#include "tests/harness.h"

static const struct {
    int64_t ms;
    const char *text;
} stamps[] = {
    {0, "1970-01-01T00:00:00.000Z"},
    {1769860800250, "2026-01-31T12:00:00.250Z"},
    {-1, "1969-12-31T23:59:59.999Z"},
    {1709208000000, "2024-02-29T12:00:00.000Z"},
    {INT64_C(253402300799999), "9999-12-31T23:59:59.999Z"},
};

START_TEST(stamps_are_printed_and_read_back)
{
    char text[CLOCK_TEXT_MAX];
    int64_t ms;

    clock_print(text, stamps[_i].ms);
    ck_assert_str_eq(text, stamps[_i].text);
    ck_assert(clock_parse(text, &ms));
    ck_assert_int_eq(ms, stamps[_i].ms);
}
END_TEST

START_TEST(times_beyond_the_calendar_are_numbers)
{
    char text[CLOCK_TEXT_MAX];

    clock_print(text, INT64_MAX);
    ck_assert_str_eq(text, "9223372036854775807 ms");
    clock_print(text, INT64_MIN);
    ck_assert_str_eq(text, "-9223372036854775808 ms");
    clock_print(text, INT64_C(253402300800000));
    ck_assert_str_eq(text, "253402300800000 ms");
}
END_TEST

static const char *const no_stamps[] = {"",
                                        "2026-01-31",
                                        "2026-01-31T12:00:00",
                                        "2026-01-31T12:00:00z",
                                        "2026-01-31T12:00:00.1Z",
                                        "2026-01-31T12:00:00.1234Z",
                                        "2026-01-31T12:00:00.Z",
                                        "2026-01-31T12:00:00Z ",
                                        "2026-13-31T12:00:00Z",
                                        "yesterday"};

START_TEST(what_is_no_stamp_is_refused)
{
    int64_t ms;

    ck_assert_msg(!clock_parse(no_stamps[_i], &ms), "\"%s\"", no_stamps[_i]);
}
END_TEST

SUITE(clock)
{
    TCase *loops = harness_case(suite, "stamps", NULL, 0);

    tcase_add_loop_test(loops, stamps_are_printed_and_read_back, 0,
                        sizeof stamps / sizeof stamps[0]);
    tcase_add_loop_test(loops, what_is_no_stamp_is_refused, 0,
                        sizeof no_stamps / sizeof no_stamps[0]);
    CASE("range", times_beyond_the_calendar_are_numbers);
}
