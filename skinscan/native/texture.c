/* Blurs and texture of skin (skinscan/metrics/maps.py and grain.py). */
#include "native.h"

/* Half a kernel for sigmas up to 15 px. */
enum { MOST_TAPS = 64 };

static inline float lesser(float a, float b) { return a < b ? a : b; }
static inline float greater(float a, float b) { return a > b ? a : b; }

/* Both sides of a symmetric kernel along a row. `in` has `radius` items before its first, and after
   `columns` as many and those of a register; `out` has room for a register more than `columns`. */
static void blur_row(const float *in, int columns, const float *tap, int radius, float *out)
{
    for (int c = 0; c < columns; c += LANES) {
        lanes sum = load(in + c) * tap[0];
        for (int k = 1; k <= radius; k++)
            sum += (load(in + c - k) + load(in + c + k)) * tap[k];
        store(out + c, sum);
    }
}

/* The same across rows; `up` and `down` are the rows so far above and below, [0] the one itself. */
static inline lanes blur_down(const float *const *up, const float *const *down, int64_t column,
                              const float *tap, int radius)
{
    lanes sum = load(up[0] + column) * tap[0];
    for (int k = 1; k <= radius; k++)
        sum += (load(up[k] + column) + load(down[k] + column)) * tap[k];
    return sum;
}

static inline int row_of(int y, int rows)
{
    /* Mirrored about the border's own pixels, however narrow the picture. */
    if (rows == 1)
        return 0;
    while (y < 0 || y >= rows)
        y = y < 0 ? -y : 2 * (rows - 1) - y;
    return y;
}

/* Picture less its Gaussian mean over the skin; 0 off the skin.

   picture, skin, out   `rows` x `columns` windows with their row strides
   tap, radius          kernel from its middle outwards, radius + 1 items, at most MOST_TAPS
   work                 (4 · radius + 4) · (columns + 2 · radius + 16) items */
API void contrast_to_mean(const float *picture, int picture_stride, const uint8_t *skin,
                          int skin_stride, int rows, int columns, const float *tap, int radius,
                          float least, float *work, float *out, int out_stride)
{
    const int wide = columns + 2 * radius + 16, ring = 2 * radius + 1;
    const lanes lowest = (lanes){0} + least;
    /* The last rows filtered, in a ring; then the row that is read. */
    float *values = work, *weights = values + (int64_t)ring * wide,
          *value = weights + (int64_t)ring * wide, *weight = value + wide;
    const float *up[MOST_TAPS], *down[MOST_TAPS];
    memset(work, 0, sizeof *work * (4 * (size_t)radius + 4) * (size_t)wide);
    for (int y = 0; y < rows + radius; y++) {
        float *filtered = values + (int64_t)(y % ring) * wide;
        float *filtered_weight = weights + (int64_t)(y % ring) * wide;
        if (y < rows) {
            const float *from = picture + (int64_t)y * picture_stride;
            const uint8_t *on = skin + (int64_t)y * skin_stride;
            for (int c = 0; c < columns; c++) {
                weight[radius + c] = on[c];
                value[radius + c] = from[c] * weight[radius + c];
            }
            blur_row(value + radius, columns, tap, radius, filtered);
            blur_row(weight + radius, columns, tap, radius, filtered_weight);
        } else {
            memset(filtered, 0, sizeof *filtered * (size_t)wide);
            memset(filtered_weight, 0, sizeof *filtered * (size_t)wide);
        }
        const int middle = y - radius;
        if (middle < 0)
            continue;
        for (int k = 0; k <= radius; k++) {
            up[k] = values + (int64_t)((middle - k + ring) % ring) * wide;
            down[k] = values + (int64_t)((middle + k) % ring) * wide;
        }
        const float *from = picture + (int64_t)middle * picture_stride;
        const uint8_t *on = skin + (int64_t)middle * skin_stride;
        float *to = out + (int64_t)middle * out_stride;
        const int64_t beside = weights - values;
        for (int c = 0; c < columns; c += LANES) {
            const int here = columns - c < LANES ? columns - c : LANES;
            uint8_t covered[LANES] = {0};
            float itself[LANES] = {0};
            memcpy(covered, on + c, (size_t)here);
            uint64_t any = 0;
            memcpy(&any, covered, LANES);
            if (!any) {
                memset(to + c, 0, sizeof *to * (size_t)here);
                continue;
            }
            memcpy(itself, from + c, sizeof *to * (size_t)here);
            const lanes sum = blur_down(up, down, c, tap, radius);
            lanes total = blur_down(up, down, c + beside, tap, radius);
            total = chosen(total > lowest, total, lowest);
            const lanes found = chosen(is_set(covered), load(itself) - sum / total, (lanes){0});
            memcpy(to + c, &found, sizeof *to * (size_t)here);
        }
    }
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
   work           (2 · rows + 5) · (columns + 2 · radius + 16) items
   found          peaks, pixels of dots */
API void dots(const float *flat, const uint8_t *plain, int rows, int columns, const float *tap,
               int radius, float gain, float roundness, float least, float *work, int64_t *found)
{
    const int wide = columns + 2 * radius + 16;
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
        blur_row(one + radius, columns, tap, radius, smooth_rows + (int64_t)y * wide);
    }
    for (int y = 0; y < rows; y++) {
        /* One pixel beside each row, for its neighbours. */
        float *to = smooth + (int64_t)y * wide + 1;
        for (int k = 0; k <= radius; k++) {
            up[k] = smooth_rows + (int64_t)row_of(y - k, rows) * wide;
            down[k] = smooth_rows + (int64_t)row_of(y + k, rows) * wide;
        }
        for (int c = 0; c < columns; c += LANES)
            store(to + c, blur_down(up, down, c, tap, radius));
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
