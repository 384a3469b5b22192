/* text.h: numbers, UTF-8 and short texts, exact and without allocation or locale.
 *
 * Reading: decimal text to the nearest double (ties to even), always. Writing: the shortest decimal
 * that reads back to the same double. Thread: any; no state.
 */
#ifndef CORE_TEXT_H
#define CORE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The nearest double to (-1)^negative * digits * 10^exponent, where `digits` are exact (at most 19
 * decimal digits). False when it cannot decide (about 1 in 1000); then number_parse reads the text.
 */
bool number_fast(uint64_t digits, int exponent, double *value);

/* Reads a JSON number (RFC 8259 grammar) at text[0..len). Returns how many bytes it took, 0 when
 * there is none. May give infinity (1e999): the caller judges. A number of any length is read
 * exactly. */
size_t number_parse(const char *text, size_t len, double *value);

/* As number_parse but straight to float32 with one rounding, and with NaN, Infinity and -Infinity
 * as XGBoost writes them; for model files. */
size_t number_parse_float(const char *text, size_t len, float *value);

/* Lists of numbers as model files have them by the million: commas with a number behind each,
 * ",1,-2.5,3E-1", without blanks. They take as many as there are, at most `room`, and stop before a
 * comma behind which anything else stands (or the text ends): that is for the caller to read, and
 * to judge. Return the bytes taken. number_list_floats reads as number_parse_float;
 * number_list_integers takes those of up to 7 digits that a comma or a bracket ends. */
size_t number_list_floats(const char *text, size_t len, float *out, size_t room, size_t *count);
size_t number_list_integers(const char *text, size_t len, int32_t *out, size_t room, size_t *count);

/* Shortest text that reads back to value, as JSON likes it: 0.25, 1e-7, 12.0, -0.0. NaN and
 * infinity give "null". At most 25 bytes, no NUL. Returns the length. */
enum { NUMBER_TEXT_MAX = 32 };
size_t number_print(char *out, double value);

/* Decimal integer; at most 20 bytes, no NUL. Returns the length. */
size_t integer_print(char *out, int64_t value);

/* Whole text is a decimal integer in [low, high]: true and *value. */
bool integer_parse(const char *text, size_t len, int64_t low, int64_t high, int64_t *value);

/* Well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool utf8_is_valid(const uint8_t *data, size_t len);

/* Copies text; bytes that are not UTF-8 become U+FFFD. out has room for 3 * len. Returns the
 * length. */
size_t utf8_repair(char *out, const char *text, size_t len);

/* JSON string with quotes and escapes; bytes that are not UTF-8 become U+FFFD. out has room for
 * JSON_STRING_MAX(len). Returns the length. */
#define JSON_STRING_MAX(len) ((len)*6 + 2)
size_t json_string_print(char *out, const char *text, size_t len);

/* RFC 4648, section 4, without a NUL. out has room for BASE64_MAX(len). Returns the length. */
#define BASE64_MAX(len) (((len) + 2) / 3 * 4)
size_t base64_print(char *out, const void *data, size_t len);

/* Any bytes as one line that no terminal obeys: control characters (C0, DEL, C1), and what breaks
 * lines or turns the direction of text, become \n, \t, ... or \u009b, bytes that are not UTF-8
 * \xff. JSON whose strings hold such characters stays the same JSON. out has room for
 * VISIBLE_MAX(len). Returns the length. */
#define VISIBLE_MAX(len) ((len)*6)
size_t visible_print(char *out, const void *data, size_t len);

/* How many bytes of well-formed text the first `columns` code points take; *columns becomes how
 * many there were. */
size_t text_columns(const char *text, size_t len, size_t *columns);

/* Edit distance, and the nearest of `count` names to `text`, for "did you mean". NULL when none is
 * near: more than 1 away from one or two letters, 2 from up to eight, a third of a longer one. */
size_t text_distance(const char *a, const char *b);
const char *text_nearest(const char *text, const char *const *names, size_t count);

/* Prints behind what is there: out has cap bytes, *len of them are taken and grow. What does not
 * fit is cut off; out is NUL-terminated. */
void text_add(char *out, size_t cap, size_t *len, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* A space, a tab or a carriage return. */
bool text_is_blank(char c);

/* text without blanks at both ends: moves *text and *len. */
void text_trim(const char **text, size_t *len);

#endif
