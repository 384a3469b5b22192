/* onnx_rows.c: from the body back to the inputs of the graph. A value there is a list of columns;
 * each node appends its own to the list, or puts one more step on those of its input. */
#include <stdlib.h>

#include "core/mem.h"
#include "core/text.h"
#include "scoring/onnx_reader.h"

/* What a node makes of its input, whose columns are the list's from `first` on. */
struct rows {
    struct onnx_columns *to;
    size_t first;
    enum onnx_type type;
    unsigned depth;
};

static int walk(struct onnx_reader *r, struct slice value, struct rows *rows);

static size_t width_of(const struct rows *rows)
{
    return rows->to->count - rows->first;
}

static int add_step(struct onnx_reader *r, const struct onnx_node *n, struct rows *rows,
                    struct step step)
{
    struct onnx_columns *c = rows->to;
    struct onnx_column *column = &c->items[rows->first + step.column];

    if (c->step_count == ONNX_MAX_STEPS)
        return onnx_refuse(r, n, "more than %d steps on a row", ONNX_MAX_STEPS);
    c->steps = mem_grow(c->steps, c->step_count, &c->step_cap, sizeof *c->steps);
    c->steps[c->step_count] = (struct onnx_step){column->last_step, step};
    column->last_step = (int32_t)c->step_count++;
    return 0;
}

static int walk_first(struct onnx_reader *r, const struct onnx_node *n, struct rows *rows)
{
    return walk(r, onnx_input(&r->file, n, 0), rows);
}

static int need_float(struct onnx_reader *r, const struct onnx_node *n, const struct rows *rows)
{
    return rows->type == ONNX_FLOAT
               ? 0
               : onnx_refuse(r, n,
                             "on doubles: not read by this version; export with float inputs");
}

/* ---- nodes */

static int take_identity(struct onnx_reader *r, const struct onnx_node *n, struct rows *rows)
{
    static const char *const known[] = {NULL};

    return onnx_know(r, n, known) == 0 ? walk_first(r, n, rows) : -1;
}

/* float32 rows lose nothing as doubles, and nothing on the way back. */
static int take_cast(struct onnx_reader *r, const struct onnx_node *n, struct rows *rows)
{
    static const char *const known[] = {"to", "saturate", NULL};
    int64_t to = 0;

    if (onnx_know(r, n, known) != 0 || walk_first(r, n, rows) != 0)
        return -1;
    if (!onnx_attribute_int(n, "to", &to) || (to != ONNX_FLOAT && to != ONNX_DOUBLE))
        return onnx_refuse(r, n, "a row cast to type %lld: not read by this version",
                           (long long)to);
    rows->type = (enum onnx_type)to;
    return 0;
}

/* The same row, whose shape may be written down. */
static int take_shape(struct onnx_reader *r, const struct onnx_node *n, struct rows *rows)
{
    static const char *const known[] = {"allowzero", "axis", NULL};
    struct wire_ints shape = {0};
    struct onnx_tensor tensor;
    int64_t axis = 1;
    int result = -1;

    if (onnx_know(r, n, known) != 0 || walk_first(r, n, rows) != 0)
        return -1;
    if (slice_equals(n->op, "Flatten", 7))
        return onnx_attribute_int(n, "axis", &axis) && axis == 1 ? 0
                                                                 : onnx_refuse(r, n, "not by rows");
    if (onnx_constant(r, onnx_input(&r->file, n, 1), &tensor) &&
        onnx_tensor_ints(&tensor, &shape) && shape.count == 2 &&
        (size_t)shape.items[1] == width_of(rows))
        result = 0;
    free(shape.items);
    return result == 0 ? 0 : onnx_refuse(r, n, "to another shape than a row");
}

/* onnxruntime/core/providers/cpu/ml/scaler.cc */
static int take_scaler(struct onnx_reader *r, const struct onnx_node *n, struct rows *rows)
{
    static const char *const known[] = {"offset", "scale", NULL};
    struct wire_floats offset = {0}, scale = {0};
    enum step_kind kind;
    int result = -1;

    if (onnx_know(r, n, known) != 0 || walk_first(r, n, rows) != 0)
        return -1;
    kind = rows->type == ONNX_DOUBLE ? STEP_SCALE_DOUBLE : STEP_SCALE;
    if (onnx_attribute_floats(n, "offset", &offset) && onnx_attribute_floats(n, "scale", &scale) &&
        offset.count == scale.count && (scale.count == 1 || scale.count == width_of(rows)))
        result = 0;
    else
        onnx_refuse(r, n, "offset and scale are not one for each of %zu columns", width_of(rows));
    for (size_t i = 0; result == 0 && i < width_of(rows); i++) {
        size_t at = scale.count == 1 ? 0 : i;
        result = add_step(
            r, n, rows,
            (struct step){(uint32_t)i, kind, (double)offset.items[at], (double)scale.items[at]});
    }
    rows->type = ONNX_FLOAT;
    free(offset.items);
    free(scale.items);
    return result;
}

