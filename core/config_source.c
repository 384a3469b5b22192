#include "core/config_source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/mem.h"

/* A dollar and braces in a password are no variable, and what stands in them is not to be said. */
static bool is_variable(const char *name)
{
    return name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")] ==
           '\0';
}

static int not_set(struct ini *ini, const struct ini_entry *entry, const char *name,
                   struct err *err)
{
    bool is_said = is_variable(name);

    return ini_fail(ini, entry, err,
                    "environment variable %s is not set (%s.%s; write $${ for a plain ${)",
                    is_said ? name : "in ${}", entry->section, entry->name);
}

/* ${NAME} from the environment, into a new text. */
static char *expand(struct ini *ini, const struct ini_entry *entry, struct err *err)
{
    char *out = mem_alloc(strlen(entry->value) + 1, 1);
    size_t len = 0;

    for (const char *p = entry->value; *p;) {
        const char *close = strncmp(p, "${", 2) == 0 ? strchr(p, '}') : NULL;
        if (strncmp(p, "$${", 3) == 0) {
            p++;
            out[len++] = *p++;
        } else if (close) {
            char *name = mem_copy_text(p + 2, (size_t)(close - p - 2));
            const char *value = getenv(name);
            if (!value) {
                not_set(ini, entry, name, err);
                free(name);
                free(out);
                return NULL;
            }
            free(name);
            out = mem_resize(out, len + strlen(value) + strlen(close) + 1, 1);
            memcpy(out + len, value, strlen(value));
            len += strlen(value);
            p = close + 1;
        } else {
            out[len++] = *p++;
        }
    }
    out[len] = '\0';
    return out;
}

static const char *without_path(const struct err *why, const struct ini_entry *entry)
{
    size_t len = strlen(entry->value) + strlen(": ");

    return config_is_secret(entry->name) && len < strlen(why->text) ? why->text + len : why->text;
}

/* key_FILE: the file's text without the line end becomes the value of key. A secret itself may
 * stand where its file should: then the path is not said. */
static int read_value_file(struct ini *ini, struct ini_entry *entry, struct err *err)
{
    enum { MAX_BYTES = 64 << 10 };
    size_t name_len = strlen(entry->name) - 5, len;
    struct err why = ERR_INIT;
    char *text;

    entry->name[name_len] = '\0';
    for (size_t i = 0; i < ini->count; i++) {
        struct ini_entry *other = &ini->entries[i];
        if (other != entry && strcmp(other->section, entry->section) == 0 &&
            strcmp(other->name, entry->name) == 0)
            return ini_fail(ini, entry, err, "%s and %s_FILE are both set", entry->name,
                            entry->name);
    }
    if (file_read(entry->value, MAX_BYTES, &text, &len, &why) != 0)
        return err_fatal(err, why.exit_code, "%s:%d: %s_FILE: %s", ini->file, entry->line,
                         entry->name, without_path(&why, entry));
    while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
        text[--len] = '\0';
    free(entry->value);
    entry->value = text;
    if (strlen(text) != len)
        return ini_fail(ini, entry, err, "%s_FILE: holds a NUL byte", entry->name);
    return 0;
}

static int expand_all(struct ini *ini, struct err *err)
{
    for (size_t i = 0; i < ini->count; i++) {
        struct ini_entry *entry = &ini->entries[i];
        size_t len = strlen(entry->name);
        char *value;
        if (!config_is_secret(entry->name) && ini_refuse_comment(ini, entry, err) != 0)
            return -1;
        value = expand(ini, entry, err);
        if (!value)
            return -1;
        free(entry->value);
        entry->value = value;
        if (len > 5 && strcmp(entry->name + len - 5, "_FILE") == 0 &&
            read_value_file(ini, entry, err) != 0)
            return -1;
    }
    return 0;
}

/* As far as it is a key: behind that may be a secret that somebody forgot the = of. */
static int not_an_override(const char *text, struct err *err)
{
    return err_fatal(err, EXIT_USAGE, "-s %.*s: expected section.key=value",
                     (int)strcspn(text, "=: \t,;"), text);
}

static int apply_override(struct ini *ini, const char *text, struct err *err)
{
    const char *dot = strchr(text, '.'), *equals = strchr(text, '=');
    char *section, *name;

    if (!dot || !equals || dot == text || equals < dot + 2)
        return not_an_override(text, err);
    section = mem_copy_text(text, (size_t)(dot - text));
    name = mem_copy_text(dot + 1, (size_t)(equals - dot - 1));
    if (config_is_secret(name) || config_holds_user(equals + 1))
        err_fatal(
            err, EXIT_USAGE,
            "-s %s.%s: secrets do not go on the command line, where ps shows them; use ${ENV} or "
            "%s_FILE in the file",
            section, name, name);
    else
        ini_set(ini, section, name, equals + 1);
    free(section);
    free(name);
    return err_is_set(err) ? -1 : 0;
}

int config_source_resolve(struct ini *ini, const struct config_overrides *overrides,
                          struct err *err)
{
    for (size_t i = 0; overrides && i < overrides->count; i++)
        if (apply_override(ini, overrides->items[i], err) != 0)
            return -1;
    return expand_all(ini, err);
}
