/* feature.h: the features of a model and where each comes from in an event: plain data.
 *
 * scoring/ reads them from model.ini, schemas/ compiles them into plans, pipeline/ joins the two.
 * The rules are the ten of model.ini (docs/model-bundle.md); the order is the model's.
 *
 * A struct features owns everything below it and is immutable after it was read: any thread may
 * look.
 */
#ifndef CORE_FEATURE_H
#define CORE_FEATURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

enum feature_type {
    FEATURE_NUMBER, /* JSON number; Avro int, long, float, double, and logical types' raw numbers */
    FEATURE_BOOLEAN,  /* false 0, true 1 */
    FEATURE_CATEGORY, /* string or enum symbol, through a table */
};

/* Category table: text -> code 0..code_count-1, several texts may share a code. */
struct category;

/* Reads CSV with the heading value,code. *table is new, the caller frees it. Errors: EXIT_IO
 * unreadable, EXIT_DATA with file and line. */
int category_load(struct category **table, const char *path, struct err *err);
void category_free(struct category *table);

/* An empty table, and one more value for it: false when the value is there already. */
struct category *category_new(void);
bool category_add(struct category *table, const char *text, size_t len, int32_t code);

/* The code of text[0..len), or -1. No allocation, about 5 ns. */
int32_t category_find(const struct category *table, const char *text, size_t len);
size_t category_code_count(const struct category *table);

/* Calls visit for each value in the file's order (a value may hold any UTF-8, no NUL inside). */
void category_each(const struct category *table,
                   void (*visit)(void *arg, const char *value, size_t len, int32_t code),
                   void *arg);

enum step_kind {
    STEP_FIELD, /* .name: a record field or an object's key */
    STEP_INDEX, /* [3]: an array's element, from 0 */
    STEP_KEY,   /* ["k"]: a map's value or an object's key, any text */
};

struct step {
    enum step_kind kind;
    char *name; /* FIELD and KEY: NUL-terminated, UTF-8 */
    size_t name_len;
    size_t index; /* INDEX */
};

struct path {
    char *text; /* as written in model.ini */
    struct step *steps;
    size_t step_count; /* at least 1 */
};

struct feature {
    char *name; /* exactly as in the model file */
    struct path
        *paths; /* tried from the left; the first that the event has is taken, even if null */
    size_t path_count; /* at least 1 */
    enum feature_type type;
    bool required;           /* missing is a dead letter; otherwise missing is `missing` */
    float missing;           /* NaN, or the default N rounded once */
    struct category *table;  /* CATEGORY only, else NULL; owned */
    bool unknown_is_missing; /* CATEGORY: a text that is not in the table */
};

struct features {
    struct feature *items;
    size_t count;
    /* What the configuration asks for beside; a model has none of it (schemas/rooted.h). */
    struct path root;     /* the paths above and below begin with it; without steps: none */
    struct path *carries; /* texts for the score, and, has_time, at the end the event's time */
    size_t carry_count;   /* that one included */
    bool has_time;
};

/* Parses one line's right side, "weather.temp | temp : number, optional", into *feature (name is
 * copied). Tables are read from folder. On failure *feature is left released. Errors: EXIT_DATA
 * with what is expected; the caller adds file and line. */
int feature_parse(struct feature *feature, const char *name, const char *text, const char *folder,
                  struct err *err);
void features_release(struct features *features);

/* What a feature is in an event that says nothing of it, for people: "missing", "3", "dead letter
 * missing_field"; NUL-terminated. */
enum { FEATURE_WORDS_MAX = 32 };
void feature_print_missing(char out[FEATURE_WORDS_MAX], const struct feature *feature);

/* Parses "a.b[0].c" or "extras[\"k\"]". *path is new; path_release frees what it owns. */
int path_parse(struct path *path, const char *text, size_t len, struct err *err);
void path_release(struct path *path);

/* Its last name, behind which only indexes come; "" without one. */
const char *path_name(const struct path *path);

#endif
