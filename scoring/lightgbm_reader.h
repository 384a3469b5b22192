/* lightgbm_reader.h: what the files of the LightGBM reader share: the state of one reading, and how
 * it is refused.
 *
 *   lightgbm.c            the file line by line: header, trees, what follows; put together
 *   lightgbm_tree.c       a tree: its lines, checked, into struct trees
 *   lightgbm_objective.c  the objective's line to a link
 *   lightgbm_cats.c       pandas_categorical: which feature has which texts
 *
 * Lines and their values are borrowed from the file: a claimed count allocates nothing before as
 * many numbers are there. Functions return false once the reading has failed; err is set by the
 * first that knew why. Thread: the reader's own.
 */
#ifndef SCORING_LIGHTGBM_READER_H
#define SCORING_LIGHTGBM_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "scoring/lightgbm.h"

enum lightgbm_limits { LIGHTGBM_MAX_OUTPUTS = 1 << 16, LIGHTGBM_MAX_FEATURES = 1 << 24 };

/* Borrowed; text NULL: not there. */
struct text {
    const char *text;
    size_t len;
};

struct lightgbm {
    struct model_parts *parts;
    const struct model_options *options;
    const char *name;
    struct err *err;
    const char *at, *end; /* what comes next */
    size_t line;          /* number of the one taken last, from 1 */

    /* the header */
    int version; /* 4: version=v4 */
    int64_t feature_count, output_count;
    bool is_average;
    struct text objective, names, infos, sizes;

    /* behind the trees */
    bool has_end_of_trees; /* 2.2 and later */
    bool has_parameters, has_float_parser;
    struct text categorical_feature, pandas; /* values of those lines */

    bool is_linear; /* some tree is */
    struct tree_node *nodes;
    size_t node_cap;
    bool *used_sets;
    size_t used_set_cap;
};

/* "NAME: line 12: what". Always false. */
bool lightgbm_refuse(struct lightgbm *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The next line without its end; false: there is none. */
bool lightgbm_line(struct lightgbm *r, struct text *line);

/* Cuts key=value at the first '='. Without one the value has text NULL. */
struct text lightgbm_key(struct text line, struct text *value);
bool text_is(struct text text, const char *literal);

/* Numbers of a line, divided by blanks, from the left to the right. Both move `list` behind the
 * number; false: there is none, or it is out of range. Doubles may be inf, -inf and nan. */
bool lightgbm_int(struct text *list, int64_t low, int64_t high, int64_t *value);
bool lightgbm_double(struct text *list, double *value);
bool lightgbm_is_over(struct text list);

/* The next word, or one of length 0. */
struct text lightgbm_word(struct text *list);

/* Takes the block behind a line Tree=N, and its blank line, into parts->trees. */
bool lightgbm_take_tree(struct lightgbm *r);

/* The link, and parts->objective, of the header's objective; iterations: what a random forest is
 * divided by. */
bool lightgbm_link(struct lightgbm *r, size_t iterations);

/* parts->names and parts->categories. */
bool lightgbm_take_names(struct lightgbm *r);
bool lightgbm_take_categories(struct lightgbm *r);

#endif
