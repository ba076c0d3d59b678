#include "simd.h"

#if defined(__aarch64__)
CK_NEON_BEGIN
#include "../vector/pooling.h"

static void maxpool_u8(const uint8_t *a, const int32_t *offsets, size_t taps, size_t channels, uint8_t *c, size_t m0,
                       size_t m1) {
  for (size_t i = m0; i < m1; i++) {
    const int32_t *o = offsets + i * taps;
    for (size_t ch = 0; ch < channels; ch += 16) {
      size_t left = channels - ch;
      uint8x16_t best = vdupq_n_u8(0);
      for (size_t t = 0; t < taps; t++) {
        if (o[t] < 0) continue;
        const uint8_t *x = a + o[t] + ch;
        best = vmaxq_u8(best, left >= 16 ? vld1q_u8(x) : v_load_bytes(x, left));
      }
      if (left >= 16)
        vst1q_u8(c + i * channels + ch, best);
      else
        v_store_bytes(c + i * channels + ch, left, best);
    }
  }
}
CK_NEON_END

void ck_neon_pooling(ck_table *table) {
  fill_pooling(table);
  table->maxpool_u8 = maxpool_u8;
}
#endif
