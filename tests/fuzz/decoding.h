/* decoding.h: a model's features for the fuzz targets of decoding, and what holds of every row. */
#ifndef TESTS_FUZZ_DECODING_H
#define TESTS_FUZZ_DECODING_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"
#include "schemas/bind.h"
#include "tests/fuzz/fuzz.h"

enum { DECODING_FEATURES = 8, DECODING_CARRIES = 4 };

/* Short names, that a fuzzer hits; every kind of path and policy. Made once. */
static inline const struct features *decoding_features(void)
{
    static const char *const rules[DECODING_FEATURES] = {
        "x : number, required",    "a.b : number, optional",        "y | z : number, default 2",
        "l[1] : number, optional", "m[\"k\"].b : number, optional", "t : boolean, optional",
        "c : number, optional",    "x : number, optional"};
    static const char *const carries[DECODING_CARRIES] = {"s", "a.b", "m[\"k\"]", "x"};
    static struct features features;

    if (features.count == DECODING_FEATURES)
        return &features;
    features.items = mem_alloc(DECODING_FEATURES, sizeof *features.items);
    for (; features.count < DECODING_FEATURES; features.count++) {
        struct err err = ERR_INIT;
        feature_parse(&features.items[features.count], "f", rules[features.count], ".", &err);
        fuzz_expect(!err_is_set(&err), err.text);
    }
    features.items[6].type = FEATURE_CATEGORY; /* a table without a file */
    features.items[6].table = category_new();
    category_add(features.items[6].table, "A", 1, 0);
    category_add(features.items[6].table, "\xc3\xa9", 2, 1);
    /* Beside the row: texts for the score, and a time. */
    features.carries = mem_alloc(DECODING_CARRIES, sizeof *features.carries);
    for (; features.carry_count < DECODING_CARRIES; features.carry_count++) {
        struct err err = ERR_INIT;
        const char *text = carries[features.carry_count];
        path_parse(&features.carries[features.carry_count], text, strlen(text), &err);
        fuzz_expect(!err_is_set(&err), err.text);
    }
    features.has_time = true;
    return &features;
}

/* Whatever is carried lies inside the value, and can be printed. */
static inline void decoding_check_carried(const struct carried *carried)
{
    for (size_t i = 0; i < DECODING_CARRIES; i++) {
        if (carried[i].kind == CARRIED_NOTHING)
            continue;
        char *out = mem_alloc(carried_max(&carried[i]), 1);
        size_t len = carried_print(&carried[i], out);
        fuzz_expect(len <= carried_max(&carried[i]), "what is carried has room");
        fuzz_expect(utf8_is_valid((const uint8_t *)out, len), "what is carried is UTF-8");
        free(out);
    }
}

static inline void decoding_check(struct outcome outcome, const float *row, size_t len)
{
    fuzz_expect(outcome.kind == OUTCOME_SCORED || outcome.kind == OUTCOME_DEAD, "scored or dead");
    fuzz_expect((outcome.kind == OUTCOME_DEAD) == (outcome.fault != FAULT_NONE), "dead of a fault");
    fuzz_expect(outcome.at <= len, "the place of a fault is in the value");
    for (size_t i = 0; outcome.kind == OUTCOME_SCORED && i < DECODING_FEATURES; i++)
        fuzz_expect(!isinf(row[i]) && !bind_is_fault(row[i]), "rows are finite or missing");
}

/* The same value gives the same outcome and row whatever came between. */
static inline void decoding_check_again(struct outcome a, const float *a_row, struct outcome b,
                                        const float *b_row)
{
    fuzz_expect(memcmp(&a, &b, sizeof a) == 0, "the outcome is the same again");
    if (a.kind == OUTCOME_SCORED)
        fuzz_expect(memcmp(a_row, b_row, DECODING_FEATURES * sizeof *a_row) == 0,
                    "the row is the same again");
}

#endif
