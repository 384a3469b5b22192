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
    golden->margin = golden->score = NAN;
    for (json_enter_object(&j); json_key(&j, &key);) {
        if (json_text_equals(&key, "margin"))
            json_number(&j, &golden->margin);
        else if (json_text_equals(&key, "score"))
            json_number(&j, &golden->score);
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
            "%s/golden.jsonl:%d: byte %zu: not JSON, or a row that has not %zu numbers or nulls",
            b->path, golden->line, (size_t)(j.at - j.start), b->features.count);
    if ((isnan(golden->margin) && isnan(golden->score)) || (!golden->row && !golden->event))
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

/* Units in the last place between two floats of one sign; equal zeros are 0 apart. */
static int64_t steps_between(float a, float b)
{
    int32_t x, y;

    memcpy(&x, &a, sizeof x);
    memcpy(&y, &b, sizeof y);
    if (x < 0)
        x = (int32_t)(0x80000000u - (uint32_t)x);
    if (y < 0)
        y = (int32_t)(0x80000000u - (uint32_t)y);
    return llabs((long long)x - y);
}

int golden_compare(const struct bundle *b, const struct golden *golden, double margin, double score,
                   struct err *err)
{
    float got = (float)margin, want = (float)golden->margin;

    if (!isnan(golden->margin) && memcmp(&got, &want, sizeof got) != 0)
        return err_fatal(err, EXIT_DATA, "%s/golden.jsonl:%d: the margin is %.9g, must be %.9g",
                         b->path, golden->line, (double)got, (double)want);
    got = (float)score;
    want = (float)golden->score;
    if (!isnan(golden->score) && (!isfinite(got) || steps_between(got, want) > 1))
        return err_fatal(err, EXIT_DATA, "%s/golden.jsonl:%d: the score is %.9g, must be %.9g",
                         b->path, golden->line, (double)got, (double)want);
    return 0;
}

int golden_rows_run(const struct bundle *b, struct err *err)
{
    void *scratch = mem_alloc_aligned(model_scratch_bytes(b->model), 1);
    int result = 0;

    for (size_t i = 0; i < b->golden_count && result == 0; i++) {
        double margin, score;
        if (!b->goldens[i].row)
            continue;
        model_score(b->model, b->goldens[i].row, 1, &margin, &score, scratch);
        result = golden_compare(b, &b->goldens[i], margin, score, err);
    }
    free(scratch);
    return result;
}
