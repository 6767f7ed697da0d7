/* A photo sampled into the map of a face (skinscan/facemap.py), as OpenCV does it with bicubic
   interpolation (Keys 1981, doi:10.1109/TASSP.1981.1163711, with a = -0.75): the same weights and
   sums in the same order. */
#include "linear.h"

typedef float four __attribute__((vector_size(16)));

static inline four four_of(const float *from)
{
    four found;
    memcpy(&found, from, sizeof found);
    return found;
}

static inline four four_times(four a, four b, four c)
{
#ifdef __FMA__
    return (four)_mm_fmadd_ps((__m128)a, (__m128)b, (__m128)c);
#else
    four sum;
    for (int n = 0; n < 4; n++)
        sum[n] = multiply_add(a[n], b[n], c[n]);
    return sum;
#endif
}

static inline void transposed(four rows[4])
{
#ifdef __SSE2__
    __m128 a = (__m128)rows[0], b = (__m128)rows[1], c = (__m128)rows[2], d = (__m128)rows[3];
    _MM_TRANSPOSE4_PS(a, b, c, d);
    rows[0] = (four)a, rows[1] = (four)b, rows[2] = (four)c, rows[3] = (four)d;
#else
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < i; j++) {
            const float held = rows[i][j];
            rows[i][j] = rows[j][i];
            rows[j][i] = held;
        }
#endif
}

/* The first pixel of the four that a place lies between, and their weights. */
static void weigh(const float *restrict place, int count, int32_t *restrict first,
                  float *restrict w0, float *restrict w1, float *restrict w2, float *restrict w3)
{
    for (int k = 0; k < count; k++) {
        const float low = floorf(place[k]), t = place[k] - low, u = 1.0f - t;
        const float t2 = t * t;
        first[k] = (int32_t)low - 1;
        const float a = u * u * t * -0.75f, d = t2 * u * -0.75f;
        const float b = multiply_add(t2, multiply_add(1.25f, t, -2.25f), 1.0f);
        w0[k] = a;
        w1[k] = b;
        w2[k] = 1.0f - a - b - d;
        w3[k] = d;
    }
}

static inline int inside(int at, int size) { return at < 0 ? 0 : at >= size ? size - 1 : at; }

/* What is known of some places: the four pixels of both axes that they lie between begin at `left`
   and `top`, in the picture at `first`, which is below 0 where not all of them are inside. */
enum { PLACES = 192 };
struct known {
    int32_t left[PLACES], top[PLACES], first[PLACES];
    float x[4][PLACES], y[4][PLACES];
};

/* The rows of pixels about a place, the nearest ones where there are none. */
static void rows_at(const float *picture, int stride, int in_rows, int in_columns,
                    const struct known *at, int n, four rows[4])
{
    const float *from = picture + at->first[n];
    for (int k = 0; k < 4; k++) {
        if (at->first[n] >= 0) {
            rows[k] = four_of(from + (int64_t)k * stride);
            continue;
        }
        const float *row = picture + (int64_t)inside(at->top[n] + k, in_rows) * stride;
        for (int j = 0; j < 4; j++)
            rows[k][j] = row[inside(at->left[n] + j, in_columns)];
    }
}

/* Sample four places side by side: along the rows from left to right, then down. */
static inline four sample_four(const float *picture, int stride, int in_rows, int in_columns,
                               const struct known *at, int begin)
{
    four sums[4];
    for (int n = 0; n < 4; n++) {
        four p[4] = {{0}};
        rows_at(picture, stride, in_rows, in_columns, at, begin + n, p);
        /* From rows to columns, so that all four rows are summed at once. */
        transposed(p);
        sums[n] = p[0] * at->x[0][begin + n];
        for (int k = 1; k < 4; k++) {
            const float weight = at->x[k][begin + n];
            sums[n] = four_times(p[k], (four){weight, weight, weight, weight}, sums[n]);
        }
    }
    transposed(sums);
    four sum = sums[0] * four_of(at->y[0] + begin);
    for (int k = 1; k < 4; k++)
        sum = four_times(sums[k], four_of(at->y[k] + begin), sum);
    return sum;
}

#ifdef __AVX2__
/* The same of eight places, all inside, place n beside place n + 4 in one register. */
static inline void transposed_pairs(__m256 p[4])
{
    const __m256 a = _mm256_unpacklo_ps(p[0], p[1]), b = _mm256_unpackhi_ps(p[0], p[1]);
    const __m256 c = _mm256_unpacklo_ps(p[2], p[3]), d = _mm256_unpackhi_ps(p[2], p[3]);
    p[0] = _mm256_shuffle_ps(a, c, _MM_SHUFFLE(1, 0, 1, 0));
    p[1] = _mm256_shuffle_ps(a, c, _MM_SHUFFLE(3, 2, 3, 2));
    p[2] = _mm256_shuffle_ps(b, d, _MM_SHUFFLE(1, 0, 1, 0));
    p[3] = _mm256_shuffle_ps(b, d, _MM_SHUFFLE(3, 2, 3, 2));
}

