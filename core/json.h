/* json.h: a pull tokenizer over JSON text in memory (RFC 8259), for events and for model files.
 *
 *   json_init(&j, text, len, 64);
 *   for (json_enter_object(&j); json_key(&j, &key);)      // key: raw bytes between the quotes
 *       if (json_text_equals(&key, "trees")) ... else json_skip(&j);
 *   if (json_end(&j)) ...                           // all well, nothing but blanks left
 *
 * The first failure sticks: afterwards every call says "no more", so loops end by themselves and
 * one look at `fault` at the end is enough. `at` then stands where it went wrong.
 *
 * No name here may be one of jansson's: the linker would let ours stand in for those inside it.
 *
 * No allocation, no recursion deeper than max_depth. Does not check UTF-8 (utf8_is_valid on the
 * whole text does, once, when `has_high` says that there is a byte over 0x7f). Borrows the text.
 * Thread: the owner's.
 */
#ifndef CORE_JSON_H
#define CORE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum json_fault {
    JSON_OK,
    JSON_BAD,      /* not JSON, or not what was asked for */
    JSON_TOO_DEEP, /* more than max_depth containers inside one another */
};

enum json_type {
    JSON_NONE, /* end of text, or no value starts here */
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT,
};

struct json {
    const char *start, *at, *end;
    unsigned depth, max_depth; /* the root container is depth 1 */
    enum json_fault fault;
    bool is_first;  /* the next key or item is the container's first */
    bool has_high;  /* a string held a byte over 0x7f */
    bool allow_nan; /* NaN, Infinity, -Infinity are numbers (XGBoost writes them); off at first */
};

struct json_text {
    const char *data; /* raw bytes between the quotes */
    size_t len;
    bool is_escaped; /* has a backslash: json_unescape before comparing */
};

void json_init(struct json *j, const char *text, size_t len, unsigned max_depth);

/* Type of the value that comes next, from its first byte; moves over blanks only. */
enum json_type json_peek(struct json *j);

/* Enters a container; false and fault when the next value is none. */
bool json_enter_object(struct json *j);
bool json_enter_array(struct json *j);

/* Inside an object: true and the next key, with the colon taken, so that a value comes next; false
 * when the object ended (its brace is taken) or on failure. json_item is the same for arrays. */
bool json_key(struct json *j, struct json_text *key);
bool json_item(struct json *j);

/* Takes one value of that type; false and fault otherwise. */
bool json_take_string(struct json *j, struct json_text *text);
bool json_number(struct json *j, double *value);
bool json_boolean(struct json *j, bool *value);
bool json_take_null(struct json *j);

/* As json_number with one rounding to float32. */
bool json_float(struct json *j, float *value);

/* Takes any value, checking its syntax to the bottom. */
bool json_skip(struct json *j);

/* True when nothing failed and only blanks are left. */
bool json_end(struct json *j);

/* Fails at the current place, unless something failed before. Returns false. */
bool json_fail(struct json *j, enum json_fault fault);

/* Resolves escapes into out (room for text->len bytes: escapes only shrink). A lone surrogate
 * becomes U+FFFD. Returns the length. */
size_t json_unescape(const struct json_text *text, char *out);

/* Compares with a literal; handles escapes. */
bool json_text_equals(const struct json_text *text, const char *literal);

#endif
