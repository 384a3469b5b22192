/* A model may claim a million features in a file of a kilobyte: memory stays in bounds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "pipeline/offline.h"
#include "tests/harness.h"
#include "tests/models.h"

enum { WIDTH = 1 << 20, ROWS = 3, LIMIT_KIB = 1 << 20 };

static const char *write_model(const char *folder)
{
    char *text = models_edit(models_plain, "learner_model", "\"num_feature\":\"2\"",
                             "\"num_feature\":\"1048576\""),
         *whole = models_edit(text, NULL, "[\"a\",\"b\"]", "[]");
    const char *path = harness_write(folder, "wide.json", whole, strlen(whole));

    free(text);
    free(whole);
    return path;
}

START_TEST(a_million_features_are_scored_row_by_row_in_one_gibibyte)
{
    const char *folder = harness_folder(), *path = write_model(folder);
    float *zeros = calloc(WIDTH, sizeof *zeros);
    struct offline_options options = {.model_path = path,
                                      .in = tmpfile(),
                                      .out = tmpfile(),
                                      .errors = stderr,
                                      .input = INPUT_F32LE,
                                      .output = OUTPUT_AS_F32LE};
    struct offline_counts counts;
    struct err err = ERR_INIT;
    struct rusage usage;
    float got[ROWS];

    for (int i = 0; i < ROWS; i++)
        ck_assert_uint_eq(fwrite(zeros, sizeof *zeros, WIDTH, options.in), WIDTH);
    rewind(options.in);
    ck_assert_msg(offline_score(&options, &counts, &err) == 0, "%s", err.text);
    ck_assert_uint_eq(counts.rows, ROWS);
    rewind(options.out);
    ck_assert_uint_eq(fread(got, sizeof *got, ROWS, options.out), ROWS);
    for (int i = 0; i < ROWS; i++)
        ck_assert_bits(got[i], -0.25f);
    getrusage(RUSAGE_SELF, &usage);
    ck_assert_int_lt(usage.ru_maxrss, LIMIT_KIB);
    fclose(options.in);
    fclose(options.out);
    free(zeros);
}
END_TEST

SUITE(wide_model)
{
    CASE("memory", a_million_features_are_scored_row_by_row_in_one_gibibyte);
}
