#include "schemas/schema_table.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/schema_id.h"
#include "core/slice.h"
#include "core/text.h"
#include "schemas/fingerprint.h"
#include "schemas/schema_files.h"

enum { SLOTS = SCHEMA_TABLE_MAX * 2, ABSENT_SLOTS = 1024, NEVER = 0 };

struct known {
    struct plan *plan; /* NULL: unusable */
    char *text;        /* what there is to say */
    int64_t asked_ms;  /* unusable: when; a file may have been half written */
    uint64_t id;
    bool is_told;
};

struct absent {
    int64_t asked_ms; /* NEVER: free */
    uint64_t id;
};

struct schema_table {
    char *folder;
    const struct features *features;
    struct schema_files *files; /* ids are fingerprints; NULL: they are the files' names */
    int64_t files_ms;           /* when they were read last */
    struct known *known;        /* SCHEMA_TABLE_MAX */
    size_t count;
    uint16_t slots[SLOTS]; /* number in known + 1, 0 = free; linear probing, at most half full */
    struct absent absent[ABSENT_SLOTS];
};

static uint32_t hash(uint64_t id)
{
    return (uint32_t)(id * UINT64_C(0x9e3779b97f4a7c15) >> 40);
}

static uint16_t *slot_of(const struct schema_table *t, uint64_t id)
{
    uint32_t i = hash(id) % SLOTS;

    while (t->slots[i] != 0 && t->known[t->slots[i] - 1].id != id)
        i = (i + 1) % SLOTS;
    return (uint16_t *)&t->slots[i];
}

static struct absent *absent_of(const struct schema_table *t, uint64_t id)
{
    return (struct absent *)&t->absent[hash(id) % ABSENT_SLOTS];
}

static bool is_old(int64_t asked_ms)
{
    return clock_ms() - asked_ms >= SCHEMA_RETRY_MS;
}

enum schema_state schema_table_find(const struct schema_table *table, uint64_t id,
                                    const struct plan **plan)
{
    uint16_t slot = *slot_of(table, id);
    const struct absent *absent;

    if (slot) {
        const struct known *known = &table->known[slot - 1];
        *plan = known->plan;
        if (*plan)
            return SCHEMA_USABLE;
        return is_old(known->asked_ms) ? SCHEMA_NOT_ASKED : SCHEMA_UNUSABLE;
    }
    absent = absent_of(table, id);
    if (absent->asked_ms == NEVER || absent->id != id || is_old(absent->asked_ms))
        return SCHEMA_NOT_ASKED;
    return SCHEMA_ABSENT;
}

/* ---- learning */

/* "schema 17", "schema 29a17c... in file.avsc"; name NULL: the id says it. */
static void print_id(const struct schema_table *t, uint64_t id, const char *name, FILE *say)
{
    char number[SCHEMA_ID_TEXT_MAX];

    schema_id_print(number, (int64_t)id, t->files != NULL);
    fprintf(say, "schema %s%s%s", number, name ? " in " : "", name ? name : "");
}

/* The schema's plan, or NULL; writes what became of it to `say`. */
static struct plan *compile(const struct schema_table *t, const struct avro_schema *schema,
                            FILE *say)
{
    const char *name = schema->types[schema->root].name;
    struct err err = ERR_INIT;
    struct plan *plan;

    fprintf(say, "%s%s%s: ", name ? " (" : "", name ? name : "", name ? ")" : "");
    plan_compile(&plan, schema, t->features, say, &err);
    return plan;
}

/* The plan of a file's text, or NULL; *text is new and says what became of it. */
static struct plan *read_schema(const struct schema_table *t, uint64_t id, struct slice data,
                                char **text)
{
    struct avro_schema *schema;
    struct plan *plan = NULL;
    struct err err = ERR_INIT;
    size_t text_len;
    FILE *say = open_memstream(text, &text_len);

    print_id(t, id, NULL, say);
    if (avro_schema_parse(&schema, (const char *)data.data, data.len, &err) != 0)
        fprintf(say, ": not an Avro schema: %s", err.text);
    else
        plan = compile(t, schema, say);
    fclose(say);
    avro_schema_free(schema);
    return plan;
}

