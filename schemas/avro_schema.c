/* avro_schema.c: JSON text to types, one piece: types hold one another. One function per complex
 * type; `struct parser` carries the name table and the depth. */
#include "schemas/avro_schema.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

static const char *const kind_names[] = {"null",   "boolean", "int",    "long",   "float",
                                         "double", "bytes",   "string", "record", "enum",
                                         "fixed",  "array",   "map",    "union"};

enum { MAX_NAME = 1024, MAX_FIXED = 1 << 30, MAX_TYPES = 1 << 18 };

struct parser {
    struct avro_schema *schema;
    json_t *names; /* full name -> number of its type */
    unsigned depth;
    struct err *err;
};

static int32_t parse_type(struct parser *p, const json_t *json, const char *space);

static __attribute__((format(printf, 2, 3))) int fail(struct parser *p, const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    err_fatal(p->err, EXIT_DATA, "%s", text);
    return SCHEMA_NONE;
}

static int32_t add_type(struct parser *p, enum schema_kind kind)
{
    struct avro_schema *s = p->schema;

    s->types = mem_grow(s->types, s->count, &s->cap, sizeof *s->types);
    s->types[s->count] = (struct schema_type){.kind = kind, .items = SCHEMA_NONE};
    return (int32_t)s->count++;
}

/* ---- names */

/* A text without NUL inside, or NULL: none of Avro's names has one, only its defaults may. */
static const char *text_of(const json_t *json)
{
    const char *text = json_string_value(json);

    return text && strlen(text) == json_string_length(json) ? text : NULL;
}

/* Full name of a definition or a reference into out: as is when dotted, else in the name space. */
static int full_name(struct parser *p, const char *name, const char *space, char out[MAX_NAME])
{
    bool has_space = space && *space && !strchr(name, '.');
    int len = snprintf(out, MAX_NAME, "%s%s%s", has_space ? space : "", has_space ? "." : "", name);

    if (*name == '\0')
        return fail(p, "an empty name");
    if (len < 0 || len >= MAX_NAME)
        return fail(p, "a name of more than %d bytes", MAX_NAME - 1);
    return 0;
}

/* Everything before the last dot of a full name, in place. */
static void cut_to_space(char *name)
{
    char *dot = strrchr(name, '.');

    *(dot ? dot : name) = '\0';
}

static int32_t find_kind(const char *name)
{
    for (int32_t kind = 0; kind < SCHEMA_PRIMITIVE_COUNT; kind++)
        if (strcmp(name, kind_names[kind]) == 0)
            return kind;
    return SCHEMA_NONE;
}

static int32_t find_name(struct parser *p, const char *name, const char *space)
{
    char full[MAX_NAME];
    int32_t kind = find_kind(name);
    const json_t *number;

    if (kind != SCHEMA_NONE)
        return kind;
    if (full_name(p, name, space, full) != 0)
        return SCHEMA_NONE;
    number = json_object_get(p->names, full);
    if (!number)
        number = json_object_get(p->names, name);
    if (!number)
        return fail(p, "type %s is not defined before it is used", full);
    kind = (int32_t)json_integer_value(number);
    p->schema->types[kind].is_reused = true;
    return kind;
}

/* A new named type, known to what follows from here on. space_out: the name space inside it. */
static int32_t add_named(struct parser *p, const json_t *json, enum schema_kind kind,
                         const char *space, char space_out[MAX_NAME])
{
    const char *name = text_of(json_object_get(json, "name"));
    const char *own_space = text_of(json_object_get(json, "namespace"));
    int32_t type;

    if (!name)
        return fail(p, "a %s without a name", kind_names[kind]);
    if (full_name(p, name, own_space ? own_space : space, space_out) != 0)
        return SCHEMA_NONE;
    if (find_kind(space_out) != SCHEMA_NONE)
        return fail(p, "%s %s has the name of a primitive type", kind_names[kind], space_out);
    if (json_object_get(p->names, space_out))
        return fail(p, "type %s is defined twice", space_out);
    type = add_type(p, kind);
    json_object_set_new(p->names, space_out, json_integer(type));
    p->schema->types[type].name = mem_copy_text(space_out, strlen(space_out));
    cut_to_space(space_out);
    return type;
}