/* onnxruntime/core/providers/cpu/ml/imputer.cc: one value for each column, else the first of all */
static int take_imputer(struct onnx_reader *r, const struct onnx_node *n, struct rows *rows)
{
    static const char *const known[] = {"imputed_value_floats", "replaced_value_float", NULL};
    struct wire_floats values = {0};
    float replaced = 0;
    int result = -1;

    if (onnx_know(r, n, known) != 0 || walk_first(r, n, rows) != 0 || need_float(r, n, rows) != 0)
        return -1;
    if (onnx_attribute_floats(n, "imputed_value_floats", &values) &&
        onnx_attribute_float(n, "replaced_value_float", &replaced) &&
        (values.count == 1 || values.count == width_of(rows)))
        result = 0;
    else
        onnx_refuse(r, n, "imputed_value_floats are not one for each of %zu columns",
                    width_of(rows));
    for (size_t i = 0; result == 0 && i < width_of(rows); i++)
        result = add_step(r, n, rows,
                          (struct step){(uint32_t)i, STEP_REPLACE, (double)replaced,
                                        (double)values.items[values.count == 1 ? 0 : i]});
    free(values.items);
    return result;
}

static int take_arithmetic(struct onnx_reader *r, const struct onnx_node *n, struct rows *rows)
{
    static const char *const known[] = {NULL};
    static const struct {
        const char *op;
        enum step_kind kind;
        bool is_symmetric;
    } ops[] = {{"Add", STEP_ADD, true},
               {"Sub", STEP_SUBTRACT, false},
               {"Mul", STEP_MULTIPLY, true},
               {"Div", STEP_DIVIDE, false}};
    struct slice a = onnx_input(&r->file, n, 0), b = onnx_input(&r->file, n, 1);
    struct wire_floats values = {0};
    struct onnx_tensor tensor;
    size_t op = 0;
    int result;

    while (!slice_equals(n->op, ops[op].op, 3))
        op++;
    if (onnx_constant(r, a, &tensor) && ops[op].is_symmetric) {
        a = b;
        b = onnx_input(&r->file, n, 0);
    }
    if (onnx_know(r, n, known) != 0 || walk(r, a, rows) != 0 || need_float(r, n, rows) != 0)
        return -1;
    result = onnx_constant_floats(r, n, b, width_of(rows), &values);
    for (size_t i = 0; result == 0 && i < width_of(rows); i++)
        result = add_step(r, n, rows,
                          (struct step){(uint32_t)i, ops[op].kind,
                                        (double)values.items[values.count == 1 ? 0 : i], 0});
    free(values.items);
    return result;
}

/* Columns of a row, in any order. */
static int take_extractor(struct onnx_reader *r, const struct onnx_node *n, struct rows *rows)
{
    static const char *const known[] = {"axis", NULL};
    struct onnx_columns *c = rows->to;
    struct wire_ints indices = {0};
    struct onnx_tensor tensor;
    size_t width, count = 0;
    int64_t axis = 1;
    int result = 0;

    if (onnx_know(r, n, known) != 0 || walk_first(r, n, rows) != 0)
        return -1;
    width = width_of(rows);
    if (!onnx_constant(r, onnx_input(&r->file, n, 1), &tensor) ||
        !onnx_tensor_ints(&tensor, &indices) || indices.count == 0 ||
        indices.count > ONNX_MAX_FEATURES || !onnx_attribute_int(n, "axis", &axis) || axis != 1)
        result = onnx_refuse(r, n, "columns that are no constant list");
    for (size_t i = 0; result == 0 && i < indices.count; i++) {
        if (indices.items[i] < 0 || (size_t)indices.items[i] >= width) {
            result = onnx_refuse(r, n, "column %d of %zu", indices.items[i], width);
            break;
        }
        c->items = mem_grow(c->items, c->count, &c->cap, sizeof *c->items);
        c->items[c->count++] = c->items[rows->first + (size_t)indices.items[i]];
        count++;
    }
    for (size_t i = 0; result == 0 && i < count; i++)
        c->items[rows->first + i] = c->items[rows->first + width + i];
    c->count = rows->first + count;
    free(indices.items);
    return result;
}

