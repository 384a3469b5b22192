/* onnx_graph.c: from the output that is the score back to the body. What is on the way becomes ops
 * on scores; where a node has several inputs, the way goes on through the one that has the column
 * that is looked at. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "scoring/onnx_reader.h"

int onnx_refuse(struct onnx_reader *r, const struct onnx_node *n, const char *format, ...)
{
    char what[300], name[ONNX_TEXT_MAX], op[ONNX_TEXT_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return err_fatal(r->err, EXIT_DATA, "%s: node \"%s\" (%s): %s", r->name,
                     onnx_text(n->name, name), onnx_text(n->op, op), what);
}

int onnx_know_domain(struct onnx_reader *r, const struct onnx_node *n)
{
    static const char *const known[] = {"", "ai.onnx", "ai.onnx.ml"};
    char text[ONNX_TEXT_MAX];

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (n->domain.len == strlen(known[i]) &&
            (n->domain.len == 0 || slice_equals(n->domain, known[i], strlen(known[i]))))
            return 0;
    return onnx_refuse(r, n, "of domain %s: not read by this version", onnx_text(n->domain, text));
}

int onnx_know(struct onnx_reader *r, const struct onnx_node *n, const char *const *attributes)
{
    struct slice stranger = onnx_attribute_stranger(n, attributes);
    char text[ONNX_TEXT_MAX];

    return stranger.data ? onnx_refuse(r, n, "attribute %s is not known, or comes twice",
                                       onnx_text(stranger, text))
                         : 0;
}

void onnx_is_close(struct onnx_reader *r, const struct onnx_node *n)
{
    char op[ONNX_TEXT_MAX];

    if (!r->parts->close[0])
        snprintf(r->parts->close, sizeof r->parts->close,
                 "%s rounds differently in ONNX Runtime, from machine to machine",
                 onnx_text(n->op, op));
}

/* ---- constants */

bool onnx_constant(const struct onnx_reader *r, struct slice value, struct onnx_tensor *tensor)
{
    const struct onnx_tensor *found = onnx_tensor_find(&r->file, value);
    const struct onnx_node *n;
    size_t output;

    if (found) {
        *tensor = *found;
        return true;
    }
    n = onnx_producer(&r->file, value, &output);
    return n && slice_equals(n->op, "Constant", 8) && onnx_attribute_tensor(n, "value", tensor);
}

/* A tensor's numbers: as many as its shape says, and where they are several, along the columns, not
 * along the rows. */
static bool lies_along_columns(size_t count, const struct wire_ints *shape)
{
    int64_t last = shape->count > 0 ? shape->items[shape->count - 1] : 1;
    int64_t first = shape->count > 1 ? shape->items[0] : 1;

    return shape->count <= 2 && first == 1 && (size_t)last == count;
}

int onnx_constant_floats(struct onnx_reader *r, const struct onnx_node *n, struct slice value,
                         size_t width, struct wire_floats *list)
{
    struct wire_ints shape = {0};
    struct onnx_tensor tensor;
    bool is_good = onnx_constant(r, value, &tensor) && onnx_tensor_floats(&tensor, list) &&
                   onnx_tensor_shape(&tensor, &shape);

    is_good = is_good && (list->count == 1 || list->count == width) &&
              lies_along_columns(list->count, &shape);
    free(shape.items);
    return is_good ? 0
                   : onnx_refuse(r, n, "an operand that is no float constant of 1 or %zu columns",
                                 width);
}

int onnx_post_transform(struct onnx_reader *r, const struct onnx_node *n, enum score_kind *kind)
{
    static const char *const names[] = {[SCORE_NONE] = "NONE",
                                        [SCORE_LOGISTIC] = "LOGISTIC",
                                        [SCORE_SOFTMAX] = "SOFTMAX",
                                        [SCORE_SOFTMAX_ZERO] = "SOFTMAX_ZERO"};
    struct slice name = slice_of("NONE");
    char text[ONNX_TEXT_MAX];

    if (!onnx_attribute_text(n, "post_transform", &name))
        return onnx_refuse(r, n, "post_transform is no text");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (slice_equals(name, names[i], strlen(names[i]))) {
            *kind = (enum score_kind)i;
            return 0;
        }
    return onnx_refuse(r, n, "post_transform %s: not read by this version", onnx_text(name, text));
}

/* ---- widths */