/* ---- records */

static char *join_aliases(const json_t *json)
{
    const json_t *list = json_object_get(json, "aliases"), *alias;
    char *out = NULL;
    size_t len = 0, i;

    json_array_foreach(list, i, alias)
    {
        const char *name = text_of(alias);
        if (!name)
            continue;
        out = mem_resize(out, len + strlen(name) + 3, 1);
        len += (size_t)sprintf(out + len, "%s%s", len ? ", " : "", name);
    }
    return out;
}

static int parse_field(struct parser *p, int32_t record, const json_t *json, json_t *seen,
                       const char *space)
{
    const char *name = text_of(json_object_get(json, "name"));
    const json_t *type_json = json_object_get(json, "type");
    const char *record_name = p->schema->types[record].name;
    struct schema_type *r;
    int32_t type;

    if (!name || !*name || !type_json)
        return fail(p, "a field of record %s without a name or a type", record_name);
    if (json_object_get(seen, name))
        return fail(p, "record %s has two fields %s", record_name, name);
    json_object_set_new(seen, name, json_true());
    type = parse_type(p, type_json, space);
    if (type == SCHEMA_NONE)
        return err_prefix(p->err, "field %s", name);
    r = &p->schema->types[record];
    r->fields[r->count++] =
        (struct schema_field){mem_copy_text(name, strlen(name)), join_aliases(json), type};
    return 0;
}

static int32_t parse_record(struct parser *p, const json_t *json, const char *space)
{
    const json_t *fields = json_object_get(json, "fields"), *field;
    char inner[MAX_NAME];
    int32_t type = add_named(p, json, SCHEMA_RECORD, space, inner);
    json_t *seen;
    size_t i;

    if (type == SCHEMA_NONE)
        return SCHEMA_NONE;
    if (!json_is_array(fields))
        return fail(p, "record %s without fields", p->schema->types[type].name);
    p->schema->types[type].fields = mem_alloc(json_array_size(fields), sizeof(struct schema_field));
    seen = json_object();
    json_array_foreach(fields, i, field) if (parse_field(p, type, field, seen, inner) != 0) break;
    json_decref(seen);
    return i < json_array_size(fields) ? SCHEMA_NONE : type;
}

/* ---- other types */

static int32_t parse_enum(struct parser *p, const json_t *json, const char *space)
{
    const json_t *symbols = json_object_get(json, "symbols"), *symbol;
    char inner[MAX_NAME];
    int32_t type = add_named(p, json, SCHEMA_ENUM, space, inner);
    struct schema_type *t;
    json_t *seen;
    size_t i;

    if (type == SCHEMA_NONE)
        return SCHEMA_NONE;
    t = &p->schema->types[type];
    if (!json_is_array(symbols))
        return fail(p, "enum %s without symbols", t->name);
    t->symbols = mem_alloc(json_array_size(symbols), sizeof *t->symbols);
    seen = json_object();
    json_array_foreach(symbols, i, symbol)
    {
        const char *text = text_of(symbol);
        if (!text || json_object_get(seen, text))
            break;
        json_object_set_new(seen, text, json_true());
        t->symbols[t->count++] = mem_copy_text(text, strlen(text));
    }
    json_decref(seen);
    if (i < json_array_size(symbols))
        return fail(p, "enum %s: symbol %zu is no text or comes twice", t->name, i);
    return type;
}

static int32_t parse_fixed(struct parser *p, const json_t *json, const char *space)
{
    const json_t *size = json_object_get(json, "size");
    double bytes = json_number_value(size);
    char inner[MAX_NAME];
    int32_t type = add_named(p, json, SCHEMA_FIXED, space, inner);
    struct schema_type *t;

    if (type == SCHEMA_NONE)
        return SCHEMA_NONE;
    t = &p->schema->types[type];
    if (!json_is_number(size) || !(bytes >= 0 && bytes <= MAX_FIXED) || bytes != floor(bytes))
        return fail(p, "fixed %s: size must be an integer from 0 to %d", t->name, MAX_FIXED);
    t->count = (uint64_t)bytes;
    return type;
}