static int take_concat(struct onnx_reader *r, const struct onnx_node *n, struct rows *rows)
{
    static const char *const known[] = {"axis", "inputdimensions", NULL};
    int64_t axis = 1;

    if (onnx_know(r, n, known) != 0)
        return -1;
    if (!onnx_attribute_int(n, "axis", &axis) || (axis != 1 && axis != -1) || n->inputs == 0)
        return onnx_refuse(r, n, "not of columns");
    for (size_t i = 0; i < n->inputs; i++) {
        struct rows part = {rows->to, rows->to->count, ONNX_FLOAT, rows->depth};
        if (walk(r, onnx_input(&r->file, n, i), &part) != 0)
            return -1;
        if (i > 0 && part.type != rows->type)
            return onnx_refuse(r, n, "columns of several types");
        rows->type = part.type;
        if (rows->to->count > ONNX_MAX_FEATURES)
            return onnx_refuse(r, n, "more than %d columns", ONNX_MAX_FEATURES);
    }
    return 0;
}

static const struct {
    const char *op;
    int (*take)(struct onnx_reader *r, const struct onnx_node *n, struct rows *rows);
} nodes[] = {
    {"Identity", take_identity},
    {"Cast", take_cast},
    {"Reshape", take_shape},
    {"Flatten", take_shape},
    {"Scaler", take_scaler},
    {"Imputer", take_imputer},
    {"Add", take_arithmetic},
    {"Sub", take_arithmetic},
    {"Mul", take_arithmetic},
    {"Div", take_arithmetic},
    {"ArrayFeatureExtractor", take_extractor},
    {"Gather", take_extractor},
    {"Concat", take_concat},
    {"FeatureVectorizer", take_concat},
};

/* ---- inputs */

static int refuse_input(struct onnx_reader *r, const struct onnx_value *v, const char *what)
{
    char text[ONNX_TEXT_MAX];

    return err_fatal(r->err, EXIT_DATA, "%s: input %s: %s", r->name, onnx_text(v->name, text),
                     what);
}

static bool is_constant(const struct onnx_reader *r, const struct onnx_value *input)
{
    return onnx_tensor_find(&r->file, input->name) != NULL; /* a default that may be replaced */
}

static int check_input(struct onnx_reader *r, const struct onnx_value *v)
{
    if (v->type != ONNX_FLOAT && v->type != ONNX_DOUBLE)
        return refuse_input(r, v, "of another type than float or double: not read by this version");
    if (v->rank != 2 || v->width <= 0)
        return refuse_input(r, v, "its shape is not [rows, columns] with the number of columns");
    if (v->width > ONNX_MAX_FEATURES ||
        r->parts->feature_count + (size_t)v->width > ONNX_MAX_FEATURES)
        return refuse_input(r, v, "too many columns");
    if (memchr(v->name.data, 0, v->name.len) || !utf8_is_valid(v->name.data, v->name.len))
        return refuse_input(r, v, "a name that is no text");
    return 0;
}

int onnx_inputs(struct onnx_reader *r)
{
    struct model_parts *p = r->parts;
    size_t count = 0, widest = 0;

    r->input_starts = mem_alloc(r->file.inputs.count + 1, sizeof *r->input_starts);
    for (size_t i = 0; i < r->file.inputs.count; i++) {
        const struct onnx_value *v = &r->file.inputs.items[i];
        r->input_starts[i] = p->feature_count;
        if (is_constant(r, v))
            continue;
        if (check_input(r, v) != 0)
            return -1;
        p->feature_count += (size_t)v->width;
        widest = (size_t)v->width > widest ? (size_t)v->width : widest;
        count++;
    }
    if (count == 0)
        return err_fatal(r->err, EXIT_DATA, "%s: the graph has no inputs", r->name);
    if (count == 1 || widest > 1)
        return 0; /* no names of single columns */
    p->names = mem_alloc(count, sizeof *p->names);
    for (size_t i = 0, at = 0; i < r->file.inputs.count; i++)
        if (!is_constant(r, &r->file.inputs.items[i]))
            p->names[at++] = mem_copy_text((const char *)r->file.inputs.items[i].name.data,
                                           r->file.inputs.items[i].name.len);
    return 0;
}

