#include "producer/transaction.h"

#include "core/kafka_conf.h"
#include "core/kafka_trouble.h"
#include "producer/client.h"

static bool is_fence(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR__FENCED || code == RD_KAFKA_RESP_ERR_PRODUCER_FENCED ||
           code == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH;
}

static bool is_denied(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED ||
           code == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED;
}

/* Whose permission is missing is named, and what else librdkafka has no words for. */
static void say(const struct producer *p, rd_kafka_resp_err_t code, const char *what,
                const char *text, struct err *err)
{
    int len = kafka_trouble_len(text);

    if (is_denied(code))
        err_fatal(err, EXIT_DENIED, "transactional.id %s: %s: %.*s: allow WRITE%s%s",
                  p->transactional_id, what, len, text, *p->login ? " to User:" : "", p->login);
    else if (code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED)
        err_dependency(err, "group %s: %s: %.*s: allow READ%s%s", config_group(p->config), what,
                       len, text, *p->login ? " to User:" : "", p->login);
    else if (code == RD_KAFKA_RESP_ERR_INVALID_TXN_STATE)
        err_dependency(err,
                       "%s: the brokers know of none, for it could not begin: one of its topics "
                       "may not be written, or is gone",
                       what);
    else
        err_dependency(err, "%s: %.*s", what, len, text);
}

/* What became of a call, and what must be done. Destroys the error. */
static enum transacted judge(struct producer *p, rd_kafka_error_t *error, const char *what,
                             struct err *err)
{
    char text[300];
    rd_kafka_resp_err_t code, cause;
    enum transacted result;

    if (!error)
        return TRANSACTED;
    code = cause = rd_kafka_error_code(error);
    snprintf(text, sizeof text, "%s", rd_kafka_error_string(error));
    if (rd_kafka_error_is_fatal(error) || code == RD_KAFKA_RESP_ERR__FATAL) {
        cause = rd_kafka_fatal_error(p->client, text, sizeof text);
        result = is_fence(code) || is_fence(cause) ? TRANSACT_FENCED : TRANSACT_DEAD;
    } else if (rd_kafka_error_txn_requires_abort(error)) {
        result = TRANSACT_ABORT;
    } else if (rd_kafka_error_is_retriable(error)) {
        result = TRANSACT_AGAIN;
    } else { /* a state that librdkafka does not leave again by a call (_STATE, _CONFLICT) */
        result = TRANSACT_DEAD;
    }
    rd_kafka_error_destroy(error);
    say(p, cause, what, text, err);
    return result;
}

enum transacted producer_init_transactions(struct producer *p, int timeout_ms, struct err *err)
{
    enum transacted said =
        judge(p, rd_kafka_init_transactions(p->client, timeout_ms), "preparing transactions", err);

    p->can_begin = said == TRANSACTED;
    return said;
}

bool producer_can_begin(const struct producer *p)
{
    return p->can_begin;
}

enum transacted producer_begin(struct producer *p, struct err *err)
{
    return judge(p, rd_kafka_begin_transaction(p->client), "beginning a transaction", err);
}

enum transacted producer_send_offsets(struct producer *p, const struct offset *offsets,
                                      size_t count, struct slice member, struct err *err)
{
    enum { WAIT_MS = 3000 }; /* not resumable: a call that is cut short is sent once more */
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    rd_kafka_consumer_group_metadata_t *metadata = NULL;
    rd_kafka_error_t *error =
        rd_kafka_consumer_group_metadata_read(&metadata, member.data, member.len);

    for (size_t i = 0; i < count; i++)
        rd_kafka_topic_partition_list_add(list, offsets[i].topic, offsets[i].partition)->offset =
            offsets[i].offset;
    if (!error)
        error = rd_kafka_send_offsets_to_transaction(p->client, list, metadata, WAIT_MS);
    rd_kafka_topic_partition_list_destroy(list);
    if (metadata)
        rd_kafka_consumer_group_metadata_destroy(metadata);
    return judge(p, error, "offsets of a transaction", err);
}

enum transacted producer_commit(struct producer *p, int timeout_ms, struct err *err)
{
    return judge(p, rd_kafka_commit_transaction(p->client, timeout_ms), "committing a transaction",
                 err);
}

enum transacted producer_abort(struct producer *p, int timeout_ms, struct err *err)
{
    return judge(p, rd_kafka_abort_transaction(p->client, timeout_ms), "aborting a transaction",
                 err);
}