static int32_t parse_items(struct parser *p, const json_t *json, const char *space, bool is_map)
{
    const json_t *items = json_object_get(json, is_map ? "values" : "items");
    int32_t item, type;

    if (!items)
        return fail(p, is_map ? "a map without values" : "an array without items");
    item = parse_type(p, items, space);
    if (item == SCHEMA_NONE)
        return err_prefix(p->err, is_map ? "values" : "items");
    type = add_type(p, is_map ? SCHEMA_MAP : SCHEMA_ARRAY);
    p->schema->types[type].items = item;
    return type;
}

/* What a union may hold only once: a kind, or a name. */
static const char *branch_name(const struct schema_type *type)
{
    return type->name ? type->name : kind_names[type->kind];
}

static int add_branch(struct parser *p, int32_t type, int32_t branch, json_t *seen)
{
    struct schema_type *u = &p->schema->types[type];
    const struct schema_type *b = &p->schema->types[branch];

    if (b->kind == SCHEMA_UNION)
        return fail(p, "a union directly inside a union");
    if (json_object_get(seen, branch_name(b)))
        return fail(p, "a union with two branches %s", branch_name(b));
    json_object_set_new(seen, branch_name(b), json_true());
    u->branches[u->count++] = branch;
    return 0;
}

static int32_t parse_union(struct parser *p, const json_t *json, const char *space)
{
    int32_t type = add_type(p, SCHEMA_UNION);
    const json_t *item;
    json_t *seen;
    size_t i;

    if (json_array_size(json) == 0)
        return fail(p, "a union without branches");
    p->schema->types[type].branches = mem_alloc(json_array_size(json), sizeof(int32_t));
    seen = json_object();
    json_array_foreach(json, i, item)
    {
        int32_t branch = parse_type(p, item, space);
        if (branch == SCHEMA_NONE || add_branch(p, type, branch, seen) != 0)
            break;
    }
    json_decref(seen);
    return i < json_array_size(json) ? SCHEMA_NONE : type;
}

/* 0 for what is no timestamp, or in milliseconds as everything else here. */
static uint32_t units_per_ms(const json_t *json)
{
    const char *word = text_of(json_object_get(json, "logicalType"));

    if (word && strncmp(word, "local-", 6) == 0)
        word += 6;
    return !word                                   ? 0
           : strcmp(word, "timestamp-micros") == 0 ? 1000
           : strcmp(word, "timestamp-nanos") == 0  ? 1000000
                                                   : 0;
}

static int32_t parse_object(struct parser *p, const json_t *json, const char *space)
{
    const json_t *inner = json_object_get(json, "type");
    const char *word = text_of(inner);

    if (!inner)
        return fail(p, "a type object without \"type\"");
    if (!word)
        return parse_type(p, inner, space);
    if (strcmp(word, "record") == 0 || strcmp(word, "error") == 0)
        return parse_record(p, json, space);
    if (strcmp(word, "enum") == 0)
        return parse_enum(p, json, space);
    if (strcmp(word, "fixed") == 0)
        return parse_fixed(p, json, space);
    if (strcmp(word, "array") == 0 || strcmp(word, "map") == 0)
        return parse_items(p, json, space, *word == 'm');
    if (strcmp(word, "long") == 0 && units_per_ms(json) != 0) {
        int32_t type = add_type(p, SCHEMA_LONG);
        p->schema->types[type].units_per_ms = units_per_ms(json);
        return type;
    }
    return find_name(p, word, space);
}

static int32_t parse_type(struct parser *p, const json_t *json, const char *space)
{
    int32_t type;

    if (p->depth == SCHEMA_MAX_DEPTH)
        return fail(p, "types nested deeper than %d levels", SCHEMA_MAX_DEPTH);
    if (p->schema->count > MAX_TYPES)
        return fail(p, "more than %d types", MAX_TYPES);
    p->depth++;
    if (text_of(json))
        type = find_name(p, text_of(json), space);
    else if (json_is_array(json))
        type = parse_union(p, json, space);
    else if (json_is_object(json))
        type = parse_object(p, json, space);
    else
        type = fail(p, "a type is a name, a list of branches or an object");
    p->depth--;
    return type;
}

