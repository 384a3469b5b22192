/* kscore score without its command line: streams in, streams out. What is printed: tests/golden. */
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "core/mem.h"
#include "pipeline/lines.h"
#include "pipeline/offline.h"
#include "tests/events.h"
#include "tests/fixture.h"
#include "tests/harness.h"

static char folder[300];
static FILE *input;
static char *out, *errors;
static size_t out_len, errors_len;
static struct offline_counts counts;
static struct err err;

static void open_files(void)
{
    snprintf(folder, sizeof folder, "%s", harness_folder());
    fixture_bundle(folder);
    input = tmpfile();
    ck_assert_ptr_nonnull(input);
    err_reset(&err);
}

static void close_files(void)
{
    fclose(input);
    free(out);
    free(errors);
}

static void give(const void *data, size_t len)
{
    ck_assert_uint_eq(fwrite(data, 1, len, input), len);
}

/* Scores what was given. */
static int score(struct offline_options options)
{
    int result;

    fflush(input);
    rewind(input);
    options.in = input;
    options.out = open_memstream(&out, &out_len);
    options.errors = open_memstream(&errors, &errors_len);
    if (!options.model_path)
        options.model_path = folder;
    result = offline_score(&options, &counts, &err);
    fclose(options.out);
    fclose(options.errors);
    return result;
}

/* Puts `new` in the place of `old` in a file of the bundle. */
static void replace(const char *name, const char *old, const char *new)
{
    char path[400], *text, *at, *changed;
    size_t len;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    ck_assert_int_eq(file_read(path, 1 << 20, &text, &len, &err), 0);
    at = strstr(text, old);
    ck_assert_ptr_nonnull(at);
    ck_assert_int_gt(asprintf(&changed, "%.*s%s%s", (int)(at - text), text, new, at + strlen(old)),
                     0);
    harness_write(folder, name, changed, strlen(changed));
    free(text);
    free(changed);
}

START_TEST(good_bad_good_leaves_no_trace)
{
    static const char text[] = "{\"x\":0}\n{\"x\":\"no\"}\n\n{\"x\":2}\r\n{\"x\":null}\n{\"x\":0}";

    give(text, sizeof text - 1);
    ck_assert_int_eq(score((struct offline_options){0}), 0);
    ck_assert_str_eq(out, "{\"line\":1,\"score\":0.3775406777858734,\"decision\":\"low\"}\n"
                          "{\"line\":4,\"score\":0.622459352016449,\"decision\":\"high\"}\n"
                          "{\"line\":6,\"score\":0.3775406777858734,\"decision\":\"low\"}\n");
    ck_assert_uint_eq(counts.rows, 3);
    ck_assert_uint_eq(counts.bad, 3);
    ck_assert_ptr_nonnull(strstr(errors, "line 2: bind/wrong_type: "));
    ck_assert_ptr_nonnull(strstr(errors, "line 3: decode/"));
    ck_assert_ptr_nonnull(strstr(errors, "line 5: bind/missing_field: "));
}
END_TEST

/* The margins of x = i % 3 for i from 1 to `most`, but for each tenth, which is refused. */
static void expect_margins(int most)
{
    char line[64], *at = out;

    for (int i = 1; i <= most; i++) {
        if (i % 10 == 0)
            continue;
        int len = snprintf(line, sizeof line, "{\"line\":%d,\"margin\":%s,\"decision\":\"%s\"}\n",
                           i, i % 3 < 1 ? "-0.5" : "0.5", i % 3 < 1 ? "low" : "high");
        ck_assert_msg(strncmp(at, line, (size_t)len) == 0, "%s, not %.60s", line, at);
        at += len;
    }
    ck_assert_int_eq(*at, '\0');
}

/* Batches of 1,024 rows do not show. */
START_TEST(rows_keep_their_order_and_line_over_batches)
{
    enum { LINES = 5000 };
    char line[64];

    for (int i = 1; i <= LINES; i++) {
        snprintf(line, sizeof line, i % 10 ? "{\"x\":%d}\n" : "{\n", i % 3);
        give(line, strlen(line));
    }
    ck_assert_int_eq(score((struct offline_options){.values = VALUES_MARGIN}), 0);
    ck_assert_uint_eq(counts.rows, LINES - LINES / 10);
    expect_margins(LINES);
}
END_TEST

