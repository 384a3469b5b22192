/* bench_decode.c: decoding alone: the Avro plan beside avro-c's generic reader, the JSON scanner
 * beside jansson. First every row of all four is held against the event's own by its bits, then
 * they take turns on the same bytes.
 *
 * One thread, thread CPU time. The libraries are used as well as they can be: avro-c reads into one
 * value that is kept, and what is read is taken out by field number; jansson's tree is asked by
 * name. Both sides end with a row of floats.
 */
#include <avro.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/synthetic.h"
#include "bench/timing.h"
#include "core/ini.h"
#include "core/mem.h"
#include "schemas/decoder.h"
#include "schemas/schema_folder.h"
#include "schemas/frame.h"

enum { COUNT = 2048, TURNS = 31, BEFORE = 2 /* fields before the features: id and time */ };

static struct synthetic_event *events; /* COUNT */
static char names[SYNTHETIC_FEATURES][64];
static const char *const channels[] = {"WEB", "APP", "POS", "CALL"};

static void die(const char *what, const char *why)
{
    fprintf(stderr, "bench_decode: %s: %s\n", what, why);
    exit(1);
}

/* Fills row from event; state is the decoder's own. */
struct subject {
    const char *name;
    void (*decode)(void *state, const struct synthetic_event *event, float *row);
    void *state;
};

/* ---- kscore */

static void decode_with(struct decoder *decoder, struct slice value, float *row)
{
    int64_t id;

    if (decoder_decode(decoder, value, row, &id).kind != OUTCOME_SCORED)
        die("kscore", "an event was not decoded");
}

static void plan_decode(void *state, const struct synthetic_event *event, float *row)
{
    decode_with(state, (struct slice){event->avro, event->avro_len}, row);
}

static void scan_decode(void *state, const struct synthetic_event *event, float *row)
{
    decode_with(state, (struct slice){(const uint8_t *)event->json, event->json_len}, row);
}

static struct decoder *new_decoder(enum event_format format, const char *folder,
                                   const struct features *features)
{
    struct decoder_options options = {
        .format = format, .max_value_bytes = SYNTHETIC_EVENT_MAX, .max_depth = 64};
    struct err err = ERR_INIT;
    struct decoder *decoder;
    char schemas[1024];

    snprintf(schemas, sizeof schemas, "%s/schemas", folder);
    if (format == EVENT_AVRO) {
        options.framing = FRAMING_CONFLUENT;
        options.schemas = schema_folder_new(schemas);
    }
    if (decoder_new(&decoder, &options, features, &err) != 0)
        die(schemas, err.text);
    return decoder;
}

/* The features of the bundle in folder. */
static struct features load_features(const char *folder)
{
    struct features features = {.items = mem_alloc(SYNTHETIC_FEATURES, sizeof *features.items)};
    struct err err = ERR_INIT;
    char path[1024];
    struct ini ini;

    snprintf(path, sizeof path, "%s/model.ini", folder);
    if (ini_load(&ini, path, EXIT_DATA, &err) != 0)
        die(path, err.text);
    for (size_t i = 0; i < ini.count; i++) {
        const struct ini_entry *e = &ini.entries[i];
        if (strcmp(e->section, "features") != 0)
            continue;
        if (features.count == SYNTHETIC_FEATURES ||
            feature_parse(&features.items[features.count], e->name, e->value, folder, &err) != 0)
            die(path, err.text);
        snprintf(names[features.count++], sizeof names[0], "%s", e->name);
    }
    ini_release(&ini);
    return features;
}

/* ---- avro-c */

struct generic {
    avro_reader_t reader;
    avro_value_t value;
};

static struct generic generic_new(void)
{
    const char *text = synthetic_schema();
    struct generic g = {.reader = avro_reader_memory("", 0)};
    avro_value_iface_t *iface;
    avro_schema_t schema;

    if (avro_schema_from_json_length(text, strlen(text), &schema) != 0)
        die("avro-c", avro_strerror());
    iface = avro_generic_class_from_schema(schema);
    if (!iface || avro_generic_value_new(iface, &g.value) != 0)
        die("avro-c", avro_strerror());
    avro_value_iface_decref(iface);
    avro_schema_decref(schema);
    return g;
}

static float generic_float(avro_value_t *value)
{
    avro_value_t branch = *value;
    int32_t narrow = 0;
    int64_t wide = 0;
    double real = 0;
    float single = 0;
    int number = 0;

    switch (avro_value_get_type(value)) {
    case AVRO_DOUBLE: avro_value_get_double(value, &real); return (float)real;
    case AVRO_FLOAT: avro_value_get_float(value, &single); return single;
    case AVRO_INT32: avro_value_get_int(value, &narrow); return (float)narrow;
    case AVRO_INT64: avro_value_get_long(value, &wide); return (float)wide;
    case AVRO_BOOLEAN: avro_value_get_boolean(value, &number); return (float)number;
    case AVRO_ENUM: avro_value_get_enum(value, &number); return (float)number; /* codes 0 to 3 */
    case AVRO_UNION: avro_value_get_current_branch(value, &branch); return generic_float(&branch);
    default: return NAN;
    }
}

