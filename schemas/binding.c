#include "schemas/binding.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"
#include "schemas/binding_search.h"

bool binding_converts(enum schema_kind kind, enum feature_type type)
{
    switch (type) {
    case FEATURE_NUMBER: return kind >= SCHEMA_INT && kind <= SCHEMA_DOUBLE;
    case FEATURE_BOOLEAN: return kind == SCHEMA_BOOLEAN;
    case FEATURE_CATEGORY: return kind == SCHEMA_STRING || kind == SCHEMA_ENUM;
    }
    return false;
}

bool binding_carries(enum schema_kind kind, bool is_time)
{
    if (is_time)
        return kind == SCHEMA_LONG;
    return kind != SCHEMA_NULL && kind != SCHEMA_RECORD && kind < SCHEMA_ARRAY;
}

/* ---- how a value becomes the feature's */

/* "int", or "null or double" when there are several. */
static void say_types(const struct avro_schema *schema, const struct types *types, FILE *say)
{
    char text[256];

    for (size_t i = 0; i < types->count; i++) {
        schema_type_print(schema, types->items[i], text, sizeof text);
        fprintf(say, "%s%s", i ? " or " : "", text);
    }
}

/* What becomes of a text that is not in the table. */
static void say_unknown(const struct feature *f, FILE *say)
{
    if (!f->unknown_is_missing)
        fputs(": dead letter unknown_category", say);
    else if (isnan(f->missing))
        fputs(": missing", say);
    else
        fprintf(say, ": %.9g", (double)f->missing);
}

/* Symbols that the table does not have, by name as far as a line goes. */
static void say_symbols(const struct schema_type *t, const struct feature *f, FILE *say)
{
    enum { MOST = 5 };
    uint64_t unknown = 0;

    for (uint64_t i = 0; i < t->count; i++) {
        if (category_find(f->table, t->symbols[i], strlen(t->symbols[i])) >= 0)
            continue;
        if (unknown < MOST)
            fprintf(say, "%s%s", unknown ? ", " : "; ", t->symbols[i]);
        unknown++;
    }
    if (unknown > MOST)
        fprintf(say, " and %" PRIu64 " more", unknown - MOST);
    if (unknown > 0)
        say_unknown(f, say);
}

static void say_category(const struct schema_type *t, const struct feature *f, FILE *say)
{
    fprintf(say, "code of its table (%zu)", category_code_count(f->table));
    if (t->kind == SCHEMA_ENUM) {
        say_symbols(t, f, say);
    } else {
        fputs("; another text", say);
        say_unknown(f, say);
    }
}

static void say_conversion(const struct schema_type *t, const struct feature *f, FILE *say)
{
    if (f->type == FEATURE_BOOLEAN)
        fputs("false 0, true 1", say);
    else if (f->type == FEATURE_CATEGORY)
        say_category(t, f, say);
    else if (t->kind == SCHEMA_FLOAT)
        fputs("as it is", say);
    else if (t->kind == SCHEMA_DOUBLE)
        fputs("rounded to float32", say);
    else
        fprintf(say, "%sfloat32, exact to 2^24",
                t->units_per_ms == 1000      ? "its microseconds as "
                : t->units_per_ms == 1000000 ? "its nanoseconds as "
                                             : "");
}

static void say_how(const struct search *s, const struct feature *f, FILE *say)
{
    char missing[FEATURE_WORDS_MAX];
    enum schema_kind last = SCHEMA_NULL;

    for (size_t i = 0; i < s->now.count; i++) {
        const struct schema_type *t = &s->schema->types[s->now.items[i]];
        if (!binding_converts(t->kind, f->type))
            continue;
        fputs(last == SCHEMA_NULL ? "" : ", or ", say);
        say_conversion(t, f, say);
        last = t->kind;
    }
    if (s->refused.count) {
        fputs("; ", say);
        say_types(s->schema, &s->refused, say);
        fputs(": dead letter wrong_type", say);
    }
    feature_print_missing(missing, f);
    if (s->may_miss)
        fprintf(say, "; null or absent: %s", missing);
}

/* ---- why there is none */

static const char *wanted_words(enum feature_type type)
{
    return type == FEATURE_NUMBER    ? "a number takes int, long, float or double"
           : type == FEATURE_BOOLEAN ? "a boolean takes boolean"
                                     : "a category takes string or enum";
}

/* Whether name is one of "old, older". */
static bool has_alias(const char *aliases, const char *name)
{
    const char *hit = aliases ? strstr(aliases, name) : NULL;

    return hit && (hit == aliases || hit[-1] == ' ') &&
           (hit[strlen(name)] == '\0' || hit[strlen(name)] == ',');
}

/* The field of the record that may be meant by a name that it lacks, or NULL, and how that is said:
 * "; did you mean temperature?" */
