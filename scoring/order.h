/* order.h: float32 as whole numbers in the same order, so that every rule of every library is one
 * comparison: x < threshold is order_key(x) < order_key(threshold).
 *
 * -0 and +0 have one key. Below -infinity and above +infinity there is room for what is no number:
 * ORDER_LEFT is left of every threshold, ORDER_RIGHT right of every one. A threshold of
 * order_key(-INFINITY) is "never left", ORDER_ALL is "left unless missing".
 */
#ifndef SCORING_ORDER_H
#define SCORING_ORDER_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#define ORDER_LEFT INT32_MIN
#define ORDER_RIGHT INT32_MAX
#define ORDER_NONE ((int32_t)0x807fffff) /* of -infinity */
#define ORDER_ALL ((int32_t)0x7f800001)  /* one above +infinity */

/* x is no NaN. */
static inline int32_t order_key(float x)
{
    int32_t bits;

    x += 0.0f; /* -0 becomes +0 */
    memcpy(&bits, &x, sizeof bits);
    return bits ^ (int32_t)((uint32_t)(bits >> 31) >> 1);
}

/* The threshold of x < t, as a key; x < NaN is never true. */
static inline int32_t order_below(float t)
{
    return t != t ? ORDER_NONE : order_key(t);
}

/* The threshold of x <= t for float32 x: left is what is not above the largest float32 that is not
 * above t. */
static inline int32_t order_up_to(double t)
{
    float down = (float)t;

    if (t != t)
        return ORDER_NONE;
    if ((double)down > t)
        down = nextafterf(down, -INFINITY);
    return order_key(down) + 1;
}

#endif
