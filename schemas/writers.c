#include "schemas/writers.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/clock.h"
#include "core/mem.h"
#include "core/schema_id.h"

enum { SLOTS = 256, RETRY_MS = 1000, WAIT_MS = 5000, LOOK_MS = 2 };

struct writer {
    uint64_t id;
    struct avro_schema *schema; /* NULL: why says the reason */
    char *why;
    int64_t asked_ms;
};

struct writers {
    struct schema_source *source;
    struct writer *known; /* with a schema; a source of fingerprints says each only once */
    size_t count, cap, hand;
    struct writer misses[SLOTS]; /* by id; why NULL: free */
};

int writers_new(struct writers **writers, struct schema_source *source, struct err *err)
{
    *writers = NULL;
    if (source && source->start(source, err) != 0) {
        source->free(source);
        return -1;
    }
    *writers = mem_alloc(1, sizeof **writers);
    (*writers)->source = source;
    return 0;
}

static void writer_release(struct writer *writer)
{
    avro_schema_free(writer->schema);
    free(writer->why);
    *writer = (struct writer){0};
}

void writers_free(struct writers *w)
{
    if (!w)
        return;
    for (size_t i = 0; i < w->count; i++)
        writer_release(&w->known[i]);
    for (size_t i = 0; i < SLOTS; i++)
        writer_release(&w->misses[i]);
    if (w->source)
        w->source->free(w->source);
    free(w->known);
    free(w);
}

static const struct writer *find(const struct writers *w, uint64_t id)
{
    const struct writer *miss = &w->misses[id % SLOTS];

    for (size_t i = 0; i < w->count; i++)
        if (w->known[i].id == id)
            return &w->known[i];
    return miss->why && miss->id == id && clock_ms() - miss->asked_ms < RETRY_MS ? miss : NULL;
}

static void keep(struct writers *w, uint64_t id, struct avro_schema *schema)
{
    struct writer *place;

    if (w->count < WRITERS_MAX) {
        w->known = mem_grow(w->known, w->count, &w->cap, sizeof *w->known);
        place = &w->known[w->count++];
    } else {
        place = &w->known[w->hand++ % WRITERS_MAX];
        writer_release(place);
    }
    *place = (struct writer){.id = id, .schema = schema};
}

static void miss(struct writers *w, uint64_t id, const char *words)
{
    struct writer *slot = &w->misses[id % SLOTS];
    char text[900], name[SCHEMA_ID_TEXT_MAX];

    schema_id_print(name, (int64_t)id, w->source->has_fingerprints);
    snprintf(text, sizeof text, "schema %s: %s", name, words);
    writer_release(slot);
    *slot =
        (struct writer){.id = id, .why = mem_copy_text(text, strlen(text)), .asked_ms = clock_ms()};
}

static void take(struct writers *w, struct schema_answer *answer)
{
    struct avro_schema *schema = answer->schema;
    struct err err = ERR_INIT;

    if (answer->kind == SCHEMA_MISSING)
        miss(w, answer->id, "there is none");
    else if (answer->kind != SCHEMA_FOUND)
        miss(w, answer->id, answer->words);
    else if (schema || avro_schema_parse_all(&schema, answer->texts, answer->text_count, &err) == 0)
        keep(w, answer->id, schema);
    else
        miss(w, answer->id, err.text);
    answer->schema = NULL;
    schema_answer_release(answer);
}

/* A registry answers from its own thread. */
static void learn(struct writers *w, uint64_t id)
{
    int64_t until_ms = clock_ms() + WAIT_MS;
    struct schema_answer answer;

    w->source->ask(w->source, id, clock_ms());
    while (!find(w, id)) {
        while (w->source->poll(w->source, &answer))
            take(w, &answer);
        if (find(w, id))
            break;
        if (clock_ms() >= until_ms)
            miss(w, id, "no answer within 5 s");
        else
            nanosleep(&(struct timespec){0, LOOK_MS * 1000000}, NULL);
    }
}

const struct avro_schema *writers_find(struct writers *w, uint64_t id, const char **why)
{
    const struct writer *found;

    if (!w->source) {
        *why = "there are no [schemas]";
        return NULL;
    }
    if (!find(w, id))
        learn(w, id);
    found = find(w, id);
    *why = found ? found->why : "its schema is asked for again";
    return found ? found->schema : NULL;
}
