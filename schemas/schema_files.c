#include "schemas/schema_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/file.h"
#include "core/mem.h"
#include "core/schema_id.h"

struct file {
    char *name;
    char *trouble; /* why it is no schema, until it is told; else NULL */
    struct timespec changed;
    off_t size;
    ino_t inode; /* a file that was moved into the place of another may be as old and as long */
};

struct schema_files {
    char *folder;
    struct file *items;
    size_t count, cap;
    size_t next; /* a folder is mostly listed in the order of last time */
};

struct schema_files *schema_files_new(const char *folder)
{
    struct schema_files *f = mem_alloc(1, sizeof *f);

    f->folder = mem_copy_text(folder, strlen(folder));
    return f;
}

void schema_files_free(struct schema_files *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < f->count; i++) {
        free(f->items[i].name);
        free(f->items[i].trouble);
    }
    free(f->items);
    free(f->folder);
    free(f);
}

static struct file *find(struct schema_files *f, const char *name)
{
    for (size_t i = 0; i < f->count; i++) {
        size_t at = (f->next + i) % f->count;
        if (strcmp(f->items[at].name, name) != 0)
            continue;
        f->next = at;
        return &f->items[at];
    }
    return NULL;
}

static bool is_same(const struct file *file, const struct stat *info)
{
    return file->changed.tv_sec == info->st_mtim.tv_sec &&
           file->changed.tv_nsec == info->st_mtim.tv_nsec && file->size == info->st_size &&
           file->inode == info->st_ino;
}

static void note(struct schema_files *f, const char *name, const struct stat *info,
                 const char *trouble)
{
    struct file *file = find(f, name);

    if (!file) {
        f->items = mem_grow(f->items, f->count, &f->cap, sizeof *f->items);
        file = &f->items[f->count++];
        *file = (struct file){.name = mem_copy_text(name, strlen(name))};
    }
    file->changed = info->st_mtim;
    file->size = info->st_size;
    file->inode = info->st_ino;
    free(file->trouble);
    file->trouble = trouble ? mem_copy_text(trouble, strlen(trouble)) : NULL;
}

typedef void taker(void *arg, const char *name, struct avro_schema *schema);

/* A file that is gone between listing and reading is no trouble. */
static int read_one(struct schema_files *f, const char *name, const char *path, taker *take,
                    void *arg, struct err *err)
{
    struct avro_schema *schema;
    struct err why = ERR_INIT;
    struct stat info;
    char *data;
    size_t len;

    if (stat(path, &info) != 0)
        return errno == ENOENT ? 0 : err_dependency(err, "%s: %s", path, strerror(errno));
    if (find(f, name) && is_same(find(f, name), &info))
        return 0;
    errno = 0;
    if (file_read(path, SCHEMA_MAX_BYTES, &data, &len, &why) != 0) {
        if (errno == ENOENT)
            return 0;
        if (errno != EFBIG && errno != EISDIR && errno != EINVAL)
            return err_dependency(err, "%s", why.text);
        note(f, name, &info, why.text);
        return 0;
    }
    if (avro_schema_parse(&schema, data, len, &why) == 0)
        take(arg, name, schema);
    note(f, name, &info, schema ? NULL : why.text);
    free(data);
    return 0;
}

static bool is_schema_file(const char *name)
{
    size_t len = strlen(name);

    return *name != '.' && len > 5 && strcmp(name + len - 5, ".avsc") == 0;
}

int schema_files_read(struct schema_files *f, taker *take, void *arg, struct err *err)
{
    DIR *dir = opendir(f->folder);
    const struct dirent *entry;
    int result = 0;

    if (!dir)
        return err_dependency(err, "schema folder %s: %s", f->folder, strerror(errno));
    while (result == 0 && (entry = readdir(dir)) != NULL) {
        char *path;
        if (!is_schema_file(entry->d_name))
            continue;
        path = file_join(f->folder, entry->d_name);
        if (f->count == SCHEMA_FILES_MAX && !find(f, entry->d_name))
            result = err_dependency(err, "schema folder %s: more than %d schemas", f->folder,
                                    SCHEMA_FILES_MAX);
        else
            result = read_one(f, entry->d_name, path, take, arg, err);
        free(path);
        f->next++;
    }
    closedir(dir);
    return result;
}

void schema_files_report(struct schema_files *f,
                         void (*say)(void *arg, int64_t schema_id, bool usable, const char *text),
                         void *arg)
{
    for (size_t i = 0; i < f->count; i++) {
        struct file *file = &f->items[i];
        char text[1200];
        if (!file->trouble)
            continue;
        snprintf(text, sizeof text, "%s: %s", file->name, file->trouble);
        say(arg, SCHEMA_ID_NONE, false, text);
        free(file->trouble);
        file->trouble = NULL;
    }
}