static const char *say_nearest(const struct schema_type *record, const char *name, FILE *say)
{
    const char **names = mem_alloc(record->count, sizeof *names);
    const char *nearest;

    for (uint64_t i = 0; i < record->count; i++) {
        names[i] = record->fields[i].name;
        if (has_alias(record->fields[i].aliases, name)) {
            fprintf(say, "; field %s has the alias %s: if it means the same, write \"%s | %s\"",
                    names[i], name, name, names[i]);
            free(names);
            return record->fields[i].name;
        }
    }
    nearest = text_nearest(name, names, record->count);
    if (nearest)
        fprintf(say, "; did you mean %s?", nearest);
    free(names);
    return nearest;
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

static void say_absent(struct search *s, const struct feature *f, struct bound *bound, FILE *say)
{
    const char *nearest = NULL;

    for (size_t i = 0; i < f->path_count; i++)
        fprintf(say, "%s%s", i ? " or " : "no field ", f->paths[i].text);
    for (size_t i = 0; i < f->path_count && !nearest; i++) {
        search_feature(s, &f->paths[i], f->type);
        if (s->stopped)
            nearest = say_nearest(s->stopped, s->stopped_name, say);
    }
    if (nearest)
        bound->nearest = mem_copy_text(nearest, strlen(nearest));
}

/* ---- binding */

static enum reach find_path(struct search *s, const struct feature *f, int32_t *path)
{
    enum reach reach = REACH_ABSENT;

    for (*path = 0; (size_t)*path < f->path_count; (*path)++) {
        reach = search_feature(s, &f->paths[*path], f->type);
        if (reach != REACH_ABSENT)
            return reach;
    }
    return reach;
}

static struct bound bind_field(const struct search *s, const struct feature *f, int32_t path)
{
    struct bound bound = {.kind = BOUND_FIELD, .path = path, .may_miss = s->may_miss};
    size_t len;
    FILE *say = open_memstream(&bound.type, &len);

    say_types(s->schema, &s->now, say);
    fclose(say);
    say = open_memstream(&bound.how, &len);
    say_how(s, f, say);
    fclose(say);
    return bound;
}

static struct bound bind_one(struct search *s, const struct feature *f)
{
    int32_t path;
    enum reach reach = find_path(s, f, &path);
    struct bound bound = {.path = BINDING_MISSING};
    size_t len;
    FILE *say;

    if (reach == REACH_VALUE)
        return bind_field(s, f, path);
    bound.kind = reach == REACH_WRONG || f->required ? BOUND_WRONG : BOUND_MISSING;
    say = open_memstream(&bound.why, &len);
    if (reach == REACH_ABSENT)
        say_absent(s, f, &bound, say);
    else
        say_end(s, &f->paths[path], reach, wanted_words(f->type), say);
    fclose(say);
    return bound;
}

/* NULL, or new words why the schema has no root: all features would be missing with it. */
static char *find_root(struct search *s, const struct path *root)
{
    enum reach reach = root->step_count ? search_root(s, root) : REACH_VALUE;
    char *why;
    size_t len;
    FILE *say;

    if (reach == REACH_VALUE)
        return NULL;
    say = open_memstream(&why, &len);
    if (reach != REACH_ABSENT) {
        say_end(s, root, reach, "features are fields of a record or a map", say);
    } else {
        fprintf(say, "no field %s", root->text);
        if (s->stopped)
            say_nearest(s->stopped, s->stopped_name, say);
    }
    fclose(say);
    return why;
}

struct binding *binding_new(const struct avro_schema *schema, const struct features *features)
{
    struct binding *b = mem_alloc(1, sizeof *b);
    struct search search;

    search_init(&search, schema);
    b->items = mem_alloc(features->count, sizeof *b->items);
    b->count = features->count;
    b->carries = mem_alloc(features->carry_count, sizeof *b->carries);
    b->carry_count = features->carry_count;
    b->root_why = find_root(&search, &features->root);
    for (size_t i = 0; i < b->count; i++) {
        b->items[i] = b->root_why ? (struct bound){BOUND_WRONG, .path = BINDING_MISSING}
                                  : bind_one(&search, &features->items[i]);
        b->bound_count += b->items[i].kind == BOUND_FIELD;
        b->missing_count += b->items[i].kind == BOUND_MISSING;
        b->wrong_count += b->items[i].kind == BOUND_WRONG;
    }
    for (size_t i = 0; i < b->carry_count && !b->root_why; i++)
        b->carries[i] = search_carry(&search, &features->carries[i],
                                     features->has_time && i == b->carry_count - 1);
    search_release(&search);
    return b;
}

void binding_free(struct binding *b)
{
    if (!b)
        return;
    for (size_t i = 0; i < b->count; i++) {
        free(b->items[i].type);
        free(b->items[i].how);
        free(b->items[i].why);
        free(b->items[i].nearest);
    }
    free(b->items);
    free(b->carries);
    free(b->root_why);
    free(b);
}

bool binding_is_usable(const struct binding *binding)
{
    return !binding->root_why && binding->wrong_count == 0;
}

/* ---- in a line */

static void print_wrong(const struct binding *b, const struct features *features, FILE *out)
{
    const char *between = "";

    fputs("cannot serve the model: ", out);
    if (b->root_why)
        fprintf(out, "root: %s", b->root_why);
    for (size_t i = 0; !b->root_why && i < b->count; i++) {
        if (b->items[i].kind != BOUND_WRONG)
            continue;
        fprintf(out, "%sfeature %s: %s", between, features->items[i].name, b->items[i].why);
        between = "; ";
    }
}

static void print_bound(const struct bound *bound, const struct feature *f, FILE *out)
{
    const char *path = f->paths[bound->path].text;

    fputs(f->name, out);
    if (strcmp(f->name, path) != 0)
        fprintf(out, " <- %s", path);
    fprintf(out, " (%s)", bound->type);
}

void binding_print(const struct binding *b, const struct features *features, FILE *out)
{
    const char *between = ": ";

    if (!binding_is_usable(b)) {
        print_wrong(b, features, out);
        return;
    }
    fprintf(out, "%zu features bound", b->bound_count);
    for (size_t i = 0; i < b->count; i++) {
        if (b->items[i].kind != BOUND_FIELD)
            continue;
        fputs(between, out);
        print_bound(&b->items[i], &features->items[i], out);
        between = ", ";
    }
    between = "; missing: ";
    for (size_t i = 0; i < b->count; i++) {
        if (b->items[i].kind != BOUND_MISSING)
            continue;
        fprintf(out, "%s%s", between, features->items[i].name);
        between = ", ";
    }
}
