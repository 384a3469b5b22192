#include "producer/transaction.h"

#include <assert.h>
#include <stdlib.h>

#include "core/errand.h"
#include "core/kafka_conf.h"
#include "core/kafka_trouble.h"
#include "core/mem.h"
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

/* librdkafka (2.0.2 to 2.16) waits in this call for the brokers' answers without end, whatever
 * time-out it is given: some socket.timeout.ms where they hang (RD_POLL_INFINITE in
 * rd_kafka_send_offsets_to_transaction). Hence the errand. */
struct offsets_call {
    struct errand *errand;
    rd_kafka_t *client;
    rd_kafka_topic_partition_list_t *offsets;
    rd_kafka_consumer_group_metadata_t *member; /* NULL: error says why */
    rd_kafka_error_t *error;
};

static void run_offsets(void *arg)
{
    enum { RETRY_MS = 3000 }; /* from then on it does not try again */
    struct offsets_call *call = arg;

    if (call->member)
        call->error = rd_kafka_send_offsets_to_transaction(call->client, call->offsets,
                                                           call->member, RETRY_MS);
}

static void drop_offsets(void *arg)
{
    struct offsets_call *call = arg;

    rd_kafka_topic_partition_list_destroy(call->offsets);
    if (call->member)
        rd_kafka_consumer_group_metadata_destroy(call->member);
    rd_kafka_error_destroy(call->error);
    free(call);
}

void producer_send_offsets(struct producer *p, const struct offset *offsets, size_t count,
                           struct slice member)
{
    struct offsets_call *call = mem_alloc(1, sizeof *call);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);

    assert(!p->call);
    for (size_t i = 0; i < count; i++)
        rd_kafka_topic_partition_list_add(list, offsets[i].topic, offsets[i].partition)->offset =
            offsets[i].offset;
    *call = (struct offsets_call){.client = p->client, .offsets = list};
    call->error = rd_kafka_consumer_group_metadata_read(&call->member, member.data, member.len);
    p->call = call;
    call->errand = errand_new(run_offsets, drop_offsets, call);
}

bool producer_is_sending_offsets(const struct producer *p)
{
    return p->call != NULL;
}

bool producer_leave_offsets(struct producer *p)
{
    bool is_over = !p->call || errand_free(p->call->errand);

    p->call = NULL;
    return is_over;
}

enum transacted producer_await_offsets(struct producer *p, int timeout_ms, struct err *err)
{
    static const char what[] = "offsets of a transaction";
    rd_kafka_error_t *error;

    if (!errand_poll(p->call->errand, timeout_ms)) {
        err_dependency(err, "%s: the brokers do not answer", what);
        return TRANSACT_AGAIN;
    }
    error = p->call->error;
    p->call->error = NULL;
    producer_leave_offsets(p);
    return judge(p, error, what, err);
}

enum transacted producer_commit(struct producer *p, int timeout_ms, struct err *err)
{
    return judge(p, rd_kafka_commit_transaction(p->client, timeout_ms), "committing a transaction",
                 err);
}

enum transacted producer_abort(struct producer *p, int timeout_ms, struct err *err)
{
    /* librdkafka would refuse it (_CONFLICT); what the offsets' call says does not matter now. */
    if (p->call && !errand_poll(p->call->errand, timeout_ms)) {
        err_dependency(err, "aborting a transaction: the brokers do not answer");
        return TRANSACT_AGAIN;
    }
    producer_leave_offsets(p);
    return judge(p, rd_kafka_abort_transaction(p->client, timeout_ms), "aborting a transaction",
                 err);
}
