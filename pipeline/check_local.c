/* check_local.c: what lies on this machine. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/ini.h"
#include "core/mem.h"
#include "pipeline/alerts.h"
#include "pipeline/checks.h"
#include "pipeline/shared.h"

void check_configuration(struct checker *c)
{
    if (c->config)
        check_say(c, CHECK_PROVEN, "%s: %s, group %s", c->options->path, c->config->name,
                  config_group(c->config));
    else
        check_fail(c, c->options->config_error);
}

/* ---- secrets */

static bool is_open_to_others(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 && (info.st_mode & S_IROTH) != 0;
}

/* The file that holds the entry's secret; NULL when it holds none. */
static const char *file_of_secret(const struct checker *c, const struct ini_entry *entry)
{
    size_t len = strlen(entry->name);
    bool is_in_file = len > 5 && strcmp(entry->name + len - 5, "_FILE") == 0;

    if (strcmp(entry->name, "ssl.key.location") == 0 ||
        strcmp(entry->name, "ssl.keystore.location") == 0)
        return entry->value;
    if (!config_is_secret(entry->name))
        return config_holds_user(entry->value) ? c->options->path : NULL;
    if (is_in_file)
        return entry->value;
    return strstr(entry->value, "${") ? NULL : c->options->path;
}

/* The file is read once more: a configuration does not keep where its values came from. */
void check_secrets(struct checker *c)
{
    struct err ignored = ERR_INIT;
    struct ini ini;
    size_t count = 0, open_count = 0;

    if (ini_load(&ini, c->options->path, EXIT_CONFIGURATION, &ignored) != 0)
        return;
    for (size_t i = 0; i < ini.count; i++) {
        const struct ini_entry *entry = &ini.entries[i];
        const char *path = file_of_secret(c, entry);
        count += path != NULL;
        if (!path || !is_open_to_others(path))
            continue;
        open_count++;
        check_say(c, CHECK_REMARK, "%s holds the secret %s.%s and everybody here may read it", path,
                  entry->section, entry->name);
    }
    if (count > 0 && open_count == 0)
        check_say(c, CHECK_PROVEN, "%zu in files that not everybody may read", count);
    ini_release(&ini);
}

/* ---- model */

void check_model(struct checker *c)
{
    struct err err = ERR_INIT;
    struct alerts alerts;

    if (shared_load_bundle(c->config, c->config->model_path, &c->bundle, &err) != 0 ||
        alerts_init(&alerts, c->config, c->bundle, &err) != 0) {
        check_fail(c, &err);
        return;
    }
    check_say(c, CHECK_PROVEN, "%s %s, digest %.12s, %s", c->bundle->name, c->bundle->version,
              c->bundle->digest, model_summary(c->bundle->model));
    if (c->bundle->golden_count > 0)
        check_say(c, CHECK_PROVEN, "all %zu goldens hold", c->bundle->golden_count);
    else
        check_say(c, CHECK_NOT_PROVEN,
                  "the bundle has no golden.jsonl: nothing shows that its scores are those of the "
                  "training");
}

/* ---- cache */

/* The folder, or the first above it that is there: where it would be made. */
static char *nearest_folder(const char *path)
{
    char *copy = mem_copy_text(path, strlen(path));

    while (access(copy, F_OK) != 0 && errno == ENOENT) {
        char *slash = strrchr(copy, '/');
        if (!slash) {
            copy[0] = '.';
            copy[1] = '\0';
            break;
        }
        slash[slash == copy] = '\0';
    }
    return copy;
}

void check_cache(struct checker *c)
{
    const char *path = c->config->schema_cache;
    struct err err = ERR_INIT;
    struct stat info;
    char *folder;

    if (!*path || !*c->config->registry_url)
        return;
    folder = nearest_folder(path);
    if (stat(folder, &info) == 0 && !S_ISDIR(info.st_mode))
        err_fatal(&err, EXIT_IO, "[schemas] cache %s: %s is no folder", path, folder);
    else if (access(folder, W_OK | X_OK) != 0)
        err_fatal(&err, EXIT_IO, "[schemas] cache %s: %s: %s", path, folder, strerror(errno));
    if (err_is_set(&err))
        check_fail(c, &err);
    else
        check_say(c, CHECK_PROVEN, "%s can be written", path);
    free(folder);
}
