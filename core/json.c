#include "core/json.h"

#include <string.h>

#include "core/text.h"

void json_init(struct json *j, const char *text, size_t len, unsigned max_depth)
{
    *j = (struct json){.start = text, .at = text, .end = text + len, .max_depth = max_depth};
}

bool json_fail(struct json *j, enum json_fault fault)
{
    if (j->fault == JSON_OK)
        j->fault = fault;
    return false;
}

static void skip_blanks(struct json *j)
{
    while (j->at < j->end && (*j->at == ' ' || *j->at == '\n' || *j->at == '\r' || *j->at == '\t'))
        j->at++;
}

static enum json_type type_of(const struct json *j)
{
    char c = *j->at;

    if (c == '-' && j->allow_nan && j->end - j->at > 1 && j->at[1] == 'I')
        return JSON_NUMBER;
    switch (c) {
    case '{': return JSON_OBJECT;
    case '[': return JSON_ARRAY;
    case '"': return JSON_STRING;
    case 't': return JSON_TRUE;
    case 'f': return JSON_FALSE;
    case 'n': return JSON_NULL;
    case 'N':
    case 'I': return j->allow_nan ? JSON_NUMBER : JSON_NONE;
    default: return c == '-' || (c >= '0' && c <= '9') ? JSON_NUMBER : JSON_NONE;
    }
}

enum json_type json_peek(struct json *j)
{
    if (j->fault != JSON_OK)
        return JSON_NONE;
    skip_blanks(j);
    return j->at < j->end ? type_of(j) : JSON_NONE;
}

static bool enter(struct json *j, enum json_type type)
{
    if (json_peek(j) != type)
        return json_fail(j, JSON_BAD);
    if (j->depth == j->max_depth)
        return json_fail(j, JSON_TOO_DEEP);
    j->at++;
    j->depth++;
    j->is_first = true;
    return true;
}

bool json_enter_object(struct json *j)
{
    return enter(j, JSON_OBJECT);
}

bool json_enter_array(struct json *j)
{
    return enter(j, JSON_ARRAY);
}

/* At a container's next element: takes the comma before it, or the closing sign and gives false. */
static bool next(struct json *j, char closing)
{
    if (j->fault != JSON_OK)
        return false;
    skip_blanks(j);
    if (j->at == j->end)
        return json_fail(j, JSON_BAD);
    if (*j->at == closing) {
        j->at++;
        j->depth--;
        j->is_first = false;
        return false;
    }
    if (!j->is_first) {
        if (*j->at != ',')
            return json_fail(j, JSON_BAD);
        j->at++;
    }
    j->is_first = false;
    if (json_peek(j) == JSON_NONE)
        return json_fail(j, JSON_BAD);
    return true;
}

bool json_key(struct json *j, struct json_text *key)
{
    if (!next(j, '}') || !json_take_string(j, key))
        return false;
    skip_blanks(j);
    if (j->at == j->end || *j->at != ':')
        return json_fail(j, JSON_BAD);
    j->at++;
    return true;
}

bool json_item(struct json *j)
{
    return next(j, ']');
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'f');
}

/* Bytes of the escape at p (at a backslash), 0 when it is none. */
static size_t escape_len(const char *p, const char *end)
{
    if (end - p < 2)
        return 0;
    if (p[1] == 'u')
        return end - p >= 6 && is_hex(p[2]) && is_hex(p[3]) && is_hex(p[4]) && is_hex(p[5]) ? 6 : 0;
    return p[1] != '\0' && strchr("\"\\/bfnrt", p[1]) ? 2 : 0;
}

bool json_take_string(struct json *j, struct json_text *text)
{
    const char *p;

    if (json_peek(j) != JSON_STRING)
        return json_fail(j, JSON_BAD);
    p = ++j->at;
    text->is_escaped = false;
    for (; p < j->end && *p != '"'; p++) {
        unsigned char c = (unsigned char)*p;
        if (c < 0x20)
            break;
        if (c & 0x80)
            j->has_high = true;
        if (c == '\\') {
            size_t len = escape_len(p, j->end);
            if (len == 0)
                break;
            text->is_escaped = true;
            p += len - 1;
        }
    }
    text->data = j->at;
    text->len = (size_t)(p - j->at);
    j->at = p;
    if (p == j->end || *p != '"')
        return json_fail(j, JSON_BAD);
    j->at++;
    return true;
}

