#include "schemas/binding.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"

/* A set of types, unions opened: all that may be at a place of an event. */
struct types {
    int32_t *items;
    size_t count;
    uint32_t *marks; /* per type: the round in which it was added */
    uint32_t round;
};

enum reach { REACH_ABSENT, REACH_NULL, REACH_VALUE, REACH_WRONG };

struct search {
    const struct avro_schema *schema;
    struct types now, next;
    const struct schema_type *stopped; /* record that lacks the name, or NULL */
    int32_t stopped_type;              /* type that cannot be stepped into, or converted */
    const struct step *stopped_step;   /* that could not be taken, or NULL at a path's end */
};

static void types_init(struct types *set, size_t cap)
{
    *set = (struct types){mem_alloc(cap, sizeof(int32_t)), 0, mem_alloc(cap, sizeof(uint32_t)), 0};
}

static void types_release(struct types *set)
{
    free(set->items);
    free(set->marks);
}

static void types_clear(struct types *set)
{
    set->count = 0;
    set->round++;
}

static void types_add(struct types *set, const struct avro_schema *schema, int32_t type)
{
    const struct schema_type *t = &schema->types[type];

    if (set->marks[type] == set->round)
        return;
    set->marks[type] = set->round;
    if (t->kind != SCHEMA_UNION)
        set->items[set->count++] = type;
    else
        for (uint64_t i = 0; i < t->count; i++)
            types_add(set, schema, t->branches[i]);
}

/* One step from every type of `now` into `next`. */
static enum reach take_step(struct search *s, const struct step *step)
{
    enum reach reach = REACH_NULL;

    types_clear(&s->next);
    for (size_t i = 0; i < s->now.count; i++) {
        int32_t type = s->now.items[i], field = SCHEMA_NONE;
        const struct schema_type *t = &s->schema->types[type];
        if (t->kind == SCHEMA_RECORD && step->kind != STEP_INDEX) {
            field = schema_field_find(t, step->name);
            s->stopped = field == SCHEMA_NONE ? t : s->stopped;
            if (field == SCHEMA_NONE)
                reach = REACH_ABSENT;
            else
                types_add(&s->next, s->schema, t->fields[field].type);
        } else if (t->kind == (step->kind == STEP_INDEX ? SCHEMA_ARRAY : SCHEMA_MAP)) {
            types_add(&s->next, s->schema, t->items);
        } else if (t->kind != SCHEMA_NULL) {
            s->stopped_type = type;
            s->stopped_step = step;
            reach = reach == REACH_ABSENT ? REACH_ABSENT : REACH_WRONG;
        }
    }
    return s->next.count != 0 ? REACH_VALUE : reach;
}

bool binding_converts(enum schema_kind kind, enum feature_type type)
{
    switch (type) {
    case FEATURE_NUMBER: return kind >= SCHEMA_INT && kind <= SCHEMA_DOUBLE;
    case FEATURE_BOOLEAN: return kind == SCHEMA_BOOLEAN;
    case FEATURE_CATEGORY: return kind == SCHEMA_STRING || kind == SCHEMA_ENUM;
    }
    return false;
}

static enum reach judge_end(struct search *s, enum feature_type wanted)
{
    enum reach reach = REACH_NULL;

    for (size_t i = 0; i < s->now.count; i++) {
        enum schema_kind kind = s->schema->types[s->now.items[i]].kind;
        if (binding_converts(kind, wanted))
            return REACH_VALUE;
        if (kind != SCHEMA_NULL) {
            s->stopped_type = s->now.items[i];
            s->stopped_step = NULL;
            reach = REACH_WRONG;
        }
    }
    return reach;
}

/* All that may be at the path's end into `now`. */
static enum reach walk_to(struct search *s, const struct path *path)
{
    s->stopped = NULL;
    types_clear(&s->now);
    types_add(&s->now, s->schema, s->schema->root);
    for (size_t i = 0; i < path->step_count; i++) {
        enum reach reach = take_step(s, &path->steps[i]);
        struct types swap = s->now;
        if (reach != REACH_VALUE)
            return reach;
        s->now = s->next;
        s->next = swap;
    }
    return REACH_VALUE;
}

