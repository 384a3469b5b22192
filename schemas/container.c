#include "schemas/container.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/mem.h"
#include "schemas/avro_input.h"
#include "schemas/plan.h"

enum {
    SYNC_BYTES = 16,
    MAX_METADATA_BYTES = 4 << 20, /* a schema has at most 1 MiB */
    MAX_EMPTY_VALUES = 1 << 20,   /* of a block whose values may have no bytes */
    MAX_DEPTH = 1024              /* deeper values have no end that could be found */
};

struct container {
    int fd;
    uint8_t *data; /* data[start..end) is read and not yet taken */
    size_t start, end, cap;
    uint64_t bytes; /* read so far */
    struct avro_schema *schema;
    enum unpack_codec codec;
    uint8_t sync[SYNC_BYTES];
    struct plan *ends; /* of no features: where a value ends */
    struct plan_scratch scratch;
    struct unpacked room;
    struct slice block;     /* unpacked */
    uint64_t blocks, count; /* blocks begun; values of the last one */
    uint64_t left;          /* of these, not yet given */
    size_t at;              /* of the next one in the block */
    uint64_t number;        /* of the last value given */
};

static const struct features no_features;

/* ---- bytes */

static int fail(const struct container *c, struct err *err, const char *what)
{
    err_fatal(err, EXIT_DATA, "byte %llu: %s", (unsigned long long)(c->bytes - (c->end - c->start)),
              what);
    return -1;
}

/* Makes room behind data[end), for `need` bytes in all at most. */
static void make_room(struct container *c, size_t need)
{
    enum { FIRST_BYTES = 64 << 10 };

    if (c->start > 0) {
        memmove(c->data, c->data + c->start, c->end - c->start);
        c->end -= c->start;
        c->start = 0;
    }
    if (c->end < c->cap)
        return;
    c->cap = c->cap ? c->cap * 2 : FIRST_BYTES;
    if (c->cap > need && need > FIRST_BYTES)
        c->cap = need;
    c->data = mem_resize(c->data, c->cap, 1);
}

/* Reads until len bytes lie at data + start. 1: they do; 0: the input ends before; -1: EXIT_IO. */
static int need(struct container *c, size_t len, struct err *err)
{
    ssize_t got;

    while (c->end - c->start < len) {
        if (c->cap - c->start < len || c->end == c->cap)
            make_room(c, len);
        do
            got = read(c->fd, c->data + c->end, c->cap - c->end);
        while (got < 0 && errno == EINTR);
        if (got < 0)
            return err_fatal(err, EXIT_IO, "reading: %s", strerror(errno));
        if (got == 0)
            return 0;
        c->end += (size_t)got;
        c->bytes += (uint64_t)got;
    }
    return 1;
}

static int take(struct container *c, size_t len, const uint8_t **data, struct err *err)
{
    int result = need(c, len, err);

    if (result == 0)
        return fail(c, err, "the file is cut: what begins here has no end");
    if (result < 0)
        return -1;
    *data = c->data + c->start;
    c->start += len;
    return 0;
}

static int take_long(struct container *c, int64_t *value, struct err *err)
{
    enum { MOST = 10 };
    struct avro_input in;

    for (size_t len = 1;; len++) {
        int result = need(c, len, err);
        if (result < 0)
            return -1;
        if (result == 0)
            return fail(c, err, "the file is cut inside a number");
        in = (struct avro_input){c->data + c->start, c->data + c->start + len, FAULT_NONE};
        if (avro_long(&in, value))
            break;
        if (in.fault != FAULT_DECODE_TRUNCATED || len == MOST)
            return fail(c, err, "a number with more than 64 bits");
    }
    c->start = (size_t)(in.p - c->data);
    return 0;
}

/* A length, and that many bytes. */
static int take_bytes(struct container *c, struct slice *bytes, struct err *err)
{
    int64_t len;

    if (take_long(c, &len, err) != 0)
        return -1;
    if (len < 0 || len > MAX_METADATA_BYTES)
        return fail(c, err, "a length out of bounds");
    bytes->len = (size_t)len;
    return take(c, bytes->len, &bytes->data, err);
}

/* ---- the head */

static int take_codec(struct container *c, struct slice name, struct err *err)
{
    for (int i = 0; i < UNPACK_CODEC_COUNT; i++) {
        c->codec = (enum unpack_codec)i;
        if (slice_equals(name, unpack_names[i], strlen(unpack_names[i])))
            return 0;
    }
    return err_fatal(err, EXIT_DATA, "its codec is %.*s; null, deflate and snappy are read",
                     name.len < 40 ? (int)name.len : 40, (const char *)name.data);
}

/* One name and its value. The name is copied: reading the value may move the bytes. */
static int take_entry(struct container *c, struct err *err)
{
    char name[32];
    struct slice bytes;
    size_t len;

    if (take_bytes(c, &bytes, err) != 0)
        return -1;
    len = bytes.len < sizeof name ? bytes.len : 0;
    memcpy(name, bytes.data, len);
    if (take_bytes(c, &bytes, err) != 0)
        return -1;
    if (len == sizeof "avro.codec" - 1 && memcmp(name, "avro.codec", len) == 0)
        return take_codec(c, bytes, err);
    if (len != sizeof "avro.schema" - 1 || memcmp(name, "avro.schema", len) != 0)
        return 0;
    if (c->schema)
        return fail(c, err, "a second avro.schema");
    if (avro_schema_parse(&c->schema, (const char *)bytes.data, bytes.len, err) != 0)
        return err_prefix(err, "its avro.schema");
    return 0;
}

