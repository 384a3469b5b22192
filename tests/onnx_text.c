#include "tests/onnx_text.h"

#include <check.h>
#include <stdio.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

struct bytes {
    char *data;
    size_t len, cap;
};

static void put(struct bytes *b, const void *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        b->data = mem_grow(b->data, b->len, &b->cap, 1);
        b->data[b->len++] = ((const char *)data)[i];
    }
}

static void put_varint(struct bytes *b, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        put(b, &(uint8_t){(uint8_t)(value | 0x80)}, 1);
    put(b, &(uint8_t){(uint8_t)value}, 1);
}

static void put_int(struct bytes *b, unsigned field, int64_t value)
{
    put_varint(b, field << 3);
    put_varint(b, (uint64_t)value);
}

static void put_bytes(struct bytes *b, unsigned field, const void *data, size_t len)
{
    put_varint(b, field << 3 | 2);
    put_varint(b, len);
    put(b, data, len);
}

static void put_text(struct bytes *b, unsigned field, const char *text)
{
    put_bytes(b, field, text, strlen(text));
}

/* Moves a message into another. */
static void put_message(struct bytes *b, unsigned field, struct bytes *message)
{
    put_bytes(b, field, message->data, message->len);
    free(message->data);
    *message = (struct bytes){0};
}

/* One number as it lies in a file: 'I' a varint, 'Q' 8 bytes, 'F' and 'D' reals. */
static void put_number(struct bytes *b, char type, const char *text)
{
    if (type == 'I')
        put_varint(b, (uint64_t)strtoll(text, NULL, 10));
    else if (type == 'Q')
        put(b, &(int64_t){strtoll(text, NULL, 10)}, 8);
    else if (type == 'F')
        put(b, &(float){strtof(text, NULL)}, 4);
    else
        put(b, &(double){strtod(text, NULL)}, 8);
}

/* "1,2,3" as a repeated field; one_field: as one, whatever it is of. */
static void put_list(struct bytes *b, unsigned field, char type, const char *text, bool one_field)
{
    unsigned kind = type == 'I' ? 0 : type == 'F' ? 5 : 1;
    char *copy = strdup(text), *rest = copy;
    struct bytes packed = {0};

    for (char *item; (item = strsep(&rest, ",")) != NULL && *text;) {
        if (type == 'S') {
            put_text(b, field, item);
            continue;
        }
        if (!one_field)
            put_varint(b, field << 3 | kind);
        put_number(one_field ? &packed : b, type, item);
    }
    if (packed.len > 0)
        put_message(b, field, &packed);
    free(packed.data);
    free(copy);
}

static const char *const types[] = {"?", "float", "", "", "", "",
                                    "",  "int64", "", "", "", "double"};

static int type_of(const char *name)
{
    for (int i = 1; i < 12; i++)
        if (strcmp(types[i], name) == 0)
            return i;
    return 0;
}

/* TensorProto: dims 1, data_type 2, float_data 4, int64_data 7, name 8, raw_data 9, double_data 10.
 */
static struct bytes tensor(const char *name, int type, const char *shape, const char *numbers,
                           bool is_packed)
{
    unsigned field = type == 1 ? 4 : type == 7 ? 7 : 10;
    char kind = type == 1 ? 'F' : type == 7 ? 'I' : 'D', *copy = strdup(shape), *rest = copy;
    struct bytes b = {0};

    for (char *item; strcmp(shape, "-") != 0 && (item = strsep(&rest, "x")) != NULL;)
        put_int(&b, 1, strtoll(item, NULL, 10));
    put_int(&b, 2, type);
    put_text(&b, 8, name);
    put_list(&b, is_packed ? 9 : field, is_packed && kind == 'I' ? 'Q' : kind, numbers, is_packed);
    free(copy);
    return b;
}

/* AttributeProto: name 1, f 2, i 3, s 4, t 5, floats 7, ints 8, strings 9, type 20. */
static struct bytes attribute(char *text, bool is_packed)
{
    char *value = strchr(text, '='), kind, count[24];
    struct bytes b = {0}, inner;