static int put(struct schema_table *t, uint64_t id, struct plan *plan, char *text, int64_t now_ms,
               struct err *err)
{
    uint16_t *slot = slot_of(t, id);
    struct known *known;

    if (*slot == 0 && t->count == SCHEMA_TABLE_MAX) {
        plan_free(plan);
        free(text);
        return err_dependency(err, "schema folder %s: more than %d schemas", t->folder,
                              SCHEMA_TABLE_MAX);
    }
    if (*slot == 0) {
        known = &t->known[t->count++];
        *slot = (uint16_t)t->count;
        *known = (struct known){.id = id};
    }
    known = &t->known[*slot - 1];
    known->is_told = known->is_told && strcmp(known->text, text) == 0;
    free(known->text);
    known->text = text;
    known->plan = plan;
    known->asked_ms = now_ms;
    return 0;
}

static char *path_of(const struct schema_table *t, uint64_t id)
{
    char name[32];

    snprintf(name, sizeof name, "%" PRIu64 ".avsc", id);
    return file_join(t->folder, name);
}

/* Words instead of a plan, for a file that is there and can be no schema. */
static int put_words(struct schema_table *t, uint64_t id, const char *words, int64_t now_ms,
                     struct err *err)
{
    size_t len = strlen(words) + 64;
    char *text = mem_alloc(len, 1);

    snprintf(text, len, "schema %" PRIu64 ": %s", id, words);
    return put(t, id, NULL, text, now_ms, err);
}

/* A damaged schema whose file went away stays what it was. */
static void note_absent(struct schema_table *t, uint64_t id, int64_t now_ms)
{
    uint16_t slot = *slot_of(t, id);

    if (slot)
        t->known[slot - 1].asked_ms = now_ms;
    else
        *absent_of(t, id) = (struct absent){now_ms, id};
}

static int learn_id(struct schema_table *t, uint64_t id, int64_t now_ms, struct err *err)
{
    struct err why = ERR_INIT;
    char *path = path_of(t, id), *data, *text;
    struct plan *plan;
    size_t len;
    int result;

    errno = 0;
    if (file_read(path, SCHEMA_MAX_BYTES, &data, &len, &why) == 0) {
        plan = read_schema(t, id, (struct slice){(const uint8_t *)data, len}, &text);
        result = put(t, id, plan, text, now_ms, err);
        free(data);
    } else if (errno == ENOENT) {
        note_absent(t, id, now_ms);
        result = 0;
    } else if (errno == EFBIG || errno == EISDIR || errno == EINVAL) {
        result = put_words(t, id, why.text, now_ms, err);
    } else {
        result = err_dependency(err, "schema %" PRIu64 ": %s", id, why.text);
    }
    free(path);
    return result;
}

/* A schema of the folder, seen by its fingerprint. */
static int take_file(void *arg, const char *name, const struct avro_schema *schema, struct err *err)
{
    struct schema_table *t = arg;
    uint64_t id = fingerprint_of(schema);
    struct plan *plan;
    size_t text_len;
    char *text;
    FILE *say;

    if (*slot_of(t, id)) /* another file with the same schema but for its documentation */
        return 0;
    say = open_memstream(&text, &text_len);
    print_id(t, id, name, say);
    plan = compile(t, schema, say);
    fclose(say);
    return put(t, id, plan, text, clock_ms(), err);
}

/* The folder is read when that is a second ago: until then it has nothing new to say. */
static int learn_fingerprint(struct schema_table *t, uint64_t id, int64_t now_ms, struct err *err)
{
    if (now_ms - t->files_ms >= SCHEMA_RETRY_MS) {
        if (schema_files_read(t->files, take_file, t, err) != 0)
            return -1;
        t->files_ms = now_ms;
    }
    if (*slot_of(t, id) == 0 || !t->known[*slot_of(t, id) - 1].plan)
        note_absent(t, id, now_ms);
    return 0;
}

