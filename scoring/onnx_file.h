/* onnx_file.h: an ONNX file as it lies in memory: nodes, constants, inputs and outputs of its one
 * graph, found and counted, nothing judged. Attributes are read when somebody asks for them.
 *
 * Format: onnx/onnx.proto3 and onnx/onnx-ml.proto of github.com/onnx/onnx (ModelProto, GraphProto,
 * NodeProto, AttributeProto, TensorProto, ValueInfoProto).
 *
 * Borrows the file's bytes, owns its lists. Thread: the reader's.
 */
#ifndef SCORING_ONNX_FILE_H
#define SCORING_ONNX_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/slice.h"
#include "scoring/onnx_wire.h"

/* TensorProto.DataType, those that we read. */
enum onnx_type { ONNX_FLOAT = 1, ONNX_INT64 = 7, ONNX_DOUBLE = 11 };

/* A pipeline has tens of nodes; where each column is an input of its own, some more. */
enum {
    ONNX_MAX_NODES = 4096,  /* and initializers, inputs, outputs */
    ONNX_MAX_NAMES = 32768, /* of values, counted at each node */
};

struct onnx_node {
    struct slice name, op, domain;
    struct slice message;       /* NodeProto, for its attributes */
    size_t first_input, inputs; /* in names[] of struct onnx_file; an empty name is left out */
    size_t first_output, outputs;
};

/* A tensor that the file holds. */
struct onnx_tensor {
    struct slice name, message;
};

/* An input or an output of the graph. */
struct onnx_value {
    struct slice name;
    int64_t type;  /* enum onnx_type of a tensor; 0: no tensor (a sequence of maps) */
    int64_t rank;  /* 0: not said */
    int64_t width; /* the last dimension; 0: not said */
};

struct onnx_values {
    struct onnx_value *items;
    size_t count, cap;
};

struct onnx_file {
    const char *name; /* for messages */
    struct slice producer, producer_version;
    int64_t ir_version;
    int64_t opset, ml_opset; /* versions of the domains "" and ai.onnx.ml; 0: not used */
    struct onnx_node *nodes;
    size_t node_count, node_cap;
    struct slice *names;
    size_t name_count, name_cap;
    struct onnx_tensor *tensors;
    size_t tensor_count, tensor_cap;
    struct onnx_values inputs, outputs;
};

/* EXIT_DATA "name: what". On failure onnx_file_release is still to be called. */
int onnx_file_read(struct onnx_file *file, const char *name, struct slice data, struct err *err);
void onnx_file_release(struct onnx_file *file);

struct slice onnx_input(const struct onnx_file *file, const struct onnx_node *node, size_t i);

/* The node that makes a value, and as which of its outputs; NULL: none does. */
const struct onnx_node *onnx_producer(const struct onnx_file *file, struct slice value,
                                      size_t *output);
const struct onnx_tensor *onnx_tensor_find(const struct onnx_file *file, struct slice name);

/* A name of the file for a message: at most 60 characters, what does not print is a '?'. */
enum { ONNX_TEXT_MAX = 64 };
const char *onnx_text(struct slice text, char out[ONNX_TEXT_MAX]);

/* ---- attributes of a node. Each returns false when the attribute is there but of another type, or
 * its text is damaged; where it is not there, what is passed stays as it is. */

bool onnx_attribute_int(const struct onnx_node *node, const char *name, int64_t *value);
bool onnx_attribute_float(const struct onnx_node *node, const char *name, float *value);
bool onnx_attribute_text(const struct onnx_node *node, const char *name, struct slice *value);
bool onnx_attribute_ints(const struct onnx_node *node, const char *name, struct wire_ints *list);
bool onnx_attribute_floats(const struct onnx_node *node, const char *name,
                           struct wire_floats *list);
/* How many items a list of texts or of whole numbers of any size has, added to *count. */
bool onnx_attribute_count(const struct onnx_node *node, const char *name, size_t *count);
bool onnx_attribute_texts(const struct onnx_node *node, const char *name,
                          void (*each)(void *arg, struct slice text), void *arg);

/* False when there is none. */
bool onnx_attribute_tensor(const struct onnx_node *node, const char *name,
                           struct onnx_tensor *tensor);

/* The name of an attribute that is none of these (NULL at the end), or that comes twice; data NULL:
 * there is none. */
struct slice onnx_attribute_stranger(const struct onnx_node *node, const char *const *known);

/* ---- numbers of a tensor of any shape. False: another type, or damaged. */

bool onnx_tensor_ints(const struct onnx_tensor *tensor, struct wire_ints *list);
bool onnx_tensor_floats(const struct onnx_tensor *tensor, struct wire_floats *list);
bool onnx_tensor_doubles(const struct onnx_tensor *tensor, struct wire_doubles *list);

/* The sizes of its dimensions. */
bool onnx_tensor_shape(const struct onnx_tensor *tensor, struct wire_ints *shape);

#endif
