#include "schemas/unpack.h"

#include <string.h>
#include <zlib.h>

#include "core/mem.h"

const char *const unpack_names[UNPACK_CODEC_COUNT] = {
    [UNPACK_NULL] = "null", [UNPACK_DEFLATE] = "deflate", [UNPACK_SNAPPY] = "snappy"};

static const char damaged[] = "its compressed bytes are damaged";
static const char too_long[] = "it is longer than 64 MiB when unpacked";

/* ---- deflate: RFC 1951 alone, without zlib's frame */

static const char *inflate_all(z_stream *z, struct unpacked *room, size_t *len)
{
    enum { FIRST_BYTES = 64 << 10 };
    int result = Z_OK;

    while (result == Z_OK) {
        if (z->total_out == room->cap) {
            if (room->cap == UNPACK_MAX_BYTES)
                return too_long;
            room->cap = room->cap ? room->cap * 2 : FIRST_BYTES;
            room->data = mem_resize(room->data, room->cap, 1);
        }
        z->next_out = room->data + z->total_out;
        z->avail_out = (uInt)(room->cap - z->total_out);
        result = inflate(z, Z_NO_FLUSH);
    }
    *len = z->total_out;
    /* Bytes behind the end are none of ours: fastavro leaves three of a checksum there. */
    return result == Z_STREAM_END ? NULL : damaged;
}

static const char *unpack_deflate(struct slice block, struct unpacked *room, size_t *len)
{
    z_stream z = {.next_in = (Bytef *)block.data, .avail_in = (uInt)block.len};
    const char *why;

    if (inflateInit2(&z, -MAX_WBITS) != Z_OK)
        return "zlib does not start";
    why = inflate_all(&z, room, len);
    inflateEnd(&z);
    return why;
}

/* ---- snappy: 40 lines of format; its library would bring C++'s */

struct snappy {
    const uint8_t *p, *end;
    uint8_t *out, *o, *out_end;
};

/* Little-endian, count bytes of it. */
static bool take_number(struct snappy *s, unsigned count, size_t *value)
{
    if ((size_t)(s->end - s->p) < count)
        return false;
    *value = 0;
    for (unsigned i = 0; i < count; i++)
        *value |= (size_t)*s->p++ << (8 * i);
    return true;
}

static bool take_length(struct snappy *s, size_t *len)
{
    *len = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
        uint8_t byte;
        if (s->p == s->end)
            return false;
        byte = *s->p++;
        *len |= (size_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return true;
    }
    return false;
}

static bool put_literal(struct snappy *s, unsigned tag)
{
    enum { LONG_LITERAL = 60 }; /* from here on the length has bytes of its own */
    size_t len = tag >> 2;

    if (len >= LONG_LITERAL && !take_number(s, (tag >> 2) - LONG_LITERAL + 1, &len))
        return false;
    len++;
    if (len > (size_t)(s->end - s->p) || len > (size_t)(s->out_end - s->o))
        return false;
    memcpy(s->o, s->p, len);
    s->p += len;
    s->o += len;
    return true;
}

/* What is copied may reach into what it writes: byte by byte. */
static bool put_copy(struct snappy *s, unsigned tag)
{
    static const unsigned offset_bytes[] = {0, 1, 2, 4};
    size_t len = tag >> 2, offset;

    if (!take_number(s, offset_bytes[tag & 3], &offset))
        return false;
    if ((tag & 3) == 1) {
        offset |= (size_t)(tag >> 5) << 8;
        len = (len & 7) + 3;
    }
    len++;
    if (offset == 0 || offset > (size_t)(s->o - s->out) || len > (size_t)(s->out_end - s->o))
        return false;
    for (; len > 0; len--, s->o++)
        *s->o = s->o[-(ptrdiff_t)offset];
    return true;
}

/* Behind the compressed bytes stands the CRC-32 of what they hold, big-endian. */
static const char *unpack_snappy(struct slice block, struct unpacked *room, size_t *len)
{
    enum { SUM_BYTES = 4, MOST_PER_BYTE = 22 }; /* 3 bytes copy at most 64 */
    struct snappy s = {.p = block.data};
    uint32_t sum;

    if (block.len < SUM_BYTES)
        return damaged;
    s.end = block.data + block.len - SUM_BYTES;
    if (!take_length(&s, len) || *len > block.len * MOST_PER_BYTE)
        return damaged;
    if (*len > UNPACK_MAX_BYTES)
        return too_long;
    if (room->cap <= *len) { /* there is always some: no pointer is made of none */
        room->cap = *len + 1;
        room->data = mem_resize(room->data, room->cap, 1);
    }
    s.out = s.o = room->data;
    s.out_end = s.out + *len;
    while (s.p < s.end) {
        unsigned tag = *s.p++;
        if (!((tag & 3) ? put_copy : put_literal)(&s, tag))
            return damaged;
    }
    memcpy(&sum, s.end, sizeof sum);
    if (s.o != s.out_end || crc32(0, room->data, (uInt)*len) != __builtin_bswap32(sum))
        return damaged;
    return NULL;
}

const char *unpack(enum unpack_codec codec, struct slice block, struct unpacked *room,
                   struct slice *out)
{
    const char *why = NULL;
    size_t len = block.len;

    if (codec == UNPACK_DEFLATE)
        why = unpack_deflate(block, room, &len);
    else if (codec == UNPACK_SNAPPY)
        why = unpack_snappy(block, room, &len);
    *out = codec == UNPACK_NULL ? block : (struct slice){room->data, len};
    return why;
}