static int take_metadata(struct container *c, struct err *err)
{
    int64_t count, size;

    do {
        if (take_long(c, &count, err) != 0 || (count < 0 && take_long(c, &size, err) != 0))
            return -1;
        for (int64_t i = 0; i != count; i += count < 0 ? -1 : 1) {
            if (take_entry(c, err) != 0)
                return -1;
            if (c->bytes - (c->end - c->start) > MAX_METADATA_BYTES)
                return fail(c, err, "more than 4 MiB of metadata");
        }
    } while (count != 0);
    return c->schema ? 0 : err_fatal(err, EXIT_DATA, "it has no avro.schema");
}

static int take_head(struct container *c, struct err *err)
{
    static const char magic[] = {'O', 'b', 'j', 1};
    const uint8_t *data;
    char *words;
    size_t len;
    FILE *say;
    int result = need(c, sizeof magic, err);

    if (result < 0)
        return -1;
    if (result == 0 || memcmp(c->data, magic, sizeof magic) != 0)
        return err_fatal(err, EXIT_DATA,
                         "this is no Avro container file: it does not begin with Obj and 1");
    c->start += sizeof magic;
    if (take_metadata(c, err) != 0 || take(c, SYNC_BYTES, &data, err) != 0)
        return -1;
    memcpy(c->sync, data, SYNC_BYTES);
    say = open_memstream(&words, &len);
    result = plan_compile(&c->ends, c->schema, &no_features, say, err);
    fclose(say);
    free(words);
    return result;
}

/* ---- blocks */

/* What follows from a block that cannot be read to its end: it is behind us. */
static int lose(struct container *c, struct err *err, const char *why)
{
    uint64_t first = c->number + 1;

    c->number += c->left;
    if (c->left > 1)
        err_record(err, "block %llu: %s; records %llu to %llu are lost",
                   (unsigned long long)c->blocks, why, (unsigned long long)first,
                   (unsigned long long)c->number);
    else
        err_record(err, "block %llu: %s%s", (unsigned long long)c->blocks, why,
                   c->left ? "; this record is lost" : "");
    c->left = 0;
    c->at = c->block.len;
    return -1;
}

/* A count that the block's bytes cannot hold is no number of records. */
static int check_count(struct container *c, struct err *err)
{
    uint64_t least = c->schema->types[c->schema->root].min_size;

    if (c->left <= (least ? c->block.len / least : MAX_EMPTY_VALUES))
        return 1;
    c->left = 0;
    return lose(c, err, "it claims more records than its bytes can hold");
}

/* 1: it is there; 0: the end of the file. */
static int take_block(struct container *c, struct err *err)
{
    const uint8_t *packed;
    int64_t count, size;
    const char *why;
    int result = need(c, 1, err);

    if (result <= 0)
        return result;
    if (take_long(c, &count, err) != 0 || take_long(c, &size, err) != 0)
        return -1;
    if (count < 0 || size < 0 || size > CONTAINER_MAX_BLOCK_BYTES)
        return fail(c, err, "a block whose count or size is out of bounds");
    if (take(c, (size_t)size + SYNC_BYTES, &packed, err) != 0)
        return -1;
    if (memcmp(packed + size, c->sync, SYNC_BYTES) != 0)
        return fail(c, err, "the block that ends here lacks the file's mark behind it");
    c->blocks++;
    c->count = c->left = (uint64_t)count;
    c->at = 0;
    c->block = (struct slice){packed, 0};
    why = unpack(c->codec, (struct slice){packed, (size_t)size}, &c->room, &c->block);
    if (why) {
        c->block.len = 0;
        if (c->left > MAX_EMPTY_VALUES * (uint64_t)64)
            c->left = 0; /* nobody knows how many there were */
        return lose(c, err, why);
    }
    return check_count(c, err);
}

/* The value at `at`: a plan that wants no more sees its end as bytes that are left over. */
static int take_value(struct container *c, struct slice *value, struct err *err)
{
    struct slice rest = {c->block.data + c->at, c->block.len - c->at};
    struct outcome end;
    char why[200];
    float none;

    if (rest.len == 0 && c->left > 0 && c->schema->types[c->schema->root].min_size > 0)
        return lose(c, err, "it ends before its last record");
    end = plan_run(c->ends, &c->scratch, rest, 0, &none);
    if (end.kind == OUTCOME_DEAD && end.fault != FAULT_DECODE_TRAILING_BYTES) {
        snprintf(why, sizeof why, "byte %zu: %s: %s", c->at + end.at,
                 fault_reason((enum fault)end.fault), fault_help((enum fault)end.fault));
        return lose(c, err, why);
    }
    if (end.kind == OUTCOME_DEAD)
        rest.len = end.at;
    *value = rest;
    c->at += rest.len;
    c->left--;
    c->number++;
    return 1;
}

int container_next(struct container *c, struct slice *value, struct err *err)
{
    while (c->left == 0) {
        int result;
        if (c->at != c->block.len)
            return lose(c, err, "bytes are left behind its last record");
        result = take_block(c, err);
        if (result <= 0)
            return result;
    }
    return take_value(c, value, err);
}

/* ---- life */

int container_open(struct container **container, int fd, struct err *err)
{
    struct container *c = mem_alloc(1, sizeof *c);

    *container = NULL;
    c->fd = fd;
    plan_scratch_init(&c->scratch, &no_features, MAX_DEPTH);
    if (take_head(c, err) != 0) {
        container_free(c);
        return -1;
    }
    *container = c;
    return 0;
}

void container_free(struct container *c)
{
    if (!c)
        return;
    plan_free(c->ends);
    plan_scratch_release(&c->scratch);
    avro_schema_free(c->schema);
    free(c->room.data);
    free(c->data);
    free(c);
}

const struct avro_schema *container_schema(const struct container *container)
{
    return container->schema;
}

uint64_t container_number(const struct container *container)
{
    return container->number;
}

uint64_t container_bytes(const struct container *container)
{
    return container->bytes;
}
