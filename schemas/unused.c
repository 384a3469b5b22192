#include "schemas/unused.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "core/mem.h"
#include "core/text.h"

enum { MAX_VISITS = 1 << 20 };

/* ---- the list */

/* "a.b", or a["b.c"] for a name that no step by name can have. */
static char *join(const char *prefix, const char *name, size_t len)
{
    bool is_plain = len > 0 && !memchr(name, '.', len) && !memchr(name, '[', len);
    char *out;
    size_t out_len;
    FILE *say = open_memstream(&out, &out_len);

    fprintf(say, is_plain ? "%s%s%.*s" : "%s%s[\"%.*s\"]", prefix, is_plain && *prefix ? "." : "",
            (int)len, name);
    fclose(say);
    return out;
}

/* Events of one producer have their fields in one order: the search begins behind the last hit. */
static struct unused_field *find(struct unused *u, const char *path)
{
    for (size_t i = 0; i < u->count; i++) {
        size_t at = (u->next + i) % u->count;
        if (strcmp(u->items[at].path, path) != 0)
            continue;
        u->next = at + 1;
        return &u->items[at];
    }
    return NULL;
}

static void add(struct unused *u, const char *prefix, const char *name, size_t len)
{
    char *path = join(prefix, name, len);
    struct unused_field *field = find(u, path);

    if (!field && u->count == UNUSED_MAX)
        u->has_more = true;
    if (!field && u->count < UNUSED_MAX) {
        u->items = mem_grow(u->items, u->count, &u->cap, sizeof *u->items);
        field = &u->items[u->count++];
        *field = (struct unused_field){.path = path, .name = mem_copy_text(name, len)};
        path = NULL;
    }
    if (field && field->round != u->round) {
        field->round = u->round;
        field->events++;
    }
    free(path);
}

static int by_events(const void *a, const void *b)
{
    const struct unused_field *x = a, *y = b;

    if (x->events != y->events)
        return x->events < y->events ? 1 : -1;
    return strcmp(x->path, y->path);
}

void unused_sort(struct unused *u)
{
    if (u->count)
        qsort(u->items, u->count, sizeof *u->items, by_events);
}

const struct unused_field *unused_nearest(const struct unused *u, const char *name)
{
    const char **names = mem_alloc(u->count + 1, sizeof *names), *nearest;
    const struct unused_field *field = NULL;

    for (size_t i = 0; i < u->count; i++)
        names[i] = u->items[i].name;
    nearest = text_nearest(name, names, u->count);
    for (size_t i = 0; nearest && !field; i++)
        if (u->items[i].name == nearest)
            field = &u->items[i];
    free(names);
    return field;
}

/* ---- who takes what */

void unused_init(struct unused *u, const struct features *features, const struct binding *binding)
{
    *u = (struct unused){.root = {.kind = STEP_FIELD}};
    for (size_t i = 0; i < features->count; i++) {
        const struct feature *f = &features->items[i];
        int32_t taken = binding ? binding->items[i].path : BINDING_MISSING;
        for (size_t k = 0; k < f->path_count; k++)
            if (taken == BINDING_MISSING || (size_t)taken == k)
                wish_add(&u->root, &f->paths[k], (struct want){i, k});
    }
    for (size_t i = 0; i < features->carry_count; i++)
        wish_add(&u->root, &features->carries[i], (struct want){features->count + i, 0});
    wish_mark_root(&u->root, &features->root);
}

void unused_release(struct unused *u)
{
    for (size_t i = 0; i < u->count; i++) {
        free(u->items[i].path);
        free(u->items[i].name);
    }
    free(u->items);
    wish_release(&u->root);
    *u = (struct unused){0};
}

/* An array's element that is taken, or on the way: new text, "a[3]". */
static char *join_index(const char *prefix, const struct wish *w)
{
    size_t cap = strlen(prefix) + 32;
    char *out = mem_alloc(cap, 1);

    snprintf(out, cap, "%s[%zu]", prefix, w->index);
    return out;
}