int schema_table_learn(struct schema_table *table, uint64_t id, int64_t now_ms, struct err *err)
{
    const struct plan *known;

    if (schema_table_find(table, id, &known) == SCHEMA_USABLE)
        return 0;
    return table->files ? learn_fingerprint(table, id, now_ms, err)
                        : learn_id(table, id, now_ms, err);
}

/* ---- loading */

/* "17.avsc" */
static bool is_schema_file(const char *name, uint32_t *id)
{
    size_t len = strlen(name);
    int64_t number;

    if (len < 6 || strcmp(name + len - 5, ".avsc") != 0 || (name[0] == '0' && len != 6) ||
        !integer_parse(name, len - 5, 0, UINT32_MAX, &number))
        return false;
    *id = (uint32_t)number;
    return true;
}

static int load_folder(struct schema_table *t, struct err *err)
{
    DIR *dir = opendir(t->folder);
    const struct dirent *entry;
    int result = 0;

    if (!dir)
        return err_fatal(err, EXIT_IO, "schema folder %s: %s", t->folder, strerror(errno));
    while (result == 0 && (entry = readdir(dir)) != NULL) {
        struct err why = ERR_INIT;
        uint32_t id;
        if (!is_schema_file(entry->d_name, &id))
            continue;
        result = schema_table_learn(t, id, clock_ms(), &why);
        if (result != 0)
            err_fatal(err, t->count == SCHEMA_TABLE_MAX ? EXIT_CONFIGURATION : EXIT_IO, "%s",
                      why.text);
    }
    closedir(dir);
    return result;
}

static struct schema_table *new_table(const char *folder, const struct features *features)
{
    struct schema_table *t = mem_alloc(1, sizeof *t);

    t->folder = mem_copy_text(folder, strlen(folder));
    t->features = features;
    t->known = mem_alloc(SCHEMA_TABLE_MAX, sizeof *t->known);
    return t;
}

static int finish(struct schema_table **table, struct schema_table *t, int result)
{
    if (result != 0)
        schema_table_free(t);
    *table = result == 0 ? t : NULL;
    return result;
}

int schema_table_load(struct schema_table **table, const char *folder,
                      const struct features *features, struct err *err)
{
    struct schema_table *t = new_table(folder, features);

    return finish(table, t, load_folder(t, err));
}

int schema_table_load_fingerprints(struct schema_table **table, const char *folder,
                                   const struct features *features, struct err *err)
{
    struct schema_table *t = new_table(folder, features);
    struct err why = ERR_INIT;
    int result;

    t->files = schema_files_new(folder);
    t->files_ms = clock_ms();
    result = schema_files_read(t->files, take_file, t, &why);
    if (result != 0)
        err_fatal(err, t->count == SCHEMA_TABLE_MAX ? EXIT_CONFIGURATION : EXIT_IO, "%s", why.text);
    return finish(table, t, result);
}

void schema_table_free(struct schema_table *table)
{
    if (!table)
        return;
    for (size_t i = 0; i < table->count; i++) {
        plan_free(table->known[i].plan);
        free(table->known[i].text);
    }
    schema_files_free(table->files);
    free(table->known);
    free(table->folder);
    free(table);
}

void schema_table_report(struct schema_table *table,
                         void (*say)(void *arg, int64_t schema_id, bool usable, const char *text),
                         void *arg)
{
    for (size_t i = 0; i < table->count; i++) {
        struct known *known = &table->known[i];
        if (!known->is_told)
            say(arg, (int64_t)known->id, known->plan != NULL, known->text);
        known->is_told = true;
    }
    if (table->files)
        schema_files_report(table->files, say, arg);
}
