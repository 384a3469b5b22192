#include "pipeline/file_sink.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "consumer/ring.h"
#include "core/mem.h"
#include "producer/dead_line.h"
#include "producer/score_csv.h"
#include "schemas/score_schema.h"

enum { FULL_BYTES = 16 << 20, FRAME_BYTES = 5 /* in front of an Avro score */ };

/* ---- the files */

static int begin_scores(struct score_files *f, const struct config *config, struct err *err)
{
    char *head = NULL;
    size_t len = 0;
    int result;

    if (f->format == FILE_AVRO)
        head = container_out_header(score_schema_text(), &len);
    else if (f->format == FILE_CSV)
        head = score_csv_heading(config->carry, config->carry_count);
    if (head && f->format == FILE_CSV)
        len = strlen(head);
    result = out_file_append(&f->scores, head, len, err);
    free(head);
    return result;
}

/* The header ends with it, and no file of ours has another header. */
static int read_mark(struct score_files *f, struct err *err)
{
    size_t len;

    free(container_out_header(score_schema_text(), &len));
    return out_file_read(&f->scores, (int64_t)len - CONTAINER_OUT_MARK, f->mark, CONTAINER_OUT_MARK,
                         err);
}

int score_files_open(struct score_files *f, const struct score_files_options *o, struct err *err)
{
    *f = (struct score_files){.format = o->format};
    if (out_file_open(&f->scores, o->score_path, o->score_bytes, err) != 0 ||
        out_file_open(&f->dead, o->dead_path, o->dead_bytes, err) != 0)
        return -1;
    if (!o->score_path)
        return 0;
    if (f->scores.bytes == 0 && begin_scores(f, o->config, err) != 0)
        return -1;
    return f->format == FILE_AVRO ? read_mark(f, err) : 0;
}

int score_files_sync(struct score_files *f, struct err *err)
{
    return out_file_sync(&f->scores, err) == 0 ? out_file_sync(&f->dead, err) : -1;
}

void score_files_close(struct score_files *f)
{
    out_file_close(&f->scores);
    out_file_close(&f->dead);
}

/* ---- what one worker holds */

/* Records one behind the other, and where each batch of them ends. */
struct held {
    char *data;
    size_t len, cap;
    size_t count; /* of the batch that is not ended */
    struct {
        size_t len, count; /* up to its end; records in it */
    } batches[RING_SLOTS];
    size_t batch_count;
};

struct file_sink {
    struct sink sink;
    struct score_files *files;
    struct score_encoder encoder;
    struct score_csv csv;
    struct dead_line line;
    struct held scores, dead;
};

static char *room(struct held *h, size_t bytes)
{
    if (h->len + bytes > h->cap) {
        h->cap = (h->len + bytes) * 2;
        h->data = mem_resize(h->data, h->cap, 1);
    }
    return h->data + h->len;
}

/* Returns the length, 0 when it is too long. */
static size_t encode(struct file_sink *s, const struct record *record, const struct score *score)
{
    bool is_csv = s->files->format == FILE_CSV;
    char *out = room(&s->scores, 1 + (is_csv ? score_csv_max_bytes(&s->csv, record, score)
                                             : score_max_bytes(&s->encoder, record, score)));
    size_t len = is_csv ? score_csv_encode(&s->csv, record, score, out)
                        : score_encode(&s->encoder, record, score, out);

    if (s->files->format == FILE_JSONL)
        out[len++] = '\n';
    if (s->files->format == FILE_AVRO)
        memmove(out, out + FRAME_BYTES, len -= FRAME_BYTES);
    return len <= FILE_SCORE_MAX ? len : 0;
}

static enum sent take_score(struct sink *sink, const struct record *record,
                            const struct score *score)
{
    struct file_sink *s = (struct file_sink *)sink;
    size_t len =
        score_min_bytes(&s->encoder, score) <= FILE_SCORE_MAX ? encode(s, record, score) : 0;

    if (len == 0)
        return SENT_TOO_LARGE;
    s->scores.len += len;
    s->scores.count++;
    return SENT_HELD;
}

