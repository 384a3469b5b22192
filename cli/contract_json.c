/* contract_json.c: a contract and a sample as JSON. */
#include "cli/contract_view.h"

static json_t *json_feature(const struct feature *f, const struct bound *b)
{
    static const char *const kinds[] = {
        [BOUND_FIELD] = "field", [BOUND_MISSING] = "missing", [BOUND_WRONG] = "wrong"};
    char missing[FEATURE_WORDS_MAX];

    feature_print_missing(missing, f);
    return json_pack(
        "{s:o,s:s,s:o,s:o,s:o,s:b,s:s,s:o,s:o}", "feature", paint_json(f->name), "bound",
        kinds[b->kind], "field", paint_json(b->kind == BOUND_FIELD ? f->paths[b->path].text : NULL),
        "type", paint_json(b->type), "how", paint_json(b->how), "may_miss", b->may_miss, "missing",
        missing, "why", paint_json(b->why), "nearest", paint_json(b->nearest));
}

static json_t *json_unused(const struct unused *u, bool has_counts)
{
    json_t *list = json_array();

    for (size_t i = 0; i < u->count; i++)
        json_array_append_new(list, has_counts ? json_pack("{s:o,s:I}", "field",
                                                           paint_json(u->items[i].path), "events",
                                                           (json_int_t)u->items[i].events)
                                               : paint_json(u->items[i].path));
    return list;
}

static json_t *json_schema(const struct contract *c, const struct contract_schema *s)
{
    json_t *features = json_array(), *lost = json_array();

    for (size_t i = 0; s->binding && i < s->binding->carry_count; i++)
        if (!s->binding->carries[i])
            json_array_append_new(lost, paint_json(c->features.carries[i].text));
    for (size_t i = 0; s->binding && i < s->binding->count; i++)
        json_array_append_new(features, json_feature(&c->features.items[i], &s->binding->items[i]));
    return json_pack("{s:o,s:o,s:o,s:o,s:o,s:b,s:o,s:o,s:o,s:o,s:b}", "id",
                     paint_json(*s->id ? s->id : NULL), "subject", paint_json(s->subject),
                     "version", s->version ? json_integer(s->version) : json_null(), "file",
                     paint_json(s->file), "name", paint_json(s->name), "usable", s->is_usable,
                     "why", paint_json(s->why), "features", features, "not_carried", lost, "unused",
                     json_unused(&s->unused, false), "more_unused", s->unused.has_more);
}

json_t *contract_view_json(const struct contract *c)
{
    static const char *const sources[] = {[CONTRACT_NONE] = "none",
                                          [CONTRACT_FIXED] = "fixed",
                                          [CONTRACT_FOLDER] = "folder",
                                          [CONTRACT_REGISTRY] = "registry"};
    json_t *subjects = json_array(), *schemas = json_array();

    for (size_t i = 0; i < c->subject_count; i++)
        json_array_append_new(subjects,
                              json_pack("{s:o,s:I}", "subject", paint_json(c->subjects[i].name),
                                        "versions", (json_int_t)c->subjects[i].version_count));
    for (size_t i = 0; i < c->schema_count; i++)
        json_array_append_new(schemas, json_schema(c, &c->schemas[i]));
    return json_pack("{s:{s:o,s:o,s:s},s:s,s:o,s:o,s:I,s:o,s:o}", "model", "name",
                     paint_json(c->bundle->name), "version", paint_json(c->bundle->version),
                     "digest", c->bundle->digest, "source", sources[c->source], "where",
                     paint_json(c->where), "trouble",
                     paint_json(err_is_set(&c->trouble) ? c->trouble.text : NULL), "usable",
                     (json_int_t)c->usable_count, "subjects", subjects, "schemas", schemas);
}

static json_t *json_faults(const struct sample *s)
{
    json_t *list = json_array();

    for (size_t i = 0; i < FAULT_COUNT; i++) {
        const struct fault_tally *t = &s->faults[i];
        if (t->count)
            json_array_append_new(
                list, json_pack("{s:s,s:s,s:s,s:I,s:{s:o,s:i,s:I},s:o}", "stage",
                                fault_stage((enum fault)i), "reason", fault_reason((enum fault)i),
                                "blame", fault_blame((enum fault)i), "count", (json_int_t)t->count,
                                "first", "topic", paint_json(t->topic), "partition",
                                (int)t->first_partition, "offset", (json_int_t)t->first_offset,
                                "message", paint_json(t->message)));
    }
    return list;
}

static json_t *json_finds(const struct sample *s)
{
    json_t *list = json_array();

    for (size_t i = 0; i < s->bundle->features.count; i++) {
        const struct sample_feature *f = &s->features[i];
        json_array_append_new(
            list, json_pack("{s:o,s:I,s:I,s:I,s:I,s:I,s:o}", "feature",
                            paint_json(s->bundle->features.items[i].name), "there",
                            (json_int_t)f->present, "missing", (json_int_t)f->missing, "wrong_type",
                            (json_int_t)f->wrong_type, "unknown_category",
                            (json_int_t)f->unknown_category, "not_finite",
                            (json_int_t)f->not_finite, "nearest", paint_json(f->nearest)));
    }
    return list;
}

json_t *contract_view_sample_json(const struct sample *s)
{
    json_t *schemas = json_array();

    for (size_t i = 0; i < s->schema_count; i++)
        json_array_append_new(schemas, json_pack("{s:s,s:I,s:I}", "id", s->schemas[i].id, "records",
                                                 (json_int_t)s->schemas[i].records, "scored",
                                                 (json_int_t)s->schemas[i].scored));
    return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:b,s:I,s:o,s:o,s:o,s:o,s:o,s:b}", "records",
                     (json_int_t)s->records, "scored", (json_int_t)s->scored, "dead",
                     (json_int_t)s->dead, "skipped", (json_int_t)s->skipped, "waiting",
                     (json_int_t)s->waiting, "events", (json_int_t)s->events, "is_cut", s->is_cut,
                     "no_event_time", (json_int_t)s->no_event_time, "trouble",
                     paint_json(err_is_set(&s->trouble) ? s->trouble.text : NULL), "faults",
                     json_faults(s), "schemas", schemas, "features", json_finds(s), "unused",
                     json_unused(&s->unused, true), "more_unused", s->unused.has_more);
}
