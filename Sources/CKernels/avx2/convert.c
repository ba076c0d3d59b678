#include "simd.h"

#if defined(__x86_64__)
CK_AVX2_BEGIN

static void f16_to_f32(const uint16_t *x, size_t n, float *y) {
  size_t i = 0;
  for (; i + 8 <= n; i += 8) v_store(y + i, _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(x + i))));
  if (i == n) return;
  uint16_t eight[8] = {0};
  memcpy(eight, x + i, (n - i) * 2);
  v_store_n(y + i, n - i, _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)eight)));
}

static void f32_to_f16(const float *x, size_t n, uint16_t *y) {
  size_t i = 0;
  for (; i + 8 <= n; i += 8)
    _mm_storeu_si128((__m128i *)(y + i), _mm256_cvtps_ph(v_load(x + i), _MM_FROUND_TO_NEAREST_INT));
  if (i == n) return;
  uint16_t eight[8];
  _mm_storeu_si128((__m128i *)eight, _mm256_cvtps_ph(v_load_n(x + i, n - i), _MM_FROUND_TO_NEAREST_INT));
  memcpy(y + i, eight, (n - i) * 2);
}

CK_AVX2_END

void ck_avx2_convert(ck_table *table) {
  table->f16_to_f32 = f16_to_f32;
  table->f32_to_f16 = f32_to_f16;
}
#endif
