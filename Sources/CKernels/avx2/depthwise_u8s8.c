// u8 × s8 depthwise convolution in 16 bits: two taps side by side make the pairs, sixteen channels at a time.
#include "epilogue.h"

#if defined(__x86_64__)

enum { MOST_TAPS = 64 };

CK_AVX2_BEGIN

CK_INLINE const uint8_t *pointer(const ck_depthwise_u8s8 *d, size_t i, size_t t) {
  int32_t offset = d->offsets[i * d->taps + t];
  return offset < 0 ? d->padding : d->a + offset;
}

/// Sixteen bytes, or the first n of them.
CK_INLINE __m128i load(const void *p, size_t n) {
  if (n >= 16) return _mm_loadu_si128(p);
  uint8_t part[16] = {0};
  memcpy(part, p, n);
  return _mm_loadu_si128((const __m128i *)part);
}

/// Channels ch..<ch+n, n ≤ 16. Sums hold channels 0…3, 8…11 and 4…7, 12…15, as unpacking leaves them.
static void channels(const ck_depthwise_u8s8 *d, const ck_epilogue *e, size_t m0, size_t m1, size_t ch, size_t n) {
  size_t pairs = ck_divide_up(d->taps, 2);
  vi weights[MOST_TAPS];
  for (size_t p = 0; p < pairs; p++) {
    vi even = _mm256_cvtepi8_epi16(load(d->weights + 2 * p * d->channels + ch, n)), odd = vi_set(0);
    if (2 * p + 1 < d->taps) odd = _mm256_cvtepi8_epi16(load(d->weights + (2 * p + 1) * d->channels + ch, n));
    weights[2 * p] = _mm256_unpacklo_epi16(even, odd);
    weights[2 * p + 1] = _mm256_unpackhi_epi16(even, odd);
  }
  for (size_t i = m0; i < m1; i++) {
    vi low = vi_set(0), high = vi_set(0), row_low = vi_set(0), row_high = vi_set(0);
    const vi ones = _mm256_set1_epi16(1);
    for (size_t p = 0; p < pairs; p++) {
      vi even = _mm256_cvtepu8_epi16(load(pointer(d, i, 2 * p) + ch, n)), odd = vi_set(0);
      if (2 * p + 1 < d->taps) odd = _mm256_cvtepu8_epi16(load(pointer(d, i, 2 * p + 1) + ch, n));
      vi first = _mm256_unpacklo_epi16(even, odd), second = _mm256_unpackhi_epi16(even, odd);
      low = vi_add(low, _mm256_madd_epi16(first, weights[2 * p]));
      high = vi_add(high, _mm256_madd_epi16(second, weights[2 * p + 1]));
      if (!e->b_zero) continue;
      row_low = vi_add(row_low, _mm256_madd_epi16(first, ones));
      row_high = vi_add(row_high, _mm256_madd_epi16(second, ones));
    }
    int32_t sums[16];
    _mm256_storeu_si256((__m256i *)sums, _mm256_permute2x128_si256(low, high, 0x20));
    _mm256_storeu_si256((__m256i *)(sums + 8), _mm256_permute2x128_si256(low, high, 0x31));
    if (e->b_zero) {
      // The sum over a row is another in each channel here: b_zero · Σ a goes into the sums already.
      int32_t row[16];
      _mm256_storeu_si256((__m256i *)row, _mm256_permute2x128_si256(row_low, row_high, 0x20));
      _mm256_storeu_si256((__m256i *)(row + 8), _mm256_permute2x128_si256(row_low, row_high, 0x31));
      for (size_t c = 0; c < n; c++) sums[c] -= e->b_zero[ch + c] * row[c];
    }
    const int32_t included = 0;
    ck_avx2_store(e, sums, 16, i, 1, ch, n, &included);
  }
}

static void depthwise_u8s8(const ck_depthwise_u8s8 *d, size_t m0, size_t m1) {
  if (d->taps > MOST_TAPS) {
    ck_scalar_depthwise_u8s8(d, m0, m1);
    return;
  }
  ck_epilogue e = ck_epilogue_depthwise(d);
  for (size_t ch = 0; ch < d->channels; ch += 16) channels(d, &e, m0, m1, ch, ck_min(16, d->channels - ch));
}

CK_AVX2_END

void ck_avx2_depthwise_u8s8(ck_table *table) { table->depthwise_u8s8 = depthwise_u8s8; }

#endif
