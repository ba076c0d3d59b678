// Float 3×3 convolution of stride 1 as Winograd's F(4×4, 3×3): 4×4 outputs from 6×6 inputs with 36 products for each pair
// of channels instead of 144. Transforms of Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (2016),
// points 0, ±1, ±2, ∞.
//
// A block of tiles is transformed into 36 matrices [tile][k]; each is multiplied with one of the transformed weights, a
// matrix packed as gemm_f32 wants it; 36 sums [tile][n] make the outputs.

#include <math.h>

enum { W_POINTS = 36, W_BLOCK_BYTES = 256 * 1024 };

/// Tiles of a block: so many that its matrices stay in the second cache.
CK_INLINE size_t w_block(size_t k, size_t n) {
  size_t tiles = W_BLOCK_BYTES / (W_POINTS * (k + n + 1) * sizeof(float));
  return tiles < V_TILE ? V_TILE : tiles > 8 * V_TILE ? 8 * V_TILE : tiles / V_TILE * V_TILE;
}

/// Floats from one matrix of a block to the next; not whole pages, which would fall on the same places of the cache.
CK_INLINE size_t w_step(size_t tiles, size_t width) { return tiles * width + 16; }

static size_t packed_bytes_3x3(size_t n, size_t k) { return W_POINTS * ck_divide_up(packed_bytes(n, 1, k), 64) * 64; }

static size_t scratch_bytes_3x3(size_t n, size_t k) {
  size_t tiles = w_block(k, n);
  return W_POINTS * (w_step(tiles, k) + w_step(tiles, n)) * sizeof(float);
}

static void pack_3x3(size_t n, size_t k, const float *b, float *matrix, void *packed) {
  static const double g[6][3] = {{0.25, 0, 0},
                                 {-1.0 / 6, -1.0 / 6, -1.0 / 6},
                                 {-1.0 / 6, 1.0 / 6, -1.0 / 6},
                                 {1.0 / 24, 1.0 / 12, 1.0 / 6},
                                 {1.0 / 24, -1.0 / 12, 1.0 / 6},
                                 {0, 0, 1}};
  for (size_t point = 0; point < W_POINTS; point++) {
    const double *row = g[point / 6], *column = g[point % 6];
    for (size_t j = 0; j < n; j++)
      for (size_t x = 0; x < k; x++) {
        double sum = 0;
        for (size_t tap = 0; tap < 9; tap++) sum += row[tap / 3] * column[tap % 3] * b[(j * 9 + tap) * k + x];
        matrix[j * k + x] = (float)sum;
      }
    pack(n, 1, k, matrix, (char *)packed + point * (packed_bytes_3x3(n, k) / W_POINTS));
  }
}

/// Bᵀ d, in place.
CK_INLINE void w_input(vf *d, const int step) {
  const vf four = v_set(4), minus4 = v_set(-4), minus5 = v_set(-5), two = v_set(2), minus2 = v_set(-2);
  vf d0 = d[0], d1 = d[step], d2 = d[2 * step], d3 = d[3 * step], d4 = d[4 * step], d5 = d[5 * step];
  vf even = v_fma(minus4, d2, d4), odd = v_fma(minus4, d1, d3), far = d4 - d2, near = d3 - d1;
  d[0] = v_fma(four, d0, v_fma(minus5, d2, d4));
  d[step] = even + odd;
  d[2 * step] = even - odd;
  d[3 * step] = v_fma(two, near, far);
  d[4 * step] = v_fma(minus2, near, far);
  d[5 * step] = v_fma(four, d1, v_fma(minus5, d3, d5));
}

/// Aᵀ m, in place: the first four.
CK_INLINE void w_output(vf *m, const int step) {
  vf s = m[step] + m[2 * step], d = m[step] - m[2 * step];
  vf s2 = m[3 * step] + m[4 * step], d2 = m[3 * step] - m[4 * step];
  m[0] = m[0] + s + s2;
  m[step] = v_fma(v_set(2), d2, d);
  m[2 * step] = v_fma(v_set(4), s2, s);
  m[3 * step] = v_fma(v_set(8), d2, d) + m[5 * step];
}