/* Every tenth value has no number, every block 900 values. */
START_TEST(a_container_is_scored_as_its_lines_would_be)
{
    enum { VALUES = 5000, A_BLOCK = 900 };
    static const char schema[] = "{\"type\":\"record\",\"name\":\"E\",\"fields\":[{\"name\":\"x\","
                                 "\"type\":[\"null\",\"long\"]}]}";
    struct event file = {0}, block = {0};

    event_bytes(&file, "Obj\1\2", 5);
    event_text(&file, "avro.schema");
    event_text(&file, schema);
    event_bytes(&file,
                "\0"
                "0123456789abcdef",
                17);
    for (int i = 1; i <= VALUES; i++) {
        event_long(&block, i % 10 != 0);
        if (i % 10)
            event_long(&block, i % 3);
        if (i % A_BLOCK && i != VALUES)
            continue;
        event_long(&file, i % A_BLOCK ? i % A_BLOCK : A_BLOCK);
        event_long(&file, (int64_t)block.len);
        event_bytes(&file, block.data, block.len);
        event_bytes(&file, "0123456789abcdef", 16);
        block.len = 0;
    }
    give(file.data, file.len);
    ck_assert_int_eq(score((struct offline_options){.input = INPUT_AVRO, .values = VALUES_MARGIN}),
                     0);
    ck_assert_uint_eq(counts.rows, VALUES - VALUES / 10);
    ck_assert_uint_eq(counts.bad, VALUES / 10);
    ck_assert_ptr_nonnull(strstr(errors, "kscore score: record 10: bind/missing_field: "));
    expect_margins(VALUES);
    event_release(&file);
    event_release(&block);
}
END_TEST

START_TEST(raw_rows_come_out_raw)
{
    const float rows[] = {0, 1, NAN, -5, 1e30f};
    const float margins[] = {-0.5f, 0.5f, -0.5f, -0.5f, 0.5f};
    double got[5];

    give(rows, sizeof rows);
    ck_assert_int_eq(
        score((struct offline_options){.input = INPUT_F32LE,
                                       .output = _i ? OUTPUT_AS_F64LE : OUTPUT_AS_F32LE,
                                       .columns = 1,
                                       .values = VALUES_MARGIN}),
        0);
    ck_assert_uint_eq(out_len, _i ? 40 : 20);
    for (int i = 0; i < 5; i++) {
        if (_i)
            memcpy(&got[i], out + i * 8, 8);
        else
            got[i] = (double)((const float *)(const void *)out)[i];
        ck_assert(got[i] == (double)margins[i]);
    }
    ck_assert_uint_eq(counts.rows, 5);
}
END_TEST

START_TEST(rows_that_end_inside_one_are_said)
{
    const float row = 1;

    give(&row, 4);
    give(&row, 3);
    ck_assert_int_eq(score((struct offline_options){.input = INPUT_F32LE}), -1);
    ck_assert_int_eq(err.exit_code, EXIT_DATA);
    ck_assert_str_eq(err.text, "the input ends inside row 2: 3 of 4 bytes");
    ck_assert_uint_eq(counts.rows, 1);
}
END_TEST

START_TEST(columns_that_are_not_the_models_are_refused)
{
    ck_assert_int_eq(score((struct offline_options){.input = INPUT_F32LE, .columns = 2}), -1);
    ck_assert_int_eq(err.exit_code, EXIT_USAGE);
    ck_assert_str_eq(err.text, "--columns 2, but the model has 1 features");
}
END_TEST

