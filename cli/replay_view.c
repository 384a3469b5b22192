#include "cli/replay_view.h"

#include <jansson.h>
#include <stdio.h>

static double rate_of(const struct replay_view *v)
{
    const struct replay_progress *p = &v->summary->all;

    return v->seconds > 0 ? (double)(p->passed - p->passed_before) / v->seconds : 0;
}

static void print_faults(const struct pipeline_summary *s)
{
    for (int f = 1; f < FAULT_COUNT; f++) {
        const struct fault_tally *t = &s->faults[f];
        if (t->count > 0)
            printf("           %10llu  %s/%s, first %s[%d]@%lld: %s\n",
                   (unsigned long long)t->count, fault_stage((enum fault)f),
                   fault_reason((enum fault)f), t->topic, t->first_partition,
                   (long long)t->first_offset, t->message);
    }
}

void replay_view_print(const struct replay_view *v)
{
    const struct replay_progress *p = &v->summary->all;

    if (v->summary->was_finished) {
        printf("this replay was finished before: nothing to do\n");
        return;
    }
    printf("%lld of %lld offsets, %zu partitions, %.1f s, %.0f offsets/s\n", (long long)p->passed,
           (long long)p->total, v->summary->partitions, v->seconds, rate_of(v));
    printf("  scored   %10lld  to %s\n", (long long)p->scored, v->scores);
    printf("  dead     %10lld  to %s\n", (long long)p->dead, v->dead);
    print_faults(&v->summary->run);
    printf("  skipped  %10lld\n", (long long)p->skipped);
    if (p->lost > 0)
        printf("  gone     %10lld offsets: see event=gap\n", (long long)p->lost);
    if (v->summary->is_resumed)
        printf("  of these, earlier runs passed %lld offsets\n", (long long)p->passed_before);
    if (v->stopped)
        printf("stopped, not complete: %s\n", v->stopped);
}

static json_t *json_faults(const struct pipeline_summary *s)
{
    json_t *list = json_array();

    for (int f = 1; f < FAULT_COUNT; f++) {
        const struct fault_tally *t = &s->faults[f];
        if (t->count > 0)
            json_array_append_new(
                list, json_pack("{s:s,s:s,s:I,s:s,s:i,s:I}", "stage", fault_stage((enum fault)f),
                                "reason", fault_reason((enum fault)f), "count",
                                (json_int_t)t->count, "topic", t->topic, "partition",
                                (int)t->first_partition, "offset", (json_int_t)t->first_offset));
    }
    return list;
}

void replay_view_print_json(const struct replay_view *v)
{
    const struct replay_progress *p = &v->summary->all;
    json_t *json = json_pack(
        "{s:b,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:f,s:s,s:s,s:o}", "finished", v->is_finished,
        "partitions", (json_int_t)v->summary->partitions, "offsets", (json_int_t)p->total, "passed",
        (json_int_t)p->passed, "passed_before", (json_int_t)p->passed_before, "scored",
        (json_int_t)p->scored, "dead", (json_int_t)p->dead, "skipped", (json_int_t)p->skipped,
        "gone", (json_int_t)p->lost, "seconds", v->seconds, "scores", v->scores, "dead_letters",
        v->dead, "faults", json_faults(&v->summary->run));

    if (v->stopped)
        json_object_set_new(json, "stopped", json_string(v->stopped));
    json_dumpf(json, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(json);
}
