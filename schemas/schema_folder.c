#include "schemas/schema_folder.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/file.h"
#include "core/mem.h"
#include "core/text.h"
#include "schemas/avro_schema.h"

/* Ids that were asked for are read when they are polled. */
struct schema_folder {
    struct schema_source source;
    char *folder;
    uint64_t *asked;
    size_t count, cap;
};

static struct schema_folder *of(struct schema_source *source)
{
    return (struct schema_folder *)source;
}

static void add(struct schema_folder *f, uint64_t id)
{
    f->asked = mem_grow(f->asked, f->count, &f->cap, sizeof *f->asked);
    f->asked[f->count++] = id;
}

static void ask(struct schema_source *source, uint64_t id, int64_t now_ms)
{
    (void)now_ms;
    add(of(source), id);
}

static struct schema_answer read_file(const struct schema_folder *f, uint64_t id)
{
    struct schema_answer answer = {.id = id, .kind = SCHEMA_FAILED};
    struct err why = ERR_INIT;
    char name[32], *path, *text;
    size_t len;

    snprintf(name, sizeof name, "%" PRIu64 ".avsc", id);
    path = file_join(f->folder, name);
    errno = 0;
    if (file_read(path, SCHEMA_MAX_BYTES, &text, &len, &why) == 0) {
        answer.kind = SCHEMA_FOUND;
        answer.texts = mem_alloc(1, sizeof *answer.texts);
        answer.texts[answer.text_count++] = text;
        if (strlen(text) != len) /* JSON has none; what stands behind it would not be seen */
            *text = '\0';
    } else if (errno == ENOENT) {
        answer.kind = SCHEMA_MISSING;
    } else {
        if (errno == EFBIG || errno == EISDIR || errno == EINVAL)
            answer.kind = SCHEMA_BAD;
        answer.words = mem_copy_text(why.text, strlen(why.text));
    }
    free(path);
    return answer;
}

static bool poll(struct schema_source *source, struct schema_answer *answer)
{
    struct schema_folder *f = of(source);

    if (f->count == 0)
        return false;
    *answer = read_file(f, f->asked[--f->count]);
    return true;
}

/* "17.avsc" */
static bool is_schema_file(const char *name, uint32_t *id)
{
    size_t len = strlen(name);
    int64_t number;

    if (len < 6 || strcmp(name + len - 5, ".avsc") != 0 || (name[0] == '0' && len != 6) ||
        !integer_parse(name, len - 5, 0, UINT32_MAX, &number))
        return false;
    *id = (uint32_t)number;
    return true;
}

static int start(struct schema_source *source, struct err *err)
{
    struct schema_folder *f = of(source);
    DIR *dir = opendir(f->folder);
    const struct dirent *entry;
    uint32_t id;

    if (!dir)
        return err_fatal(err, EXIT_IO, "%s: %s", source->name, strerror(errno));
    while ((entry = readdir(dir)) != NULL)
        if (is_schema_file(entry->d_name, &id))
            add(f, id);
    closedir(dir);
    if (f->count > SCHEMA_FOLDER_MAX)
        return err_fatal(err, EXIT_CONFIGURATION, "%s: more than %d schemas", source->name,
                         SCHEMA_FOLDER_MAX);
    return 0;
}

static void folder_free(struct schema_source *source)
{
    struct schema_folder *f = of(source);

    free((char *)source->name);
    free(f->folder);
    free(f->asked);
    free(f);
}

struct schema_source *schema_folder_new(const char *folder)
{
    struct schema_folder *f = mem_alloc(1, sizeof *f);
    size_t cap = strlen(folder) + sizeof "schema folder ";
    char *name = mem_alloc(cap, 1);

    snprintf(name, cap, "schema folder %s", folder);
    f->folder = mem_copy_text(folder, strlen(folder));
    f->source = (struct schema_source){.name = name,
                                       .keep_ms = SCHEMA_FOLDER_KEEP_MS,
                                       .start = start,
                                       .ask = ask,
                                       .poll = poll,
                                       .free = folder_free};
    return &f->source;
}
