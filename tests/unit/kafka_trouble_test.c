#include <string.h>

#include "core/kafka_trouble.h"
#include "tests/harness.h"

static const struct {
    const char *heard, *text;
    bool is_clear;
} words[] = {
    {"b:9/1: Send failed: Broken pipe (after 0ms in state UP, 2 identical error(s) suppressed)",
     "b:9/1: Send failed: Broken pipe", false},
    {"b:9/1: Connect to ipv4#1.2.3.4:9 failed: Connection refused (after 3ms in state CONNECT)",
     "b:9/1: Connect to ipv4#1.2.3.4:9 failed: Connection refused", true},
    {"ssl://b:9/1: SSL handshake failed: error:0A000086:SSL routines::certificate verify failed: "
     "broker certificate could not be verified (after 9ms in state SSL_HANDSHAKE)",
     "ssl://b:9/1: its certificate is refused, facility=SSLCERTVRFY says which and why", true},
    {"ssl://b:9/1: error:0A000086:SSL routines::certificate verify failed (after 1ms in state X)",
     "ssl://b:9/1: its certificate is refused, facility=SSLCERTVRFY says which and why", true},
    {"certificate verify failed", "its certificate is refused", true},
};

START_TEST(the_same_trouble_reads_the_same)
{
    struct kafka_trouble trouble = {0};

    kafka_trouble_take(&trouble, RD_KAFKA_RESP_ERR__TRANSPORT, words[_i].heard);
    ck_assert_ptr_nonnull(strstr(trouble.text, words[_i].text));
    ck_assert_int_eq(trouble.is_clear, words[_i].is_clear);
    kafka_trouble_take(&trouble, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, "1/1 brokers are down");
    ck_assert_ptr_nonnull(strstr(trouble.text, words[_i].text));
}
END_TEST

START_TEST(a_certificate_is_refused_by_its_reason)
{
    static const struct {
        int error;
        const char *want;
    } reasons[] = {{9, "not valid yet"},
                   {10, "expired"},
                   {18, "not signed"},
                   {20, "not signed"},
                   {62, "another host"},
                   {64, "another host"},
                   {99, "cannot be verified (X.509 error 99)"}};

    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        int error = reasons[i].error;
        char why[200] = "";
        ck_assert_int_eq(
            kafka_trouble_on_certificate(NULL, "b", 1, &error, 0, "", 0, why, sizeof why, NULL), 0);
        ck_assert_msg(strstr(why, reasons[i].want) != NULL, "%s", why);
    }
    int none = 0;
    ck_assert_int_eq(kafka_trouble_on_certificate(NULL, "b", 1, &none, 0, "", 0, NULL, 0, NULL), 1);
}
END_TEST

SUITE(kafka_trouble)
{
    TCase *tcase = CASE("certificates", a_certificate_is_refused_by_its_reason);

    tcase_add_loop_test(tcase, the_same_trouble_reads_the_same, 0, sizeof words / sizeof words[0]);
}
