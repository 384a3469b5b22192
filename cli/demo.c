/* demo.c: kscore demo: the main job in one process. A feeder plays the payment service on this
 * thread; the pipeline, the same that `kscore run` runs, has a thread of its own. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/demo_broker.h"
#include "cli/demo_bundle.h"
#include "cli/demo_view.h"
#include "cli/payments.h"
#include "cli/serve.h"
#include "cli/status_view.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/text.h"
#include "pipeline/pipeline.h"

enum { RATE = 2000, READY_MS = 30000, DRAIN_MS = 15000, SHOWN_MS = 2000, TICK_MS = 50 };

/* The story: until when (in events at RATE a second), and how many of the payment service's three
 * instances run the new release. */
static const struct act {
    uint64_t until;
    unsigned updated;
    const char *what;
} acts[] = {
    {15 * RATE, 0, "payments-api 2.9 on all instances"},
    {18 * RATE, 1, "deploy: payments-api 3.0 on 1 of 3 instances"},
    {21 * RATE, 2, "deploy: payments-api 3.0 on 2 of 3 instances"},
    {25 * RATE, 3, "payments-api 3.0 on all instances"},
};

enum { ACT_COUNT = sizeof acts / sizeof acts[0], EVENT_COUNT = 25 * RATE, DEPLOY_AT = 15 * RATE };

static const char *const decisions[DEMO_DECISIONS] = {"pass", "review", "block"};

static volatile sig_atomic_t is_interrupted;

static void on_signal(int number)
{
    (void)number;
    if (is_interrupted)
        _exit(EXIT_AGAIN);
    is_interrupted = 1;
}

struct demo {
    char folder[256];
    struct payments payments;
    struct demo_view view;
    struct demo_broker *broker;
    struct config config;
    uint64_t sent;
    int64_t start_ms;

    struct serve *serve;
    json_t *status;     /* of /status, when all was sent */
    const char *listen; /* of the page, "": there is none; with it the demo stays */

    struct pipeline_options how;
    pthread_t thread; /* the pipeline's */
    volatile sig_atomic_t stop;
    _Atomic int has_ended;
    struct pipeline_progress progress;
    struct pipeline_summary summary;
    struct err err;
    int result;
};

static void *pipeline_thread(void *arg)
{
    struct demo *d = arg;

    d->result = pipeline_run(&d->how, &d->summary, &d->err);
    d->has_ended = 1;
    return NULL;
}

static void nap(void)
{
    nanosleep(&(struct timespec){0, 5000000}, NULL);
}

static void show(struct demo *d, const char *what)
{
    demo_view_show(&d->view, &(struct demo_sample){clock_ms() - d->start_ms, d->progress.scored,
                                                   d->progress.dead, d->sent, what});
}

static int open_world(struct demo *d, struct err *err)
{
    const char *tmp = getenv("TMPDIR");
    char text[1200];

    snprintf(d->folder, sizeof d->folder, "%s/kscore-demo-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (!mkdtemp(d->folder)) {
        err_fatal(err, EXIT_IO, "%s: %s", d->folder, strerror(errno));
        *d->folder = '\0';
        return -1;
    }
    if (demo_bundle_write(d->folder, err) != 0 || !(d->broker = demo_broker_new(err)))
        return -1;
    snprintf(text, sizeof text,
             "[kscore]\nname = fraud\n[kafka]\nbootstrap.servers = %s\n"
             "[http]\nlisten = %s\n[consumer]\ntopic = payments\n[model]\npath = "
             "%s\n[producer]\ntopic = scores\n"
             "[dead_letters]\ntopic = payments-dead\nbreaker_share = 1\n",
             demo_broker_bootstrap(d->broker), d->listen, d->folder);
    return config_parse(&d->config, "demo.ini", text, strlen(text), NULL, err);
}

/* The pipeline as `kscore run` has it, in a thread of its own. */
static int start(struct demo *d, struct err *err)
{
    d->how = (struct pipeline_options){
        .config = &d->config, .build = cli_build(), .stop = &d->stop, .progress = &d->progress};
    d->serve = serve_open(&d->config, &d->how);
    if (*d->listen && !serve_has_page(d->serve))
        return err_fatal(err, EXIT_UNAVAILABLE, "%s is taken, or no address: --listen HOST:PORT",
                         d->listen);
    if (*d->listen)
        printf("  the page, live: http://%s/\n", d->listen);
    fflush(stdout);
    if (pthread_create(&d->thread, NULL, pipeline_thread, d) != 0)
        return err_fatal(err, EXIT_INTERNAL, "no thread for the pipeline");
    return 0;
}

