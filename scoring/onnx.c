#include "scoring/onnx.h"

#include <stdio.h>
#include <stdlib.h>

#include "scoring/onnx_reader.h"

enum { NEWEST_IR = 14, NEWEST_OPSET = 28, NEWEST_ML_OPSET = 5 };

/* The first field is ir_version. */
bool onnx_is_one(struct slice data)
{
    return data.len >= 2 && data.data[0] == 0x08 && data.data[1] > 0 && data.data[1] < 32;
}

/* ---- the output that is the score */

/* A tensor of labels is none; a sequence is what ZipMap makes of scores. */
static bool may_be_score(const struct onnx_value *v)
{
    return v->type == ONNX_FLOAT || v->type == ONNX_DOUBLE || v->type == 0;
}

static int find_output(struct onnx_reader *r, struct slice *value)
{
    const struct onnx_values *outputs = &r->file.outputs;
    size_t count = 0;

    for (size_t i = 0; i < outputs->count; i++)
        if (may_be_score(&outputs->items[i])) {
            *value = outputs->items[i].name;
            count++;
        }
    r->is_classifier = count < outputs->count;
    if (count == 1)
        return 0;
    return err_fatal(r->err, EXIT_DATA,
                     "%s: %zu of its %zu outputs may be scores, one must: labels alone, and "
                     "several scores, are not read by this version",
                     r->name, count, outputs->count);
}

/* ---- put together */

static int check_file(struct onnx_reader *r)
{
    const struct onnx_file *f = &r->file;

    if (f->ir_version < 3 || f->ir_version > NEWEST_IR)
        return err_fatal(r->err, EXIT_DATA, "%s: ONNX IR version %lld; 3 to %d are read", r->name,
                         (long long)f->ir_version, NEWEST_IR);
    if (f->opset < 0 || f->opset > NEWEST_OPSET || f->ml_opset < 0 ||
        f->ml_opset > NEWEST_ML_OPSET || f->opset + f->ml_opset == 0)
        return err_fatal(
            r->err, EXIT_DATA, "%s: opsets %lld and ai.onnx.ml %lld; up to %d and %d are read",
            r->name, (long long)f->opset, (long long)f->ml_opset, NEWEST_OPSET, NEWEST_ML_OPSET);
    return 0;
}

static void describe(struct onnx_reader *r, size_t outputs)
{
    char producer[ONNX_TEXT_MAX], version[ONNX_TEXT_MAX];
    struct model_parts *p = r->parts;

    snprintf(p->writer, sizeof p->writer, "ONNX of %.20s %.12s",
             r->file.producer.len > 0 ? onnx_text(r->file.producer, producer) : "an unknown writer",
             onnx_text(r->file.producer_version, version));
    snprintf(p->objective, sizeof p->objective, "%s of %zu %s",
             r->is_classifier ? "classifier" : "regressor", outputs,
             r->is_classifier ? "classes"
             : outputs > 1    ? "targets"
                              : "target");
}

static int read_all(struct onnx_reader *r, struct slice data)
{
    struct model_parts *p = r->parts;
    struct slice value = {0};
    size_t width = 0, sums;

    if (onnx_file_read(&r->file, r->name, data, r->err) != 0 || check_file(r) != 0 ||
        onnx_inputs(r) != 0 || find_output(r, &value) != 0 || onnx_width(r, value, &width) != 0)
        return -1;
    r->column = r->is_classifier && width == 2 ? 1 : -1;
    describe(r, width);
    if (onnx_trace(r, value) != 0)
        return -1;
    p->is_float32 = true;
    sums = p->trees ? p->trees->output_count : p->linear->output_count;
    p->link = onnx_scores_link(&r->scores, sums, r->is_classifier && width == 2 ? 1 : width);
    return 0;
}

int onnx_parse(struct model_parts *parts, const char *name, struct slice data,
               const struct model_options *options, struct err *err)
{
    struct onnx_reader r = {.name = name, .err = err, .parts = parts};
    int result;

    *parts = (struct model_parts){0};
    result = options->rounds == 0
                 ? read_all(&r, data)
                 : err_fatal(err, EXIT_DATA, "%s: an ONNX file does not know rounds", name);
    onnx_file_release(&r.file);
    onnx_scores_release(&r.scores);
    free(r.input_starts);
    if (result != 0)
        model_parts_release(parts);
    return result;
}
