// What training adds, over vectors of any width: fake quantization with its gradients, the gradients of weights and of
// pools, and the steps of optimizers. Elementwise formulas are those of the scalar level, operation by operation.
#include <math.h>

#pragma clang fp contract(off)

CK_INLINE vf v_load_upto(const float *p, size_t left) { return left >= V_WIDTH ? v_load(p) : v_load_n(p, left); }
CK_INLINE void v_store_upto(float *p, size_t left, vf x) {
  if (left >= V_WIDTH)
    v_store(p, x);
  else
    v_store_n(p, left, x);
}

// --- fake quantization

typedef struct {
  vf scale, lowest, highest;
} v_codes;

CK_INLINE vf v_clamp(vf x, const v_codes *q) { return v_min(q->highest, v_max(q->lowest, x)); }
CK_INLINE vf v_fake(vf x, const v_codes *q) { return q->scale * v_clamp(v_rne(x / q->scale), q); }

/// dx, and what is added to the sums.
CK_INLINE vf v_fake_gradient(vf x, vf dy, const v_codes *q, vf *scale_sum, vf *outside_sum) {
  vf v = x / q->scale, zero = v_set(0);
  *scale_sum = v_fma(dy, v_within(v, q->lowest, q->highest, v_rne(v) - v, v_clamp(v, q)), *scale_sum);
  *outside_sum = *outside_sum + v_within(v, q->lowest, q->highest, zero, dy);
  return v_within(v, q->lowest, q->highest, dy, zero);
}

static void fake_quantize_f32(const float *x, size_t n, float scale, float lowest, float highest, float *y) {
  const v_codes q = {v_set(scale), v_set(lowest), v_set(highest)};
  for (size_t i = 0; i < n; i += V_WIDTH) v_store_upto(y + i, n - i, v_fake(v_load_upto(x + i, n - i), &q));
}

static void fake_quantize_gradient_f32(const float *x, const float *dy, size_t n, float scale, float lowest,
                                       float highest, float *dx, float *sums) {
  enum { RUN = 256 * V_WIDTH };  // lanes in float for as long as that is exact enough
  const v_codes q = {v_set(scale), v_set(lowest), v_set(highest)};
  double scale_sum = sums[0], outside_sum = sums[1];
  for (size_t start = 0; start < n; start += RUN) {
    size_t end = ck_min(start + RUN, n);
    vf scales = v_set(0), outsides = v_set(0);
    for (size_t i = start; i < end; i += V_WIDTH) {
      size_t left = end - i;
      vf u = v_load_upto(x + i, left), v = v_load_upto(dy + i, left);  // a lane without a value adds 0
      v_store_upto(dx + i, left, v_fake_gradient(u, v, &q, &scales, &outsides));
    }
    scale_sum += v_sum(scales);
    outside_sum += v_sum(outsides);
  }
  sums[0] = (float)scale_sum;
  sums[1] = (float)outside_sum;
}

/// Rows of a matrix whose columns are taken a vector at a time: few enough to stay in the first cache meanwhile.
CK_INLINE size_t v_rows_of_block(size_t n) { return ck_min(32 + 4096 / (n + 1), 256); }

CK_INLINE v_codes v_codes_at(const float *scale, const float *lowest, const float *highest, size_t j, size_t left) {
  return (v_codes){v_load_upto(scale + j, left), v_load_upto(lowest + j, left), v_load_upto(highest + j, left)};
}

static void fake_quantize_columns_f32(const float *x, size_t rows, size_t n, const float *scale, const float *lowest,
                                      const float *highest, float *y) {
  const size_t block = v_rows_of_block(n) * n;
  for (size_t start = 0; start < rows * n; start += block) {
    const size_t end = ck_min(start + block, rows * n);
    for (size_t j = 0; j < n; j += V_WIDTH) {
      const size_t left = n - j;
      const v_codes q = v_codes_at(scale, lowest, highest, j, left);
      for (size_t i = start + j; i < end; i += n) v_store_upto(y + i, left, v_fake(v_load_upto(x + i, left), &q));
    }
  }
}

