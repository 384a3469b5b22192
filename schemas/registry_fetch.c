#include "schemas/registry_fetch.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "schemas/avro_schema.h"

enum { ERROR_NO_SUBJECT = 40401, ERROR_NO_VERSION = 40402, ERROR_NO_SCHEMA = 40403 };

static size_t add_doc(struct registry_fetch *f, const char *subject, int64_t version)
{
    f->docs = mem_grow(f->docs, f->doc_count, &f->doc_cap, sizeof *f->docs);
    f->docs[f->doc_count] = (struct registry_doc){
        .subject = subject ? mem_copy_text(subject, strlen(subject)) : NULL, .version = version};
    return f->doc_count++;
}

void registry_fetch_init(struct registry_fetch *fetch, uint32_t id, const char *subject,
                         int64_t version)
{
    *fetch = (struct registry_fetch){.kind = !subject       ? FETCH_ID
                                             : version == 0 ? FETCH_LIST
                                                            : FETCH_VERSION,
                                     .answer = {.id = id}};
    add_doc(fetch, subject, version);
}

void registry_fetch_release(struct registry_fetch *fetch)
{
    for (size_t i = 0; i < fetch->doc_count; i++) {
        free(fetch->docs[i].subject);
        free(fetch->docs[i].text);
        free(fetch->docs[i].uses);
    }
    free(fetch->docs);
    free(fetch->versions);
    schema_answer_release(&fetch->answer);
}

/* The fetch is done, without a schema; words may be longer than they are said. */
static __attribute__((format(printf, 3, 4))) bool end(struct registry_fetch *f,
                                                      enum schema_answer_kind kind,
                                                      const char *format, ...)
{
    char text[600];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    f->answer.kind = kind;
    f->answer.words = mem_copy_text(text, strlen(text));
    return true;
}

/* ---- paths */

/* A subject may have any letter, a slash too. */
bool registry_subject_print(char *out, size_t cap, const char *subject)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-~";
    size_t len = 0;

    for (; *subject && len + 4 < cap; subject++) {
        if (strchr(plain, *subject))
            out[len++] = *subject;
        else
            len += (size_t)snprintf(out + len, cap - len, "%%%02X", (unsigned char)*subject);
    }
    out[len] = '\0';
    return *subject == '\0';
}

bool registry_fetch_path(struct registry_fetch *fetch, char *out, size_t cap)
{
    const struct registry_doc *doc = &fetch->docs[fetch->next];
    char subject[REGISTRY_MAX_PATH - 100];

    if (!doc->subject) {
        snprintf(out, cap, "/schemas/ids/%" PRIu64, fetch->answer.id);
        return true;
    }
    if (!registry_subject_print(subject, sizeof subject, doc->subject))
        return !end(fetch, SCHEMA_BAD, "a subject of %zu bytes", strlen(doc->subject));
    if (fetch->kind == FETCH_LIST)
        snprintf(out, cap, "/subjects/%s/versions", subject);
    else
        snprintf(out, cap, "/subjects/%s/versions/%" PRId64 "%s", subject, doc->version,
                 fetch->next ? "?deleted=true" : "");
    return true;
}

/* ---- answers that are no schema */

static bool end_missing(struct registry_fetch *f)
{
    const struct registry_doc *doc = &f->docs[f->next];

    if (f->next > 0)
        return end(f, SCHEMA_BAD, "it refers to %s, version %" PRId64 ", which is not there",
                   doc->subject, doc->version);
    f->answer.kind = SCHEMA_MISSING;
    return true;
}

/* Whatever is not a registry's "no such thing" is waited for: a proxy's 404 says nothing about ids.
 */
static bool end_refused(struct registry_fetch *f, const char *where, long status, const char *body,
                        size_t len)
{
    json_t *json = json_loadb(body, len, 0, NULL);
    json_int_t code = json_integer_value(json_object_get(json, "error_code"));
    const char *message = json_string_value(json_object_get(json, "message"));
    bool is_done;

    f->is_denied = status == 401 || status == 403;
    if (status == 404 &&
        (code == ERROR_NO_SCHEMA ||
         (f->docs[f->next].subject && code >= ERROR_NO_SUBJECT && code <= ERROR_NO_VERSION)))
        is_done = end_missing(f);
    else if (status == 0)
        is_done = end(f, SCHEMA_FAILED, "%s: %s", where, body);
    else
        is_done = end(f, SCHEMA_FAILED, "%s: HTTP %ld%s%.200s%s", where, status,
                      message ? ": " : "", message ? message : "",
                      status >= 300 && status < 400 ? ", redirects are not followed"
                      : status == 404               ? ": is that a schema registry's URL?"
                                                    : "");
    json_decref(json);
    return is_done;
}

/* ---- schemas */

static size_t find_doc(const struct registry_fetch *f, const char *subject, int64_t version)
{
    for (size_t i = 0; i < f->doc_count; i++)
        if (f->docs[i].subject && f->docs[i].version == version &&
            strcmp(f->docs[i].subject, subject) == 0)
            return i;
    return f->doc_count;
}

