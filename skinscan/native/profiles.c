/* Sums of the fit of a valley to profiles across lines (skinscan/metrics/tracing.py). */
#include "native.h"

enum { MOST_SAMPLES = 64 };

/* e^x for x <= 0, within 2 parts in 10 million: 2^n by its bits times a polynomial (Taylor, on
   half a binary order to both sides). The C library's own is called number by number. */
static inline lanes exp_below_0(lanes x)
{
    const lanes least = all_of(-125.0f);
    lanes orders = x * 1.44269504f;
    orders = chosen(orders < least, least, orders);
    whole_lanes n = __builtin_convertvector(orders - 0.5f, whole_lanes);
    lanes rest = (orders - __builtin_convertvector(n, lanes)) * 0.693147181f;
    lanes power = rest * (1.0f / 720.0f) + 1.0f / 120.0f;
    power = power * rest + 1.0f / 24.0f;
    power = power * rest + 1.0f / 6.0f;
    power = power * rest + 0.5f;
    power = power * rest + 1.0f;
    power = power * rest + 1.0f;
    return power * (lanes)((n + 127) << 23);
}

static inline double sum_of(lanes a)
{
    float sum = 0.0f;
    for (int n = 0; n < LANES; n++)
        sum += a[n];
    return (double)sum;
}

/* Whether samples lie on a mask, 1 or 0: its value between the pixels, by linear interpolation, is
   above a limit. Beyond the mask it is 0. Columns `x` and rows `y` of `samples` places. */
API void profiles_on_mask(const uint8_t *mask, int stride, int rows, int columns, const float *x,
                          const float *y, int64_t samples, float limit, float *on)
{
    for (int64_t k = 0; k < samples; k++) {
        on[k] = 0.0f;
        if (!(x[k] > -1.0f && y[k] > -1.0f && x[k] < (float)columns && y[k] < (float)rows))
            continue;
        const float left = floorf(x[k]), top = floorf(y[k]);
        const float across = x[k] - left, down = y[k] - top;
        const int c = (int)left, r = (int)top;
        const uint8_t *at = mask + (int64_t)r * stride + c;
        const int in_left = c >= 0, in_right = c + 1 < columns, in_top = r >= 0,
                  in_bottom = r + 1 < rows;
        const float a = in_top && in_left ? at[0] : 0.0f, b = in_top && in_right ? at[1] : 0.0f,
                    d = in_bottom && in_left ? at[stride] : 0.0f,
                    e = in_bottom && in_right ? at[stride + 1] : 0.0f;
        const float upper = multiply_add(b - a, across, a), lower = multiply_add(e - d, across, d);
        on[k] = multiply_add(lower - upper, down, upper) > limit;
    }
}

/* Means of each sample over the profiles beside it along the line.

   picture, on    `profiles` x `samples`; whether a sample counts, 1 or 0
   first, last    for each profile those beside it, and the one after the last; both rise
   unseen         weight of what does not count
   work           2 · samples items
   mean           `profiles` x `samples` */
API void profiles_means(const float *picture, const float *on, int64_t profiles, int samples,
                        const int64_t *first, const int64_t *last, double unseen, double *work,
                        double *mean)
{
    double *sum = work, *weight = work + samples;
    int64_t begin = 0, end = 0;
    for (int64_t row = 0; row < profiles; row++) {
        if (first[row] >= end) {
            /* Another line. */
            begin = end = first[row];
            memset(work, 0, 2 * sizeof *work * (size_t)samples);
        }
        for (; end < last[row]; end++)
            for (int s = 0; s < samples; s++) {
                const double w = on[end * samples + s] != 0.0f ? 1.0 : unseen;
                weight[s] += w;
                sum[s] += w * (double)picture[end * samples + s];
            }
        for (; begin < first[row]; begin++)
            for (int s = 0; s < samples; s++) {
                const double w = on[begin * samples + s] != 0.0f ? 1.0 : unseen;
                weight[s] -= w;
                sum[s] -= w * (double)picture[begin * samples + s];
            }
        for (int s = 0; s < samples; s++)
            mean[row * samples + s] = sum[s] / weight[s];
    }
}

/* Products of the fitted parts with each other and with the height, summed over each line.

   height, from_centre, seen   `samples` (at most MOST_SAMPLES) of each profile
   begin, end                  first profile of each of `lines` lines, and the one after its last
   reach, sigma                of each line, in the unit of `from_centre`
   sums                        3 x 4 for each line: parts times parts, and times height, each
                               profile less the means of its own */