static void fake_quantize_columns_gradient_f32(const float *x, const float *dy, size_t rows, size_t n,
                                               const float *scale, const float *lowest, const float *highest, float *dx,
                                               float *scale_sums, float *outside_sums) {
  const size_t block = v_rows_of_block(n) * n;
  for (size_t start = 0; start < rows * n; start += block) {
    const size_t end = ck_min(start + block, rows * n);
    for (size_t j = 0; j < n; j += V_WIDTH) {
      const size_t left = n - j;
      const v_codes q = v_codes_at(scale, lowest, highest, j, left);
      vf scales = v_set(0), outsides = v_set(0);
      for (size_t i = start + j; i < end; i += n) {
        vf u = v_load_upto(x + i, left), v = v_load_upto(dy + i, left);
        v_store_upto(dx + i, left, v_fake_gradient(u, v, &q, &scales, &outsides));
      }
      v_store_upto(scale_sums + j, left, v_load_upto(scale_sums + j, left) + scales);
      v_store_upto(outside_sums + j, left, v_load_upto(outside_sums + j, left) + outsides);
    }
  }
}

// --- products summed over rows: tiles of c held in registers over a block of rows. Each element is one chain of fused
// multiply–adds that begins with c, so its value does not depend on the tile or the block.

enum {
  OUTER_WIDE = V_TILE,        // rows of c in a tile of two vectors…
  OUTER_NARROW = V_TILE + 2,  // …and of one
  OUTER_TAPS = 9,             // taps in a tile when k is small
  OUTER_SMALL = 4,            // which it is up to here
  OUTER_BLOCK = 256,          // rows of a block: their columns of b stay in the first cache
  OUTER_CACHE = 256 * 1024    // bytes of their pieces
};

typedef struct {
  const float *a;
  const int32_t *offsets;  // of the first tap in the first row
  size_t taps;             // from one row's offset to the next's
  const float *b;
  size_t b_step;
  size_t rows;
  float *c;
  size_t c_stride, c_tap;  // between rows of c, and between taps
  size_t left;             // columns in the last vector
} outer_tile;

/// taps × depth rows of c, vectors · V_WIDTH columns.
CK_INLINE void outer(const int taps, const int depth, const int vectors, const outer_tile *o) {
  vf acc[2 * V_TILE + 2];
  CK_UNROLL for (int t = 0; t < taps; t++)
    CK_UNROLL for (int i = 0; i < depth; i++) {
      const float *c = o->c + (size_t)t * o->c_tap + (size_t)i * o->c_stride;
      CK_UNROLL for (int v = 0; v < vectors; v++)
        acc[(t * depth + i) * vectors + v] =
          v == vectors - 1 ? v_load_upto(c + v * V_WIDTH, o->left) : v_load(c + v * V_WIDTH);
    }
  const int32_t *offsets = o->offsets;
  const float *b = o->b;
  for (size_t m = 0; m < o->rows; m++, offsets += o->taps, b += o->b_step) {
    vf w[2];
    CK_UNROLL for (int v = 0; v < vectors; v++) w[v] = v_load(b + v * V_WIDTH);
    CK_UNROLL for (int t = 0; t < taps; t++) {
      if (offsets[t] < 0) continue;
      const float *a = o->a + offsets[t];
      CK_UNROLL for (int i = 0; i < depth; i++) {
        vf one = v_set(a[i]);
        CK_UNROLL for (int v = 0; v < vectors; v++) {
          const int place = (t * depth + i) * vectors + v;
          acc[place] = v_fma(one, w[v], acc[place]);
        }
      }
    }
  }
  CK_UNROLL for (int t = 0; t < taps; t++)
    CK_UNROLL for (int i = 0; i < depth; i++) {
      float *c = o->c + (size_t)t * o->c_tap + (size_t)i * o->c_stride;
      CK_UNROLL for (int v = 0; v < vectors; v++) {
        vf sum = acc[(t * depth + i) * vectors + v];
        if (v == vectors - 1)
          v_store_upto(c + v * V_WIDTH, o->left, sum);
        else
          v_store(c + v * V_WIDTH, sum);
      }
    }
}

