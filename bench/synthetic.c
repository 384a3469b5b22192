#include "bench/synthetic.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/file.h"
#include "core/sha256.h"
#include "core/text.h"

enum { DOUBLES = 8, FLOATS = 4, INTS = 5, LONGS = 3, NULLABLES = 8, CHANNELS = 4 };
enum { ENUM_AT = DOUBLES + FLOATS + INTS + LONGS + NULLABLES, BOOLEAN_AT };

static const char *const channels[CHANNELS] = {"WEB", "APP", "POS", "CALL"};

static uint64_t next(struct synthetic *s)
{
    uint64_t z = s->state += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static double uniform(struct synthetic *s)
{
    return (double)(next(s) >> 11) * 0x1p-53;
}

static char *put_long(char *o, int64_t value)
{
    uint64_t v = (uint64_t)value << 1 ^ (uint64_t)(value >> 63);

    for (; v >= 0x80; v >>= 7)
        *o++ = (char)(v | 0x80);
    *o++ = (char)v;
    return o;
}

/* Money, shares and distances as producers send them: two to sixteen digits. */
static double amount(struct synthetic *s, size_t i)
{
    double x = uniform(s);

    switch (i % 4) {
    case 0: return floor(exp(3 + 2 * (x + uniform(s) - 1)) * 100) / 100;
    case 1: return floor(x * 10000) / 10000;
    case 2: return x * 500;
    default: return floor(x * 50);
    }
}

struct writers {
    char *avro, *json;
    float *row;
};

static void put_name(struct writers *w, const char *prefix, size_t i)
{
    w->json += sprintf(w->json, ",\"%s_%zu\":", prefix, i);
}

static void put_double(struct writers *w, double value)
{
    memcpy(w->avro, &value, 8);
    w->avro += 8;
    w->json += number_print(w->json, value);
    *w->row++ = (float)value;
}

static void put_integer(struct writers *w, int64_t value)
{
    w->avro = put_long(w->avro, value);
    w->json += integer_print(w->json, value);
    *w->row++ = (float)value;
}

static void put_float(struct writers *w, float value)
{
    memcpy(w->avro, &value, 4);
    w->avro += 4;
    w->json += sprintf(w->json, "%.9g", (double)value);
    *w->row++ = value;
}

static void put_nullable(struct writers *w, struct synthetic *s, size_t i)
{
    if (uniform(s) < 0.3) {
        *w->avro++ = 0;
        w->json += sprintf(w->json, "null");
        *w->row++ = NAN;
        return;
    }
    *w->avro++ = 2;
    put_double(w, amount(s, i));
}

void synthetic_next(struct synthetic *s, struct synthetic_event *e)
{
    struct writers w = {(char *)e->avro, e->json, e->row};
    int64_t time_ms = 1760000000000 + (int64_t)(next(s) % 10000000000);
    unsigned channel;

    memcpy(w.avro, "\0\0\0\0\115", 5); /* schema 77 */
    e->key_len = (size_t)snprintf(e->key, sizeof e->key, "evt-%012llx",
                                  (unsigned long long)(next(s) & 0xffffffffffff));
    w.avro = put_long(w.avro + 5, (int64_t)e->key_len);
    memcpy(w.avro, e->key, e->key_len);
    w.avro = put_long(w.avro + e->key_len, time_ms);
    w.json +=
        sprintf(w.json, "{\"event_id\":\"%s\",\"event_time\":%lld", e->key, (long long)time_ms);
    for (size_t i = 0; i < DOUBLES; i++)
        put_name(&w, "amount", i), put_double(&w, amount(s, i));
    for (size_t i = 0; i < FLOATS; i++)
        put_name(&w, "share", i), put_float(&w, (float)uniform(s));
    for (size_t i = 0; i < INTS; i++)
        put_name(&w, "count", i), put_integer(&w, (int64_t)(next(s) % (20 << 2 * i)));
    for (size_t i = 0; i < LONGS; i++)
        put_name(&w, "total", i), put_integer(&w, (int64_t)(next(s) % 100000000));
    for (size_t i = 0; i < NULLABLES; i++)
        put_name(&w, "maybe", i), put_nullable(&w, s, i);
    channel = (unsigned)(next(s) % CHANNELS);
    *w.avro++ = (char)(channel * 2);
    *w.row++ = (float)channel;
    *w.avro++ = (char)(next(s) & 1);
    *w.row++ = (float)w.avro[-1];
    w.json += sprintf(w.json, ",\"channel\":\"%s\",\"is_new\":%s}", channels[channel],
                      w.avro[-1] ? "true" : "false");
    e->avro_len = (size_t)(w.avro - (char *)e->avro);
    e->json_len = (size_t)(w.json - e->json);
}

/* name and Avro type of field i of the features */
static void describe(size_t i, char *name, size_t cap, const char **type)
{
    static const struct {
        size_t count;
        const char *prefix, *type;
    } kinds[] = {{DOUBLES, "amount", "\"double\""},
                 {FLOATS, "share", "\"float\""},
                 {INTS, "count", "\"int\""},
                 {LONGS, "total", "\"long\""},
                 {NULLABLES, "maybe", "[\"null\",\"double\"]"}};

    if (i == ENUM_AT) {
        snprintf(name, cap, "channel");
        *type = "{\"type\":\"enum\",\"name\":\"Channel\",\"symbols\":[\"WEB\",\"APP\",\"POS\","
                "\"CALL\"]}";
        return;
    }
    if (i == BOOLEAN_AT) {
        snprintf(name, cap, "is_new");
        *type = "\"boolean\"";
        return;
    }
    for (size_t k = 0;; i -= kinds[k++].count) {
        if (i < kinds[k].count) {
            snprintf(name, cap, "%s_%zu", kinds[k].prefix, i);
            *type = kinds[k].type;
            return;
        }
    }
}

const char *synthetic_schema(void)
{
    static char text[4096];
    char *o = text, name[32];
    const char *type;

    o += sprintf(o, "{\"type\":\"record\",\"name\":\"Event\",\"namespace\":\"bench\",\"fields\":["
                    "{\"name\":\"event_id\",\"type\":\"string\"},"
                    "{\"name\":\"event_time\",\"type\":{\"type\":\"long\",\"logicalType\":"
                    "\"timestamp-millis\"}}");
    for (size_t i = 0; i < SYNTHETIC_FEATURES; i++) {
        describe(i, name, sizeof name, &type);
        o += sprintf(o, ",{\"name\":\"%s\",\"type\":%s}", name, type);
    }
    sprintf(o, "]}");
    return text;
}

/* ---- model */

enum { SAMPLE = 512 };

static void write_ints(FILE *f, const char *name, const int *values, int count)
{
    fprintf(f, "\"%s\":[", name);
    for (int i = 0; i < count; i++)
        fprintf(f, "%s%d", i ? "," : "", values[i]);
    fprintf(f, "],");
}

static void write_zeros(FILE *f, const char *name, int count)
{
    fprintf(f, "\"%s\":[", name);
    for (int i = 0; i < count; i++)
        fprintf(f, "%s0E0", i ? "," : "");
    fprintf(f, "],");
}

/* A complete tree: node i has children 2i+1 and 2i+2. */
static void write_tree(FILE *f, int id, struct synthetic *s, const struct synthetic_event *sample,
                       int depth)
{
    int inner = (1 << depth) - 1, count = 2 * inner + 1;
    int *left = calloc((size_t)count, sizeof *left), *right = calloc((size_t)count, sizeof *right);
    int *split = calloc((size_t)count, sizeof *split),
        *missing = calloc((size_t)count, sizeof *missing);
    int *parents = calloc((size_t)count, sizeof *parents),
        *zeros = calloc((size_t)count, sizeof *zeros);

    fprintf(f, "{\"split_conditions\":[");
    for (int i = 0; i < count; i++) {
        float value = (float)(uniform(s) * 0.2 - 0.1);
        left[i] = i < inner ? 2 * i + 1 : -1;
        right[i] = i < inner ? 2 * i + 2 : -1;
        parents[i] = i ? (i - 1) / 2 : 2147483647;
        if (i < inner) {
            split[i] = (int)(next(s) % SYNTHETIC_FEATURES);
            missing[i] = (int)(next(s) & 1);
            do
                value = sample[next(s) % SAMPLE].row[split[i]];
            while (isnan(value));
        }
        fprintf(f, "%s%.8e", i ? "," : "", (double)value); /* the library takes no integers here */
    }
    fprintf(f, "],");
    write_ints(f, "left_children", left, count);
    write_ints(f, "right_children", right, count);
    write_ints(f, "split_indices", split, count);
    write_ints(f, "default_left", missing, count);
    write_ints(f, "parents", parents, count);
    write_ints(f, "split_type", zeros, count);
    write_zeros(f, "base_weights", count);
    write_zeros(f, "loss_changes", count);
    write_zeros(f, "sum_hessian", count);
    fprintf(f,
            "\"categories\":[],\"categories_nodes\":[],\"categories_segments\":[],\"categories_"
            "sizes\":[],"
            "\"id\":%d,\"tree_param\":{\"num_deleted\":\"0\",\"num_feature\":\"%d\",\"num_nodes\":"
            "\"%d\","
            "\"size_leaf_vector\":\"0\"}}",
            id, SYNTHETIC_FEATURES, count);
    free(left), free(right), free(split), free(missing), free(parents), free(zeros);
}

static void write_model(FILE *f, int tree_count, int depth)
{
    struct synthetic source = {1};
    struct synthetic_event *sample = calloc(SAMPLE, sizeof *sample);

    for (size_t i = 0; i < SAMPLE; i++)
        synthetic_next(&source, &sample[i]);
    fprintf(f,
            "{\"learner\":{\"attributes\":{},\"feature_names\":[],\"feature_types\":[],"
            "\"gradient_booster\":{\"model\":{\"gbtree_model_param\":{\"num_parallel_tree\":\"1\","
            "\"num_trees\":\"%d\",\"size_leaf_vector\":\"0\"},\"tree_info\":[",
            tree_count);
    for (int i = 0; i < tree_count; i++)
        fprintf(f, "%s0", i ? "," : "");
    fprintf(f, "],\"trees\":[");
    for (int i = 0; i < tree_count; i++) {
        if (i)
            fputc(',', f);
        write_tree(f, i, &source, sample, depth);
    }
    fprintf(
        f,
        "]},\"name\":\"gbtree\"},\"learner_model_param\":{\"base_score\":\"5E-1\",\"num_class\":"
        "\"0\","
        "\"num_feature\":\"%d\",\"num_target\":\"1\"},\"objective\":{\"name\":\"binary:logistic\","
        "\"reg_loss_param\":{\"scale_pos_weight\":\"1\"}}},\"version\":[1,7,4]}",
        SYNTHETIC_FEATURES);
    free(sample);
}

static FILE *create(const char *folder, const char *name)
{
    char path[2048];
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    f = fopen(path, "wb");
    if (!f)
        perror(path);
    return f;
}

static int write_ini(const char *folder, FILE *f)
{
    char path[1024], hex[SHA256_HEX + 1], name[32], *text;
    struct err err = ERR_INIT;
    struct sha256 hash;
    const char *type;
    size_t len;

    snprintf(path, sizeof path, "%s/model.json", folder);
    if (file_read(path, 1 << 30, &text, &len, &err) != 0) {
        fprintf(stderr, "%s\n", err.text);
        return -1;
    }
    sha256_init(&hash);
    sha256_add(&hash, text, len);
    sha256_hex(&hash, hex);
    free(text);
    fprintf(
        f,
        "[model]\nname = bench\nversion = 1\nformat = xgboost\nfile = model.json\nsha256 = %s\n\n"
        "[output]\nkind = probability\nname = p\nthresholds = 0.5 high\nbelow = "
        "low\n\n[features]\n",
        hex);
    for (size_t i = 0; i < SYNTHETIC_FEATURES; i++) {
        describe(i, name, sizeof name, &type);
        fprintf(f, "%s = %s : %s\n", name, name,
                i == ENUM_AT      ? "category channel.csv, required, unknown as error"
                : i == BOOLEAN_AT ? "boolean, required"
                : *type == '['    ? "number, optional"
                                  : "number, required");
    }
    return 0;
}

int synthetic_write(const char *folder, int tree_count, int depth)
{
    char path[1024];
    FILE *f;
    int result;

    if (!(f = create(folder, "model.json")))
        return -1;
    write_model(f, tree_count, depth);
    fclose(f);
    if (!(f = create(folder, "channel.csv")))
        return -1;
    fprintf(f, "value,code\nWEB,0\nAPP,1\nPOS,2\nCALL,3\n");
    fclose(f);
    if (!(f = create(folder, "model.ini")))
        return -1;
    result = write_ini(folder, f);
    fclose(f);
    snprintf(path, sizeof path, "%s/schemas", folder);
    mkdir(path, 0755);
    if (result != 0 || !(f = create(path, "77.avsc")))
        return -1;
    fputs(synthetic_schema(), f);
    return fclose(f) == 0 ? 0 : -1;
}
