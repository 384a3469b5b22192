#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "tests/harness.h"

/* Steele and Vigna's SplitMix64: small, seeded, the same everywhere. */
static uint64_t draw(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static void assert_same(const char *text, double got, double want)
{
    uint64_t a, b;

    memcpy(&a, &got, 8);
    memcpy(&b, &want, 8);
    if (a != b)
        ck_abort_msg("%.60s: got %.17g, want %.17g", text, got, want);
}

/* What may stand behind a number: far from the end of the text it is read eight bytes at a time. */
static const char behind[] = ",1234567890123456789012345678901234567890123456789012345678901234";

/* Both readers against the C library's, at the end of a text and far from it. */
static void check(const char *text)
{
    size_t len = strlen(text), lens[] = {len, len + sizeof behind - 1};
    char longer[2600];
    double value;
    float narrow;

    ck_assert_int_lt(snprintf(longer, sizeof longer, "%s%s", text, behind), sizeof longer);
    for (int i = 0; i < 2; i++) {
        if (number_parse(longer, lens[i], &value) != len)
            ck_abort_msg("%.60s: not taken whole", text);
        assert_same(text, value, strtod(text, NULL));
        if (number_parse_float(longer, lens[i], &narrow) != len)
            ck_abort_msg("%.60s: not taken whole as a float", text);
        assert_same(text, (double)narrow, (double)strtof(text, NULL));
    }
}

/* A random finite double: all bits, or few digits, or an integer, or near one. */
static double draw_double(uint64_t *state)
{
    uint64_t bits = draw(state);
    double value;

    switch (draw(state) % 5) {
    case 0: memcpy(&value, &bits, 8); return isfinite(value) ? value : 1;
    case 1: return (double)(int64_t)(bits % 2000001) / 1000 - 1000;
    case 2: return (double)(int64_t)bits;
    case 3: return (double)(float)((double)(bits >> 11) * 0x1p-53);
    default: return ldexp((double)(bits >> 11), (int)(draw(state) % 200) - 150);
    }
}

START_TEST(doubles_written_in_many_shapes_read_as_strtod_reads_them)
{
    static const char *const shapes[] = {"%.17g", "%.16g", "%.15g", "%.9g",  "%.6g",
                                         "%.1e",  "%.25e", "%.40g", "%.18e", "%.3f"};
    uint64_t state = 1;
    char text[500];

    for (int i = 0; i < 60000; i++) {
        snprintf(text, sizeof text, shapes[i % 10], draw_double(&state));
        check(text);
    }
}
END_TEST

/* Digits and exponents at random: not what a printer would write. */
START_TEST(random_decimals_read_as_strtod_reads_them)
{
    uint64_t state = 2;
    char text[100];

    for (int i = 0; i < 60000; i++) {
        size_t len = 0, digits = 1 + draw(&state) % 30, point = draw(&state) % 30;
        if (draw(&state) & 1)
            text[len++] = '-';
        text[len++] = (char)('1' + draw(&state) % 9);
        for (size_t k = 1; k < digits; k++) {
            if (k == point)
                text[len++] = '.';
            text[len++] = (char)('0' + draw(&state) % 10);
        }
        snprintf(text + len, sizeof text - len, "e%d", (int)(draw(&state) % 700) - 350);
        check(text);
    }
}
END_TEST

/* Halfway between two neighbours, and a hair to each side: the place where two roundings go wrong.
 * The hair is far behind: digits 60 to 1100. */
static void check_midpoint(double low, double high, size_t far)
{
    char text[2500];
    size_t len;

    /* The sum of two neighbouring doubles halves exactly in a long double. */
    snprintf(text, sizeof text, "%.1100Lf", ((long double)low + (long double)high) / 2);
    check(text); /* a tie, with up to 1100 zeros behind */
    len = strlen(text) - 1100 + far;
    text[len] = '1';
    text[len + 1] = '\0';
    check(text);
}

START_TEST(midpoints_round_to_even_however_many_digits_follow)
{
    uint64_t state = 3;

    for (int i = 0; i < 300; i++) {
        double low = (double)(1 + (draw(&state) >> 11));
        float low_float = (float)(1 + draw(&state) % 1000000) * 0x1p-20f;
        check_midpoint(low, nextafter(low, INFINITY), 60 + draw(&state) % 1000);
        check_midpoint((double)low_float, (double)nextafterf(low_float, INFINITY),
                       60 + draw(&state) % 1000);
    }
}
END_TEST

START_TEST(zeros_behind_a_tie_do_not_decide_it)
{
    char text[1200];

    /* 2^53 + 1 lies between two doubles; a thousand zeros say nothing more. */
    memset(text, '0', sizeof text);
    memcpy(text, "9007199254740993.", 17);
    text[1100] = '\0';
    check(text);
    text[1099] = '1';
    check(text);
    memset(text, '0', sizeof text);
    memcpy(text, "16777217.", 9); /* the same for float32 */
    text[1100] = '\0';
    check(text);
}
END_TEST

START_TEST(numbers_of_1100_digits_are_exact)
{
    uint64_t state = 4;
    char text[1300];

    for (int i = 0; i < 500; i++) {
        size_t point = 1 + draw(&state) % 1099;
        text[0] = (char)('1' + draw(&state) % 9);
        for (size_t k = 1; k < 1101; k++)
            text[k] = (char)('0' + draw(&state) % 10);
        text[point] = '.';
        snprintf(text + 1101, sizeof text - 1101, "e%d", -(int)(draw(&state) % 1400));
        check(text);
    }
}
END_TEST

START_TEST(the_ends_of_the_range_are_exact)
{
    static const char *const texts[] = {
        "0",
        "-0",
        "0.0",
        "-0.000e5",
        "0e999999999999999999999",
        "1e999",
        "-1e999",
        "1e400",
        "1e308",
        "1.7976931348623157e308",
        "1.7976931348623158e308",
        "1.7976931348623159e308",
        "179769313486231580793728971405303415079934132710037826936173778980444968292764750946649",
        "2.2250738585072014e-308",
        "2.2250738585072011e-308",
        "4.9406564584124654e-324",
        "2.4703282292062327e-324",
        "2.4703282292062328e-324",
        "1e-400",
        "1e-999999999999999999999",
        "3.4028234663852886e38",
        "3.4028235677973366e38",
        "3.4028235677973365e38",
        "1.17549435e-38",
        "1.1754943e-38",
        "1.401298464324817e-45",
        "7.006492321624085e-46",
        "7.006492321624086e-46",
        "18446744073709551615",
        "18446744073709551616",
        "9999999999999999999",
        "99999999999999999999",
        "1E5",
        "1e+05",
        "1e-05",
        "123456789.123456789e-9"};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        check(texts[i]);
}
END_TEST

START_TEST(zeros_and_exponents_may_cancel_however_long)
{
    enum { ZEROS = 100000 };
    char *text = malloc(ZEROS + 100);
    double value;

    ck_assert_ptr_nonnull(text);
    memcpy(text, "0.", 2);
    memset(text + 2, '0', ZEROS);
    strcpy(text + 2 + ZEROS, "15e100001");
    ck_assert_uint_eq(number_parse(text, strlen(text), &value), strlen(text));
    ck_assert_double_eq(value, 1.5);
    text[0] = '1';
    memset(text + 1, '0', ZEROS);
    strcpy(text + 1 + ZEROS, "e-100000");
    ck_assert_uint_eq(number_parse(text, strlen(text), &value), strlen(text));
    ck_assert_double_eq(value, 1);
    free(text);
}
END_TEST

/* text, and how much of it is a number */
static const struct {
    const char *text;
    size_t taken;
} grammar[] = {
    {"", 0},      {"-", 0},     {"+1", 0},    {".5", 0},   {"1.", 0},       {"1.e5", 0},
    {"01", 0},    {"00", 0},    {"-01", 0},   {"1e", 0},   {"1e+", 0},      {"1e-", 0},
    {"1ex", 0},   {"e5", 0},    {"--1", 0},   {" 1", 0},   {"NaN", 0},      {"Infinity", 0},
    {"inf", 0},   {"0x10", 1},  {"1,2", 1},   {"1 ", 1},   {"12]", 2},      {"0", 1},
    {"-0", 2},    {"0.5", 3},   {"1e5", 3},   {"1E+5", 4}, {"1.25e-3,", 7}, {"0e0", 3},
    {"1.5.5", 3}, {"1e5e5", 3}, {"1e5.5", 3}, {"-5x", 2},  {"10", 2},       {"-0.0e-0", 7},
};

START_TEST(the_grammar_is_that_of_json)
{
    size_t len = strlen(grammar[_i].text), lens[] = {len, len + sizeof behind - 1};
    char longer[100];
    double value;
    float narrow;

    snprintf(longer, sizeof longer, "%s%s", grammar[_i].text, behind);
    for (int i = 0; i < 2; i++) {
        ck_assert_msg(number_parse(longer, lens[i], &value) == grammar[_i].taken, "\"%s\"",
                      grammar[_i].text);
        if (longer[0] != 'N' && longer[0] != 'I')
            ck_assert_uint_eq(number_parse_float(longer, lens[i], &narrow), grammar[_i].taken);
    }
}
END_TEST

/* The text is not NUL-terminated: no reader may look behind its end. */
START_TEST(a_number_cut_at_every_byte_stays_inside)
{
    static const char whole[] = "-123.456e+789";

    for (size_t len = 0; len < sizeof whole; len++) {
        char *copy = malloc(len ? len : 1), text[sizeof whole + 1];
        double value;
        size_t taken;
        ck_assert_ptr_nonnull(copy);
        memcpy(copy, whole, len);
        memcpy(text, whole, len);
        text[len] = '\0';
        taken = number_parse(copy, len, &value);
        ck_assert(taken == 0 || taken == len || (taken == sizeof whole - 1));
        if (taken == len && len > 0)
            assert_same(text, value, strtod(text, NULL));
        free(copy);
    }
}
END_TEST

START_TEST(xgboost_writes_nan_and_infinity_in_model_files)
{
    float value;

    ck_assert_uint_eq(number_parse_float("NaN,", 4, &value), 3);
    ck_assert(isnan(value));
    ck_assert_uint_eq(number_parse_float("Infinity", 8, &value), 8);
    ck_assert(isinf(value) && value > 0);
    ck_assert_uint_eq(number_parse_float("-Infinity", 9, &value), 9);
    ck_assert(isinf(value) && value < 0);
    ck_assert_uint_eq(number_parse_float("Na", 2, &value), 0);
    ck_assert_uint_eq(number_parse_float("Infinit", 7, &value), 0);
    ck_assert_uint_eq(number_parse_float("-Infinit", 8, &value), 0);
}
END_TEST

/* A float32 as XGBoost writes it is the shortest text that reads back; nine digits always do. */
START_TEST(floats_of_all_sizes_read_back_from_nine_digits)
{
    char text[40];

    for (uint64_t bits = 0; bits < UINT64_C(1) << 32; bits += 30011) {
        uint32_t low = (uint32_t)bits;
        float value;
        memcpy(&value, &low, sizeof value);
        if (!isfinite(value))
            continue;
        snprintf(text, sizeof text, "%.8E", (double)value);
        check(text);
    }
}
END_TEST

static size_t count_digits(const char *text)
{
    size_t count = 0, zeros = 0;

    for (; *text && *text != 'e'; text++) {
        if (*text < '0' || *text > '9')
            continue;
        if (count > 0 || *text != '0')
            count++;
        zeros = *text == '0' ? zeros + 1 : 0;
    }
    return count > zeros ? count - zeros : 1;
}

/* Reads back to the same bits, in no more digits than the shortest "%.Ng" that does, and as near as
 * it. */
static void check_print(double value)
{
    char text[NUMBER_TEXT_MAX + 1], other[40];
    size_t len = number_print(text, value);
    int precision = 1;

    ck_assert_uint_le(len, 25);
    text[len] = '\0';
    assert_same(text, strtod(text, NULL), value);
    while (snprintf(other, sizeof other, "%.*g", precision, value) > 0 &&
           strtod(other, NULL) != value)
        precision++;
    if (value != 0 && count_digits(text) > (size_t)precision)
        ck_abort_msg("%s has more digits than %s", text, other);
    /* Of the shortest, the nearest: %.Ng of that length is it, when it reads back. */
    if (value != 0 && count_digits(text) == (size_t)precision)
        assert_same(text, strtod(text, NULL), strtod(other, NULL));
}

START_TEST(printed_doubles_are_the_shortest_that_read_back)
{
    uint64_t state = 5;

    for (int i = 0; i < 60000; i++)
        check_print(draw_double(&state));
    for (int e = -1074; e < 1024; e++) {
        double power = ldexp(1, e);
        check_print(power);
        check_print(-nextafter(power, 0));
        check_print(nextafter(power, INFINITY));
    }
    check_print(DBL_MAX);
    check_print(DBL_MIN);
    check_print(5e-324);
}
END_TEST

START_TEST(of_the_shortest_texts_the_nearest_is_printed)
{
    uint64_t state = 6;

    for (int i = 0; i < 30000; i++) {
        double value = draw_double(&state);
        char text[NUMBER_TEXT_MAX + 1], other[40];
        if (value == 0)
            continue;
        text[number_print(text, value)] = '\0';
        snprintf(other, sizeof other, "%.*e", (int)count_digits(text) - 1, value);
        if (strtod(other, NULL) != value)
            continue; /* %.Ne is not one of the candidates */
        if (fabsl(strtold(text, NULL) - (long double)value) >
            fabsl(strtold(other, NULL) - (long double)value))
            ck_abort_msg("%s is further from %.17g than %s", text, value, other);
    }
}
END_TEST

START_TEST(printed_numbers_look_as_people_expect)
{
    static const struct {
        double value;
        const char *text;
    } rows[] = {{0, "0.0"},
                {-0.0, "-0.0"},
                {1, "1.0"},
                {12, "12.0"},
                {0.25, "0.25"},
                {1e-7, "1e-7"},
                {0.0001, "0.0001"},
                {0.00001, "0.00001"},
                {123456.75, "123456.75"},
                {1e16, "10000000000000000.0"},
                {1e22, "1e22"},
                {1.5e300, "1.5e300"},
                {-2.5e-9, "-2.5e-9"},
                {NAN, "null"},
                {INFINITY, "null"},
                {-INFINITY, "null"},
                {0.1, "0.1"},
                {1.0 / 3, "0.3333333333333333"},
                {5e-324, "5e-324"},
                {DBL_MAX, "1.7976931348623157e308"}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[NUMBER_TEXT_MAX + 1];
        text[number_print(text, rows[i].value)] = '\0';
        ck_assert_str_eq(text, rows[i].text);
    }
}
END_TEST

START_TEST(the_fast_way_is_right_or_undecided)
{
    uint64_t state = 7;
    int undecided = 0;

    for (int i = 0; i < 60000; i++) {
        uint64_t digits = draw(&state) >> draw(&state) % 60;
        int exponent = (int)(draw(&state) % 61) - 30;
        double value;
        char text[60];
        digits %= UINT64_C(10000000000000000000);
        snprintf(text, sizeof text, "%llue%d", (unsigned long long)digits, exponent);
        if (number_fast(digits, exponent, &value))
            assert_same(text, value, strtod(text, NULL));
        else
            undecided++;
    }
    ck_assert_int_lt(undecided, 60000 / 5); /* those beyond 10^27, and a few ties */
}
END_TEST

SUITE(number)
{
    TCase *loop;

    CASE("shapes", doubles_written_in_many_shapes_read_as_strtod_reads_them,
         random_decimals_read_as_strtod_reads_them, floats_of_all_sizes_read_back_from_nine_digits,
         the_fast_way_is_right_or_undecided);
    CASE("ties", midpoints_round_to_even_however_many_digits_follow,
         zeros_behind_a_tie_do_not_decide_it);
    CASE("limits", numbers_of_1100_digits_are_exact, the_ends_of_the_range_are_exact,
         zeros_and_exponents_may_cancel_however_long);
    CASE("text", a_number_cut_at_every_byte_stays_inside,
         xgboost_writes_nan_and_infinity_in_model_files);
    CASE("print", printed_doubles_are_the_shortest_that_read_back,
         of_the_shortest_texts_the_nearest_is_printed, printed_numbers_look_as_people_expect);
    loop = harness_case(suite, "grammar", NULL, 0);
    tcase_add_loop_test(loop, the_grammar_is_that_of_json, 0, sizeof grammar / sizeof grammar[0]);
}