typedef void (*outer_kernel)(const outer_tile *);
#define OUTER_1(t, k) \
  static void outer_##t##_##k##_1(const outer_tile *o) { outer(t, k, 1, o); }
#define OUTER_2(t, k) \
  OUTER_1(t, k)       \
  static void outer_##t##_##k##_2(const outer_tile *o) { outer(t, k, 2, o); }
#define AT_1(t, k) [k - 1][t - 1] = {outer_##t##_##k##_1, NULL},
#define AT_2(t, k) [k - 1][t - 1] = {outer_##t##_##k##_1, outer_##t##_##k##_2},
#if V_TILE == 14
#define OUTER_ALL(one, two)                                                                                     \
  two(1, 1) two(1, 2) two(1, 3) two(1, 4) two(1, 5) two(1, 6) two(1, 7) two(1, 8) two(1, 9) two(1, 10)          \
  two(1, 11) two(1, 12) two(1, 13) two(1, 14) one(1, 15) one(1, 16)                                             \
  two(2, 1) two(3, 1) two(4, 1) two(5, 1) two(6, 1) two(7, 1) two(8, 1) two(9, 1)                               \
  two(2, 2) two(3, 2) two(4, 2) two(5, 2) two(6, 2) two(7, 2) one(8, 2)                                         \
  two(2, 3) two(3, 3) two(4, 3) one(5, 3) two(2, 4) two(3, 4) one(4, 4)
#else
#define OUTER_ALL(one, two)                                                                                     \
  two(1, 1) two(1, 2) two(1, 3) two(1, 4) two(1, 5) two(1, 6) one(1, 7) one(1, 8)                               \
  two(2, 1) two(3, 1) two(4, 1) two(5, 1) two(6, 1) one(7, 1) one(8, 1)                                         \
  two(2, 2) two(3, 2) one(4, 2) two(2, 3) one(2, 4)
#endif
OUTER_ALL(OUTER_1, OUTER_2)
/// By rows and taps of a tile, of one vector and of two.
static const outer_kernel outer_kernels[OUTER_NARROW][OUTER_TAPS][2] = {OUTER_ALL(AT_1, AT_2)};

/// Tiles of taps t0..<t1 and rows k0..<k1 of c at the columns of `o`; `c` and `offsets` are those of tap 0.
static void outer_tiles(outer_tile *o, const float *a, const int32_t *offsets, float *c, int vectors, size_t t0,
                        size_t t1, size_t k0, size_t k1) {
  const size_t most = vectors == 2 ? OUTER_WIDE : OUTER_NARROW, depth = ck_even_tile(k1 - k0, most);
  size_t taps = k1 - k0 <= OUTER_SMALL ? ck_min(OUTER_TAPS, most / depth) : 1;
  if (taps > 1) taps = ck_even_tile(t1 - t0, taps);
  for (size_t t = t0; t < t1; t += taps)
    for (size_t i = k0; i < k1; i += depth) {
      o->a = a + i;
      o->offsets = offsets + t;
      o->c = c + t * o->c_tap + i * o->c_stride;
      outer_kernels[ck_min(depth, k1 - i) - 1][ck_min(taps, t1 - t) - 1][vectors - 1](o);
    }
}