static void generic_decode(void *state, const struct synthetic_event *event, float *row)
{
    struct generic *g = state;
    avro_value_t field = g->value;

    avro_reader_memory_set_source(g->reader, (const char *)event->avro + FRAME_CONFLUENT_BYTES,
                                  (int64_t)event->avro_len - FRAME_CONFLUENT_BYTES);
    if (avro_value_read(g->reader, &g->value) != 0)
        die("avro-c", avro_strerror());
    for (size_t i = 0; i < SYNTHETIC_FEATURES; i++) {
        avro_value_get_by_index(&g->value, i + BEFORE, &field, NULL);
        row[i] = generic_float(&field);
    }
}

/* ---- jansson */

static float tree_float(const json_t *value)
{
    if (json_is_number(value))
        return (float)json_number_value(value);
    if (json_is_boolean(value))
        return (float)json_is_true(value);
    for (size_t i = 0; json_is_string(value) && i < sizeof channels / sizeof channels[0]; i++)
        if (strcmp(json_string_value(value), channels[i]) == 0)
            return (float)i;
    return NAN;
}

static void tree_decode(void *state, const struct synthetic_event *event, float *row)
{
    json_error_t why;
    json_t *tree = json_loadb(event->json, event->json_len, 0, &why);

    (void)state;
    if (!tree)
        die("jansson", why.text);
    for (size_t i = 0; i < SYNTHETIC_FEATURES; i++)
        row[i] = tree_float(json_object_get(tree, names[i]));
    json_decref(tree);
}

/* ---- pairs */

static bool is_same(float a, float b)
{
    return (isnan(a) && isnan(b)) || memcmp(&a, &b, sizeof a) == 0;
}

static void compare_bits(const struct subject *s)
{
    for (size_t i = 0; i < COUNT; i++) {
        float row[SYNTHETIC_FEATURES];
        s->decode(s->state, &events[i], row);
        for (size_t k = 0; k < SYNTHETIC_FEATURES; k++)
            if (!is_same(row[k], events[i].row[k])) {
                fprintf(stderr, "bench_decode: %s: event %zu: %s is %.9g, not %.9g\n", s->name, i,
                        names[k], (double)row[k], (double)events[i].row[k]);
                exit(1);
            }
    }
}

static double measure(const struct subject *s)
{
    double start = timing_cpu_ns();

    for (size_t i = 0; i < COUNT; i++) {
        float row[SYNTHETIC_FEATURES];
        s->decode(s->state, &events[i], row);
    }
    return (timing_cpu_ns() - start) / COUNT;
}

static void run_pair(const struct subject *ours, const struct subject *theirs)
{
    double our_ns[TURNS], their_ns[TURNS], ratios[TURNS];

    compare_bits(ours);
    compare_bits(theirs);
    for (int turn = 0; turn < TURNS; turn++) {
        our_ns[turn] = measure(ours);
        their_ns[turn] = measure(theirs);
        ratios[turn] = their_ns[turn] / our_ns[turn];
    }
    printf("| %s beside %s | %.0f ns | %.0f ns | %.1f |\n", ours->name, theirs->name,
           timing_median(our_ns, TURNS), timing_median(their_ns, TURNS),
           timing_median(ratios, TURNS));
}

int main(void)
{
    const char *base = getenv("TMPDIR");
    char folder[256], command[300];
    struct synthetic source = {4};
    struct generic generic = generic_new();
    struct features features;

    snprintf(folder, sizeof folder, "%s/kscore-decode-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(folder) || synthetic_write(folder, 1, 1) != 0)
        die(folder, "cannot be written");
    features = load_features(folder);
    events = mem_alloc(COUNT, sizeof *events);
    for (size_t i = 0; i < COUNT; i++)
        synthetic_next(&source, &events[i]);
    struct decoder *avro = new_decoder(EVENT_AVRO, folder, &features);
    struct decoder *json = new_decoder(EVENT_JSON, folder, &features);
    printf("| decoding, per record of %d features | kscore | library | times faster |\n"
           "|---|---|---|---|\n",
           SYNTHETIC_FEATURES);
    run_pair(&(struct subject){"Avro plan", plan_decode, avro},
             &(struct subject){"avro-c's generic reader", generic_decode, &generic});
    run_pair(&(struct subject){"JSON scanner", scan_decode, json},
             &(struct subject){"jansson", tree_decode, NULL});
    decoder_free(avro);
    decoder_free(json);
    features_release(&features);
    avro_value_decref(&generic.value);
    avro_reader_free(generic.reader);
    free(events);
    snprintf(command, sizeof command, "rm -r %s", folder);
    if (system(command) != 0)
        die(folder, "cannot be removed");
    return 0;
}
