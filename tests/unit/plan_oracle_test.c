/* Random schemas with random values, written and read by avro-c: the plan must give the row that
 * walking avro-c's value gives.
 *
 * avro-c is right about what it wrote itself; it never sees damaged bytes here. One walk of ours
 * stands between its value and the row: the rules of model.ini, by the value instead of the schema.
 */
#include <avro.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "schemas/avro_schema.h"
#include "tests/harness.h"
#include "tests/reading.h"

enum { SCHEMAS = 150, VALUES = 20, FEATURES = 12, MAX_DEPTH = 4 };

/* A schema's text while it is being made up, and where dice have got to. */
struct maker {
    uint64_t state;
    FILE *out;
    unsigned names;
};

static unsigned roll(struct maker *m, unsigned sides)
{
    m->state = m->state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(m->state >> 33) % sides;
}

/* ---- schemas */

static void make_type(struct maker *m, unsigned depth);

static void make_record(struct maker *m, unsigned depth)
{
    unsigned count = 1 + roll(m, 5);

    fprintf(m->out, "{'type':'record','name':'R%u','fields':[", m->names++);
    for (unsigned i = 0; i < count; i++) {
        fprintf(m->out, "%s{'name':'f%u','type':", i ? "," : "", i);
        make_type(m, depth + 1);
        fputc('}', m->out);
    }
    fputs("]}", m->out);
}

/* A union's branches differ: null, one number, a text, at most one container. */
static void make_union(struct maker *m, unsigned depth)
{
    static const char *const numbers[] = {"'int'", "'long'", "'float'", "'double'"};
    bool null_first = roll(m, 2);

    fprintf(m->out, "[%s%s", null_first ? "'null'," : "", numbers[roll(m, 4)]);
    if (roll(m, 2))
        fputs(",'string'", m->out);
    if (roll(m, 3) == 0 && depth < MAX_DEPTH) {
        fputc(',', m->out);
        make_record(m, depth + 1);
    }
    fputs(null_first ? "]" : ",'null']", m->out);
}

static void make_type(struct maker *m, unsigned depth)
{
    static const char *const scalars[] = {"'null'",  "'boolean'", "'int'",   "'long'",
                                          "'float'", "'double'",  "'bytes'", "'string'"};
    unsigned kind = roll(m, depth < MAX_DEPTH ? 16 : 10);

    if (kind < 8) {
        fputs(scalars[kind], m->out);
    } else if (kind == 8) {
        fprintf(m->out, "{'type':'enum','name':'E%u','symbols':['A','B','C']}", m->names++);
    } else if (kind == 9) {
        fprintf(m->out, "{'type':'fixed','name':'F%u','size':%u}", m->names++, 1 + roll(m, 9));
    } else if (kind < 12) {
        make_union(m, depth);
    } else if (kind < 14) {
        fprintf(m->out, kind == 12 ? "{'type':'array','items':" : "{'type':'map','values':");
        make_type(m, depth + 1);
        fputc('}', m->out);
    } else {
        make_record(m, depth);
    }
}

static char *make_schema(struct maker *m)
{
    char *text;
    size_t len;

    m->out = open_memstream(&text, &len);
    make_record(m, 0);
    fclose(m->out);
    return text;
}

/* ---- values */

static double make_number(struct maker *m)
{
    static const double odd[] = {0, -0.0, 1, NAN, INFINITY, 1e300, -1e-300, 0.1};

    return roll(m, 4) ? (double)roll(m, 1u << 31) / 1000 - 1e6 : odd[roll(m, 8)];
}

static void make_value(struct maker *m, avro_value_t *v);

static void make_items(struct maker *m, avro_value_t *v, bool is_map)
{
    unsigned count = roll(m, 4);

    for (unsigned i = 0; i < count; i++) {
        avro_value_t child;
        char key[2] = {(char)('a' + i), '\0'};
        if (is_map)
            avro_value_add(v, key, &child, NULL, NULL);
        else
            avro_value_append(v, &child, NULL);
        make_value(m, &child);
    }
}

