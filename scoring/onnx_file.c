#include "scoring/onnx_file.h"

#include <stdlib.h>

#include "core/mem.h"

/* Field numbers of the messages. */
enum {
    MODEL_IR_VERSION = 1,
    MODEL_PRODUCER = 2,
    MODEL_PRODUCER_VERSION = 3,
    MODEL_GRAPH = 7,
    MODEL_OPSET = 8,
    MODEL_FUNCTIONS = 25,
    OPSET_DOMAIN = 1,
    OPSET_VERSION = 2,
    GRAPH_NODE = 1,
    GRAPH_INITIALIZER = 5,
    GRAPH_INPUT = 11,
    GRAPH_OUTPUT = 12,
    GRAPH_SPARSE_INITIALIZER = 15,
    NODE_INPUT = 1,
    NODE_OUTPUT = 2,
    NODE_NAME = 3,
    NODE_OP = 4,
    NODE_DOMAIN = 7,
    TENSOR_NAME = 8,
    VALUE_NAME = 1,
    VALUE_TYPE = 2,
    TYPE_TENSOR = 1,
    TENSOR_TYPE_ELEMENT = 1,
    TENSOR_TYPE_SHAPE = 2,
    SHAPE_DIMENSION = 1,
    DIMENSION_VALUE = 1,
};

const char *onnx_text(struct slice text, char out[ONNX_TEXT_MAX])
{
    size_t len = text.len < ONNX_TEXT_MAX - 4 ? text.len : ONNX_TEXT_MAX - 4;

    for (size_t i = 0; i < len; i++)
        out[i] = text.data[i] >= 0x20 && text.data[i] < 0x7f ? (char)text.data[i] : '?';
    memcpy(out + len, len < text.len ? "..." : "", len < text.len ? 4 : 1);
    return out;
}

static int damaged(const struct onnx_file *f, const char *what, struct err *err)
{
    return err_fatal(err, EXIT_DATA, "%s: not a whole ONNX file: %s is damaged", f->name, what);
}

/* ---- parts of the graph */

static void add_name(struct onnx_file *f, struct slice name)
{
    f->names = mem_grow(f->names, f->name_count, &f->name_cap, sizeof *f->names);
    f->names[f->name_count++] = name;
}

/* Inputs are collected before outputs, wherever they stand. */
static bool collect(struct onnx_file *f, struct slice message, uint64_t number, size_t *count)
{
    struct wire_field field;
    struct wire w;

    wire_init(&w, message);
    while (wire_next(&w, &field))
        if (field.number == number && field.kind == WIRE_BYTES && f->name_count < ONNX_MAX_NAMES) {
            add_name(f, field.bytes);
            ++*count;
        }
    return !w.has_failed && f->name_count < ONNX_MAX_NAMES;
}

static int take_node(struct onnx_file *f, struct slice message, struct err *err)
{
    struct onnx_node n = {.message = message, .first_input = f->name_count};
    struct wire_field field;
    struct wire w;

    if (f->node_count == ONNX_MAX_NODES)
        return err_fatal(err, EXIT_DATA, "%s: more than %d nodes", f->name, ONNX_MAX_NODES);
    wire_init(&w, message);
    while (wire_next(&w, &field)) {
        if (field.kind != WIRE_BYTES)
            continue;
        switch (field.number) {
        case NODE_NAME: n.name = field.bytes; break;
        case NODE_OP: n.op = field.bytes; break;
        case NODE_DOMAIN: n.domain = field.bytes; break;
        default: break;
        }
    }
    if (w.has_failed || !collect(f, message, NODE_INPUT, &n.inputs))
        return damaged(f, "a node", err);
    n.first_output = f->name_count;
    if (!collect(f, message, NODE_OUTPUT, &n.outputs))
        return damaged(f, "a node", err);
    f->nodes = mem_grow(f->nodes, f->node_count, &f->node_cap, sizeof *f->nodes);
    f->nodes[f->node_count++] = n;
    return 0;
}

