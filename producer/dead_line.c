#include "producer/dead_line.h"

#include <string.h>

#include "producer/put.h"

size_t dead_line_max_bytes(const struct dead_line *line, const struct record *r,
                           const struct dead_letter *letter)
{
    enum { REST = 1024 };
    const struct provenance *p = line->provenance;
    size_t sum =
        strlen(r->topic) + REST + BASE64_MAX(r->key.len) + BASE64_MAX(r->value.len) +
        JSON_STRING_MAX(strlen(letter->message)) +
        JSON_STRING_MAX(strlen(p->model) + strlen(p->version) + strlen(p->digest) + strlen(p->run));

    for (size_t i = 0; i < letter->header_count; i++)
        sum += JSON_STRING_MAX(strlen(letter->headers[i].name)) +
               BASE64_MAX(letter->headers[i].value.len) + 10;
    return sum;
}

static char *put_bytes(char *o, struct slice bytes)
{
    if (!bytes.data)
        return PUT(o, "null");
    *o++ = '"';
    o += base64_print(o, bytes.data, bytes.len);
    *o++ = '"';
    return o;
}

static char *put_headers(char *o, const struct dead_letter *letter)
{
    if (letter->has_lost_headers)
        return PUT(o, "null");
    *o++ = '[';
    for (size_t i = 0; i < letter->header_count; i++) {
        o = put_json_field(o, i > 0 ? ",[" : "[", letter->headers[i].name);
        *o++ = ',';
        o = put_bytes(o, letter->headers[i].value);
        *o++ = ']';
    }
    *o++ = ']';
    return o;
}

static char *put_place(char *o, const struct record *r)
{
    o = put_json_field(o, "{\"topic\":", r->topic);
    o = PUT(o, ",\"partition\":");
    o += integer_print(o, r->partition);
    o = PUT(o, ",\"offset\":");
    o += integer_print(o, r->offset);
    o = PUT(o, ",\"timestamp\":");
    return o + integer_print(o, r->timestamp_ms);
}

static char *put_schema_id(char *o, const struct dead_line *line, int64_t id)
{
    o = PUT(o, ",\"schema_id\":");
    if (id == SCHEMA_ID_NONE)
        return PUT(o, "null");
    *o++ = '"';
    o += schema_id_print(o, id, line->has_fingerprints);
    *o++ = '"';
    return o;
}

size_t dead_line_encode(const struct dead_line *line, const struct record *r,
                        const struct dead_letter *letter, char *out)
{
    const struct provenance *p = line->provenance;
    char *o = put_place(out, r);

    o = put_json_field(o, ",\"stage\":", fault_stage(letter->fault));
    o = put_json_field(o, ",\"reason\":", fault_reason(letter->fault));
    o = put_json_field(o, ",\"blame\":", fault_blame(letter->fault));
    o = put_json_field(o, ",\"message\":", letter->message);
    o = put_schema_id(o, line, letter->schema_id);
    o = put_json_field(o, ",\"model\":", p->model);
    o = put_json_field(o, ",\"version\":", p->version);
    o = put_json_field(o, ",\"digest\":", p->digest);
    o = put_json_field(o, ",\"run\":", p->run);
    o = put_json_field(o, ",\"mode\":", score_mode_name(p->mode));
    o = put_bytes(PUT(o, ",\"key_base64\":"), r->key);
    o = put_bytes(PUT(o, ",\"value_base64\":"), r->value);
    o = put_headers(PUT(o, ",\"headers_base64\":"), letter);
    o = PUT(o, "}\n");
    return (size_t)(o - out);
}
