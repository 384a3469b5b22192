/* redrive.h: dead letters, once more: scored under their origin's coordinates, or sent back.
 *
 * The pipeline of run on a replay's reader (pipeline/seat.h): what it reads are the letters that
 * lie in a topic when it starts, whoever wrote them (core/letter.h). What fails again becomes a
 * dead letter once more, behind the window: a redrive ends, and a letter is given up after
 * [dead_letters] attempts.
 *
 * Which letters were done is noted in Kafka when their outcomes are acknowledged, under the group
 * <group>-redrive (pipeline/selection.h): the next redrive does them not again, whatever it
 * selects. After a crash the letters of the last second are.
 */
#ifndef PIPELINE_REDRIVE_H
#define PIPELINE_REDRIVE_H

#include "pipeline/pipeline.h"
#include "pipeline/selection.h"

/* Why a letter is left alone; in this order, the first that holds. */
enum left {
    LEFT_NO_LETTER, /* no headers of a dead letter, or without the origin */
    LEFT_TOPIC,     /* of a topic that [consumer] topic has not */
    LEFT_DONE,      /* a redrive before did it */
    LEFT_OTHER,     /* not selected */
    LEFT_ATTEMPTS,  /* failed as often as it may */
    /* The letter came without its value, and at its origin ... */
    LEFT_GONE,     /* it is gone */
    LEFT_CHANGED,  /* stands another record: the topic was made anew */
    LEFT_DENIED,   /* nothing may be read */
    LEFT_NO_VALUE, /* there is none either */
    LEFT_COUNT
};

/* How many selected letters say the same. */
struct redrive_tally {
    char stage[32], reason[80], blame[16]; /* cut */
    uint64_t count;
};

enum { REDRIVE_TALLIES = 64 };

struct redrive_options {
    const struct config *config;
    const char *build;
    const volatile sig_atomic_t *stop;
    const char *topic;                 /* the letters' */
    const struct selection *selection; /* its topics are [consumer] topic */
    bool is_dry;                       /* nothing is sent or noted */
    bool is_to_origin;
    int64_t limit; /* letters; 0: all */
    int64_t rate;  /* letters read per second; 0: no limit */
};

struct redrive_summary {
    struct pipeline_summary run; /* to_origin: scored counts what was sent back */
    uint64_t selected, left[LEFT_COUNT];
    uint64_t fetched; /* of the selected: from their origin, for they came without their value */
    struct redrive_tally tallies[REDRIVE_TALLIES]; /* as they were met; the last: all others */
    size_t tally_count;
    size_t partitions;
    bool is_cut;     /* by the limit */
    bool is_stopped; /* told to, before the end: the same call goes on */
};

/* 0: all is done, or it was told to stop and what was done is noted (is_stopped). -1: err, fatal;
 * EXIT_AGAIN: another redrive is at work, or the last notes could not be written. *summary
 * is filled whatever happens. */
int redrive_run(const struct redrive_options *options, struct redrive_summary *summary,
                struct err *err);

#endif
