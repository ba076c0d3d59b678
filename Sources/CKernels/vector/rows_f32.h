// Products of few float rows with a matrix that is not packed: dot products, for one row bound by the speed of memory. Lanes are sums
// over every V_WIDTH-th element, the same whatever the tile.
#include "../internal.h"

/// rows × columns dot products over k.
CK_INLINE void products(const int rows, const int columns, const ck_gemm_f32 *g, size_t i, size_t j) {
  size_t k = g->rows.k;
  const float *a[4], *b[4];
  vf sums[8];
  CK_UNROLL for (int r = 0; r < rows; r++) a[r] = ck_piece(&g->rows, i + (size_t)r, 0, sizeof(float));
  CK_UNROLL for (int c = 0; c < columns; c++) b[c] = (const float *)g->packed + (j + (size_t)c) * k;
  CK_UNROLL for (int o = 0; o < rows * columns; o++) sums[o] = v_set(0);
  size_t x = 0;
  for (; x + V_WIDTH <= k; x += V_WIDTH) {
    vf w[4];
    CK_UNROLL for (int c = 0; c < columns; c++) w[c] = v_load(b[c] + x);
    CK_UNROLL for (int r = 0; r < rows; r++) {
      vf one = v_load(a[r] + x);
      CK_UNROLL for (int c = 0; c < columns; c++) sums[r * columns + c] = v_fma(one, w[c], sums[r * columns + c]);
    }
  }
  if (x < k) {
    CK_UNROLL for (int r = 0; r < rows; r++) {
      vf one = v_load_n(a[r] + x, k - x);
      CK_UNROLL for (int c = 0; c < columns; c++)
        sums[r * columns + c] = v_fma(one, v_load_n(b[c] + x, k - x), sums[r * columns + c]);
    }
  }
  CK_UNROLL for (int r = 0; r < rows; r++) {
    CK_UNROLL for (int c = 0; c < columns; c++) {
      size_t row = i + (size_t)r, column = j + (size_t)c;
      float v = v_sum(sums[r * columns + c]);
      if (g->bias) v += g->bias[column];
      if (g->residual) v += g->residual[row * g->residual_stride + column];
      g->c[row * g->c_stride + column] = ck_clamp(v, g->lower, g->upper);
    }
  }
}

/// All rows times `columns` columns, which stay in the first cache meanwhile.
CK_INLINE void all_rows(const int columns, const ck_gemm_f32 *g, size_t m0, size_t m1, size_t j) {
  size_t i = m0;
  for (; i + 4 <= m1; i += 4) products(4, columns, g, i, j);
  for (; i < m1; i++) products(1, columns, g, i, j);
}

static void rows_f32(const ck_gemm_f32 *g, size_t m0, size_t m1, size_t n0, size_t n1) {
  size_t j = n0;
  // One row alone needs more columns to have sums enough in flight.
  if (m1 == m0 + 1)
    for (; j + 4 <= n1; j += 4) products(1, 4, g, m0, j);
  for (; j + 2 <= n1; j += 2) all_rows(2, g, m0, m1, j);
  for (; j < n1; j++) all_rows(1, g, m0, m1, j);
}

static void fill_rows(ck_table *table) { table->rows_f32 = rows_f32; }
