#include "tests/broker/replays.h"

#include <avro.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "tests/harness.h"

void replay_says(const struct child *k, const char *text)
{
    ck_assert_msg(strstr(k->log, text) != NULL, "no \"%s\" in:\n%s", text, k->log);
}

const char *replay_path(const struct cluster *c, const char *name)
{
    static char paths[8][400];
    static size_t next;
    char *path = paths[next++ % 8];

    snprintf(path, sizeof paths[0], "%s/%s", c->folder, name);
    return path;
}

static void place_of_csv(const char *line, int32_t *partition, int64_t *offset)
{
    const char *field = strchr(line, ',');

    field = strchr(field + 1, ','); /* id, topic: the tests' have no commas */
    *partition = (int32_t)strtol(field + 1, NULL, 10);
    *offset = strtoll(strchr(field + 1, ',') + 1, NULL, 10);
}

static void place_of_json(const char *line, int32_t *partition, int64_t *offset)
{
    json_t *json = json_loads(line, JSON_REJECT_DUPLICATES, NULL);

    ck_assert_msg(json != NULL, "no JSON: %s", line);
    *partition = (int32_t)json_integer_value(json_object_get(json, "partition"));
    *offset = json_integer_value(json_object_get(json, "offset"));
    json_decref(json);
}

struct lines *lines_load(const char *path)
{
    bool is_csv = strcmp(path + strlen(path) - 4, ".csv") == 0;
    struct lines *l = calloc(1, sizeof *l);
    int64_t last[CLUSTER_MAX_PARTITIONS];
    struct err err = ERR_INIT;
    size_t len;
    char *line, *rest;

    ck_assert_ptr_nonnull(l);
    memset(last, -1, sizeof last);
    ck_assert_msg(file_read(path, 1 << 30, &l->text, &len, &err) == 0, "%s", err.text);
    ck_assert_msg(len == 0 || l->text[len - 1] == '\n', "%s: the last line is cut", path);
    rest = l->text;
    if (is_csv)
        strsep(&rest, "\n");
    while ((line = strsep(&rest, "\n")) && *line) {
        int32_t partition = 0;
        int64_t offset = 0;
        (is_csv ? place_of_csv : place_of_json)(line, &partition, &offset);
        ck_assert_int_lt(offset, LINES_MAX);
        ck_assert_msg(offset > last[partition], "%s: behind %lld comes %s", path,
                      (long long)last[partition], line);
        last[partition] = offset;
        l->at[partition][offset] = line;
        l->count++;
    }
    return l;
}

void lines_free(struct lines *l)
{
    free(l->text);
    free(l);
}

void lines_say(const struct lines *l, int32_t partition, int64_t offset, const char *text)
{
    const char *line = l->at[partition][offset];

    ck_assert_msg(line && strstr(line, text), "no \"%s\" in [%d]@%lld: %s", text, partition,
                  (long long)offset, line ? line : "none");
}

size_t lines_count(const char *path)
{
    struct lines *l = lines_load(path);
    size_t count = l->count;

    lines_free(l);
    return count;
}

static int64_t take_long(const avro_value_t *record, const char *name)
{
    avro_value_t field;
    int32_t small = 0;
    int64_t number = 0;

    ck_assert_int_eq(avro_value_get_by_name(record, name, &field, NULL), 0);
    if (avro_value_get_type(&field) == AVRO_INT32)
        avro_value_get_int(&field, &small);
    else
        avro_value_get_long(&field, &number);
    return small + number;
}

size_t container_count(const char *path)
{
    int64_t last[CLUSTER_MAX_PARTITIONS];
    avro_file_reader_t reader;
    avro_value_iface_t *class;
    avro_value_t record;
    avro_schema_t schema;
    size_t count = 0;
    int result;

    memset(last, -1, sizeof last);
    ck_assert_msg(avro_file_reader(path, &reader) == 0, "%s", avro_strerror());
    schema = avro_file_reader_get_writer_schema(reader);
    class = avro_generic_class_from_schema(schema);
    avro_generic_value_new(class, &record);
    while ((result = avro_file_reader_read_value(reader, &record)) == 0) {
        int64_t partition = take_long(&record, "partition"), offset = take_long(&record, "offset");
        ck_assert_int_gt(offset, last[partition]);
        last[partition] = offset;
        count++;
    }
    ck_assert_msg(result == EOF, "%s", avro_strerror());
    avro_value_decref(&record);
    avro_value_iface_decref(class);
    avro_schema_decref(schema);
    avro_file_reader_close(reader);
    return count;
}

void lines_expect_same(const char *one, const char *other, size_t count)
{
    struct lines *a = lines_load(one), *b = lines_load(other);

    ck_assert_uint_eq(a->count, count);
    ck_assert_uint_eq(b->count, count);
    for (size_t p = 0; p < CLUSTER_MAX_PARTITIONS; p++)
        for (size_t i = 0; i < LINES_MAX; i++)
            ck_assert_msg(a->at[p][i] == b->at[p][i] ||
                              (a->at[p][i] && b->at[p][i] && strcmp(a->at[p][i], b->at[p][i]) == 0),
                          "[%zu]@%zu:\n%s\n%s", p, i, a->at[p][i] ? a->at[p][i] : "none",
                          b->at[p][i] ? b->at[p][i] : "none");
    lines_free(a);
    lines_free(b);
}
