#include "simd.h"

#if defined(__x86_64__)
CK_AVX512_BEGIN
#include "../vector/peak.h"

static double peak_u8s8(size_t rounds) {
  __m512i sums[PEAK_SUMS];
  for (int i = 0; i < PEAK_SUMS; i++) sums[i] = _mm512_set1_epi32(i);
  __m512i a = _mm512_set1_epi8(3), b = _mm512_set1_epi8(-5);
  for (size_t r = 0; r < rounds; r++) {
    __asm__ volatile("" : "+v"(a), "+v"(b));
    CK_UNROLL for (int i = 0; i < PEAK_SUMS; i++) sums[i] = _mm512_dpbusd_epi32(sums[i], a, b);
  }
  __m512i sum = sums[0];
  for (int i = 1; i < PEAK_SUMS; i++) sum = _mm512_xor_si512(sum, sums[i]);
  __asm__ volatile("" ::"v"(sum));
  return 2.0 * 64 * PEAK_SUMS * (double)rounds;
}
CK_AVX512_END

void ck_avx512_peak(ck_table *table) {
  fill_peak(table);
  table->peak_u8s8 = peak_u8s8;
}
#endif
