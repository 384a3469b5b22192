#include <stdlib.h>
#include <string.h>

#include "core/sha256.h"
#include "tests/harness.h"

static const char *hash(const void *data, size_t len, size_t piece)
{
    static char hex[SHA256_HEX + 1];
    struct sha256 h;

    sha256_init(&h);
    for (size_t at = 0; at < len; at += piece)
        sha256_add(&h, (const char *)data + at, len - at < piece ? len - at : piece);
    sha256_hex(&h, hex);
    return hex;
}

/* NIST, "Examples with Intermediate Values", and FIPS 180-2 appendix B. */
START_TEST(the_published_examples_come_out)
{
    static const char two[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    static const char four[] = "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmno"
                               "ijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu";

    ck_assert_str_eq(hash("", 0, 1),
                     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    ck_assert_str_eq(hash("abc", 3, 64),
                     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    ck_assert_str_eq(hash(two, sizeof two - 1, 64),
                     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    ck_assert_str_eq(hash(four, sizeof four - 1, 64),
                     "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
}
END_TEST

START_TEST(a_million_letters_come_out)
{
    char *text = malloc(1000000);

    ck_assert_ptr_nonnull(text);
    memset(text, 'a', 1000000);
    ck_assert_str_eq(hash(text, 1000000, 999),
                     "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    free(text);
}
END_TEST

/* The chained hash of every length from 0 to 200 of the bytes 0, 1, 2, ...: one number that covers
 * every place of the padding. Made with Python's hashlib. */
START_TEST(every_length_around_the_block_borders_is_right)
{
    struct sha256 chain;
    uint8_t data[201];
    char hex[SHA256_HEX + 1];

    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)i;
    sha256_init(&chain);
    for (size_t len = 0; len <= 200; len++)
        sha256_add(&chain, hash(data, len, 64), SHA256_HEX);
    sha256_hex(&chain, hex);
    ck_assert_str_eq(hex, "b367ea311264aae50e6260b96a10761169ce3eec5d5f8f2258351f82c7252776");
}
END_TEST

START_TEST(pieces_of_any_size_give_the_same)
{
    uint8_t data[300];
    char want[SHA256_HEX + 1];

    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7);
    for (size_t len = 0; len <= sizeof data; len += 13) {
        strcpy(want, hash(data, len, 300));
        for (size_t piece = 1; piece < 140; piece++)
            ck_assert_str_eq(hash(data, len, piece), want);
    }
}
END_TEST

SUITE(sha256)
{
    CASE("vectors", the_published_examples_come_out, a_million_letters_come_out,
         every_length_around_the_block_borders_is_right);
    CASE("pieces", pieces_of_any_size_give_the_same);
}
