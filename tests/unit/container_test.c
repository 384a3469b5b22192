/* Avro container files: what avro-c writes is read back, and what is damaged ends in words. */
#include <avro.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "core/file.h"
#include "core/mem.h"
#include "schemas/container.h"
#include "tests/events.h"
#include "tests/harness.h"
#include "tests/reading.h"

#define SCHEMA                                                                                     \
    "{\"type\":\"record\",\"name\":\"E\",\"fields\":[{\"name\":\"x\",\"type\":\"double\"},"        \
    "{\"name\":\"note\",\"type\":\"string\"}]}"

static const char *const codecs[] = {"null", "deflate", "snappy"};

enum { CODECS = 3, MANY = 3000 };

static void note_of(int i, char *note)
{
    sprintf(note, "value %d of many that are alike", i);
}

/* `count` values as avro-c writes them, in blocks of that size: a path in a static buffer. */
static const char *write_file(const char *codec, int count, size_t block_bytes)
{
    static char path[400];
    avro_schema_t schema;
    avro_file_writer_t writer;
    char note[60];

    snprintf(path, sizeof path, "%s/e.avro", harness_folder());
    ck_assert_int_eq(avro_schema_from_json_length(SCHEMA, strlen(SCHEMA), &schema), 0);
    ck_assert_int_eq(avro_file_writer_create_with_codec(path, schema, &writer, codec, block_bytes),
                     0);
    avro_value_iface_t *iface = avro_generic_class_from_schema(schema);
    for (int i = 0; i < count; i++) {
        avro_value_t value, field;
        avro_generic_value_new(iface, &value);
        avro_value_get_by_index(&value, 0, &field, NULL);
        avro_value_set_double(&field, i);
        avro_value_get_by_index(&value, 1, &field, NULL);
        note_of(i, note);
        avro_value_set_string(&field, note);
        ck_assert_int_eq(avro_file_writer_append_value(writer, &value), 0);
        avro_value_decref(&value);
    }
    ck_assert_int_eq(avro_file_writer_close(writer), 0);
    avro_value_iface_decref(iface);
    avro_schema_decref(schema);
    return path;
}

static struct slice load(const char *path)
{
    struct err err = ERR_INIT;
    char *data;
    size_t len;

    ck_assert_int_eq(file_read(path, 1 << 24, &data, &len, &err), 0);
    return (struct slice){(uint8_t *)data, len};
}

/* What reading bytes comes to: values, blocks that were lost, and how it ended. */
struct end {
    int values, lost;
    struct err err;  /* of the end, or of opening */
    struct err last; /* what was lost last */
};

static struct end read_fd(int fd)
{
    struct end end = {.err = ERR_INIT, .last = ERR_INIT};
    struct container *c;
    struct slice value;
    int got;

    if (container_open(&c, fd, &end.err) != 0)
        return end;
    while ((got = container_next(c, &value, &end.err)) != 0) {
        if (got < 0 && end.err.kind != ERR_RECORD)
            break;
        end.values += got > 0;
        end.lost += got < 0;
        if (got < 0)
            end.last = end.err;
        err_reset(&end.err);
    }
    container_free(c);
    return end;
}

static struct end read_bytes(struct slice bytes)
{
    FILE *file = tmpfile();
    struct end end;

    ck_assert_uint_eq(fwrite(bytes.data, 1, bytes.len, file), bytes.len);
    fflush(file);
    lseek(fileno(file), 0, SEEK_SET);
    end = read_fd(fileno(file));
    fclose(file);
    return end;
}

static void expect_end(struct slice bytes, int values, int lost, const char *words)
{
    struct end end = read_bytes(bytes);

    ck_assert_int_eq(end.values, values);
    ck_assert_int_eq(end.lost, lost);
    ck_assert_msg(strstr(lost ? end.last.text : end.err.text, words) != NULL, "no \"%s\" in: %s",
                  words, lost ? end.last.text : end.err.text);
}

START_TEST(values_are_the_bytes_that_avro_c_wrote)
{
    int fd = open(write_file(codecs[_i], MANY, 1000), O_RDONLY);
    struct err err = ERR_INIT;
    struct event want = {0};
    struct container *c;
    struct slice value;
    char note[60];

    ck_assert_int_eq(container_open(&c, fd, &err), 0);
    for (int i = 0; i < MANY; i++) {
        ck_assert_msg(container_next(c, &value, &err) == 1, "%s", err.text);
        note_of(i, note);
        want.len = 0;
        event_double(&want, i);
        event_text(&want, note);
        ck_assert(slice_equals(value, (const char *)want.data, want.len));
        ck_assert_uint_eq(container_number(c), (unsigned)i + 1);
    }
    ck_assert_int_eq(container_next(c, &value, &err), 0);
    container_free(c);
    event_release(&want);
    close(fd);
}
END_TEST

