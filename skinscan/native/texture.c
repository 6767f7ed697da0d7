/* Texture of skin (skinscan/metrics/grain.py). */
#include "blur.h"

static inline float lesser(float a, float b) { return a < b ? a : b; }
static inline float greater(float a, float b) { return a > b ? a : b; }

/* Mirrored about the border's own pixels, however narrow the picture. */
static inline int row_of(int y, int rows)
{
    if (rows == 1)
        return 0;
    while (y < 0 || y >= rows)
        y = y < 0 ? -y : 2 * (rows - 1) - y;
    return y;
}

/* What roughness is made of, in one region.

   band, presence, inside   `rows` x `columns` windows: contrast, certainty of lines in steps, and
                            the region's skin
   weight_of                weight as skin between lines of each step, 256 items
   on_a_line                step from which a pixel is no skin between lines
   sums                     weight, weighted contrast and weighted square of it
   tile                     side in px of the tiles, `across` of them in a row
   counts, lowest, highest  for each tile: pixels of skin between lines, and their extremes */
API void roughness(const float *band, int band_stride, const uint8_t *presence, int presence_stride,
                   const uint8_t *inside, int inside_stride, int rows, int columns,
                   const float *weight_of, int on_a_line, double *sums, int tile, int across,
                   int32_t *counts, float *lowest, float *highest)
{
    double total = 0.0, first = 0.0, second = 0.0;
    for (int y = 0; y < rows; y++) {
        const float *value = band + (int64_t)y * band_stride;
        const uint8_t *step = presence + (int64_t)y * presence_stride;
        const uint8_t *on = inside + (int64_t)y * inside_stride;
        float in_row = 0.0f, sum = 0.0f, square = 0.0f;
        for (int left = 0; left < columns; left += tile) {
            const int right = columns < left + tile ? columns : left + tile;
            const int64_t at = (int64_t)(y / tile) * across + left / tile;
            int count = 0;
            float low = lowest[at], high = highest[at];
            for (int c = left; c < right; c++) {
                if (!on[c])
                    continue;
                const float weighted = weight_of[step[c]] * value[c];
                in_row += weight_of[step[c]];
                sum += weighted;
                square += weighted * value[c];
                if (step[c] < on_a_line) {
                    count++;
                    low = lesser(low, value[c]);
                    high = greater(high, value[c]);
                }
            }
            counts[at] += count;
            lowest[at] = low;
            highest[at] = high;
        }
        total += (double)in_row;
        first += (double)sum;
        second += (double)square;
    }
    sums[0] = total;
    sums[1] = first;
    sums[2] = second;
}

/* Dark round dots in a window: how many, and how much of the skin they take.

   flat           `rows` x `columns` contrasts, contiguous
   plain          skin between lines, contiguous
   tap, radius    Gaussian kernel from its middle outwards, at most MOST_TAPS items
   gain           contrast per curvature; `roundness`: least share of the larger curvature
   least          contrast from which a dot counts
   work           (2 · rows + 5) · (columns + 2 · radius + 64) items
   found          peaks, pixels of dots */
