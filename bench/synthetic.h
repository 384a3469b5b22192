/* synthetic.h: a model and events that every benchmark can make for itself: nothing to download,
 * equal on every machine.
 *
 * 30 features: 8 doubles, 4 floats, 5 ints, 3 longs, 8 nullable doubles (30 % null), an enum and a
 * boolean, behind a string id and a time: 100 trees of depth 6 with thresholds at random quantiles
 * of their feature, so that branches are as hard to foresee as they get.
 */
#ifndef BENCH_SYNTHETIC_H
#define BENCH_SYNTHETIC_H

#include <stddef.h>
#include <stdint.h>

enum { SYNTHETIC_FEATURES = 30, SYNTHETIC_SCHEMA_ID = 77, SYNTHETIC_EVENT_MAX = 2048 };

struct synthetic {
    uint64_t state; /* splitmix64 */
};

/* One event in all its forms. */
struct synthetic_event {
    char key[24];
    size_t key_len;
    float row[SYNTHETIC_FEATURES];
    uint8_t avro[SYNTHETIC_EVENT_MAX]; /* Confluent frame and body */
    size_t avro_len;
    char json[SYNTHETIC_EVENT_MAX];
    size_t json_len;
};

void synthetic_next(struct synthetic *source, struct synthetic_event *event);

/* The Avro schema's text, static. */
const char *synthetic_schema(void);

/* Writes a bundle (model.json, model.ini, channel.csv) and schemas/77.avsc below folder, which must
 * exist. Returns -1 and prints why when it cannot. */
int synthetic_write(const char *folder, int tree_count, int depth);

#endif
