/* Ways along thin lines (skinscan/metrics/paths.py). Whole numbers only: the same everywhere. */
#include "native.h"

struct ways {
    const int64_t *near, *begin, *degree;
    uint8_t *visited, *used;
    int64_t *path, *ends, length, count;
};

/* Note that the way from a pixel to one of its neighbours was walked. */
static void visit(struct ways *w, int64_t from, int64_t to)
{
    for (int64_t k = w->begin[from]; k < w->begin[from] + w->degree[from]; k++)
        if (w->near[k] == to)
            w->visited[k] = 1;
}

static void walk(struct ways *w, int64_t start, int64_t second)
{
    int64_t *path = w->path + w->length, steps = 2, before = start, here = second;
    path[0] = start;
    path[1] = second;
    while (w->degree[here] == 2) {
        const int64_t *next = w->near + w->begin[here];
        const int64_t following = next[0] == before ? next[1] : next[0];
        if (following == start)
            break;
        path[steps++] = following;
        before = here;
        here = following;
    }
    for (int64_t k = 0; k < steps; k++)
        w->used[path[k]] = 1;
    visit(w, path[0], path[1]);
    visit(w, path[steps - 1], path[steps - 2]);
    w->length += steps;
    w->ends[w->count++] = w->length;
}

/* Every way between two branchings or ends once, then every ring.

   near           neighbours of pixel 0, then of pixel 1 and so on
   begin, degree  where those of each of `pixels` pixels begin, and how many they are
   visited, used  room for notes, all 0: as many items as `near`, and as there are pixels
   path           the pixels of all ways, one after the other: room for twice the items of `near`
   ends           where each way ends in `path`: room for as many as `near` has items
   count          how many ways there are */
API void walks(const int64_t *near, const int64_t *begin, const int64_t *degree, int64_t pixels,
               uint8_t *visited, uint8_t *used, int64_t *path, int64_t *ends, int64_t *count)
{
    struct ways w = {near, begin, degree, visited, used, path, ends, 0, 0};
    for (int64_t pixel = 0; pixel < pixels; pixel++) {
        if (degree[pixel] == 2)
            continue;
        for (int64_t k = begin[pixel]; k < begin[pixel] + degree[pixel]; k++)
            if (!visited[k])
                walk(&w, pixel, near[k]);
    }
    for (int64_t pixel = 0; pixel < pixels; pixel++)
        if (degree[pixel] == 2 && !used[pixel])
            walk(&w, pixel, near[begin[pixel]]);
    *count = w.count;
}
