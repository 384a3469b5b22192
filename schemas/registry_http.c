#include "schemas/registry_http.h"

#include <curl/curl.h>
#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/mem.h"
#include "core/text.h"
#include "schemas/secrets.h"

struct url {
    char *base;      /* no user, no slash at its end */
    char *user_info; /* user:password, or NULL */
};

struct registry_http {
    CURLM *multi;
    struct curl_slist *headers;
    struct url urls[REGISTRY_MAX_URLS];
    size_t url_count, preferred;
    struct secrets secrets;
    char *token, *ca, *certificate, *key, *key_password;
    bool is_any_host;
    long answer_ms;
    struct request *requests; /* on their way */
    size_t count;
};

struct request {
    struct request *next, **link; /* link: what points to it */
    CURL *easy;
    struct registry_http *http;
    char *path, *post; /* post: what is sent, NULL: GET */
    void *tag;
    size_t first_url, tries;
    char *body;
    size_t len, cap, header_len;
    char error[CURL_ERROR_SIZE];
};

/* ---- settings */

static void init_curl(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

static char *part_of(CURLU *handle, CURLUPart part)
{
    char *text = NULL;

    return curl_url_get(handle, part, &text, part == CURLUPART_URL ? 0 : CURLU_URLDECODE) ? NULL
                                                                                          : text;
}

/* Moves "user:password@" out of a URL. */
static bool read_url(struct url *url, const char *text)
{
    CURLU *handle = curl_url();
    bool is_good = curl_url_set(handle, CURLUPART_URL, text, 0) == CURLUE_OK;
    char *scheme = part_of(handle, CURLUPART_SCHEME), *user = part_of(handle, CURLUPART_USER);
    char *password = part_of(handle, CURLUPART_PASSWORD), *base;
    size_t len;

    is_good = is_good && (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0);
    curl_url_set(handle, CURLUPART_USER, NULL, 0);
    curl_url_set(handle, CURLUPART_PASSWORD, NULL, 0);
    curl_url_set(handle, CURLUPART_QUERY, NULL, 0);
    curl_url_set(handle, CURLUPART_FRAGMENT, NULL, 0);
    base = part_of(handle, CURLUPART_URL);
    if (is_good && base) {
        len = strlen(base);
        while (len > 0 && base[len - 1] == '/')
            len--;
        url->base = mem_copy_text(base, len);
    }
    if (is_good && user) {
        len = strlen(user) + (password ? strlen(password) : 0) + 2;
        url->user_info = mem_alloc(len, 1);
        snprintf(url->user_info, len, "%s:%s", user, password ? password : "");
    }
    curl_free(scheme);
    curl_free(user);
    curl_free(password);
    curl_free(base);
    curl_url_cleanup(handle);
    return is_good && url->base;
}

static int read_urls(struct registry_http *h, const char *urls, const char *user_info,
                     struct err *err)
{
    for (const char *p = urls; p;) {
        const char *comma = strchr(p, ','), *word = p;
        size_t len = comma ? (size_t)(comma - p) : strlen(p);
        struct url *url = &h->urls[h->url_count];
        char *text;
        bool is_good;
        text_trim(&word, &len);
        if (h->url_count == REGISTRY_MAX_URLS)
            return err_fatal(err, EXIT_CONFIGURATION, "registry.url: more than %d",
                             REGISTRY_MAX_URLS);
        text = mem_copy_text(word, len);
        is_good = read_url(url, text);
        explicit_bzero(text, len);
        free(text);
        if (!is_good)
            return err_fatal(err, EXIT_CONFIGURATION,
                             "registry.url: number %zu is no http:// or https:// URL",
                             h->url_count + 1);
        h->url_count++;
        if (user_info && !url->user_info)
            url->user_info = mem_copy_text(user_info, strlen(user_info));
        p = comma ? comma + 1 : NULL;
    }
    return 0;
}

static char *copy(const char *text)
{
    return text ? mem_copy_text(text, strlen(text)) : NULL;
}

/* libcurl would say so at each request. */
static int check_file(const char *name, const char *path, struct err *err)
{
    if (path && access(path, R_OK) != 0)
        return err_fatal(err, EXIT_IO, "%s: %s: %s", name, path, strerror(errno));
    return 0;
}

int registry_http_new(struct registry_http **http, const struct registry_access *access,
                      struct err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct registry_http *h = mem_alloc(1, sizeof *h);

    *http = NULL;
    pthread_once(&once, init_curl);
    h->multi = curl_multi_init();
    h->headers = curl_slist_append(NULL, "Accept: application/vnd.schemaregistry.v1+json, "
                                         "application/vnd.schemaregistry+json, application/json");
    h->headers =
        curl_slist_append(h->headers, "Content-Type: application/vnd.schemaregistry.v1+json");
    h->token = copy(access->token);
    h->ca = copy(access->ca_location);
    h->certificate = copy(access->certificate_location);
    h->key = copy(access->key_location);
    h->key_password = copy(access->key_password);
    h->is_any_host = access->is_any_host;
    h->answer_ms = access->answer_ms ? access->answer_ms : REGISTRY_ANSWER_MS;
    if (read_urls(h, access->urls, access->user_info, err) != 0 ||
        check_file("ssl.ca.location", h->ca, err) != 0 ||
        check_file("ssl.certificate.location", h->certificate, err) != 0 ||
        check_file("ssl.key.location", h->key, err) != 0) {
        registry_http_free(h);
        return -1;
    }
    secrets_add(&h->secrets, h->token);
    for (size_t i = 0; i < h->url_count; i++)
        secrets_add_login(&h->secrets, h->urls[i].user_info);
    *http = h;
    return 0;
}

static void free_secret(char *text)
{
    if (text)
        explicit_bzero(text, strlen(text));
    free(text);
}

const char *registry_http_name(const struct registry_http *http)
{
    return http->urls[0].base;
}

size_t registry_http_count(const struct registry_http *http)
{
    return http->count;
}

void registry_http_wake(struct registry_http *http)
{
    curl_multi_wakeup(http->multi);
}

/* ---- a request */

static size_t on_header(char *data, size_t size, size_t count, void *arg)
{
    struct request *r = arg;

    (void)data;
    r->header_len += size * count;
    return r->header_len > REGISTRY_MAX_HEADERS ? 0 : size * count;
}

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
    struct request *r = arg;
    size_t len = size * count;

    if (len > REGISTRY_MAX_BODY - r->len)
        return 0;
    if (r->len + len + 1 > r->cap) {
        r->cap =
            (r->len + len) * 2 < REGISTRY_MAX_BODY ? (r->len + len) * 2 + 1 : REGISTRY_MAX_BODY + 1;
        r->body = mem_resize(r->body, r->cap, 1);
    }
    memcpy(r->body + r->len, data, len);
    r->len += len;
    r->body[r->len] = '\0';
    return len;
}

