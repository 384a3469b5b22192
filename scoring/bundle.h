/* bundle.h: a model bundle, the folder that is trained, reviewed, deployed and rolled back as one.
 *
 *   model.ini  model file  category tables  golden.jsonl  [reference.json]
 *
 * bundle_load checks everything that can be checked without events: the sha256 of the model file,
 * the feature list against the model (names, order, count), category tables against the categories
 * that the model stores, thresholds, and the golden rows (scoring/golden.c). Golden events are run
 * by pipeline/.
 *
 * Owns all it points to, immutable after load, any thread may read.
 */
#ifndef SCORING_BUNDLE_H
#define SCORING_BUNDLE_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"
#include "core/feature.h"
#include "core/sha256.h"
#include "scoring/model.h"

enum output_kind {
    OUTPUT_PROBABILITY, /* `score` is the linked output, in [0, 1] */
    OUTPUT_VALUE,       /* `score` is the linked output */
    OUTPUT_MARGIN,      /* `score` is the margin */
};

enum { BUNDLE_MAX_THRESHOLDS = 100 };

struct threshold {
    double from; /* this decision for score >= from */
    char *decision;
};

/* One line of golden.jsonl. */
struct golden {
    int line;
    float *row; /* feature_count floats, NaN = missing; NULL when the line has none */
    /* What the model must give, margin_count and score_count of them, NULL when the line has none:
     * margins by bits, scores within one unit in the last place, of the kind of number that the
     * library has. Or both within the tolerance. */
    double *margins, *scores;
    char *event; /* JSON text of the event, NUL-terminated; NULL when the line has none */
    size_t event_len;
};

struct bundle {
    char *path;    /* the folder */
    char *name;    /* [model] name */
    char *version; /* [model] version */
    char digest[SHA256_HEX + 1];
    enum output_kind output;
    size_t output_count; /* margins or scores of a row */
    size_t output_index; /* which of them is `score` */
    char *output_name;
    struct threshold *thresholds; /* rising */
    size_t threshold_count;
    char *below; /* decision below the first threshold; NULL when there are no thresholds */
    struct features features;
    struct model *model;
    double tolerance; /* exactness = close: of golden rows, relative above 1; 0: they are exact */
    struct golden *goldens;
    size_t golden_count;
};

/* *bundle is new: bundle_free. options: NULL for none; rounds are part of the digest, and golden
 * rows must hold with them. Errors: EXIT_IO unreadable file, EXIT_DATA the rest, each with file and
 * line and what to do. */
int bundle_load(struct bundle **bundle, const char *path, const struct model_options *options,
                struct err *err);
void bundle_free(struct bundle *bundle);

/* Which decision a score gets: 0 is below, i is thresholds[i - 1]. */
size_t bundle_decide(const struct bundle *bundle, double score);

/* The name of decision i, up to threshold_count; NULL when the bundle names none. Static as the
 * bundle. */
const char *bundle_decision_name(const struct bundle *bundle, size_t i);

/* The decision for a score by name, or NULL. */
static inline const char *bundle_decision(const struct bundle *bundle, double score)
{
    return bundle_decision_name(bundle, bundle_decide(bundle, score));
}

/* What a row gives, output_count numbers: the linked outputs or the margins. row counts in what
 * model_score filled. */
static inline const double *bundle_outputs(const struct bundle *bundle, const double *margins,
                                           const double *scores, size_t row)
{
    return (bundle->output == OUTPUT_MARGIN ? margins : scores) + row * bundle->output_count;
}

/* Whether these can be published. */
static inline bool bundle_is_finite(const struct bundle *bundle, const double *outputs)
{
    for (size_t i = 0; i < bundle->output_count; i++)
        if (!isfinite(outputs[i]))
            return false;
    return true;
}

#endif
