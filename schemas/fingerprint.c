#include "schemas/fingerprint.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/mem.h"

struct printer {
    const struct avro_schema *schema;
    bool *is_defined; /* per type: a named one is written out once, and by name from then on */
    FILE *out;
};

static void print_type(struct printer *p, int32_t type);

static void print_record(struct printer *p, const struct schema_type *t)
{
    fprintf(p->out, "{\"name\":\"%s\",\"type\":\"record\",\"fields\":[", t->name);
    for (uint64_t i = 0; i < t->count; i++) {
        fprintf(p->out, "%s{\"name\":\"%s\",\"type\":", i ? "," : "", t->fields[i].name);
        print_type(p, t->fields[i].type);
        fputc('}', p->out);
    }
    fputs("]}", p->out);
}

static void print_enum(struct printer *p, const struct schema_type *t)
{
    fprintf(p->out, "{\"name\":\"%s\",\"type\":\"enum\",\"symbols\":[", t->name);
    for (uint64_t i = 0; i < t->count; i++)
        fprintf(p->out, "%s\"%s\"", i ? "," : "", t->symbols[i]);
    fputs("]}", p->out);
}

static void print_union(struct printer *p, const struct schema_type *t)
{
    fputc('[', p->out);
    for (uint64_t i = 0; i < t->count; i++) {
        fputs(i ? "," : "", p->out);
        print_type(p, t->branches[i]);
    }
    fputc(']', p->out);
}

static void print_items(struct printer *p, const struct schema_type *t, const char *head)
{
    fputs(head, p->out);
    print_type(p, t->items);
    fputc('}', p->out);
}

/* As deep as the schema's text (SCHEMA_MAX_DEPTH): what is defined is not entered again. */
static void print_type(struct printer *p, int32_t type)
{
    const struct schema_type *t = &p->schema->types[type];
    char primitive[16];

    if (t->name && p->is_defined[type]) {
        fprintf(p->out, "\"%s\"", t->name);
        return;
    }
    p->is_defined[type] = true;
    switch (t->kind) {
    case SCHEMA_RECORD: print_record(p, t); break;
    case SCHEMA_ENUM: print_enum(p, t); break;
    case SCHEMA_UNION: print_union(p, t); break;
    case SCHEMA_FIXED:
        fprintf(p->out, "{\"name\":\"%s\",\"type\":\"fixed\",\"size\":%" PRIu64 "}", t->name,
                t->count);
        break;
    case SCHEMA_ARRAY: print_items(p, t, "{\"type\":\"array\",\"items\":"); break;
    case SCHEMA_MAP: print_items(p, t, "{\"type\":\"map\",\"values\":"); break;
    default:
        schema_type_print(p->schema, type, primitive, sizeof primitive);
        fprintf(p->out, "\"%s\"", primitive);
    }
}

char *canonical_form(const struct avro_schema *schema, size_t *len)
{
    struct printer p = {schema, mem_alloc(schema->count, sizeof *p.is_defined), NULL};
    char *text;

    p.out = open_memstream(&text, len);
    print_type(&p, schema->root);
    fclose(p.out);
    free(p.is_defined);
    return text;
}

/* The specification's fingerprint64, bit by bit: schemas are short and learnt once. */
uint64_t fingerprint_of_text(const char *text, size_t len)
{
    const uint64_t empty = 0xc15d213aa4d7a795;
    uint64_t sum = empty;

    for (size_t i = 0; i < len; i++) {
        uint64_t term = (sum ^ (unsigned char)text[i]) & 0xff;
        for (int bit = 0; bit < 8; bit++)
            term = term >> 1 ^ (empty & -(term & 1));
        sum = sum >> 8 ^ term;
    }
    return sum;
}

uint64_t fingerprint_of(const struct avro_schema *schema)
{
    size_t len;
    char *text = canonical_form(schema, &len);
    uint64_t sum = fingerprint_of_text(text, len);

    free(text);
    return sum;
}
