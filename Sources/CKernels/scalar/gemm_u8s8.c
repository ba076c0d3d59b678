// u8 × s8 matrix product, the specification. Packed: panels of 16 columns, [taps · k][16], padded with zeros.
#include "epilogue.h"
#include "scalar.h"

enum { PANEL = 16 };

static size_t packed_bytes(size_t n, size_t taps, size_t k) { return ck_divide_up(n, PANEL) * PANEL * taps * k; }

static void pack(size_t n, size_t taps, size_t k, const int8_t *b, void *packed) {
  size_t depth = taps * k;
  int8_t *to = packed;
  for (size_t n0 = 0; n0 < n; n0 += PANEL)
    for (size_t i = 0; i < depth; i++)
      for (size_t j = 0; j < PANEL; j++) *to++ = n0 + j < n ? b[(n0 + j) * depth + i] : 0;
}

static void gemm(const ck_gemm_u8s8 *g, size_t m0, size_t m1, size_t n0, size_t n1) {
  size_t taps = g->rows.taps, k = g->rows.k;
  ck_epilogue e = ck_epilogue_gemm(g);
  for (size_t p = n0; p < n1; p += PANEL) {
    const int8_t *panel = (const int8_t *)g->packed + p * taps * k;
    size_t columns = ck_min(PANEL, n1 - p);
    for (size_t i = m0; i < m1; i++) {
      int32_t sums[PANEL] = {0}, row_sum = 0;
      const int8_t *b = panel;
      for (size_t t = 0; t < taps; t++) {
        const uint8_t *a = ck_piece(&g->rows, i, t, 1);
        for (size_t x = 0; x < k; x++, b += PANEL) {
          row_sum += a[x];
          for (size_t j = 0; j < PANEL; j++) sums[j] += a[x] * b[j];
        }
      }
      for (size_t j = 0; j < columns; j++) ck_store(&e, i, p + j, sums[j], row_sum);
    }
  }
}

void ck_scalar_gemm_u8s8(ck_table *table) {
  table->packed_bytes_s8 = packed_bytes;
  table->pack_s8 = pack;
  table->gemm_u8s8 = gemm;
}
