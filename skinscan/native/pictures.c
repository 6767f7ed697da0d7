/* Passes over whole pictures (skinscan/resizing.py, colour.py and others). */
#include "linear.h"

/* Where a mask, resized by linear interpolation, is larger than a limit.

   mask              rows of at least as many bytes as `column` names, row stride `mask_stride`
   column, right     for each column of the result the two of the mask and the second one's weight
   row, lower        the same for each row
   used              columns of the mask that are looked at
   work              2 · columns items
   larger            `rows` x `columns` bytes, 0 or 1 */
API void mask_resized(const uint8_t *mask, int mask_stride, const int32_t *column,
                      const float *right, const int32_t *row, const float *lower, int rows,
                      int columns, int used, float limit, float *work, uint8_t *larger)
{
    struct held held = {{work, work + columns}, {-1, -1}};
    int empty[2] = {0, 0};
    for (int y = 0; y < rows; y++) {
        int at[2];
        for (int n = 0; n < 2; n++) {
            int missing;
            at[n] = held_at(&held, row[2 * y + n], row[2 * y + 1 - n], &missing);
            if (!missing)
                continue;
            const uint8_t *in = mask + (int64_t)row[2 * y + n] * mask_stride;
            float *out = held.along[at[n]];
            empty[at[n]] = !memchr(in, 1, (size_t)used);
            if (empty[at[n]])
                memset(out, 0, sizeof *out * (size_t)columns);
            else
                for (int c = 0; c < columns; c++)
                    out[c] = (float)in[column[2 * c]] * (1.0f - right[c]) +
                             (float)in[column[2 * c + 1]] * right[c];
        }
        uint8_t *out = larger + (int64_t)y * columns;
        if (empty[at[0]] && empty[at[1]]) {
            memset(out, limit < 0.0f, (size_t)columns);
            continue;
        }
        const float *a = held.along[at[0]], *b = held.along[at[1]];
        const float second = lower[y], first = 1.0f - second;
        for (int c = 0; c < columns; c++)
            out[c] = a[c] * first + b[c] * second > limit;
    }
}

/* Luminance of 8-bit colours: what each code of red, green and blue contributes, in sum.

   codes      `rows` x `columns` x 3, row stride `codes_stride`
   of_code    3 x 256 */
API void luminance(const uint8_t *codes, int codes_stride, int rows, int columns,
                   const float *of_code, float *result)
{
    const float *red = of_code, *green = of_code + 256, *blue = of_code + 512;
    for (int y = 0; y < rows; y++) {
        const uint8_t *in = codes + (int64_t)y * codes_stride;
        float *out = result + (int64_t)y * columns;
        for (int c = 0; c < columns; c++, in += 3)
            out[c] = red[in[0]] + green[in[1]] + blue[in[2]];
    }
}

/* Keep the largest size of a response, and the label of the response that has it.

   response       `rows` x `columns`, row stride `stride`
   best, which    contiguous */
API void keep_largest(const float *response, int stride, int rows, int columns, float label,
                      float *best, float *which)
{
    for (int y = 0; y < rows; y++) {
        const float *in = response + (int64_t)y * stride;
        float *most = best + (int64_t)y * columns, *whose = which + (int64_t)y * columns;
        for (int c = 0; c < columns; c++) {
            const float size = fabsf(in[c]);
            whose[c] = size > most[c] ? label : whose[c];
            most[c] = size > most[c] ? size : most[c];
        }
    }
}

/* Where the pixels of a resized row or column come from: `taps` weights for each, and the first
   pixel that has one. Weights beyond the last pixel are 0. */
static void shrink_row(const float *in, int last, const int32_t *first, const float *weight,
                       int taps, int columns, float *out)
{
    if (taps == 2) {
        for (int c = 0; c < columns; c++) {
            const int at = first[c], next = at < last ? at + 1 : last;
            out[c] = in[at] * weight[2 * c] + in[next] * weight[2 * c + 1];
        }
        return;
    }
    for (int c = 0; c < columns; c++) {
        float sum = in[first[c]] * weight[taps * c];
        for (int k = 1; k < taps; k++)
            sum += in[first[c] + k < last ? first[c] + k : last] * weight[taps * c + k];
        out[c] = sum;
    }
}

