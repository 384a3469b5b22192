#include "pipeline/replay_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/ini.h"
#include "core/mem.h"
#include "core/text.h"

enum { VERSION = 1 };

static const struct text_row {
    const char *name;
    size_t offset;
} texts[] = {{"job", offsetof(struct replay_state, job)},
             {"run", offsetof(struct replay_state, run)},
             {"digest", offsetof(struct replay_state, digest)}},
  numbers[] = {{"scored", offsetof(struct replay_state, scored)},
               {"dead", offsetof(struct replay_state, dead)},
               {"skipped", offsetof(struct replay_state, skipped)},
               {"score_bytes", offsetof(struct replay_state, score_bytes)},
               {"dead_bytes", offsetof(struct replay_state, dead_bytes)},
               {"finished", offsetof(struct replay_state, is_finished)}};

enum { TEXTS = sizeof texts / sizeof texts[0], NUMBERS = sizeof numbers / sizeof numbers[0] };

void replay_state_add(struct replay_state *s, const struct replay_part *part)
{
    s->parts = mem_grow(s->parts, s->part_count, &s->part_cap, sizeof *s->parts);
    s->parts[s->part_count] = *part;
    s->parts[s->part_count++].topic = mem_copy_text(part->topic, strlen(part->topic));
}

void replay_state_release(struct replay_state *s)
{
    for (size_t i = 0; i < TEXTS; i++)
        free(*(char **)((char *)s + texts[i].offset));
    for (size_t i = 0; i < s->part_count; i++)
        free(s->parts[i].topic);
    free(s->parts);
    *s = (struct replay_state){0};
}

int64_t replay_state_passed(const struct replay_state *s)
{
    int64_t sum = 0;

    for (size_t i = 0; i < s->part_count; i++)
        sum += s->parts[i].next - s->parts[i].from;
    return sum;
}

int64_t replay_state_total(const struct replay_state *s)
{
    int64_t sum = 0;

    for (size_t i = 0; i < s->part_count; i++)
        sum += s->parts[i].to - s->parts[i].from;
    return sum;
}

/* ---- reading */

static int damaged(const struct ini *ini, const struct ini_entry *entry, struct err *err)
{
    return ini_fail(ini, entry, err, "%s%sis no state of a replay; delete it to begin anew",
                    entry ? entry->name : "it", entry ? ": this " : " ");
}

static bool take_number(const char **text, int64_t *number)
{
    size_t len = strcspn(*text, " ");
    bool is_number = integer_parse(*text, len, 0, INT64_MAX, number);

    *text += len + strspn(*text + len, " ");
    return is_number;
}

/* "payments/3 = 0 812 1000". A topic's name has no slash. */
static int take_part(struct replay_state *s, const struct ini *ini, const struct ini_entry *entry,
                     struct err *err)
{
    char *slash = strchr(entry->name, '/');
    const char *text = entry->value;
    struct replay_part part = {.topic = entry->name};
    int64_t partition;

    if (!slash || slash == entry->name ||
        !integer_parse(slash + 1, strlen(slash + 1), 0, INT32_MAX, &partition) ||
        !take_number(&text, &part.from) || !take_number(&text, &part.next) ||
        !take_number(&text, &part.to) || *text || part.next < part.from || part.to < part.next)
        return damaged(ini, entry, err);
    *slash = '\0';
    part.partition = (int32_t)partition;
    replay_state_add(s, &part);
    *slash = '/';
    return 0;
}

static int take_all(struct replay_state *s, const struct ini *ini, struct err *err)
{
    const struct ini_entry *entry = ini_find(ini, "replay", "version");
    int64_t version, count;

    if (!entry || !integer_parse(entry->value, strlen(entry->value), VERSION, VERSION, &version))
        return damaged(ini, entry, err);
    for (size_t i = 0; i < TEXTS; i++) {
        entry = ini_find(ini, "replay", texts[i].name);
        if (!entry)
            return damaged(ini, NULL, err);
        *(char **)((char *)s + texts[i].offset) = mem_copy_text(entry->value, strlen(entry->value));
    }
    for (size_t i = 0; i < NUMBERS; i++) {
        entry = ini_find(ini, "replay", numbers[i].name);
        if (!entry || !integer_parse(entry->value, strlen(entry->value), 0, INT64_MAX,
                                     (int64_t *)((char *)s + numbers[i].offset)))
            return damaged(ini, entry, err);
    }
    for (size_t i = 0; i < ini->count; i++)
        if (strcmp(ini->entries[i].section, "partitions") == 0 &&
            take_part(s, ini, &ini->entries[i], err) != 0)
            return -1;
    entry = ini_find(ini, "replay", "partitions");
    if (!entry || !integer_parse(entry->value, strlen(entry->value), 0, INT64_MAX, &count) ||
        count != (int64_t)s->part_count)
        return damaged(ini, entry, err);
    return 0;
}

int replay_state_load(struct replay_state *s, const char *path, struct err *err)
{
    struct ini ini;
    int result;

    *s = (struct replay_state){0};
    if (access(path, F_OK) != 0 && errno == ENOENT)
        return 1;
    if (ini_load(&ini, path, EXIT_DATA, err) != 0)
        return -1;
    result = take_all(s, &ini, err);
    ini_release(&ini);
    if (result != 0)
        replay_state_release(s);
    return result;
}

/* ---- writing */

static void print(const struct replay_state *s, FILE *out)
{
    fprintf(out,
            "; how far a replay is: the same command goes on from here\n[replay]\n"
            "version = %d\n",
            VERSION);
    for (size_t i = 0; i < TEXTS; i++)
        fprintf(out, "%s = %s\n", texts[i].name,
                *(char *const *)((const char *)s + texts[i].offset));
    for (size_t i = 0; i < NUMBERS; i++)
        fprintf(out, "%s = %lld\n", numbers[i].name,
                (long long)*(const int64_t *)((const char *)s + numbers[i].offset));
    fprintf(out, "partitions = %zu\n[partitions]\n", s->part_count);
    for (size_t i = 0; i < s->part_count; i++) {
        const struct replay_part *part = &s->parts[i];
        fprintf(out, "%s/%d = %lld %lld %lld\n", part->topic, part->partition,
                (long long)part->from, (long long)part->next, (long long)part->to);
    }
}

static int fail(const char *path, struct err *err)
{
    return err_fatal(err, EXIT_IO, "%s: %s", path, strerror(errno));
}

int replay_state_save(const struct replay_state *s, const char *path, struct err *err)
{
    size_t cap = strlen(path) + sizeof ".new";
    char *fresh = mem_alloc(cap, 1);
    FILE *out;
    int result = -1;

    snprintf(fresh, cap, "%s.new", path);
    out = fopen(fresh, "we");
    if (!out) {
        fail(fresh, err);
        goto end;
    }
    print(s, out);
    if (fflush(out) != 0 || ferror(out) || fdatasync(fileno(out)) != 0)
        fail(fresh, err);
    if (fclose(out) == 0 && !err_is_set(err) && rename(fresh, path) == 0)
        result = 0;
    else
        fail(path, err);
end:
    free(fresh);
    return result;
}
