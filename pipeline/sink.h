/* sink.h: takes outcomes that go to no topic: into files, or to whoever compares them.
 *
 * A sink is one worker's. It holds what it took, batch by batch in the ring's order, until each
 * batch is finished: then all of its outcomes are acknowledged, also those that went to a topic,
 * and it is kept. What is given back instead is dropped: it comes again.
 *
 *   score, dead ...  sink_end  |  score, dead ...  sink_end  |  score ...
 *   '-- keep(1) keeps this one -'                                drop: all of them
 *
 * Thread: the worker's; keep is called by one worker at a time.
 */
#ifndef PIPELINE_SINK_H
#define PIPELINE_SINK_H

#include <stdbool.h>

#include "producer/producer.h"

struct sink {
    bool takes_scores, takes_dead; /* what it does not take goes to the configuration's topic */
    /* SENT_HELD, or SENT_TOO_LARGE: it was not taken. */
    enum sent (*score)(struct sink *sink, const struct record *record, const struct score *score);
    void (*dead)(struct sink *sink, const struct record *record, const struct dead_letter *letter);
    void (*end)(struct sink *sink);
    /* The oldest `batches` are finished. 0, or -1 with err, fatal: nothing of them is kept. */
    int (*keep)(struct sink *sink, size_t batches, struct err *err);
    void (*drop)(struct sink *sink);
    bool (*is_full)(const struct sink *sink); /* it holds so much that it should keep some first */
    void (*free)(struct sink *sink);
};

#endif
