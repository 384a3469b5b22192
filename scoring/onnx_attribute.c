/* onnx_attribute.c: the attributes of a node, and the numbers of a tensor. */
#include "scoring/onnx_file.h"

enum {
    NODE_ATTRIBUTE = 5,
    ATTRIBUTE_NAME = 1,
    ATTRIBUTE_FLOAT = 2,
    ATTRIBUTE_INT = 3,
    ATTRIBUTE_TEXT = 4,
    ATTRIBUTE_TENSOR = 5,
    ATTRIBUTE_FLOATS = 7,
    ATTRIBUTE_INTS = 8,
    ATTRIBUTE_TEXTS = 9,
    TENSOR_DIMS = 1,
    TENSOR_DATA_TYPE = 2,
    TENSOR_FLOATS = 4,
    TENSOR_INTS = 7,
    TENSOR_RAW = 9,
    TENSOR_DOUBLES = 10,
    TENSOR_LOCATION = 14,
};

/* ---- one attribute */

static struct slice name_of(struct slice attribute)
{
    struct slice name = {0};
    struct wire_field field;
    struct wire w;

    wire_init(&w, attribute);
    while (wire_next(&w, &field))
        if (field.number == ATTRIBUTE_NAME && field.kind == WIRE_BYTES)
            name = field.bytes;
    return name;
}

/* The next attribute of a node. */
static bool next(struct wire *w, struct slice *attribute)
{
    struct wire_field field;

    while (wire_next(w, &field)) {
        if (field.number == NODE_ATTRIBUTE && field.kind == WIRE_BYTES) {
            *attribute = field.bytes;
            return true;
        }
    }
    return false;
}

static bool find(const struct onnx_node *n, const char *name, struct slice *attribute)
{
    struct wire w;

    wire_init(&w, n->message);
    while (next(&w, attribute))
        if (slice_equals(name_of(*attribute), name, strlen(name)))
            return true;
    return false;
}

/* The one field of an attribute that has a value of the wanted type, the last where several are;
 * false when it is not there. */
static bool find_field(struct slice attribute, uint64_t number, enum wire_kind kind,
                       struct wire_field *found)
{
    struct wire_field field;
    bool is_found = false;
    struct wire w;

    wire_init(&w, attribute);
    while (wire_next(&w, &field)) {
        if (field.number == number && field.kind == kind) {
            *found = field;
            is_found = true;
        }
    }
    return is_found && !w.has_failed;
}

/* proto3 does not write what is zero: a value that is not there is 0, or "". */
static bool is_empty(struct slice attribute)
{
    struct wire_field field;
    struct wire w;

    wire_init(&w, attribute);
    while (wire_next(&w, &field))
        if (field.number >= ATTRIBUTE_FLOAT && field.number <= ATTRIBUTE_TEXTS + 2)
            return false;
    return !w.has_failed;
}

bool onnx_attribute_int(const struct onnx_node *n, const char *name, int64_t *value)
{
    struct wire_field field = {0};
    struct slice attribute;

    if (!find(n, name, &attribute))
        return true;
    if (!find_field(attribute, ATTRIBUTE_INT, WIRE_VARINT, &field) && !is_empty(attribute))
        return false;
    *value = (int64_t)field.value;
    return true;
}

bool onnx_attribute_float(const struct onnx_node *n, const char *name, float *value)
{
    struct wire_field field = {0};
    struct slice attribute;

    if (!find(n, name, &attribute))
        return true;
    if (!find_field(attribute, ATTRIBUTE_FLOAT, WIRE_FIXED32, &field) && !is_empty(attribute))
        return false;
    *value = wire_float(&field);
    return true;
}

bool onnx_attribute_text(const struct onnx_node *n, const char *name, struct slice *value)
{
    struct wire_field field = {0};
    struct slice attribute;

    if (!find(n, name, &attribute))
        return true;
    if (!find_field(attribute, ATTRIBUTE_TEXT, WIRE_BYTES, &field) && !is_empty(attribute))
        return false;
    *value = field.bytes;
    return true;
}

bool onnx_attribute_ints(const struct onnx_node *n, const char *name, struct wire_ints *list)
{
    struct wire_field field;
    struct slice attribute;
    struct wire w;

    if (!find(n, name, &attribute))
        return true;
    wire_init(&w, attribute);
    while (wire_next(&w, &field)) {
        if (field.number == ATTRIBUTE_INTS && !wire_take_ints(&field, list))
            return false;
        if (field.number == ATTRIBUTE_FLOATS || field.number == ATTRIBUTE_TEXTS)
            return false;
    }
    return !w.has_failed;
}

bool onnx_attribute_floats(const struct onnx_node *n, const char *name, struct wire_floats *list)
{
    struct wire_field field;
    struct slice attribute;
    struct wire w;

    if (!find(n, name, &attribute))
        return true;
    wire_init(&w, attribute);
    while (wire_next(&w, &field)) {
        if (field.number == ATTRIBUTE_FLOATS && !wire_take_floats(&field, list))
            return false;
        if (field.number == ATTRIBUTE_INTS || field.number == ATTRIBUTE_TEXTS)
            return false;
    }
    return !w.has_failed;
}

