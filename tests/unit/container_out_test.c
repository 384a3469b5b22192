/* Avro container files as avro-c reads them. */
#include "schemas/container_out.h"

#include <avro.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "schemas/score_schema.h"
#include "tests/harness.h"

static const char text_schema[] = "\"string\"";

/* Blocks of `count` records, the letters from `first` on. */
static size_t put_block(char *out, char first, size_t count, const char *mark)
{
    size_t at = container_out_block_head(out, count, count * 2);

    ck_assert_uint_le(at, CONTAINER_OUT_HEAD);
    for (size_t i = 0; i < count; i++) {
        out[at++] = 2; /* one byte long */
        out[at++] = (char)(first + (char)i);
    }
    memcpy(out + at, mark, CONTAINER_OUT_MARK);
    return at + CONTAINER_OUT_MARK;
}

/* What avro-c finds in it, one letter a record. */
static void expect_records(const char *path, const char *want)
{
    avro_file_reader_t reader;
    avro_value_iface_t *class;
    avro_value_t value;
    avro_schema_t schema;
    char got[100] = "";
    const char *letter;
    size_t size, count = 0;

    ck_assert_msg(avro_file_reader(path, &reader) == 0, "%s", avro_strerror());
    schema = avro_file_reader_get_writer_schema(reader);
    class = avro_generic_class_from_schema(schema);
    avro_generic_value_new(class, &value);
    while (avro_file_reader_read_value(reader, &value) == 0) {
        ck_assert_uint_lt(count, sizeof got - 1);
        avro_value_get_string(&value, &letter, &size);
        got[count++] = *letter;
    }
    ck_assert_str_eq(got, want);
    avro_value_decref(&value);
    avro_value_iface_decref(class);
    avro_schema_decref(schema);
    avro_file_reader_close(reader);
}

START_TEST(blocks_are_read_and_what_follows_a_cut_is_appended)
{
    char path[400], data[1000], *header;
    size_t len, first, end;

    header = container_out_header(
        (struct slice){(const uint8_t *)text_schema, sizeof text_schema - 1}, &len);
    memcpy(data, header, len);
    first = len + put_block(data + len, 'a', 3, header + len - CONTAINER_OUT_MARK);
    end = first + put_block(data + first, 'x', 2, header + len - CONTAINER_OUT_MARK);
    snprintf(path, sizeof path, "%s", harness_write(harness_folder(), "f.avro", data, end));
    expect_records(path, "abcxy");
    end = first + put_block(data + first, 'd', 1, data + len - CONTAINER_OUT_MARK);
    end += put_block(data + end, 'e', 20, data + len - CONTAINER_OUT_MARK);
    snprintf(path, sizeof path, "%s", harness_write(harness_folder(), "f.avro", data, end));
    expect_records(path, "abcdefghijklmnopqrstuvwx");
    free(header);
}
END_TEST

START_TEST(each_file_has_a_mark_of_its_own_and_the_schema_as_it_is_written)
{
    struct slice schema = score_schema_text();
    size_t len[2];
    char *headers[2];

    for (size_t i = 0; i < 2; i++)
        headers[i] = container_out_header(schema, &len[i]);
    ck_assert_uint_eq(len[0], len[1]);
    ck_assert(memmem(headers[0], len[0], schema.data, schema.len) != NULL);
    ck_assert_int_eq(memcmp(headers[0], headers[1], len[0] - CONTAINER_OUT_MARK), 0);
    ck_assert_int_ne(memcmp(headers[0] + len[0] - CONTAINER_OUT_MARK,
                            headers[1] + len[1] - CONTAINER_OUT_MARK, CONTAINER_OUT_MARK),
                     0);
    free(headers[0]);
    free(headers[1]);
}
END_TEST

SUITE(container_out)
{
    CASE("blocks", blocks_are_read_and_what_follows_a_cut_is_appended,
         each_file_has_a_mark_of_its_own_and_the_schema_as_it_is_written);
}