static int count_indices(struct onnx_reader *r, const struct onnx_node *n, struct wire_ints *list)
{
    struct onnx_tensor tensor;
    int64_t axis = 1;

    if (onnx_constant(r, onnx_input(&r->file, n, 1), &tensor) && onnx_tensor_ints(&tensor, list) &&
        list->items && list->count > 0 && list->count <= ONNX_MAX_OUTPUTS &&
        onnx_attribute_int(n, "axis", &axis) && axis == 1)
        return 0;
    return onnx_refuse(r, n, "columns that are no constant list");
}

static int first_width(struct onnx_reader *r, const struct onnx_node *n, size_t *width)
{
    return onnx_width(r, onnx_input(&r->file, n, 0), width);
}

/* The operand that is no constant. */
static struct slice operand(const struct onnx_reader *r, const struct onnx_node *n, bool *is_second)
{
    struct onnx_tensor tensor;

    *is_second = onnx_constant(r, onnx_input(&r->file, n, 0), &tensor);
    return onnx_input(&r->file, n, *is_second ? 1 : 0);
}

static int operand_width(struct onnx_reader *r, const struct onnx_node *n, size_t *width)
{
    bool is_second;

    return onnx_width(r, operand(r, n, &is_second), width);
}

static int map_width(struct onnx_reader *r, const struct onnx_node *n, size_t *width)
{
    r->is_classifier = true;
    return first_width(r, n, width);
}

static int index_width(struct onnx_reader *r, const struct onnx_node *n, size_t *width)
{
    struct wire_ints list = {0};
    int result = count_indices(r, n, &list);

    *width = list.count;
    free(list.items);
    return result == 0 ? onnx_width(r, onnx_input(&r->file, n, 0), &(size_t){0}) : -1;
}

static int concat_width(struct onnx_reader *r, const struct onnx_node *n, size_t *width)
{
    size_t sum = 0;

    for (size_t i = 0; i < n->inputs; i++) {
        size_t own = 0;
        if (onnx_width(r, onnx_input(&r->file, n, i), &own) != 0)
            return -1;
        sum += own;
    }
    *width = sum;
    return sum > 0 && sum <= ONNX_MAX_OUTPUTS ? 0 : onnx_refuse(r, n, "too many columns");
}

/* ---- ops on scores. Each says which value comes next. */

static void add_op(struct onnx_reader *r, enum score_kind kind)
{
    onnx_scores_add(&r->scores, (struct score_op){kind, -1, 0});
}

/* An op that looks at all columns comes before the one that picks one of them. */
static void add_op_on_all(struct onnx_reader *r, enum score_kind kind)
{
    if (r->column >= 0)
        onnx_scores_add(&r->scores, (struct score_op){SCORE_PICK, (int32_t)r->column, 0});
    r->column = -1;
    add_op(r, kind);
}

static int trace_same(struct onnx_reader *r, const struct onnx_node *n, struct slice *next)
{
    static const char *const known[] = {"classlabels_int64s", "classlabels_strings", NULL};

    *next = onnx_input(&r->file, n, 0);
    return onnx_know(r, n, known);
}

static int trace_cast(struct onnx_reader *r, const struct onnx_node *n, struct slice *next)
{
    static const char *const known[] = {"to", "saturate", NULL};
    int64_t to = 0;

    *next = onnx_input(&r->file, n, 0);
    if (!onnx_attribute_int(n, "to", &to) || (to != ONNX_FLOAT && to != ONNX_DOUBLE))
        return onnx_refuse(r, n, "scores cast to type %lld: not read by this version",
                           (long long)to);
    return onnx_know(r, n, known);
}

/* The rows stay rows: [-1, width], or where there is one column, [-1] too. */
static int trace_reshape(struct onnx_reader *r, const struct onnx_node *n, struct slice *next)
{
    static const char *const known[] = {"allowzero", NULL};
    struct wire_ints shape = {0};
    struct onnx_tensor tensor;
    size_t width = 0;
    bool is_good;

    *next = onnx_input(&r->file, n, 0);
    if (onnx_know(r, n, known) != 0 || onnx_width(r, *next, &width) != 0)
        return -1;
    is_good = onnx_constant(r, onnx_input(&r->file, n, 1), &tensor) &&
              onnx_tensor_ints(&tensor, &shape) &&
              ((shape.count == 2 && (size_t)shape.items[1] == width) ||
               (width == 1 && shape.count == 1 && shape.items[0] == -1));
    free(shape.items);
    return is_good ? 0 : onnx_refuse(r, n, "to another shape than rows of %zu columns", width);
}

