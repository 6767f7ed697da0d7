/* Means over a mask (skinscan/metrics/maps.py). */
#include "blur.h"

/* Gaussian mean over a mask only, in a picture that is 0 beyond its borders.

   picture        `rows` x `columns` x `channels`, row stride `picture_stride`
   mask           `rows` x `columns`, row stride `mask_stride`
   tap, radius    kernel from its middle outwards, radius + 1 items, at most MOST_TAPS
   least          weight on the mask that a mean is divided by at least
   contrast       whether to give the picture less the mean, 0 off the mask, of one channel; else
                  the mean everywhere
   work           (4 · radius + 6) · ((columns + 2 · radius) · channels + 64) items
   out            as the picture, row stride `out_stride` */
API void masked_mean(const float *picture, int picture_stride, const uint8_t *mask,
                     int mask_stride, int rows, int columns, int channels, const float *tap,
                     int radius, float least, int contrast, float *work, float *out,
                     int out_stride)
{
    const int ring = 2 * radius + 1, count = columns * channels, pad = radius * channels;
    const int wide = count + 2 * pad + 64;
    /* The last rows filtered, in a ring; the row that is read; and what means are divided by. */
    float *values = work, *weights = values + (int64_t)ring * wide,
          *value = weights + (int64_t)ring * wide, *weight = value + wide,
          *divisor = weight + wide, *each = divisor + wide;
    const float *up[MOST_TAPS], *down[MOST_TAPS], *w_up[MOST_TAPS], *w_down[MOST_TAPS];
    const lanes lowest = all_of(least);
    memset(work, 0, sizeof *work * (2 * (size_t)ring + 4) * (size_t)wide);
    for (int y = 0; y < rows + radius; y++) {
        float *filtered = values + (int64_t)(y % ring) * wide;
        float *filtered_weight = weights + (int64_t)(y % ring) * wide;
        if (y < rows) {
            const float *from = picture + (int64_t)y * picture_stride;
            const uint8_t *on = mask + (int64_t)y * mask_stride;
            for (int c = 0; c < columns; c++)
                weight[radius + c] = on[c];
            if (channels == 1)
                for (int c = 0; c < columns; c++)
                    value[pad + c] = from[c] * weight[radius + c];
            else
                for (int c = 0; c < columns; c++)
                    for (int k = 0; k < channels; k++)
                        value[pad + c * channels + k] =
                            from[c * channels + k] * weight[radius + c];
            blur_row(value + pad, count, channels, tap, radius, filtered);
            blur_row(weight + radius, columns, 1, tap, radius, filtered_weight);
        } else {
            memset(filtered, 0, sizeof *filtered * (size_t)wide);
            memset(filtered_weight, 0, sizeof *filtered * (size_t)wide);
        }
        const int middle = y - radius;
        if (middle < 0)
            continue;
        const float *from = picture + (int64_t)middle * picture_stride;
        const uint8_t *on = mask + (int64_t)middle * mask_stride;
        float *to = out + (int64_t)middle * out_stride;
        int begin = 0, end = columns;
        if (contrast) {
            memset(to, 0, sizeof *to * (size_t)columns);
            while (begin < columns && !on[begin])
                begin++;
            while (end > begin && !on[end - 1])
                end--;
        }
        for (int k = 0; k <= radius; k++) {
            const int64_t above = (int64_t)((middle - k + ring) % ring) * wide;
            const int64_t below = (int64_t)((middle + k) % ring) * wide;
            up[k] = values + above;
            down[k] = values + below;
            w_up[k] = weights + above;
            w_down[k] = weights + below;
        }
        lanes sum[ABREAST];
        for (int c = begin; c < end; c += SPAN) {
            blur_down(w_up, w_down, c, tap, radius, sum);
            for (int n = 0; n < ABREAST; n++)
                store(divisor + c + n * LANES, chosen(sum[n] > lowest, sum[n], lowest));
        }
        if (channels > 1)
            for (int c = begin; c < end; c++)
                for (int k = 0; k < channels; k++)
                    each[c * channels + k] = divisor[c];
        const float *divided = channels > 1 ? each : divisor;
        for (int c = begin * channels; c < end * channels; c += SPAN) {
            const int left = end * channels - c, here = left < SPAN ? left : SPAN;
            blur_down(up, down, c, tap, radius, sum);
            for (int n = 0; n < ABREAST; n++)
                sum[n] /= load(divided + c + n * LANES);
            float mean[SPAN];
            memcpy(mean, sum, sizeof mean);
            if (!contrast)
                memcpy(to + c, mean, sizeof *to * (size_t)here);
            else
                for (int n = 0; n < here; n++)
                    to[c + n] = on[c + n] ? from[c + n] - mean[n] : 0.0f;
        }
    }
}
