/* onnx_linear.c: LinearRegressor, LinearClassifier, MatMul and Gemm by a constant. ONNX Runtime
 * multiplies matrices with kernels that differ from machine to machine and with the number of rows,
 * so all of them are only close; here the sum is a double.
 *
 * Source: onnxruntime/core/providers/cpu/ml/linearregressor.cc, linearclassifier.cc.
 */
#include <assert.h>
#include <stdlib.h>

#include "scoring/onnx_reader.h"

/* Weights of outputs by features. */
struct weights {
    struct wire_floats coefficients, intercepts;
    size_t output_count;
    bool by_feature; /* coefficient of feature f and output o at [f * output_count + o] */
};

static void release(struct weights *w)
{
    free(w->coefficients.items);
    free(w->intercepts.items);
}

/* The model of all outputs, or of the one that is looked at. */
static void build(struct onnx_reader *r, const struct weights *w, size_t width, int64_t only)
{
    struct linear *l = linear_new(width, only < 0 ? w->output_count : 1);

    assert(w->coefficients.items); /* width and output_count are not 0 */
    l->is_double = l->nan_stays = true;
    for (size_t o = 0; o < l->output_count; o++) {
        size_t from = only < 0 ? o : (size_t)only;
        for (size_t f = 0; f < width; f++)
            l->weights[o * width + f] =
                (double)w->coefficients
                    .items[w->by_feature ? f * w->output_count + from : from * width + f];
        if (w->intercepts.count > 0)
            l->intercepts[o] = (double)w->intercepts.items[w->intercepts.count == 1 ? 0 : from];
    }
    r->parts->linear = l;
}

static int read_rows(struct onnx_reader *r, const struct onnx_node *n, size_t *width)
{
    enum onnx_type type;

    if (onnx_rows(r, onnx_input(&r->file, n, 0), width, &type) != 0)
        return -1;
    if (type != ONNX_FLOAT)
        return onnx_refuse(r, n, "on doubles: not read by this version; export with float inputs");
    onnx_is_close(r, n);
    return 0;
}

/* ---- ai.onnx.ml */

static bool is_classifier(const struct onnx_node *n)
{
    return slice_equals(n->op, "LinearClassifier", 16);
}

/* A classifier has as many sums as intercepts. */
static int count_sums(struct onnx_reader *r, const struct onnx_node *n, size_t *count)
{
    struct wire_floats intercepts = {0};
    int64_t targets = 1;
    bool is_good = onnx_attribute_int(n, "targets", &targets) &&
                   onnx_attribute_floats(n, "intercepts", &intercepts);

    *count = is_classifier(n) ? intercepts.count : (size_t)targets;
    free(intercepts.items);
    return is_good && targets > 0 && *count > 0 && *count <= ONNX_MAX_OUTPUTS
               ? 0
               : onnx_refuse(r, n, "it has no intercepts or targets, or more than %d",
                             ONNX_MAX_OUTPUTS);
}

int onnx_linear_width(struct onnx_reader *r, const struct onnx_node *n, size_t *width)
{
    size_t labels = 0;

    if (count_sums(r, n, width) != 0)
        return -1;
    if (!is_classifier(n))
        return 0;
    r->is_classifier = true;
    if (!onnx_attribute_count(n, "classlabels_strings", &labels) ||
        (labels == 0 && !onnx_attribute_count(n, "classlabels_ints", &labels)))
        return onnx_refuse(r, n, "classlabels are damaged");
    if (labels != *width && (labels != 2 || *width != 1))
        return onnx_refuse(r, n, "%zu intercepts for %zu classes", *width, labels);
    *width = labels;
    return 0;
}

/* One sum for two classes is the score of the second, and what it stays: no transform is applied,
 * and the first class gets 1 - s. A regressor of one target does not get its transform either. */
static int add_transform(struct onnx_reader *r, const struct onnx_node *n, size_t sums,
                         int64_t *only)
{
    enum score_kind kind;
    bool is_alone;

    if (onnx_post_transform(r, n, &kind) != 0)
        return -1;
    if (sums == 1) {
        if (is_classifier(n) && r->column == 0)
            onnx_scores_add(&r->scores, (struct score_op){SCORE_PICK, 0, 0});
        if (is_classifier(n) && r->column <= 0)
            onnx_scores_add(&r->scores, (struct score_op){SCORE_COMPLEMENT, 0, 0});
        *only = 0;
        return 0;
    }
    is_alone = kind == SCORE_NONE || kind == SCORE_LOGISTIC;
    if (r->column >= 0 && !is_alone)
        onnx_scores_add(&r->scores, (struct score_op){SCORE_PICK, (int32_t)r->column, 0});
    if (kind != SCORE_NONE)
        onnx_scores_add(&r->scores,
                        (struct score_op){kind == SCORE_LOGISTIC ? SCORE_SIGMOID : kind, -1, 0});
    *only = is_alone ? r->column : -1;
    return 0;
}

