// u8 × s8 3×3 convolution of stride 1, the specification: every product. Packed: the weights as they are.
#include "epilogue.h"
#include "scalar.h"

static size_t packed_bytes(size_t n, size_t k) { return n * 9 * k; }
static size_t scratch_bytes(size_t n, size_t k) { return (void)n, (void)k, 0; }
static void pack(size_t n, size_t k, const int8_t *b, void *packed) { memcpy(packed, b, packed_bytes(n, k)); }

static int32_t sum_of(const ck_conv3x3_u8s8 *w, size_t y, size_t x, size_t j) {
  const ck_gemm_u8s8 *g = &w->product;
  const size_t k = g->rows.k;
  uint32_t sum = 0;
  for (size_t tap = 0; tap < 9; tap++) {
    size_t row = y + tap / 3 - w->pad_top, column = x + tap % 3 - w->pad_left;  // before the first: beyond the last
    int inside = row < w->height && column < w->width;
    const uint8_t *a = inside ? (const uint8_t *)g->rows.a + (row * w->width + column) * k : NULL;
    const int8_t *b = (const int8_t *)g->packed + (j * 9 + tap) * k;
    for (size_t i = 0; i < k; i++) sum += (uint32_t)((a ? a[i] : g->a_zero) * b[i]);
  }
  return (int32_t)sum;
}

static void conv3x3(const ck_conv3x3_u8s8 *w, size_t t0, size_t t1) {
  ck_epilogue e = ck_epilogue_gemm(&w->product);
  size_t across = ck_divide_up(w->out_width, 4);
  for (size_t t = t0; t < t1; t++) {
    size_t y0 = t / across * 4, x0 = t % across * 4;
    for (size_t y = y0; y < ck_min(y0 + 4, w->out_height); y++)
      for (size_t x = x0; x < ck_min(x0 + 4, w->out_width); x++)
        for (size_t j = 0; j < w->product.n; j++) ck_store(&e, y * w->out_width + x, j, sum_of(w, y, x, j), 0);
  }
}

void ck_scalar_conv3x3_u8s8(ck_table *table) {
  table->packed_bytes_3x3_u8s8 = packed_bytes;
  table->scratch_bytes_3x3_u8s8 = scratch_bytes;
  table->pack_3x3_u8s8 = pack;
  table->conv3x3_u8s8 = conv3x3;
}