static int wait_ready(struct demo *d, struct err *err)
{
    int64_t until_ms = clock_ms() + READY_MS;

    while (!d->progress.ready_workers && !d->has_ended && !is_interrupted && clock_ms() < until_ms)
        nap();
    if (d->progress.ready_workers || is_interrupted || d->has_ended)
        return 0;
    return err_fatal(err, EXIT_UNAVAILABLE, "no partitions were assigned in %d s", READY_MS / 1000);
}

/* Sends the story at RATE. Which events, and what becomes of them, does not depend on the clock. */
static void play(struct demo *d, uint64_t count)
{
    const struct act *act = acts;
    struct payment payment;
    int64_t shown_ms = 0;

    d->start_ms = clock_ms() - (int64_t)(d->sent * 1000 / RATE);
    while (d->sent < count && !is_interrupted && !d->has_ended) {
        int64_t elapsed_ms = clock_ms() - d->start_ms;
        uint64_t due = (uint64_t)elapsed_ms * RATE / 1000;
        for (; d->sent < due && d->sent < count; d->sent++) {
            bool is_new;
            while (act + 1 < acts + ACT_COUNT && d->sent >= act->until)
                act++;
            is_new = d->sent % 3 < act->updated;
            payments_next(&d->payments, is_new, &payment);
            demo_broker_send(d->broker, &payment, is_new);
        }
        if (elapsed_ms - shown_ms >= TICK_MS) {
            shown_ms = elapsed_ms;
            show(d, act->what);
        }
        nap();
    }
}

/* What the workers have shown lags 200 ms behind what they did. */
static json_t *final_status(struct demo *d)
{
    int64_t until_ms = clock_ms() + SHOWN_MS;
    json_t *status = serve_status(d->serve), *left;

    while ((left = json_object_get(status, "downstream")) &&
           json_integer_value(json_object_get(json_object_get(left, "totals"), "in_flight")) > 0 &&
           clock_ms() < until_ms && !d->has_ended) {
        json_decref(status);
        nap();
        status = serve_status(d->serve);
    }
    return status;
}

static int drain(struct demo *d, struct err *err)
{
    int64_t until_ms = clock_ms() + DRAIN_MS;

    if (demo_broker_flush(d->broker, err) != 0)
        return -1;
    while (d->progress.scored + d->progress.dead + d->progress.skipped < d->sent &&
           clock_ms() < until_ms && !d->has_ended)
        nap();
    show(d, "all sent");
    return 0;
}

/* ---- the account */

static void print_sum(const struct pipeline_summary *s, const char *what)
{
    printf("%s %s consumed = %s scored + %s dead + %s skipped + %s returned + %s in flight\n", what,
           demo_count(s->consumed), demo_count(s->scored), demo_count(s->dead),
           demo_count(s->skipped), demo_count(s->returned), demo_count(s->in_flight));
}

static void print_counts(const struct demo *d, const struct demo_outcomes *o, bool has_held)
{
    const struct demo_view *v = &d->view;

    printf("\n%sWhat happened%s\n", demo_bold(v), demo_plain(v));
    print_sum(&d->summary, " ");
    printf("  read back: %s scores and %s dead letters for %s events, %s without, %s twice:\n"
           "  %s%s%s\n",
           demo_count(o->scored), demo_count(o->dead), demo_count(d->sent), demo_count(o->missing),
           demo_count(o->twice), has_held ? demo_green(v) : demo_red(v),
           has_held ? "every event has exactly one outcome" : "THE SUM DOES NOT HOLD",
           demo_plain(v));
    printf("  decisions:");
    for (int i = 0; i < DEMO_DECISIONS; i++)
        printf("%s %s %s", i ? "," : "", demo_count(o->decisions[i]), decisions[i]);
    printf("\n");
}