bool json_number(struct json *j, double *value)
{
    size_t len;

    if (json_peek(j) != JSON_NUMBER)
        return json_fail(j, JSON_BAD);
    len = number_parse(j->at, (size_t)(j->end - j->at), value);
    if (len == 0 && j->allow_nan) {
        float special;
        len = number_parse_float(j->at, (size_t)(j->end - j->at), &special);
        *value = (double)special;
    }
    if (len == 0)
        return json_fail(j, JSON_BAD);
    j->at += len;
    return true;
}

bool json_float(struct json *j, float *value)
{
    size_t len;

    if (json_peek(j) != JSON_NUMBER)
        return json_fail(j, JSON_BAD);
    len = number_parse_float(j->at, (size_t)(j->end - j->at), value);
    if (len == 0)
        return json_fail(j, JSON_BAD);
    j->at += len;
    return true;
}

static bool literal(struct json *j, const char *word, size_t len)
{
    if (json_peek(j) == JSON_NONE || (size_t)(j->end - j->at) < len ||
        memcmp(j->at, word, len) != 0)
        return json_fail(j, JSON_BAD);
    j->at += len;
    return true;
}

bool json_boolean(struct json *j, bool *value)
{
    *value = json_peek(j) == JSON_TRUE;
    return *value ? literal(j, "true", 4) : literal(j, "false", 5);
}

bool json_take_null(struct json *j)
{
    return literal(j, "null", 4);
}

bool json_skip(struct json *j)
{
    struct json_text text;
    double number;
    bool truth;

    switch (json_peek(j)) {
    case JSON_NULL: return json_take_null(j);
    case JSON_FALSE:
    case JSON_TRUE: return json_boolean(j, &truth);
    case JSON_NUMBER: return json_number(j, &number);
    case JSON_STRING: return json_take_string(j, &text);
    case JSON_ARRAY:
        for (json_enter_array(j); json_item(j);)
            json_skip(j);
        return j->fault == JSON_OK;
    case JSON_OBJECT:
        for (json_enter_object(j); json_key(j, &text);)
            json_skip(j);
        return j->fault == JSON_OK;
    case JSON_NONE: break;
    }
    return json_fail(j, JSON_BAD);
}

bool json_end(struct json *j)
{
    if (j->fault != JSON_OK)
        return false;
    skip_blanks(j);
    return j->at == j->end;
}

static unsigned hex4(const char *p)
{
    unsigned value = 0;

    for (int i = 0; i < 4; i++) {
        unsigned c = (unsigned char)p[i];
        value = value << 4 | (c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
    }
    return value;
}

static size_t utf8_put(char *out, unsigned c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 63));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 63));
        out[2] = (char)(0x80 | (c & 63));
        return 3;
    }
    out[0] = (char)(0xf0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 63));
    out[2] = (char)(0x80 | (c >> 6 & 63));
    out[3] = (char)(0x80 | (c & 63));
    return 4;
}

/* The code point of the \u escape at *p (checked before), a surrogate pair joined; moves *p behind
 * it. */
static unsigned take_unicode(const char **p, const char *end)
{
    unsigned high = hex4(*p + 2);

    *p += 6;
    if (high < 0xd800 || high > 0xdfff)
        return high;
    if (high < 0xdc00 && end - *p >= 6 && (*p)[0] == '\\' && (*p)[1] == 'u') {
        unsigned low = hex4(*p + 2);
        if (low >= 0xdc00 && low <= 0xdfff) {
            *p += 6;
            return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
        }
    }
    return 0xfffd;
}

size_t json_unescape(const struct json_text *text, char *out)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *p = text->data, *end = p + text->len;
    char *o = out;

    while (p < end) {
        if (*p != '\\') {
            *o++ = *p++;
        } else if (p[1] == 'u') {
            o += utf8_put(o, take_unicode(&p, end));
        } else {
            *o++ = to[strchr(from, p[1]) - from];
            p += 2;
        }
    }
    return (size_t)(o - out);
}

bool json_text_equals(const struct json_text *text, const char *literal_text)
{
    char plain[256];
    size_t len;

    if (!text->is_escaped && text->len > 0 && text->data[0] != literal_text[0])
        return false; /* most are told by that, without a call */
    len = strlen(literal_text);
    if (!text->is_escaped)
        return text->len == len && memcmp(text->data, literal_text, len) == 0;
    if (text->len > sizeof plain)
        return false;
    return json_unescape(text, plain) == len && memcmp(plain, literal_text, len) == 0;
}