static void take_dead(struct sink *sink, const struct record *record,
                      const struct dead_letter *letter)
{
    struct file_sink *s = (struct file_sink *)sink;
    char *out = room(&s->dead, dead_line_max_bytes(&s->line, record, letter));

    s->dead.len += dead_line_encode(&s->line, record, letter, out);
    s->dead.count++;
}

static void end_batch(struct held *h)
{
    assert(h->batch_count < RING_SLOTS);
    h->batches[h->batch_count].len = h->len;
    h->batches[h->batch_count++].count = h->count;
    h->count = 0;
}

static void end(struct sink *sink)
{
    struct file_sink *s = (struct file_sink *)sink;

    end_batch(&s->scores);
    end_batch(&s->dead);
}

/* Each batch is a block. */
static int write_blocks(struct file_sink *s, size_t batches, struct err *err)
{
    const struct held *h = &s->scores;
    struct out_file *file = &s->files->scores;
    char head[CONTAINER_OUT_HEAD];
    size_t from = 0;

    for (size_t i = 0; i < batches; from = h->batches[i++].len) {
        size_t len = h->batches[i].len - from;
        if (h->batches[i].count == 0)
            continue;
        if (out_file_append(file, head, container_out_block_head(head, h->batches[i].count, len),
                            err) != 0 ||
            out_file_append(file, h->data + from, len, err) != 0 ||
            out_file_append(file, s->files->mark, CONTAINER_OUT_MARK, err) != 0)
            return -1;
    }
    return 0;
}

static void forget(struct held *h, size_t batches)
{
    size_t len = h->batches[batches - 1].len;

    h->len -= len;
    if (h->len > 0)
        memmove(h->data, h->data + len, h->len);
    h->batch_count -= batches;
    memmove(h->batches, h->batches + batches, h->batch_count * sizeof *h->batches);
    for (size_t i = 0; i < h->batch_count; i++)
        h->batches[i].len -= len;
}

static int keep(struct sink *sink, size_t batches, struct err *err)
{
    struct file_sink *s = (struct file_sink *)sink;
    struct score_files *f = s->files;
    int64_t scores = f->scores.bytes, dead = f->dead.bytes;

    if (batches == 0)
        return 0;
    if ((f->format == FILE_AVRO ? write_blocks(s, batches, err)
                                : out_file_append(&f->scores, s->scores.data,
                                                  s->scores.batches[batches - 1].len, err)) != 0 ||
        out_file_append(&f->dead, s->dead.data, s->dead.batches[batches - 1].len, err) != 0) {
        f->scores.bytes = scores;
        f->dead.bytes = dead;
        return -1;
    }
    forget(&s->scores, batches);
    forget(&s->dead, batches);
    return 0;
}

static void drop(struct sink *sink)
{
    struct file_sink *s = (struct file_sink *)sink;

    s->scores.len = s->scores.count = s->scores.batch_count = 0;
    s->dead.len = s->dead.count = s->dead.batch_count = 0;
}

static bool is_full(const struct sink *sink)
{
    const struct file_sink *s = (const struct file_sink *)sink;

    return s->scores.len + s->dead.len >= FULL_BYTES;
}

static void free_sink(struct sink *sink)
{
    struct file_sink *s = (struct file_sink *)sink;

    score_encoder_release(&s->encoder);
    score_csv_release(&s->csv);
    free(s->scores.data);
    free(s->dead.data);
    free(s);
}

struct sink *file_sink_new(struct score_files *files, const struct config *config,
                           const struct provenance *provenance)
{
    struct score_options options = {.format =
                                        files->format == FILE_AVRO ? FORMAT_AVRO : FORMAT_JSON,
                                    .has_fingerprints = config_has_fingerprints(config),
                                    .carry = config->carry,
                                    .carry_count = config->carry_count};
    struct file_sink *s = mem_alloc(1, sizeof *s);

    s->sink = (struct sink){.takes_scores = files->scores.path != NULL,
                            .takes_dead = files->dead.path != NULL,
                            .score = take_score,
                            .dead = take_dead,
                            .end = end,
                            .keep = keep,
                            .drop = drop,
                            .is_full = is_full,
                            .free = free_sink};
    s->files = files;
    s->line = (struct dead_line){provenance, options.has_fingerprints};
    score_encoder_init(&s->encoder, &options, provenance);
    score_csv_init(&s->csv, &options, provenance);
    return &s->sink;
}
