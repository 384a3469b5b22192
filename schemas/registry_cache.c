#include "schemas/registry_cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/sha256.h"
#include "core/text.h"
#include "schemas/avro_schema.h"

enum { MAX_FILE = 8 << 20 };

static int make_folder(const char *path, struct err *err)
{
    if (mkdir(path, 0755) == 0 || errno == EEXIST)
        return 0;
    return err_fatal(err, EXIT_IO, "cache %s: %s", path, strerror(errno));
}

int registry_cache_init(struct registry_cache *cache, const char *folder, const char *url,
                        struct err *err)
{
    char hex[SHA256_HEX + 1];
    struct sha256 hash;

    *cache = (struct registry_cache){NULL};
    if (!folder || !*folder)
        return 0;
    sha256_init(&hash);
    sha256_add(&hash, url, strlen(url));
    sha256_hex(&hash, hex);
    hex[16] = '\0';
    cache->folder = file_join(folder, hex);
    if (make_folder(folder, err) != 0 || make_folder(cache->folder, err) != 0 ||
        (access(cache->folder, W_OK | X_OK) != 0 &&
         err_fatal(err, EXIT_IO, "cache %s: %s", cache->folder, strerror(errno)) != 0)) {
        registry_cache_release(cache);
        return -1;
    }
    return 0;
}

void registry_cache_release(struct registry_cache *cache)
{
    free(cache->folder);
    cache->folder = NULL;
}

/* ---- reading */

/* "17.json" */
static bool is_cached(const char *name, uint64_t *id)
{
    size_t len = strlen(name);
    int64_t number;

    if (len < 6 || strcmp(name + len - 5, ".json") != 0 ||
        !integer_parse(name, len - 5, 0, INT32_MAX, &number))
        return false;
    *id = (uint64_t)number;
    return true;
}

static bool add_text(struct schema_answer *answer, const json_t *json)
{
    if (!json_is_string(json))
        return false;
    answer->texts[answer->text_count++] =
        mem_copy_text(json_string_value(json), json_string_length(json));
    return true;
}

static bool read_schema(const char *path, struct schema_answer *answer)
{
    struct avro_schema *schema = NULL;
    struct err err = ERR_INIT;
    bool is_good = true;
    json_t *json, *references;
    char *text;
    size_t len;

    if (file_read(path, MAX_FILE, &text, &len, &err) != 0)
        return false;
    json = json_loadb(text, len, JSON_ALLOW_NUL, NULL);
    references = json_object_get(json, "references");
    answer->kind = SCHEMA_FOUND;
    answer->texts = mem_alloc(json_array_size(references) + 1, sizeof *answer->texts);
    for (size_t i = 0; i < json_array_size(references); i++)
        is_good = is_good && add_text(answer, json_array_get(references, i));
    is_good = is_good && add_text(answer, json_object_get(json, "schema")) &&
              avro_schema_parse_all(&schema, answer->texts, answer->text_count, &err) == 0;
    avro_schema_free(schema);
    json_decref(json);
    free(text);
    if (!is_good)
        schema_answer_release(answer);
    return is_good;
}

size_t registry_cache_load(const struct registry_cache *cache, size_t max,
                           struct schema_answer **answers)
{
    DIR *dir = cache->folder ? opendir(cache->folder) : NULL;
    const struct dirent *entry;
    size_t count = 0, cap = 0;

    *answers = NULL;
    while (dir && count < max && (entry = readdir(dir)) != NULL) {
        struct schema_answer answer = {0};
        char *path;
        if (!is_cached(entry->d_name, &answer.id))
            continue;
        path = file_join(cache->folder, entry->d_name);
        if (read_schema(path, &answer)) {
            *answers = mem_grow(*answers, count, &cap, sizeof **answers);
            (*answers)[count++] = answer;
        }
        free(path);
    }
    if (dir)
        closedir(dir);
    return count;
}