static int take_tensor(struct onnx_file *f, struct slice message, struct err *err)
{
    struct onnx_tensor t = {.message = message};
    struct wire_field field;
    struct wire w;

    if (f->tensor_count == ONNX_MAX_NODES)
        return err_fatal(err, EXIT_DATA, "%s: more than %d initializers", f->name, ONNX_MAX_NODES);
    wire_init(&w, message);
    while (wire_next(&w, &field))
        if (field.number == TENSOR_NAME && field.kind == WIRE_BYTES)
            t.name = field.bytes;
    if (w.has_failed)
        return damaged(f, "an initializer", err);
    f->tensors = mem_grow(f->tensors, f->tensor_count, &f->tensor_cap, sizeof *f->tensors);
    f->tensors[f->tensor_count++] = t;
    return 0;
}

static bool take_shape(struct onnx_value *v, struct slice message)
{
    struct wire_field field, value;
    struct wire w, dimension;

    wire_init(&w, message);
    while (wire_next(&w, &field)) {
        if (field.number != SHAPE_DIMENSION || field.kind != WIRE_BYTES)
            continue;
        v->rank++;
        v->width = 0;
        wire_init(&dimension, field.bytes);
        while (wire_next(&dimension, &value))
            if (value.number == DIMENSION_VALUE && value.kind == WIRE_VARINT)
                v->width = (int64_t)value.value;
        if (dimension.has_failed)
            return false;
    }
    return !w.has_failed;
}

static bool take_tensor_type(struct onnx_value *v, struct slice message)
{
    struct wire_field field;
    struct wire w;

    wire_init(&w, message);
    while (wire_next(&w, &field)) {
        if (field.number == TENSOR_TYPE_ELEMENT && field.kind == WIRE_VARINT)
            v->type = (int64_t)field.value;
        else if (field.number == TENSOR_TYPE_SHAPE && field.kind == WIRE_BYTES &&
                 !take_shape(v, field.bytes))
            return false;
    }
    return !w.has_failed;
}

static bool take_type(struct onnx_value *v, struct slice message)
{
    struct wire_field field;
    struct wire w;

    wire_init(&w, message);
    while (wire_next(&w, &field))
        if (field.number == TYPE_TENSOR && field.kind == WIRE_BYTES &&
            !take_tensor_type(v, field.bytes))
            return false;
    return !w.has_failed;
}

static bool take_value(struct onnx_value *v, struct slice message)
{
    struct wire_field field;
    struct wire w;

    wire_init(&w, message);
    while (wire_next(&w, &field)) {
        if (field.number == VALUE_NAME && field.kind == WIRE_BYTES)
            v->name = field.bytes;
        else if (field.number == VALUE_TYPE && field.kind == WIRE_BYTES &&
                 !take_type(v, field.bytes))
            return false;
    }
    return !w.has_failed;
}

static int add_value(struct onnx_file *f, struct slice message, struct onnx_values *list,
                     struct err *err)
{
    struct onnx_value v = {0};

    if (list->count == ONNX_MAX_NODES)
        return err_fatal(err, EXIT_DATA, "%s: more than %d inputs or outputs", f->name,
                         ONNX_MAX_NODES);
    if (!take_value(&v, message) || v.name.len == 0)
        return damaged(f, "an input or output", err);
    list->items = mem_grow(list->items, list->count, &list->cap, sizeof *list->items);
    list->items[list->count++] = v;
    return 0;
}

static int take_graph(struct onnx_file *f, struct slice message, struct err *err)
{
    struct wire_field field;
    struct wire w;
    int result = 0;

    wire_init(&w, message);
    while (result == 0 && wire_next(&w, &field)) {
        if (field.kind != WIRE_BYTES)
            continue;
        switch (field.number) {
        case GRAPH_NODE: result = take_node(f, field.bytes, err); break;
        case GRAPH_INITIALIZER: result = take_tensor(f, field.bytes, err); break;
        case GRAPH_INPUT: result = add_value(f, field.bytes, &f->inputs, err); break;
        case GRAPH_OUTPUT: result = add_value(f, field.bytes, &f->outputs, err); break;
        case GRAPH_SPARSE_INITIALIZER:
            return err_fatal(err, EXIT_DATA, "%s: sparse initializers: not read by this version",
                             f->name);
        default: break;
        }
    }
    return result == 0 && w.has_failed ? damaged(f, "the graph", err) : result;
}