/// The 6×6 inputs of a tile at `left` channels from ch on, transformed to point matrices at `to`.
CK_INLINE void w_transform(const ck_conv3x3_f32 *w, const float *a, ptrdiff_t y0, ptrdiff_t x0, size_t ch, size_t left,
                           float *to, size_t step) {
  vf d[W_POINTS];
  const int whole = left >= V_WIDTH;
  const int inside = y0 >= 0 && x0 >= 0 && y0 + 6 <= (ptrdiff_t)w->height && x0 + 6 <= (ptrdiff_t)w->width;
  CK_UNROLL for (ptrdiff_t y = 0; y < 6; y++) {
    CK_UNROLL for (ptrdiff_t x = 0; x < 6; x++) {
      const int there = inside || (y0 + y >= 0 && y0 + y < (ptrdiff_t)w->height && x0 + x >= 0 &&
                                   x0 + x < (ptrdiff_t)w->width);
      const float *from = a + ((y0 + y) * (ptrdiff_t)w->width + x0 + x) * (ptrdiff_t)w->k + (ptrdiff_t)ch;
      d[6 * y + x] = there ? v_load_part(whole, from, left) : v_set(0);
    }
    w_input(d + 6 * y, 1);
  }
  CK_UNROLL for (size_t x = 0; x < 6; x++) {
    w_input(d + x, 6);
    CK_UNROLL for (size_t y = 0; y < 6; y++) {
      if (whole)
        v_store(to + (6 * y + x) * step, d[6 * y + x]);
      else
        v_store_n(to + (6 * y + x) * step, left, d[6 * y + x]);
    }
  }
}

/// The outputs of a tile at `left` channels from j on.
CK_INLINE void w_finish(const ck_conv3x3_f32 *w, size_t y0, size_t x0, size_t j, size_t left, const float *from,
                        size_t step) {
  vf m[W_POINTS];
  const int whole = left >= V_WIDTH;
  CK_UNROLL for (size_t x = 0; x < 6; x++) {
    CK_UNROLL for (size_t y = 0; y < 6; y++) m[6 * y + x] = v_load_part(whole, from + (6 * y + x) * step, left);
    w_output(m + x, 6);
  }
  const vf lower = v_set(w->lower), upper = v_set(w->upper);
  const vf bias = w->bias ? v_load_part(whole, w->bias + j, left) : v_set(0);
  const size_t rows = ck_min(4, w->out_height - y0), columns = ck_min(4, w->out_width - x0);
  for (size_t y = 0; y < rows; y++) {
    w_output(m + 6 * y, 1);
    for (size_t x = 0; x < columns; x++) {
      const size_t i = (y0 + y) * w->out_width + x0 + x;
      v_finish(m[6 * y + x] + bias, w->residual, i * w->residual_stride + j, lower, upper, w->c + i * w->c_stride + j,
               whole, left);
    }
  }
}

static void conv3x3(const ck_conv3x3_f32 *w, size_t t0, size_t t1) {
  const size_t across = ck_divide_up(w->out_width, 4), most = w_block(w->k, w->n), k = w->k, n = w->n;
  const size_t matrix = packed_bytes_3x3(n, k) / W_POINTS;
  if (t0 >= t1) return;
  const size_t block = ck_even_tile(t1 - t0, most);
  for (size_t b0 = t0; b0 < t1; b0 += block) {
    const size_t tiles = ck_min(block, t1 - b0), in_step = w_step(tiles, k), out_step = w_step(tiles, n);
    float *inputs = w->scratch, *sums = inputs + W_POINTS * in_step;
    for (size_t t = 0; t < tiles; t++) {
      const size_t y = (b0 + t) / across * 4, x = (b0 + t) % across * 4;
      for (size_t ch = 0; ch < k; ch += V_WIDTH)
        w_transform(w, w->a, (ptrdiff_t)y - (ptrdiff_t)w->pad_top, (ptrdiff_t)x - (ptrdiff_t)w->pad_left, ch, k - ch,
                    inputs + t * k + ch, in_step);
    }
    for (size_t point = 0; point < W_POINTS; point++) {
      ck_gemm_f32 g = {0};
      g.rows = (ck_rows){inputs + point * in_step, k, NULL, 1, k, NULL};
      g.n = n;
      g.packed = (const char *)w->packed + point * matrix;
      g.c = sums + point * out_step;
      g.c_stride = n;
      g.lower = -INFINITY;
      g.upper = INFINITY;
      V_GEMM_F32(&g, 0, tiles, 0, n);
    }
    for (size_t t = 0; t < tiles; t++) {
      const size_t y = (b0 + t) / across * 4, x = (b0 + t) % across * 4;
      for (size_t j = 0; j < n; j += V_WIDTH) w_finish(w, y, x, j, n - j, sums + t * n + j, out_step);
    }
  }
}

static void fill_conv3x3(ck_table *table) {
  table->packed_bytes_3x3 = packed_bytes_3x3;
  table->scratch_bytes_3x3 = scratch_bytes_3x3;
  table->pack_3x3 = pack_3x3;
  table->conv3x3_f32 = conv3x3;
}