static void print_truth(const struct demo *d, const struct demo_outcomes *o)
{
    uint64_t after = d->sent > DEPLOY_AT ? d->sent - DEPLOY_AT : 0, dead = o->dead - o->dead_before;

    printf("  in truth payments-api 3.0 began at");
    for (int i = 0; i < DEMO_PARTITIONS; i++)
        if (demo_broker_deploy(d->broker, i) >= 0)
            printf(" payments[%d]@%s", i, demo_count((uint64_t)demo_broker_deploy(d->broker, i)));
    printf("\n  before it %s dead of %s; since then %s of %s (%.0f %%)\n",
           demo_count(o->dead_before), demo_count(d->sent - after), demo_count(dead),
           demo_count(after), after ? 100.0 * (double)dead / (double)after : 0);
}

/* What `kscore status` would say of it, and the page. */
static void print_answers(const struct demo *d)
{
    const struct paint paint = {stdout, d->view.has_colour};

    printf("\n%skscore status%s\n", demo_bold(&d->view), demo_plain(&d->view));
    status_view_answers(&paint, d->status);
}

static void print_where(const struct demo *d, const struct demo_outcomes *o)
{
    const struct demo_view *v = &d->view;

    printf("\n%sWhere to look%s\n", demo_bold(v), demo_plain(v));
    if (*o->reason)
        printf("  topic payments-dead has each event byte for byte, headers say what is wrong:\n"
               "    %s\n    __connect.errors.stage=%s\n"
               "    __connect.errors.exception.class.name=%s\n"
               "    __connect.errors.exception.message=%s\n",
               o->value, o->stage, o->reason, o->message);
    printf("  on a topic of yours: kcat -C -b HOST:9092 -t payments-dead -o beginning -e -f "
           "'%%h\\n%%s\\n'\n"
           "  what each reason means: docs/dead-letters.md; your own topic: README.md, "
           "config.example.ini\n");
}

/* The fault with the most records: its first dead letter is shown. */
static const struct fault_tally *commonest(const struct pipeline_summary *s)
{
    const struct fault_tally *most = &s->faults[1];

    for (int i = 1; i < FAULT_COUNT; i++)
        if (s->faults[i].count > most->count)
            most = &s->faults[i];
    return most;
}

static int report(struct demo *d, struct err *err)
{
    const struct pipeline_summary *s = &d->summary;
    const struct fault_tally *first = commonest(s);
    struct demo_outcomes o;
    bool has_held;

    if (demo_broker_check(d->broker, decisions, first->count ? first->first_partition : -1,
                          first->first_offset, &o, err) != 0)
        return -1;
    has_held = o.missing == 0 && o.twice == 0 && o.scored == s->scored && o.dead == s->dead &&
               s->consumed == s->scored + s->dead + s->skipped + s->returned + s->in_flight &&
               s->scored + s->dead + s->skipped == d->sent;
    print_counts(d, &o, has_held);
    print_truth(d, &o);
    print_where(d, &o);
    print_answers(d);
    return has_held ? 0
                    : err_fatal(err, EXIT_INTERNAL,
                                "consumed = scored + dead + skipped + returned + in flight did not "
                                "hold; this is a defect of kscore");
}

/* The new release goes on until a signal: the page keeps moving. */
static void stay(struct demo *d)
{
    print_answers(d);
    printf("\nThe events go on. The page: http://%s/   Ctrl-C ends.\n", d->listen);
    fflush(stdout);
    d->view.is_silent = true;
    play(d, UINT64_MAX);
}

static int stop_pipeline(struct demo *d, struct err *err)
{
    d->stop = 1;
    pthread_join(d->thread, NULL);
    if (d->result != 0 && !err_is_set(err))
        *err = d->err;
    return d->result;
}

static int tell(struct demo *d, struct err *err)
{
    int result;

    printf("kscore demo: card payments scored for fraud, in this process, on librdkafka's embedded "
           "broker\n  topics payments -> scores, payments-dead; model examples/payments/bundle; "
           "seeded: the same every time\n  joining the group takes the embedded broker some "
           "seconds ...\n");
    fflush(stdout);
    if (open_world(d, err) != 0 || start(d, err) != 0)
        return -1;
    result = wait_ready(d, err);
    if (result == 0) {
        play(d, EVENT_COUNT);
        result = drain(d, err);
        d->status = final_status(d);
    }
    if (result == 0 && *d->listen && !is_interrupted)
        stay(d);
    if (stop_pipeline(d, err) != 0 || result != 0)
        return -1;
    if (!*d->listen)
        return report(d, err);
    print_sum(&d->summary, "\nEnded:");
    return 0;
}