    ck_assert_msg(value && value[1] && value[2] == ':', "%s", text);
    *value = '\0';
    kind = value[1];
    value += 3;
    put_text(&b, 1, text);
    switch (kind) {
    case 'i': put_int(&b, 3, strtoll(value, NULL, 10)); break;
    case 'f': put_list(&b, 2, 'F', value, false); break;
    case 's': put_text(&b, 4, value); break;
    case 'I': put_list(&b, 8, 'I', value, is_packed); break;
    case 'F': put_list(&b, 7, 'F', value, is_packed); break;
    case 'S': put_list(&b, 9, 'S', value, false); break;
    default:
        snprintf(count, sizeof count, "%d", 1 + (int)strlen(value)); /* at least as many */
        inner = tensor("", 11, count, value, is_packed);
        put_message(&b, 5, &inner);
    }
    return b;
}

/* NodeProto: input 1, output 2, name 3, op_type 4, attribute 5, domain 7. */
static struct bytes node(char *rest, bool is_packed)
{
    const char *op = strsep(&rest, " "), *inputs = strsep(&rest, " "), *arrow = strsep(&rest, " ");
    struct bytes b = {0}, inner;

    ck_assert_str_eq(arrow, ">");
    put_list(&b, 1, 'S', inputs, false);
    put_list(&b, 2, 'S', strsep(&rest, " "), false);
    put_text(&b, 3, "n");
    put_text(&b, 4, op);
    for (char *item; (item = strsep(&rest, " ")) != NULL;) {
        inner = attribute(item, is_packed);
        put_message(&b, 5, &inner);
    }
    return b;
}

/* ValueInfoProto: name 1, type 2 { tensor_type 1 { elem_type 1, shape 2 { dim 1 { dim_value 1 } } }
 * or sequence_type 4 } */
static struct bytes value(const char *name, int width, const char *type)
{
    struct bytes b = {0}, dim = {0}, shape = {0}, inner = {0}, outer = {0};

    put_text(&b, 1, name);
    put_message(&shape, 1, &dim);
    if (width > 0)
        put_int(&dim, 1, width);
    put_message(&shape, 1, &dim);
    put_int(&inner, 1, type_of(type));
    put_message(&inner, 2, &shape);
    put_message(&outer, strcmp(type, "map") == 0 ? 4 : 1, &inner);
    put_message(&b, 2, &outer);
    return b;
}

static void put_opset(struct bytes *model, const char *domain, int version)
{
    struct bytes b = {0};

    put_text(&b, 1, domain);
    put_int(&b, 2, version);
    put_message(model, 8, &b);
}

/* GraphProto: node 1, name 2, initializer 5, input 11, output 12. */
static void put_line(struct bytes *graph, struct bytes *opsets, char *line, bool is_packed)
{
    char name[64], type[16] = "float", shape[32], numbers[400];
    int number = 0;
    struct bytes b = {0};

    if (sscanf(line, "opset %63s %d", name, &number) == 2) {
        put_opset(opsets, strcmp(name, "main") == 0 ? "" : name, number);
    } else if (sscanf(line, "input %63s %d %15s", name, &number, type) >= 2) {
        b = value(name, number, type);
        put_message(graph, 11, &b);
    } else if (sscanf(line, "output %63s %15s", name, type) >= 1) {
        b = value(name, 0, type);
        put_message(graph, 12, &b);
    } else if (sscanf(line, "tensor %63s %15s %31s %399s", name, type, shape, numbers) == 4) {
        b = tensor(name, type_of(type), shape, numbers, is_packed);
        put_message(graph, 5, &b);
    } else if (strncmp(line, "node ", 5) == 0) {
        b = node(line + 5, is_packed);
        put_message(graph, 1, &b);
    } else {
        ck_assert_msg(strncmp(line, "ir ", 3) == 0 || !*line, "%s", line);
    }
}

/* ModelProto: ir_version 1, producer_name 2, producer_version 3, graph 7, opset_import 8. */
char *onnx_text_write(const char *text, bool is_packed, size_t *len)
{
    const char *ir = strstr(text, "ir ");
    char *copy = strdup(text), *rest = copy;
    struct bytes model = {0}, graph = {0}, opsets = {0};

    for (char *line; (line = strsep(&rest, "\n")) != NULL;)
        put_line(&graph, &opsets, line, is_packed);
    put_int(&model, 1, ir && (ir == text || ir[-1] == '\n') ? atoi(ir + 3) : 8);
    put_text(&model, 2, "kscore-test");
    put_text(&model, 3, "1");
    put_message(&model, 7, &graph);
    if (opsets.len == 0) {
        put_opset(&opsets, "ai.onnx.ml", 3);
        put_opset(&opsets, "", 17);
    }
    put(&model, opsets.data, opsets.len);
    free(opsets.data);
    free(copy);
    *len = model.len;
    return model.data;
}