static void outer_f32(const ck_outer_f32 *g, size_t t0, size_t t1, size_t k0, size_t k1, size_t m0, size_t m1) {
  if (t0 >= t1 || k0 >= k1) return;
  const ck_rows *rows = &g->rows;
  const float *a = rows->a;
  // Columns of b side by side: strides of whole pages would have all rows meet in a few sets of the cache.
  float panel[OUTER_BLOCK * 2 * V_WIDTH];
  int32_t direct[OUTER_BLOCK];
  size_t block = OUTER_CACHE / (rows->k * sizeof(float));
  block = block < OUTER_BLOCK / 2 ? OUTER_BLOCK / 2 : ck_min(block, OUTER_BLOCK);
  if (!rows->offsets) {
    block = ck_min(block, INT32_MAX / (rows->stride + 1) + 1);
    for (size_t r = 0; r < block; r++) direct[r] = (int32_t)(r * rows->stride);
  }
  outer_tile o;
  o.taps = rows->taps;
  o.c_stride = g->c_stride;
  o.c_tap = rows->k * g->c_stride;
  for (size_t m = m0; m < m1; m += block) {
    o.rows = ck_min(block, m1 - m);
    const int32_t *offsets = rows->offsets ? rows->offsets + m * rows->taps : direct;
    const float *from = rows->offsets ? a : a + m * rows->stride;
    for (size_t j = 0; j < g->n;) {
      const size_t columns = g->n - j;
      const int vectors = columns > V_WIDTH ? 2 : 1;
      const size_t width = (size_t)vectors * V_WIDTH;
      o.left = ck_min(columns - (width - V_WIDTH), V_WIDTH);
      o.b = g->b + m * g->b_stride + j;
      o.b_step = g->b_stride;
      if (g->b_stride != width || o.left < V_WIDTH) {
        for (size_t r = 0; r < o.rows; r++) {
          const float *b = o.b + r * g->b_stride;
          if (vectors == 2) v_store(panel + r * width, v_load(b));
          v_store(panel + (r + 1) * width - V_WIDTH, v_load_upto(b + width - V_WIDTH, o.left));
        }
        o.b = panel;
        o.b_step = width;
      }
      outer_tiles(&o, from, offsets, g->c + j, vectors, t0, t1, k0, k1);
      j += width;
    }
  }
}

#if V_TILE == 14
enum { DEPTHWISE_VECTORS = 2, DEPTHWISE_TAPS = 9 };
#else
enum { DEPTHWISE_VECTORS = 1, DEPTHWISE_TAPS = 9 };
#endif

typedef struct {
  const float *a;
  const int32_t *offsets;
  size_t taps, channels;
  const float *dy;
  size_t dy_stride;
  float *c;
  size_t rows;
} depthwise_tile;

/// `taps` taps of vectors · V_WIDTH channels, the last vector of `left` where that is less.
CK_INLINE void depthwise_outer(const int taps, const int vectors, const int masked, const depthwise_tile *d, size_t left) {
  vf acc[DEPTHWISE_TAPS * 2];
  CK_UNROLL for (int t = 0; t < taps; t++)
    CK_UNROLL for (int v = 0; v < vectors; v++) {
      const float *c = d->c + (size_t)t * d->channels + v * V_WIDTH;
      acc[t * vectors + v] = masked ? v_load_n(c, left) : v_load(c);
    }
  const int32_t *offsets = d->offsets;
  const float *dy = d->dy;
  for (size_t m = 0; m < d->rows; m++, offsets += d->taps, dy += d->dy_stride) {
    vf w[2];
    CK_UNROLL for (int v = 0; v < vectors; v++) w[v] = masked ? v_load_n(dy, left) : v_load(dy + v * V_WIDTH);
    CK_UNROLL for (int t = 0; t < taps; t++) {
      if (offsets[t] < 0) continue;
      const float *a = d->a + offsets[t];
      CK_UNROLL for (int v = 0; v < vectors; v++) {
        vf x = masked ? v_load_n(a, left) : v_load(a + v * V_WIDTH);
        acc[t * vectors + v] = v_fma(x, w[v], acc[t * vectors + v]);
      }
    }
  }
  CK_UNROLL for (int t = 0; t < taps; t++)
    CK_UNROLL for (int v = 0; v < vectors; v++) {
      float *c = d->c + (size_t)t * d->channels + v * V_WIDTH;
      if (masked)
        v_store_n(c, left, acc[t * vectors + v]);
      else
        v_store(c, acc[t * vectors + v]);
    }
}

