/* registry.h: the real schema registry that tests/registry runs, for suites on the real broker.
 *
 * It is started for each test, below the broker's folder. It keeps all in memory, and is
 * empty when it is started again.
 */
#ifndef TESTS_BROKER_REGISTRY_H
#define TESTS_BROKER_REGISTRY_H

#include <stdbool.h>
#include <stdint.h>

/* Fixtures of a test. Started again it is empty, on the same port. */
void registry_start(void);
void registry_stop(void);

/* SIGSTOP: it takes connections and answers nothing; SIGCONT. */
void registry_pause(bool is_paused);

/* For [schemas] registry.url. */
const char *registry_url(void);

/* Registers a schema (' for ") under a subject, with references as JSON (' for ") or NULL; returns
 * its id. */
uint32_t registry_register(const char *subject, const char *schema, const char *references);

#endif