/* A packed number ends with the byte that has no high bit. */
static size_t count_varints(struct slice packed)
{
    size_t count = 0;

    for (size_t i = 0; i < packed.len; i++)
        count += packed.data[i] < 0x80;
    return count;
}

bool onnx_attribute_count(const struct onnx_node *n, const char *name, size_t *count)
{
    struct wire_field field;
    struct slice attribute;
    struct wire w;

    if (!find(n, name, &attribute))
        return true;
    wire_init(&w, attribute);
    while (wire_next(&w, &field)) {
        if (field.number == ATTRIBUTE_TEXTS || field.number == ATTRIBUTE_INTS)
            *count += field.number == ATTRIBUTE_INTS && field.kind == WIRE_BYTES
                          ? count_varints(field.bytes)
                          : 1;
    }
    return !w.has_failed;
}

bool onnx_attribute_texts(const struct onnx_node *n, const char *name,
                          void (*each)(void *arg, struct slice text), void *arg)
{
    struct wire_field field;
    struct slice attribute;
    struct wire w;

    if (!find(n, name, &attribute))
        return true;
    wire_init(&w, attribute);
    while (wire_next(&w, &field)) {
        if (field.number == ATTRIBUTE_TEXTS && field.kind == WIRE_BYTES)
            each(arg, field.bytes);
        else if (field.number == ATTRIBUTE_INTS || field.number == ATTRIBUTE_FLOATS)
            return false;
    }
    return !w.has_failed;
}

bool onnx_attribute_tensor(const struct onnx_node *n, const char *name, struct onnx_tensor *tensor)
{
    struct wire_field field;
    struct slice attribute;

    if (!find(n, name, &attribute) || !find_field(attribute, ATTRIBUTE_TENSOR, WIRE_BYTES, &field))
        return false;
    tensor->message = field.bytes;
    return true;
}

struct slice onnx_attribute_stranger(const struct onnx_node *n, const char *const *known)
{
    bool met[32] = {false};
    struct slice attribute;
    struct wire w;

    wire_init(&w, n->message);
    while (next(&w, &attribute)) {
        struct slice name = name_of(attribute);
        size_t i = 0;
        while (known[i] && !slice_equals(name, known[i], strlen(known[i])))
            i++;
        if (!known[i] || met[i])
            return name.data ? name : slice_of("?");
        met[i] = true;
    }
    return (struct slice){0};
}

/* ---- tensors */

/* Whether it is of that type and holds its numbers itself; raw: what it has as raw_data. */
static bool check_tensor(struct slice message, enum onnx_type type, struct slice *raw)
{
    struct wire_field field;
    uint64_t data_type = 0;
    struct wire w;

    wire_init(&w, message);
    while (wire_next(&w, &field)) {
        if (field.number == TENSOR_DATA_TYPE && field.kind == WIRE_VARINT)
            data_type = field.value;
        else if (field.number == TENSOR_RAW && field.kind == WIRE_BYTES)
            *raw = field.bytes;
        else if (field.number == TENSOR_LOCATION && field.value != 0)
            return false;
    }
    return !w.has_failed && data_type == (uint64_t)type;
}

bool onnx_tensor_floats(const struct onnx_tensor *t, struct wire_floats *list)
{
    struct wire_field field;
    struct slice raw = {0};
    struct wire w;

    if (!check_tensor(t->message, ONNX_FLOAT, &raw))
        return false;
    wire_init(&w, t->message);
    while (wire_next(&w, &field))
        if (field.number == TENSOR_FLOATS && !wire_take_floats(&field, list))
            return false;
    return wire_raw_floats(raw, list);
}

bool onnx_tensor_doubles(const struct onnx_tensor *t, struct wire_doubles *list)
{
    struct wire_field field;
    struct slice raw = {0};
    struct wire w;

    if (!check_tensor(t->message, ONNX_DOUBLE, &raw))
        return false;
    wire_init(&w, t->message);
    while (wire_next(&w, &field))
        if (field.number == TENSOR_DOUBLES && !wire_take_doubles(&field, list))
            return false;
    return wire_raw_doubles(raw, list);
}

bool onnx_tensor_ints(const struct onnx_tensor *t, struct wire_ints *list)
{
    struct wire_field field;
    struct slice raw = {0};
    struct wire w;

    if (!check_tensor(t->message, ONNX_INT64, &raw))
        return false;
    wire_init(&w, t->message);
    while (wire_next(&w, &field))
        if (field.number == TENSOR_INTS && !wire_take_ints(&field, list))
            return false;
    return wire_raw_ints(raw, list);
}

bool onnx_tensor_shape(const struct onnx_tensor *t, struct wire_ints *shape)
{
    struct wire_field field;
    struct wire w;

    wire_init(&w, t->message);
    while (wire_next(&w, &field))
        if (field.number == TENSOR_DIMS && !wire_take_ints(&field, shape))
            return false;
    return !w.has_failed;
}
