#include "simd.h"

#if defined(__x86_64__)
CK_AVX512_BEGIN
#include "../vector/codes.h"
CK_AVX512_END

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi"))), apply_to = function)

/// The table is two pairs of registers; the top bit of a code chooses the pair.
static void lookup_u8(const uint8_t *x, size_t n, const uint8_t *table, uint8_t *y) {
  __m512i t0 = _mm512_loadu_si512(table), t1 = _mm512_loadu_si512(table + 64);
  __m512i t2 = _mm512_loadu_si512(table + 128), t3 = _mm512_loadu_si512(table + 192);
  for (size_t i = 0; i < n; i += 64) {
    __mmask64 live = n - i >= 64 ? ~0ull : (1ull << (n - i)) - 1;
    __m512i v = _mm512_maskz_loadu_epi8(live, x + i);
    __m512i low = _mm512_permutex2var_epi8(t0, v, t1), high = _mm512_permutex2var_epi8(t2, v, t3);
    _mm512_mask_storeu_epi8(y + i, live, _mm512_mask_mov_epi8(low, _mm512_movepi8_mask(v), high));
  }
}

#pragma clang attribute pop

void ck_avx512_codes(ck_table *table) {
  fill_codes(table);
  if (__builtin_cpu_supports("avx512vbmi")) table->lookup_u8 = lookup_u8;
}
#endif
