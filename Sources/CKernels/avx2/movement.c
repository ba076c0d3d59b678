// Transposes of 8 × 8 words and 16 × 16 bytes in registers; the edges element by element.
#include "simd.h"

#if defined(__x86_64__)
CK_AVX2_BEGIN

static void words_8x8(const uint32_t *x, size_t x_stride, uint32_t *y, size_t y_stride) {
  __m256 r[8], t[8];
  for (int i = 0; i < 8; i++) r[i] = v_load((const float *)(x + (size_t)i * x_stride));
  for (int i = 0; i < 4; i++) {
    t[2 * i] = _mm256_unpacklo_ps(r[2 * i], r[2 * i + 1]);
    t[2 * i + 1] = _mm256_unpackhi_ps(r[2 * i], r[2 * i + 1]);
  }
  for (int i = 0; i < 2; i++) {
    r[4 * i] = _mm256_shuffle_ps(t[4 * i], t[4 * i + 2], 0x44);
    r[4 * i + 1] = _mm256_shuffle_ps(t[4 * i], t[4 * i + 2], 0xEE);
    r[4 * i + 2] = _mm256_shuffle_ps(t[4 * i + 1], t[4 * i + 3], 0x44);
    r[4 * i + 3] = _mm256_shuffle_ps(t[4 * i + 1], t[4 * i + 3], 0xEE);
  }
  for (int i = 0; i < 4; i++) {
    v_store((float *)(y + (size_t)i * y_stride), _mm256_permute2f128_ps(r[i], r[i + 4], 0x20));
    v_store((float *)(y + (size_t)(i + 4) * y_stride), _mm256_permute2f128_ps(r[i], r[i + 4], 0x31));
  }
}

static void bytes_16x16(const uint8_t *x, size_t x_stride, uint8_t *y, size_t y_stride) {
  __m128i r[16], t[16];
  for (int i = 0; i < 16; i++) r[i] = _mm_loadu_si128((const __m128i *)(x + (size_t)i * x_stride));
  // Four rounds of interleaving row i with row i + 8 put the bytes in order.
  for (int round = 0; round < 4; round++) {
    for (int i = 0; i < 8; i++) {
      t[2 * i] = _mm_unpacklo_epi8(r[i], r[i + 8]);
      t[2 * i + 1] = _mm_unpackhi_epi8(r[i], r[i + 8]);
    }
    memcpy(r, t, sizeof r);
  }
  for (int i = 0; i < 16; i++) _mm_storeu_si128((__m128i *)(y + (size_t)i * y_stride), r[i]);
}

#include "../vector/movement.h"
TRANSPOSE(transpose_32, uint32_t, 8, words_8x8)
TRANSPOSE(transpose_8, uint8_t, 16, bytes_16x16)

CK_AVX2_END

void ck_avx2_movement(ck_table *table) {
  table->transpose_32 = transpose_32;
  table->transpose_8 = transpose_8;
}
#endif
