#include "simd.h"

#if defined(__x86_64__)
CK_AVX512_BEGIN
#include "../vector/pooling.h"

static void maxpool_u8(const uint8_t *a, const int32_t *offsets, size_t taps, size_t channels, uint8_t *c, size_t m0,
                       size_t m1) {
  for (size_t i = m0; i < m1; i++)
    for (size_t ch = 0; ch < channels; ch += 64) {
      __mmask64 live = channels - ch >= 64 ? ~0ull : (1ull << (channels - ch)) - 1;
      __m512i best = _mm512_setzero_si512();
      for (size_t t = 0; t < taps; t++) {
        int32_t offset = offsets[i * taps + t];
        if (offset >= 0) best = _mm512_max_epu8(best, _mm512_maskz_loadu_epi8(live, a + offset + ch));
      }
      _mm512_mask_storeu_epi8(c + i * channels + ch, live, best);
    }
}
CK_AVX512_END

void ck_avx512_pooling(ck_table *table) {
  fill_pooling(table);
  table->maxpool_u8 = maxpool_u8;
}
#endif