static int trace_sigmoid(struct onnx_reader *r, const struct onnx_node *n, struct slice *next)
{
    static const char *const known[] = {NULL};

    *next = onnx_input(&r->file, n, 0);
    onnx_is_close(r, n);
    add_op(r, SCORE_SIGMOID);
    return onnx_know(r, n, known);
}

static int trace_exp(struct onnx_reader *r, const struct onnx_node *n, struct slice *next)
{
    static const char *const known[] = {NULL};

    *next = onnx_input(&r->file, n, 0);
    onnx_is_close(r, n);
    add_op(r, SCORE_EXP);
    return onnx_know(r, n, known);
}

static int trace_softmax(struct onnx_reader *r, const struct onnx_node *n, struct slice *next)
{
    static const char *const known[] = {"axis", NULL};
    int64_t axis = -1;

    *next = onnx_input(&r->file, n, 0);
    if (!onnx_attribute_int(n, "axis", &axis) || (axis != 1 && axis != -1))
        return onnx_refuse(r, n, "not along the columns");
    onnx_is_close(r, n);
    add_op_on_all(r, SCORE_SOFTMAX);
    return onnx_know(r, n, known);
}

static int trace_normalizer(struct onnx_reader *r, const struct onnx_node *n, struct slice *next)
{
    static const char *const known[] = {"norm", NULL};
    struct slice norm = slice_of("MAX");

    *next = onnx_input(&r->file, n, 0);
    if (!onnx_attribute_text(n, "norm", &norm) || !slice_equals(norm, "L1", 2))
        return onnx_refuse(r, n, "a norm other than L1: not read by this version");
    add_op_on_all(r, SCORE_NORMALIZE);
    return onnx_know(r, n, known);
}

static int trace_arithmetic(struct onnx_reader *r, const struct onnx_node *n, struct slice *next)
{
    static const char *const known[] = {NULL};
    static const struct {
        const char *op;
        enum score_kind kinds[2]; /* x first, the constant first */
    } ops[] = {{"Add", {SCORE_ADD, SCORE_ADD}},
               {"Sub", {SCORE_SUBTRACT, SCORE_SUBTRACT_FROM}},
               {"Mul", {SCORE_MULTIPLY, SCORE_MULTIPLY}},
               {"Div", {SCORE_DIVIDE, SCORE_DIVIDE_INTO}}};
    struct wire_floats list = {0};
    bool is_second;
    size_t width = 0, op = 0;
    int result;

    while (!slice_equals(n->op, ops[op].op, 3))
        op++;
    *next = operand(r, n, &is_second);
    if (onnx_know(r, n, known) != 0 || onnx_width(r, *next, &width) != 0)
        return -1;
    result = onnx_constant_floats(r, n, onnx_input(&r->file, n, is_second ? 0 : 1), width, &list);
    for (size_t i = 0; result == 0 && i < list.count; i++)
        if (list.count == 1 || r->column < 0 || r->column == (int64_t)i)
            onnx_scores_add(&r->scores,
                            (struct score_op){ops[op].kinds[is_second],
                                              list.count == 1 || r->column >= 0 ? -1 : (int32_t)i,
                                              list.items[i]});
    free(list.items);
    return result;
}

static int trace_extractor(struct onnx_reader *r, const struct onnx_node *n, struct slice *next)
{
    static const char *const known[] = {"axis", NULL};
    struct wire_ints list = {0};
    size_t width = 0, at = r->column < 0 ? 0 : (size_t)r->column;
    int result;

    *next = onnx_input(&r->file, n, 0);
    if (onnx_know(r, n, known) != 0 || onnx_width(r, *next, &width) != 0)
        return -1;
    result = count_indices(r, n, &list);
    if (result == 0 && ((r->column < 0 && list.count > 1) || at >= list.count ||
                        list.items[at] < 0 || (size_t)list.items[at] >= width))
        result = onnx_refuse(r, n, "several columns, or one that is not there");
    if (result == 0 && list.items)
        r->column = list.items[at];
    free(list.items);
    return result;
}