static enum reach walk(struct search *s, const struct path *path, enum feature_type wanted)
{
    enum reach reach = walk_to(s, path);

    return reach == REACH_VALUE ? judge_end(s, wanted) : reach;
}

/* A root must be able to have fields. */
static enum reach walk_to_root(struct search *s, const struct path *root)
{
    enum reach reach = walk_to(s, root);

    if (reach != REACH_VALUE)
        return reach;
    reach = REACH_NULL;
    for (size_t i = 0; i < s->now.count; i++) {
        enum schema_kind kind = s->schema->types[s->now.items[i]].kind;
        if (kind == SCHEMA_RECORD || kind == SCHEMA_MAP)
            return REACH_VALUE;
        if (kind != SCHEMA_NULL) {
            s->stopped_type = s->now.items[i];
            s->stopped_step = NULL;
            reach = REACH_WRONG;
        }
    }
    return reach;
}

/* ---- words */

static const char *wanted_words(enum feature_type type)
{
    return type == FEATURE_NUMBER    ? "a number takes int, long, float or double"
           : type == FEATURE_BOOLEAN ? "a boolean takes boolean"
                                     : "a category takes string or enum";
}

/* "int", or "double or null" when there are several. */
static void say_types(const struct search *s, FILE *say)
{
    char text[256];

    for (size_t i = 0; i < s->now.count; i++) {
        schema_type_print(s->schema, s->now.items[i], text, sizeof text);
        fprintf(say, "%s%s", i ? " or " : "", text);
    }
}

static void say_bound(const struct search *s, const struct feature *f, const char *path, FILE *say)
{
    fputs(f->name, say);
    if (strcmp(f->name, path) != 0)
        fprintf(say, " <- %s", path);
    fputs(" (", say);
    say_types(s, say);
    fputc(')', say);
}

/* The last name of a path. */
static const char *last_name(const struct path *path)
{
    for (size_t i = path->step_count; i-- > 0;)
        if (path->steps[i].kind != STEP_INDEX)
            return path->steps[i].name;
    return "";
}

/* ": did you mean temperature?" from the fields of the record that lacks the name. */
static void say_nearest(const struct schema_type *record, const char *name, FILE *say)
{
    const char **names = mem_alloc(record->count, sizeof *names);
    const char *nearest;
    bool has_alias = false;

    for (uint64_t i = 0; i < record->count; i++) {
        const char *aliases = record->fields[i].aliases;
        const char *hit = aliases ? strstr(aliases, name) : NULL;
        names[i] = record->fields[i].name;
        if (hit && !has_alias && (hit == aliases || hit[-1] == ' ') &&
            (hit[strlen(name)] == '\0' || hit[strlen(name)] == ',')) {
            fprintf(say, "; field %s has the alias %s: if it means the same, write \"%s | %s\"",
                    names[i], name, name, names[i]);
            has_alias = true;
        }
    }
    nearest = text_nearest(name, names, record->count);
    if (nearest && !has_alias)
        fprintf(say, "; did you mean %s?", nearest);
    free(names);
}

/* Why a path ends in null, or in a type that does not fit: "but" says what would. */
static void say_end(const struct search *s, const struct path *path, enum reach reach,
                    const char *but, FILE *say)
{
    char text[256];

    if (reach == REACH_NULL) {
        fprintf(say, "%s is always null", path->text);
        return;
    }
    schema_type_print(s->schema, s->stopped_type, text, sizeof text);
    if (s->stopped_step)
        fprintf(say, "%s leads through the type %s, which is no %s", path->text, text,
                s->stopped_step->kind == STEP_INDEX ? "array" : "record or map");
    else
        fprintf(say, "%s has the type %s, but %s", path->text, text, but);
}

