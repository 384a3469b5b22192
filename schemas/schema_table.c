#include "schemas/schema_table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/mem.h"
#include "core/schema_id.h"
#include "schemas/avro_schema.h"
#include "schemas/doubts.h"

enum {
    SLOTS = SCHEMA_TABLE_MAX * 2,
    MAX_ASKED = 1024,   /* at the same time */
    FAILED_KEEP_MS = 50 /* whoever waits for an id hears that it failed before it is asked again */
};

struct known {
    struct plan *plan; /* NULL: unusable */
    char *text;        /* what there is to say */
    int64_t asked_ms;  /* when */
    int64_t found_ms;  /* by a record, last; 0: never */
    uint64_t id;
    bool is_final; /* asking again can change nothing */
    bool is_told;
};

struct schema_table {
    struct schema_source *source;
    const struct features *features;
    struct known *known; /* SCHEMA_TABLE_MAX */
    size_t count, usable_count, hand;
    uint16_t slots[SLOTS]; /* number in known + 1, 0 = free; linear probing, at most half full */
    bool has_news;         /* for schema_table_report */
    int64_t now_ms;        /* of the last poll */
    struct doubts doubts;
    int64_t first_wait_ms;
    char *trouble; /* of the last answer that failed */
    int64_t asks;  /* thousandths that may still be asked for */
    int64_t asks_ms;
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

static bool is_old(const struct schema_table *t, int64_t asked_ms, int64_t now_ms)
{
    return now_ms - asked_ms >= t->source->keep_ms;
}

/* The first verdict "absent" may have to wait for a producer that registers late. */
static bool is_verdict(const struct schema_table *t, const struct doubt *doubt)
{
    return doubt->at_ms - doubt->absent_ms >= t->first_wait_ms;
}

/* What is known of an id that cannot be used. */
static enum schema_state useless_state(const struct schema_table *t, uint64_t id, int64_t now_ms)
{
    uint16_t slot = *slot_of(t, id);
    const struct known *known = slot ? &t->known[slot - 1] : NULL;
    const struct doubt *doubt;

    if (known)
        return !known->is_final && is_old(t, known->asked_ms, now_ms) ? SCHEMA_NOT_ASKED
                                                                      : SCHEMA_UNUSABLE;
    doubt = doubts_find(&t->doubts, id);
    if (!doubt || doubt->kind != DOUBT_ABSENT || !is_verdict(t, doubt) ||
        is_old(t, doubt->at_ms, now_ms))
        return SCHEMA_NOT_ASKED;
    return SCHEMA_ABSENT;
}

enum schema_state schema_table_find(struct schema_table *table, uint64_t id,
                                    const struct plan **plan)
{
    uint16_t slot = *slot_of(table, id);

    *plan = slot ? table->known[slot - 1].plan : NULL;
    if (!*plan)
        return useless_state(table, id, clock_ms());
    table->known[slot - 1].found_ms = table->now_ms;
    return SCHEMA_USABLE;
}

static bool is_usable(const struct schema_table *t, uint64_t id)
{
    uint16_t slot = *slot_of(t, id);

    return slot && t->known[slot - 1].plan;
}

size_t schema_table_count(const struct schema_table *table)
{
    return table->usable_count;
}

/* ---- what is known */

/* Something useless makes room, else whatever comes next. Only a table that is full gets here: its
 * index is made anew, 50 us. */
static struct known *make_room(struct schema_table *t)
{
    struct known *victim = &t->known[t->hand];

    for (size_t i = 0; i < SCHEMA_TABLE_MAX; i++) {
        struct known *k = &t->known[(t->hand + i) % SCHEMA_TABLE_MAX];
        if (!k->plan) {
            victim = k;
            break;
        }
    }
    t->hand = (size_t)(victim - t->known + 1) % SCHEMA_TABLE_MAX;
    t->usable_count -= victim->plan != NULL;
    plan_free(victim->plan);
    free(victim->text);
    return victim;
}

static struct known *add(struct schema_table *t, uint64_t id)
{
    struct known *known = t->count < SCHEMA_TABLE_MAX ? &t->known[t->count++] : make_room(t);

