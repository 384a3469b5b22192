/* kafka_conf.h: librdkafka's configuration for the two clients, from the user's keys and ours.
 *
 * Order, later wins: presets that suit kscore (a user may change them), [kafka], the client's own
 * section, then the keys that kscore owns because a promise rests on them. Setting an owned key is
 * an error that names the key of ours to use (one table, kafka_conf.c).
 *
 * What consumer/ and producer/ both need of librdkafka lives here: making a configuration, and
 * turning the library's errors into orders.
 */
#ifndef CORE_KAFKA_CONF_H
#define CORE_KAFKA_CONF_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/config.h"
#include "core/err.h"

/* With delivery = exactly_once: readers wait that long behind a writer that crashed. Records must
 * be delivered before, for a transaction that is older is fatal to its producer. */
enum { KAFKA_TRANSACTION_MS = 30000, KAFKA_TRANSACTION_MESSAGE_MS = 20000 };

/* librdkafka's first whose cooperative rebalances can be relied on. */
enum { KAFKA_COOPERATIVE_VERSION = 0x020a00ff };

enum kafka_role { KAFKA_CONSUMER, KAFKA_PRODUCER };

/* A key that kscore sets unless a user does; one that a user may not set, and what is said then.
 * For docs/kafka-settings.md and its test. */
struct kafka_preset {
    enum kafka_role role;
    const char *name, *value;
};
struct kafka_owned {
    const char *name, *remedy;
};
const struct kafka_preset *kafka_conf_presets(size_t *count);
const struct kafka_owned *kafka_conf_owned(size_t *count);

/* The librdkafka that runs: "2.0.2". Static. */
const char *kafka_conf_version(void);

/* librdkafka knows this key. */
bool kafka_conf_is_key(const char *name);

/* A user may set this key to this value; else false and why, never with a secret in it. */
bool kafka_conf_check(const char *name, const char *value, char *why, size_t cap);

/* A configuration with everything but callbacks and opaque; the caller owns it (rd_kafka_new takes
 * it over). NULL and EXIT_CONFIGURATION when librdkafka refuses a value. */
rd_kafka_conf_t *kafka_conf_new(const struct config *config, enum kafka_role role, struct err *err);

/* What a client of that role has for a key, as librdkafka prints it, "" when nothing. -1 as
 * kafka_conf_new. */
int kafka_conf_read(const struct config *config, enum kafka_role role, const char *name, char *out,
                    size_t cap, struct err *err);

/* Adds a preset or owned key; aborts when librdkafka refuses it: our own bug. */
void kafka_conf_set(rd_kafka_conf_t *conf, const char *name, const char *value);

/* Makes the client and hands it its configuration; logs come out as event=kafka. NULL and
 * EXIT_CONFIGURATION. */
rd_kafka_t *kafka_client_new(rd_kafka_type_t type, rd_kafka_conf_t *conf, struct err *err);

/* librdkafka's error as an order: what a start-up must do about it (denied 77, missing topic 78,
 * the rest waits). `what` says what was tried. Returns -1. */
int kafka_err(struct err *err, rd_kafka_resp_err_t code, const char *what);

/* Destroys a client within timeout_ms. False: it hung (librdkafka #4187, #4724) and goes on in a
 * thread of its own; nothing depends on it any more. */
bool kafka_client_destroy(rd_kafka_t *client, int timeout_ms);

#endif
