// Products of few float rows with a matrix that is not packed: dot products, bound by the speed of memory. Lanes are sums
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

static void rows_1(const ck_gemm_f32 *g, size_t i, size_t n0, size_t n1) {
  size_t j = n0;
  for (; j + 4 <= n1; j += 4) products(1, 4, g, i, j);
  for (; j < n1; j++) products(1, 1, g, i, j);
}

static void rows_2(const ck_gemm_f32 *g, size_t i, size_t n0, size_t n1) {
  size_t j = n0;
  for (; j + 4 <= n1; j += 4) products(2, 4, g, i, j);
  for (; j < n1; j++) products(2, 1, g, i, j);
}

static void rows_4(const ck_gemm_f32 *g, size_t i, size_t n0, size_t n1) {
  size_t j = n0;
  for (; j + 2 <= n1; j += 2) products(4, 2, g, i, j);
  for (; j < n1; j++) products(4, 1, g, i, j);
}

static void rows_f32(const ck_gemm_f32 *g, size_t m0, size_t m1, size_t n0, size_t n1) {
  size_t i = m0;
  for (; i + 4 <= m1; i += 4) rows_4(g, i, n0, n1);
  if (i + 2 <= m1) rows_2(g, i, n0, n1), i += 2;
  if (i < m1) rows_1(g, i, n0, n1);
}

static void fill_rows(ck_table *table) { table->rows_f32 = rows_f32; }