static int trace_concat(struct onnx_reader *r, const struct onnx_node *n, struct slice *next)
{
    static const char *const known[] = {"axis", NULL};
    size_t first = 0, width = 0;
    int64_t axis = 0;

    if (onnx_know(r, n, known) != 0)
        return -1;
    if (!onnx_attribute_int(n, "axis", &axis) || (axis != 1 && axis != -1))
        return onnx_refuse(r, n, "not of columns");
    if (r->column < 0 && n->inputs != 1)
        return onnx_refuse(r, n, "scores that come from several places: not read by this version");
    for (size_t i = 0; i < n->inputs; i++, first += width) {
        *next = onnx_input(&r->file, n, i);
        if (onnx_width(r, *next, &width) != 0)
            return -1;
        if (r->column >= (int64_t)(first + width))
            continue;
        r->column = r->column < 0 ? -1 : r->column - (int64_t)first;
        return 0;
    }
    return onnx_refuse(r, n, "it has no column %lld", (long long)r->column);
}

/* ---- walk */

static const struct node_kind {
    const char *op;
    int (*width)(struct onnx_reader *r, const struct onnx_node *n, size_t *width);
    int (*trace)(struct onnx_reader *r, const struct onnx_node *n, struct slice *next);
    int (*body)(struct onnx_reader *r, const struct onnx_node *n);
    size_t output; /* the one that holds scores */
} kinds[] = {
    {"TreeEnsembleRegressor", onnx_trees_width, NULL, onnx_trees, 0},
    {"TreeEnsembleClassifier", onnx_trees_width, NULL, onnx_trees, 1},
    {"LinearRegressor", onnx_linear_width, NULL, onnx_linear, 0},
    {"LinearClassifier", onnx_linear_width, NULL, onnx_linear, 1},
    {"MatMul", onnx_matrix_width, NULL, onnx_matrix, 0},
    {"Gemm", onnx_matrix_width, NULL, onnx_matrix, 0},
    {"Identity", first_width, trace_same, NULL, 0},
    {"ZipMap", map_width, trace_same, NULL, 0},
    {"Cast", first_width, trace_cast, NULL, 0},
    {"Reshape", first_width, trace_reshape, NULL, 0},
    {"Sigmoid", first_width, trace_sigmoid, NULL, 0},
    {"Softmax", first_width, trace_softmax, NULL, 0},
    {"Exp", first_width, trace_exp, NULL, 0},
    {"Normalizer", first_width, trace_normalizer, NULL, 0},
    {"Add", operand_width, trace_arithmetic, NULL, 0},
    {"Sub", operand_width, trace_arithmetic, NULL, 0},
    {"Mul", operand_width, trace_arithmetic, NULL, 0},
    {"Div", operand_width, trace_arithmetic, NULL, 0},
    {"ArrayFeatureExtractor", index_width, trace_extractor, NULL, 0},
    {"Gather", index_width, trace_extractor, NULL, 0},
    {"Concat", concat_width, trace_concat, NULL, 0},
};

static const struct node_kind *find_kind(struct onnx_reader *r, struct slice value,
                                         const struct onnx_node **node)
{
    char text[ONNX_TEXT_MAX];
    size_t output;

    *node = onnx_producer(&r->file, value, &output);
    if (!*node) {
        err_fatal(r->err, EXIT_DATA, "%s: no model node makes the value \"%s\"", r->name,
                  onnx_text(value, text));
        return NULL;
    }
    if (++r->visits > ONNX_MAX_VISITS) {
        onnx_refuse(r, *node, "the graph is too large, or goes in a circle");
        return NULL;
    }
    if (onnx_know_domain(r, *node) != 0)
        return NULL;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (slice_equals((*node)->op, kinds[i].op, strlen(kinds[i].op))) {
            if (output == kinds[i].output)
                return &kinds[i];
            onnx_refuse(r, *node, "its output %zu is no score", output);
            return NULL;
        }
    onnx_refuse(r, *node, "not read by this version");
    return NULL;
}

int onnx_width(struct onnx_reader *r, struct slice value, size_t *width)
{
    const struct onnx_node *n;
    const struct node_kind *kind = find_kind(r, value, &n);
    int result;

    if (!kind)
        return -1;
    if (r->depth == ONNX_MAX_DEPTH)
        return onnx_refuse(r, n, "the graph is too deep, or goes in a circle");
    r->depth++;
    result = kind->width(r, n, width);
    r->depth--;
    return result;
}

int onnx_trace(struct onnx_reader *r, struct slice value)
{
    const struct onnx_node *n;
    const struct node_kind *kind;

    while ((kind = find_kind(r, value, &n)) != NULL) {
        if (kind->body)
            return kind->body(r, n);
        if (kind->trace(r, n, &value) != 0)
            return -1;
    }
    return -1;
}