START_TEST(a_pipe_is_read_as_a_file)
{
    struct slice bytes = load(write_file(codecs[_i], 200, 1000));
    int ends[2];
    pid_t writer;
    struct end end;

    ck_assert_int_eq(pipe(ends), 0);
    writer = fork();
    if (writer == 0) {
        for (size_t i = 0; i < bytes.len; i++)
            if (write(ends[1], bytes.data + i, 1) != 1)
                _exit(1);
        _exit(0);
    }
    close(ends[1]);
    end = read_fd(ends[0]);
    ck_assert_int_eq(end.values, 200);
    ck_assert_msg(!err_is_set(&end.err), "%s", end.err.text);
    close(ends[0]);
    free((void *)bytes.data);
}
END_TEST

/* Only where a block ends may a file end. */
START_TEST(each_beginning_says_that_the_file_ends_early)
{
    struct slice bytes = load(write_file(codecs[_i], 30, 300));
    int clean = 0;

    for (size_t len = 0; len < bytes.len; len++) {
        struct end end = read_bytes((struct slice){bytes.data, len});
        ck_assert_int_lt(end.values, 30);
        ck_assert_int_eq(end.lost, 0);
        clean += !err_is_set(&end.err);
        if (err_is_set(&end.err))
            ck_assert_int_eq(end.err.exit_code, EXIT_DATA);
    }
    ck_assert_int_gt(clean, 1); /* behind the head, and behind each block but the last */
    ck_assert_int_lt(clean, 30);
    free((void *)bytes.data);
}
END_TEST

START_TEST(any_byte_that_is_wrong_is_survived)
{
    struct slice bytes = load(write_file(codecs[_i], 30, 300));

    for (size_t i = 0; i < bytes.len; i++) {
        uint8_t *data = (uint8_t *)bytes.data, kept = data[i];
        static const uint8_t changes[] = {0xff, 0x01, 0x80};
        for (size_t k = 0; k < sizeof changes; k++) {
            data[i] = kept ^ changes[k];
            ck_assert_int_le(read_bytes(bytes).values, 2000);
        }
        data[i] = kept;
    }
    ck_assert_int_eq(read_bytes(bytes).values, 30);
    free((void *)bytes.data);
}
END_TEST

START_TEST(a_codec_that_is_not_read_is_named)
{
    struct slice bytes = load(write_file("lzma", 3, 1000));

    expect_end(bytes, 0, 0, "its codec is lzma; null, deflate and snappy are read");
    free((void *)bytes.data);
}
END_TEST

/* ---- files made by hand */

static void head(struct event *e, const char *schema, const char *codec)
{
    event_bytes(e, BYTES("Obj\1"));
    event_long(e, codec ? 2 : 1);
    event_text(e, "avro.schema");
    event_text(e, schema);
    if (codec) {
        event_text(e, "avro.codec");
        event_text(e, codec);
    }
    event_long(e, 0);
    event_bytes(e, BYTES("0123456789abcdef"));
}

static void block(struct event *e, int64_t count, const void *data, size_t len)
{
    event_long(e, count);
    event_long(e, (int64_t)len);
    event_bytes(e, data, len);
    event_bytes(e, BYTES("0123456789abcdef"));
}

/* of "int"s: count, bytes, values that are read, whether something is lost, words */
static const struct {
    int64_t count;
    const char *data;
    size_t len;
    int values, lost;
    const char *words;
} blocks[] = {
    {2, BYTES("\2\4"), 2, 0, ""},
    {0, BYTES(""), 0, 0, ""},
    {2, BYTES("\2\xff\xff\xff\xff\x7f"), 1, 1, "block 2: byte 6: bad_varint"},
    {3, BYTES("\2\x80\2"), 2, 1, "block 2: it ends before its last record; this record is lost"},
    {4, BYTES("\2\x80\x80\x80"), 1, 1,
     "byte 1: truncated: value ends inside a field; records 3 to 5 are lost"},
    {1, BYTES("\2\4"), 1, 1, "block 2: bytes are left behind its last record"},
    {3, BYTES("\2\4"), 0, 1, "block 2: it claims more records than its bytes can hold"},
    {INT64_MAX, BYTES("\2\4"), 0, 1, "claims more records"},
};