static char *join_wish(const char *prefix, const struct wish *w)
{
    return w->kind == STEP_INDEX ? join_index(prefix, w) : join(prefix, w->name, w->name_len);
}

/* ---- in a schema */

static void look(struct unused *u, const struct avro_schema *schema, int32_t type,
                 const struct wish *w, const char *prefix);

static void look_below(struct unused *u, const struct avro_schema *schema, int32_t type,
                       const struct wish *w, const char *prefix)
{
    char *path = join_wish(prefix, w);

    look(u, schema, type, w, path);
    free(path);
}

/* As deep as the paths. */
static void look(struct unused *u, const struct avro_schema *schema, int32_t type,
                 const struct wish *w, const char *prefix)
{
    const struct schema_type *t = &schema->types[type];

    if (++u->visits > MAX_VISITS)
        u->has_more = true;
    if (w->child_count == 0 || u->visits > MAX_VISITS)
        return;
    for (uint64_t i = 0; t->kind == SCHEMA_UNION && i < t->count; i++)
        look(u, schema, t->branches[i], w, prefix);
    for (uint64_t i = 0; t->kind == SCHEMA_RECORD && i < t->count; i++) {
        const struct schema_field *field = &t->fields[i];
        const struct wish *child = wish_child(w, field->name, strlen(field->name));
        if (child)
            look_below(u, schema, field->type, child, prefix);
        else if (!w->leads_to_root)
            add(u, prefix, field->name, strlen(field->name));
    }
    for (size_t i = 0; i < w->child_count; i++)
        if (t->kind == (w->children[i].kind == STEP_INDEX ? SCHEMA_ARRAY : SCHEMA_MAP))
            look_below(u, schema, t->items, &w->children[i], prefix);
}

void unused_schema(struct unused *u, const struct avro_schema *schema)
{
    u->round++;
    look(u, schema, schema->root, &u->root, "");
}

/* ---- in events */

static void look_json(struct unused *u, struct json *j, const struct wish *w, const char *prefix);

static void look_json_below(struct unused *u, struct json *j, const struct wish *w,
                            const char *prefix)
{
    char *path = join_wish(prefix, w);

    look_json(u, j, w, path);
    free(path);
}

static void look_object(struct unused *u, struct json *j, const struct wish *w, const char *prefix)
{
    struct json_text key;

    for (json_enter_object(j); json_key(j, &key);) {
        char *name = mem_alloc(key.len + 1, 1);
        size_t len = key.is_escaped ? json_unescape(&key, name) : key.len;
        const struct wish *child;
        if (!key.is_escaped)
            memcpy(name, key.data, len);
        child = wish_child(w, name, len);
        if (child) {
            look_json_below(u, j, child, prefix);
        } else {
            if (!w->leads_to_root)
                add(u, prefix, name, len);
            json_skip(j);
        }
        free(name);
    }
}

static void look_array(struct unused *u, struct json *j, const struct wish *w, const char *prefix)
{
    size_t index = 0;

    for (json_enter_array(j); json_item(j); index++) {
        const struct wish *child = NULL;
        for (size_t i = 0; i < w->child_count && !child; i++)
            if (w->children[i].kind == STEP_INDEX && w->children[i].index == index)
                child = &w->children[i];
        if (child)
            look_json_below(u, j, child, prefix);
        else
            json_skip(j);
    }
}

static void look_json(struct unused *u, struct json *j, const struct wish *w, const char *prefix)
{
    enum json_type type = json_peek(j);

    if (w->child_count && type == JSON_OBJECT)
        look_object(u, j, w, prefix);
    else if (w->child_count && type == JSON_ARRAY)
        look_array(u, j, w, prefix);
    else
        json_skip(j);
}

void unused_event(struct unused *u, struct slice json, unsigned max_depth)
{
    struct json j;

    u->round++;
    json_init(&j, (const char *)json.data, json.len, max_depth);
    look_json(u, &j, &u->root, "");
}
