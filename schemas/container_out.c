#include "schemas/container_out.h"

#include <stdint.h>
#include <string.h>
#include <sys/random.h>

#include "core/clock.h"
#include "core/mem.h"

/* Avro 1.11, "Binary Encoding": lengths and counts are zig-zag longs. */
static char *put_length(char *o, size_t length)
{
    uint64_t v = (uint64_t)length << 1;

    for (; v >= 0x80; v >>= 7)
        *o++ = (char)(v | 0x80);
    *o++ = (char)v;
    return o;
}

static char *put_bytes(char *o, const void *data, size_t len)
{
    o = put_length(o, len);
    memcpy(o, data, len);
    return o + len;
}

/* Only blocks that chance wrote into a record would be taken for its end: any 16 bytes serve. */
static char *put_mark(char *o)
{
    if (getrandom(o, CONTAINER_OUT_MARK, GRND_NONBLOCK) != CONTAINER_OUT_MARK) {
        struct timespec now[1] = {{0}};
        clock_gettime(CLOCK_REALTIME, now);
        memcpy(o, now, sizeof *now < CONTAINER_OUT_MARK ? sizeof *now : CONTAINER_OUT_MARK);
    }
    return o + CONTAINER_OUT_MARK;
}

char *container_out_header(struct slice schema, size_t *len)
{
    enum { REST = 100 };
    char *header = mem_alloc(schema.len + REST, 1), *o = header;

    memcpy(o, "Obj\1", 4);
    o = put_length(o + 4, 2); /* a map of two */
    o = put_bytes(o, "avro.codec", 10);
    o = put_bytes(o, "null", 4);
    o = put_bytes(o, "avro.schema", 11);
    o = put_bytes(o, schema.data, schema.len);
    *o++ = 0;
    o = put_mark(o);
    *len = (size_t)(o - header);
    return header;
}

size_t container_out_block_head(char *out, size_t count, size_t bytes)
{
    return (size_t)(put_length(put_length(out, count), bytes) - out);
}
