/* The search for valleys of luminance in a tile (skinscan/metrics/valleys.py). */
#include "linear.h"

enum { TAPS = 9 }; /* of _TAPS in Python */

static inline float lesser(float a, float b) { return a < b ? a : b; }

/* Weighted mean along the line of every pixel of the working area, less the penalty. */
static void mean_along(const float *restrict signal, const float *restrict barred, int padded,
                       int rows, int columns, const int64_t *shift, const float *tap,
                       float *restrict along)
{
    for (int r = 0; r < rows; r++) {
        const float *here = signal + (int64_t)r * padded;
        const float *bar = barred + (int64_t)r * padded;
        const float *p0 = here + shift[0], *p1 = here + shift[1], *p2 = here + shift[2],
                    *p3 = here + shift[3], *p4 = here + shift[4], *p5 = here + shift[5],
                    *p6 = here + shift[6], *p7 = here + shift[7], *p8 = here + shift[8];
        float *out = along + (int64_t)r * columns;
        for (int c = 0; c < columns; c++) {
            float sum = p0[c] * tap[0];
            sum = multiply_add(p1[c], tap[1], sum);
            sum = multiply_add(p2[c], tap[2], sum);
            sum = multiply_add(p3[c], tap[3], sum);
            sum = multiply_add(p4[c], tap[4], sum);
            sum = multiply_add(p5[c], tap[5], sum);
            sum = multiply_add(p6[c], tap[6], sum);
            sum = multiply_add(p7[c], tap[7], sum);
            sum = multiply_add(p8[c], tap[8], sum);
            out[c] = sum - bar[c];
        }
    }
}

/* Keep the contrast against the smaller shoulder where it is the best so far. */
static void keep_best(const float *itself, const int64_t *side, int columns,
                      const float *restrict weight, int weight_stride, int height, int width,
                      int direction, int32_t *restrict best, int best_stride)
{
    for (int r = 0; r < height; r++) {
        const float *m = itself + (int64_t)r * columns, *a = m + side[0], *b = m + side[1];
        const float *w = weight + (int64_t)r * weight_stride;
        int32_t *kept = best + (int64_t)r * best_stride;
        for (int c = 0; c < width; c++) {
            float contrast = (lesser(a[c], b[c]) - m[c]) * w[c];
            int32_t bits;
            memcpy(&bits, &contrast, sizeof bits);
            bits = (bits & ~0xF) | direction;
            kept[c] = bits > kept[c] ? bits : kept[c];
        }
    }
}

/* Search one tile in some directions for all scales.

   signal, barred   the padded picture and its penalty off the skin, row stride `padded`
   corner           item of them where the working area of `rows` x `columns` begins
   shift, tap       for each of all directions TAPS items along the line, and their weights
   side             for each of all directions and each scale items to the two shoulders
   own              item of the working area where the tile begins
   direction        those to search
   weight           of each of them, `height` x `width`
   best             for each scale the best so far: a contrast whose last four bits are a direction
   along            room for the working area */
API void valleys_search(const float *signal, const float *barred, int padded, int64_t corner,
                        int rows, int columns, const int64_t *shift, const float *tap,
                        const int64_t *side, int scales, int64_t own, const int32_t *direction,
                        int directions, const float *weight, int64_t weight_step,
                        int weight_stride, int height, int width, int32_t *best, int64_t best_step,
                        int best_stride, float *along)
{
    for (int n = 0; n < directions; n++) {
        int k = direction[n];
        mean_along(signal + corner, barred + corner, padded, rows, columns, shift + k * TAPS, tap,
                   along);
        for (int s = 0; s < scales; s++)
            keep_best(along + own, side + 2 * (k * scales + s), columns, weight + n * weight_step,
                      weight_stride, height, width, k, best + s * best_step, best_stride);
    }
}

/* Part the best of each pixel into its contrast, 0 off the skin, and its direction. */
API void valleys_unpack(const int32_t *restrict best, const uint8_t *restrict skin, int64_t count,
                        float *restrict contrast, uint8_t *restrict direction)
{
    for (int64_t i = 0; i < count; i++) {
        int32_t bits = skin[i] ? best[i] & ~0xF : 0;
        memcpy(contrast + i, &bits, sizeof bits);
        direction[i] = (uint8_t)(best[i] & 0xF);
    }
}

/* Keep the larger contrast of each pixel, and its direction; the first of equals stays.

   contrast, direction     another scale's, in a size of their own
   column, right           for each column of the result the two of `contrast` between which it lies,
                           and the second one's weight
   row, lower              the same for each row
   near_column, near_row   for each column and row of the result the one of `direction`
   same                    whether the other scale has the size of the result
   work                    2 · columns items
   room                    2 · columns bytes
   best, which             `rows` x `columns`, contiguous */
API void valleys_keep(const float *contrast, int stride, const uint8_t *direction,
                      int direction_stride, const int32_t *column, const float *right,
                      const int32_t *row, const float *lower, const int32_t *near_column,
                      const int32_t *near_row, int rows, int columns, int same, float *work,
                      uint8_t *restrict room, float *restrict best, uint8_t *restrict which)
{
    struct held held = {{work, work + columns}, {-1, -1}};
    uint8_t *restrict larger = room, *restrict near = room + columns;
    int near_of = -1;
    for (int y = 0; y < rows; y++, best += columns, which += columns) {
        const float *both[2];
        if (same)
            both[0] = both[1] = contrast + (int64_t)y * stride;
        else
            resize_rows(&held, contrast, stride, row + 2 * y, column, right, columns, both);
        const float *a = both[0], *b = both[1];
        const float second = lower[y];
        for (int c = 0; c < columns; c++) {
            const float found = multiply_add(b[c] - a[c], second, a[c]);
            larger[c] = found > best[c] ? 0xFF : 0;
            best[c] = found > best[c] ? found : best[c];
        }
        if (!memchr(larger, 0xFF, (size_t)columns))
            continue;
        if (near_of != near_row[y]) {
            near_of = near_row[y];
            const uint8_t *from = direction + (int64_t)near_of * direction_stride;
            for (int c = 0; c < columns; c++)
                near[c] = from[near_column[c]];
        }
        for (int c = 0; c < columns; c++)
            which[c] = (uint8_t)((larger[c] & near[c]) | (~larger[c] & which[c]));
    }
}
