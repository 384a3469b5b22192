/* replays.h: kscore replay as a process, and the files that it writes read back. */
#ifndef TESTS_BROKER_REPLAYS_H
#define TESTS_BROKER_REPLAYS_H

#include "tests/broker/child.h"
#include "tests/broker/cluster.h"

#define replay_start(k, c, ...)                                                                    \
    child_command(k, c, "replay", (const char *const[]){__VA_ARGS__, NULL})

/* To its end, with that exit code; k->log is all that it printed. */
#define replay_exits(k, c, code, ...)                                                              \
    do {                                                                                           \
        replay_start(k, c, __VA_ARGS__);                                                           \
        child_expect_exit(k, code);                                                                \
    } while (0)
#define replay_runs(k, c, ...) replay_exits(k, c, 0, __VA_ARGS__)

/* Text is in what it printed. */
void replay_says(const struct child *child, const char *text);

/* A path in the test's folder; 8 buffers. */
const char *replay_path(const struct cluster *cluster, const char *name);

enum { LINES_MAX = 20000 };

/* A file of lines, JSON or CSV by its name: what each record of the input became. */
struct lines {
    char *text;
    char *at[CLUSTER_MAX_PARTITIONS][LINES_MAX]; /* by partition and offset, NULL: none */
    size_t count;
};

/* Fails unless it is whole, each place comes once, and a partition's in order. New. */
struct lines *lines_load(const char *path);
void lines_free(struct lines *lines);
/* Text is in the line of that place. */
void lines_say(const struct lines *lines, int32_t partition, int64_t offset, const char *text);
size_t lines_count(const char *path);

/* Records of an Avro container of scores, as avro-c reads it: each place once, and in order. */
size_t container_count(const char *path);

/* Fails unless both have the same lines, and as many as that. */
void lines_expect_same(const char *one, const char *other, size_t count);

#endif