static void set_tls(const struct registry_http *h, CURL *easy)
{
    struct stat info;
    bool is_folder = h->ca && stat(h->ca, &info) == 0 && S_ISDIR(info.st_mode);

    if (h->ca)
        curl_easy_setopt(easy, is_folder ? CURLOPT_CAPATH : CURLOPT_CAINFO, h->ca);
    if (h->certificate)
        curl_easy_setopt(easy, CURLOPT_SSLCERT, h->certificate);
    if (h->key)
        curl_easy_setopt(easy, CURLOPT_SSLKEY, h->key);
    if (h->key_password)
        curl_easy_setopt(easy, CURLOPT_KEYPASSWD, h->key_password);
    if (h->is_any_host)
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
}

static void set_login(const struct registry_http *h, CURL *easy, const struct url *url)
{
    if (url->user_info) {
        curl_easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
        curl_easy_setopt(easy, CURLOPT_USERPWD, url->user_info);
    } else if (h->token) {
        curl_easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
        curl_easy_setopt(easy, CURLOPT_XOAUTH2_BEARER, h->token);
    }
}

static const struct url *url_of(const struct request *r)
{
    return &r->http->urls[(r->first_url + r->tries) % r->http->url_count];
}

static void send_request(struct request *r)
{
    struct registry_http *h = r->http;
    const struct url *url = url_of(r);
    size_t len = strlen(url->base) + strlen(r->path) + 1;
    char *full = mem_alloc(len, 1);

    snprintf(full, len, "%s%s", url->base, r->path);
    r->easy = curl_easy_init();
    r->len = r->header_len = 0;
    *r->error = '\0';
    curl_easy_setopt(r->easy, CURLOPT_URL, full);
    curl_easy_setopt(r->easy, CURLOPT_PRIVATE, r);
    curl_easy_setopt(r->easy, CURLOPT_HTTPHEADER, h->headers);
    curl_easy_setopt(r->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(r->easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(r->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)REGISTRY_CONNECT_MS);
    curl_easy_setopt(r->easy, CURLOPT_TIMEOUT_MS, h->answer_ms);
#if LIBCURL_VERSION_NUM >= 0x075700
    curl_easy_setopt(r->easy, CURLOPT_QUICK_EXIT, 1L); /* a stop waits for no name server */
#endif
    /* A registry that comes back elsewhere is found at once, not after curl's 60 s. */
    curl_easy_setopt(r->easy, CURLOPT_DNS_CACHE_TIMEOUT, 1L);
    curl_easy_setopt(r->easy, CURLOPT_ERRORBUFFER, r->error);
    curl_easy_setopt(r->easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(r->easy, CURLOPT_HEADERDATA, r);
    curl_easy_setopt(r->easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(r->easy, CURLOPT_WRITEDATA, r);
    if (r->post)
        curl_easy_setopt(r->easy, CURLOPT_POSTFIELDS, r->post);
    set_tls(h, r->easy);
    set_login(h, r->easy, url);
    curl_multi_add_handle(h->multi, r->easy);
    free(full);
}

void registry_http_send(struct registry_http *http, const char *path, const char *post, void *tag)
{
    struct request *r = mem_alloc(1, sizeof *r);

    r->http = http;
    r->path = mem_copy_text(path, strlen(path));
    r->post = copy(post);
    r->tag = tag;
    r->first_url = http->preferred;
    r->next = http->requests;
    r->link = &http->requests;
    if (r->next)
        r->next->link = &r->next;
    http->requests = r;
    http->count++;
    send_request(r);
}

static void request_free(struct request *r)
{
    *r->link = r->next;
    if (r->next)
        r->next->link = r->link;
    r->http->count--;
    free(r->body);
    free(r->path);
    free(r->post);
    free(r);
}

static void drop_easy(struct request *r)
{
    curl_multi_remove_handle(r->http->multi, r->easy);
    curl_easy_cleanup(r->easy);
    r->easy = NULL;
}

/* What another of the registry's servers may answer better. */
static bool is_busy(long status)
{
    return status == 0 || status == 408 || status == 429 || status >= 500;
}

/* JSON writes a character in several ways: the message is what it says, decoded. */
static void cover(const struct secrets *secrets, struct registry_response *r)
{
    json_t *json, *message;
    char *words, *body;
    size_t len;

    secrets_hide(secrets, r->body, r->len);
    json = json_loadb(r->body, r->len, 0, NULL);
    message = json_object_get(json, "message");
    if (secrets->count > 0 && json_is_string(message)) {
        len = json_string_length(message);
        words = mem_copy_text(json_string_value(message), len);
        secrets_hide(secrets, words, len);
        if (json_string_setn(message, words, len) != 0) /* no UTF-8 any more */
            json_string_set(message, "");
        body = json_dumps(json, JSON_COMPACT);
        free(words);
        free(r->body);
        r->body = body;
        r->len = strlen(body);
    }
    json_decref(json);
}

/* True: it is over, and *response filled. False: it went to the next URL. */
static bool end_request(struct request *r, CURLcode code, struct registry_response *response)
{
    struct registry_http *h = r->http;
    bool is_over = code == CURLE_WRITE_ERROR && r->header_len <= REGISTRY_MAX_HEADERS;
    long status = 0, said = 0;

    curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &said);
    if (code == CURLE_OK)
        status = said;
    drop_easy(r);
    if (!is_busy(status)) {
        h->preferred = (r->first_url + r->tries) % h->url_count;
    } else if (r->tries + 1 < h->url_count) {
        r->tries++;
        send_request(r);
        return false;
    }
    *response = (struct registry_response){.tag = r->tag,
                                           .status = status,
                                           .is_too_large = is_over && said == 200,
                                           .len = r->len,
                                           .where = url_of(r)->base};
    response->body = r->body ? r->body : mem_copy_text("", 0);
    r->body = NULL;
    if (status != 200) /* a schema's own words are no secret of ours, and must stay */
        cover(&h->secrets, response);
    if (code == CURLE_WRITE_ERROR)
        snprintf(response->trouble, sizeof response->trouble, "an answer of more than %d bytes",
                 r->header_len > REGISTRY_MAX_HEADERS ? REGISTRY_MAX_HEADERS : REGISTRY_MAX_BODY);
    else if (code != CURLE_OK)
        snprintf(response->trouble, sizeof response->trouble, "%s",
                 *r->error ? r->error : curl_easy_strerror(code));
    request_free(r);
    return true;
}

static bool take_response(struct registry_http *h, struct registry_response *response)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(h->multi, &left)) != NULL) {
        struct request *r;
        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &r);
        if (end_request(r, message->data.result, response))
            return true;
    }
    return false;
}

bool registry_http_poll(struct registry_http *http, int timeout_ms,
                        struct registry_response *response)
{
    int running;

    curl_multi_perform(http->multi, &running);
    if (take_response(http, response))
        return true;
    curl_multi_poll(http->multi, NULL, 0, timeout_ms, NULL);
    curl_multi_perform(http->multi, &running);
    return take_response(http, response);
}

void registry_http_free(struct registry_http *http)
{
    if (!http)
        return;
    for (struct request *r = http->requests, *next; r; r = next) {
        next = r->next;
        drop_easy(r);
        request_free(r);
    }
    curl_multi_cleanup(http->multi);
    curl_slist_free_all(http->headers);
    for (size_t i = 0; i < REGISTRY_MAX_URLS; i++) {
        free(http->urls[i].base);
        free_secret(http->urls[i].user_info);
    }
    free_secret(http->token);
    secrets_release(&http->secrets);
    free_secret(http->key_password);
    free(http->ca);
    free(http->certificate);
    free(http->key);
    free(http);
}
