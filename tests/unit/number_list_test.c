/* Lists of numbers stop where they must, and hold what their numbers are one by one. */
#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "tests/events.h"
#include "tests/harness.h"

static const struct {
    const char *text;
    size_t float_count, integer_count; /* that the lists take */
} lists[] = {
    {",1,-2,0,-0,1234567,-7654321]                                ", 6, 6},
    {",1,2.5,3E1,-4.25e-1,5]                                      ", 5, 1},
    {",1,NaN,-Infinity,2]                                         ", 4, 1},
    {",1,12345678,2]                                              ", 3, 1},
    {",1, 2]                                                      ", 1, 1},
    {",1,true]                                                    ", 1, 1},
    {",1,01]                                                      ", 1, 1},
    {",1,]                                                        ", 1, 1},
    {",1,-]                                                       ", 1, 1},
    {",1x,2]                                                      ", 1, 0},
    {"]                                                           ", 0, 0},
    {"1,2]                                                        ", 0, 0},
};

START_TEST(lists_are_taken_up_to_what_is_no_plain_number)
{
    const char *text = lists[_i].text;
    size_t whole = strlen(text), count, taken, want = lists[_i].float_count;
    int32_t integers[8];
    float floats[8], alone;

    taken = number_list_floats(text, whole, floats, 8, &count);
    ck_assert_uint_eq(count, want);
    ck_assert(count == 0 || text[taken] == ',' || text[taken] == ']' || text[taken] == 'x');
    number_list_integers(text, whole, integers, 8, &count);
    ck_assert_uint_eq(count, lists[_i].integer_count);
    for (size_t i = 0; i < count; i++)
        ck_assert(floats[i] == (float)integers[i]);
    for (size_t i = 0, at = 0; i < want; i++) {
        at += 1 + number_parse_float(text + at + 1, whole - at - 1, &alone);
        ck_assert(memcmp(&alone, &floats[i], sizeof alone) == 0);
    }
    for (size_t len = 0; len <= whole; len++) { /* cut: not beyond the end */
        uint8_t *cut = events_exact(text, len);
        ck_assert_uint_le(number_list_floats((const char *)cut, len, floats, 8, &count), len);
        ck_assert_uint_le(number_list_integers((const char *)cut, len, integers, 8, &count), len);
        free(cut);
    }
    for (size_t room = 0; room <= want; room++) {
        number_list_floats(text, whole, floats, room, &count);
        ck_assert_uint_eq(count, room);
        number_list_integers(text, whole, integers, room, &count);
        ck_assert_uint_le(count, room);
    }
}
END_TEST

SUITE(number_list)
{
    TCase *loop = harness_case(suite, "tables", NULL, 0);

    tcase_add_loop_test(loop, lists_are_taken_up_to_what_is_no_plain_number, 0,
                        sizeof lists / sizeof lists[0]);
}