/* Begin a weighted sum of rows, or add one to it. */
static inline void sum_row(const float *line, float weight, int begins, int count, float *sum)
{
    if (begins)
        for (int c = 0; c < count; c++)
            sum[c] = line[c] * weight;
    else
        for (int c = 0; c < count; c++)
            sum[c] += line[c] * weight;
}

/* A picture made smaller: means over area, summed along rows first and then down, as OpenCV does.

   picture                `in_columns` wide, row stride `stride`
   column, across, wide   first pixel, weights and number of weights of each column of the result
   row, down, high        the same of each row
   line                   room for `columns` items
   result                 `rows` x `columns` */
API void shrunk(const float *picture, int stride, int in_columns, const int32_t *column,
                const float *across, int wide, const int32_t *row, const float *down, int high,
                int rows, int columns, float *line, float *result)
{
    int held = -1;
    for (int y = 0; y < rows; y++) {
        float *out = result + (int64_t)y * columns;
        for (int k = 0; k < high; k++) {
            const float weight = down[high * y + k];
            if (k > 0 && weight == 0.0f)
                break;
            if (held != row[y] + k) {
                held = row[y] + k;
                shrink_row(picture + (int64_t)held * stride, in_columns - 1, column, across, wide,
                           columns, line);
            }
            sum_row(line, weight, k == 0, columns, out);
        }
    }
}

typedef float colour __attribute__((vector_size(16)));

/* The same of 8-bit colours, three codes to a pixel, rounded to the nearest code.

   work           8 · columns + 3 · (in_columns + wide) + 4 items
   result         `rows` x `columns` x 3 */
API void shrunk_codes(const uint8_t *picture, int stride, int in_columns, const int32_t *column,
                      const float *across, int wide, const int32_t *row, const float *down,
                      int high, int rows, int columns, float *work, uint8_t *result)
{
    float *line = work, *sum = line + 4 * (int64_t)columns, *codes = sum + 4 * (int64_t)columns;
    /* Beyond the row, where weights are 0. */
    memset(codes + 3 * (int64_t)in_columns, 0, sizeof *codes * (size_t)(3 * wide + 4));
    int held = -1;
    for (int y = 0; y < rows; y++) {
        for (int k = 0; k < high; k++) {
            const float weight = down[high * y + k];
            if (k > 0 && weight == 0.0f)
                break;
            if (held != row[y] + k) {
                held = row[y] + k;
                const uint8_t *in = picture + (int64_t)held * stride;
                for (int c = 0; c < 3 * in_columns; c++)
                    codes[c] = in[c];
                for (int c = 0; c < columns; c++) {
                    /* Three codes, and one of the next pixel, which is not used. */
                    const float *from = codes + 3 * (int64_t)column[c];
                    const float *part = across + (int64_t)wide * c;
                    colour total = {0};
                    for (int n = 0; n < wide; n++) {
                        colour four;
                        memcpy(&four, from + 3 * n, sizeof four);
                        total += four * part[n];
                    }
                    memcpy(line + 4 * (int64_t)c, &total, sizeof total);
                }
            }
            sum_row(line, weight, k == 0, 4 * columns, sum);
        }
        /* Adding so large a number leaves no binary places: halves go to the even code. */
        for (int c = 0; c < 4 * columns; c++)
            sum[c] = (sum[c] + 12582912.0f) - 12582912.0f;
        uint8_t *out = result + (int64_t)y * columns * 3;
        for (int c = 0; c < columns; c++, out += 3) {
            out[0] = (uint8_t)sum[4 * c];
            out[1] = (uint8_t)sum[4 * c + 1];
            out[2] = (uint8_t)sum[4 * c + 2];
        }
    }
}

/* A picture less another, which is first resized by linear interpolation; 0 off a mask. All but
   the other are windows of the size of the result.

   picture, mask     `rows` x `columns`, with their row strides
   other             row stride other_stride
   column, right     for each column of the result the two of `other` and the second one's weight
   row, lower        the same for each row
   work              2 · columns items
   result            contiguous */
