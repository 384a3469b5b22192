/* The lines of what is suspected, and of its end. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "pipeline/watching.h"
#include "tests/harness.h"

enum { FEATURES = 30, ROWS = 300, GOOD = 100, MOST_LINES = 20 };

static struct {
    char begun[MOST_LINES][WATCHING_LINE_MAX], over[MOST_LINES][WATCHING_LINE_MAX];
    size_t begun_count, over_count;
} said;

static void hear(void *arg, const struct log_line *line)
{
    (void)arg;
    if (strcmp(line->event, "suspect") == 0 && said.begun_count < MOST_LINES)
        snprintf(said.begun[said.begun_count++], WATCHING_LINE_MAX, "%s", line->text);
    if (strcmp(line->event, "suspect_over") == 0 && said.over_count < MOST_LINES)
        snprintf(said.over[said.over_count++], WATCHING_LINE_MAX, "%s", line->text);
}

static char names[FEATURES][24];

/* All features have values in the first rows, and none in the rest. */
static void take_rows(struct watch *watch)
{
    static float matrix[ROWS * FEATURES];
    static double scores[ROWS];
    static struct record records[ROWS];
    static struct outcome outcomes[ROWS];
    static uint32_t rows[ROWS];

    for (size_t i = 0; i < ROWS; i++) {
        for (size_t f = 0; f < FEATURES; f++)
            matrix[i * FEATURES + f] = i < GOOD ? (float)(i + f) : NAN;
        scores[i] = (double)i;
        records[i] = (struct record){.topic = "in", .offset = (int64_t)i};
        outcomes[i] = outcome_scored();
        rows[i] = (uint32_t)i;
    }
    watch_take(watch, &(struct watch_batch){records, outcomes, rows, ROWS, matrix, scores, scores},
               clock_ms());
}

START_TEST(a_source_of_many_features_is_one_line_and_its_end_names_each)
{
    static struct feature features[FEATURES], other = {.name = (char *)"other", .missing = NAN};
    struct bundle bundle = {.name = (char *)"fraud",
                            .version = (char *)"1",
                            .features = {.items = features, .count = FEATURES},
                            .output_count = 1};
    struct bundle next = bundle;
    struct pipeline_options options = {0};
    struct shared shared = {.options = &options, .bundle = &bundle};
    struct pipeline *p = mem_alloc(1, sizeof *p);
    size_t named = 0;

    for (size_t f = 0; f < FEATURES; f++) {
        snprintf(names[f], sizeof names[f], "weather_feature_%02zu", f);
        features[f] = (struct feature){.name = names[f], .missing = NAN};
    }
    next.features = (struct features){.items = &other, .count = 1};
    log_set_level(LOG_ERROR);
    log_set_tap(hear, NULL);
    p->shared = &shared;
    p->bundle = &bundle;
    watching_open(p);
    take_rows(p->watch);
    watching_turn(p);
    ck_assert_uint_eq(said.begun_count, 1);
    ck_assert_ptr_nonnull(strstr(said.begun[0], "weather_feature_07,+22: no value since then"));
    watching_swap(p, watch_new(&next));
    for (size_t i = 0; i < said.over_count; i++) {
        ck_assert_ptr_null(strstr(said.over[i], ",+"));
        for (size_t f = 0; f < FEATURES; f++)
            named += strstr(strstr(said.over[i], " features="), names[f]) != NULL;
    }
    ck_assert_uint_eq(named, FEATURES);
    watching_close(p);
    log_set_tap(NULL, NULL);
    free(p);
}
END_TEST

SUITE(watching)
{
    CASE("lines", a_source_of_many_features_is_one_line_and_its_end_names_each);
}