static void make_value(struct maker *m, avro_value_t *v)
{
    static char text[] = "ABCxyz", bytes[] = "123456789";
    avro_value_t child;
    size_t count;

    switch (avro_value_get_type(v)) {
    case AVRO_NULL: avro_value_set_null(v); break;
    case AVRO_BOOLEAN: avro_value_set_boolean(v, (int)roll(m, 2)); break;
    case AVRO_INT32: avro_value_set_int(v, (int32_t)(roll(m, 1u << 31) >> roll(m, 31))); break;
    case AVRO_INT64: avro_value_set_long(v, (int64_t)m->state >> roll(m, 64)); break;
    case AVRO_FLOAT: avro_value_set_float(v, (float)make_number(m)); break;
    case AVRO_DOUBLE: avro_value_set_double(v, make_number(m)); break;
    case AVRO_BYTES: avro_value_set_bytes(v, text, roll(m, 7)); break;
    case AVRO_STRING: avro_value_set_string(v, text + roll(m, 7)); break;
    case AVRO_ENUM: avro_value_set_enum(v, (int)roll(m, 3)); break;
    case AVRO_FIXED:
        count = (size_t)avro_schema_fixed_size(avro_value_get_schema(v));
        avro_value_set_fixed(v, bytes, count);
        break;
    case AVRO_ARRAY: make_items(m, v, false); break;
    case AVRO_MAP: make_items(m, v, true); break;
    case AVRO_UNION:
        count = avro_schema_union_size(avro_value_get_schema(v));
        avro_value_set_branch(v, (int)roll(m, (unsigned)count), &child);
        make_value(m, &child);
        break;
    default:
        avro_value_get_size(v, &count);
        for (size_t i = 0; i < count; i++) {
            avro_value_get_by_index(v, i, &child, NULL);
            make_value(m, &child);
        }
    }
}

/* ---- features */

/* A path that the schema has, through unions by chance; the type at its end by ref. */
static void make_path(struct maker *m, const struct avro_schema *s, char *out, int32_t *type)
{
    *type = s->root;
    *out = '\0';
    for (;;) {
        const struct schema_type *t = &s->types[*type];
        char *end = out + strlen(out);
        if (t->kind == SCHEMA_UNION) {
            *type = t->branches[roll(m, (unsigned)t->count)];
        } else if (t->kind == SCHEMA_RECORD) {
            unsigned field = roll(m, (unsigned)t->count);
            sprintf(end, "%sf%u", end == out ? "" : ".", field);
            *type = t->fields[field].type;
        } else if (t->kind == SCHEMA_ARRAY || t->kind == SCHEMA_MAP) {
            if (t->kind == SCHEMA_ARRAY)
                sprintf(end, "[%u]", roll(m, 3));
            else
                sprintf(end, "[\"%c\"]", (char)('a' + roll(m, 3)));
            *type = t->items;
        } else {
            return;
        }
    }
}

static struct features make_features(struct maker *m, const struct avro_schema *s,
                                     const char *folder)
{
    static const char *const policies[] = {"required", "optional", "default 1"};
    char lines[FEATURES][300];
    const char *list[FEATURES];

    for (size_t i = 0; i < FEATURES; i++) {
        char path[200];
        int32_t end;
        enum schema_kind kind;
        int tries = 0;
        do /* to null: missing, whatever else is on the way (schemas/binding.h) */
            make_path(m, s, path, &end);
        while (s->types[end].kind == SCHEMA_NULL && tries++ < 50);
        kind = s->types[end].kind;
        snprintf(lines[i], sizeof lines[i], "x%zu = %s : %s, %s%s", i, path,
                 kind == SCHEMA_BOOLEAN                         ? "boolean"
                 : kind == SCHEMA_STRING || kind == SCHEMA_ENUM ? "category t.csv"
                                                                : "number",
                 policies[roll(m, 3)],
                 kind != SCHEMA_STRING && kind != SCHEMA_ENUM ? ""
                 : roll(m, 2)                                 ? ", unknown as missing"
                                                              : ", unknown as error");
        list[i] = lines[i];
    }
    return events_features(folder, list, FEATURES);
}

/* ---- the rules, on avro-c's value */

static float bound_number(const struct feature *f, double value)
{
    if (isnan(value))
        return f->required ? bind_fault_float(FAULT_BIND_MISSING_FIELD) : f->missing;
    return isinf((float)value) ? bind_fault_float(FAULT_BIND_NOT_FINITE) : (float)value;
}

static float bound_scalar(const struct feature *f, avro_value_t *v)
{
    const char *text = NULL;
    double wide;
    float narrow;
    int32_t number;
    int64_t big;
    int small;
    size_t len;
    avro_type_t type = avro_value_get_type(v);

    if (type == AVRO_NULL)
        return bound_number(f, (double)NAN);
    if (f->type == FEATURE_BOOLEAN && type == AVRO_BOOLEAN)
        return avro_value_get_boolean(v, &small), (float)small;
    if (f->type == FEATURE_CATEGORY && type == AVRO_STRING)
        avro_value_get_string(v, &text, &len);
    if (f->type == FEATURE_CATEGORY && type == AVRO_ENUM) {
        avro_value_get_enum(v, &small);
        text = avro_schema_enum_get(avro_value_get_schema(v), small);
    }
    if (text)
        return bind_text_value(f, text, strlen(text));
    if (f->type == FEATURE_NUMBER && type == AVRO_INT32)
        return avro_value_get_int(v, &number), bound_number(f, number);
    if (f->type == FEATURE_NUMBER && type == AVRO_INT64)
        return avro_value_get_long(v, &big), bound_number(f, (double)big);
    if (f->type == FEATURE_NUMBER && type == AVRO_FLOAT)
        return avro_value_get_float(v, &narrow), bound_number(f, (double)narrow);
    if (f->type == FEATURE_NUMBER && type == AVRO_DOUBLE)
        return avro_value_get_double(v, &wide), bound_number(f, wide);
    return bind_fault_float(FAULT_BIND_WRONG_TYPE);
}