/* ---- self-containment */

/* Edges from a type to those that hold it, grouped by the held one. */
struct holders {
    uint32_t *first;  /* count + 1 */
    int32_t *holder;  /* first[count] */
    uint32_t *wanted; /* per type: how many of the held ones are still to settle */
};

static uint64_t held_count(const struct schema_type *t)
{
    return t->kind == SCHEMA_RECORD || t->kind == SCHEMA_UNION ? t->count : 0;
}

static int32_t held_at(const struct schema_type *t, uint64_t i)
{
    return t->kind == SCHEMA_RECORD ? t->fields[i].type : t->branches[i];
}

static struct holders holders_of(const struct avro_schema *s)
{
    struct holders h = {.first = mem_alloc(s->count + 2, sizeof *h.first),
                        .wanted = mem_alloc(s->count, sizeof *h.wanted)};

    for (size_t i = 0; i < s->count; i++)
        for (uint64_t k = 0; k < held_count(&s->types[i]); k++)
            h.first[held_at(&s->types[i], k) + 2]++;
    for (size_t i = 2; i < s->count + 2; i++)
        h.first[i] += h.first[i - 1];
    h.holder = mem_alloc(h.first[s->count + 1], sizeof *h.holder);
    for (size_t i = 0; i < s->count; i++) {
        for (uint64_t k = 0; k < held_count(&s->types[i]); k++)
            h.holder[h.first[held_at(&s->types[i], k) + 1]++] = (int32_t)i;
        h.wanted[i] = s->types[i].kind == SCHEMA_UNION ? 1 : (uint32_t)held_count(&s->types[i]);
    }
    return h;
}

static uint64_t min_size_of(const struct avro_schema *s, const struct schema_type *t)
{
    static const uint8_t primitive[SCHEMA_PRIMITIVE_COUNT] = {0, 1, 1, 1, 4, 8, 1, 1};
    uint64_t sum = 0;

    if (t->kind < SCHEMA_PRIMITIVE_COUNT)
        return primitive[t->kind];
    if (t->kind == SCHEMA_FIXED)
        return t->count;
    if (t->kind != SCHEMA_RECORD)
        return 1;
    for (uint64_t i = 0; i < t->count; i++) {
        uint64_t add = s->types[t->fields[i].type].min_size;
        sum = sum + add < sum ? UINT64_MAX : sum + add;
    }
    return sum;
}

/* A record settles when all its fields have, a union when one branch has, the rest at once. What
 * never settles contains itself without end. Each edge is walked once. */
static int settle(struct parser *p)
{
    struct avro_schema *s = p->schema;
    struct holders h = holders_of(s);
    int32_t *queue = mem_alloc(s->count, sizeof *queue);
    size_t done = 0, count = 0;

    for (size_t i = 0; i < s->count; i++)
        if (h.wanted[i] == 0)
            queue[count++] = (int32_t)i;
    for (; done < count; done++) {
        int32_t type = queue[done];
        s->types[type].is_settled = true;
        s->types[type].min_size = min_size_of(s, &s->types[type]);
        for (uint32_t e = h.first[type]; e < h.first[type + 1]; e++)
            if (h.wanted[h.holder[e]] != 0 && --h.wanted[h.holder[e]] == 0)
                queue[count++] = h.holder[e];
    }
    for (size_t i = 0; i < s->count && count < s->count; i++)
        if (!s->types[i].is_settled && s->types[i].kind == SCHEMA_RECORD)
            fail(p, "record %s contains itself without end", s->types[i].name);
    free(queue);
    free(h.first);
    free(h.holder);
    free(h.wanted);
    return count < s->count ? -1 : 0;
}

