#include "schemas/schema_share.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "core/mem.h"
#include "schemas/schema_table.h"

struct seat {
    struct schema_source source;
    struct schema_share *share;
    bool is_given; /* all of this is under the share's lock */
    bool is_taken; /* is handed answers */
    struct schema_answer *answers;
    size_t first, cap;
    _Atomic size_t count; /* 0 when all are taken; read without the lock, too */
};

struct schema_share {
    struct schema_source *source;
    pthread_mutex_t lock;
    bool is_started;
    struct err start_err;
    uint64_t *asked; /* whose answers are still to come */
    size_t asked_count, asked_cap;
    struct schema_answer *found; /* every schema, for those who come late */
    size_t found_count, found_cap, hand;
    unsigned worker_count, seat_count;
    struct seat seats[]; /* the first of each worker, then the second of each */
};

static struct seat *of(struct schema_source *source)
{
    return (struct seat *)source;
}

static char *copy_text(const char *text)
{
    return text ? mem_copy_text(text, strlen(text)) : NULL;
}

static struct schema_answer copy_answer(const struct schema_answer *a)
{
    struct schema_answer copy = {.id = a->id,
                                 .kind = a->kind,
                                 .schema = a->schema ? avro_schema_share(a->schema) : NULL,
                                 .file = copy_text(a->file),
                                 .words = copy_text(a->words),
                                 .subject = copy_text(a->subject),
                                 .version = a->version};

    copy.texts = a->text_count ? mem_alloc(a->text_count, sizeof *copy.texts) : NULL;
    for (; copy.text_count < a->text_count; copy.text_count++)
        copy.texts[copy.text_count] = copy_text(a->texts[copy.text_count]);
    return copy;
}

/* Texts that can be read become a tree, once for all; what is wrong with others, each table says.
 */
static void read_texts(struct schema_answer *a)
{
    struct schema_answer texts = {.texts = a->texts, .text_count = a->text_count};
    struct err ignored = ERR_INIT;

    if (a->kind != SCHEMA_FOUND || a->schema ||
        avro_schema_parse_all(&a->schema, a->texts, a->text_count, &ignored) != 0)
        return;
    a->texts = NULL;
    a->text_count = 0;
    schema_answer_release(&texts);
}

/* Where an id that is asked for stands, or asked_count. */
static size_t find_asked(const struct schema_share *share, uint64_t id)
{
    size_t i = 0;

    while (i < share->asked_count && share->asked[i] != id)
        i++;
    return i;
}

static void give(struct seat *seat, const struct schema_answer *answer)
{
    seat->answers = mem_grow(seat->answers, seat->count, &seat->cap, sizeof *seat->answers);
    seat->answers[seat->count] = copy_answer(answer);
    seat->count++;
}

/* A place for what was found of id: of more than a table holds the oldest goes. */
static struct schema_answer *place_for(struct schema_share *share, uint64_t id)
{
    for (size_t i = 0; i < share->found_count; i++)
        if (share->found[i].id == id)
            return &share->found[i];
    if (share->found_count == SCHEMA_TABLE_MAX)
        return &share->found[share->hand++ % SCHEMA_TABLE_MAX];
    share->found =
        mem_grow(share->found, share->found_count, &share->found_cap, sizeof *share->found);
    share->found[share->found_count] = (struct schema_answer){0};
    return &share->found[share->found_count++];
}

/* What cannot be read, or is not there, may be asked for again. */
static void keep(struct schema_share *share, const struct schema_answer *answer)
{
    struct schema_answer *place;

    if (!answer->schema)
        return;
    place = place_for(share, answer->id);
    schema_answer_release(place);
    *place = copy_answer(answer);
}

/* Under the lock: what the source has goes to every seat that is taken. */
static void hand_out(struct schema_share *share)
{
    struct schema_answer answer;

    while (share->source->poll(share->source, &answer)) {
        size_t asked = find_asked(share, answer.id);
        if (asked < share->asked_count)
            share->asked[asked] = share->asked[--share->asked_count];
        read_texts(&answer);
        keep(share, &answer);
        for (unsigned i = 0; i < share->seat_count; i++)
            if (share->seats[i].is_taken)
                give(&share->seats[i], &answer);
        schema_answer_release(&answer);
    }
}

/* Under the lock. */
static void catch_up(struct seat *seat)
{
    for (size_t i = 0; !seat->is_taken && i < seat->share->found_count; i++)
        give(seat, &seat->share->found[i]);
    seat->is_taken = true;
}

static int start(struct schema_source *source, struct err *err)
{
    struct schema_share *share = of(source)->share;
    int result;

    pthread_mutex_lock(&share->lock);
    if (!share->is_started && share->source->start(share->source, &share->start_err) == 0)
        hand_out(share);
    share->is_started = true;
    catch_up(of(source));
    result = err_is_set(&share->start_err) ? -1 : 0;
    if (result != 0)
        *err = share->start_err;
    pthread_mutex_unlock(&share->lock);
    return result;
}