static void close_world(struct demo *d)
{
    if (d->serve)
        serve_close(d->serve);
    json_decref(d->status);
    config_release(&d->config);
    demo_broker_free(d->broker);
    if (*d->folder)
        demo_bundle_remove(d->folder);
}

/* ---- the command */

static const struct cli_option options[] = {
    {0, "seed", "N", "another stream of payments (1)"},
    {0, "stay", NULL, "serve the page, live; events go on until Ctrl-C"},
    {0, "listen", "HOST:PORT", "where --stay serves it (127.0.0.1:9464)"},
    {0, "events", "N", "no broker: print N payments as JSON lines, \"fraud\" says the truth"},
    {'v', "verbose", NULL, "the pipeline's log, on standard error"},
};

struct arguments {
    int64_t seed, events;
    const char *listen;
    bool is_verbose, stays;
};

static bool take(void *arg, const struct cli_option *option, const char *value)
{
    struct arguments *a = arg;

    if (!option)
        return false;
    if (option->letter == 'v')
        a->is_verbose = true;
    else if (strcmp(option->name, "stay") == 0)
        a->stays = true;
    else if (strcmp(option->name, "listen") == 0)
        a->listen = value;
    else if (strcmp(option->name, "seed") == 0)
        return integer_parse(value, strlen(value), 0, INT64_MAX, &a->seed);
    else
        return integer_parse(value, strlen(value), 1, INT64_MAX, &a->events);
    return true;
}

/* The events that train.py learns from, by the demo's own generator. */
static int print_events(struct payments *payments, int64_t count, struct err *err)
{
    struct payment payment;

    for (int64_t i = 0; i < count && !ferror(stdout); i++) {
        payments_next(payments, false, &payment);
        printf("%.*s,\"fraud\":%s}\n", (int)payment.json_len - 1, payment.json,
               payment.is_fraud ? "true" : "false");
    }
    return fflush(stdout) == 0 ? 0
                               : err_fatal(err, EXIT_IO, "standard output: %s", strerror(errno));
}

static int run(const struct cli_command *command, int argc, char **argv)
{
    struct arguments arguments = {.seed = 1, .listen = "127.0.0.1:9464"};
    struct err err = ERR_INIT;
    struct sigaction action = {.sa_handler = on_signal};
    struct demo *d;

    if (cli_parse(command, argc, argv, take, &arguments, &err) != 0)
        return cli_fail(command, &err);
    d = mem_alloc(1, sizeof *d);
    d->listen = arguments.stays ? arguments.listen : "";
    payments_init(&d->payments, (uint64_t)arguments.seed);
    if (arguments.events > 0) {
        print_events(&d->payments, arguments.events, &err);
    } else {
        log_set_level(arguments.is_verbose ? LOG_INFO : LOG_ERROR);
        sigaction(SIGINT, &action, NULL);
        sigaction(SIGTERM, &action, NULL);
        demo_view_init(&d->view);
        tell(d, &err);
        close_world(d);
    }
    free(d);
    return err_is_set(&err) ? cli_fail(command, &err) : EXIT_OK;
}

const struct cli_command cli_demo = {
    .name = "demo",
    .summary = "the main job in one process: payments are scored, then a deploy breaks them",
    .usage = "kscore demo [--seed N] [--verbose] [--stay [--listen HOST:PORT]] | --events N",
    .help =
        "Starts librdkafka's embedded broker in this process, sends simulated card payments "
        "(2,000 a second)\n"
        "and scores them with the same pipeline as kscore run. After 15 s a release of the payment "
        "service goes\n"
        "out that breaks events. The end says what kscore status says of it: what is wrong, since "
        "when, from which\n"
        "record on, who is to blame; --stay shows it on the page, live. Needs no Kafka, no file "
        "and "
        "no network; takes\n"
        "30 s. Exit 0: every event had exactly one outcome.\n\n"
        "  kscore demo\n"
        "  kscore demo --stay                     the page at http://127.0.0.1:9464/, until "
        "Ctrl-C\n"
        "  kscore demo --verbose 2>kscore.log     the log that kscore run would write\n"
        "  kscore demo --events 1000 > payments.jsonl\n"
        "  kscore demo --events 1000 | kscore score --model examples/payments/bundle | head\n",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