static void begin(struct parser *p, struct err *err)
{
    *p = (struct parser){
        .schema = mem_alloc(1, sizeof *p->schema), .names = json_object(), .err = err};
    p->schema->owners = 1;
    for (int kind = 0; kind < SCHEMA_PRIMITIVE_COUNT; kind++)
        add_type(p, (enum schema_kind)kind);
}

/* The root is the type of the text that was read last. */
static void read_text(struct parser *p, const char *text, size_t len)
{
    json_error_t why;
    json_t *json;

    p->schema->root = SCHEMA_NONE;
    /* Defaults are not ours to judge: of bytes they have \u0000, of doubles 30 digits. */
    json = json_loadb(
        text, len,
        JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &why);
    if (json)
        p->schema->root = parse_type(p, json, "");
    else
        fail(p, "not JSON: line %d: %s", why.line, why.text);
    json_decref(json);
}

static int finish(struct parser *p, struct avro_schema **schema)
{
    json_decref(p->names);
    if (p->schema->root == SCHEMA_NONE || settle(p) != 0) {
        avro_schema_free(p->schema);
        return -1;
    }
    *schema = p->schema;
    return 0;
}

static int check_size(size_t len, struct err *err)
{
    if (len <= SCHEMA_MAX_BYTES)
        return 0;
    return err_fatal(err, EXIT_DATA, "schema of %zu bytes, at most %d are read", len,
                     SCHEMA_MAX_BYTES);
}

int avro_schema_parse(struct avro_schema **schema, const char *text, size_t len, struct err *err)
{
    struct parser p;

    *schema = NULL;
    if (check_size(len, err) != 0)
        return -1;
    begin(&p, err);
    read_text(&p, text, len);
    return finish(&p, schema);
}

int avro_schema_parse_all(struct avro_schema **schema, char *const *texts, size_t count,
                          struct err *err)
{
    struct parser p;
    size_t len = 0;

    *schema = NULL;
    for (size_t i = 0; i < count; i++)
        len += strlen(texts[i]);
    if (check_size(len, err) != 0)
        return -1;
    begin(&p, err);
    for (size_t i = 0; i < count; i++) {
        read_text(&p, texts[i], strlen(texts[i]));
        if (p.schema->root == SCHEMA_NONE) {
            if (i + 1 < count)
                err_prefix(err, "reference %zu", i + 1);
            break;
        }
    }
    return finish(&p, schema);
}

static void type_release(struct schema_type *type)
{
    for (uint64_t i = 0; type->fields && i < type->count; i++) {
        free(type->fields[i].name);
        free(type->fields[i].aliases);
    }
    for (uint64_t i = 0; type->symbols && i < type->count; i++)
        free(type->symbols[i]);
    free(type->fields);
    free(type->symbols);
    free(type->branches);
    free(type->name);
}

struct avro_schema *avro_schema_share(struct avro_schema *schema)
{
    atomic_fetch_add_explicit(&schema->owners, 1, memory_order_relaxed);
    return schema;
}

void avro_schema_free(struct avro_schema *schema)
{
    if (!schema || atomic_fetch_sub_explicit(&schema->owners, 1, memory_order_acq_rel) > 1)
        return;
    for (size_t i = 0; i < schema->count; i++)
        type_release(&schema->types[i]);
    free(schema->types);
    free(schema);
}

int32_t schema_field_find(const struct schema_type *record, const char *name)
{
    for (uint64_t i = 0; i < record->count; i++)
        if (strcmp(record->fields[i].name, name) == 0)
            return (int32_t)i;
    return SCHEMA_NONE;
}

void schema_type_print(const struct avro_schema *schema, int32_t type, char *out, size_t cap)
{
    const struct schema_type *t = &schema->types[type];
    size_t len = (size_t)snprintf(out, cap, "%s%s%s", kind_names[t->kind], t->name ? " " : "",
                                  t->name ? t->name : "");

    if (t->kind != SCHEMA_UNION)
        return;
    for (uint64_t i = 0; i < t->count && len < cap; i++)
        len += (size_t)snprintf(out + len, cap - len, "%s%s", i ? ", " : " [",
                                branch_name(&schema->types[t->branches[i]]));
    if (len < cap)
        snprintf(out + len, cap - len, "]");
}