API void profiles_products(const float *height, const double *from_centre, const float *seen,
                           int samples, const int64_t *begin, const int64_t *end, int lines,
                           const double *reach, const float *sigma, double *sums)
{
    for (int k = 0; k < lines; k++) {
        double *of_line = sums + 12 * k;
        memset(of_line, 0, 12 * sizeof *of_line);
        for (int64_t row = begin[k]; row < end[k]; row++) {
            const float *h = height + row * samples, *on_skin = seen + row * samples;
            const double *x = from_centre + row * samples;
            /* Beyond the last sample nothing has weight. */
            float weights[MOST_SAMPLES] = {0}, places[MOST_SAMPLES] = {0},
                  heights[MOST_SAMPLES] = {0};
            for (int s = 0; s < samples; s++) {
                /* Samples lie in steps, many at the very limit: in double precision. */
                weights[s] = fabs(x[s]) <= reach[k] ? on_skin[s] : 0.0f;
                places[s] = (float)x[s];
                heights[s] = h[s];
            }
            lanes total = {0}, m0 = {0}, m1 = {0}, m2 = {0}, m3 = {0}, s00 = {0}, s01 = {0},
                  s02 = {0}, s03 = {0}, s11 = {0}, s12 = {0}, s13 = {0}, s22 = {0}, s23 = {0};
            for (int s = 0; s < samples; s += LANES) {
                lanes w = load(weights + s), p1 = load(places + s), p3 = load(heights + s);
                lanes away = p1 / sigma[k];
                away *= away;
                lanes p0 = exp_below_0(-0.5f * away), p2 = p0 * away;
                lanes w0 = p0 * w, w1 = p1 * w, w2 = p2 * w;
                total += w;
                m0 += w0;
                m1 += w1;
                m2 += w2;
                m3 += p3 * w;
                s00 += w0 * p0;
                s01 += w0 * p1;
                s02 += w0 * p2;
                s03 += w0 * p3;
                s11 += w1 * p1;
                s12 += w1 * p2;
                s13 += w1 * p3;
                s22 += w2 * p2;
                s23 += w2 * p3;
            }
            double weight = sum_of(total);
            weight = weight > 1e-9 ? weight : 1e-9;
            double mean[4] = {sum_of(m0), sum_of(m1), sum_of(m2), sum_of(m3)};
            double product[3][4] = {{sum_of(s00), sum_of(s01), sum_of(s02), sum_of(s03)},
                                    {0.0, sum_of(s11), sum_of(s12), sum_of(s13)},
                                    {0.0, 0.0, sum_of(s22), sum_of(s23)}};
            for (int i = 0; i < 3; i++)
                for (int j = i; j < 4; j++)
                    of_line[4 * i + j] += product[i][j] - mean[i] * mean[j] / weight;
        }
        for (int i = 1; i < 3; i++)
            for (int j = 0; j < i; j++)
                of_line[4 * i + j] = of_line[4 * j + i];
    }
}

/* Depth and width at half depth of the valley about the lowest place of each profile.

   profile          `rows` x `samples` heights
   place, lowest    where the samples lie; which of them is the lowest of each row
   reach            how far from it the shoulders may lie
   depth, width     against the lower shoulder; infinite where there is none */
API void profiles_valleys(const double *profile, int64_t rows, int samples, const double *place,
                          const int64_t *lowest, double reach, double *depth, double *width)
{
    for (int64_t row = 0; row < rows; row++) {
        const double *height = profile + row * samples;
        const double centre = place[lowest[row]], floor = height[lowest[row]];
        double shoulder[2] = {-INFINITY, -INFINITY};
        for (int s = 0; s < samples; s++) {
            const double away = place[s] - centre;
            if (away != 0.0 && fabs(away) <= reach && height[s] > shoulder[away > 0.0])
                shoulder[away > 0.0] = height[s];
        }
        depth[row] = (shoulder[0] < shoulder[1] ? shoulder[0] : shoulder[1]) - floor;
        const double half = 0.5 * (depth[row] > 1e-6 ? depth[row] : 1e-6);
        double left = -INFINITY, right = INFINITY;
        for (int s = 0; s < samples; s++) {
            const double away = place[s] - centre;
            if (fabs(away) > reach || height[s] - floor < half)
                continue;
            if (away < 0.0 && away > left)
                left = away;
            if (away > 0.0 && away < right)
                right = away;
        }
        width[row] = right - left;
    }
}
