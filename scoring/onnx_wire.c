#include "scoring/onnx_wire.h"

#include <endian.h>

#include "core/mem.h"

void wire_init(struct wire *w, struct slice message)
{
    *w = (struct wire){message.data, message.data ? message.data + message.len : NULL, false};
}

static bool fail(struct wire *w)
{
    w->has_failed = true;
    w->at = w->end;
    return false;
}

static bool take_varint(struct wire *w, uint64_t *value)
{
    *value = 0;
    for (unsigned shift = 0; shift < 64 && w->at < w->end; shift += 7) {
        uint8_t byte = *w->at++;
        *value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return true;
    }
    return fail(w);
}

static bool take_fixed(struct wire *w, size_t size, uint64_t *value)
{
    *value = 0;
    if ((size_t)(w->end - w->at) < size)
        return fail(w);
    memcpy(value, w->at, size);
    *value = le64toh(*value);
    w->at += size;
    return true;
}

static bool take_bytes(struct wire *w, struct slice *bytes)
{
    uint64_t len;

    if (!take_varint(w, &len) || len > (uint64_t)(w->end - w->at))
        return fail(w);
    *bytes = (struct slice){w->at, (size_t)len};
    w->at += len;
    return true;
}

bool wire_next(struct wire *w, struct wire_field *f)
{
    uint64_t tag;

    if (w->at == w->end || !take_varint(w, &tag))
        return false;
    *f = (struct wire_field){.number = tag >> 3, .kind = (enum wire_kind)(tag & 7)};
    if (f->number == 0)
        return fail(w);
    switch (f->kind) {
    case WIRE_VARINT: return take_varint(w, &f->value);
    case WIRE_FIXED64: return take_fixed(w, 8, &f->value);
    case WIRE_BYTES: return take_bytes(w, &f->bytes);
    case WIRE_FIXED32: return take_fixed(w, 4, &f->value);
    }
    return fail(w); /* groups: gone since before ONNX */
}

/* ---- lists */

/* Room for so many more; they are there, so they are no more than the file's bytes. */
static void *room(void *items, size_t count, size_t more, size_t *cap, size_t size)
{
    if (count + more <= *cap)
        return items;
    *cap = count + more > 2 * count ? count + more : 2 * count;
    return mem_resize(items, *cap, size);
}

bool wire_raw_floats(struct slice bytes, struct wire_floats *l)
{
    size_t count = bytes.len / 4;

    l->items = room(l->items, l->count, count + 1, &l->cap, sizeof *l->items);
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, bytes.data + 4 * i, 4);
        bits = le32toh(bits);
        memcpy(&l->items[l->count++], &bits, 4);
    }
    return bytes.len % 4 == 0;
}

bool wire_raw_doubles(struct slice bytes, struct wire_doubles *l)
{
    size_t count = bytes.len / 8;

    l->items = room(l->items, l->count, count + 1, &l->cap, sizeof *l->items);
    for (size_t i = 0; i < count; i++) {
        uint64_t bits;
        memcpy(&bits, bytes.data + 8 * i, 8);
        bits = le64toh(bits);
        memcpy(&l->items[l->count++], &bits, 8);
    }
    return bytes.len % 8 == 0;
}

static bool add_int(struct wire_ints *l, uint64_t value)
{
    l->items = mem_grow(l->items, l->count, &l->cap, sizeof *l->items);
    l->items[l->count++] = (int32_t)value;
    return (int64_t)value == (int32_t)value;
}

bool wire_raw_ints(struct slice bytes, struct wire_ints *l)
{
    bool is_good = bytes.len % 8 == 0;

    for (size_t i = 0; i + 8 <= bytes.len && is_good; i += 8) {
        uint64_t value;
        memcpy(&value, bytes.data + i, 8);
        is_good = add_int(l, le64toh(value));
    }
    return is_good;
}

bool wire_take_floats(const struct wire_field *f, struct wire_floats *l)
{
    if (f->kind == WIRE_BYTES)
        return wire_raw_floats(f->bytes, l);
    l->items = mem_grow(l->items, l->count, &l->cap, sizeof *l->items);
    l->items[l->count++] = wire_float(f);
    return f->kind == WIRE_FIXED32;
}

bool wire_take_doubles(const struct wire_field *f, struct wire_doubles *l)
{
    if (f->kind == WIRE_BYTES)
        return wire_raw_doubles(f->bytes, l);
    l->items = mem_grow(l->items, l->count, &l->cap, sizeof *l->items);
    memcpy(&l->items[l->count++], &f->value, sizeof f->value);
    return f->kind == WIRE_FIXED64;
}

bool wire_take_ints(const struct wire_field *f, struct wire_ints *l)
{
    struct wire w;
    uint64_t value;
    bool is_good = f->kind == WIRE_BYTES;

    if (f->kind == WIRE_VARINT)
        return add_int(l, f->value);
    wire_init(&w, f->bytes);
    while (is_good && w.at < w.end)
        is_good = take_varint(&w, &value) && add_int(l, value);
    return is_good;
}
