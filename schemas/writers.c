#include "schemas/writers.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/file.h"
#include "core/mem.h"

enum { SLOTS = 256, RETRY_MS = 1000 };

struct slot {
    uint32_t id;
    struct avro_schema *schema; /* NULL: why says the reason */
    char *why;                  /* both NULL: free */
    int64_t asked_ms;
};

struct writers {
    char *folder;
    struct slot slots[SLOTS];
};

struct writers *writers_new(const char *folder)
{
    struct writers *w = mem_alloc(1, sizeof *w);

    w->folder = mem_copy_text(folder, strlen(folder));
    return w;
}

static void slot_release(struct slot *slot)
{
    avro_schema_free(slot->schema);
    free(slot->why);
    *slot = (struct slot){0};
}

void writers_free(struct writers *writers)
{
    if (!writers)
        return;
    for (size_t i = 0; i < SLOTS; i++)
        slot_release(&writers->slots[i]);
    free(writers->folder);
    free(writers);
}

static bool is_known(const struct slot *slot, uint32_t id)
{
    if (slot->id != id || (!slot->schema && !slot->why))
        return false;
    return slot->schema || clock_ms() - slot->asked_ms < RETRY_MS;
}

static void learn(const struct writers *w, struct slot *slot, uint32_t id)
{
    struct err err = ERR_INIT;
    char name[32], words[900], *path, *data;
    size_t len;

    slot_release(slot);
    slot->id = id;
    slot->asked_ms = clock_ms();
    snprintf(name, sizeof name, "%" PRIu32 ".avsc", id);
    path = file_join(w->folder, name);
    if (!*w->folder) {
        snprintf(words, sizeof words, "schema %" PRIu32 ": there is no [schemas] folder", id);
    } else if (file_read(path, SCHEMA_MAX_BYTES, &data, &len, &err) != 0) {
        snprintf(words, sizeof words, "schema %" PRIu32 ": %s", id, err.text);
    } else {
        if (avro_schema_parse(&slot->schema, data, len, &err) != 0)
            snprintf(words, sizeof words, "schema %" PRIu32 ": not an Avro schema: %s", id,
                     err.text);
        free(data);
    }
    free(path);
    if (!slot->schema)
        slot->why = mem_copy_text(words, strlen(words));
}

const struct avro_schema *writers_find(struct writers *writers, uint32_t id, const char **why)
{
    struct slot *slot = &writers->slots[id % SLOTS];

    if (!is_known(slot, id))
        learn(writers, slot, id);
    *why = slot->why;
    return slot->schema;
}
