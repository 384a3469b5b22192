#include "tests/broker/registry.h"

#include <curl/curl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/harness.h"
#include "tests/reading.h"

static char url[200];

/* tests/registry VERB <folder> [PORT]; its first line into out. Runners that share a broker have a
 * registry each: a test's parent is its runner. */
static void command(const char *verb, const char *port, char *out, size_t cap)
{
    const char *broker = getenv("KSCORE_BROKER");
    char line[500];
    FILE *pipe;

    ck_assert_msg(broker != NULL, "KSCORE_BROKER is not set: start it by tests/run-broker");
    snprintf(line, sizeof line, "tests/registry %s %s/registry-%d %s", verb, broker, (int)getppid(),
             port);
    pipe = popen(line, "r");
    ck_assert_ptr_nonnull(pipe);
    if (out && fgets(out, (int)cap, pipe))
        out[strcspn(out, "\n")] = '\0';
    ck_assert_msg(pclose(pipe) == 0, "%s failed", line);
}

void registry_start(void)
{
    registry_stop(); /* of a test that died */
    command("start", "0", url, sizeof url);
    setenv("no_proxy", "127.0.0.1", 1);
}

void registry_stop(void)
{
    command("stop", "", NULL, 0);
}

void registry_pause(bool is_paused)
{
    command(is_paused ? "pause" : "cont", "", NULL, 0);
}

const char *registry_url(void)
{
    return url;
}

static size_t take(char *data, size_t size, size_t count, void *arg)
{
    strncat(arg, data, size * count < 900 - strlen(arg) ? size * count : 900 - strlen(arg));
    return size * count;
}

static void post(const char *path, const char *body, char answer[1000])
{
    struct curl_slist *headers =
        curl_slist_append(NULL, "Content-Type: application/vnd.schemaregistry.v1+json");
    CURL *easy = curl_easy_init();
    char full[500];
    CURLcode code;

    snprintf(full, sizeof full, "%s%s", url, path);
    curl_easy_setopt(easy, CURLOPT_URL, full);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, answer);
    code = curl_easy_perform(easy);
    ck_assert_msg(code == CURLE_OK, "%s: %s", full, curl_easy_strerror(code));
    curl_easy_cleanup(easy);
    curl_slist_free_all(headers);
}

uint32_t registry_register(const char *subject, const char *schema, const char *references)
{
    char *text = reading_quoted(schema), *list = reading_quoted(references ? references : "[]");
    json_t *json = json_pack("{s:s, s:o}", "schema", text, "references", json_loads(list, 0, NULL)),
           *id;
    char *body = json_dumps(json, 0), path[300], answer[1000] = "";
    uint32_t result;

    snprintf(path, sizeof path, "/subjects/%s/versions", subject);
    post(path, body, answer);
    json_decref(json);
    json = json_loads(answer, 0, NULL);
    id = json_object_get(json, "id");
    ck_assert_msg(json_is_integer(id), "%s: %s", path, answer);
    result = (uint32_t)json_integer_value(id);
    json_decref(json);
    free(body);
    free(text);
    free(list);
    return result;
}
