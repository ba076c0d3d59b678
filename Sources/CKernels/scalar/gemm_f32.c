// Float matrix product, the specification. Packed: panels of 16 columns, [taps · k][16], the last one padded with zeros.
#include "scalar.h"

enum { PANEL = 16 };

static size_t packed_bytes(size_t n, size_t taps, size_t k) {
  return ck_divide_up(n, PANEL) * PANEL * taps * k * sizeof(float);
}

static void pack(size_t n, size_t taps, size_t k, const float *b, void *packed) {
  size_t depth = taps * k;
  float *to = packed;
  for (size_t n0 = 0; n0 < n; n0 += PANEL)
    for (size_t i = 0; i < depth; i++)
      for (size_t j = 0; j < PANEL; j++) *to++ = n0 + j < n ? b[(n0 + j) * depth + i] : 0;
}

static void gemm(const ck_gemm_f32 *g, size_t m0, size_t m1, size_t n0, size_t n1) {
  size_t taps = g->rows.taps, k = g->rows.k;
  for (size_t p = n0; p < n1; p += PANEL) {
    const float *panel = (const float *)g->packed + p * taps * k;
    size_t columns = ck_min(PANEL, n1 - p);
    for (size_t i = m0; i < m1; i++) {
      float sums[PANEL] = {0};
      const float *b = panel;
      for (size_t t = 0; t < taps; t++) {
        const float *a = ck_piece(&g->rows, i, t, sizeof(float));
        for (size_t x = 0; x < k; x++, b += PANEL)
          for (size_t j = 0; j < PANEL; j++) sums[j] += a[x] * b[j];
      }
      for (size_t j = 0; j < columns; j++) {
        float v = sums[j];
        if (g->bias) v += g->bias[p + j];
        if (g->residual) v += g->residual[i * g->residual_stride + p + j];
        g->c[i * g->c_stride + p + j] = ck_clamp(v, g->lower, g->upper);
      }
    }
  }
}

static void rows(const ck_gemm_f32 *g, size_t m0, size_t m1, size_t n0, size_t n1) {
  size_t k = g->rows.k;
  for (size_t i = m0; i < m1; i++)
    for (size_t j = n0; j < n1; j++) {
      const float *a = ck_piece(&g->rows, i, 0, sizeof(float)), *b = (const float *)g->packed + j * k;
      double sum = 0;
      for (size_t x = 0; x < k; x++) sum += (double)a[x] * b[x];
      float v = (float)sum;
      if (g->bias) v += g->bias[j];
      if (g->residual) v += g->residual[i * g->residual_stride + j];
      g->c[i * g->c_stride + j] = ck_clamp(v, g->lower, g->upper);
    }
}

void ck_scalar_gemm_f32(ck_table *table) {
  table->column_block = PANEL;
  table->packed_bytes_f32 = packed_bytes;
  table->pack_f32 = pack;
  table->gemm_f32 = gemm;
  table->rows_f32 = rows;
}