    *known = (struct known){.id = id};
    if (t->count == SCHEMA_TABLE_MAX)
        memset(t->slots, 0, sizeof t->slots);
    for (size_t i = t->count == SCHEMA_TABLE_MAX ? 0 : t->count - 1; i < t->count; i++)
        *slot_of(t, t->known[i].id) = (uint16_t)(i + 1);
    return known;
}

static void put(struct schema_table *t, struct known new)
{
    uint16_t slot = *slot_of(t, new.id);
    struct known *known = slot ? &t->known[slot - 1] : add(t, new.id);

    doubts_remove(&t->doubts, new.id);
    if (known->plan) { /* a schema never changes */
        plan_free(new.plan);
        free(new.text);
        return;
    }
    new.is_told = known->is_told && known->text &&strcmp(known->text, new.text) == 0;
    free(known->text);
    *known = new;
    t->has_news = true;
    t->usable_count += new.plan != NULL;
}

/* "schema 17", "schema 29a17c... in file.avsc" */
static void print_id(const struct schema_table *t, const struct schema_answer *answer, FILE *say)
{
    char number[SCHEMA_ID_TEXT_MAX];

    schema_id_print(number, (int64_t)answer->id, t->source->has_fingerprints);
    fprintf(say, "schema %s%s%s", number, answer->file ? " in " : "",
            answer->file ? answer->file : "");
}

static struct avro_schema *schema_of(const struct schema_answer *answer, struct err *err)
{
    struct avro_schema *schema;

    if (answer->schema)
        return answer->schema;
    return avro_schema_parse_all(&schema, answer->texts, answer->text_count, err) == 0 ? schema
                                                                                       : NULL;
}

/* The schema's plan, or NULL; *text is new and says what became of it. */
static struct plan *compile(const struct schema_table *t, const struct schema_answer *answer,
                            char **text)
{
    struct err err = ERR_INIT;
    struct avro_schema *schema = schema_of(answer, &err);
    struct plan *plan = NULL;
    size_t text_len;
    FILE *say = open_memstream(text, &text_len);
    const char *name = schema ? schema->types[schema->root].name : NULL;

    print_id(t, answer, say);
    if (schema) {
        fprintf(say, "%s%s%s: ", name ? " (" : "", name ? name : "", name ? ")" : "");
        plan_compile(&plan, schema, t->features, say, &err);
    } else {
        fprintf(say, ": not an Avro schema: %s", err.text);
    }
    fclose(say);
    if (schema != answer->schema)
        avro_schema_free(schema);
    return plan;
}

static char *words_of(const struct schema_answer *answer)
{
    size_t len = strlen(answer->words) + 64;
    char *text = mem_alloc(len, 1);

    snprintf(text, len, "schema %" PRIu64 ": %s", answer->id, answer->words);
    return text;
}

/* A damaged schema whose file went away stays what it was. */
static void note_absent(struct schema_table *t, uint64_t id, int64_t now_ms)
{
    uint16_t slot = *slot_of(t, id);

    doubts_put(&t->doubts, id, DOUBT_ABSENT, now_ms);
    if (slot)
        t->known[slot - 1].asked_ms = now_ms;
}

static void note_seen(struct schema_table *t, uint64_t id, int64_t now_ms)
{
    t->known[*slot_of(t, id) - 1].asked_ms = now_ms;
    doubts_remove(&t->doubts, id);
}

static void take(struct schema_table *t, const struct schema_answer *answer, int64_t now_ms)
{
    struct known new = {.id = answer->id, .asked_ms = now_ms};

    switch (answer->kind) {
    case SCHEMA_FOUND:
        if (answer->file && *slot_of(t, answer->id)) { /* another file with the same schema */
            note_seen(t, answer->id, now_ms);
            return;
        }
        new.plan = compile(t, answer, &new.text);
        new.is_final = t->source->is_immutable;
        put(t, new);
        return;
    case SCHEMA_BAD:
        new.text = words_of(answer);
        put(t, new);
        return;
    case SCHEMA_MISSING: note_absent(t, answer->id, now_ms); return;
    case SCHEMA_FAILED:
        free(t->trouble);
        t->trouble = mem_copy_text(answer->words, strlen(answer->words));
        doubts_put(&t->doubts, answer->id, DOUBT_FAILED, now_ms);
        return;
    }
}

void schema_table_poll(struct schema_table *table, int64_t now_ms)
{
    struct schema_answer answer;

    table->now_ms = now_ms;
    while (table->source->poll(table->source, &answer)) {
        take(table, &answer, now_ms);
        schema_answer_release(&answer);
    }
}

/* ---- asking */

/* A bucket that holds a second's worth. */
static bool may_ask(struct schema_table *t, int64_t now_ms)
{
    int64_t per_s = t->source->asks_per_s;

    if (per_s == 0)
        return true;
    if (now_ms > t->asks_ms) {
        int64_t gap_ms = now_ms - t->asks_ms < 1000 ? now_ms - t->asks_ms : 1000;
        t->asks = t->asks + gap_ms * per_s < per_s * 1000 ? t->asks + gap_ms * per_s : per_s * 1000;
        t->asks_ms = now_ms;
    }
    if (t->asks < 1000 || t->doubts.asked_count >= MAX_ASKED)
        return false;
    t->asks -= 1000;
    return true;
}

/* What is already known of an id that has no state yet: as schema_table_learn, or 2: ask. */
static int look(const struct schema_table *t, uint64_t id, int64_t now_ms, struct err *err)
{
    enum { REASK_MS = 250 };
    const struct doubt *doubt = doubts_find(&t->doubts, id);

    if (!doubt)
        return 2;
    if (doubt->kind == DOUBT_ASKED)
        return 1;
    if (doubt->kind == DOUBT_FAILED && now_ms - doubt->at_ms < FAILED_KEEP_MS)
        return err_dependency(err, "schema %" PRIu64 ": %s", id, t->trouble);
    if (doubt->kind == DOUBT_ABSENT && !is_verdict(t, doubt) && now_ms - doubt->at_ms < REASK_MS)
        return 1;
    return 2;
}

int schema_table_learn(struct schema_table *table, uint64_t id, int64_t now_ms, struct err *err)
{
    int result;

    schema_table_poll(table, now_ms);
    if (is_usable(table, id) || useless_state(table, id, now_ms) != SCHEMA_NOT_ASKED)
        return 0;
    result = look(table, id, now_ms, err);
    if (result != 2)
        return result;
    if (!may_ask(table, now_ms))
        return err_dependency(err, "more unknown schema ids than unknown_ids_per_s = %u",
                              table->source->asks_per_s);
    doubts_put(&table->doubts, id, DOUBT_ASKED, now_ms);
    table->source->ask(table->source, id, now_ms);
    schema_table_poll(table, now_ms);
    result = look(table, id, now_ms, err);
    return result == 2 ? 0 : result;
}

int schema_table_await(struct schema_table *table, int timeout_ms, struct err *err)
{
    int result = 0;

    if (table->source->await)
        result = table->source->await(table->source, timeout_ms, err);
    schema_table_poll(table, clock_ms());
    return result;
}

/* ---- another in its place */

static struct known *find_known(const struct schema_table *t, uint64_t id)
{
    uint16_t slot = *slot_of(t, id);

