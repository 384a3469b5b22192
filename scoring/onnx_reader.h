/* onnx_reader.h: what the files of the ONNX reader share: the state of one reading, and how it is
 * refused.
 *
 *   onnx_wire.c       protocol buffers
 *   onnx_file.c       nodes, constants, inputs, outputs; onnx_attribute.c: what nodes and constants
 *                     hold
 *   onnx.c            chooses the output that is the score, puts the parts together
 *   onnx_graph.c      from that output back to the body: what is done to scores
 *   onnx_trees.c      the body, if it is trees; onnx_ensemble.c: its attributes, checked
 *   onnx_linear.c     the body, if it is linear
 *   onnx_rows.c       from the body back to the inputs: what is done to rows
 *   onnx_scores.c     the link: what is done to scores, row by row
 *
 * Each node on the way is known, with all of its attributes, or the file is refused.
 *
 * Functions return 0, or -1 once the reading has failed; err is set by the first that knew why.
 * Thread: the reader's own.
 */
#ifndef SCORING_ONNX_READER_H
#define SCORING_ONNX_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "scoring/onnx_file.h"
#include "scoring/onnx_scores.h"
#include "scoring/parts.h"

enum {
    ONNX_MAX_FEATURES = 1 << 20,
    ONNX_MAX_STEPS = 1 << 20,  /* on all columns of a row */
    ONNX_MAX_VISITS = 1 << 13, /* of nodes: a value may be used again and again */
    ONNX_MAX_COPIES = 1 << 24, /* of columns, for the same reason */
    ONNX_MAX_DEPTH = 64,       /* of nodes behind one another, before the body */
};

/* A row on its way from the inputs to the body: each column is an input's, after some steps. */
struct onnx_column {
    uint32_t source;
    int32_t last_step; /* in steps[], each knows the one before; -1: none */
};

struct onnx_step {
    int32_t before;
    struct step step; /* but for its column */
};

struct onnx_columns {
    struct onnx_column *items;
    size_t count, cap;
    struct onnx_step *steps;
    size_t step_count, step_cap;
};

struct onnx_reader {
    const char *name;
    struct err *err;
    struct onnx_file file;
    struct model_parts *parts;
    size_t *input_starts; /* of each input: its first column in the model's rows */
    unsigned visits;
    size_t copied;
    unsigned depth;

    /* from the score back to the body */
    int64_t column; /* of the value that is looked at; -1: all of them */
    struct onnx_scores scores;
    bool is_classifier, is_double; /* is_double: the body reads doubles */
};

/* "NAME: node N (OP): what". Always -1. */
int onnx_refuse(struct onnx_reader *r, const struct onnx_node *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Refuses a node of another domain than ONNX's own two. */
int onnx_know_domain(struct onnx_reader *r, const struct onnx_node *node);

/* Refuses a node that has an attribute which is none of these, or one twice. */
int onnx_know(struct onnx_reader *r, const struct onnx_node *node, const char *const *attributes);

/* Says that what the node gives is not the library's to the bit: the model is only close. */
void onnx_is_close(struct onnx_reader *r, const struct onnx_node *node);

/* A constant, an initializer or what a Constant node holds; false: the value is none. */
bool onnx_constant(const struct onnx_reader *r, struct slice value, struct onnx_tensor *tensor);

/* The float32 numbers of a constant that is one number, or one for each of `width` columns. */
int onnx_constant_floats(struct onnx_reader *r, const struct onnx_node *node, struct slice value,
                         size_t width, struct wire_floats *list);

/* Which transform a body applies, by its name. */
int onnx_post_transform(struct onnx_reader *r, const struct onnx_node *node, enum score_kind *kind);

/* onnx_rows.c: how many columns the inputs have, and where each begins. */
int onnx_inputs(struct onnx_reader *r);

/* The row that a body reads; parts->transform is set where it is not the input itself. *width: its
 * columns; *type: of its numbers. */
int onnx_rows(struct onnx_reader *r, struct slice value, size_t *width, enum onnx_type *type);

/* onnx_graph.c: how many columns a value behind the body has; sees whether a classifier is before
 * it. */
int onnx_width(struct onnx_reader *r, struct slice value, size_t *width);

/* From a value back to the body; fills parts and r->scores, whose first op is the last one. */
int onnx_trace(struct onnx_reader *r, struct slice value);

/* Bodies: widths, and parts; they read r->column. */
int onnx_trees_width(struct onnx_reader *r, const struct onnx_node *node, size_t *width);
int onnx_trees(struct onnx_reader *r, const struct onnx_node *node);
int onnx_linear_width(struct onnx_reader *r, const struct onnx_node *node, size_t *width);
int onnx_linear(struct onnx_reader *r, const struct onnx_node *node);
int onnx_matrix_width(struct onnx_reader *r, const struct onnx_node *node, size_t *width);
int onnx_matrix(struct onnx_reader *r, const struct onnx_node *node);

#endif
