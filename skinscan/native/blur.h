/* Gaussian blurs of one row and across rows, summed in OpenCV's order. */
#ifndef SKINSCAN_BLUR_H
#define SKINSCAN_BLUR_H

#include "native.h"

/* Half a kernel for sigmas up to 15 px. */
enum { MOST_TAPS = 64 };

/* Registers that are summed side by side, because each sum waits for the one before it. */
enum { ABREAST = 4, SPAN = 4 * LANES };

/* Along a row, from left to right. `in` has `radius` steps before its first item and after the last
   of `count`, and a span more; `out` has room for a span more than `count`. */
static inline void blur_row(const float *restrict in, int count, int step, const float *tap,
                            int radius, float *restrict out)
{
    for (int c = 0; c < count; c += SPAN) {
        const float *at = in + c - (int64_t)radius * step;
        lanes sum[ABREAST];
        for (int n = 0; n < ABREAST; n++)
            sum[n] = load(at + n * LANES) * all_of(tap[radius]);
        for (int k = radius - 1; k >= -radius; k--) {
            const lanes weight = all_of(tap[k < 0 ? -k : k]);
            at += step;
            for (int n = 0; n < ABREAST; n++)
                sum[n] = lanes_multiply_add(load(at + n * LANES), weight, sum[n]);
        }
        for (int n = 0; n < ABREAST; n++)
            store(out + c + n * LANES, sum[n]);
    }
}

/* Across rows, from the middle outwards, a span from `column` on; up[0] and down[0] are the row
   itself. */
static inline void blur_down(const float *const *up, const float *const *down, int64_t column,
                             const float *tap, int radius, lanes sum[ABREAST])
{
    for (int n = 0; n < ABREAST; n++)
        sum[n] = load(up[0] + column + n * LANES) * all_of(tap[0]);
    for (int k = 1; k <= radius; k++) {
        const lanes weight = all_of(tap[k]);
        const float *one = up[k] + column, *other = down[k] + column;
        for (int n = 0; n < ABREAST; n++)
            sum[n] = lanes_multiply_add(load(one + n * LANES) + load(other + n * LANES), weight,
                                        sum[n]);
    }
}

#endif
