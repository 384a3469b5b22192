#include "scoring/contributions.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

/* One feature on the way from the root: which share of rows without it, and with it, would go this
 * way, and the weight of the subsets of so many features (the paper's z, o, w). */
struct element {
    uint32_t feature; /* NO_FEATURE at the root */
    double zero, one, weight;
};

#define NO_FEATURE UINT32_MAX

struct shap {
    const struct trees *trees;
    const struct tree *tree;
    const float *row;
    double *out;
    size_t width; /* feature_count + 1 */
};

/* ---- the path */

static void extend(struct element *path, size_t len, struct element e)
{
    path[len] = e;
    path[len].weight = len == 0 ? 1 : 0;
    for (size_t i = len; i-- > 0;) {
        path[i + 1].weight += e.one * path[i].weight * (double)(i + 1) / (double)(len + 1);
        path[i].weight = e.zero * path[i].weight * (double)(len - i) / (double)(len + 1);
    }
}

/* What the weights would add up to without element `at`; len counts the elements. */
static double sum_without(const struct element *path, size_t len, size_t at)
{
    double one = path[at].one, zero = path[at].zero, next = path[len - 1].weight, sum = 0;

    for (size_t i = len - 1; i-- > 0;) {
        if (one != 0) {
            double weight = next * (double)len / ((double)(i + 1) * one);
            sum += weight;
            next = path[i].weight - weight * zero * (double)(len - 1 - i) / (double)len;
        } else if (zero != 0) { /* else nobody comes this way: all weights are 0 */
            sum += path[i].weight * (double)len / (zero * (double)(len - 1 - i));
        }
    }
    return sum;
}

/* Takes element `at` out again. */
static void unwind(struct element *path, size_t len, size_t at)
{
    double one = path[at].one, zero = path[at].zero, next = path[len - 1].weight;

    for (size_t i = len - 1; i-- > 0;) {
        double old = path[i].weight;
        if (one != 0) {
            path[i].weight = next * (double)len / ((double)(i + 1) * one);
            next = old - path[i].weight * zero * (double)(len - 1 - i) / (double)len;
        } else if (zero != 0) {
            path[i].weight = old * (double)len / (zero * (double)(len - 1 - i));
        }
    }
    for (size_t i = at; i + 1 < len; i++) {
        path[i].feature = path[i + 1].feature;
        path[i].zero = path[i + 1].zero;
        path[i].one = path[i + 1].one;
    }
}

/* ---- the tree */

static double cover_of(const struct shap *s, int32_t at)
{
    return at < 0 ? s->trees->leaf_covers[s->tree->first_leaf + (uint32_t)~at]
                  : s->trees->split_covers[s->tree->first_split + (uint32_t)at];
}

/* scale times what the leaf adds, to one feature's column. */
static void add_leaf(const struct shap *s, int32_t leaf, size_t feature, double scale)
{
    size_t width = s->trees->leaf_width, first = width == 1 ? s->tree->output : 0;
    const double *values = s->trees->values + (s->tree->first_leaf + (uint32_t)~leaf) * width;

    for (size_t k = 0; k < width; k++)
        s->out[(first + k) * s->width + feature] += scale * values[k];
}

/* A leaf's value counts for each feature on the way by how much more often it is reached with the
 * feature than without; for the bias as often as nothing known. */
static void arrive(const struct shap *s, int32_t leaf, const struct element *path, size_t len)
{
    double nothing_known = 1;

    for (size_t i = 0; i < len; i++)
        nothing_known *= path[i].zero;
    add_leaf(s, leaf, s->width - 1, nothing_known);
    for (size_t i = 1; i < len; i++)
        add_leaf(s, leaf, path[i].feature,
                 sum_without(path, len, i) * (path[i].one - path[i].zero));
}

/* parent: the path so far, len elements, behind which there is room for all deeper ones. At most
 * CONTRIBUTIONS_DEPTH_MAX calls deep. */
static void visit(const struct shap *s, int32_t at, struct element e, const struct element *parent,
                  size_t len)
{
    struct element *path = (struct element *)parent + len;
    const struct split *split;
    struct element next = {.zero = 1, .one = 1};
    int32_t hot, cold;

    memcpy(path, parent, len * sizeof *path);
    extend(path, len++, e);
    if (at < 0) {
        arrive(s, at, path, len);
        return;
    }
    split = &s->trees->splits[s->tree->first_split + (uint32_t)at];
    next.feature = split->feature;
    for (size_t i = 1; i < len; i++) {
        if (path[i].feature != split->feature)
            continue;
        next = path[i];
        unwind(path, len--, i);
        break;
    }
    hot = trees_goes_left(s->trees, split, s->row[split->feature]) ? split->left : split->right;
    cold = hot == split->left ? split->right : split->left;
    e = next;
    e.zero = next.zero * cover_of(s, hot) / cover_of(s, at);
    visit(s, hot, e, path, len);
    e.zero = next.zero * cover_of(s, cold) / cover_of(s, at);
    e.one = 0;
    visit(s, cold, e, path, len);
}

/* Sides that no row of the training took have no share: nothing to weigh with where the split
 * itself had none. */
static bool has_covers(const struct trees *t)
{
    if (t->count > 0 && !t->leaf_covers)
        return false;
    for (size_t i = 0; i < t->split_count; i++)
        if (!(t->split_covers[i] > 0) || isinf(t->split_covers[i]))
            return false;
    for (size_t i = 0; i < t->leaf_count; i++)
        if (!(t->leaf_covers[i] >= 0))
            return false;
    return true;
}

int contributions_check(const struct trees *t, struct err *err)
{
    if (t->linear)
        return err_fatal(err, EXIT_DATA, "leaves that are linear functions have no contributions");
    if (!has_covers(t))
        return err_fatal(err, EXIT_DATA,
                         "the model file does not say how much of the training data came by each "
                         "node: without that there are no contributions");
    for (size_t i = 0; i < t->count; i++)
        if (t->items[i].depth > CONTRIBUTIONS_DEPTH_MAX)
            return err_fatal(err, EXIT_DATA,
                             "tree %zu has %u levels; contributions are told up to %d", i,
                             t->items[i].depth, CONTRIBUTIONS_DEPTH_MAX);
    return 0;
}

void contributions_of_trees(const struct trees *t, const float *row, double *out)
{
    struct shap s = {.trees = t, .row = row, .out = out, .width = t->feature_count + 1};
    struct element *room;
    size_t depth = 0;

    for (size_t i = 0; i < t->count; i++)
        depth = t->items[i].depth > depth ? t->items[i].depth : depth;
    room = mem_alloc((depth + 2) * (depth + 3) / 2, sizeof *room);
    memset(out, 0, t->output_count * s.width * sizeof *out);
    for (size_t i = 0; i < t->count; i++) {
        s.tree = &t->items[i];
        visit(&s, s.tree->split_count > 0 ? 0 : ~0,
              (struct element){.feature = NO_FEATURE, .zero = 1, .one = 1}, room, 0);
    }
    for (size_t o = 0; o < t->output_count; o++)
        out[o * s.width + s.width - 1] += t->base[o];
    free(room);
}

void contributions_of_linear(const struct linear *l, const float *row, double *out)
{
    size_t width = l->feature_count + 1;

    for (size_t o = 0; o < l->output_count; o++) {
        for (size_t f = 0; f < l->feature_count; f++) {
            double x = linear_input(l, f, row[f]);
            out[o * width + f] =
                isnan(x) && !l->nan_stays ? 0 : x * l->weights[o * l->feature_count + f];
        }
        out[o * width + width - 1] = l->intercepts[o];
    }
}
