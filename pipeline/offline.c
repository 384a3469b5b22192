#include "pipeline/offline.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "pipeline/columns.h"
#include "pipeline/lines.h"
#include "pipeline/loaded.h"
#include "pipeline/printer.h"
#include "schemas/container.h"
#include "schemas/decoder.h"

enum {
    BATCH_ROWS = 1024,
    MATRIX_BYTES = 64 << 20, /* a model of many features or outputs: fewer rows, one at least */
    MAX_LINE_BYTES = 16 << 20,
    MAX_DEPTH = 64
};

struct offline {
    const struct offline_options *options;
    struct offline_counts *counts;
    struct loaded loaded;
    const struct bundle *bundle; /* the loaded one's, as the next two */
    const struct model *model;
    const struct features *features;
    struct columns columns;      /* CSV */
    struct container *container; /* Avro */
    struct decoder *decoder;
    struct printer printer;
    size_t width, margin_count, score_count;

    float *matrix;
    double *margins, *scores, *contributions;
    void *scratch;
    uint64_t *numbers; /* of the line of each row */
    size_t row_count, batch_rows;
    struct lines lines;
};

static int open_decoder(struct offline *o, struct err *err)
{
    struct decoder_options options = {.format = EVENT_JSON,
                                      .framing = FRAMING_NONE,
                                      .max_value_bytes = MAX_LINE_BYTES,
                                      .max_depth = MAX_DEPTH};

    if (o->options->input == INPUT_F32LE)
        return 0;
    if (o->options->input == INPUT_CSV)
        columns_init(&o->columns, o->features);
    if (o->options->input == INPUT_AVRO) {
        if (container_open(&o->container, fileno(o->options->in), err) != 0)
            return -1;
        options.format = EVENT_AVRO;
        options.schema = container_schema(o->container);
    }
    return decoder_new(&o->decoder, &options,
                       o->options->input == INPUT_CSV ? &o->columns.features : o->features, err);
}

/* ---- bad lines */

static void refuse_line(struct offline *o, uint64_t line, const char *stage, const char *reason,
                        const char *why)
{
    o->counts->bad++;
    fprintf(o->options->errors, "kscore score: %s %llu: %s/%s: %s\n",
            o->options->input == INPUT_AVRO ? "record" : "line", (unsigned long long)line, stage,
            reason, why);
}

static void refuse(struct offline *o, uint64_t line, enum fault fault, const char *why)
{
    refuse_line(o, line, fault_stage(fault), fault_reason(fault), why);
}

/* ---- rows */

/* The numbers that are asked for, of one row. */
static const double *numbers_of(struct offline *o, size_t row)
{
    switch (o->options->values) {
    case VALUES_PREDICTION: break;
    case VALUES_MARGIN: return o->margins + row * o->margin_count;
    case VALUES_CONTRIBUTIONS:
        model_contributions(o->model, o->matrix + row * o->width, o->contributions);
        return o->contributions;
    }
    return o->scores + row * o->score_count;
}

static const char *decision_of(const struct offline *o, size_t row)
{
    if (!o->bundle || o->options->values == VALUES_CONTRIBUTIONS)
        return NULL;
    return bundle_decision(
        o->bundle, bundle_outputs(o->bundle, o->margins, o->scores, row)[o->bundle->output_index]);
}

/* Text has no infinity: such a row is refused as kscore run does. */
static int flush_rows(struct offline *o, struct err *err)
{
    if (o->row_count > 0)
        model_score(o->model, o->matrix, o->row_count, o->margins, o->scores, o->scratch);
    for (size_t row = 0; row < o->row_count; row++) {
        if (printer_row(&o->printer, o->numbers[row], numbers_of(o, row), decision_of(o, row)))
            o->counts->rows++;
        else
            refuse(o, o->numbers[row], FAULT_SCORE_NOT_FINITE, fault_help(FAULT_SCORE_NOT_FINITE));
    }
    o->row_count = 0;
    if (o->options->progress)
        o->options->progress(o->options->progress_arg, o->lines.bytes, o->counts->rows);
    if (ferror(o->options->out))
        return err_fatal(err, EXIT_IO, "writing: %s", strerror(errno));
    return 0;
}

/* ---- input */

static int take_event(struct offline *o, struct slice event, struct err *err)
{
    float *row = o->matrix + o->row_count * o->width;
    struct outcome outcome;
    char why[400];
    int64_t schema_id;

    outcome = decoder_decode(o->decoder, event, row, &schema_id);
    if (outcome.kind != OUTCOME_SCORED) {
        decoder_explain(o->decoder, &outcome, why, sizeof why);
        refuse(o, o->lines.number, (enum fault)outcome.fault, why);
        return 0;
    }
    o->numbers[o->row_count++] = o->lines.number;
    return o->row_count == o->batch_rows ? flush_rows(o, err) : 0;
}

/* The next line that is not too long. */
static bool next_line(struct offline *o, struct slice *line)
{
    while (lines_next(&o->lines, line)) {
        if (line->data)
            return true;
        refuse(o, o->lines.number, FAULT_FETCH_TOO_LARGE, "the line is longer than 16 MiB");
    }
    return false;
}

static int take_jsonl(struct offline *o, struct err *err)
{
    struct slice line;

    while (next_line(o, &line))
        if (take_event(o, line, err) != 0)
            return -1;
    return 0;
}

static int take_csv(struct offline *o, struct err *err)
{
    struct slice line, event;

    if (!lines_next(&o->lines, &line))
        return o->lines.error
                   ? 0
                   : err_fatal(err, EXIT_DATA,
                               "the CSV input is empty: its first line names the columns");
    if (!line.data)
        return err_fatal(err, EXIT_DATA, "CSV heading: longer than 16 MiB");
    if (columns_read_heading(&o->columns, (const char *)line.data, line.len, err) != 0)
        return -1;
    while (next_line(o, &line)) {
        if (!columns_to_json(&o->columns, (const char *)line.data, line.len, &event))
            refuse_line(o, o->lines.number, "decode", "bad_csv",
                        "the cells do not match the heading, or a quote is not closed");
        else if (take_event(o, event, err) != 0)
            return -1;
    }
    return 0;
}