API void less_resized(const float *picture, int stride, const uint8_t *mask, int mask_stride,
                      const float *other, int other_stride, const int32_t *column,
                      const float *right, const int32_t *row, const float *lower, int rows,
                      int columns, float *work, float *result)
{
    struct held held = {{work, work + columns}, {-1, -1}};
    for (int y = 0; y < rows; y++) {
        const float *both[2];
        resize_rows(&held, other, other_stride, row + 2 * y, column, right, columns, both);
        const float *in = picture + (int64_t)y * stride, *a = both[0], *b = both[1];
        const uint8_t *on = mask + (int64_t)y * mask_stride;
        const float second = lower[y];
        float *out = result + (int64_t)y * columns;
        for (int c = 0; c < columns; c++) {
            const float difference = in[c] - multiply_add(b[c] - a[c], second, a[c]);
            out[c] = on[c] ? difference : 0.0f;
        }
    }
}

/* Values given at corners, interpolated in triangles.

   corner, weight   three of each place
   value            of each corner, `channels` each
   place            where each goes in `result`, in items of `channels` */
API void interpolated(const int32_t *corner, const float *weight, const float *value,
                      const int64_t *place, int64_t places, int channels, float *result)
{
    for (int64_t k = 0; k < places; k++) {
        const float *a = value + (int64_t)corner[3 * k] * channels,
                    *b = value + (int64_t)corner[3 * k + 1] * channels,
                    *c = value + (int64_t)corner[3 * k + 2] * channels;
        float *out = result + place[k] * channels;
        for (int n = 0; n < channels; n++)
            out[n] = weight[3 * k] * a[n] + weight[3 * k + 1] * b[n] + weight[3 * k + 2] * c[n];
    }
}

/* Median of the square window about each pixel.

   picture    `rows` + 2 · radius rows of `columns` + 2 · radius bytes and MEDIANS more, row stride
              `stride`
   radius     at most 7, so that a window's pixels can be counted in a byte
   result     `rows` x `columns`, contiguous */
enum { MEDIANS = 64 };
API void window_medians(const uint8_t *picture, int stride, int rows, int columns, int radius,
                        uint8_t *result)
{
    const int side = 2 * radius + 1, half = side * side / 2 + 1;
    for (int y = 0; y < rows; y++)
        for (int c = 0; c < columns; c += MEDIANS) {
            const uint8_t *window = picture + (int64_t)y * stride + c;
            uint8_t most[MEDIANS] = {0}, median[MEDIANS] = {0};
            int highest = 0;
            for (int k = 0; k < side; k++)
                for (int n = 0; n < MEDIANS; n++) {
                    const uint8_t one = window[(int64_t)k * stride + n],
                                  other = window[(int64_t)k * stride + n + side - 1];
                    const uint8_t larger = one > other ? one : other;
                    most[n] = most[n] > larger ? most[n] : larger;
                }
            for (int n = 0; n < MEDIANS; n++)
                highest = most[n] > highest ? most[n] : highest;
            /* Bit by bit: the largest number that half of the window is not below. */
            for (int bit = 128; bit; bit >>= 1) {
                if (bit > highest)
                    continue;
                uint8_t tried[MEDIANS], reached[MEDIANS] = {0};
                for (int n = 0; n < MEDIANS; n++)
                    tried[n] = median[n] | (uint8_t)bit;
                for (int k = 0; k < side; k++)
                    for (int j = 0; j < side; j++) {
                        const uint8_t *in = window + (int64_t)k * stride + j;
                        for (int n = 0; n < MEDIANS; n++)
                            reached[n] += in[n] >= tried[n];
                    }
                for (int n = 0; n < MEDIANS; n++)
                    median[n] = reached[n] >= half ? tried[n] : median[n];
            }
            const int left = columns - c;
            memcpy(result + (int64_t)y * columns + c, median,
                   (size_t)(left < MEDIANS ? left : MEDIANS));
        }
}
