#include "pipeline/contract.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/clock.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/text.h"
#include "pipeline/schemas.h"
#include "schemas/fingerprint.h"
#include "schemas/plan.h"
#include "schemas/rooted.h"

enum { LOOK_MS = 2 };

static char *copy(const char *text)
{
    return text ? mem_copy_text(text, strlen(text)) : NULL;
}

/* ---- one schema */

static struct contract_schema *add(struct contract *c, int64_t number)
{
    struct contract_schema *s;

    c->schemas = mem_grow(c->schemas, c->schema_count, &c->schema_cap, sizeof *c->schemas);
    s = &c->schemas[c->schema_count++];
    *s = (struct contract_schema){.number = number};
    if (number != SCHEMA_ID_NONE)
        schema_id_print(s->id, number, config_has_fingerprints(c->config));
    return s;
}

/* As run does it; what run says in one line is kept feature by feature. */
static void judge(struct contract *c, struct contract_schema *s, struct avro_schema *schema)
{
    struct err err = ERR_INIT;
    struct plan *plan;
    char *words;
    size_t len;
    FILE *say = open_memstream(&words, &len);

    s->schema = avro_schema_share(schema);
    s->name = copy(schema->types[schema->root].name);
    s->binding = binding_new(schema, &c->features);
    unused_init(&s->unused, &c->features, s->binding);
    if (!s->binding->root_why)
        unused_schema(&s->unused, schema);
    s->is_usable = plan_compile(&plan, schema, &c->features, say, &err) == 0;
    fclose(say);
    if (!s->is_usable)
        s->why = copy(err.text);
    c->usable_count += s->is_usable;
    plan_free(plan);
    free(words);
}

static void note_no_schema(struct contract_schema *s, const struct err *err)
{
    size_t cap = strlen(err->text) + sizeof "not an Avro schema: ";

    s->why = mem_alloc(cap, 1);
    snprintf(s->why, cap, "not an Avro schema: %s", err->text);
}

static void add_answer(struct contract *c, const struct schema_answer *answer)
{
    struct contract_schema *s = add(c, (int64_t)answer->id);
    struct avro_schema *schema = answer->schema;
    struct err err = ERR_INIT;

    s->subject = copy(answer->subject);
    s->version = answer->version;
    s->file = copy(answer->file);
    if (answer->kind == SCHEMA_BAD)
        s->why = copy(answer->words);
    else if (schema || avro_schema_parse_all(&schema, answer->texts, answer->text_count, &err) == 0)
        judge(c, s, schema);
    else
        note_no_schema(s, &err);
    if (!answer->schema)
        avro_schema_free(schema);
}

/* ---- where they come from */

/* What is asked for, and what became of it. */
struct question {
    struct contract *contract;
    struct schema_source *source;
    bool has_id;
    uint64_t id;
    bool is_missing; /* there is no such schema */
    bool is_named;   /* the registry says what belongs to the subjects; the cache cannot */
};

static bool is_known(const struct contract *c, uint64_t id)
{
    for (size_t i = 0; i < c->schema_count; i++)
        if (c->schemas[i].number == (int64_t)id && !c->schemas[i].file)
            return true;
    return false;
}

static bool is_wanted(const struct question *q, const struct schema_answer *answer)
{
    if (q->has_id && answer->id != q->id)
        return false;
    if (q->is_named)
        return answer->subject != NULL;
    return q->contract->source != CONTRACT_REGISTRY || !is_known(q->contract, answer->id);
}

static void take(struct question *q, const struct schema_answer *answer, struct err *err)
{
    struct contract *c = q->contract;

    switch (answer->kind) {
    case SCHEMA_FOUND:
    case SCHEMA_BAD:
        if (is_wanted(q, answer))
            add_answer(c, answer);
        return;
    case SCHEMA_MISSING: q->is_missing |= q->has_id && answer->id == q->id; return;
    case SCHEMA_FAILED: break;
    }
    if (c->source == CONTRACT_REGISTRY)
        err_dependency(&c->trouble, "%s: %s", c->where, answer->words);
    else
        err_fatal(err, EXIT_IO, "%s", answer->words);
}

static int take_answers(struct question *q, struct err *err)
{
    struct schema_answer answer;

    while (q->source->poll(q->source, &answer)) {
        take(q, &answer, err);
        schema_answer_release(&answer);
    }
    return err_is_set(err) ? -1 : 0;
}

/* A schema by its id that is none of those that were there at once. */
static int ask(struct question *q, int timeout_ms, struct err *err)
{
    struct contract *c = q->contract;
    int64_t until_ms = clock_ms() + timeout_ms;

    c->trouble = (struct err)ERR_INIT;
    q->is_named = false;
    q->source->ask(q->source, q->id, clock_ms());
    while (take_answers(q, err) == 0 && c->schema_count == 0 && !q->is_missing &&
           !err_is_set(&c->trouble)) {
        if (clock_ms() >= until_ms)
            err_dependency(&c->trouble, "%s: no answer for %d ms", c->where, timeout_ms);
        else
            nanosleep(&(struct timespec){0, LOOK_MS * 1000000}, NULL);
    }
    return err_is_set(err) ? -1 : 0;
}

static void take_file(void *arg, int64_t schema_id, bool usable, const char *text)
{
    (void)usable;
    add(arg, schema_id)->why = copy(text);
}