static void refuse_block(struct offline *o, struct err *err)
{
    o->counts->bad++;
    fprintf(o->options->errors, "kscore score: %s\n", err->text);
    err_reset(err);
}

/* What came before the place where the file breaks is scored all the same. */
static int take_avro(struct offline *o, struct err *err)
{
    struct err broken = ERR_INIT;
    struct slice value;
    int got;

    while ((got = container_next(o->container, &value, &broken)) != 0) {
        o->lines.number = container_number(o->container);
        o->lines.bytes = container_bytes(o->container);
        if (got > 0 && take_event(o, value, err) != 0)
            return -1;
        if (got < 0 && broken.kind != ERR_RECORD)
            break;
        if (got < 0)
            refuse_block(o, &broken);
    }
    if (got == 0)
        return 0;
    if (flush_rows(o, err) == 0)
        *err = broken;
    return -1;
}

static int take_floats(struct offline *o, struct err *err)
{
    size_t row_bytes = o->width * sizeof(float);

    for (;;) {
        size_t got = fread((char *)o->matrix, 1, o->batch_rows * row_bytes, o->options->in);
        o->lines.bytes += got;
        o->row_count = got / row_bytes;
        for (size_t i = 0; i < o->row_count; i++)
            o->numbers[i] = ++o->lines.number;
        if (flush_rows(o, err) != 0)
            return -1;
        if (got % row_bytes != 0)
            return err_fatal(err, EXIT_DATA, "the input ends inside row %llu: %zu of %zu bytes",
                             (unsigned long long)o->lines.number + 1, got % row_bytes, row_bytes);
        if (got < o->batch_rows * row_bytes)
            return 0;
    }
}

static int take_all(struct offline *o, struct err *err)
{
    int result = 0;

    printer_heading(&o->printer);
    switch (o->options->input) {
    case INPUT_JSONL: result = take_jsonl(o, err); break;
    case INPUT_CSV: result = take_csv(o, err); break;
    case INPUT_AVRO: result = take_avro(o, err); break;
    case INPUT_F32LE: result = take_floats(o, err); break;
    }
    if (result == 0)
        result = flush_rows(o, err);
    if (result == 0 && (o->lines.error || ferror(o->options->in)))
        result = err_fatal(err, EXIT_IO, "reading: %s",
                           strerror(o->lines.error ? o->lines.error : errno));
    if (fflush(o->options->out) != 0 && result == 0)
        result = err_fatal(err, EXIT_IO, "writing: %s", strerror(errno));
    return result;
}

static int prepare(struct offline *o, struct err *err)
{
    struct model_options model = {.rounds = o->options->rounds};

    if (loaded_load(&o->loaded, o->options->model_path, &model, err) != 0)
        return -1;
    o->bundle = o->loaded.bundle;
    o->model = o->loaded.model;
    o->features = o->loaded.features;
    if (open_decoder(o, err) != 0)
        return -1;
    o->width = model_feature_count(o->model);
    o->margin_count = model_margin_count(o->model);
    o->score_count = model_score_count(o->model);
    o->printer = (struct printer){.out = o->options->out,
                                  .format = o->options->output,
                                  .values = o->options->values,
                                  .count = o->score_count,
                                  .features = o->features,
                                  .bundle = o->bundle};
    if (o->options->values == VALUES_MARGIN)
        o->printer.count = o->margin_count;
    if (o->options->values == VALUES_CONTRIBUTIONS) {
        if (model_contributions_check(o->model, err) != 0)
            return err_prefix(err, "%s", o->options->model_path);
        o->printer.count = o->margin_count * (o->width + 1);
        o->contributions = mem_alloc(o->printer.count, sizeof *o->contributions);
    }
    if (o->options->columns != 0 && o->options->columns != o->width)
        return err_fatal(err, EXIT_USAGE, "--columns %zu, but the model has %zu features",
                         o->options->columns, o->width);
    o->batch_rows =
        MATRIX_BYTES / (o->width * sizeof *o->matrix + o->margin_count * 2 * sizeof *o->margins);
    o->batch_rows = o->batch_rows > BATCH_ROWS ? BATCH_ROWS : o->batch_rows ? o->batch_rows : 1;
    o->matrix = mem_alloc_aligned(o->batch_rows * o->width, sizeof *o->matrix);
    o->margins = mem_alloc(o->batch_rows * o->margin_count, sizeof *o->margins);
    o->scores = mem_alloc(o->batch_rows * o->score_count, sizeof *o->scores);
    o->scratch = mem_alloc_aligned(model_scratch_bytes(o->model), 1);
    o->numbers = mem_alloc(o->batch_rows, sizeof *o->numbers);
    lines_init(&o->lines, fileno(o->options->in), MAX_LINE_BYTES);
    return 0;
}

int offline_score(const struct offline_options *options, struct offline_counts *counts,
                  struct err *err)
{
    struct offline o = {.options = options, .counts = counts};
    int result;

    *counts = (struct offline_counts){0};
    result = prepare(&o, err) == 0 ? take_all(&o, err) : -1;
    decoder_free(o.decoder);
    columns_release(&o.columns);
    container_free(o.container);
    loaded_release(&o.loaded);
    free(o.matrix);
    free(o.margins);
    free(o.scores);
    free(o.contributions);
    free(o.scratch);
    free(o.numbers);
    lines_release(&o.lines);
    return result;
}
