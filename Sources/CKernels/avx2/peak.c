#include "simd.h"

#if defined(__x86_64__)
CK_AVX2_BEGIN
#include "../vector/peak.h"

/// The product of the exact path: pairs of 16-bit integers.
static double peak_u8s8(size_t rounds) {
  __m256i sums[PEAK_SUMS];
  for (int i = 0; i < PEAK_SUMS; i++) sums[i] = _mm256_set1_epi32(i);
  __m256i a = _mm256_set1_epi16(3), b = _mm256_set1_epi16(-5);
  for (size_t r = 0; r < rounds; r++) {
    CK_UNROLL for (int i = 0; i < PEAK_SUMS; i++) {
      __asm__ volatile("" : "+x"(a));  // else one product serves all sums
      sums[i] = _mm256_add_epi32(sums[i], _mm256_madd_epi16(a, b));
    }
  }
  __m256i sum = sums[0];
  for (int i = 1; i < PEAK_SUMS; i++) sum = _mm256_xor_si256(sum, sums[i]);
  __asm__ volatile("" ::"x"(sum));
  return 2.0 * 16 * PEAK_SUMS * (double)rounds;
}
CK_AVX2_END

void ck_avx2_peak(ck_table *table) {
  fill_peak(table);
  table->peak_u8s8 = peak_u8s8;
}
#endif