/* ---- writing */

static bool write_all(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    size_t len = strlen(text), done = 0;
    bool is_written;

    while (fd >= 0 && done < len) {
        ssize_t put = write(fd, text + done, len - done);
        if (put < 0 && errno != EINTR)
            break;
        done += put > 0 ? (size_t)put : 0;
    }
    is_written = fd >= 0 && done == len && fsync(fd) == 0;
    return fd >= 0 && close(fd) == 0 && is_written;
}

static char *print(const struct schema_answer *answer)
{
    json_t *json = json_object(), *references = json_array();
    char *text;

    for (size_t i = 0; i + 1 < answer->text_count; i++)
        json_array_append_new(references, json_string(answer->texts[i]));
    json_object_set_new(json, "schema", json_string(answer->texts[answer->text_count - 1]));
    json_object_set_new(json, "references", references);
    text = json_dumps(json, 0);
    json_decref(json);
    return text;
}

/* Whole, or not at all. */
static bool replace(const char *path, const char *beside, const char *text)
{
    int number;

    if (write_all(beside, text) && rename(beside, path) == 0)
        return true;
    number = errno;
    unlink(beside);
    errno = number;
    return false;
}

/* Somebody may have deleted all of it. */
static void make_folders(const struct registry_cache *cache)
{
    char *slash = strrchr(cache->folder, '/');

    *slash = '\0';
    mkdir(cache->folder, 0755);
    *slash = '/';
    mkdir(cache->folder, 0755);
}

static void write_file(struct registry_cache *cache, const char *name, const char *text)
{
    char process[80], *path = file_join(cache->folder, name), *beside;
    bool is_written;

    snprintf(process, sizeof process, "%s.%d", name, (int)getpid());
    beside = file_join(cache->folder, process);
    is_written = replace(path, beside, text);
    if (!is_written && errno == ENOENT) {
        make_folders(cache);
        is_written = replace(path, beside, text);
    }
    if (!is_written && !cache->is_failing)
        log_event(LOG_WARNING, "cache_failed",
                  "%s: %s; scoring goes on, a restart will need the registry", path,
                  strerror(errno));
    cache->is_failing = !is_written;
    free(path);
    free(beside);
}

void registry_cache_store(struct registry_cache *cache, const struct schema_answer *answer)
{
    char name[40], *text;

    if (!cache->folder)
        return;
    snprintf(name, sizeof name, "%" PRIu64 ".json", answer->id);
    text = print(answer);
    if (text)
        write_file(cache, name, text);
    free(text);
}

static void name_id(char name[40], const char *subject, const char *text)
{
    char hex[SHA256_HEX + 1];
    struct sha256 hash;

    sha256_init(&hash);
    sha256_add(&hash, subject, strlen(subject) + 1);
    sha256_add(&hash, text, strlen(text));
    sha256_hex(&hash, hex);
    snprintf(name, 40, "%.16s.id", hex);
}

bool registry_cache_load_id(const struct registry_cache *cache, const char *subject,
                            const char *text, uint32_t *id)
{
    struct err err = ERR_INIT;
    char name[40], *path, *data;
    int64_t number;
    bool is_good;
    size_t len;

    if (!cache->folder)
        return false;
    name_id(name, subject, text);
    path = file_join(cache->folder, name);
    is_good = file_read(path, 20, &data, &len, &err) == 0;
    if (is_good) {
        is_good = integer_parse(data, len, 0, INT32_MAX, &number);
        *id = is_good ? (uint32_t)number : 0;
        free(data);
    }
    free(path);
    return is_good;
}

void registry_cache_store_id(struct registry_cache *cache, const char *subject, const char *text,
                             uint32_t id)
{
    char name[40], number[20];

    if (!cache->folder)
        return;
    name_id(name, subject, text);
    snprintf(number, sizeof number, "%" PRIu32, id);
    write_file(cache, name, number);
}