static void say_why_not(struct search *s, const struct feature *f, size_t path, enum reach reach,
                        FILE *say)
{
    fprintf(say, "feature %s: ", f->name);
    if (reach != REACH_ABSENT) {
        say_end(s, &f->paths[path], reach, wanted_words(f->type), say);
    } else {
        for (size_t i = 0; i < f->path_count; i++)
            fprintf(say, "%s%s", i ? " or " : "no field ", f->paths[i].text);
        walk(s, &f->paths[0], f->type);
        if (s->stopped)
            say_nearest(s->stopped, last_name(&f->paths[0]), say);
    }
}

struct report {
    FILE *bound, *missing, *wrong; /* lists with commas */
    size_t bound_count, missing_count, wrong_count;
};

static enum reach find_path(struct search *s, const struct feature *f, size_t *path)
{
    enum reach reach = REACH_ABSENT;

    for (*path = 0; *path < f->path_count; (*path)++) {
        reach = walk(s, &f->paths[*path], f->type);
        if (reach != REACH_ABSENT)
            return reach;
    }
    return reach;
}

static int32_t resolve_one(struct search *s, const struct feature *f, struct report *r)
{
    size_t path;
    enum reach reach = find_path(s, f, &path);

    if (reach == REACH_VALUE) {
        fputs(r->bound_count++ ? ", " : "", r->bound);
        say_bound(s, f, f->paths[path].text, r->bound);
        return (int32_t)path;
    }
    if (reach == REACH_WRONG || f->required) {
        fputs(r->wrong_count++ ? "; " : "", r->wrong);
        say_why_not(s, f, path, reach, r->wrong);
    } else {
        fprintf(r->missing, "%s%s", r->missing_count++ ? ", " : "", f->name);
    }
    return BINDING_MISSING;
}

/* False, and the words why, when the schema has no root: all features would be missing with it. */
static bool has_root(struct search *s, const struct path *root, FILE *wrong)
{
    enum reach reach = root->step_count ? walk_to_root(s, root) : REACH_VALUE;

    if (reach == REACH_VALUE)
        return true;
    fputs("root: ", wrong);
    if (reach != REACH_ABSENT) {
        say_end(s, root, reach, "features are fields of a record or a map", wrong);
    } else {
        fprintf(wrong, "no field %s", root->text);
        if (s->stopped)
            say_nearest(s->stopped, last_name(root), wrong);
    }
    return false;
}

int binding_resolve(const struct avro_schema *schema, const struct features *features,
                    int32_t *paths, FILE *say, struct err *err)
{
    struct search search = {.schema = schema};
    struct report report = {.bound = NULL};
    char *bound, *missing, *wrong;
    size_t bound_len, missing_len, wrong_len;

    report.bound = open_memstream(&bound, &bound_len);
    report.missing = open_memstream(&missing, &missing_len);
    report.wrong = open_memstream(&wrong, &wrong_len);
    types_init(&search.now, schema->count);
    types_init(&search.next, schema->count);
    if (!has_root(&search, &features->root, report.wrong))
        report.wrong_count++;
    else
        for (size_t i = 0; i < features->count; i++)
            paths[i] = resolve_one(&search, &features->items[i], &report);
    fclose(report.bound);
    fclose(report.missing);
    fclose(report.wrong);
    if (report.wrong_count) {
        fprintf(say, "cannot serve the model: %s", wrong);
        err_fatal(err, EXIT_DATA, "cannot serve the model: %s", wrong);
    } else {
        fprintf(say, "%zu features bound%s%s", report.bound_count, bound_len ? ": " : "", bound);
        if (report.missing_count)
            fprintf(say, "; missing: %s", missing);
    }
    free(bound);
    free(missing);
    free(wrong);
    types_release(&search.now);
    types_release(&search.next);
    return report.wrong_count ? -1 : 0;
}