static inline __m256 pair_of(const float *low, const float *high)
{
    return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(low)), _mm_loadu_ps(high), 1);
}

static inline __m256 weights_of(const float *weight)
{
    return _mm256_blend_ps(_mm256_broadcast_ss(weight), _mm256_broadcast_ss(weight + 4), 0xF0);
}

static inline __m256 sample_eight(const float *picture, int stride, const struct known *at,
                                  int begin)
{
    __m256 sums[4];
    for (int n = 0; n < 4; n++) {
        const float *low = picture + at->first[begin + n], *high = picture + at->first[begin + n + 4];
        __m256 p[4];
        for (int k = 0; k < 4; k++)
            p[k] = pair_of(low + (int64_t)k * stride, high + (int64_t)k * stride);
        transposed_pairs(p);
        sums[n] = _mm256_mul_ps(p[0], weights_of(at->x[0] + begin + n));
        for (int k = 1; k < 4; k++)
            sums[n] = _mm256_fmadd_ps(p[k], weights_of(at->x[k] + begin + n), sums[n]);
    }
    transposed_pairs(sums);
    __m256 sum = _mm256_mul_ps(sums[0], _mm256_loadu_ps(at->y[0] + begin));
    for (int k = 1; k < 4; k++)
        sum = _mm256_fmadd_ps(sums[k], _mm256_loadu_ps(at->y[k] + begin), sum);
    return sum;
}
#endif

/* Sample the planes of a picture.

   picture                   `planes` x `in_rows` x `in_columns`, row stride `stride`; beyond it the
                             nearest pixel counts
   grid_x, grid_y            column and row in it of each place of the grid, row stride grid_stride
   column, right, row, lower for each column and row of the map the two of the grid between which
                             it lies, and the second one's weight
   work                      6 · columns items
   result                    `planes` x `rows` x `columns`; columns a multiple of 4 */
API void sampled(const float *picture, int stride, int planes, int in_rows, int in_columns,
                 const float *grid_x, const float *grid_y, int grid_stride, const int32_t *column,
                 const float *right, const int32_t *row, const float *lower, int rows, int columns,
                 float *work, float *result)
{
    struct held held[2] = {{{work, work + columns}, {-1, -1}},
                           {{work + 2 * columns, work + 3 * columns}, {-1, -1}}};
    const float *grid[2] = {grid_x, grid_y};
    float *place[2] = {work + 4 * columns, work + 5 * columns};
    struct known at;
    for (int line = 0; line < rows; line++) {
        for (int axis = 0; axis < 2; axis++) {
            const float *both[2];
            resize_rows(&held[axis], grid[axis], grid_stride, row + 2 * line, column, right, columns,
                        both);
            for (int c = 0; c < columns; c++)
                place[axis][c] = multiply_add(both[1][c] - both[0][c], lower[line], both[0][c]);
        }
        /* So many at once that all that is known of them stays in the fastest cache. */
        for (int begin = 0; begin < columns; begin += PLACES) {
            const int count = columns - begin < PLACES ? columns - begin : PLACES;
            weigh(place[0] + begin, count, at.left, at.x[0], at.x[1], at.x[2], at.x[3]);
            weigh(place[1] + begin, count, at.top, at.y[0], at.y[1], at.y[2], at.y[3]);
            int all = 1;
            for (int n = 0; n < count; n++) {
                const int within = (at.left[n] >= 0) & (at.top[n] >= 0) &
                                   (at.left[n] + 3 < in_columns) & (at.top[n] + 3 < in_rows);
                at.first[n] = within ? at.top[n] * stride + at.left[n] : -1;
                all &= within;
            }
            /* Asked only where eight are sampled at once. */
            (void)all;
            for (int plane = 0; plane < planes; plane++) {
                const float *in = picture + (int64_t)plane * in_rows * stride;
                float *out = result + ((int64_t)plane * rows + line) * columns + begin;
                int c = 0;
#ifdef __AVX2__
                if (all)
                    for (; c + 8 <= count; c += 8)
                        _mm256_storeu_ps(out + c, sample_eight(in, stride, &at, c));
#endif
                for (; c < count; c += 4) {
                    const four sum = sample_four(in, stride, in_rows, in_columns, &at, c);
                    memcpy(out + c, &sum, sizeof sum);
                }
            }
        }
    }
}