    return slot ? &t->known[slot - 1] : NULL;
}

int schema_table_hand_over(const struct schema_table *table, struct schema_table *next,
                           int64_t now_ms, struct err *err)
{
    enum { LIVE_MS = 3600 * 1000 };

    schema_table_poll(next, now_ms);
    for (size_t i = 0; i < table->count; i++) {
        const struct known *old = &table->known[i];
        struct known *new = find_known(next, old->id);
        bool is_live = old->found_ms != 0 && now_ms - old->found_ms < LIVE_MS;
        if (!new)
            continue;
        if (old->plan && !new->plan && (is_live || next->usable_count == 0))
            return err_fatal(err, EXIT_DATA, "%s", new->text);
        new->found_ms = old->found_ms;
        new->is_told = old->is_told &&strcmp(old->text, new->text) == 0;
    }
    return 0;
}

/* ---- life */

int schema_table_load(struct schema_table **table, struct schema_source *source,
                      int64_t first_wait_ms, const struct features *features, struct err *err)
{
    struct schema_table *t;

    *table = NULL;
    if (source->start(source, err) != 0)
        return -1;
    t = mem_alloc(1, sizeof *t);
    t->source = source;
    t->features = features;
    t->first_wait_ms = first_wait_ms;
    t->known = mem_alloc(SCHEMA_TABLE_MAX, sizeof *t->known);
    schema_table_poll(t, clock_ms());
    if (t->trouble) {
        err_fatal(err, EXIT_IO, "%s", t->trouble);
        t->source = NULL;
        schema_table_free(t);
        return -1;
    }
    *table = t;
    return 0;
}

void schema_table_free(struct schema_table *table)
{
    if (!table)
        return;
    for (size_t i = 0; i < table->count; i++) {
        plan_free(table->known[i].plan);
        free(table->known[i].text);
    }
    if (table->source)
        table->source->free(table->source);
    free(table->trouble);
    free(table->known);
    free(table);
}

void schema_table_report(struct schema_table *table,
                         void (*say)(void *arg, int64_t schema_id, bool usable, const char *text),
                         void *arg)
{
    for (size_t i = 0; table->has_news && i < table->count; i++) {
        struct known *known = &table->known[i];
        if (!known->is_told)
            say(arg, (int64_t)known->id, known->plan != NULL, known->text);
        known->is_told = true;
    }
    table->has_news = false;
    if (table->source->report)
        table->source->report(table->source, say, arg);
}