/* A good block before it and one behind it. */
START_TEST(a_bad_block_costs_no_other_one)
{
    struct event e = {0};

    head(&e, "\"int\"", _i % 2 ? "null" : NULL);
    block(&e, 1, BYTES("\2"));
    block(&e, blocks[_i].count, blocks[_i].data, blocks[_i].len);
    block(&e, 3, BYTES("\2\4\6"));
    expect_end(event_slice(&e), 4 + blocks[_i].values, blocks[_i].lost, blocks[_i].words);
    event_release(&e);
}
END_TEST

START_TEST(values_without_bytes_are_counted_and_bounded)
{
    struct event e = {0};

    head(&e, "\"null\"", NULL);
    block(&e, 5, "", 0);
    block(&e, INT64_MAX, "", 0);
    block(&e, 2, "", 0);
    expect_end(event_slice(&e), 7, 1, "claims more records");
    event_release(&e);
}
END_TEST

/* schema, what the head is, what is said */
static const struct {
    const char *schema, *codec, *words;
} heads[] = {
    {"{", NULL, "its avro.schema: "},
    {"\"int\"", "zstandard", "its codec is zstandard; null, deflate and snappy are read"},
    {NULL, NULL, "it has no avro.schema"},
};

START_TEST(a_bad_head_says_what_is_wrong)
{
    struct event e = {0};

    if (heads[_i].schema)
        head(&e, heads[_i].schema, heads[_i].codec);
    else
        event_bytes(&e, BYTES("Obj\1\0"
                              "0123456789abcdef"));
    expect_end(event_slice(&e), 0, 0, heads[_i].words);
    event_release(&e);
}
END_TEST

START_TEST(what_is_no_container_is_told)
{
    expect_end(slice_of("{\"x\":1}\n"), 0, 0, "this is no Avro container file");
    expect_end(slice_of(""), 0, 0, "this is no Avro container file");
}
END_TEST

START_TEST(sizes_that_are_claimed_are_not_believed)
{
    struct event e = {0};

    head(&e, "\"int\"", NULL);
    event_long(&e, 1);
    event_long(&e, INT64_MAX);
    expect_end(event_slice(&e), 0, 0, "a block whose count or size is out of bounds");
    event_release(&e);
    event_bytes(&e, BYTES("Obj\1"));
    event_long(&e, INT64_MIN + 1);
    event_long(&e, 4);
    event_long(&e, INT64_MAX);
    expect_end(event_slice(&e), 0, 0, "a length out of bounds");
    event_release(&e);
}
END_TEST

/* 65 MiB of zeros in 64 KiB, and a claim of 4 GiB in five bytes. */
START_TEST(a_block_that_explodes_is_refused)
{
    enum { ZEROS = 65 << 20 };
    uint8_t *zeros = mem_alloc(ZEROS, 1), *packed = mem_alloc(ZEROS, 1);
    z_stream z = {.next_in = zeros, .avail_in = ZEROS, .next_out = packed, .avail_out = ZEROS};
    struct event e = {0};

    ck_assert_int_eq(deflateInit2(&z, 9, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY), Z_OK);
    ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
    head(&e, "\"int\"", "deflate");
    block(&e, 1, packed, z.total_out);
    expect_end(event_slice(&e), 0, 1, "longer than 64 MiB when unpacked");
    deflateEnd(&z);
    event_release(&e);
    head(&e, "\"int\"", "snappy");
    block(&e, 1,
          BYTES("\xff\xff\xff\xff\x0f"
                "0000"));
    expect_end(event_slice(&e), 0, 1, "its compressed bytes are damaged");
    event_release(&e);
    free(zeros);
    free(packed);
}
END_TEST

SUITE(container)
{
    tcase_add_loop_test(CASE("oracle", a_codec_that_is_not_read_is_named),
                        values_are_the_bytes_that_avro_c_wrote, 0, CODECS);
    tcase_add_loop_test(CASE("pipe", what_is_no_container_is_told), a_pipe_is_read_as_a_file, 0,
                        CODECS);
    TCase *damage = CASE("damage", values_without_bytes_are_counted_and_bounded,
                         sizes_that_are_claimed_are_not_believed, a_block_that_explodes_is_refused);
    tcase_add_loop_test(damage, each_beginning_says_that_the_file_ends_early, 0, CODECS);
    tcase_add_loop_test(damage, any_byte_that_is_wrong_is_survived, 0, CODECS);
    tcase_add_loop_test(damage, a_bad_block_costs_no_other_one, 0,
                        sizeof blocks / sizeof blocks[0]);
    tcase_add_loop_test(damage, a_bad_head_says_what_is_wrong, 0, sizeof heads / sizeof heads[0]);
}
