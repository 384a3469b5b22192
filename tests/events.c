#include "tests/events.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/ini.h"
#include "core/mem.h"

static void add_feature(struct features *features, const char *name, const char *text,
                        const char *folder)
{
    struct err err = ERR_INIT;

    features->items = mem_resize(features->items, features->count + 1, sizeof *features->items);
    ck_assert_msg(feature_parse(&features->items[features->count], name, text, folder, &err) == 0,
                  "%s", err.text);
    features->count++;
}

struct features events_features(const char *folder, const char *const *lines, size_t count)
{
    struct features features = {0};

    for (size_t i = 0; i < count; i++) {
        const char *equals = strstr(lines[i], " = ");
        char name[128];
        ck_assert_ptr_nonnull(equals);
        snprintf(name, sizeof name, "%.*s", (int)(equals - lines[i]), lines[i]);
        add_feature(&features, name, equals + 3, folder ? folder : ".");
    }
    return features;
}

struct features events_bundle_features(const char *folder)
{
    struct features features = {0};
    struct err err = ERR_INIT;
    struct ini ini;
    char path[512];

    snprintf(path, sizeof path, "%s/model.ini", folder);
    ck_assert_msg(ini_load(&ini, path, EXIT_DATA, &err) == 0, "%s", err.text);
    for (size_t i = 0; i < ini.count; i++)
        if (strcmp(ini.entries[i].section, "features") == 0)
            add_feature(&features, ini.entries[i].name, ini.entries[i].value, folder);
    ini_release(&ini);
    return features;
}

void event_bytes(struct event *e, const void *data, size_t len)
{
    if (e->len + len > e->cap) {
        e->cap = (e->len + len) * 2;
        e->data = mem_resize(e->data, e->cap, 1);
    }
    if (len != 0)
        memcpy(e->data + e->len, data, len);
    e->len += len;
}

void event_long(struct event *e, int64_t value)
{
    uint64_t left = (uint64_t)value << 1 ^ (uint64_t)(value >> 63);
    uint8_t byte;

    do {
        byte = (uint8_t)((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
        event_bytes(e, &byte, 1);
        left >>= 7;
    } while (left != 0);
}

void event_double(struct event *e, double value)
{
    event_bytes(e, &value, sizeof value);
}

void event_float(struct event *e, float value)
{
    event_bytes(e, &value, sizeof value);
}

void event_text(struct event *e, const char *text)
{
    event_long(e, (int64_t)strlen(text));
    event_bytes(e, text, strlen(text));
}

void event_frame(struct event *e, uint32_t schema_id)
{
    uint8_t frame[5] = {0, (uint8_t)(schema_id >> 24), (uint8_t)(schema_id >> 16),
                        (uint8_t)(schema_id >> 8), (uint8_t)schema_id};

    event_bytes(e, frame, sizeof frame);
}

void event_release(struct event *e)
{
    free(e->data);
    *e = (struct event){0};
}

uint8_t *events_exact(const void *data, size_t len)
{
    uint8_t *copy = malloc(len ? len : 1);

    if (!copy)
        ck_abort_msg("out of memory");
    if (len != 0)
        memcpy(copy, data, len);
    return copy;
}

const char *events_outcome(struct outcome o)
{
    static char text[64];

    if (o.kind == OUTCOME_SCORED)
        return "scored";
    if (o.kind == OUTCOME_SKIPPED)
        return "skipped";
    if (o.kind == OUTCOME_WAITING)
        return "waiting";
    if (strcmp(fault_stage((enum fault)o.fault), "bind") == 0)
        snprintf(text, sizeof text, "bind/%s %u", fault_reason((enum fault)o.fault), o.feature);
    else
        snprintf(text, sizeof text, "%s/%s", fault_stage((enum fault)o.fault),
                 fault_reason((enum fault)o.fault));
    return text;
}