/* Notes what the doc refers to. False: `end` was called. */
static bool take_references(struct registry_fetch *f, const char *where, const json_t *list)
{
    size_t user = f->next, i;
    const json_t *item;

    f->docs[user].uses = mem_alloc(json_array_size(list), sizeof *f->docs[user].uses);
    json_array_foreach(list, i, item)
    {
        const char *subject = json_string_value(json_object_get(item, "subject"));
        json_int_t version = json_integer_value(json_object_get(item, "version"));
        size_t doc;
        if (!subject || version < 1)
            return !end(f, SCHEMA_FAILED, "%s: a reference without subject or version", where);
        doc = find_doc(f, subject, version);
        if (doc == f->doc_count && f->doc_count > REGISTRY_MAX_REFERENCES)
            return !end(f, SCHEMA_BAD, "it refers to more than %d schemas",
                        REGISTRY_MAX_REFERENCES);
        if (doc == f->doc_count)
            add_doc(f, subject, version);
        f->docs[user].uses[f->docs[user].use_count++] = doc;
    }
    return true;
}

/* Behind all that it uses. As deep as there are docs at most. */
static void place(struct registry_fetch *f, size_t number)
{
    struct registry_doc *doc = &f->docs[number];

    if (doc->is_placed)
        return;
    doc->is_placed = true;
    for (size_t i = 0; i < doc->use_count; i++)
        place(f, doc->uses[i]);
    f->answer.texts[f->answer.text_count++] = doc->text;
    doc->text = NULL;
}

/* The registry answered what was asked for, if it says. */
static bool is_asked_for(struct registry_fetch *f, const json_t *json)
{
    const struct registry_doc *doc = &f->docs[f->next];
    const json_t *id = json_object_get(json, "id"), *version = json_object_get(json, "version");

    if (f->kind == FETCH_VERSION && f->next == 0) {
        if (!json_is_integer(id) || json_integer_value(id) < 0 ||
            json_integer_value(id) > INT32_MAX)
            return false;
        f->answer.id = (uint32_t)json_integer_value(id);
    }
    if (!doc->subject)
        return !id || json_integer_value(id) == (json_int_t)f->answer.id;
    return !version || json_integer_value(version) == doc->version;
}

static bool take_schema(struct registry_fetch *f, const char *where, const json_t *json)
{
    const json_t *schema = json_object_get(json, "schema");
    const char *type = json_string_value(json_object_get(json, "schemaType"));

    if (!json_is_string(schema))
        return end(f, SCHEMA_FAILED, "%s: an answer without a schema: is that a registry's URL?",
                   where);
    if (!is_asked_for(f, json))
        return end(f, SCHEMA_FAILED, "%s: an answer about another schema", where);
    if (type && strcmp(type, "AVRO") != 0)
        return end(f, SCHEMA_BAD, "its type is %.50s, not AVRO", type);
    f->text_bytes += json_string_length(schema);
    if (f->text_bytes > SCHEMA_MAX_BYTES)
        return end(f, SCHEMA_BAD, "more than %d bytes, with what it refers to", SCHEMA_MAX_BYTES);
    f->docs[f->next].text =
        mem_copy_text(json_string_value(schema), strlen(json_string_value(schema)));
    if (!take_references(f, where, json_object_get(json, "references")))
        return true;
    if (++f->next < f->doc_count)
        return false;
    f->answer.kind = SCHEMA_FOUND;
    f->answer.texts = mem_alloc(f->doc_count, sizeof *f->answer.texts);
    place(f, 0);
    return true;
}

static bool take_list(struct registry_fetch *f, const char *where, const json_t *json)
{
    size_t count = json_array_size(json);
    size_t first = count > REGISTRY_MAX_VERSIONS ? count - REGISTRY_MAX_VERSIONS : 0;

    f->versions = mem_alloc(REGISTRY_MAX_VERSIONS, sizeof *f->versions);
    for (size_t i = first; i < count; i++) {
        json_int_t version = json_integer_value(json_array_get(json, i));
        if (version < 1)
            return end(f, SCHEMA_FAILED, "%s: an answer that is no list of versions", where);
        f->versions[f->version_count++] = version;
    }
    if (!json_is_array(json))
        return end(f, SCHEMA_FAILED, "%s: an answer that is no list of versions", where);
    f->answer.kind = SCHEMA_FOUND;
    return true;
}

bool registry_fetch_take(struct registry_fetch *fetch, const char *where, long status,
                         const char *body, size_t len)
{
    json_error_t why;
    json_t *json;
    bool is_done;

    if (status != 200)
        return end_refused(fetch, where, status, body, len);
    json = json_loadb(body, len, JSON_ALLOW_NUL, &why);
    if (!json)
        return end(fetch, SCHEMA_FAILED,
                   "%s: an answer that is not JSON: is that a registry's URL?", where);
    is_done =
        fetch->kind == FETCH_LIST ? take_list(fetch, where, json) : take_schema(fetch, where, json);
    json_decref(json);
    return is_done;
}

void registry_fetch_refuse(struct registry_fetch *fetch, const char *where, const char *words)
{
    end(fetch, SCHEMA_BAD, "%s: %s", where, words);
}