#define DEPTHWISE_CASE(n) \
  case n: depthwise_outer(n, vectors, masked, d, left); break;
CK_INLINE void depthwise_taps(const int vectors, const int masked, const depthwise_tile *d, size_t taps, size_t left) {
  switch (taps) {
    DEPTHWISE_CASE(1) DEPTHWISE_CASE(2) DEPTHWISE_CASE(3) DEPTHWISE_CASE(4) DEPTHWISE_CASE(5) DEPTHWISE_CASE(6)
    DEPTHWISE_CASE(7) DEPTHWISE_CASE(8) default: depthwise_outer(DEPTHWISE_TAPS, vectors, masked, d, left);
  }
}

static void depthwise_outer_f32(const float *a, const int32_t *offsets, size_t taps, size_t channels, const float *dy,
                                size_t dy_stride, float *c, size_t m0, size_t m1) {
  if (!taps) return;
  const size_t each = ck_even_tile(taps, DEPTHWISE_TAPS), block = v_rows_of_block(channels);
  for (size_t m = m0; m < m1; m += block)
    for (size_t ch = 0; ch < channels;) {
      const size_t left = channels - ch;
      const int vectors = left >= DEPTHWISE_VECTORS * V_WIDTH ? DEPTHWISE_VECTORS : 1;
      for (size_t t = 0; t < taps; t += each) {
        const depthwise_tile d = {a + ch, offsets + m * taps + t, taps, channels, dy + m * dy_stride + ch, dy_stride,
                                  c + t * channels + ch, ck_min(block, m1 - m)};
        const size_t n = ck_min(each, taps - t);
        if (vectors == 2)
          depthwise_taps(2, 0, &d, n, left);
        else if (left >= V_WIDTH)
          depthwise_taps(1, 0, &d, n, left);
        else
          depthwise_taps(1, 1, &d, n, left);
      }
      ch += (size_t)vectors * V_WIDTH;
    }
}

static void sum_columns_f32(const float *x, size_t rows, size_t n, size_t stride, float *y) {
  enum { RUN = 8 };  // rows that share a load and a store of y
  for (; rows >= RUN; rows -= RUN, x += RUN * stride)
    for (size_t j = 0; j < n; j += V_WIDTH) {
      const size_t left = n - j;
      vf sums[RUN];
      CK_UNROLL for (int r = 0; r < RUN; r++) sums[r] = v_load_upto(x + (size_t)r * stride + j, left);
      vf sum = ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
      v_store_upto(y + j, left, v_load_upto(y + j, left) + sum);
    }
  for (; rows > 0; rows--, x += stride)
    for (size_t j = 0; j < n; j += V_WIDTH) {
      const size_t left = n - j;
      v_store_upto(y + j, left, v_load_upto(y + j, left) + v_load_upto(x + j, left));
    }
}

// --- pools and bounds

static void maxpool_gradient_f32(const float *a, const int32_t *offsets, size_t taps, size_t channels, const float *dy,
                                 float *dx, size_t m0, size_t m1) {
  for (size_t m = m0; m < m1; m++) {
    const int32_t *o = offsets + m * taps;
    for (size_t ch = 0; ch < channels; ch += V_WIDTH) {
      const size_t left = channels - ch;
      vf best = v_set(-INFINITY);
      for (size_t t = 0; t < taps; t++)
        if (o[t] >= 0) best = v_max(best, v_load_upto(a + o[t] + ch, left));
      vf rest = v_load_upto(dy + m * channels + ch, left), zero = v_set(0);  // in lanes whose tap was not met yet
      for (size_t t = 0; t < taps; t++) {
        if (o[t] < 0) continue;
        vf x = v_load_upto(a + o[t] + ch, left);
        float *to = dx + o[t] + ch;
        v_store_upto(to, left, v_load_upto(to, left) + v_less(x, best, zero, rest));
        rest = v_less(x, best, rest, zero);
      }
    }
  }
}

