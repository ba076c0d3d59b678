#include "simd.h"

#if defined(__x86_64__)
CK_AVX2_BEGIN
#include "../vector/pooling.h"

static void maxpool_u8(const uint8_t *a, const int32_t *offsets, size_t taps, size_t channels, uint8_t *c, size_t m0,
                       size_t m1) {
  for (size_t i = m0; i < m1; i++) {
    const int32_t *o = offsets + i * taps;
    uint8_t *to = c + i * channels;
    size_t ch = 0;
    for (; ch + 32 <= channels; ch += 32) {
      vi best = vi_set(0);
      for (size_t t = 0; t < taps; t++)
        if (o[t] >= 0) best = _mm256_max_epu8(best, vi_load(a + o[t] + ch));
      _mm256_storeu_si256((__m256i *)(to + ch), best);
    }
    for (; ch < channels; ch++) {
      uint8_t best = 0;
      for (size_t t = 0; t < taps; t++)
        if (o[t] >= 0 && a[(size_t)o[t] + ch] > best) best = a[(size_t)o[t] + ch];
      to[ch] = best;
    }
  }
}
CK_AVX2_END

void ck_avx2_pooling(ck_table *table) {
  fill_pooling(table);
  table->maxpool_u8 = maxpool_u8;
}
#endif