static avro_value_t open_union(avro_value_t v)
{
    avro_value_t branch;

    if (avro_value_get_type(&v) != AVRO_UNION)
        return v;
    avro_value_get_current_branch(&v, &branch);
    return branch;
}

/* What a feature with one path is in this value: a float, or a fault as bind.h has them. */
static float bound(const struct feature *f, avro_value_t v)
{
    float missing = bound_number(f, (double)NAN);

    for (size_t i = 0; i < f->paths[0].step_count; i++) {
        const struct step *step = &f->paths[0].steps[i];
        avro_value_t child;
        size_t count;
        v = open_union(v);
        avro_type_t type = avro_value_get_type(&v);
        if (type == AVRO_NULL)
            return missing;
        if (type != (step->kind == STEP_INDEX ? AVRO_ARRAY : AVRO_MAP) &&
            (type != AVRO_RECORD || step->kind == STEP_INDEX))
            return bind_fault_float(FAULT_BIND_WRONG_TYPE);
        if (type == AVRO_ARRAY && (avro_value_get_size(&v, &count), step->index >= count))
            return missing;
        if (type == AVRO_ARRAY)
            avro_value_get_by_index(&v, step->index, &child, NULL);
        else if (avro_value_get_by_name(&v, step->name, &child, NULL) != 0)
            return missing;
        v = child;
    }
    v = open_union(v);
    return bound_scalar(f, &v);
}

/* ---- both */

static void check_value(struct reading *r, avro_value_t *value, const char *schema)
{
    static char data[1 << 16];
    avro_writer_t writer = avro_writer_memory(data, sizeof data);
    size_t first = FEATURES;
    const char *got;
    char want[40] = "scored";
    float row[FEATURES];

    ck_assert_int_eq(avro_value_write(writer, value), 0);
    for (size_t i = FEATURES; i-- > 0;) {
        row[i] = bound(&r->features.items[i], *value);
        first = bind_is_fault(row[i]) ? i : first;
    }
    if (first < FEATURES) {
        uint32_t bits;
        memcpy(&bits, &row[first], sizeof bits);
        snprintf(want, sizeof want, "bind/%s %zu",
                 fault_reason((enum fault)(bits & BIND_FAULT_MASK)), first);
    }
    got = reading_take(r, data, (size_t)avro_writer_tell(writer));
    ck_assert_msg(strcmp(got, want) == 0, "%s, not %s: %s", got, want, schema);
    for (size_t i = 0; i < FEATURES && first == FEATURES; i++)
        if (!isnan(row[i]) || !isnan(r->row[i]))
            ck_assert_bits(r->row[i], row[i]);
    avro_writer_free(writer);
}

/* Counts the values that were compared. */
static unsigned check_schema(struct maker *m, const char *folder)
{
    char *schema = make_schema(m), *text = reading_quoted(schema);
    struct avro_schema *parsed;
    struct err err = ERR_INIT;
    avro_schema_t theirs;
    avro_value_iface_t *iface;
    avro_value_t value;
    struct reading r;
    unsigned compared = 0;

    ck_assert_msg(avro_schema_parse(&parsed, text, strlen(text), &err) == 0, "%s", err.text);
    ck_assert_msg(avro_schema_from_json_length(text, strlen(text), &theirs) == 0, "%s", text);
    iface = avro_generic_class_from_schema(theirs);
    reading_avro(&r, schema, make_features(m, parsed, folder));
    avro_generic_value_new(iface, &value);
    for (int i = 0; r.plan && i < VALUES; i++, compared++) {
        avro_value_reset(&value);
        make_value(m, &value);
        check_value(&r, &value, text);
    }
    avro_value_decref(&value);
    avro_value_iface_decref(iface);
    avro_schema_decref(theirs);
    avro_schema_free(parsed);
    reading_release(&r);
    free(schema);
    free(text);
    return compared;
}

START_TEST(random_values_of_random_schemas_give_the_rows_of_avro_c)
{
    struct maker m = {.state = 1 + (uint64_t)_i};
    unsigned compared = 0;
    char folder[256];

    snprintf(folder, sizeof folder, "%s", harness_folder());
    harness_write(folder, "t.csv", BYTES("value,code\nA,0\nBCxyz,1\nC,2\n"));
    for (int i = 0; i < SCHEMAS; i++)
        compared += check_schema(&m, folder);
    ck_assert_uint_ge(compared, SCHEMAS * VALUES / 4);
}
END_TEST

SUITE(plan_oracle)
{
    TCase *loops = harness_case(suite, "random", NULL, 0);

    tcase_add_loop_test(loops, random_values_of_random_schemas_give_the_rows_of_avro_c, 0, 4);
}
