/* registry_fetch.h: one schema and all that it refers to, asked of a registry step by step.
 *
 *   registry_fetch_path -> "/schemas/ids/7"                     GET, answered
 *   registry_fetch_take   refers to address-value, version 3
 *   registry_fetch_path -> "/subjects/address-value/versions/3?deleted=true"    ...
 *   registry_fetch_take   refers to nothing: done, texts in the order of use
 *
 * No network here: paths out, answers in. Each text and each list is bounded: 100 references in
 * all, 1 MiB of schemas. Cycles end, since each version is asked for once.
 * Source: Confluent Schema Registry API, "GET /schemas/ids/{int: id}" and "GET /subjects/(string:
 * subject)/versions/(versionId: version)", error codes 40401 to 40403.
 *
 * Owns what it points to. Thread: any one.
 */
#ifndef SCHEMAS_REGISTRY_FETCH_H
#define SCHEMAS_REGISTRY_FETCH_H

#include "schemas/schema_source.h"

enum { REGISTRY_MAX_REFERENCES = 100, REGISTRY_MAX_VERSIONS = 1000, REGISTRY_MAX_PATH = 4096 };

/* A version of a subject, or (the first of a fetch by id) a schema without a subject. */
struct registry_doc {
    char *subject;
    int64_t version;
    char *text;   /* NULL until it is answered */
    size_t *uses; /* other docs, by number */
    size_t use_count;
    bool is_placed; /* among the answer's texts */
};

enum registry_fetch_kind {
    FETCH_ID,      /* a schema by its id */
    FETCH_VERSION, /* a version of a subject, which says its id */
    FETCH_LIST     /* the versions of a subject */
};

struct registry_fetch {
    enum registry_fetch_kind kind;
    struct registry_doc *docs; /* the first is what was asked for */
    size_t doc_count, doc_cap, next;
    size_t text_bytes;
    int64_t *versions; /* LIST: the newest REGISTRY_MAX_VERSIONS, ascending */
    size_t version_count;
    bool is_denied;              /* FAILED since the registry does not know us, or forbids */
    struct schema_answer answer; /* when done; of a LIST: FOUND, MISSING or FAILED */
};

/* subject NULL: by id. version 0: the list of its versions. */
void registry_fetch_init(struct registry_fetch *fetch, uint32_t id, const char *subject,
                         int64_t version);
void registry_fetch_release(struct registry_fetch *fetch);

/* A subject as a part of a path. False: it does not fit into cap. */
bool registry_subject_print(char *out, size_t cap, const char *subject);

/* What to GET now. False: it is too long, and the fetch is done. */
bool registry_fetch_path(struct registry_fetch *fetch, char *out, size_t cap);

/* The answer to that path; status 0: none, body says why. `where`: the URL, for messages. True: the
 * fetch is done. */
bool registry_fetch_take(struct registry_fetch *fetch, const char *where, long status,
                         const char *body, size_t len);

/* The answer to that path is too large to be a schema: the fetch is done. */
void registry_fetch_refuse(struct registry_fetch *fetch, const char *where, const char *words);

#endif