static int take_opset(struct onnx_file *f, struct slice message, struct err *err)
{
    struct slice domain = {0};
    int64_t version = 0;
    struct wire_field field;
    struct wire w;

    wire_init(&w, message);
    while (wire_next(&w, &field)) {
        if (field.number == OPSET_DOMAIN && field.kind == WIRE_BYTES)
            domain = field.bytes;
        else if (field.number == OPSET_VERSION && field.kind == WIRE_VARINT)
            version = (int64_t)field.value;
    }
    if (w.has_failed)
        return damaged(f, "an opset", err);
    if (slice_equals(domain, "ai.onnx.ml", 10))
        f->ml_opset = version;
    else if (domain.len == 0 || slice_equals(domain, "ai.onnx", 7))
        f->opset = version;
    return 0;
}

int onnx_file_read(struct onnx_file *f, const char *name, struct slice data, struct err *err)
{
    struct slice graph = {0};
    struct wire_field field;
    struct wire w;

    *f = (struct onnx_file){.name = name};
    wire_init(&w, data);
    while (wire_next(&w, &field)) {
        if (field.number == MODEL_IR_VERSION && field.kind == WIRE_VARINT)
            f->ir_version = (int64_t)field.value;
        else if (field.number == MODEL_PRODUCER && field.kind == WIRE_BYTES)
            f->producer = field.bytes;
        else if (field.number == MODEL_PRODUCER_VERSION && field.kind == WIRE_BYTES)
            f->producer_version = field.bytes;
        else if (field.number == MODEL_OPSET && field.kind == WIRE_BYTES &&
                 take_opset(f, field.bytes, err) != 0)
            return -1;
        else if (field.number == MODEL_FUNCTIONS)
            return err_fatal(err, EXIT_DATA, "%s: functions: not read by this version", name);
        else if (field.number == MODEL_GRAPH && graph.data)
            return err_fatal(err, EXIT_DATA, "%s: two graphs", name);
        else if (field.number == MODEL_GRAPH && field.kind == WIRE_BYTES)
            graph = field.bytes;
    }
    if (w.has_failed)
        return damaged(f, "its outermost message", err);
    if (!graph.data)
        return err_fatal(err, EXIT_DATA, "%s: not an ONNX file: it has no graph", name);
    return take_graph(f, graph, err);
}

void onnx_file_release(struct onnx_file *f)
{
    free(f->nodes);
    free(f->names);
    free(f->tensors);
    free(f->inputs.items);
    free(f->outputs.items);
}

/* ---- finding */

static bool same(struct slice a, struct slice b)
{
    return a.len == b.len && a.len > 0 && memcmp(a.data, b.data, a.len) == 0;
}

struct slice onnx_input(const struct onnx_file *f, const struct onnx_node *n, size_t i)
{
    return i < n->inputs ? f->names[n->first_input + i] : (struct slice){0};
}

const struct onnx_node *onnx_producer(const struct onnx_file *f, struct slice value, size_t *output)
{
    for (size_t i = 0; i < f->node_count; i++) {
        const struct onnx_node *n = &f->nodes[i];
        for (*output = 0; *output < n->outputs; ++*output)
            if (same(f->names[n->first_output + *output], value))
                return n;
    }
    return NULL;
}

const struct onnx_tensor *onnx_tensor_find(const struct onnx_file *f, struct slice name)
{
    for (size_t i = 0; i < f->tensor_count; i++)
        if (same(f->tensors[i].name, name))
            return &f->tensors[i];
    return NULL;
}