int onnx_linear(struct onnx_reader *r, const struct onnx_node *n)
{
    static const char *const known[] = {
        "classlabels_ints", "classlabels_strings", "coefficients", "intercepts",
        "multi_class",      "post_transform",      "targets",      NULL};
    struct weights w = {0};
    size_t width, columns;
    int64_t only = -1;
    int result = 0;

    if (onnx_know(r, n, known) != 0 || read_rows(r, n, &width) != 0 ||
        onnx_linear_width(r, n, &columns) != 0 || count_sums(r, n, &w.output_count) != 0 ||
        add_transform(r, n, w.output_count, &only) != 0)
        return -1;
    if (!onnx_attribute_floats(n, "coefficients", &w.coefficients) ||
        !onnx_attribute_floats(n, "intercepts", &w.intercepts) ||
        w.coefficients.count != width * w.output_count ||
        (w.intercepts.count != 0 && w.intercepts.count != w.output_count))
        result = onnx_refuse(r, n,
                             "%zu coefficients and %zu intercepts for %zu columns and %zu "
                             "outputs",
                             w.coefficients.count, w.intercepts.count, width, w.output_count);
    else
        build(r, &w, width, only);
    release(&w);
    return result;
}

/* ---- matrices */

/* rows and columns of the second operand, a constant. */
static int matrix_shape(struct onnx_reader *r, const struct onnx_node *n, size_t shape[2],
                        struct onnx_tensor *tensor)
{
    struct wire_ints list = {0};
    int64_t transposed = 0, first_transposed = 0;
    bool is_good = onnx_constant(r, onnx_input(&r->file, n, 1), tensor) &&
                   onnx_tensor_shape(tensor, &list) && list.count == 2 && list.items[0] > 0 &&
                   list.items[1] > 0 && onnx_attribute_int(n, "transB", &transposed) &&
                   onnx_attribute_int(n, "transA", &first_transposed) && first_transposed == 0;

    if (is_good) {
        shape[0] = (size_t)list.items[transposed ? 1 : 0];
        shape[1] = (size_t)list.items[transposed ? 0 : 1];
    }
    free(list.items);
    return is_good && shape[1] <= ONNX_MAX_OUTPUTS && shape[0] <= ONNX_MAX_FEATURES
               ? 0
               : onnx_refuse(r, n, "not by a constant matrix of at most %d columns",
                             ONNX_MAX_OUTPUTS);
}

int onnx_matrix_width(struct onnx_reader *r, const struct onnx_node *n, size_t *width)
{
    struct onnx_tensor tensor;
    size_t shape[2] = {0};

    if (matrix_shape(r, n, shape, &tensor) != 0)
        return -1;
    *width = shape[1];
    return 0;
}

/* A sum that is added at once is the intercepts. */
static void fold_intercepts(struct onnx_reader *r)
{
    struct linear *l = r->parts->linear;
    struct onnx_scores *s = &r->scores;

    while (s->count > 0 && s->items[s->count - 1].kind == SCORE_ADD) {
        const struct score_op *op = &s->items[--s->count];
        for (size_t o = 0; o < l->output_count; o++)
            if (op->column < 0 || (size_t)op->column == o)
                l->intercepts[o] += (double)op->value;
    }
}

int onnx_matrix(struct onnx_reader *r, const struct onnx_node *n)
{
    static const char *const known[] = {"alpha", "beta", "transA", "transB", NULL};
    struct slice added = onnx_input(&r->file, n, 2);
    struct weights w = {0};
    struct onnx_tensor tensor;
    float alpha = 1, beta = 1;
    int64_t transposed = 0;
    size_t width, shape[2] = {0};
    int result;

    if (onnx_know(r, n, known) != 0 || read_rows(r, n, &width) != 0 ||
        matrix_shape(r, n, shape, &tensor) != 0)
        return -1;
    w.output_count = shape[1];
    w.by_feature = onnx_attribute_int(n, "transB", &transposed) && transposed == 0;
    if (!onnx_attribute_float(n, "alpha", &alpha) || !onnx_attribute_float(n, "beta", &beta) ||
        alpha != 1 || beta != 1 || shape[0] != width ||
        !onnx_tensor_floats(&tensor, &w.coefficients) ||
        w.coefficients.count != width * w.output_count)
        result = onnx_refuse(r, n, "not a matrix of floats for %zu columns, with alpha and beta 1",
                             width);
    else
        result =
            added.len == 0 ? 0 : onnx_constant_floats(r, n, added, w.output_count, &w.intercepts);
    if (result == 0) {
        build(r, &w, width, r->column);
        fold_intercepts(r);
    }
    release(&w);
    return result;
}