API void dots(const float *flat, const uint8_t *plain, int rows, int columns, const float *tap,
               int radius, float gain, float roundness, float least, float *work, int64_t *found)
{
    const int wide = columns + 2 * radius + 64;
    float *smooth_rows = work, *smooth = work + (int64_t)rows * wide,
          *one = smooth + (int64_t)rows * wide, *responses = one + wide;
    const float *up[MOST_TAPS], *down[MOST_TAPS];
    memset(one, 0, sizeof *one * (size_t)wide);
    for (int y = 0; y < rows; y++) {
        const float *from = flat + (int64_t)y * columns;
        memcpy(one + radius, from, sizeof *one * (size_t)columns);
        for (int k = 1; k <= radius; k++) {
            one[radius - k] = from[row_of(-k, columns)];
            one[radius + columns - 1 + k] = from[row_of(columns - 1 + k, columns)];
        }
        blur_row(one + radius, columns, 1, tap, radius, smooth_rows + (int64_t)y * wide);
    }
    for (int y = 0; y < rows; y++) {
        /* One pixel beside each row, for its neighbours. */
        float *to = smooth + (int64_t)y * wide + 1;
        for (int k = 0; k <= radius; k++) {
            up[k] = smooth_rows + (int64_t)row_of(y - k, rows) * wide;
            down[k] = smooth_rows + (int64_t)row_of(y + k, rows) * wide;
        }
        for (int c = 0; c < columns; c += SPAN) {
            lanes sum[ABREAST];
            blur_down(up, down, c, tap, radius, sum);
            memcpy(to + c, sum, sizeof sum);
        }
        to[-1] = to[row_of(-1, columns)];
        to[columns] = to[row_of(columns, columns)];
    }
    /* Three rows of responses at a time: a peak is no less than its eight neighbours. */
    for (int k = 0; k < 3 * wide; k++)
        responses[k] = 0.0f;
    int64_t peaks = 0, covered = 0;
    for (int y = 0; y <= rows; y++) {
        float *now = responses + (int64_t)(y % 3) * wide + 1;
        if (y < rows) {
            const float *a = smooth + (int64_t)row_of(y - 1, rows) * wide + 1;
            const float *b = smooth + (int64_t)y * wide + 1;
            const float *d = smooth + (int64_t)row_of(y + 1, rows) * wide + 1;
            for (int c = 0; c < columns; c++) {
                const float top = a[c - 1] + a[c + 1], middle = b[c - 1] + b[c + 1],
                            below = d[c - 1] + d[c + 1];
                const float xx = 0.125f * ((top - 2.0f * a[c]) + 2.0f * (middle - 2.0f * b[c]) +
                                           (below - 2.0f * d[c]));
                const float yy = 0.125f * ((top + 2.0f * a[c]) - 2.0f * (middle + 2.0f * b[c]) +
                                           (below + 2.0f * d[c]));
                const float xy = 0.25f * ((a[c - 1] - a[c + 1]) + (d[c + 1] - d[c - 1]));
                const float mean = xx + yy, apart = xx - yy;
                const float spread = sqrtf(apart * apart + xy * xy);
                const float weak = mean - spread;
                const float strong = greater(mean + spread, 1e-6f);
                now[c] = weak > roundness * strong ? gain * greater(weak, 0.0f) : 0.0f;
            }
            const uint8_t *on = plain + (int64_t)y * columns;
            for (int c = 0; c < columns; c++)
                covered += (on[c] != 0) & (now[c] > least);
        } else {
            memset(now, 0, sizeof *now * (size_t)columns);
        }
        if (y == 0)
            continue;
        const float *above = responses + (int64_t)((y + 1) % 3) * wide + 1;
        const float *here = responses + (int64_t)((y + 2) % 3) * wide + 1;
        const uint8_t *on = plain + (int64_t)(y - 1) * columns;
        for (int c = 0; c < columns; c++) {
            if (!on[c] || here[c] <= least)
                continue;
            const float h = here[c];
            peaks += h >= above[c - 1] && h >= above[c] && h >= above[c + 1] && h >= here[c - 1] &&
                     h >= here[c + 1] && h >= now[c - 1] && h >= now[c] && h >= now[c + 1];
        }
    }
    found[0] = peaks;
    found[1] = covered;
}

/* How often contrasts lie beside each other, in steps of so much.

   contrast, mask   `rows` x `columns`, contiguous
   lowest, step     contrast where the first of `levels` steps begins, and its height; what is
                    beyond them counts as the first or the last
   offset           rows down and columns to the right of each of four neighbours; rows from 0 on
   reach            the largest of them
   work             (rows + reach) · (columns + 2 · reach) bytes
   counts           4 x (levels + 1) x (levels + 1), 0 before; step n of the mask in row n + 1, row
                    and column 0 for what is off the mask */
API void pairs(const float *contrast, const uint8_t *mask, int rows, int columns, float lowest,
               float step, int levels, const int32_t *offset, int reach, uint8_t *work,
               uint32_t *counts)
{
    const int64_t wide = columns + 2 * (int64_t)reach;
    memset(work, 0, (size_t)((rows + reach) * wide));
    for (int y = 0; y < rows; y++) {
        const float *in = contrast + (int64_t)y * columns;
        const uint8_t *on = mask + (int64_t)y * columns;
        uint8_t *code = work + y * wide + reach;
        for (int c = 0; c < columns; c++) {
            float unit = (in[c] - lowest) / step;
            unit = greater(unit, 0.0f);
            unit = lesser(unit, (float)(levels - 1));
            code[c] = on[c] ? (uint8_t)((int)unit + 1) : 0;
        }
    }
    const int size = (levels + 1) * (levels + 1);
    int64_t away[4];
    for (int k = 0; k < 4; k++)
        away[k] = offset[2 * k] * wide + offset[2 * k + 1];
    for (int y = 0; y < rows; y++) {
        const uint8_t *code = work + y * wide + reach;
        for (int c = 0; c < columns; c++) {
            if (!code[c])
                continue;
            /* A table for each direction: what was just written need not be waited for. */
            uint32_t *row = counts + (int64_t)code[c] * (levels + 1);
            for (int k = 0; k < 4; k++)
                row[k * size + code[c + away[k]]]++;
        }
    }
}