static int take_all(struct question *q, int timeout_ms, struct err *err)
{
    struct contract *c = q->contract;
    struct schema_source *source = q->source;

    if (source->start(source, err) != 0)
        return -1;
    if (source->await && source->await(source, timeout_ms, &c->trouble) != 0 &&
        c->trouble.kind == ERR_FATAL && c->trouble.exit_code != EXIT_DENIED) {
        *err = c->trouble;
        return -1;
    }
    q->is_named = c->source == CONTRACT_REGISTRY && !err_is_set(&c->trouble);
    if (take_answers(q, err) != 0 ||
        (q->has_id && c->schema_count == 0 && ask(q, timeout_ms, err) != 0))
        return -1;
    if (q->has_id && c->schema_count)
        c->trouble = (struct err)ERR_INIT; /* nothing more was wanted, and an id never changes */
    if (source->report && !q->has_id)
        source->report(source, take_file, c);
    if (q->is_missing)
        return err_fatal(err, EXIT_DATA, "%s has no such schema", c->where);
    return 0;
}

static void name_subjects(struct contract *c)
{
    char **names;

    c->subject_count = schemas_subjects(c->config, &names);
    c->subjects = mem_alloc(c->subject_count, sizeof *c->subjects);
    for (size_t i = 0; i < c->subject_count; i++) {
        struct contract_subject *subject = &c->subjects[i];
        subject->name = names[i];
        for (size_t k = 0; k < c->schema_count; k++)
            subject->version_count +=
                c->schemas[k].subject && strcmp(c->schemas[k].subject, subject->name) == 0;
    }
    free(names);
}

static int take_source(struct contract *c, const struct contract_options *o, struct question *q,
                       struct err *err)
{
    char where[400];
    int result;

    if (schemas_open(c->config, &q->source, err) != 0)
        return err_prefix(err, "[schemas]");
    c->source = *c->config->registry_url ? CONTRACT_REGISTRY : CONTRACT_FOLDER;
    snprintf(where, sizeof where, "schema folder %s", c->config->schema_folder);
    c->where = copy(c->source == CONTRACT_REGISTRY ? q->source->name : where);
    result = take_all(q, o->timeout_ms, err);
    q->source->free(q->source);
    if (result != 0)
        return err_prefix(err, "[schemas]");
    if (c->source == CONTRACT_REGISTRY && !q->has_id)
        name_subjects(c);
    return 0;
}

static int take_fixed(struct contract *c, struct err *err)
{
    const char *path = c->config->fixed_schema;
    struct avro_schema *schema;
    struct err why = ERR_INIT;
    char *text;
    size_t len;

    if (file_read(path, SCHEMA_MAX_BYTES, &text, &len, err) != 0)
        return err_prefix(err, "[consumer] schema");
    c->source = CONTRACT_FIXED;
    c->where = copy(path);
    if (avro_schema_parse(&schema, text, len, &why) == 0)
        judge(c, add(c, (int64_t)fingerprint_of(schema)), schema);
    else
        note_no_schema(add(c, SCHEMA_ID_NONE), &why);
    c->schemas[0].file = copy(path);
    avro_schema_free(schema);
    free(text);
    return 0;
}

/* ---- life */

static bool read_fingerprint(const char *text, uint64_t *id)
{
    char *end;

    if (strlen(text) != 16 || strspn(text, "0123456789abcdefABCDEF") != 16)
        return false;
    *id = strtoull(text, &end, 16);
    return true;
}

static int read_id(struct question *q, const char *text, const struct config *c, struct err *err)
{
    int64_t number;

    if (c->format == FORMAT_JSON || *c->fixed_schema)
        return err_fatal(err, EXIT_USAGE, "events of %s name no schema: there is no id to ask for",
                         c->format == FORMAT_JSON ? "format = json" : "a fixed schema");
    q->has_id = true;
    if (config_has_fingerprints(c)) {
        if (!read_fingerprint(text, &q->id))
            return err_fatal(err, EXIT_USAGE, "%s is no fingerprint: 16 hex digits", text);
        return 0;
    }
    if (!integer_parse(text, strlen(text), 0, UINT32_MAX, &number))
        return err_fatal(err, EXIT_USAGE, "%s is no schema id: 0 to 4294967295", text);
    q->id = (uint64_t)number;
    return 0;
}

static int by_place(const void *a, const void *b)
{
    const struct contract_schema *x = a, *y = b;
    int order = strcmp(x->subject ? x->subject : "", y->subject ? y->subject : "");

    if (order == 0)
        order = (x->version > y->version) - (x->version < y->version);
    if (order == 0)
        order = strcmp(x->file ? x->file : "", y->file ? y->file : "");
    return order ? order : (x->number > y->number) - (x->number < y->number);
}

int contract_init(struct contract *c, const struct contract_options *o, struct err *err)
{
    struct question q = {.contract = c};
    int result = 0;

    *c = (struct contract){.config = o->config, .bundle = o->bundle, .trouble = ERR_INIT};
    if (o->id && read_id(&q, o->id, o->config, err) != 0)
        return -1;
    rooted_init(&c->features, &o->bundle->features,
                &(struct rooted_options){&o->config->root, o->config->carry, o->config->carry_count,
                                         &o->config->event_time});
    if (o->config->format == FORMAT_AVRO)
        result = *o->config->fixed_schema ? take_fixed(c, err) : take_source(c, o, &q, err);
    if (result != 0)
        contract_release(c);
    else if (c->schema_count)
        qsort(c->schemas, c->schema_count, sizeof *c->schemas, by_place);
    return result;
}

void contract_release(struct contract *c)
{
    for (size_t i = 0; i < c->schema_count; i++) {
        struct contract_schema *s = &c->schemas[i];
        free(s->subject);
        free(s->file);
        free(s->name);
        free(s->why);
        binding_free(s->binding);
        avro_schema_free(s->schema);
        unused_release(&s->unused);
    }
    for (size_t i = 0; i < c->subject_count; i++)
        free(c->subjects[i].name);
    free(c->subjects);
    free(c->schemas);
    free(c->where);
    rooted_release(&c->features);
    *c = (struct contract){0};
}