START_TEST(decisions_are_quoted_as_the_format_has_it)
{
    replace("model.ini", "0.5 high", "0.5 say \"high\" \\o/");
    replace("model.ini", "below = low", "below = a\tb");
    give("{\"x\":0}\n{\"x\":1}\n", 16);
    ck_assert_int_eq(
        score((struct offline_options){.output = _i ? OUTPUT_AS_CSV : OUTPUT_AS_JSONL}), 0);
    if (_i)
        ck_assert_str_eq(out, "line,score,decision\n1,0.3775406777858734,a\tb\n"
                              "2,0.622459352016449,\"say \"\"high\"\" \\o/\"\n");
    else
        ck_assert_str_eq(out, "{\"line\":1,\"score\":0.3775406777858734,\"decision\":\"a\\tb\"}\n"
                              "{\"line\":2,\"score\":0.622459352016449,"
                              "\"decision\":\"say \\\"high\\\" \\\\o/\"}\n");
}
END_TEST

/* As kscore run makes it a dead letter: null would be a score that is none. */
/* Half of the training went each way: the bias is 0, and x has all of the margin. */
START_TEST(contributions_are_told_by_name)
{
    static const struct {
        enum offline_output output;
        const char *text;
    } cases[] = {
        {OUTPUT_AS_JSONL, "{\"line\":1,\"contributions\":{\"x\":-0.5,\"bias\":0.0}}\n"
                          "{\"line\":2,\"contributions\":{\"x\":0.5,\"bias\":0.0}}\n"},
        {OUTPUT_AS_CSV, "line,x,bias\n1,-0.5,0.0\n2,0.5,0.0\n"},
    };

    give("{\"x\":0}\n{\"x\":1}\n", 16);
    ck_assert_int_eq(
        score((struct offline_options){.output = cases[_i].output, .values = VALUES_CONTRIBUTIONS}),
        0);
    ck_assert_str_eq(out, cases[_i].text);
}
END_TEST

START_TEST(a_model_without_statistics_has_no_contributions)
{
    char model[400];

    replace("model.json", "\"sum_hessian\":[2,1,1],", "");
    snprintf(model, sizeof model, "%s/model.json", folder);
    ck_assert_int_eq(
        score((struct offline_options){.model_path = model, .values = VALUES_CONTRIBUTIONS}), -1);
    ck_assert_int_eq(err.exit_code, EXIT_DATA);
    ck_assert_ptr_nonnull(strstr(err.text, "model.json: the model file does not say how much"));
}
END_TEST

START_TEST(a_score_that_is_not_finite_is_refused_in_text)
{
    char model[400];

    replace("model.json", "[1,-0.5,0.5]", "[1,-0.5,Infinity]");
    snprintf(model, sizeof model, "%s/model.json", folder);
    give("{\"x\":0}\n{\"x\":1}\n{\"x\":0}\n", 24);
    ck_assert_int_eq(score((struct offline_options){.model_path = model, .values = VALUES_MARGIN}),
                     0);
    ck_assert_str_eq(out, "{\"line\":1,\"margin\":-0.5}\n{\"line\":3,\"margin\":-0.5}\n");
    ck_assert_str_eq(
        errors, "kscore score: line 2: score/score_not_finite: the model gave NaN or infinity\n");
    ck_assert_uint_eq(counts.bad, 1);
}
END_TEST

START_TEST(output_that_cannot_be_written_is_an_error)
{
    struct offline_options options = {.model_path = folder, .errors = stderr};

    give("{\"x\":0}\n", 8);
    fflush(input);
    rewind(input);
    options.in = input;
    options.out = fopen("/dev/full", "wb");
    ck_assert_int_eq(offline_score(&options, &counts, &err), -1);
    ck_assert_int_eq(err.exit_code, EXIT_IO);
    fclose(options.out);
}
END_TEST

/* Lines through a pipe, in pieces of every size. */
static const struct {
    const char *text, *lines; /* the lines that come out, each in brackets; - is too long */
} streams[] = {
    {"", ""},
    {"a", "[a]"},
    {"a\n", "[a]"},
    {"\n\n", "[][]"},
    {"a\r\nb\n\rc\r", "[a][b][\rc]"},
    {"12345678\n", "[12345678]"},
    {"123456789\n", "-"},
    {"1\n1234567890123456789012345678901234567890\n2\n", "[1]-[2]"},
    {"12345678901234567890", "-"},
    {"12345678\r\n12345678", "[12345678][12345678]"},
};

