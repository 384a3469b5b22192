/* explain_read.c: the record to explain: of a topic, through a dead letter, or of a file. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/letter.h"
#include "core/mem.h"
#include "core/text.h"
#include "pipeline/explaining.h"
#include "pipeline/origin.h"

enum { MAX_FILE_BYTES = 256 << 20 };

struct slice explain_header(const struct explain_record *r, const char *name)
{
    const struct header *h = header_find(r->headers, r->header_count, name);

    return h ? h->value : (struct slice){NULL, 0};
}

/* ---- from a dead letter */

/* What lies in a topic that run reads is an event, whatever headers it has: it may have been sent
 * back there. False: it is no dead letter that tells its origin. */
static bool read_letter(struct letter *letter, const struct config *c,
                        const struct explain_record *r)
{
    for (size_t i = 0; i < c->topic_count; i++)
        if (strcmp(c->topics[i], r->topic) == 0 && strcmp(c->dead_topic, r->topic) != 0)
            return false;
    return letter_read(letter, r->headers, r->header_count) && letter->topic.len > 0;
}

/* The letter's own bytes in the origin's place. */
static void take_letter(struct explanation *e, const struct letter *said)
{
    const struct explain_record *letter = &e->letter;

    e->record = (struct explain_record){
        .topic = mem_copy_text((const char *)said->topic.data, said->topic.len),
        .partition = said->partition,
        .offset = said->offset,
        .timestamp_ms = said->timestamp_ms >= 0 ? said->timestamp_ms : letter->timestamp_ms,
        .key = origin_copy(letter->key),
        .value = origin_copy(letter->value)};
}

/* e->letter is a dead letter, which said where it comes from. */
static int follow(struct explanation *e, const struct letter *said, int timeout_ms, struct err *err)
{
    struct err why = ERR_INIT;
    char *topic = mem_copy_text((const char *)said->topic.data, said->topic.len);
    struct origin place = {topic, said->partition, said->offset};
    int result = origin_read(e->config, place, &e->record, timeout_ms, &why);
    bool has_value = !said->is_without_value;

    free(topic);
    e->origin = ORIGIN_FOUND;
    if (result < 0 && why.kind == ERR_DEPENDENCY) {
        *err = why;
        return -1;
    }
    if (result == 1 && (!has_value || origin_is_equal(e->record.value, e->letter.value)))
        return 0;
    if (result == 1) {
        explain_record_release(&e->record);
        e->origin = ORIGIN_CHANGED;
        snprintf(e->origin_why, sizeof e->origin_why,
                 "another record stands at its origin now: the topic was made anew");
    } else {
        e->origin = ORIGIN_GONE;
        snprintf(e->origin_why, sizeof e->origin_why, "%.399s",
                 result < 0 ? why.text : "its origin is gone from the log");
    }
    if (!has_value)
        return err_fatal(err, EXIT_DATA, "%s, and the dead letter came without its value",
                         e->origin_why);
    take_letter(e, said);
    return 0;
}

/* ---- from a file */

static int read_stream(struct explanation *e, FILE *file, const char *path, struct err *err)
{
    size_t cap = 64 << 10, len = 0, got;
    char *data = mem_alloc(cap, 1);

    while ((got = fread(data + len, 1, cap - len, file)) > 0) {
        len += got;
        if (len == MAX_FILE_BYTES)
            break;
        if (len == cap)
            data = mem_resize(data, cap *= 2, 1);
    }
    e->record = (struct explain_record){
        .partition = -1, .offset = -1, .timestamp_ms = -1, .value = {(uint8_t *)data, len}};
    if (ferror(file))
        return err_fatal(err, EXIT_IO, "%s: %s", path, strerror(errno));
    if (len == MAX_FILE_BYTES)
        return err_fatal(err, EXIT_IO, "%s: longer than 256 MiB", path);
    return 0;
}

static int read_file(struct explanation *e, const char *path, struct err *err)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    int result;

    if (!file)
        return err_fatal(err, EXIT_IO, "%s: %s", path, strerror(errno));
    result = read_stream(e, file, path, err);
    if (file != stdin)
        fclose(file);
    return result;
}

int explain_read(struct explanation *e, const struct explain_options *o, struct err *err)
{
    struct origin asked = {o->topic, o->partition, o->offset};
    struct letter letter;
    int result;

    if (o->file)
        return read_file(e, o->file, err);
    result = origin_read(e->config, asked, &e->record, o->timeout_ms, err);
    if (result < 0)
        return -1;
    if (result == 0)
        return err_fatal(err, EXIT_DATA,
                         "%s[%d]@%lld: there is no record: behind the end of the log, deleted, "
                         "aborted, or the mark of a transaction",
                         o->topic, o->partition, (long long)o->offset);
    if (!read_letter(&letter, e->config, &e->record))
        return 0;
    e->letter = e->record;
    e->record = (struct explain_record){0};
    return follow(e, &letter, o->timeout_ms, err);
}
