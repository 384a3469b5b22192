#include "core/kafka_trouble.h"

#include <stdio.h>
#include <string.h>

/* What librdkafka says, and what that means; "" where nothing need be added. The first that fits
 * counts. */
static const struct {
    const char *words, *remedy;
    int below_version; /* of librdkafka, 0: all */
} remedies[] = {
    {"mechanism SCRAM", " (or the password is right: SCRAM on Kafka 4 needs librdkafka 2.6.1)",
     0x020601ff},
    {"alert bad certificate",
     " (the broker asks for ours: ssl.certificate.location, ssl.key.location)", 0},
    {"alert certificate required",
     " (the broker asks for ours: ssl.certificate.location, ssl.key.location)", 0},
    {"ssl.key.location failed", " (is ssl.key.password right?)", 0},
    {"sasl.kerberos", " (sasl.mechanism is GSSAPI, Kerberos, unless it is set)", 0},
    {"Connection refused", "", 0},
    {"Failed to resolve", "", 0},
};

/* NULL when there is none. */
static const char *find_remedy(const char *reason)
{
    for (size_t i = 0; i < sizeof remedies / sizeof remedies[0]; i++)
        if (strstr(reason, remedies[i].words) &&
            (!remedies[i].below_version || rd_kafka_version() < remedies[i].below_version))
            return remedies[i].remedy;
    return NULL;
}

const char *kafka_trouble_remedy(const char *reason)
{
    const char *remedy = find_remedy(reason);

    return remedy ? remedy : "";
}

int kafka_trouble_len(const char *reason)
{
    const char *end = strstr(reason, " (after ");

    return (int)(end ? (size_t)(end - reason) : strlen(reason));
}

void kafka_trouble_take(struct kafka_trouble *t, rd_kafka_resp_err_t code, const char *reason)
{
    const char *broker_end = strstr(reason, ": ");

    /* That one follows from the others and says less. */
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
        return;
    t->code = code;
    t->is_clear = true;
    /* In several wordings, all of which blame ssl.ca.location. */
    if (strstr(reason, "certificate verify failed")) {
        snprintf(t->text, sizeof t->text,
                 "%.*s: its certificate is refused, facility=SSLCERTVRFY says which and why",
                 broker_end ? (int)(broker_end - reason) : 0, reason);
        return;
    }
    t->is_clear = find_remedy(reason) != NULL;
    snprintf(t->text, sizeof t->text, "%.*s%s", kafka_trouble_len(reason), reason,
             kafka_trouble_remedy(reason));
}

int kafka_trouble_explain(const struct kafka_trouble *t, rd_kafka_t *client, struct err *err)
{
    struct err bare = *err;
    char protocol[32] = "", *local = strstr(bare.text, ": Local: ");
    size_t size = sizeof protocol;

    if (err->kind != ERR_DEPENDENCY)
        return -1;
    /* "Timed out" or "Broker transport failure", as it happens: the same trouble twice. */
    if (local)
        *local = '\0';
    err_reset(err);
    if (t->code == RD_KAFKA_RESP_ERR__AUTHENTICATION)
        return err_fatal(err, EXIT_DENIED, "%s: %s", bare.text, t->text);
    if (t->is_clear)
        return err_dependency(err, "%s: no answer (%s)", bare.text, t->text);
    /* A broker said no: it was reached, and its port is the right one. */
    if (!local && strstr(bare.text, ": Broker: "))
        return err_dependency(err, "%s", bare.text);
    if (!client)
        return err_dependency(err, "%s: no answer (%s)", bare.text,
                              t->code ? t->text : "the brokers do not say why");
    rd_kafka_conf_get(rd_kafka_conf(client), "security.protocol", protocol, &size);
    return err_dependency(err, "%s: no answer (%s); is that port one for security.protocol = %s?",
                          bare.text, t->code ? t->text : "the brokers do not say why", protocol);
}

/* Numbers of OpenSSL's x509_vfy.h, which are part of its interface. */
int kafka_trouble_on_certificate(rd_kafka_t *client, const char *broker, int32_t id,
                                 int *x509_error, int depth, const char *der, size_t len, char *why,
                                 size_t cap, void *opaque)
{
    const char *text = "it cannot be verified";

    (void)client, (void)broker, (void)id, (void)depth, (void)der, (void)len, (void)opaque;
    switch (*x509_error) {
    case 0: return 1;
    case 9: text = "it is not valid yet (or a clock is wrong)"; break;
    case 10: text = "it has expired (or a clock is wrong)"; break;
    case 18:
    case 19:
    case 20:
    case 21: text = "it is not signed by anybody in ssl.ca.location"; break;
    case 23: text = "it was revoked"; break;
    case 62:
    case 64: text = "it is for another host than the one we connect to"; break;
    }
    snprintf(why, cap, "%s (X.509 error %d)", text, *x509_error);
    return 0;
}
