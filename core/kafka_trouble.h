/* kafka_trouble.h: why there is no connection, in one line for a person.
 *
 * Calls of librdkafka that wait say only that time ran out. The cause (a certificate, a password, a
 * port of another protocol) is told to the client's error callback, in librdkafka's words, with
 * milliseconds and counts that make the same trouble read differently each time. A client's
 * callback hands them in, whoever waited asks for the line.
 *
 * A plain value, zero at first, of whoever owns the client; its thread.
 */
#ifndef CORE_KAFKA_TROUBLE_H
#define CORE_KAFKA_TROUBLE_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>

#include "core/err.h"

struct kafka_trouble {
    rd_kafka_resp_err_t code; /* of the last cause, 0: none was heard */
    bool is_clear;            /* text says what to do, or needs no more words */
    char text[500];
};

/* From an error callback. */
void kafka_trouble_take(struct kafka_trouble *trouble, rd_kafka_resp_err_t code,
                        const char *reason);

/* err says that the client's brokers did not answer in time: adds why. A login that was refused
 * makes it fatal, EXIT_DENIED. Errors that are no dependency stay as they are. client NULL: they
 * have answered before, so that their port is the right one. Returns -1. */
int kafka_trouble_explain(const struct kafka_trouble *trouble, rd_kafka_t *client, struct err *err);

/* How much of librdkafka's words to say: without "(after 3ms in state CONNECT, 2 identical error(s)
 * suppressed)", so that the same trouble reads the same and is counted. */
int kafka_trouble_len(const char *reason);

/* " (a remedy)" for what librdkafka says, or "". */
const char *kafka_trouble_remedy(const char *reason);

/* For rd_kafka_conf_set_ssl_cert_verify_cb: librdkafka decides, this says why, in a line of
 * librdkafka's that names the certificate. On the broker's thread. */
int kafka_trouble_on_certificate(rd_kafka_t *client, const char *broker, int32_t id,
                                 int *x509_error, int depth, const char *der, size_t len, char *why,
                                 size_t cap, void *opaque);

#endif