static int take_input(struct onnx_reader *r, size_t i, struct rows *rows)
{
    struct onnx_columns *c = rows->to;

    rows->type = (enum onnx_type)r->file.inputs.items[i].type;
    for (size_t k = 0; k < (size_t)r->file.inputs.items[i].width; k++) {
        c->items = mem_grow(c->items, c->count, &c->cap, sizeof *c->items);
        c->items[c->count++] = (struct onnx_column){(uint32_t)(r->input_starts[i] + k), -1};
    }
    r->copied += (size_t)r->file.inputs.items[i].width;
    if (r->copied > ONNX_MAX_COPIES)
        return refuse_input(r, &r->file.inputs.items[i], "used too often");
    return 0;
}

/* ---- walk */

static int walk(struct onnx_reader *r, struct slice value, struct rows *rows)
{
    char text[ONNX_TEXT_MAX];
    const struct onnx_node *n;
    size_t output;
    int result;

    for (size_t i = 0; value.len > 0 && i < r->file.inputs.count; i++)
        if (slice_equals(value, (const char *)r->file.inputs.items[i].name.data,
                         r->file.inputs.items[i].name.len) &&
            !is_constant(r, &r->file.inputs.items[i]))
            return take_input(r, i, rows);
    n = onnx_producer(&r->file, value, &output);
    if (!n)
        return err_fatal(r->err, EXIT_DATA, "%s: nothing makes the value \"%s\"", r->name,
                         onnx_text(value, text));
    if (++r->visits > ONNX_MAX_VISITS || rows->depth >= ONNX_MAX_DEPTH)
        return onnx_refuse(r, n, "the graph is too deep, or goes in a circle");
    if (onnx_know_domain(r, n) != 0)
        return -1;
    for (size_t i = 0; i < sizeof nodes / sizeof nodes[0]; i++) {
        if (!slice_equals(n->op, nodes[i].op, strlen(nodes[i].op)) || output != 0)
            continue;
        rows->depth++;
        result = nodes[i].take(r, n, rows);
        rows->depth--;
        return result;
    }
    return onnx_refuse(r, n, "before the model: not read by this version");
}

/* The steps of a column from the first to the last. */
static void add_steps(struct transform *t, const struct onnx_columns *c, uint32_t column)
{
    size_t start = t->step_count;

    for (int32_t i = c->items[column].last_step; i >= 0; i = c->steps[i].before) {
        struct step step = c->steps[i].step;
        step.column = column;
        transform_add(t, step);
    }
    for (size_t low = start, high = t->step_count; low + 1 < high; low++, high--) {
        struct step step = t->steps[low];
        t->steps[low] = t->steps[high - 1];
        t->steps[high - 1] = step;
    }
}

/* How many steps there are on all columns: a column that is taken twice has its steps twice. */
static size_t count_steps(const struct onnx_columns *c)
{
    size_t count = 0;

    for (size_t i = 0; i < c->count && count <= ONNX_MAX_STEPS; i++)
        for (int32_t k = c->items[i].last_step; k >= 0; k = c->steps[k].before)
            count++;
    return count;
}

static struct transform *transform_of(const struct onnx_reader *r, const struct onnx_columns *c)
{
    size_t from = r->parts->feature_count;
    bool is_same = c->step_count == 0 && c->count == from;
    struct transform *t;

    for (size_t i = 0; i < c->count; i++)
        is_same = is_same && c->items[i].source == i;
    if (is_same)
        return NULL;
    t = transform_new(from, c->count);
    for (size_t i = 0; i < c->count; i++) {
        t->sources[i] = c->items[i].source;
        add_steps(t, c, (uint32_t)i);
    }
    return t;
}

int onnx_rows(struct onnx_reader *r, struct slice value, size_t *width, enum onnx_type *type)
{
    struct onnx_columns columns = {0};
    struct rows rows = {.to = &columns, .type = ONNX_FLOAT};
    int result = walk(r, value, &rows);

    if (result == 0 && count_steps(&columns) > ONNX_MAX_STEPS)
        result = err_fatal(r->err, EXIT_DATA, "%s: more than %d steps on a row", r->name,
                           ONNX_MAX_STEPS);
    if (result == 0) {
        *width = columns.count;
        *type = rows.type;
        r->parts->transform = transform_of(r, &columns);
    }
    free(columns.items);
    free(columns.steps);
    return result;
}