static void avgpool_gradient_f32(const int32_t *offsets, size_t taps, size_t channels, const int32_t *count,
                                 const float *dy, float *dx, size_t m0, size_t m1) {
  for (size_t m = m0; m < m1; m++) {
    const int32_t *o = offsets + m * taps;
    for (size_t ch = 0; ch < channels; ch += V_WIDTH) {
      const size_t left = channels - ch;
      vf share = v_load_upto(dy + m * channels + ch, left) / v_set((float)count[m]);
      for (size_t t = 0; t < taps; t++) {
        if (o[t] < 0) continue;
        float *to = dx + o[t] + ch;
        v_store_upto(to, left, v_load_upto(to, left) + share);
      }
    }
  }
}

static void clamp_gradient_f32(const float *y, const float *dy, size_t n, float lower, float upper, float *dx) {
  vf low = v_set(lower), high = v_set(upper), zero = v_set(0);
  for (size_t i = 0; i < n; i += V_WIDTH) {
    const size_t left = n - i;
    vf v = v_load_upto(y + i, left), g = v_load_upto(dy + i, left);
    v_store_upto(dx + i, left, v_less(low, v, v_less(v, high, g, zero), zero));
  }
}

// --- optimizers

static void sgd_f32(float *w, const float *gradient, float *velocity, size_t n, float rate, float momentum, float decay) {
  vf step = v_set(rate), keep = v_set(momentum), shrink = v_set(decay);
  for (size_t i = 0; i < n; i += V_WIDTH) {
    const size_t left = n - i;
    vf x = v_load_upto(w + i, left);
    vf v = keep * v_load_upto(velocity + i, left) + v_load_upto(gradient + i, left) + shrink * x;
    v_store_upto(velocity + i, left, v);
    v_store_upto(w + i, left, x - step * v);
  }
}

static void adam_f32(const ck_adam_f32 *o, float *w, const float *gradient, float *first, float *second, size_t n) {
  vf beta1 = v_set(o->beta1), beta2 = v_set(o->beta2), other1 = v_set(1 - o->beta1), other2 = v_set(1 - o->beta2);
  vf rate = v_set(o->rate), epsilon = v_set(o->epsilon), decay = v_set(o->decay), decoupled = v_set(o->decoupled_decay);
  vf correction1 = v_set(o->correction1), correction2 = v_set(o->correction2);
  for (size_t i = 0; i < n; i += V_WIDTH) {
    const size_t left = n - i;
    vf x = v_load_upto(w + i, left), g = v_load_upto(gradient + i, left) + decay * x;
    vf m = beta1 * v_load_upto(first + i, left) + other1 * g;
    vf v = beta2 * v_load_upto(second + i, left) + other2 * (g * g);
    v_store_upto(first + i, left, m);
    v_store_upto(second + i, left, v);
    vf step = m * correction1 / (v_sqrt(v * correction2) + epsilon);
    v_store_upto(w + i, left, x - rate * (step + decoupled * x));
  }
}

static void fill_training(ck_table *table) {
  table->fake_quantize_f32 = fake_quantize_f32;
  table->fake_quantize_gradient_f32 = fake_quantize_gradient_f32;
  table->fake_quantize_columns_f32 = fake_quantize_columns_f32;
  table->fake_quantize_columns_gradient_f32 = fake_quantize_columns_gradient_f32;
  table->outer_f32 = outer_f32;
  table->depthwise_outer_f32 = depthwise_outer_f32;
  table->maxpool_gradient_f32 = maxpool_gradient_f32;
  table->avgpool_gradient_f32 = avgpool_gradient_f32;
  table->clamp_gradient_f32 = clamp_gradient_f32;
  table->sum_columns_f32 = sum_columns_f32;
  table->sgd_f32 = sgd_f32;
  table->adam_f32 = adam_f32;
}
