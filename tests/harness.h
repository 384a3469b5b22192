/* harness.h: what every Check suite shares.
 *
 * A suite is a file that ends with SUITE(name) and lists its cases; a new file needs no edit
 * elsewhere:
 *
 *   START_TEST(base_waits_for_the_oldest) { ... } END_TEST
 *   SUITE(ledger) { CASE("gaps", base_waits_for_the_oldest, another_test); }
 *
 * Run one: make test S=ledger C=gaps
 */
#ifndef TESTS_HARNESS_H
#define TESTS_HARNESS_H

#include <check.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SUITE(name)                                                                                \
    static void name##_cases(Suite *suite);                                                        \
    __attribute__((constructor)) static void name##_register(void)                                 \
    {                                                                                              \
        harness_register(#name, name##_cases);                                                     \
    }                                                                                              \
    static void name##_cases(Suite *suite)

#define CASE(name, ...)                                                                            \
    harness_case(suite, name, (const TTest *const[]){__VA_ARGS__},                                 \
                 sizeof((const TTest *const[]){__VA_ARGS__}) / sizeof(const TTest *))

void harness_register(const char *name, void (*cases)(Suite *suite));

/* Adds a case with its tests and returns it, for fixtures, loops and time-outs. */
TCase *harness_case(Suite *suite, const char *name, const TTest *const *tests, size_t count);

/* Time-outs are multiplied by $KSCORE_TEST_SLOW (1): sanitizers and busy machines are slow. */
double harness_slowness(void);

/* When a test that waits gives up, on clock_ms: 30 s, times the slowness. */
int64_t harness_deadline(void);

/* 10 ms for others, between two looks at a condition that has a deadline. */
void harness_breathe(void);

/* A new empty folder below $TMPDIR, removed when the program ends well. Static buffer per call:
 * copy. */
const char *harness_folder(void);

/* Writes a file into folder; text is len bytes. Returns its path in a static buffer. */
const char *harness_write(const char *folder, const char *name, const void *text, size_t len);

/* $KSCORE_DATA or ../shared/data, NULL when neither is a folder: tests that need it say so and are
 * counted as skipped. */
const char *harness_data(void);

/* Says once that this test was skipped and why, and counts it. Return after calling. */
void harness_skip(const char *why);

/* How members of a group assign, as a line for [consumer]: $KSCORE_ASSIGNMENT, "" for the default.
 */
const char *harness_assignment(void);

/* Checks that two float32 are the same bits; says both in hex when not. */
#define ck_assert_bits(got, want) harness_assert_bits(__FILE__, __LINE__, got, want)
void harness_assert_bits(const char *file, int line, float got, float want);

#endif