START_TEST(lines_come_out_whole_however_they_come_in)
{
    const char *text = streams[_i].text;

    for (size_t piece = 1; piece <= strlen(text) + 1; piece++) {
        char got[200] = "";
        struct lines lines;
        struct slice line;
        int pipes[2];
        ck_assert_int_eq(pipe2(pipes, O_DIRECT), 0); /* a read gives one write */
        ck_assert_int_gt(fcntl(pipes[0], F_SETPIPE_SZ, 1 << 20), 0);
        lines_init(&lines, pipes[0], 8);
        for (size_t at = 0; at < strlen(text); at += piece) {
            size_t len = strlen(text) - at < piece ? strlen(text) - at : piece;
            ck_assert_int_eq(write(pipes[1], text + at, len), (ssize_t)len);
        }
        close(pipes[1]);
        while (lines_next(&lines, &line)) {
            size_t used = strlen(got);
            snprintf(got + used, sizeof got - used, line.data ? "[%.*s]" : "-", (int)line.len,
                     (const char *)line.data);
        }
        ck_assert_str_eq(got, streams[_i].lines);
        ck_assert_uint_eq(lines.bytes, strlen(text));
        lines_release(&lines);
        close(pipes[0]);
    }
}
END_TEST

START_TEST(a_line_without_end_is_not_held)
{
    enum { BLOCK = 1 << 20, BLOCKS = 64, MAX = 2 << 20 };
    char *block = mem_alloc(BLOCK, 1);
    struct lines lines;
    struct slice line;

    memset(block, 'x', BLOCK);
    for (int i = 0; i < BLOCKS; i++)
        give(block, BLOCK);
    give("\n1", 2);
    fflush(input);
    rewind(input);
    lines_init(&lines, fileno(input), MAX);
    ck_assert(lines_next(&lines, &line));
    ck_assert_ptr_null(line.data);
    ck_assert(lines_next(&lines, &line));
    ck_assert(slice_equals(line, "1", 1));
    ck_assert_uint_le(lines.cap, 2 * MAX);
    ck_assert(!lines_next(&lines, &line));
    lines_release(&lines);
    free(block);
}
END_TEST

START_TEST(a_folder_as_input_is_an_error_and_no_empty_file)
{
    FILE *file = fopen(folder, "rb");
    struct offline_options options = {.model_path = folder,
                                      .in = file,
                                      .out = stdout,
                                      .errors = stderr,
                                      .input = _i ? INPUT_CSV : INPUT_JSONL};

    ck_assert_int_eq(offline_score(&options, &counts, &err), -1);
    ck_assert_int_eq(err.exit_code, EXIT_IO);
    ck_assert_str_eq(err.text, "reading: Is a directory");
    fclose(file);
}
END_TEST

SUITE(offline)
{
    TCase *tcase;

    tcase = CASE(
        "text", good_bad_good_leaves_no_trace, rows_keep_their_order_and_line_over_batches,
        a_container_is_scored_as_its_lines_would_be, a_score_that_is_not_finite_is_refused_in_text,
        a_model_without_statistics_has_no_contributions, output_that_cannot_be_written_is_an_error);
    tcase_add_checked_fixture(tcase, open_files, close_files);
    tcase_add_loop_test(tcase, decisions_are_quoted_as_the_format_has_it, 0, 2);
    tcase_add_loop_test(tcase, contributions_are_told_by_name, 0, 2);
    tcase_add_loop_test(tcase, a_folder_as_input_is_an_error_and_no_empty_file, 0, 2);
    tcase =
        CASE("raw", rows_that_end_inside_one_are_said, columns_that_are_not_the_models_are_refused);
    tcase_add_checked_fixture(tcase, open_files, close_files);
    tcase_add_loop_test(tcase, raw_rows_come_out_raw, 0, 2);
    tcase = CASE("lines", a_line_without_end_is_not_held);
    tcase_add_checked_fixture(tcase, open_files, close_files);
    tcase_add_loop_test(tcase, lines_come_out_whole_however_they_come_in, 0,
                        sizeof streams / sizeof streams[0]);
}
