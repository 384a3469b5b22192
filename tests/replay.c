#include "tests/replay.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/file.h"
#include "tests/events.h"

enum { MAX_FILE = 1 << 20, MAX_CUT = 4 << 10 };

static void replay(const char *data, size_t len, void (*one)(const uint8_t *data, size_t len))
{
    uint8_t *exact = events_exact(data, len);

    one(exact, len);
    free(exact);
}

static void replay_file(const char *path, void (*one)(const uint8_t *data, size_t len))
{
    struct err err = ERR_INIT;
    char *data;
    size_t len;

    ck_assert_msg(file_read(path, MAX_FILE, &data, &len, &err) == 0, "%s", err.text);
    mark_point();
    replay(data, len, one);
    for (size_t cut = 0; len <= MAX_CUT && cut < len; cut++)
        replay(data, cut, one);
    free(data);
}

void replay_corpus(const char *name, void (*one)(const uint8_t *data, size_t len))
{
    char folder[200];
    const struct dirent *entry;
    size_t count = 0;
    DIR *dir;

    snprintf(folder, sizeof folder, "tests/fuzz/corpus/%s", name);
    dir = opendir(folder);
    ck_assert_msg(dir != NULL, "%s cannot be opened", folder);
    while ((entry = readdir(dir)) != NULL) {
        char *path;
        if (entry->d_name[0] == '.')
            continue;
        path = file_join(folder, entry->d_name);
        fprintf(stderr, "%s\n", path); /* the last one is the one that crashed */
        replay_file(path, one);
        free(path);
        count++;
    }
    closedir(dir);
    ck_assert_msg(count > 0, "%s is empty", folder);
}
