#include "schemas/score_subject.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "schemas/registry_cache.h"
#include "schemas/registry_fetch.h"
#include "schemas/score_schema.h"

/* With a NUL behind. */
static const char *text(void)
{
    return (const char *)score_schema_text().data;
}

/* What a POST came to: id, or err. `is_missing`: 404, there is no such subject or schema. */
static int judge(const struct registry_response *r, const char *subject, uint32_t *id,
                 bool *is_missing, struct err *err)
{
    json_t *json = json_loadb(r->body, r->len, 0, NULL);
    const json_t *number = json_object_get(json, "id");
    const char *message = json_string_value(json_object_get(json, "message"));
    json_int_t code = json_integer_value(json_object_get(json, "error_code"));
    json_int_t found = json_is_integer(number) ? json_integer_value(number) : -1;
    int result = -1;

    *is_missing = r->status == 404 && code >= 40401 && code <= 40403;
    if (r->status == 200 && found >= 0 && found <= INT32_MAX) {
        *id = (uint32_t)found;
        result = 0;
    } else if (r->status == 0) {
        err_dependency(err, "registry %s: %s", r->where, r->trouble);
    } else if (r->status == 401 || r->status == 403 || r->status == 409 || r->status == 422) {
        err_fatal(err, r->status < 404 ? EXIT_DENIED : EXIT_CONFIGURATION,
                  "registry %s: subject %s: HTTP %ld: %.500s", r->where, subject, r->status,
                  message ? message : "no reason given");
    } else if (!*is_missing) {
        err_dependency(err, "registry %s: HTTP %ld%s%.200s", r->where, r->status,
                       message ? ": " : "", message ? message : "");
    }
    json_decref(json);
    return result;
}

/* Posts the schema to a path made of `format`, "/subjects/%s", and the subject; free the body. */
__attribute__((format(printf, 2, 0))) static int send(struct registry_http *http,
                                                      const char *format, const char *subject,
                                                      struct registry_response *response,
                                                      struct err *err)
{
    char escaped[REGISTRY_MAX_PATH - 100], path[REGISTRY_MAX_PATH];
    json_t *json;
    char *body;

    if (!registry_subject_print(escaped, sizeof escaped, subject))
        return err_fatal(err, EXIT_CONFIGURATION, "a subject of %zu bytes", strlen(subject));
    snprintf(path, sizeof path, format, escaped);
    json = json_pack("{s:s}", "schema", text());
    body = json_dumps(json, 0);
    registry_http_send(http, path, body, NULL);
    while (!registry_http_poll(http, REGISTRY_ANSWER_MS, response))
        continue; /* each request ends in its time */
    free(body);
    json_decref(json);
    return 0;
}

static int post(struct registry_http *http, const char *format, const char *subject, uint32_t *id,
                bool *is_missing, struct err *err)
{
    struct registry_response response = {0};
    int result;

    *is_missing = false;
    if (send(http, format, subject, &response, err) != 0)
        return -1;
    result = judge(&response, subject, id, is_missing, err);
    free(response.body);
    return result;
}

/* Looks it up, and registers what is not there. */
static int ask(struct registry_http *http, const char *subject, uint32_t *id, struct err *err)
{
    bool is_missing;

    if (post(http, "/subjects/%s", subject, id, &is_missing, err) == 0)
        return 0;
    if (!is_missing)
        return -1;
    if (post(http, "/subjects/%s/versions", subject, id, &is_missing, err) == 0)
        return 0;
    return err_dependency(err, "registry %s: subject %s can be neither found nor made",
                          registry_http_name(http), subject); /* unless there was another error */
}

int score_subject_find(const struct registry_options *options, const char *subject, uint32_t *id,
                       struct err *err)
{
    struct registry_cache cache = {NULL};
    struct registry_http *http;
    int result;

    if (registry_http_new(&http, &options->access, err) != 0)
        return -1;
    result = registry_cache_init(&cache, options->cache, registry_http_name(http), err);
    if (result == 0 && (result = ask(http, subject, id, err)) == 0) {
        registry_cache_store_id(&cache, subject, text(), *id);
    } else if (err->kind == ERR_DEPENDENCY && registry_cache_load_id(&cache, subject, text(), id)) {
        err_reset(err);
        result = 0;
    }
    registry_cache_release(&cache);
    registry_http_free(http);
    return result;
}

/* What the registry says of a new version: {"is_compatible": true}, or false and "messages". */
static int judge_fit(const struct registry_response *r, const char *subject,
                     enum score_subject *state, struct err *err)
{
    json_t *json = json_loadb(r->body, r->len, 0, NULL);
    const json_t *fits = json_object_get(json, "is_compatible");
    const char *why = json_string_value(json_array_get(json_object_get(json, "messages"), 0));
    bool is_missing;
    uint32_t id;

    *state = json_is_true(fits) ? SCORE_SUBJECT_FITS : SCORE_SUBJECT_IS_NEW;
    if (r->status == 200 && json_is_false(fits))
        err_fatal(err, EXIT_CONFIGURATION,
                  "registry %s: subject %s: the schema of scores is not compatible with its newest "
                  "version%s%.400s",
                  r->where, subject, why ? ": " : "", why ? why : "");
    else if (r->status != 200 || !json_is_true(fits))
        (void)judge(r, subject, &id, &is_missing, err); /* 404: there is no version yet */
    json_decref(json);
    return err_is_set(err) ? -1 : 0;
}

static int prove(struct registry_http *http, const char *subject, enum score_subject *state,
                 uint32_t *id, struct err *err)
{
    struct registry_response response = {0};
    bool is_missing;
    int result;

    *state = SCORE_SUBJECT_HAS_IT;
    if (post(http, "/subjects/%s", subject, id, &is_missing, err) == 0)
        return 0;
    if (!is_missing || send(http, "/compatibility/subjects/%s/versions/latest?verbose=true",
                            subject, &response, err) != 0)
        return -1;
    result = judge_fit(&response, subject, state, err);
    free(response.body);
    return result;
}

int score_subject_prove(const struct registry_options *options, const char *subject,
                        enum score_subject *state, uint32_t *id, struct err *err)
{
    struct registry_http *http;
    int result;

    if (registry_http_new(&http, &options->access, err) != 0)
        return -1;
    result = prove(http, subject, state, id, err);
    registry_http_free(http);
    return result;
}
