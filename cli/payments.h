/* payments.h: simulated card payments, the demo's events: seeded, the same every time.
 *
 * 5,000 cards with habits of their own (amounts, hours, shops); about 3 % of the payments are
 * fraud: larger against the card's habit, in bursts, at night, abroad, in goods that sell again.
 * The same generator makes the events that examples/payments/train.py trains on (`kscore demo
 * --events N`).
 *
 * A deploy can break them, as payments-api 3.0 does: PAYMENT_BROKEN_* says how.
 *
 * Plain values, no ownership; a struct payments belongs to one thread.
 */
#ifndef CLI_PAYMENTS_H
#define CLI_PAYMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PAYMENT_MAX = 512, PAYMENT_CARDS = 5000 };

struct payments {
    uint64_t rng;
    uint64_t count; /* events made so far */
    struct card {
        float habit_eur; /* median of what it pays */
        uint8_t country;
        uint8_t burst; /* payments of a fraud burst still to come */
    } cards[PAYMENT_CARDS];
};

/* What payments-api 3.0 does to an event. */
enum payment_break {
    PAYMENT_WHOLE,
    PAYMENT_AMOUNT_AS_TEXT,   /* "amount":"42.17" from card terminals */
    PAYMENT_CATEGORY_RENAMED, /* online becomes e-commerce */
    PAYMENT_VELOCITY_MISSING, /* the velocity service timed out */
    PAYMENT_CUT,              /* a proxy cut the value */
};

struct payment {
    char key[16];           /* the card */
    char json[PAYMENT_MAX]; /* the event, NUL-terminated */
    size_t json_len;
    bool is_fraud;
    enum payment_break broken;
};

void payments_init(struct payments *payments, uint64_t seed);

/* The next payment. By payments-api 3.0 when is_new: then most of them are broken. */
void payments_next(struct payments *payments, bool is_new, struct payment *out);

#endif
