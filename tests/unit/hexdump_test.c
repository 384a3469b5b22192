/* Bytes as hex and text, and the mark under one of them. */
#include "cli/hexdump.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "tests/harness.h"

/* What is shown of the first len bytes of 0x40, 0x41, ... : static buffer. */
static const char *show(size_t len, int64_t mark, size_t shown)
{
    static char out[20000];
    uint8_t *bytes = mem_alloc(len, 1);
    char *text;
    size_t text_len;
    FILE *file = open_memstream(&text, &text_len);

    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(0x40 + i % 32);
    hexdump_show(&(struct hexdump){{bytes, len}, mark, "here", shown}, &(struct paint){.out = file},
                 ">");
    fclose(file);
    snprintf(out, sizeof out, "%s", text);
    free(text);
    free(bytes);
    return out;
}

START_TEST(each_byte_can_be_marked)
{
    for (size_t len = 0; len < 50; len++) {
        for (int64_t mark = 0; mark <= (int64_t)len; mark++) {
            const char *text = show(len, mark, SIZE_MAX), *at = strstr(text, "^^ here\n"), *line;
            char want[20];
            ck_assert_msg(at != NULL, "%zu bytes, mark %d: %s", len, (int)mark, text);
            for (line = at; line > text && line[-1] != '\n'; line--)
                ;
            if (mark == (int64_t)len) /* behind the last there is nothing to point at */
                continue;
            /* The two columns above it are the byte. */
            const char *above = line - 1;
            while (above > text && above[-1] != '\n')
                above--;
            snprintf(want, sizeof want, "%02x", 0x40 + (int)mark % 32);
            ck_assert_msg(strncmp(above + (at - line), want, 2) == 0, "%s", text);
        }
    }
}
END_TEST

START_TEST(of_many_bytes_the_first_and_those_around_the_mark_are_shown)
{
    const char *text = show(10000, 5000, SIZE_MAX);

    ck_assert_ptr_nonnull(strstr(text, ">000000f0  "));
    ck_assert_ptr_null(strstr(text, ">00000100  "));
    ck_assert_ptr_nonnull(strstr(text, "\n>... 4704 bytes ...\n>00001360  "));
    ck_assert_ptr_nonnull(strstr(text, "\n>000013a0  "));
    ck_assert_ptr_nonnull(strstr(text, "|\n>... 4960 bytes\n"));
    text = show(512, HEXDUMP_NO_MARK, SIZE_MAX);
    ck_assert_ptr_nonnull(strstr(text, ">000001f0  "));
    ck_assert_ptr_null(strstr(text, "..."));
}
END_TEST

START_TEST(what_is_secret_is_no_byte)
{
    ck_assert_str_eq(show(7, 6, 5),
                     ">00000000  40 41 42 43 44 -- --                              |@ABCD--|\n"
                     ">                            ^^ here\n");
    ck_assert_str_eq(show(40, HEXDUMP_NO_MARK, 0), ">... 40 bytes\n");
}
END_TEST

SUITE(hexdump)
{
    CASE("mark", each_byte_can_be_marked);
    CASE("cut", of_many_bytes_the_first_and_those_around_the_mark_are_shown,
         what_is_secret_is_no_byte);
}