static int await(struct schema_source *source, int timeout_ms, struct err *err)
{
    struct schema_source *shared = of(source)->share->source;

    return shared->await ? shared->await(shared, timeout_ms, err) : 0;
}

/* Another worker's question was answered just now. */
static bool has_answer(const struct seat *seat, uint64_t id)
{
    for (size_t i = seat->first; i < seat->count; i++)
        if (seat->answers[i].id == id)
            return true;
    return false;
}

static void ask(struct schema_source *source, uint64_t id, int64_t now_ms)
{
    struct seat *seat = of(source);
    struct schema_share *share = seat->share;

    pthread_mutex_lock(&share->lock);
    hand_out(share);
    if (find_asked(share, id) == share->asked_count && !has_answer(seat, id)) {
        share->asked =
            mem_grow(share->asked, share->asked_count, &share->asked_cap, sizeof *share->asked);
        share->asked[share->asked_count++] = id;
        share->source->ask(share->source, id, now_ms);
        hand_out(share); /* a folder has its answer at once */
    }
    pthread_mutex_unlock(&share->lock);
}

static bool is_ready(const struct schema_source *source)
{
    return source->is_ready && source->is_ready(source);
}

static void empty(struct seat *seat)
{
    seat->first = 0;
    seat->count = 0;
}

static bool poll(struct schema_source *source, struct schema_answer *answer)
{
    struct seat *seat = of(source);
    struct schema_share *share = seat->share;
    bool is_there;

    if (atomic_load_explicit(&seat->count, memory_order_relaxed) == 0 && !is_ready(share->source))
        return false;
    pthread_mutex_lock(&share->lock);
    hand_out(share);
    is_there = seat->count > 0;
    if (is_there)
        *answer = seat->answers[seat->first++];
    if (seat->first == seat->count)
        empty(seat);
    pthread_mutex_unlock(&share->lock);
    return is_there;
}

static void report(struct schema_source *source,
                   void (*say)(void *arg, int64_t schema_id, bool usable, const char *text),
                   void *arg)
{
    struct schema_share *share = of(source)->share;

    pthread_mutex_lock(&share->lock);
    share->source->report(share->source, say, arg);
    pthread_mutex_unlock(&share->lock);
}

/* The seat itself is the share's. */
static void leave(struct schema_source *source)
{
    struct seat *seat = of(source);

    pthread_mutex_lock(&seat->share->lock);
    for (; seat->first < seat->count; seat->first++)
        schema_answer_release(&seat->answers[seat->first]);
    free(seat->answers);
    seat->answers = NULL;
    seat->cap = 0;
    empty(seat);
    seat->is_taken = seat->is_given = false;
    pthread_mutex_unlock(&seat->share->lock);
}

struct schema_share *schema_share_new(struct schema_source *source, unsigned workers)
{
    struct schema_share *share = mem_alloc(1, sizeof *share + 2 * workers * sizeof share->seats[0]);
    unsigned asks_per_s = source->asks_per_s / workers;

    share->source = source;
    share->start_err = (struct err)ERR_INIT;
    share->worker_count = workers;
    share->seat_count = 2 * workers;
    pthread_mutex_init(&share->lock, NULL);
    for (unsigned i = 0; i < share->seat_count; i++) {
        struct seat *seat = &share->seats[i];
        seat->share = share;
        seat->is_taken = i < workers; /* a first seat that starts late has missed nothing */
        seat->source = *source;
        seat->source.asks_per_s = source->asks_per_s && !asks_per_s ? 1 : asks_per_s;
        seat->source.start = start;
        seat->source.await = await;
        seat->source.ask = ask;
        seat->source.is_ready = NULL;
        seat->source.poll = poll;
        seat->source.report = source->report ? report : NULL;
        seat->source.free = leave;
    }
    return share;
}

void schema_share_free(struct schema_share *share)
{
    if (!share)
        return;
    for (unsigned i = 0; i < share->seat_count; i++)
        leave(&share->seats[i].source);
    share->source->free(share->source);
    for (size_t i = 0; i < share->found_count; i++)
        schema_answer_release(&share->found[i]);
    free(share->found);
    free(share->asked);
    pthread_mutex_destroy(&share->lock);
    free(share);
}

struct schema_source *schema_share_seat(struct schema_share *share, unsigned worker)
{
    struct seat *seat = &share->seats[worker];

    assert(worker < share->worker_count);
    pthread_mutex_lock(&share->lock);
    if (seat->is_given)
        seat += share->worker_count;
    assert(!seat->is_given);
    seat->is_given = true;
    pthread_mutex_unlock(&share->lock);
    return &seat->source;
}
