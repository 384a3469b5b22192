#include "scoring/golden.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/json.h"
#include "core/mem.h"

enum { MAX_FILE_BYTES = 256 << 20, MAX_DEPTH = 64 };

static bool take_row(struct json *j, struct golden *golden, size_t width)
{
    size_t count = 0;

    golden->row = mem_alloc(width, sizeof *golden->row);
    for (json_enter_array(j); json_item(j); count++) {
        float value = NAN;
        if (count == width)
            return json_fail(j, JSON_BAD);
        if (json_peek(j) == JSON_NULL)
            json_take_null(j);
        else
            json_float(j, &value);
        golden->row[count] = value;
    }
    return count == width || json_fail(j, JSON_BAD);
}

/* Of a model with one output a number, else a list. */
static bool take_numbers(struct json *j, double **numbers, size_t count)
{
    size_t taken = 0;

    *numbers = mem_alloc(count, sizeof **numbers);
    if (count == 1)
        return json_number(j, *numbers);
    for (json_enter_array(j); json_item(j); taken++)
        if (taken == count || !json_number(j, &(*numbers)[taken]))
            return json_fail(j, JSON_BAD);
    return taken == count || json_fail(j, JSON_BAD);
}

/* Borrowed text of any value becomes the golden's own. */
static void take_event(struct json *j, struct golden *golden)
{
    const char *start;

    json_peek(j);
    start = j->at;
    json_skip(j);
    golden->event_len = (size_t)(j->at - start);
    golden->event = mem_copy_text(start, golden->event_len);
}

static int take_line(struct bundle *b, struct golden *golden, const char *text, size_t len,
                     struct err *err)
{
    struct json_text key;
    struct json j;

    json_init(&j, text, len, MAX_DEPTH);
    for (json_enter_object(&j); json_key(&j, &key);) {
        if (json_text_equals(&key, "margin") && !golden->margins)
            take_numbers(&j, &golden->margins, model_margin_count(b->model));
        else if (json_text_equals(&key, "score") && !golden->scores)
            take_numbers(&j, &golden->scores, model_score_count(b->model));
        else if (json_text_equals(&key, "row") && !golden->row)
            take_row(&j, golden, b->features.count);
        else if (json_text_equals(&key, "event") && !golden->event)
            take_event(&j, golden);
        else
            json_skip(&j);
    }
    if (!json_end(&j))
        return err_fatal(
            err, EXIT_DATA,
            "%s/golden.jsonl:%d: byte %zu: not JSON, or a row that has not %zu numbers or nulls%s",
            b->path, golden->line, (size_t)(j.at - j.start), b->features.count,
            model_margin_count(b->model) > 1 ? ", or not a margin or score for each output" : "");
    if ((!golden->margins && !golden->scores) || (!golden->row && !golden->event))
        return err_fatal(err, EXIT_DATA,
                         "%s/golden.jsonl:%d: needs a margin or a score, and a row or an event",
                         b->path, golden->line);
    return 0;
}

static int take_lines(struct bundle *b, const char *text, size_t len, struct err *err)
{
    const char *end = text + len;
    size_t cap = 0;

    for (int line = 1; text < end; line++) {
        const char *stop = memchr(text, '\n', (size_t)(end - text));
        if (!stop)
            stop = end;
        if (stop > text) {
            b->goldens = mem_grow(b->goldens, b->golden_count, &cap, sizeof *b->goldens);
            b->goldens[b->golden_count] = (struct golden){.line = line};
            if (take_line(b, &b->goldens[b->golden_count++], text, (size_t)(stop - text), err) != 0)
                return -1;
        }
        text = stop + 1;
    }
    return 0;
}

int golden_load(struct bundle *b, struct err *err)
{
    char *path = file_join(b->path, "golden.jsonl"), *text;
    struct err unreadable = ERR_INIT;
    size_t len;
    int result = file_read(path, MAX_FILE_BYTES, &text, &len, &unreadable);

    free(path);
    if (result != 0 && errno == ENOENT)
        return 0;
    if (result != 0) {
        *err = unreadable;
        return -1;
    }
    result = take_lines(b, text, len, err);
    free(text);
    return result;
}

/* Neighbours of one sign are 1 apart, equal zeros 0. */
static int64_t place_of(double value, bool is_float32)
{
    float narrow = (float)value;
    int32_t half;
    int64_t bits;

    if (is_float32) {
        memcpy(&half, &narrow, sizeof half);
        return half < 0 ? -(int64_t)(half & INT32_MAX) : half;
    }
    memcpy(&bits, &value, sizeof bits);
    return bits < 0 ? -(bits & INT64_MAX) : bits;
}

/* Whether they are at most so many units in the last place apart. */
static bool is_near(double got, double want, bool is_float32, uint64_t apart)
{
    int64_t a = place_of(got, is_float32), b = place_of(want, is_float32);

    return isfinite(got) &&
           (a > b ? (uint64_t)a - (uint64_t)b : (uint64_t)b - (uint64_t)a) <= apart;
}

/* Signs of zeros count in margins: they are compared by bits. */
static bool is_same(double got, double want, bool is_float32)
{
    return is_near(got, want, is_float32, 0) && signbit(got) == signbit(want);
}

static int refuse(const struct bundle *b, const struct golden *golden, const char *what,
                  const double pair[2], struct err *err)
{
    int digits = model_is_float32(b->model) ? 9 : 17;

    return err_fatal(err, EXIT_DATA, "%s/golden.jsonl:%d: the %s is %.*g, must be %.*g", b->path,
                     golden->line, what, digits, pair[0], digits, pair[1]);
}

/* Within the bundle's tolerance: absolute up to 1, relative above. */
static bool is_close(const struct bundle *b, double got, double want)
{
    return fabs(got - want) <= b->tolerance * fmax(1, fabs(want));
}

int golden_compare(const struct bundle *b, const struct golden *golden, const double *margins,
                   const double *scores, struct err *err)
{
    bool is_float32 = model_is_float32(b->model);

    for (size_t i = 0; golden->margins && i < model_margin_count(b->model); i++)
        if (b->tolerance > 0 ? !is_close(b, margins[i], golden->margins[i])
                             : !is_same(margins[i], golden->margins[i], is_float32))
            return refuse(b, golden, "margin", (double[]){margins[i], golden->margins[i]}, err);
    for (size_t i = 0; golden->scores && i < model_score_count(b->model); i++)
        if (b->tolerance > 0 ? !is_close(b, scores[i], golden->scores[i])
                             : !is_near(scores[i], golden->scores[i], is_float32, 1))
            return refuse(b, golden, "score", (double[]){scores[i], golden->scores[i]}, err);
    return 0;
}

int golden_rows_run(const struct bundle *b, struct err *err)
{
    double *margins = mem_alloc(model_margin_count(b->model), sizeof *margins);
    double *scores = mem_alloc(model_score_count(b->model), sizeof *scores);
    void *scratch = mem_alloc_aligned(model_scratch_bytes(b->model), 1);
    int result = 0;

    for (size_t i = 0; i < b->golden_count && result == 0; i++) {
        if (!b->goldens[i].row)
            continue;
        model_score(b->model, b->goldens[i].row, 1, margins, scores, scratch);
        result = golden_compare(b, &b->goldens[i], margins, scores, err);
    }
    free(margins);
    free(scores);
    free(scratch);
    return result;
}
